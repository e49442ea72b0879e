/* SPDX-License-Identifier: MIT */
/*
 * sm.h - libsm, the client library of the session manager smss
 *
 * What the machine's first process knows and does, for programs: its status, its sessions and
 * their processes, the boot timeline, events as they happen, starting and ending sessions, and
 * power. The library speaks the protocol of smss-api(7) so that programs need not know it; no type
 * of the wire is seen here. ISO C11, usable from C++; link with -lsm (pkg-config: libsm).
 *
 * Conventions, the same for every function:
 *   - A negative result is -errno, listed at each function; zero or positive is the answer.
 *   - Out-parameters come last, are called ret_*, and stay untouched on failure.
 *   - Strings in structures are always terminated. They come from outside: they may hold any byte
 *     that is not NUL, so escape them before a terminal sees them.
 *   - Words (const char *) are constants of the library and are never freed.
 *   - Times called _ns are CLOCK_BOOTTIME in nanoseconds, the same clock for all of them; no wall
 *     clock is used but where a name ends in wall_s.
 *   - The library never prints, never exits, installs no signal handler, reads no environment
 *     variable, starts no thread. File descriptors are close-on-exec.
 *   - Threads: a connection belongs to one thread at a time; different connections share nothing,
 *     so the simplest rule is one per thread. A connection may be handed to another thread when no
 *     call on it is running. After fork(2) only one of the two processes may go on with it; the
 *     other closes sm_fd(c) at most. Functions without a connection may be called from anywhere.
 *   - Structures that the library fills only grow when the library's soname changes. Those a
 *     program fills and that are to grow within one soname carry their size (sm_session_want).
 *
 * Errors that every function taking a connection can return, beside those listed with it:
 *   -EACCES     the session manager does not grant this call to this user
 *   -EAGAIN     not yet: the boot has not reached the phase this call belongs to (smphases(7))
 *   -ENOSYS     this session manager does not implement the call
 *   -EOPNOTSUPP what was asked for cannot be had on this machine; nothing was done
 *   -ESHUTDOWN  the machine is shutting down
 *   -ETIMEDOUT  no answer within the time-out (sm_set_timeout); the connection stays usable
 *   -ENOTCONN   the session manager closed the connection; only sm_close is left to do
 *   -EPROTO     what came back is not the protocol; only sm_close is left to do
 *   -EIO        the session manager tried and failed
 * sm_last_status() gives the session manager's own number for the answer, and sm_last_text() its
 * reason in words, where it gave one.
 *
 * A small example, the phase of the machine:
 *
 *	struct sm_connection *c;
 *	struct sm_machine m;
 *	if (sm_open(NULL, &c) == 0) {
 *		if (sm_status(c, &m) == 0)
 *			puts(m.phase);
 *		sm_close(c);
 *	}
 */
#ifndef SM_H
#define SM_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SM_NAME_BYTES 48  /* a name, its NUL included */
#define SM_TEXT_BYTES 160 /* a remark, its NUL included */
#define SM_HIVE_BYTES 256 /* the path of a hive, its NUL included */

/* A process or row that belongs to the machine and to no session. */
#define SM_MACHINE_SESSION 0xFFFFFFFFu

/* ---- connection ---- */

/* A connection to the session manager; made by sm_open, ended by sm_close. */
struct sm_connection;

/*
 * sm_open - connect to the session manager and agree on the protocol's version
 *   path  the socket; NULL = "/run/smss/SmApiPort"
 *   ret   the connection; the caller's, to be given back by sm_close
 * Waits at most ten seconds. Returns 0, -ENOENT or -ECONNREFUSED (nobody listens there), -EACCES,
 * -ENAMETOOLONG, -ENOMEM, -ETIMEDOUT (it is there and does not answer), -EBUSY (too many clients
 * at once; try again), -EPROTO (another version of the protocol), or what connect(2) can return.
 */
int sm_open(const char *path, struct sm_connection **ret);

/*
 * sm_close - end a connection and free it
 *   c  from sm_open, or NULL, which does nothing; must not be used afterwards
 * A subscription ends with it. Sessions and programs started over it go on.
 */
void sm_close(struct sm_connection *c);

/*
 * sm_fd - the descriptor behind a connection, for poll(2)
 * It stays the library's: do not read, write or close it. Readable means: call sm_event_next with
 * time-out 0 until it returns 0. Because events may already wait inside the library, do that once
 * before the first poll too, and after every other call on the connection.
 */
int sm_fd(const struct sm_connection *c);

