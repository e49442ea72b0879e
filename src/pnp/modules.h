/* SPDX-License-Identifier: MIT */
/*
 * modules.h - kernel modules the administrator wants at boot: /etc/modules, modules-load.d
 */
#pragma once

#include "companion/companion.h"

/*
 * modules_load - each named module through modprobe, up to until_ns
 * One timeline row, none when nothing is named. Returns true when nothing failed.
 */
bool modules_load(const struct companion *c, uint64_t until_ns);

/* modules_line - the words of a line: a module and its parameters. Returns their count, 0 for none.
 */
int modules_line(char *line, char **ret_words, unsigned max);
