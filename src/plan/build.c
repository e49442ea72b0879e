/* SPDX-License-Identifier: MIT */
/*
 * build.c - making a boot plan in the caller's storage, see plan.h
 *
 * Used by smreg, the built-in minimum and tests. The first failure sticks and every later call does
 * nothing, so that a maker can write straight down and look once, at plan_end.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/plan.h"

#define SHARED_BYTES 1024u /* of the pool: strings that begin here are shared */

static struct plan_header *header(struct plan_builder *b)
{
	return (struct plan_header *)(void *)b->bytes;
}

struct plan_settings *plan_settings_of(struct plan_builder *b)
{
	return &header(b)->settings;
}

static uint32_t add_string(struct plan_builder *b, const char *s)
{
	size_t n = strlen(s) + 1;

	if (b->error || n == 1)
		return 0; /* "" stands at the pool's begin */
	if (n > PLAN_STRING_MAX) {
		b->error = -EINVAL;
		return 0;
	}
	if (n > b->pool_cap - b->pool_used) {
		b->error = -ENOSPC;
		return 0;
	}
	memcpy(b->pool + b->pool_used, s, n);
	b->pool_used += n;
	return (uint32_t)(b->pool_used - n);
}

/*
 * Equal strings share, if the first of them came early: looking through all of the pool would make
 * a plan of thousands of rows cost their square.
 */
uint32_t plan_intern(struct plan_builder *b, const char *s)
{
	size_t end = b->pool_used < SHARED_BYTES ? b->pool_used : SHARED_BYTES;

	for (size_t at = 0; !b->error && at < end; at += strlen(b->pool + at) + 1)
		if (str_same(b->pool + at, s))
			return (uint32_t)at;
	return add_string(b, s);
}

static void default_settings(struct plan_builder *b)
{
	*plan_settings_of(b) = (struct plan_settings){
		.initial_sessions = 2,
		.autochk_timeout_s = 8,
		.boot_good_s = 30,
		.boot_attempts = 3,
		.auto_reboot = 1,
		.execute_deadline_s = 300,
		.autochk_deadline_s = 14400,
		.pnp_deadline_s = 30,
		.subsystem_deadline_s = 60,
		.shutdown_deadline_s = 10,
		.keep_groups = 4,
		.keep_days = 30,
		.keep_mib = 1024,
		.s0_initial = plan_intern(b, "wininit"),
		.initial = plan_intern(b, "winlogon"),
	};
}

void plan_begin(struct plan_builder *b, const char *magic, void *storage, size_t cap, char *pool,
		size_t pool_cap)
{
	*b = (struct plan_builder){
		.bytes = storage, .cap = cap, .pool = pool, .pool_cap = pool_cap, .open_table = -1};
	if (cap < sizeof(struct plan_header) || pool_cap < 64) {
		b->error = -ENOSPC;
		return;
	}
	memset(storage, 0, sizeof(struct plan_header));
	memcpy(header(b)->magic, magic, sizeof(header(b)->magic));
	header(b)->version = PLAN_VERSION;
	b->used = sizeof(struct plan_header);
	pool[0] = 0; /* offset 0 is always "" */
	b->pool_used = 1;
	default_settings(b);
}

void plan_table_begin(struct plan_builder *b, enum plan_table t)
{
	if (b->error)
		return;
	if (header(b)->table[t].at) {
		b->error = -EINVAL; /* a table is begun once: its rows lie together */
		return;
	}
	b->open_table = (int)t;
	header(b)->table[t].at = (uint32_t)b->used;
}

void plan_add(struct plan_builder *b, const char *name, const char *text, uint32_t flags,
	      uint32_t arg, uint32_t aux)
{
	/* A queue may hold many thousand paths and hardly two equal ones: it does not look. */
	uint32_t (*take)(struct plan_builder *, const char *) =
		b->open_table == PLAN_QUEUE ? add_string : plan_intern;
	struct plan_row row = {.name = take(b, name),
			       .text = take(b, text),
			       .flags = flags,
			       .arg = arg,
			       .aux = aux};

	if (b->error)
		return;
	if (b->open_table < 0) {
		b->error = -EINVAL;
		return;
	}
	if (sizeof(row) > b->cap - b->used) {
		b->error = -ENOSPC;
		return;
	}
	memcpy(b->bytes + b->used, &row, sizeof(row));
	b->used += sizeof(row);
	header(b)->table[b->open_table].count++;
}

void plan_fit_to(struct plan_builder *b, const uint8_t block[HIVE_BLOCK_BYTES], uint64_t hive_bytes,
		 const uint8_t sha256[SHA256_BYTES])
{
	if (b->error)
		return;
	memcpy(header(b)->hive_block, block, HIVE_BLOCK_BYTES);
	memcpy(header(b)->hive_sha256, sha256, SHA256_BYTES);
	header(b)->hive_bytes = hive_bytes;
}

int plan_end(struct plan_builder *b)
{
	struct plan_header *p = header(b);
	int r;

	if (b->error)
		return b->error;
	if (b->pool_used > b->cap - b->used || b->used + b->pool_used > INT32_MAX)
		return -ENOSPC;
	memcpy(b->bytes + b->used, b->pool, b->pool_used);
	p->strings = (uint32_t)b->used;
	p->bytes = (uint32_t)(b->used + b->pool_used);
	p->crc = plan_crc(p);
	r = plan_check(p, p->bytes, p->magic, NULL);
	return r < 0 ? r : (int)p->bytes;
}
