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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/hive.h"
#include "registry/utf.h"

struct reader {
	const char *s;
	size_t n, at;
	size_t line_start;
	unsigned line;
	bool line_bad; /* an error was named on this line */
	struct reg_tree *t;
	struct reg_key *key; /* of the last [key]; NULL before one, or when it is being deleted */
	bool seen_key;
	struct reg_errors *errors;
	uint8_t *data; /* decoded bytes of one value */
	size_t data_n, data_cap;
	char *text; /* a decoded name or string */
	size_t text_n, text_cap;
	int failed; /* -E2BIG, -ENOMEM */
};

static unsigned column_at(const struct reader *r, size_t at)
{
	unsigned column = 1;
	uint32_t c;

	for (size_t i = r->line_start; i < at && i < r->n; column++)
		i += utf8_next(r->s + i, r->n - i, &c);
	return column;
}

__attribute__((format(printf, 3, 4))) static int bad(struct reader *r, size_t at, const char *form,
						     ...)
{
	struct reg_error *e;
	va_list list;

	r->line_bad = true;
	if (r->errors->count >= REG_ERRORS_MAX)
		return -EINVAL;
	e = &r->errors->at[r->errors->count++];
	e->line = r->line;
	e->column = column_at(r, at);
	va_start(list, form);
	vsnprintf(e->text, sizeof(e->text), form, list);
	va_end(list);
	return -EINVAL;
}

static char peek(const struct reader *r)
{
	return r->at < r->n ? r->s[r->at] : '\0';
}

static bool at_end_of_line(const struct reader *r)
{
	return r->at >= r->n || r->s[r->at] == '\n' ||
	       (r->s[r->at] == '\r' && r->at + 1 < r->n && r->s[r->at + 1] == '\n');
}

static void skip_blanks(struct reader *r)
{
	while (r->at < r->n && (r->s[r->at] == ' ' || r->s[r->at] == '\t'))
		r->at++;
}

static void next_line(struct reader *r)
{
	while (r->at < r->n && r->s[r->at] != '\n')
		r->at++;
	if (r->at < r->n)
		r->at++;
	r->line++;
	r->line_start = r->at;
}

/* The end of a line: blanks and a comment may stand there. */
static int expect_end(struct reader *r, const char *after)
{
	skip_blanks(r);
	if (at_end_of_line(r) || peek(r) == ';')
		return 0;
	return bad(r, r->at, "unexpected text after %s; remove it or begin it with ;", after);
}

static int add_byte(struct reader *r, uint8_t byte)
{
	if (r->data_n == r->data_cap) {
		size_t cap = r->data_cap ? r->data_cap * 2 : 256;
		uint8_t *more = realloc(r->data, cap);

		if (!more)
			return r->failed = -ENOMEM;
		r->data = more;
		r->data_cap = cap;
	}
	r->data[r->data_n++] = byte;
	return 0;
}

static int add_char(struct reader *r, char c)
{
	if (r->text_n == r->text_cap) {
		size_t cap = r->text_cap ? r->text_cap * 2 : 256;
		char *more = realloc(r->text, cap);

		if (!more)
			return r->failed = -ENOMEM;
		r->text = more;
		r->text_cap = cap;
	}
	r->text[r->text_n++] = c;
	return 0;
}

/* "..." with \\ and \" inside; the text comes to r->text. */
static int quoted(struct reader *r, const char *what)
{
	size_t start = r->at++;

	r->text_n = 0;
	for (;;) {
		char c;

		if (at_end_of_line(r))
			return bad(
				r, start,
				"%s has no closing quote on its line; write a line break inside a "
				"value as hex(1):",
				what);
		c = r->s[r->at++];
		if (c == '"')
			return 0;
		if (c == '\\') {
			c = peek(r);
			if (c != '\\' && c != '"')
				return bad(r, r->at - 1,
					   "in %s a backslash is written \\\\ and a quote \\\"",
					   what);
			r->at++;
		}
		if (c == '\0')
			return bad(r, r->at - 1,
				   "%s holds a NUL byte; write the value as hex(1):", what);
		if (add_char(r, c) < 0)
			return r->failed;
	}
}

