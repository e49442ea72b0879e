/* SPDX-License-Identifier: MIT */
/*
 * api.c - who may ask what, and when: one table, checked before any handler (law 9)
 *
 * Core processes and copies are known by the connection they were born with; clients of the path
 * socket by their uid. A handler changes the message in place into its answer and returns 0 or
 * -errno, or says that the answer comes later or never. fds it takes over it replaces by NONE.
 */
#include "smss/master/calls.h"

#include <errno.h>
#include <string.h>

#include "smss-version.h"

/* Who may: processes of our own by the role of their connection, clients by who they are. */
#define FROM(role)     (1u << (role))
#define FROM_ANY       FROM(ROLE_CLIENT)
#define FROM_ROOT      (1u << 31)
#define FROM_OPERATORS (1u << 30 | FROM_ROOT) /* members of SessionOperators */
#define FROM_OWNER     (1u << 29 | FROM_ROOT) /* who owns the session that the body names */
#define FROM_JOBS                                                                                  \
	(FROM(ROLE_PLAN) | FROM(ROLE_ENVIRONMENT) | FROM(ROLE_PNP) | FROM(ROLE_EXECUTE) |          \
	 FROM(ROLE_STATE) | FROM(ROLE_RENAMES) | FROM(ROLE_PAGING) | FROM(ROLE_KNOWN) |            \
	 FROM(ROLE_SESSION) | FROM(ROLE_STOP) | FROM(ROLE_SHUTDOWN) | FROM(ROLE_ACCEPT) |          \
	 FROM(ROLE_LIMITS) | FROM(ROLE_SWEEP))
#define FROM_CHAIN                                                                                 \
	(FROM(ROLE_PLAN) | FROM(ROLE_ENVIRONMENT) | FROM(ROLE_STATE) | FROM(ROLE_RENAMES) |        \
	 FROM(ROLE_PAGING) | FROM(ROLE_KNOWN))
#define FROM_CORE      (FROM(ROLE_CSRSS) | FROM(ROLE_INITIAL))
#define FROM_EVERYBODY (FROM_ANY | FROM_JOBS | FROM_CORE)
_Static_assert(ROLE_COUNT <= 29, "roles and kinds of clients share one word");

struct waiter waiter_of(const struct ask *a)
{
	return (struct waiter){.peer = a->peer, .generation = a->p->generation, .tag = a->m->h.tag};
}

static int call_hello(struct ask *a)
{
	if (a->m->b.hello.version != SM_VERSION)
		return -EPROTO;
	a->m->b.hello.pid = (uint32_t)sys_pid();
	return 0;
}

static void blocker(struct text *t)
{
	if (master.shutting_down)
		text_u64(text_add(t, "shutdown, sessions left: "), sessions_left(0));
	else if (master.job != NONE)
		text_add(text_add(text_add(t, ledger_image(master.job)), ": "),
			 ledger_why(master.job));
	else if (master.boot.phase == PHASE_SESSIONS)
		text_u64(text_add(t, "sessions being set up: "), master.setting_up);
}

/* The default of the state directory is state.h's, whose room the master does not enter. */
static void lkg_path(char *ret, size_t cap)
{
	struct text t = text_start(ret, cap);

	text_add(&t, master.words.state[0] ? master.words.state : "/var/lib/smss");
	text_add(&t, "/" LKG_FILE);
}

static int call_status(struct ask *a)
{
	struct sm_status *s = &a->m->b.status;
	struct text t;

	memset(s, 0, sizeof(*s));
	s->phase = master.shutting_down ? PHASE_SHUTDOWN : master.boot.phase;
	s->mode = master.mode;
	s->level = master.boot.level;
	s->attempts = master.attempts;
	s->sessions = sessions_left(0);
	for (uint32_t i = 0; i < master.ledger_top; i++)
		s->processes += !!master.processes[i].pid;
	s->orphans = master.orphans;
	s->reaped = master.reaped;
	s->clients = master.clients;
	s->degraded = master.degraded;
	s->flags = (master.shutting_down ? SM_FLAG_SHUTTING_DOWN : 0) |
		   (master.no_cgroup ? SM_FLAG_NO_CGROUP : 0) |
		   (master.boot.state_on ? 0 : SM_FLAG_NO_STATE) |
		   (master.lkg_flags & SM_LKG_ACCEPTED ? SM_FLAG_BOOT_GOOD : 0) |
		   (!master.boot.safe                 ? 0
		    : master.words.safeboot[0] == 'n' ? SM_FLAG_SAFE_NETWORK
						      : SM_FLAG_SAFE_MINIMAL);
	s->shutdown_action = master.action;
	s->started_ns = master.started_ns;
	s->ready_ns = master.ready_ns;
	s->now_ns = sys_now_ns();
	s->lines_dropped = sys_log_dropped();
	t = TEXT_ON(s->blocker);
	blocker(&t);
	str_copy(s->version, sizeof(s->version), SMSS_VERSION);
	str_copy(s->build_id, sizeof(s->build_id), SMSS_BUILD_ID);
	if (master.plan && master.boot.level == SM_LEVEL_CURRENT)
		str_copy(s->plan_hive, sizeof(s->plan_hive),
			 master.words.hive[0] ? master.words.hive : HIVE_PATH);
	else if (master.plan && master.boot.level == SM_LEVEL_LKG)
		lkg_path(s->plan_hive, sizeof(s->plan_hive));
	return 0;
}

