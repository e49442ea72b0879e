/* SPDX-License-Identifier: MIT */
/*
 * devices.h - which devices the boot needs, and waiting for them
 *
 * Those that /etc/fstab names for mounts that are neither "nofail" nor "noauto", and swap. Waiting
 * is looking, with short sleeps, up to the deadline: at this time nobody else needs the processor.
 */
#pragma once

#include "companion/companion.h"

#define DEVICES_MAX  32u
#define DEVICE_BYTES 256u

/*
 * devices_path - the path below /dev that an fstab source stands for
 *   source  "/dev/sda1", "UUID=...", "LABEL=...", "PARTUUID=...", "PARTLABEL=..."; quotes are taken
 * off, \040 and the like are read ret     DEVICE_BYTES Returns 1, 0 when it is no device (tmpfs,
 * nfs, overlay ...), -EINVAL, -ENAMETOOLONG.
 */
int devices_path(const char *source, char *ret);

/*
 * devices_line - does a line of fstab need a device?
 *   line  no newline; changed
 *   ret   DEVICE_BYTES: its path
 * Returns 1, 0 (comment, nofail, noauto, no device), -EINVAL.
 */
int devices_line(char *line, char *ret);

/*
 * devices_wait - until all are there, or until_ns; one timeline row
 *   links  /dev/disk/by-* is kept by somebody (udev): those are waited for too
 * Returns true when none is missing.
 */
bool devices_wait(const struct companion *c, bool links, uint64_t until_ns);
