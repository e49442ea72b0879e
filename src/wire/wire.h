/* SPDX-License-Identifier: MIT */
/*
 * wire.h - what goes over the API port: fixed little-endian messages, one per datagram
 *
 * NT's call numbers 0-7 for NT's calls (what has no use yet answers STATUS_NOT_IMPLEMENTED), ours
 * from 16, events from 64. Retired numbers are never used again. Every message is a header and one
 * fixed body; a message of another length is refused before anything looks inside. Strings in
 * bodies are NUL-terminated and zero-filled. Documented for people in smss-api(7).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/words.h"
#include "wire/session.h"

#define SM_PORT_PATH "/run/smss/SmApiPort"
#define SM_VERSION   2u

enum sm_call {
	/* NT's own numbers (nt-reference §6.3) */
	SM_CREATE_FOREIGN_SESSION = 0,
	SM_SESSION_COMPLETE =
		1, /* copy -> master: set-up done, about to exit; body sm_session_complete */
	SM_TERMINATE_FOREIGN_SESSION = 2,
	SM_EXEC_PGM = 3,               /* client -> master -> csrss: start a program in a session */
	SM_LOAD_DEFERED_SUBSYSTEM = 4, /* NT's spelling */
	SM_START_CSR = 5,              /* make a session */
	SM_STOP_CSR = 6, /* end a session; answered when it has ended or is "still dying" */
	SM_START_SERVER_SILO = 7,
	/* ours */
	SM_HELLO = 16,       /* version check; body sm_hello both ways */
	SM_STATUS = 17,      /* body sm_status in the answer */
	SM_SESSION_ROW = 18, /* one session by cursor; body sm_session_row */
	SM_LEDGER_ROW = 19,  /* one process by cursor; body sm_ledger_row */
	SM_BOOT_ROW = 20,    /* one row of the boot timeline by cursor; body sm_boot_row */
	SM_SUBSCRIBE = 21,   /* from now on events come on this connection; empty body */
	SM_SHUTDOWN = 22,    /* body sm_shutdown */
	SM_REGISTER = 23,    /* core process -> master: I am up; body sm_register */
	SM_HANDOVER = 24,    /* copy -> master: pid and role of a core process, with its pidfd */
	SM_PHASE_ITEM = 25,  /* copy -> master: one row for the timeline; body sm_item; no answer */
	SM_PLAN_READY =
		26, /* plan copy or smreg -> master: sealed memfd attached; body sm_plan_ready */
	SM_ENV_READY =
		27,     /* environment copy -> master: sealed memfd attached; body sm_env_ready */
	SM_LOGOFF = 28, /* winlogon -> master: my session is over, make another; empty body */
	SM_STATE_READY = 29, /* state copy -> master: the attempt is counted; body sm_state_ready */
	SM_STOP_SESSIONS = 30, /* shutdown copy -> master: end all sessions above 0, or 0; body
				  sm_stop_sessions */
	SM_FINAL = 31,     /* shutdown copy -> master: all done, call reboot(2); body sm_shutdown */
	SM_STOP_TEXT = 32, /* the previous and the present stop, if any; body sm_stop_text */
	SM_BOOT_ACCEPT = 33, /* what LastKnownGood stands at, or a decision about this boot; body
				sm_boot_accept */
	SM_JOB_DONE = 34, /* copy -> master: the boot need not wait for what I still do; no body */
	SM_JOB_NEXT = 35, /* copy -> master: this role is done, is there another for me? body
			     sm_job_next */
	SM_SESSION_LIMITS = 36, /* new limits for a session; body sm_session_limits */
	SM_SESSION_FREEZE = 37, /* stop or go on with all of a session's processes; body
				   sm_session_freeze */
	SM_PROGRAM_ROW = 38,  /* one program that a session's csrss started; body sm_program_row */
	SM_SESSION_LEFT = 39, /* sweep copy -> master: what still holds a dying session; body
				 sm_session_left; no answer */
	/* master -> core process */
	SM_SB_CREATE_PROCESS = 48, /* to csrss: start this; body sm_exec_pgm; answered with it */
	SM_SB_TERMINATE = 49,      /* to csrss, wininit, winlogon: end your programs and yourself */
	SM_SB_REGISTERED = 50,  /* to the session copy: the process you handed over has registered;
				   body sm_handover */
	SM_SB_SESSION = 51,     /* to the session copy, before anything else: what to make; body
				   sm_sb_session */
	SM_SB_PROGRAM_ROW = 52, /* to csrss: body sm_program_row; answered with it */
	SM_SB_LIMITS = 53,      /* to the limits copy: body sm_session_limits */
	/* events to subscribers */
	SM_EVENT_BOOT_ROW = 64, /* a timeline row began or ended; body sm_boot_row */
	SM_EVENT_SESSION = 65,  /* a session changed; body sm_session_row */
	SM_EVENT_SHUTDOWN = 66, /* the machine is going; body sm_shutdown */
	SM_EVENT_LOST =
		67, /* the reader was too slow: that many events were dropped; body sm_lost */
	SM_CALLS = 68
};

