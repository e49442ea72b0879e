/* SPDX-License-Identifier: MIT */
/*
 * sm_pending.h - libsm: the queue of pending file operations
 *
 * A part of sm.h, which includes it; conventions and errors are told there. The queue is a protocol
 * of files: nothing here needs a session manager.
 */
#ifndef SM_PENDING_H
#define SM_PENDING_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pending groups: renames, replacements and deletes that the next boot carries out ---- */

/*
 * The queue is files in the state directory, so these functions need no session manager and no
 * connection; with a root other than "/" they work on a mounted system. A group is whole or not at
 * all; smss-pending(7) says what is promised. Beside -errno, results below -4096 are reasons of
 * the queue's own; sm_reason_text words both.
 */
#define SM_STATE_DIRECTORY    "/var/lib/smss"
#define SM_GROUP_NAME_BYTES   64          /* its NUL included */
#define SM_GROUP_REASON_BYTES 160         /* its NUL included */
#define SM_GROUP_PATH_BYTES   1024        /* its NUL included */
#define SM_NO_OPERATION       0xFFFFFFFFu /* the group as a whole */

/* sm_reason_text - a result in words; "success" for 0. Returns a constant, never NULL. */
const char *sm_reason_text(int r);
/*
 * sm_reason_word - the same in one word that stays as it is, for programs: "identity", "digest",
 * "protected", "link", "exists", "missing", ...; smss-pending(7) lists them. "" for 0, "other" for
 * what has none. Returns a constant, never NULL.
 */
const char *sm_reason_word(int r);

/* The queue of one system; made by sm_queue_open, ended by sm_queue_close. */
struct sm_queue;

/*
 * sm_queue_open - the queue of this machine, or of a mounted system
 *   root   directory that stands for "/"; NULL = "/"
 *   state  the state directory as that system sees it; NULL = SM_STATE_DIRECTORY
 *   hive   the hive as that system sees it, which is protected; NULL = "/etc/smss/SYSTEM"
 * A state directory that is not there is an empty queue; it is made when a group is queued.
 * Returns 0, -EINVAL (a path that is not canonical), -ENOMEM, or what openat(2) returns.
 */
int sm_queue_open(const char *root, const char *state, const char *hive, struct sm_queue **ret);
void sm_queue_close(struct sm_queue *q);

/* A group in memory: being written, or read. Made by sm_group_new or sm_group_open. */
struct sm_group;

#define SM_GROUP_ALLOW_PROTECTED (1u << 0) /* protected paths may be touched; for root */

/*
 * sm_group_new - begin a group
 *   name    for people; NULL = none. Cut to its field, as is reason
 *   reason  why; NULL = none
 *   flags   SM_GROUP_ALLOW_PROTECTED
 * Nothing is written before sm_group_queue. Returns 0, -EINVAL or -ENOMEM.
 */
int sm_group_new(struct sm_queue *q, const char *name, const char *reason, unsigned flags,
		 struct sm_group **ret);

/*
 * sm_group_open - a group of the queue, to be looked at, checked or, while it waits, added to
 * Returns 0, -ENOENT, -ENOMEM, a reason (the file is damaged) or -errno.
 */
int sm_group_open(struct sm_queue *q, uint32_t group, struct sm_group **ret);
void sm_group_free(struct sm_group *g);

#define SM_OP_REPLACE  (1u << 0) /* what is at the target makes room; it need not be there */
#define SM_OP_OPTIONAL (1u << 1) /* a delete of what is gone already is no failure */
#define SM_OP_DIGEST   (1u << 2) /* SHA-256 also of a file larger than 64 kB */

/*
 * sm_group_move, sm_group_delete - one more operation; they are carried out in this order
 *   from, to, path  absolute; no "." or ".." in them. A slash at the end demands a directory
 * A move to another file system is copied when the group is queued. Returns 0, -EINVAL, -E2BIG
 * (1,000,000 operations are the most), -ENAMETOOLONG, -ENOMEM, or a reason.
 */
int sm_group_move(struct sm_group *g, const char *from, const char *to, unsigned flags);
int sm_group_delete(struct sm_group *g, const char *path, unsigned flags);

