/* SPDX-License-Identifier: MIT */
/*
 * exec.h - what exec.c and relay.c share: a program in a session, and our own side of it
 */
#pragma once

#include "smctl/smctl.h"

/* As env(1) and its kin: what is not the program's own exit code. */
enum exec_exit { EXEC_FAILED = 125, EXEC_CANNOT = 126, EXEC_NOT_FOUND = 127, EXEC_SIGNAL = 128 };

/*
 * relay_run - pass bytes, signals and sizes between us and a program, until it has ended
 *   terminal  its terminal is ours: standard input is one, and is raw meanwhile
 * Closes the program's descriptors. Returns its exit code, 128 + the signal it died of, or
 * EXEC_FAILED (said).
 */
int relay_run(struct smctl *s, struct sm_program *p, bool terminal);
