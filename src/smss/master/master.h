/* SPDX-License-Identifier: MIT */
/*
 * master.h - the master's one state and the functions of its files
 *
 * PID 1. No heap, no stdio, no recursion, no unbounded loop, no disk I/O beyond /proc, /sys and
 * cgroup files of fixed form (law 1). All memory is the one static `master` below; every table has
 * its limit in base/limits.h. The flow is: collect events (loop.c), let pure steps decide
 * (phase_job in phase.c), act (job.c, session.c, ending.c, api.c), wait for the next event.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"
#include "base/words.h"
#include "plan/plan.h"
#include "smss/copy.h"
#include "sys/sys.h"
#include "wire/wire.h"

#define NS_PER_S       1000000000ull
#define NS_PER_MS      1000000ull
#define NONE           (-1)
#define ROW_POOL_BYTES 20480u /* of BOOT_ROWS_MAX rows; a usual one takes 40 */
#define CALLERS_MAX    128u   /* calls that are answered later */
#define REQUESTS_MAX   64u    /* sessions asked for whose copy has not been started yet */
#define NAMES_MAX      128u   /* names that rows share: images, reasons */

struct process {                          /* one row of the ledger */
	uint32_t pid;                     /* 0 = free */
	int pidfd;                        /* owner: this row; NONE when there is none */
	uint64_t started_ns, deadline_ns; /* 0 = none */
	uint32_t session;                 /* SM_NO_SESSION = the machine's */
	int16_t row;                      /* of the timeline, NONE */
	int16_t peer;                     /* its connection, NONE */
	uint8_t role;
	bool killed;        /* its deadline passed and it was sent KILL */
	uint8_t image, why; /* names.c */
};

struct peer {   /* one connection */
	int fd; /* owner: this row; NONE = free */
	uint32_t uid;
	uint32_t pid;        /* of the client; for born connections 0 */
	uint32_t generation; /* so that a late event cannot meet the next owner of the row */
	uint32_t lost;       /* events not delivered */
	uint16_t session;    /* of a core process or a session's copy */
	uint8_t role;        /* what possession of this connection means */
	bool subscribed : 1;
	bool operator: 1; /* in the group SessionOperators when it connected */
	bool resting : 1; /* its user asks too much: it is not looked at for a while */
};

struct waiter {   /* somebody who gets an answer later */
	int peer; /* NONE = nobody */
	uint32_t generation, tag;
	bool pidfds; /* of a starter: its answer brings those of both core processes */
};

enum caller_kind {
	CALLER_NONE,
	CALLER_START, /* of a session */
	CALLER_STOP,
	CALLER_EXEC, /* of a program: csrss answers */
	CALLER_PROGRAMS,
	CALLER_LIMITS,
	CALLER_FREEZE
};

struct user { /* a user who is not root, and what it has asked lately (quota.c) */
	uint32_t uid;
	uint64_t paid_ns; /* what it asked is paid for then; 0 = free */
};

struct caller {
	uint8_t kind; /* enum caller_kind; CALLER_NONE = free */
	uint16_t session;
	uint32_t tag; /* ours */
	uint64_t deadline_ns;
	struct waiter who;
};

/*
 * A thousand of them live at once in 256 kB, with two processes and two connections each: what is
 * known of their images is shared (names.c), and one time serves several states.
 */
struct session {
	uint64_t created_ns;
	uint64_t deadline_ns; /* of what its state waits for; 0 = none */
	uint64_t wake_ns;     /* reserved: the next try; running: its lifetime is over; ending:
				 the next look; 0 = none */
	uint32_t ready_us;    /* from created_ns to both core processes up, at most an hour */
	uint32_t ticket;      /* reserved: whose turn it is */
	uint32_t owner;       /* uid, SM_NO_OWNER = the machine's */
	uint32_t idle_s;
	uint32_t restarts_from_s;     /* when the first of those that count was */
	int16_t csrss, initial, copy; /* rows of the ledger, NONE; the copy sets up or sweeps */
	int16_t limiter;              /* the copy that changes its limits, NONE */
	int16_t csrss_peer, initial_peer, copy_peer;
	uint16_t restarts;    /* of csrss, all */
	uint8_t state;        /* enum session_state */
	uint8_t how;          /* as sm_session_row.how */
	uint8_t isolation;    /* SM_ISOLATE_* */
	uint8_t failures;     /* set-ups in a row */
	uint8_t image;        /* the initial command's, names.c; 0 = not known yet */
	uint8_t looks;        /* at its end: they slow down */
	uint8_t restarts_now; /* within RESTARTS_WITHIN_S */
	int8_t request; /* in master.requests until the copy is started; NONE = the plan's alone */
	bool keep : 1;  /* made again when it ends: the initial ones */
	bool registered : 1, initial_registered : 1; /* csrss has, the initial command has */
	bool complete : 1;                           /* the copy said SessionComplete */
	bool logoff : 1;     /* ended because its user left or its time was over: no slowing down */
	bool killed : 1;     /* force has been used */
	bool frozen : 1;     /* its group was told to stand still */
	bool restarting : 1; /* its copy makes another csrss */
	bool sweeping : 1;   /* its copy clears away what is left */
	bool swept : 1;      /* that was tried */
	bool late : 1;       /* still dying when its deadline was over */
	bool others : 1;     /* somebody who is not root has it made, or made again */
};

