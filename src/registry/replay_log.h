/* SPDX-License-Identifier: MIT */
/*
 * replay_log.h - a log in memory, and the entries of the new kind; for replay.c alone
 *
 * Source: regf.md §4.
 */
#pragma once

#include "registry/hive.h"
#include "registry/regf.h"

struct replay_log {
	uint8_t *at; /* the file */
	size_t n;
	struct hive_log_facts *f;
	uint32_t type;
	uint32_t sequence;
	uint64_t time;
	bool usable;
};

struct replay_end {        /* where a replay stands */
	uint32_t sequence; /* of the next entry */
	uint32_t bins;     /* as the last entry said */
	uint32_t flags;    /* the same */
	bool applied;      /* something was */
	bool damaged;      /* the entry that should follow is there, and broken */
};

/*
 * replay_entries - apply a log's entries, from its first one to the first that fails
 *   end  .sequence is the one expected first; takes where it ended
 * Each entry is looked at whole before its first page is copied. Returns 0, -ENOMEM.
 */
int replay_entries(struct regf *copy, struct replay_log *l, struct replay_end *end) _must_check_;
