/* SPDX-License-Identifier: MIT */
/*
 * ending.c - how sessions end: asked, waited for, forced, proven gone (law 8)
 *
 * A session has ended when its known processes are reaped and its cgroup reads "populated 0"; in a
 * pid namespace of its own the death of csrss proves it. Until then its number is not used again,
 * and whoever waits is told "still dying" at the deadline.
 */
#include "smss/master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#define RETRY_FIRST_S  1u
#define RETRY_CAP_S    60u
#define BRIEF_S        5u /* a session that lived shorter, and not by logoff, counts as failed */
#define DYING_CHECK_NS (20 * NS_PER_MS)
#define FORCE_GRACE_S  5u /* after KILL: what is still there then is told as "still dying" */

static void group_path(uint32_t n, const char *file, struct text *t)
{
	text_add(text_u64(text_add(text_add(t, master.cgroup), "/session-"), n), file);
}

/* ---- ending ---- */

static bool known_left(const struct session *s)
{
	return s->csrss != NONE || s->initial != NONE || s->copy != NONE;
}

/* 1 the group still has processes, 0 it has none (or never was one). */
static int populated(uint32_t n)
{
	char path[160], events[KERNEL_TEXT_BYTES];
	struct text t = TEXT_ON(path);
	ssize_t got;

	if (!master.cgroup[0])
		return 0;
	group_path(n, "/cgroup.events", &t);
	got = sys_read_file(AT_FDCWD, path, events, sizeof(events) - 1);
	if (got < 0)
		return got == -ENOENT ? 0 : 1; /* a group we cannot read is not proven empty */
	events[got] = 0;
	return !str_starts(events, "populated 0");
}

static void kill_group(uint32_t n)
{
	char path[160];
	struct text t = TEXT_ON(path);

	if (!master.cgroup[0])
		return;
	group_path(n, "/cgroup.kill", &t);
	(void)!sys_write_file(AT_FDCWD, path, "1");
}

static void remove_group(uint32_t n)
{
	char path[160];
	struct text t = TEXT_ON(path);

	if (!master.cgroup[0])
		return;
	group_path(n, "", &t);
	(void)!sys_unlink(AT_FDCWD, path, AT_REMOVEDIR);
}

static void force(uint32_t n)
{
	struct session *s = &master.sessions[n];

	s->killed = true;
	kill_group(n);
	ledger_kill(s->copy);
	ledger_kill(s->initial);
	ledger_kill(s->csrss); /* with a pid namespace this takes everything */
	s->deadline_ns = sys_now_ns() + FORCE_GRACE_S * NS_PER_S;
	if (s->state != SESSION_DYING)
		session_move_to(n, SESSION_DYING);
}

static void answer_stopper(uint32_t n, int r)
{
	struct sm_message m;

	sm_message_start(&m, SM_STOP_CSR, 1, 0);
	m.b.stop_csr.session = n;
	m.b.stop_csr.left = r == -EBUSY;
	callers_answer(CALLER_STOP, n, &m, status_of(r));
}

static void drop_peers(struct session *s)
{
	if (s->csrss_peer != NONE)
		peer_drop(s->csrss_peer);
	if (s->initial_peer != NONE)
		peer_drop(s->initial_peer);
	s->csrss_peer = s->initial_peer = s->copy_peer = NONE;
}

/* 1, 2, 4 ... seconds, capped: "others: slowing retries" of design §3. */
static uint64_t retry_delay_s(uint32_t failures)
{
	uint64_t delay_s = (uint64_t)RETRY_FIRST_S << (failures < 8 ? failures - 1 : 7);

	return delay_s < RETRY_CAP_S ? delay_s : RETRY_CAP_S;
}

