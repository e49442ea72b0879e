/* SPDX-License-Identifier: MIT */
/*
 * staged.h - copies that were made for a group and that nobody wants any more
 *
 * A move to another file system is copied when it is queued, to .smss/staged/NUMBER at that file
 * system's mount point. While a writer copies, NUMBER.making stands in the queue: it holds the
 * mount points, each with its NUL, and the writer has flock(2) of it. What a writer left that died
 * is found by it and removed.
 */
#pragma once

#include <stdint.h>

#include "base/limits.h"
#include "pending/group.h"

#define MAKING_BYTES (GROUP_FS_MAX * PATH_BYTES)

/*
 * staged_remove - the copies of a group on one file system, and their directory
 *   root  fd of what stands for "/";  mount  where the file system is mounted, canonical
 * Returns 0 (also when there are none), -ETIME when until_ns has come, or -errno.
 */
int staged_remove(int root, const char *mount, uint32_t id, uint64_t until_ns);

/*
 * staged_untouched - is nothing but copies at the places of a group's copies?
 * A group that replaces what is at its target exchanges the two: one that was cut and given up may
 * have the only name of what it replaced there. Returns 1, 0 (another file is there) or -errno.
 */
int staged_untouched(int root, const struct group_header *group);

/*
 * staged_sweep - all that writers left that are gone; call it with the queue's lock held
 *   dir  the pending directory
 * Returns 0 or the worst -errno; what is left is found again by the next one.
 */
int staged_sweep(int dir, int root, uint64_t until_ns);
