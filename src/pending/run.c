/* SPDX-License-Identifier: MIT */
/*
 * run.c - applies groups, takes them back; see run.h, and arrange.h for how things move
 *
 * The order of one group: look and check (nothing is touched; what is wrong refuses the group);
 * BEGIN durable; the things found durable; move; one syncfs a file system; COMMIT durable. A cut
 * before the things leaves an untouched group; a cut before COMMIT is gone on with, or after two
 * of them taken back; a step that fails is taken back at once.
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

static int note(struct work *w, enum group_event event, int result)
{
	const struct group_record record = {
		.op = w->op, .result = result, .foreign = w->a.foreign, .boots = w->step->boots};

	return story_add(w->dir, w->group->id, event, record, &w->story);
}

static int drop_things(struct work *w)
{
	char name[GROUP_FILE_BYTES];
	int r;

	group_file_name(name, w->group->id, ".things");
	r = record_set_aside(w->dir, w->group->id, ".things");
	if (r >= 0)
		r = sys_unlink(w->dir, name, 0);
	if (r == -ENOENT && !w->story.end) /* with a story it may be gone and not durably */
		return 0;
	return r < 0 && r != -ENOENT ? r : sys_fsync(w->dir);
}

/* Everything as it was, durable, and why. */
static int take_back(struct work *w, enum group_event event, int result)
{
	int r = arrange_back(&w->a);

	if (r >= 0)
		r = ground_sync(&w->ground);
	if (r >= 0)
		r = note(w, event, result);
	if (r >= 0 && event != GROUP_EV_REVERTED)
		r = drop_things(w);
	return r;
}

/* The operation that is about a place, for whoever reads why it failed. */
static uint32_t op_at(const struct work *w, uint32_t place)
{
	for (uint32_t i = 0; i < w->group->ops.count; i++) {
		const struct group_op *o = group_op(w->group, i);

		if (o->from == place || o->to == place)
			return i;
	}
	return NO_PLACE;
}

/* When it failed: once more at the next boot, or not by itself. */
static enum group_event after_failing(const struct work *w)
{
	return w->story.attempts >= GROUP_ATTEMPTS ? GROUP_EV_QUARANTINED : GROUP_EV_FAILED;
}

/*
 * A COMMIT that could not be made durable may be on the disk all the same: everything stays where
 * it says, and the next boot goes on from there.
 */
static int move_all(struct work *w)
{
	int r = arrange_forward(&w->a);

	if (r < 0)
		w->op = op_at(w, w->a.bad_place);
	else
		r = ground_sync(&w->ground);
	if (r >= 0)
		return note(w, GROUP_EV_COMMIT, 0);
	(void)take_back(w, after_failing(w), r);
	return r;
}

/* The machine's trouble, not the group's: an attempt that failed, no refusal. */
static bool passing(int r)
{
	return r == -EIO || r == -ENOMEM || r == -EROFS || r == -EMFILE || r == -ENFILE;
}

/* Nothing was touched. */
static int not_begun(struct work *w, int result)
{
	int r;

	if (!passing(result))
		return note(w, GROUP_EV_REFUSED, result);
	r = drop_things(w);
	if (r >= 0)
		r = note(w, GROUP_EV_BEGIN, 0);
	return r < 0 ? r : note(w, after_failing(w), result);
}

static int begin(struct work *w)
{
	int r = arrange_look(&w->a);

	w->op = r < 0 ? op_at(w, w->a.bad_place) : NO_PLACE;
	if (r >= 0)
		r = arrange_operations(&w->a, work_check_step, w, &w->op);
	if (r >= 0)
		r = work_check_writable(w);
	if (r < 0)
		return not_begun(w, r) < 0 ? -EIO : r;
	w->op = NO_PLACE;
	r = drop_things(w);
	if (r >= 0)
		r = note(w, GROUP_EV_BEGIN, 0);
	if (r >= 0)
		r = things_write(w->dir, w->group, w->a.kept);
	return r < 0 ? r : move_all(w);
}

/* A cut came on the way: by the things that were found then, on or back. */
static int go_on(struct work *w)
{
	int r = arrange_operations(&w->a, NULL, NULL, &w->op);

	w->op = NO_PLACE;
	if (r >= 0)
		r = arrange_find(&w->a);
	if (r < 0)
		return r;
	if (w->story.state == GROUP_REVERTING)
		return take_back(w, GROUP_EV_REVERTED, 0);
	if (w->step->fallback)
		return take_back(w, GROUP_EV_FAILED, -ECANCELED);
	if (w->story.attempts >= GROUP_ATTEMPTS) {
		r = take_back(w, GROUP_EV_QUARANTINED, -EINTR);
		return r < 0 ? r : -EINTR;
	}
	r = note(w, GROUP_EV_BEGIN, 0);
	return r < 0 ? r : move_all(w);
}

/* Begun and no things: it had touched nothing. */
static int begin_again(struct work *w)
{
	if (w->step->fallback)
		return note(w, GROUP_EV_FAILED, -ECANCELED);
	if (w->story.attempts < GROUP_ATTEMPTS)
		return begin(w);
	return note(w, GROUP_EV_QUARANTINED, -EINTR) < 0 ? -EIO : -EINTR;
}

static int as_it_left_them(struct work *w)
{
	int r = arrange_operations(&w->a, NULL, NULL, &w->op);

	w->op = NO_PLACE;
	if (r >= 0)
		r = arrange_find(&w->a);
	return r < 0 ? r : arrange_stands(&w->a);
}

