/* SPDX-License-Identifier: MIT */
/*
 * record.h - who is and was logged on: utmp and wtmp, as who(1) and last(1) read them
 *
 * A machine that keeps no wtmp gets none; utmp is made where it is missing, since /run is new with
 * each boot. What cannot be written is no reason to refuse a logon.
 */
#pragma once

/*
 * record_login, record_logout - one line in each of the two files
 *   pid   the process that stands for the login;  line  the terminal, "tty1"
 */
void record_login(int pid, const char *user, const char *line);
void record_logout(int pid, const char *line);
