/* SPDX-License-Identifier: MIT */
/*
 * verbs.h - the table of smctl's verbs
 *
 * Read by main.c to find and run a verb, and by its help. Nothing else may know verbs by name.
 */
#pragma once

#include "smctl/smctl.h"

#define VERB_SHOWN   (1u << 0) /* in smctl --help */
#define VERB_PART    (1u << 2) /* what another verb reads itself: for its help only */
#define VERB_OWN     (1u << 3) /* -s is an option of its own, not --socket */
#define VERB_PROGRAM (1u << 1) /* not a verb: a program's help only */

struct verb {
	const char *name; /* one word or two */
	const char *arguments;
	/* letters of its own options; "+" first: the first other word ends them; NULL: run reads
	 * them, or power_main */
	const char *options;
	int (*run)(struct smctl *s, int argc, char **argv);
	unsigned flags;
	const char *summary; /* NULL = none */
	const char *details;
};

/* verbs_alike - a slip of a finger or two apart: what a person may have meant */
bool verbs_alike(const char *name, const char *typed);

/* verbs_meant - the verb that a command line without one nearly begins with; NULL = none */
const char *verbs_meant(int argc, char **argv);

/*
 * verbs_find - the verb that a command line begins with
 *   ret_words  how many words it took, 1 or 2
 * Returns NULL when there is none of that name.
 */
const struct verb *verbs_find(int argc, char **argv, int *ret_words);
