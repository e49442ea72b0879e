/* SPDX-License-Identifier: MIT */
/*
 * stage.c - libsm: moves to another file system, made into copy, rename and delete; see stage.h
 *
 * The copy lies in .smss/staged/NUMBER at the mount point of the file system it is meant for. All
 * of them are durable before the group that names them is written; a copy that no group names is
 * removed.
 */
#include "client/stage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "pending/purge.h"

#define TELL_BYTES (8u << 20)
#define PART_BYTES (1u << 20)

void copy_progress(struct copying *c, uint64_t n)
{
	c->done += n;
	if (!c->watch || !c->watch->progress || c->done - c->told < TELL_BYTES)
		return;
	c->told = c->done;
	c->watch->progress(c->watch->arg, "copying", c->done, c->all);
}

static int open_staged(const struct sm_group *g, uint32_t fs, bool make)
{
	_close_ int root = open_dir(g->q, string_at(g, fs_at(g, fs)->root));
	_close_ int ours = root < 0 ? root : ground_step_into(root, GRAVEYARD_FS, make);

	return ours < 0 ? ours : ground_step_into(ours, STAGED, make);
}

static int open_copies(const struct sm_group *g, uint32_t fs, uint32_t id, bool make)
{
	_close_ int staged = open_staged(g, fs, make);
	char name[GROUP_FILE_BYTES];

	group_file_name(name, id, "");
	return staged < 0 ? staged : ground_step_into(staged, name, make);
}

/* ---- one copy ---- */

struct staging {
	struct sm_group *g;
	uint32_t id, serial;
	uint32_t *now; /* per place: where the thing that began there is by then */
	struct list items;
	struct copying c;
};

/* The first name that is free: an earlier copy of this group may be there. */
static int name_copy(struct staging *s, uint32_t fs, int dir, char room[PATH_BYTES])
{
	const char *root = string_at(s->g, fs_at(s->g, fs)->root);
	char name[GROUP_FILE_BYTES];

	for (;;) {
		struct text t = text_start(room, PATH_BYTES);
		struct sys_identity id;
		int r;

		group_file_name(name, s->id, "/");
		text_add(&t, str_same(root, "/") ? "" : root);
		text_add(text_add(&t, "/" GRAVEYARD_FS "/" STAGED "/"), name);
		text_u64(&t, s->serial++);
		if (t.cut)
			return -ENAMETOOLONG;
		r = sys_identify(dir, strrchr(room, '/') + 1, &id);
		if (r < 0)
			return r == -ENOENT ? 0 : r;
	}
}

static int note_copy(struct staging *s, const char *path, uint32_t fs, int dir, uint32_t thing)
{
	struct sys_identity id;
	struct place *p;
	uint32_t place;
	int r = sys_identify(dir, strrchr(path, '/') + 1, &id);

	if (r == 0)
		r = place_add(s->g, path, &place);
	if (r < 0)
		return r;
	p = place_at(s->g, place);
	dir_at(s->g, p->dir)->fs = fs;
	p->ino = id.ino;
	p->tag = id.tag;
	p->mode = id.mode;
	p->bytes = S_ISDIR(id.mode) ? 0 : id.bytes;
	p->digest = place_at(s->g, thing)->digest;
	p->flags = PLACE_STAGED;
	return (int)place;
}

/* Copies the thing; its place, or a reason. */
static int copy_thing(struct staging *s, uint32_t fs, uint32_t thing)
{
	struct place *p = place_at(s->g, thing);
	_close_ int from = open_dir(s->g->q, string_at(s->g, dir_at(s->g, p->dir)->path));
	_close_ int to = from < 0 ? from : open_copies(s->g, fs, s->id, true);
	char path[PATH_BYTES];
	int r = to < 0 ? to : name_copy(s, fs, to, path);
	struct copy_names n = {from, string_at(s->g, p->name), to, path};

	if (r < 0)
		return r;
	n.to = strrchr(path, '/') + 1;
	s->c.top = to;
	s->c.links.count = 0;
	(void)str_copy(s->c.path, sizeof(s->c.path), n.to);
	r = copy_tree(&s->c, &n);
	return r < 0 ? r : note_copy(s, path, fs, to, thing);
}

