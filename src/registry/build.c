/* SPDX-License-Identifier: MIT */
/*
 * build.c - a whole new hive from a tree; see hive.h
 *
 * libhivex never gives cells back and rewrites a key's values with each set_value: so the hive is
 * built into the empty one of regf.md §6, each key's values in one call. It also cannot sort or
 * hash key names beyond ASCII as Windows does, nor write db records: such names and values are
 * refused by name. The stamp makes every rebuilt hive's base block its own: it holds the next
 * sequence, the time, and in bytes that no reader looks at a digest of all that follows it.
 * So a plan, which is compared with that block only, fits no other content, whatever the clock says
 * and whichever hive somebody puts back.
 */
#include <errno.h>
#include <hivex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "registry/hive.h"
#include "registry/utf.h"
#include "sys/sys.h"

#define EMPTY_BYTES         8192u
#define DIGEST_AT           192u /* of the base block: reserved, zero in hives of others */
#define FILETIME_UNIX_EPOCH 116444736000000000ull /* 1970-01-01 in ticks of 100 ns since 1601 */

static void put32(uint8_t *p, size_t at, uint32_t v)
{
	memcpy(p + at, &v, 4);
}

static void put64(uint8_t *p, size_t at, uint64_t v)
{
	memcpy(p + at, &v, 8);
}

static uint32_t block_xor(const uint8_t *p)
{
	uint32_t x = 0, w;

	for (size_t i = 0; i < 508; i += 4) {
		memcpy(&w, p + i, 4);
		x ^= w;
	}
	return x;
}

/*
 * Sequences, times, type, name, digest and checksum; a tick is added where the XOR would be 0 or
 * -1. The digest is of what follows the block, its copy of the time as it was asked for.
 */
static void stamp_bytes(uint8_t *p, size_t n, struct hive_stamp stamp)
{
	static const char mark[] = HIVE_MARK;

	put32(p, 4, stamp.sequence);
	put32(p, 8, stamp.sequence);
	put32(p, 28, 0);
	put32(p, 32, 1);
	put32(p, 40, (uint32_t)(n - 4096));
	memset(p + 48, 0, 64);
	for (size_t i = 0; i < sizeof(mark); i++)
		p[48 + 2 * i] = (uint8_t)mark[i];
	put64(p, 12, stamp.filetime);
	put64(p, 4096 + 20, stamp.filetime);
	sha256_of(p + 4096, n - 4096, p + DIGEST_AT);
	while (block_xor(p) == 0 || block_xor(p) == UINT32_MAX)
		put64(p, 12, ++stamp.filetime);
	put64(p, 4096 + 20, stamp.filetime);
	put32(p, 508, block_xor(p));
}

struct hive_stamp hive_stamp_after(const struct hive_facts *previous, uint64_t wall_s)
{
	struct hive_stamp s = {.sequence = 1,
			       .filetime = FILETIME_UNIX_EPOCH + wall_s * 10000000ull};

	if (!previous)
		return s;
	s.sequence = previous->sequence + 1;
	if (s.filetime <= previous->filetime && previous->filetime < UINT64_MAX - 16)
		s.filetime = previous->filetime + 1;
	return s;
}

static void put_key_cell(uint8_t *bins, uint64_t filetime)
{
	uint8_t *c = bins + 0x20;

	put32(c, 0, (uint32_t)-88);
	memcpy(c + 4, "nk", 2);
	c[6] = 0x2C; /* root, no delete, compressed name */
	put64(c, 8, filetime);
	put32(c, 4 + 28, UINT32_MAX);
	put32(c, 4 + 32, UINT32_MAX);
	put32(c, 4 + 40, UINT32_MAX);
	put32(c, 4 + 44, 0x78);
	put32(c, 4 + 48, UINT32_MAX);
	c[4 + 72] = 4;
	memcpy(c + 4 + 76, "ROOT", 4);
}

/* LocalSystem and Administrators may do everything; owner Administrators, group LocalSystem. */
static void put_security_cell(uint8_t *bins)
{
	static const uint8_t descriptor[100] = {
		0x01, 0x00, 0x04, 0x80, 0x48, 0, 0, 0, 0x58, 0, 0, 0, 0, 0, 0, 0, 0x14, 0, 0, 0,
		/* access list: two entries */
		0x02, 0x00, 0x34, 0x00, 0x02, 0x00, 0x00, 0x00,
		/* S-1-5-18 */
		0x00, 0x02, 0x14, 0x00, 0x3F, 0x00, 0x0F, 0x00, 1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0,
		/* S-1-5-32-544 */
		0x00, 0x02, 0x18, 0x00, 0x3F, 0x00, 0x0F, 0x00, 1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0,
		0x20, 0x02, 0, 0,
		/* owner, group */
		1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 0x02, 0, 0, 1, 1, 0, 0, 0, 0, 0, 5, 18,
		0, 0, 0};
	uint8_t *c = bins + 0x78;

	put32(c, 0, (uint32_t)-128);
	memcpy(c + 4, "sk", 2);
	put32(c, 8, 0x78);
	put32(c, 12, 0x78);
	put32(c, 16, 1);
	put32(c, 20, sizeof(descriptor));
	memcpy(c + 24, descriptor, sizeof(descriptor));
}

