/* SPDX-License-Identifier: MIT */
/*
 * apply.c - one group of operations: applied, gone on with, taken back; see run.h
 *
 * The order of one group: look and check (nothing is touched; what is wrong refuses the group);
 * BEGIN durable; the things found durable; move; one syncfs a file system; COMMIT durable. A cut
 * before the things leaves an untouched group; a cut before COMMIT is gone on with, or after two
 * of them taken back; a step that fails is taken back at once.
 */
#include <errno.h>

#include "pending/work.h"
#include "sys/sys.h"

int work_note(struct work *w, enum group_event event, int result)
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

/* Everything as it was, durable, and why. */
static int take_back(struct work *w, enum group_event event, int result)
{
	int r = arrange_back(&w->a);

	if (r >= 0)
		r = ground_sync(&w->ground);
	if (w->a.stuck) {
		w->op = op_at(w, w->a.stuck_place);
		result = GROUP_WHY_STUCK;
	}
	if (r >= 0)
		r = work_note(w, event, result);
	if (r >= 0 && event != GROUP_EV_REVERTED)
		r = drop_things(w);
	return r >= 0 && w->a.stuck ? GROUP_WHY_STUCK : r;
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
		return work_note(w, GROUP_EV_COMMIT, 0);
	(void)take_back(w, after_failing(w), r);
	return r;
}

/* The machine's trouble, not the group's: an attempt that failed, no refusal. */
bool work_passing(int r)
{
	return r == -EIO || r == -ENOMEM || r == -EROFS || r == -EMFILE || r == -ENFILE;
}

/* Nothing was touched. */
static int not_begun(struct work *w, int result)
{
	int r;

	if (!work_passing(result))
		return work_note(w, GROUP_EV_REFUSED, result);
	r = drop_things(w);
	if (r >= 0)
		r = work_note(w, GROUP_EV_BEGIN, 0);
	return r < 0 ? r : work_note(w, after_failing(w), result);
}

static int begin(struct work *w)
{
	int r = arrange_look(&w->a);

	w->op = r < 0 ? op_at(w, w->a.bad_place) : NO_PLACE;
	if (r >= 0)
		r = work_check_end(w, arrange_operations(&w->a, work_check_step, w, &w->op));
	if (r >= 0)
		r = work_check_writable(w);
	if (r < 0)
		return not_begun(w, r) < 0 ? -EIO : r;
	w->op = NO_PLACE;
	r = drop_things(w);
	if (r >= 0)
		r = work_note(w, GROUP_EV_BEGIN, 0);
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
	r = work_note(w, GROUP_EV_BEGIN, 0);
	return r < 0 ? r : move_all(w);
}

/* Begun and no things: it had touched nothing. */
static int begin_again(struct work *w)
{
	if (w->step->fallback)
		return work_note(w, GROUP_EV_FAILED, -ECANCELED);
	if (w->story.attempts < GROUP_ATTEMPTS)
		return begin(w);
	return work_note(w, GROUP_EV_QUARANTINED, -EINTR) < 0 ? -EIO : -EINTR;
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
		return work_note(w, GROUP_EV_QUARANTINED, GROUP_WHY_FORM) < 0 ? -EIO
									      : GROUP_WHY_FORM;
	if (r == -EILSEQ || r == -ENOENT)
		return GROUP_WHY_KEPT;
	if (r >= 0 && w->story.state == GROUP_APPLIED && w->undo)
		r = as_it_left_them(w);
	if (r >= 0 && w->story.state == GROUP_APPLIED && work_note(w, GROUP_EV_REVERTING, 0) < 0)
		r = -EIO; /* and it may stand there all the same */
	return r < 0 ? r : go_on(w);
}

int work_operations(struct work *w, bool back)
{
	int r = ground_open(&w->ground, w->group, w->step->prefix, w->step->state);

	if (r < 0)
		return r;
	r = arrange_start(&w->a, &w->ground);
	if (r >= 0 && (back || w->story.state == GROUP_BEGUN || w->story.state == GROUP_REVERTING))
		r = resume(w);
	else if (r >= 0 && w->story.attempts >= GROUP_ATTEMPTS) {
		r = work_note(w, GROUP_EV_QUARANTINED, w->story.last.result);
		r = r < 0 ? r : w->story.last.result;
	} else if (r >= 0) {
		r = begin(w);
	}
	arrange_end(&w->a);
	ground_close(&w->ground);
	return r;
}
