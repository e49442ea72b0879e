/* SPDX-License-Identifier: MIT */
/*
 * session.h - what the files of a session's set-up share
 *
 * One copy sets one session up: what it is held to, its group, its namespaces, its environment, the
 * processes in it. For session/ only. A step that cannot do what was asked refuses the session with
 * a text for people (law 11); what was made until then goes with the copy or is taken back by it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "etc/accounts.h"
#include "smss/copy.h"
#include "sys/sys.h"

enum how { HOW_CGROUP, HOW_PID_NAMESPACE, HOW_NEITHER }; /* as sm_session_row.how */

#define OWNER_WORDS  5u /* HOME, USER, LOGNAME, SHELL, XDG_RUNTIME_DIR */
#define POLICY_BYTES (12 + 2 * sizeof(struct sm_policy) + 1)

struct setup {
	struct copy *c;
	enum how how;
	int cgroup;               /* -1 or the group's directory */
	int console;              /* for fds 1 and 2 */
	bool registered;          /* csrss has: the master said so */
	bool safe;                /* a safe boot: what may be left out is */
	bool made_group;          /* ours to take back while nobody lives in it */
	bool made_directory;      /* the same of the run directory */
	bool handed_over;         /* from now on the master takes back */
	struct sm_handover last;  /* the initial command goes with the word that all is complete */
	int last_fd;              /* with last.pid: its pidfd */
	bool named;               /* the owner has an account */
	bool by_descriptor;       /* images are executed as they were found, wherever we are now */
	bool ipc_ahead;           /* it was made before anybody asked: we live in it */
	int machine_ipc;          /* with ipc_ahead: the way back */
	bool implied_pid;         /* nobody asked for the pid namespace that proves its end */
	uint64_t begin_ns;        /* of this copy */
	struct sm_sb_session ask; /* what the master wants made */
	struct sm_policy policy;  /* in force: the plan's and the request's together */
	struct sm_policy planned; /* the plan's alone */
	struct account owner;     /* with SM_GIVEN_OWNER and named */
	uint32_t status;          /* of a refusal; SM_OK = none yet */
	char text[TEXT_BYTES];    /* why */
	const char *why;          /* the image found last may not be started; NULL = see errno */
	const char *server;       /* its image token */
	const char *initial;      /* of the initial command */
	int (*gate)(void *);      /* what the next process waits for before its exec; NULL */
	char *env[ENV_VARS_MAX + 3];
	char number[32];
	char policy_word[POLICY_BYTES];
};

struct started {
	int pid, pidfd;   /* the pidfd is the caller's */
	const char *name; /* the image token, good until the next start */
	bool program;     /* no image of ours: it was given no connection */
};

#define NO_CONNECTION (-1) /* a program of Execute: ours to wait for, not the master's */
#define POLICY_XATTR  "trusted.smss.policy" /* of its group: struct sm_policy, see restart.c */

/*
 * setup_refuse - the session is not made: the first reason given is told to who asked for it
 *   r     -errno, becomes the status
 *   what  "memory limit", "csrss", ...;  why  NULL = r's own text
 * Returns COPY_FAILED.
 */
int setup_refuse(struct setup *s, int r, const char *what, const char *why);

/*
 * setup_find - which image a command line of the plan names; setup_go starts what was found last
 *   core      it may be "rescue", a role of our own
 *   ret_name  the image token, set as soon as the line is read, also on failure
 * Returns 0 or -errno, as copy_find_image.
 */
int setup_find(struct setup *s, const char *line, bool core, const char **ret_name) _must_check_;

/*
 * setup_go - start what setup_find found
 *   connection  FD_CSRSS, FD_INITIAL: to be handed to the master; or NO_CONNECTION
 *   ret         pid, pidfd and program; name is left alone
 * Returns 0 or -errno.
 */
int setup_go(struct setup *s, int connection, struct started *ret) _must_check_;

/* setup_find_initial - the initial command, found last; of a foreign request it is never an image
 * of ours, whatever it is. Sets s->initial. */
int setup_find_initial(struct setup *s) _must_check_;

/* setup_start - both, for one image of the plan; ret->name is set also on failure. */
int setup_start(struct setup *s, const char *line, int connection,
		struct started *ret) _must_check_;