/* Statuses on the wire: NTSTATUS values, made only by status_of() (wire.c). */
#define SM_OK                     0x00000000u
#define SM_PENDING                0x00000103u /* "not yet": before the call's phase */
#define SM_NO_MORE                0x8000001Au /* the cursor is past the last row */
#define SM_UNSUCCESSFUL           0xC0000001u
#define SM_NOT_IMPLEMENTED        0xC0000002u
#define SM_INFO_LENGTH_MISMATCH   0xC0000004u
#define SM_INVALID_PARAMETER      0xC000000Du
#define SM_ACCESS_DENIED          0xC0000022u
#define SM_NAME_NOT_FOUND         0xC0000034u
#define SM_DELETE_PENDING         0xC0000056u /* "still dying" */
#define SM_INSUFFICIENT_RESOURCES 0xC000009Au
#define SM_TIMEOUT                0xC00000B5u
#define SM_CRASHED                0xC0000005u
#define SM_SHUTDOWN_IN_PROGRESS   0xC00002FEu
#define SM_REVISION_MISMATCH      0xC0000059u
#define SM_NOT_SUPPORTED          0xC00000BBu /* asked for, and cannot be had here (law 11) */

struct sm_header {
	uint16_t call;   /* enum sm_call */
	uint16_t reply;  /* 0 request or event, 1 answer */
	uint32_t tag;    /* the caller's; comes back in the answer */
	uint32_t status; /* answers: SM_*; requests: 0 */
	uint32_t length; /* of the body that follows */
};

struct sm_hello {
	uint32_t version; /* SM_VERSION */
	uint32_t pid;     /* answer: the master's pid in its namespace */
};

enum sm_mode { SM_MODE_MACHINE = 0, SM_MODE_NAMESPACE = 1, SM_MODE_CONTAINER = 2 };
enum sm_level { SM_LEVEL_CURRENT = 0, SM_LEVEL_LKG = 1, SM_LEVEL_BUILTIN = 2 };

struct sm_status {
	uint32_t phase;     /* enum phase */
	uint32_t mode;      /* enum sm_mode */
	uint32_t level;     /* enum sm_level */
	uint32_t attempts;  /* of this level, this one included; 0 = not counted */
	uint32_t sessions;  /* live ones */
	uint32_t processes; /* rows of the ledger in use */
	uint32_t orphans;   /* reaped that were in no row */
	uint32_t reaped;    /* all */
	uint32_t clients;
	uint32_t degraded; /* how many things are missing (rows with RESULT_DEGRADED) */
	uint32_t flags; /* bit 0 shutting down, bit 1 no cgroup v2, bit 2 state not writable, bit 3
			   boot good, bits 4 and 5 safe boot */
	uint32_t shutdown_action; /* enum sm_action while bit 0 of flags */
	uint64_t started_ns;      /* CLOCK_BOOTTIME of the master's start */
	uint64_t ready_ns;        /* of phase ready; 0 = not yet */
	uint64_t now_ns;
	uint64_t lines_dropped;   /* console or kmsg lines that could not be written */
	char blocker[TEXT_BYTES]; /* what is being waited for, "" = nothing */
	char version[NAME_BYTES];
	char build_id[NAME_BYTES];
	char plan_hive[PATH_BYTES / 4]; /* the hive the plan was made from, "" = built in */
};
#define SM_FLAG_SHUTTING_DOWN (1u << 0)
#define SM_FLAG_NO_CGROUP     (1u << 1)
#define SM_FLAG_NO_STATE      (1u << 2)
#define SM_FLAG_BOOT_GOOD     (1u << 3)
#define SM_FLAG_SAFE_MINIMAL  (1u << 4) /* smss.safeboot=minimal */
#define SM_FLAG_SAFE_NETWORK  (1u << 5) /* smss.safeboot=network */

enum session_state {
	SESSION_FREE,
	SESSION_RESERVED, /* its number is taken, its copy not yet started (4 + CPUs - 1 at once) */
	SESSION_SETTING_UP, /* the copy is at work */
	SESSION_REGISTERED, /* csrss is up, the initial command is not */
	SESSION_RUNNING,
	SESSION_ENDING, /* asked to end */
	SESSION_DYING,  /* killed, not all gone; the number is not reused */
	SESSION_STATES
};

/* session_state_word - "free", "reserved", "setting-up", "registered", "running", "ending",
 * "dying";
 * "?" out of range */
