/* SPDX-License-Identifier: MIT */
/*
 * session.h - bodies of the messages about sessions and the programs in them; a part of wire.h
 *
 * What a session may be asked to be, how one is made, limited, frozen and ended, and how a program
 * is started in one. Fixed little-endian layout, as all of wire.h.
 */
#pragma once

#include <stdint.h>

#include "base/limits.h"

/*
 * What a session is held to: the hive says it, and who asks for a session may add to it; of two the
 * stricter wins (plan/policy.h). A field that is 0 asks for nothing, but where SM_GIVEN_* says so.
 */
struct sm_policy {
	uint32_t given;        /* SM_GIVEN_* */
	uint32_t isolation;    /* SM_ISOLATE_* */
	uint64_t memory_bytes; /* memory of all its processes together; 0 = no limit */
	uint64_t io_bytes_s;   /* of each disk, reading and writing each; 0 = no limit */
	uint32_t processes;    /* it may have; 0 = no limit */
	uint32_t cpu_percent;  /* 100 = one processor; 0 = no limit */
	uint32_t cpu_weight;   /* 1..10000; 0 = the usual 100 */
	uint32_t io_weight;    /* 1..10000; 0 = the usual 100 */
	uint64_t capabilities; /* SM_GIVEN_CAPABILITIES: the bounding set, bit = capability */
	uint32_t uid, gid;     /* SM_GIVEN_OWNER: who it belongs to, whom its programs run as */
	uint32_t umask;        /* SM_GIVEN_UMASK */
	int32_t oom_score;     /* SM_GIVEN_OOM: -1000..1000 */
	uint32_t idle_s;       /* no input on its terminal for that long ends it; 0 = never */
	uint32_t lifetime_s;   /* it ends that long after it was complete; 0 = never */
	uint32_t limits;       /* which of the following are given: bit = RLIMIT_* */
	uint32_t reserved;
	uint64_t limit[16]; /* soft and hard, by RLIMIT_* number */
};
#define SM_GIVEN_CAPABILITIES (1u << 0)
#define SM_GIVEN_OWNER        (1u << 1)
#define SM_GIVEN_UMASK        (1u << 2)
#define SM_GIVEN_OOM          (1u << 3)
#define SM_GIVEN_NO_NEW_PRIVS (1u << 4) /* no setuid program gains anything */
#define SM_GIVEN_ALL          0x1Fu
#define SM_ISOLATE_MOUNT      (1u << 0) /* private /tmp, /dev/shm and /run/user */
#define SM_ISOLATE_IPC        (1u << 1)
#define SM_ISOLATE_PID        (1u << 2) /* csrss is its init */
#define SM_ISOLATE_UTS        (1u << 3)
#define SM_ISOLATE_NET        (1u << 4) /* the loopback alone */
#define SM_ISOLATE_DEV        (1u << 5) /* a /dev of its own, with its own links; has MOUNT */
#define SM_ISOLATE_ALL        0x3Fu

/* A core process becomes the master's: comes with its pidfd. */
struct sm_handover {
	uint32_t session;
	uint32_t role; /* ROLE_CSRSS or ROLE_INITIAL */
	uint32_t pid;  /* in the master's namespace */
	uint32_t how;  /* csrss: as sm_session_row.how; an initial command: SM_HANDOVER_PROGRAM */
	char image[NAME_BYTES];
};
#define SM_HANDOVER_PROGRAM (1u << 8) /* of an initial command: it was given no connection */

/*
 * What the copy made of it; with another status than SM_OK nothing was made, and text says why.
 * What is complete with its initial command may bring that: then the message has its pidfd.
 */
struct sm_session_complete {
	uint32_t session;
	uint32_t status;
	uint32_t isolation; /* SM_ISOLATE_* it really has */
	uint32_t owner;     /* uid, SM_NO_OWNER = the machine's */
	uint32_t idle_s, lifetime_s;
	char text[TEXT_BYTES];
	struct sm_handover initial; /* pid 0: it was handed over before, or there is none */
};
#define SM_NO_OWNER 0xFFFFFFFFu