static int call_session_row(struct ask *a)
{
	for (uint32_t n = a->m->b.session_row.cursor; n < master.sessions_top; n++)
		if (master.sessions[n].state != SESSION_FREE) {
			session_fill(n, &a->m->b.session_row);
			return 0;
		}
	return -ENODATA;
}

static int call_ledger_row(struct ask *a)
{
	struct sm_ledger_row *r = &a->m->b.ledger_row;

	for (uint32_t i = r->cursor; i < master.ledger_top; i++) {
		if (!master.processes[i].pid)
			continue;
		ledger_fill(i, r);
		return 0;
	}
	return -ENODATA;
}

static int call_boot_row(struct ask *a)
{
	uint32_t i = a->m->b.boot_row.cursor;

	if (i >= master.rows_used)
		return -ENODATA;
	row_fill(i, &a->m->b.boot_row);
	a->m->b.boot_row.cursor = i + 1;
	return 0;
}

static int call_subscribe(struct ask *a)
{
	master.subscribers += !a->p->subscribed;
	a->p->subscribed = true;
	return 0;
}

static int call_stop_sessions(struct ask *a)
{
	if (a->m->b.stop_sessions.which > 1)
		return -EINVAL;
	master.sessions_stopper = waiter_of(a);
	master.sessions_which = a->m->b.stop_sessions.which;
	sessions_stop(master.sessions_which ? 0 : 1);
	shutdown_check();
	return ANSWER_LATER;
}

static int call_final(struct ask *a)
{
	master.final = true;
	return 0;
}

static int call_stop_text(struct ask *a)
{
	struct sm_stop_text *t = &a->m->b.stop_text;

	if (t->which > 1)
		return -EINVAL;
	if (a->p->role == ROLE_STATE) { /* it read boot.state and tells us of the last boot */
		master.previous_stop = *t;
		return 0;
	}
	if (!(t->which ? master.stop.code : master.previous_stop.code))
		return -ENODATA;
	*t = t->which ? master.stop : master.previous_stop;
	return 0;
}

static int call_shutdown(struct ask *a)
{
	const struct sm_shutdown *s = &a->m->b.shutdown;

	if (s->action > SM_ACTION_HALT)
		return -EINVAL;
	return shutdown_begin((enum sm_action)s->action, s->flags, s->reason);
}

#define TARGET(type) (offsetof(struct type, session) + 1)
#define NO_ZERO      1u /* session 0 is the machine's: ask for a shutdown */
#define LATER        2u /* answered when it is done: places to wait in are counted */

