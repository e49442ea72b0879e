/* SPDX-License-Identifier: MIT */
/*
 * greeter.h - what one session's winlogon tells the next one of that number: failures in a row
 *
 * A greeter that crashes and takes its session with it meets a new winlogon each time; only what is
 * remembered outside of the session keeps that from flickering for ever. Kept in RUN_DIRECTORY,
 * which is root's and gone with the boot; without it each session counts for itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * greeter_parse - the failures that a record still stands for
 *   text, n  "FAILURES SECOND\n": second of the boot clock it was written
 *   now_s    of the same clock
 *   lasting  THROTTLE_FAILURES stand until somebody logged on, others for a minute
 * A damaged record stands for none. Pure.
 */
unsigned greeter_parse(const char *text, size_t n, uint64_t now_s, bool lasting);

/* greeter_recall - what the last winlogon of this session left, 0 when nothing. */
unsigned greeter_recall(uint32_t session, bool lasting);

/* greeter_remember - for the next winlogon of this session; 0 forgets. */
void greeter_remember(uint32_t session, unsigned failures);
