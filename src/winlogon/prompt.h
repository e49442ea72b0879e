/* SPDX-License-Identifier: MIT */
/*
 * prompt.h - the line that asks for a user's name on the session's terminal
 */
#pragma once

#include "winlogon/console.h"

/*
 * prompt_print - "HOST login: ", below a banner with the terminal's name and the session's number
 * For up to a second it waits for the machine to have a name and for the terminal to take the line.
 */
void prompt_print(const struct console *t, uint32_t session, bool banner);
