/* SPDX-License-Identifier: MIT */
/*
 * sm_session.h - libsm: sessions
 *
 * See, make, limit, freeze and end one.
 * A part of sm.h, which includes it; conventions and errors are told there.
 */
#ifndef SM_SESSION_H
#define SM_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SM_NAME_BYTES 48 /* a name, its NUL included */

/* A connection to the session manager, of sm_open. */
struct sm_connection;

/* ---- sessions ---- */

enum sm_session_state {
	SM_SESSION_FREE = 0,       /* in events only: the session has ended, its number is free */
	SM_SESSION_RESERVED = 1,   /* accepted; too many others are being set up just now */
	SM_SESSION_SETTING_UP = 2, /* its set-up copy is at work */
	SM_SESSION_REGISTERED = 3, /* its server is up, its initial command is not */
	SM_SESSION_RUNNING = 4,
	SM_SESSION_ENDING = 5, /* asked to end */
	SM_SESSION_DYING = 6   /* killed, and not all of its processes are gone yet */
};

/* What makes the end of a session certain. */
enum sm_session_hold { SM_HOLD_CGROUP = 0, SM_HOLD_PID_NAMESPACE = 1, SM_HOLD_NOTHING = 2 };

/* What a session has of its own; joined by |. */
enum sm_isolation {
	SM_ISOLATION_MOUNT = 1, /* mounts, with a private /tmp, /dev/shm and /run/user */
	SM_ISOLATION_IPC = 2,   /* System V and POSIX message queues, semaphores, shared memory */
	SM_ISOLATION_PID = 4,   /* process ids; its csrss is number 1 */
	SM_ISOLATION_UTS = 8,   /* the host's name */
	SM_ISOLATION_NET = 16,  /* the network: the loopback alone */
	SM_ISOLATION_DEV = 32   /* a small /dev; brings SM_ISOLATION_MOUNT */
};

#define SM_NO_USER 0xFFFFFFFFu /* an owner that is nobody in particular: the machine's own */

struct sm_session {
	uint32_t session; /* its number; 0 holds the services */
	enum sm_session_state state;
	enum sm_session_hold hold;
	uint32_t isolation;   /* enum sm_isolation, joined: what it really has */
	uint32_t owner;       /* user id; SM_NO_USER = the machine's */
	uint32_t csrss_pid;   /* 0 = not running */
	uint32_t initial_pid; /* of the initial command; 0 = not running */
	uint32_t copy_pid;    /* of the set-up copy; 0 = gone, as it should be */
	uint32_t failures;    /* set-ups of this session that failed in a row */
	uint32_t restarts;    /* how often its csrss was started again */
	bool frozen;          /* all of its processes are stopped (sm_session_freeze) */
	bool kept;            /* it is made again when it ends */
	uint32_t idle_s;      /* seconds without input on its terminal that end it; 0 = never */
	uint64_t ends_ns;     /* when its maximum lifetime is over; 0 = never */
	uint64_t created_ns;
	uint64_t ready_us;           /* from request to both core processes up; 0 = not yet */
	char initial[SM_NAME_BYTES]; /* image of the initial command: "wininit", "winlogon", ... */
	char console[SM_NAME_BYTES]; /* its terminal; "" = none */
	uint64_t retry_ns; /* reserved, after a failure: when it is tried again; 0 = it is not */
};

/*
 * sm_session_next - one session after another, lowest number first
 *   cursor  in and out: 0 for the first call, then as the last call left it
 * Returns 1 with *ret filled, 0 past the last session (*ret untouched), or a common error. The
 * rows are a view, not a snapshot: a session made or ended in between may be seen or missed.
 */
int sm_session_next(struct sm_connection *c, uint32_t *cursor, struct sm_session *ret);

/* sm_session_get - the session of that number. Returns 0, -ENOENT, or a common error. */
int sm_session_get(struct sm_connection *c, uint32_t session, struct sm_session *ret);

/* sm_session_state_word - "free", "reserved", "setting-up", "registered", "running", "ending",
 * "dying"; else "?". */
const char *sm_session_state_word(enum sm_session_state state);
/* sm_session_hold_word - "cgroup", "pid-namespace", "nothing"; "?" for another number. */
const char *sm_session_hold_word(enum sm_session_hold hold);
/* sm_isolation_word - "mount", "ipc", "pid", "uts", "net", "dev", of one of them; else "?". */
const char *sm_isolation_word(enum sm_isolation one);

#define SM_NO_LIMIT    0xFFFFFFFFu /* take a limit away, or it was never there */
#define SM_NO_LIMIT_64 UINT64_MAX
#define SM_NOT_GIVEN   INT32_MIN
#define SM_RLIMITS     16u

/*
 * What a session is to be. Begin with sm_session_want_init, then set what matters. What the hive
 * says of the session is joined with it, and of two words the stricter counts: a request can ask
 * for more isolation and less room, never for the opposite.
 */
