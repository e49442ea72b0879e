/* SPDX-License-Identifier: MIT */
/*
 * shutdown.h - the steps of the shutdown driver
 *
 * A step that the kernel may hold for ever runs as `smss shutdown STEP` with SMSS_TARGET in its
 * environment, and is left behind at its time limit.
 */
#pragma once

#include "smss/copy.h"

/* shutdown_step - this process is such a step: do it. Returns enum copy_exit. */
int shutdown_step(struct copy *c);

/*
 * shutdown_run_step - start a step and wait for it, at most limit_ms
 *   target  path, or "" for STEP_SYNC
 * Returns 0 done, 1 failed, -ETIMEDOUT, other -errno. Reports nothing itself.
 */
int shutdown_run_step(const struct copy *c, enum step step, const char *target, int limit_ms);

/* shutdown_kill_rest - TERM, then KILL, every process but pid 1, us and storage daemons ("@...").
 */
void shutdown_kill_rest(const struct copy *c);

/* shutdown_swaps - every row of /proc/swaps. */
void shutdown_swaps(const struct copy *c);

/* shutdown_mounts - unmount in reverse order; what stays, and /, becomes read-only. */
void shutdown_mounts(const struct copy *c);
