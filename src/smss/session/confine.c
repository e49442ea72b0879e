/* SPDX-License-Identifier: MIT */
/*
 * confine.c - what csrss and everything after it are held to for good
 *
 * The copy takes it upon itself just before it starts csrss: resource limits, umask, how easily the
 * kernel kills it when memory is short, capabilities, no new privileges. All of it is inherited and
 * none of it can be undone by those who inherit it, but a higher score and a wider umask.
 */
#include <errno.h>

#include "base/text.h"
#include "plan/policy.h"
#include "smss/session/session.h"

static int limit_one(struct setup *s, unsigned number)
{
	char what[40];
	struct text t = TEXT_ON(what);
	const char *name = policy_limit_name(number);
	int r = sys_set_limit((int)number, s->policy.limit[number]);

	text_add(text_add(&t, "limit "), name ? name : "?");
	return r < 0 ? setup_refuse(s, r, what, r == -EPERM ? "more than the machine's own" : NULL)
		     : COPY_OK;
}

static int score(struct setup *s)
{
	char room[16];
	struct text t = TEXT_ON(room);
	int r;

	text_i64(&t, s->policy.oom_score);
	r = sys_write_file(AT_FDCWD, "/proc/self/oom_score_adj", room);
	return r < 0 ? setup_refuse(s, r, "OomScoreAdjust", NULL) : COPY_OK;
}

static int capabilities(struct setup *s)
{
	uint64_t keep = s->policy.capabilities;
	int r;

	if (s->policy.given & SM_GIVEN_OWNER)
		keep |= SERVER_CAPABILITIES; /* they leave its programs: see owner.c */
	r = sys_bound_capabilities(keep);
	return r < 0 ? setup_refuse(s, r, "capabilities", NULL) : COPY_OK;
}

int setup_confine(struct setup *s)
{
	const uint32_t given = s->policy.given;
	int r = COPY_OK;

	if (given & SM_GIVEN_OOM)
		r = score(s);
	for (unsigned i = 0; r == COPY_OK && s->policy.limits >> i; i++)
		if (s->policy.limits >> i & 1)
			r = limit_one(s, i);
	if (r == COPY_OK && given & SM_GIVEN_CAPABILITIES)
		r = capabilities(s);
	if (r == COPY_OK && given & SM_GIVEN_NO_NEW_PRIVS && sys_no_new_privs() < 0)
		r = setup_refuse(s, -EOPNOTSUPP, "no new privileges", NULL);
	if (r == COPY_OK && given & SM_GIVEN_UMASK)
		(void)sys_umask(s->policy.umask);
	return r;
}
