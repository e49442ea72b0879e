/* SPDX-License-Identifier: MIT */
/*
 * queue.c - libsm: the queue of a system, its groups and what became of them; see sm.h
 *
 * Reading needs no lock: a group's file never changes under its number once it began, and its
 * journal only grows. Writing waits for the lock, which the boot holds while it works.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/pending.h"
#include "pending/protect.h"
#include "state/state.h"

#define DEFAULT_HIVE "/etc/smss/SYSTEM"
#define IDS_MAX      (2 * GROUPS_MAX)

static int open_in(const struct sm_queue *q, const char *path)
{
	return sys_open_beneath(q->root, path, O_RDONLY | O_DIRECTORY, 0, RESOLVE_IN_ROOT);
}

static int open_state(struct sm_queue *q)
{
	if (q->state < 0)
		q->state = open_in(q, q->state_path);
	if (q->state >= 0 && q->dir < 0)
		q->dir = sys_open(q->state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
				  0);
	if (q->state < 0)
		return q->state == -ENOENT ? 0 : q->state;
	return q->dir < 0 && q->dir != -ENOENT ? q->dir : 0;
}

int sm_queue_open(const char *root, const char *state, const char *hive, struct sm_queue **ret)
{
	struct sm_queue *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->root = q->state = q->dir = -1;
	if (root && (str_same(root, "/") || !*root))
		root = NULL;
	state = state ? state : SM_STATE_DIRECTORY;
	hive = hive ? hive : DEFAULT_HIVE;
	r = protect_canonical(state) && protect_canonical(hive) &&
			    str_copy(q->state_path, PATH_BYTES, state) &&
			    str_copy(q->hive, PATH_BYTES, hive) &&
			    str_copy(q->prefix, PATH_BYTES, root ? root : "")
		    ? 0
		    : -EINVAL;
	if (r == 0) {
		q->root = sys_open(AT_FDCWD, root ? root : "/", O_RDONLY | O_DIRECTORY, 0);
		r = q->root < 0 ? q->root : open_state(q);
	}
	if (r < 0)
		sm_queue_close(q);
	else
		*ret = q;
	return r;
}

void sm_queue_close(struct sm_queue *q)
{
	if (!q)
		return;
	sys_closep(&q->root);
	sys_closep(&q->state);
	sys_closep(&q->dir);
	free(q->numbers);
	free(q->asides.row);
	classic_close(q->classic);
	free(q);
}

int queue_make(struct sm_queue *q)
{
	char part[PATH_BYTES];

	for (size_t n = 0; q->state < 0 && q->state_path[n];) {
		_close_ int above = -1;
		const char *name = q->state_path + n + 1;
		const size_t name_n = strcspn(name, "/");
		int r;

		memcpy(part, q->state_path, n);
		part[n] = 0;
		above = open_in(q, n ? part : "/");
		if (above < 0)
			return above;
		memcpy(part, name, name_n);
		part[name_n] = 0;
		r = sys_mkdir(above, part, 0755);
		if (r == 0) /* or a cut after the first group of all could lose it */
			r = sys_fsync(above);
		if (r < 0 && r != -EEXIST)
			return r;
		n += 1 + name_n;
	}
	if (q->dir < 0) {
		int r = open_state(q);

		if (r == 0 && q->state >= 0 && q->dir < 0) {
			r = sys_mkdir(q->state, PENDING_DIRECTORY, 0700);
			if (r == -EEXIST)
				r = 0;
			if (r == 0)
				r = sys_fsync(q->state);
			if (r == 0)
				r = open_state(q);
		}
		if (r < 0)
			return r;
	}
	return q->dir < 0 ? q->dir : 0;
}

