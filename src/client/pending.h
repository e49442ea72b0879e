/* SPDX-License-Identifier: MIT */
/*
 * pending.h - inside libsm: the queue of groups as a writer works on it
 *
 * The writer's side of pending/group.h. A group grows in memory as lists of directories, places and
 * operations, each place once; it is checked there as the boot will check it, only that all of its
 * problems are told, and is written in one piece. Nothing of this is exported.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "pending/ground.h"
#include "pending/group.h"
#include "pending/record.h"
#include "pending/run.h"
#include "plan/plan.h"
#include "sm.h"
#include "sys/sys.h"

#define CANCELLED     ".cancelled"
#define DIGEST_BYTES  65536u     /* files up to here always get a digest */
#define GROUP_SECOND  (1u << 15) /* in item.flags: the delete of a move that was copied */
#define ITEM_FROM_DIR (1u << 14) /* `from` was written with a slash at its end */
#define ITEM_WANT_SUM (1u << 13) /* a digest was asked for */
#define ITEM_MET      (1u << 12) /* a group that waits comes in its way: that was told */

/* Reasons of the writer's own, below those of record.h. */
#define WHY_RELATIVE    (-4201) /* not absolute */
#define WHY_DOT         (-4202) /* "." or ".." in it */
#define WHY_ROOT        (-4203) /* "/" itself */
#define WHY_SAME        (-4204) /* onto itself */
#define WHY_INTO_SELF   (-4205) /* a directory below itself */
#define WHY_THROUGH     (-4206) /* through something that the group moves */
#define WHY_OURS        (-4207) /* below .smss, where graveyards and copies are */
#define WHY_NO_EXCHANGE (-4208)
#define WHY_SOCKET      (-4209) /* of a kind that cannot be copied */
#define WHY_CHANGED     (-4210) /* while it was copied */
#define WHY_TOO_MANY_FS (-4211)
#define WHY_EARLIER     (-4212) /* a group that waits moves it first */
#define WHY_BELOW       (-4213) /* through something that a group that waits moves */
#define WHY_UNDO        (-4214) /* it takes back another group itself */

/* Reasons of classic entries: their kept results, moved away from those of groups. */
#define CLASSIC_REASONS_BELOW 300
#define CLASSIC_REASON(kept)  ((kept)-CLASSIC_REASONS_BELOW)

struct list {
	void *row;
	size_t count, cap, row_bytes;
};

struct sm_queue {
	int root; /* fd of the directory that stands for "/" */
	char prefix[PATH_BYTES];
	char state_path[PATH_BYTES]; /* as the system sees it */
	char hive[PATH_BYTES];
	int state, dir;   /* fds of the state directory and of PENDING_DIRECTORY; -1 not there */
	struct numbered { /* the groups as they were when sm_group_next began */
		uint32_t id;
		bool cancelled;
	} * numbers;
	size_t count;
	struct list asides;      /* kept.c: of struct sm_aside */
	struct classic *classic; /* classic.c; NULL until it is looked at */
};

struct fs { /* a mounted file system, as group_fs */
	uint8_t uuid[16];
	uint64_t mount, avail_bytes, wanted_bytes;
	uint32_t root;          /* string: its mount point */
	int why;                /* read-only, no exchange */
	bool exchanges, shared; /* an exchange is wanted; it holds a copy */
};

struct dir {
	uint32_t path, next; /* string; next of the same hash */
	uint32_t fs;
	uint32_t bad;     /* string: the component `why` is about */
	uint32_t through; /* a place of the group that its path goes through, or NO_PLACE */
	int why;
};

struct place {
	uint32_t dir, name, next;
	uint32_t digest; /* of what is there, or NO_PLACE */
	uint64_t ino, tag, bytes;
	uint32_t mode;
	uint16_t flags; /* PLACE_* */
	int why;
};
#define PLACE_FIXED  (1u << 0)
#define PLACE_SOURCE (1u << 1) /* some operation takes from here */
#define PLACE_SUM    (1u << 2) /* and wants a digest whatever the size */
#define PLACE_MOVED  (1u << 3) /* not only deleted */
#define PLACE_STAGED (1u << 4) /* a copy of ours, below .smss */

struct item {                 /* an operation */
	uint16_t kind, flags; /* GROUP_* and the above */
	uint32_t from, to;
	uint32_t kept; /* 1 + its row in sm_group.read, whose identity is the one expected; 0 new */
	uint32_t thing;           /* the place where what it moves was at the beginning */
	uint64_t ino, tag, bytes; /* of that thing; ino 0: it moves nothing */
	uint32_t digest;
	uint32_t number; /* as the user counts: a copied move is one */
};

struct sm_group {
	struct sm_queue *q;
	struct group_header head; /* name, reason, flags, of, uid, wall_s */
	struct list dirs, places, items, digests, fs;
	struct list strings; /* bytes */
	uint32_t *dir_hash, *place_hash, dir_mask, place_mask;
	uint32_t operations;             /* as the user counts */
	const struct group_header *read; /* of an existing group, else NULL */
	uint32_t *want;                  /* per place while checking: what is there by then */
	char room[2][PATH_BYTES];        /* for sm_group_operation */
};

