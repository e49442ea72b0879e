/* SPDX-License-Identifier: MIT */
/*
 * companion.h - what csrss, wininit, winlogon and pnp have in common
 *
 * Each of them is born with its connection to the master on FD_MASTER and the sealed plan on
 * FD_PLAN (smss/copy.h), says what it did in timeline rows, and then sleeps in one wait until a
 * message, a signal or a child's death comes: no timer runs while nothing is going on. No heap, no
 * stdio; the kernel is reached through the door only. A companion whose master is gone ends.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "sys/sys.h"
#include "wire/wire.h"

enum companion_exit {
	COMPANION_OK = 0,
	COMPANION_FAILED = 1,
	COMPANION_USAGE = 2,
	COMPANION_NO_MASTER = 3,
};

struct companion {
	const char *name;               /* "csrss": constant */
	const struct plan_header *plan; /* mapped, checked */
	char *const *env;               /* NULL-terminated, as it was born */
	uint32_t session;               /* SMSS_SESSION; SM_NO_SESSION for pnp */
	uint32_t tag;                   /* of the last request */
	int epoll, signals;             /* -1 until companion_listen */
	bool ending;                    /* TERM or SM_SB_TERMINATE came, or the master is gone */
	bool orphaned;                  /* the master is gone: nobody to talk to */
};

/*
 * companion_usage - answer --help and --version
 *   help  the whole help text, newlines included
 * Returns -1 to go on, otherwise the status to exit with.
 */
int companion_usage(const char *name, const char *help, int argc, char **argv);

/* companion_print - bytes to fd 1 or 2 as they are; used before there is a log. */
void companion_print(int fd, const char *s);

/*
 * companion_open - the plan, the session's number, the log
 *   name  constant; also who speaks in the log
 *   env   as given to main
 *   core  a core process: SMSS_SESSION must be there
 * Returns COMPANION_OK or the status to exit with (said).
 */
enum companion_exit companion_open(struct companion *c, const char *name, char *const *env,
				   bool core);

/*
 * companion_listen - from here on signals come as events, not as deaths
 * Returns 0 or -errno.
 */
int companion_listen(struct companion *c);

/*
 * companion_register - tell the master that we are up, and wait for its answer
 * Needs companion_listen first. Being asked to end meanwhile is kept in c->ending.
 * Returns 0, -ETIMEDOUT, -EPIPE (no master), -EACCES (it refused).
 */
int companion_register(struct companion *c, enum role role);

/*
 * companion_item - one row for the timeline and one line for the log
 *   detail    errno, exit status or signal;  start_ns  when it began, 0 = no duration
 *   name, text  escaped here and cut to their fields; text may be ""
 */
void companion_item(const struct companion *c, enum result result, int detail, uint64_t start_ns,
		    const char *name, const char *text);

/* companion_say - one line for the log about a foreign word: WHAT: WORD (escaped): the errno's
 * text, if any. */
void companion_say(int level, const char *what, const char *word, int err);

enum companion_what {
	COMPANION_TIMEOUT, /* the time is up */
	COMPANION_MESSAGE, /* ret->message is whole and of a known call */
	COMPANION_CHILD,   /* something died: reap until there is no more */
	COMPANION_END,     /* asked to end, or the master is gone; c->ending, c->orphaned say so */
	COMPANION_INPUT,   /* the fd given to companion_watch can be read or is hung up */
};

/*
 * companion_next - sleep until something happens
 *   timeout_ms  -1 = for ever (the normal case: no wake-up when idle)
 *   message     where a message goes; the caller's
 * COMPANION_END comes once for being asked, and once more when the master goes after that.
 */
enum companion_what companion_next(struct companion *c, int timeout_ms, struct sm_message *message);

/* companion_watch - fd's input also wakes companion_next; companion_unwatch ends that. */
int companion_watch(const struct companion *c, int fd) _must_check_;
void companion_unwatch(struct companion *c, int fd);

/* companion_send - a message to the master; waits at most a second for room. Returns 0 or -errno.
 */
int companion_send(const struct companion *c, const struct sm_message *m);
/* companion_send_with - the same with fds, which stay the caller's. */
int companion_send_with(const struct companion *c, const struct sm_message *m, const int *fds,
			unsigned fd_count);

/* companion_refuse - answer a request that this companion has no work for: not implemented. */
void companion_refuse(const struct companion *c, const struct sm_message *m);

/* companion_env - the value of a variable of our environment, or otherwise. */
const char *companion_env(const struct companion *c, const char *name, const char *otherwise);

/*
 * companion_stop_ms - how long what we started gets between TERM and KILL
 * A little less than the session's own "StopDeadline", so that we are done before the master kills.
 */
unsigned companion_stop_ms(const struct companion *c);

/* companion_ms_left - until a sys_now_ns() moment; 0 when it has passed. */
int companion_ms_left(uint64_t until_ns);
