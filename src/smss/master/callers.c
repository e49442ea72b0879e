/* SPDX-License-Identifier: MIT */
/*
 * callers.c - who is answered later: one table for every call whose work takes time
 *
 * A caller is remembered by its connection's generation and its own tag, so that an answer never
 * meets whoever has taken its place. What is forwarded to csrss goes under a tag of ours, whose
 * remainder is the place in the table: an answer that comes too late, or a second time, finds
 * another tag there and is nobody's.
 */
#include "smss/master/calls.h"

#include <errno.h>

#define FREEZE_LOOK_NS (5 * NS_PER_MS)

static const uint16_t answers[] = {
	[CALLER_NONE] = 0,
	[CALLER_START] = SM_START_CSR,
	[CALLER_STOP] = SM_STOP_CSR,
	[CALLER_EXEC] = SM_EXEC_PGM,
	[CALLER_PROGRAMS] = SM_PROGRAM_ROW,
	[CALLER_LIMITS] = SM_SESSION_LIMITS,
	[CALLER_FREEZE] = SM_SESSION_FREEZE,
};

int caller_add(enum caller_kind kind, uint32_t session, struct waiter who, unsigned deadline_s)
{
	uint32_t i = CALLERS_MAX;

	if (who.peer == NONE)
		return 0;
	while (i && master.callers[i - 1].kind)
		i--;
	if (!i--)
		return -ENOSPC;
	master.callers[i] = (struct caller){
		.kind = (uint8_t)kind,
		.session = (uint16_t)session,
		.tag = ++master.caller_serial * CALLERS_MAX + i,
		.deadline_ns = deadline_s ? sys_now_ns() + deadline_s * NS_PER_S : 0,
		.who = who,
	};
	return (int)i;
}

uint32_t caller_tag(int caller)
{
	return master.callers[caller].tag;
}

void caller_answer(int caller, struct sm_message *m, uint32_t status, const int *fds,
		   unsigned fd_count)
{
	struct caller *c = &master.callers[caller];

	m->h.call = answers[c->kind];
	c->kind = CALLER_NONE;
	waiter_answer(&c->who, m, status, fds, fd_count);
}

void caller_refuse(int caller, int r)
{
	struct sm_message m;

	sm_message_start(&m, answers[master.callers[caller].kind], 1, 0);
	caller_answer(caller, &m, status_of(r), NULL, 0);
}

int caller_find(enum caller_kind kind, uint32_t session, uint32_t tag)
{
	uint32_t i = tag % CALLERS_MAX;
	const struct caller *c = &master.callers[i];

	return c->kind == kind && c->tag == tag && c->session == session ? (int)i : NONE;
}

/* Those of both core processes: whoever asked for them knows them from then on for certain. */
static unsigned core_pidfds(uint32_t session, int ret[2])
{
	const struct session *s = &master.sessions[session];

	if (s->csrss == NONE || s->initial == NONE)
		return 0;
	ret[0] = master.processes[s->csrss].pidfd;
	ret[1] = master.processes[s->initial].pidfd;
	return ret[0] == NONE || ret[1] == NONE ? 0 : 2;
}

void callers_answer(enum caller_kind kind, uint32_t session, struct sm_message *m, uint32_t status)
{
	for (uint32_t i = 0; i < CALLERS_MAX; i++) {
		const struct caller *c = &master.callers[i];
		int fds[2];

		if (c->kind != kind || c->session != session)
			continue;
		caller_answer((int)i, m, status, fds,
			      status == SM_OK && c->who.pidfds ? core_pidfds(session, fds) : 0);
	}
}

void callers_refuse(enum caller_kind kind, uint32_t session, int r)
{
	for (uint32_t i = 0; i < CALLERS_MAX; i++)
		if (master.callers[i].kind == kind && master.callers[i].session == session)
			caller_refuse((int)i, r);
}

void callers_leave(uint32_t session, int r)
{
	callers_refuse(CALLER_EXEC, session, r);
	callers_refuse(CALLER_PROGRAMS, session, r);
}

/* Whose processes stand, or go on, as they were told: there is no event for it to wait for. */
static bool freeze_is_done(int i)
{
	const uint32_t n = master.callers[i].session;
	const int r = session_freeze_done(n);
	struct sm_message m;

	if (!r)
		return false;
	if (r < 0) {
		caller_refuse(i, r);
		return true;
	}
	sm_message_start(&m, SM_SESSION_FREEZE, 1, 0);
	m.b.session_freeze =
		(struct sm_session_freeze){.session = n, .freeze = master.sessions[n].frozen};
	caller_answer(i, &m, SM_OK, NULL, 0);
	return true;
}

uint64_t callers_deadlines(uint64_t now)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < CALLERS_MAX; i++) {
		uint64_t at = master.callers[i].deadline_ns, deadline = at;

		if (!master.callers[i].kind || !at)
			continue;
		if (master.callers[i].kind == CALLER_FREEZE) {
			if (freeze_is_done((int)i))
				continue;
			if (at > now + FREEZE_LOOK_NS)
				at = now + FREEZE_LOOK_NS;
		}
		if (deadline <= now)
			caller_refuse((int)i, -ETIMEDOUT);
		else if (!next || at < next)
			next = at;
	}
	return next;
}
