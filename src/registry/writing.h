/* SPDX-License-Identifier: MIT */
/*
 * writing.h - a change of the hive, from its lock to its commit
 *
 * One lock, one whole tree, one commit. What goes wrong is said on standard error here; callers
 * only turn the answer into an exit code.
 */
#pragma once

#include <stddef.h>

#include "registry/commit.h"
#include "registry/reading.h"
#include "registry/reg_text.h"
#include "registry/verbs.h"

struct writing {
	struct store store;
	struct reg_tree tree;
	struct reg_tree scratch; /* remarks live here */
	struct remarks before;   /* of the hive as it was */
	struct remarks remarks;
	const char *files[ORIGIN_FILE_MAX]; /* texts that values came from, by ORIGIN_FILE - 1 */
	unsigned file_count;
	bool only_news; /* what was said of the hive before is not said again */
	bool quiet;     /* what a boot consumed was told already */
};

/* writing_start - the writer lock and empty trees. Returns 0 or -errno; writing_end in any case. */
int writing_start(struct writing *w, const struct options *o);
void writing_end(struct writing *w);

/* writing_read - the hive as it is, without what a boot has consumed. */
int writing_read(struct writing *w, const struct options *o);

/* writing_import - carry out a .reg file; -EINVAL also when it cannot be read. */
int writing_import(struct writing *w, const char *path);

/* writing_commit - the tree becomes the hive; -EINVAL: its values or the want of a plan refuse it.
 */
int writing_commit(struct writing *w, const struct options *o);

/* writing_complain - say why of the hive; returns e. */
int writing_complain(const struct options *o, int e, const char *why);

/* exit_code_of - 0, 2 for -EINVAL (input), else 1. */
int exit_code_of(int e);

/* read_whole_file - at most REG_TEXT_BYTES_MAX bytes, malloc'ed, the caller's; -EFBIG beyond. */
int read_whole_file(const char *path, char **ret, size_t *ret_n);
/* read_regular_file - the same, and -EILSEQ for a pipe or whatever else stands there: no waiting.
 */
int read_regular_file(const char *path, char **ret, size_t *ret_n);

/* show_reg_errors - FILE:LINE:COLUMN: what is wrong, and FILE:LINE: what was set twice. */
void show_reg_errors(const char *path, const struct reg_errors *errors);
