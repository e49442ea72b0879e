/* SPDX-License-Identifier: MIT */
/*
 * throttle.h - what the end of a login or shell means, and how long to wait before the next
 *
 * A program that dies at once must not be started in a tight loop, and must not make new sessions
 * in one either. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/sys.h"

#define THROTTLE_QUICK_NS 2000000000ull /* who ends within this ended too early */
#define THROTTLE_MAX_S    30u

enum verdict {
	VERDICT_LOGOFF, /* the session is over */
	VERDICT_AGAIN,  /* nobody was logged in: ask again, in this session */
};

struct ending { /* how a login program or a shell ended */
	struct sys_exit exit;
	uint64_t lived_ns;
	bool is_login; /* the login program, not an autologon's shell */
	bool nobody;   /* the terminal shows no trace of a login */
};

/*
 * throttle_verdict - logoff or not
 *   ret_wait_ms  wait so long first
 *   delay_s      the last delay, 0 = none; updated: doubles from 1 to THROTTLE_MAX_S while
 *                programs die at once, 0 again after one that did not
 */
enum verdict throttle_verdict(const struct ending *e, unsigned *delay_s, unsigned *ret_wait_ms);