/*
 * sm_set_timeout - how long a call on this connection waits for its answer
 *   timeout_ms  milliseconds, > 0; 10,000 in a new connection
 * sm_session_make, _new, _end and _limits, sm_exec, sm_exec_start and sm_decide wait twelve times
 * as long, because the session manager answers them only when the work is done. Returns 0 or
 * -EINVAL.
 */
int sm_set_timeout(struct sm_connection *c, int timeout_ms);

/*
 * sm_master_pid - the process id that the session manager sees itself as (1, as a rule)
 * sm_same_pids - this program and the session manager number processes alike
 * When sm_same_pids returns false the session manager lives in another pid namespace, and process
 * ids in rows must not be looked for in this program's /proc.
 */
uint32_t sm_master_pid(const struct sm_connection *c);
bool sm_same_pids(const struct sm_connection *c);

/*
 * sm_last_status - the status of the session manager's last answer on this connection
 * An NTSTATUS value: 0 success, 0xC0000022 access denied, ...; smss-api(7) lists them.
 */
uint32_t sm_last_status(const struct sm_connection *c);

/*
 * sm_last_text - why the last call on this connection was refused or failed, in words
 * "memory limit: this kernel offers no memory controller in cgroup v2". Comes from the session
 * manager: escape it before a terminal sees it. "" when it gave no reason, which is the rule for
 * calls that succeeded. Valid until the next call on c. Never NULL.
 */
const char *sm_last_text(const struct sm_connection *c);

/*
 * sm_status_text - a status in words ("not implemented"), for people
 * Returns a constant; "unknown status" for a number nobody knows. Never NULL.
 */
const char *sm_status_text(uint32_t status);

/*
 * sm_error_text - a result of this library in words, for people
 *   r  negative, as returned; 0 gives "success"
 * Returns a constant. Never NULL.
 */
const char *sm_error_text(int r);

/* ---- the machine ---- */

/* Where the session manager runs. */
enum sm_run_mode {
	SM_RUN_MACHINE = 0,   /* first process of a kernel */
	SM_RUN_NAMESPACE = 1, /* first process of a pid namespace */
	SM_RUN_CONTAINER = 2  /* `smss -- COMMAND`: first process of a container */
};

/* What the boot reads its configuration from. */
enum sm_boot_level {
	SM_BOOT_CURRENT = 0, /* the hive */
	SM_BOOT_LKG = 1,     /* the last hive that booted well */
	SM_BOOT_BUILTIN = 2  /* no hive could be used: the compiled-in minimum */
};

/* How a session manager can be asked to stop. */
enum sm_power { SM_POWER_OFF = 0, SM_POWER_REBOOT = 1, SM_POWER_HALT = 2, SM_POWER_EXIT = 3 };

/* What sm_status tells. */
struct sm_machine {
	const char *phase; /* the phase that is running, or "Ready"; smphases(7) */
	enum sm_run_mode mode;
	enum sm_boot_level level;
	uint32_t attempts;  /* boots begun at this level, this one included; 0 = not counted */
	uint32_t sessions;  /* live ones */
	uint32_t processes; /* in the session manager's ledger: what it or its copies started */
	uint32_t orphans;   /* reaped that were in no row of the ledger */
	uint32_t reaped;    /* reaped in all */
	uint32_t clients;   /* connections like this one */
	uint32_t degraded;  /* how many things are missing; the boot timeline names them. Another
			       level than Current counts as one */
	bool ready;         /* the boot is done */
	bool boot_good;     /* this boot has been accepted as the last known good */
	bool no_cgroup;     /* there is no cgroup v2: ending sessions rests on pid namespaces */
	bool no_state;      /* the state directory cannot be written: attempts are not counted */
	bool shutting_down;
	bool safe_minimal;           /* a safe boot, by the word smss.safeboot=minimal */
	bool safe_network;           /* or =network */
	enum sm_power action;        /* meaningful while shutting_down */
	uint64_t started_ns;         /* when the session manager started */
	uint64_t ready_ns;           /* when the boot was done; 0 = not yet */
	uint64_t now_ns;             /* when this was answered */
	uint64_t lines_dropped;      /* lines that console or kernel log did not take */
	char blocker[SM_TEXT_BYTES]; /* what is being waited for; "" = nothing */
	char version[SM_NAME_BYTES];
	char build_id[SM_NAME_BYTES];
	char hive[SM_HIVE_BYTES]; /* the plan was made from it; "" = compiled in */
};

/*
 * sm_status - what the session manager is doing
 * Works from the second phase on, for every user, also during shutdown. Returns 0 or a common
 * error.
 */
