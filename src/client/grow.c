/* SPDX-License-Identifier: MIT */
/*
 * grow.c - libsm: a group in memory, operation by operation; see pending.h
 *
 * Paths are taken as they are written: nothing is resolved, and what is not canonical is refused
 * with a reason. Every path stands once, found again by a hash, so that a million operations cost
 * a million steps.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "client/pending.h"

void *list_add(struct list *l, size_t n)
{
	void *row;

	if (l->count + n > l->cap) {
		size_t cap = l->cap ? l->cap : 64;

		while (cap < l->count + n)
			cap *= 2;
		row = realloc(l->row, cap * l->row_bytes);
		if (!row)
			return NULL;
		l->row = row;
		l->cap = cap;
	}
	row = (char *)l->row + l->count * l->row_bytes;
	memset(row, 0, n * l->row_bytes);
	l->count += n;
	return row;
}

uint32_t string_add(struct sm_group *g, const char *s, size_t n)
{
	const size_t at = g->strings.count;
	char *to = at + n + 1 > GROUP_BYTES_MAX ? NULL : list_add(&g->strings, n + 1);

	if (!to)
		return NO_PLACE;
	memcpy(to, s, n);
	return (uint32_t)at;
}

/* FNV-1a with a last stir; the tables are powers of two. */
static uint32_t hash_of(uint32_t start, const char *s, size_t n)
{
	uint64_t h = 0xCBF29CE484222325ull ^ start;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * 0x100000001B3ull;
	return (uint32_t)(h ^ h >> 29);
}

static bool same_n(const char *whole, const char *part, size_t n)
{
	return strncmp(whole, part, n) == 0 && !whole[n];
}

/* Twice as many buckets; every row is hung again by rehang. */
static int widen(struct sm_group *g, uint32_t **hash, uint32_t *mask, size_t count,
		 void (*rehang)(struct sm_group *g))
{
	size_t buckets = *hash ? 2 * ((size_t)*mask + 1) : 256;
	uint32_t *room;

	if (*hash && count <= *mask)
		return 0;
	room = malloc(buckets * sizeof(*room));
	if (!room)
		return -ENOMEM;
	free(*hash);
	*hash = room;
	*mask = (uint32_t)buckets - 1;
	memset(room, 0xFF, buckets * sizeof(*room));
	rehang(g);
	return 0;
}

static uint32_t *dir_bucket(const struct sm_group *g, const char *path, size_t n)
{
	return &g->dir_hash[hash_of(0, path, n) & g->dir_mask];
}

static uint32_t *place_bucket(const struct sm_group *g, uint32_t dir, const char *name, size_t n)
{
	return &g->place_hash[hash_of(dir + 1, name, n) & g->place_mask];
}

static void rehang_dirs(struct sm_group *g)
{
	for (uint32_t i = 0; i < g->dirs.count; i++) {
		const char *path = string_at(g, dir_at(g, i)->path);
		uint32_t *head = dir_bucket(g, path, strlen(path));

		dir_at(g, i)->next = *head;
		*head = i;
	}
}

static void rehang_places(struct sm_group *g)
{
	for (uint32_t i = 0; i < g->places.count; i++) {
		const struct place *p = place_at(g, i);
		const char *name = string_at(g, p->name);
		uint32_t *head = place_bucket(g, p->dir, name, strlen(name));

		place_at(g, i)->next = *head;
		*head = i;
	}
}

static uint32_t dir_find(const struct sm_group *g, const char *path, size_t n)
{
	uint32_t i = g->dir_hash ? *dir_bucket(g, path, n) : NO_PLACE;

	while (i != NO_PLACE && !same_n(string_at(g, dir_at(g, i)->path), path, n))
		i = dir_at(g, i)->next;
	return i;
}

static int dir_add(struct sm_group *g, const char *path, size_t n, uint32_t *ret)
{
	const uint32_t i = dir_find(g, path, n);
	uint32_t at, *head;
	struct dir *d;

	if (i != NO_PLACE) {
		*ret = i;
		return 0;
	}
	if (widen(g, &g->dir_hash, &g->dir_mask, g->dirs.count, rehang_dirs) < 0)
		return -ENOMEM;
	at = string_add(g, path, n);
	d = at == NO_PLACE ? NULL : list_add(&g->dirs, 1);
	if (!d)
		return -ENOMEM;
	head = dir_bucket(g, path, n);
	d->path = at;
	d->next = *head;
	d->through = NO_PLACE;
	*head = *ret = (uint32_t)g->dirs.count - 1;
	return 0;
}

/* Where the last component of a path of n bytes begins, and how long its directory's path is. */
static size_t last_name(const char *path, size_t n, size_t *ret_dir_n)
{
	while (n && path[n - 1] != '/')
		n--;
	*ret_dir_n = n > 1 ? n - 1 : n;
	return n;
}

