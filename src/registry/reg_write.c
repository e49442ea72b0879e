/* SPDX-License-Identifier: MIT */
/*
 * reg_write.c - writing .reg text that reads back to the same bytes; see reg_text.h
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

void reg_text_add_key(struct reg_buffer *b, const struct reg_key *k)
{
	add(b, "\n[");
	add_path(b, k);
	add(b, "]\n");
}

/* A string that quotes can say exactly: one NUL, at the end, and nothing a line cannot hold. */
static bool quotable(const struct reg_value *v, char *text, size_t *ret_n)
{
	bool odd = false;
	size_t units = v->bytes / 2;

	if (v->type != REG_SZ || v->bytes % 2 || units == 0 || v->data[v->bytes - 1] ||
	    v->data[v->bytes - 2])
		return false;
	*ret_n = utf16_to_utf8(v->data, units - 1, text, &odd);
	for (size_t i = 0; i < *ret_n; i++)
		if (text[i] == '\0' || text[i] == '\n' || text[i] == '\r')
			return false;
	return !odd;
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

void reg_text_add_value(struct reg_buffer *b, const struct reg_value *v)
{
	size_t start = b->len, n = 0;
	char *text = malloc(3 * (size_t)v->bytes / 2 + 4);
	char part[24];
	uint32_t number;

	if (!text) {
		b->failed = true;
		return;
	}
	if (v->name_bytes)
		add_quoted(b, v->name, v->name_bytes);
	else
		add(b, "@");
	add(b, "=");
	if (quotable(v, text, &n)) {
		add_quoted(b, text, n);
	} else if (value_dword(v, &number)) {
		snprintf(part, sizeof(part), "dword:%08x", number);
		add(b, part);
	} else {
		add_hex(b, v, b->len - start);
	}
	add(b, "\n");
	free(text);
}

void reg_text_add_tree(struct reg_buffer *b, const struct reg_key *k)
{
	reg_text_add_key(b, k);
	for (uint32_t i = 0; i < k->value_count; i++)
		reg_text_add_value(b, &k->values[i]);
	for (uint32_t i = 0; i < k->child_count; i++)
		reg_text_add_tree(b, k->children[i]);
}
