/* SPDX-License-Identifier: MIT */
/*
 * judge_registry.h - what the judges of registry facts share
 *
 * judge_registry.c hands each fact to the judge it belongs to and keeps, of one hive, what can only
 * be said at its end. Values are walked where they lie, a string at a time: a list of a million
 * empty strings takes no more memory than one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smaudit/facts.h"
#include "smaudit/report.h"

/* Findings of one value that are told one by one; the others are counted. */
#define REGISTRY_TOLD_MAX 64u
/* Bytes of evidence text that are shown, with room for the dots behind a longer one. */
#define REGISTRY_TEXT_BYTES 512u
/* A key's path, a value's name and such a text. */
#define REGISTRY_SUBJECT_BYTES 1400u

struct registry_judge {
	struct report *to;
	char *file, *host, *set; /* of the hive that is being told; NULL before the first */
	bool stale, degraded, ours;
	bool found[INDICATOR_COUNT]; /* above INFO, or indeterminate: no summary of its own */
	bool boot_execute;           /* the current set has it */
	char *execute_key;           /* of the last value BootExecute */
};

/* The strings of a value, parted by NULs, as they lie: empty ones are strings, too. */
struct strings {
	const uint8_t *data;
	size_t units, at; /* code units; of them, walked */
	char *text;       /* the last one, UTF-8; grows */
	size_t room;
	bool bad; /* an unpaired surrogate was in it */
};

/* strings_start - at the first one of a value's bytes; a lone last byte is ignored. */
struct strings strings_start(const uint8_t *data, size_t bytes);
/* strings_next - the next one into s->text; false at the end. A last one may lack its NUL. */
bool strings_next(struct strings *s);
/* strings_count - how many there are from here; *ret_last_empty: the last one is empty. */
size_t strings_count(const struct strings *s, bool *ret_last_empty);
void strings_end(struct strings *s);

/* text_part - the first n bytes, or as many whole characters as fit into cap bytes with a NUL. */
void text_part(const char *text, size_t n, char *to, size_t cap);
/* text_shown - evidence cut to REGISTRY_TEXT_BYTES, at a character; returns to. */
const char *text_shown(const char *text, char to[REGISTRY_TEXT_BYTES]);
/* same_word - equal, ASCII case folded. */
bool same_word(const char *a, const char *b);

/*
 * registry_finding - a finding of a fact with what every one has: host, place, time, key, value
 *   rule      INDICATOR_*
 *   severity  INFO = noted; of a set that is not current everything is
 *   subject   goes into its id: the same in every run
 */
struct finding registry_finding(const struct registry_fact *f, enum indicator_id rule,
				enum severity severity, const char *subject);
/* registry_tell - report it; remembers that its rule was not without a finding. */
void registry_tell(struct registry_judge *j, const struct registry_fact *f, struct finding *x);

/* ---- the judges ---- */

/* judge_execute - a value of Session Manager that names programs to run; false = it is none. */
bool judge_execute(struct registry_judge *j, const struct registry_fact *f);
/* judge_renames - pending renames and what goes with them; false = the value is none. */
bool judge_renames(struct registry_judge *j, const struct registry_fact *f);
/* judge_service - one service. */
void judge_service(struct registry_judge *j, const struct registry_fact *f);

/* ---- protected.c: what a pending rename must not touch ---- */

enum guard {
	GUARD_NONE,
	GUARD_WIDE,    /* the system's own: nothing that a user could have put there */
	GUARD_CORE,    /* what the next boot rests on */
	GUARD_PRODUCT, /* a security product's */
	GUARD_LOGS     /* what tells of the past */
};

struct guarded {
	enum guard guard;
	const char *why; /* "a driver"; NULL for GUARD_NONE */
	bool unsure;     /* only if an 8.3 name in it stands for what it could stand for */
	bool above;      /* the path is a directory that holds such things */
	bool directory;  /* it is one of the system's own directories itself */
};

/*
 * guarded_path - is it protected?
 *   path     as pending renames write it, without their markers; of Windows, or from "/" on ours
 */
struct guarded guarded_path(const char *path);
/* path_user_writable - whoever may log on can make such a file; also one on another machine. */
bool path_user_writable(const char *path);
/* path_leftover - a temporary file that installers rename or leave behind (SET1A2B.tmp, 3f.rbf). */
bool path_leftover(const char *path);
/* path_same_directory - both lie in the same one. */
bool path_same_directory(const char *a, const char *b);
