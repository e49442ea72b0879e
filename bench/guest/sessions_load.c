/* SPDX-License-Identifier: MIT */
/*
 * sessions_load.c - what others notice: subscribers, and clients that mean no good; see sessions.c
 *
 * A flooding client must not use the library, which waits for answers: it speaks the protocol by
 * hand. All of them are processes of their own and another user's, as they would be.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sessions.h"
#include "wire/wire.h"

#define SUBSCRIBERS_MAX 256u
#define LATENCIES_MAX   200000u
#define PACE_US         20000u
#define FLOOD_UID       65001u
#define SILENT_UID      65002u

static unsigned long long latency[LATENCIES_MAX];
static unsigned latencies;

/* ---- events ---- */

static unsigned long long boottime_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (unsigned long long)t.tv_sec * 1000000000u + (unsigned long long)t.tv_nsec;
}

/* From the request, as the master has written it down, until a subscriber has the first word of it.
 */
static void take_events(struct sm_connection *c, unsigned *lost)
{
	struct sm_event e;
	int r;

	while ((r = sm_event_next(c, 0, &e)) > 0) {
		if (e.kind == SM_ON_LOST)
			*lost += (unsigned)e.of.lost;
		if (e.kind != SM_ON_SESSION || e.of.session.state != SM_SESSION_SETTING_UP)
			continue;
		if (latencies < LATENCIES_MAX)
			latency[latencies++] = (boottime_ns() - e.of.session.created_ns) / 1000;
	}
	must(c, r, "event");
}

static pid_t makes_sessions(unsigned sessions)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct sm_connection *c = open_one();

		for (unsigned i = 0; i < sessions; i++) {
			uint32_t number, left;

			must(c, sm_session_new(c, COMMAND, &number, NULL), "new");
			must(c, sm_session_end(c, number, &left), "end");
			usleep(PACE_US);
		}
		_exit(0);
	}
	must(NULL, pid < 0 ? -errno : 0, "fork");
	return pid;
}

void events_run(unsigned subscribers, unsigned sessions)
{
	static struct sm_connection *c[SUBSCRIBERS_MAX];
	static struct pollfd at[SUBSCRIBERS_MAX];
	unsigned lost = 0;
	pid_t maker;

	latencies = 0;
	for (unsigned i = 0; i < subscribers && i < SUBSCRIBERS_MAX; i++) {
		c[i] = open_one();
		must(c[i], sm_subscribe(c[i]), "subscribe");
		at[i] = (struct pollfd){.fd = sm_fd(c[i]), .events = POLLIN};
	}
	maker = makes_sessions(sessions);
	do {
		if (poll(at, subscribers, 100) < 0)
			must(NULL, -errno, "poll");
		for (unsigned i = 0; i < subscribers; i++)
			if (at[i].revents)
				take_events(c[i], &lost);
	} while (waitpid(maker, NULL, WNOHANG) == 0);
	for (unsigned i = 0; i < subscribers; i++) {
		take_events(c[i], &lost);
		sm_close(c[i]);
	}
	if (lost || latencies != subscribers * sessions)
		fprintf(stderr, "sessions: %u of %u events came, %u were lost\n", latencies,
			subscribers * sessions, lost);
	print_times(latency, latencies);
}

void status_run(unsigned count)
{
	struct sm_connection *c = open_one();
	struct sm_machine m;

	for (latencies = 0; latencies < count && latencies < LATENCIES_MAX; latencies++) {
		unsigned long long begin = now_us();

		must(c, sm_status(c, &m), "status");
		latency[latencies] = now_us() - begin;
		usleep(500); /* someone who asks now and then: each time the master is in the midst
				of it */
	}
	sm_close(c);
	print_times(latency, latencies);
}

/* ---- clients that mean no good ---- */

static struct flood {
	atomic_ullong sent, connections;
} * flooded;
static pid_t flooder, silent_ones;

static int connection(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = SM_PORT_PATH};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool put(int fd, unsigned call)
{
	struct sm_message m;

	sm_message_start(&m, call, 0, 1);
	if (call == SM_HELLO)
		m.b.hello.version = SM_VERSION;
	return send(fd, &m, sm_message_bytes(&m), MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

/* Never reads. Is it thrown out, it comes again. */
static void be_flooder(void)
{
	for (;;) {
		int fd = connection();

		if (fd < 0) {
			usleep(1000);
			continue;
		}
		atomic_fetch_add(&flooded->connections, 1);
		put(fd, SM_HELLO);
		for (bool sent = true; sent || errno == EAGAIN;) {
			sent = put(fd, SM_STATUS);
			atomic_fetch_add(&flooded->sent, sent);
		}
		close(fd);
	}
}

static void be_silent(unsigned count)
{
	while (count--)
		if (connection() < 0)
			fputs("sessions: a silent client was not let in\n", stderr);
	for (;;)
		pause();
}

static pid_t stranger(uid_t uid)
{
	pid_t pid = fork();

	must(NULL, pid < 0 ? -errno : 0, "fork");
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (setgid(uid) < 0 || setuid(uid) < 0)
		_exit(1);
	return 0;
}

void flood_start(unsigned silent)
{
	flooded = mmap(NULL, sizeof(*flooded), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (flooded == MAP_FAILED)
		must(NULL, -errno, "memory");
	silent_ones = stranger(SILENT_UID);
	if (!silent_ones)
		be_silent(silent);
	flooder = stranger(FLOOD_UID);
	if (!flooder)
		be_flooder();
	usleep(200000);
	printf("%u\n", silent);
}

void flood_stop(void)
{
	kill(flooder, SIGKILL);
	kill(silent_ones, SIGKILL);
	waitpid(flooder, NULL, 0);
	waitpid(silent_ones, NULL, 0);
	printf("%llu %llu\n", (unsigned long long)flooded->sent,
	       (unsigned long long)flooded->connections);
}
