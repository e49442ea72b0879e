/* SPDX-License-Identifier: MIT */
/*
 * owner.h - whom a session's programs run as, and the environment they get
 *
 * The copy that made the session tells csrss, and only csrss, what the session is held to:
 * SMSS_POLICY in its environment, which no program sees. The owner's account is read once, before
 * csrss registers: what was true when the session began holds for it, as with a login, and a
 * damaged or hanging file can only keep the session from beginning.
 */
#pragma once

#include <stdbool.h>

#include "base/limits.h"
#include "etc/accounts.h"
#include "sys/sys.h"
#include "wire/wire.h"

#define OWNER_WORDS 5u /* HOME, USER, LOGNAME, SHELL, XDG_RUNTIME_DIR */
#define OWNER_ENV   (ENV_VARS_MAX + OWNER_WORDS + 2u)

struct owner {
	struct sys_as as;
	uint32_t groups[ACCOUNT_GROUPS_MAX];
	char word[OWNER_WORDS][256 + 16]; /* NAME=VALUE; "" = not set */
	char *env[OWNER_ENV];             /* NULL-terminated */
};

/*
 * policy_of_hex - read the value of SMSS_POLICY: the bytes of struct sm_policy in hex
 * Pure. Returns 0, or -EINVAL (another length, no hex digit, a field out of its range).
 */
int policy_of_hex(const char *hex, struct sm_policy *ret) _must_check_;

/*
 * env_take - take a variable out of an environment
 *   env  NULL-terminated; what follows moves up
 * Returns its value, or NULL.
 */
const char *env_take(char **env, const char *name);

/*
 * owner_set - whom programs are to run as
 *   a    the owner's account, or NULL when there is none of that number: its own group then, "/"
 *        and /bin/sh
 *   env  what csrss was born with, as SMSS_POLICY has been taken out of it; its strings are kept
 * Pure but for the groups, which are there already: ret->groups, count.
 */
void owner_set(struct owner *ret, const struct sm_policy *p, const struct account *a, char **env,
	       unsigned count);

/*
 * owner_read - all of it
 *   env  as given to main; SMSS_POLICY is taken out
 * Returns 1 (programs run as *ret says, with its env), 0 (as we do, with what is left in env), or
 * -errno: what was asked for cannot be had.
 */
int owner_read(struct owner *ret, char **env) _must_check_;