static void empty_hive(uint8_t bytes[EMPTY_BYTES], struct hive_stamp stamp)
{
	uint8_t *bins = bytes + 4096;

	memset(bytes, 0, EMPTY_BYTES);
	memcpy(bytes, "regf", 4);
	put32(bytes, 20, 1);
	put32(bytes, 24, 5);
	put32(bytes, 36, 0x20);
	put32(bytes, 44, 1);
	memcpy(bins, "hbin", 4);
	put32(bins, 8, 0x1000);
	put_key_cell(bins, stamp.filetime);
	put_security_cell(bins);
	put32(bins, 0xF8, 3848);
	stamp_bytes(bytes, EMPTY_BYTES, stamp);
}

static int refuse(struct text *why, const struct reg_key *k, const struct reg_value *v,
		  const char *what)
{
	key_path_short(why, k);
	if (v) {
		text_add(why, ", value \"");
		text_escaped(why, v->name, v->name_bytes < 64 ? v->name_bytes : 64);
		text_add(why, v->name_bytes < 64 ? "\"" : "...\"");
	}
	text_add(text_add(why, ": "), what);
	return -EINVAL;
}

static int key_fits(const struct reg_key *k, struct text *why)
{
	if (k->child_count > HIVE_WRITE_SUBKEYS_MAX)
		return refuse(why, k, NULL,
			      "more than 1000 subkeys: spread them over several keys");
	for (uint32_t i = 0; k->parent && i < k->name_bytes; i++)
		if ((uint8_t)k->name[i] < 0x20 || (uint8_t)k->name[i] >= 0x7F)
			return refuse(why, k, NULL,
				      "a key name must be printable ASCII to be written");
	for (uint32_t i = 0; i < k->value_count; i++) {
		const struct reg_value *v = &k->values[i];

		if (v->bytes > HIVE_WRITE_VALUE_MAX)
			return refuse(why, k, v, "more than 16344 bytes of data cannot be written");
		if (strlen(v->name) != v->name_bytes)
			return refuse(why, k, v, "a value name with a NUL cannot be written");
	}
	return 0;
}

static int add_values(hive_h *h, hive_node_h node, const struct reg_key *k, struct text *why)
{
	hive_set_value *list = calloc(k->value_count, sizeof(*list));
	int r;

	if (!list)
		return -ENOMEM;
	for (uint32_t i = 0; i < k->value_count; i++)
		list[i] = (hive_set_value){.key = k->values[i].name,
					   .t = (hive_type)k->values[i].type,
					   .len = k->values[i].bytes,
					   .value = (char *)k->values[i].data};
	r = hivex_node_set_values(h, node, k->value_count, list, 0);
	r = r < 0 ? -errno : 0;
	free(list);
	if (r < 0)
		refuse(why, k, NULL, err_text(-r));
	return r;
}

static int add_keys(hive_h *h, hive_node_h node, const struct reg_key *k, struct text *why)
{
	int r = key_fits(k, why);

	if (r == 0 && k->value_count)
		r = add_values(h, node, k, why);
	for (uint32_t i = 0; r == 0 && i < k->child_count; i++) {
		hive_node_h sub = hivex_node_add_child(h, node, k->children[i]->name);

		if (!sub) {
			r = -errno;
			refuse(why, k->children[i], NULL, err_text(-r));
			break;
		}
		r = add_keys(h, sub, k->children[i], why);
	}
	return r;
}

static int read_back(int fd, uint8_t **ret, size_t *ret_n)
{
	struct sys_stat st;
	uint8_t *bytes;
	int r = sys_stat_fd(fd, &st);

	if (r < 0)
		return r;
	if (st.size < EMPTY_BYTES || st.size > HIVE_BUILD_BYTES_MAX)
		return -E2BIG;
	bytes = malloc(st.size);
	if (!bytes)
		return -ENOMEM;
	for (uint64_t at = 0; at < st.size;) {
		ssize_t got = sys_pread(fd, bytes + at, st.size - at, at);

		if (got <= 0) {
			free(bytes);
			return got < 0 ? (int)got : -EIO;
		}
		at += (uint64_t)got;
	}
	*ret = bytes;
	*ret_n = st.size;
	return 0;
}

int hive_build(const struct reg_tree *t, struct hive_stamp stamp, uint8_t **ret, size_t *ret_n,
	       struct text *why)
{
	uint8_t empty[EMPTY_BYTES];
	_close_ int fd = sys_memfd("new hive");
	char path[40];
	hive_h *h;
	int r;

	if (fd < 0)
		return fd;
	empty_hive(empty, stamp);
	r = sys_write_all(fd, empty, sizeof(empty));
	if (r < 0)
		return r;
	if (hive_conversions_ready() < 0) {
		text_add(why,
			 "the C library's gconv modules for UTF-16 and ISO-8859-1 are missing");
		return -ENOEXEC;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	h = hivex_open(path, HIVEX_OPEN_WRITE);
	if (!h)
		return -errno;
	r = add_keys(h, hivex_root(h), t->root, why);
	if (r == 0 && hivex_commit(h, path, 0) < 0)
		r = -errno;
	hivex_close(h);
	if (r == 0)
		r = read_back(fd, ret, ret_n);
	if (r == -E2BIG)
		text_add(why, "the hive would be larger than 32 MiB");
	if (r == 0)
		stamp_bytes(*ret, *ret_n, stamp);
	return r;
}
