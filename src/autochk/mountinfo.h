/* SPDX-License-Identifier: MIT */
/*
 * mountinfo.h - what is mounted now, from /proc/self/mountinfo
 *
 * Kernel text of fixed form, but with names of any kind in it: octal escapes are undone, lines
 * that do not have the form are left out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mount_row {
	unsigned major, minor;
	const char *target, *options;      /* of the mount: "ro,noatime" */
	const char *type, *source, *super; /* of the file system: "rw,errors=remount-ro" */
};

struct mountinfo {
	struct mount_row *row;
	size_t count;
};

/* mountinfo_read - parse the text of mountinfo; text is changed and kept by pointer. 0 or -ENOMEM.
 */
int mountinfo_read(char *text, struct mountinfo *ret);

/* mountinfo_load - read what is mounted now. The memory is never given back. 0 or -errno. */
int mountinfo_load(struct mountinfo *ret);

/* mountinfo_at - the topmost mount at a target, NULL when there is none. */
const struct mount_row *mountinfo_at(const struct mountinfo *m, const char *target);

/* mountinfo_of - a mount of the file system on that device, a writable one first; NULL = none. */
const struct mount_row *mountinfo_of(const struct mountinfo *m, unsigned major, unsigned minor);

/* mount_has - a word stands in a list of options joined by commas. */
bool mount_has(const char *options, const char *word);
