/* SPDX-License-Identifier: MIT */
/*
 * programs.h - the programs of a session that were started on request
 *
 * A fixed table of what we started and have not reaped. A program may have a control connection to
 * whoever asked for it: over it come signals and sizes, and its end is told there exactly. Nothing
 * a client does or leaves undone makes us wait. Ending is asked first (TERM, then CONT so that a
 * stopped one hears it), forced at a deadline, and over as soon as nothing is left.
 */
#pragma once

#include "companion/companion.h"
#include "companion/program.h"
#include "csrss/owner.h"

#define PROGRAMS_MAX 256u /* a session's requested programs at once; a user has a few dozen */

struct started {
	int pid;      /* 0 = free, and the rest of the row means nothing */
	int control;  /* owner: this row; -1 = none, or its client has left */
	int terminal; /* its master side, owner: this row; -1 = none */
	uint32_t uid, flags;
	uint64_t started_ns;
	char command[TEXT_BYTES];
};

struct programs {
	struct started at[PROGRAMS_MAX]; /* untouched, and so no memory, until needed */
	unsigned top;                    /* rows from here on are free */
	bool first;    /* init of the session's pid namespace: all in it is ours to end */
	bool children; /* some were left at the last look */
	int controls; /* epoll of all control connections, key = row; -1 before the first program */
	const struct owner *owner; /* NULL = programs run as we do */
};

/* programs_open - an empty table. */
void programs_open(struct programs *p);

struct handed { /* what an answer brings, in this order; the caller's, but for one */
	int fd[SYS_FDS_MAX];
	unsigned count;
	int kept; /* one of them that stays ours, -1 */
};

/*
 * programs_start - answer SM_SB_CREATE_PROCESS
 *   ask  body.exec_pgm of the request; its command is split in place
 *   ret  filled on success only
 * Returns the pid (as this process sees it), -ENOSPC (table full), -EINVAL (no word, flags that do
 * not go together, a relative path), -E2BIG, -ENOENT, -EACCES (it is there and cannot be started),
 * other -errno.
 */
int programs_start(struct programs *p, const struct companion *c, struct sm_exec_pgm *ask,
		   struct handed *ret);

/* handed_close - after the answer has gone. */
void handed_close(struct handed *h);

/* programs_row - answer SM_SB_PROGRAM_ROW. Returns 0 or -ENODATA (past the last). */
int programs_row(const struct programs *p, struct sm_program_row *row);

/* programs_controls - what clients say, or that they are gone. Never waits. */
void programs_controls(struct programs *p);

/* programs_reap - take all that died; whoever has a control connection is told how. */
void programs_reap(struct programs *p);

/*
 * programs_ask, programs_kill - TERM and CONT, or KILL, to everything that is to end
 * The first returns false when there is certainly nobody.
 */
bool programs_ask(const struct programs *p);
void programs_kill(const struct programs *p);

/* programs_left - something is still there. */
bool programs_left(const struct programs *p);

/* programs_group - the process group that a program's client means: see sm_program_signal. */
int programs_group(const struct started *s);

/*
 * program_command - words as one text, blanks between them, cut to n bytes with the NUL
 * exec_flags_check - flags that go together: 0 or -EINVAL
 * Pure.
 */
void program_command(char *const *words, char *ret, size_t n);
int exec_flags_check(uint32_t flags) _must_check_;
