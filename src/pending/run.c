/* SPDX-License-Identifier: MIT */
/*
 * run.c - all groups that a boot has something to do for, in their order; see run.h
 *
 * What one group needs is apply.c's, and reverse.c's when it takes back another. Here is which of
 * them are due, what comes first, and what a group that is not at its end means for those behind
 * it.
 */
#include "pending/run.h"

#include <errno.h>

#include "pending/work.h"
#include "sys/sys.h"

/* ---- what a story wants of a boot ---- */

static bool wants_back(const struct group_story *s, uint64_t accepted)
{
	return s->state == GROUP_BEGUN || s->state == GROUP_REVERTING ||
	       (s->state == GROUP_APPLIED && !s->purged && s->applied_boots > accepted);
}

static bool wants_forward(const struct group_story *s)
{
	return s->state == GROUP_QUEUED || s->state == GROUP_BEGUN || s->state == GROUP_FAILED ||
	       s->state == GROUP_REVERTING;
}

int pending_waiting(int state, bool fallback, uint64_t accepted)
{
	static uint32_t ids[GROUPS_MAX];
	_close_ int dir =
		sys_open(state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int count, waiting = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	count = pending_list(dir, ids, GROUPS_MAX);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		struct group_story s;
		int r = story_read(dir, ids[i], &s);

		if (r < 0)
			return r;
		waiting += fallback ? wants_back(&s, accepted) : wants_forward(&s);
	}
	return waiting;
}

/* ---- one group ---- */

static void tell(struct work *w, uint32_t id, int result)
{
	const struct group_told told = {.id = id,
					.group = w->group,
					.state = w->story.state,
					.op = w->op,
					.result = result,
					.foreign = w->a.foreign,
					.start_ns = w->start_ns};

	if (w->step->tell)
		w->step->tell(w->step->arg, &told);
}

/* Its file cannot be read: what has not begun never will. */
static int give_up(struct work *w, uint32_t id)
{
	const enum group_event event =
		w->story.state == GROUP_BEGUN ? GROUP_EV_QUARANTINED : GROUP_EV_REFUSED;
	const struct group_record record = {
		.op = NO_PLACE, .result = GROUP_WHY_FORM, .boots = w->step->boots};

	if (w->story.state == GROUP_APPLIED || w->story.state == GROUP_REVERTING)
		return GROUP_WHY_FORM;
	return story_add(w->dir, id, event, record, &w->story) < 0 ? -EIO : GROUP_WHY_FORM;
}

/* 0; 1 when it is not as it should be; -1 when it is not at its end either: no other may follow. */
static int run_one(const struct pending_step *s, int dir, uint32_t id)
{
	struct work w = {.step = s, .dir = dir, .op = NO_PLACE, .start_ns = sys_now_ns()};
	int r = story_read(dir, id, &w.story);
	const bool known = r >= 0;
	bool open = true;

	if (known && !(s->fallback ? wants_back(&w.story, s->accepted) : wants_forward(&w.story)))
		return 0;
	if (known)
		r = pending_load(dir, id, &w.group);
	if (r >= 0 && w.story.alien && !w.story.lost)
		r = work_note(&w, GROUP_EV_REFUSED, GROUP_WHY_ALIEN) < 0 ? -EIO : GROUP_WHY_ALIEN;
	else if (r >= 0)
		r = w.group->flags & GROUP_REVERSE ? work_reverse(&w)
						   : work_operations(&w, s->fallback);
	else if (known && r == GROUP_WHY_FORM)
		r = give_up(&w, id);
	if (known)
		open = s->fallback ? wants_back(&w.story, s->accepted) : wants_forward(&w.story);
	tell(&w, id, r);
	pending_unload(w.group);
	return r >= 0 ? 0 : open ? -1 : 1;
}

/* When it was applied; a group whose undoing is taken back first is then as applied as it was. */
static uint64_t boot_of(const struct group_story *s)
{
	return s->state == GROUP_BEGUN || !s->applied_boots ? s->last.boots : s->applied_boots;
}

/* The order they were applied in: by boot, and in it by number. */
static int sort_by_boot(int dir, uint32_t *ids, uint32_t count)
{
	static uint64_t boots[GROUPS_MAX];

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t id = ids[i];
		struct group_story s;
		uint32_t k = i;
		int r = story_read(dir, id, &s);

		if (r < 0)
			return r;
		for (; k > 0 && boots[k - 1] > boot_of(&s); k--) {
			boots[k] = boots[k - 1];
			ids[k] = ids[k - 1];
		}
		boots[k] = boot_of(&s);
		ids[k] = id;
	}
	return 0;
}

static int state_of(int dir, uint32_t id)
{
	struct group_story s;
	int r = story_read(dir, id, &s);

	return r < 0 ? r : (int)s.state;
}

/*
 * What is halfway comes to its end before anything else begins; *ret_last is the last of it. Only a
 * group that is tried again can have a lower number and wait: within a boot the order is by number,
 * so it, and what is behind it, waits for the next one.
 */
static int finish_halfway(const struct pending_step *s, int dir, const uint32_t *ids, int count,
			  int *ret_last)
{
	int worst = 0;

	for (int i = 0; i < count; i++) {
		int state = state_of(dir, ids[i]), r;

		if (state < 0)
			return state;
		if (state != GROUP_BEGUN && state != GROUP_REVERTING)
			continue;
		*ret_last = i;
		r = run_one(s, dir, ids[i]);
		if (r < 0)
			return r;
		worst |= r;
	}
	return worst;
}

static bool must_wait(int dir, uint32_t id)
{
	const int state = state_of(dir, id);

	return state < 0 || state == GROUP_QUEUED || state == GROUP_FAILED;
}

int pending_run(const struct pending_step *s)
{
	static uint32_t ids[GROUPS_MAX];
	_close_ int dir =
		sys_open(s->state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	_close_ int lock = -1;
	int count, worst, halfway = -1, r = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	lock = pending_lock(dir);
	if (lock < 0)
		return lock;
	count = pending_list(dir, ids, GROUPS_MAX);
	if (count > 0 && s->fallback)
		r = sort_by_boot(dir, ids, (uint32_t)count);
	if (count < 0 || r < 0)
		return count < 0 ? count : r;
	if (!s->fallback && count > 0)
		r = finish_halfway(s, dir, ids, count, &halfway);
	worst = r != 0;
	for (int i = 0; r >= 0 && i < count; i++) {
		if (i < halfway && must_wait(dir, ids[i]))
			return 1;
		r = run_one(s, dir, ids[s->fallback ? count - 1 - i : i]);
		worst |= r != 0;
	}
	return worst;
}
