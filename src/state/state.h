/* SPDX-License-Identifier: MIT */
/*
 * state.h - what must survive a power cut: boot.state, the rename journal, stops
 *
 * All of it lies in the state directory (/var/lib/smss, kernel word smss.state=) and is written by
 * copies, never by the master. boot.state has two checksummed slots of 512 bytes; the one with the
 * higher generation counts, the other is overwritten next, and each write is followed by
 * fdatasync: a cut leaves the old slot or the new one. Proved in tests/sim at every write.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sha256.h"

#define STATE_DIRECTORY  "/var/lib/smss"
#define STATE_FILE       "boot.state"
#define STATE_SLOT_BYTES 512u
#define STATE_LEVELS     3u
#define STATE_REJECTED   UINT32_MAX  /* attempts of a level that was rejected by hand: used up */
#define STATE_LOCK       "boot.lock" /* held while boot.state is written; root's alone */
#define STATE_EARLY_ENDS 10u         /* in a row, per level: then such an end costs its attempt */

struct boot_state {       /* one slot, as on disk; little-endian */
	char magic[8];    /* "SMSSBOOT" */
	uint32_t version; /* 1 */
	uint32_t crc;     /* CRC-32C of the slot with this field 0 */
	uint64_t generation;
	uint32_t level;                  /* enum sm_level the next boot starts with */
	uint32_t attempts[STATE_LEVELS]; /* begun and not accepted, per level */
	uint32_t running;                /* 1 = a boot was counted and has not ended in order */
	uint32_t accepted;               /* 1 = the running boot was accepted as good */
	uint64_t boots;                  /* counted ever */
	char boot_id[40]; /* kernel's boot_id of the counted boot; tells a killed master from a
			     power cut */
	uint8_t hive_block_sha256[SHA256_BYTES]; /* the hive whose attempts level 0 counts */
	uint8_t queue_done_sha256[SHA256_BYTES]; /* classic queue consumed; never run again */
	uint32_t stop_code;                      /* the last recorded stop, 0 none */
	uint32_t stop_status;
	uint32_t stop_phase;
	uint32_t stop_count; /* unorderly ends in a row */
	uint64_t stop_wall_s;
	char stop_culprit[NAME_BYTES];
	char stop_text[TEXT_BYTES];
	uint64_t lkg_wall_s;                    /* when SYSTEM.lkg was saved, 0 never */
	uint8_t lkg_block_sha256[SHA256_BYTES]; /* the SYSTEM.lkg whose attempts level 1 counts */
	uint32_t once;                     /* 1 + the level asked for the next boot only, 0 none */
	uint32_t early_ends[STATE_LEVELS]; /* in a row, of boots that came up; see enum state_end */
	uint64_t accepted_boots;           /* number of the boot that was accepted last, 0 none */
	uint32_t groups_tried; /* fingerprint of the groups that Current was last tried with, 0 none
				*/
	uint8_t reserved[52];
};
_Static_assert(sizeof(struct boot_state) == STATE_SLOT_BYTES, "a slot is one sector");

enum state_answer {
	STATE_READ,    /* a good slot was found */
	STATE_NEW,     /* no file, or an empty one: defaults were given */
	STATE_DAMAGED, /* a file, and no good slot in it: defaults were given, to be said aloud */
};

/*
 * state_read - the newest good slot
 *   dir  fd of the state directory
 * Returns a state_answer or -errno (EIO, EACCES...). *ret is filled for every state_answer.
 */
int state_read(int dir, struct boot_state *ret);

/*
 * state_write - make *s the newest slot, durably
 * Raises s->generation itself. Creates the file (both slots, fsync, fsync of dir) when missing.
 * Returns 0 or -errno; after a failure the old slot still counts.
 */
int state_write(int dir, struct boot_state *s);

/*
 * state_count_attempt - phase 4b: the boot is counted before the risk
 *   level     enum sm_level this boot runs at
 *   boot_id   kernel's, NUL-terminated
 *   block_sha256  digest of the base block of the level's hive; of level 2, which has none, NULL
 *   ret       the state as written
 * A level's attempts belong to its hive: with another digest they start at 1 again. What was asked
 * for this boot only (once) is over with it, in the same write. When the slot says that an earlier
 * boot is still running, that boot's end is recorded as a stop (STOP_MASTER_KILLED with the same
 * boot_id, STOP_POWER_LOST with another) unless one was written.
 * Returns 0, 1 when such a stop was recorded, or -errno.
 */
int state_count_attempt(int dir, unsigned level, const char *boot_id,
			const uint8_t block_sha256[SHA256_BYTES], struct boot_state *ret);

/*
 * state_used_up - all boots that this level's hive may have were begun, and none of them was good
 *   allowed       BootAttempts of that hive
 *   block_sha256  digest of its base block as it is now; attempts of another hive do not count
 * Never so at level 2, and always so, for its hive, at a level that was rejected. Pure.
 */
bool state_used_up(const struct boot_state *s, unsigned level, uint32_t allowed,
		   const uint8_t block_sha256[SHA256_BYTES]);