/* What an interrupted group needs, or one that is to be taken back. */
static int resume(struct work *w)
{
	int r = things_read(w->dir, w->group, w->a.kept);

	if (r == -ENOENT && w->story.state == GROUP_BEGUN)
		return begin_again(w);
	if ((r == -EILSEQ || r == -ENOENT) && w->story.state != GROUP_APPLIED)
		return note(w, GROUP_EV_QUARANTINED, GROUP_WHY_FORM) < 0 ? -EIO : GROUP_WHY_FORM;
	if (r == -EILSEQ || r == -ENOENT)
		return GROUP_WHY_KEPT;
	if (r >= 0 && w->story.state == GROUP_APPLIED && w->undo)
		r = as_it_left_them(w);
	if (r >= 0 && w->story.state == GROUP_APPLIED && note(w, GROUP_EV_REVERTING, 0) < 0)
		r = -EIO; /* and it may stand there all the same */
	return r < 0 ? r : go_on(w);
}

static int do_operations(struct work *w, bool back)
{
	int r = ground_open(&w->ground, w->group, w->step->prefix, w->step->state);

	if (r < 0)
		return r;
	r = arrange_start(&w->a, &w->ground);
	if (r >= 0 && (back || w->story.state == GROUP_BEGUN || w->story.state == GROUP_REVERTING))
		r = resume(w);
	else if (r >= 0 && w->story.attempts >= GROUP_ATTEMPTS) {
		r = note(w, GROUP_EV_QUARANTINED, w->story.last.result);
		r = r < 0 ? r : w->story.last.result;
	} else if (r >= 0) {
		r = begin(w);
	}
	arrange_end(&w->a);
	ground_close(&w->ground);
	return r;
}

/* Puts on again what a reverse group took back, as applied as it was. */
static int put_on_again(struct work *w)
{
	const uint64_t boots = w->story.applied_boots;
	int r = ground_open(&w->ground, w->group, w->step->prefix, w->step->state);

	if (r < 0)
		return r;
	r = arrange_start(&w->a, &w->ground);
	if (r >= 0)
		r = things_read(w->dir, w->group, w->a.kept);
	if (r >= 0)
		r = arrange_operations(&w->a, NULL, NULL, &w->op);
	w->op = NO_PLACE;
	if (r >= 0)
		r = arrange_find(&w->a);
	if (r >= 0)
		r = arrange_forward(&w->a);
	if (r >= 0)
		r = ground_sync(&w->ground);
	if (r >= 0)
		r = story_add(w->dir, w->group->id, GROUP_EV_COMMIT,
			      (struct group_record){.op = NO_PLACE, .boots = boots}, &w->story);
	arrange_end(&w->a);
	ground_close(&w->ground);
	return r;
}

/* A reverse group is taken back: the other is put on again, wherever its undoing was. */
static int reverse_back(struct work *w, struct work *of)
{
	int r = w->story.state == GROUP_REVERTING ? 0 : note(w, GROUP_EV_REVERTING, 0);

	if (r >= 0 && (of->story.state == GROUP_REVERTED || of->story.state == GROUP_REVERTING))
		r = put_on_again(of);
	return r < 0 ? r : note(w, GROUP_EV_REVERTED, 0);
}

static int reverse_forward(struct work *w, struct work *of)
{
	const enum group_state was = of->story.state;
	int r;

	if (was == GROUP_REVERTED && w->story.state == GROUP_BEGUN)
		return note(w, GROUP_EV_COMMIT, 0);
	if (of->story.purged || (was != GROUP_APPLIED && was != GROUP_REVERTING))
		return note(w, GROUP_EV_REFUSED, GROUP_WHY_KEPT) < 0 ? -EIO : GROUP_WHY_KEPT;
	r = note(w, GROUP_EV_BEGIN, 0);
	if (r < 0)
		return r;
	of->undo = true;
	r = do_operations(of, true);
	if (r >= 0)
		return note(w, GROUP_EV_COMMIT, 0);
	if (of->story.state == GROUP_APPLIED && !passing(r))
		return note(w, GROUP_EV_REFUSED, r) < 0 ? -EIO : r;
	return r;
}

/* A group that takes back another one. */
static int do_reverse(struct work *w)
{
	struct work of = {.step = w->step, .dir = w->dir, .op = NO_PLACE};
	const bool back = w->step->fallback || w->story.state == GROUP_REVERTING;
	int r = story_read(w->dir, w->group->of, &of.story);

	if (r >= 0)
		r = pending_load(w->dir, w->group->of, &of.group);
	if (r >= 0 && of.group->flags & GROUP_REVERSE)
		r = GROUP_WHY_FORM;
	if (r >= 0)
		r = back ? reverse_back(w, &of) : reverse_forward(w, &of);
	else if (!back && (r == GROUP_WHY_FORM || r == -ENOENT))
		r = note(w, GROUP_EV_REFUSED, r) < 0 ? -EIO : r;
	pending_unload(of.group);
	return r;
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
		r = note(&w, GROUP_EV_REFUSED, GROUP_WHY_ALIEN) < 0 ? -EIO : GROUP_WHY_ALIEN;
	else if (r >= 0)
		r = w.group->flags & GROUP_REVERSE ? do_reverse(&w)
						   : do_operations(&w, s->fallback);
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
