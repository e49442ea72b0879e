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

/* waiter_of - whoever asks, to be answered later. */
struct waiter waiter_of(const struct ask *a);

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
