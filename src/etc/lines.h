/* SPDX-License-Identifier: MIT */
/*
 * lines.h - reading text files of the machine's administrator, line by line, in bounded room
 *
 * passwd, group, fstab, sysctl and modules files. They may be long, damaged or hostile: a line that
 * does not fit is skipped and counted, never cut and half used. Nothing is kept in memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define LINE_BYTES 4096u /* a line with its newline; group lines are the longest ones met */

struct lines {
	int fd; /* owner: this struct; lines_shut closes it */
	size_t at, have;
	unsigned number;  /* of the line last given, from 1 */
	unsigned skipped; /* lines that were too long or held a NUL */
	bool skipping, end;
	char room[LINE_BYTES];
};

/* lines_open - path is walked as law 12 says (sys_walk). Returns 0 or -errno. */
int lines_open(struct lines *l, const char *path);
/* lines_open_fd - the same over an open fd, which is taken over. */
void lines_open_fd(struct lines *l, int fd);
void lines_shut(struct lines *l);
#define _lines_ _cleanup_(lines_shut)

/*
 * lines_next - the next line, without its newline, NUL-terminated
 *   ret  points into l and may be written to; good until the next call
 * Returns 1, 0 at the end, or -errno.
 */
int lines_next(struct lines *l, char **ret);

/* line_trim - s without blanks and tabs at both ends (in place). */
char *line_trim(char *s);

/*
 * line_word - cut the next blank-separated word off *s
 * Returns it, or NULL when there is none; *s moves behind it.
 */
char *line_word(char **s);

/*
 * line_fields - split at a separator, e.g. ':' of passwd
 * Returns how many fields there are; at most max are filled, the last one holds no separator.
 */
unsigned line_fields(char *s, char separator, char **ret, unsigned max);

#define CONF_FILES_MAX  64u
#define CONF_NAME_BYTES 64u

struct conf_files { /* *.conf of several directories, by name; the first directory wins */
	unsigned count;
	unsigned left_out; /* more than CONF_FILES_MAX, or a name too long */
	struct {
		char name[CONF_NAME_BYTES];
		uint8_t directory;
	} at[CONF_FILES_MAX];
};

/*
 * conf_collect - the files ending in .conf of these directories, sorted by name
 *   directories, count  in order of precedence; a missing one is no error
 * A name seen in an earlier directory hides the later ones, as the administrator expects.
 */
void conf_collect(const char *const *directories, unsigned count, struct conf_files *ret);