/*
 * setup_complete - tell the master what was made, the initial command in s->last with it
 * What the master thinks of it, it does. Returns enum copy_exit.
 */
int setup_complete(struct setup *s);

/*
 * setup_execute - the programs of Execute, one after the other, before the initial command
 * Each has ExecuteDeadline, all of them four fifths of the session's StartDeadline: what comes
 * after them needs some of it. Each gets a row; no failure of theirs ends the session.
 */
void setup_execute(struct setup *s);

/* setup_initial_command - the command line of the session's first program. */
const char *setup_initial_command(const struct setup *s);

/* ---- steps; each returns enum copy_exit and has refused the session unless COPY_OK ---- */

int setup_read_ask(struct setup *s);  /* ask.c: the master's word, and what is in force with it */
int setup_effective(struct setup *s); /* ask.c: hive and request together */
int setup_group(struct setup *s);     /* group.c: the session's group, and its limits */
int setup_prepare(struct setup *s);   /* setup.c: what its processes begin with */
void setup_isolate_ahead(struct setup *s); /* isolate.c: what is the same if made before */
int setup_isolate(struct setup *s);        /* isolate.c: its namespaces and what is mounted there */
int setup_device(struct setup *s);         /* device.c: a /dev of its own */
int setup_confine(struct setup *s);        /* confine.c: what csrss and all after it are held to */
int setup_find_server(struct setup *s);    /* setup.c: the image of its session server */
int setup_server(struct setup *s);         /* setup.c: it is started and handed over */
int setup_registered(struct setup *s);     /* setup.c: the master said that it is up */
int setup_restart(struct setup *s);        /* restart.c: the server alone, for a session without */

/*
 * setup_hold - what the next child takes upon itself
 *   core  csrss or the initial command; else a program of Execute
 * setup_not_held - a child may not be held to that: a limit above the machine's refuses the session
 */
void setup_hold(const struct sm_policy *p, bool core, struct sys_hold *ret);
void setup_not_held(struct setup *s);
/* setup_is_held - root in it has lost its capabilities, and is kept from what needs none */
bool setup_is_held(const struct setup *s);

/* ---- environment.c ---- */

/* setup_environment - s->env, and SMSS_POLICY beside it. */
void setup_environment(struct setup *s);
void setup_policy_word(struct setup *s); /* ask.c */
/* setup_rows_of - the name of a list's rows: "N\\list" when there are any, else "Default\\list".
 */
void setup_rows_of(const struct copy *c, const char *list, char *ret, size_t cap);
/* setup_next_row - the text of the next row of that name, NULL at the end; *row begins with 0. */
const char *setup_next_row(const struct copy *c, const char *name, uint32_t *row);

/* ---- group.c ---- */

struct group {
	int dir;          /* of the session's group */
	const char *base; /* path of the directory that all sessions' groups lie in */
	const char *what; /* of a failure: "memory limit", ... */
	char why[TEXT_BYTES];
};

/* group_path - the path of a session's group; "" when there are no groups. */
void group_path(const struct copy *c, uint32_t session, struct text *t);

/*
 * group_limits - hold a group to these limits
 *   l  0 = leave it as it is, SM_UNLIMITED = none; session and reserved are not looked at
 * Every controller is asked for before the first limit is written. Writing can take long: the
 * kernel makes room for a smaller memory limit.
 * Returns 0, -EOPNOTSUPP (this kernel has no such controller) or -errno; what and why are set then.
 */
int group_limits(struct group *g, const struct sm_session_limits *l);

/* ---- owner.c ---- */

struct owner { /* whom a program is to run as */
	struct sys_as as;
	uint32_t groups[ACCOUNT_GROUPS_MAX];
	char word[OWNER_WORDS][272];
	char *env[ENV_VARS_MAX + OWNER_WORDS + 3];
};

/* Kept in csrss though the session may not have them: it must become the owner, and end programs.
 */
#define SERVER_CAPABILITIES (1ull << 5 | 1ull << 6 | 1ull << 7 | 1ull << 8)

/* owner_fill - the session's owner as its programs see it; env is the session's. */
void owner_fill(const struct setup *s, struct owner *ret);