/*
 * state_groups_new - whether groups wait that Current was not tried with
 *   groups  their fingerprint as they wait now (pending_fingerprint); 0 = none
 * Hive and files are one configuration: so it is a new one, and attempts that are used up are those
 * of another. Pure.
 */
bool state_groups_new(const struct boot_state *s, uint32_t groups);

/*
 * state_try_groups - phase 4b at Current, before its attempt is counted: these groups wait
 *   groups         as in state_groups_new
 *   allowed, block_sha256  as in state_used_up
 * When they are new, attempts that are used up begin anew, in one write; else nothing is written. A
 * cut between it and the count costs nothing: the same groups are not new again. Returns 0 or
 * -errno.
 */
int state_try_groups(int dir, uint32_t groups, uint32_t allowed,
		     const uint8_t block_sha256[SHA256_BYTES]);

/*
 * state_accept - the running boot is good, in one write
 *   lkg_sha256  digest of the base block of SYSTEM.lkg, which now is the hive that booted; NULL =
 *               SYSTEM.lkg was left as it is
 *   wall_s      when it was saved; 0 = it was there already, its time stays
 * Attempts of the level and of the last level go to 0, those of level 1 too with a digest. Its
 * number becomes accepted_boots: what was done up to this boot is not taken back by a fallback.
 * Returns 0 or -errno (-ESRCH: no counted boot is running).
 */
int state_accept(int dir, const uint8_t lkg_sha256[SHA256_BYTES], uint64_t wall_s);

/*
 * state_reject - the running boot is bad: its level is used up until its hive is changed
 * Returns 0 or -errno: -ESRCH (no counted boot is running), -EEXIST (it was accepted before, and
 * then there is nothing better to go back to), -EINVAL (level 2: there is no lower one).
 */
int state_reject(int dir);

/* state_next_lkg - the next boot takes LastKnownGood, that one only. Returns 0 or -errno. */
int state_next_lkg(int dir);

/*
 * How a boot that was not accepted ends in order. Being rebooted early is no failure, so that its
 * attempt is taken back; but a boot whose own programs reboot it each time would never be left.
 */
enum state_end {
	STATE_END_NOT_UP, /* it had not come up: the attempt stays counted */
	STATE_END_EARLY,  /* it was up, and time would have accepted it: taken back, up to
			     STATE_EARLY_ENDS times in a row; accepting and another hive end the row
			   */
	STATE_END_UP,     /* it was up, and only root could have accepted it: taken back */
};

/*
 * state_orderly_end - the boot ends in order (shutdown, reboot, halt)
 * What was rejected stays rejected. After a recorded stop it changes nothing.
 * Returns 0; 1 when the attempt of a boot that was up stays counted, because too many were; -errno.
 */
int state_orderly_end(int dir, enum state_end how);

/* state_record_stop - a stop is filed: code, culprit, status, phase, text (nt-reference §7). */
int state_record_stop(int dir, uint32_t code, uint32_t status, unsigned phase, uint64_t wall_s,
		      const char *culprit, const char *text);

/* state_queue_done - the classic queue with this digest was consumed, durably. */
int state_queue_done(int dir, const uint8_t digest[SHA256_BYTES]);

/* ---- the journal of classic renames (each entry once) ---- */

#define JOURNAL_FILE "renames.journal"

enum journal_kind { JOURNAL_INTENT = 1, JOURNAL_RESULT = 2 };

struct journal_record { /* 64 bytes on disk */
	uint32_t crc;   /* CRC-32C of the record with this field 0 */
	uint32_t kind;
	uint32_t entry;
	int32_t result;    /* of a JOURNAL_RESULT: 0 or -errno */
	uint64_t dev, ino; /* of the source, when the intent was written */
	uint8_t queue[16]; /* first half of the queue's digest: records of another queue are ignored
			    */
	uint8_t reserved[16];
};
_Static_assert(sizeof(struct journal_record) == 64, "a record never crosses a sector");

struct journal {
	int fd; /* owner: this struct; -1 closed */
	uint8_t queue[16];
	uint32_t results; /* entries with a result, counted from 0 without a gap */
	bool intent_open; /* an intent without a result was found at `results` */
	struct journal_record intent;
	uint64_t end; /* where the next record goes */
};

/*
 * journal_open - open or begin the journal of this queue and find how far it came
 * A torn last record is overwritten. Returns 0 or -errno.
 */
int journal_open(int dir, const uint8_t digest[SHA256_BYTES], struct journal *ret);
/* journal_intent - entry is about to run on source dev/ino; durable on return. */
int journal_intent(struct journal *j, uint32_t entry, uint64_t dev, uint64_t ino);
/* journal_result - entry ended; not synced by itself (the next intent or journal_done does it). */
int journal_result(struct journal *j, uint32_t entry, int32_t result);
/* journal_read_result - the kept result of an entry below j->results. Returns 0 or -errno. */
int journal_read_result(struct journal *j, uint32_t entry, int32_t *ret);
/* journal_done - sync and close. The caller then calls state_queue_done and journal_remove. */
int journal_done(struct journal *j);
int journal_remove(int dir);
