/* SPDX-License-Identifier: MIT */
/*
 * countdown.h - the seconds in which a key keeps volumes from being checked (AutoChkTimeOut)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/*
 * countdown_key - wait for a key on the console
 *   seconds  how long; 0 = nobody is asked
 *   volumes  how many are about to be checked, for the text
 * Returns true when a key was pressed. Where the console is no terminal, false at once.
 */
bool countdown_key(uint32_t seconds, unsigned volumes);
