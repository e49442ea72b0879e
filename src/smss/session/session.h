/* SPDX-License-Identifier: MIT */
/*
 * session.h - what the files of a session's set-up share
 *
 * One copy sets one session up: its group, its environment, the processes in it. For session/ only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smss/copy.h"
#include "sys/sys.h"

enum how { HOW_CGROUP, HOW_PID_NAMESPACE, HOW_NEITHER }; /* as sm_session_row.how */

struct setup {
	const struct copy *c;
	enum how how;
	int cgroup;               /* -1 or the group's directory */
	int console;              /* for fds 1 and 2 */
	int csrss;                /* pidfd */
	bool registered;          /* csrss has: the master said so */
	bool safe;                /* a safe boot: what may be left out is */
	uint64_t begin_ns;        /* of this copy */
	struct sm_sb_session ask; /* what the master wants made */
	char *env[ENV_VARS_MAX + 2];
	char number[32];
};

struct started {
	int pid, pidfd;   /* the pidfd is the caller's */
	const char *name; /* the image token, good until the next start */
};

#define NO_CONNECTION (-1) /* a program of Execute: ours to wait for, not the master's */

/*
 * setup_start - start one image of the plan in the session
 *   line        its command line
 *   connection  FD_CSRSS, FD_INITIAL: a core process, handed to the master; or NO_CONNECTION
 *   ret         name is set as soon as the line is read, also on failure
 * Returns 0 or -errno.
 */
int setup_start(struct setup *s, const char *line, int connection,
		struct started *ret) _must_check_;

/*
 * setup_execute - the programs of Execute, one after the other, before the initial command
 * Each has ExecuteDeadline, all of them four fifths of the session's StartDeadline: what comes
 * after them needs some of it. Each gets a row; no failure of theirs ends the session.
 */
void setup_execute(struct setup *s);

/* setup_initial_command - the command line of the session's first program. */
const char *setup_initial_command(const struct setup *s);
