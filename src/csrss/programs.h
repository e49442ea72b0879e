/* SPDX-License-Identifier: MIT */
/*
 * programs.h - the programs of a session that were started on request
 *
 * A fixed table of what we started and have not reaped. Ending them is asked first (TERM, then CONT
 * so that a stopped one hears it), forced at a deadline, and over as soon as nothing is left.
 */
#pragma once

#include "companion/companion.h"

#define PROGRAMS_MAX 256u /* a session's requested programs at once; a user has a few dozen */

struct programs {
	int pid[PROGRAMS_MAX]; /* 0 = free */
	unsigned count;
	bool first; /* we are init of the session's pid namespace: everything in it is ours to end
		     */
};

/*
 * programs_start - answer SM_SB_CREATE_PROCESS
 *   ask  body.exec_pgm of the request; its command is split in place
 * Returns the pid (as this process sees it), -ENOSPC (table full), -EINVAL (no word), -E2BIG,
 * -ENOENT, -EACCES, other -errno.
 */
int programs_start(struct programs *p, const struct companion *c, struct sm_exec_pgm *ask);

/* programs_reap - forget all that died. */
void programs_reap(struct programs *p);

/* programs_signal - sig to everything that is to end. */
void programs_signal(const struct programs *p, int sig);

/* programs_left - something is still there. */
bool programs_left(const struct programs *p);
