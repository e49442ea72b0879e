/* SPDX-License-Identifier: MIT */
/*
 * check.c - libsm: a group carried out on paper, every problem told; see pending.h
 *
 * The same questions as the boot asks (pending/run.c), only that an answer does not end it: after a
 * problem the operation is taken as done, so that what follows is judged as it was meant. A mistake
 * is told once: where the way to a file is wrong, nothing is said of what stands there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "client/pending.h"
#include "pending/protect.h"

#define NOBODY         UINT32_MAX
#define SOMETHING      (UINT32_MAX - 1) /* what an operation with a problem would have left there */
#define SLACK          (1u << 20)       /* of free bytes that no estimate takes */
#define EXCHANGE_TRIES 100u
#define SLOT_BYTES     64u /* a directory entry of a graveyard, generously */

struct checking {
	struct sm_group *g;
	const struct sm_watch *watch;
	int found;
	uint32_t number;
	uint32_t group; /* the one that comes first, while it is looked at; else 0 */
};

static void tell(struct checking *c, uint32_t number, int why, const char *path)
{
	const struct sm_problem p = {
		.operation = number, .reason = why, .group = c->group, .path = path};

	c->found++;
	if (c->watch && c->watch->problem)
		c->watch->problem(c->watch->arg, &p);
}

static void tell_place(struct checking *c, uint32_t place, int why)
{
	char room[PATH_BYTES];

	tell(c, c->number, why, place_path(c->g, place, room));
}

/* ---- protected paths ---- */

bool queue_protects(void *arg, const char *path)
{
	const struct sm_queue *q = arg;

	return protect_covers(path, q->hive, q->state_path);
}

static void check_protected(struct checking *c, uint32_t place)
{
	char room[PATH_BYTES];

	if (place == NO_PLACE || c->g->head.flags & GROUP_PROTECTED ||
	    place_at(c->g, place)->flags & PLACE_STAGED)
		return;
	if (queue_protects(c->g->q, place_path(c->g, place, room)))
		tell(c, c->number, GROUP_WHY_PROTECTED, room);
}

/* ---- places ---- */

/* Whether a place can be worked with at all. */
static bool check_place(struct checking *c, uint32_t place)
{
	const struct place *p = place_at(c->g, place);
	const struct dir *d = dir_at(c->g, p->dir);

	if (d->why) {
		tell(c, c->number, d->why, string_at(c->g, d->bad));
		return false;
	}
	if (fs_at(c->g, d->fs)->why)
		tell_place(c, place, fs_at(c->g, d->fs)->why);
	if (p->why)
		tell_place(c, place, p->why);
	return !p->why;
}

static bool goes_through(struct checking *c, const struct item *o, uint32_t place)
{
	const uint32_t through =
		place == NO_PLACE ? NO_PLACE : dir_at(c->g, place_at(c->g, place)->dir)->through;

	if (through == NO_PLACE)
		return false;
	tell_place(c, place, o->from == through && place == o->to ? WHY_INTO_SELF : WHY_THROUGH);
	return true;
}

static void check_identity(struct checking *c, struct item *o, uint32_t thing)
{
	const struct place *p = place_at(c->g, thing);
	const struct group_op *kept;

	o->thing = thing;
	o->ino = p->ino;
	o->tag = p->tag;
	o->bytes = p->bytes;
	o->digest = p->digest;
	if (!o->kept)
		return;
	kept = group_op(c->g->read, o->kept - 1);
	if (kept->ino != o->ino || kept->tag != o->tag ||
	    (!S_ISDIR(p->mode) && kept->bytes != o->bytes)) {
		tell_place(c, thing, GROUP_WHY_IDENTITY);
	} else if (kept->flags & GROUP_DIGEST &&
		   (o->digest == NO_PLACE ||
		    !bytes_same((uint8_t *)c->g->digests.row + (size_t)o->digest * SHA256_BYTES,
				group_digest(c->g->read, kept->digest), SHA256_BYTES))) {
		tell_place(c, thing, GROUP_WHY_DIGEST);
	}
}

