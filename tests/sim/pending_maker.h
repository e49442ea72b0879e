/* SPDX-License-Identifier: MIT */
/*
 * pending_maker.h - writes a model's group as the file that the product reads
 */
#pragma once

#include "model_pending.h"

#define MAKER_STATE "/state"

struct made_thing { /* what a thing was when it came to be */
	uint64_t ino, tag, bytes;
	uint8_t digest[32];
};

/* maker_write - the group's file, durable; id is its number. Returns 0 or -errno. */
int maker_write(const struct m_group *g, unsigned id, const struct made_thing *things);
