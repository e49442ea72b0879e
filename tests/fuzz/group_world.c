/* SPDX-License-Identifier: MIT */
/*
 * group_world.c - the machine under the target of groups; see group_world.h
 */
#include "group_world.h"

#include <string.h>

#include "../sim/kernel.h"
#include "base/bytes.h"
#include "pending/ground.h"

#define PATH_ROOM 2048u

/* In this order: inodes are numbered from 3, and a volume's root comes after what it hides. */
static const struct made {
	const char *path, *content; /* no content: a directory */
	unsigned volume;            /* that is mounted on it */
} things[] = {
	{"/a"},
	{"/a/d"},
	{"/a/d/n0", "d0"},
	{"/a/n0", "zero"},
	{"/a/n1", "one"},
	{"/a/n2", "two"},
	{"/a/tree"},
	{"/a/tree/id", "inside"},
	{"/etc"},
	{"/etc/n0", "etc zero"},
	{"/etc/n1", "etc one"},
	{"/m", NULL, 1},
	{"/m/n0", "m zero"},
	{"/m/p"},
	{"/m/p/n0", "m p zero"},
	{WORLD_STATE},
	{WORLD_QUEUE},
	{WORLD_STATE "/graveyard"},
	{WORLD_STATE "/graveyard/00000001"},
	{WORLD_STATE "/graveyard/00000001/1", "kept one"},
	{WORLD_STATE "/graveyard/00000001/6"},
	{WORLD_STATE "/graveyard/00000001/6/id", "kept tree"},
	{"/m/.smss"},
	{"/m/.smss/graveyard"},
	{"/m/.smss/graveyard/00000001"},
	{"/m/.smss/graveyard/00000001/2", "m kept"},
	{"/m/.smss/staged"},
	{"/m/.smss/staged/00000001"},
	{"/m/.smss/staged/00000001/0", "a copy"},
};

static uint64_t link_ino;

void world_make(void)
{
	sim_start(1);
	for (unsigned i = 0; i < ARRAY_SIZE(things); i++) {
		const struct made *t = &things[i];

		if (t->content)
			sim_make_file(t->path, t->content, strlen(t->content), 0644);
		else
			sim_make_dir(t->path);
		if (t->volume)
			sim_mount_volume(t->volume, t->path);
	}
	HOLDS(sys_link(AT_FDCWD, "/a/n2", AT_FDCWD, "/a/twin") == 0);
	sim_make_link("/a/link", "/etc");
	link_ino = sim_inode("/a/link");
	sys_sync();
}

/* ---- looking ---- */

static void look_below(const char *dir, struct sight *s)
{
	const char *name;

	for (unsigned i = 0; (name = sim_name_at(dir[0] ? dir : "/", i)); i++) {
		struct seen *n = &s->at[s->count++];
		const void *bytes = NULL;
		size_t size = 0;

		HOLDS(s->count < SEEN_MAX);
		HOLDS(strlen(dir) + strlen(name) + 2 <= SEEN_BYTES);
		memset(n, 0, sizeof(*n));
		sprintf(n->path, "%s/%s", dir, name);
		n->ino = sim_inode(n->path);
		if (n->ino == link_ino)
			continue;
		n->dir = sim_is_dir(n->path);
		if (n->dir)
			look_below(n->path, s);
		else
			bytes = sim_look(n->path, &size);
		n->sum = bytes ? crc32c(0, bytes, size) : 0;
	}
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->path, ((const struct seen *)b)->path);
}

void world_look(struct sight *ret)
{
	ret->count = 0;
	look_below("", ret);
	qsort(ret->at, ret->count, sizeof(ret->at[0]), by_path);
}

static bool same(const struct seen *a, const struct seen *b)
{
	return !strcmp(a->path, b->path) && a->ino == b->ino && a->sum == b->sum;
}

bool world_same(const struct sight *a, const struct sight *b)
{
	bool all = a->count == b->count;

	for (unsigned i = 0; all && i < a->count; i++)
		all = same(&a->at[i], &b->at[i]);
	return all;
}

const struct seen *world_find(const struct sight *s, uint64_t ino)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->at[i].ino == ino)
			return &s->at[i];
	return NULL;
}

/* ---- what is where ---- */

bool is_below(const char *path, const char *top)
{
	const size_t n = strlen(top);

	return !strncmp(path, top, n) && (!path[n] || path[n] == '/' || n == 1);
}

bool is_queue(const char *path)
{
	return is_below(path, WORLD_QUEUE) && strcmp(path, WORLD_QUEUE) != 0;
}

bool is_kept(const char *path)
{
	return is_below(path, WORLD_STATE "/" GRAVEYARD) || is_below(path, "/" GRAVEYARD_FS) ||
	       is_below(path, "/m/" GRAVEYARD_FS);
}

bool names_queue(const struct group_header *g)
{
	char path[PATH_ROOM];

	for (uint32_t i = 0; g && i < g->places.count; i++) {
		HOLDS(group_place_path(g, i, path, sizeof(path)));
		if (is_below(path, WORLD_STATE) || is_below(WORLD_STATE, path) || is_kept(path) ||
		    is_below("/m", path))
			return true;
	}
	return false;
}

/* ---- laws ---- */

void nothing_is_lost(const struct sight *before, const struct sight *after, bool purged)
{
	for (unsigned i = 0; i < before->count; i++) {
		const struct seen *was = &before->at[i], *is;

		if (was->dir || is_queue(was->path) || (purged && is_kept(was->path)))
			continue;
		is = world_find(after, was->ino);
		HOLDS(is && is->sum == was->sum);
	}
}

static bool is_named(const struct group_header *g, const char *path)
{
	for (size_t n = 2; g && n <= strlen(path); n++)
		if ((!path[n] || path[n] == '/') && group_find_place(g, path, n) != NO_PLACE)
			return true;
	return false;
}

static void held_by(const struct sight *one, const struct sight *other,
		    const struct group_header *g)
{
	for (unsigned i = 0, k = 0; i < one->count; i++) {
		const struct seen *s = &one->at[i];

		while (k < other->count && strcmp(other->at[k].path, s->path) < 0)
			k++;
		if (!is_queue(s->path) && !is_kept(s->path) && !is_named(g, s->path))
			HOLDS(k < other->count && same(s, &other->at[k]));
	}
}

void only_places(const struct sight *before, const struct sight *after,
		 const struct group_header *g)
{
	held_by(before, after, g);
	held_by(after, before, g);
}