static inline struct dir *dir_at(const struct sm_group *g, uint32_t i)
{
	return (struct dir *)g->dirs.row + i;
}
static inline struct place *place_at(const struct sm_group *g, uint32_t i)
{
	return (struct place *)g->places.row + i;
}
static inline struct item *item_at(const struct sm_group *g, uint32_t i)
{
	return (struct item *)g->items.row + i;
}
static inline struct fs *fs_at(const struct sm_group *g, uint32_t i)
{
	return (struct fs *)g->fs.row + i;
}
static inline const char *string_at(const struct sm_group *g, uint32_t at)
{
	return (const char *)g->strings.row + at;
}

/* ---- group.c: growing ---- */

/* list_add - room for n more rows, zeroed; NULL without memory. */
void *list_add(struct list *l, size_t n);
/* string_add - a copy of n bytes with a NUL; its offset, or NO_PLACE. */
uint32_t string_add(struct sm_group *g, const char *s, size_t n);
/* place_add - the place of a canonical path, made when new. Returns 0 or -errno. */
int place_add(struct sm_group *g, const char *path, uint32_t *ret);
/* place_find - the place of the first n bytes of a path, or NO_PLACE. */
uint32_t place_find(const struct sm_group *g, const char *path, size_t n);
/* place_path - the path of a place; room holds PATH_BYTES. Returns room. */
const char *place_path(const struct sm_group *g, uint32_t place, char *room);

/* ---- look.c: what is there now ---- */

/* order - permutations of directories by path and places by directory and name; malloc'd. */
struct order {
	uint32_t *dirs, *places;
	uint32_t *dir_rank;
};
int order_make(const struct sm_group *g, struct order *ret);
void order_free(struct order *o);
/* look - fills fs, dirs and places by what is there. Returns 0 or -errno. */
int look(struct sm_group *g, const struct sm_watch *watch);
/* open_dir - a directory of the system without following a link; an fd or -errno. */
int open_dir(const struct sm_queue *q, const char *path);

/* ---- check.c ---- */

/* check - all problems, told; the items get the identities they move. Count or -errno. */
int check(struct sm_group *g, const struct sm_watch *watch);
/* check_earlier - what groups that wait already move is not to be touched. Count or -errno. */
int check_earlier(struct sm_group *g, const struct sm_watch *watch);
/* queue_protects - a protected path of that system; arg is its queue. As the boot has it. */
bool queue_protects(void *arg, const char *path);
/*
 * group_touches - some directory on the way, or with `whole` the path itself, is a place of the
 * group. Returns WHY_BELOW, WHY_EARLIER or 0.
 */
int group_touches(const struct group_header *earlier, const char *path, bool whole);

/* ---- undo.c ---- */

/* check_undo - all that would keep a queued undo from being carried out. Count or -errno. */
int check_undo(struct sm_group *g, const struct sm_watch *watch);

/* ---- stage.c: copies ---- */

/* tree_bytes - what a copy of that tree needs. Returns 0 or a reason. */
int tree_bytes(int dir, const char *name, uint64_t *ret);
/* stage_all - copies for every item that needs one; items are split in two. */
int stage_all(struct sm_group *g, uint32_t id, const struct sm_watch *watch);
/* stage_drop - the copies of a group that did not come to be, or was cancelled. */
void stage_drop(struct sm_group *g, uint32_t id);
/* tree_remove - a tree and all below. Returns 0 or -errno. */
int tree_remove(int dir, const char *name);

/* ---- write.c ---- */

/* group_bytes - the file of a group with that number; malloc'd. Returns 0 or -errno. */
int group_bytes(struct sm_group *g, uint32_t id, struct group_header **ret);

/* ---- queue.c ---- */

/* queue_make - the state directory and the queue's, made when missing. */
int queue_make(struct sm_queue *q);
/* queue_next_id - a number nobody had; under the lock. Returns 0 or -errno. */
int queue_next_id(struct sm_queue *q, uint32_t *ret);
/* queue_row - what is known of a group. Returns 0 or -errno. */
int queue_row(struct sm_queue *q, uint32_t id, bool cancelled, struct sm_group_row *ret);
/* queue_user_number - an operation of the file as the user counts, or SM_NO_OPERATION. */
uint32_t queue_user_number(const struct group_header *g, uint32_t op);
/*
 * queue_blame - what a record of a journal is about (story.c)
 *   g   the group; an undo's record counts the operations of the group that it takes back
 *   op  of the record
 * Returns the operation as the user counts, or SM_NO_OPERATION; room gets its path or "".
 */
uint32_t queue_blame(struct sm_queue *q, const struct group_header *g, uint32_t op, int reason,
		     char room[PATH_BYTES]);
/* queue_load - a group's file, also a cancelled one's; pending_unload gives it back. */
int queue_load(const struct sm_queue *q, uint32_t id, bool cancelled,
	       const struct group_header **ret);

/* ---- classic.c ---- */

/* classic_close - what was read of the classic queue; NULL is fine. */
void classic_close(struct classic *c);
/* classic_apply - run the waiting entries. Returns 0, 1 (not all went well), or -errno. */
int classic_apply(struct sm_queue *q);
/*
 * classic_settings - the hive's base block, and what the plan beside it says
 * Returns 1, 0 (no plan fits: *ret is left alone), or -errno (no hive).
 */
int classic_settings(const struct sm_queue *q, uint8_t ret_block[HIVE_BLOCK_BYTES],
		     struct plan_settings *ret);
/* classic_reason_text - a reason of classic entries' own in words, else NULL. */
const char *classic_reason_text(int r);
