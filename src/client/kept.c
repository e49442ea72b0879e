/* SPDX-License-Identifier: MIT */
/*
 * kept.c - libsm: what lies in the graveyards of a group, and what of it was never the group's
 *
 * Only looks. What cannot be told apart, because the file that knows is gone, is not claimed to be
 * anybody else's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/pending.h"
#include "pending/purge.h"

#define LIST_BYTES 32768u

struct own { /* a thing of the group */
	uint32_t fs;
	struct thing thing;
};

struct graves {
	struct sm_queue *q;
	const struct group_header *group;
	struct group_story story;
	struct ground ground;
	struct own *own; /* sorted */
	size_t count;
	struct list *found; /* of struct sm_aside */
};

static int graves_open(struct sm_queue *q, uint32_t id, struct graves *ret)
{
	int r = q->dir < 0 ? -ENOENT : story_read(q->dir, id, &ret->story);

	if (r >= 0)
		r = pending_load(q->dir, id, &ret->group);
	if (r >= 0)
		r = ground_open(&ret->ground, ret->group, q->prefix, q->state);
	ret->q = q;
	if (r < 0)
		pending_unload(ret->group);
	return r;
}

static void graves_close(struct graves *g)
{
	ground_close(&g->ground);
	pending_unload(g->group);
	free(g->own);
}

int sm_group_kept(struct sm_queue *q, uint32_t group, uint64_t *ret_bytes)
{
	struct graves g = {0};
	uint64_t all = 0, one;
	int r = graves_open(q, group, &g);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < g.group->fs.count; i++) {
		int grave = ground_grave(&g.ground, i, false);

		if (grave >= 0 && graveyard_bytes(grave, &one) >= 0)
			all += one;
	}
	graves_close(&g);
	*ret_bytes = all;
	return 0;
}

/* ---- things of others ---- */

static int by_identity(const void *a, const void *b)
{
	const struct own *x = a, *y = b;

	if (x->fs != y->fs)
		return x->fs < y->fs ? -1 : 1;
	if (x->thing.ino != y->thing.ino)
		return x->thing.ino < y->thing.ino ? -1 : 1;
	return x->thing.tag < y->thing.tag ? -1 : x->thing.tag > y->thing.tag;
}

/* Things that were all brought back are written down no more: nothing there is the group's then. */
static bool may_hold_own(const struct group_story *s)
{
	return s->state == GROUP_APPLIED || s->state == GROUP_REVERTING || s->stuck ||
	       s->last.result == GROUP_WHY_FORM;
}

/* Returns 1 when it is known which things are the group's, 0, or -errno. */
static int read_own(struct graves *g)
{
	const size_t places = g->group->places.count;
	struct things_header *kept = malloc(sizeof(*kept) + places * sizeof(struct thing));
	int r = kept ? things_read(g->q->dir, g->group, kept) : -ENOMEM;

	if (r == 0) {
		const struct thing *first = (const struct thing *)(kept + 1);

		g->own = malloc((places + 1) * sizeof(*g->own));
		for (uint32_t i = 0; g->own && i < places; i++)
			if (first[i].ino)
				g->own[g->count++] = (struct own){
					group_dir(g->group, group_place(g->group, i)->dir)->fs,
					first[i]};
		r = g->own ? 1 : -ENOMEM;
		if (g->count)
			qsort(g->own, g->count, sizeof(*g->own), by_identity);
	} else if (r == -ENOENT || r == -EILSEQ) {
		r = r == -ENOENT && !may_hold_own(&g->story);
	}
	free(kept);
	return r;
}

static int add_aside(struct graves *g, uint32_t fs, const char *name)
{
	struct sm_aside *row = list_add(g->found, 1);
	char number[GROUP_FILE_BYTES];
	struct text t;

	if (!row)
		return -ENOMEM;
	t = text_start(row->directory, sizeof(row->directory));
	if (g->ground.fs[fs].mount == g->ground.state_mount) {
		text_add(&t, g->q->state_path);
	} else {
		const char *root = group_string(g->group, group_fs(g->group, fs)->root);

		text_add(text_add(&t, str_same(root, "/") ? "" : root), "/" GRAVEYARD_FS);
	}
	group_file_name(number, g->group->id, "");
	text_add(text_add(&t, "/" GRAVEYARD "/"), number);
	(void)str_copy(row->name, sizeof(row->name), name);
	return 0;
}

static int meet_slot(struct graves *g, int grave, uint32_t fs, const char *name)
{
	struct own key = {.fs = fs};
	struct sys_identity id;
	int r;

	if (str_same(name, ".") || str_same(name, ".."))
		return 0;
	r = sys_identify(grave, name, &id);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	key.thing = (struct thing){.ino = id.ino, .tag = id.tag};
	if (g->count && bsearch(&key, g->own, g->count, sizeof(key), by_identity))
		return 0;
	return add_aside(g, fs, name);
}

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static int list_grave(struct graves *g, uint32_t fs)
{
	uint64_t room[LIST_BYTES / sizeof(uint64_t)];
	int grave = ground_grave(&g->ground, fs, false), r = 0;
	_close_ int list = -1;
	ssize_t n = 0;

	if (grave < 0) /* none, or its file system is away, and nothing can be said of it */
		return grave == -ENOENT || grave == GROUP_WHY_MOVED_FS ? 0 : grave;
	list = sys_open(grave, ".", O_RDONLY | O_DIRECTORY, 0);
	if (list < 0)
		return list;
	while (r >= 0 && (n = sys_list(list, room, sizeof(room))) > 0)
		for (ssize_t at = 0; r >= 0 && at < n;) {
			const struct entry *e = (const struct entry *)((const char *)room + at);

			r = meet_slot(g, grave, fs, e->name);
			at += e->bytes;
		}
	return r < 0 ? r : n < 0 ? (int)n : 0;
}

static int find_asides(struct sm_queue *q, uint32_t group)
{
	struct graves g = {.found = &q->asides};
	int r = graves_open(q, group, &g);

	q->asides.count = 0;
	q->asides.row_bytes = sizeof(struct sm_aside);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = read_own(&g);
	for (uint32_t i = 0; r > 0 && i < g.group->fs.count; i++) {
		int one = list_grave(&g, i);

		r = one < 0 ? one : r;
	}
	graves_close(&g);
	return r < 0 ? r : 0;
}

int sm_group_aside_next(struct sm_queue *q, uint32_t group, uint32_t *cursor, struct sm_aside *ret)
{
	int r = *cursor ? 0 : find_asides(q, group);

	if (r < 0 || *cursor >= q->asides.count)
		return r;
	*ret = ((const struct sm_aside *)q->asides.row)[(*cursor)++];
	return 1;
}
