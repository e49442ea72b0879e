/* SPDX-License-Identifier: MIT */
/*
 * session.c - sessions as the master sees them: numbers, states, who lives in them, how they begin
 *
 * A session is set up by a copy, which hands csrss and the initial command over and exits. As many
 * are set up at once as NT does since Vista; the others wait for their turn. What copy
 * and core processes say: handover.c; how they lose their server: restart.c; how they are held:
 * holding.c; how they end: ending.c.
 */
#include "smss/master/sessions.h"

#include <errno.h>

#include "smss/master/ahead.h"

#define WAIT_S 60u /* for a place to be set up in, where StartDeadline is off */

void session_tell(uint32_t n)
{
	struct sm_message m;

	if (!master.subscribers)
		return;
	sm_message_start(&m, SM_EVENT_SESSION, 0, 0);
	session_fill(n, &m.b.session_row);
	peer_tell_all(&m);
}

bool session_in_set_up(const struct session *s)
{
	return s->state == SESSION_SETTING_UP || s->state == SESSION_REGISTERED;
}

static bool is_dying(const struct session *s)
{
	return s->state == SESSION_ENDING || s->state == SESSION_DYING;
}

void session_move_to(uint32_t n, enum session_state state)
{
	struct session *s = &master.sessions[n];

	master.setting_up -= session_in_set_up(s);
	master.dying -= is_dying(s);
	s->state = (uint8_t)state;
	master.setting_up += session_in_set_up(s);
	master.dying += is_dying(s);
	session_tell(n);
}

void session_fill(uint32_t n, struct sm_session_row *ret)
{
	const struct session *s = &master.sessions[n];

	*ret = (struct sm_session_row){
		.cursor = n + 1,
		.session = n,
		.state = s->state,
		.csrss_pid = ledger_pid(s->csrss),
		.initial_pid = ledger_pid(s->initial),
		.copy_pid = ledger_pid(s->copy),
		.failures = s->failures,
		.how = s->how,
		.isolation = s->isolation,
		.owner = s->owner,
		.flags = (s->frozen ? SM_ROW_FROZEN : 0) | (s->keep ? SM_ROW_KEPT : 0),
		.restarts = s->restarts,
		.idle_s = s->idle_s,
		.ends_ns = s->state == SESSION_RUNNING || s->state == SESSION_RESERVED ? s->wake_ns
										       : 0,
		.created_ns = s->created_ns,
		.ready_us = s->ready_us,
	};
	if (s->image)
		str_copy(ret->initial, sizeof(ret->initial), name_text(s->image));
	if (n && master.plan)
		str_copy(
			ret->console, sizeof(ret->console),
			plan_session_text(master.plan, n, "Console", n == 1 ? "/dev/console" : ""));
}

void session_note(uint32_t n, enum result result, int detail, const char *name, const char *text)
{
	char room[NAME_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_u64(text_add(&t, "session "), n), " ");
	text_add(&t, name);
	if (session_may_row(n))
		row_note(PHASE_SESSIONS, SM_ROW_ITEM, result, detail, room, text);
}

/* ---- beginning ---- */

void session_reset(struct session *s, bool keep)
{
	name_drop(s->image);
	*s = (struct session){.keep = keep,
			      .csrss = NONE,
			      .initial = NONE,
			      .copy = NONE,
			      .limiter = NONE,
			      .csrss_peer = NONE,
			      .initial_peer = NONE,
			      .copy_peer = NONE,
			      .request = NONE,
			      .owner = SM_NO_OWNER,
			      .ticket = ++master.tickets,
			      .created_ns = sys_now_ns()};
}

/* Both born connections of a session's core processes: our ends, and those for the copy. */
static int core_pairs(int ret_ours[2], int ret_theirs[2])
{
	int csrss[2], initial[2];
	int r = sys_socketpair(csrss);

	if (r < 0)
		return r;
	r = sys_socketpair(initial);
	if (r < 0) {
		sys_closep(&csrss[0]);
		sys_closep(&csrss[1]);
		return r;
	}
	ret_ours[0] = csrss[0];
	ret_ours[1] = initial[0];
	ret_theirs[0] = csrss[1];
	ret_theirs[1] = initial[1];
	return 0;
}

static int core_peers(uint32_t n, const int ours[2])
{
	struct session *s = &master.sessions[n];

	s->csrss_peer = (int16_t)peer_add(ours[0], ROLE_CSRSS, n);
	s->initial_peer = (int16_t)peer_add(ours[1], ROLE_INITIAL, n);
	return s->csrss_peer == NONE || s->initial_peer == NONE ? -ENOSPC : 0;
}

void session_set_up_failed(uint32_t n, uint32_t status, const char *text)
{
	struct sm_message m;

	sm_message_start(&m, SM_START_CSR, 1, 0);
	m.b.start_csr.session = n;
	str_copy(m.b.start_csr.text, sizeof(m.b.start_csr.text), text);
	callers_answer(CALLER_START, n, &m, status);
}

void session_zero_failed(uint32_t status)
{
	if (!master.shutting_down)
		stop(STOP_SYSTEM_PROCESS_TERMINATED, status,
		     "Session Manager ExecuteInitialCommand", "session 0 could not be set up");
}

static uint32_t start_deadline_s(uint32_t n)
{
	return plan_session_number(master.plan, n, "StartDeadline",
				   master.plan->settings.subsystem_deadline_s);
}

