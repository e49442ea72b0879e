/* SPDX-License-Identifier: MIT */
/*
 * registry_case.h - trees and plans for the tests of the registry, made in a line
 *
 * A value is written "S:text", "X:text" (EXPAND_SZ), "D:number", "M:one|two" (an empty piece is an
 * empty string; "M:" is an empty list), "B:hex", "Q:8 bytes as hex", or "T<type>:hex".
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/plan_make.h"
#include "registry/tree.h"

#define CONTROL "CurrentControlSet\\Control\\"

struct made {
	struct reg_tree tree, scratch;
	struct remarks remarks;
	struct plan_made plan;
};

static inline void case_start(struct reg_tree *t)
{
	struct reg_key *k;

	assert_int_equal(tree_start(t), 0);
	assert_int_equal(tree_make(t, "Select", 6, &k), 0);
	assert_int_equal(tree_set_dword(t, k, "Current", 1), 0);
	assert_int_equal(
		tree_make(t, CONTROL "Session Manager", strlen(CONTROL "Session Manager"), &k), 0);
}

static inline size_t case_hex(const char *s, uint8_t *to)
{
	size_t n = 0;
	unsigned byte;

	for (; s[0] && s[1]; s += 2, n++) {
		assert_int_equal(sscanf(s, "%2x", &byte), 1);
		to[n] = (uint8_t)byte;
	}
	return n;
}

static inline void case_list(struct reg_tree *t, struct reg_key *k, const char *name,
			     const char *text)
{
	const char *list[80];
	char *copy = arena_copy(&t->arena, text, strlen(text));
	size_t count = 0;

	for (char *end; *text && copy; copy = end) {
		assert_true(count < 80);
		list[count++] = copy;
		end = strchr(copy, '|');
		if (end)
			*end++ = '\0';
	}
	assert_int_equal(tree_set_list(t, k, name, list, count), 0);
}

static inline void case_set(struct reg_tree *t, struct reg_key *k, const char *name,
			    const char *what)
{
	static uint8_t bytes[65536];
	struct reg_data d = {.bytes = bytes};
	const char *data = strchr(what, ':') + 1;

	switch (what[0]) {
	case 'S':
		assert_int_equal(tree_set_text(t, k, name, REG_SZ, data), 0);
		return;
	case 'X':
		assert_int_equal(tree_set_text(t, k, name, REG_EXPAND_SZ, data), 0);
		return;
	case 'D':
		assert_int_equal(tree_set_dword(t, k, name, (uint32_t)strtoul(data, NULL, 0)), 0);
		return;
	case 'M':
		case_list(t, k, name, data);
		return;
	default:
		d.type = what[0] == 'B'   ? REG_BINARY
			 : what[0] == 'Q' ? REG_QWORD
					  : (uint32_t)strtoul(what + 1, NULL, 0);
		d.n = case_hex(data, bytes);
		assert_int_equal(tree_set(t, k, name, strlen(name), &d), 0);
	}
}

/* Set one value below Control. */
static inline void case_value(struct reg_tree *t, const char *key, const char *name,
			      const char *what)
{
	char path[256];
	struct reg_key *k;

	snprintf(path, sizeof(path), CONTROL "%s", key);
	assert_int_equal(tree_make(t, path, strlen(path), &k), 0);
	case_set(t, k, name, what);
}

static inline void case_plan(struct made *m)
{
	struct plan_source from = {.tree = &m->tree, .set = 1, .hive_path = "/etc/smss/SYSTEM"};

	assert_int_equal(tree_start(&m->scratch), 0);
	m->remarks = (struct remarks){.arena = &m->scratch.arena};
	assert_int_equal(plan_make(&from, &m->remarks, &m->plan), 0);
	assert_int_equal(plan_check(m->plan.plan, m->plan.plan_n, PLAN_MAGIC, NULL), 0);
	assert_int_equal(plan_check(m->plan.queue, m->plan.queue_n, QUEUE_MAGIC, NULL), 0);
}

static inline void case_end(struct made *m)
{
	plan_made_free(&m->plan);
	tree_free(&m->tree);
	tree_free(&m->scratch);
}

/* A remark of that kind whose path ends so; NULL when there is none. */
static inline const char *case_remark(const struct made *m, unsigned kind, const char *ending)
{
	for (size_t i = 0; i < m->remarks.count; i++) {
		const struct remark *r = &m->remarks.at[i];
		size_t n = strlen(r->path), e = strlen(ending);

		if (r->kind == kind && n >= e && strcmp(r->path + n - e, ending) == 0)
			return r->text;
	}
	return NULL;
}
