/* SPDX-License-Identifier: MIT */
/*
 * write.c - libsm: a group becomes a file of the queue; see pending.h and pending/group.h
 *
 * All of it is made in memory, checked by the very function the boot uses, and put in its place by
 * one durable replacement. Copies for other file systems are made and durable before that.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/bytes.h"
#include "base/text.h"
#include "client/pending.h"

struct writing {
	const struct sm_group *g;
	struct order o;
	uint32_t *place_rank;
	uint8_t *at; /* the file */
	size_t bytes;
};

static size_t table(struct writing *w, struct group_table *t, size_t count, size_t row_bytes)
{
	const size_t at = (w->bytes + 7) & ~(size_t)7;

	t->at = (uint32_t)at;
	t->count = (uint32_t)count;
	w->bytes = at + count * row_bytes;
	return at;
}

static void lay_out(struct writing *w, struct group_header *h)
{
	w->bytes = sizeof(*h);
	table(w, &h->fs, w->g->fs.count, sizeof(struct group_fs));
	table(w, &h->dirs, w->g->dirs.count, sizeof(struct group_dir));
	table(w, &h->places, w->g->places.count, sizeof(struct group_place));
	table(w, &h->ops, w->g->items.count, sizeof(struct group_op));
	table(w, &h->digests, w->g->digests.count, SHA256_BYTES);
	h->strings = (uint32_t)w->bytes;
	w->bytes += w->g->strings.count;
	h->bytes = w->bytes;
}

static void write_rows(struct writing *w, const struct group_header *h)
{
	const struct sm_group *g = w->g;
	struct group_fs *fs = (struct group_fs *)(w->at + h->fs.at);
	struct group_dir *dirs = (struct group_dir *)(w->at + h->dirs.at);
	struct group_place *places = (struct group_place *)(w->at + h->places.at);

	for (uint32_t i = 0; i < g->fs.count; i++) {
		memcpy(fs[i].uuid, fs_at(g, i)->uuid, sizeof(fs[i].uuid));
		fs[i].root = fs_at(g, i)->root;
	}
	for (uint32_t i = 0; i < g->dirs.count; i++) {
		const struct dir *d = dir_at(g, w->o.dirs[i]);

		dirs[i] = (struct group_dir){.fs = d->fs, .path = d->path};
	}
	for (uint32_t i = 0; i < g->places.count; i++) {
		const struct place *p = place_at(g, w->o.places[i]);

		places[i] = (struct group_place){.dir = w->o.dir_rank[p->dir], .name = p->name};
	}
	if (g->digests.count)
		memcpy(w->at + h->digests.at, g->digests.row, g->digests.count * SHA256_BYTES);
	memcpy(w->at + h->strings, g->strings.row, g->strings.count);
}

static void write_operations(struct writing *w, const struct group_header *h)
{
	struct group_op *ops = (struct group_op *)(w->at + h->ops.at);

	for (uint32_t i = 0; i < w->g->items.count; i++) {
		const struct item *o = item_at(w->g, i);
		const bool sum = o->digest != NO_PLACE;

		ops[i] = (struct group_op){
			.kind = o->kind,
			.flags = (uint16_t)((o->flags &
					     (GROUP_REPLACE | GROUP_OPTIONAL | GROUP_STAGED)) |
					    (sum ? GROUP_DIGEST : 0)),
			.from = w->place_rank[o->from],
			.to = o->to == NO_PLACE ? NO_PLACE : w->place_rank[o->to],
			.digest = sum ? o->digest : 0,
			.ino = o->ino,
			.tag = o->tag,
			.bytes = o->bytes};
	}
}

static int rank_places(struct writing *w)
{
	w->place_rank = malloc((w->g->places.count + 1) * sizeof(uint32_t));
	if (!w->place_rank)
		return -ENOMEM;
	for (uint32_t i = 0; i < w->g->places.count; i++)
		w->place_rank[w->o.places[i]] = i;
	return 0;
}

int group_bytes(struct sm_group *g, uint32_t id, struct group_header **ret)
{
	struct writing w = {.g = g};
	struct group_header h = g->head;
	int r = order_make(g, &w.o);

	if (r < 0)
		return r;
	memcpy(h.magic, GROUP_MAGIC, sizeof(h.magic));
	h.crc = 0;
	h.id = id;
	lay_out(&w, &h);
	r = w.bytes > GROUP_BYTES_MAX ? -EFBIG : rank_places(&w);
	w.at = r < 0 ? NULL : calloc(1, w.bytes);
	if (w.at) {
		memcpy(w.at, &h, sizeof(h));
		write_rows(&w, &h);
		write_operations(&w, &h);
		((struct group_header *)w.at)->crc = group_crc((struct group_header *)w.at);
		r = group_check(w.at, w.bytes, NULL);
	} else if (r == 0) {
		r = -ENOMEM;
	}
	order_free(&w.o);
	free(w.place_rank);
	if (r < 0)
		free(w.at);
	else
		*ret = (struct group_header *)w.at;
	return r;
}

