/* SPDX-License-Identifier: MIT */
/*
 * protect.h - which paths a queued rename or delete may name, and which it must leave alone
 *
 * A queue entry runs as root before anybody watches (MITRE T1070.004, T1547): what the next boot
 * rests on, and what tells of the last one, is not for it unless AllowProtectedRenames says so.
 * Pure. Source: design §5 (AllowProtectedRenames), nt-reference §4.6.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define IMAGE_DIRECTORY "/usr/lib/smss" /* where our own images lie */

/*
 * protect_canonical - an absolute path with no ".", "..", "//", no slash at its end, and shorter
 * than PATH_BYTES; "/" itself is none
 */
bool protect_canonical(const char *path);

/*
 * protect_covers - path is protected: it is one of ours, lies below one, or holds one
 *   path   canonical
 *   hive   the hive's path: it, its siblings ("SYSTEM.plan", ...) and what holds them are protected
 *   state  the state directory
 */
bool protect_covers(const char *path, const char *hive, const char *state);
