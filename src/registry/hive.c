/* SPDX-License-Identifier: MIT */
/*
 * hive.c - reading regf files; see hive.h
 *
 * The copy that libhivex maps is a sealed memfd: nobody can cut it short under the map (SIGBUS).
 * Nothing here writes to a disk, and nothing of a hive is believed before it was looked at.
 */
#include "registry/hive.h"

#include <errno.h>
#include <hivex.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "registry/utf.h"
#include "sys/sys.h"

#define HEAD_BYTES 4096u

struct hive {
	hive_h *h;
	int copy_fd;
	const uint8_t *map;
	struct hive_facts facts;
	uint8_t sha256[SHA256_BYTES];
	bool hashed;
	uint64_t damage, keys, values;
	char first_damage[192];
};

static uint32_t u32_at(const uint8_t *p, size_t at)
{
	uint32_t v;

	memcpy(&v, p + at, 4);
	return v;
}

static uint32_t plain_xor(const uint8_t *block)
{
	uint32_t x = 0;

	for (size_t i = 0; i < 508; i += 4)
		x ^= u32_at(block, i);
	return x;
}

static uint32_t checksum_of(const uint8_t *block)
{
	uint32_t x = plain_xor(block);

	return x == UINT32_MAX ? UINT32_MAX - 1 : x == 0 ? 1 : x;
}

static int block_versions(const uint8_t *head, struct text *why)
{
	uint32_t type = u32_at(head, 28), major = u32_at(head, 20), minor = u32_at(head, 24);

	if (type != 0) {
		text_u64(text_add(why, "a transaction log, not a hive: file type at 28 is "), type);
		return -EILSEQ;
	}
	if (major != 1 || minor < 3 || minor > 6) {
		text_add(why, "version at 20 is ");
		text_u64(text_add(text_u64(why, major), "."), minor);
		text_add(why, "; smreg reads 1.3 to 1.6");
		return -EPROTO;
	}
	if (u32_at(head, 32) != 1) {
		text_u64(text_add(why, "format at 32 is not 1 but "), u32_at(head, 32));
		return -EPROTO;
	}
	return 0;
}

int hive_block_check(const uint8_t *head, size_t n, uint64_t file_bytes, struct hive_facts *ret,
		     struct text *why)
{
	static const uint8_t mark[] = HIVE_MARK;
	struct hive_facts f = {.bytes = file_bytes};
	uint64_t bins;
	int r;

	if (n < 4 || memcmp(head, "regf", 4) != 0) {
		text_add(why, n ? "not a hive: no \"regf\" at 0" : "not a hive: the file is empty");
		return -EILSEQ;
	}
	if (n < HEAD_BYTES) {
		text_u64(text_add(why, "truncated inside the base block: "), file_bytes);
		text_add(why, " bytes");
		return -EMSGSIZE;
	}
	if (file_bytes > HIVE_BYTES_MAX) {
		text_u64(text_add(why, "larger than "), HIVE_BYTES_MAX >> 20);
		text_add(why, " MiB");
		return -EFBIG;
	}
	if (u32_at(head, 508) != checksum_of(head)) {
		text_hex(text_add(why, "base block checksum at 508 is "), u32_at(head, 508));
		text_hex(text_add(why, " and should be "), checksum_of(head));
		return -EILSEQ;
	}
	r = block_versions(head, why);
	if (r < 0)
		return r;
	bins = u32_at(head, 40);
	if (bins == 0 || bins % 4096) {
		text_u64(text_add(why, "bins size at 40 is no multiple of 4096: "), bins);
		return -EILSEQ;
	}
	if (bins + 4096 > file_bytes) {
		text_u64(text_add(why, "truncated: the header says "), bins + 4096);
		text_u64(text_add(why, " bytes, the file has "), file_bytes);
		return -EMSGSIZE;
	}
	memcpy(f.block, head, sizeof(f.block));
	f.sequence = u32_at(head, 4);
	f.secondary = u32_at(head, 8);
	f.minor = u32_at(head, 24);
	memcpy(&f.filetime, head + 12, 8);
	f.dirty = f.sequence != f.secondary;
	f.ours = true;
	for (size_t i = 0; i < sizeof(mark); i++)
		if (head[48 + 2 * i] != mark[i] || head[49 + 2 * i])
			f.ours = false;
	*ret = f;
	return 0;
}

int hive_conversions_ready(void)
{
	static const char *const sets[] = {"UTF-16LE", "ISO-8859-1"};
	static iconv_t kept[4]; /* kept open: closing would unload the modules */

	for (unsigned i = 0; i < 2; i++) {
		if (kept[i])
			continue;
		kept[i] = iconv_open("UTF-8", sets[i]);
		kept[i + 2] = iconv_open(sets[i], "UTF-8");
		if (kept[i] == (iconv_t)-1 || kept[i + 2] == (iconv_t)-1) {
			kept[i] = NULL;
			return -ENOEXEC;
		}
	}
	return 0;
}