/* 256 kB for 1,000 sessions, less 48 kB for the rest: two processes, two connections, one session
 * have 213 bytes together. */
_Static_assert(sizeof(struct process) <= 40, "two a session of 213 bytes");
_Static_assert(sizeof(struct peer) <= 24, "two a session of 213 bytes");
_Static_assert(sizeof(struct session) <= 80, "one a session of 213 bytes");
_Static_assert(LEDGER_MAX <= INT16_MAX && PEERS_MAX <= INT16_MAX, "rows are numbered in 16 bits");
_Static_assert(SESSIONS_MAX < UINT16_MAX && BOOT_ROWS_MAX <= INT16_MAX, "so are these");
_Static_assert(REQUESTS_MAX <= INT8_MAX && NAMES_MAX <= UINT8_MAX, "these in 8");

struct row { /* of the boot timeline */
	uint64_t start_ns, end_ns;
	uint32_t pid;
	int32_t detail;
	uint16_t name, text;                /* in row_pool; 0 = "" */
	uint8_t phase, kind, result, times; /* times: it came again, 255 = or more often */
};

struct boot { /* what the pure step works on, see phase.c */
	uint8_t phase;
	uint8_t level;
	bool state_on;         /* boot.state is writable */
	bool no_pnp;           /* SerializeBoot has nothing to wait for */
	bool plan_ready;       /* of the level being tried */
	bool safe;             /* SetupExecute is left out */
	bool groups;           /* groups of file operations wait for phase 5 */
	uint8_t renames_again; /* copies of phase 5 that were started after one that was killed */
	uint32_t entry;        /* within the phase */
	uint32_t plan_flags;
};

struct words { /* kernel words (machine) or arguments (namespace) */
	char hive[128], state[128], safeboot[16], logoff[16];
	bool rescue, quiet, lkg;
};

