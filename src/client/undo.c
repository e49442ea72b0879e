/* SPDX-License-Identifier: MIT */
/*
 * undo.c - libsm: would a queued undo be carried out? Nothing is changed; see pending.h
 *
 * The boot takes a group back only from where it left everything (pending/arrange.h,
 * arrange_stands), so it is asked of every place here whether that stands there, and of every thing
 * whether it still is anywhere. Where groups that wait come first, what stands there now says
 * nothing: an undo that comes first may bring it there, any other group is told.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/pending.h"
#include "pending/arrange.h"

struct undoing {
	struct sm_queue *q;
	const struct sm_watch *watch;
	const struct group_header *of;
	struct ground ground;
	struct arrangement a;
	uint32_t *number;  /* by place: the operation, as the user counts */
	uint8_t *met;      /* by place: a group that waits comes first there */
	uint8_t *answered; /* by thing: what is wrong with it was told */
	int found;
};

static void tell(struct undoing *u, uint32_t group, uint32_t place, int why)
{
	char room[PATH_BYTES] = "";
	struct sm_problem p = {
		.operation = SM_NO_OPERATION, .reason = why, .group = group, .path = room};

	if (place != NO_PLACE) {
		p.operation = u->number[place];
		(void)!group_place_path(u->of, place, room, sizeof(room));
	}
	u->found++;
	if (u->watch && u->watch->problem)
		u->watch->problem(u->watch->arg, &p);
}

static int start(struct undoing *u)
{
	const uint32_t places = u->of->places.count;
	uint32_t number = 0;

	u->number = malloc((places + 1) * sizeof(uint32_t));
	u->met = calloc(places + 1, 1);
	u->answered = calloc(places + 1, 1);
	if (!u->number || !u->met || !u->answered)
		return -ENOMEM;
	memset(u->number, 0xFF, places * sizeof(uint32_t));
	for (uint32_t i = 0; i < u->of->ops.count; i++) {
		const struct group_op *o = group_op(u->of, i);

		if (u->number[o->from] == SM_NO_OPERATION)
			u->number[o->from] = number;
		if (o->to != NO_PLACE && u->number[o->to] == SM_NO_OPERATION)
			u->number[o->to] = number;
		number += !(o->flags & GROUP_STAGED);
	}
	return 0;
}

/* ---- groups that come first ---- */

static void meet(struct undoing *u, uint32_t id, const struct group_header *moves, bool undoes)
{
	char room[PATH_BYTES];
	bool told = undoes;

	for (uint32_t i = 0; i < u->of->places.count; i++) {
		if (!group_place_path(u->of, i, room, sizeof(room)) ||
		    !group_touches(moves, room, true))
			continue;
		u->met[i] = 1;
		if (!told)
			tell(u, id, i, WHY_EARLIER);
		told = true;
	}
}

static int meet_earlier(struct undoing *u, uint32_t own)
{
	struct sm_group_row row;
	uint32_t cursor = 0;
	int r;

	while ((r = sm_group_next(u->q, &cursor, &row)) > 0 && row.group < own) {
		const struct group_header *moves = NULL;

		if (row.state != SM_GROUP_QUEUED && row.state != SM_GROUP_FAILED)
			continue;
		if (pending_load(u->q->dir, row.of ? row.of : row.group, &moves) == 0)
			meet(u, row.group, moves, row.of);
		pending_unload(moves);
	}
	return r < 0 ? r : 0;
}

/* ---- where everything is ---- */

static bool as_left(const struct arrangement *a, uint32_t place)
{
	const uint32_t here = a->at[place], want = a->want[place];

	return here == want ||
	       (here < a->count && want < a->count && a->first[here].ino == a->first[want].ino &&
		a->first[here].tag == a->first[want].tag);
}

/* Why the directory that a thing would go back to cannot be entered, or 0. */
static int home_of(struct undoing *u, uint32_t i)
{
	if (!u->a.first[i].ino || u->a.at[i] == i)
		return 0;
	return ground_dir(&u->ground, group_place(u->of, i)->dir, NO_PLACE);
}

static void compare(struct undoing *u)
{
	const struct arrangement *a = &u->a;
	int r;

	for (uint32_t i = 0; i < a->count; i++) {
		const bool stands = as_left(a, i);

		if (!stands && !u->met[i])
			tell(u, u->of->id, i, GROUP_WHY_IDENTITY);
		if (a->want[i] < a->count)
			u->answered[a->want[i]] |= !stands || u->met[i];
	}
	for (uint32_t i = 0; i < a->count; i++)
		if (a->first[i].ino && a->where[i] == NOTHING && !u->answered[i])
			tell(u, u->of->id, i, GROUP_WHY_GONE);
		else if (!u->answered[i] && (r = home_of(u, i)) < 0)
			tell(u, u->of->id, i, r);
}

/* The way to a place is not as it was; it may also be a graveyard's, and then it has no place. */
static void tell_way(struct undoing *u, int why)
{
	const uint32_t place = u->a.bad_place;
	const bool away = ground_dir(&u->ground, group_place(u->of, place)->dir, NO_PLACE) < 0;

	tell(u, u->of->id, away || why == GROUP_WHY_MOUNT ? place : NO_PLACE, why);
}

static int look_back(struct undoing *u)
{
	uint32_t op;
	int r = things_read(u->q->dir, u->of, u->a.kept);

	if (r == -ENOENT || r == -EILSEQ) {
		tell(u, u->of->id, NO_PLACE, GROUP_WHY_KEPT);
		return 0;
	}
	if (r == 0)
		r = arrange_operations(&u->a, NULL, NULL, &op);
	if (r < 0)
		return r;
	r = arrange_find(&u->a);
	if (r == 0)
		compare(u);
	else if (r == -ENOMEM)
		return r;
	else
		tell_way(u, r);
	return 0;
}

static int look_at_all(struct undoing *u, uint32_t own)
{
	int r = start(u);

	if (r == 0)
		r = meet_earlier(u, own);
	if (r == 0)
		r = ground_open(&u->ground, u->of, u->q->prefix, u->q->state);
	if (r < 0)
		return r;
	r = arrange_start(&u->a, &u->ground);
	if (r == 0)
		r = look_back(u);
	arrange_end(&u->a);
	ground_close(&u->ground);
	return r;
}

int check_undo(struct sm_group *g, const struct sm_watch *watch)
{
	struct undoing u = {.q = g->q, .watch = watch};
	struct group_story own, story;
	int r = story_read(g->q->dir, g->head.id, &own);

	if (r == 0)
		r = story_read(g->q->dir, g->head.of, &story);
	if (r < 0)
		return r;
	r = pending_load(g->q->dir, g->head.of, &u.of);
	if (r == 0 && u.of->flags & GROUP_REVERSE)
		r = GROUP_WHY_FORM;
	if (r == -ENOENT || r == GROUP_WHY_FORM) {
		tell(&u, g->head.of, NO_PLACE, r);
		r = 0;
	} else if (r == 0 && own.state == GROUP_BEGUN && story.state != GROUP_APPLIED) {
		r = 0; /* cut on its way: it is gone on with whatever stands there */
	} else if (r == 0 && (story.purged ||
			      (story.state != GROUP_APPLIED && story.state != GROUP_REVERTING))) {
		tell(&u, g->head.of, NO_PLACE, GROUP_WHY_KEPT);
	} else if (r == 0 && story.state == GROUP_APPLIED) {
		r = look_at_all(&u, g->head.id);
	}
	pending_unload(u.of);
	free(u.number);
	free(u.met);
	free(u.answered);
	return r < 0 ? r : u.found;
}
