/* SPDX-License-Identifier: MIT */
/*
 * command.h - autochk's command line, in NT's grammar
 *
 * `autochk [switches] * | VOLUME...` (autochk(8)). A switch is a slash and one letter, so that a
 * mount point of more letters is never taken for one. What is not understood is remembered, not
 * fatal: a typing error in the hive must not leave the root read-only.
 */
#pragma once

#include <stdbool.h>

#define COMMAND_REQUESTS 32u /* volumes named on one command line */

enum request_how {
	REQUEST_IF_DIRTY, /* VOLUME, /m VOLUME */
	REQUEST_ALWAYS,   /* /p VOLUME */
	REQUEST_SURFACE,  /* /r VOLUME: always, and the surface is read */
	REQUEST_NEVER,    /* /k:VOLUME */
};

struct request {
	enum request_how how;
	const char *volume; /* device, TAG=value, mount point; "*" = all of fstab */
	bool found;         /* a volume answered to this name */
};

struct command {
	struct request request[COMMAND_REQUESTS];
	unsigned count;
	bool all; /* "*" was named */
	bool quiet, verbose, dry_run, help, version;
	const char *wrong; /* the first word not understood, or NULL */
};

/*
 * command_read - the words after argv[0]
 *   words  NULL-terminated; kept by pointer (`/k:VOL` points into its word)
 * Never fails: look at ret->wrong.
 */
void command_read(char *const *words, struct command *ret);

/* command_switch - a request's switch as it is written: "", "/p", "/r", "/k", "/m". */
const char *command_switch(enum request_how how);
