/* SPDX-License-Identifier: MIT */
/*
 * done.h - each /p and /r request runs once
 *
 * NT takes such a request out of the registry when it has run. Here no boot writes the hive
 * (design §5): what was done is remembered in the state directory, by the request's text and the
 * hive's digest. Another hive with the same request is a new request.
 */
#pragma once

#include "autochk/command.h"
#include "autochk/settings.h"

#define DONE_FILE "autochk.done"

/*
 * done_drop - take requests that have run already out of a command
 *   tell  called for each of them
 * Requests of a run by hand are never dropped. A file that cannot be read drops nothing.
 */
void done_drop(const struct settings *s, struct command *c, void (*tell)(const struct request *r));

/*
 * done_write - remember the /p and /r requests that found their volume, durably
 * Writes nothing when it is written already. Returns 0 or -errno (they will run again).
 */
int done_write(const struct settings *s, const struct command *c);
