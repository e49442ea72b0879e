/* SPDX-License-Identifier: MIT */
/*
 * lines.h - files of lines in the state directory, which only grow: reports, stops
 *
 * A cut leaves whole lines, and perhaps half a one at the end; what is written next begins a line
 * of its own. Nothing here parses a line.
 */
#pragma once

#include <stddef.h>

#include "sys/sys.h"

/*
 * lines_begin - a file of lines, to be written at its end, where a new line begins
 *   dir  the state directory;  name  plain name, made with mode 0600 when missing
 *   ret  what it was when opened: its name may be new when it was empty
 * Returns an fd (caller's) or -errno. Nothing is durable yet.
 */
int lines_begin(int dir, const char *name, struct sys_stat *ret);

/*
 * lines_append - n bytes of lines at its end, durable on return
 * Returns 0 or -errno.
 */
int lines_append(int dir, const char *name, const char *lines, size_t n);
