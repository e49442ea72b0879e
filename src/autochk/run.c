/* SPDX-License-Identifier: MIT */
/*
 * run.c - children of autochk, each with a deadline; see run.h
 *
 * fork, exec and poll of the C library: the door's spawn does not tie a child's life to its
 * parent's, and that is needed here.
 */
#include "autochk/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys/sys.h"

#define LINE_BYTES   1024u
#define GRACE_MS     5000u
#define ANSWER_BYTES 4096u /* one write to a pipe of that size is whole */

struct reader { /* cuts what comes out of a pipe into lines */
	int fd; /* -1 at its end */
	size_t n;
	char line[LINE_BYTES];
	void (*tell)(void *who, const char *line);
	void *who;
};

static void flush(struct reader *r)
{
	r->line[r->n] = 0;
	if (r->n)
		r->tell(r->who, r->line);
	r->n = 0;
}

static void drain(struct reader *r)
{
	char some[LINE_BYTES];
	ssize_t n;

	while (r->fd >= 0 && (n = sys_read(r->fd, some, sizeof(some))) != -EAGAIN) {
		if (n <= 0) {
			sys_close(fd_take(r->fd));
			flush(r);
			return;
		}
		for (ssize_t i = 0; i < n; i++) {
			if (some[i] == '\n' || some[i] == '\r' || r->n == LINE_BYTES - 1)
				flush(r);
			if (some[i] != '\n' && some[i] != '\r')
				r->line[r->n++] = some[i];
		}
	}
}

static int ms_left(uint64_t end_ns)
{
	uint64_t now = sys_now_ns();

	if (!end_ns)
		return -1;
	if (now >= end_ns)
		return 0;
	end_ns = (end_ns - now) / 1000000 + 1;
	return end_ns > 1000000000 ? 1000000000 : (int)end_ns;
}

static void become(const struct run_program *p, const int out, const int progress, pid_t parent)
{
	static char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C",
					    "TERM=dumb", NULL};
	int null = sys_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);

	/* first up and away from the numbers that are to be filled */
	int o = fcntl(out, F_DUPFD_CLOEXEC, 10), g = fcntl(progress, F_DUPFD_CLOEXEC, 10);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || o < 0 || g < 0)
		_exit(127);
	if (null > 0)
		dup2(null, 0);
	dup2(o, 1);
	dup2(o, 2);
	dup2(g, 3);
	(void)syscall(SYS_close_range, 4, ~0u, 0);
	execve(p->path, p->argv, environment);
	_exit(127);
}

/* Reads both pipes until the child is gone or its time is over. Returns false at the deadline. */
static bool follow(struct reader r[2], int pidfd, uint64_t end_ns)
{
	for (;;) {
		struct pollfd f[3] = {{.fd = r[0].fd, .events = POLLIN},
				      {.fd = r[1].fd, .events = POLLIN},
				      {.fd = pidfd, .events = POLLIN}};
		int n = poll(f, 3, ms_left(end_ns));

		if (n == 0)
			return false;
		if (n < 0)
			continue;
		drain(&r[0]);
		drain(&r[1]);
		if (f[2].revents) {
			drain(&r[0]); /* what it wrote last */
			drain(&r[1]);
			return true;
		}
	}
}

static int collect(pid_t pid, struct run_end *ret)
{
	struct sys_exit e;
	int r = sys_wait_pid(pid, &e);

	if (r < 0)
		return r;
	ret->signalled = e.signalled;
	ret->status = e.status;
	return 0;
}

static int watch(const struct run_program *p, struct reader r[2], pid_t pid, struct run_end *ret)
{
	_close_ int pidfd = sys_pidfd_open(pid);

	*ret = (struct run_end){0};
	if (pidfd < 0) {
		(void)!sys_kill(pid, SIGKILL);
		(void)!collect(pid, ret);
		return pidfd;
	}
	if (follow(r, pidfd, p->end_ns))
		return collect(pid, ret);
	ret->timed_out = true;
	for (int i = 0; i < 2; i++) {
		(void)!sys_pidfd_signal(pidfd, i ? SIGKILL : SIGTERM);
		if (follow(r, pidfd, sys_now_ns() + GRACE_MS * 1000000ull))
			return collect(pid, ret);
	}
	return 0; /* the kernel holds it: it is left behind */
}

int run_program(const struct run_program *p, struct run_end *ret)
{
	struct reader r[2] = {{.fd = -1, .tell = p->line, .who = p->who},
			      {.fd = -1, .tell = p->progress, .who = p->who}};
	int out[2], progress[2], error;
	pid_t pid, parent = getpid();

	error = sys_pipe(out);
	if (error < 0)
		return error;
	error = sys_pipe(progress);
	if (error < 0) {
		sys_close(out[0]);
		sys_close(out[1]);
		return error;
	}
	pid = fork();
	if (pid == 0)
		become(p, out[1], progress[1], parent);
	error = pid < 0 ? -errno : 0;
	sys_close(out[1]);
	sys_close(progress[1]);
	r[0].fd = out[0];
	r[1].fd = progress[0];
	if (error == 0) {
		(void)!sys_set_blocking(r[0].fd, false);
		(void)!sys_set_blocking(r[1].fd, false);
		error = watch(p, r, pid, ret);
	}
	sys_closep(&r[0].fd);
	sys_closep(&r[1].fd);
	return error;
}

int run_forked(void (*work)(const void *question, void *answer), const void *question, void *answer,
	       size_t answer_bytes, unsigned deadline_ms)
{
	char room[ANSWER_BYTES] __attribute__((aligned(16))) = {0};
	int fds[2], r;
	ssize_t n = 0;
	pid_t pid;

	if (answer_bytes > sizeof(room))
		return -EMSGSIZE;
	r = sys_pipe(fds);
	if (r < 0)
		return r;
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(question, room);
		_exit(sys_write_all(fds[1], room, answer_bytes) < 0);
	}
	r = pid < 0 ? -errno : 0;
	sys_close(fds[1]);
	if (r == 0)
		r = sys_wait_fd(fds[0], SYS_READ, (int)deadline_ms) > 0 ? 0 : -ETIMEDOUT;
	if (r == 0)
		n = sys_read_all(fds[0], room, answer_bytes);
	sys_close(fds[0]);
	if (pid > 0 && r < 0)
		(void)!sys_kill(pid, SIGKILL); /* not waited for: the kernel may hold it for ever */
	if (pid > 0 && r == 0) {
		struct sys_exit e;

		(void)!sys_wait_pid(pid, &e);
	}
	if (r < 0)
		return r;
	if (n != (ssize_t)answer_bytes)
		return -EIO;
	memcpy(answer, room, answer_bytes);
	return 0;
}