static const struct call {
	int (*handle)(struct ask *a); /* NULL: a number we keep free, "not implemented" */
	uint32_t from;
	uint8_t phase;  /* the first one it is answered in; before: "not yet" */
	uint8_t target; /* where the body names a session, TARGET(); 0 = nowhere */
	uint8_t flags;
} calls[SM_CALLS] = {
	/* clients' */
	[SM_EXEC_PGM] = {call_exec_pgm, FROM_OWNER, PHASE_SESSIONS, TARGET(sm_exec_pgm), LATER},
	[SM_START_CSR] = {call_start_csr, FROM_OPERATORS, PHASE_READY, 0, LATER},
	[SM_STOP_CSR] = {call_stop_csr, FROM_OPERATORS | FROM_OWNER, PHASE_SESSIONS,
			 TARGET(sm_stop_csr), NO_ZERO | LATER},
	[SM_HELLO] = {call_hello, FROM_EVERYBODY, PHASE_START, 0, 0},
	[SM_STATUS] = {call_status, FROM_EVERYBODY, PHASE_START, 0, 0},
	[SM_SESSION_ROW] = {call_session_row, FROM_ANY, PHASE_START, 0, 0},
	[SM_LEDGER_ROW] = {call_ledger_row, FROM_ANY, PHASE_START, 0, 0},
	[SM_BOOT_ROW] = {call_boot_row, FROM_ANY, PHASE_START, 0, 0},
	[SM_SUBSCRIBE] = {call_subscribe, FROM_ANY, PHASE_START, 0, 0},
	[SM_SHUTDOWN] = {call_shutdown, FROM_ROOT, PHASE_START, 0, 0},
	[SM_STOP_TEXT] = {call_stop_text, FROM_ANY | FROM(ROLE_STOP) | FROM(ROLE_STATE),
			  PHASE_START, 0, 0},
	[SM_BOOT_ACCEPT] = {call_boot_accept, FROM_ANY, PHASE_START, 0, 0},
	[SM_SESSION_LIMITS] = {call_session_limits, FROM_ROOT, PHASE_SESSIONS,
			       TARGET(sm_session_limits), LATER},
	[SM_SESSION_FREEZE] = {call_session_freeze, FROM_OPERATORS | FROM_OWNER, PHASE_SESSIONS,
			       TARGET(sm_session_freeze), NO_ZERO | LATER},
	[SM_PROGRAM_ROW] = {call_program_row, FROM_OWNER, PHASE_SESSIONS, TARGET(sm_program_row),
			    LATER},
	/* our own processes' */
	[SM_SESSION_COMPLETE] = {call_session_complete, FROM(ROLE_SESSION), PHASE_SESSIONS, 0, 0},
	[SM_REGISTER] = {call_register, FROM_CORE, PHASE_SESSIONS, 0, 0},
	[SM_HANDOVER] = {call_handover, FROM(ROLE_SESSION), PHASE_SESSIONS, 0, 0},
	[SM_PHASE_ITEM] = {call_item, FROM_JOBS | FROM_CORE, PHASE_START, 0, 0},
	[SM_PLAN_READY] = {call_plan_ready, FROM(ROLE_PLAN), PHASE_REGISTRY, 0, 0},
	[SM_ENV_READY] = {call_env_ready, FROM(ROLE_ENVIRONMENT), PHASE_ENVIRONMENT, 0, 0},
	[SM_LOGOFF] = {call_logoff, FROM(ROLE_INITIAL), PHASE_SESSIONS, 0, 0},
	[SM_STATE_READY] = {call_state_ready, FROM(ROLE_STATE) | FROM(ROLE_ACCEPT), PHASE_STATE, 0,
			    0},
	[SM_STOP_SESSIONS] = {call_stop_sessions, FROM(ROLE_SHUTDOWN), PHASE_START, 0, 0},
	[SM_FINAL] = {call_final, FROM(ROLE_SHUTDOWN), PHASE_START, 0, 0},
	[SM_JOB_DONE] = {call_job_done, FROM(ROLE_PAGING), PHASE_PAGING, 0, 0},
	[SM_JOB_NEXT] = {call_job_next, FROM_CHAIN, PHASE_REGISTRY, 0, 0},
	[SM_SESSION_LEFT] = {call_session_left, FROM(ROLE_SWEEP), PHASE_START, 0, 0},
};

static const struct session *session_at(uint32_t n)
{
	return n < master.sessions_top && master.sessions[n].state != SESSION_FREE
		       ? &master.sessions[n]
		       : NULL;
}

/* 0, or why not. A client without any right to the call learns nothing of its target. */
static int allowed(const struct ask *a, const struct call *c)
{
	const struct peer *p = a->p;
	const struct session *s = NULL;
	uint32_t n = 0;

	if (p->role != ROLE_CLIENT)
		return c->from & FROM(p->role) ? 0 : -EACCES;
	if (c->target) {
		memcpy(&n, (const char *)&a->m->b + c->target - 1, sizeof(n));
		s = session_at(n);
	}
	if (c->flags & NO_ZERO && n == 0)
		return -EACCES;
	if (c->from & FROM_ANY || (c->from & FROM_ROOT && !p->uid))
		return 0;
	if (c->from & FROM_OPERATORS & ~FROM_ROOT && p->operator)
		return 0;
	return c->from & FROM_OWNER & ~FROM_ROOT && s && s->owner == p->uid ? 0 : -EACCES;
}

static int dispatch(struct ask *a)
{
	const struct call *c = &calls[a->m->h.call];
	int r;

	if (!c->handle)
		return -ENOSYS;
	r = allowed(a, c);
	if (r < 0)
		return r;
	if (master.boot.phase < c->phase && !master.shutting_down)
		return -EAGAIN;
	r = c->flags & LATER ? quota_later(a) : 0;
	return r < 0 ? r : c->handle(a);
}

static void answer(int peer, struct sm_message *m, int r)
{
	struct sm_message empty;
	int n = sm_body_length(m->h.call, 1);

	if (r < 0) { /* an error carries no body of ours: zeros of the right length */
		sm_message_start(&empty, m->h.call, 1, m->h.tag);
		empty.h.status = status_of(r);
		peer_send(peer, &empty);
		return;
	}
	m->h.reply = 1;
	m->h.status = status_of(r);
	m->h.length = (uint32_t)n;
	peer_send(peer, m);
}

void api_call(int peer, struct sm_message *m, int *fds, unsigned fd_count)
{
	struct ask a = {
		.peer = peer, .p = &master.peers[peer], .m = m, .fds = fds, .fd_count = fd_count};
	uint32_t generation = a.p->generation;
	int r;

	if (m->h.reply) { /* the only answers we take are csrss's */
		if (a.p->role == ROLE_CSRSS)
			call_of_csrss(&a);
		return;
	}
	r = dispatch(&a);
	if (r == ANSWER_LATER || r == ANSWER_NONE)
		return;
	/* the handler may have ended this very connection */
	if (a.p->fd != NONE && a.p->generation == generation)
		answer(peer, m, r);
}
