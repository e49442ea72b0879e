/* SPDX-License-Identifier: MIT */
/*
 * sessions.c - makes and ends sessions through libsm, and prints how long that took
 *
 * Run inside the namespaces of a booted smss. It stays, and does what the lines of its standard
 * input say, with one line of answer each, microseconds:
 *
 *   one                 make a session and end it: READY NEW END; READY is the master's own figure,
 *                       from the request's arrival until both core processes were up
 *   make N              N sessions that stay: N MICROSECONDS
 *   check               how many of these are running: N
 *   end                 end them: ENDED MICROSECONDS
 *   cycle N             N times one: N MICROSECONDS
 *   busy SECONDS N      the same from N threads: SESSIONS SECONDS
 *   crowd N             a session with a program of N processes, ended: MICROSECONDS
 *   events N SESSIONS   events with N subscribers: COUNT P50 P99 MOST
 *   status N            N requests for the status: COUNT P50 P99 MOST
 *   flood N, calm       a flooding client and N silent ones come; go: SENT CONNECTIONS
 *
 * A failure ends it with a line on the error output and exit status 1.
 */
#include "sessions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIVE_MAX    1024u
#define THREADS_MAX 64u
#define THERE       "/bench/crowd-is-there" /* made by the program crowd of floor.c */

static struct sm_connection *mine;
static uint32_t live[LIVE_MAX];
static unsigned live_count;

unsigned long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000u + (unsigned long long)t.tv_nsec / 1000;
}

void must(struct sm_connection *c, int r, const char *what)
{
	if (r >= 0)
		return;
	fprintf(stderr, "sessions: %s: %s, %s\n", what, sm_error_text(r),
		c ? sm_status_text(sm_last_status(c)) : "");
	exit(1);
}

struct sm_connection *open_one(void)
{
	struct sm_connection *c = NULL;

	must(NULL, sm_open(NULL, &c), "open");
	return c;
}

static int compare(const void *a, const void *b)
{
	unsigned long long x = *(const unsigned long long *)a, y = *(const unsigned long long *)b;

	return (x > y) - (x < y);
}

void print_times(unsigned long long *us, unsigned count)
{
	if (!count) {
		puts("0 0 0 0");
		return;
	}
	qsort(us, count, sizeof(*us), compare);
	printf("%u %llu %llu %llu\n", count, us[count / 2],
	       us[(unsigned long long)count * 99 / 100], us[count - 1]);
}

static void make_and_end(struct sm_connection *c, const char *command)
{
	uint32_t number, left;

	must(c, sm_session_new(c, command, &number, NULL), "new");
	must(c, sm_session_end(c, number, &left), "end");
}

static void one(void)
{
	unsigned long long begin = now_us(), made, asked, ended;
	struct sm_session row = {0};
	uint32_t number, left, cursor;

	must(mine, sm_session_new(mine, COMMAND, &number, NULL), "new");
	made = now_us();
	cursor = number;
	must(mine, sm_session_next(mine, &cursor, &row), "row");
	asked = now_us();
	must(mine, sm_session_end(mine, number, &left), "end");
	ended = now_us();
	printf("%llu %llu %llu\n", (unsigned long long)row.ready_us, made - begin, ended - asked);
}

static void make(unsigned count)
{
	unsigned long long begin = now_us();

	for (unsigned i = 0; i < count && live_count < LIVE_MAX; i++)
		must(mine, sm_session_new(mine, COMMAND, &live[live_count++], NULL), "new");
	printf("%u %llu\n", live_count, now_us() - begin);
}

static void check(void)
{
	uint32_t cursor = 0;
	unsigned running = 0;
	struct sm_session row;
	int r;

	while ((r = sm_session_next(mine, &cursor, &row)) > 0)
		for (unsigned i = 0; i < live_count; i++)
			running += live[i] == row.session && row.state == SM_SESSION_RUNNING;
	must(mine, r, "rows");
	printf("%u\n", running);
}

static void end(void)
{
	unsigned long long begin = now_us();
	uint32_t left;

	for (unsigned i = 0; i < live_count; i++)
		must(mine, sm_session_end(mine, live[i], &left), "end");
	printf("%u %llu\n", live_count, now_us() - begin);
	live_count = 0;
}

static void cycle(unsigned count)
{
	unsigned long long begin = now_us();

	for (unsigned i = 0; i < count; i++)
		make_and_end(mine, COMMAND);
	printf("%u %llu\n", count, now_us() - begin);
}

static atomic_uint made_by_all;
static unsigned long long busy_until;

static void *busy_thread(void *any)
{
	struct sm_connection *c = open_one();

	while (now_us() < busy_until) {
		make_and_end(c, COMMAND);
		atomic_fetch_add(&made_by_all, 1);
	}
	sm_close(c);
	return any;
}

static void busy(unsigned seconds, unsigned count)
{
	unsigned long long begin = now_us();
	pthread_t thread[THREADS_MAX];

	if (count > THREADS_MAX)
		count = THREADS_MAX;
	made_by_all = 0;
	busy_until = begin + seconds * 1000000ull;
	for (unsigned i = 0; i < count; i++)
		must(NULL, -pthread_create(&thread[i], NULL, busy_thread, NULL), "thread");
	for (unsigned i = 0; i < count; i++)
		pthread_join(thread[i], NULL);
	printf("%u %.3f\n", made_by_all, (double)(now_us() - begin) / 1e6);
}

static void crowd(unsigned count)
{
	char command[64];
	unsigned long long begin;
	uint32_t number, left;

	unlink(THERE);
	snprintf(command, sizeof(command), "/bench/crowd %u", count);
	must(mine, sm_session_new(mine, command, &number, NULL), "new");
	while (access(THERE, F_OK) < 0)
		usleep(1000);
	usleep(20000); /* the last of them may still be on its way to sleep */
	begin = now_us();
	must(mine, sm_session_end(mine, number, &left), "end");
	printf("%llu\n", now_us() - begin);
}

static int obey(const char *word, unsigned a, unsigned b)
{
	if (strcmp(word, "one") == 0)
		one();
	else if (strcmp(word, "make") == 0)
		make(a);
	else if (strcmp(word, "check") == 0)
		check();
	else if (strcmp(word, "end") == 0)
		end();
	else if (strcmp(word, "cycle") == 0)
		cycle(a);
	else if (strcmp(word, "busy") == 0)
		busy(a, b);
	else if (strcmp(word, "crowd") == 0)
		crowd(a);
	else if (strcmp(word, "events") == 0)
		events_run(a, b);
	else if (strcmp(word, "status") == 0)
		status_run(a);
	else if (strcmp(word, "flood") == 0)
		flood_start(a);
	else if (strcmp(word, "calm") == 0)
		flood_stop();
	else
		return -1;
	fflush(stdout);
	return 0;
}

int main(void)
{
	char line[128], word[16];

	mine = open_one();
	while (fgets(line, sizeof(line), stdin)) {
		unsigned a = 0, b = 0;

		if (sscanf(line, "%15s %u %u", word, &a, &b) < 1 || obey(word, a, b) < 0) {
			fprintf(stderr, "sessions: what is: %s", line);
			return 2;
		}
	}
	sm_close(mine);
	return 0;
}
