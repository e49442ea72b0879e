/* SPDX-License-Identifier: MIT */
/*
 * slots.h - inside the room state: one writer of boot.state at a time, and its write
 */
#pragma once

#include "state/state.h"

/* slots_lock - boot.state for one writer; an fd, the caller's, whose end is the lock's; or -1. */
int slots_lock(int dir);
/* slots_write - state_write for whoever holds the lock. */
int slots_write(int dir, struct boot_state *s);
