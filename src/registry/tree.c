/* SPDX-License-Identifier: MIT */
/*
 * tree.c - keys and values in memory; see tree.h
 *
 * Arrays grow by doubling inside the arena; what they leave behind is given back with the tree.
 * A hash is made for an array of more than INDEX_FROM names: imports stay linear in their length.
 */
#include "registry/tree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/utf.h"
#include "sys/sys.h"

#define CHUNK_BYTES (64u << 10)
#define INDEX_FROM  24u

struct reg_chunk {
	struct reg_chunk *next;
	size_t cap, used;
	_Alignas(16) uint8_t bytes[];
};

void *arena_take(struct reg_arena *a, size_t n)
{
	struct reg_chunk *c = a->chunk;
	void *p;

	if (n > a->budget_bytes)
		return NULL;
	n = (n + 7) & ~(size_t)7;
	if (!c || c->cap - c->used < n) {
		size_t cap = n > CHUNK_BYTES / 4 ? n : CHUNK_BYTES;

		if (a->used_bytes + cap > a->budget_bytes)
			return NULL;
		c = calloc(1, sizeof(*c) + cap);
		if (!c)
			return NULL;
		c->cap = cap;
		a->used_bytes += cap;
		if (a->chunk && cap != CHUNK_BYTES) { /* a big one goes behind the one in use */
			c->next = a->chunk->next;
			a->chunk->next = c;
		} else {
			c->next = a->chunk;
			a->chunk = c;
		}
	}
	p = c->bytes + c->used;
	c->used += n;
	return p;
}

char *arena_copy(struct reg_arena *a, const void *from, size_t n)
{
	char *p = arena_take(a, n + 1);

	if (p && n)
		memcpy(p, from, n);
	return p;
}

int tree_start(struct reg_tree *t)
{
	memset(t, 0, sizeof(*t));
	t->arena.budget_bytes = REG_TREE_BYTES_MAX;
	t->root = arena_take(&t->arena, sizeof(*t->root));
	if (!t->root)
		return -ENOMEM;
	t->root->name = arena_copy(&t->arena, "", 0);
	t->keys = 1;
	return t->root->name ? 0 : -ENOMEM;
}

void tree_free(struct reg_tree *t)
{
	struct reg_chunk *next;

	for (struct reg_chunk *c = t->arena.chunk; c; c = next) {
		next = c->next;
		free(c);
	}
	memset(t, 0, sizeof(*t));
}

/* The name of entry i: an array of keys or of values, told apart by the flag. */
static const char *entry_name(const struct reg_key *k, bool keys, uint32_t i, size_t *ret_n)
{
	*ret_n = keys ? k->children[i]->name_bytes : k->values[i].name_bytes;
	return keys ? k->children[i]->name : k->values[i].name;
}

/* A hostile hive must not be able to put all its names into one slot. */
static uint64_t names_seed(void)
{
	static uint64_t seed;

	if (!seed && sys_random(&seed, sizeof(seed)) < 0)
		seed = 1;
	return seed | 1;
}

static uint32_t entry_find(const struct reg_key *k, bool keys, const char *name, size_t n)
{
	const struct reg_index *x = keys ? &k->child_index : &k->value_index;
	uint32_t count = keys ? k->child_count : k->value_count;
	const char *own;
	size_t own_n;

	if (x->slot) {
		uint32_t at = utf8_hash_fold(name, n, names_seed()) & x->mask;

		for (; x->slot[at]; at = (at + 1) & x->mask) {
			own = entry_name(k, keys, x->slot[at] - 1, &own_n);
			if (utf8_same_fold(own, own_n, name, n))
				return x->slot[at];
		}
		return 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		own = entry_name(k, keys, i, &own_n);
		if (utf8_same_fold(own, own_n, name, n))
			return i + 1;
	}
	return 0;
}

static void index_put(struct reg_key *k, bool keys, uint32_t i)
{
	struct reg_index *x = keys ? &k->child_index : &k->value_index;
	size_t n;
	const char *name = entry_name(k, keys, i, &n);
	uint32_t at = utf8_hash_fold(name, n, names_seed()) & x->mask;

	while (x->slot[at])
		at = (at + 1) & x->mask;
	x->slot[at] = i + 1;
}

/*
 * Before entry i leaves the array: its slot is filled from those behind it, in their order, so that
 * the first of two of one name stays the first; who stands behind it in the array moves up.
 */
