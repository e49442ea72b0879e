/* SPDX-License-Identifier: MIT */
/*
 * volume.h - what autochk knows about one volume: its line of fstab and what was found on it
 *
 * Plain data, filled by fstab.c or mounts.c (the line) and probe.c (the state). Sizes are this
 * room's own: nothing here crosses a process border but within autochk's forked halves.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VOLUMES_MAX                                                                                \
	128u /* lines of fstab and volumes asked for by name; more are refused aloud               \
	      */
#define VOLUME_SOURCE  512u  /* a source (device, TAG=value, directory), with its NUL */
#define VOLUME_TARGET  512u  /* a mount point, with its NUL */
#define VOLUME_OPTIONS 1024u /* mount options, with their NUL */
#define VOLUME_TYPE    32u   /* a file system type, with its NUL */

/* what the line of fstab says */
#define VOLUME_ROOT        (1u << 0)
#define VOLUME_NOAUTO      (1u << 1)
#define VOLUME_NOFAIL      (1u << 2)
#define VOLUME_SWAP        (1u << 3)
#define VOLUME_NETWORK     (1u << 4)
#define VOLUME_BIND        (1u << 5)
#define VOLUME_READ_ONLY   (1u << 6)
#define VOLUME_MAKE_TARGET (1u << 7) /* x-mount.mkdir: libmount makes the mount point */
#define VOLUME_NAMED       (1u << 8) /* asked for on the command line, not in fstab: not mounted */

/* what came of it */
#define VOLUME_ERRORS_LEFT  (1u << 16) /* mounted read-only, if at all */
#define VOLUME_MOUNT_FAILED (1u << 17)
#define VOLUME_MOUNT_DONE   (1u << 18)

struct volume {
	char source[VOLUME_SOURCE];
	char target[VOLUME_TARGET];
	char type[VOLUME_TYPE];
	char options[VOLUME_OPTIONS];
	int pass;
	unsigned flags; /* VOLUME_* */
};

struct volumes {
	struct volume at[VOLUMES_MAX];
	unsigned count;
	unsigned refused; /* lines that did not fit */
};

enum volume_state {
	VOLUME_CLEAN,
	VOLUME_DIRTY,   /* not unmounted in order, or a journal to replay */
	VOLUME_FLAGGED, /* the kernel or a check has found errors on it */
	VOLUME_SELF,    /* its file system looks after itself when it is mounted (xfs, btrfs) */
	VOLUME_ASK,     /* only its own fsck can tell */
	VOLUME_NOTHING, /* no file system was recognised */
};

struct probe {
	char type[VOLUME_TYPE]; /* "" with VOLUME_NOTHING */
	enum volume_state state;
	const char *why; /* constant text: "needs its journal replayed", ... */
};
