/* SPDX-License-Identifier: MIT */
/*
 * show.h - keys, values, remarks and plans for people and for programs (--json)
 *
 * What comes from a hive is escaped: no control character, no direction mark reaches a terminal.
 * JSON is exact: strings that are not sound UTF-16 carry their bytes in "hex".
 */
#pragma once

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stdio.h>

#include "plan/plan.h"
#include "registry/outlook.h"
#include "registry/remark.h"
#include "registry/tree.h"

/* show_escaped - n bytes of UTF-8; what may not be printed becomes \xHH or \u{HEX}. */
void show_escaped(FILE *out, const char *s, size_t n);
/* show_key_path - HKEY_LOCAL_MACHINE\SYSTEM\... */
void show_key_path(FILE *out, const struct reg_key *k);
/* show_value - as reg.exe prints it: name, type, data; a list's further strings on own lines. */
void show_value(FILE *out, const struct reg_value *v, struct reg_arena *scratch);

#define SHOW_BELOW (1u << 0) /* the subkeys too, not only their paths */
#define SHOW_TIMES (1u << 1) /* when a key was last written */
/* show_key - path, values, paths of the subkeys; how: SHOW_*. */
void show_key(FILE *out, const struct reg_key *k, unsigned how, struct reg_arena *scratch);
/* show_written - a line that tells when a key was last written. */
void show_written(FILE *out, const struct reg_key *k);
/* show_time - a FILETIME in ISO 8601, UTC; "" when it is 0 or no time. */
const char *show_time(uint64_t filetime, char room[40]);
/* show_remark - its line; file: where its value was set, or NULL; before: this is no news. */
void show_remark(FILE *out, const struct remark *r, const char *file, bool before);
/* show_remarks - one line each; all: those of kind REMARK_UNUSED too. Returns the lines printed. */
size_t show_remarks(FILE *out, const struct remarks *r, bool all);
/* key_below_root - a path as people write it, without HKLM\SYSTEM; NULL: of another root. */
const char *key_below_root(const char *key);
/* show_missing_key - that a path leads nowhere, the last key of it that is there, its subkeys. */
void show_missing_key(FILE *out, const struct reg_tree *t, const char *path);
/* show_plan - what the next boot will do, in words and in its order. */
void show_plan(FILE *out, const struct plan_header *p, const struct plan_header *queue,
	       const struct outlook *look);

/* json_value - one value; "hex" when "data" cannot say all of it. */
struct json_object *json_value(const struct reg_value *v, struct reg_arena *scratch);
/* json_match - a value with the key it lies in. */
struct json_object *json_match(const struct reg_key *k, const struct reg_value *v,
			       struct reg_arena *scratch);
/* json_key_path - the whole path of a key. */
struct json_object *json_key_path(const struct reg_key *k);
/* json_key - an array of keys: path, values, names of subkeys. */
struct json_object *json_key(const struct reg_key *k, bool recursive, struct reg_arena *scratch);
/* json_remarks - an array of kind, value, text. */
struct json_object *json_remarks(const struct remarks *r, bool all);
/* json_plan - settings and tables of a plan, and its queue. */
struct json_object *json_plan(const struct plan_header *p, const struct plan_header *queue,
			      const struct outlook *look);
/* json_out - print and give back. */
void json_out(FILE *out, struct json_object *o);
