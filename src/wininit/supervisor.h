/* SPDX-License-Identifier: MIT */
/*
 * supervisor.h - the service supervisor wininit hands over to, watched and started again
 *
 * runit's runsvdir unless Wininit\Supervisor names another. A supervisor that dies is started again
 * after 1 s, doubling to 60 s; one that is not installed is said once. wininit is a subreaper: what
 * a dead supervisor leaves behind comes to us and is ended with the rest.
 */
#pragma once

#include "companion/companion.h"

struct supervisor {
	char line[COMMAND_BYTES];
	char *words[ARGS_MAX + 1];
	char path[PATH_BYTES];
	int pid;          /* 0 = not running */
	bool is_runsvdir; /* stopped by HUP; its children are called "runsv" */
	bool wanted;      /* there is a program to start at all */
	unsigned delay_s; /* before the next start */
	uint64_t started_ns;
	uint64_t next_ns; /* when to start it again; 0 = not waiting */
};

/* supervisor_open - read the plan, find the program, start it; one timeline row. */
void supervisor_open(struct supervisor *s, const struct companion *c);

/* supervisor_wait_ms - how long companion_next may sleep: -1 unless a start is due. */
int supervisor_wait_ms(const struct supervisor *s);

/* supervisor_tick - start it when that is due. */
void supervisor_tick(struct supervisor *s, const struct companion *c);

/* supervisor_reap - what died; a dead supervisor is reported and planned anew. */
void supervisor_reap(struct supervisor *s, const struct companion *c);

/*
 * supervisor_delay_s - how long to wait after an end
 *   delay_s  of the time before, 0 = the first;  lived_ns  how long it ran
 * Returns 1, doubling to 60; 1 again for one that had run for a minute.
 */
unsigned supervisor_delay_s(unsigned delay_s, uint64_t lived_ns);

/*
 * supervisor_stop - ask it and all services to end, wait, force
 * Waits at most SupervisorStopSeconds, less when everything is gone earlier.
 */
void supervisor_stop(struct supervisor *s, struct companion *c);
