/* SPDX-License-Identifier: MIT */
/*
 * plan.c - checking and reading a boot plan, see plan.h
 *
 * plan_check looks at every offset once; after it, the accessors are plain arithmetic. It never
 * trusts a length it has not compared with the room it was given, and it never loops longer than
 * the plan is.
 */
#include "plan/plan.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

static int wrong(const char **ret_why, const char *why, int err)
{
	if (ret_why)
		*ret_why = why;
	return -err;
}

uint32_t plan_crc(const struct plan_header *p)
{
	static const uint32_t zero;
	size_t at = offsetof(struct plan_header, crc);
	uint32_t crc = crc32c(0, p, at);

	crc = crc32c(crc, &zero, sizeof(zero));
	return crc32c(crc, (const uint8_t *)p + at + sizeof(zero), p->bytes - at - sizeof(zero));
}

static bool string_fits(const struct plan_header *p, uint32_t offset)
{
	return offset < p->bytes - p->strings;
}

static bool settings_fit(const struct plan_header *p)
{
	const struct plan_settings *s = &p->settings;

	return s->initial_sessions >= 1 && s->initial_sessions <= SESSIONS_MAX &&
	       s->allow_protected_renames <= 1 && s->autochk_timeout_s <= 259200 &&
	       s->autochk_skip_system <= 1 && s->temp_page_file <= 1 && s->clear_pagefile <= 1 &&
	       s->boot_good_s <= 86400 && s->boot_attempts >= 1 && s->boot_attempts <= 100 &&
	       s->dialect <= PLAN_DIALECT_BUSYBOX && s->known_policy <= PLAN_KNOWN_STOP &&
	       s->auto_reboot <= 1 && s->rescue_unlocked <= 1 && s->builtin <= 1 &&
	       s->execute_deadline_s >= 1 && s->subsystem_deadline_s >= 1 &&
	       s->shutdown_deadline_s >= 1 && s->execute_deadline_s <= 604800 &&
	       s->autochk_deadline_s <= 604800 && s->pnp_deadline_s <= 3600 &&
	       s->subsystem_deadline_s <= 3600 && s->shutdown_deadline_s <= 3600 &&
	       s->keep_groups <= 4096 && s->keep_days <= 36500 && s->keep_mib <= 16777216 &&
	       s->image_policy <= PLAN_IMAGES_ENFORCE && string_fits(p, s->s0_initial) &&
	       string_fits(p, s->initial) && string_fits(p, s->dll_directory) &&
	       string_fits(p, s->hive_path);
}

static bool table_fits(const struct plan_header *p, enum plan_table t)
{
	uint32_t at = p->table[t].at, count = p->table[t].count;
	const struct plan_row *row;

	if (!count)
		return true;
	if (at % 4 || at < sizeof(*p) || at > p->strings ||
	    count > (p->strings - at) / sizeof(*row))
		return false;
	row = (const struct plan_row *)((const uint8_t *)p + at);
	for (uint32_t i = 0; i < count; i++)
		if (!string_fits(p, row[i].name) || !string_fits(p, row[i].text))
			return false;
	return true;
}

/* Every string of the pool has its NUL within PLAN_STRING_MAX. */
static bool pool_fits(const struct plan_header *p)
{
	const char *pool = (const char *)p + p->strings;
	uint32_t n = p->bytes - p->strings, start = 0;

	if (!n || pool[0] != 0 || pool[n - 1] != 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (pool[i])
			continue;
		if (i - start >= PLAN_STRING_MAX)
			return false;
		start = i + 1;
	}
	return true;
}

int plan_check(const void *bytes, size_t n, const char *magic, const char **ret_why)
{
	const struct plan_header *p = bytes;

	if (n < sizeof(*p))
		return wrong(ret_why, "too short for a plan", EILSEQ);
	if (!bytes_same(p->magic, magic, sizeof(p->magic)))
		return wrong(ret_why, "the magic is not ours", EILSEQ);
	if (p->version != PLAN_VERSION)
		return wrong(ret_why, "another version of the format", EPROTO);
	if (p->bytes != n)
		return wrong(ret_why, "its length is not what it says", EILSEQ);
	if (p->crc != plan_crc(p))
		return wrong(ret_why, "the checksum is wrong", EILSEQ);
	if (p->strings < sizeof(*p) || p->strings >= n)
		return wrong(ret_why, "the string pool lies outside", EINVAL);
	if (!pool_fits(p))
		return wrong(ret_why, "a string has no end", EINVAL);
	if (!settings_fit(p))
		return wrong(ret_why, "a setting is out of its range", EINVAL);
	for (unsigned t = 0; t < PLAN_TABLES; t++)
		if (!table_fits(p, (enum plan_table)t))
			return wrong(ret_why, "a table or string offset lies outside", EINVAL);
	return 0;
}