/* Everything of it is gone: free the number, or wait for the next try. */
static void gone(uint32_t n)
{
	struct session *s = &master.sessions[n];
	bool again = s->keep && !master.shutting_down;
	uint64_t now = sys_now_ns();
	bool brief = !s->complete || (!s->logoff && now - s->ready_ns < BRIEF_S * NS_PER_S);
	uint32_t failures = brief ? s->failures + 1 : 0;

	drop_peers(s);
	remove_group(n);
	callers_leave(n, -EIO);
	session_forget_request(s);
	answer_stopper(n, 0);
	session_set_up_failed(n, -EIO);
	session_move_to(n, SESSION_FREE);
	if (again) {
		session_reset(s, true);
		s->failures = failures;
		s->retry_ns = failures ? now + retry_delay_s(failures) * NS_PER_S : 0;
		session_move_to(n, SESSION_RESERVED);
	} else {
		while (master.sessions_top &&
		       master.sessions[master.sessions_top - 1].state == SESSION_FREE)
			master.sessions_top--;
	}
	session_start_waiting();
	phase_sessions_changed();
	if (master.shutting_down)
		shutdown_check();
}

/* Is it over? Called after a death and, while dying, every few milliseconds. */
static void check_gone(uint32_t n)
{
	struct session *s = &master.sessions[n];

	if (known_left(s))
		return;
	if (populated(n)) {
		if (!s->killed)
			force(n);
		else
			kill_group(n); /* what a dying copy still put into it */
		s->check_ns = sys_now_ns() + (s->deadline_ns ? DYING_CHECK_NS : NS_PER_S);
		return;
	}
	s->check_ns = 0;
	gone(n);
}

/* A program that speaks no protocol: as a terminal's end would ask it, since shells ignore TERM. */
static void ask_program(int pidfd)
{
	(void)!sys_pidfd_signal(pidfd, SIGHUP);
	(void)!sys_pidfd_signal(pidfd, SIGTERM);
	(void)!sys_pidfd_signal(pidfd, SIGCONT);
}

int session_end(uint32_t n, struct waiter stopper)
{
	struct session *s;
	struct sm_message m;
	uint32_t grace_s;
	int r;

	if (n >= master.sessions_top || master.sessions[n].state == SESSION_FREE)
		return -ENOENT;
	s = &master.sessions[n];
	r = caller_add(CALLER_STOP, n, stopper, 0);
	if (r < 0)
		return r;
	if (s->state == SESSION_ENDING || s->state == SESSION_DYING)
		return 0;
	grace_s = plan_session_number(master.plan, n, "StopDeadline",
				      master.plan->settings.shutdown_deadline_s);
	s->deadline_ns = sys_now_ns() + grace_s * NS_PER_S;
	if (s->state == SESSION_SETTING_UP || s->state == SESSION_RESERVED) {
		force(n); /* nothing in it has work to save yet */
	} else {
		session_move_to(n, SESSION_ENDING);
		sm_message_start(&m, SM_SB_TERMINATE, 0, 0);
		if (s->initial != NONE && s->initial_peer != NONE)
			peer_send(s->initial_peer, &m);
		if (s->initial != NONE && !s->initial_registered)
			ask_program(master.processes[s->initial].pidfd);
		if (s->csrss != NONE && s->csrss_peer != NONE && s->initial == NONE)
			peer_send(s->csrss_peer, &m);
	}
	check_gone(n);
	return 0;
}

static const char *critical_name(const struct session *s, int row)
{
	return row == s->csrss       ? "csrss"
	       : s->initial_image[0] ? s->initial_image
				     : "initial command";
}

/* The initial command is gone: csrss goes last, as NT does it (nt-reference §6.10). */
static void ask_csrss(struct session *s)
{
	struct sm_message m;

	if (s->csrss == NONE || s->csrss_peer == NONE)
		return;
	sm_message_start(&m, SM_SB_TERMINATE, 0, 0);
	peer_send(s->csrss_peer, &m);
}

static void say_server_died(uint32_t n, int detail)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_u64(text_add(&t, "session "), n), " ends with its server");
	row_note(PHASE_SESSIONS, SM_ROW_ITEM, RESULT_FAILED, detail, "csrss", room);
}

/* Set-up of session 0 failed: nothing can run without it (design §3, row 9). */
static void zero_failed(void)
{
	stop(STOP_SYSTEM_PROCESS_TERMINATED, 0, "Session Manager ExecuteInitialCommand",
	     "session 0 could not be set up");
}

