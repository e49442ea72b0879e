/* SPDX-License-Identifier: MIT */
/*
 * add_data.c - the value that `smreg add` was asked for, from words of a command line
 *
 * The value is made in a tree of its own, which the writer of .reg text knows how to say: there is
 * one grammar and one set of checks. Each way not to fit has its own sentence.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "registry/reg_text.h"
#include "registry/show.h"
#include "registry/verbs.h"

static const uint32_t types[] = {REG_SZ,    REG_EXPAND_SZ, REG_MULTI_SZ,
				 REG_DWORD, REG_QWORD,     REG_BINARY};

static int no_type(const char *word)
{
	fputs("smreg: --type ", stderr);
	show_escaped(stderr, word, strlen(word));
	fputs(": no such type; there are", stderr);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		fprintf(stderr, "%s %s", i ? "," : "", reg_type_word(types[i]));
	fputc('\n', stderr);
	return -EINVAL;
}

static int unfit(const struct options *o, uint32_t type, const char *wanted)
{
	fputs("smreg: --data ", stderr);
	show_escaped(stderr, o->data, strlen(o->data));
	fprintf(stderr, ": a %s is %s\n", reg_type_word(type), wanted);
	return -EINVAL;
}

static int set_number(struct reg_tree *t, const struct options *o, uint32_t type)
{
	uint64_t number, most = type == REG_DWORD ? UINT32_MAX : UINT64_MAX;
	struct reg_data d = {.type = type, .bytes = &number, .n = type == REG_DWORD ? 4 : 8};

	if (str_u64(o->data, strlen(o->data), &number) < 0 || number > most)
		return unfit(o, type,
			     type == REG_DWORD ? "a number from 0 to 4294967295, or 0x and hex"
					       : "a number of 64 bits, or 0x and hex");
	return tree_set(t, t->root, o->value, strlen(o->value), &d); /* little-endian, as we are */
}

/* Pairs of hexadecimal digits; blanks and commas may part them. */
static int set_binary(struct reg_tree *t, const struct options *o)
{
	struct reg_data d = {.type = REG_BINARY};
	uint8_t *bytes = arena_take(&t->arena, strlen(o->data) / 2 + 1);

	if (!bytes)
		return -ENOMEM;
	for (const char *s = o->data; *s;) {
		uint64_t byte;
		char pair[5] = {'0', 'x', s[0], s[1], '\0'};

		if (*s == ' ' || *s == ',') {
			s++;
			continue;
		}
		if (!s[1] || str_u64(pair, 4, &byte) < 0)
			return unfit(o, REG_BINARY, "pairs of hexadecimal digits, as in 0aff");
		bytes[d.n++] = (uint8_t)byte;
		s += 2;
	}
	d.bytes = bytes;
	return tree_set(t, t->root, o->value, strlen(o->value), &d);
}

/* \0 parts the strings, and every piece is one, empty ones too; no data at all is no string. */
static int set_pieces(struct reg_tree *t, const struct options *o)
{
	static const char *list[DATA_MAX];
	char *at = arena_copy(&t->arena, o->data, strlen(o->data));
	size_t count = 0;

	if (!at)
		return -ENOMEM;
	while (*o->data) {
		char *end = strstr(at, "\\0");

		if (count == DATA_MAX)
			return unfit(o, REG_MULTI_SZ, "a list of at most 4096 strings");
		list[count++] = at;
		if (!end)
			break;
		*end = '\0';
		at = end + 2;
	}
	return tree_set_list(t, t->root, o->value, list, count);
}

/* Said once, the strings are parted; said several times, each is one string as it stands. */
static int set_list(struct reg_tree *t, const struct options *o)
{
	return o->data_count > 1 ? tree_set_list(t, t->root, o->value, o->datas, o->data_count)
				 : set_pieces(t, o);
}

static int set(struct reg_tree *t, const struct options *o, uint32_t type)
{
	switch (type) {
	case REG_MULTI_SZ:
		return set_list(t, o);
	case REG_DWORD:
	case REG_QWORD:
		return set_number(t, o, type);
	case REG_BINARY:
		return set_binary(t, o);
	default:
		return tree_set_text(t, t->root, o->value, type, o->data);
	}
}

int add_data(const struct options *o, struct reg_buffer *b)
{
	_cleanup_(tree_freep) struct reg_tree t = {0};
	const char *word = o->type ? o->type : "REG_SZ";
	size_t i = 0;
	int e;

	if (!o->value && !o->type && !o->data)
		return 0;
	while (i < ARRAY_SIZE(types) && !str_same_fold(reg_type_word(types[i]), word))
		i++;
	if (i == ARRAY_SIZE(types))
		return no_type(word);
	if (!o->value || !o->data) {
		fputs(o->value ? "smreg: --data is missing; it may be empty: --data ''\n"
			       : "smreg: --value is missing: whose type or data? (the key's "
				 "default value is --value '')\n",
		      stderr);
		return -EINVAL;
	}
	if (o->data_count > 1 && types[i] != REG_MULTI_SZ) {
		fprintf(stderr,
			"smreg add: --data stands %u times; only a REG_MULTI_SZ is a list of "
			"strings\n",
			o->data_count);
		return -EINVAL;
	}
	e = tree_start(&t);
	if (e == 0)
		e = set(&t, o, types[i]);
	if (e == 0)
		reg_text_add_value(b, t.root, &t.root->values[0], false);
	return e;
}
