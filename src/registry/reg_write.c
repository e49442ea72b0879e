/* SPDX-License-Identifier: MIT */
/*
 * reg_write.c - writing .reg text that reads back to the same bytes; see reg_text.h
 *
 * Data of any kind can be said, if need be as hex. Names cannot: a line break, a NUL or a backslash
 * in the name of a key has no form in the format. These are left out, counted and named; never
 * changed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/hive.h"
#include "registry/reg_text.h"
#include "registry/utf.h"

#define FOLD_COLUMN 76u

void reg_buffer_add(struct reg_buffer *b, const char *s, size_t n)
{
	if (b->failed)
		return;
	if (b->len + n + 1 > b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 4096;
		char *more;

		while (cap < b->len + n + 1)
			cap *= 2;
		more = realloc(b->bytes, cap);
		if (!more) {
			b->failed = true;
			return;
		}
		b->bytes = more;
		b->cap = cap;
	}
	memcpy(b->bytes + b->len, s, n);
	b->len += n;
	b->bytes[b->len] = '\0';
}

static void add(struct reg_buffer *b, const char *s)
{
	reg_buffer_add(b, s, strlen(s));
}

static void add_quoted(struct reg_buffer *b, const char *s, size_t n)
{
	add(b, "\"");
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\\' || s[i] == '"')
			add(b, "\\");
		reg_buffer_add(b, s + i, 1);
	}
	add(b, "\"");
}

void reg_text_header(struct reg_buffer *b)
{
	add(b, "Windows Registry Editor Version 5.00\n");
}

static void add_path(struct reg_buffer *b, const struct reg_key *k)
{
	if (!k->parent) {
		add(b, "HKEY_LOCAL_MACHINE\\SYSTEM");
		return;
	}
	add_path(b, k->parent);
	add(b, "\\");
	reg_buffer_add(b, k->name, k->name_bytes);
}

static size_t characters(const char *s, size_t n)
{
	size_t count = 0;
	uint32_t c;

	for (size_t i = 0; i < n; count++)
		i += utf8_next(s + i, n - i, &c);
	return count;
}

/* Why no line can carry this text, whatever it names; NULL when one can. */
static const char *line_fault(const char *s, size_t n)
{
	if (n && memchr(s, '\0', n))
		return "a NUL in its name";
	if (n && (memchr(s, '\n', n) || memchr(s, '\r', n)))
		return "a line break in its name";
	return utf8_valid(s, n) ? NULL : "its name is no sound UTF-16";
}

const char *reg_key_name_fault(const char *s, size_t n)
{
	const char *fault = line_fault(s, n);

	if (fault)
		return fault;
	if (!n)
		return "its name is empty";
	if (memchr(s, '\\', n))
		return "a backslash in its name";
	if (characters(s, n) > REG_KEY_NAME_MAX)
		return "its name has more than 255 characters";
	for (size_t i = 0; i < n; i++) {
		size_t k = i + 1;

		if (s[i] != ']')
			continue;
		while (k < n && (s[k] == ' ' || s[k] == '\t'))
			k++;
		if (k < n && s[k] == ';')
			return "a ] and a ; in its name read as the end of the line";
	}
	return NULL;
}

static const char *value_fault(const struct reg_key *k, const struct reg_value *v)
{
	const char *fault = line_fault(v->name, v->name_bytes);

	if (fault)
		return fault;
	if (characters(v->name, v->name_bytes) > REG_VALUE_NAME_MAX)
		return "its name has more than 16383 characters";
	return key_value(k, v->name, v->name_bytes) == v
		       ? NULL
		       : "another value of that name stands beside it";
}

/* Counts what cannot be said; a comment tells where it would have stood. */
static void left_out(struct reg_buffer *b, const struct reg_key *k, const struct reg_value *v,
		     const char *fault)
{
	char room[sizeof(b->fault)];
	struct text t = TEXT_ON(room);

	key_path(&t, k);
	if (v) {
		text_add(&t, ", value \"");
		text_add(text_escaped(&t, v->name, v->name_bytes), "\"");
	}
	text_add(text_add(&t, ": "), fault);
	if (t.cut) /* the reason matters more than the whole of a long path */
		snprintf(room + sizeof(room) - 70, 70, "...: %s", fault);
	if (!b->faults++)
		memcpy(b->fault, room, sizeof(room));
	add(b, "; left out: ");
	add(b, room);
	add(b, "\n");
}

bool reg_text_add_key(struct reg_buffer *b, const struct reg_key *k, bool drop)
{
	unsigned depth = 0;

	for (const struct reg_key *up = k; up->parent; up = up->parent) {
		const char *fault = ++depth > REG_DEPTH_MAX
					    ? "it lies more than 512 levels deep"
					    : reg_key_name_fault(up->name, up->name_bytes);

		if (!fault)
			continue;
		add(b, "\n");
		left_out(b, up, NULL, fault);
		return false;
	}
	add(b, drop ? "\n[-" : "\n[");
	add_path(b, k);
	add(b, "]\n");
	return true;
}

