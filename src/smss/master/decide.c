/* SPDX-License-Identifier: MIT */
/*
 * decide.c - this boot is good, or it is not: by time, or because root says so
 *
 * The master decides nothing about disks: a copy (smss/boot/accept.c) makes the decision durable,
 * tells what LastKnownGood then stands at, and ends; only then whoever asked is answered. One copy
 * at a time. Source: docs/decisions/0012.
 */
#include "smss/master/calls.h"

#include <errno.h>

#define DECIDE_DEADLINE_S 30u
#define STICKY            (SM_LKG_NO_END | SM_LKG_OFF | SM_LKG_ASKED) /* of the whole boot */

static int decide(enum sm_decision what, struct waiter who)
{
	struct job j = {.role = ROLE_ACCEPT,
			.n = what,
			.session = SM_NO_SESSION,
			.deadline_s = DECIDE_DEADLINE_S,
			.name = "smss",
			.why = "was this boot good?",
			.core_fds = {NONE, NONE}};
	int row = master.decider == NONE ? job_start(&j) : -EBUSY;

	if (row < 0)
		return row;
	master.decider = row;
	str_copy(master.lkg_text_before, sizeof(master.lkg_text_before), master.lkg_text);
	master.decision = (uint8_t)what;
	master.decision_waiter = who;
	return 0;
}

uint64_t decide_deadline(uint64_t now)
{
	int r;

	if (!master.accept_ns || master.accept_ns > now)
		return master.accept_ns;
	master.accept_ns = 0;
	r = decide(SM_DECIDE_NOTHING, waiter_none());
	if (r == -EBUSY) /* root is deciding: what it says comes first */
		master.accept_ns = now + NS_PER_S;
	else if (r < 0)
		row_note(PHASE_READY, SM_ROW_ITEM, RESULT_FAILED, -r, "BootGood", err_text(-r));
	return master.accept_ns;
}

static void fill(struct sm_boot_accept *b)
{
	uint64_t now = sys_now_ns();

	b->level = master.boot.level;
	b->attempts = master.attempts;
	b->allowed = master.plan ? master.plan->settings.boot_attempts : 0;
	/* The next boot is without the word. */
	b->flags = master.lkg_flags | (master.words.rescue ? SM_LKG_ASKED : 0);
	b->accept_in_ms =
		master.accept_ns > now ? (uint32_t)((master.accept_ns - now) / NS_PER_MS) : 0;
	b->lkg_wall_s = master.lkg_wall_s;
	str_copy(b->text, sizeof(b->text), master.lkg_text);
}

static void answer(struct waiter *w, uint32_t status)
{
	struct sm_message m;

	sm_message_start(&m, SM_BOOT_ACCEPT, 1, 0);
	m.b.boot_accept.verb = master.decision;
	fill(&m.b.boot_accept);
	waiter_answer(w, &m, status, NULL, 0);
}

void decide_ended(enum result result)
{
	master.decider = NONE;
	master.boot_forgotten = false; /* this file lies among what only a boot needs */
	/* Decided either way: time has no more say in it. */
	if (result == RESULT_OK && master.decision != SM_DECIDE_NEXT_LKG)
		master.accept_ns = 0;
	answer(&master.decision_waiter, status_of(result == RESULT_OK ? 0 : -EIO));
	/* What was refused changed nothing: only who asked hears it. */
	if (result != RESULT_OK && master.decision != SM_DECIDE_NOTHING)
		str_copy(master.lkg_text, sizeof(master.lkg_text), master.lkg_text_before);
}

int call_boot_accept(struct ask *a)
{
	uint32_t verb = a->m->b.boot_accept.verb;
	struct waiter w = waiter_of(a);
	int r;

	if (verb >= SM_DECISIONS)
		return -EINVAL;
	if (verb == SM_DECIDE_NOTHING) {
		fill(&a->m->b.boot_accept);
		return 0;
	}
	if (a->p->uid != 0)
		return -EACCES;
	if (master.shutting_down)
		return -ESHUTDOWN;
	if (master.boot.phase < PHASE_READY)
		return -EAGAIN;
	if (!master.boot.state_on) {
		answer(&w, status_of(-EIO)); /* the text says why */
		return ANSWER_LATER;
	}
	r = decide((enum sm_decision)verb, w);
	return r < 0 ? r : ANSWER_LATER;
}

int call_state_ready(struct ask *a)
{
	const struct sm_state_ready *s = &a->m->b.state_ready;

	if (a->p->role == ROLE_STATE) {
		master.boot.state_on = s->writable != 0;
		master.attempts = s->attempts;
		master.boot.groups = (s->flags & SM_STATE_GROUPS) != 0;
		master.lkg_flags = s->flags & ~SM_STATE_GROUPS;
	} else {
		master.lkg_flags = (master.lkg_flags & STICKY) | s->flags;
	}
	if (s->writable)
		master.lkg_wall_s = s->lkg_wall_s;
	str_copy(master.lkg_text, sizeof(master.lkg_text), s->text);
	return 0;
}
