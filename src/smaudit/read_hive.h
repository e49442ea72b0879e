/* SPDX-License-Identifier: MIT */
/*
 * read_hive.h - what the reader of hives and its teller share: a hive that is open, its control
 * sets, and what holds for all of its facts. For read_hive*.c only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/hive.h"
#include "registry/tree.h"
#include "smaudit/facts.h"

#define SETS_MAX   64u /* control sets that are looked at; real hives have two or three */
#define SAID_BYTES 900u

struct reading_of {
	const struct sink *to;
	struct place place;
	struct hive *hive;
	const char *log_name[HIVE_LOGS]; /* as they were given; NULL = beside the hive */
	struct reg_tree tree;
	char set[24];            /* name of the current one, "" = none is */
	char next[24];           /* of the one that Default names, if that is another one */
	char sets[SETS_MAX][24]; /* all, in the hive's order */
	unsigned set_count;
	bool partial; /* without Select, or without what every SYSTEM hive has */
	uint64_t told;
	struct registry_fact common;
};

/* hive_trouble - say it of the hive. */
void hive_trouble(const struct reading_of *r, enum trouble t, const char *text);
/* hive_path_in - the path of a key that is named below a control set. */
void hive_path_in(const char *set, const char *below, char *ret, size_t cap);
/* hive_key - one that is loaded, by its path; NULL = it is not. */
const struct reg_key *hive_key(const struct reading_of *r, const char *path);
/* hive_text_of - a value's text; NULL = there is none, or it is no text. */
const char *hive_text_of(struct reading_of *r, const struct reg_key *k, const char *name);
/* hive_tell - everything that was loaded, as facts. */
void hive_tell(struct reading_of *r);
