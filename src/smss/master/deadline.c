/* SPDX-License-Identifier: MIT */
/*
 * deadline.c - what time does to sessions: turns that did not come, servers that do not register,
 * lifetimes, ends that take too long
 *
 * A session has two times, and its state says what they mean (struct session). Every wait has a
 * deadline (law 10), but for those the hive switches off.
 */
#include "smss/master/sessions.h"

#include <errno.h>

#define SLOW_LOOKS 9u /* they are a second apart, and more each time */
/* 2 ms, 4 ms, ... two hours: what never dies does not keep an idle machine awake. */
#define LOOKS_MAX     22u
#define LOOK_APART_NS (5 * NS_PER_MS) /* orphans may die by the thousand, all the time */

/* Nobody set it up in time: it never was. */
static void waited_too_long(uint32_t n)
{
	static const char why[] = "it was not its turn before StartDeadline was over";

	session_note(n, RESULT_TIMEOUT, 0, "set-up", why);
	session_set_up_failed(n, status_of(-ETIMEDOUT), why);
	(void)session_end(n, waiter_none());
}

static void not_registered(uint32_t n)
{
	static const char why[] = "csrss did not register before RegisterDeadline was over";
	struct session *s = &master.sessions[n];

	session_note(n, RESULT_TIMEOUT, 0, s->restarting ? "restart" : "set-up", why);
	if (s->restarting) {
		(void)session_end(n, waiter_none());
		return;
	}
	session_set_up_failed(n, status_of(-ETIMEDOUT), why);
	if (n == 0)
		session_zero_failed(0);
	session_force(n);
}

static void lived_out(uint32_t n)
{
	session_note(n, RESULT_OK, 0, "end", "maximum lifetime");
	master.sessions[n].logoff = true; /* made again at once, if it is one of the initial ones */
	(void)session_end(n, waiter_none());
}

static void deadline_over(uint32_t n)
{
	struct session *s = &master.sessions[n];

	s->deadline_ns = 0;
	switch (s->state) {
	case SESSION_RESERVED:
		waited_too_long(n);
		break;
	case SESSION_SETTING_UP:
	case SESSION_REGISTERED:
	case SESSION_RUNNING:
		if (!s->registered)
			not_registered(n);
		break;
	case SESSION_ENDING:
		session_force(n);
		break;
	case SESSION_DYING:
		session_still_dying(n);
		break;
	default:
		break;
	}
}

static void wake(uint32_t n)
{
	struct session *s = &master.sessions[n];

	s->wake_ns = 0;
	switch (s->state) {
	case SESSION_RESERVED:
		session_start_waiting();
		break;
	case SESSION_RUNNING:
		lived_out(n);
		break;
	case SESSION_ENDING:
	case SESSION_DYING:
		if (s->looks >= SLOW_LOOKS) /* rare enough for another copy, if it needs one */
			s->swept = false;
		s->looks += s->looks < LOOKS_MAX;
		session_check_gone(n);
		break;
	default:
		break;
	}
}

/* Orphans ended: the interval of each stays as it is. */
static void look_at_all(uint64_t now)
{
	if (!master.look_ns || master.look_ns > now)
		return;
	master.look_ns = 0;
	master.looked_ns = now;
	for (uint32_t n = 0; master.dying && n < master.sessions_top; n++)
		if (master.sessions[n].state == SESSION_ENDING ||
		    master.sessions[n].state == SESSION_DYING)
			session_check_gone(n);
}

uint64_t session_deadlines(uint64_t now)
{
	uint64_t next;

	look_at_all(now);
	next = master.look_ns;
	for (uint32_t n = 0; n < master.sessions_top; n++) {
		struct session *s = &master.sessions[n];

		if (s->state == SESSION_FREE)
			continue;
		if (s->wake_ns && s->wake_ns <= now)
			wake(n);
		if (s->deadline_ns && s->deadline_ns <= now)
			deadline_over(n);
		if (s->state == SESSION_FREE)
			continue;
		if (s->wake_ns && (!next || s->wake_ns < next))
			next = s->wake_ns;
		if (s->deadline_ns && (!next || s->deadline_ns < next))
			next = s->deadline_ns;
	}
	return next;
}

void sessions_look(void)
{
	const uint64_t now = sys_now_ns(), soonest = master.looked_ns + LOOK_APART_NS;

	if (master.dying && !master.look_ns)
		master.look_ns = soonest > now ? soonest : now;
}

uint32_t sessions_left(uint32_t from)
{
	uint32_t left = 0;

	for (uint32_t n = from; n < master.sessions_top; n++)
		left += master.sessions[n].state != SESSION_FREE;
	return left;
}

void sessions_stop(uint32_t from)
{
	for (uint32_t n = from; n < master.sessions_top; n++)
		if (master.sessions[n].state != SESSION_FREE)
			(void)session_end(n, waiter_none());
}
