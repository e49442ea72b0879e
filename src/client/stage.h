/* SPDX-License-Identifier: MIT */
/*
 * stage.h - inside libsm: copies that wait on the file system they are meant for
 *
 * A move to another file system is copied when it is queued, so that the boot only renames.
 */
#pragma once

#include "client/pending.h"

struct copied { /* the first name of a file with several */
	uint64_t ino;
	char path[PATH_BYTES]; /* from the top */
};

struct copying {
	int top;               /* fd of the directory that the copies lie in */
	char path[PATH_BYTES]; /* of what is being copied, from the top */
	struct list links;     /* struct copied, of the tree at hand */
	const struct sm_watch *watch;
	uint64_t done, told, all; /* bytes */
	void *part;               /* room for a piece, 1 MiB */
};

struct copy_names {
	int from_dir;
	const char *from;
	int to_dir;
	const char *to;
};

/* copy_tree - one object and all below; nothing may be there yet. Returns 0 or a reason. */
int copy_tree(struct copying *c, const struct copy_names *n);
/* copy_progress - n more bytes are done. */
void copy_progress(struct copying *c, uint64_t n);
