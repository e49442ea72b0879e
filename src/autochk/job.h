/* SPDX-License-Identifier: MIT */
/*
 * job.h - one run of autochk: everything it knows, and its three stages
 *
 * load (what is there), check (what wants it), mount (the rest of fstab). Each stage reports its
 * own items; none stops the next, but a root that wants a reboot.
 */
#pragma once

#include <stdbool.h>

#include "autochk/command.h"
#include "autochk/mountinfo.h"
#include "autochk/settings.h"
#include "autochk/volume.h"

#define FSTAB    "/etc/fstab"
#define LOOK_MS  30000u /* to resolve a name and read two sectors of a volume */
#define MOUNT_MS 60000u /* to mount one file system, journal replay included */

struct job {
	struct command command;
	struct settings settings;
	struct mountinfo mounted;     /* as it was at the start */
	const struct mount_row *root; /* the mount at /, NULL without /proc */
	struct volumes volumes;
};

/* job_load - fstab, the root, volumes asked for by name. Reports wrong lines. */
void job_load(struct job *j);

/* job_check - checks what wants it. Returns true when the root was repaired and a reboot is wanted.
 */
bool job_check(struct job *j);

/* job_mount - / read-write, then the other file systems of fstab. */
void job_mount(struct job *j);

/* job_namespace - the same outside the initial pid namespace, where no block device is ours. */
void job_namespace(struct job *j);

/* job_root - the volume of /, NULL when nothing is known of it. */
struct volume *job_root(struct job *j);

/* job_name - what a volume is called in items: its source, for / its mount point when that is odd.
 */
const char *job_name(const struct volume *v);