struct master {
	struct boot boot;
	uint8_t mode; /* enum sm_mode */
	bool shutting_down, final, last_sync, more_dead, no_cgroup;
	uint8_t action; /* enum sm_action */
	int epoll, signals, listener, null, env_fd, plan_fd;
	const struct plan_header *plan; /* sealed, checked; NULL before phase 2 is over */
	const char *cgroup;             /* directory our groups live under, "" none */
	int job;                        /* ledger row the boot waits for, NONE */
	int phase_row;                  /* timeline row of the running phase */
	int stop_job;                   /* the copy that files a stop, NONE */
	int decider;                    /* the copy that accepts or rejects, NONE */
	uint64_t started_ns, ready_ns,
		accept_ns; /* accept_ns: when the boot counts as good, 0 not armed */
	uint64_t final_ns; /* the shutdown's hard ceiling, 0 not armed */
	uint64_t cad_ns;
	uint64_t listen_again_ns; /* the listener rests until then, 0 = it does not */
	uint64_t rest_ns;         /* so do connections of greedy users, 0 = there are none */
	uint32_t users_top;
	struct user users[USERS_MAX];
	uint32_t cad_count;
	uint32_t caller_serial, generations; /* the last tag and the last connection's generation */
	char cgroup_path[64];                /* storage of `cgroup` */
	uint32_t attempts, orphans, reaped, degraded, parallel, setting_up;
	uint32_t rows_used, ledger_top, peers_top, sessions_top, clients, subscribers;
	struct sm_stop_text stop, previous_stop;
	struct waiter sessions_stopper; /* the shutdown copy */
	struct waiter decision_waiter;  /* who asked for what the decider does */
	uint8_t decision;               /* enum sm_decision */
	uint32_t lkg_flags;             /* SM_LKG_*, as the copies told */
	uint64_t lkg_wall_s;
	char lkg_text[TEXT_BYTES];
	char lkg_text_before[TEXT_BYTES]; /* the decision that is being made */
	uint32_t sessions_which;
	struct words words;
	uint32_t names_top, tickets; /* the highest in use; the last that was given */
	uint32_t sweeps, dying;      /* copies that sweep; sessions that end */
	uint32_t operators;          /* gid of SessionOperators, SM_NO_OWNER = none */
	uint16_t ahead;              /* ahead.c: its ledger row + 1; 0 = none waits */
	int ahead_fds[2];            /* our ends of its core connections; 0 = none */
	uint64_t ahead_ns;           /* until when it waits */
	uint64_t looked_ns, look_ns; /* at dying sessions for orphans: last, and next (0 = none) */
	bool orphans_ended;          /* in this turn: a dying session may be gone */
	bool boot_forgotten;         /* what only a boot needs of our image was given back */
	uint32_t requests_used, requests_top, row_pool_used, rows_others;
	/*
	 * What is used a little lies side by side, since resident pages are counted: names are
	 * taken from the front, callers from the back; remarks from the back, rows from the front.
	 */
	struct {
		uint16_t rows; /* that show it; 0 = free */
		char text[NAME_BYTES];
	} names[NAMES_MAX];
	struct caller callers[CALLERS_MAX];
	struct process processes[LEDGER_MAX];
	struct peer peers[PEERS_MAX];
	struct session sessions[SESSIONS_MAX];
	char row_pool[ROW_POOL_BYTES]; /* names and remarks of rows, packed */
	struct row rows[BOOT_ROWS_MAX];
	struct {
		bool used;
		struct sm_sb_session what;
	} requests[REQUESTS_MAX]; /* the last: given back when a burst is over */
};

extern struct master master;

/* ---- start.c ---- */

/* master_start - phases 0 and 1: fds, signals, file systems, words, the API port. Nothing in it is
 * fatal. */
void master_start(int argc, char **argv);

/* ---- loop.c ---- */

/* master_reset - the one state as it is before phase 0; master must be all zero. */
void master_reset(void);
/* master_run - from here on failing is not allowed; never returns. */
void master_run(void) __attribute__((noreturn));
/* master_turn - one wait and everything it brought (the simulation calls it, too) */
void master_turn(void);

/* ---- rows.c: the timeline ---- */

/* row_begin - a new running row; NONE when the table is full (said once). */
int row_begin(enum phase phase, unsigned kind, const char *name, uint32_t pid);
/* row_end - closes it; row may be NONE. text may be "". */
void row_end(int row, enum result result, int detail, const char *text);
/* row_note - a row that is over at once (an item, or a phase that was skipped). */
void row_note(enum phase phase, unsigned kind, enum result result, int detail, const char *name,
	      const char *text);
/* row_fill - a row as it goes on the wire. */
void row_fill(uint32_t i, struct sm_boot_row *ret);
/* say - one line to the log, made of up to four parts; NULL ends them. */
void say(int level, const char *a, const char *b, const char *c, const char *d);

/* ---- names.c: what many rows show is kept once ---- */

/* name_take - the number of a text (cut to NAME_BYTES), for name_drop; 0 = no room, shown "?" */
uint8_t name_take(const char *text);
void name_drop(uint8_t name);
const char *name_text(uint8_t name);

/* ---- ledger.c ---- */

/* ledger_add - a process we answer for; NONE when the table is full (it is then killed). */
int ledger_add(int pid, int pidfd, enum role role, uint32_t session, const char *image);
/* ledger_find - row of a pid, NONE. */
int ledger_find(uint32_t pid);
/* ledger_pid - of a row; 0 of NONE. */
uint32_t ledger_pid(int row);
/* ledger_image, ledger_why - what it is called, why it runs. */
const char *ledger_image(int row);
const char *ledger_why(int row);
/* ledger_set_why, ledger_rename - from now on; the text is copied. */
void ledger_set_why(int row, const char *why);
void ledger_rename(int row, const char *image);
/* ledger_fill - a row as it goes on the wire. */
void ledger_fill(uint32_t i, struct sm_ledger_row *ret);
/* ledger_drop - the process is gone: closes the pidfd, frees the row. */
void ledger_drop(int row);
/* ledger_kill - KILL it; its death comes as an event. */
void ledger_kill(int row);
/* ledger_reap - take every dead child, tell who waits for it. */
void ledger_reap(void);
/* ledger_deadlines - kills what is over its time; returns the nearest deadline, 0 none. */
uint64_t ledger_deadlines(uint64_t now);

