/* SPDX-License-Identifier: MIT */
/*
 * confine.c - what csrss and everything after it are held to for good
 *
 * How easily the kernel kills it when memory is short the copy takes upon itself; resource limits,
 * umask, capabilities and no new privileges each of its children takes before its exec. All of it
 * is inherited and none of it can be undone by those who inherit it, but a higher score and a wider
 * umask. The programs of Execute are the machine's own: of these they get what the hive says of the
 * session, and nothing that whoever asked for it has added.
 */
#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/policy.h"
#include "smss/session/session.h"

static int score(struct setup *s)
{
	char room[16];
	struct text t = TEXT_ON(room);
	int r;

	text_i64(&t, s->policy.oom_score);
	r = sys_write_file(AT_FDCWD, "/proc/self/oom_score_adj", room);
	return r < 0 ? setup_refuse(s, r, "OomScoreAdjust", NULL) : COPY_OK;
}

int setup_confine(struct setup *s)
{
	return s->policy.given & SM_GIVEN_OOM ? score(s) : COPY_OK;
}

void setup_hold(const struct sm_policy *p, bool core, struct sys_hold *ret)
{
	*ret = (struct sys_hold){.capabilities = p->capabilities,
				 .limits = p->limits,
				 .umask = p->umask,
				 .bound = p->given & SM_GIVEN_CAPABILITIES,
				 .masked = p->given & SM_GIVEN_UMASK,
				 .no_new_privs = p->given & SM_GIVEN_NO_NEW_PRIVS};
	for (size_t i = 0; i < ARRAY_SIZE(ret->limit); i++)
		ret->limit[i] = p->limit[i];
	if (core && p->given & SM_GIVEN_OWNER)
		ret->capabilities |= SERVER_CAPABILITIES; /* they leave its programs: owner.c */
}

/* A child says no more than that it may not. */
void setup_not_held(struct setup *s)
{
	for (unsigned i = 0; i < ARRAY_SIZE(s->policy.limit); i++) {
		char what[40];
		struct text t = TEXT_ON(what);
		const char *name = policy_limit_name(i);
		uint64_t hard;

		if (!(s->policy.limits >> i & 1) || sys_get_limit((int)i, &hard) < 0 ||
		    s->policy.limit[i] <= hard)
			continue;
		text_add(text_add(&t, "limit "), name ? name : "?");
		(void)setup_refuse(s, -EPERM, what, "more than the machine's own");
	}
}
