/* SPDX-License-Identifier: MIT */
/*
 * ahead.h - the next session's copy, which waits; see ahead.c and docs/decisions/0016
 */
#pragma once

#include <stdint.h>

#include "wire/wire.h"

/* ahead_start - session n was asked for: a copy that waits for the next one, unless one does. */
void ahead_start(uint32_t n);
/*
 * ahead_take - tell the one that waits what to make
 *   ret_core  our ends of the connections of csrss and initial command, the caller's from now on
 * Returns its ledger row, NONE when there is none (any more).
 */
int ahead_take(const struct sm_message *ask, int ret_core[2]);
/* ahead_ended - a copy without a session is gone; perhaps it was this one. */
void ahead_ended(int row);
/* ahead_dismiss - it need not wait any longer. */
void ahead_dismiss(void);
/* ahead_deadline - sent away when nobody asks for a while; when that is, 0 none. */
uint64_t ahead_deadline(uint64_t now);
