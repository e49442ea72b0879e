/* SPDX-License-Identifier: MIT */
/*
 * load.c - keys and values of a hive into a tree; see hive.h
 *
 * What cannot be read is counted, the first of it named, and the rest comes: nothing of a hive is
 * silently missing. Lists may form loops, so every key is visited once and all work is counted.
 * Parents come from the path that led to a key, never from the key's own word.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/hive_inner.h"
#include "registry/utf.h"

#define PATH_SHORT      97u /* of a path before what is wrong there, and a NUL */
#define TWO_OF_ONE_NAME "two subkeys of one name"

struct load {
	struct hive *h;
	struct reg_tree *into;
	uint64_t
		*seen; /* a bit per 8 bytes of the bins: this key was visited; NULL for one level */
	bool all;      /* the depth is Windows' own limit: what lies deeper is told */
	uint32_t twins; /* values of the key at hand whose name it had already */
};

/*
 * Windows never writes two values of one name in a key. Some are kept, for they may be evidence; a
 * list that names one value a million times would otherwise cost time with its square.
 */
#define TWINS_MAX 1024u

uint64_t hive_damage(const struct hive *h, const char **ret_first)
{
	if (ret_first)
		*ret_first = h->first_damage;
	return h->damage;
}

uint64_t hive_hidden(const struct hive *h, const char **ret_first)
{
	*ret_first = h->first_hidden;
	return h->hidden;
}

struct text *key_path(struct text *to, const struct reg_key *k)
{
	if (!k->parent)
		return text_add(to, to->len ? "" : "(root)");
	if (k->parent->parent)
		text_add(key_path(to, k->parent), "\\");
	return text_escaped(to, k->name, k->name_bytes);
}

struct text *key_path_short(struct text *to, const struct reg_key *k)
{
	char room[PATH_SHORT];
	struct text path = TEXT_ON(room);

	key_path(&path, k);
	if (!path.cut)
		return text_add(to, room);
	for (path.len = PATH_SHORT / 2; path.len && room[path.len] != '\\';)
		path.len--; /* not inside a name, and not inside an escape */
	text_add(text_add_n(to, room, path.len), path.len ? "\\...\\" : "...\\");
	path = TEXT_ON(room);
	text_escaped(&path, k->name, k->name_bytes);
	return text_add(text_add_n(to, room, str_len(room, PATH_SHORT / 2)), path.cut ? "..." : "");
}

static const char *fault_text(int e)
{
	return e == -EFAULT         ? "nothing is where it should be"
	       : e == -EBADMSG      ? "damaged"
	       : e == -EILSEQ       ? "no valid UTF-16"
	       : e == -ELOOP        ? "it counts where it was met first"
	       : e == -EEXIST       ? "the first one counts"
	       : e == -ENAMETOOLONG ? "keys lie at most 512 levels deep"
				    : err_text(-e);
}

static void damaged(struct hive *h, const struct reg_key *k, const char *what, int e)
{
	struct text t;

	if (h->damage++)
		return;
	t = TEXT_ON(h->first_damage);
	text_add(key_path_short(&t, k), ": ");
	text_add(text_add(text_add(&t, what), ": "), fault_text(e));
}

static void look_for_hidden(struct hive *h, const struct regf_key *key, const struct reg_key *k)
{
	const char *what = regf_hidden(&h->r, key);
	struct text t;

	if (!what || h->hidden++)
		return;
	t = TEXT_ON(h->first_hidden);
	text_add(text_add(key_path_short(&t, k), ": "), what);
}

/* A name as UTF-8 in h->name; NULs inside stay. */
static int name_of(struct hive *h, struct regf_name name, size_t *ret_n)
{
	size_t n = 0;
	bool bad = false;

	if (name.narrow) {
		for (uint32_t i = 0; i < name.bytes; i++) {
			if (name.at[i] >= 0x80)
				h->name[n++] = (char)(0xC0 | name.at[i] >> 6);
			h->name[n++] =
				(char)(name.at[i] < 0x80 ? name.at[i] : 0x80 | (name.at[i] & 0x3F));
		}
		h->name[n] = '\0';
	} else {
		n = utf16_to_utf8(name.at, name.bytes / 2, h->name, &bad);
	}
	*ret_n = n;
	return bad || (!name.narrow && name.bytes % 2) ? -EILSEQ : 0;
}

static int load_value(struct load *l, uint32_t at, struct reg_key *k)
{
	struct hive *h = l->h;
	struct regf_value v;
	struct regf_data data;
	struct reg_data d;
	size_t n;
	int r = regf_value(&h->r, at, &v);

	if (r < 0) {
		damaged(h, k, "a value", r);
		return 0;
	}
	r = name_of(h, v.name, &n);
	if (r < 0) {
		damaged(h, k, "a value's name", r);
		return 0;
	}
	if (key_value(k, h->name, n) && ++l->twins > TWINS_MAX) {
		if (l->twins == TWINS_MAX + 1)
			damaged(h, k, "values of one name, more than are kept", -E2BIG);
		return 0;
	}
	r = regf_data(&h->r, &v, &data);
	if (r == 0 || (r != -E2BIG && data.n)) {
		if (r < 0)
			damaged(h, k, "a part of a value's data", r);
		d = (struct reg_data){.type = v.type, .bytes = data.at, .n = data.n};
		r = ++h->values > HIVE_VALUES_MAX ? -E2BIG
						  : tree_append(l->into, k, h->name, n, &d);
	} else if (r != -E2BIG) {
		damaged(h, k, "a value's data", r);
		r = 0;
	}
	free(data.joined);
	return r;
}

