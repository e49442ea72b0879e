/* SPDX-License-Identifier: MIT */
/*
 * group.c - the form of a queued group, checked; see group.h
 *
 * Pure. The file was written by root and carries a checksum, and is believed in nothing all the
 * same: it may come from another machine or be torn. Meaning (does the file exist, may it be
 * touched) is not looked at here.
 */
#include "pending/group.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "pending/protect.h"

uint32_t group_crc(const struct group_header *g)
{
	struct group_header bare = *g;
	uint32_t crc;

	bare.crc = 0;
	crc = crc32c(0, &bare, sizeof(bare));
	return crc32c(crc, g + 1, g->bytes - sizeof(bare));
}

static bool table_inside(const struct group_header *g, const struct group_table *t,
			 size_t row_bytes)
{
	return t->at >= sizeof(*g) && t->at % 8 == 0 && t->at <= g->strings &&
	       t->count <= (g->strings - t->at) / row_bytes;
}

static bool tables_good(const struct group_header *g)
{
	if (g->flags & GROUP_REVERSE)
		return !g->fs.count && !g->dirs.count && !g->places.count && !g->ops.count &&
		       !g->digests.count && g->of && g->of != g->id;
	return table_inside(g, &g->fs, sizeof(struct group_fs)) &&
	       table_inside(g, &g->dirs, sizeof(struct group_dir)) &&
	       table_inside(g, &g->places, sizeof(struct group_place)) &&
	       table_inside(g, &g->ops, sizeof(struct group_op)) &&
	       table_inside(g, &g->digests, SHA256_BYTES) && g->fs.count >= 1 &&
	       g->fs.count <= GROUP_FS_MAX && g->places.count >= 1 &&
	       g->places.count <= GROUP_PLACES_MAX && g->ops.count >= 1 &&
	       g->ops.count <= GROUP_OPS_MAX;
}

static bool string_inside(const struct group_header *g, uint32_t at)
{
	return at < g->bytes - g->strings;
}

static bool path_good(const char *path)
{
	return str_same(path, "/") || protect_canonical(path);
}

static bool name_good(const char *name)
{
	return name[0] && !strchr(name, '/') && !str_same(name, ".") && !str_same(name, "..") &&
	       str_len(name, 256) < 256;
}

static const char *dir_path(const struct group_header *g, uint32_t i)
{
	return group_string(g, group_dir(g, i)->path);
}

/* Directories by path, places by directory and name: strictly, so that none stands there twice. */
static bool sorted(const struct group_header *g)
{
	for (uint32_t i = 1; i < g->dirs.count; i++)
		if (strcmp(dir_path(g, i - 1), dir_path(g, i)) >= 0)
			return false;
	for (uint32_t i = 1; i < g->places.count; i++) {
		const struct group_place *a = group_place(g, i - 1), *b = group_place(g, i);

		if (a->dir > b->dir || (a->dir == b->dir && strcmp(group_string(g, a->name),
								   group_string(g, b->name)) >= 0))
			return false;
	}
	return true;
}

static int compare_n(const char *whole, const char *part, size_t n)
{
	int r = strncmp(whole, part, n);

	return r ? r : whole[n] ? 1 : 0;
}

