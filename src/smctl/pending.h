/* SPDX-License-Identifier: MIT */
/*
 * pending.h - what the files of `smctl pending` share
 *
 * The queue is a file protocol: nothing here talks to the session manager, so all of it works on a
 * mounted system too.
 */
#pragma once

#include "smctl/pending_hive.h"
#include "smctl/smctl.h"

struct pending { /* one run of smctl pending */
	struct smctl *s;
	struct sm_queue *q;
	const char *root, *state, *hive;
	const char *group, *reason, *manifest;
	bool nul, replace, digest, allow_protected, only_check, fallback, unaccepted;
	struct sm_keep keep;
	/* add: what was given, in order */
	struct given {
		const char *from, *to; /* to NULL: a delete */
		bool optional;         /* of what may be gone already */
	} * given;
	size_t given_count;
	char **words; /* of every other verb */
	int word_count;
	uint32_t options;     /* that were given, as pending_options.c counts them */
	uint64_t boots;       /* that this system has begun; UINT64_MAX = not to be read */
	struct drives drives; /* any: the hive is one of Windows */
};

/*
 * options_read - all that follows `smctl pending`, into p
 * Returns 0, or the exit status + 1: the run is over.
 */
int options_read(struct pending *p, int argc, char **argv);
/*
 * options_refused - an option was given that is not the verb's
 *   own  names of those that are, each between blanks
 * Returns SMCTL_OK, or has named it and returns SMCTL_USAGE.
 */
int options_refused(const struct pending *p, const char *verb, const char *own);

/*
 * groups_row - the group that a word names, by number or by name
 * Returns 0, or has said why not and returns the exit status.
 */
int groups_row(struct pending *p, const char *word, struct sm_group_row *ret);

/* groups_failed - says why a call about the queue or a group failed; returns SMCTL_FAILED. */
int groups_failed(const struct pending *p, int r, const char *what);

/* The verbs; arguments are in p. They return the exit status. */
int groups_add(struct pending *p);
int groups_list(struct pending *p);
int groups_show(struct pending *p);
int groups_check(struct pending *p);
int groups_report(struct pending *p);
int groups_cancel(struct pending *p);
int groups_retry(struct pending *p);
int groups_undo(struct pending *p);
int groups_clear(struct pending *p);
int groups_purge(struct pending *p);
int groups_apply(struct pending *p);

/* groups_open - a file or directory of that system, in no case outside it; an fd or -errno. */
int groups_open(const struct pending *p, const char *path, int flags);

/*
 * groups_boot_text - "boot 3"; what was done to a mounted system counts for its next boot, and says
 * so until that has begun
 */
const char *groups_boot_text(const struct pending *p, uint64_t boot);

/* groups_wait - a group that the next boot will take up by itself. */
bool groups_wait(const struct sm_group_row *row);

/* groups_operation_text - "move /a to /b", "delete /c": escaped, in one of four buffers. */
const char *groups_operation_text(const struct sm_operation *o);

struct groups_why {         /* why something failed */
	uint32_t operation; /* from 0, or SM_NO_OPERATION */
	uint32_t of;        /* of that group, which an undo takes back; 0 = its own */
	int reason;
	const char *path; /* or "" */
};
/* GROUPS_WHY - of a row or an event. */
#define GROUPS_WHY(row, undoes)                                                                    \
	{                                                                                          \
		.operation = (row)->operation, .of = (undoes), .reason = (row)->reason,            \
		.path = (row)->path                                                                \
	}
/* groups_why_text - "operation 3: /a/b: it is not there"; escaped, in one buffer. */
const char *groups_why_text(const struct groups_why *why);

/* groups_first_text - "group 3 (one): ", the waiting one that comes first; escaped, or "". */
const char *groups_first_text(struct pending *p, const struct sm_problem *problem);

/* groups_undone - another group took it back, or is at it, so it was no fallback. */
bool groups_undone(struct pending *p, uint32_t group);

/* groups_row_json - the fields of a group, as smctl(8) has them. */
json_object *groups_row_json(const struct sm_group_row *row);

/* groups_problems - telling problems of a group: lines or JSON, and progress on standard error */
struct groups_problems {
	struct pending *p;
	struct sm_group *g;
	const uint32_t *lines; /* of the manifest, by operation; NULL none */
	const char *file;
	json_object *list; /* NULL: lines on standard error */
	uint64_t count, next_ns;
	uint32_t before; /* operations that an older group had, 0 = it is new */
	size_t added;
	bool drawn; /* a progress line stands on the terminal */
};
/* groups_watch - what libsm calls; arg is a struct groups_problems. */
struct sm_watch groups_watch(struct groups_problems *told);
/* groups_watch_end - takes the progress line away. */
void groups_watch_end(struct groups_problems *told);

/* ---- classic entries (pending_classic.c) ---- */

struct classic_shown {                 /* one entry as people and programs see it */
	uint32_t number;               /* from 1 */
	const char *value, *from, *to; /* to "" for a delete */
	bool replace;
	const char *why;   /* malformed; NULL */
	const char *state; /* NULL = not said */
};
/* classic_entry_text - "move /a over /b", "delete /c", "malformed: ..."; escaped, in one buffer. */
const char *classic_entry_text(const struct classic_shown *c);
json_object *classic_entry_json(const struct classic_shown *c);

/*
 * classic_list, classic_check, classic_report - what stands beside the groups; each returns the
 * exit status, and with o adds its fields to it instead of lines
 *   groups  how many were told before: with none, and no entry, it is said that there is nothing
 */
int classic_list(struct pending *p, json_object *o);
int classic_check(struct pending *p, uint32_t groups, json_object *o);
int classic_report(struct pending *p, uint32_t groups, json_object *o);

struct classic_telling {
	json_object *list; /* of entries that ended; NULL: lines are printed */
	uint32_t told;
};
/* classic_watch - what sm_queue_apply does with classic entries is told; t must stay. */
void classic_watch(struct pending *p, struct classic_telling *t);
/* classic_left - says what cannot be run, and what to do; SMCTL_OK when nothing is left so. */
int classic_left(struct pending *p);
/* classic_clear - cancels what waits. */
int classic_clear(struct pending *p, json_object *o);

/* windows_show - list and check of a Windows hive (pending_windows.c); returns the exit status. */
int windows_show(struct pending *p, bool check);