/* What would make an operation fail. */
struct sm_problem {
	uint32_t operation; /* its number, from 0, or SM_NO_OPERATION */
	int reason;         /* for sm_reason_text */
	uint32_t group;     /* another one that it is about: that waits and comes first, or that an
			       undo takes back, and then the operation is one of that; 0 = none */
	const char *path;   /* what it is about; valid during the call only. "" = nothing */
};

/* Told while a group is checked or queued; every member may be NULL. */
struct sm_watch {
	void (*problem)(void *arg, const struct sm_problem *p);
	/* what: "looking", "copying", "writing"; done and all count operations or bytes */
	void (*progress)(void *arg, const char *what, uint64_t done, uint64_t all);
	void *arg;
};

/*
 * sm_group_check - what would fail if the group were carried out now; changes nothing
 * Every problem of every operation is told, and each mistake once: an operation whose path goes
 * through something that is moved before it tells that alone. Of a queued undo it is asked whether
 * everything is where the group that it takes back left it. Returns how many there are, or -errno.
 */
int sm_group_check(struct sm_group *g, const struct sm_watch *watch);

/*
 * sm_group_queue - check, copy what goes to another file system, and queue it durably
 *   ret_group  its number
 * After 0 the next boot carries it out. Returns 0, the number of problems (nothing was queued),
 * -EBUSY (the boot, or somebody else, is working on the queue), or -errno.
 */
int sm_group_queue(struct sm_group *g, const struct sm_watch *watch, uint32_t *ret_group);

enum sm_group_state {
	SM_GROUP_QUEUED = 0,
	SM_GROUP_BEGUN = 1, /* cut on its way; the next boot goes on */
	SM_GROUP_APPLIED = 2,
	SM_GROUP_FAILED = 3,      /* all of it was taken back; it is tried once more */
	SM_GROUP_REFUSED = 4,     /* nothing was touched */
	SM_GROUP_QUARANTINED = 5, /* failed or cut twice: taken back, not tried again by itself */
	SM_GROUP_REVERTING = 6,   /* cut on its way back; the next boot goes on */
	SM_GROUP_REVERTED = 7,
	SM_GROUP_CANCELLED = 8,
	SM_GROUP_DAMAGED = 9 /* its file cannot be read */
};

struct sm_group_row {
	uint32_t group; /* its number; also the order */
	enum sm_group_state state;
	uint32_t operations;
	uint32_t of;        /* the group it takes back; 0 = none */
	uint32_t uid;       /* who queued it */
	uint32_t attempts;  /* begun so often since it was queued or retried */
	uint32_t operation; /* that failed, or SM_NO_OPERATION; of an undo, one of group `of` */
	int reason;         /* why; 0 = none */
	uint32_t foreign;   /* things of others put aside so far, see sm_group_aside_next */
	bool allow_protected;
	bool purged;   /* what it replaced is gone */
	bool accepted; /* it is applied, or reverted, in a boot that was accepted: no fallback
			  changes that, and what it replaced goes with a purge */
	uint64_t queued_wall_s;
	uint64_t last_wall_s;  /* of what happened last; 0 = nothing yet */
	uint64_t last_boot;    /* number of that boot */
	uint64_t applied_boot; /* 0 = it is not applied */
	char name[SM_GROUP_NAME_BYTES];
	char text[SM_GROUP_REASON_BYTES]; /* the reason it was queued for */
	char path[SM_GROUP_PATH_BYTES];   /* that the operation failed at, or "" */
};

/*
 * sm_group_next - one group after another, oldest first
 *   cursor  in and out: 0 for the first call
 * Returns 1 with *ret filled, 0 past the last, or -errno.
 */
int sm_group_next(struct sm_queue *q, uint32_t *cursor, struct sm_group_row *ret);
/* sm_group_state_word - "queued", "begun", "applied", ...; "?" for another number. */
const char *sm_group_state_word(enum sm_group_state state);

struct sm_operation {
	bool deletes; /* else it moves */
	bool replace, optional;
	bool copied;           /* to another file system; from is what will be gone */
	const char *from, *to; /* to "" for a delete; valid until the next call about this group */
	uint64_t bytes;        /* of a file; 0 of anything else */
	const uint8_t *sha256; /* 32 bytes, or NULL */
};

