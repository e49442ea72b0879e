/* SPDX-License-Identifier: MIT */
/*
 * reg_text.c - reading .reg files; see reg_text.h
 *
 * One pass over UTF-8 (UTF-16LE is converted first). After an error the rest of the line, with its
 * continuations, is passed over and the next one is read, so that a file's errors are named
 * together.
 */
#include "registry/reg_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/hive.h"
#include "registry/reg_scan.h"
#include "registry/utf.h"

/* The last line counts, and that a value's name is written otherwise hides the first one. */
static void note_twice(struct reader *r, const char *name, size_t n, const struct reg_data *d)
{
	const struct reg_value *v = key_value(r->key, name, n);
	struct reg_error *e = &r->errors->twice;
	struct text t;

	if (!v || !r->t->file || !v->origin || ORIGIN_FILE(v->origin) != r->t->file ||
	    (v->type == d->type && v->bytes == d->n && memcmp(v->data, d->bytes, d->n) == 0) ||
	    r->errors->twice_count++)
		return;
	e->line = r->value_line;
	e->column = 1;
	t = TEXT_ON(e->text);
	text_add(&t, n ? "the value \"" : "the key's default value");
	text_escaped(&t, name, n < 64 ? n : 64);
	text_add(text_add(&t, n > 64 ? "..." : ""),
		 n ? "\" was set in line " : " was set in line ");
	text_add(text_u64(&t, ORIGIN_LINE(v->origin)), " already; this line counts");
}

static int set_value(struct reader *r, const char *name, size_t name_n, uint32_t type)
{
	struct reg_data d = {.type = type,
			     .bytes = r->data,
			     .n = r->data_n,
			     .origin = ORIGIN(r->t->file, r->value_line)};

	if (r->data_n > r->rules.data_max)
		return reg_bad(r, r->line_start,
			       "%zu bytes of data; a hive written here takes at most %u a value",
			       r->data_n, r->rules.data_max);
	if (!r->key)
		return 0;
	note_twice(r, name, name_n, &d);
	r->failed = tree_set(r->t, r->key, name, name_n, &d);
	return r->failed;
}

static int value_data(struct reader *r, const char *name, size_t name_n)
{
	uint32_t type = REG_DWORD;
	size_t start = r->at;
	int e;

	if (reg_peek(r) == '-') {
		r->at++;
		e = reg_expect_end(r, "the -");
		if (e == 0 && r->key)
			tree_drop_value(r->t, r->key, name, name_n);
		return e;
	}
	if (reg_peek(r) == '"') {
		type = REG_SZ;
		e = reg_string_data(r, false);
	} else if (reg_word(r, "dword:")) {
		e = reg_dword_data(r);
	} else if (reg_word(r, "hex") && (reg_peek(r) == ':' || reg_peek(r) == '(')) {
		e = reg_hex_data(r, &type);
	} else if (reg_word(r, "str") && reg_peek(r) == '(') {
		e = reg_text_data(r, &type);
	} else {
		return reg_bad(
			r, start,
			"expected \"string\", dword:, hex:, hex(N):, str(N): or - after the =");
	}
	return e < 0 ? e : set_value(r, name, name_n, type);
}

static size_t characters(const char *s, size_t n)
{
	size_t count = 0;
	uint32_t c;

	for (size_t i = 0; i < n; count++)
		i += utf8_next(s + i, n - i, &c);
	return count;
}

static int value_line(struct reader *r)
{
	char *name;
	size_t n = 0, start = r->at;
	int e = 0;

	r->value_line = r->line;
	if (!r->seen_key)
		return reg_bad(r, start, "a value before the first [key]");
	if (reg_peek(r) == '@') {
		r->at++;
		name = strdup("");
	} else {
		e = reg_quoted(r, "the value's name", false);
		if (e < 0)
			return e;
		n = r->text_n;
		if (n && memchr(r->text, '\r', n))
			return reg_bad(r, start, "a value's name holds a carriage return");
		if (characters(r->text, n) > REG_VALUE_NAME_MAX)
			return reg_bad(r, start, "a value's name has at most %u characters",
				       REG_VALUE_NAME_MAX);
		name = malloc(n + 1);
		if (name && n)
			memcpy(name, r->text, n);
		if (name)
			name[n] = '\0';
	}
	if (!name)
		return r->failed = -ENOMEM;
	reg_skip_blanks(r);
	if (reg_peek(r) != '=')
		e = reg_bad(r, r->at, "expected = after the value's name");
	if (e == 0) {
		r->at++;
		reg_skip_blanks(r);
		e = value_data(r, name, n);
	}
	free(name);
	return e;
}

/* Checks the names of a path; *ret_at is where the path below SYSTEM begins. */
static int key_names(struct reader *r, size_t from, size_t to)
{
	size_t start = from;
	unsigned depth = 0;

	for (size_t i = from; i <= to; i++) {
		size_t count;

		if (i < to && r->s[i] != '\\')
			continue;
		count = characters(r->s + start, i - start);
		for (size_t k = start; k < i; k++)
			if (!r->s[k] || r->s[k] == '\r')
				return reg_bad(r, k,
					       "a key's name holds a NUL or a carriage return");
		if (i > start && count > REG_KEY_NAME_MAX)
			return reg_bad(r, start, "a key's name has at most %u characters",
				       REG_KEY_NAME_MAX);
		if (i == start && i < to && i > from)
			return reg_bad(r, start, "an empty key name between two backslashes");
		if (++depth > REG_DEPTH_MAX)
			return reg_bad(r, start, "keys lie at most %u levels deep", REG_DEPTH_MAX);
		start = i + 1;
	}
	return 0;
}

