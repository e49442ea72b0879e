/* SPDX-License-Identifier: MIT */
/*
 * editor.c - a text in a private file, and a person's editor on it; see editor.h
 */
#include "registry/editor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "base/text.h"
#include "sys/sys.h"

#define SUFFIX ".reg"

static const int deadly[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};

static struct {
	char text[PATH_BYTES + 64];
	size_t n;
} last_words;

/* Calls only what a handler may call; the signal then does what it would have done. */
static void say_last_words(int sig)
{
	(void)!sys_write(STDERR_FILENO, last_words.text, last_words.n);
	(void)raise(sig);
}

/* Whoever dies says where the text lies; who was told not to mind a signal goes on so. */
static void guard(const char *path)
{
	const struct sigaction say = {.sa_handler = say_last_words, .sa_flags = SA_RESETHAND};
	struct sigaction was;
	int n = snprintf(last_words.text, sizeof(last_words.text),
			 "\nsmreg: ended by a signal; the text is kept in %s\n", path);

	last_words.n = n < (int)sizeof(last_words.text) ? (size_t)n : sizeof(last_words.text) - 1;
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		if (sigaction(deadly[i], NULL, &was) == 0 && was.sa_handler != SIG_IGN)
			sigaction(deadly[i], &say, NULL);
}

static void unguard(void)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	struct sigaction was;

	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		if (sigaction(deadly[i], NULL, &was) == 0 && was.sa_handler == say_last_words)
			sigaction(deadly[i], &usual, NULL);
}

void editor_drop(const char *path)
{
	(void)!sys_unlink(AT_FDCWD, path, 0);
	unguard();
}

static int make_file(const char *text, size_t n, char *ret, size_t cap)
{
	const char *dir = getenv("TMPDIR");
	_close_ int fd = -1;
	int e, len = snprintf(ret, cap, "%s/smreg-XXXXXX" SUFFIX,
			      dir && *dir == '/' ? dir : "/tmp");

	if (len < 0 || (size_t)len >= cap)
		return -ENAMETOOLONG;
	fd = mkostemps(ret, sizeof(SUFFIX) - 1, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	guard(ret);
	e = sys_write_all(fd, text, n);
	if (e < 0)
		editor_drop(ret);
	return e < 0 ? e : 0;
}

int editor_file(const char *text, size_t n, char *ret, size_t cap)
{
	sigset_t set, was;
	int e;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(deadly); i++)
		sigaddset(&set, deadly[i]);
	sigprocmask(SIG_BLOCK, &set, &was); /* no signal between the file and its guard */
	e = make_file(text, n, ret, cap);
	sigprocmask(SIG_SETMASK, &was, NULL);
	return e;
}

/* The line for the shell; $1 is the file. -E2BIG, said: half a line would be another command. */
static int script(char *room, size_t cap)
{
	const char *word = getenv("VISUAL");
	int n;

	if (!word || !*word)
		word = getenv("EDITOR");
	if (word && *word)
		n = snprintf(room, cap, "%s \"$1\"", word);
	else
		n = snprintf(room, cap,
			     "if command -v sensible-editor >/dev/null 2>&1; then "
			     "exec sensible-editor \"$1\"; fi; exec vi \"$1\"");
	if (n >= 0 && (size_t)n < cap)
		return 0;
	fprintf(stderr, "smreg: VISUAL and EDITOR take at most %zu bytes\n",
		cap - sizeof(" \"$1\""));
	return -E2BIG;
}

static int ended_well(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		fputs("smreg: the editor was not found; name one in VISUAL or EDITOR\n", stderr);
	else if (WIFEXITED(status))
		fprintf(stderr, "smreg: the editor ended with status %d\n", WEXITSTATUS(status));
	else
		fprintf(stderr, "smreg: the editor was killed by signal %d\n", WTERMSIG(status));
	return -ECANCELED;
}

int editor_run(const char *path)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
	char room[4096];
	int pid, status = 0, r = script(room, sizeof(room));

	if (r < 0)
		return r;
	fflush(stdout);
	sigaction(SIGINT, &ignore, &interrupt); /* the keys are the editor's while it runs */
	sigaction(SIGQUIT, &ignore, &quit);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGINT, &interrupt, NULL);
		sigaction(SIGQUIT, &quit, NULL);
		execl("/bin/sh", "sh", "-c", room, "smreg", path, (char *)NULL);
		_exit(127);
	}
	r = pid < 0 ? -errno : 0;
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR) {
			r = -errno;
			break;
		}
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	if (r < 0)
		fprintf(stderr, "smreg: the editor could not be started: %s\n", err_text(-r));
	return r < 0 ? r : ended_well(status);
}
