/* SPDX-License-Identifier: MIT */
/*
 * safe.h - services in a safe boot: only those that the hive marks
 *
 * NT's lists: Control\SafeBoot\Minimal and Network, in the plan. A supervisor that takes its
 * services from a directory is given one with links to the marked ones only. Any other supervisor
 * cannot be held back so: it runs when it is marked itself, and then with all it has.
 */
#pragma once

#include "companion/companion.h"

#define SAFE_DIRECTORY "/run/smss/services"

/* safe_option - SAFEBOOT_OPTION: "MINIMAL", "NETWORK"; "" in a usual boot. */
const char *safe_option(const struct companion *c);

/*
 * safe_supervisor - the name a supervisor is marked by: the last part of its path, its applet's
 * name when the program is busybox. *ret_directory: it takes its services from a directory.
 */
const char *safe_supervisor(char *const *words, bool *ret_directory);

/*
 * safe_directory_word - which word of a supervisor's command line is its directory of services
 * Only of one that safe_supervisor says takes them from a directory, by the options known of it.
 * Returns its place; 0 when the line names none; -EINVAL when it cannot be told for certain: an
 * option that is not known, a word too many, a directory that is not absolute.
 */
int safe_directory_word(char *const *words);

/*
 * safe_services - make SAFE_DIRECTORY: links to the marked services of a directory
 *   from  absolute. What is left out has a row each, at most a dozen, the rest one together.
 * Returns the number of links, or -errno.
 */
int safe_services(const struct companion *c, const char *from);
