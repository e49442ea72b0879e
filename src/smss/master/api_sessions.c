/* SPDX-License-Identifier: MIT */
/*
 * api_sessions.c - the API's calls about sessions and the programs in them
 *
 * What clients ask for is checked here in form (flags, ranges, the session's state) and then handed
 * to who does it: session.c and ending.c, the session's csrss, a copy. Who may ask was decided by
 * the table in api.c. The bodies and statuses are described for people in smss-api(7).
 */
#include "smss/master/calls.h"

#include <errno.h>
#include <string.h>

#include "plan/policy.h"

#define CSRSS_DEADLINE_S 10u
#define WEIGHT_MAX       10000u
#define SESSIONS_ROOTS   64u /* numbers that only root may take */

/* A session that is there, made, and not on its way out. 0, or why it is not. */
static int standing(uint32_t n)
{
	if (n >= master.sessions_top || master.sessions[n].state == SESSION_FREE)
		return -ENOENT;
	if (master.sessions[n].state > SESSION_RUNNING)
		return -EBUSY;
	return master.sessions[n].state == SESSION_RUNNING ? 0 : -EAGAIN;
}

/* One whose csrss can be asked: it has one, and it is not frozen. */
static int answering(uint32_t n)
{
	int r = standing(n);

	if (r < 0)
		return r;
	return master.sessions[n].csrss_peer != NONE && !master.sessions[n].frozen ? 0 : -EAGAIN;
}

/* Forwarded to the session's csrss, whose answer goes to whoever asked. */
static int ask_csrss(struct ask *a, uint32_t n, enum caller_kind kind, enum sm_call call)
{
	struct sm_message forward = *a->m;
	int i = answering(n);

	if (i < 0)
		return i;
	i = caller_add(kind, n, waiter_of(a), CSRSS_DEADLINE_S);
	if (i < 0)
		return i;
	forward.h.tag = caller_tag(i);
	forward.h.call = (uint16_t)call;
	/* A connection holds few messages: whoever asks while it is full may ask again. */
	if (peer_send_with(master.sessions[n].csrss_peer, &forward, NULL, 0) < 0)
		caller_refuse(i, -EAGAIN);
	return ANSWER_LATER;
}

int call_exec_pgm(struct ask *a)
{
	const struct sm_exec_pgm *e = &a->m->b.exec_pgm;

	if (e->flags & ~SM_EXEC_ALL || e->words_bytes > sizeof(e->words) ||
	    (e->words_bytes && e->words[e->words_bytes - 1]))
		return -EINVAL;
	return ask_csrss(a, e->session, CALLER_EXEC, SM_SB_CREATE_PROCESS);
}

int call_program_row(struct ask *a)
{
	return ask_csrss(a, a->m->b.program_row.session, CALLER_PROGRAMS, SM_SB_PROGRAM_ROW);
}

void call_of_csrss(struct ask *a)
{
	enum caller_kind kind = a->m->h.call == SM_SB_CREATE_PROCESS ? CALLER_EXEC
				: a->m->h.call == SM_SB_PROGRAM_ROW  ? CALLER_PROGRAMS
								     : CALLER_NONE;
	int i = kind == CALLER_NONE ? NONE : caller_find(kind, a->p->session, a->m->h.tag);

	if (i == NONE)
		return;
	if (kind == CALLER_EXEC) /* which session it was asked for is ours to say */
		a->m->b.exec_pgm.session = a->p->session;
	else
		a->m->b.program_row.session = a->p->session;
	caller_answer(i, a->m, a->m->h.status, a->fds, kind == CALLER_EXEC ? a->fd_count : 0);
}

/* Said, and not just done otherwise: what was asked for and cannot be had is refused. */
static int not_theirs(struct waiter *w)
{
	struct sm_message m;

	sm_message_start(&m, SM_START_CSR, 1, 0);
	str_copy(m.b.start_csr.text, sizeof(m.b.start_csr.text),
		 "owner: only root makes sessions for somebody else");
	waiter_answer(w, &m, status_of(-EACCES), NULL, 0);
	return ANSWER_LATER;
}

