/* SPDX-License-Identifier: MIT */
/*
 * boot.h - what the boot roles share among themselves
 *
 * Small rules that must be the same everywhere: whom a file must belong to before a boot believes
 * it, how a file is published below /run/smss. Never in the
 * master: only copies link through here. Rules: design §4, law 11 and 12.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "pending/run.h"
#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"

#define MIB (1024u * 1024u)

/*
 * boot_owned - only root can write what this stat is of
 * Inside a user namespace that does not map every user, files of the machine's root appear as the
 * overflow user; there its files count as root's, since nobody of the namespace can write them.
 */
bool boot_owned(const struct sys_stat *st);

/*
 * boot_publish - a small file below /run/smss, whole or not at all
 *   name   plain name; the old file, if any, is replaced. Mode 0644. Not durable: /run is memory.
 * Returns 0 or -errno.
 */
int boot_publish(const char *name, const void *bytes, size_t n);

/*
 * boot_say - copy_item with a remark of two or three parts and an errno
 *   err  positive errno or 0; its text is put behind the remark
 */
void boot_say(const struct copy *c, enum result result, int err, const char *name,
	      const char *remark);

/*
 * boot_open_owned - a file of the registry: a plain one that only root can write (law 11)
 *   path  walked as law 12 says;  ret  what it is
 * Returns its fd (caller's) or -errno (-EPERM: others can write it, -EINVAL: no plain file).
 */
int boot_open_owned(const char *path, struct sys_stat *ret);

/*
 * boot_lkg_off - whether levels can be chosen by this state directory: it is read before anything
 * is mounted, so on a machine it must be on the root file system itself
 *   dir  its fd;  why  what to say is added here when it is not
 */
bool boot_lkg_off(const struct copy *c, int dir, struct text *why);

/*
 * boot_tell_state - what LastKnownGood stands at now, for the master (SM_STATE_READY)
 *   s      the state as read or written, NULL = it cannot be;  flags  SM_LKG_* to add to its own
 *   text   for people, may be ""
 * Returns 0, or -errno when the master cannot be reached or refuses.
 */
int boot_tell_state(const struct copy *c, const struct boot_state *s, uint32_t flags,
		    const char *text);

/*
 * boot_groups_new - whether groups wait that Current was not tried with (state_groups_new)
 *   dir  fd of the state directory;  ret  what waits; nothing when that cannot be told
 */
bool boot_groups_new(int dir, const struct boot_state *s, struct pending_waits *ret);