/* The file's bytes in a memfd of our own; *ret_map shows them read-only once it is sealed. */
static int private_copy(int fd, uint64_t bytes, int *ret_fd, uint8_t **ret_map)
{
	_close_ int copy = sys_memfd("hive");
	uint8_t *map;
	uint64_t at = 0;
	int r;

	if (copy < 0)
		return copy;
	r = sys_truncate(copy, bytes);
	if (r < 0)
		return r;
	map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, copy, 0);
	if (map == MAP_FAILED)
		return -errno;
	while (at < bytes) {
		ssize_t got = sys_pread(fd, map + at, bytes - at, at);

		if (got <= 0) {
			munmap(map, bytes);
			return got < 0 ? (int)got : -EMSGSIZE;
		}
		at += (uint64_t)got;
	}
	*ret_map = map;
	*ret_fd = fd_take(copy);
	return 0;
}

/* A checksum of 0 or all ones is legal as 1 and ...FE, and libhivex does not know (regf.md §1). */
static void help_checksum(uint8_t *map)
{
	uint32_t x = plain_xor(map), low;

	if (x != 0 && x != UINT32_MAX)
		return;
	low = u32_at(map, 12) ^ 1u;
	memcpy(map + 12, &low, 4);
	x = plain_xor(map);
	memcpy(map + 508, &x, 4);
}

static int seal_and_parse(struct hive *h, uint8_t *map, struct text *why)
{
	char path[40];
	uint64_t bytes = h->facts.bytes;
	int r;

	help_checksum(map);
	munmap(map, bytes);
	r = sys_seal(h->copy_fd);
	if (r < 0)
		return r;
	h->map = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, h->copy_fd, 0);
	if (h->map == MAP_FAILED) {
		h->map = NULL;
		return -errno;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", h->copy_fd);
	h->h = hivex_open(path, 0);
	if (h->h)
		return 0;
	r = errno ? -errno : -EIO;
	if (r == -ENOENT)
		text_add(why, "cannot hand the hive to its reader: /proc is not mounted");
	else if (r == -ENOTSUP)
		text_add(why,
			 "a bin or a chain of cells is broken (hbin signature, offset or size)");
	else
		text_add(text_add(why, "libhivex refuses it: "), err_text(-r));
	return r;
}

int hive_open(int fd, struct hive **ret, struct text *why)
{
	_cleanup_(hive_closep) struct hive *h = calloc(1, sizeof(*h));
	struct sys_stat st;
	uint8_t *map = NULL;
	int r;

	if (!h)
		return -ENOMEM;
	h->copy_fd = -1;
	r = sys_stat_fd(fd, &st);
	if (r == 0 && (st.mode & S_IFMT) != S_IFREG) {
		text_add(why, "not a regular file");
		return -EILSEQ;
	}
	if (r == 0 && (st.size == 0 || st.size > HIVE_BYTES_MAX))
		r = hive_block_check((const uint8_t *)"regf", st.size ? 4 : 0, st.size, &h->facts,
				     why);
	if (r == 0 && hive_conversions_ready() < 0) {
		text_add(why,
			 "the C library's gconv modules for UTF-16 and ISO-8859-1 are missing: "
			 "install them (libc6, gconv/UTF-16.so)");
		return -ENOEXEC;
	}
	if (r == 0)
		r = private_copy(fd, st.size, &h->copy_fd, &map);
	if (r < 0) {
		if (!why->len)
			text_add(text_add(why, "cannot be read: "), err_text(-r));
		return r;
	}
	r = hive_block_check(map, st.size < HEAD_BYTES ? st.size : HEAD_BYTES, st.size, &h->facts,
			     why);
	if (r < 0)
		munmap(map, st.size);
	else
		r = seal_and_parse(h, map, why);
	if (r < 0)
		return r;
	*ret = h;
	h = NULL;
	return 0;
}

void hive_close(struct hive *h)
{
	if (!h)
		return;
	if (h->h)
		hivex_close(h->h);
	if (h->map)
		munmap((void *)h->map, h->facts.bytes);
	sys_closep(&h->copy_fd);
	free(h);
}

const struct hive_facts *hive_facts(const struct hive *h)
{
	return &h->facts;
}

const uint8_t *hive_sha256(struct hive *h)
{
	if (!h->hashed) { /* the block as it was read: the copy's checksum may have been helped */
		struct sha256 s;

		sha256_start(&s);
		sha256_add(&s, h->facts.block, HIVE_BLOCK_BYTES);
		sha256_add(&s, h->map + HIVE_BLOCK_BYTES, h->facts.bytes - HIVE_BLOCK_BYTES);
		sha256_end(&s, h->sha256);
		h->hashed = true;
	}
	return h->sha256;
}