/* sm_group_operation - operation i, from 0. Returns 1 with *ret filled, 0 past the last. */
int sm_group_operation(struct sm_group *g, uint32_t i, struct sm_operation *ret);

/* One line of a group's story. */
struct sm_group_event {
	const char *event;  /* "begun", "applied", "failed", "refused", ... */
	uint32_t operation; /* or SM_NO_OPERATION */
	int reason;
	uint32_t foreign;
	uint64_t boot, wall_s;
	char path[SM_GROUP_PATH_BYTES]; /* that the operation failed at, or "" */
};

/*
 * sm_group_history - what happened to a group, oldest first
 *   cursor  in and out: 0 for the first call
 * Returns 1 with *ret filled, 0 past the last, or -errno.
 */
int sm_group_history(struct sm_queue *q, uint32_t group, uint32_t *cursor,
		     struct sm_group_event *ret);

/*
 * sm_group_kept - bytes of what lies in the graveyards of a group, in whole pages of 4 kB
 * Every file there is looked at; deeper than 32 directories and on a file system that is away
 * nothing is. Returns 0, -ENOENT, a reason (the file is damaged) or -errno.
 */
int sm_group_kept(struct sm_queue *q, uint32_t group, uint64_t *ret_bytes);

/* Something in a graveyard of a group that is not the group's. */
struct sm_aside {
	char directory[SM_GROUP_PATH_BYTES]; /* the graveyard, as that system sees it */
	char name[256];                      /* in it: of a slot, a number */
};

/*
 * sm_group_aside_next - one thing after another that a group put aside, as it stood in its way
 *   cursor  in and out: 0 for the first call, which looks at the graveyards
 * Where it is not known any more what is the group's, nothing is told. Returns 1 with *ret filled,
 * 0 past the last (also without such a group), or -errno.
 */
int sm_group_aside_next(struct sm_queue *q, uint32_t group, uint32_t *cursor, struct sm_aside *ret);

/*
 * sm_group_cancel - a group that has not begun is not carried out; its report stays
 * Returns 0, -ENOENT, -EALREADY (it has begun), -EBUSY, -errno.
 */
int sm_group_cancel(struct sm_queue *q, uint32_t group);

/*
 * sm_group_undo - queue a group that takes back an applied one
 * Returns 0, -ENOENT, -EINVAL (it is not applied), -ENODATA (what it replaced is gone), -EALREADY
 * (that is queued already), -EBUSY, -errno, or a reason (it is an undo itself: to have again what
 * that took back, sm_group_retry of the group that is its `of`).
 */
int sm_group_undo(struct sm_queue *q, uint32_t group, const char *reason, uint32_t *ret_group);

/*
 * sm_group_retry - a failed, refused or quarantined group is tried again, as if just queued
 * Returns 0, -ENOENT, -EINVAL (it is in none of these states), -EALREADY (a group that takes it
 * back waits, or was applied in a boot that is not accepted yet), -EBUSY (or what it kept is being
 * purged), -errno.
 */
int sm_group_retry(struct sm_queue *q, uint32_t group);

/*
 * sm_queue_apply - carry out the queue now, as the next boot would
 *   fallback  take back what no accepted boot has kept, as a fall back to LastKnownGood does
 *   told      called with what became of each group; may be NULL
 * After the groups the classic entries, unless it falls back (see sm_classic_watch). For a system
 * that is not running. Returns 0 when all that was due is done, 1 when some was not (each was
 * told), -EBUSY, -errno.
 */
int sm_queue_apply(struct sm_queue *q, bool fallback,
		   void (*told)(void *arg, const struct sm_group_row *row), void *arg);

/* What is kept of what groups replaced: all that lies within every one of these. */
struct sm_keep {
	uint32_t groups; /* the newest so many; UINT32_MAX = any number */
	uint32_t days;   /* as old; UINT32_MAX = any age */
	uint64_t bytes;  /* of all of them together; UINT64_MAX = any size */
	bool unaccepted; /* also what no accepted boot has kept: then no fallback can swap it back
			  */
};

struct sm_purged {
	uint32_t groups;     /* whose things are gone now */
	uint32_t left;       /* whose things should go and could not: their file system is away */
	uint32_t unaccepted; /* that hold things because no boot has accepted them yet */
};