const char *session_state_word(unsigned state);

struct sm_session_row {
	uint32_t cursor; /* request: first number to look at; answer: the next one to ask for */
	uint32_t session;
	uint32_t state; /* enum session_state */
	uint32_t csrss_pid, initial_pid, copy_pid;
	uint32_t failures;  /* set-ups of this session that failed in a row */
	uint32_t how;       /* 0 cgroup v2, 1 pid namespace, 2 neither (session 0 only) */
	uint32_t isolation; /* SM_ISOLATE_* */
	uint32_t owner;     /* uid, SM_NO_OWNER = the machine's */
	uint32_t flags;     /* SM_ROW_* */
	uint32_t restarts;  /* how often its csrss was started again */
	uint32_t idle_s;
	uint64_t ends_ns; /* its maximum lifetime is over then; reserved: it is tried again then; 0
			     = never */
	uint64_t created_ns;
	uint64_t ready_us; /* from request to both core processes up */
	char initial[NAME_BYTES];
	char console[NAME_BYTES];
};
#define SM_ROW_FROZEN (1u << 0)
#define SM_ROW_KEPT   (1u << 1) /* made again when it ends */

struct sm_ledger_row {
	uint32_t cursor;
	uint32_t pid;
	uint32_t role;    /* enum role */
	uint32_t session; /* 0xFFFFFFFF = belongs to the machine, not to a session */
	uint64_t started_ns;
	uint64_t deadline_ns; /* 0 = none */
	char image[NAME_BYTES];
	char why[NAME_BYTES];
};
#define SM_NO_SESSION 0xFFFFFFFFu

struct sm_boot_row {
	uint32_t cursor;
	uint32_t phase;  /* enum phase */
	uint32_t kind;   /* 0 phase, 1 entry (an image or a copy), 2 item (one rename, one volume,
			    ...) */
	uint32_t result; /* enum result */
	int32_t detail;  /* errno, exit status or signal; 0 */
	uint32_t pid;
	uint64_t start_ns, end_ns; /* CLOCK_BOOTTIME; end 0 = running */
	char name[NAME_BYTES];
	char text[TEXT_BYTES];
};
#define SM_ROW_PHASE 0u
#define SM_ROW_ENTRY 1u
#define SM_ROW_ITEM  2u

struct sm_item {         /* what a copy, autochk or pnp reports about one thing it did */
	uint32_t result; /* enum result */
	int32_t detail;
	uint64_t start_ns; /* 0 = no duration of its own */
	char name[NAME_BYTES];
	char text[TEXT_BYTES];
};

enum sm_action {
	SM_ACTION_POWEROFF = 0,
	SM_ACTION_REBOOT = 1,
	SM_ACTION_HALT = 2,
	SM_ACTION_EXIT = 3
};

struct sm_shutdown {
	uint32_t action; /* enum sm_action; EXIT is the container's own */
	uint32_t flags;  /* bit 0: fast, no asking */
	uint64_t reserved;
	char reason[TEXT_BYTES];
};

struct sm_register {
	uint32_t role; /* ROLE_CSRSS or ROLE_INITIAL */
	uint32_t pid;
};

struct sm_plan_ready {
	uint32_t level;    /* enum sm_level of the plan attached */
	uint32_t flags;    /* SM_PLAN_* */
	uint32_t attempts; /* counted so far for this level, this boot not included */
	uint32_t reserved;
	char text[TEXT_BYTES]; /* why not a better level, or "" */
};
#define SM_PLAN_RENAMES   (1u << 0) /* SYSTEM.queue holds entries that no boot has consumed */
#define SM_PLAN_FRESH     (1u << 1) /* SYSTEM.plan fitted; else smreg made one from the hive */
#define SM_PLAN_STATE_BAD (1u << 2) /* boot.state could not be read or was damaged */

struct sm_env_ready {
	uint32_t flags;        /* SM_ENV_* */
	uint32_t operators;    /* gid of SessionOperators, SM_NO_OWNER = none */
	char text[TEXT_BYTES]; /* with SM_ENV_NO_PNP: why */
};
#define SM_ENV_NO_PNP (1u << 0) /* SerializeBoot has nothing to wait for */

