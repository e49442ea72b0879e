/* SPDX-License-Identifier: MIT */
/*
 * commit.h - a hive as a store: one writer, whole commits, plan and queue after it (law 7)
 *
 * A commit builds the new hive and its plan in memory, checks them, and only then touches the disk
 * (commit_files.c): everything under temporary names, fsync, then renames, fsync of the directory.
 * Cut anywhere, there is a whole hive, old or new, and a plan that fits it or is seen to be stale;
 * a full or failing disk leaves the old ones. The hive that was replaced, if it was whole, stays as
 * NAME.previous, without plan and queue: `mv` goes back, and the next boot makes its plan. Hives
 * that smreg did not make, links and the files of others are never written.
 */
#pragma once

#include <stdbool.h>

#include "base/limits.h"
#include "base/text.h"
#include "registry/hive.h"
#include "registry/plan_make.h"

#define LOCK_WAIT_MS 10000u /* another smreg commits in milliseconds */

struct store {
	char path[PATH_BYTES];
	const char *name; /* of the hive in its directory; points into path */
	int dir;          /* owner: this struct */
	int lock;
	bool lock_made; /* by this program: it goes away when nothing is committed */
	bool committed; /* a hive was written */
	bool exists;
	bool whole;    /* it could be read without a fault: worth keeping as NAME.previous */
	unsigned mode; /* of all that is written beside it and in its place */
	struct hive_facts facts; /* of the hive as it was read, when it exists */
};

/*
 * store_open - take the writer lock beside the hive; the directory is made when missing
 * Returns 0, -EBUSY (another writer, for LOCK_WAIT_MS), other -errno; why names it.
 */
int store_open(struct store *s, const char *path, struct text *why);
void store_close(struct store *s);
static inline void store_closep(struct store *s)
{
	store_close(s);
}

/*
 * store_read - the whole hive into a tree, to be changed and committed
 *   state  the state directory: entries of the rename queue that a boot consumed are left out
 *   ret_dropped  how many values were left out for that; may be NULL
 * Returns 0; -ENOENT (no hive yet), -EPERM (smreg did not make it, or another user's), -ELOOP (a
 * link), -EUCLEAN (dirty or damaged), or as hive_open; why names it.
 */
int store_read(struct store *s, const char *state, struct reg_tree *t, unsigned *ret_dropped,
	       struct text *why);

/*
 * store_commit - the tree becomes the hive
 *   force  also when its values have errors, or when no boot could make a plan of it: then plan and
 *          queue beside the hive go away and why tells so
 * Returns 0; -EINVAL (errors in remarks, or no plan: nothing was written), or -errno with why,
 * which tells whether the old hive still stands. After 0 the commit outlasts a power cut.
 */
int store_commit(struct store *s, const struct reg_tree *t, bool force, struct remarks *remarks,
		 struct text *why);

/* store_remarks - what there is to say of a tree; nothing when no plan can be made of it. */
void store_remarks(const struct store *s, const struct reg_tree *t, struct remarks *remarks);

/*
 * store_replace - the disk's part of a commit: hive, plan and queue (none made: those go away)
 * Returns 0, or -errno with why: until the hive's rename all is as it was, after it that is said.
 */
int store_replace(struct store *s, const uint8_t *hive, size_t n, const struct plan_made *made,
		  struct text *why);

/*
 * store_consumed - a boot has run the rename queue of this hive: boot.state says so
 *   hive   its path; it is only looked at
 *   state  the state directory
 * Returns 1, 0, or -errno when that cannot be read.
 */
int store_consumed(const char *hive, const struct hive_facts *facts, const char *state);

/* store_drop_queue - a tree without the rename queue that a boot has run; how many values went. */
unsigned store_drop_queue(struct reg_tree *t);

/* store_write_plan - plan and queue beside the hive, durably. */
int store_write_plan(const struct store *s, const struct plan_made *made);
