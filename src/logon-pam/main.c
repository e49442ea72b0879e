/* SPDX-License-Identifier: MIT */
/*
 * main.c - logon-pam: an automatic logon with a PAM session and its records
 *
 * `logon-pam USER [IMAGE WORD...]`, started by winlogon's throwaway process as root with the
 * session's terminal on fds 0-2, never by hand. Asks PAM whether the user may be logged on, opens
 * the session, writes utmp and wtmp, and runs the user's shell (or IMAGE with these words) as the
 * user, leader of its own session with the terminal. Waits for its end, closes what it opened, and
 * ends as that ended. Apart from winlogon, which links nothing: modules bring whole libraries.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "logon-pam/pam.h"
#include "logon-pam/record.h"
#include "smss-version.h"
#include "sys/sys.h"

#define REFUSED     126
#define ZERO_BYTES  64u
#define SERVED_BY   "logon-pam"
#define NO_TERMINAL "console"
#define KEEP        "SMSS_KEEP" /* the capabilities the session's programs may have */

static const char help[] =
	"usage: logon-pam USER [IMAGE WORD...]\n"
	"       logon-pam --help | --version\n"
	"An automatic logon by way of PAM. Started by winlogon, never by hand.\n";

static volatile sig_atomic_t child; /* 0 = not yet */
static uint64_t keep = UINT64_MAX;  /* all */

static void say(const char *what, const char *why)
{
	char line[320];
	struct text t = TEXT_ON(line);

	text_escaped(&t, what, str_len(what, 100));
	text_add(&t, ": ");
	text_escaped(&t, why, str_len(why, 180));
	sys_log(SYS_LOG_ERROR, line);
}

/* winlogon asks us to end: HUP is what an interactive shell listens to, TERM what all else does. */
static void on_term(int sig)
{
	int before = errno;

	(void)sig;
	if (child) {
		kill(-child, SIGHUP);
		kill(-child, SIGTERM);
		kill(-child, SIGCONT);
	}
	errno = before;
}

static void set_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, term = {.sa_handler = on_term};
	static const int ours[] = {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGTTOU, SIGPIPE};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaction(ours[i], &ignore, NULL);
	sigaction(SIGTERM, &term, NULL);
}

static const char *terminal_name(void)
{
	const char *name = ttyname(STDIN_FILENO);

	if (!name)
		return NO_TERMINAL;
	return str_starts(name, "/dev/") ? name + 5 : name;
}

/* The terminal is the user's from here on; winlogon takes it back. */
static void give_terminal(const struct passwd *user)
{
	const struct group *g = getgrnam("tty");

	(void)!sys_chown(STDIN_FILENO, user->pw_uid, g ? g->gr_gid : user->pw_gid);
	(void)!sys_chmod(STDIN_FILENO, g ? 0620 : 0600);
}

static bool set_environment(const struct passwd *user, const struct pam_login *l)
{
	char **more = pam_login_environment(l);
	bool whole =
		setenv("HOME", user->pw_dir, 1) == 0 && setenv("USER", user->pw_name, 1) == 0 &&
		setenv("LOGNAME", user->pw_name, 1) == 0 && setenv("SHELL", user->pw_shell, 1) == 0;

	for (char **at = more; whole && at && *at; at++)
		whole = putenv(*at) == 0;
	return whole;
}

/* In the child: everything that is root's is given away, then it is the user's program. */
static _Noreturn void become(const struct passwd *user, const char *image, char **words,
			     const sigset_t *mask)
{
	sys_signals_reset();
	sigprocmask(SIG_SETMASK, mask, NULL);
	/* On the machine's own console a left-over session loses it; elsewhere it may be a
	 * person's. */
	if (sys_setsid() < 0 || sys_tty_take(STDIN_FILENO, sys_in_initial_pidns() == 1) < 0)
		say("no job control", "the terminal is another session's");
	(void)sys_close_from(3);
	if (keep != UINT64_MAX && sys_bound_capabilities(keep) < 0) {
		say("cannot give capabilities away", user->pw_name);
		_exit(REFUSED);
	}
	if (setgid(user->pw_gid) < 0 || setuid(user->pw_uid) < 0) {
		say("cannot become the user", err_text(errno));
		_exit(REFUSED);
	}
	if (chdir(user->pw_dir) < 0) {
		say("no home directory", user->pw_dir);
		(void)!chdir("/");
	}
	execv(image, words);
	say(image, err_text(errno));
	_exit(errno == ENOENT ? 127 : REFUSED);
}

