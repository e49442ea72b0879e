/* SPDX-License-Identifier: MIT */
/*
 * evtx_pipe.c - the parent's end of the two pipes to the child that reads chunks; see evtx.h
 *
 * Nothing here may wait for a child longer than its deadline, nor leave one behind. What comes
 * through is bytes: whoever takes them checks what they say.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "smaudit/evtx.h"
#include "sys/sys.h"

int evtx_child_start(struct evtx_child *c)
{
	int to[2], from[2];
	pid_t pid;

	if (pipe2(to, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(from, O_CLOEXEC) < 0) {
		int e = -errno;

		close(to[0]);
		close(to[1]);
		return e;
	}
	/* one that does not read must not hold its parent up: the other end stays as it is */
	if (fcntl(to[1], F_SETFL, O_NONBLOCK) < 0) {
		int e = -errno;

		close(to[0]);
		close(to[1]);
		close(from[0]);
		close(from[1]);
		return e;
	}
	pid = fork();
	if (pid == 0)
		evtx_child_run(to[0], from[1]);
	close(to[0]);
	close(from[1]);
	if (pid < 0) {
		int e = -errno;

		close(to[1]);
		close(from[0]);
		return e;
	}
	*c = (struct evtx_child){.pid = pid, .to = to[1], .from = from[0]};
	return 0;
}

/* It is not asked to end but killed: it may not want to. */
int evtx_child_end(struct evtx_child *c)
{
	int status = 0;

	if (!c->pid)
		return 0;
	kill(c->pid, SIGKILL);
	close(c->to);
	close(c->from);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	memset(c, 0, sizeof(*c));
	return status;
}

/* One read or write of at most n bytes, when the pipe is ready and in time. */
static ssize_t move_some(const struct evtx_child *c, void *to, const void *from, size_t n)
{
	struct pollfd p = {.fd = to ? c->from : c->to, .events = to ? POLLIN : POLLOUT};

	for (;;) {
		uint64_t now = sys_now_ns();
		ssize_t moved;
		int ready;

		if (now >= c->end_ns)
			return -ETIMEDOUT;
		ready = poll(&p, 1, (int)((c->end_ns - now) / 1000000) + 1);
		if (ready < 0 && errno != EINTR)
			return -EPIPE;
		if (ready <= 0)
			continue;
		moved = to ? read(p.fd, to, n) : write(p.fd, from, n);
		if (moved > 0)
			return moved;
		if (moved == 0 || (errno != EINTR && errno != EAGAIN))
			return -EPIPE;
	}
}

int evtx_child_take(const struct evtx_child *c, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = move_some(c, (char *)to + at, NULL, n - at);

		if (got < 0)
			return (int)got;
		at += (size_t)got;
	}
	return 0;
}

int evtx_child_give(struct evtx_child *c, const uint8_t *chunk)
{
	c->end_ns = sys_now_ns() + EVTX_CHUNK_MS * 1000000ull;
	for (size_t at = 0; at < EVTX_CHUNK_BYTES;) {
		ssize_t given = move_some(c, NULL, chunk + at, EVTX_CHUNK_BYTES - at);

		if (given < 0)
			return (int)given;
		at += (size_t)given;
	}
	return 0;
}
