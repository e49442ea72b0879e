/* SPDX-License-Identifier: MIT */
/*
 * settings.c - who is logged on and how, from the plan and the session's policy; see logon.h
 */
#include <string.h>

#include "base/text.h"
#include "plan/policy.h"
#include "smss/copy.h"
#include "winlogon/logon.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The first word of a command line ends at a blank. */
static bool is_login(const char *line)
{
	char copy[COMMAND_BYTES], *words[ARGS_MAX + 1];

	if (!str_copy(copy, sizeof(copy), line) || plan_words(copy, words, ARGS_MAX) <= 0)
		return false;
	if (str_same(base_name(words[0]), "busybox") && words[1])
		return str_same(words[1], "login");
	return str_same(base_name(words[0]), "login");
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool logon_policy(const char *hex, struct sm_policy *ret)
{
	struct sm_policy p;
	uint8_t *to = (uint8_t *)&p;

	if (strlen(hex) != 2 * sizeof(p))
		return false;
	for (size_t i = 0; i < sizeof(p); i++) {
		int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to[i] = (uint8_t)(high << 4 | low);
	}
	*ret = p;
	return true;
}

/* DefaultUserName, else whom the session belongs to, else root. */
static void choose_user(const struct companion *c, const struct sm_policy *p, struct logon *ret)
{
	const char *named = plan_text(c->plan, "Winlogon\\DefaultUserName", "");
	struct text t = TEXT_ON(ret->user);

	if (!named[0] && (p->given & SM_GIVEN_OWNER)) {
		text_u64(&t, p->uid);
		return;
	}
	if (!named[0])
		named = policy_owner(c->plan, c->session);
	text_add(&t, named[0] ? named : "root");
	if (t.cut)
		ret->user[0] = 0; /* nobody's name */
}

void logon_settings(const struct companion *c, struct logon *ret)
{
	const bool safe = companion_env(c, "SAFEBOOT_OPTION", "")[0] != 0;
	const char *greeter = plan_text(c->plan, "Winlogon\\Greeter", "");
	struct sm_policy p;

	*ret = (struct logon){
		.automatic = str_same(plan_text(c->plan, "Winlogon\\AutoAdminLogon", "0"), "1"),
		.pam = str_same(plan_text(c->plan, "Winlogon\\Pam", "0"), "1"),
		.shell = plan_text(c->plan, "Winlogon\\Shell", ""),
		.login = plan_text(c->plan, "Winlogon\\Login", LOGON_PROGRAM)};
	if (!logon_policy(companion_env(c, LOGON_POLICY, ""), &p))
		policy_of_plan(c->plan, c->session, &p);
	ret->idle_s = p.idle_s;
	choose_user(c, &p, ret);
	if (greeter[0])
		ret->login = greeter;
	ret->held_back = safe && (ret->automatic || !str_same(ret->login, LOGON_PROGRAM));
	if (ret->held_back) { /* a greeter is an optional thing as well */
		ret->automatic = false;
		ret->login = LOGON_PROGRAM;
		greeter = "";
	}
	if (ret->automatic && ret->pam && sys_access(AT_FDCWD, LOGON_PAM_IMAGE, 1) < 0) {
		ret->pam_missing =
			true; /* what it would have refused must not come in without it */
		ret->automatic = false;
	}
	ret->asks_itself = greeter[0] || !is_login(ret->login);
}

void logon_fall_back(struct logon *l)
{
	l->login = LOGON_PROGRAM;
	l->asks_itself = false;
}