static void index_drop(struct reg_key *k, bool keys, uint32_t i)
{
	struct reg_index *x = keys ? &k->child_index : &k->value_index;
	const char *name;
	size_t n;
	uint32_t hole;

	if (!x->slot)
		return;
	name = entry_name(k, keys, i, &n);
	hole = utf8_hash_fold(name, n, names_seed()) & x->mask;
	while (x->slot[hole] != i + 1)
		hole = (hole + 1) & x->mask;
	for (uint32_t at = (hole + 1) & x->mask; x->slot[at]; at = (at + 1) & x->mask) {
		uint32_t home;

		name = entry_name(k, keys, x->slot[at] - 1, &n);
		home = utf8_hash_fold(name, n, names_seed()) & x->mask;
		if (((at - home) & x->mask) < ((at - hole) & x->mask))
			continue;
		x->slot[hole] = x->slot[at];
		hole = at;
	}
	x->slot[hole] = 0;
	for (uint32_t at = 0; at <= x->mask; at++)
		x->slot[at] -= x->slot[at] > i + 1;
}

/* After an append: keep the hash right, or make it. No memory for it only costs time. */
static void index_appended(struct reg_tree *t, struct reg_key *k, bool keys)
{
	struct reg_index *x = keys ? &k->child_index : &k->value_index;
	uint32_t count = keys ? k->child_count : k->value_count;

	if (!x->slot && count <= INDEX_FROM)
		return;
	if (x->slot && count * 2 <= x->mask) {
		index_put(k, keys, count - 1);
		return;
	}
	x->mask = 127;
	while (x->mask < count * 4)
		x->mask = x->mask * 2 + 1;
	x->slot = arena_take(&t->arena, sizeof(*x->slot) * ((size_t)x->mask + 1));
	for (uint32_t i = 0; x->slot && i < count; i++)
		index_put(k, keys, i);
}

struct reg_key *key_child(const struct reg_key *k, const char *name, size_t n)
{
	uint32_t at = entry_find(k, true, name, n);

	return at ? k->children[at - 1] : NULL;
}

struct reg_value *key_value(const struct reg_key *k, const char *name, size_t n)
{
	uint32_t at = entry_find(k, false, name, n);

	return at ? &k->values[at - 1] : NULL;
}

struct reg_value *key_get(const struct reg_key *k, const char *name)
{
	return k ? key_value(k, name, strlen(name)) : NULL;
}

static bool grow(struct reg_tree *t, void **array, uint32_t count, uint32_t *cap, size_t each)
{
	uint32_t more = *cap ? *cap * 2 : 4;
	void *p;

	if (count < *cap)
		return true;
	p = arena_take(&t->arena, each * more);
	if (!p)
		return false;
	if (count)
		memcpy(p, *array, each * count);
	*array = p;
	*cap = more;
	return true;
}

int tree_add_key(struct reg_tree *t, struct reg_key *parent, const char *name, size_t n,
		 struct reg_key **ret)
{
	struct reg_key *k = key_child(parent, name, n);

	if (k) {
		*ret = k;
		return 0;
	}
	k = arena_take(&t->arena, sizeof(*k));
	if (!k || !(k->name = arena_copy(&t->arena, name, n)))
		return -E2BIG;
	k->name_bytes = (uint32_t)n;
	k->parent = parent;
	if (!grow(t, (void **)&parent->children, parent->child_count, &parent->child_cap,
		  sizeof(struct reg_key *)))
		return -E2BIG;
	parent->children[parent->child_count++] = k;
	index_appended(t, parent, true);
	t->keys++;
	*ret = k;
	return 0;
}

int tree_append(struct reg_tree *t, struct reg_key *k, const char *name, size_t n,
		const struct reg_data *data)
{
	struct reg_value v = {
		.type = data->type, .name_bytes = (uint32_t)n, .origin = data->origin};

	v.name = arena_copy(&t->arena, name, n);
	v.data = (uint8_t *)arena_copy(&t->arena, data->bytes, data->n);
	v.bytes = (uint32_t)data->n;
	if (!v.name || !v.data || data->n > UINT32_MAX)
		return -E2BIG;
	if (!grow(t, (void **)&k->values, k->value_count, &k->value_cap, sizeof(v)))
		return -E2BIG;
	k->values[k->value_count++] = v;
	index_appended(t, k, false);
	t->values++;
	return 0;
}

int tree_set(struct reg_tree *t, struct reg_key *k, const char *name, size_t n,
	     const struct reg_data *data)
{
	struct reg_value *v = key_value(k, name, n);

	if (!v)
		return tree_append(t, k, name, n, data);
	uint8_t *copy = (uint8_t *)arena_copy(&t->arena, data->bytes, data->n);

	if (!copy)
		return -E2BIG;
	v->type = data->type;
	v->origin = data->origin;
	v->data = copy;
	v->bytes = (uint32_t)data->n;
	return 0;
}

