/* SPDX-License-Identifier: MIT */
/*
 * root.h - the root file system: its device, and making it writable
 *
 * The kernel has mounted it, read-only as a rule, and may name its device "/dev/root", which is no
 * file: the device number of mountinfo is what counts. Roots that are made for one boot (overlay,
 * tmpfs, squashfs and their kin) are left as they are.
 */
#pragma once

#include "autochk/mountinfo.h"
#include "autochk/volume.h"

/* root_left_alone - a root of this type is neither checked nor remounted. */
bool root_left_alone(const char *type);

/*
 * root_device - the node of the block device that / lies on
 *   ret  a path, untouched on failure
 * Returns 0, or -ENODEV (no block device, or no node for it).
 */
int root_device(const struct mount_row *root, char *ret, size_t cap);

/*
 * root_make_writable - remount / as its line says, and report it
 *   v     its line of fstab, or one made from what is mounted; VOLUME_ERRORS_LEFT is respected
 *   root  the mount as it is now
 *   ours  false outside the initial pid namespace: what is not allowed there is no failure
 */
void root_make_writable(const struct volume *v, const struct mount_row *root, bool ours, bool dry);
