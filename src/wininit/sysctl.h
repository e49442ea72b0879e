/* SPDX-License-Identifier: MIT */
/*
 * sysctl.h - kernel settings from sysctl.d and sysctl.conf
 *
 * Most settings have no namespace: only the machine itself does this. Files may be damaged: a line
 * that is wrong is named and left out, the others count.
 */
#pragma once

#include "companion/companion.h"

struct sysctl_line {
	char *key; /* path below /proc/sys, slashes */
	char *value;
	bool may_fail; /* "-" before the key */
};

/*
 * sysctl_parse - one line, in place
 *   line  no newline; changed
 * Returns 1 for a setting, 0 for a comment, an empty line or an exclusion, -EINVAL.
 * "a.b/c" means a/b.c and "a/b.c" means itself: the first separator decides which one it is.
 */
int sysctl_parse(char *line, struct sysctl_line *ret);

/* sysctl_apply - all files, in the order of sysctl.d(5); one timeline row. */
void sysctl_apply(const struct companion *c);
