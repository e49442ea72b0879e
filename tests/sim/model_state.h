/* SPDX-License-Identifier: MIT */
/*
 * model_state.h - what a person would expect of boot.state, for the tests under power cuts
 *
 * Knows nothing of generations, slots or checksums. model_do says what an act means, state_do asks
 * the product for it, model_fits compares.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "state/state.h"

#define BOOT_A "aaaaaaaa-0000-4000-8000-000000000001"
#define BOOT_B "bbbbbbbb-0000-4000-8000-000000000002"

enum act {
	ACT_COUNT,
	ACT_COUNT_SAME,
	ACT_ACCEPT,
	ACT_ACCEPT_LKG,
	ACT_REJECT,
	ACT_NEXT_LKG,
	ACT_CHANGE,
	ACT_END,
	ACT_END_EARLY,
	ACT_END_UP,
	ACT_STOP,
	ACT_QUEUE,
	ACTS
};

struct model { /* what a person would expect, nothing of generations or slots */
	uint32_t attempts[STATE_LEVELS], early[STATE_LEVELS];
	uint32_t level, running, accepted, once, stop_code, stop_count;
	uint64_t boots, lkg_s, accepted_boots;
	unsigned hive[2], counted[2]; /* which is on the disk, and which the attempts are of */
	char boot_id[40];
	bool queue_done;
};

/* model_do - the model after act; level is the number that the act takes, if any. */
void model_do(struct model *m, enum act act, unsigned level);
/* model_refuses - the -errno that the product must answer; 0 = none. */
int model_refuses(const struct model *m, enum act act);
/* model_fits - the state is what the model says. */
bool model_fits(const struct model *m, const struct boot_state *s);
/* state_do - the same act by the product. */
int state_do(int dir, enum act act, unsigned level, const unsigned on_disk[2]);
