/* SPDX-License-Identifier: MIT */
/*
 * calls.h - handlers of the API that the table in api.c names and other files hold
 *
 * A handler changes the message in place into its answer and returns 0 or -errno, or says that the
 * answer comes later or never. It is called only after the table has let the caller through.
 */
#pragma once

#include "smss/master/master.h"

#define ANSWER_LATER 1
#define ANSWER_NONE  2

struct ask {
	int peer;
	struct peer *p;
	struct sm_message *m;
	int *fds;
	unsigned fd_count;
};

/* row_again - counts the row of a session that says just this; false = there is none yet (rows.c)
 */
bool row_again(enum result result, int detail, const char *name, const char *text);

/* waiter_of - whoever asks, to be answered later. */
struct waiter waiter_of(const struct ask *a);

/* ---- quota.c: what users who are not root may ask for ---- */

/* quota_left - may this user be heard now? */
bool quota_left(uint32_t uid, uint64_t now);
/* quota_pay - it asked for that many calls' worth. */
void quota_pay(uint32_t uid, uint64_t now, unsigned calls);
/* peer_rest - this connection is not read until its user may be heard again. */
void peer_rest(int peer, uint64_t now);
/* quota_place - is there a place for one more connection of this user? */
bool quota_place(uint32_t uid, bool operator);
/* quota_later - may this client wait for one more answer? 0 or -ENOSPC. */
int quota_later(const struct ask *a);
/* callers_forget - the client of this connection is gone: nobody waits there any more. */
void callers_forget(int peer, uint32_t generation);

/* ---- api_sessions.c: sessions and the programs in them ---- */

/* call_exec_pgm, call_program_row - for the session's csrss, whose answer goes to who asked. */
int call_exec_pgm(struct ask *a);
int call_program_row(struct ask *a);
/* call_of_csrss - csrss's answer to what was forwarded. */
void call_of_csrss(struct ask *a);
/* call_start_csr, call_stop_csr, call_session_limits, call_session_freeze - answered when done. */
int call_start_csr(struct ask *a);
int call_stop_csr(struct ask *a);
int call_session_limits(struct ask *a);
int call_session_freeze(struct ask *a);
/* call_session_complete, call_handover, call_register, call_logoff, call_session_left - what copies
 * and core processes say of their session. */
int call_session_complete(struct ask *a);
int call_handover(struct ask *a);
int call_register(struct ask *a);
int call_logoff(struct ask *a);
int call_session_left(struct ask *a);

/* call_boot_accept - what LastKnownGood stands at, for all; a decision about this boot, for root
 * (decide.c). */
int call_boot_accept(struct ask *a);

/* What jobs of the boot say: their results, and what the next ones need (job_calls.c). */

/* call_item - one row for the timeline; never answered. */
int call_item(struct ask *a);
/* call_plan_ready - the sealed plan of the level being tried: checked here, then ours. */
int call_plan_ready(struct ask *a);
/* call_env_ready - the sealed environment, and whether SerializeBoot has anything to do. */
int call_env_ready(struct ask *a);
/* call_state_ready - the attempt is counted, or state is off; or what was decided is (decide.c). */
int call_state_ready(struct ask *a);
/* call_job_done - the boot need not wait for what that copy still does. */
int call_job_done(struct ask *a);
/* call_job_next - that role is over; is there another one for this copy? */
int call_job_next(struct ask *a);
