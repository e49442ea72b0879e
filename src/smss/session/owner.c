/* SPDX-License-Identifier: MIT */
/*
 * owner.c - the session's owner, as an initial command that is no image of ours runs
 *
 * With its groups and its own words for where it lives. An owner without an account is its number
 * and its group alone. csrss does the same for the programs it starts (csrss/owner.c).
 */
#include <string.h>

#include "base/text.h"
#include "smss/session/session.h"

static const char *const names[OWNER_WORDS] = {
	"HOME=", "USER=", "LOGNAME=", "SHELL=", "XDG_RUNTIME_DIR="};

static bool replaced(const char *variable)
{
	for (unsigned i = 0; i < OWNER_WORDS; i++)
		if (str_starts(variable, names[i]))
			return true;
	return false;
}

static void set_word(struct owner *o, unsigned i, const char *value)
{
	struct text t = TEXT_ON(o->word[i]);

	if (value[0])
		text_add(text_add(&t, names[i]), value);
	if (t.cut)
		o->word[i][0] = 0;
}

static void set_words(const struct setup *s, struct owner *o)
{
	const struct account *a = s->named ? &s->owner : NULL;
	char run[48];
	struct text t = TEXT_ON(run);

	text_u64(text_add(&t, "/run/user/"), s->policy.uid);
	set_word(o, 0, a && a->home[0] ? a->home : "/");
	set_word(o, 1, a ? a->name : "");
	set_word(o, 2, a ? a->name : "");
	set_word(o, 3, a && a->shell[0] ? a->shell : "/bin/sh");
	/* Without a mount namespace of its own nobody makes that directory. */
	set_word(o, 4, s->policy.isolation & SM_ISOLATE_MOUNT ? run : "");
}

void owner_fill(const struct setup *s, struct owner *ret)
{
	unsigned n = 0;

	ret->as = (struct sys_as){.uid = s->policy.uid,
				  .gid = s->policy.gid,
				  .groups = ret->groups,
				  .group_count = 1,
				  .home = s->named ? s->owner.home : "/"};
	ret->groups[0] = s->policy.gid;
	if (s->named)
		ret->as.group_count =
			account_groups("/etc/group", s->owner.name, s->policy.gid, ret->groups);
	if (s->policy.given & SM_GIVEN_CAPABILITIES)
		ret->as.drop_capabilities = SERVER_CAPABILITIES & ~s->policy.capabilities;
	set_words(s, ret);
	for (char *const *v = s->env; *v; v++)
		if (!replaced(*v))
			ret->env[n++] = *v;
	for (unsigned i = 0; i < OWNER_WORDS; i++)
		if (ret->word[i][0])
			ret->env[n++] = ret->word[i];
	ret->env[n] = NULL;
}