uint32_t place_find(const struct sm_group *g, const char *path, size_t n)
{
	size_t dir_n, at = last_name(path, n, &dir_n);
	const uint32_t dir = at && at < n ? dir_find(g, path, dir_n) : NO_PLACE;
	uint32_t i;

	if (dir == NO_PLACE || !g->place_hash)
		return NO_PLACE;
	i = *place_bucket(g, dir, path + at, n - at);
	while (i != NO_PLACE && (place_at(g, i)->dir != dir ||
				 !same_n(string_at(g, place_at(g, i)->name), path + at, n - at)))
		i = place_at(g, i)->next;
	return i;
}

int place_add(struct sm_group *g, const char *path, uint32_t *ret)
{
	const size_t n = strlen(path);
	size_t dir_n, at = last_name(path, n, &dir_n);
	uint32_t i = place_find(g, path, n), name, dir, *head;
	struct place *p;

	if (i != NO_PLACE) {
		*ret = i;
		return 0;
	}
	if (dir_add(g, path, dir_n, &dir) < 0 ||
	    widen(g, &g->place_hash, &g->place_mask, g->places.count, rehang_places) < 0)
		return -ENOMEM;
	name = string_add(g, path + at, n - at);
	p = name == NO_PLACE ? NULL : list_add(&g->places, 1);
	if (!p)
		return -ENOMEM;
	head = place_bucket(g, dir, path + at, n - at);
	p->dir = dir;
	p->name = name;
	p->next = *head;
	p->digest = NO_PLACE;
	*head = *ret = (uint32_t)g->places.count - 1;
	return 0;
}

const char *place_path(const struct sm_group *g, uint32_t place, char *room)
{
	const struct place *p = place_at(g, place);
	const char *dir = string_at(g, dir_at(g, p->dir)->path);
	struct text t = text_start(room, PATH_BYTES);

	text_add(&t, str_same(dir, "/") ? "" : dir);
	text_add(text_add(&t, "/"), string_at(g, p->name));
	return room;
}

/* ---- operations ---- */

/* Checks the form; several slashes are one. *ret_dir: there was one at the end. */
static int clean_path(const char *path, char room[PATH_BYTES], bool *ret_dir)
{
	size_t n = 0;

	if (path[0] != '/')
		return WHY_RELATIVE;
	while (*path) {
		const size_t part = strcspn(path + 1, "/");

		if ((part == 1 && path[1] == '.') ||
		    (part == 2 && path[1] == '.' && path[2] == '.'))
			return WHY_DOT;
		if (part > 255 || n + 1 + part >= PATH_BYTES)
			return -ENAMETOOLONG;
		*ret_dir = !part;
		if (part) {
			memcpy(room + n, path, part + 1);
			n += part + 1;
		}
		path += part + 1;
	}
	room[n] = 0;
	return n ? 0 : WHY_ROOT;
}

/* GOAL is a slash-separated part of PATH: graveyards and copies are not for operations. */
static bool is_ours(const char *path)
{
	const char *at = strstr(path, "/" GRAVEYARD_FS);

	while (at && at[sizeof(GRAVEYARD_FS)] && at[sizeof(GRAVEYARD_FS)] != '/')
		at = strstr(at + 1, "/" GRAVEYARD_FS);
	return at;
}

static int add_item(struct sm_group *g, const char *from, const char *to, uint16_t flags)
{
	char from_room[PATH_BYTES], to_room[PATH_BYTES];
	bool from_dir = false, to_dir = false;
	struct item i = {.kind = to ? GROUP_MOVE : GROUP_DELETE, .flags = flags, .to = NO_PLACE};
	struct item *row;
	int r = clean_path(from, from_room, &from_dir);

	if (r == 0 && to)
		r = clean_path(to, to_room, &to_dir);
	if (r < 0)
		return r;
	if (to && str_same(from_room, to_room))
		return WHY_SAME;
	if (is_ours(from_room) || (to && is_ours(to_room)))
		return WHY_OURS;
	if (g->operations == GROUP_OPS_MAX)
		return -E2BIG;
	r = place_add(g, from_room, &i.from);
	if (r == 0 && to)
		r = place_add(g, to_room, &i.to);
	row = r < 0 ? NULL : list_add(&g->items, 1);
	if (!row)
		return -ENOMEM;
	i.flags |= from_dir || to_dir ? ITEM_FROM_DIR : 0;
	i.digest = NO_PLACE;
	i.number = g->operations++;
	*row = i;
	return 0;
}

int sm_group_move(struct sm_group *g, const char *from, const char *to, unsigned flags)
{
	if (!from || !to || flags & ~(SM_OP_REPLACE | SM_OP_DIGEST))
		return -EINVAL;
	return add_item(g, from, to,
			(flags & SM_OP_REPLACE ? GROUP_REPLACE : 0) |
				(flags & SM_OP_DIGEST ? ITEM_WANT_SUM : 0));
}

