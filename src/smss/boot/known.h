/* SPDX-License-Identifier: MIT */
/*
 * known.h - the known libraries: found, checked, read ahead, listed
 *
 * Its own copy when digests are pinned, else a second job of the paging copy.
 */
#pragma once

#include "smss/copy.h"

#define KNOWN_LIST "KnownDlls" /* below RUN_DIRECTORY */

/*
 * known_check - phase 8, all of it
 * Reports by items. Returns enum copy_exit: COPY_FAILED only under the policy "stop".
 */
int known_check(struct copy *c);
