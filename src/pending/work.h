/* SPDX-License-Identifier: MIT */
/*
 * work.h - one group at work: what run.c, apply.c, reverse.c and check.c share
 */
#pragma once

#include "pending/arrange.h"
#include "pending/run.h"

#define CHECKS_AHEAD 32u /* files open, and asked for from the disk, while one is read */

struct work { /* one group */
	const struct pending_step *step;
	int dir; /* the pending directory */
	const struct group_header *group;
	struct group_story story;
	struct ground ground;
	struct arrangement a;
	uint32_t op;
	bool undo; /* it is taken back by another group: only as it left everything */
	uint64_t start_ns;
	struct { /* files whose content is still to be checked: a ring, `first` is the oldest */
		int fd;
		uint32_t op;
	} content[CHECKS_AHEAD];
	uint32_t content_first, content_count;
};

/*
 * work_check_step - may this operation be? A struct work as arg; for arrange_operations
 * By what arrange_look saw. A file whose content counts is opened and asked for from the disk, and
 * read when a few more operations were looked at: so a cold disk has many to read at a time.
 * work_check_end - what is still to be read is
 *   r  what arrange_operations came to, for the operation w->op
 * Returns the failure of the first operation that may not be, which w->op then is, or r.
 */
int work_check_step(void *arg, const struct arrange_step *s);
int work_check_end(struct work *w, int r);
/* work_check_writable - every file system of the group takes writes. Returns 0 or -errno. */
int work_check_writable(struct work *w);

/* work_note - a record of what became of it, durable. Returns 0 or -errno. */
int work_note(struct work *w, enum group_event event, int result);
/* work_passing - the machine's trouble, not the group's: an attempt that failed, no refusal. */
bool work_passing(int r);

/*
 * work_operations - whatever this group of operations needs: a beginning, or what a cut left
 *   back  take it back
 * Returns 0, or why it is not as it should be; the story says at what it stands.
 */
int work_operations(struct work *w, bool back);
/* work_reverse - the same for a group that takes back another one. */
int work_reverse(struct work *w);
