/* SPDX-License-Identifier: MIT */
/*
 * acts.c - libsm: what can be done with a queued group, and its story; see sm.h
 *
 * Every change waits for the queue's lock, looks again under it, and is durable before it is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/bytes.h"
#include "base/text.h"
#include "client/pending.h"
#include "pending/purge.h"
#include "pending/staged.h"
#include "state/state.h"

_Static_assert((int)SM_GROUP_REVERTED == (int)GROUP_REVERTED &&
		       (int)GROUP_STATES == (int)SM_GROUP_CANCELLED,
	       "states of sm.h are those of record.h, and then two more");

const char *sm_group_state_word(enum sm_group_state state)
{
	if (state == SM_GROUP_CANCELLED)
		return "cancelled";
	return state == SM_GROUP_DAMAGED ? "damaged" : group_state_word(state);
}

/* ---- changes ---- */

/* The lock, and what stands about a group then. Returns the lock or -errno. */
static int lock_on(struct sm_queue *q, uint32_t group, struct group_story *story)
{
	_close_ int lock = -1;
	char name[GROUP_FILE_BYTES];
	struct sys_stat st;
	int r;

	if (q->dir < 0)
		return -ENOENT;
	lock = pending_lock(q->dir);
	if (lock < 0)
		return lock;
	group_file_name(name, group, ".group");
	r = sys_stat_at(q->dir, name, AT_SYMLINK_NOFOLLOW, &st);
	if (r >= 0)
		r = story_read(q->dir, group, story);
	return r < 0 ? r : fd_take(lock);
}

int sm_group_cancel(struct sm_queue *q, uint32_t group)
{
	struct group_story story;
	_close_ int lock = lock_on(q, group, &story);
	char from[GROUP_FILE_BYTES], to[GROUP_FILE_BYTES];
	struct sm_group *g = NULL;
	int r;

	if (lock < 0)
		return lock;
	/* Failed and refused groups have left everything as it was; they can go too. */
	if (story.state != GROUP_QUEUED && story.state != GROUP_FAILED &&
	    story.state != GROUP_REFUSED && story.state != GROUP_QUARANTINED)
		return -EALREADY;
	(void)!sm_group_open(q, group, &g);
	group_file_name(from, group, ".group");
	group_file_name(to, group, CANCELLED);
	r = sys_rename(q->dir, from, q->dir, to, 0);
	if (r >= 0)
		r = sys_fsync(q->dir);
	if (r >= 0 && g && staged_untouched(q->root, g->read) == 1)
		stage_drop(g, group);
	sm_group_free(g);
	return r;
}

/*
 * A group that takes this one back and has a say yet: it waits, is on its way, or no accepted boot
 * has kept it, so that a fallback would put this one on again. Returns 0, -EALREADY or -errno.
 */
static int undo_stands(struct sm_queue *q, uint32_t group)
{
	struct boot_state state = {0};
	struct sm_group_row row;
	uint32_t cursor = 0;
	int r;

	if (state_read(q->state, &state) < 0)
		state = (struct boot_state){0};
	while ((r = sm_group_next(q, &cursor, &row)) > 0) {
		if (row.of != group)
			continue;
		if (row.state == SM_GROUP_QUEUED || row.state == SM_GROUP_BEGUN ||
		    row.state == SM_GROUP_FAILED || row.state == SM_GROUP_REVERTING ||
		    (row.state == SM_GROUP_APPLIED && row.applied_boot > state.accepted_boots))
			return -EALREADY;
	}
	return r;
}

/* A purge is still removing what it kept. */
static bool things_left(struct sm_queue *q, uint32_t group)
{
	char name[GROUP_FILE_BYTES];
	struct sys_stat st;

	group_file_name(name, group, ".things");
	return sys_stat_at(q->dir, name, AT_SYMLINK_NOFOLLOW, &st) >= 0;
}

int sm_group_retry(struct sm_queue *q, uint32_t group)
{
	struct group_story story;
	_close_ int lock = lock_on(q, group, &story);
	int r;

	if (lock < 0)
		return lock;
	if (story.state != GROUP_FAILED && story.state != GROUP_REFUSED &&
	    story.state != GROUP_QUARANTINED && story.state != GROUP_REVERTED)
		return -EINVAL;
	r = undo_stands(q, group);
	if (r == 0 && story.purged && (story.aside || things_left(q, group)))
		r = -EBUSY;
	/* A purge may be at its graveyards without the lock: what comes there now would go too. */
	if (r == 0)
		r = sys_flock(q->dir, LOCK_EX | LOCK_NB);
	if (r < 0)
		return r == -EAGAIN ? -EBUSY : r;
	r = story_add(q->dir, group, GROUP_EV_RETRY,
		      (struct group_record){.op = NO_PLACE, .boots = story.last.boots}, &story);
	(void)!sys_flock(q->dir, LOCK_UN);
	return r;
}

/* Another group that waits to take this one back. */
static bool undo_waits(struct sm_queue *q, uint32_t group)
{
	struct sm_group_row row;
	uint32_t cursor = 0;

	while (sm_group_next(q, &cursor, &row) > 0)
		if (row.of == group &&
		    (row.state == SM_GROUP_QUEUED || row.state == SM_GROUP_BEGUN ||
		     row.state == SM_GROUP_FAILED))
			return true;
	return false;
}

