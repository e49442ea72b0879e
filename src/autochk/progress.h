/* SPDX-License-Identifier: MIT */
/*
 * progress.h - how far a check has come, from what fsck says
 *
 * Two sources: e2fsck's progress pipe ("pass current maximum device", its -C option) and the
 * "Pass N:" lines of its output, which it leaves out when preening.
 */
#pragma once

#define PROGRESS_PASSES 5u /* e2fsck's; other programs report none */

/*
 * progress_percent - percent of the whole check that a line of the pipe stands for
 *   line      NUL-terminated
 *   ret_pass  the pass it names, 1..PROGRESS_PASSES
 * Returns 0..100, or -EINVAL for any other line.
 */
int progress_percent(const char *line, unsigned *ret_pass);

/* progress_pass - the number of a "Pass N" line of the output, 0 for any other line. */
unsigned progress_pass(const char *line);
