/* SPDX-License-Identifier: MIT */
/*
 * session.c - sessions as the master sees them: numbers, states, who lives in them, how they begin
 *
 * A session is set up by a copy, which hands csrss and the initial command over and exits. As many
 * are set up at once as NT does since Vista; the others wait. How they end: ending.c.
 */
#include "smss/master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

static void tell(uint32_t n)
{
	struct sm_message m;

	sm_message_start(&m, SM_EVENT_SESSION, 0, 0);
	session_fill(n, &m.b.session_row);
	peer_tell_all(&m);
}

void session_move_to(uint32_t n, enum session_state state)
{
	if (master.sessions[n].state == SESSION_SETTING_UP)
		master.setting_up--;
	if (state == SESSION_SETTING_UP)
		master.setting_up++;
	master.sessions[n].state = (uint8_t)state;
	tell(n);
}

static uint32_t pid_of(int row)
{
	return row == NONE ? 0 : master.processes[row].pid;
}

void session_fill(uint32_t n, struct sm_session_row *ret)
{
	const struct session *s = &master.sessions[n];

	*ret = (struct sm_session_row){
		.cursor = n + 1,
		.session = n,
		.state = s->state,
		.csrss_pid = pid_of(s->csrss),
		.initial_pid = pid_of(s->initial),
		.copy_pid = pid_of(s->copy),
		.failures = s->failures,
		.how = s->how,
		.created_ns = s->created_ns,
		.ready_us = s->ready_ns ? (s->ready_ns - s->created_ns) / 1000 : 0,
	};
	str_copy(ret->initial, sizeof(ret->initial), s->initial_image);
	if (n && master.plan)
		str_copy(
			ret->console, sizeof(ret->console),
			plan_session_text(master.plan, n, "Console", n == 1 ? "/dev/console" : ""));
}

/* ---- beginning ---- */

void session_reset(struct session *s, bool keep)
{
	*s = (struct session){.keep = keep,
			      .csrss = NONE,
			      .initial = NONE,
			      .copy = NONE,
			      .csrss_peer = NONE,
			      .initial_peer = NONE,
			      .copy_peer = NONE,
			      .request = NONE,
			      .created_ns = sys_now_ns()};
}

/* Both born connections of a session's core processes; our ends become peers. */
static int core_connections(uint32_t n, int ret_theirs[2])
{
	struct session *s = &master.sessions[n];
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
	s->csrss_peer = peer_add(csrss[0], ROLE_CSRSS, n);
	s->initial_peer = peer_add(initial[0], ROLE_INITIAL, n);
	ret_theirs[0] = csrss[1];
	ret_theirs[1] = initial[1];
	return s->csrss_peer == NONE || s->initial_peer == NONE ? -ENOSPC : 0;
}

void session_forget_request(struct session *s)
{
	if (s->request != NONE)
		master.requests[s->request].used = false;
	s->request = NONE;
}

void session_set_up_failed(uint32_t n, int r)
{
	struct sm_message m;

	sm_message_start(&m, SM_START_CSR, 1, 0);
	m.b.start_csr.session = n;
	callers_answer(CALLER_START, n, &m, status_of(r));
}

/* Before anything else it reads what it is to make. */
static void tell_copy(uint32_t n)
{
	struct session *s = &master.sessions[n];
	struct sm_message m;

	sm_message_start(&m, SM_SB_SESSION, 0, 0);
	if (s->request != NONE) {
		m.b.sb_session = master.requests[s->request].what;
		session_forget_request(s);
	}
	m.b.sb_session.session = n;
	peer_send(s->copy_peer, &m);
}

static void set_up(uint32_t n)
{
	struct session *s = &master.sessions[n];
	struct job j = {.role = ROLE_SESSION,
			.n = n,
			.session = n,
			.deadline_s =
				plan_session_number(master.plan, n, "StartDeadline",
						    master.plan->settings.subsystem_deadline_s),
			.name = "smss",
			.why = "sets the session up",
			.core_fds = {NONE, NONE}};
	int r;

	s->created_ns = s->failures ? sys_now_ns() : s->created_ns;
	session_move_to(n, SESSION_SETTING_UP);
	r = core_connections(n, j.core_fds);
	if (r >= 0)
		r = job_start(&j);
	sys_closep(&j.core_fds[0]);
	sys_closep(&j.core_fds[1]);
	if (r < 0) {
		row_note(PHASE_SESSIONS, SM_ROW_ENTRY, RESULT_FAILED, -r, "session copy",
			 err_text(-r));
		session_set_up_failed(n, r);
		if (n == 0 && !master.shutting_down)
			stop(STOP_SYSTEM_PROCESS_TERMINATED, (uint32_t)-r,
			     "Session Manager ExecuteInitialCommand",
			     "session 0 could not be set up");
		session_move_to(n, SESSION_DYING);
		s->check_ns = sys_now_ns(); /* at the next turn: ending here would recurse */
		return;
	}
	s->copy = r;
	s->copy_peer = master.processes[r].peer;
	tell_copy(n);
	if (master.boot.phase == PHASE_SESSIONS) {
		char room[NAME_BYTES];
		struct text t = TEXT_ON(room);

		text_u64(text_add(&t, "session "), n);
		master.processes[r].row =
			row_begin(PHASE_SESSIONS, SM_ROW_ENTRY, room, master.processes[r].pid);
	}
}

