/* SPDX-License-Identifier: MIT */
/*
 * ending.c - how sessions end: asked, waited for, forced, proven gone (law 8)
 *
 * A session has ended when its known processes are reaped, its cgroup reads "populated 0", and
 * group and run directory are removed; in a pid namespace of its own the death of csrss proves it.
 * What cannot be removed here (nested groups, files) a copy sweeps away. Until all that is done its
 * number is not used again, and whoever waits is told "still dying" at the deadline, with who holds
 * it.
 */
#include "smss/master/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#define RETRY_FIRST_S 1u
#define RETRY_CAP_S   60u
#define BRIEF_S       5u /* a session that lived shorter, and not by logoff, counts as failed */
#define LOOK_FIRST_NS (2 * NS_PER_MS)
#define FORCE_GRACE_S 5u /* after KILL: what is still there then is told as "still dying" */
#define SWEEP_S       10u
#define SWEEPS_MAX    8u

static void path_of(uint32_t n, const char *base, const char *between, const char *file,
		    struct text *t)
{
	text_add(text_u64(text_add(text_add(t, base), between), n), file);
}

static void group_path(uint32_t n, const char *file, struct text *t)
{
	path_of(n, master.cgroup, "/session-", file, t);
}

int group_write(uint32_t n, const char *file, const char *word)
{
	char path[160];
	struct text t = TEXT_ON(path);

	if (!master.cgroup[0])
		return -ENOENT;
	group_path(n, file, &t);
	return sys_write_file(AT_FDCWD, path, word);
}

ssize_t group_events(uint32_t n, char *room)
{
	char path[160];
	struct text t = TEXT_ON(path);
	ssize_t got;

	if (!master.cgroup[0])
		return -ENOENT;
	group_path(n, "/cgroup.events", &t);
	got = sys_read_file(AT_FDCWD, path, room, KERNEL_TEXT_BYTES - 1);
	if (got >= 0)
		room[got] = 0;
	return got;
}

/* ---- ending ---- */

static bool known_left(const struct session *s)
{
	return s->csrss != NONE || s->initial != NONE || s->copy != NONE || s->limiter != NONE;
}

/* true: the group still has processes; false: it has none (or never was one). */
static bool populated(uint32_t n)
{
	char events[KERNEL_TEXT_BYTES];
	ssize_t got = group_events(n, events);

	if (got < 0)
		return got != -ENOENT; /* a group we cannot read is not proven empty */
	return !str_starts(events, "populated 0");
}

static int removed(const char *path)
{
	int r = sys_unlink(AT_FDCWD, path, AT_REMOVEDIR);

	return r == -ENOENT ? 0 : r;
}

static int remove_group(uint32_t n)
{
	char path[160];
	struct text t = TEXT_ON(path);

	if (!master.cgroup[0])
		return 0;
	group_path(n, "", &t);
	return removed(path);
}

static int remove_directory(uint32_t n)
{
	char path[80];
	struct text t = TEXT_ON(path);

	path_of(n, RUN_DIRECTORY, "/sessions/", "", &t);
	return removed(path);
}

void session_force(uint32_t n)
{
	struct session *s = &master.sessions[n];

	s->killed = true;
	(void)!group_write(n, "/cgroup.kill", "1"); /* what is frozen or traced dies of it, too */
	ledger_kill(s->copy);
	ledger_kill(s->limiter);
	ledger_kill(s->initial);
	ledger_kill(s->csrss); /* with a pid namespace this takes everything */
	s->deadline_ns = sys_now_ns() + FORCE_GRACE_S * NS_PER_S;
	s->looks = 0;
	s->wake_ns = sys_now_ns() + LOOK_FIRST_NS;
	if (s->state != SESSION_DYING)
		session_move_to(n, SESSION_DYING);
	session_start_waiting(); /* it may have held a place */
}