/* A string that quotes can say: one NUL, at the end, and no control character but a tab. */
static bool quotable(const struct reg_value *v, const char *text, size_t n)
{
	if (v->type != REG_SZ)
		return false;
	for (size_t i = 0; i < n; i++)
		if (((uint8_t)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7F)
			return false;
	return true;
}

static const char *escape_of(char c)
{
	return c == '\0' ? "\\0" : c == '\n' ? "\\n" : c == '\r' ? "\\r" : c == '\t' ? "\\t" : NULL;
}

/* Printable, or one of the four that str(N): has an escape for. */
static bool readable(const char *text, size_t n)
{
	uint32_t c;

	for (size_t i = 0; i < n;) {
		size_t at = i;

		i += utf8_next(text + i, n - i, &c);
		if (!utf8_printable(c) && !escape_of(text[at]))
			return false;
	}
	return true;
}

static void add_readable(struct reg_buffer *b, uint32_t type, const char *text, size_t n)
{
	char part[24];

	snprintf(part, sizeof(part), "str(%x):\"", type);
	add(b, part);
	for (size_t i = 0; i < n; i++) {
		if (escape_of(text[i])) {
			add(b, escape_of(text[i]));
			continue;
		}
		if (text[i] == '\\' || text[i] == '"')
			add(b, "\\");
		reg_buffer_add(b, text + i, 1);
	}
	add(b, "\"");
}

static void add_hex(struct reg_buffer *b, const struct reg_value *v, size_t column)
{
	char part[24];

	if (v->type == REG_BINARY)
		snprintf(part, sizeof(part), "hex:");
	else
		snprintf(part, sizeof(part), "hex(%x):", v->type);
	add(b, part);
	column += strlen(part);
	for (uint32_t i = 0; i < v->bytes; i++) {
		bool last = i + 1 == v->bytes;

		snprintf(part, sizeof(part), last ? "%02x" : "%02x,", v->data[i]);
		add(b, part);
		column += 3;
		if (column > FOLD_COLUMN && !last) {
			add(b, "\\\n  ");
			column = 2;
		}
	}
}

static bool texts(uint32_t type)
{
	return type == REG_SZ || type == REG_EXPAND_SZ || type == REG_MULTI_SZ;
}

/* Sound UTF-16 with a NUL at its end, that a string can stand for: said and true. */
static bool add_text(struct reg_buffer *b, const struct reg_value *v)
{
	size_t units = v->bytes / 2, n;
	char *text;
	bool said = true;

	if (!texts(v->type) || v->bytes % 2 || !units || v->data[v->bytes - 1] ||
	    v->data[v->bytes - 2] || utf16_bad_unit(v->data, units) < units)
		return false;
	text = malloc(3 * units + 1);
	if (!text) {
		b->failed = true;
		return true;
	}
	n = utf16_to_utf8(v->data, units - 1, text, NULL);
	if (quotable(v, text, n))
		add_quoted(b, text, n);
	else if (b->readable && readable(text, n))
		add_readable(b, v->type, text, n);
	else
		said = false;
	free(text);
	return said;
}

void reg_text_add_value(struct reg_buffer *b, const struct reg_key *k, const struct reg_value *v,
			bool drop)
{
	const char *fault = value_fault(k, v);
	size_t start = b->len;
	char part[24];
	uint32_t number;

	if (fault) {
		left_out(b, k, v, fault);
		return;
	}
	if (v->name_bytes)
		add_quoted(b, v->name, v->name_bytes);
	else
		add(b, "@");
	add(b, "=");
	if (drop) {
		add(b, "-");
	} else if (value_dword(v, &number)) {
		snprintf(part, sizeof(part), "dword:%08x", number);
		add(b, part);
	} else if (!add_text(b, v)) {
		add_hex(b, v, b->len - start);
	}
	add(b, "\n");
}

void reg_text_add_tree(struct reg_buffer *b, const struct reg_key *k)
{
	if (!reg_text_add_key(b, k, false))
		return;
	for (uint32_t i = 0; i < k->value_count; i++)
		reg_text_add_value(b, k, &k->values[i], false);
	for (uint32_t i = 0; i < k->child_count; i++)
		reg_text_add_tree(b, k->children[i]);
}

void reg_buffer_to_utf16(struct reg_buffer *b)
{
	size_t lines = 0, n = 2, from = 0;
	uint8_t *to;

	for (size_t i = 0; i < b->len; i++)
		lines += b->bytes[i] == '\n';
	to = b->failed ? NULL : malloc(2 * (b->len + lines) + 2);
	if (!to) {
		b->failed = true;
		return;
	}
	to[0] = 0xFF;
	to[1] = 0xFE;
	for (size_t i = 0; i < b->len; i++) {
		if (b->bytes[i] != '\n')
			continue;
		n += utf8_to_utf16(b->bytes + from, i - from, to + n);
		n += utf8_to_utf16("\r\n", 2, to + n);
		from = i + 1;
	}
	n += utf8_to_utf16(b->bytes + from, b->len - from, to + n);
	free(b->bytes);
	b->bytes = (char *)to;
	b->len = b->cap = n;
}
