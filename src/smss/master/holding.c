/* SPDX-License-Identifier: MIT */
/*
 * holding.c - what is done to a session that runs: other limits, standing still and going on
 *
 * Writing a memory limit can wait for the kernel to make room, so a copy does that. Freezing never
 * waits; whether all of them stand is looked at again and again until somebody's time is over.
 */
#include "smss/master/sessions.h"

#include <errno.h>

#define LIMITS_S 30u
#define FREEZE_S 5u

static bool is_up(uint32_t n)
{
	return n < master.sessions_top && master.sessions[n].state == SESSION_RUNNING;
}

int session_limits(uint32_t n, const struct sm_session_limits *l, struct waiter who)
{
	struct job j = {.role = ROLE_LIMITS,
			.n = n,
			.session = n,
			.deadline_s = LIMITS_S,
			.name = "smss",
			.why = "gives the session other limits",
			.core_fds = {NONE, NONE}};
	struct sm_message m;
	int caller, row;

	if (!is_up(n))
		return -ENOENT;
	if (master.sessions[n].limiter != NONE)
		return -EAGAIN;
	caller = caller_add(CALLER_LIMITS, n, who, 0);
	if (caller < 0)
		return caller;
	row = job_start(&j);
	if (row < 0) {
		callers_refuse(CALLER_LIMITS, n, row);
		return 0;
	}
	master.sessions[n].limiter = (int16_t)row;
	sm_message_start(&m, SM_SB_LIMITS, 0, 0);
	m.b.session_limits = *l;
	m.b.session_limits.session = n;
	peer_send(master.processes[row].peer, &m);
	return 0;
}

void session_limits_ended(uint32_t n, enum result result, int detail)
{
	struct sm_message m;
	int r = result == RESULT_OK           ? 0
		: result == RESULT_TIMEOUT    ? -ETIMEDOUT
		: result == RESULT_CRASHED    ? -EIO
		: detail == (int)COPY_SKIPPED ? -EOPNOTSUPP
					      : -EIO;

	if (r < 0) {
		callers_refuse(CALLER_LIMITS, n, r);
		return;
	}
	sm_message_start(&m, SM_SESSION_LIMITS, 1, 0);
	m.b.session_limits.session = n;
	callers_answer(CALLER_LIMITS, n, &m, SM_OK);
}

/* The line "frozen 1" or "frozen 0" follows that of "populated". */
int session_freeze_done(uint32_t n)
{
	char events[KERNEL_TEXT_BYTES];
	ssize_t got = group_events(n, events);

	if (got < 0)
		return (int)got;
	for (ssize_t i = 0; i < got; i++)
		if ((!i || events[i - 1] == '\n') && str_starts(events + i, "frozen "))
			return (events[i + 7] == '1') == master.sessions[n].frozen;
	return -EOPNOTSUPP;
}

int session_freeze(uint32_t n, bool freeze, struct waiter who)
{
	struct session *s = &master.sessions[n];
	int r;

	if (!is_up(n))
		return -ENOENT;
	if (!n)
		return -EACCES; /* the machine would stand */
	if (!master.cgroup[0])
		return -EOPNOTSUPP;
	if (s->frozen != freeze) /* who waits for the contrary waits for nothing */
		callers_refuse(CALLER_FREEZE, n, -EAGAIN);
	r = caller_add(CALLER_FREEZE, n, who, FREEZE_S);
	if (r < 0)
		return r;
	r = group_write(n, "/cgroup.freeze", freeze ? "1" : "0");
	if (r < 0) {
		callers_refuse(CALLER_FREEZE, n, r == -ENOENT ? -EOPNOTSUPP : r);
		return 0;
	}
	if (s->frozen != freeze) {
		s->frozen = freeze;
		session_tell(n);
	}
	if (!freeze && s->csrss == NONE)
		restart_or_end(n);
	return 0;
}
