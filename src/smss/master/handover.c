/* SPDX-License-Identifier: MIT */
/*
 * handover.c - what a session's copy and its core processes say while it is set up
 *
 * The copy hands csrss and the initial command over, csrss registers, the copy says that all is
 * complete or why nothing was made. Each of them may be wrong or late: who says what is held
 * against what the session waits for, and the end of what was made stays the master's.
 */
#include "smss/master/sessions.h"

#include <errno.h>

#include "base/text.h"
#include "smss/master/ahead.h"

#define LINGER_S   5u  /* a copy may take to exit when it has said that it is done */
#define REGISTER_S 60u /* as NT */

static bool may_hand_over(const struct session *s, const struct sm_handover *h)
{
	if (h->role == ROLE_CSRSS)
		return s->csrss == NONE && (session_in_set_up(s) || s->restarting);
	return h->role == ROLE_INITIAL && s->initial == NONE && session_in_set_up(s);
}

/* Both are true in either order: what it says comes by another connection than who it is. */
static void is_registered(uint32_t n)
{
	const struct session *s = &master.sessions[n];

	if (s->registered && s->csrss != NONE && s->state == SESSION_SETTING_UP)
		session_move_to(n, SESSION_REGISTERED);
}

static void take_over(uint32_t n, const struct sm_handover *h, int row)
{
	struct session *s = &master.sessions[n];
	uint32_t register_s;

	if (h->role == ROLE_INITIAL) {
		s->initial = (int16_t)row;
		name_drop(s->image);
		s->image = name_take(h->image);
		if (h->how & SM_HANDOVER_PROGRAM && s->initial_peer != NONE)
			peer_drop(s->initial_peer); /* nobody will ever speak there */
		master.processes[row].peer = s->initial_peer;
		ledger_set_why(row, "initial command");
		return;
	}
	s->csrss = (int16_t)row;
	s->how = (uint8_t)(h->how <= 2 ? h->how : 2);
	master.processes[row].peer = s->csrss_peer;
	ledger_set_why(row, "session server");
	is_registered(n); /* it may have been faster than who made it */
	register_s = plan_session_number(master.plan, n, "RegisterDeadline", REGISTER_S);
	if (!s->registered && register_s)
		s->deadline_ns = sys_now_ns() + register_s * NS_PER_S;
}

int session_handover(uint32_t n, const struct sm_handover *h, int pidfd)
{
	struct session *s = &master.sessions[n];
	int row, r;

	/* nobody hands over what is ours already */
	if (h->session != n || !may_hand_over(s, h) || !h->pid || h->pid > INT32_MAX || pidfd < 0 ||
	    h->pid == (uint32_t)sys_pid() || ledger_find(h->pid) != NONE) {
		sys_closep(&pidfd);
		return -EINVAL;
	}
	row = ledger_add((int)h->pid, pidfd, (enum role)h->role, n, h->image);
	if (row == NONE)
		return -ENOSPC;
	/* It may have died and been reaped as an orphan before we knew it. */
	r = sys_pidfd_signal(pidfd, 0);
	if (r < 0) {
		ledger_drop(row);
		return r;
	}
	take_over(n, h, row);
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
	is_registered(n);
	if (session_in_set_up(s) || s->restarting)
		s->deadline_ns = 0;
	sm_message_start(&m, SM_SB_REGISTERED, 0, 0);
	m.b.handover = (struct sm_handover){
		.session = n, .role = role, .pid = ledger_pid(s->csrss), .how = s->how};
	if (s->copy_peer != NONE)
		peer_send(s->copy_peer, &m);
	return 0;
}

/* The copy made nothing, and says why. */
static int refused(uint32_t n, const struct sm_session_complete *c)
{
	struct session *s = &master.sessions[n];
	char text[TEXT_BYTES];
	struct text t = TEXT_ON(text);

	text_escaped(&t, c->text, str_len(c->text, TEXT_BYTES));
	session_note(n, RESULT_REFUSED, 0, s->restarting ? "restart" : "set-up", text);
	if (s->restarting) {
		s->restarting = false;
		return session_end(n, waiter_none());
	}
	session_set_up_failed(n, c->status, c->text);
	if (n == 0)
		session_zero_failed(c->status);
	session_force(n);
	return 0;
}

static void is_up(uint32_t n, const struct sm_session_complete *c)
{
	struct session *s = &master.sessions[n];
	const uint64_t now = sys_now_ns(), took_us = (now - s->created_ns) / 1000;
	struct sm_message m;

	s->complete = true;
	s->ready_us = took_us < UINT32_MAX ? (uint32_t)took_us : UINT32_MAX;
	s->deadline_ns = 0;
	s->wake_ns = c->lifetime_s ? now + c->lifetime_s * NS_PER_S : 0;
	s->isolation = (uint8_t)(c->isolation & SM_ISOLATE_ALL);
	s->owner = c->owner;
	s->idle_s = c->idle_s;
	session_move_to(n, SESSION_RUNNING);
	sm_message_start(&m, SM_START_CSR, 1, 0);
	m.b.start_csr.session = n;
	m.b.start_csr.csrss_pid = ledger_pid(s->csrss);
	m.b.start_csr.initial_pid = ledger_pid(s->initial);
	callers_answer(CALLER_START, n, &m, SM_OK);
	if (!s->keep) /* somebody asked for it, and may ask again */
		ahead_start(n);
	session_start_waiting();
	if (master.boot.phase == PHASE_SESSIONS)
		phase_sessions_changed();
}

/* The initial command that came with it, if one did; then the fd has an owner. */
static int take_initial(uint32_t n, const struct sm_session_complete *c, int pidfd)
{
	if (c->initial.pid && c->initial.role == ROLE_INITIAL)
		return session_handover(n, &c->initial, pidfd);
	sys_closep(&pidfd);
	return c->initial.pid ? -EINVAL : 0;
}

int session_complete(uint32_t n, struct sm_session_complete *c, int pidfd)
{
	struct session *s = &master.sessions[n];
	bool ended;
	int r;

	if (s->copy == NONE || (!session_in_set_up(s) && !s->restarting) || c->session != n) {
		sys_closep(&pidfd);
		return -EINVAL;
	}
	r = take_initial(n, c, pidfd);
	/* It was faster than the word of it: there was a session, and that is over. */
	ended = r == -ESRCH && session_in_set_up(s);
	if (r < 0 && !ended && c->status == SM_OK) {
		c->status = status_of(r);
		str_copy(c->text, sizeof(c->text), "the initial command was not taken over");
	}
	if (c->status != SM_OK)
		return refused(n, c);
	if (s->csrss == NONE || (s->initial == NONE && !ended) || !s->registered)
		return -EINVAL;
	master.processes[s->copy].deadline_ns = sys_now_ns() + LINGER_S * NS_PER_S;
	if (s->copy_peer != NONE)
		peer_drop(s->copy_peer); /* it has nothing more to say, and its end is an event */
	if (s->restarting)
		restart_complete(n);
	else
		is_up(n, c);
	if (ended)
		session_initial_ended(n);
	return 0;
}
