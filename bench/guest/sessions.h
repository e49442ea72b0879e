/* SPDX-License-Identifier: MIT */
/*
 * sessions.h - the parts of the measuring client sessions(.c)
 */
#pragma once

#include <stdbool.h>

#include "sm.h"

#define COMMAND "/bench/leave" /* ends when its session does */

unsigned long long now_us(void);
/* must - a negative result ends the client with a line that names it. */
void must(struct sm_connection *c, int r, const char *what);
/* open_one - a connection, or the end. */
struct sm_connection *open_one(void);

/* print_times - "COUNT p50 p99 most" in microseconds, of unsorted values. */
void print_times(unsigned long long *us, unsigned count);

/* events_run - how long events take to reach that many subscribers while sessions come and go. */
void events_run(unsigned subscribers, unsigned sessions);
/* status_run - how long that many requests for the status take. */
void status_run(unsigned count);
/* flood_start - another user's client that asks without end and never reads, and silent ones. */
void flood_start(unsigned silent);
/* flood_stop - what they did: "SENT CONNECTIONS". */
void flood_stop(void);