/*
 * sm_queue_purge - give back what applied groups replaced, beyond what is to be kept
 * Returns 0 with *ret filled, -EBUSY, or -errno.
 */
int sm_queue_purge(struct sm_queue *q, const struct sm_keep *keep, struct sm_purged *ret);

/* ---- what the next boot is, to groups ---- */

struct sm_next_boot {
	unsigned level; /* enum sm_boot_level it begins with; below SM_BOOT_CURRENT no group is
			   carried out */
	bool again;     /* Current was rejected or its attempts are used up, and is tried again, as
			   groups wait that it was not tried with */
	uint32_t groups, first; /* how many wait to be begun, and the lowest number of them */
};

/*
 * sm_queue_next_boot - the level of the next boot by what earlier ones left in the state directory
 * For the case that the running one, if any, ends in order and nobody changes hive or groups. A
 * hive that cannot be read any more, and kernel words, are not foreseen.
 * Returns 0 (also when no boot has kept a state yet: Current), -EACCES, or -errno.
 */
int sm_queue_next_boot(struct sm_queue *q, struct sm_next_boot *ret);

/* ---- classic entries: renames and deletes that other tools wrote into the hive ---- */

/*
 * PendingFileRenameOperations, its second and FileRenameOperations, as smreg put them into the
 * queue file beside the hive. The hive itself is neither parsed nor written here.
 */
enum sm_classic_state {
	SM_CLASSIC_NONE = 0,  /* no hive, or no entry in it */
	SM_CLASSIC_WAITS = 1, /* the next boot runs them */
	SM_CLASSIC_BEGUN = 2, /* cut on the way; the next boot goes on */
	SM_CLASSIC_DONE = 3,  /* an earlier boot has run them, or they were cancelled */
	SM_CLASSIC_STALE = 4, /* the queue file is of another state of the hive: nothing runs before
				 `smreg plan --write` has made it anew */
	SM_CLASSIC_DAMAGED = 5 /* the queue file cannot be used; the same helps */
};

/*
 * sm_classic_standing - what the classic entries of this system stand at, by the files as they are
 * Returns an enum sm_classic_state, or -errno.
 */
int sm_classic_standing(struct sm_queue *q);
/* sm_classic_state_word - "none", "waits", "begun", "done", "stale", "damaged"; "?" otherwise. */
const char *sm_classic_state_word(enum sm_classic_state state);

struct sm_classic_row { /* strings are valid until the queue is looked at again or closed */
	uint32_t entry; /* its number, from 0; also the order */
	enum sm_classic_state state;
	const char *value;     /* of the hive: "PendingFileRenameOperations", ... */
	const char *from, *to; /* to "" for a delete */
	bool replace;          /* what is at `to` makes room */
	bool malformed;        /* never run; from is what the value holds */
	const char *why;       /* why it is malformed, else "" */
};

/*
 * sm_classic_next - one entry after another
 *   cursor  in and out: 0 for the first call, which looks at the files
 * Returns 1 with *ret filled, 0 past the last (also without a hive), or -errno.
 */
int sm_classic_next(struct sm_queue *q, uint32_t *cursor, struct sm_classic_row *ret);

/*
 * sm_classic_check - what the boot would meet if it ran the waiting entries now; changes nothing
 * Each entry is judged after those before it. Every problem is told with the entry's number.
 * Returns how many there are (0 also when nothing waits), or -errno.
 */
int sm_classic_check(struct sm_queue *q, const struct sm_watch *watch);

/*
 * sm_classic_watch - whom to tell of each entry that ends in sm_queue_apply or sm_classic_clear
 *   told  reason is 0 or what sm_reason_text words; NULL = nobody
 */
void sm_classic_watch(struct sm_queue *q,
		      void (*told)(void *arg, const struct sm_classic_row *row, int reason),
		      void *arg);

/*
 * sm_classic_clear - the waiting entries are never run; the hive keeps them until it is next
 * changed Returns how many were cancelled, -EBUSY, -ESTALE (which entries wait is not known),
 * -EPERM (others can write the queue file), or -errno.
 */
int sm_classic_clear(struct sm_queue *q);

#ifdef __cplusplus
}
#endif

#endif
