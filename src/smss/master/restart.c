/* SPDX-License-Identifier: MIT */
/*
 * restart.c - a session that lost its server gets another one, and lives
 *
 * csrss starts programs and ends them; what runs already needs it for neither. So a session above 0
 * goes on without it, until a copy has joined its namespaces and group and started another. Where
 * csrss is the init of a pid namespace all of the session died with it: that one ends.
 */
#include "smss/master/sessions.h"

#include <errno.h>

#define RESTARTS_MAX      3u
#define RESTARTS_WITHIN_S 60u

static bool possible(uint32_t n)
{
	struct session *s = &master.sessions[n];
	uint64_t now_s = sys_now_ns() / NS_PER_S;

	if (!n || s->state != SESSION_RUNNING || master.shutting_down || s->initial == NONE ||
	    (s->isolation & SM_ISOLATE_PID) || s->how != 0)
		return false;
	if (now_s - s->restarts_from_s > RESTARTS_WITHIN_S)
		s->restarts_now = 0;
	return s->restarts_now < RESTARTS_MAX;
}

static void begin(uint32_t n)
{
	struct session *s = &master.sessions[n];
	struct sm_sb_session what = {.flags = SM_SESSION_RESTART};
	struct job j = {.why = "starts its csrss again", .core_fds = {NONE, NONE}};
	int pair[2], r = sys_socketpair(pair);

	if (!s->restarts_now++)
		s->restarts_from_s = (uint32_t)(sys_now_ns() / NS_PER_S);
	s->restarting = true;
	s->registered = false;
	if (s->csrss_peer != NONE)
		peer_drop(s->csrss_peer);
	if (r >= 0) {
		s->csrss_peer = (int16_t)peer_add(pair[0], ROLE_CSRSS, n);
		j.core_fds[0] = pair[1];
		j.core_fds[1] = master.processes[s->initial].pidfd; /* the ledger's: not closed */
		r = s->csrss_peer == NONE ? -ENOSPC : session_copy_start(n, &j, &what);
		sys_closep(&pair[1]);
	}
	if (r >= 0) {
		session_note(n, RESULT_DEGRADED, 0, "csrss", "it died and is started again");
		return;
	}
	s->restarting = false;
	session_note(n, RESULT_FAILED, -r, "csrss", "it died and cannot be started again");
	(void)session_end(n, waiter_none());
}

void restart_or_end(uint32_t n)
{
	struct session *s = &master.sessions[n];

	if (s->copy != NONE) { /* once that is gone: only one copy at a time works at a session */
		ledger_kill(s->copy);
	} else if (!possible(n)) {
		session_note(n, RESULT_FAILED, s->restarts_now, "csrss",
			     "the session ends with its server");
		(void)session_end(n, waiter_none());
	} else if (!s->frozen) { /* another one would stand still, too: when they go on */
		begin(n);
	}
}

void restart_copy_ended(uint32_t n)
{
	struct session *s = &master.sessions[n];
	const bool half_made = s->restarting;

	if (!n || s->state != SESSION_RUNNING)
		return;
	s->restarting = false;
	if (half_made)
		s->deadline_ns = 0;
	if (s->csrss == NONE)
		restart_or_end(n);
	else if (half_made)
		ledger_kill(s->csrss);
}

void restart_complete(uint32_t n)
{
	struct session *s = &master.sessions[n];

	s->restarting = false;
	s->deadline_ns = 0;
	s->restarts += s->restarts < UINT16_MAX;
	session_tell(n);
}