int sm_group_delete(struct sm_group *g, const char *path, unsigned flags)
{
	if (!path || flags & ~(SM_OP_OPTIONAL | SM_OP_DIGEST))
		return -EINVAL;
	return add_item(g, path, NULL,
			(flags & SM_OP_OPTIONAL ? GROUP_OPTIONAL : 0) |
				(flags & SM_OP_DIGEST ? ITEM_WANT_SUM : 0));
}

int sm_group_new(struct sm_queue *q, const char *name, const char *reason, unsigned flags,
		 struct sm_group **ret)
{
	struct sm_group *g;

	if (flags & ~SM_GROUP_ALLOW_PROTECTED)
		return -EINVAL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->q = q;
	g->dirs.row_bytes = sizeof(struct dir);
	g->places.row_bytes = sizeof(struct place);
	g->items.row_bytes = sizeof(struct item);
	g->digests.row_bytes = SHA256_BYTES;
	g->fs.row_bytes = sizeof(struct fs);
	g->strings.row_bytes = 1;
	(void)str_copy(g->head.name, sizeof(g->head.name), name ? name : "");
	(void)str_copy(g->head.reason, sizeof(g->head.reason), reason ? reason : "");
	g->head.flags = flags & SM_GROUP_ALLOW_PROTECTED ? GROUP_PROTECTED : 0;
	g->head.uid = sys_uid();
	*ret = g;
	return 0;
}

void sm_group_free(struct sm_group *g)
{
	if (!g)
		return;
	pending_unload(g->read);
	free(g->dirs.row);
	free(g->places.row);
	free(g->items.row);
	free(g->digests.row);
	free(g->fs.row);
	free(g->strings.row);
	free(g->dir_hash);
	free(g->place_hash);
	free(g->want);
	free(g);
}

/* ---- from a file ---- */

static int take_row(struct sm_group *g, uint32_t row, bool second)
{
	const struct group_op *o = group_op(g->read, row);
	struct item i = {.kind = o->kind, .flags = o->flags, .to = NO_PLACE, .kept = row + 1};
	char path[PATH_BYTES];
	struct item *to;
	int r;

	if (!group_place_path(g->read, o->from, path, sizeof(path)))
		return -ENAMETOOLONG;
	r = place_add(g, path, &i.from);
	if (r == 0 && o->to != NO_PLACE) {
		if (!group_place_path(g->read, o->to, path, sizeof(path)))
			return -ENAMETOOLONG;
		r = place_add(g, path, &i.to);
	}
	to = r < 0 ? NULL : list_add(&g->items, 1);
	if (!to)
		return -ENOMEM;
	if (o->flags & GROUP_STAGED)
		place_at(g, i.from)->flags |= PLACE_STAGED;
	i.flags |= second ? GROUP_SECOND : 0;
	i.number = second ? g->operations - 1 : g->operations++;
	i.digest = NO_PLACE;
	*to = i;
	return 0;
}

int sm_group_open(struct sm_queue *q, uint32_t group, struct sm_group **ret)
{
	const struct group_header *read = NULL;
	struct sm_group *g = NULL;
	bool second = false;
	int r = q->dir < 0 ? -ENOENT : pending_load(q->dir, group, &read);

	if (r == 0)
		r = sm_group_new(q, read->name, read->reason, 0, &g);
	if (r < 0) {
		pending_unload(read);
		return r;
	}
	g->read = read;
	g->head = *read;
	for (uint32_t i = 0; r == 0 && i < read->ops.count; i++) {
		r = take_row(g, i, second);
		second = group_op(read, i)->flags & GROUP_STAGED;
	}
	if (r < 0)
		sm_group_free(g);
	else
		*ret = g;
	return r;
}

int sm_group_operation(struct sm_group *g, uint32_t i, struct sm_operation *ret)
{
	/* Copied moves stand in two rows, so the number is a lower bound of the row. */
	for (size_t row = i; row < g->items.count; row++) {
		const struct item *o = item_at(g, (uint32_t)row);
		const bool copied = o->flags & GROUP_STAGED;
		const struct item *from = copied ? o + 1 : o;

		if (o->number != i || o->flags & GROUP_SECOND)
			continue;
		*ret = (struct sm_operation){
			.deletes = o->kind == GROUP_DELETE,
			.replace = o->flags & GROUP_REPLACE,
			.optional = o->flags & GROUP_OPTIONAL,
			.copied = copied,
			.from = place_path(g, from->from, g->room[0]),
			.to = o->to == NO_PLACE ? "" : place_path(g, o->to, g->room[1])};
		if (o->kept) {
			const struct group_op *kept = group_op(g->read, o->kept - 1);

			ret->bytes = kept->bytes;
			if (kept->flags & GROUP_DIGEST)
				ret->sha256 = group_digest(g->read, kept->digest);
		}
		return 1;
	}
	return 0;
}