static void ask_message(uint32_t n, const struct sm_sb_session *what, struct sm_message *ret)
{
	sm_message_start(ret, SM_SB_SESSION, 0, 0);
	ret->b.sb_session = *what;
	ret->b.sb_session.session = n;
}

int session_copy_start(uint32_t n, struct job *j, const struct sm_sb_session *what)
{
	struct session *s = &master.sessions[n];
	struct sm_message m;
	int r;

	j->role = ROLE_SESSION;
	j->n = j->session = n;
	j->deadline_s = start_deadline_s(n);
	j->name = "smss";
	r = job_start(j);
	if (r < 0)
		return r;
	s->copy = (int16_t)r;
	s->copy_peer = master.processes[r].peer;
	ask_message(n, what, &m);
	peer_send(s->copy_peer, &m); /* it reads this before anything else */
	return 0;
}

/* The copy that waits becomes this session's. -ENOENT: none does. */
static int copy_from_ahead(uint32_t n, const struct sm_sb_session *what, const char *why)
{
	const uint32_t deadline_s = start_deadline_s(n);
	struct session *s = &master.sessions[n];
	struct process *p;
	struct sm_message m;
	int row, ours[2];

	ask_message(n, what, &m);
	row = ahead_take(&m, ours);
	if (row == NONE)
		return -ENOENT;
	p = &master.processes[row];
	p->session = n;
	p->deadline_ns = deadline_s ? sys_now_ns() + deadline_s * NS_PER_S : 0;
	ledger_set_why(row, why);
	s->copy = (int16_t)row;
	s->copy_peer = p->peer;
	master.peers[p->peer].session = (uint16_t)n;
	return core_peers(n, ours);
}

/* A new copy, with both connections made now. */
static int copy_from_new(uint32_t n, const struct sm_sb_session *what, const char *why)
{
	struct job j = {.why = why};
	int ours[2];
	int r = core_pairs(ours, j.core_fds);

	if (r < 0)
		return r;
	r = core_peers(n, ours);
	if (r >= 0)
		r = session_copy_start(n, &j, what);
	sys_closep(&j.core_fds[0]);
	sys_closep(&j.core_fds[1]);
	return r;
}

static void could_not_start(uint32_t n, int r)
{
	session_note(n, RESULT_FAILED, -r, "copy", err_text(-r));
	session_set_up_failed(n, status_of(r), err_text(-r));
	if (n == 0)
		session_zero_failed((uint32_t)-r);
	session_move_to(n, SESSION_DYING);
	master.sessions[n].wake_ns = sys_now_ns(); /* next turn: ending here would recurse */
}

static void set_up(uint32_t n)
{
	struct session *s = &master.sessions[n];
	static const char why[] = "sets the session up";
	struct sm_sb_session what = {.flags = 0};
	int r;

	s->created_ns = s->failures ? sys_now_ns() : s->created_ns;
	s->deadline_ns = s->wake_ns = 0;
	request_take(s, &what);
	session_move_to(n, SESSION_SETTING_UP);
	r = copy_from_ahead(n, &what, why);
	if (r >= 0)
		ahead_start(n); /* there is time: we wait for csrss now */
	else if (r == -ENOENT)
		r = copy_from_new(n, &what, why);
	if (r < 0) {
		could_not_start(n, r);
		return;
	}
	if (master.boot.phase == PHASE_SESSIONS) {
		char room[NAME_BYTES];
		struct text t = TEXT_ON(room);

		text_u64(text_add(&t, "session "), n);
		master.processes[s->copy].row =
			(int16_t)row_begin(PHASE_SESSIONS, SM_ROW_ENTRY, room, ledger_pid(s->copy));
	}
}

/* Whose turn it is: who has waited longest, not who got the lowest number. */
static int next_in_line(void)
{
	int next = NONE;

	for (uint32_t n = 0; n < master.sessions_top; n++) {
		const struct session *s = &master.sessions[n];

		if (s->state == SESSION_RESERVED && !s->wake_ns &&
		    (next == NONE || (int32_t)(s->ticket - master.sessions[next].ticket) < 0))
			next = (int)n;
	}
	return next;
}

/* As many as may be set up at once: 4 + (CPUs - 1). */
void session_start_waiting(void)
{
	while (master.setting_up < master.parallel && !master.shutting_down) {
		int n = next_in_line();

		if (n == NONE)
			return;
		set_up((uint32_t)n);
	}
}

int session_create(const struct sm_sb_session *ask, bool keep, struct waiter starter)
{
	struct session *s;
	uint32_t n = 0, wait_s;
	int request = NONE, r;

	if (master.shutting_down)
		return -ESHUTDOWN;
	while (n < SESSIONS_MAX && master.sessions[n].state != SESSION_FREE)
		n++;
	if (n == SESSIONS_MAX)
		return -ENOSPC;
	if (ask)
		request = request_keep(ask);
	if (request < NONE)
		return request;
	s = &master.sessions[n];
	session_reset(s, keep);
	s->request = (int8_t)request;
	s->others = ask && ask->flags & SM_SESSION_FOREIGN;
	r = caller_add(CALLER_START, n, starter, 0);
	if (r < 0) {
		request_drop(s);
		return r;
	}
	if (n >= master.sessions_top)
		master.sessions_top = n + 1;
	wait_s = start_deadline_s(n);
	if (ask)
		s->deadline_ns = s->created_ns + (wait_s ? wait_s : WAIT_S) * NS_PER_S;
	session_move_to(n, SESSION_RESERVED);
	session_start_waiting();
	return (int)n;
}
