/* SPDX-License-Identifier: MIT */
/*
 * input.h - text evidence as it streams in: a window of UTF-8 that moves over the input
 *
 * Byte order marks and UTF-16 end here; what is above sees UTF-8 (perhaps with invalid bytes, which
 * record_text replaces). The window grows up to INPUT_MAX, the longest line or object that is
 * read, and never beyond. Inputs may be pipes: nothing is ever read twice.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "smaudit/facts.h"

#define INPUT_MAX (16u << 20)
#define INPUT_RAW 32768u

struct input {
	FILE *file;
	const char *name;
	const struct sink *to; /* is told of progress */
	char *bytes;           /* the window is [start, end); bytes[end] may always be written */
	size_t start, end, cap;
	uint64_t line; /* of bytes[start], from 1 */
	uint64_t done, size, shown;
	int error; /* -errno of a read that failed */
	bool ended;
	enum { INPUT_UTF8, INPUT_UTF16_LE, INPUT_UTF16_BE } form;
	uint32_t high; /* a surrogate that waits for its other half */
	bool odd;      /* half a unit waits in raw[0] */
	uint8_t raw[INPUT_RAW];
};

/*
 * input_open - a file, a pipe, or "-" for stdin, as a stream
 *   tell  say on stderr when nothing has come from it for a while; it is waited for all the same
 * A pipe is opened once only: whoever writes to it must not meet a reader that goes again.
 * Returns 0 or -errno.
 */
int input_open(const char *path, bool tell, FILE **ret);
/* input_start - read from file, which stays the caller's; its first bytes decide the form.
 * 0, -ENOMEM or -errno of the first read. */
int input_start(struct input *in, FILE *file, const char *name, const struct sink *to);
/* input_stop - gives the window back. */
void input_stop(struct input *in);
/* input_more - bytes behind the window: 1 some came (the window may have moved), 0 the input has
 * ended, -EMSGSIZE the window is as large as it may be, -ENOMEM. */
int input_more(struct input *in);
/* input_take - the first n bytes of the window are done with; their line ends count. */
void input_take(struct input *in, size_t n);

enum input_got { INPUT_END, INPUT_LINE, INPUT_LONG };

struct input_line {
	char *text; /* without its line end; text[bytes] is NUL */
	size_t bytes;
	uint64_t line;
	bool cut; /* the input ended without a line end */
};

/* input_line - the next line, good until the next call. INPUT_LONG: there was one beyond INPUT_MAX
 * (ret->line), it was left out. Negative: -ENOMEM. */
int input_line(struct input *in, struct input_line *ret);