int sm_status(struct sm_connection *c, struct sm_machine *ret);

/* sm_mode_word - "machine", "namespace", "container"; "?" for another number. */
const char *sm_mode_word(enum sm_run_mode mode);
/* sm_level_word - "Current", "LastKnownGood", "built-in"; "?" for another number. */
const char *sm_level_word(enum sm_boot_level level);
/* sm_power_word - "poweroff", "reboot", "halt", "exit"; "?" for another number. */
const char *sm_power_word(enum sm_power action);

/*
 * sm_shutdown - stop the machine in order
 *   action  SM_POWER_OFF, SM_POWER_REBOOT, SM_POWER_HALT; SM_POWER_EXIT is refused
 *   fast    sessions are ended without being asked first; file systems are still written and
 *           unmounted
 *   reason  for the log, cut to SM_TEXT_BYTES; NULL = none
 * For root. Returns 0 when the shutdown has begun (not when it is done: the connection then ends
 * by itself), -EINVAL, -ESHUTDOWN (one is already on its way), or a common error.
 */
int sm_shutdown(struct sm_connection *c, enum sm_power action, bool fast, const char *reason);

/* ---- sessions: sm_session.h; programs in them: sm_exec.h ---- */

#ifdef __cplusplus
}
#endif

#include <sm_session.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- processes ---- */

/* A row of the ledger: a process that the session manager, or a copy of it, started. */
struct sm_process {
	uint32_t pid;     /* as the session manager numbers processes */
	uint32_t session; /* SM_MACHINE_SESSION = it belongs to none */
	const char *role; /* what it is there for: "csrss", "initial", "session", "paging", ... */
	uint64_t started_ns;
	uint64_t deadline_ns; /* when it will be killed if it has not ended; 0 = never */
	char image[SM_NAME_BYTES];
	char why[SM_NAME_BYTES]; /* what it was started for; "" = the role says it */
};

/*
 * sm_process_next - one process of the ledger after another
 *   cursor  in and out: 0 for the first call, then as the last call left it
 * What those processes started themselves is not in the ledger; find it by parent or cgroup.
 * Returns 1 with *ret filled, 0 past the last, or a common error. A view, not a snapshot.
 */
int sm_process_next(struct sm_connection *c, uint32_t *cursor, struct sm_process *ret);

/* ---- the boot timeline ---- */

enum sm_boot_kind {
	SM_BOOT_PHASE = 0, /* a phase of the boot */
	SM_BOOT_ENTRY = 1, /* within it, a program or copy that ran */
	SM_BOOT_ITEM = 2   /* within that, one thing done: a rename, a volume, a paging file */
};

enum sm_result {
	SM_RESULT_OK = 0,
	SM_RESULT_FAILED = 1,
	SM_RESULT_SKIPPED = 2, /* nothing to do, or policy left it out */
	SM_RESULT_TIMEOUT = 3, /* its deadline passed and it was killed */
	SM_RESULT_CRASHED = 4, /* died of a signal */
	SM_RESULT_REFUSED = 5, /* protection said no */
	SM_RESULT_NOT_YET = 6, /* understood, and this version does not act on it */
	SM_RESULT_RUNNING = 7, /* begun, not ended */
	SM_RESULT_DEGRADED = 8 /* done with something missing */
};

struct sm_boot_entry {
	uint32_t number;   /* of the row, from 0: the same in every answer and event about it */
	const char *phase; /* the phase it belongs to */
	enum sm_boot_kind kind;
	enum sm_result result;
	int32_t detail; /* failed: errno or exit status; crashed: the signal; else 0 */
	uint32_t pid;   /* 0 = no process of its own */
	uint64_t start_ns;
	uint64_t end_ns; /* 0 = running */
	char name[SM_NAME_BYTES];
	char text[SM_TEXT_BYTES]; /* a remark; "" = none */
};

/*
 * sm_boot_next - one row of the boot timeline after another, in the order they began
 *   cursor  in and out: 0 for the first call, then as the last call left it
 * Returns 1 with *ret filled, 0 past the last row so far, or a common error.
 */
int sm_boot_next(struct sm_connection *c, uint32_t *cursor, struct sm_boot_entry *ret);

/* sm_boot_kind_word - "phase", "entry", "item"; "?" for another number. */
const char *sm_boot_kind_word(enum sm_boot_kind kind);
/* sm_result_word - "ok", "failed", "skipped", ...; "?" for another number. */
const char *sm_result_word(enum sm_result result);

/* ---- LastKnownGood ---- */

