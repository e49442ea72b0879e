/* SPDX-License-Identifier: MIT */
/*
 * regf_make.h - hives and transaction logs for the tests, byte by byte, right or broken
 *
 * libhivex writes only good hives and no logs. Cells are laid one behind the other into one bin;
 * sums and hashes are made last, so that a test can first break what it wants to.
 */
#pragma once

#include "registry_case.h"

#include "registry/hive.h"
#include "registry/marvin.h"
#include "registry/regf.h"
#include "sys/sys.h"

#define MAKE_TIME 0x01D295059E68E89Eull

struct make {
	uint8_t *at;
	uint32_t bins; /* bytes */
	uint32_t next; /* the next cell */
};

static inline void make_put16(uint8_t *p, size_t at, uint32_t v)
{
	p[at] = (uint8_t)v;
	p[at + 1] = (uint8_t)(v >> 8);
}

static inline void make_time(uint8_t *p, uint64_t time)
{
	memcpy(p + 12, &time, 8);
}

static inline void make_sum(uint8_t *block)
{
	regf_put32(block, 508, regf_checksum(block));
}

/* A base block of that type; the sum is made by make_sum. */
static inline void make_block(uint8_t *p, uint32_t type, uint32_t sequence, uint32_t bins)
{
	memset(p, 0, 512);
	memcpy(p, "regf", 4);
	regf_put32(p, 4, sequence);
	regf_put32(p, 8, sequence);
	make_time(p, MAKE_TIME);
	regf_put32(p, 20, 1);
	regf_put32(p, 24, 5);
	regf_put32(p, 28, type);
	regf_put32(p, 32, 1);
	regf_put32(p, 36, 0x20);
	regf_put32(p, 40, bins);
	regf_put32(p, 44, 1);
	make_sum(p);
}

static inline struct make make_start(uint32_t bins)
{
	struct make m = {.at = calloc(1, bins + 4096u), .bins = bins, .next = 0x20};

	assert_non_null(m.at);
	make_block(m.at, 0, 1, bins);
	memcpy(m.at + 4096, "hbin", 4);
	regf_put32(m.at, 4096 + 8, bins);
	make_time(m.at + 4096 + 8, MAKE_TIME);
	return m;
}

/* The content of the cell at. */
static inline uint8_t *make_at(const struct make *m, uint32_t at)
{
	return m->at + 4096 + at + 4;
}

/* A cell in use with room for n bytes. */
static inline uint32_t make_cell(struct make *m, uint32_t n)
{
	uint32_t at = m->next, size = (n + 4 + 7) & ~7u;

	assert_true(size <= m->bins - m->next);
	regf_put32(m->at, 4096 + at, 0u - size);
	m->next += size;
	return at;
}

/* A key; its first one is the root. A wide name is UTF-16LE. */
static inline uint32_t make_key_of(struct make *m, const void *name, uint32_t n, bool wide)
{
	uint32_t at = make_cell(m, 76 + n);
	uint8_t *p = make_at(m, at);

	memcpy(p, "nk", 2);
	make_put16(p, 2, wide ? 0 : 0x20);
	for (unsigned i = 28; i <= 48; i += 4)
		regf_put32(p, i, i == 36 ? 0 : UINT32_MAX);
	make_put16(p, 72, n);
	memcpy(p + 76, name, n);
	return at;
}

static inline uint32_t make_key(struct make *m, const char *name)
{
	return make_key_of(m, name, (uint32_t)strlen(name), false);
}

/* A list of that signature; lf and lh with empty hints. */
static inline uint32_t make_list(struct make *m, const char *sign, const uint32_t *list,
				 uint32_t count)
{
	uint32_t step = sign[1] == 'i' ? 4 : 8, at = make_cell(m, 4 + count * step);
	uint8_t *p = make_at(m, at);

	memcpy(p, sign, 2);
	make_put16(p, 2, count);
	for (uint32_t i = 0; i < count; i++)
		regf_put32(p, 4 + (size_t)i * step, list[i]);
	return at;
}

static inline void make_subkeys(struct make *m, uint32_t key, uint32_t list, uint32_t count)
{
	regf_put32(make_at(m, key), 20, count);
	regf_put32(make_at(m, key), 28, list);
}

static inline void make_values(struct make *m, uint32_t key, const uint32_t *list, uint32_t count)
{
	uint32_t at = make_cell(m, count * 4);

	for (uint32_t i = 0; i < count; i++)
		regf_put32(make_at(m, at), (size_t)i * 4, list[i]);
	regf_put32(make_at(m, key), 36, count);
	regf_put32(make_at(m, key), 40, at);
}