/* ---- job.c ---- */

struct job {
	enum role role;
	uint32_t n;
	uint32_t session;
	uint32_t deadline_s; /* 0 = none */
	const char *name;    /* shown, and the ledger's image until it says otherwise */
	const char *why;
	int core_fds[2]; /* session copies: what lies at FD_CSRSS and FD_INITIAL; else NONE */
};

/* job_start - a copy (or pnp) with its connection; the ledger row or -errno. */
int job_start(const struct job *j);

/* ---- phase.c ---- */

enum boot_answer { BOOT_RUN, BOOT_NOTHING, BOOT_PHASE_OVER };

/*
 * phase_job - pure: the entry-th job of a phase
 * Returns BOOT_RUN with *ret filled (wait = the boot waits for it), BOOT_NOTHING when this entry is
 * to be left out, BOOT_PHASE_OVER when there are no more.
 */
enum boot_answer phase_job(const struct boot *b, const struct plan_header *plan, struct job *ret,
			   bool *ret_wait);
/* phase_begin, phase_go - carry the boot on until it waits for something. */
void phase_go(void);
/*
 * phase_next_for - the boot's next job for a copy that has just done one and is still there
 *   row  of the ledger;  ret  role ROLE_NONE when the next thing is none for it
 */
void phase_next_for(int row, struct sm_job_next *ret);
/* phase_job_ended - the job the boot waits for is gone. */
void phase_job_ended(enum result result, int detail);
/* phase_sessions_ready - every initial session is live or has been given up for now. */
void phase_sessions_changed(void);

/* ---- session.c, handover.c and the others; what they share among themselves: sessions.h ---- */

/*
 * session_create - a number for a new session, set up as soon as there is room
 *   ask      what it shall be, NULL = what the plan says; its number is filled in here
 *   keep     it is made again whenever it ends
 *   starter  is answered when it is up (peer NONE = nobody)
 * Returns the number, or -errno when refused.
 */
int session_create(const struct sm_sb_session *ask, bool keep, struct waiter starter);
/* session_end - ask, wait, force; the stopper (peer NONE = nobody) is answered at the end. */
int session_end(uint32_t n, struct waiter stopper);
/* session_process_ended - a ledger row of this session died. */
void session_process_ended(uint32_t n, int row, enum result result, int detail);
/*
 * session_handover, session_registered, session_complete - what copy and core processes say
 *   pidfd  of the process handed over; NONE = none came. Ours from now on.
 */
int session_handover(uint32_t n, const struct sm_handover *h, int pidfd);
int session_registered(uint32_t n, enum role role);
int session_complete(uint32_t n, struct sm_session_complete *c, int pidfd);
/* session_left - what a sweep copy says: who still holds a dying session. */
int session_left(uint32_t n, const struct sm_session_left *l);
/*
 * session_limits - new limits, given by a copy; who is answered when it has ended
 * Returns 0 (the answer comes), -ENOENT (none that runs), -EAGAIN (its last are not through), ...
 */
int session_limits(uint32_t n, const struct sm_session_limits *l, struct waiter who);
/* session_freeze - all of its processes stand still, or go on; who is answered when they do: 0,
 * else -ENOENT, -EACCES (session 0), -EOPNOTSUPP (it has no group) */
int session_freeze(uint32_t n, bool freeze, struct waiter who);
/* session_freeze_done - 1 its processes stand as they were told, 0 not yet, -errno. */
int session_freeze_done(uint32_t n);
/* session_deadlines - acts on what is over; returns the nearest deadline, 0 none. */
uint64_t session_deadlines(uint64_t now);
/* sessions_look - orphans ended: dying sessions are looked at now or very soon. */
void sessions_look(void);
/* session_fill - a session as it goes on the wire. */
void session_fill(uint32_t n, struct sm_session_row *ret);
/* sessions_left - sessions from number `from` on that have not ended. */
uint32_t sessions_left(uint32_t from);
/* sessions_stop - begin ending all from number `from` on. */
void sessions_stop(uint32_t from);

/* ---- api.c, peers.c ---- */

