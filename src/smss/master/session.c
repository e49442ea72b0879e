/* SPDX-License-Identifier: MIT */
/*
 * session.c - sessions as the master sees them: numbers, states, who lives in them, how they end
 *
 * A session is set up by a copy, which hands csrss and the initial command over and exits. It has
 * ended when its known processes are reaped and its cgroup reads "populated 0" (law 8); in a pid
 * namespace of its own the death of csrss proves it. Until then the number is not used again.
 */
#include "smss/master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#define RETRY_FIRST_S 1u
#define RETRY_CAP_S   60u
#define BRIEF_S       5u /* a session that lived shorter than this, and not by logoff, counts as failed \
			  */
#define DYING_CHECK_NS (20 * NS_PER_MS)
#define FORCE_GRACE_S  5u /* after KILL: what is still there then is told as "still dying" */

static void group_path(uint32_t n, const char *file, struct text *t)
{
	text_add(text_u64(text_add(text_add(t, master.cgroup), "/session-"), n), file);
}

static void tell(uint32_t n)
{
	struct sm_message m;

	sm_message_start(&m, SM_EVENT_SESSION, 0, 0);
	session_fill(n, &m.b.session_row);
	peer_tell_all(&m);
}

static void move_to(uint32_t n, enum session_state state)
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
	return row == NONE ? 0 : master.pids[row];
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

/* ---- beginning
 * ------------------------------------------------------------------------------------- */

