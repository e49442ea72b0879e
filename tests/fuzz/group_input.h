/* SPDX-License-Identifier: MIT */
/*
 * group_input.h - one input of the target of groups: its parts, and what is made right in them
 *
 * Byte 0 is what is made right (TRY_*), byte 1 the trouble of the first boot (0 none, to 127 the
 * point where it is cut, then the file call that fails), 2..3 the length of the group, 4..5 of the
 * journal; then they, and the things.
 */
#pragma once

#include "fuzz.h"
#include "pending/group.h"
#include "pending/record.h"

#define HEAD        6u
#define ID          1u
#define PATH_ROOM   2048u
#define PLACES_ENDS 1024u /* larger groups are only read */
#define FAILS       128u  /* in byte 1, and above: a file call fails */

enum {
	TRY_SUM = 1,         /* the group's number, length and checksum */
	TRY_IDENTITY = 2,    /* and file systems, identities, sizes and digests as they are */
	TRY_RECORDS = 4,     /* records are of this group */
	TRY_THINGS = 8,      /* things are of this group, */
	TRY_THING_ROWS = 16, /* and are things of the machine */
	TRY_ACCEPTED = 32,   /* all of it happened before the last accepted boot */
	TRY_BACK_FIRST = 64,
	TRY_UNDO = 128, /* a second group takes the first one back */
};

struct input {
	unsigned tries, trouble;
	struct group_header *group; /* as the file has it */
	size_t group_n;
	const struct group_header *good; /* the same, when group_check lets it through */
	uint8_t *journal;
	size_t journal_n;
	uint8_t *things;
	size_t things_n;
	int problems; /* that libsm foresees */
	bool fallback;
	int result;
	uint32_t keep;
};
extern struct input in;

/* input_split - the parts, each in memory of just its length; n >= HEAD */
void input_split(const uint8_t *data, size_t n);
/* input_mend_group - as TRY_SUM and TRY_IDENTITY say; the machine stands already */
void input_mend_group(void);
/* input_mend_records - the journal and the things; in.good is known by now */
void input_mend_records(void);
void input_free(void);