/* Who is not root makes sessions of its own only. */
static int made_own(struct sm_sb_session *ask, const struct ask *a, struct waiter *w)
{
	struct sys_peer who;
	int r = sessions_left(0) < SESSIONS_MAX - SESSIONS_ROOTS ? sys_peer_of(a->p->fd, &who)
								 : -ENOSPC;

	if (r < 0)
		return r;
	if (ask->policy.given & SM_GIVEN_OWNER &&
	    (ask->policy.uid != who.uid || ask->policy.gid != who.gid))
		return not_theirs(w);
	ask->flags |= SM_SESSION_FOREIGN;
	ask->policy.given |= SM_GIVEN_OWNER;
	ask->policy.uid = who.uid;
	ask->policy.gid = who.gid;
	return 0;
}

int call_start_csr(struct ask *a)
{
	const struct sm_start_csr *s = &a->m->b.start_csr;
	struct sm_sb_session ask = {.policy = s->policy};
	struct waiter w = waiter_of(a);
	int r = 0;

	if (s->flags & ~SM_START_PIDFDS || policy_check(&s->policy) < 0)
		return -EINVAL;
	memcpy(ask.initial_command, s->initial_command, sizeof(ask.initial_command));
	if (a->p->uid)
		r = made_own(&ask, a, &w);
	w.pidfds = s->flags & SM_START_PIDFDS;
	if (r == 0)
		r = session_create(&ask, false, w);
	return r < 0 ? r : ANSWER_LATER;
}

int call_stop_csr(struct ask *a)
{
	int r = session_end(a->m->b.stop_csr.session, waiter_of(a));

	return r < 0 ? r : ANSWER_LATER;
}

static bool weight_is_wrong(uint32_t weight)
{
	return weight > WEIGHT_MAX && weight != SM_UNLIMITED;
}

int call_session_limits(struct ask *a)
{
	const struct sm_session_limits *l = &a->m->b.session_limits;
	int r = standing(l->session);

	if (r < 0)
		return r;
	if (l->reserved || weight_is_wrong(l->cpu_weight) || weight_is_wrong(l->io_weight))
		return -EINVAL;
	r = session_limits(l->session, l, waiter_of(a));
	return r < 0 ? r : ANSWER_LATER;
}

int call_session_freeze(struct ask *a)
{
	const struct sm_session_freeze *f = &a->m->b.session_freeze;
	int r = standing(f->session);

	if (r < 0)
		return r;
	if (f->freeze > 1)
		return -EINVAL;
	r = session_freeze(f->session, f->freeze, waiter_of(a));
	return r < 0 ? r : ANSWER_LATER;
}

/* ---- what copies and core processes say ---- */

/* A set-up's copy goes on without an answer: only a refusal is one. */
static int told(int r)
{
	return r < 0 ? r : ANSWER_NONE;
}

int call_session_complete(struct ask *a)
{
	int pidfd = a->fd_count ? fd_take(a->fds[0]) : NONE;

	return told(session_complete(a->p->session, &a->m->b.session_complete, pidfd));
}

int call_handover(struct ask *a)
{
	int pidfd = a->fd_count ? fd_take(a->fds[0]) : NONE;

	return told(session_handover(a->p->session, &a->m->b.handover, pidfd));
}

int call_register(struct ask *a)
{
	return session_registered(a->p->session, (enum role)a->p->role);
}

int call_logoff(struct ask *a)
{
	if (a->p->session == 0)
		return -EINVAL;
	master.sessions[a->p->session].logoff = true;
	if (str_same(master.words.logoff, "poweroff"))
		return shutdown_begin(SM_ACTION_POWEROFF, 0, "the session was left");
	return session_end(a->p->session, waiter_none());
}

int call_session_left(struct ask *a)
{
	(void)session_left(a->p->session, &a->m->b.session_left);
	return ANSWER_NONE;
}