static void reset(struct session *s, const char *command, bool keep, struct waiter starter)
{
	*s = (struct session){.keep = keep,
			      .csrss = NONE,
			      .initial = NONE,
			      .copy = NONE,
			      .csrss_peer = NONE,
			      .initial_peer = NONE,
			      .copy_peer = NONE,
			      .starter = starter,
			      .stopper = waiter_none(),
			      .created_ns = sys_now_ns()};
	str_copy(s->command, sizeof(s->command), command);
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

static void set_up_failed(uint32_t n, int r)
{
	struct sm_message m;

	sm_message_start(&m, SM_START_CSR, 1, 0);
	m.b.start_csr.session = n;
	waiter_answer(&master.sessions[n].starter, &m, status_of(r));
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
	move_to(n, SESSION_SETTING_UP);
	r = core_connections(n, j.core_fds);
	if (r >= 0)
		r = job_start(&j);
	sys_closep(&j.core_fds[0]);
	sys_closep(&j.core_fds[1]);
	if (r < 0) {
		row_note(PHASE_SESSIONS, SM_ROW_ENTRY, RESULT_FAILED, -r, "session copy",
			 err_text(-r));
		set_up_failed(n, r);
		move_to(n, SESSION_DYING);
		s->check_ns = sys_now_ns(); /* at the next turn: ending here would recurse */
		return;
	}
	s->copy = r;
	s->copy_peer = master.processes[r].peer;
	if (master.boot.phase == PHASE_SESSIONS) {
		char room[NAME_BYTES];
		struct text t = TEXT_ON(room);

		text_u64(text_add(&t, "session "), n);
		master.processes[r].row =
			row_begin(PHASE_SESSIONS, SM_ROW_ENTRY, room, master.pids[r]);
	}
}

/* As many as may be set up at once: 4 + (CPUs - 1). */
static void start_waiting(void)
{
	for (uint32_t n = 0; n < master.sessions_top && master.setting_up < master.parallel; n++)
		if (master.sessions[n].state == SESSION_WAITING && !master.sessions[n].retry_ns)
			set_up(n);
}

int session_create(const char *command, bool keep, struct waiter starter)
{
	uint32_t n = 0;

	if (master.shutting_down)
		return -ESHUTDOWN;
	while (n < SESSIONS_MAX && master.sessions[n].state != SESSION_FREE)
		n++;
	if (n == SESSIONS_MAX)
		return -ENOSPC;
	if (n >= master.sessions_top)
		master.sessions_top = n + 1;
	reset(&master.sessions[n], command, keep, starter);
	move_to(n, SESSION_WAITING);
	start_waiting();
	return (int)n;
}

int session_handover(uint32_t n, const struct sm_handover *h, int pidfd)
{
	struct session *s = &master.sessions[n];
	int *place = h->role == ROLE_CSRSS ? &s->csrss : &s->initial;
	int row;

	if (h->session != n || (h->role != ROLE_CSRSS && h->role != ROLE_INITIAL) ||
	    s->state != SESSION_SETTING_UP || *place != NONE || !h->pid || pidfd < 0) {
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
	if (sys_pidfd_signal(pidfd, 0) == -ESRCH) {
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

	if (role != ROLE_CSRSS)
		return 0;
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
	move_to(n, SESSION_LIVE);
	sm_message_start(&m, SM_START_CSR, 1, 0);
	m.b.start_csr.session = n;
	m.b.start_csr.csrss_pid = pid_of(s->csrss);
	m.b.start_csr.initial_pid = pid_of(s->initial);
	waiter_answer(&s->starter, &m, SM_OK);
	start_waiting();
	phase_sessions_changed();
	return 0;
}

/* ---- ending
 * ---------------------------------------------------------------------------------------- */

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
		move_to(n, SESSION_DYING);
}

static void answer_stopper(uint32_t n, int r)
{
	struct sm_message m;

	sm_message_start(&m, SM_STOP_CSR, 1, 0);
	m.b.stop_csr.session = n;
	m.b.stop_csr.left = r == -EBUSY;
	waiter_answer(&master.sessions[n].stopper, &m, status_of(r));
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
	char command[sizeof(s->command)];

	drop_peers(s);
	remove_group(n);
	api_session_gone(n);
	answer_stopper(n, 0);
	set_up_failed(n, -EIO);
	move_to(n, SESSION_FREE);
	if (again) {
		str_copy(command, sizeof(command), s->command);
		reset(s, command, true, waiter_none());
		s->failures = failures;
		s->retry_ns = failures ? now + retry_delay_s(failures) * NS_PER_S : 0;
		move_to(n, SESSION_WAITING);
	} else {
		while (master.sessions_top &&
		       master.sessions[master.sessions_top - 1].state == SESSION_FREE)
			master.sessions_top--;
	}
	start_waiting();
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

int session_end(uint32_t n, struct waiter stopper)
{
	struct session *s;
	struct sm_message m;
	uint32_t grace_s;

	if (n >= master.sessions_top || master.sessions[n].state == SESSION_FREE)
		return -ENOENT;
	s = &master.sessions[n];
	if (stopper.peer != NONE) {
		if (s->stopper.peer != NONE)
			return -EBUSY; /* somebody waits for its end already */
		s->stopper = stopper;
	}
	if (s->state == SESSION_ENDING || s->state == SESSION_DYING)
		return 0;
	grace_s = plan_session_number(master.plan, n, "StopDeadline",
				      master.plan->settings.shutdown_deadline_s);
	s->deadline_ns = sys_now_ns() + grace_s * NS_PER_S;
	if (s->state == SESSION_SETTING_UP || s->state == SESSION_WAITING) {
		force(n); /* nothing in it has work to save yet */
	} else {
		move_to(n, SESSION_ENDING);
		sm_message_start(&m, SM_SB_TERMINATE, 0, 0);
		if (s->initial != NONE && s->initial_peer != NONE)
			peer_send(s->initial_peer, &m);
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

	if (s->state == SESSION_LIVE || s->state >= SESSION_ENDING)
		return;
	row_note(master.boot.phase, SM_ROW_ENTRY, result == RESULT_OK ? RESULT_FAILED : result, 0,
		 "session copy", "it ended before SessionComplete");
	if (n == 0 && !master.shutting_down)
		zero_failed();
	force(n);
}

void session_process_ended(uint32_t n, int row, enum result result, int detail)
{
	struct session *s = &master.sessions[n];
	bool core = row == s->csrss || row == s->initial;
	const char *name = critical_name(s, row);

	if (row == s->copy) {
		s->copy = s->copy_peer = NONE;
		copy_ended(n, result);
	} else if (core && s->state == SESSION_LIVE && !master.shutting_down) {
		if (n == 0)
			stop(STOP_SYSTEM_PROCESS_TERMINATED, (uint32_t)detail, name,
			     result == RESULT_CRASHED ? "a critical process died of a signal"
						      : "a critical process ended");
		else if (row == s->csrss)
			row_note(PHASE_SESSIONS, SM_ROW_ITEM, RESULT_FAILED, detail, name,
				 "its session ends with it");
	}
	if (row == s->csrss)
		s->csrss = NONE;
	if (row == s->initial)
		s->initial = NONE;
	if (core && s->state == SESSION_LIVE && n)
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
		start_waiting();
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
		each[1] = s->state == SESSION_WAITING ? s->retry_ns : 0;
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