/* What root can decide about this boot. */
enum sm_verdict {
	SM_VERDICT_ACCEPT = 1,  /* it is good: its hive becomes LastKnownGood */
	SM_VERDICT_REJECT = 2,  /* it is bad: its level is left until its hive is changed */
	SM_VERDICT_NEXT_LKG = 3 /* the next boot takes LastKnownGood, that one only */
};

/* What this boot runs from, whether it counts as good, and what the next one will try. */
struct sm_boot_standing {
	enum sm_boot_level level;
	enum sm_boot_level next; /* where the next boot begins, if this one ends in order and nobody
				    changes the hive */
	uint32_t attempts;       /* boots begun at this level, this one included; 0 = not counted */
	uint32_t allowed;        /* as many as it gets (BootAttempts) */
	bool accepted;           /* this boot is good */
	bool rejected;           /* it is not: root said so */
	bool asked;              /* its level was asked for, for this boot only */
	bool next_lkg;           /* LastKnownGood was asked for, for the next boot only */
	bool off;                /* LastKnownGood cannot be had here; the text says why */
	uint32_t accept_in_ms;   /* until this boot counts as good by itself; 0 = it will not */
	uint64_t saved_wall_s;   /* when LastKnownGood was saved, seconds since 1970; 0 = never */
	char text[SM_TEXT_BYTES]; /* how the last decision went, or why it is off; "" = nothing */
};

/*
 * sm_standing - what LastKnownGood stands at
 * Works from the second phase on, for every user. Returns 0 or a common error.
 */
int sm_standing(struct sm_connection *c, struct sm_boot_standing *ret);

/*
 * sm_decide - accept or reject this boot, or ask for LastKnownGood for the next one
 *   ret  what LastKnownGood stands at then; may be NULL
 * For root, when the boot is ready. Waits until the decision is on disk, twelve time-outs at most.
 * Returns 0, -EIO (refused or failed: *ret is filled then too, and its text says why and what to
 * do), -EBUSY (another decision is being written; try again), -EINVAL, or a common error.
 */
int sm_decide(struct sm_connection *c, enum sm_verdict verdict, struct sm_boot_standing *ret);

/* ---- stops ---- */

/* A stop: the machine ended because something it cannot live without did. */
struct sm_stop {
	uint32_t code;    /* 0xC000021A and kin */
	const char *word; /* the code's name; "?" if it has none */
	uint32_t status;  /* how the culprit ended */
	bool earlier;     /* of a run before the previous one, which ended in order */
	const char *phase;
	uint64_t wall_s; /* seconds since 1970, UTC, by the clock of that time; 0 = unknown */
	char culprit[SM_NAME_BYTES];
	char text[SM_TEXT_BYTES];
};

/*
 * sm_last_stop - the stop that ended the previous run of this machine
 * At another level than Current the last one recorded, whichever run it ended (earlier). Returns 1
 * with *ret filled, 0 when the previous run ended in order (or none is recorded), or a common
 * error.
 */
int sm_last_stop(struct sm_connection *c, struct sm_stop *ret);

/* ---- events ---- */

enum sm_event_kind {
	SM_ON_BOOT = 1,     /* a row of the timeline began or ended: boot */
	SM_ON_SESSION = 2,  /* a session changed: session */
	SM_ON_SHUTDOWN = 3, /* the machine is going: shutdown */
	SM_ON_LOST = 4 /* this program was too slow: lost events were dropped before this one */
};

struct sm_event {
	enum sm_event_kind kind;
	union {
		struct sm_boot_entry boot;
		struct sm_session session;
		struct {
			enum sm_power action;
			bool fast;
			char reason[SM_TEXT_BYTES];
		} shutdown;
		uint64_t lost;
	} of;
};

/*
 * sm_subscribe - from now on events come on this connection
 * What happened before is not repeated: subscribe first, then read rows, and nothing is missed.
 * Subscribing twice is fine. Returns 0, -ENOSPC (too many subscribers), or a common error.
 */
int sm_subscribe(struct sm_connection *c);

/*
 * sm_event_next - the next event
 *   timeout_ms  how long to wait for one; 0 = only what is here already; -1 = for ever
 * Other calls may be made between events; events that come during them are kept, up to 64, and
 * beyond that counted in an SM_ON_LOST. Returns 1 with *ret filled, 0 when the time is over,
 * -EINVAL (not subscribed), -ENOTCONN, -EPROTO.
 */
int sm_event_next(struct sm_connection *c, int timeout_ms, struct sm_event *ret);

#ifdef __cplusplus
}
#endif

#include <sm_exec.h>
#include <sm_pending.h>

#endif
