/* SPDX-License-Identifier: MIT */
/*
 * smctl_case.h - a case of smctl: the real program against a session manager made of tables
 *
 * What the tests of smctl share. Only for tests.
 */
#pragma once

#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "smctl_master.h"

static const char *smctl_path;
static struct ran ran;

/* Runs smctl with these words against f; the words are one line, split at blanks. */
static inline void smctl(struct fake *f, const char *line)
{
	char copy[256], *at = copy, *word;
	const char *words[24] = {"smctl", "--socket", f->path};
	unsigned n = 3;

	(void)snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&at, " ")) && n < 23)
		words[n++] = word;
	run(smctl_path, words, &ran);
}

/* The value at a JSON pointer ("/sessions/0/state") as text; "(missing)" when there is none. */
static inline const char *json_at(const char *pointer)
{
	static char value[512];
	json_object *root = json_tokener_parse(ran.out), *found = NULL;

	if (!root)
		fail_msg("no JSON: %s%s", ran.out, ran.err);
	if (json_pointer_get(root, pointer, &found) < 0)
		(void)snprintf(value, sizeof(value), "(missing)");
	else
		(void)snprintf(value, sizeof(value), "%s",
			       found ? json_object_get_string(found) : "null");
	(void)json_object_put(root);
	return value;
}

static inline void wanted(const char *in, const char *piece)
{
	if (!strstr(in, piece))
		fail_msg("\"%s\" is not in:\n%s", piece, in);
}

static inline int setup(void **state)
{
	*state = fake_new();
	return 0;
}

static inline int teardown(void **state)
{
	fake_stop(*state);
	return 0;
}
