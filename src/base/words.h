/* SPDX-License-Identifier: MIT */
/*
 * words.h - the vocabulary: one word per thing in code, log, CLI and manual (law 3 of the house)
 *
 * Phases carry NT's event words (design §3); roles are the words after `smss` on a copy's command
 * line; results and stop codes are what every tool prints. Pure tables, no logic.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum phase { /* order of design §3; the number is not on any disk, the word is */
	     PHASE_START,
	     PHASE_API,
	     PHASE_REGISTRY,
	     PHASE_ENVIRONMENT,
	     PHASE_SERIALIZE,
	     PHASE_BOOT_EXECUTE_CHECK, /* 4a: autochk alone */
	     PHASE_STATE,              /* 4b: the attempt is counted */
	     PHASE_BOOT_EXECUTE,       /* 4c: everything else of BootExecute */
	     PHASE_RENAMES,
	     PHASE_PAGING,
	     PHASE_SETUP_EXECUTE,
	     PHASE_KNOWN_DLLS,
	     PHASE_SESSIONS,
	     PHASE_READY,
	     PHASE_SHUTDOWN,
	     PHASE_COUNT
};

/*
 * phase_word - the word a phase is shown by, e.g. "ProcessFileRenames"
 * Returns a constant; "?" for a number out of range. Source: nt-reference §1.3, design §3.
 */
const char *phase_word(unsigned phase);

enum role { /* what a process in the ledger is */
	    ROLE_NONE,
	    ROLE_PLAN,        /* copy: reads plan and boot.state, or becomes smreg */
	    ROLE_ENVIRONMENT, /* copy: environment, object directories, device links */
	    ROLE_PNP,         /* pnp */
	    ROLE_EXECUTE,     /* copy that becomes a BootExecute/SetupExecute/Execute image */
	    ROLE_STATE,       /* copy: counts the attempt */
	    ROLE_RENAMES,     /* copy: classic pending renames */
	    ROLE_PAGING,      /* copy: paging files */
	    ROLE_KNOWN,       /* copy: known libraries */
	    ROLE_SESSION,     /* copy: sets one session up */
	    ROLE_CSRSS,       /* the session server */
	    ROLE_INITIAL,     /* wininit, winlogon or another initial command */
	    ROLE_STOP,        /* copy: writes the stop record */
	    ROLE_SHUTDOWN,    /* copy: drives the shutdown */
	    ROLE_COMMAND,     /* the command of `smss -- CMD` */
	    ROLE_RESCUE,      /* copy that becomes the rescue login */
	    ROLE_ACCEPT,      /* copy: marks the boot good in boot.state */
	    ROLE_LIMITS,      /* copy: gives a session new limits */
	    ROLE_SWEEP,       /* copy: clears away what a session left, names what holds it */
	    ROLE_CLIENT,      /* a connection of the path socket; never in the ledger */
	    ROLE_COUNT
};

/*
 * role_word - a role's word, as on a copy's command line and in `smctl tree`
 * Returns a constant; "?" for a number out of range.
 */
const char *role_word(unsigned role);

/*
 * role_by_word - the role a word names, ROLE_NONE when it names none
 *   word  NUL-terminated, e.g. argv[1] of a copy
 */
enum role role_by_word(const char *word);

enum result { /* how a phase, an entry or an operation went; on the wire, so never renumber */
	      RESULT_OK = 0,
	      RESULT_FAILED = 1,   /* detail: errno or exit status, see the row's text */
	      RESULT_SKIPPED = 2,  /* nothing to do, or policy left it out; the text says why */
	      RESULT_TIMEOUT = 3,  /* its deadline passed and it was killed */
	      RESULT_CRASHED = 4,  /* died of a signal; detail = signal */
	      RESULT_REFUSED = 5,  /* protection said no (law 11) */
	      RESULT_NOT_YET = 6,  /* parsed, but the work comes in a later version */
	      RESULT_RUNNING = 7,  /* started, no end yet */
	      RESULT_DEGRADED = 8, /* done with something missing; the text says what */
	      RESULT_COUNT
};

/* result_word - a result's word ("ok", "failed", ...); "?" out of range. */
const char *result_word(unsigned result);

/* Stop codes, NT's where NT has one (nt-reference §7). */
#define STOP_SYSTEM_PROCESS_TERMINATED      0xC000021Au /* of session 0, or we */
#define STOP_CRITICAL_PROCESS_DIED          0x000000EFu
#define STOP_SESSION5_INITIALIZATION_FAILED 0x00000071u
#define STOP_CANNOT_LOAD_REGISTRY_FILE      0xC0000218u
#define STOP_MASTER_KILLED                  0xE0534D01u /* ours: no end was found, same kernel */
#define STOP_POWER_LOST                     0xE0534D02u /* ours: the same, another kernel */

/* stop_word - the name of a stop code, e.g. "STATUS_SYSTEM_PROCESS_TERMINATED"; "?" if unknown. */
const char *stop_word(uint32_t code);
