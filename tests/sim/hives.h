/* SPDX-License-Identifier: MIT */
/*
 * hives.h - hives and plans of the LastKnownGood test, and what its copies ask of their master
 *
 * A hive is known by its edition: its content, whether a reader can read it and how many attempts
 * it gets all follow from that number, so that what lies on the disk can be told from its copy.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "plan/plan.h"

#define ETC        "/etc/smss"
#define STATE      "/state"
#define HIVE_BYTES 4096u

struct hive {
	char magic[4];
	uint32_t edition; /* the base block's sequence, and the test's name of this content */
	uint8_t rest[504];
	uint32_t bad; /* no reader can read it */
	uint32_t crc;
	uint8_t body[HIVE_BYTES - 520];
};
_Static_assert(sizeof(struct hive) == HIVE_BYTES, "a page");

bool hive_is_bad(uint32_t edition);
/* hive_allowed - BootAttempts of this content. */
uint32_t hive_allowed(uint32_t edition);
void hive_make(struct hive *h, uint32_t edition);
/* hive_digest - of its base block; zeros for edition 0. */
void hive_digest(uint32_t edition, uint8_t ret[SHA256_BYTES]);
/* hive_on_disk - the edition of a hive file, which must be whole; 0 = none. */
uint32_t hive_on_disk(const char *path);
/* hive_plan - its plan, in a room of its own: the next one overwrites it. Returns its length. */
int hive_plan(uint32_t edition, const struct plan_header **ret);
/* hive_plan_is_right - if the plan at path fits this hive, it was made from it, and it is whole. */
void hive_plan_is_right(const char *path, uint32_t edition);

extern bool reader_wanted; /* the plan copy would have become smreg */
