/* SPDX-License-Identifier: MIT */
/*
 * pending.h - what the files of `smctl pending` share
 *
 * The queue is a file protocol: nothing here talks to the session manager, so all of it works on a
 * mounted system too.
 */
#pragma once

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
	} * given;
	size_t given_count;
	char **words; /* of every other verb */
	int word_count;
};

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

/* groups_wait - a group that the next boot will take up by itself. */
bool groups_wait(const struct sm_group_row *row);

/* groups_operation_text - "move /a to /b", "delete /c": escaped, in one of four buffers. */
const char *groups_operation_text(const struct sm_operation *o);

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
	bool drawn; /* a progress line stands on the terminal */
};
/* groups_watch - what libsm calls; arg is a struct groups_problems. */
struct sm_watch groups_watch(struct groups_problems *told);
/* groups_watch_end - takes the progress line away. */
void groups_watch_end(struct groups_problems *told);
