/* SPDX-License-Identifier: MIT */
/*
 * classic.h - the classic queue: PendingFileRenameOperations and its kin, each entry once
 *
 * NT's meaning of an entry (nt-reference §4.3), without its weaknesses (§4.6): results are kept,
 * no link is followed, and a power cut neither loses an entry nor runs it twice, by the journal of
 * state.h. Entries come from SYSTEM.queue, which smreg makes of the hive; no hive is parsed and
 * none is written here. At boot and on a mounted system it is the same engine and the same journal,
 * so what one began the other goes on with.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "pending/rename_op.h"
#include "plan/plan.h"

#define QUEUE_ENDING  ".queue"         /* beside the hive */
#define RENAME_REPORT "renames.report" /* in the state directory, one JSON object a line */

struct classic_told { /* one entry has ended, now or before a cut */
	uint32_t entry;
	const struct plan_row *row;
	int32_t kept;      /* 0, -errno or RENAME_* */
	uint64_t start_ns; /* 0 = it ended earlier */
};

struct classic_queue {
	const struct plan_header *queue; /* plan_check has passed it, and it fits its hive */
	uint8_t digest[SHA256_BYTES];    /* of the whole file */
	int state;                       /* fd of the state directory */
	const char *prefix;              /* "" or, offline, the directory that stands for "/" */
	uint64_t boots;                  /* number of the boot that results are kept for */
	bool cancel;                     /* nothing is begun any more: what is left is cancelled */
	bool (*protects)(void *arg, const char *path); /* NULL: AllowProtectedRenames is set */
	void (*tell)(void *arg, const struct classic_told *told); /* may be NULL */
	void *arg;
};

enum classic_stage {                  /* where it ended early */
		     CLASSIC_LOCK,    /* somebody else is working on the queue */
		     CLASSIC_STATE,   /* the state directory cannot be read */
		     CLASSIC_JOURNAL, /* no journal: nothing was run */
		     CLASSIC_ENTRIES, /* stopped on the way; what is left is kept */
		     CLASSIC_REPORT,  /* all ran, the report is not written; the journal is kept */
		     CLASSIC_MARK,    /* the queue could not be marked as done */
};

/*
 * classic_check_entry - what can be said of an entry without looking at files
 *   protects, arg  as in classic_queue
 *   ret            what it wants, its root excepted
 * Returns 0, RENAME_MALFORMED or RENAME_PROTECTED.
 */
int classic_check_entry(const struct plan_header *queue, const struct plan_row *row,
			bool (*protects)(void *arg, const char *path), void *arg,
			struct rename_what *ret);

/*
 * classic_run - every entry that has no result yet, then the report, then the mark
 * Takes the lock of groups where there is one. Returns 0, 1 (this queue was consumed earlier:
 * nothing was done), or -errno and where; every such end is gone on with by the next run.
 */
int classic_run(const struct classic_queue *q, enum classic_stage *ret_where);

/*
 * classic_done - 1 when a boot or an operator has consumed the queue of that digest, 0, or -errno
 *   state  fd of the state directory; -1: there is none, and so nothing was consumed
 */
int classic_done(int state, const uint8_t digest[SHA256_BYTES]);

/* classic_text - a kept result in words; "" for 0. A constant. row may be NULL. */
const char *classic_text(const struct plan_row *row, int32_t kept);

/* classic_result - enum result of a kept result: ok, refused, failed, or skipped (cancelled). */
unsigned classic_result(int32_t kept);