/* A value with a narrow name; up to four bytes stand in place. Data from elsewhere: NULL. */
static inline uint32_t make_value(struct make *m, const char *name, uint32_t type, const void *data,
				  uint32_t n)
{
	uint32_t at = make_cell(m, 20 + (uint32_t)strlen(name)), cell = 0;

	if (n > 4 && data) {
		cell = make_cell(m, n);
		memcpy(make_at(m, cell), data, n);
	}
	uint8_t *p = make_at(m, at);

	memcpy(p, "vk", 2);
	make_put16(p, 2, (uint32_t)strlen(name));
	regf_put32(p, 4, n <= 4 ? n | 0x80000000u : n);
	regf_put32(p, 8, cell);
	if (n && n <= 4)
		memcpy(p + 8, data, n);
	regf_put32(p, 12, type);
	make_put16(p, 16, *name != 0);
	memcpy(p + 20, name, strlen(name));
	return at;
}

/* The rest of the bin is free. */
static inline void make_end(struct make *m)
{
	if (m->next < m->bins)
		regf_put32(m->at, 4096 + m->next, m->bins - m->next);
	make_sum(m->at);
}

static inline int make_file(const void *bytes, size_t n)
{
	int fd = sys_memfd("test");

	assert_true(fd >= 0);
	assert_int_equal(sys_write_all(fd, bytes, n), 0);
	return fd;
}

/* ---- logs ---- */

struct make_log {
	uint8_t at[256 << 10];
	size_t n; /* 0 = there is none */
	size_t entry[8];
	unsigned entries;
};

static inline void make_log(struct make_log *l, uint32_t type, uint32_t sequence, uint32_t bins)
{
	memset(l, 0, sizeof(*l));
	make_block(l->at, type, sequence, bins);
	l->n = 512;
}

static inline void make_hashes(struct make_log *l, unsigned entry)
{
	uint8_t *e = l->at + l->entry[entry];
	uint64_t hash = marvin32(MARVIN_REGISTRY, e + 40, regf_u32(e, 4) - 40);

	memcpy(e + 24, &hash, 8);
	hash = marvin32(MARVIN_REGISTRY, e, 32);
	memcpy(e + 32, &hash, 8);
}

/* An entry with one page of n bytes at. */
static inline void make_entry(struct make_log *l, uint32_t sequence, uint32_t bins, uint32_t at,
			      const uint8_t *page, uint32_t n)
{
	uint32_t size = (40 + 8 + n + 511) & ~511u;
	uint8_t *e = l->at + l->n;

	assert_true(l->n + size <= sizeof(l->at) && l->entries < 8);
	memcpy(e, "HvLE", 4);
	regf_put32(e, 4, size);
	regf_put32(e, 12, sequence);
	regf_put32(e, 16, bins);
	regf_put32(e, 20, 1);
	regf_put32(e, 40, at);
	regf_put32(e, 44, n);
	memcpy(e + 48, page, n);
	l->entry[l->entries++] = l->n;
	make_hashes(l, l->entries - 1);
	l->n += size;
}

/* A log of the old kind that brings the first 4096 bytes of the bins. */
static inline void make_old_log(struct make_log *l, uint32_t sequence, uint64_t time, uint32_t bins,
				const uint8_t *page)
{
	make_log(l, 1, sequence, bins);
	make_time(l->at, time);
	make_sum(l->at);
	memcpy(l->at + 512, "DIRT", 4);
	l->at[516] = 0xFF;
	memcpy(l->at + 1024, page, 4096);
	l->n = 1024 + 4096;
}

/* ---- reading back ---- */

static inline void case_same(const struct reg_key *a, const struct reg_key *b)
{
	assert_int_equal(a->value_count, b->value_count);
	assert_int_equal(a->child_count, b->child_count);
	for (uint32_t i = 0; i < a->value_count; i++) {
		const struct reg_value *v = &a->values[i], *w = &b->values[i];

		assert_int_equal(v->name_bytes, w->name_bytes);
		assert_memory_equal(v->name, w->name, v->name_bytes);
		assert_int_equal(v->type, w->type);
		assert_int_equal(v->bytes, w->bytes);
		if (v->bytes)
			assert_memory_equal(v->data, w->data, v->bytes);
	}
	for (uint32_t i = 0; i < a->child_count; i++) {
		const struct reg_key *sub =
			key_child(b, a->children[i]->name, a->children[i]->name_bytes);

		assert_non_null(sub);
		case_same(a->children[i], sub);
	}
}

/* The hive with its logs as memory files; *ret NULL and the reason when it does not open. */
static inline int case_open(const struct make *m, const struct make_log log[HIVE_LOGS],
			    unsigned flags, struct hive **ret, struct text *why)
{
	struct hive_source from = HIVE_SOURCE_NONE;
	int r;

	*ret = NULL;
	from.fd = make_file(m->at, m->bins + 4096u);
	for (unsigned i = 0; log && i < HIVE_LOGS; i++)
		if (log[i].n)
			from.log_fd[i] = make_file(log[i].at, log[i].n);
	r = hive_open(&from, flags, ret, why);
	hive_source_close(&from);
	return r;
}
