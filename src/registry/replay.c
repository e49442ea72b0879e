/* SPDX-License-Identifier: MIT */
/*
 * replay.c - which logs belong to a dirty hive, and in which order; see replay.h
 *
 * Two kinds exist and are never mixed: one cumulative log of pages (DIRT, to Windows 8), and two
 * logs of entries that continue each other (HvLE, since 8.1; replay_entries.c).
 */
#include "registry/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "registry/replay_log.h"
#include "sys/sys.h"

#define TYPE_NEW 6u
#define PAGE     512u

static struct text why_of(struct hive_log_facts *f)
{
	return TEXT_ON(f->why);
}

/* The whole log in memory; 0 also when there is nothing to read, and then at is NULL. */
static int read_log(int fd, struct replay_log *l)
{
	struct text why = why_of(l->f);
	struct sys_stat st;
	ssize_t got;
	size_t at = 0;
	int r = sys_stat_fd(fd, &st);

	if (r == 0 && (st.mode & S_IFMT) == S_IFREG && st.size == 0)
		return 0;
	l->f->present = true;
	if (r < 0 || (st.mode & S_IFMT) != S_IFREG || st.size > HIVE_BYTES_MAX) {
		text_add(&why, r < 0                           ? err_text(-r)
			       : (st.mode & S_IFMT) != S_IFREG ? "not a regular file"
							       : "too large");
		return 0;
	}
	l->at = malloc(st.size);
	if (!l->at)
		return -ENOMEM;
	while (at < st.size && (got = sys_pread(fd, l->at + at, st.size - at, at)) > 0)
		at += (size_t)got;
	l->n = at;
	return 0;
}

/* The first 512 bytes; says what is wrong with them. */
static bool block_right(struct replay_log *l)
{
	struct text why = why_of(l->f);
	const uint8_t *b = l->at;
	uint32_t bins;

	if (l->n < PAGE || memcmp(b, "regf", 4) != 0) {
		text_add(&why, l->n < PAGE ? "cut inside its base block" : "no \"regf\" at 0");
		return false;
	}
	if (regf_u32(b, 508) != regf_checksum(b)) {
		text_add(&why, "wrong base block checksum");
		return false;
	}
	l->type = regf_u32(b, 28);
	l->sequence = regf_u32(b, 4);
	l->time = regf_time(b);
	l->f->first = l->sequence;
	l->f->cumulative = l->type != TYPE_NEW;
	bins = regf_u32(b, 40);
	if (l->sequence != regf_u32(b, 8))
		text_add(&why, "its own sequence numbers differ");
	else if (l->type != 1 && l->type != 2 && l->type != TYPE_NEW)
		text_u64(text_add(&why, "not a log: file type "), l->type);
	else if (regf_u32(b, 32) != 1 || regf_u32(b, 44) != 1)
		text_add(&why, "unknown format or clustering factor");
	else if (bins == 0 || bins % REGF_HEAD_BYTES || bins > HIVE_BYTES_MAX - REGF_HEAD_BYTES)
		text_add(&why, "impossible bins size");
	else if (l->n < PAGE + 4 || memcmp(b + PAGE, l->type == TYPE_NEW ? "HvLE" : "DIRT", 4) != 0)
		text_add(&why, l->type == TYPE_NEW ? "no entry at 512" : "no DIRT at 512");
	return why.len == 0;
}

/* What is beside the hive, read and looked at; only usable logs keep their bytes. */
static int look(const struct hive_source *from, struct replay_log logs[HIVE_LOGS])
{
	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		struct replay_log *l = &logs[i];
		struct text why = why_of(l->f);
		int r = 0;

		if (from->log_error[i]) {
			l->f->present = true;
			text_add(&why, err_text(from->log_error[i]));
		}
		if (from->log_fd[i] < 0)
			continue;
		r = read_log(from->log_fd[i], l);
		if (r < 0)
			return r;
		if (!l->at)
			continue;
		if (bytes_zero(l->at, l->n)) {
			l->f->present = false;
			continue;
		}
		l->usable = block_right(l);
	}
	return 0;
}

static void drop(struct replay_log *l, const char *reason)
{
	if (l->usable) {
		struct text why = why_of(l->f);

		text_add(&why, reason);
	}
	l->usable = false;
}

/* LOG is a leftover where Vista's two are; old and new kinds are never mixed. */
static bool sort_kinds(struct replay_log logs[HIVE_LOGS])
{
	bool any_new = false;

	if (logs[0].f->present || logs[1].f->present)
		drop(&logs[2], "a leftover: there is a LOG1 or LOG2");
	for (unsigned i = 0; i < HIVE_LOGS; i++)
		any_new |= logs[i].usable && logs[i].type == TYPE_NEW;
	for (unsigned i = 0; any_new && i < HIVE_LOGS; i++)
		if (logs[i].type != TYPE_NEW)
			drop(&logs[i], "of the old kind, beside one of the new kind");
	return any_new;
}

/* The block's words after a replay: both sequences, type, size, checksum. */
static void stamp(uint8_t *block, uint32_t sequence, uint32_t bins)
{
	regf_put32(block, 4, sequence);
	regf_put32(block, 8, sequence);
	regf_put32(block, 28, 0);
	regf_put32(block, 40, bins);
	regf_put32(block, 508, regf_checksum(block));
}

/* ---- the old kind ---- */

