/* SPDX-License-Identifier: MIT */
/*
 * sessions.c - makes and ends sessions one after the other through libsm, and prints the times
 *
 *   sessions COUNT COMMAND...     a line each: ready_us new_us end_us
 *
 * ready_us is the master's own figure, from the request's arrival to both core processes up; new_us
 * and end_us are what the client waited. Run inside the namespaces of a booted smss.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sm.h"

static unsigned long long now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (unsigned long long)t.tv_sec * 1000000u + (unsigned long long)t.tv_nsec / 1000;
}

static int fail(struct sm_connection *c, const char *what, int r)
{
	fprintf(stderr, "sessions: %s: %s, %s\n", what, sm_error_text(r),
		c ? sm_status_text(sm_last_status(c)) : "");
	return 1;
}

int main(int argc, char **argv)
{
	struct sm_connection *c = NULL;
	int count = argc > 1 ? atoi(argv[1]) : 0, r;

	if (count <= 0 || argc != 3)
		return 2;
	r = sm_open(NULL, &c);
	if (r < 0)
		return fail(NULL, "open", r);
	for (int i = 0; i < count; i++) {
		struct sm_session row;
		uint32_t number, left;
		unsigned long long begin = now_us(), made, ended;

		r = sm_session_new(c, argv[2], &number, &row);
		if (r < 0)
			return fail(c, "new", r);
		made = now_us();
		r = sm_session_end(c, number, &left);
		if (r < 0)
			return fail(c, "end", r);
		ended = now_us();
		printf("%llu %llu %llu\n", (unsigned long long)row.ready_us, made - begin,
		       ended - made);
	}
	sm_close(c);
	return 0;
}
