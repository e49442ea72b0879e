/* SPDX-License-Identifier: MIT */
/*
 * smctl_master.h - a session manager that answers from tables, for the tests of libsm and smctl
 *
 * It is a process of its own behind a real socket and speaks the real wire, so that client and
 * smctl are tested through what they meet in life. What it is asked to do it only notes down.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/wire.h"

#define FAKE_ROWS 16

enum fake_manner {
	FAKE_GOOD,
	FAKE_MUTE,     /* takes connections and messages, answers nothing */
	FAKE_GARBAGE,  /* answers what is no message */
	FAKE_SHUT,     /* closes every connection at once */
	FAKE_OTHER_PID /* says a pid that is not its own, as from another pid namespace */
};

struct fake {
	enum fake_manner manner;
	bool ready_after_events; /* a subscriber's first look at the status brings events and ready
				  */
	bool close_after_events;
	struct sm_status status;
	struct sm_session_row session[FAKE_ROWS];
	struct sm_ledger_row process[FAKE_ROWS];
	struct sm_boot_row boot[FAKE_ROWS];
	struct sm_message event[FAKE_ROWS * 8];
	unsigned sessions, processes, boots, events;
	struct sm_stop_text stop; /* code 0 = none */
	struct sm_boot_accept standing;
	uint32_t refuse[SM_CALLS]; /* status to answer a call with; 0 = do it */
	uint32_t left;             /* StopCsr: processes left, and one of them */
	uint32_t held_pid;
	char held_name[NAME_BYTES];
	char why[TEXT_BYTES]; /* StartCsr that is refused: its text */
	bool no_pidfds;       /* StartCsr: none come, whoever asked */
	struct sm_program_row program[FAKE_ROWS];
	unsigned programs;
	struct sm_message heard; /* the last request that asks for something to be done */
	unsigned heard_count;
	/* owned by the functions below */
	pid_t pid;
	char directory[64], path[80];
};

/* fake_new - a machine that is up: two sessions, a few rows; in memory shared with its process. */
struct fake *fake_new(void);
/* fake_start - begin to serve at f->path; returns when it listens. */
void fake_start(struct fake *f);
/* fake_stop - end it, remove its directory, free it. */
void fake_stop(struct fake *f);
/* fake_event - one more event of that call; its body is to be filled in. */
union sm_body *fake_event(struct fake *f, unsigned call);

struct ran {
	int status; /* exit status; 128 + signal */
	char out[16384], err[4096];
};

/*
 * run - run a program to its end (20 seconds at most)
 *   image  its path;  words  argv, NULL-terminated; words[0] is what it is called
 *   ret    status and output, NUL-terminated
 */
void run(const char *image, const char *const *words, struct ran *ret);

/* run_on_terminal - the same with a terminal of so many columns as standard output */
void run_on_terminal(const char *image, const char *const *words, unsigned columns,
		     struct ran *ret);