/* The row of a directory whose path is the first n bytes, or NO_PLACE. */
static uint32_t find_dir(const struct group_header *g, const char *path, size_t n)
{
	uint32_t low = 0, high = g->dirs.count;

	while (low < high) {
		const uint32_t mid = low + (high - low) / 2;
		const int r = compare_n(dir_path(g, mid), path, n);

		if (r == 0)
			return mid;
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NO_PLACE;
}

uint32_t group_find_place(const struct group_header *g, const char *path, size_t n)
{
	size_t slash = n;
	uint32_t low = 0, high = g->places.count, dir;

	while (slash && path[slash - 1] != '/')
		slash--;
	if (!slash || slash == n)
		return NO_PLACE;
	dir = find_dir(g, path, slash == 1 ? 1 : slash - 1);
	while (dir != NO_PLACE && low < high) {
		const uint32_t mid = low + (high - low) / 2;
		const struct group_place *p = group_place(g, mid);
		int r = p->dir < dir ? -1 : p->dir > dir;

		if (!r)
			r = compare_n(group_string(g, p->name), path + slash, n - slash);
		if (r == 0)
			return mid;
		if (r < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NO_PLACE;
}

/*
 * A path that goes through a place of the same group would name something else halfway: neither
 * forward nor back could it be found by its path again.
 */
static bool goes_through_place(const struct group_header *g)
{
	for (uint32_t i = 0; i < g->dirs.count; i++) {
		const char *path = dir_path(g, i);

		for (size_t n = 1; path[1] && n <= strlen(path); n++)
			if ((!path[n] || path[n] == '/') && n > 1 &&
			    group_find_place(g, path, n) != NO_PLACE)
				return true;
	}
	return false;
}

/* The whole path of a place, which everybody who works with it has this room for. */
static bool place_good(const struct group_header *g, const struct group_place *p)
{
	char path[PATH_BYTES];

	return name_good(group_string(g, p->name)) &&
	       group_place_path(g, (uint32_t)(p - group_place(g, 0)), path, sizeof(path));
}

static const char *rows_fault(const struct group_header *g)
{
	for (uint32_t i = 0; i < g->fs.count; i++)
		if (!string_inside(g, group_fs(g, i)->root) ||
		    !path_good(group_string(g, group_fs(g, i)->root)))
			return "a mount point is no canonical path";
	for (uint32_t i = 0; i < g->dirs.count; i++) {
		const struct group_dir *d = group_dir(g, i);

		if (d->fs >= g->fs.count || !string_inside(g, d->path) ||
		    !path_good(group_string(g, d->path)))
			return "a directory is no canonical path";
	}
	for (uint32_t i = 0; i < g->places.count; i++) {
		const struct group_place *p = group_place(g, i);

		if (p->dir >= g->dirs.count || !string_inside(g, p->name) || !place_good(g, p))
			return "a name is none";
	}
	if (!sorted(g))
		return "not in order";
	if (goes_through_place(g))
		return "a path goes through a file or directory that the same group moves";
	return NULL;
}

/* A copy that waits to be moved, and then its original goes: two rows, one behind the other. */
static bool staged_good(const struct group_header *g, uint32_t i)
{
	const struct group_op *o = group_op(g, i), *next;

	if (!(o->flags & GROUP_STAGED))
		return true;
	next = i + 1 < g->ops.count ? group_op(g, i + 1) : NULL;
	return o->kind == GROUP_MOVE && next && next->kind == GROUP_DELETE &&
	       !(next->flags & GROUP_STAGED);
}

static const char *op_fault(const struct group_header *g, uint32_t i)
{
	const struct group_op *o = group_op(g, i);
	const unsigned known = GROUP_REPLACE | GROUP_DIGEST | GROUP_OPTIONAL | GROUP_STAGED;
	const bool moves = o->kind == GROUP_MOVE;

	if (o->kind > GROUP_DELETE || o->flags & ~known)
		return "an operation of an unknown kind";
	if (o->from >= g->places.count || (moves && o->to >= g->places.count) ||
	    (!moves && o->to != NO_PLACE))
		return "an operation names no place";
	if (moves && o->from == o->to)
		return "an operation onto itself";
	if (o->flags & GROUP_DIGEST && o->digest >= g->digests.count)
		return "a digest is missing";
	if (moves && group_dir(g, group_place(g, o->from)->dir)->fs !=
			     group_dir(g, group_place(g, o->to)->dir)->fs)
		return "an operation between two file systems";
	if (!staged_good(g, i))
		return "a copy without its original";
	return NULL;
}

int group_check(const void *bytes, size_t n, const char **ret_why)
{
	const struct group_header *g = bytes;
	const char *why = NULL;
	int r = -EILSEQ;

	if (n < sizeof(*g) || n > GROUP_BYTES_MAX ||
	    !bytes_same(g->magic, GROUP_MAGIC, sizeof(g->magic)))
		why = "not a group of this version";
	else if (g->bytes != n || g->strings < sizeof(*g) || g->strings >= n ||
		 ((const char *)bytes)[n - 1])
		why = "cut short";
	else if (g->crc != group_crc(g))
		why = "checksum";
	if (!why) {
		r = -EINVAL;
		if (!tables_good(g))
			why = "a table lies outside";
		else if (str_len(g->name, sizeof(g->name)) == sizeof(g->name) ||
			 str_len(g->reason, sizeof(g->reason)) == sizeof(g->reason))
			why = "name or reason without an end";
		else
			why = rows_fault(g);
		for (uint32_t i = 0; !why && i < g->ops.count; i++)
			why = op_fault(g, i);
	}
	if (!why)
		return 0;
	if (ret_why)
		*ret_why = why;
	return r;
}

bool group_place_path(const struct group_header *g, uint32_t place, char *room, size_t cap)
{
	const struct group_place *p = group_place(g, place);
	const char *dir = group_string(g, group_dir(g, p->dir)->path);
	struct text t = text_start(room, cap);

	text_add(&t, str_same(dir, "/") ? "" : dir);
	text_add(text_add(&t, "/"), group_string(g, p->name));
	return !t.cut;
}

void group_file_name(char *room, uint32_t id, const char *ending)
{
	static const char digits[] = "0123456789abcdef";
	struct text t;

	for (unsigned i = 0; i < 8; i++)
		room[i] = digits[id >> (28 - 4 * i) & 15];
	t = text_start(room + 8, GROUP_FILE_BYTES - 8);
	text_add(&t, ending);
}
