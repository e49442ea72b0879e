/* SPDX-License-Identifier: MIT */
/*
 * record.h - what became of a group: its journal, and the things found at its places
 *
 * The journal is a file of records of 64 bytes, each with a checksum; the last whole one counts.
 * The things file keeps what stood at every place before the group touched anything: by it a step
 * that was cut is finished or taken back. Its order of writes is the proof: BEGIN and the things
 * are durable before the first rename; every file system is synced before COMMIT is written; a
 * COMMIT is durable before anybody is told. Source: design §6.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pending/group.h"

enum group_event {
	GROUP_EV_BEGIN = 1,   /* the group is about to be applied; counted before the risk */
	GROUP_EV_COMMIT,      /* applied, and all of it is durable */
	GROUP_EV_FAILED,      /* a step failed: all of it was taken back */
	GROUP_EV_REFUSED,     /* nothing was touched: what it wants is not there, or not allowed */
	GROUP_EV_QUARANTINED, /* failed or cut too often: not tried again by itself */
	GROUP_EV_REVERTING,   /* what was applied is about to be taken back (fallback) */
	GROUP_EV_REVERTED,
	GROUP_EV_PURGED, /* what was replaced is gone: it cannot be taken back any more */
	GROUP_EV_RETRY,  /* an operator's word: try it again, attempts count from 0 */
	GROUP_EV_EVENTS
};

enum group_state {
	GROUP_QUEUED,
	GROUP_BEGUN, /* cut on its way */
	GROUP_APPLIED,
	GROUP_FAILED, /* taken back; tried once more */
	GROUP_REFUSED,
	GROUP_QUARANTINED,
	GROUP_REVERTING, /* cut on its way back */
	GROUP_REVERTED,
	GROUP_STATES
};

struct group_record {
	uint32_t crc; /* CRC-32C of the record with this field 0 */
	uint32_t event;
	uint32_t id;
	uint32_t op;      /* the operation that failed, or NO_PLACE */
	int32_t result;   /* -errno or a GROUP_WHY_* */
	uint32_t foreign; /* things not of the group that stood in the way and were put aside */
	uint64_t boots;   /* number of the boot */
	uint64_t wall_s;
	uint32_t group_crc; /* of the group it is about: its header's crc */
	uint8_t reserved[20];
};
_Static_assert(sizeof(struct group_record) == 64, "a record never crosses a sector");

struct group_story { /* a journal, read */
	enum group_state state;
	uint32_t attempts; /* BEGINs since it was queued or retried */
	bool purged;
	bool stuck;               /* its graveyards hold what could not go home: they stay */
	struct group_record last; /* the newest record */
	uint64_t applied_boots;   /* boot of the COMMIT, 0 none */
	uint64_t end;             /* where the next record goes */
	uint32_t group_crc;       /* of the group file that lies there; 0 none could be read */
	uint32_t aside; /* things of others that are in its graveyards, if they were not purged */
	bool alien;     /* there are records, and all of them are about another group */
	bool lost;      /* its records are gone, and its things tell that it had begun */
};

/* Why a group was refused or failed, beyond errno; all below -4096. */
#define GROUP_WHY_IDENTITY  (-4097) /* the file found is not the file that was queued */
#define GROUP_WHY_DIGEST    (-4098) /* its content is not what was queued */
#define GROUP_WHY_PROTECTED (-4099)
#define GROUP_WHY_LINK      (-4100) /* a link in the way */
#define GROUP_WHY_MOVED_FS  (-4101) /* another file system is mounted there now */
#define GROUP_WHY_KIND      (-4102) /* a directory in a file's place, or the reverse */
#define GROUP_WHY_MOUNT     (-4103) /* something is mounted on it */
#define GROUP_WHY_GONE      (-4104) /* a thing of the group is nowhere any more */
#define GROUP_WHY_FORM      (-4105) /* the group file is damaged */
#define GROUP_WHY_KEPT      (-4106) /* what it replaced is not kept, or nothing was */
#define GROUP_WHY_ALIEN     (-4107) /* its journal is another group's */
#define GROUP_WHY_STUCK     (-4108) /* something of it cannot go back, and stays put aside */

/* group_why_text - a result in words: errno or GROUP_WHY_*. */
const char *group_why_text(int result);
/* group_state_word - "queued", "begun", "applied", "failed", "refused", "quarantined", ... */
const char *group_state_word(unsigned state);

/*
 * story_read - the journal of a group; none is a group that was just queued
 *   dir  fd of the pending directory
 * Records about another group (of another machine, say) do not count, though they stay. Without a
 * record of its own, but with its things, a group had begun. Torn records at the end are ignored,
 * and so is what is no file. Returns 0 or -errno.
 */
int story_read(int dir, uint32_t id, struct group_story *ret);

/*
 * story_add - append a record and make it durable (fsync of the file, and of dir when new)
 * Fills crc, event, id, wall_s, group_crc; *story is moved on. Returns 0 or -errno.
 */
int story_add(int dir, uint32_t id, enum group_event event, struct group_record record,
	      struct group_story *story);

struct thing {        /* an object by its identity within its file system */
	uint64_t ino; /* 0 = nothing was there */
	uint64_t tag;
};

struct things_header {
	char magic[8]; /* "SMSSTHNG" */
	uint32_t crc;  /* CRC-32C of the whole file with this field 0 */
	uint32_t group_crc;
	uint32_t id;
	uint32_t count;
};

/*
 * record_set_aside - something else stands where a file of the group belongs: to NUMBER.odd
 *   ending  of that file, ".journal"
 * Returns 0 (also when it is a file, or nothing) or -errno.
 */
int record_set_aside(int dir, uint32_t id, const char *ending);

/*
 * things_write - durable; room holds the header's bytes and then count things
 * things_read - 0 when a whole file of this very group is there, -ENOENT or -EILSEQ otherwise
 */
int things_write(int dir, const struct group_header *g, struct things_header *room);
int things_read(int dir, const struct group_header *g, struct things_header *room);
