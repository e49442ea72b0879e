/* SPDX-License-Identifier: MIT */
/*
 * replay.h - the newest changes of a dirty hive, from the logs beside it into a private copy
 *
 * Windows writes changes to a log first. A hive whose last write was cut parses without an error
 * and says wrong things; what is right lies in its logs. A log counts only when its checksum, its
 * hashes, its order and its times say that it belongs to this hive; an entry is applied whole or
 * not at all; nothing is searched for behind the first one that fails. Source: regf.md §3, §4.
 */
#pragma once

#include "registry/hive.h"
#include "registry/regf.h"

/*
 * replay - apply the logs of a dirty hive to its copy, base block included
 *   copy        at least 4096 bytes; grows up to HIVE_BYTES_MAX
 *   block_good  the base block's checksum was right; else a log must bring another one
 *   f           takes what was applied, per log and in all, and the reason per log
 * Returns 1 (something was applied: the copy must be walked now, and thrown away when that fails),
 * 0 (nothing was, the copy is as before), -ENOMEM.
 */
int replay(struct regf *copy, const struct hive_source *from, bool block_good,
	   struct hive_facts *f) _must_check_;