/* peer_add - take a connection (fd owned from here on); NONE when the table is full (fd closed). */
int peer_add(int fd, enum role role, uint32_t session);
void peer_drop(int peer);
/* peer_send - never waits; a client that does not read is dropped. */
void peer_send(int peer, const struct sm_message *m);
/* peer_send_with - the same with fds, which stay ours. Returns 0, or -errno: it did not get it. */
int peer_send_with(int peer, const struct sm_message *m, const int *fds, unsigned fd_count);
/* peer_tell_all - to subscribers; a full one loses it and is told so later. */
void peer_tell_all(const struct sm_message *m);
/* waiter_none, waiter_answer - nobody; answer a late caller. The fds stay the caller's. */
struct waiter waiter_none(void);
void waiter_answer(struct waiter *w, struct sm_message *m, uint32_t status, const int *fds,
		   unsigned fd_count);
/* peers_rest - connections that rest are looked at again; when the next ones are, 0 = none rest. */
uint64_t peers_rest(uint64_t now);
/* peers_accept, peer_read - events of the listener and of a connection. */
void peers_accept(void);
void peer_read(int peer);
/* api_call - one checked message; answers it. */
void api_call(int peer, struct sm_message *m, int *fds, unsigned fd_count);

/* decide_deadline - the boot is accepted when its time has come; when that is, 0 = not armed. */
uint64_t decide_deadline(uint64_t now);
/* decide_ended - the copy that accepts or rejects has ended. */
void decide_ended(enum result result);

/* ---- callers.c: who is answered later ---- */

/*
 * caller_add - remember who is to be answered when something of a session is done
 *   who         peer NONE: nobody, and nothing is remembered
 *   deadline_s  then it is told "timed out"; 0 = none
 * Returns its place (0 for nobody), or -ENOSPC.
 */
int caller_add(enum caller_kind kind, uint32_t session, struct waiter who, unsigned deadline_s);
/* caller_tag - the tag under which its request is forwarded to a core process. */
uint32_t caller_tag(int caller);
/* caller_find - by the tag an answer brought; NONE when that is nobody's. */
int caller_find(enum caller_kind kind, uint32_t session, uint32_t tag);
/* caller_answer - m becomes its answer (its call's body must be in it); the place is free then. */
void caller_answer(int caller, struct sm_message *m, uint32_t status, const int *fds,
		   unsigned fd_count);
/* caller_refuse - the same with -errno r and an empty body. */
void caller_refuse(int caller, int r);
/* callers_answer - all callers of that kind about that session. */
void callers_answer(enum caller_kind kind, uint32_t session, struct sm_message *m, uint32_t status);
/* callers_refuse - the same with -errno r. */
void callers_refuse(enum caller_kind kind, uint32_t session, int r);
/* callers_leave - csrss cannot answer any more: whoever it was to answer is refused. */
void callers_leave(uint32_t session, int r);
/* callers_deadlines - tells who has waited too long; the nearest deadline, 0 none. */
uint64_t callers_deadlines(uint64_t now);

/* ---- stop.c ---- */

/* stop - the machine cannot go on: record, then what CrashControl says. */
void stop(uint32_t code, uint32_t status, const char *culprit, const char *text);
/* stop_recorded - the copy that files it has ended. */
void stop_recorded(void);
/* shutdown_begin - orderly: sessions, session 0, swap, mounts, sync. -ESHUTDOWN when it runs. */
int shutdown_begin(enum sm_action action, unsigned flags, const char *reason);
/* shutdown_driver_ended - its copy has gone; what is left is done here. */
void shutdown_driver_ended(void);
/* shutdown_check - sessions ended? answer the driver. Returns the hard ceiling, 0 none. */
void shutdown_check(void);
/* shutdown_final - reboot(2). Never returns in the first namespace. */
void shutdown_final(void);
/* signal_act - one signal of the last column of peers.md §1b. */
void signal_act(const struct sys_signal *s);
/* on_fault - the handler of SEGV and kin: say it, stop. */
void on_fault(int sig, uintptr_t address);
/* panic_assert - an assertion of the master failed: ends where a fault does. */
void panic_assert(const char *what);
#define ASSERT(x)                                                                                  \
	do {                                                                                       \
		if (__builtin_expect(!(x), 0))                                                     \
			panic_assert(#x);                                                          \
	} while (0)

/* ---- container.c ---- */

/* container_run - `smss -- CMD`: runs it, reaps, forwards; exits with its code. */
void container_run(char **argv, char **envp) __attribute__((noreturn));
