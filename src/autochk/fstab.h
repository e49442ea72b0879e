/* SPDX-License-Identifier: MIT */
/*
 * fstab.h - the quick reader of /etc/fstab, for the boot that has nothing to mount but /
 *
 * libmount is the authority for fstab. But loading it costs more than all the rest of autochk, so
 * this reader first asks whether it is needed at all. It knows only lines without escapes, with
 * four to six fields, plain options and nothing to mount; at the first other line it gives up and
 * the whole file is libmount's (mounts.c). It reports nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "autochk/volume.h"

/*
 * fstab_quick - read a whole fstab, if it is that simple
 *   text, n     the file's bytes
 *   is_mounted  says whether something is mounted at a target already; who is handed to it
 *   ret         filled; meaningless unless true is returned
 * Returns true when ret holds every line and none of them needs libmount. A line needs none when
 * it is a comment, the root with plain options, swap, noauto, or mounted already with pass 0.
 */
bool fstab_quick(const char *text, size_t n,
		 bool (*is_mounted)(const void *who, const char *target), const void *who,
		 struct volumes *ret);

/*
 * volume_finish - set the flags of a volume from its target, type and options
 * Used by both readers, so that they cannot differ.
 */
void volume_finish(struct volume *v);
