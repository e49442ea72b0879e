/* SPDX-License-Identifier: MIT */
/*
 * model_pending.h - what groups of pending operations mean, told without the product's code
 *
 * Things are numbers; a place holds one or none. A group is carried out step by step on a copy, as
 * if nothing could fail or be cut: that is what the product's arrangement has to come to, or the
 * world as it was. Journals are read here by a reader of its own.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define M_VOLUMES 3u
#define M_NAMES   8u
#define M_DIRS    8u
#define M_PLACES  (M_DIRS * M_NAMES)
#define M_THINGS  1024u
#define M_OPS     50u
#define M_GROUPS  16u
#define M_NONE    0xFFFFu

/* Copies that wait on the file system they are for: each group has room for some on each. */
#define M_VOLUME_COPIES 2u
#define M_COPIES        (M_VOLUMES * M_VOLUME_COPIES)
#define M_ALL           (M_PLACES + M_GROUPS * M_COPIES)

#define M_GUARDED 23u /* the place that is protected: /etc/n7 */

struct m_world {
	uint16_t at[M_ALL]; /* 0 = nothing */
};

struct m_op {
	bool move, replace, optional, digest, wrong_digest;
	bool staged;       /* a copy comes to its place; its original is the next one's */
	uint16_t from, to; /* to: M_NONE for a delete */
	uint16_t thing;    /* that was queued */
};

struct m_group {
	struct m_op ops[M_OPS];
	unsigned count;
	bool permitted; /* may touch what is protected */
	bool twisted;   /* its file names a place inside a thing of its own, or is damaged */
	unsigned of;    /* takes back this group (its number, from 1); 0 = operations */
};

struct m_things {
	bool dir[M_THINGS];
	unsigned names[M_THINGS]; /* hard links count */
	struct {
		uint64_t ino, tag;
		unsigned volume;
	} who[M_THINGS];
	unsigned count; /* number 0 is none */
};

enum m_state {
	M_QUEUED,
	M_BEGUN,
	M_APPLIED,
	M_FAILED,
	M_REFUSED,
	M_QUARANTINED,
	M_REVERTING,
	M_REVERTED
};

struct m_story {
	enum m_state state;
	unsigned begins;                             /* since it was queued or retried */
	unsigned commits, refusals, retries, purges; /* of all its life */
	bool purged;
	uint64_t boots, last_boots; /* of the newest commit; of the newest record but a purge's */
};

/* m_apply - the group, step by step; false = it cannot be, and w is as it was */
bool m_apply(struct m_world *w, const struct m_group *g, const struct m_things *t);
/*
 * m_alike - the same thing; or, where the file system keeps no time of birth, one that has the
 * number of the other: nobody could tell them apart by what they are called
 */
bool m_alike(const struct m_things *t, uint16_t a, uint16_t b);
/* m_touched - marks the places that the group names */
void m_touched(const struct m_group *g, bool *marks);
/*
 * m_read - a journal's bytes; NULL = a group that was just queued
 *   crc  of the group's file, which its records repeat; 0 = there is none, all of them count
 */
struct m_story m_read(const void *bytes, size_t n, uint32_t id, uint32_t crc);
/* m_path - where a place is; m_volume - on which file system */
const char *m_path(unsigned place);
unsigned m_volume(unsigned place);
/* m_copy - the i-th place for a copy of a group (from 0) on a file system */
unsigned m_copy(unsigned group, unsigned volume, unsigned i);
/* m_root - where a file system is mounted, "" for the root's */
const char *m_root(unsigned volume);
