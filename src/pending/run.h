/* SPDX-License-Identifier: MIT */
/*
 * run.h - phase 5 for groups: each whole or not at all, exactly once, in the order they were queued
 *
 * Works on a state directory and the tree it belongs to, at boot or offline. Never blocks longer
 * than its lock's deadline; every group's end is told to the caller and kept in its journal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pending/record.h"

#define GROUPS_MAX      4096u /* in the directory at once; history included */
#define GROUP_ATTEMPTS  2u    /* begun and not ended, or failed: then quarantine */
#define PENDING_LOCK_MS 10000u

struct group_told { /* one group's end, or why it waits */
	uint32_t id;
	const struct group_header *group; /* NULL when the file is damaged */
	enum group_state state;
	uint32_t op;      /* the operation it is about, or NO_PLACE */
	int result;       /* 0, -errno or GROUP_WHY_* */
	uint32_t foreign; /* things of others that were put aside */
	uint64_t start_ns;
};

struct pending_step {
	int state;          /* fd of the state directory */
	const char *prefix; /* "" or, offline, the directory that stands for "/" */
	uint64_t boots;     /* number of this boot */
	uint64_t accepted;  /* number of the last accepted boot */
	bool fallback;      /* not the current configuration: take back what was not accepted */
	bool (*protects)(void *arg, const char *path);
	void (*tell)(void *arg, const struct group_told *told);
	void *arg;
};

/*
 * pending_waiting - how many groups a boot has something to do for
 *   fallback, accepted  as in pending_step
 * Returns the count (0 also when there is no pending directory) or -errno.
 */
int pending_waiting(int state, bool fallback, uint64_t accepted);

struct pending_waits {          /* groups that no boot has begun, or that are tried once more */
	uint32_t groups, first; /* how many; the lowest number */
	uint32_t halfway;       /* others, which a boot has begun and not brought to their end */
	uint32_t fingerprint;   /* of which they are, and how far their journals are; 0 none */
};

/*
 * pending_fingerprint - what the next boot of Current would begin with
 * A group that is halfway is none of them: the boot that began it was tried with it, and whichever
 * comes next brings it to its end. Returns 0 or -errno.
 */
int pending_fingerprint(int state, struct pending_waits *ret);

/*
 * pending_run - all of them
 * Returns 0 when every group that was due has been applied (or taken back), 1 when some were not
 * (each was told), or -errno when nothing could be looked at (-EBUSY: a writer holds the lock).
 */
int pending_run(const struct pending_step *s);

/* pending_lock - the queue for one writer; an fd whose close gives it back, or -errno. */
int pending_lock(int pending_dir);

/* pending_list - ids of all groups, ascending; returns the count, -E2BIG beyond cap, or -errno. */
int pending_list(int pending_dir, uint32_t *ret, uint32_t cap);
/* pending_list_ending - the same of files that end with another word than ".group". */
int pending_list_ending(int pending_dir, const char *ending, uint32_t *ret, uint32_t cap);

/*
 * pending_load - a group's file, checked
 *   ret  in memory of its own, given back by pending_unload
 * Returns 0, GROUP_WHY_FORM or -errno.
 */
int pending_load(int pending_dir, uint32_t id, const struct group_header **ret);
void pending_unload(const struct group_header *g);
