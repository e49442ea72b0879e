/* SPDX-License-Identifier: MIT */
/*
 * replay_case.h - a dirty hive with two logs, and what has to become of it
 *
 * The root's value "v" holds the number of the entry that wrote its page, so what was applied can
 * be read.
 */
#pragma once

#include "regf_make.h"

#define PAGE 4096u

/* ---- a scene: a dirty hive with "v" = 9, LOG1 brings 10 and 11, LOG2 12 to 14 ---- */

struct scene {
	struct make hive;
	uint32_t place; /* in the first page of the bins: where v's data stands */
	struct make_log log[HIVE_LOGS];
};

static inline void write_page(const struct scene *s, uint32_t v, uint8_t page[PAGE])
{
	memcpy(page, s->hive.at + PAGE, PAGE);
	regf_put32(page, s->place, v);
}

static inline void add_entry(struct scene *s, unsigned log, uint32_t v, uint32_t sequence)
{
	uint8_t page[PAGE];

	write_page(s, v, page);
	make_entry(&s->log[log], sequence, s->hive.bins, 0, page, PAGE);
}

static inline void dirty(struct make *m, uint32_t primary, uint32_t secondary)
{
	regf_put32(m->at, 4, primary);
	regf_put32(m->at, 8, secondary);
	make_sum(m->at);
}

static inline void scene_hive(struct scene *s)
{
	static const uint8_t nine[4] = {9};
	uint32_t root, v;

	memset(s, 0, sizeof(*s));
	s->hive = make_start(PAGE);
	root = make_key(&s->hive, "ROOT");
	v = make_value(&s->hive, "v", REG_DWORD, nine, 4);
	make_values(&s->hive, root, &v, 1);
	make_end(&s->hive);
	dirty(&s->hive, 10, 9);
	s->place = v + 4 + 8;
}

static inline void scene_start(struct scene *s, uint32_t first)
{
	scene_hive(s);
	dirty(&s->hive, first, first - 1);
	make_log(&s->log[0], 6, first, PAGE);
	add_entry(s, 0, 10, first);
	add_entry(s, 0, 11, first + 1);
	make_log(&s->log[1], 6, first + 2, PAGE);
	add_entry(s, 1, 12, first + 2);
	add_entry(s, 1, 13, first + 3);
	add_entry(s, 1, 14, first + 4);
}

static inline uint8_t *entry(struct scene *s, unsigned log, unsigned i)
{
	return s->log[log].at + s->log[log].entry[i];
}

static inline void poke(struct scene *s, unsigned log, unsigned i, size_t at, uint32_t v)
{
	regf_put32(entry(s, log, i), at, v);
	make_hashes(&s->log[log], i);
}

static inline void broken_block(struct scene *s)
{
	s->hive.at[508] ^= 1;
}

struct replay_case {
	const char *name;
	void (*breaks)(struct scene *s);
	uint32_t v;       /* what the hive says then; 0 = it does not open */
	uint32_t entries; /* applied */
	bool lost;
	const char *says; /* in the line for people */
};

static inline uint32_t value_of(struct hive *h)
{
	struct reg_tree t;
	uint32_t v = 0;

	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(hive_load(h, "", HIVE_ALL, &t), 0);
	assert_true(value_dword(key_get(t.root, "v"), &v));
	assert_int_equal(hive_damage(h, NULL), 0);
	tree_free(&t);
	return v;
}

static inline void check(const struct replay_case *c, const struct scene *s)
{
	char room[400] = "";
	struct text why = TEXT_ON(room);
	const struct hive_facts *f;
	struct hive *h;
	int r = case_open(&s->hive, s->log, 0, &h, &why);

	if (c->v == 0) {
		if (r >= 0 || !strstr(room, c->says))
			fail_msg("%s: %s", c->name, room);
		return;
	}
	if (r < 0)
		fail_msg("%s: %s", c->name, room);
	f = hive_facts(h);
	if (value_of(h) != c->v || f->log_entries != c->entries || f->lost != c->lost ||
	    f->recovered != (c->entries > 0) || f->stale != (f->dirty && !c->entries) ||
	    f->degraded || !strstr(hive_said(h), c->says) || !*c->says != !*hive_said(h))
		fail_msg("%s: v %u, %u entries, lost %d: %s", c->name, value_of(h), f->log_entries,
			 f->lost, hive_said(h));
	/* the facts are those of the file, whatever became of the copy */
	assert_memory_equal(f->block, s->hive.at, HIVE_BLOCK_BYTES);
	assert_int_equal(f->bytes, s->hive.bins + PAGE);
	uint8_t digest[SHA256_BYTES];

	sha256_of(s->hive.at, s->hive.bins + PAGE, digest);
	assert_memory_equal(hive_sha256(h), digest, SHA256_BYTES);
	hive_close(h);
}
