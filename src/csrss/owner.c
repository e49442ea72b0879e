/* SPDX-License-Identifier: MIT */
/*
 * owner.c - whom a session's programs run as, see owner.h
 */
#include "csrss/owner.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/policy.h"

/* What csrss needs to start and end an owner's programs, and they do not. */
#define OUR_CAPABILITIES                                                                           \
	(1ull << CAP_SETUID | 1ull << CAP_SETGID | 1ull << CAP_KILL | 1ull << CAP_SETPCAP)

static const char *const names[OWNER_WORDS] = {"HOME", "USER", "LOGNAME", "SHELL",
					       "XDG_RUNTIME_DIR"};

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int policy_of_hex(const char *hex, struct sm_policy *ret)
{
	struct sm_policy p;
	uint8_t *to = (uint8_t *)&p;

	if (str_len(hex, 2 * sizeof(p) + 1) != 2 * sizeof(p))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(p); i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		to[i] = (uint8_t)(high << 4 | low);
	}
	if (policy_check(&p) < 0)
		return -EINVAL;
	*ret = p;
	return 0;
}

static bool names_it(const char *variable, const char *name)
{
	size_t n = strlen(name);

	return str_starts(variable, name) && variable[n] == '=';
}

const char *env_take(char **env, const char *name)
{
	const char *value = NULL;
	char **to = env;

	for (char **from = env; *from; from++) {
		if (names_it(*from, name))
			value = *from + strlen(name) + 1;
		else
			*to++ = *from;
	}
	*to = NULL;
	return value;
}

static void set_word(struct owner *o, unsigned i, const char *value)
{
	struct text t = TEXT_ON(o->word[i]);

	if (value[0])
		text_add(text_add(text_add(&t, names[i]), "="), value);
	if (t.cut)
		o->word[i][0] = 0;
}

static void set_words(struct owner *o, const struct sm_policy *p, const struct account *a)
{
	char run[48];
	struct text t = TEXT_ON(run);

	text_u64(text_add(&t, "/run/user/"), p->uid);
	set_word(o, 0, a && a->home[0] ? a->home : "/");
	set_word(o, 1, a ? a->name : "");
	set_word(o, 2, a ? a->name : "");
	set_word(o, 3, a && a->shell[0] ? a->shell : "/bin/sh");
	/* Without a mount namespace of its own nobody makes that directory. */
	set_word(o, 4, p->isolation & SM_ISOLATE_MOUNT ? run : "");
}

/* None of csrss's own words of these names is left: they would be somebody else's. */
static bool replaced(const char *variable)
{
	for (unsigned i = 0; i < OWNER_WORDS; i++)
		if (names_it(variable, names[i]))
			return true;
	return false;
}

void owner_set(struct owner *ret, const struct sm_policy *p, const struct account *a, char **env,
	       unsigned count)
{
	unsigned n = 0;

	ret->as = (struct sys_as){.uid = p->uid,
				  .gid = p->gid,
				  .groups = ret->groups,
				  .group_count = count,
				  .drop_capabilities = OUR_CAPABILITIES};
	if (p->given & SM_GIVEN_CAPABILITIES)
		ret->as.drop_capabilities &= ~p->capabilities;
	else
		ret->as.drop_capabilities = 0; /* nothing was taken from this session */
	set_words(ret, p, a);
	for (; *env && n < ENV_VARS_MAX; env++)
		if (!replaced(*env))
			ret->env[n++] = *env;
	for (unsigned i = 0; i < OWNER_WORDS; i++)
		if (ret->word[i][0])
			ret->env[n++] = ret->word[i];
	ret->env[n] = NULL;
}

int owner_read(struct owner *ret, char **env)
{
	const char *hex = env_take(env, "SMSS_POLICY");
	struct sm_policy p;
	struct account a;
	unsigned count = 1;
	int r;

	if (!hex)
		return 0;
	r = policy_of_hex(hex, &p);
	if (r < 0)
		return r;
	if (!(p.given & SM_GIVEN_OWNER))
		return 0;
	ret->groups[0] = p.gid;
	r = account_find_id("/etc/passwd", p.uid, &a);
	if (r == 0)
		count = account_groups("/etc/group", a.name, p.gid, ret->groups);
	else if (r != -ENOENT)
		return r;
	owner_set(ret, &p, r == 0 ? &a : NULL, env, count);
	return 1;
}