/* Continues a hex value on the next line, when a backslash ends this one. */
static int continue_line(struct reader *r)
{
	size_t slash = r->at;

	if (peek(r) != '\\')
		return 0;
	r->at++;
	skip_blanks(r);
	if (!at_end_of_line(r))
		return bad(r, slash, "a backslash in hex data must be the last thing on its line");
	if (r->at >= r->n)
		return bad(r, slash, "the file ends where the backslash promises another line");
	next_line(r);
	skip_blanks(r);
	return 1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_bytes(struct reader *r)
{
	int more;

	r->data_n = 0;
	skip_blanks(r);
	while ((more = continue_line(r)) > 0)
		;
	if (more < 0)
		return more;
	while (!at_end_of_line(r) && peek(r) != ';') {
		int high = hex_digit(peek(r)), low = -1;

		if (high >= 0 && r->at + 1 < r->n)
			low = hex_digit(r->s[r->at + 1]);
		if (high < 0 || low < 0)
			return bad(r, r->at, "expected two hexadecimal digits, as in 0a,ff");
		r->at += 2;
		if (add_byte(r, (uint8_t)(high << 4 | low)) < 0)
			return r->failed;
		skip_blanks(r);
		if (peek(r) != ',') {
			if (peek(r) == '\\')
				return bad(r, r->at, "a comma is missing before the backslash");
			break;
		}
		r->at++;
		skip_blanks(r);
		while ((more = continue_line(r)) > 0)
			;
		if (more < 0)
			return more;
	}
	return expect_end(r, "the hex data");
}

static int set_value(struct reader *r, const char *name, size_t name_n, uint32_t type)
{
	struct reg_data d = {.type = type, .bytes = r->data, .n = r->data_n};

	if (r->data_n > HIVE_WRITE_VALUE_MAX)
		return bad(r, r->line_start,
			   "%zu bytes of data; a hive written here takes at most %u a value",
			   r->data_n, HIVE_WRITE_VALUE_MAX);
	if (!r->key)
		return 0;
	r->failed = tree_set(r->t, r->key, name, name_n, &d);
	return r->failed;
}

static bool word_here(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->n - r->at < n || !utf8_same_fold(r->s + r->at, n, word, n))
		return false;
	r->at += n;
	return true;
}

static int string_data(struct reader *r)
{
	int e = quoted(r, "the string");

	if (e == 0)
		e = expect_end(r, "the string");
	r->data_n = 0;
	while (e == 0 && r->data_cap < 2 * r->text_n + 2) {
		r->data_n = r->data_cap;
		e = add_byte(r, 0);
	}
	if (e < 0)
		return e;
	r->data_n = utf8_to_utf16(r->text, r->text_n, r->data);
	r->data[r->data_n++] = 0;
	r->data[r->data_n++] = 0;
	return 0;
}

static int dword_data(struct reader *r)
{
	uint32_t v = 0;
	unsigned digits = 0;
	size_t start;

	skip_blanks(r);
	start = r->at;
	for (; hex_digit(peek(r)) >= 0; digits++, r->at++)
		v = v << 4 | (uint32_t)hex_digit(peek(r));
	if (digits < 1 || digits > 8)
		return bad(r, start,
			   "dword: takes 1 to 8 hexadecimal digits, as in dword:0000003c");
	r->data_n = 0;
	for (unsigned i = 0; i < 4; i++)
		if (add_byte(r, (uint8_t)(v >> 8 * i)) < 0)
			return r->failed;
	return expect_end(r, "the number");
}

/* hex: and hex(N): - the type's number is hexadecimal. */
static int hex_data(struct reader *r, uint32_t *ret_type)
{
	uint64_t type = 0;
	unsigned digits = 0;

	if (peek(r) == ':') {
		r->at++;
		*ret_type = REG_BINARY;
		return hex_bytes(r);
	}
	size_t start = r->at++;

	for (; hex_digit(peek(r)) >= 0 && digits < 9; digits++, r->at++)
		type = type << 4 | (uint64_t)hex_digit(peek(r));
	if (digits < 1 || digits > 8 || !word_here(r, "):"))
		return bad(r, start,
			   "expected a type as in hex(7): with 1 to 8 hexadecimal digits");
	*ret_type = (uint32_t)type;
	return hex_bytes(r);
}

