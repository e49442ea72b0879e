/* SPDX-License-Identifier: MIT */
/*
 * rename_op.h - one rename or delete on the file system, and how its result is kept
 *
 * The operation itself knows nothing of queue and journal: it finds the source's identity first, so
 * that the journal can name it, and then acts in the directories that it holds open. Source:
 * nt-reference §4.3; peers §6b 30.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Kept results: 0, -errno, or one of these, which no errno reaches. */
#define RENAME_REFUSED_FIRST (-4096)
#define RENAME_PROTECTED     (-4096) /* refused: a protected path */
#define RENAME_MALFORMED     (-4097) /* refused: not an entry that can be run */
#define RENAME_LINK          (-4098) /* refused: a link on the way */
#define RENAME_CANCELLED     (-4099) /* an operator's word came first */
#define RENAME_UNKNOWN       (-4095) /* it ended, its result was lost with a cut */

struct rename_what {
	int root;              /* fd of the directory that stands for "/"; the caller's */
	const char *from, *to; /* canonical; to "" = delete */
	bool replace;
};

struct rename_place {
	int from_dir, to_dir; /* owner: this struct, see rename_leave; to_dir -1 for a delete */
	const char *from_name, *to_name; /* last components, within rename_what's strings */
	uint64_t dev, ino;               /* of the source */
	bool directory;                  /* the source is one */
};

/*
 * rename_open_parent - the directory of a canonical path, opened to be listed and synced
 *   root      as in rename_what
 *   ret_name  the path's last component, within path
 * No link is followed. Returns an fd (caller's), RENAME_LINK or -errno.
 */
int rename_open_parent(int root, const char *path, const char **ret_name);

/*
 * rename_find - open both directories and look at the source
 * No link is followed in any component, the last one included: a link as source is itself moved.
 * Returns 0, RENAME_LINK, or -errno (-ENOENT: no source). What was opened stays open either way.
 */
int rename_find(const struct rename_what *what, struct rename_place *ret);

/*
 * rename_run - do it, and make it durable by fsync of the directories
 * Returns 0 or -errno: -EEXIST (a target and no "!"), -EXDEV (another file system), -ENOTEMPTY,
 * -EISDIR (a directory is never replaced), ...
 */
int rename_run(const struct rename_what *what, struct rename_place *p);

/* rename_settle - the deed was done before a cut: only make it durable. Returns 0 or -errno. */
int rename_settle(const struct rename_place *p);

/* rename_leave - close the directories. */
void rename_leave(struct rename_place *p);
