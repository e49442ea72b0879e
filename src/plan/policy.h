/* SPDX-License-Identifier: MIT */
/*
 * policy.h - what a session is held to: the plan's word, and what a request adds to it
 *
 * The hive names it in Sessions\N, else in Sessions\Default, value by value. Who asks for a
 * session may ask for more of it, never for less: of two the stricter wins. Pure; names of users
 * are looked up by whoever makes the session (a static program reads passwd itself,
 * etc/accounts.h).
 */
#pragma once

#include "base/cleanup.h"
#include "plan/plan.h"
#include "wire/wire.h"

/*
 * policy_of_plan - what the plan says of a session
 *   ret  everything but the owner's numbers; SM_GIVEN_OWNER is never set. Also on failure it holds
 *        what could be read, for those who only want a part of it
 * Returns 0, or -EINVAL: the plan says something that nobody understands, and a session that would
 * be held to the rest alone must not be made (law 11).
 */
int policy_of_plan(const struct plan_header *plan, uint32_t session, struct sm_policy *ret);

/* policy_owner - the user the plan names for it, by name or number; "" = nobody. */
const char *policy_owner(const struct plan_header *plan, uint32_t session);

/*
 * policy_add - p becomes the stricter of p and more, field by field
 * Isolation is joined; of two limits the smaller stands, of two sets of capabilities what is in
 * both; umasks are joined; of two scores the higher (more easily killed) stands. Two owners that
 * differ cannot both be had; of one that both name, p's group stands.
 * Returns 0, -EACCES (the owners differ), -EINVAL (more holds a value out of its range; p is
 * untouched then).
 */
int policy_add(struct sm_policy *p, const struct sm_policy *more) _must_check_;

/* policy_check - every field is in its range (wire.h). Returns 0 or -EINVAL. */
int policy_check(const struct sm_policy *p) _must_check_;

/*
 * policy_foreign - what somebody who is not root asks for, cut to what he may have of himself
 * A score below 0 becomes 0, a weight above the usual one the usual one: where the plan says
 * nothing, policy_add would let them pass. A request's resource limits must not be raised above
 * those in force either; only who makes the session can see these.
 */
void policy_foreign(struct sm_policy *more);

/* policy_limit - RLIMIT_* of a name of prlimit(1), "nofile"; -ENOENT. policy_limit_name - back;
 * NULL. */
int policy_limit(const char *name);
const char *policy_limit_name(unsigned number);

/* policy_capability - the bit of a capability, its name in any case and without CAP_; -ENOENT.
 * policy_capability_name - back; NULL. */
int policy_capability(const char *name);
const char *policy_capability_name(unsigned number);
