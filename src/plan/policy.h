/* SPDX-License-Identifier: MIT */
/*
 * policy.h - what a session is held to: the plan's word, and what a request adds to it
 *
 * The hive names it in Sessions\\N, else in Sessions\\Default, value by value. Who asks for a
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
 *   ret  everything but the owner's numbers; SM_GIVEN_OWNER is never set
 */
void policy_of_plan(const struct plan_header *plan, uint32_t session, struct sm_policy *ret);

/* policy_owner - the user the plan names for it, by name or number; "" = nobody. */
const char *policy_owner(const struct plan_header *plan, uint32_t session);

/*
 * policy_add - p becomes the stricter of p and more, field by field
 * Isolation is joined; of two limits the smaller stands, of two sets of capabilities what is in
 * both; umasks are joined; of two scores the higher (more easily killed) stands. Two owners that
 * differ cannot both be had.
 * Returns 0, -EACCES (the owners differ), -EINVAL (more holds a value out of its range; p is
 * untouched then).
 */
int policy_add(struct sm_policy *p, const struct sm_policy *more) _must_check_;

/* policy_check - every field is in its range (wire.h). Returns 0 or -EINVAL. */
int policy_check(const struct sm_policy *p) _must_check_;
