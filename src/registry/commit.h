/* SPDX-License-Identifier: MIT */
/*
 * commit.h - a hive as a store: one writer, whole commits, plan and queue after it (law 7)
 *
 * A commit builds the new hive and its plan in memory, checks them, and only then replaces the
 * file: temp, fsync, rename, fsync of the directory, by the door's sys_replace_file. Plan and
 * queue follow the same way. Cut anywhere, there is a whole hive, and a plan that fits it or is
 * seen to be stale. Hives that smreg did not make are never written.
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
	bool exists;
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
 * Returns 0; -ENOENT (no hive yet), -EPERM (smreg did not make it), -EUCLEAN (dirty or damaged),
 * or as hive_open; why names it.
 */
int store_read(struct store *s, const char *state, struct reg_tree *t, unsigned *ret_dropped,
	       struct text *why);

/*
 * store_commit - the tree becomes the hive
 *   force  also when its values have errors, or when no boot could make a plan of it: then plan and
 *          queue beside the hive go away and why tells so
 * Returns 0; -EINVAL (errors in remarks, or no plan: nothing was written), or -errno with why.
 */
int store_commit(struct store *s, const struct reg_tree *t, bool force, struct remarks *remarks,
		 struct text *why);

/* store_remarks - what there is to say of a tree; nothing when no plan can be made of it. */
void store_remarks(const struct store *s, const struct reg_tree *t, struct remarks *remarks);

/* store_write_plan - plan and queue beside the hive, durably. */
int store_write_plan(const struct store *s, const struct plan_made *made);