struct sm_session_want {
	uint64_t size;         /* of this structure, set by sm_session_want_init */
	const char *command;   /* its initial command, shorter than 256 bytes; words are split at
				  blanks, "..." holds blanks; NULL = what the hive says */
	uint32_t isolation;    /* enum sm_isolation, joined */
	uint32_t uid, gid;     /* whom it belongs to, whom its programs run as; SM_NO_USER = as the
				  hive says. A caller that is not root can only be itself. */
	uint32_t processes;    /* it may have at once; 0 = no limit */
	uint64_t memory_bytes; /* for all its processes together; 0 = no limit */
	uint64_t io_bytes_s;   /* of each disk, reading and writing each; 0 = no limit */
	uint32_t cpu_percent;  /* of one processor: 150 = one and a half; 0 = no limit */
	uint32_t cpu_weight;   /* 1 to 10000, against other sessions; 0 = the usual 100 */
	uint32_t io_weight;    /* 1 to 10000; 0 = the usual 100 */
	uint32_t idle_s;       /* seconds without input on its terminal that end it; 0 = never */
	uint32_t lifetime_s;   /* seconds from its being complete after which it ends; 0 = never */
	int32_t umask;         /* SM_NOT_GIVEN = the machine's */
	int32_t oom_score;     /* -1000 to 1000; SM_NOT_GIVEN = the machine's */
	bool no_new_privs;     /* no set-user-id program gains anything in it */
	bool bounded;          /* capabilities below counts */
	bool pidfds;           /* pidfds of csrss and initial command are wanted */
	uint64_t capabilities; /* no process of it can have any other; bit = capability(7) */
	uint32_t limits;       /* which of the following count: bit = RLIMIT_* of setrlimit(2) */
	uint64_t limit[SM_RLIMITS]; /* soft and hard; SM_NO_LIMIT_64 = unlimited */
};

/*
 * sm_session_want_init - a request for a session as the hive has it
 *   size  sizeof(*want): a library newer than the program then knows where the program's ends
 */
void sm_session_want_init(struct sm_session_want *want, uint64_t size);

/* A session that was made. */
struct sm_session_made {
	uint32_t session;
	int csrss_pidfd, initial_pidfd; /* the caller's, close-on-exec; -1 = not asked for, or there
					   was none any more */
	struct sm_session row;          /* as it then was */
};

/*
 * sm_session_make - make a session and wait until its core processes are up
 * Either the whole session is there with everything that was asked for, or nothing of it is left
 * and sm_last_text() says why. For root; members of the hive's SessionOperators make sessions that
 * are theirs. Returns 0, -EINVAL (a field is out of its range), -E2BIG (a field is set that this
 * library does not know), -ENAMETOOLONG (the command is too long), -EACCES (not for this user, or
 * the hive names another owner), -EOPNOTSUPP (isolation or a limit that this machine cannot give),
 * -ENOENT (no such program or user), -ENOSPC (no free session number), -ETIME (its core processes
 * did not come up in time), or a common error.
 */
int sm_session_make(struct sm_connection *c, const struct sm_session_want *want,
		    struct sm_session_made *ret);

/*
 * sm_session_new - sm_session_make with a command and nothing else
 *   command      its initial command, shorter than 256 bytes; NULL = what the hive says
 *   ret_session  its number
 *   ret_row      the session as it now is; may be NULL
 * Returns as sm_session_make.
 */
int sm_session_new(struct sm_connection *c, const char *command, uint32_t *ret_session,
		   struct sm_session *ret_row);

/* What keeps a session from having ended. */
struct sm_session_held {
	uint32_t left; /* processes of it that are still there */
	uint32_t pid;  /* one of them, as the session manager numbers processes: one that sleeps
			  where no signal reaches it, if there is such a one; 0 = not known */
	char name[SM_NAME_BYTES]; /* its name, and what it sleeps in, where that can be read */
};

/*
 * sm_session_end - end a session: its programs are asked, then killed
 *   session   its number
 *   ret_left  with -EBUSY: how many of its processes are still there; may be NULL
 * Returns 0 when every process of it is proven to be gone and nothing that was made for it is left,
 * -EBUSY when some are still dying (the session manager goes on with it, and its number stays
 * taken), -ENOENT (no such session), -EINVAL (session 0, which ends with the machine), or a common
 * error. For root, operators and the session's owner.
 */
int sm_session_end(struct sm_connection *c, uint32_t session, uint32_t *ret_left);

/* sm_session_end_held - the same; with -EBUSY *ret says what holds it */
int sm_session_end_held(struct sm_connection *c, uint32_t session, struct sm_session_held *ret);

/* New limits for a session that runs: 0 = leave it as it is, SM_NO_LIMIT = take the limit away (of
 * a weight: the usual 100). Units as in sm_session_want. */
struct sm_session_change {
	uint64_t memory_bytes;
	uint64_t io_bytes_s; /* SM_NO_LIMIT_64, as memory_bytes */
	uint32_t processes;
	uint32_t cpu_percent, cpu_weight, io_weight;
};

/*
 * sm_session_limits - change what a session is held to
 * For root. Waits until the kernel has taken them: a smaller memory limit first takes memory back
 * from the session. Returns 0, -ENOENT (no such session), -EOPNOTSUPP (this machine cannot; what
 * came before in the order memory, processes, cpu, io may be in force), -EINVAL, -ETIME, or a
 * common error.
 */
int sm_session_limits(struct sm_connection *c, uint32_t session,
		      const struct sm_session_change *change);

/*
 * sm_session_freeze - stop all of a session's processes, or let them go on
 *   freeze  true stops: none of them runs, not even to die of a signal; sm_session_end ends a
 *           frozen session all the same
 * Answered when the kernel says that all are stopped. Doing it twice is fine. For root, operators
 * and the session's owner, for every session but 0. Returns 0, -ENOENT (no such session),
 * -EOPNOTSUPP (there is no cgroup v2), -ETIME (some process did not stop in time; it is tried no
 * further and may still stop), -EINVAL, or a common error.
 */
int sm_session_freeze(struct sm_connection *c, uint32_t session, bool freeze);

#ifdef __cplusplus
}
#endif

#endif
