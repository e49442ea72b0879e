/* SPDX-License-Identifier: MIT */
/*
 * throttle.h - what the end of a login, greeter or shell means, and how long to wait before the
 * next
 *
 * A program that dies at once must not be started in a tight loop, and must not make new sessions
 * in one either. Pure; what is remembered from one session to the next: greeter.h.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sys/sys.h"

#define THROTTLE_QUICK_NS  2000000000ull  /* who ends within this ended too early */
#define THROTTLE_BRIEF_NS  5000000000ull  /* nobody logs on, works and leaves in this */
#define THROTTLE_STEADY_NS 60000000000ull /* what was before this is another story */
#define THROTTLE_MAX_S     30u
#define THROTTLE_FAILURES  5u /* of a greeter in a row: text login instead */

enum verdict {
	VERDICT_LOGOFF, /* the session is over */
	VERDICT_AGAIN,  /* nobody was logged in: ask again, in this session */
};

enum started {
	STARTED_LOGIN,   /* with a name that we asked for */
	STARTED_GREETER, /* asks itself: agetty, greetd */
	STARTED_SHELL,   /* of an automatic logon */
};

struct ending { /* how a login program, greeter or shell ended */
	struct sys_exit exit;
	uint64_t lived_ns;
	enum started what;
	bool nobody; /* the terminal shows no trace of a login */
};

/* throttle_delay_s - the wait after so many failures in a row: 0, 1, 2, 4 ... THROTTLE_MAX_S. */
unsigned throttle_delay_s(unsigned failures);

/*
 * throttle_verdict - logoff or not
 *   failures     in a row so far; updated: 0 after one that ended as it should. One that is counted
 *                with VERDICT_LOGOFF slows the next session down
 *   ret_wait_ms  wait so long first
 */
enum verdict throttle_verdict(const struct ending *e, unsigned *failures, unsigned *ret_wait_ms);
