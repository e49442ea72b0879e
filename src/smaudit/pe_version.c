/* SPDX-License-Identifier: MIT */
/*
 * pe_version.c - the version resource of a PE image, found and read
 *
 * The resource tree has exactly three levels here (type, name, language), so a tree that points
 * into itself ends like any other; entries and bytes have limits. What the strings say is evidence
 * and proves nothing: anybody can write them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "smaudit/pe.h"

#define TYPE_VERSION    16
#define ENTRIES_MAX     1024u
#define VERSION_MAX     (64u << 10)
#define BLOCKS_MAX      512u
#define FIXED_SIGNATURE 0xfeef04bdu
#define SUBDIRECTORY    0x80000000u

/* One level of the tree: the entry of that number, else (any) the first; its offset in *ret. 1:
 * that number stands there again, and who looks for it may find either. */
static int level(const struct image_source *s, const struct pe *p, uint32_t at, int wanted,
		 uint32_t *ret)
{
	uint8_t head[16], entry[8];
	uint32_t count;
	bool found = false;
	uint64_t from;

	if (at > p->resources_bytes || p->resources_rva > UINT32_MAX - at ||
	    pe_offset(p, p->resources_rva + at, sizeof(head), &from) < 0 ||
	    source_read(s, from, head, sizeof(head)) < 0)
		return -EBADMSG;
	count = (uint32_t)get_le16(head + 12) + get_le16(head + 14);
	if (count > ENTRIES_MAX)
		count = ENTRIES_MAX;
	for (uint32_t i = 0; i < count; i++) {
		if (source_read(s, from + sizeof(head) + 8ull * i, entry, sizeof(entry)) < 0)
			return -EBADMSG;
		if (wanted >= 0 && get_le32(entry) != (uint32_t)wanted)
			continue;
		if (found)
			return 1;
		*ret = get_le32(entry + 4);
		found = true;
		if (wanted < 0)
			break;
	}
	return found ? 0 : -ENOENT;
}