static void take_identity(struct sm_group *g, struct item *o, uint32_t place)
{
	const struct place *p = place_at(g, place);

	o->ino = p->ino;
	o->tag = p->tag;
	o->bytes = p->bytes;
	o->digest = p->digest;
}

static int stage_item(struct staging *s, const struct item *o)
{
	struct sm_group *g = s->g;
	const uint32_t from_fs = dir_at(g, place_at(g, o->from)->dir)->fs;
	uint32_t to_fs = from_fs, thing = o->ino ? s->now[o->thing] : NO_PLACE;
	struct item *row = list_add(&s->items, 1);
	int copy;

	if (!row)
		return -ENOMEM;
	*row = *o;
	if (o->to != NO_PLACE)
		to_fs = dir_at(g, place_at(g, o->to)->dir)->fs;
	if (thing != NO_PLACE)
		take_identity(g, row, thing);
	if (to_fs == from_fs || thing == NO_PLACE)
		return 0;
	copy = copy_thing(s, to_fs, thing);
	if (copy < 0)
		return copy;
	row->from = (uint32_t)copy;
	row->flags |= GROUP_STAGED;
	take_identity(g, row, (uint32_t)copy);
	row = list_add(&s->items, 1);
	if (!row)
		return -ENOMEM;
	*row = *o;
	row->kind = GROUP_DELETE;
	row->flags = GROUP_SECOND;
	row->to = NO_PLACE;
	take_identity(g, row, thing);
	s->now[o->thing] = (uint32_t)copy;
	return 0;
}

static int sync_copies(const struct sm_group *g)
{
	for (uint32_t i = 0; i < g->fs.count; i++) {
		_close_ int dir = -1;
		int r;

		if (!fs_at(g, i)->shared)
			continue;
		dir = open_staged(g, i, false);
		r = dir < 0 ? dir : sys_syncfs(dir);
		if (r < 0)
			return r;
	}
	return 0;
}

int stage_all(struct sm_group *g, uint32_t id, const struct sm_watch *watch)
{
	struct staging s = {.g = g, .id = id, .items.row_bytes = sizeof(struct item)};
	const size_t places = g->places.count;
	int r = 0;

	s.c.watch = watch;
	s.c.links.row_bytes = sizeof(struct copied);
	s.c.part = malloc(PART_BYTES);
	s.now = malloc((places + 1) * sizeof(uint32_t));
	if (!s.c.part || !s.now)
		r = -ENOMEM;
	for (uint32_t i = 0; r == 0 && i < places; i++)
		s.now[i] = i;
	for (uint32_t i = 0; i < g->fs.count; i++)
		s.c.all += fs_at(g, i)->shared ? fs_at(g, i)->wanted_bytes : 0;
	for (uint32_t i = 0; r == 0 && i < g->items.count; i++)
		r = stage_item(&s, item_at(g, i));
	if (r == 0)
		r = sync_copies(g);
	if (r == 0) {
		free(g->items.row);
		g->items = s.items;
	} else {
		free(s.items.row);
	}
	free(s.c.links.row);
	free(s.c.part);
	free(s.now);
	return r;
}

int tree_remove(int dir, const char *name)
{
	_close_ int fd = sys_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int r = fd < 0 ? fd : graveyard_empty(fd, 0);

	return r < 0 ? r : sys_unlink(dir, name, AT_REMOVEDIR);
}

void stage_drop(struct sm_group *g, uint32_t id)
{
	char name[GROUP_FILE_BYTES];

	group_file_name(name, id, "");
	if (!g->fs.count)
		(void)!look(g, NULL);
	for (uint32_t i = 0; i < g->fs.count; i++) {
		_close_ int staged = open_staged(g, i, false);

		if (staged >= 0)
			(void)!tree_remove(staged, name);
	}
}