uint64_t hive_damage(const struct hive *h, const char **ret_first)
{
	if (ret_first)
		*ret_first = h->first_damage;
	return h->damage;
}

struct text *key_path(struct text *to, const struct reg_key *k)
{
	if (!k->parent)
		return text_add(to, to->len ? "" : "(root)");
	if (k->parent->parent)
		text_add(key_path(to, k->parent), "\\");
	return text_escaped(to, k->name, k->name_bytes);
}

static void damaged(struct hive *h, const struct reg_key *k, const char *what)
{
	struct text t = TEXT_ON(h->first_damage);
	int e = errno;

	if (h->damage++)
		return;
	text_add(key_path(&t, k), ": ");
	text_add(text_add(text_add(&t, what), ": "), err_text(e));
}

static int load_value(struct hive *h, hive_value_h v, struct reg_tree *t, struct reg_key *k)
{
	hive_type type;
	size_t n;
	char *name = hivex_value_key(h->h, v), *data;
	struct reg_data d;
	int r;

	if (!name) {
		damaged(h, k, "a value's name");
		return 0;
	}
	data = hivex_value_value(h->h, v, &type, &n);
	if (!data) {
		damaged(h, k, "a value's data");
		free(name);
		return 0;
	}
	d = (struct reg_data){.type = (uint32_t)type, .bytes = data, .n = n};
	r = ++h->values > HIVE_VALUES_MAX
		    ? -E2BIG
		    : tree_append(t, k, name, hivex_value_key_len(h->h, v), &d);
	free(data);
	free(name);
	return r;
}

static int load_values(struct hive *h, hive_node_h node, struct reg_tree *t, struct reg_key *k)
{
	hive_value_h *v = hivex_node_values(h->h, node);
	int r = 0;

	if (!v) {
		damaged(h, k, "the list of values");
		return 0;
	}
	for (size_t i = 0; v[i] && r == 0; i++)
		r = load_value(h, v[i], t, k);
	free(v);
	return r;
}

static int load_node(struct hive *h, hive_node_h node, unsigned depth, struct reg_tree *t,
		     struct reg_key *k)
{
	hive_node_h *child;
	int r = load_values(h, node, t, k);

	if (r < 0)
		return r;
	child = hivex_node_children(h->h, node);
	if (!child) {
		damaged(h, k, "the list of subkeys");
		return 0;
	}
	for (size_t i = 0; child[i] && r == 0; i++) {
		char *name = hivex_node_name(h->h, child[i]);
		struct reg_key *sub;

		if (!name) {
			damaged(h, k, "a subkey's name");
			continue;
		}
		r = ++h->keys > HIVE_KEYS_MAX
			    ? -E2BIG
			    : tree_add_key(t, k, name, hivex_node_name_len(h->h, child[i]), &sub);
		free(name);
		if (r == 0 && depth > 0)
			r = load_node(h, child[i], depth - 1, t, sub);
	}
	free(child);
	return r;
}

/* The child of that name, any case; 0 = none (*ret_r 0) or unreadable (-EIO). */
static hive_node_h child_node(struct hive *h, hive_node_h node, const char *name, size_t n,
			      int *ret_r)
{
	hive_node_h *child = hivex_node_children(h->h, node), found = 0;

	*ret_r = child ? 0 : -EIO;
	for (size_t i = 0; child && child[i] && !found; i++) {
		char *own = hivex_node_name(h->h, child[i]);

		if (own && utf8_same_fold(own, hivex_node_name_len(h->h, child[i]), name, n))
			found = child[i];
		free(own);
	}
	free(child);
	return found;
}

int hive_load(struct hive *h, const char *path, unsigned depth, struct reg_tree *into)
{
	hive_node_h node = hivex_root(h->h);
	struct reg_key *k = into->root;
	char room[16];
	int r;

	while (node && *path) {
		const char *part = path;
		size_t n = strcspn(path, "\\");

		path += n;
		path += strspn(path, "\\");
		if (n == 0)
			continue;
		if (k == into->root && utf8_same_fold(part, n, "CurrentControlSet", 17)) {
			unsigned set = tree_current_set(into);

			if (!set)
				return -ENOKEY;
			n = (size_t)snprintf(room, sizeof(room), "ControlSet%03u", set);
			part = room;
		}
		node = child_node(h, node, part, n, &r);
		if (!node)
			return r < 0 ? r : -ENOENT;
		char *own = hivex_node_name(h->h, node);

		r = own ? tree_add_key(into, k, own, hivex_node_name_len(h->h, node), &k) : -EIO;
		free(own);
		if (r < 0)
			return r;
	}
	if (!node)
		return -EIO;
	return load_node(h, node, depth, into, k);
}
