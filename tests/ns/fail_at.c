/* SPDX-License-Identifier: MIT */
/*
 * fail_at.c - stands in the place of smss: in a session's copy one system call fails
 *
 * Bound over /usr/lib/smss/smss of a booted namespace machine, it becomes PLACE/smss, the real one,
 * whatever is asked of it. For `smss session N` it first leaves a tracer behind, when PLACE/order
 * says "CALL ERROR": the CALL-th system call of the copy, and of the processes it starts until they
 * become another program, does not happen and gives -ERROR; with ERROR 0 the copy is killed there.
 * PLACE/done then says which it was: "CALL NUMBER", or "CALL -" when there were not that many. A
 * tool of the tests; x86-64 only.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define PLACE "/probe/fail"

#if defined(__x86_64__)

static const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK |
			    PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE;
static long call, error, seen;
static int made[64]; /* processes that the copy made; the first is the copy */
static unsigned made_count;

static void done(long number)
{
	FILE *f = fopen(PLACE "/done.new", "w");

	if (!f)
		exit(3);
	if (number < 0)
		fprintf(f, "%ld -\n", call);
	else
		fprintf(f, "%ld %ld\n", call, number);
	fclose(f);
	rename(PLACE "/done.new", PLACE "/done");
	exit(0); /* whoever is still traced goes on alone */
}

/* -1: it is not ours yet, or any more */
static int place_of(int pid)
{
	for (unsigned i = 0; i < made_count; i++)
		if (made[i] == pid)
			return (int)i;
	return -1;
}

static void skip(int pid, struct user_regs_struct *regs)
{
	const long number = (long)regs->orig_rax;
	int status;

	if (!error) {
		kill(made[0], SIGKILL);
		done(number);
	}
	regs->orig_rax = (unsigned long)-1;
	ptrace(PTRACE_SETREGS, pid, 0, regs);
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		done(number);
	ptrace(PTRACE_GETREGS, pid, 0, regs);
	regs->rax = (unsigned long)-error;
	ptrace(PTRACE_SETREGS, pid, 0, regs);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	done(number);
}

/* Entries alone are counted; the kernel says which stop it is. */
static void at_call(int pid)
{
	struct __ptrace_syscall_info info = {0};
	struct user_regs_struct regs;

	ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info);
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr != SYS_exit_group &&
	    info.entry.nr != SYS_exit && ++seen == call) {
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		skip(pid, &regs);
	}
	ptrace(PTRACE_SYSCALL, pid, 0, 0);
}

static void one_stop(int pid, int status)
{
	const int event = status >> 16, sig = WSTOPSIG(status);
	unsigned long child;

	if (place_of(pid) < 0 && made_count < 64)
		made[made_count++] = pid;
	if (sig == (SIGTRAP | 0x80)) {
		at_call(pid);
	} else if (event == PTRACE_EVENT_EXEC && pid != made[0]) {
		ptrace(PTRACE_DETACH, pid, 0, 0);
	} else if (event == PTRACE_EVENT_STOP || event) {
		if (event != PTRACE_EVENT_STOP && event != PTRACE_EVENT_EXEC)
			ptrace(PTRACE_GETEVENTMSG, pid, 0, &child);
		ptrace(PTRACE_SYSCALL, pid, 0, 0);
	} else {
		ptrace(PTRACE_SYSCALL, pid, 0, sig);
	}
}

static void trace(int copy)
{
	bool begun = false;
	int status, pid;

	made[made_count++] = copy;
	while ((pid = waitpid(-1, &status, __WALL)) > 0) {
		if (!WIFSTOPPED(status)) {
			if (pid == copy)
				break;
			continue;
		}
		if (!begun) { /* up to the exec it is still us */
			begun = status >> 16 == PTRACE_EVENT_EXEC;
			ptrace(begun ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, 0);
			continue;
		}
		one_stop(pid, status);
	}
	done(-1);
}

/* A grandchild, so that the copy keeps its number, its parent and no child but its own. */
static void leave_tracer(void)
{
	const int copy = getpid();
	int ready[2], status, pid;
	char byte;

	if (pipe(ready) < 0)
		exit(3);
	pid = fork();
	if (pid == 0) {
		if (fork())
			_exit(0);
		setsid();
		if (ptrace(PTRACE_SEIZE, copy, 0, options) < 0)
			_exit(3);
		if (write(ready[1], "", 1) != 1)
			_exit(3);
		for (int fd = 0; fd < 64; fd++)
			close(fd);
		trace(copy);
	}
	waitpid(pid, &status, 0);
	close(ready[1]);
	(void)!read(ready[0], &byte, 1);
	close(ready[0]);
}

int main(int argc, char **argv, char **envp)
{
	FILE *order =
		argc == 3 && strcmp(argv[1], "session") == 0 ? fopen(PLACE "/order", "r") : NULL;

	if (order) {
		if (fscanf(order, "%ld %ld", &call, &error) != 2)
			call = 0;
		fclose(order);
		if (call)
			leave_tracer();
	}
	execve(PLACE "/smss", argv, envp);
	return 3;
}
#else
int main(void)
{
	return 77;
}
#endif
