/* SPDX-License-Identifier: MIT */
/*
 * mounts.h - fstab, names of devices, and mounting, by libmount
 *
 * The one file of this room that knows libmount, and it loads it (dlopen, libmount.so.1) at the
 * first call: a boot with nothing to mount but / does not pay for it (fstab.c, root.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "autochk/volume.h"

#define MOUNTS_TEXT 200u

/*
 * mounts_read_fstab - all lines of an fstab; wrong ones are told by on_wrong and left out
 *   on_wrong  line number of a line that libmount cannot read, or that is too long for us
 * Returns 0, -ELIBACC when libmount is not there, other -errno (the file).
 */
int mounts_read_fstab(const char *path, void (*on_wrong)(const char *path, int line),
		      struct volumes *ret);

/*
 * mounts_resolve - the device that a source names ("UUID=...", "LABEL=...", a path)
 *   ret_device  a path; untouched on failure
 * Returns 0, -ENOENT (nothing has that name now), -ELIBACC.
 */
int mounts_resolve(const char *source, char *ret_device, size_t cap);

/*
 * mounts_mount - mount a volume as its line says
 *   read_only  whatever its options say
 *   remount    change the mount that is there (the root)
 *   ret_text   MOUNTS_TEXT bytes: what went wrong, in libmount's words, "" after 0
 * May hang with the device: to be called in a forked half (run.h). Returns 0 or -errno.
 */
int mounts_mount(const struct volume *v, bool read_only, bool remount, char *ret_text);

/* mounts_load - have libmount loaded before forking, so that not every child loads it again. */
bool mounts_load(void);
