/* SPDX-License-Identifier: MIT */
/*
 * driver.c - the shutdown, driven by a copy under the living master (design §6, Shutdown)
 *
 * Sessions, session 0, whatever else runs, swap, mounts, read-only, sync: each step is early when
 * it can be and bounded when it must be. What can hang in the kernel (swapoff, umount, remount,
 * sync) is done by a copy of its own with a time limit (pitfall 25). In a namespace nothing that
 * is not the namespace's own is touched.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>

#include "base/text.h"
#include "smss/copy.h"
#include "smss/shutdown/shutdown.h"
#include "state/state.h"
#include "sys/sys.h"

static bool machine(const struct copy *c)
{
	return str_same(copy_word(c, "SMSS_MODE", ""), "machine");
}

static void stop_sessions(const struct copy *c, uint32_t which, const char *name)
{
	uint64_t begin = sys_now_ns();
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_STOP_SESSIONS, 0, 0);
	m.b.stop_sessions.which = which;
	r = copy_ask(&m, NULL, 0);
	if (r < 0)
		copy_item(c, RESULT_FAILED, -r, begin, name, "the master does not answer");
	else if (m.b.stop_sessions.left)
		copy_item(c, RESULT_TIMEOUT, (int)m.b.stop_sessions.left, begin, name,
			  "sessions still dying");
	else
		copy_item(c, RESULT_OK, 0, begin, name, "ended");
}

/* The last level and a safe boot are never accepted by time, nor is any boot where time has no say.
 */
static enum state_end how_it_ends(const struct copy *c)
{
	const char *word = copy_word(c, "SMSS_PHASE", "0");
	uint64_t phase = 0;

	if (str_u64(word, str_len(word, 8), &phase) < 0 || phase != PHASE_READY)
		return STATE_END_NOT_UP;
	if (!c->plan || c->plan->settings.builtin || !c->plan->settings.boot_good_s ||
	    copy_word(c, "SMSS_SAFEBOOT", "")[0])
		return STATE_END_UP;
	return STATE_END_EARLY;
}

static void orderly(const struct copy *c)
{
	_close_ int dir = copy_open_state(c, true);
	int r = dir < 0 ? dir : state_orderly_end(dir, how_it_ends(c));

	if (r > 0)
		copy_item(c, RESULT_DEGRADED, 0, 0, "CountAttempt",
			  "ended before it was good, as the boots before it: this one counts");
	if (r < 0 && r != -EROFS && r != -ENOENT)
		copy_item(c, RESULT_DEGRADED, -r, 0, "boot.state",
			  "the orderly end was not recorded");
}

int copy_role_shutdown(struct copy *c)
{
	struct sm_message m;

	if (c->n >= STEP_FIRST)
		return shutdown_step(c);
	stop_sessions(c, 0, "sessions");
	stop_sessions(c, 1, "session 0");
	shutdown_kill_rest(c);
	if (c->plan && c->plan->settings.clear_pagefile)
		copy_item(c, RESULT_NOT_YET, 0, 0, "ClearPageFileAtShutdown", "not implemented");
	orderly(c);
	(void)!shutdown_run_step(c, STEP_SYNC, "", 30000); /* before anything that may hang */
	if (machine(c)) {
		shutdown_swaps(c);
		shutdown_mounts(c);
	}
	shutdown_run_step(c, STEP_SYNC, "", 30000);
	sm_message_start(&m, SM_FINAL, 0, 0);
	m.b.shutdown.action = c->n;
	(void)!copy_ask(&m, NULL, 0);
	return COPY_OK;
}
