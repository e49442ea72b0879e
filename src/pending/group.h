/* SPDX-License-Identifier: MIT */
/*
 * group.h - a group of pending file operations, as it lies in the state directory
 *
 * A group is whole or not at all: many renames, replacements and deletes that belong together. It
 * is written once, when it is queued (client/pending.c), and never changed; what became of it
 * stands in its journal (record.h). Every name in it is canonical: absolute, no ".", "..", no
 * link. A *place* is a directory and a name in it; each place stands in the file once, so that
 * operations which meet (chains, swaps) meet in a place's number; directories are sorted by path,
 * places by directory and name. Flat, little-endian, every offset checked before use; the boot
 * uses it as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

#define PENDING_DIRECTORY  "pending" /* in the state directory */
#define PENDING_LOCK       "lock"    /* writers, and the boot's step */
#define PENDING_MAKING     ".making" /* a number whose copies are being made, see staged.h */
#define GROUP_MAGIC        "SMSSGRP1"
#define GROUP_OPS_MAX      1000000u
#define GROUP_PLACES_MAX   (2 * GROUP_OPS_MAX)
#define GROUP_FS_MAX       64u
#define GROUP_BYTES_MAX    (1ull << 30)
#define GROUP_NAME_BYTES   64u
#define GROUP_REASON_BYTES 160u
#define NO_PLACE           UINT32_MAX

enum group_kind {
	GROUP_MOVE = 0,   /* from becomes to; to must be free unless GROUP_REPLACE */
	GROUP_DELETE = 1, /* from goes, a directory with all below */
};
/* group_op.flags */
#define GROUP_REPLACE  (1u << 0) /* what is at `to` makes room; it need not be there */
#define GROUP_DIGEST   (1u << 1) /* the source has the SHA-256 of row `digest` */
#define GROUP_OPTIONAL (1u << 2) /* a delete whose source is gone already is no failure */
#define GROUP_STAGED   (1u << 3) /* from is a copy, and the next operation deletes its original */
/* group_header.flags */
#define GROUP_PROTECTED (1u << 0) /* root's one-shot permission: protected paths may be touched */
#define GROUP_REVERSE   (1u << 1) /* takes back group `of` */

struct group_fs {
	uint8_t uuid[16]; /* of the file system, as sys_fs_id gave it */
	uint32_t root;    /* string: where it was mounted when the group was queued */
	uint32_t reserved;
};

struct group_dir {
	uint32_t fs;   /* row of group_fs */
	uint32_t path; /* string, canonical; "/" is one too */
};

struct group_place {
	uint32_t dir;  /* row of group_dir */
	uint32_t name; /* string: one component */
};

struct group_op {
	uint16_t kind; /* enum group_kind */
	uint16_t flags;
	uint32_t from, to; /* rows of group_place; `to` NO_PLACE for a delete */
	uint32_t digest;   /* row of digests, with GROUP_DIGEST */
	uint64_t ino, tag; /* the source's identity when it was queued (struct sys_identity) */
	uint64_t bytes;    /* its size then; 0 for a directory */
};

struct group_table {
	uint32_t at; /* offset of the first row, 8-byte aligned */
	uint32_t count;
};

struct group_header {
	char magic[8];
	uint32_t crc; /* CRC-32C of the whole file with this field 0 */
	uint32_t id;  /* the file's name: 8 hex digits; also the order */
	uint64_t bytes;
	uint64_t wall_s; /* when it was queued, for people */
	uint32_t flags;
	uint32_t of;  /* with GROUP_REVERSE: the group that is taken back */
	uint32_t uid; /* who queued it */
	uint32_t reserved;
	struct group_table fs, dirs, places, ops, digests;
	uint32_t strings; /* offset of the pool; it runs to the end and ends with a NUL */
	uint32_t reserved2;
	char name[GROUP_NAME_BYTES];
	char reason[GROUP_REASON_BYTES];
};

/*
 * group_check - everything about a group that can be checked without looking at the files
 *   bytes, n  the whole file; 8-byte aligned
 *   ret_why   a constant text naming what is wrong; untouched on success; may be NULL
 * Returns 0; -EILSEQ (torn or not ours), -EINVAL (an offset, number or name out of its range).
 * After 0 every accessor below is safe.
 */
int group_check(const void *bytes, size_t n, const char **ret_why);

static inline const void *group_row(const struct group_header *g, const struct group_table *t,
				    uint32_t i, size_t row_bytes)
{
	return (const uint8_t *)g + t->at + (size_t)i * row_bytes;
}
#define GROUP_ROW(g, table, i, type) ((const type *)group_row((g), &(g)->table, (i), sizeof(type)))

static inline const struct group_op *group_op(const struct group_header *g, uint32_t i)
{
	return GROUP_ROW(g, ops, i, struct group_op);
}
static inline const struct group_place *group_place(const struct group_header *g, uint32_t i)
{
	return GROUP_ROW(g, places, i, struct group_place);
}
static inline const struct group_dir *group_dir(const struct group_header *g, uint32_t i)
{
	return GROUP_ROW(g, dirs, i, struct group_dir);
}
static inline const struct group_fs *group_fs(const struct group_header *g, uint32_t i)
{
	return GROUP_ROW(g, fs, i, struct group_fs);
}
static inline const uint8_t *group_digest(const struct group_header *g, uint32_t i)
{
	return group_row(g, &g->digests, i, SHA256_BYTES);
}
static inline const char *group_string(const struct group_header *g, uint32_t at)
{
	return (const char *)g + g->strings + at;
}

/*
 * group_place_path - the whole path of a place
 * Returns false when it does not fit cap.
 */
bool group_place_path(const struct group_header *g, uint32_t place, char *room, size_t cap);

/*
 * group_find_place - the place of a path
 *   path, n  the bytes of the path, no NUL needed
 * Returns its row or NO_PLACE.
 */
uint32_t group_find_place(const struct group_header *g, const char *path, size_t n);

/* group_crc - of a whole file as it was when its own field was still 0. */
uint32_t group_crc(const struct group_header *g);

/* group_file_name - "0000002a.group", "….journal", "….things": room of GROUP_FILE_BYTES. */
#define GROUP_FILE_BYTES 24u
void group_file_name(char *room, uint32_t id, const char *ending);
