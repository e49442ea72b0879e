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
#include <time.h>
#include <unistd.h>

#include "smaudit/evtx.h"

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
	close(c->to);
	kill(c->pid, SIGKILL);
	close(c->from);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	memset(c, 0, sizeof(*c));
	return status;
}

int64_t evtx_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int evtx_child_take(const struct evtx_child *c, void *to, size_t n, int64_t deadline_ms)
{
	for (size_t at = 0; at < n;) {
		struct pollfd p = {.fd = c->from, .events = POLLIN};
		int64_t left = deadline_ms - evtx_now_ms();
		ssize_t got;
		int ready;

		if (left <= 0)
			return -ETIMEDOUT;
		ready = poll(&p, 1, (int)left);
		if (ready < 0 && errno != EINTR)
			return -EPIPE;
		if (ready <= 0)
			continue;
		got = read(c->from, (char *)to + at, n - at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -EPIPE;
		at += (size_t)got;
	}
	return 0;
}

int evtx_child_give(const struct evtx_child *c, const uint8_t *chunk)
{
	for (size_t at = 0; at < EVTX_CHUNK_BYTES;) {
		ssize_t n = write(c->to, chunk + at, EVTX_CHUNK_BYTES - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -EPIPE;
		at += (size_t)n;
	}
	return 0;
}
