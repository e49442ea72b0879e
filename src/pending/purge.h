/* SPDX-License-Identifier: MIT */
/*
 * purge.h - what groups replaced is kept for a while, and then goes
 *
 * Run when a boot was accepted, and on demand. Nothing that a fallback may want back is touched:
 * only groups that were applied (or taken back) in an accepted boot. That a group's things go is
 * durable in its journal before the first of them goes.
 */
#pragma once

#include <stdint.h>

#include "pending/group.h"

#define PENDING_HISTORY 1024u /* ended groups whose journals stay */

struct pending_purge {
	int state;          /* fd of the state directory */
	const char *prefix; /* as in pending_step */
	uint64_t accepted;  /* number of the last accepted boot */
	uint32_t keep_groups, keep_days;
	uint64_t keep_bytes;
	uint64_t until_ns; /* the rest is for the next time; 0 = no limit */
	/* told of each group whose things would go, and then nothing is changed; NULL = they go */
	void (*would)(void *arg, uint32_t id);
	void *arg;
};

struct pending_purged {
	uint32_t groups; /* whose things are gone now */
	uint32_t left;   /* whose things still are to go: no time, or their file system is away */
};

/*
 * pending_purge - forget what is beyond the policy: the newest groups are kept, as many as
 * keep_groups, none older than keep_days, all together no more than keep_bytes
 * Returns 0 or -errno (-EBUSY: a writer holds the lock); ret is filled on 0.
 */
int pending_purge(const struct pending_purge *p, struct pending_purged *ret);

/*
 * pending_boots - how many boots a state directory knows of, and the last one that was accepted
 *   state  its fd; what was never booted has neither
 * Returns 0, or -EACCES, -EPERM when that cannot be read.
 */
int pending_boots(int state, uint64_t *ret_begun, uint64_t *ret_accepted);

/*
 * graveyard_empty - everything below dir goes; no link is followed, no mount entered
 * Returns 0, -ETIME when until_ns has come, -EBUSY (something is mounted in it) or -errno.
 */
int graveyard_empty(int dir, uint64_t until_ns);

/*
 * graveyard_bytes - about what is below dir, in whole pages of 4 kB, directories counted
 * Deeper than 32 directories is not looked at. Returns 0 or -errno.
 */
int graveyard_bytes(int dir, uint64_t *ret);
