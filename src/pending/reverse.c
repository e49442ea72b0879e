/* SPDX-License-Identifier: MIT */
/*
 * reverse.c - a group that takes back another one, and is taken back itself
 *
 * It has no operations of its own: the things of the other group say where everything was. A
 * fallback puts the other one on again, as applied as it had been.
 */
#include <errno.h>

#include "pending/work.h"
#include "sys/sys.h"

/*
 * Puts on again what a reverse group took back, as applied as it was. By force, as a fallback takes
 * back: what others put there meanwhile goes aside.
 */
static int put_on_again(struct work *w)
{
	const uint64_t boots = w->story.applied_boots;
	int r = w->story.purged
			? GROUP_WHY_KEPT
			: ground_open(&w->ground, w->group, w->step->prefix, w->step->state);

	if (r < 0)
		return r;
	r = arrange_start(&w->a, &w->ground);
	w->a.forced = true;
	if (r >= 0)
		r = things_read(w->dir, w->group, w->a.kept);
	if (r == -ENOENT || r == -EILSEQ)
		r = GROUP_WHY_KEPT;
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
			      (struct group_record){.op = NO_PLACE,
						    .result = w->a.stuck ? GROUP_WHY_STUCK : 0,
						    .foreign = w->a.foreign,
						    .boots = boots},
			      &w->story);
	arrange_end(&w->a);
	ground_close(&w->ground);
	return r;
}

/* A reverse group that cannot be taken back any more counts as accepted: no fallback asks again. */
static int stays(struct work *w)
{
	const struct group_record record = {
		.op = NO_PLACE, .result = GROUP_WHY_KEPT, .boots = w->step->accepted};
	int r = story_add(w->dir, w->group->id, GROUP_EV_COMMIT, record, &w->story);

	return r < 0 ? r : GROUP_WHY_KEPT;
}

/* A reverse group is taken back: the other is put on again, wherever its undoing was. */
static int reverse_back(struct work *w, struct work *of)
{
	int r = w->story.state == GROUP_REVERTING ? 0 : work_note(w, GROUP_EV_REVERTING, 0);

	if (r >= 0 && (of->story.state == GROUP_REVERTED || of->story.state == GROUP_REVERTING))
		r = put_on_again(of);
	if (r == GROUP_WHY_KEPT) /* never again: the undoing stays, and holds nobody up */
		return stays(w);
	if (r >= 0)
		r = work_note(w, GROUP_EV_REVERTED, 0);
	w->a.foreign = of->a.foreign; /* to be told; they are counted in its story */
	return r;
}

static int reverse_forward(struct work *w, struct work *of)
{
	const enum group_state was = of->story.state;
	int r;

	if (was == GROUP_REVERTED && w->story.state == GROUP_BEGUN)
		return work_note(w, GROUP_EV_COMMIT, 0);
	if (of->story.purged || (was != GROUP_APPLIED && was != GROUP_REVERTING))
		return work_note(w, GROUP_EV_REFUSED, GROUP_WHY_KEPT) < 0 ? -EIO : GROUP_WHY_KEPT;
	r = work_note(w, GROUP_EV_BEGIN, 0);
	if (r < 0)
		return r;
	of->undo = true;
	r = work_operations(of, true);
	if (r >= 0)
		return work_note(w, GROUP_EV_COMMIT, 0);
	if (r == GROUP_WHY_STUCK)
		return work_note(w, GROUP_EV_COMMIT, r) < 0 ? -EIO : r;
	if (of->story.state == GROUP_APPLIED && !work_passing(r))
		return work_note(w, GROUP_EV_REFUSED, r) < 0 ? -EIO : r;
	return r;
}

/* A group that takes back another one. */
int work_reverse(struct work *w)
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
		r = work_note(w, GROUP_EV_REFUSED, r) < 0 ? -EIO : r;
	pending_unload(of.group);
	return r;
}