static int root_of(struct reader *r, size_t end, size_t *ret_from)
{
	static const char *const roots[] = {"HKEY_LOCAL_MACHINE\\SYSTEM", "HKLM\\SYSTEM"};

	for (unsigned i = 0; i < 2; i++) {
		size_t n = strlen(roots[i]), at = r->at + n;

		if (at > end || !utf8_same_fold(r->s + r->at, n, roots[i], n))
			continue;
		if (at < end && r->s[at] != '\\')
			continue;
		*ret_from = at < end ? at + 1 : at;
		return 0;
	}
	return reg_bad(r, r->at, "only keys below HKEY_LOCAL_MACHINE\\SYSTEM lie in this hive");
}

/* The ] that ends the key: the first one with nothing or a comment behind it. 0: none does. */
static size_t closing(const struct reader *r)
{
	for (size_t i = r->at; i < r->n && r->s[i] != '\n'; i++) {
		struct reader behind = *r;

		if (r->s[i] != ']')
			continue;
		behind.at = i + 1;
		reg_skip_blanks(&behind);
		if (reg_line_ends(&behind) || reg_peek(&behind) == ';')
			return i;
	}
	return 0;
}

static bool within(const struct reader *r, const struct reg_key *k)
{
	const struct reg_key *top;

	if (!r->rules.below)
		return true;
	top = tree_find(r->t, r->rules.below, strlen(r->rules.below));
	while (top && k && k != top)
		k = k->parent;
	return top && k;
}

/* [key] or [-key], its path from `from` to `to`. */
static int enter_key(struct reader *r, size_t from, size_t to, bool drop)
{
	struct reg_key *k = NULL;
	int e;

	if (drop && !r->rules.below) {
		k = tree_find(r->t, r->s + from, to - from);
		if (k)
			tree_drop_key(r->t, k);
		return 0;
	}
	e = tree_make(r->t, r->s + from, to - from, &k);
	if (e == -ENOKEY)
		return reg_bad(r, from,
			       "CurrentControlSet: the hive has no Select\\Current; name "
			       "ControlSet001, or set [HKEY_LOCAL_MACHINE\\SYSTEM\\Select] first");
	if (e < 0)
		return r->failed = e;
	if (!within(r, k))
		return reg_bad(r, from, "this key does not lie in the key that is being edited");
	if (drop)
		tree_drop_key(r->t, k);
	else
		r->key = k;
	k->named |= !drop;
	return 0;
}

static int key_line(struct reader *r)
{
	size_t from = 0, close;
	bool drop;
	int e;

	r->at++;
	r->key = NULL;
	r->seen_key = true;
	drop = reg_peek(r) == '-';
	r->at += drop;
	close = closing(r);
	if (!close)
		return reg_bad(r, r->at, "the key has no closing ], or something stands behind it");
	e = root_of(r, close, &from);
	if (e == 0)
		e = key_names(r, from, close);
	if (e == 0)
		e = enter_key(r, from, close, drop);
	if (e < 0)
		return e;
	r->at = close + 1;
	return reg_expect_end(r, "the key");
}

static int header(struct reader *r)
{
	while (r->at < r->n) { /* blank lines and comments may stand before it */
		reg_skip_blanks(r);
		if (!reg_line_ends(r) && reg_peek(r) != ';')
			break;
		reg_next_line(r);
	}
	if (reg_word(r, "Windows Registry Editor Version 5.00"))
		return reg_expect_end(r, "the header");
	if (reg_word(r, "REGEDIT4"))
		return reg_bad(r, r->line_start,
			       "a version 4 file (REGEDIT4); export it again as version 5");
	return reg_bad(r, r->at, "the first line must be: Windows Registry Editor Version 5.00");
}

static void read_lines(struct reader *r)
{
	if (header(r) < 0)
		return;
	reg_next_line(r);
	while (r->at < r->n && !r->failed && r->errors->count < REG_ERRORS_MAX) {
		r->line_bad = false;
		reg_skip_blanks(r);
		if (reg_peek(r) == '[')
			(void)key_line(r);
		else if (reg_peek(r) == '"' || reg_peek(r) == '@')
			(void)value_line(r);
		else if (!reg_line_ends(r) && reg_peek(r) != ';')
			(void)reg_bad(r, r->at, "expected [key], \"name\"=, @= or a ; comment");
		while (r->line_bad && r->at < r->n) { /* pass over a bad value's continuations */
			size_t end = r->at;

			while (end < r->n && r->s[end] != '\n')
				end++;
			size_t last = end;

			while (last > r->line_start && strchr(" \t\r", r->s[last - 1]))
				last--;
			if (last == r->line_start || r->s[last - 1] != '\\' || end >= r->n)
				break;
			reg_next_line(r);
		}
		reg_next_line(r);
	}
}

int reg_text_read_by(const char *bytes, size_t n, const struct reg_rules *rules, struct reg_tree *t,
		     struct reg_errors *ret_errors)
{
	struct reader r = {.t = t, .rules = *rules, .errors = ret_errors};
	char *converted = NULL;

	ret_errors->count = ret_errors->twice_count = 0;
	if (n > REG_TEXT_BYTES_MAX)
		return -E2BIG;
	if (reg_decode(&r, bytes, n, &converted) == 0)
		read_lines(&r);
	free(converted);
	free(r.data);
	free(r.text);
	return r.failed ? r.failed : ret_errors->count ? -EINVAL : 0;
}

int reg_text_read(const char *bytes, size_t n, struct reg_tree *t, struct reg_errors *ret_errors)
{
	static const struct reg_rules plain = {.data_max = HIVE_WRITE_VALUE_MAX};

	return reg_text_read_by(bytes, n, &plain, t, ret_errors);
}