/* UTF-16 of at most n units, up to a NUL, as UTF-8; what does not pair is U+FFFD. */
static void utf8_of(const uint8_t *from, size_t n, char *to, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t c = get_le16(from + 2 * i);
		uint8_t out[4];
		size_t k = 0;

		if (!c)
			break;
		if (c >= 0xd800 && c < 0xe000) {
			uint32_t low = i + 1 < n ? get_le16(from + 2 * i + 2) : 0;

			if (c < 0xdc00 && low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
				i++;
			} else {
				c = 0xfffd;
			}
		}
		if (c < 0x80) {
			out[k++] = (uint8_t)c;
		} else if (c < 0x800) {
			out[k++] = (uint8_t)(0xc0 | c >> 6);
		} else if (c < 0x10000) {
			out[k++] = (uint8_t)(0xe0 | c >> 12);
			out[k++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		} else {
			out[k++] = (uint8_t)(0xf0 | c >> 18);
			out[k++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
			out[k++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		}
		if (c >= 0x80)
			out[k++] = (uint8_t)(0x80 | (c & 0x3f));
		if (len + k >= cap)
			break;
		memcpy(to + len, out, k);
		len += k;
	}
	to[len] = 0;
}

struct block { /* one node of a version block */
	const uint8_t *value, *end;
	uint16_t value_units; /* wValueLength: bytes of a binary one, units of a text */
	bool text;
	char key[64];
};

static const uint8_t *aligned(const uint8_t *base, const uint8_t *p)
{
	return p + (4 - (size_t)(p - base) % 4) % 4;
}

/* The node at p; NULL when it does not fit. Returns where the next one begins. */
static const uint8_t *block_at(const uint8_t *base, const uint8_t *p, const uint8_t *end,
			       struct block *ret)
{
	const uint8_t *key;
	uint16_t n;

	if (end - p < 8)
		return NULL;
	n = get_le16(p);
	if (n < 8 || n > end - p)
		return NULL;
	ret->end = p + n;
	ret->value_units = get_le16(p + 2);
	ret->text = get_le16(p + 4) == 1;
	for (key = p + 6; ret->end - key >= 2 && get_le16(key); key += 2)
		;
	utf8_of(p + 6, (size_t)(key - p - 6) / 2, ret->key, sizeof(ret->key));
	key = aligned(base, key + 2 <= ret->end ? key + 2 : ret->end);
	ret->value = key < ret->end ? key : ret->end;
	p = aligned(base, ret->end);
	return p < end ? p : end;
}

static void version_text(const uint8_t *v, char *to, size_t cap)
{
	const uint16_t part[] = {get_le16(v + 2), get_le16(v), get_le16(v + 6), get_le16(v + 4)};
	size_t len = 0;

	for (unsigned i = 0; i < 4 && len + 8 < cap; i++) {
		char digits[8];
		unsigned n = 0, number = part[i];

		if (i)
			to[len++] = '.';
		do
			digits[n++] = (char)('0' + number % 10);
		while (number /= 10);
		while (n)
			to[len++] = digits[--n];
	}
	to[len] = 0;
}

static void take_string(struct pe_version *v, const struct block *b)
{
	const struct {
		const char *key;
		char *to;
	} known[] = {
		{"FileVersion", v->file_version},
		{"ProductVersion", v->product_version},
		{"OriginalFilename", v->original_name},
		{"InternalName", v->internal_name},
		{"CompanyName", v->company},
		{"ProductName", v->product},
		{"FileDescription", v->description},
	};

	for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (!strcmp(b->key, known[i].key) && !*known[i].to)
			utf8_of(b->value, (size_t)(b->end - b->value) / 2, known[i].to,
				PE_TEXT_MAX);
}

static void take_table(const uint8_t *base, const struct block *table, struct pe_version *v)
{
	const uint8_t *p = table->value;
	struct block b;

	for (unsigned i = 0; i < BLOCKS_MAX && p; i++) {
		p = block_at(base, p, table->end, &b);
		if (p)
			take_string(v, &b);
	}
}

/* The tables of a StringFileInfo whose key is wanted, or all others. */
static void take_tables(const uint8_t *base, const struct block *info, const char *wanted,
			struct pe_version *v)
{
	for (unsigned turn = 0; turn < 2; turn++) {
		const uint8_t *p = info->value;
		struct block table;

		for (unsigned i = 0; i < BLOCKS_MAX && p; i++) {
			p = block_at(base, p, info->end, &table);
			if (p && (turn || !strncasecmp(table.key, wanted, 8)))
				take_table(base, &table, v);
		}
	}
}

/* "040904b0" of the first translation, "" when it has none. */
static void translation_of(const uint8_t *base, const struct block *info, char ret[9])
{
	static const char hex[] = "0123456789abcdef";
	struct block b;
	uint32_t n;

	if (!block_at(base, info->value, info->end, &b) || strcmp(b.key, "Translation") ||
	    b.end - b.value < 4)
		return;
	n = (uint32_t)get_le16(b.value) << 16 | get_le16(b.value + 2);
	for (unsigned i = 0; i < 8; i++)
		ret[i] = hex[n >> (28 - 4 * i) & 15];
}

int pe_version_parse(const uint8_t *bytes, size_t n, struct pe_version *ret)
{
	struct block root, b, strings = {0};
	char wanted[9] = "";
	const uint8_t *p;

	if (!block_at(bytes, bytes, bytes + n, &root) || strcmp(root.key, "VS_VERSION_INFO"))
		return -EBADMSG;
	p = root.value;
	if (root.value_units > root.end - p)
		return -EBADMSG;
	if (root.value_units)
		p = aligned(bytes, p + root.value_units);
	for (unsigned i = 0; i < BLOCKS_MAX && p && p < root.end; i++) {
		p = block_at(bytes, p, root.end, &b);
		if (p && !strcmp(b.key, "VarFileInfo") && !*wanted)
			translation_of(bytes, &b, wanted);
		if (p && !strcmp(b.key, "StringFileInfo") && !strings.value)
			strings = b;
	}
	if (strings.value)
		take_tables(bytes, &strings, wanted, ret);
	if (root.value_units >= 24 && get_le32(root.value) == FIXED_SIGNATURE) {
		if (!*ret->file_version)
			version_text(root.value + 8, ret->file_version, PE_TEXT_MAX);
		if (!*ret->product_version)
			version_text(root.value + 16, ret->product_version, PE_TEXT_MAX);
	}
	return 0;
}

int pe_version_read(const struct image_source *s, const struct pe *p, struct pe_version *ret)
{
	uint32_t at = 0, bytes;
	uint8_t leaf[16], *block;
	bool twice = false;
	uint64_t from;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!p->resources_rva || !p->resources_bytes)
		return -ENOENT;
	for (unsigned depth = 0; depth < 3; depth++) {
		r = level(s, p, at, depth ? -1 : TYPE_VERSION, &at);
		if (r > 0) {
			twice = true;
			r = 0;
		}
		if (r == 0 && !(at & SUBDIRECTORY) != (depth == 2))
			r = -EBADMSG;
		if (r == -ENOENT && !depth)
			return -ENOENT;
		if (r < 0) {
			ret->malformed = "its resources lead nowhere";
			return -ENOENT;
		}
		at &= ~SUBDIRECTORY;
	}
	ret->malformed = "its version resource cannot be read";
	if (p->resources_rva > UINT32_MAX - at ||
	    pe_offset(p, p->resources_rva + at, sizeof(leaf), &from) < 0 ||
	    source_read(s, from, leaf, sizeof(leaf)) < 0)
		return -ENOENT;
	bytes = get_le32(leaf + 4);
	if (bytes > VERSION_MAX || pe_offset(p, get_le32(leaf), bytes, &from) < 0)
		return -ENOENT;
	block = malloc(bytes ? bytes : 1);
	if (!block)
		return -ENOMEM;
	r = source_read(s, from, block, bytes);
	if (r == 0)
		r = pe_version_parse(block, bytes, ret);
	free(block);
	if (r == 0)
		ret->malformed = twice ? "it has two version resources" : NULL;
	return r == 0 ? 0 : -ENOENT;
}