static int load_values(struct load *l, const struct regf_key *key, struct reg_key *k)
{
	struct regf_list list = {.at = NULL};
	int r = regf_values(&l->h->r, key, &list);

	l->twins = 0;

	if (r < 0 && r != -E2BIG) {
		damaged(l->h, k, "the list of values", r);
		r = 0;
	}
	for (uint32_t i = 0; i < list.count && r == 0; i++)
		r = load_value(l, list.at[i], k);
	regf_list_free(&list);
	return r;
}

/* The key at is met the first time. */
static bool first_visit(struct load *l, uint32_t at)
{
	uint64_t bit = 1ull << (at / 8 % 64);

	if (!l->seen)
		return true;
	if (l->seen[at / 512] & bit)
		return false;
	l->seen[at / 512] |= bit;
	return true;
}

static int load_key(struct load *l, const struct regf_key *key, unsigned depth, struct reg_key *k);

/* list: the number of the one that it stands in. */
static int load_subkey(struct load *l, uint32_t at, unsigned depth, uint32_t list,
		       struct reg_key *k)
{
	struct hive *h = l->h;
	struct regf_key key;
	struct reg_key *sub;
	size_t n;
	int r = regf_key(&h->r, at, &key);

	if (r == 0 && !first_visit(l, at))
		r = -ELOOP;
	if (r < 0) {
		damaged(h, k, r == -ELOOP ? "a subkey that stands elsewhere too" : "a subkey", r);
		return 0;
	}
	r = name_of(h, key.name, &n);
	if (r < 0) {
		damaged(h, k, "a subkey's name", r);
		return 0;
	}
	r = ++h->keys > HIVE_KEYS_MAX ? -E2BIG : tree_add_key(l->into, k, h->name, n, &sub);
	if (r == 0 && sub->list == list) {
		damaged(h, sub, TWO_OF_ONE_NAME, -EEXIST);
		return 0;
	}
	if (r == 0) {
		sub->list = list;
		sub->written = key.written;
	}
	if (r == 0 && depth > 0)
		return load_key(l, &key, depth - 1, sub);
	if (r == 0 && l->all && (key.subkeys || key.values))
		damaged(h, sub, "what lies below", -ENAMETOOLONG);
	return r;
}

static int load_key(struct load *l, const struct regf_key *key, unsigned depth, struct reg_key *k)
{
	struct regf_list list = {.at = NULL};
	uint32_t number = ++l->into->lists;
	int r = load_values(l, key, k);

	if (r < 0)
		return r;
	k->written = key->written;
	look_for_hidden(l->h, key, k);
	r = regf_subkeys(&l->h->r, key, &list);
	if (r < 0 && r != -E2BIG) {
		damaged(l->h, k, "the list of subkeys", r);
		r = 0;
	}
	for (uint32_t i = 0; i < list.count && r == 0; i++)
		r = load_subkey(l, list.at[i], depth, number, k);
	regf_list_free(&list);
	return r;
}

/*
 * The subkey of that name, any case: the first one, and 1 when there are more. What cannot be read
 * may have been it, and is told then.
 */
static int find_child(struct hive *h, const struct regf_key *key, const char *name, size_t n,
		      struct regf_key *ret)
{
	struct regf_list list = {.at = NULL};
	int r = regf_subkeys(&h->r, key, &list), fault = r == -E2BIG ? 0 : r;
	struct regf_key sub;
	unsigned found = 0;
	size_t own;

	for (uint32_t i = 0; i < list.count && r != -E2BIG && found < 2; i++) {
		int e = regf_key(&h->r, list.at[i], &sub);

		if (e == 0)
			e = name_of(h, sub.name, &own);
		if (e < 0) {
			fault = e;
		} else if (utf8_same_fold(h->name, own, name, n) && !found++) {
			*ret = sub;
		}
	}
	regf_list_free(&list);
	if (found)
		return found > 1;
	return r == -E2BIG ? r : fault ? fault : -ENOENT;
}

/* One step down the path; CurrentControlSet below the root is the set that Select names. */
static int step(struct load *l, const char *part, size_t n, struct regf_key *key,
		struct reg_key **k)
{
	char room[16];
	size_t own;
	int r, two;

	if (*k == l->into->root && utf8_same_fold(part, n, "CurrentControlSet", 17)) {
		unsigned set = tree_current_set(l->into);

		if (!set)
			return -ENOKEY;
		n = (size_t)snprintf(room, sizeof(room), "ControlSet%03u", set);
		part = room;
	}
	r = find_child(l->h, key, part, n, key);
	if (r < 0 && r != -ENOENT && r != -E2BIG) {
		damaged(l->h, *k, "a subkey on the way", r);
		return -ENOENT;
	}
	two = r;
	if (r >= 0)
		r = name_of(l->h, key->name, &own);
	if (r >= 0)
		r = tree_add_key(l->into, *k, l->h->name, own, k);
	if (r == 0 && two)
		damaged(l->h, *k, TWO_OF_ONE_NAME, -EEXIST);
	return r;
}

int hive_load(struct hive *h, const char *path, unsigned depth, struct reg_tree *into)
{
	struct load l = {.h = h, .into = into, .all = depth >= HIVE_ALL};
	struct reg_key *k = into->root;
	struct regf_key key;
	int r = regf_key(&h->r, h->r.root, &key);

	h->r.work = REGF_WORK_MAX;
	while (r == 0 && *path) {
		size_t n = strcspn(path, "\\");

		if (n)
			r = step(&l, path, n, &key, &k);
		path += n;
		path += strspn(path, "\\");
	}
	if (r < 0)
		return r;
	if (depth > 0) {
		l.seen = calloc(h->r.end / 512 + 1, 8);
		if (!l.seen)
			return -E2BIG;
		if (k == into->root)
			(void)first_visit(&l, h->r.root);
	}
	r = load_key(&l, &key, depth, k);
	free(l.seen);
	return r;
}