static int wait_for_end(int pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return W_EXITCODE(REFUSED, 0);
	return status;
}

/* The user's program, from its start to its end. Returns its wait status. */
static int run(const struct passwd *user, char **words)
{
	static char zero[ZERO_BYTES];
	struct text t = TEXT_ON(zero);
	char *own[] = {zero, NULL};
	const char *base = strrchr(user->pw_shell, '/');
	const char *image = words[0] ? words[0] : user->pw_shell;
	sigset_t all, before;
	int pid, status;

	text_add(text_add(&t, "-"), base ? base + 1 : user->pw_shell); /* a login shell */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	if (pid == 0)
		become(user, image, words[0] ? words + 1 : own, &before);
	child = pid > 0 ? pid : 0;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0) {
		say("cannot start", err_text(errno));
		return W_EXITCODE(REFUSED, 0);
	}
	status = wait_for_end(pid);
	child = 0;
	return status;
}

/* As the user's program ended: winlogon tells a crash from an exit. */
static int end_as(int status)
{
	const struct rlimit none = {0};

	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	setrlimit(RLIMIT_CORE, &none);
	sys_signals_reset();
	raise(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

/* A copy: modules look users up, too. */
static const struct passwd *find(const char *name)
{
	static struct passwd user;
	static char room[16384];
	struct passwd *found = NULL;

	if (getpwnam_r(name, &user, room, sizeof(room), &found) != 0 || !found)
		return NULL;
	if (!user.pw_shell[0])
		user.pw_shell = (char *)"/bin/sh"; /* passwd(5) */
	return found;
}

static int log_on(const char *name, char **words)
{
	const char *line = terminal_name();
	struct pam_login login;
	const struct passwd *user;
	int status = W_EXITCODE(REFUSED, 0);
	const char *why = NULL;

	if (pam_login_begin(&login, name, line) < 0) {
		why = pam_login_why(&login);
	} else if (!(user = find(pam_login_user(&login)))) {
		why = "no such user";
	} else if (initgroups(user->pw_name, user->pw_gid) < 0) { /* modules may add to them */
		why = err_text(errno);
	} else if (pam_login_open(&login) < 0) {
		why = pam_login_why(&login);
	} else if (!set_environment(user, &login)) {
		why = err_text(ENOMEM);
	} else {
		give_terminal(user);
		record_login(getpid(), user->pw_name, line);
		status = run(user, words);
		record_logout(getpid(), line);
	}
	if (why)
		say("not logged on", why);
	pam_login_end(&login);
	return end_as(status);
}

int main(int argc, char **argv)
{
	static const char version[] =
		"logon-pam " SMSS_VERSION " (build " SMSS_BUILD_ID ") " SMSS_VENDOR "\n";
	const char *word;

	if (argc == 2 && (str_same(argv[1], "--help") || str_same(argv[1], "--version"))) {
		const char *text = str_same(argv[1], "--help") ? help : version;

		return sys_write_all(STDOUT_FILENO, text, strlen(text)) < 0;
	}
	if (argc < 2 || argv[1][0] == '-' || argc == 3) {
		(void)!sys_write_all(STDERR_FILENO, help, strlen(help));
		return 2;
	}
	sys_log_open(SERVED_BY, true, true);
	word = getenv(KEEP);
	if (word && str_u64(word, strlen(word), &keep) < 0)
		return REFUSED;
	unsetenv(KEEP);
	set_signals();
	return log_on(argv[1], argv + 2);
}
