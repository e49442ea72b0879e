/* SPDX-License-Identifier: MIT */
/*
 * idle.h - how long nobody has typed: from the moment a terminal was last read, as the kernel tells
 *
 * The kernel writes that moment down in wall-clock seconds and at most once in each 8 of them, so
 * that it says little about what is typed; "idle for N seconds" is therefore found N to N + 9
 * seconds after the last key, never earlier. Waiting is done by the boot clock: a wall clock that
 * was set counts as a key. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define IDLE_GRAIN_S 8              /* a power of two */
#define IDLE_MOST_S  (20u * 86400u) /* fits a wait in milliseconds */

struct idle {
	uint32_t limit_s; /* 0 = not watched */
	int64_t read_s;   /* the moment, when we last looked */
	int64_t offset_s; /* wall clock minus boot clock, then */
	uint64_t looked_ns;
	uint64_t due_ns; /* not before this can it be over; boot clock */
};

struct idle_now {
	uint64_t boot_ns; /* sys_now_ns */
	int64_t wall_s;   /* sys_wall_s */
	int64_t read_s;   /* sys_last_read_s of the terminal */
};

/* idle_begin - from now on; limit_s 0 = do not watch, at most IDLE_MOST_S is taken. */
void idle_begin(struct idle *i, uint32_t limit_s, const struct idle_now *now);

/* idle_is_over - nobody typed for limit_s; otherwise i->due_ns is when to look again. */
bool idle_is_over(struct idle *i, const struct idle_now *now);
