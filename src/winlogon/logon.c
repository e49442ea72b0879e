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

#define PASSWD     "/etc/passwd"
#define GROUP      "/etc/group"
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

/* What is ours alone does not reach a person's programs. */
static void env_drop(struct environment *e, const char *name)
{
	size_t n = strlen(name);
	unsigned to = 0;

	for (unsigned i = 0; i < e->count; i++)
		if (!str_starts(e->at[i], name) || e->at[i][n] != '=')
			e->at[to++] = e->at[i];
	e->count = to;
	e->at[to] = NULL;
}

int logon_start(const struct companion *c, const struct logon *l, int tty, const char *term,
		const char *name)
{
	static struct environment env;
	char *words[6] = {(char *)"winlogon", (char *)LOGON_WORD};
	struct program p = {
		.path = "/proc/self/exe", .argv = words, .env = env.at, .in = tty, .out = tty};

	words[2] = (char *)(!l->automatic ? LOGON_LOGIN : l->pam ? LOGON_PAM : LOGON_SHELL);
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

/* What the session's programs may have of root's powers; all where nothing was taken from it. */
static uint64_t capabilities_kept(const struct companion *c)
{
	struct sm_policy p;

	/* Without an owner winlogon was left nothing more than its programs may have. */
	if (!logon_policy(companion_env(c, LOGON_POLICY, ""), &p) ||
	    !(p.given & SM_GIVEN_CAPABILITIES) || !(p.given & SM_GIVEN_OWNER))
		return UINT64_MAX;
	return p.capabilities;
}

static int become(const struct companion *c, const struct account *a)
{
	uint32_t groups[ACCOUNT_GROUPS_MAX], tty_group;
	uint64_t keep = capabilities_kept(c);
	unsigned count;
	int r;

	if (account_group_find(GROUP, "tty", &tty_group) < 0)
		tty_group = a->gid;
	(void)!sys_chown(0, a->uid, tty_group);
	(void)!sys_chmod(0, tty_group == a->gid ? 0600 : 0620);
	/* winlogon itself was left what it takes to become another user. */
	r = keep == UINT64_MAX ? 0 : sys_bound_capabilities(keep);
	if (r < 0 || a->uid == sys_uid())
		return r; /* root's groups are ours already, and a user namespace may refuse */
	count = account_groups(GROUP, a->name, a->gid, groups);
	return sys_set_ids(a->uid, a->gid, groups, count);
}

static int cannot_start(const char *word, int r)
{
	companion_say(SYS_LOG_ERROR, "cannot start", word, r);
	return r == -ENOENT ? 127 : 126;
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
	return cannot_start(words[0], r);
}

/* A session's owner may be named by number. */
static int find_user(const char *name, struct account *ret)
{
	uint64_t uid;
	int r = account_name_check(name);

	if (r >= 0)
		r = account_find(PASSWD, name, ret);
	if (r != -ENOENT || str_u64(name, strlen(name), &uid) < 0 || uid >= UINT32_MAX)
		return r;
	return account_find_id(PASSWD, (uint32_t)uid, ret);
}

/* Where the session's set-up, or somebody else, made a directory for the user, it is named. */
static void set_runtime(struct environment *env, const struct account *a)
{
	char path[48];
	struct text t = TEXT_ON(path);
	struct sys_stat st;

	text_u64(text_add(&t, "/run/user/"), a->uid);
	if (sys_stat_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st) >= 0 &&
	    (st.mode & 0170000) == 0040000 && st.uid == a->uid)
		env_set(env, "XDG_RUNTIME_DIR", path);
}

static int run_shell(const struct companion *c, struct environment *env, char *line,
		     const char *name)
{
	char *words[ARGS_MAX + 1] = {NULL};
	struct account a;
	int r = find_user(name, &a);
	int count = 0;

	if (r >= 0 && line[0])
		count = r = plan_words(line, words, ARGS_MAX);
	if (r >= 0)
		r = become(c, &a);
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
	set_runtime(env, &a);
	/* A shell alone is a login shell; a kiosk's command line is run as it is written. */
	return run(c, env, words, count <= 1);
}

/*
 * logon-pam USER [IMAGE WORD...]: it finds the account by its own means, makes the PAM session, and
 * runs the user's shell, or IMAGE with these words.
 */
static int run_pam(const struct companion *c, struct environment *env, char *line, const char *name)
{
	char *words[ARGS_MAX + 4] = {(char *)"logon-pam", NULL};
	char path[PATH_BYTES], zero[ZERO_BYTES], keep[24];
	struct text t = TEXT_ON(zero), k = TEXT_ON(keep);
	struct account a;
	int r = account_name_check(name);
	int count;

	words[1] = (char *)(uintptr_t)name;
	if (find_user(name, &a) == 0) { /* else the machine's name service may know it */
		words[1] = a.name;
		set_runtime(env, &a);
	}
	if (capabilities_kept(c) != UINT64_MAX) {
		text_hex(&k, capabilities_kept(c));
		env_set(env, LOGON_KEEP, keep);
	}
	if (r >= 0 && line[0]) {
		count = r = plan_words(line, words + 3, ARGS_MAX);
		if (r >= 0)
			r = program_find(c, words[3], path, sizeof(path));
		if (r >= 0 && count == 1) {
			text_add(text_add(&t, "-"), base_name(words[3]));
			words[3] = zero;
		}
		words[2] = path;
	}
	if (r < 0)
		return cannot_start(line[0] ? line : name, r);
	r = env->full ? -E2BIG : sys_exec(AT_FDCWD, LOGON_PAM_IMAGE, words, env->at);
	return cannot_start(LOGON_PAM_IMAGE, r);
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
	env_drop(&env, LOGON_POLICY);
	if (str_same(argv[0], LOGON_PAM)) /* its child takes the terminal */
		return run_pam(&c, &env, argv[1], argv[2]);
	take_terminal();
	if (str_same(argv[0], LOGON_SHELL))
		return run_shell(&c, &env, argv[1], argv[2]);
	if (str_same(argv[0], LOGON_LOGIN))
		return run_login(&c, &env, argv[1], argv[2]);
	return COMPANION_USAGE;
}
