/* SPDX-License-Identifier: MIT */
/*
 * deaths.c - what the death of one of its processes means to a session
 *
 * Core processes of session 0 are critical: their death stops the machine. Above 0 the end of the
 * initial command is the session's end, and a server that dies is replaced where that can be.
 */
#include "smss/master/sessions.h"

#include <errno.h>

static void died_in_set_up(uint32_t n)
{
	session_note(n, RESULT_FAILED, 0, "set-up",
		     "a core process died while it was being set up");
	if (n == 0)
		session_zero_failed(0);
	session_set_up_failed(n, status_of(-EIO), "a core process died while it was being set up");
	session_force(n);
}

/* The copy that sets up, or makes another csrss, is gone. */
static void copy_ended(uint32_t n, enum result result)
{
	static const char early[] = "the copy ended before SessionComplete",
			  late[] = "StartDeadline was over";
	struct session *s = &master.sessions[n];

	if (session_in_set_up(s)) {
		const char *why = result == RESULT_TIMEOUT ? late : early;

		session_note(n, result == RESULT_OK ? RESULT_FAILED : result, 0, "set-up", why);
		session_set_up_failed(n, status_of(result == RESULT_TIMEOUT ? -ETIMEDOUT : -EIO),
				      why);
		if (n == 0)
			session_zero_failed(0);
		session_force(n);
	} else if (result == RESULT_TIMEOUT && !s->restarting) {
		session_note(n, RESULT_TIMEOUT, 0, "copy",
			     "it lingered after SessionComplete and was killed");
	}
}

/*
 * Who leaves the last level's rescue login has done what there was to do. One that ends at once had
 * nobody at it (no console to read from), and rebooting for that would go on for ever.
 */
static bool rescue_left(uint32_t n, bool initial, enum result result)
{
	const struct session *s = &master.sessions[n];

	return n == 0 && initial && master.boot.level == SM_LEVEL_BUILTIN && result == RESULT_OK &&
	       !session_was_brief(s);
}

static const char *critical_name(const struct session *s, bool initial)
{
	return !initial ? "csrss" : s->image ? name_text(s->image) : "initial command";
}

static void critical_died(uint32_t n, bool initial, enum result result, int detail)
{
	if (master.shutting_down)
		return;
	if (rescue_left(n, initial, result))
		(void)shutdown_begin(SM_ACTION_REBOOT, 0, "the rescue login was left");
	else
		stop(STOP_SYSTEM_PROCESS_TERMINATED, (uint32_t)detail,
		     critical_name(&master.sessions[n], initial),
		     result == RESULT_CRASHED ? "a critical process died of a signal"
					      : "a critical process ended");
}

static void core_died(uint32_t n, bool initial, enum result result, int detail)
{
	struct session *s = &master.sessions[n];

	if (!initial)
		callers_leave(n, -EIO);
	if (session_in_set_up(s))
		died_in_set_up(n);
	else if (s->state == SESSION_RUNNING && !n)
		critical_died(n, initial, result, detail);
	else if (s->state == SESSION_RUNNING && initial)
		(void)session_end(n, waiter_none());
	else if (s->state == SESSION_RUNNING)
		restart_or_end(n);
	if (s->state == SESSION_ENDING && s->initial == NONE)
		session_ask_csrss(n);
}

void session_initial_ended(uint32_t n)
{
	core_died(n, true, RESULT_OK, 0);
}

/* The row is free already: only its number is good. */
void session_process_ended(uint32_t n, int row, enum result result, int detail)
{
	struct session *s = &master.sessions[n];

	if (row == s->limiter) {
		s->limiter = NONE;
		session_limits_ended(n, result, detail);
	} else if (row == s->copy) {
		s->copy = s->copy_peer = NONE;
		if (s->sweeping) {
			session_sweep_ended(n);
		} else {
			copy_ended(n, result);
			restart_copy_ended(n);
		}
	} else if (row == s->csrss) {
		s->csrss = NONE;
		core_died(n, false, result, detail);
	} else if (row == s->initial) {
		s->initial = NONE;
		core_died(n, true, result, detail);
	}
	if (s->state == SESSION_ENDING || s->state == SESSION_DYING)
		session_check_gone(n);
}