static void died_in_set_up(uint32_t n)
{
	row_note(master.boot.phase, SM_ROW_ENTRY, RESULT_FAILED, (int)n, "session",
		 "a core process died while it was being set up");
	if (n == 0 && !master.shutting_down)
		zero_failed();
	force(n);
}

static void copy_ended(uint32_t n, enum result result)
{
	struct session *s = &master.sessions[n];

	if (s->state == SESSION_RUNNING || s->state >= SESSION_ENDING)
		return;
	row_note(master.boot.phase, SM_ROW_ENTRY, result == RESULT_OK ? RESULT_FAILED : result, 0,
		 "session copy", "it ended before SessionComplete");
	if (n == 0 && !master.shutting_down)
		zero_failed();
	force(n);
}

/*
 * Who leaves the last level's rescue login has done what there was to do. One that ends at once had
 * nobody at it (no console to read from), and rebooting for that would go on for ever.
 */
static bool rescue_left(uint32_t n, int row, enum result result)
{
	const struct session *s = &master.sessions[n];

	return n == 0 && row == s->initial && master.boot.level == SM_LEVEL_BUILTIN &&
	       result == RESULT_OK && sys_now_ns() - s->ready_ns >= BRIEF_S * NS_PER_S;
}

void session_process_ended(uint32_t n, int row, enum result result, int detail)
{
	struct session *s = &master.sessions[n];
	bool core = row == s->csrss || row == s->initial;
	const char *name = critical_name(s, row);

	if (row == s->copy) {
		s->copy = s->copy_peer = NONE;
		copy_ended(n, result);
	} else if (core && s->state == SESSION_RUNNING && !master.shutting_down) {
		if (rescue_left(n, row, result))
			(void)shutdown_begin(SM_ACTION_REBOOT, 0, "the rescue login was left");
		else if (n == 0)
			stop(STOP_SYSTEM_PROCESS_TERMINATED, (uint32_t)detail, name,
			     result == RESULT_CRASHED ? "a critical process died of a signal"
						      : "a critical process ended");
		else if (row == s->csrss)
			say_server_died(n, detail);
	}
	if (row == s->csrss)
		s->csrss = NONE;
	if (row == s->initial)
		s->initial = NONE;
	if (core && s->state == SESSION_RUNNING && n)
		(void)session_end(n, waiter_none());
	else if (core && s->state == SESSION_SETTING_UP)
		died_in_set_up(n);
	if (s->state == SESSION_ENDING && core && s->initial == NONE)
		ask_csrss(s);
	if (s->state == SESSION_ENDING || s->state == SESSION_DYING)
		check_gone(n);
}

static void over(uint32_t n, uint64_t now)
{
	struct session *s = &master.sessions[n];

	if (s->retry_ns && s->retry_ns <= now) {
		s->retry_ns = 0;
		session_start_waiting();
	}
	if (s->check_ns && s->check_ns <= now) {
		s->check_ns = 0;
		check_gone(n);
	}
	if (!s->deadline_ns || s->deadline_ns > now)
		return;
	if (s->state == SESSION_ENDING) {
		force(n);
	} else if (s->state == SESSION_DYING) {
		s->deadline_ns = 0;
		answer_stopper(n, -EBUSY);
		row_note(PHASE_SHUTDOWN, SM_ROW_ITEM, RESULT_TIMEOUT, (int)n, "session",
			 "still dying after KILL; its number stays taken");
		if (master.shutting_down)
			shutdown_check();
	} else {
		s->deadline_ns = 0;
	}
}

uint64_t session_deadlines(uint64_t now)
{
	uint64_t next = 0;

	for (uint32_t n = 0; n < master.sessions_top; n++) {
		struct session *s = &master.sessions[n];
		uint64_t each[3];

		over(n, now);
		each[0] = s->state == SESSION_FREE ? 0 : s->deadline_ns;
		each[1] = s->state == SESSION_RESERVED ? s->retry_ns : 0;
		each[2] = s->state == SESSION_DYING || s->state == SESSION_ENDING ? s->check_ns : 0;
		for (unsigned i = 0; i < 3; i++)
			if (each[i] && (!next || each[i] < next))
				next = each[i];
	}
	return next;
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
