/* SPDX-License-Identifier: MIT */
/*
 * plan_make.h - from a tree to the boot plan and its queue (law 4)
 *
 * Follows the schema: each value is checked for type, range and grammar; a wrong one is remarked
 * and its default is used, so that no value can stop a plan from being made. Paths of Windows that
 * mean nothing here become remarks. The same walk is `smreg check`.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "plan/plan.h"
#include "registry/catalog.h"
#include "registry/hive.h"
#include "registry/remark.h"
#include "registry/tree.h"

struct plan_source {
	const struct reg_tree *tree; /* plan_load brought what is needed */
	unsigned set;                /* control set, 1..999 */
	const char *hive_path;       /* for people */
	const struct hive_facts
		*facts;        /* whom plan and queue fit; NULL: they fit nothing (check) */
	const uint8_t *sha256; /* with facts */
	const struct catalog_files *catalog; /* read already; NULL: read when it is wanted */
};

struct plan_made {
	void *plan; /* malloc'ed, given back by plan_made_free */
	size_t plan_n;
	void *queue; /* whole and checked too, also when it is empty */
	size_t queue_n;
	uint32_t queue_rows;
	char images_why[160]; /* ImagePolicy is set, and the plan has no list: why; else "" */
};

/*
 * plan_load - bring the keys the plan is made of from a hive into a tree
 * Returns 0 and the control set; -ENOKEY (not a SYSTEM hive: no Select\Current), -ENOENT (no
 * Session Manager key), -EIO (a part of these keys cannot be read), -E2BIG; why names it.
 */
int plan_load(struct hive *h, struct reg_tree *t, unsigned *ret_set, struct text *why);

/*
 * plan_make - plan and queue
 *   remarks  takes what there is to say; its arena is used for scratch too
 * Returns 0, or -ENOSPC (larger than a plan can be), -E2BIG.
 */
int plan_make(const struct plan_source *from, struct remarks *remarks, struct plan_made *ret);

/*
 * plan_names - remarks on keys of the root, of the control set and of Control that nobody reads
 * Those near to ours are told with the right name; NT's own are REMARK_UNUSED.
 * plan_load_names brings these names, for a tree that plan_load made; what cannot be read is left
 * out.
 */
void plan_names(const struct plan_source *from, struct remarks *remarks);
void plan_load_names(struct hive *h, unsigned set, struct reg_tree *t);

/*
 * queue_protected - a boot refuses this entry: it touches a protected path without permission
 *   hive  from which it boots; the usual one's files are protected too, for a hive that is made
 *         elsewhere
 *   to    "" for a delete
 */
bool queue_protected(const char *hive, const char *from, const char *to);

/* plan_made_free - give both back. */
void plan_made_free(struct plan_made *m);
static inline void plan_made_freep(struct plan_made *m)
{
	plan_made_free(m);
}