/*
 * A program for a session. With SM_EXEC_WAIT or SM_EXEC_TERMINAL the answer brings fds, in this
 * order: [pidfd,] control (struct sm_control both ways), then the terminal's master side, or the
 * program's input, output and error output.
 */
struct sm_exec_pgm {
	uint32_t session;
	uint32_t flags;         /* SM_EXEC_* */
	uint32_t pid;           /* answer: as the master numbers processes; 0 = it cannot be told */
	uint16_t rows, columns; /* of the terminal */
	uint32_t words_bytes;   /* of words, every NUL counted; 0 = words is one line */
	char term[NAME_BYTES];  /* TERM, with SM_EXEC_TERMINAL */
	char words[2000];       /* program and its words, each with its NUL; or one line, split at
				   blanks, no quoting but "..." */
};
#define SM_EXEC_DETACHED (1u << 0) /* null fds */
#define SM_EXEC_TERMINAL (1u << 1) /* a terminal of its own */
#define SM_EXEC_WAIT     (1u << 2) /* pipes, and its end is told */
#define SM_EXEC_PIDFD    (1u << 3)
#define SM_EXEC_ALL      0xFu

/* What goes over a program's control connection; one per datagram. */
enum sm_control_what {
	SM_CONTROL_SIGNAL = 1, /* to csrss: value is the signal for its foreground group */
	SM_CONTROL_SIZE = 2,   /* to csrss: value is rows << 16 | columns */
	SM_CONTROL_EXITED = 3, /* from csrss: value is the exit status */
	SM_CONTROL_KILLED = 4  /* from csrss: value is the signal it died of */
};
struct sm_control {
	uint32_t what; /* enum sm_control_what */
	uint32_t value;
};

struct sm_start_csr {
	uint32_t session;     /* answer */
	uint32_t csrss_pid;   /* answer */
	uint32_t initial_pid; /* answer */
	uint32_t flags;       /* SM_START_* */
	struct sm_policy policy;
	char initial_command[256]; /* "" = the plan's (wininit for 0, winlogon for others) */
	char text[TEXT_BYTES];     /* answer: why it was refused or failed, or "" */
};
#define SM_START_PIDFDS (1u << 0) /* the answer brings pidfds of csrss and initial command */

struct sm_sb_session {
	uint32_t session;
	uint32_t flags; /* SM_SESSION_* */
	struct sm_policy policy;
	char initial_command[256];
};
#define SM_SESSION_RESTART                                                                         \
	(1u << 0)                    /* csrss alone, for a session that lost it; FD_INITIAL is a   \
					pidfd of the initial command */
#define SM_SESSION_FOREIGN (1u << 1) /* not root asked for it: see smss-api(7) */

struct sm_stop_csr {
	uint32_t session;
	uint32_t left; /* answer with SM_DELETE_PENDING: processes still there */
	uint32_t pid;  /* one of them, which sleeps where it cannot be interrupted; 0 = none */
	uint32_t reserved;
	char name[NAME_BYTES]; /* its name */
};

struct sm_session_limits { /* 0 = leave it as it is, SM_UNLIMITED = take the limit away */
	uint32_t session;
	uint32_t processes;
	uint32_t cpu_percent, cpu_weight, io_weight;
	uint32_t reserved;
	uint64_t memory_bytes, io_bytes_s;
};
#define SM_UNLIMITED    0xFFFFFFFFu
#define SM_UNLIMITED_64 UINT64_MAX

struct sm_session_freeze {
	uint32_t session;
	uint32_t freeze; /* 1 freeze, 0 thaw */
};

struct sm_session_left {
	uint32_t session;
	uint32_t left; /* processes */
	uint32_t pid;  /* as in sm_stop_csr */
	uint32_t reserved;
	char name[NAME_BYTES];
};

struct sm_program_row {
	uint32_t cursor; /* request: 0 or as the last answer left it */
	uint32_t session;
	uint32_t pid; /* in the session's own pid namespace, where it has one */
	uint32_t uid;
	uint32_t flags; /* SM_EXEC_* it was started with */
	uint32_t reserved;
	uint64_t started_ns;
	char command[TEXT_BYTES]; /* its words, cut */
};
