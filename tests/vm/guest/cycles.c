/* SPDX-License-Identifier: MIT */
/*
 * cycles.c - many sessions come and go, of all kinds, some of them at once
 *
 * usage: cycles N
 * The work of N times `smctl session new` and `smctl session end`, without starting so many
 * programs, which takes an emulated machine most of its time. Whether anything of them is left, who
 * calls this looks.
 */
#include "sm.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 3

/* What the n-th one asks for. */
static void choose(unsigned n, struct sm_session_want *w)
{
	static const uint32_t isolation[] = {
		0,
		SM_ISOLATION_MOUNT,
		SM_ISOLATION_IPC | SM_ISOLATION_UTS,
		SM_ISOLATION_PID,
		SM_ISOLATION_NET,
		SM_ISOLATION_MOUNT | SM_ISOLATION_DEV | SM_ISOLATION_IPC | SM_ISOLATION_PID,
	};

	sm_session_want_init(w, sizeof(*w));
	w->command = n % 4 ? "/bin/sleep 100000" : "/bin/sh -c \"sleep 100000 & sleep 100000\"";
	w->isolation = isolation[n % (sizeof(isolation) / sizeof(isolation[0]))];
	w->pidfds = n % 2;
	if (n % 5 == 0)
		w->uid = w->gid = 65534;
	if (n % 3 == 0)
		w->memory_bytes = 64 << 20;
	if (n % 7 == 0)
		w->processes = 30;
}

static int one(struct sm_connection *c, unsigned n)
{
	struct sm_session_want want;
	struct sm_session_made made;
	int r;

	choose(n, &want);
	r = sm_session_make(c, &want, &made);
	if (r < 0) {
		fprintf(stderr, "making %u: %s %s\n", n, sm_error_text(r), sm_last_text(c));
		return r;
	}
	if (made.csrss_pidfd >= 0)
		close(made.csrss_pidfd);
	if (made.initial_pidfd >= 0)
		close(made.initial_pidfd);
	if (n % 11 == 0)
		r = sm_session_freeze(c, made.session, true);
	if (r >= 0)
		r = sm_session_end(c, made.session, NULL);
	if (r < 0)
		fprintf(stderr, "session %u, made as %u: %s\n", made.session, n, sm_error_text(r));
	return r;
}

static int client(unsigned first, unsigned n)
{
	struct sm_connection *c;
	int r = sm_open(NULL, &c);

	if (r < 0)
		return 1;
	for (unsigned i = first; i < n && r >= 0; i += CLIENTS)
		r = one(c, i);
	sm_close(c);
	return r < 0;
}

int main(int argc, char **argv)
{
	unsigned n = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	int status, wrong = 0;

	for (unsigned i = 0; i < CLIENTS; i++)
		if (fork() == 0)
			_exit(client(i, n));
	while (wait(&status) > 0)
		wrong += status != 0;
	return wrong != 0;
}
