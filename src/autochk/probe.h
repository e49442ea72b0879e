/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what lies on a volume, and whether it wants a check
 *
 * probe.c is the one file of this room that knows libblkid, and it loads it (dlopen, libblkid.so.1)
 * only when the quick look (superblock.c) does not recognise the volume: for the usual root, an
 * ext4, reading two sectors is enough. In the front image (front.h) there is no libblkid.
 */
#pragma once

#include <stdint.h>

#include "autochk/volume.h"

#define PROBE_BYTES 2048u /* from the start of the volume; ext's superblock is the second half */

/*
 * probe_ext, probe_fat - the quick looks
 *   start  the first PROBE_BYTES of the volume
 * Returns 0 with *ret filled, or -ENOENT when this is no such file system.
 * Sources: Documentation/filesystems/ext4 (super block); Microsoft's FAT specification
 * (BS_Reserved1).
 */
int probe_ext(const uint8_t start[PROBE_BYTES], struct probe *ret);
int probe_fat(const uint8_t start[PROBE_BYTES], struct probe *ret);

/*
 * probe_quick - the quick looks at an open volume, each only if the hint does not speak against it
 * Returns 0 with *ret filled, -ENOENT (start is filled: somebody else must tell), other -errno.
 */
int probe_quick(int fd, const char *hint, uint8_t start[PROBE_BYTES], struct probe *ret);

/* probe_answer - fill an answer; why is kept by pointer. */
void probe_answer(struct probe *ret, const char *type, enum volume_state state, const char *why);

/*
 * probe_device - look at an open volume
 *   fd    readable
 *   hint  the type fstab or the kernel names; "" or "auto" = none. A quick look counts only when
 *         it agrees with the hint; else libblkid decides.
 * Returns 0 with *ret filled (also VOLUME_NOTHING), -EBADMSG when several file systems answer,
 * -ELIBACC when libblkid is needed and not there, other -errno.
 */
int probe_device(int fd, const char *hint, struct probe *ret);
