/* SPDX-License-Identifier: MIT */
/*
 * reading.h - a hive that is only looked at: any hive, of Windows too, without root or a lock
 *
 * What is not as it should be with the file (dirty, logs not applied, parts that cannot be read) is
 * said on standard error, once, and stands as fields in what --json prints.
 */
#pragma once

#include <json-c/json_object.h>

#include "registry/hive.h"
#include "registry/tree.h"
#include "registry/verbs.h"

struct reading {
	const char *path;
	struct hive *hive;
	struct reg_tree tree;
	char said[1024]; /* on standard error, so far */
	unsigned set;    /* the current control set; 0 before it was asked for, or none */
};

/* reading_start - open, say why not, say its facts. Returns 0 or -errno; reading_end in any case.
 */
int reading_start(struct reading *r, const char *path, const struct options *o);
void reading_end(struct reading *r);

/* reading_failed - a hive cannot be used: said on standard error, and with --json an object too. */
void reading_failed(const struct options *o, const char *path, const char *why);

/*
 * reading_path - a key as people write it becomes its path in this hive
 * HKLM\SYSTEM goes away, CurrentControlSet becomes the set that Select\Current names.
 * Returns 0; -EINVAL (a key of another root), -ENOKEY (no current set), -ENAMETOOLONG: all said.
 */
int reading_path(struct reading *r, const char *key, char *ret, size_t cap);

/* reading_set - the set that Select\Current names; 0, unsaid, when there is none. */
unsigned reading_set(struct reading *r);

/*
 * reading_load - bring the key of a path, with depth levels of subkeys
 * Returns 0; -ENOENT when there is none (not said: reading_missing does); others are said.
 */
int reading_load(struct reading *r, const char *path, unsigned depth, struct reg_key **ret);

/* reading_missing - say that a path leads nowhere, and how far it goes. */
void reading_missing(struct reading *r, const char *path);

/* reading_degraded - not all that was there came; damage is said on standard error. */
bool reading_degraded(struct reading *r);

/* reading_json - the facts of the file: sequence numbers, dirty, logs, degraded. */
struct json_object *reading_json(struct reading *r);

/* key_argument - the path below the root of a KEY argument; NULL, said, when of another root. */
const char *key_argument(const char *key);