/* Every page is inside the log: the count, or 0 and why. */
static uint32_t dirty_pages(const struct replay_log *l, size_t *ret_from)
{
	size_t map = regf_u32(l->at, 40) / PAGE / 8;
	size_t from = (PAGE + 4 + map + PAGE - 1) / PAGE * PAGE;
	struct text why = why_of(l->f);
	uint32_t count = 0;

	if (PAGE + 4 + map > l->n) {
		text_add(&why, "cut inside its bitmap");
		return 0;
	}
	for (size_t i = 0; i < map; i++)
		count += (uint32_t)__builtin_popcount(l->at[PAGE + 4 + i]);
	if (from + (uint64_t)count * PAGE > l->n) {
		text_add(&why, "cut inside its pages");
		return 0;
	}
	if (count == 0)
		text_add(&why, "no page in it");
	*ret_from = from;
	return count;
}

/* The newest log whose time says that it belongs to the hive. */
static struct replay_log *pick_old(struct replay_log logs[HIVE_LOGS], uint64_t hive_time)
{
	struct replay_log *best = NULL;

	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		if (logs[i].usable && logs[i].time < hive_time)
			drop(&logs[i], "older than the hive");
		if (logs[i].usable && (!best || logs[i].time > best->time)) {
			if (best)
				drop(best, "older than the other log");
			best = &logs[i];
		} else {
			drop(&logs[i], "not newer than the other log");
		}
	}
	return best;
}

static int replay_old(struct regf *copy, struct replay_log logs[HIVE_LOGS], bool block_good,
		      struct hive_facts *f)
{
	bool has_bin = copy->bytes >= REGF_HEAD_BYTES + 32;
	uint64_t time = block_good ? regf_time(copy->at)
			: has_bin  ? regf_time(copy->at + REGF_HEAD_BYTES + 8)
				   : 0;
	struct replay_log *l = pick_old(logs, time);
	uint32_t count, bins;
	size_t from = 0;
	int r;

	count = l ? dirty_pages(l, &from) : 0;
	if (count == 0)
		return 0;
	bins = regf_u32(l->at, 40);
	r = regf_grow(copy, (uint64_t)bins + REGF_HEAD_BYTES);
	if (r < 0)
		return r;
	for (uint32_t n = 0; n < bins / PAGE; n++) {
		if (!(l->at[PAGE + 4 + n / 8] >> n % 8 & 1))
			continue;
		memcpy(copy->at + REGF_HEAD_BYTES + (size_t)n * PAGE, l->at + from, PAGE);
		from += PAGE;
	}
	if (!block_good)
		memcpy(copy->at, l->at, PAGE);
	stamp(copy->at, block_good ? regf_u32(copy->at, 4) : l->sequence, bins);
	l->f->entries = 1;
	l->f->pages = count;
	if (l->time != time) {
		struct text why = why_of(l->f);

		text_add(&why, block_good ? "its time is later than the hive's"
					  : "its time is later than the first bin's");
	}
	f->log_sequence = regf_u32(copy->at, 4);
	return 1;
}

/* ---- the new kind ---- */

static int32_t after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b); /* numbers wrap */
}

/* At most two, in the order they are to be applied. */
static unsigned order_new(struct replay_log logs[HIVE_LOGS], const uint8_t *block, bool block_good,
			  struct replay_log *ret[2])
{
	unsigned n = 0;

	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		if (block_good && after(logs[i].sequence, regf_u32(block, 8)) < 0)
			drop(&logs[i], "too old: its sequence is before the hive's");
		if (logs[i].usable && n < 2)
			ret[n++] = &logs[i];
	}
	if (n == 2 && after(ret[1]->sequence, ret[0]->sequence) < 0) {
		struct replay_log *first = ret[1];

		ret[1] = ret[0];
		ret[0] = first;
	}
	if (n == 2 && !block_good) { /* a base block can only come from the later one */
		bool same = ret[0]->sequence == ret[1]->sequence;

		drop(ret[!!same], "the base block is broken, and the other log is the later one");
		ret[0] = ret[!same];
		n = 1;
	}
	return n;
}

static int replay_new(struct regf *copy, struct replay_log logs[HIVE_LOGS], bool block_good,
		      struct hive_facts *f)
{
	struct replay_log *list[2];
	unsigned n = order_new(logs, copy->at, block_good, list);
	struct replay_end end = {.sequence = n ? list[0]->sequence : 0};
	uint32_t flags;
	int r = 0;

	for (unsigned i = 0; i < n; i++) {
		if (list[i]->sequence != end.sequence) {
			struct text why = why_of(list[i]->f);

			text_u64(text_add(&why, "its sequence "), list[i]->sequence);
			text_u64(text_add(&why, " does not continue "), end.sequence - 1);
			f->lost |= after(list[i]->sequence, end.sequence) > 0;
			break;
		}
		r = replay_entries(copy, list[i], &end);
		if (r < 0)
			return r;
		f->lost |= end.damaged;
	}
	if (!end.applied) {
		f->lost = false;
		return 0;
	}
	if (!block_good)
		memcpy(copy->at, list[0]->at, PAGE);
	flags = regf_u32(copy->at, 144);
	regf_put32(copy->at, 144, (flags & ~1u) | (end.flags & 1u));
	stamp(copy->at, end.sequence - 1, end.bins);
	f->log_sequence = end.sequence - 1;
	return 1;
}

int replay(struct regf *copy, const struct hive_source *from, bool block_good, struct hive_facts *f)
{
	struct replay_log logs[HIVE_LOGS];
	int r;

	memset(logs, 0, sizeof(logs));
	for (unsigned i = 0; i < HIVE_LOGS; i++)
		logs[i].f = &f->log[i];
	r = look(from, logs);
	if (r == 0)
		r = sort_kinds(logs) ? replay_new(copy, logs, block_good, f)
				     : replay_old(copy, logs, block_good, f);
	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		f->log_entries += logs[i].f->entries;
		f->log_pages += logs[i].f->pages;
		free(logs[i].at);
	}
	return r;
}
