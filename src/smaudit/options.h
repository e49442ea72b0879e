/* SPDX-License-Identifier: MIT */
/*
 * options.h - what smaudit was asked for
 *
 * A verb, options anywhere. The environment decides nothing of a report but its colour (NO_COLOR,
 * TERM) and where prose is folded (COLUMNS).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "smaudit/profile.h"
#include "smaudit/report.h"

enum verb {
	VERB_ALL, /* files of any kind; also when no verb is given */
	VERB_LIVE,
	VERB_HIVE,
	VERB_PROCESSES,
	VERB_EVTX,
	VERB_IMAGE,
	VERB_PROFILE,
	VERB_RULES
};

enum colour { COLOUR_AUTO, COLOUR_ALWAYS, COLOUR_NEVER };

#define LOGS_MAX  8
#define ROOTS_MAX 16

struct options {
	enum verb verb;
	const char *const *files;
	unsigned file_count;
	const char *profile_name;
	enum report_format format;
	enum profile_format profile_format;
	enum colour colour;
	bool all, quiet, progress;
	bool json; /* rules: an object a line */
	uint32_t grace_s, late_s;
	const char *system_root; /* NULL = C:\Windows */
	const char *claimed;     /* NULL = the file's own name */
	const char *root;        /* "" = / */
	const char *host;        /* of facts that do not tell theirs; NULL */
	const char *output;      /* NULL = stdout */
	const char *log[LOGS_MAX];
	unsigned logs;
	const char *roots[ROOTS_MAX]; /* PEM files of root certificates to trust */
	unsigned root_count;
	const char *catalog, *catalog_key; /* NULL = this machine's, if there is one */
};

/*
 * options_read - the command line; what is wrong with it is said on stderr
 *   argv  is put in order: words behind options
 * Returns 0 to go on, 1 when everything was said (--help, --version), -EINVAL.
 */
int options_read(int argc, char **argv, struct options *ret);

/* verb_word - "live", "hive", ... */
const char *verb_word(enum verb v);