static int write_reverse(struct sm_queue *q, const struct group_header *of, const char *reason,
			 uint32_t *ret)
{
	struct {
		struct group_header h;
		char strings[8];
	} file = {.h = {.bytes = sizeof(file),
			.wall_s = sys_wall_s(),
			.flags = GROUP_REVERSE,
			.of = of->id,
			.uid = sys_uid(),
			.strings = sizeof(struct group_header)}};
	char name[GROUP_FILE_BYTES];
	struct text t = TEXT_ON(file.h.name);
	int r = queue_next_id(q, &file.h.id);

	memcpy(file.h.magic, GROUP_MAGIC, sizeof(file.h.magic));
	text_add(text_add(&t, "undo "), of->name);
	(void)str_copy(file.h.reason, sizeof(file.h.reason), reason ? reason : "");
	file.h.crc = group_crc(&file.h);
	if (r == 0)
		r = group_check(&file, sizeof(file), NULL);
	if (r < 0)
		return r;
	group_file_name(name, file.h.id, ".group");
	r = sys_replace_file(q->dir, name, &file, sizeof(file), 0600);
	if (r == 0)
		*ret = file.h.id;
	return r;
}

int sm_group_undo(struct sm_queue *q, uint32_t group, const char *reason, uint32_t *ret_group)
{
	struct group_story story;
	_close_ int lock = lock_on(q, group, &story);
	const struct group_header *of = NULL;
	int r = lock;

	if (r >= 0)
		r = pending_load(q->dir, group, &of);
	if (r == 0)
		r = of->flags & GROUP_REVERSE      ? WHY_UNDO
		    : story.purged                 ? -ENODATA
		    : story.state != GROUP_APPLIED ? -EINVAL
		    : undo_waits(q, group)         ? -EALREADY
						   : 0;
	if (r == 0)
		r = write_reverse(q, of, reason, ret_group);
	pending_unload(of);
	return r;
}

/* ---- offline ---- */

struct applying {
	struct sm_queue *q;
	void (*told)(void *arg, const struct sm_group_row *row);
	void *arg;
};

static bool protects(void *arg, const char *path)
{
	return queue_protects(((struct applying *)arg)->q, path);
}

/* A group that waits for another boot has no record of why, so what was told stands for it. */
static void tell(void *arg, const struct group_told *t)
{
	const struct applying *a = arg;
	struct sm_group_row row;

	if (!a->told || queue_row(a->q, t->id, false, &row) < 0)
		return;
	if (t->result) {
		row.reason = t->result;
		row.operation = SM_NO_OPERATION;
		if (t->group)
			row.operation = queue_blame(a->q, t->group, t->op, t->result, row.path);
	}
	a->told(a->arg, &row);
}

int sm_queue_apply(struct sm_queue *q, bool fallback,
		   void (*told)(void *arg, const struct sm_group_row *row), void *arg)
{
	struct applying a = {.q = q, .told = told, .arg = arg};
	struct boot_state state = {0};
	struct pending_step step = {.state = q->state,
				    .prefix = q->prefix,
				    .fallback = fallback,
				    .protects = protects,
				    .tell = tell,
				    .arg = &a};

	int groups = 0, classic;

	if (q->dir >= 0) {
		if (state_read(q->state, &state) < 0)
			state = (struct boot_state){0};
		step.boots = state.boots + 1; /* it belongs to the boot that comes */
		step.accepted = state.accepted_boots;
		groups = pending_run(&step);
	}
	if (groups < 0 || fallback)
		return groups;
	classic = classic_apply(q);
	return classic < 0 ? classic : groups | classic;
}

/* Groups that hold what they replaced, and that no accepted boot has kept. */
static int count_unaccepted(struct sm_queue *q, uint32_t *ret)
{
	struct sm_group_row row;
	uint32_t cursor = 0, count = 0;
	int r;

	while ((r = sm_group_next(q, &cursor, &row)) > 0)
		count += !row.purged && !row.accepted &&
			 (row.state == SM_GROUP_APPLIED || row.state == SM_GROUP_REVERTED) &&
			 things_left(q, row.group);
	*ret = count;
	return r;
}

int sm_queue_purge(struct sm_queue *q, const struct sm_keep *keep, struct sm_purged *ret)
{
	struct sm_purged told = {0};
	struct boot_state state = {0};
	struct pending_purged done = {0};
	struct pending_purge purge = {.state = q->state,
				      .prefix = q->prefix,
				      .keep_groups = keep->groups,
				      .keep_days = keep->days,
				      .keep_bytes = keep->bytes};
	int r;

	if (q->dir < 0) {
		*ret = told;
		return 0;
	}
	if (state_read(q->state, &state) < 0)
		state = (struct boot_state){0};
	purge.accepted = keep->unaccepted ? UINT64_MAX : state.accepted_boots;
	r = pending_purge(&purge, &done);
	told.groups = done.groups;
	told.left = done.left;
	if (r == 0 && !keep->unaccepted)
		r = count_unaccepted(q, &told.unaccepted);
	if (r == 0)
		*ret = told;
	return r;
}