static int value_data(struct reader *r, const char *name, size_t name_n)
{
	uint32_t type = REG_DWORD;
	size_t start = r->at;
	int e;

	if (peek(r) == '-') {
		r->at++;
		e = expect_end(r, "the -");
		if (e == 0 && r->key)
			tree_drop_value(r->t, r->key, name, name_n);
		return e;
	}
	if (peek(r) == '"') {
		type = REG_SZ;
		e = string_data(r);
	} else if (word_here(r, "dword:")) {
		e = dword_data(r);
	} else if (word_here(r, "hex") && (peek(r) == ':' || peek(r) == '(')) {
		e = hex_data(r, &type);
	} else {
		return bad(r, start, "expected \"string\", dword:, hex:, hex(N): or - after the =");
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

	if (!r->seen_key)
		return bad(r, start, "a value before the first [key]");
	if (peek(r) == '@') {
		r->at++;
		name = strdup("");
	} else {
		e = quoted(r, "the value's name");
		if (e < 0)
			return e;
		n = r->text_n;
		if (characters(r->text, n) > REG_VALUE_NAME_MAX)
			return bad(r, start, "a value's name has at most %u characters",
				   REG_VALUE_NAME_MAX);
		name = malloc(n + 1);
		if (name && n)
			memcpy(name, r->text, n);
		if (name)
			name[n] = '\0';
	}
	if (!name)
		return r->failed = -ENOMEM;
	skip_blanks(r);
	if (peek(r) != '=')
		e = bad(r, r->at, "expected = after the value's name");
	if (e == 0) {
		r->at++;
		skip_blanks(r);
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
		if (i > start && count > REG_KEY_NAME_MAX)
			return bad(r, start, "a key's name has at most %u characters",
				   REG_KEY_NAME_MAX);
		if (i == start && i < to && i > from)
			return bad(r, start, "an empty key name between two backslashes");
		if (++depth > REG_DEPTH_MAX)
			return bad(r, start, "keys lie at most %u levels deep", REG_DEPTH_MAX);
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
	return bad(r, r->at, "only keys below HKEY_LOCAL_MACHINE\\SYSTEM lie in this hive");
}

static int key_line(struct reader *r)
{
	size_t end, from = 0, close = 0;
	bool drop;
	int e;

	r->at++;
	r->key = NULL;
	r->seen_key = true;
	drop = peek(r) == '-';
	r->at += drop;
	for (end = r->at; end < r->n && r->s[end] != '\n'; end++)
		if (r->s[end] == ']')
			close = end;
	if (!close)
		return bad(r, r->at, "the key has no closing ]");
	e = root_of(r, close, &from);
	if (e == 0)
		e = key_names(r, from, close);
	if (e < 0)
		return e;
	if (drop) {
		struct reg_key *k = tree_find(r->t, r->s + from, close - from);

		if (k)
			tree_drop_key(r->t, k);
	} else {
		e = tree_make(r->t, r->s + from, close - from, &r->key);
		if (e == -ENOKEY)
			return bad(
				r, from,
				"CurrentControlSet: the hive has no Select\\Current; name "
				"ControlSet001, or set [HKEY_LOCAL_MACHINE\\SYSTEM\\Select] first");
		if (e < 0)
			return r->failed = e;
	}
	r->at = close + 1;
	return expect_end(r, "the key");
}

static int header(struct reader *r)
{
	while (r->at < r->n) { /* blank lines and comments may stand before it */
		skip_blanks(r);
		if (!at_end_of_line(r) && peek(r) != ';')
			break;
		next_line(r);
	}
	if (word_here(r, "Windows Registry Editor Version 5.00"))
		return expect_end(r, "the header");
	if (word_here(r, "REGEDIT4"))
		return bad(r, r->line_start,
			   "a version 4 file (REGEDIT4); export it again as version 5");
	return bad(r, r->at, "the first line must be: Windows Registry Editor Version 5.00");
}

static void read_lines(struct reader *r)
{
	if (header(r) < 0)
		return;
	next_line(r);
	while (r->at < r->n && !r->failed && r->errors->count < REG_ERRORS_MAX) {
		r->line_bad = false;
		skip_blanks(r);
		if (peek(r) == '[')
			(void)key_line(r);
		else if (peek(r) == '"' || peek(r) == '@')
			(void)value_line(r);
		else if (!at_end_of_line(r) && peek(r) != ';')
			(void)bad(r, r->at, "expected [key], \"name\"=, @= or a ; comment");
		while (r->line_bad && r->at < r->n) { /* pass over a bad value's continuations */
			size_t end = r->at;

			while (end < r->n && r->s[end] != '\n')
				end++;
			size_t last = end;

			while (last > r->line_start && strchr(" \t\r", r->s[last - 1]))
				last--;
			if (last == r->line_start || r->s[last - 1] != '\\' || end >= r->n)
				break;
			next_line(r);
		}
		next_line(r);
	}
}

int reg_text_read(const char *bytes, size_t n, struct reg_tree *t, struct reg_errors *ret_errors)
{
	struct reader r = {.s = bytes, .n = n, .line = 1, .t = t, .errors = ret_errors};
	char *converted = NULL;

	ret_errors->count = 0;
	if (n > REG_TEXT_BYTES_MAX)
		return -E2BIG;
	if (n >= 2 && (uint8_t)bytes[0] == 0xFF && (uint8_t)bytes[1] == 0xFE) {
		bool odd = false;

		converted = malloc(3 * (n / 2) + 1);
		if (!converted)
			return -ENOMEM;
		r.n = utf16_to_utf8((const uint8_t *)bytes + 2, n / 2 - 1, converted, &odd);
		r.s = converted;
	} else if (n >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0) {
		r.s += 3;
		r.n -= 3;
	}
	for (size_t i = 0; i < r.n;) { /* the place of the first byte that is no text */
		uint32_t c;
		unsigned len = utf8_next(r.s + i, r.n - i, &c);

		if (c == UTF_BAD) {
			bad(&r, i,
			    "not UTF-8 (nor UTF-16LE with a byte order mark); save it as UTF-8");
			break;
		}
		i += len;
		if (c == '\n') {
			r.line++;
			r.line_start = i;
		}
	}
	if (!ret_errors->count) {
		r.line = 1;
		r.line_start = 0;
		read_lines(&r);
	}
	free(converted);
	free(r.data);
	free(r.text);
	return r.failed ? r.failed : ret_errors->count ? -EINVAL : 0;
}
