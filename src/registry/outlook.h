/* SPDX-License-Identifier: MIT */
/*
 * outlook.h - what earlier boots say of the next one: its level, and a queue that was run already
 */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "plan/plan.h"
#include "registry/hive.h"

enum outlook_done { OUTLOOK_UNKNOWN = -1, OUTLOOK_WAITS, OUTLOOK_DONE };

struct outlook {
	bool known;                   /* the state was read */
	enum outlook_done queue_done; /* a boot has run the queue of this hive */
	unsigned level;               /* enum sm_level that boots next, when known */
	char why[160];                /* "" nothing to add */
};

/*
 * outlook_read - look at the state directory; what cannot be read is unknown
 *   hive   its path;  facts  what was read of it
 *   plan   made from it
 */
void outlook_read(struct outlook *ret, const char *hive, const struct hive_facts *facts,
		  const struct plan_header *plan, const char *state);
