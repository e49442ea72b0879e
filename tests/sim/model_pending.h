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

#define M_NAMES  8u
#define M_DIRS   6u
#define M_PLACES (M_DIRS * M_NAMES)
#define M_THINGS 512u
#define M_OPS    50u
#define M_GROUPS 16u
#define M_NONE   0xFFFFu

#define M_GUARDED 23u /* the place that is protected: /etc/n7 */

struct m_world {
	uint16_t at[M_PLACES]; /* 0 = nothing */
};

struct m_op {
	bool move, replace, optional, digest, wrong_digest;
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
	unsigned count;           /* number 0 is none */
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
	unsigned begins, commits;
	uint64_t boots; /* of the newest commit */
};

/* m_apply - the group, step by step; false = it cannot be, and w is as it was */
bool m_apply(struct m_world *w, const struct m_group *g, const struct m_things *t);
/* m_touches - does the group name that place? */
bool m_touches(const struct m_group *g, unsigned place);
/* m_overlap - does any place stand in both? */
bool m_overlap(const struct m_group *a, const struct m_group *b);
/*
 * m_read - a journal's bytes; NULL = a group that was just queued
 *   crc  of the group's file, which its records repeat; 0 = there is none, all of them count
 */
struct m_story m_read(const void *bytes, size_t n, uint32_t id, uint32_t crc);
/* m_path - where a place is; m_volume - on which file system */
const char *m_path(unsigned place);
unsigned m_volume(unsigned place);
