/* SPDX-License-Identifier: MIT */
/*
 * regf_load.h - a hive made by regf_make.h, opened and loaded whole
 */
#pragma once

#include "regf_make.h"

#define BINS (4u << 20)

struct loaded {
	struct hive *h;
	struct reg_tree t;
	int r;
	char why[400];
};

static inline struct loaded load_with(struct make *m, unsigned flags)
{
	static struct loaded l;
	struct text why;

	memset(&l, 0, sizeof(l));
	why = TEXT_ON(l.why);
	make_end(m);
	l.r = case_open(m, NULL, flags, &l.h, &why);
	assert_int_equal(tree_start(&l.t), 0);
	if (l.r == 0)
		l.r = hive_load(l.h, "", HIVE_ALL, &l.t);
	free(m->at);
	return l;
}

static inline struct loaded load(struct make *m)
{
	struct loaded l = load_with(m, 0);

	if (!l.h)
		fail_msg("%s", l.why);
	return l;
}

static inline void done(struct loaded *l)
{
	hive_close(l->h);
	tree_free(&l->t);
}

static inline void clean(struct loaded *l)
{
	assert_int_equal(l->r, 0);
	assert_string_equal(hive_said(l->h), "");
	assert_false(hive_degraded(l->h));
}

static inline void told(struct loaded *l, uint64_t parts, const char *first)
{
	const char *said;

	assert_int_equal(l->r, 0);
	if (hive_damage(l->h, &said) != parts || !strstr(said, first))
		fail_msg("%llu parts, the first: %s", (unsigned long long)hive_damage(l->h, NULL),
			 said);
	assert_true(hive_degraded(l->h));
	assert_non_null(strstr(hive_said(l->h), first));
}

static inline void subkey(struct make *m, uint32_t of, const uint32_t *keys, uint32_t count)
{
	make_subkeys(m, of, make_list(m, "lh", keys, count), count);
}

/* Data of n bytes in pieces, the last cell as tight as can be. */
static inline uint32_t pieces(struct make *m, const uint8_t *data, uint32_t n, uint32_t part)
{
	uint32_t list[80], count = 0, value = make_value(m, "big", REG_BINARY, NULL, n);

	for (uint32_t at = 0; at < n; at += part, count++) {
		uint32_t some = n - at < part ? n - at : part;

		list[count] = make_cell(m, some);
		memcpy(make_at(m, list[count]), data + at, some);
	}
	uint32_t db = make_cell(m, 8), cell = make_cell(m, 4 * count);

	for (uint32_t i = 0; i < count; i++)
		regf_put32(make_at(m, cell), 4 * (size_t)i, list[i]);
	memcpy(make_at(m, db), "db", 2);
	make_put16(make_at(m, db), 2, count);
	regf_put32(make_at(m, db), 4, cell);
	regf_put32(make_at(m, value), 8, db);
	return value;
}
