/* SPDX-License-Identifier: MIT */
/*
 * kill_at.c - a rename that COMMAND or a child of it asks for kills the one that asked
 *
 * kill_at N COMMAND...            the N-th rename
 * kill_at TIMES:NAME COMMAND...   that of a file NAME (its last component), so many times
 *
 * As a power cut or an operator's kill -9 between two steps would, but at a place that a test can
 * choose. The one that asked dies, before its rename; the others go on. Exit status: COMMAND's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define FOLLOW                                                                                     \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |  \
	 PTRACE_O_EXITKILL)

static long left;
static const char *name; /* NULL = any */

static int has_name(int pid, unsigned long at)
{
	char text[64] = "";
	struct iovec here = {text, sizeof(text) - 1}, there = {(void *)at, sizeof(text) - 1};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) > 0 && strcmp(text, name) == 0;
}

/* This one is to die now. */
static int chosen(int pid)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0 ||
	    info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_renameat2 || left < 1)
		return 0;
	if (name)
		return (has_name(pid, info.entry.args[1]) || has_name(pid, info.entry.args[3])) &&
		       left-- > 0;
	return --left == 0;
}

static void resume(int pid, int status)
{
	const int sig = WSTOPSIG(status);

	if (sig == (SIGTRAP | 0x80) && chosen(pid))
		kill(pid, SIGKILL);
	else if (status >> 16 || sig == (SIGTRAP | 0x80) || sig == SIGTRAP || sig == SIGSTOP)
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
	else
		ptrace(PTRACE_SYSCALL, pid, 0, sig);
}

int main(int argc, char **argv)
{
	char *end = NULL;
	int status, pid, first;

	left = argc > 2 ? strtol(argv[1], &end, 0) : 0;
	if (end && *end == ':')
		name = end + 1;
	if (left < 1) {
		fprintf(stderr, "usage: kill_at N|TIMES:NAME COMMAND...\n");
		return 2;
	}
	first = fork();
	if (first == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (first < 0 || waitpid(first, &status, 0) < 0 ||
	    ptrace(PTRACE_SETOPTIONS, first, 0, FOLLOW) < 0) {
		perror("kill_at");
		return 1;
	}
	ptrace(PTRACE_SYSCALL, first, 0, 0);
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (WIFSTOPPED(status))
			resume(pid, status);
		else if (pid == first)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return 1;
}