/* ---- queueing ---- */

static bool wants_copies(const struct sm_group *g)
{
	for (uint32_t i = 0; i < g->items.count; i++) {
		const struct item *o = item_at(g, i);

		if (o->ino && o->kind == GROUP_MOVE && !(o->flags & GROUP_STAGED) &&
		    dir_at(g, place_at(g, o->from)->dir)->fs !=
			    dir_at(g, place_at(g, o->to)->dir)->fs)
			return true;
	}
	return false;
}

/*
 * A number for copies to lie under before there is a group: others see that it is taken, and where
 * the copies are if nobody comes back for them.
 */
static int reserve(const struct sm_group *g, uint32_t *ret, int *ret_fd)
{
	struct sm_queue *q = g->q;
	_close_ int lock = pending_lock(q->dir);
	char name[GROUP_FILE_BYTES];
	_close_ int fd = -1;
	uint32_t id;
	int r = lock < 0 ? lock : queue_next_id(q, &id);

	if (r < 0)
		return r;
	group_file_name(name, id, PENDING_MAKING);
	fd = sys_open(q->dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	r = fd < 0 ? fd : sys_flock(fd, LOCK_EX | LOCK_NB);
	for (uint32_t i = 0; r == 0 && i < g->fs.count; i++) {
		const char *root = string_at(g, fs_at(g, i)->root);

		r = sys_write_all(fd, root, strlen(root) + 1);
	}
	if (r == 0)
		r = sys_fsync(fd);
	if (r == 0)
		r = sys_fsync(q->dir);
	if (r < 0)
		return r;
	*ret = id;
	*ret_fd = fd_take(fd);
	return 0;
}

/*
 * The file of the group under the lock; an open group is replaced while it still waits. What others
 * queued since it was checked is looked at once more: problems are told and counted, as by check.
 */
static int write_group(struct sm_group *g, uint32_t id, const struct sm_watch *watch, uint32_t *ret)
{
	struct sm_queue *q = g->q;
	_close_ int lock = pending_lock(q->dir);
	struct group_header *h = NULL;
	struct group_story story;
	char name[GROUP_FILE_BYTES];
	int r = lock < 0 ? lock : 0;

	if (r == 0 && !id)
		r = queue_next_id(q, &id);
	if (r == 0 && g->read) {
		const struct group_header *now = NULL;

		r = story_read(q->dir, id, &story);
		if (r == 0 && (story.end || story.lost))
			r = -EALREADY;
		if (r == 0)
			r = pending_load(q->dir, id, &now);
		if (r == 0 && now->crc != g->read->crc)
			r = -ESTALE;
		pending_unload(now);
	}
	if (r == 0)
		r = check_earlier(g, watch);
	if (r == 0)
		r = group_bytes(g, id, &h);
	group_file_name(name, id, ".group");
	if (r == 0)
		r = sys_replace_file(q->dir, name, h, h->bytes, 0600);
	free(h);
	if (r == 0)
		*ret = id;
	return r;
}

int sm_group_queue(struct sm_group *g, const struct sm_watch *watch, uint32_t *ret_group)
{
	uint32_t id = g->read ? g->read->id : 0;
	_close_ int reserved = -1;
	char name[GROUP_FILE_BYTES];
	bool copies;
	int r;

	if (!g->items.count || g->head.flags & GROUP_REVERSE)
		return -EINVAL;
	r = check(g, watch);
	if (r == 0)
		r = queue_make(g->q);
	if (r != 0)
		return r;
	copies = wants_copies(g);
	if (copies && !id)
		r = reserve(g, &id, &reserved);
	if (r == 0 && copies)
		r = stage_all(g, id, watch);
	if (watch && watch->progress)
		watch->progress(watch->arg, "writing", 0, g->operations);
	g->head.wall_s = sys_wall_s();
	if (r == 0)
		r = write_group(g, id, watch, ret_group);
	if (r != 0 && reserved >= 0) /* else some of them may be of what is queued already */
		stage_drop(g, id);
	if (reserved >= 0) {
		group_file_name(name, id, PENDING_MAKING);
		(void)!sys_unlink(g->q->dir, name, 0);
	}
	return r;
}