/* ---- numbers ---- */

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* The number that a file of the queue belongs to; its ending is left in *ret_ending. */
static bool number_of(const char *name, uint32_t *ret, const char **ret_ending)
{
	uint32_t id = 0;

	for (unsigned i = 0; i < 8; i++) {
		const char c = name[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		id = id << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = id;
	*ret_ending = name + 8;
	return true;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t x = ((const struct numbered *)a)->id, y = ((const struct numbered *)b)->id;

	return x < y ? -1 : x > y;
}

/*
 * Every .group and .cancelled file into q->numbers, in order; *ret_last is the highest number of
 * any file of the queue, 0 none.
 */
static int scan_numbers(struct sm_queue *q, uint32_t *ret_last)
{
	struct list l = {.row_bytes = sizeof(struct numbered)};
	_close_ int list = sys_open(q->dir, ".", O_RDONLY | O_DIRECTORY, 0);
	uint64_t room[4096];
	uint32_t last = 0;
	ssize_t n = list;

	while (list >= 0 && (n = sys_list(list, room, sizeof(room))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct entry *e = (const struct entry *)((const char *)room + at);
			struct numbered *row;
			const char *ending;
			uint32_t id;

			at += e->bytes;
			if (!number_of(e->name, &id, &ending))
				continue;
			last = id > last ? id : last;
			if (!str_same(ending, CANCELLED) && !str_same(ending, ".group"))
				continue;
			row = list_add(&l, 1);
			if (!row)
				return -ENOMEM;
			*row = (struct numbered){id, str_same(ending, CANCELLED)};
		}
	free(q->numbers);
	q->numbers = l.row;
	q->count = l.count;
	if (l.count)
		qsort(l.row, l.count, l.row_bytes, by_number);
	*ret_last = last;
	return n < 0 ? (int)n : 0;
}

int queue_next_id(struct sm_queue *q, uint32_t *ret)
{
	uint32_t last, groups = 0;
	int r = scan_numbers(q, &last);

	if (r < 0)
		return r;
	for (size_t i = 0; i < q->count; i++)
		groups += !q->numbers[i].cancelled;
	if (last == UINT32_MAX || groups >= GROUPS_MAX) /* the boot could not list them */
		return -ENOSPC;
	*ret = last + 1;
	return 0;
}

/* ---- rows ---- */

uint32_t queue_user_number(const struct group_header *g, uint32_t op)
{
	uint32_t number = 0;

	if (op >= g->ops.count)
		return SM_NO_OPERATION;
	for (uint32_t i = 0; i < op; i++)
		number += !(group_op(g, i)->flags & GROUP_STAGED);
	return number;
}

static uint32_t user_operations(const struct group_header *g)
{
	uint32_t copied = 0;

	for (uint32_t i = 0; i < g->ops.count; i++)
		copied += (group_op(g, i)->flags & GROUP_STAGED) != 0;
	return g->ops.count - copied;
}

/* What an accepted boot found done, no fallback changes. */
static bool is_accepted(const struct sm_queue *q, const struct group_story *s)
{
	const uint64_t boot = s->state == GROUP_APPLIED    ? s->applied_boots
			      : s->state == GROUP_REVERTED ? s->last.boots
							   : 0;
	struct boot_state state;

	return boot && state_read(q->state, &state) >= 0 && boot <= state.accepted_boots;
}

static void fill_story(const struct group_story *s, struct sm_group_row *ret)
{
	ret->state = (enum sm_group_state)s->state;
	ret->attempts = s->attempts;
	ret->reason = s->state == GROUP_QUEUED ? 0 : s->last.result;
	ret->foreign = s->purged ? s->last.foreign : s->aside;
	ret->purged = s->purged;
	ret->last_wall_s = s->last.wall_s;
	ret->last_boot = s->last.boots;
	ret->applied_boot = s->state == GROUP_APPLIED ? s->applied_boots : 0;
}

/* A cancelled group's file has another name; it is read under it. */
int queue_load(const struct sm_queue *q, uint32_t id, bool cancelled,
	       const struct group_header **ret)
{
	char name[GROUP_FILE_BYTES];
	_close_ int fd = -1;
	struct sys_stat st;
	void *room;
	int r;

	if (!cancelled)
		return pending_load(q->dir, id, ret);
	group_file_name(name, id, CANCELLED);
	fd = sys_open(q->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	r = fd < 0 ? fd : sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if (st.size < sizeof(struct group_header) || st.size > GROUP_BYTES_MAX)
		return GROUP_WHY_FORM;
	r = sys_scratch(st.size, &room);
	if (r < 0)
		return r;
	if (sys_read_all(fd, room, st.size) != (ssize_t)st.size ||
	    group_check(room, st.size, NULL) < 0) {
		sys_scratch_back(room, st.size);
		return GROUP_WHY_FORM;
	}
	*ret = room;
	return 0;
}

int queue_row(struct sm_queue *q, uint32_t id, bool cancelled, struct sm_group_row *ret)
{
	struct sm_group_row row = {.group = id, .operation = SM_NO_OPERATION};
	const struct group_header *g = NULL;
	struct group_story story;
	int r = story_read(q->dir, id, &story);

	if (r < 0)
		return r;
	fill_story(&story, &row);
	row.accepted = is_accepted(q, &story);
	r = queue_load(q, id, cancelled, &g);
	if (r < 0 && r != GROUP_WHY_FORM)
		return r;
	if (r < 0) {
		row.state = SM_GROUP_DAMAGED;
		row.reason = r;
	} else {
		row.operation = queue_blame(q, g, story.end ? story.last.op : NO_PLACE, row.reason,
					    row.path);
		row.operations = user_operations(g);
		row.of = g->flags & GROUP_REVERSE ? g->of : 0;
		row.uid = g->uid;
		row.allow_protected = g->flags & GROUP_PROTECTED;
		row.queued_wall_s = g->wall_s;
		(void)str_copy(row.name, sizeof(row.name), g->name);
		(void)str_copy(row.text, sizeof(row.text), g->reason);
		if (cancelled)
			row.state = SM_GROUP_CANCELLED;
	}
	pending_unload(g);
	*ret = row;
	return 0;
}

int sm_group_next(struct sm_queue *q, uint32_t *cursor, struct sm_group_row *ret)
{
	uint32_t last;
	int r = q->dir < 0 ? 0 : *cursor ? 0 : scan_numbers(q, &last);

	for (size_t i = 0; r == 0 && q->dir >= 0 && i < q->count; i++) {
		if (q->numbers[i].id <= *cursor)
			continue;
		*cursor = q->numbers[i].id;
		r = queue_row(q, *cursor, q->numbers[i].cancelled, ret);
		if (r == 0)
			return 1;
		r = r == -ENOENT ? 0 : r; /* it was cancelled or forgotten meanwhile */
	}
	return r;
}
