/* SPDX-License-Identifier: MIT */
/*
 * arrange.h - bring the things of a group to where they are wanted
 *
 * A group is not replayed step by step. Its operations are reduced to an arrangement: which thing
 * is wanted at which place, and which in the graveyard. Applying, going on after a cut, taking back
 * after a failure and falling back are all the same: look where each thing is, by identity, and
 * move those that are not where they are wanted. Two things that stand in each other's way are
 * exchanged, so that a name that must exist never is without a file; a free place is taken with
 * NOREPLACE. Every step puts a thing where it belongs, so it ends, and it can be cut and gone on
 * with anywhere, whichever of its steps a file system kept.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pending/ground.h"
#include "pending/record.h"

#define NOTHING  0xFFFFFFFFu
#define FOREIGN  0xFFFFFFFEu /* something that is not of the group */
#define IN_GRAVE 0x80000000u /* in where[]: the rest is the number of the slot */

struct arrangement {
	struct ground *ground;
	const struct group_header *group;
	uint32_t count;             /* of places */
	struct things_header *kept; /* before the things, as it is written */
	struct thing
		*first;  /* what was at each place at the beginning; its number is the thing's */
	uint32_t *want;  /* after all operations: a thing or NOTHING */
	uint32_t *at;    /* now: a thing, NOTHING or FOREIGN */
	uint32_t *where; /* of each thing now: a place, IN_GRAVE | slot, or NOTHING */
	uint32_t *hash, *next, mask; /* things by identity; before arrange_find: what was seen */
	uint32_t foreign;            /* that were put aside */
	uint32_t missing;            /* things that are nowhere (tolerated on the way back) */
	uint32_t stuck, stuck_place; /* things that stay where they are: their home is shut */
	bool forced;                 /* forward as tolerant as back: others' things are put aside */
	uint32_t bad_place;          /* where it failed */
	size_t bytes;                /* of its memory, which begins at kept */
};

/* Memory of a step, in bytes a place; smss-pending(7) states it. */
#define ARRANGE_BYTES_A_PLACE 44u

/*
 * arrange_start - take memory for a group that group_check has passed
 * Returns 0 or -errno; arrange_end gives it back.
 */
int arrange_start(struct arrangement *a, struct ground *ground);
void arrange_end(struct arrangement *a);

/* arrange_look - what stands at every place now is what the group begins with. */
int arrange_look(struct arrangement *a);

/*
 * arrange_seen - what arrange_look saw of a thing beside who it is; only until arrange_find
 * A size is kept modulo SEEN_BYTES, so compare it with such a one; a directory's is 0.
 */
#define SEEN_BYTES (1ull << 61)
struct arrange_seen {
	uint64_t bytes;
	bool directory;
	uint32_t flags; /* SYS_IDENTITY_FIXED, SYS_IDENTITY_MOUNT */
};
struct arrange_seen arrange_seen(const struct arrangement *a, uint32_t thing);

/*
 * arrange_operations - the operations carried out on paper: fills want
 *   check  called for each one with the thing it moves and the thing that makes room; may be NULL
 *   ret_op the operation that cannot be
 * Returns 0; -ENOENT (no source), -EEXIST (a target and no permission to replace it), or check's.
 */
struct arrange_step {
	uint32_t op, thing, target; /* target: the thing that makes room, or NOTHING */
};
int arrange_operations(struct arrangement *a,
		       int (*check)(void *arg, const struct arrange_step *step), void *arg,
		       uint32_t *ret_op);

/* arrange_find - where the things of `first` are now: places and graveyards. */
int arrange_find(struct arrangement *a);

/*
 * arrange_stands - after arrange_find: is everything as the operations left it?
 * Returns 0, GROUP_WHY_IDENTITY (something else stands at a place), GROUP_WHY_GONE, or why a
 * directory that something would go back to cannot be entered.
 */
int arrange_stands(const struct arrangement *a);

/* arrange_forward - everything to where it is wanted. Returns 0, GROUP_WHY_GONE, or -errno. */
int arrange_forward(struct arrangement *a);
/*
 * arrange_back - everything to where it was; what is gone is counted, not an error, and neither is
 * what cannot go home because of one directory: it stays, and all the others go
 */
int arrange_back(struct arrangement *a);
