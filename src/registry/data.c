/* SPDX-License-Identifier: MIT */
/*
 * data.c - the bytes of a value as text, list or number, and back; see tree.h
 *
 * The length is never implied by the type: odd strings, DWORDs of eight bytes and lists without
 * their second NUL exist in real hives (regf.md §2). Nothing here reads beyond v->bytes.
 */
#include <errno.h>
#include <string.h>

#include "registry/tree.h"
#include "registry/utf.h"

char *value_text(struct reg_arena *a, const struct reg_value *v, unsigned *ret_flags)
{
	size_t units = v->bytes / 2, n = 0;
	unsigned flags = v->bytes % 2 ? REG_TEXT_ODD : 0;
	bool bad = false;
	char *to;

	while (n < units && (v->data[2 * n] || v->data[2 * n + 1]))
		n++;
	for (size_t i = n; i < units; i++)
		if (v->data[2 * i] || v->data[2 * i + 1])
			flags |= REG_TEXT_JUNK;
	to = arena_take(a, 3 * n + 1);
	if (!to)
		return NULL;
	utf16_to_utf8(v->data, n, to, &bad);
	if (ret_flags)
		*ret_flags = flags | (bad ? REG_TEXT_BAD : 0);
	return to;
}

int value_list(struct reg_arena *a, const struct reg_value *v, char ***ret, size_t *ret_count,
	       unsigned *ret_flags)
{
	size_t units = v->bytes / 2, pieces = 0, count = 0, start = 0;
	bool bad = false, ended;
	char **list;

	for (size_t i = 0; i < units; i++)
		if (!v->data[2 * i] && !v->data[2 * i + 1])
			pieces++;
	ended = pieces && !v->data[2 * units - 2] && !v->data[2 * units - 1];
	if (units && !ended)
		pieces++;
	list = arena_take(a, sizeof(*list) * (pieces + 1));
	if (!list)
		return -E2BIG;
	for (size_t i = 0; count < pieces; i++) {
		char *to;

		if (i < units && (v->data[2 * i] || v->data[2 * i + 1]))
			continue;
		to = arena_take(a, 3 * (i - start) + 1);
		if (!to)
			return -E2BIG;
		utf16_to_utf8(v->data + 2 * start, i - start, to, &bad);
		list[count++] = to;
		start = i + 1;
	}
	if (ended && count && !list[count - 1][0])
		count--;
	if (ended && count == 1 && units == 2 && !list[0][0])
		count = 0; /* two NULs and nothing else: an empty list */
	*ret = list;
	*ret_count = count;
	if (ret_flags)
		*ret_flags = (v->bytes % 2 ? REG_TEXT_ODD : 0) | (bad ? REG_TEXT_BAD : 0);
	return 0;
}

bool value_dword(const struct reg_value *v, uint32_t *ret)
{
	if (v->type != REG_DWORD || v->bytes != 4)
		return false;
	memcpy(ret, v->data, 4);
	return true;
}

const char *reg_type_word(uint32_t type)
{
	static const char *const words[] = {
		"REG_NONE",
		"REG_SZ",
		"REG_EXPAND_SZ",
		"REG_BINARY",
		"REG_DWORD",
		"REG_DWORD_BIG_ENDIAN",
		"REG_LINK",
		"REG_MULTI_SZ",
		"REG_RESOURCE_LIST",
		"REG_FULL_RESOURCE_DESCRIPTOR",
		"REG_RESOURCE_REQUIREMENTS_LIST",
		"REG_QWORD",
	};

	return type < sizeof(words) / sizeof(words[0]) ? words[type] : NULL;
}

int tree_set_text(struct reg_tree *t, struct reg_key *k, const char *name, uint32_t type,
		  const char *text)
{
	size_t n = strlen(text);
	uint8_t *wide = arena_take(&t->arena, 2 * n + 2);
	struct reg_data data = {.type = type, .bytes = wide};

	if (!wide)
		return -E2BIG;
	data.n = utf8_to_utf16(text, n, wide) + 2; /* the NUL is there: arena memory is zeroed */
	return tree_set(t, k, name, strlen(name), &data);
}

int tree_set_dword(struct reg_tree *t, struct reg_key *k, const char *name, uint32_t number)
{
	struct reg_data data = {.type = REG_DWORD, .bytes = &number, .n = 4};

	return tree_set(t, k, name, strlen(name), &data);
}

int tree_set_list(struct reg_tree *t, struct reg_key *k, const char *name, const char *const *texts,
		  size_t count)
{
	struct reg_data data = {.type = REG_MULTI_SZ};
	size_t room = 2, n = 0;
	uint8_t *wide;

	for (size_t i = 0; i < count; i++)
		room += 2 * strlen(texts[i]) + 2;
	wide = arena_take(&t->arena, room);
	if (!wide)
		return -E2BIG;
	for (size_t i = 0; i < count; i++)
		n += utf8_to_utf16(texts[i], strlen(texts[i]), wide + n) + 2;
	data.bytes = wide;
	data.n = n + 2;
	return tree_set(t, k, name, strlen(name), &data);
}