/* What a thing must be to leave for another file system, and what that needs there. */
static void check_copy(struct checking *c, const struct item *o, uint32_t thing)
{
	const struct place *p = place_at(c->g, thing);
	struct fs *f = fs_at(c->g, dir_at(c->g, place_at(c->g, o->to)->dir)->fs);
	_close_ int dir = open_dir(c->g->q, string_at(c->g, dir_at(c->g, p->dir)->path));
	uint64_t bytes = 0;
	int r = dir < 0 ? dir : tree_bytes(dir, string_at(c->g, p->name), &bytes);

	if (r < 0)
		tell_place(c, thing, r);
	f->wanted_bytes += bytes;
	f->shared = true;
}

static void check_thing(struct checking *c, struct item *o, uint32_t thing, uint32_t target)
{
	const struct place *p = place_at(c->g, thing);

	if (p->flags & PLACE_FIXED)
		tell_place(c, thing, -EPERM);
	if (o->flags & ITEM_FROM_DIR && !S_ISDIR(p->mode))
		tell_place(c, thing, -ENOTDIR);
	check_identity(c, o, thing);
	fs_at(c->g, dir_at(c->g, place_at(c->g, o->from)->dir)->fs)->wanted_bytes += SLOT_BYTES;
	if (o->kind == GROUP_MOVE && dir_at(c->g, place_at(c->g, o->from)->dir)->fs !=
					     dir_at(c->g, place_at(c->g, o->to)->dir)->fs)
		check_copy(c, o, thing);
	if (target == NOBODY)
		return;
	fs_at(c->g, dir_at(c->g, place_at(c->g, o->to)->dir)->fs)->exchanges = true;
	if (target == SOMETHING)
		return;
	if (place_at(c->g, target)->flags & PLACE_FIXED)
		tell_place(c, target, -EPERM);
	if (S_ISDIR(p->mode) != S_ISDIR(place_at(c->g, target)->mode))
		tell_place(c, o->to, GROUP_WHY_KIND);
}

static void take_as_done(struct checking *c, const struct item *o, uint32_t thing)
{
	if (o->to != NO_PLACE)
		c->g->want[o->to] = thing;
	c->g->want[o->from] = NOBODY;
}

static void check_item(struct checking *c, struct item *o)
{
	uint32_t thing = c->g->want[o->from], target = NOBODY;
	bool good;

	c->number = o->number;
	o->ino = 0;
	if (o->flags & ITEM_MET || goes_through(c, o, o->from) || goes_through(c, o, o->to)) {
		take_as_done(c, o, SOMETHING);
		return;
	}
	good = check_place(c, o->from);
	if (o->to != NO_PLACE) {
		good &= check_place(c, o->to);
		target = c->g->want[o->to];
	}
	check_protected(c, o->from);
	check_protected(c, o->to);
	if (thing == NOBODY && good && o->flags & GROUP_OPTIONAL)
		return;
	if (thing == NOBODY && good)
		tell_place(c, o->from, -ENOENT);
	if (thing != NOBODY && target != NOBODY && !(o->flags & GROUP_REPLACE))
		tell_place(c, o->to, -EEXIST);
	if (thing == NOBODY || thing == SOMETHING || !good)
		thing = SOMETHING;
	else
		check_thing(c, o, thing, target);
	take_as_done(c, o, thing);
}

/* ---- file systems ---- */

/* Names of this process: others may try the same at the same time. */
static int exchange_in(int dir)
{
	char names[2][48];
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 2; i++) {
		struct text t = TEXT_ON(names[i]);
		_close_ int fd = -1;

		text_u64(text_add(&t, ".exchange."), 2 * (uint64_t)getpid() + i);
		fd = sys_open(dir, names[i], O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
		r = fd < 0 ? fd : 0;
		if (r < 0 && i)
			(void)!sys_unlink(dir, names[0], 0);
	}
	if (r < 0)
		return r;
	r = sys_rename(dir, names[0], dir, names[1], 2);
	for (unsigned i = 0; i < 2; i++)
		(void)!sys_unlink(dir, names[i], 0);
	return r;
}

/*
 * Two files of our own are exchanged where the graveyard would be, and nothing is left of it. A
 * directory that is another's would be refused by the boot, and may hold a pipe for us to wait at.
 * -ENOENT: one who tried the same took the directory away between; once more.
 */
