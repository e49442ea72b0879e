/* SPDX-License-Identifier: MIT */
/*
 * sessions.h - what the files of the master's sessions share among themselves
 *
 * session.c (numbers, states, beginning), requests.c, handover.c (what is said of the set-up),
 * restart.c, holding.c (limits, standing still), deadline.c, deaths.c, ending.c; and what the
 * phases and rows want to know of a session.
 */
#pragma once

#include "smss/master/master.h"

/* session_move_to - a new state: counted, told to subscribers. */
void session_move_to(uint32_t n, enum session_state state);
/* session_initial_ended - the initial command had been reaped before it was handed over. */
void session_initial_ended(uint32_t n);
/* session_tell - it changed, its state did not. */
void session_tell(uint32_t n);
/* session_reset - a session that has nothing yet. */
void session_reset(struct session *s, bool keep);
/* session_in_set_up - its copy makes it. */
bool session_in_set_up(const struct session *s);
/* session_copy_start - the copy that sets it up, or makes another csrss, and what it is told. */
int session_copy_start(uint32_t n, struct job *j, const struct sm_sb_session *what);
/* session_start_waiting - set up what waits, as many as may be at once. */
void session_start_waiting(void);
/* session_set_up_failed - whoever asked for it is told, with a status and why. */
void session_set_up_failed(uint32_t n, uint32_t status, const char *text);
/* session_zero_failed - session 0 could not be set up: nothing can run without it. */
void session_zero_failed(uint32_t status);
/* session_force - kill all of it; its death comes as events. */
void session_force(uint32_t n);
/* session_may_row - a row about it is kept; users who are not root may not fill the table. */
bool session_may_row(uint32_t n);
/* session_note - a row about that session, after the boot too. */
void session_note(uint32_t n, enum result result, int detail, const char *name, const char *text);
/* group_write - a word into a file of its group; -errno, -ENOENT without groups. */
int group_write(uint32_t n, const char *file, const char *word);
/* group_events - its cgroup.events, into room of KERNEL_TEXT_BYTES; length or -errno. */
ssize_t group_events(uint32_t n, char *room);
/* request_keep, request_take, request_drop - what was asked for waits until the copy is started;
 * its place, or -ENOSPC. */
int request_keep(const struct sm_sb_session *ask);
void request_take(struct session *s, struct sm_sb_session *ret);
void request_drop(struct session *s);
/* restart_or_end - a running session above 0 has no server: another one, or its end. */
void restart_or_end(uint32_t n);
/* restart_complete, restart_copy_ended - another server is up; the copy that made it is gone. */
void restart_complete(uint32_t n);
void restart_copy_ended(uint32_t n);
/* session_check_gone - is it over? */
void session_check_gone(uint32_t n);
/* session_still_dying - its deadline after KILL is over. */
void session_still_dying(uint32_t n);
/* session_sweep_ended, session_limits_ended - their copies are gone. */
void session_sweep_ended(uint32_t n);
void session_limits_ended(uint32_t n, enum result result, int detail);
/* session_ask_csrss - it is to end the session's programs and itself. */
void session_ask_csrss(uint32_t n);
/* session_was_brief - it failed, or was up for too short a time to be made again at once. */
bool session_was_brief(const struct session *s);
