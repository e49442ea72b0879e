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

#include "base/cleanup.h"
#include "base/text.h"
#include "sys/sys.h"

#define SUFFIX ".reg"

int editor_file(const char *text, size_t n, char *ret, size_t cap)
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
	e = sys_write_all(fd, text, n);
	if (e < 0)
		(void)!sys_unlink(AT_FDCWD, ret, 0);
	return e < 0 ? e : 0;
}

/* The line for the shell; $1 is the file. */
static void script(char *room, size_t cap)
{
	const char *word = getenv("VISUAL");

	if (!word || !*word)
		word = getenv("EDITOR");
	if (word && *word)
		snprintf(room, cap, "%s \"$1\"", word);
	else
		snprintf(room, cap,
			 "if command -v sensible-editor >/dev/null 2>&1; then "
			 "exec sensible-editor \"$1\"; fi; exec vi \"$1\"");
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
	int pid, status = 0, r;

	script(room, sizeof(room));
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
