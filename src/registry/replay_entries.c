/* SPDX-License-Identifier: MIT */
/*
 * replay_entries.c - the entries of a log of the new kind; see replay_log.h
 */
#include <errno.h>
#include <string.h>

#include "registry/marvin.h"
#include "registry/replay_log.h"

#define FIRST_ENTRY 512u
#define ENTRY_STEP  512u
#define ENTRY_HEAD  40u
#define REFERENCE   8u

static uint64_t u64_at(const uint8_t *p, size_t at)
{
	uint64_t v;

	memcpy(&v, p + at, 8);
	return v;
}

/* Every page of the entry lies in it and inside its bins. */
static const char *pages_fault(const uint8_t *e, uint32_t size, uint32_t bins)
{
	uint32_t count = regf_u32(e, 20);
	uint64_t sum;

	if (count == 0 || count > (size - ENTRY_HEAD) / REFERENCE)
		return "an impossible page count";
	sum = ENTRY_HEAD + (uint64_t)count * REFERENCE;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *ref = e + ENTRY_HEAD + (size_t)i * REFERENCE;
		uint64_t at = regf_u32(ref, 0), n = regf_u32(ref, 4);

		if (n == 0 || at + n > bins)
			return "a page outside the bins";
		sum += n;
	}
	return sum > size ? "pages that do not fit in it" : NULL;
}

/* What is wrong with the entry of the right sequence; NULL when it may be applied. */
static const char *entry_fault(const uint8_t *e, size_t left)
{
	uint32_t size = regf_u32(e, 4), bins = regf_u32(e, 16);

	if (size < ENTRY_STEP || size % ENTRY_STEP)
		return "an impossible size";
	if (size > left)
		return "its end cut off";
	if (u64_at(e, 32) != marvin32(MARVIN_REGISTRY, e, 32))
		return "a wrong second hash";
	if (u64_at(e, 24) != marvin32(MARVIN_REGISTRY, e + ENTRY_HEAD, size - ENTRY_HEAD))
		return "a wrong first hash";
	if (bins == 0 || bins % REGF_HEAD_BYTES)
		return "an impossible bins size";
	if (bins > HIVE_BYTES_MAX - REGF_HEAD_BYTES)
		return "a bins size beyond 64 MiB";
	return pages_fault(e, size, bins);
}

static int apply(struct regf *copy, const uint8_t *e, struct replay_log *l, struct replay_end *end)
{
	uint32_t count = regf_u32(e, 20), bins = regf_u32(e, 16);
	const uint8_t *page = e + ENTRY_HEAD + (size_t)count * REFERENCE;
	int r = regf_grow(copy, (uint64_t)bins + REGF_HEAD_BYTES);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t at = regf_u32(e, ENTRY_HEAD + (size_t)i * REFERENCE);
		uint32_t n = regf_u32(e, ENTRY_HEAD + (size_t)i * REFERENCE + 4);

		memcpy(copy->at + REGF_HEAD_BYTES + at, page, n);
		page += n;
	}
	l->f->entries++;
	l->f->pages += count;
	end->sequence++;
	end->bins = bins;
	end->flags = regf_u32(e, 8);
	end->applied = true;
	return 0;
}

static void ended(struct replay_log *l, uint32_t sequence, size_t at, const char *fault)
{
	struct text why = TEXT_ON(l->f->why);

	text_u64(text_add(&why, "entry "), sequence);
	text_u64(text_add(&why, " at "), at);
	text_add(text_add(&why, " has "), fault);
}

int replay_entries(struct regf *copy, struct replay_log *l, struct replay_end *end)
{
	size_t at = FIRST_ENTRY;

	end->damaged = false;
	while (at + ENTRY_HEAD <= l->n) {
		const uint8_t *e = l->at + at;
		const char *fault;
		int r;

		/* Behind the end lie zeros, or entries of an earlier round. */
		if (memcmp(e, "HvLE", 4) != 0)
			return 0;
		if (regf_u32(e, 12) != end->sequence) {
			end->damaged = (int32_t)(regf_u32(e, 12) - end->sequence) > 0;
			if (end->damaged || !l->f->entries)
				ended(l, end->sequence, at, "another sequence in its place");
			return 0;
		}
		fault = entry_fault(e, l->n - at);
		if (fault) {
			end->damaged = true;
			ended(l, end->sequence, at, fault);
			return 0;
		}
		r = apply(copy, e, l, end);
		if (r < 0)
			return r;
		at += regf_u32(e, 4);
	}
	return 0;
}