static int try_exchange(const struct sm_group *g, const struct fs *f)
{
	_close_ int root = open_dir(g->q, string_at(g, f->root));
	int r = root < 0 ? root : -ENOENT;

	for (unsigned i = 0; i < EXCHANGE_TRIES && root >= 0 && r == -ENOENT; i++) {
		const int made = sys_mkdir(root, GRAVEYARD_FS, 0700);
		_close_ int dir = made < 0 && made != -EEXIST
					  ? made
					  : ground_step_into(root, GRAVEYARD_FS, false);

		r = dir < 0 ? dir : exchange_in(dir);
		if (made == 0)
			(void)!sys_unlink(root, GRAVEYARD_FS, AT_REMOVEDIR);
	}
	return r == -EINVAL || r == -ENOSYS ? WHY_NO_EXCHANGE : r;
}

static void check_fs(struct checking *c)
{
	for (uint32_t i = 0; i < c->g->fs.count; i++) {
		const struct fs *f = fs_at(c->g, i);
		const char *root = string_at(c->g, f->root);
		int r = 0;

		if (f->why)
			continue;
		if (f->wanted_bytes > f->avail_bytes ||
		    f->avail_bytes - f->wanted_bytes < (f->shared ? SLACK : 0))
			tell(c, SM_NO_OPERATION, -ENOSPC, root);
		else if (f->exchanges)
			r = try_exchange(c->g, f);
		if (r < 0)
			tell(c, SM_NO_OPERATION, r, root);
	}
}

/* ---- earlier groups ---- */

int group_touches(const struct group_header *earlier, const char *path, bool whole)
{
	size_t n = 1;

	for (; path[n]; n++)
		if (path[n] == '/' && group_find_place(earlier, path, n) != NO_PLACE)
			return WHY_BELOW;
	return whole && group_find_place(earlier, path, n) != NO_PLACE ? WHY_EARLIER : 0;
}

/* What a group that comes first moves is not what stands there now. */
static void meet_earlier(struct checking *c, const struct group_header *earlier)
{
	char room[PATH_BYTES];

	c->group = earlier->id;
	for (uint32_t i = 0; i < c->g->items.count; i++) {
		struct item *o = item_at(c->g, i);
		int why;

		if (o->flags & ITEM_MET)
			continue;
		why = group_touches(earlier, place_path(c->g, o->from, room), true);
		if (!why && o->to != NO_PLACE)
			why = group_touches(earlier, place_path(c->g, o->to, room),
					    !(o->flags & GROUP_REPLACE));
		if (!why)
			continue;
		o->flags |= ITEM_MET;
		tell(c, o->number, why, room);
	}
	c->group = 0;
}

static int check_queue(struct checking *c)
{
	const uint32_t own = c->g->read ? c->g->read->id : UINT32_MAX;
	struct sm_queue *q = c->g->q;
	struct sm_group_row row;
	uint32_t cursor = 0;
	int r;

	for (uint32_t i = 0; i < c->g->items.count; i++)
		item_at(c->g, i)->flags &= (uint16_t)~ITEM_MET;
	while ((r = sm_group_next(q, &cursor, &row)) > 0) {
		const struct group_header *earlier = NULL;

		if (row.group >= own)
			break;
		if ((row.state != SM_GROUP_QUEUED && row.state != SM_GROUP_FAILED) || row.of)
			continue;
		if (pending_load(q->dir, row.group, &earlier) == 0)
			meet_earlier(c, earlier);
		pending_unload(earlier);
	}
	return r < 0 ? r : 0;
}

int check_earlier(struct sm_group *g, const struct sm_watch *watch)
{
	struct checking c = {.g = g, .watch = watch};
	int r = check_queue(&c);

	return r < 0 ? r : c.found;
}

int check(struct sm_group *g, const struct sm_watch *watch)
{
	struct checking c = {.g = g, .watch = watch};
	int r = look(g, watch);

	if (r == 0)
		r = check_queue(&c);
	if (r < 0)
		return r;
	free(g->want);
	g->want = malloc((g->places.count + 1) * sizeof(uint32_t));
	if (!g->want)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->places.count; i++)
		g->want[i] = place_at(g, i)->ino ? i : NOBODY;
	for (uint32_t i = 0; i < g->items.count; i++) {
		c.number = item_at(g, i)->number;
		check_item(&c, item_at(g, i));
	}
	check_fs(&c);
	return c.found;
}

int sm_group_check(struct sm_group *g, const struct sm_watch *watch)
{
	return g->head.flags & GROUP_REVERSE ? check_undo(g, watch) : check(g, watch);
}
