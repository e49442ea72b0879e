/* SPDX-License-Identifier: MIT */
/*
 * json.h - a scanner of JSON that works where the text lies
 *
 * Evidence is read with this and not with a library that builds a tree, because a tree of the
 * longest object that we read would take ten times the memory that the whole audit may have; a tree
 * forgets what an auditor wants to know (a name that stands twice, bytes that are no UTF-8, where
 * it is wrong); and most of every line is never looked at. Objects inside of objects become
 * fields with a parent, lists stay text until somebody walks them. Nothing here allocates but
 * record_add, and nothing calls itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "smaudit/record.h"

#define JSON_DEPTH_MAX 64u

struct json_error {
	const char *why;
	const char *at;
};

/*
 * json_read - the object at text as fields of r, below parent
 *   text, end  text[0] is '{'; *end can be written and is NUL; names and texts stay in it
 * Returns the first byte behind the object, or NULL with *ret_error (at == end: it was cut).
 */
char *json_read(struct record *r, unsigned parent, char *text, char *end,
		struct json_error *ret_error);
/* json_unescape - a string's inside, in place; its new length. What is no pair of surrogates, and
 * an escaped NUL, become U+FFFD. */
size_t json_unescape(char *text, size_t n);

struct json_list { /* where the next value may begin, and the end of all */
	char *at, *end;
};
struct json_value {
	enum field_kind kind;
	char *text; /* of a string without its quotes */
	size_t bytes;
};

/* json_list - walks a list's values; text is from [ to ]. */
struct json_list json_list(char *text, size_t bytes);
/* json_list_next - the next value; false = no more, or, with l->at NULL, it cannot be read. */
bool json_list_next(struct json_list *l, struct json_value *ret);
/* json_list_read - a value of a list that is an object, as fields below parent; false = it cannot.
 */
bool json_list_read(struct record *r, unsigned parent, struct json_value *v,
		    struct json_error *ret_error);

struct json_span { /* {0} to begin with */
	unsigned depth;
	bool in_string, escaped;
};

/*
 * json_span - how far the object reaches that the scan is in: for text that comes in pieces
 * Returns 1 and *ret_used = bytes up to its last }, 0 when all n bytes are within it, -1 when a
 * line ends within a string (*ret_used: up to there), so that it is no JSON.
 */
int json_span(struct json_span *s, const char *text, size_t n, size_t *ret_used);