/* As many as may be set up at once: 4 + (CPUs - 1). */
void session_start_waiting(void)
{
	for (uint32_t n = 0; n < master.sessions_top && master.setting_up < master.parallel; n++)
		if (master.sessions[n].state == SESSION_RESERVED && !master.sessions[n].retry_ns)
			set_up(n);
}

static int request_keep(const struct sm_sb_session *ask)
{
	int i = 0;

	while (i < (int)REQUESTS_MAX && master.requests[i].used)
		i++;
	if (i == (int)REQUESTS_MAX)
		return -ENOSPC;
	master.requests[i].used = true;
	master.requests[i].what = *ask;
	return i;
}

int session_create(const struct sm_sb_session *ask, bool keep, struct waiter starter)
{
	uint32_t n = 0;
	int request = NONE, r;

	if (master.shutting_down)
		return -ESHUTDOWN;
	while (n < SESSIONS_MAX && master.sessions[n].state != SESSION_FREE)
		n++;
	if (n == SESSIONS_MAX)
		return -ENOSPC;
	if (n >= master.sessions_top)
		master.sessions_top = n + 1;
	r = caller_add(CALLER_START, n, starter, 0);
	if (r >= 0 && ask)
		r = request = request_keep(ask);
	if (r < 0)
		return r;
	session_reset(&master.sessions[n], keep);
	master.sessions[n].request = request;
	session_move_to(n, SESSION_RESERVED);
	session_start_waiting();
	return (int)n;
}

int session_handover(uint32_t n, const struct sm_handover *h, int pidfd)
{
	struct session *s = &master.sessions[n];
	int *place = h->role == ROLE_CSRSS ? &s->csrss : &s->initial;
	int row;

	if (h->session != n || (h->role != ROLE_CSRSS && h->role != ROLE_INITIAL) ||
	    s->state != SESSION_SETTING_UP || *place != NONE || !h->pid || h->pid > INT32_MAX ||
	    pidfd < 0) {
		sys_closep(&pidfd);
		return -EINVAL;
	}
	if (ledger_find(h->pid) != NONE) { /* nobody hands over what is ours already */
		sys_closep(&pidfd);
		return -EINVAL;
	}
	row = ledger_add((int)h->pid, pidfd, (enum role)h->role, n, h->image);
	if (row == NONE)
		return -ENOSPC;
	*place = row;
	s->how = (uint8_t)(h->how <= 2 ? h->how : 2);
	master.processes[row].why = h->role == ROLE_CSRSS ? "session server" : "initial command";
	master.processes[row].peer = h->role == ROLE_CSRSS ? s->csrss_peer : s->initial_peer;
	if (h->role == ROLE_INITIAL)
		str_copy(s->initial_image, sizeof(s->initial_image), h->image);
	/* It may have died and been reaped as an orphan before we knew it. */
	if (sys_pidfd_signal(pidfd, 0) < 0) {
		ledger_drop(row);
		*place = NONE;
		return -ESRCH;
	}
	return 0;
}

int session_registered(uint32_t n, enum role role)
{
	struct session *s = &master.sessions[n];
	struct sm_message m;

	if (role != ROLE_CSRSS) {
		s->initial_registered = true;
		return 0;
	}
	if (s->registered)
		return -EINVAL;
	s->registered = true;
	sm_message_start(&m, SM_SB_REGISTERED, 0, 0);
	m.b.handover = (struct sm_handover){
		.session = n, .role = role, .pid = pid_of(s->csrss), .how = s->how};
	if (s->copy_peer != NONE)
		peer_send(s->copy_peer, &m);
	return 0;
}

int session_complete(uint32_t n)
{
	struct session *s = &master.sessions[n];
	struct sm_message m;

	if (s->state != SESSION_SETTING_UP || s->csrss == NONE || s->initial == NONE)
		return -EINVAL;
	s->complete = true;
	s->ready_ns = sys_now_ns();
	session_move_to(n, SESSION_RUNNING);
	sm_message_start(&m, SM_START_CSR, 1, 0);
	m.b.start_csr.session = n;
	m.b.start_csr.csrss_pid = pid_of(s->csrss);
	m.b.start_csr.initial_pid = pid_of(s->initial);
	callers_answer(CALLER_START, n, &m, SM_OK);
	session_start_waiting();
	phase_sessions_changed();
	return 0;
}