struct sm_state_ready {    /* of the state copy, and of an accept copy before it ends */
	uint32_t writable; /* 1 = what it did is on disk */
	uint32_t attempts; /* of this level, this boot included */
	uint32_t flags;    /* SM_LKG_*, SM_STATE_* */
	uint32_t reserved;
	uint64_t lkg_wall_s; /* when SYSTEM.lkg was saved, 0 never */
	char text[TEXT_BYTES];
};
#define SM_LKG_NO_END   (1u << 0) /* the previous boot left no orderly end (previous_stop) */
#define SM_LKG_ACCEPTED (1u << 1) /* this boot was accepted as good */
#define SM_LKG_REJECTED (1u << 2) /* its level was rejected */
#define SM_LKG_ONCE     (1u << 3) /* the next boot takes LastKnownGood, that one only */
#define SM_LKG_OFF      (1u << 4) /* LastKnownGood cannot be had; the text says why */
#define SM_LKG_ASKED    (1u << 5) /* this boot's level was asked for: the next one begins above */
#define SM_STATE_GROUPS (1u << 6) /* state copy only: groups wait for phase 5 */

struct sm_job_next {
	uint32_t exit; /* request: enum copy_exit of the role just done */
	uint32_t role; /* answer: enum role to go on with, ROLE_NONE = exit */
	uint32_t n;    /* answer: its number */
	uint32_t reserved;
};

struct sm_stop_sessions {
	uint32_t which; /* 0 = all above session 0, 1 = session 0 too */
	uint32_t left;  /* answer: sessions not proven to have ended */
};

struct sm_stop_text {
	uint32_t which; /* request: 0 the previous stop; answer to that: 1 = of an earlier run, told
			   because this one stands below Current */
	uint32_t code;
	uint32_t status;
	uint32_t phase;
	uint64_t wall_s;
	char culprit[NAME_BYTES];
	char text[TEXT_BYTES];
};

/* What is decided about a boot; also the number of the copy that does it, 0 = by itself. */
enum sm_decision {
	SM_DECIDE_NOTHING = 0, /* only tell */
	SM_DECIDE_ACCEPT = 1,
	SM_DECIDE_REJECT = 2,
	SM_DECIDE_NEXT_LKG = 3,
	SM_DECISIONS
};

struct sm_boot_accept {
	uint32_t verb;         /* request: enum sm_decision */
	uint32_t level;        /* answer, and all that follows: enum sm_level of this boot */
	uint32_t attempts;     /* of this level, this boot included; 0 = not counted */
	uint32_t allowed;      /* BootAttempts */
	uint32_t flags;        /* SM_LKG_* */
	uint32_t accept_in_ms; /* until this boot counts as good by itself; 0 = it does not */
	uint64_t lkg_wall_s;   /* when SYSTEM.lkg was saved, 0 never */
	char text[TEXT_BYTES]; /* how the last decision went, why LastKnownGood is off, or "" */
};

struct sm_lost {
	uint64_t count;
};

union sm_body {
	struct sm_hello hello;
	struct sm_session_complete session_complete;
	struct sm_exec_pgm exec_pgm;
	struct sm_start_csr start_csr;
	struct sm_stop_csr stop_csr;
	struct sm_status status;
	struct sm_session_row session_row;
	struct sm_ledger_row ledger_row;
	struct sm_boot_row boot_row;
	struct sm_item item;
	struct sm_shutdown shutdown;
	struct sm_register reg;
	struct sm_handover handover;
	struct sm_plan_ready plan_ready;
	struct sm_env_ready env_ready;
	struct sm_state_ready state_ready;
	struct sm_job_next job_next;
	struct sm_stop_sessions stop_sessions;
	struct sm_stop_text stop_text;
	struct sm_boot_accept boot_accept;
	struct sm_lost lost;
	struct sm_session_limits session_limits;
	struct sm_session_freeze session_freeze;
	struct sm_session_left session_left;
	struct sm_program_row program_row;
	struct sm_sb_session sb_session;
};

struct sm_message {
	struct sm_header h;
	union sm_body b;
};

/*
 * sm_body_length - the one right length of a call's body
 *   call  enum sm_call;  reply  0 request or event, 1 answer
 * Returns bytes (0 is a length too), or -EINVAL for a number that is no call.
 */
int sm_body_length(unsigned call, unsigned reply);

/*
 * sm_message_check - a datagram of n bytes is one whole message of a known call
 * Looks at lengths and at the NUL of every string; never at meaning. Returns 0, -EINVAL (no such
 * call), -EMSGSIZE (wrong length), -EILSEQ (a string without its NUL).
 */
int sm_message_check(const struct sm_message *m, size_t n);

/* sm_message_start - a zeroed message of that call, length filled in; call must be valid. */
void sm_message_start(struct sm_message *m, unsigned call, unsigned reply, uint32_t tag);

/* sm_message_bytes - header and body as they go out. */
size_t sm_message_bytes(const struct sm_message *m);

/* status_of - the NTSTATUS for a result r: 0 -> SM_OK, -errno -> its nearest status. */
uint32_t status_of(int r);

/* status_text - a status in words, for people ("not implemented"); "status 0x..." is the caller's
 * job: NULL if unknown */
const char *status_text(uint32_t status);
