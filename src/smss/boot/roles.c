/* SPDX-License-Identifier: MIT */
/*
 * roles.c - a copy's life: attach what the master hands over, do one role, exit
 *
 * Started by the master as `smss ROLE N` with the fds and words of copy.h. Believes plan and
 * environment only when they are sealed and checked, and never outlives its role. What a role
 * cannot do without is in the table below; the rest is simply absent.
 */
#include "smss/copy.h"

#include <errno.h>
#include <string.h>

#include "smss/boot/boot.h"
#include "sys/sys.h"

#define NEEDS_PLAN (1u << 0) /* cannot work without FD_PLAN */
#define TAKES_PLAN (1u << 1) /* uses it when it is there */
#define TAKES_ENV  (1u << 2) /* hands the system environment on */
#define CHAINS     (1u << 3) /* the next such role may follow in the same process */

static const struct {
	int (*run)(struct copy *c);
	unsigned flags;
} roles[ROLE_COUNT] = {
	[ROLE_PLAN] = {copy_role_plan, CHAINS},
	[ROLE_ENVIRONMENT] = {copy_role_environment, NEEDS_PLAN | CHAINS},
	[ROLE_EXECUTE] = {copy_role_execute, NEEDS_PLAN | TAKES_ENV},
	[ROLE_STATE] = {copy_role_state, NEEDS_PLAN | CHAINS},
	[ROLE_RENAMES] = {copy_role_pending, NEEDS_PLAN | CHAINS},
	[ROLE_PAGING] = {copy_role_paging, NEEDS_PLAN | CHAINS},
	[ROLE_KNOWN] = {copy_role_known, NEEDS_PLAN | CHAINS},
	[ROLE_SESSION] = {copy_role_session, NEEDS_PLAN | TAKES_ENV},
	[ROLE_STOP] = {copy_role_stop, 0},
	[ROLE_SHUTDOWN] = {copy_role_shutdown, TAKES_PLAN | TAKES_ENV},
	[ROLE_RESCUE] = {copy_role_rescue, TAKES_PLAN | TAKES_ENV},
	[ROLE_ACCEPT] = {copy_role_accept, NEEDS_PLAN},
	[ROLE_LIMITS] = {copy_role_limits, 0},
	[ROLE_SWEEP] = {copy_role_sweep, 0},
};

/* Strings of the sealed block become a vector; the block is checked for its form first. */
static int attach_env(char **room, unsigned max)
{
	const void *map;
	const char *block;
	size_t n;
	unsigned count = 0;
	int r = sys_map_sealed(FD_ENV, &map, &n);

	room[0] = NULL;
	if (r == -EBADF)
		return 0; /* there is no environment yet */
	if (r < 0)
		return r;
	block = map;
	if (!n || n > ENV_BYTES || block[n - 1])
		return -EILSEQ;
	for (size_t at = 0; at < n; at += strlen(block + at) + 1) {
		if (!block[at])
			continue;
		if (count == max)
			return -E2BIG;
		room[count++] = (char *)(uintptr_t)(block + at);
	}
	room[count] = NULL;
	return 0;
}

static int attach_plan(struct copy *c, bool needed, const char **ret_why)
{
	const void *map;
	size_t n;
	int r = sys_map_sealed(FD_PLAN, &map, &n);

	*ret_why = "not sealed";
	if (r == -EBADF && !needed)
		return 0;
	if (r >= 0)
		r = plan_is_checked(map, n);
	if (r >= 0)
		c->plan = map;
	return r;
}

/* Before anything is opened: an fd that the master left closed would be taken by the first file. */
static int attach(struct copy *c, unsigned flags, const char **ret_what, const char **ret_why)
{
	int r = 0;

	*ret_what = "plan";
	if (flags & (NEEDS_PLAN | TAKES_PLAN))
		r = attach_plan(c, flags & NEEDS_PLAN, ret_why);
	if (r < 0 || !(flags & TAKES_ENV))
		return r;
	*ret_what = "environment";
	*ret_why = "not a sealed block of ours";
	return attach_env(c->env, ENV_VARS_MAX);
}

/*
 * A role that ran to its end may be followed by the boot's next one in this very process: what that
 * saves is an exec, an exit and all between. A crash or a time-out costs only the role it happens
 * in; the master starts a new copy for what is left.
 */
static int run_chain(struct copy *c)
{
	struct sm_message m;
	int r;

	for (;;) {
		r = roles[c->role].run(c);
		if (!(roles[c->role].flags & CHAINS))
			return r;
		sm_message_start(&m, SM_JOB_NEXT, 0, 0);
		m.b.job_next.exit = (uint32_t)r;
		if (copy_ask(&m, NULL, 0) < 0 || m.h.status != SM_OK)
			return r;
		if (m.b.job_next.role >= ROLE_COUNT || !c->plan ||
		    !(roles[m.b.job_next.role].flags & CHAINS))
			return r;
		c->role = (enum role)m.b.job_next.role;
		c->n = m.b.job_next.n;
	}
}

int copy_main(enum role role, uint32_t n, char *const *envp)
{
	static char *env[ENV_VARS_MAX + 1];
	struct copy c = {.role = role, .n = n, .env = env, .words = envp};
	const char *what = "", *why = "";
	int r;

	if (role >= ROLE_COUNT || !roles[role].run)
		return COPY_USAGE;
	r = attach(&c, roles[role].flags, &what, &why);
	sys_log_open("smss", true, true);
	sys_log_quiet(true); /* good news goes to kmsg and the timeline, not to the console */
	if (r < 0) {
		boot_say(&c, RESULT_REFUSED, -r, what, why);
		return COPY_FAILED;
	}
	return run_chain(&c);
}

int copy_hold(void)
{
	char byte;

	while (sys_read(0, &byte, 1) > 0)
		;
	return 0;
}