/* what is NULL: it has ended */
static void answer_stopper(uint32_t n, const struct sm_session_left *what)
{
	struct sm_message m;

	sm_message_start(&m, SM_STOP_CSR, 1, 0);
	m.b.stop_csr.session = n;
	if (what) {
		m.b.stop_csr.left = what->left;
		m.b.stop_csr.pid = what->pid;
		str_copy(m.b.stop_csr.name, sizeof(m.b.stop_csr.name), what->name);
	}
	callers_answer(CALLER_STOP, n, &m, status_of(what ? -EBUSY : 0));
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

bool session_was_brief(const struct session *s)
{
	const uint64_t now = sys_now_ns();
	uint64_t ready_ns = s->created_ns + s->ready_us * 1000ull;

	return !s->complete || (!s->logoff && now - ready_ns < BRIEF_S * NS_PER_S);
}

/* Everything of it is gone: free the number, or wait for the next try. */
static void gone(uint32_t n)
{
	struct session *s = &master.sessions[n];
	bool again = s->keep && !master.shutting_down;
	const bool others = s->owner && s->owner != SM_NO_OWNER;
	uint64_t now = sys_now_ns();
	uint32_t failures = !session_was_brief(s)     ? 0
			    : s->failures < UINT8_MAX ? s->failures + 1u
						      : UINT8_MAX;

	drop_peers(s);
	callers_leave(n, -EIO);
	callers_refuse(CALLER_LIMITS, n, -EIO);
	callers_refuse(CALLER_FREEZE, n, -EIO);
	request_drop(s);
	session_move_to(n, SESSION_FREE);
	session_reset(s, again);
	if (again) {
		s->others = others; /* its owner may end it as often as it comes back */
		s->failures = (uint8_t)failures;
		s->wake_ns = failures ? now + retry_delay_s(failures) * NS_PER_S : 0;
		session_move_to(n, SESSION_RESERVED);
	} else {
		while (master.sessions_top &&
		       master.sessions[master.sessions_top - 1].state == SESSION_FREE)
			master.sessions_top--;
	}
	/* Now, when its number can be had again: answering earlier would be a lie. */
	answer_stopper(n, NULL);
	session_set_up_failed(n, status_of(-EIO), "it ended while it was being set up");
	session_start_waiting();
	if (master.boot.phase == PHASE_SESSIONS)
		phase_sessions_changed();
	if (master.shutting_down)
		shutdown_check();
}

/* What rmdir cannot remove, and who holds what cannot be removed at all: a copy's work. */
static int start_sweep(uint32_t n)
{
	struct session *s = &master.sessions[n];
	struct job j = {.role = ROLE_SWEEP,
			.n = n,
			.session = n,
			.deadline_s = SWEEP_S,
			.name = "smss",
			.why = "clears away what a session left",
			.core_fds = {NONE, NONE}};
	int row;

	if (master.sweeps >= SWEEPS_MAX)
		return -EAGAIN;
	row = job_start(&j);
	if (row < 0)
		return row;
	master.sweeps++;
	s->copy = (int16_t)row;
	s->copy_peer = master.processes[row].peer;
	s->sweeping = s->swept = true;
	return 0;
}

/* The end of a process that nobody else reaps makes us look, too (sessions_look). */
static void look_again(struct session *s)
{
	if (!s->wake_ns)
		s->wake_ns = sys_now_ns() + (LOOK_FIRST_NS << s->looks);
}

/* Is it over? Called after a death and, while dying, at ever longer intervals. */
void session_check_gone(uint32_t n)
{
	struct session *s = &master.sessions[n];
	int group, directory;

	if (known_left(s))
		return;
	/* The kernel removes no group that has processes: this proves it empty, and is cheapest. */
	group = remove_group(n);
	if (group < 0 && populated(n)) {
		if (!s->killed)
			session_force(n);
		else
			(void)!group_write(n, "/cgroup.kill", "1"); /* a dying copy's last child */
		look_again(s);
		return;
	}
	directory = remove_directory(n); /* tried also where groups are left in the group */
	if (group < 0 || directory < 0) {
		if (s->swept || start_sweep(n) < 0)
			look_again(s);
		return;
	}
	gone(n);
}

/* A program that speaks no protocol: as a terminal's end would ask it, since shells ignore TERM. */
static void ask_program(int pidfd)
{
	(void)!sys_pidfd_signal(pidfd, SIGHUP);
	(void)!sys_pidfd_signal(pidfd, SIGTERM);
	(void)!sys_pidfd_signal(pidfd, SIGCONT);
}

static void ask_to_end(uint32_t n)
{
	struct session *s = &master.sessions[n];
	struct sm_message m;

	if (s->frozen && group_write(n, "/cgroup.freeze", "0") >= 0)
		s->frozen = false; /* who stands still cannot be asked */
	s->wake_ns = s->looks = 0;
	ledger_kill(s->copy);
	ledger_kill(s->limiter);
	session_move_to(n, SESSION_ENDING);
	sm_message_start(&m, SM_SB_TERMINATE, 0, 0);
	if (s->initial != NONE && s->initial_peer != NONE)
		peer_send(s->initial_peer, &m);
	if (s->initial != NONE && !s->initial_registered)
		ask_program(master.processes[s->initial].pidfd);
	if (s->csrss != NONE && s->csrss_peer != NONE && s->initial == NONE)
		peer_send(s->csrss_peer, &m);
}

int session_end(uint32_t n, struct waiter stopper)
{
	struct session *s;
	uint32_t grace_s;
	int r;

	if (n >= master.sessions_top || master.sessions[n].state == SESSION_FREE)
		return -ENOENT;
	s = &master.sessions[n];
	r = caller_add(CALLER_STOP, n, stopper, 0);
	if (r < 0)
		return r;
	if (s->state == SESSION_DYING && !s->deadline_ns)
		session_force(n); /* it was late, and somebody asks again */
	if (s->state == SESSION_ENDING || s->state == SESSION_DYING)
		return 0;
	if (stopper.peer != NONE && s->state == SESSION_RUNNING)
		s->logoff = true; /* it has not failed, however short it was */
	grace_s = plan_session_number(master.plan, n, "StopDeadline",
				      master.plan->settings.shutdown_deadline_s);
	s->deadline_ns = sys_now_ns() + grace_s * NS_PER_S;
	s->restarting = false; /* another csrss comes too late, and must not move the deadline */
	if (s->state != SESSION_RUNNING)
		session_force(n); /* nothing in it has work to save yet */
	else
		ask_to_end(n);
	session_check_gone(n);
	return 0;
}

/* The initial command is gone: csrss goes last, as NT does it (nt-reference §6.10). */
void session_ask_csrss(uint32_t n)
{
	const struct session *s = &master.sessions[n];
	struct sm_message m;

	if (s->csrss == NONE || s->csrss_peer == NONE)
		return;
	sm_message_start(&m, SM_SB_TERMINATE, 0, 0);
	peer_send(s->csrss_peer, &m);
}

/* Its deadline after KILL is over: a copy says who holds it, and then who waits is told. */
void session_still_dying(uint32_t n)
{
	const struct sm_session_left unknown = {.session = n};
	struct session *s = &master.sessions[n];
	const bool first = !s->late;

	s->late = true;
	if (first)
		session_note(n, RESULT_TIMEOUT, 0, "end",
			     "still dying after KILL; its number stays taken");
	if (s->copy == NONE ? start_sweep(n) >= 0 : first && s->sweeping) {
		s->deadline_ns = sys_now_ns() + (SWEEP_S + 1) * NS_PER_S;
		return;
	}
	answer_stopper(n, &unknown);
	if (master.shutting_down)
		shutdown_check();
}

int session_left(uint32_t n, const struct sm_session_left *l)
{
	struct session *s = &master.sessions[n];

	if (!s->sweeping || l->session != n)
		return -EINVAL;
	if (!s->late || !l->left)
		return 0; /* there is time yet; or it may be gone when its copy is */
	s->deadline_ns = 0;
	answer_stopper(n, l);
	if (master.shutting_down)
		shutdown_check();
	return 0;
}

void session_sweep_ended(uint32_t n)
{
	struct session *s = &master.sessions[n];
	struct sm_session_left unknown = {.session = n, .left = 0};

	s->sweeping = false;
	master.sweeps--;
	if (!s->late)
		return;
	session_check_gone(n);
	if (s->state != SESSION_DYING || s->copy != NONE)
		return;
	s->deadline_ns = 0;
	answer_stopper(n, &unknown); /* who it did not name is not known */
	if (master.shutting_down)
		shutdown_check();
}
