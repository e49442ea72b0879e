/* SPDX-License-Identifier: MIT */
/*
 * ground.h - the directories that a group works in, and its graveyards
 *
 * Directories are opened component by component without following a link, checked to lie on the
 * file system they were queued for, and kept open in a small cache. What a group deletes or
 * replaces is moved into a graveyard on the same file system: in the state directory when that is
 * the one, else in ".smss/graveyard" at its mount point. Nothing here is ever unlinked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pending/group.h"
#include "sys/sys.h"

#define GROUND_CACHE 512u
#define GRAVEYARD    "graveyard" /* in the state directory */
#define GRAVEYARD_FS ".smss"     /* at another file system's mount point, holds GRAVEYARD */
#define STAGED       "staged"    /* in GRAVEYARD_FS: copies that wait, a directory a group */

struct ground {
	const struct group_header *group;
	const char *prefix; /* "" or, offline, the directory that stands for "/" */
	int root;           /* fd of that directory */
	int state;          /* fd of the state directory; the caller's */
	uint64_t state_mount;
	struct {
		bool known;
		uint64_t mount;
		int fd;    /* a directory on it, for syncfs */
		int grave; /* of this group; -1 not opened yet */
	} fs[GROUP_FS_MAX];
	int dir[GROUND_CACHE + 1]; /* the last one: when two of a pair want the same room */
	uint32_t owner[GROUND_CACHE + 1];
};

/*
 * ground_open - begin; nothing is opened but the root
 *   state  fd of the state directory, stays the caller's
 * Returns 0 or -errno. ground_close gives everything back.
 */
int ground_open(struct ground *g, const struct group_header *group, const char *prefix, int state);
void ground_close(struct ground *g);

/*
 * ground_dir - an open directory of the group
 *   other  a row whose fd must stay open beside it, or NO_PLACE
 * Returns an fd (the ground's), GROUP_WHY_LINK, GROUP_WHY_MOVED_FS or -errno.
 */
int ground_dir(struct ground *g, uint32_t dir, uint32_t other);

/*
 * ground_grave - the graveyard of this group on file system fs
 *   make  create it when missing
 * Returns an fd (the ground's), GROUP_WHY_MOVED_FS when the file system is not there, or -errno
 * (-ENOENT without make).
 */
int ground_grave(struct ground *g, uint32_t fs, bool make);

/*
 * ground_step_into - a directory of ours in an open one, only its owner's
 *   make  create it when missing
 * Returns an fd for the caller to close; -EPERM when what stands there is another's or open to
 * others, -ENOTDIR or -ELOOP when it is no directory, else -errno.
 */
int ground_step_into(int dir, const char *name, bool make);

/* ground_sync - one syncfs for every file system that was touched. Returns 0 or -errno. */
int ground_sync(struct ground *g);
