/* SPDX-License-Identifier: MIT */
/*
 * ask.c - what a session is to be: the hive's word and the request's together
 *
 * The master sends the request before anything else; of hive and request the stricter wins
 * (plan/policy.h). Names of users are looked up here and only when there is one: a damaged passwd
 * can only keep this one session from being made.
 */
#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/policy.h"
#include "smss/session/session.h"

static int find_owner(const char *name, struct account *ret)
{
	uint64_t uid;

	if (str_u64(name, str_len(name, 16), &uid) == 0 && uid < SM_NO_OWNER)
		return account_find_id("/etc/passwd", (uint32_t)uid, ret);
	return account_find("/etc/passwd", name, ret);
}

static int planned_owner(struct setup *s)
{
	const char *name = policy_owner(s->c->plan, s->c->n);
	char what[NAME_BYTES];
	struct text t = TEXT_ON(what);
	int r;

	if (!name[0])
		return COPY_OK;
	r = find_owner(name, &s->owner);
	text_add(text_add(&t, "owner: "), name);
	if (r < 0)
		return setup_refuse(s, r, what,
				    r == -ENOENT ? "the hive names a user that there is not"
						 : NULL);
	s->named = true;
	s->policy.uid = s->owner.uid;
	s->policy.gid = s->owner.gid;
	s->policy.given |= SM_GIVEN_OWNER;
	return COPY_OK;
}

/* A limit that is above the one we were born with would be a present. */
static int cut_limits(struct sm_policy *more)
{
	for (unsigned i = 0; i < ARRAY_SIZE(more->limit); i++) {
		uint64_t hard;
		int r;

		if (!(more->limits >> i & 1))
			continue;
		r = sys_get_limit((int)i, &hard);
		if (r < 0)
			return r;
		if (more->limit[i] > hard)
			more->limit[i] = hard;
	}
	return 0;
}

/*
 * Who is not root gets a session of his own, or the one that the hive describes: never somebody
 * else's with a program of his in it.
 */
static int foreign(struct setup *s)
{
	struct sm_policy *more = &s->ask.policy;
	int r = cut_limits(more);

	if (r < 0)
		return setup_refuse(s, r, "limits", NULL);
	policy_foreign(more);
	if (!(s->policy.given & SM_GIVEN_OWNER) || s->policy.uid == more->uid)
		return COPY_OK;
	if (s->ask.initial_command[0])
		return setup_refuse(s, -EACCES, "owner",
				    "the hive names another user for this session");
	more->given &= ~SM_GIVEN_OWNER;
	return COPY_OK;
}

static int account_of_number(struct setup *s)
{
	int r;

	if (s->named || !(s->policy.given & SM_GIVEN_OWNER))
		return COPY_OK;
	r = account_find_id("/etc/passwd", s->policy.uid, &s->owner);
	if (r < 0 && r != -ENOENT)
		return setup_refuse(s, r, "owner", NULL);
	s->named = r == 0; /* a number without an account is somebody, too */
	return COPY_OK;
}

int setup_effective(struct setup *s)
{
	int r = policy_of_plan(s->c->plan, s->c->n, &s->policy);

	if (r < 0)
		return setup_refuse(s, r, "hive", "what it says of this session is not understood");
	s->planned = s->policy;
	r = planned_owner(s);
	if (r == COPY_OK && s->ask.flags & SM_SESSION_FOREIGN)
		r = foreign(s);
	if (r != COPY_OK)
		return r;
	r = policy_add(&s->policy, &s->ask.policy);
	if (r == -EACCES)
		return setup_refuse(s, r, "owner", "the hive names another user for this session");
	if (r < 0)
		return setup_refuse(s, r, "request", "a value is out of its range");
	return account_of_number(s);
}

int setup_read_ask(struct setup *s)
{
	struct sm_message m;
	ssize_t n = sys_receive(FD_MASTER, &m, sizeof(m), NULL, NULL);

	s->begin_ns = sys_now_ns();
	if (n == 0 && s->c->n == SM_NO_SESSION)
		return COPY_SKIPPED; /* nobody asked for another session */
	if (n <= 0 || sm_message_check(&m, (size_t)n) < 0 || m.h.call != SM_SB_SESSION)
		return setup_refuse(s, n < 0 ? (int)n : -EPROTO, "session",
				    "nobody said what to make");
	s->ask = m.b.sb_session;
	s->c->n = s->ask.session; /* who was started ahead learns it here */
	return s->ask.flags & SM_SESSION_RESTART ? COPY_OK : setup_effective(s);
}

void setup_policy_word(struct setup *s)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *from = (const uint8_t *)&s->policy;
	struct text t = TEXT_ON(s->policy_word);

	if (bytes_zero(&s->policy, sizeof(s->policy)))
		return; /* held to nothing: csrss need not be told */
	text_add(&t, "SMSS_POLICY=");
	for (size_t i = 0; i < sizeof(s->policy); i++) {
		text_add_n(&t, &digits[from[i] >> 4], 1);
		text_add_n(&t, &digits[from[i] & 15], 1);
	}
}
