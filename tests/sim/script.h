/* SPDX-License-Identifier: MIT */
/*
 * script.h - how the copies and core processes of a simulated boot behave
 *
 * Each spawned `smss ROLE N` is answered as the product's copy would: plan, environment, state,
 * hand-overs, shutdown. With misfortunes some of them crash, hang, lie or fail instead, until the
 * misfortunes are used up.
 */
#pragma once

#include "base/words.h"
#include "kernel.h"

struct script {
	unsigned sessions;       /* NumberOfInitialSessions of the plan */
	unsigned misfortunes;    /* how many times somebody misbehaves */
	unsigned clients;        /* of the path socket, while the machine boots */
	unsigned bad_levels;     /* levels whose plan cannot be had */
	unsigned attempts;       /* what the state copy counts; 0 = 1 */
	bool kill_csrss_of_zero; /* once everything is up */
	bool kill_servers;       /* of the other sessions, again and again */
};

void script_begin(const struct script *s);
void script_spawned(struct sim_process *p);
bool script_signal(struct sim_process *p, int sig);
void script_message(struct sim_process *p, int fd);
/* script_counts - processes of that role that were spawned or handed over. */
unsigned script_counts(enum role role);
/* script_restarts, script_sweeps, script_lingering - copies that did so. */
unsigned script_restarts(void);
unsigned script_sweeps(void);
unsigned script_lingering(void);
/* script_asked_down - a script (client, autochk) gave the master a reason to go down. */
bool script_asked_down(void);
/* script_wake - makes an idle machine look again. */
void script_wake(void);
