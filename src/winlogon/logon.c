/* SPDX-License-Identifier: MIT */
/*
 * logon.c - the throwaway process that becomes login or a shell, see logon.h
 */
#include "winlogon/logon.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "companion/program.h"
#include "etc/accounts.h"
#include "smss/copy.h"

#define PASSWD     "/etc/passwd"
#define GROUP      "/etc/group"
#define LOGIN      "/bin/login"
#define ENV_ADDED  8u
#define ZERO_BYTES 64u /* argv[0] of a login shell */

struct environment { /* ours, with some variables replaced */
	char *at[ENV_VARS_MAX + ENV_ADDED + 1];
	unsigned count;
	char room[2048];
	struct text text;
	bool full;
};

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

void logon_settings(const struct companion *c, struct logon *ret)
{
	const bool safe = companion_env(c, "SAFEBOOT_OPTION", "")[0] != 0;

	ret->automatic = str_same(plan_text(c->plan, "Winlogon\\AutoAdminLogon", "0"), "1");
	ret->user = plan_text(c->plan, "Winlogon\\DefaultUserName", "root");
	ret->shell = plan_text(c->plan, "Winlogon\\Shell", "");
	ret->login = plan_text(c->plan, "Winlogon\\Login", LOGIN);
	ret->held_back = safe && (ret->automatic || !str_same(ret->login, LOGIN));
	if (ret->held_back) { /* a greeter is an optional thing as well */
		ret->automatic = false;
		ret->login = LOGIN;
	}
	ret->asks_itself = !is_login(ret->login);
}

static void env_begin(struct environment *e, char *const *from)
{
	e->count = 0;
	e->full = false;
	e->text = TEXT_ON(e->room);
	for (; *from && e->count < ENV_VARS_MAX; from++)
		e->at[e->count++] = *from;
	e->at[e->count] = NULL;
}

static void env_set(struct environment *e, const char *name, const char *value)
{
	char *entry = e->room + e->text.len;
	size_t n = strlen(name);
	unsigned i = 0;

	text_add(text_add(text_add(&e->text, name), "="), value);
	text_add_n(&e->text, "", 1); /* its NUL stays, the next one begins behind it */
	while (i < e->count && !(str_starts(e->at[i], name) && e->at[i][n] == '='))
		i++;
	if (e->text.cut || i >= ENV_VARS_MAX + ENV_ADDED) {
		e->full = true;
		return;
	}
	e->at[i] = entry;
	if (i == e->count)
		e->at[++e->count] = NULL;
}

int logon_start(const struct companion *c, const struct logon *l, int tty, const char *term,
		const char *name)
{
	static struct environment env;
	char *words[6] = {(char *)"winlogon", (char *)LOGON_WORD};
	struct program p = {
		.path = "/proc/self/exe", .argv = words, .env = env.at, .in = tty, .out = tty};

	words[2] = (char *)(l->automatic ? LOGON_SHELL : LOGON_LOGIN);
	words[3] = (char *)(uintptr_t)(l->automatic ? l->shell : l->login);
	words[4] = (char *)(uintptr_t)name;
	env_begin(&env, c->env);
	env_set(&env, "TERM", term);
	if (sys_access(AT_FDCWD, p.path, 0) < 0)
		p.path = IMAGE_DIRECTORY "/winlogon"; /* no /proc */
	return program_start(c, &p, NULL);
}

/* On the machine's own console a left-over session loses it; elsewhere it may be a person's. */
static void take_terminal(void)
{
	int r = sys_tty_take(0, sys_in_initial_pidns() == 1);

	if (r < 0)
		companion_say(SYS_LOG_WARNING, "no job control",
			      "the terminal is another session's", r);
}

static int become(const struct account *a)
{
	uint32_t groups[ACCOUNT_GROUPS_MAX], tty_group;
	unsigned count;

	if (account_group_find(GROUP, "tty", &tty_group) < 0)
		tty_group = a->gid;
	(void)!sys_chown(0, a->uid, tty_group);
	(void)!sys_chmod(0, tty_group == a->gid ? 0600 : 0620);
	if (a->uid == sys_uid())
		return 0; /* root's groups are ours already, and a user namespace may refuse */
	count = account_groups(GROUP, a->name, a->gid, groups);
	return sys_set_ids(a->uid, a->gid, groups, count);
}

static int run(const struct companion *c, struct environment *env, char **words,
	       bool as_login_shell)
{
	char path[PATH_BYTES], zero[ZERO_BYTES];
	struct text t = TEXT_ON(zero);
	int r = program_find(c, words[0], path, sizeof(path));

	if (r >= 0 && env->full)
		r = -E2BIG;
	if (r >= 0) {
		if (as_login_shell) {
			text_add(text_add(&t, "-"), base_name(words[0]));
			words[0] = zero;
		}
		r = sys_exec(AT_FDCWD, path, words, env->at);
	}
	companion_say(SYS_LOG_ERROR, "cannot start", words[0], r);
	return r == -ENOENT ? 127 : 126;
}

static int run_shell(const struct companion *c, struct environment *env, char *line,
		     const char *name)
{
	char *words[ARGS_MAX + 1] = {NULL};
	struct account a;
	int r = account_name_check(name);
	int count = 0;

	if (r >= 0)
		r = account_find(PASSWD, name, &a);
	if (r >= 0 && line[0])
		count = r = plan_words(line, words, ARGS_MAX);
	if (r >= 0)
		r = become(&a);
	if (r < 0) {
		companion_say(SYS_LOG_ERROR, "cannot log on", name, r);
		return 126;
	}
	if (!words[0])
		words[0] = a.shell;
	if (sys_chdir(a.home) < 0)
		companion_say(SYS_LOG_WARNING, "no home directory", a.home, 0);
	env_set(env, "HOME", a.home);
	env_set(env, "USER", a.name);
	env_set(env, "LOGNAME", a.name);
	env_set(env, "SHELL", a.shell);
	/* A shell alone is a login shell; a kiosk's command line is run as it is written. */
	return run(c, env, words, count <= 1);
}

static int run_login(const struct companion *c, struct environment *env, char *line,
		     const char *name)
{
	char *words[ARGS_MAX + 3];
	int n = plan_words(line, words, ARGS_MAX);

	if (n <= 0) {
		companion_say(SYS_LOG_ERROR, "Login", "no command line", n);
		return 126;
	}
	if (name[0]) {
		words[n] = (char *)"--";
		words[n + 1] = (char *)(uintptr_t)name;
		words[n + 2] = NULL;
	}
	return run(c, env, words, false);
}

int logon_main(int argc, char **argv, char **envp)
{
	static struct environment env;
	struct companion c = {.name = "winlogon", .env = envp};

	if (argc != 3)
		return COMPANION_USAGE;
	sys_log_open("winlogon", true, true);
	sys_log_quiet(true);
	env_begin(&env, envp);
	take_terminal();
	if (str_same(argv[0], LOGON_SHELL))
		return run_shell(&c, &env, argv[1], argv[2]);
	if (str_same(argv[0], LOGON_LOGIN))
		return run_login(&c, &env, argv[1], argv[2]);
	return COMPANION_USAGE;
}