bool tree_drop_value(struct reg_tree *t, struct reg_key *k, const char *name, size_t n)
{
	struct reg_value *v = key_value(k, name, n);
	uint32_t at;

	if (!v)
		return false;
	at = (uint32_t)(v - k->values);
	index_drop(k, false, at);
	memmove(v, v + 1, sizeof(*v) * (k->value_count - at - 1));
	k->value_count--;
	t->values--;
	return true;
}

static void count_gone(struct reg_tree *t, const struct reg_key *k)
{
	t->keys--;
	t->values -= k->value_count;
	for (uint32_t i = 0; i < k->child_count; i++)
		count_gone(t, k->children[i]);
}

void tree_empty_key(struct reg_tree *t, struct reg_key *k)
{
	count_gone(t, k);
	t->keys++;
	k->child_count = k->value_count = 0;
	k->child_index = k->value_index = (struct reg_index){0};
}

int tree_copy(struct reg_tree *t, struct reg_key *to, const struct reg_key *from, bool deep)
{
	for (uint32_t i = 0; i < from->value_count; i++) {
		const struct reg_value *v = &from->values[i];
		struct reg_data d = {
			.type = v->type, .bytes = v->data, .n = v->bytes, .origin = v->origin};
		int r = tree_set(t, to, v->name, v->name_bytes, &d);

		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; deep && i < from->child_count; i++) {
		const struct reg_key *k = from->children[i];
		struct reg_key *sub;
		int r = tree_add_key(t, to, k->name, k->name_bytes, &sub);

		if (r == 0)
			r = tree_copy(t, sub, k, true);
		if (r < 0)
			return r;
	}
	return 0;
}

void tree_drop_key(struct reg_tree *t, struct reg_key *k)
{
	struct reg_key *p = k->parent;

	if (!p) {
		tree_empty_key(t, k);
		return;
	}
	count_gone(t, k);
	for (uint32_t i = 0; i < p->child_count; i++) {
		if (p->children[i] != k)
			continue;
		index_drop(p, true, i);
		memmove(&p->children[i], &p->children[i + 1],
			sizeof(struct reg_key *) * (p->child_count - i - 1));
		p->child_count--;
		return;
	}
}

unsigned tree_current_set(const struct reg_tree *t)
{
	const struct reg_key *select = key_child(t->root, "Select", 6);
	const struct reg_value *v = key_get(select, "Current");
	uint32_t n;

	return v && value_dword(v, &n) && n >= 1 && n <= 999 ? n : 0;
}

/* The next component of a path; runs of backslashes count as one. */
static size_t component(const char *path, size_t n, size_t *at, const char **ret)
{
	size_t start;

	while (*at < n && path[*at] == '\\')
		++*at;
	start = *at;
	while (*at < n && path[*at] != '\\')
		++*at;
	*ret = path + start;
	return *at - start;
}

/* "CurrentControlSet" -> "ControlSet00N"; others stay. false: there is no current set. */
static bool resolve(const struct reg_tree *t, const char **part, size_t *len, char room[16])
{
	unsigned set;

	if (!utf8_same_fold(*part, *len, "CurrentControlSet", 17))
		return true;
	set = tree_current_set(t);
	if (!set)
		set = t->set;
	if (!set)
		return false;
	*len = (size_t)snprintf(room, 16, "ControlSet%03u", set);
	*part = room;
	return true;
}

struct reg_key *key_below(const struct reg_key *k, const char *path, size_t n)
{
	const char *part;
	size_t at = 0, len;

	while (k && (len = component(path, n, &at, &part)))
		k = key_child(k, part, len);
	return (struct reg_key *)k;
}

struct reg_key *tree_find(const struct reg_tree *t, const char *path, size_t n)
{
	struct reg_key *k = t->root;
	const char *part;
	size_t at = 0, len = component(path, n, &at, &part);
	char room[16];

	if (!len)
		return k;
	if (!resolve(t, &part, &len, room))
		return NULL;
	k = key_child(k, part, len);
	return k ? key_below(k, path + at, n - at) : NULL;
}

int tree_make(struct reg_tree *t, const char *path, size_t n, struct reg_key **ret)
{
	struct reg_key *k = t->root;
	const char *part;
	size_t at = 0, len;
	char room[16];

	for (unsigned depth = 0; (len = component(path, n, &at, &part)); depth++) {
		int r;

		if (depth == 0 && !resolve(t, &part, &len, room))
			return -ENOKEY;
		if (depth >= REG_DEPTH_MAX || len > 4 * REG_KEY_NAME_MAX)
			return -ENAMETOOLONG;
		r = tree_add_key(t, k, part, len, &k);
		if (r < 0)
			return r;
	}
	*ret = k;
	return 0;
}