int plan_is_checked(const void *bytes, size_t n)
{
	const struct plan_header *p = bytes;

	return n >= sizeof(*p) && bytes_same(p->magic, PLAN_MAGIC, sizeof(p->magic)) &&
			       p->version == PLAN_VERSION && p->bytes == n
		       ? 0
		       : -EILSEQ;
}

enum plan_fit plan_fits(const struct plan_header *p, const uint8_t block[HIVE_BLOCK_BYTES],
			uint64_t hive_bytes)
{
	return p->hive_bytes == hive_bytes && bytes_same(p->hive_block, block, HIVE_BLOCK_BYTES)
		       ? PLAN_FITS
		       : PLAN_STALE;
}

uint32_t plan_count(const struct plan_header *p, enum plan_table t)
{
	return p->table[t].count;
}

const struct plan_row *plan_row_at(const struct plan_header *p, enum plan_table t, uint32_t i)
{
	return (const struct plan_row *)((const uint8_t *)p + p->table[t].at) + i;
}

const char *plan_string(const struct plan_header *p, uint32_t offset)
{
	return (const char *)p + p->strings + offset;
}

static const struct plan_row *find(const struct plan_header *p, enum plan_table t, const char *name)
{
	for (uint32_t i = 0; i < plan_count(p, t); i++) {
		const struct plan_row *row = plan_row_at(p, t, i);

		if (str_same_fold(plan_string(p, row->name), name))
			return row;
	}
	return NULL;
}

const char *plan_text(const struct plan_header *p, const char *name, const char *otherwise)
{
	const struct plan_row *row = find(p, PLAN_TEXTS, name);

	return row ? plan_string(p, row->text) : otherwise;
}

static const struct plan_row *find_session(const struct plan_header *p, uint32_t session,
					   const char *name)
{
	char room[128];
	struct text t = TEXT_ON(room);
	const struct plan_row *row;

	text_add(text_add(text_u64(&t, session), "\\"), name);
	row = find(p, PLAN_SESSIONS, room);
	if (row || !session) /* the machine's own session is no kiosk among others */
		return row;
	t = TEXT_ON(room);
	text_add(text_add(&t, "Default\\"), name);
	return find(p, PLAN_SESSIONS, room);
}

const char *plan_session_text(const struct plan_header *p, uint32_t session, const char *name,
			      const char *otherwise)
{
	const struct plan_row *row = find_session(p, session, name);

	return row ? plan_string(p, row->text) : otherwise;
}

uint32_t plan_session_number(const struct plan_header *p, uint32_t session, const char *name,
			     uint32_t otherwise)
{
	const struct plan_row *row = find_session(p, session, name);

	return row ? row->arg : otherwise;
}

bool plan_is_safe(const struct plan_header *p, const char *option, const char *name)
{
	return find(p, PLAN_SAFE_MINIMAL, name) ||
	       (str_same_fold(option, "NETWORK") && find(p, PLAN_SAFE_NETWORK, name));
}

int plan_words(char *line, char **ret_words, unsigned max)
{
	unsigned count = 0;
	char *to = line;

	for (const char *from = line;;) {
		bool quoted = false;

		while (*from && (unsigned char)*from <= ' ')
			from++;
		if (!*from)
			break;
		if (count == max)
			return -E2BIG;
		ret_words[count++] = to;
		for (; *from && (quoted || (unsigned char)*from > ' '); from++) {
			if (*from == '"')
				quoted = !quoted;
			else
				*to++ = *from;
		}
		if (*from)
			from++; /* before its place is overwritten by the NUL */
		*to++ = 0;
	}
	ret_words[count] = NULL;
	return (int)count;
}
