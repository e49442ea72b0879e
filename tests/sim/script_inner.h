/* SPDX-License-Identifier: MIT */
/*
 * script_inner.h - what the scripts of a simulated boot share; for script*.c only
 */
#pragma once

#include "script.h"
#include "wire/wire.h"

enum mood {
	MOOD_GOOD,
	MOOD_FAIL,
	MOOD_CRASH,
	MOOD_HANG,
	MOOD_GARBAGE,
	MOOD_SILENT,
	MOOD_LIE,
	MOODS
};

extern struct play {
	struct script s;
	unsigned left; /* misfortunes */
	unsigned counts[ROLE_COUNT];
	bool asked_down;
	unsigned stopping; /* STOP_SESSIONS asked by the shutdown copy */
	unsigned restarts, sweeps, lingering;
} play;

/* mood - how somebody behaves now: good, once the misfortunes are used up. */
enum mood mood(void);
void say_to_master(int pid, struct sm_message *m, const int *fds, unsigned fd_count);
void leave_soon(int pid, int code);
void talk_nonsense(int pid);

/* script_session_message - a copy that works at a session was told something; false: it is none. */
bool script_session_message(struct sim_process *p, const struct sm_message *m);
/* script_sweep - what the sweep copy does. */
void script_sweep(int pid, void *arg);
