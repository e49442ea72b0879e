/* SPDX-License-Identifier: MIT */
/*
 * paging.h - making one paging file on one volume, and the volumes there are
 *
 * The file is made under another name and renamed when it is whole and durable, so that a cut never
 * leaves half a paging file under the real name. Never activates anything. Source: nt-reference
 * §3.2 to §3.4, peers §6b 33.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"

struct paging_wish {
	const char *path;          /* absolute */
	uint32_t min_mib, max_mib; /* both 0 = system managed */
	bool never_keep;           /* an existing file is made anew in any case */
};

struct paging_made {
	uint64_t bytes;
	bool kept; /* the file was there and good */
	char path[PATH_BYTES];
};

/*
 * paging_make - the file as wished, or the good one that is there
 * Steps down by 16 MiB to 16 MiB when the volume is full. Returns 0 or -errno: -EMEDIUMTYPE (a file
 * system that cannot hold one, see paging_refused_name), -ENOSPC, -EACCES (a directory that others
 * can write), -EEXIST (what is there is no plain file), -EBUSY (it is active and would have to be
 * made anew)...
 */
int paging_make(const struct paging_wish *wish, struct paging_made *ret);

/* paging_refused_name - the file system of the last -EMEDIUMTYPE, e.g. "tmpfs". */
const char *paging_refused_name(void);

#define MOUNTS_BYTES 32768u

struct paging_volumes {
	char *mounts; /* /proc/self/mounts, as much as fits */
	char *at;     /* the line to look at next */
	bool root_given;
};

/*
 * paging_volumes_open, paging_volumes_next - mount points of file systems on local disks
 * The root comes first, whatever it is, then the others as they were mounted; those for booting
 * (/boot, /efi and below) are left out. next appends one path to *ret: 1 = one given, 0 = no more.
 */
int paging_volumes_open(struct paging_volumes *ret);
int paging_volumes_next(struct paging_volumes *v, struct text *ret);
