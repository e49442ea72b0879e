/* SPDX-License-Identifier: MIT */
/*
 * reg_scan.c - characters, words and data of .reg text; see reg_scan.h
 */
#include "registry/reg_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/utf.h"

static unsigned column_at(const struct reader *r, size_t at)
{
	unsigned column = 1;
	uint32_t c;

	for (size_t i = r->line_start; i < at && i < r->n; column++)
		i += utf8_next(r->s + i, r->n - i, &c);
	return column;
}

__attribute__((format(printf, 3, 4))) int reg_bad(struct reader *r, size_t at, const char *form,
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

char reg_peek(const struct reader *r)
{
	return r->at < r->n ? r->s[r->at] : '\0';
}

bool reg_line_ends(const struct reader *r)
{
	return r->at >= r->n || r->s[r->at] == '\n' ||
	       (r->s[r->at] == '\r' && r->at + 1 < r->n && r->s[r->at + 1] == '\n');
}

void reg_skip_blanks(struct reader *r)
{
	while (r->at < r->n && (r->s[r->at] == ' ' || r->s[r->at] == '\t'))
		r->at++;
}

void reg_next_line(struct reader *r)
{
	while (r->at < r->n && r->s[r->at] != '\n')
		r->at++;
	if (r->at < r->n)
		r->at++;
	r->line++;
	r->line_start = r->at;
}

/* The end of a line: blanks and a comment may stand there. */
int reg_expect_end(struct reader *r, const char *after)
{
	reg_skip_blanks(r);
	if (reg_line_ends(r) || reg_peek(r) == ';')
		return 0;
	return reg_bad(r, r->at, "unexpected text after %s; remove it or begin it with ;", after);
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

/* The character behind a backslash, or -1. */
static int unescaped(char c, bool more)
{
	static const char known[] = "0nrt", meant[] = "\0\n\r\t";
	const char *at = c && more ? strchr(known, c) : NULL;

	if (c == '\\' || c == '"')
		return c;
	return at ? meant[at - known] : -1;
}

/* "..." with \\ and \" inside; the text comes to r->text. */
int reg_quoted(struct reader *r, const char *what, bool more)
{
	size_t start = r->at++;

	r->text_n = 0;
	for (;;) {
		char c;

		if (reg_line_ends(r))
			return reg_bad(
				r, start,
				"%s has no closing quote on its line; write a line break inside a "
				"value as hex(1): or str(1):\"...\\n...\"",
				what);
		c = r->s[r->at++];
		if (c == '"')
			return 0;
		if (c == '\0')
			return reg_bad(r, r->at - 1,
				       "%s holds a NUL byte; write the value as hex(1):", what);
		if (c == '\\') {
			int meant = unescaped(reg_peek(r), more);

			if (meant < 0)
				return reg_bad(
					r, r->at - 1,
					more ? "in %s there are only \\\\ \\\" \\0 \\n \\r \\t"
					     : "in %s a backslash is written \\\\ and a quote "
					       "\\\"",
					what);
			c = (char)meant;
			r->at++;
		}
		if (add_char(r, c) < 0)
			return r->failed;
	}
}

/* Nothing but blanks and empty lines follows: the file was cut off here. */
static bool file_ends(const struct reader *r)
{
	size_t at = r->at;

	while (at < r->n && strchr(" \t\r\n", r->s[at]) && r->s[at])
		at++;
	return at >= r->n;
}

/* Continues a hex value on the next line, when a backslash ends this one: 1, else 0 or an error. */
static int continue_line(struct reader *r)
{
	size_t slash = r->at;

	if (reg_peek(r) != '\\')
		return 0;
	r->at++;
	reg_skip_blanks(r);
	if (!reg_line_ends(r))
		return reg_bad(r, slash,
			       "a backslash in hex data must be the last thing on its line");
	if (file_ends(r))
		return reg_bad(r, slash, "the file ends where the backslash promises another line");
	reg_next_line(r);
	reg_skip_blanks(r);
	if (reg_line_ends(r))
		return reg_bad(r, r->at,
			       "an empty line within hex data: the backslash above promises more");
	return 1;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One pair of digits and what parts it from the next; 1 when more follow. */
static int hex_pair(struct reader *r)
{
	int high = hex_digit(reg_peek(r)), low = -1, more;
	size_t comma;

	if (high >= 0 && r->at + 1 < r->n)
		low = hex_digit(r->s[r->at + 1]);
	if (high < 0 || low < 0)
		return reg_bad(r, r->at, "expected two hexadecimal digits, as in 0a,ff");
	r->at += 2;
	if (add_byte(r, (uint8_t)(high << 4 | low)) < 0)
		return r->failed;
	reg_skip_blanks(r);
	if (reg_peek(r) == '\\')
		return reg_bad(r, r->at, "a comma is missing before the backslash");
	if (reg_peek(r) != ',')
		return 0;
	comma = r->at++;
	if (file_ends(r))
		return reg_bad(r, comma, "the file ends behind a comma: it was cut");
	reg_skip_blanks(r);
	while ((more = continue_line(r)) > 0)
		;
	if (more < 0)
		return more;
	if (reg_line_ends(r) || reg_peek(r) == ';')
		return reg_bad(r, comma,
			       "the data ends behind a comma; add the rest, with a \\ before a "
			       "line break, or remove the comma");
	return 1;
}

static int hex_bytes(struct reader *r)
{
	int more;

	r->data_n = 0;
	reg_skip_blanks(r);
	while ((more = continue_line(r)) > 0)
		;
	if (more == 0 && !reg_line_ends(r) && reg_peek(r) != ';')
		while ((more = hex_pair(r)) > 0)
			;
	return more < 0 ? more : reg_expect_end(r, "the hex data");
}

bool reg_word(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->n - r->at < n || !utf8_same_fold(r->s + r->at, n, word, n))
		return false;
	r->at += n;
	return true;
}

int reg_string_data(struct reader *r, bool more)
{
	int e = reg_quoted(r, "the string", more);

	if (e == 0)
		e = reg_expect_end(r, "the string");
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

int reg_dword_data(struct reader *r)
{
	uint32_t v = 0;
	unsigned digits = 0;
	size_t start;

	reg_skip_blanks(r);
	start = r->at;
	for (; hex_digit(reg_peek(r)) >= 0; digits++, r->at++)
		v = v << 4 | (uint32_t)hex_digit(reg_peek(r));
	if (digits < 1 || digits > 8)
		return reg_bad(r, start,
			       "dword: takes 1 to 8 hexadecimal digits, as in dword:0000003c");
	r->data_n = 0;
	for (unsigned i = 0; i < 4; i++)
		if (add_byte(r, (uint8_t)(v >> 8 * i)) < 0)
			return r->failed;
	return reg_expect_end(r, "the number");
}

/* "(7):" - the type's number is hexadecimal. */
static int type_number(struct reader *r, uint32_t *ret)
{
	uint64_t type = 0;
	unsigned digits = 0;
	size_t start = r->at++;

	for (; hex_digit(reg_peek(r)) >= 0 && digits < 9; digits++, r->at++)
		type = type << 4 | (uint64_t)hex_digit(reg_peek(r));
	if (digits < 1 || digits > 8 || !reg_word(r, "):"))
		return reg_bad(r, start,
			       "expected a type as in hex(7): with 1 to 8 hexadecimal digits");
	*ret = (uint32_t)type;
	return 0;
}

int reg_hex_data(struct reader *r, uint32_t *ret_type)
{
	int e;

	if (reg_peek(r) == ':') {
		r->at++;
		*ret_type = REG_BINARY;
		return hex_bytes(r);
	}
	e = type_number(r, ret_type);
	return e < 0 ? e : hex_bytes(r);
}

int reg_text_data(struct reader *r, uint32_t *ret_type)
{
	int e = type_number(r, ret_type);

	if (e < 0)
		return e;
	reg_skip_blanks(r);
	if (reg_peek(r) != '"')
		return reg_bad(r, r->at, "expected a string in quotes, as in str(7):\"a\\0b\\0\"");
	return reg_string_data(r, true);
}
