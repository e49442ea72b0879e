/* SPDX-License-Identifier: MIT */
/*
 * probe.h - what lies on a volume, and whether it wants a check
 *
 * The one file of this room that knows libblkid, and it loads it (dlopen, libblkid.so.1) only when
 * its own quick look does not recognise the volume: for the usual root, an ext4, reading two
 * sectors is enough. Superblocks are hostile input: only fixed places in a fixed buffer are read.
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
 * probe_device - look at an open volume
 *   fd    readable
 *   hint  the type fstab or the kernel names; "" or "auto" = none. A quick look counts only when
 *         it agrees with the hint; else libblkid decides.
 * Returns 0 with *ret filled (also VOLUME_NOTHING), -EBADMSG when several file systems answer,
 * -ELIBACC when libblkid is needed and not there, other -errno.
 */
int probe_device(int fd, const char *hint, struct probe *ret);
