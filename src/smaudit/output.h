/* SPDX-License-Identifier: MIT */
/*
 * output.h - where a report goes: stdout, or a file that is there whole or not at all
 */
#pragma once

#include <stdio.h>

struct output {
	FILE *to;
	const char *path; /* NULL = stdout */
	char *temporary;  /* renamed to path when all is written; NULL = written in place, as are
			   * devices, pipes and what a link leads to */
};

/* output_open - path NULL or "-": stdout. Errors are said. Returns 0 or -errno. */
int output_open(const char *path, struct output *ret);
/* output_width - columns of a terminal that a stream is; COLUMNS, or 80, of anything else. */
unsigned output_width(FILE *to);
/* output_prose - words of ours onto lines of width; those behind the first are indented. */
void output_prose(FILE *to, unsigned width, unsigned at, unsigned indent, const char *text);
/*
 * output_close - all of it is on disk, or nothing of it
 * A reader that has gone (EPIPE) is no error: it had what it wanted. Returns 0 or -errno, said.
 */
int output_close(struct output *o);
