/* SPDX-License-Identifier: MIT */
/*
 * remark.h - what smreg has to say about values: one list for check, plan and the plan's notes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"
#include "registry/tree.h"

/* PLAN_NOTE_* of plan.h, and one that is not worth a note in the plan */
#define REMARK_UNUSED 16u   /* NT's own value, not used here */
#define REMARKS_MAX   4096u /* more are counted, not kept */

struct remark {
	unsigned kind;    /* PLAN_NOTE_* or REMARK_UNUSED */
	const char *path; /* below Control, e.g. "Session Manager\\BootExecute"; escaped */
	const char *text;
	uint32_t origin; /* of the value, ORIGIN(); 0 = it came from the hive */
};

struct remarks {
	struct reg_arena *arena; /* whose memory it uses */
	struct remark *at;
	size_t count, cap;
	uint32_t origin; /* of the value at hand, for remark_add */
	size_t errors;   /* of kind PLAN_NOTE_ERROR, kept or not */
	size_t lost;
};

/* remark_add - one remark, printf-like; foreign text is escaped by it. */
void remark_add(struct remarks *r, unsigned kind, const char *path, const char *form, ...)
	__attribute__((format(printf, 4, 5)));

/* remark_same - the same is said of the same thing, wherever it was set. */
bool remark_same(const struct remark *a, const struct remark *b);

/* remark_word - "error", "warning", "not yet", "refused", "unknown", "not used here". */
const char *remark_word(unsigned kind);
