/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - the walls around a parser that works for the master (law 3)
 */
#pragma once

#define SANDBOX_LANDLOCK (1u << 0) /* no path can be opened any more */
#define SANDBOX_SECCOMP  (1u << 1) /* only the calls of the allow-list */
#define SANDBOX_LIMITS   (1u << 2) /* memory, processor time, file size, no processes */

/*
 * sandbox_enter - for the rest of this process
 * What the kernel lacks is left out (missing comfort degrades): the answer tells what stands.
 * Returns SANDBOX_* bits; never fails.
 */
unsigned sandbox_enter(void);
