/* SPDX-License-Identifier: MIT */
/*
 * input.c - text evidence as it streams in; see input.h
 */
#include "smaudit/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smaudit/json_out.h"

#define WINDOW_FIRST (256u << 10)
#define SHOW_EVERY   (16u << 20)
#define PATIENCE_MS  2000 /* then it is said what is waited for */

/* Until there is something to read, or an end, or an error, which the reading then meets. */
static void wait_for(int fd, const char *name, bool tell)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int r;

	while ((r = poll(&p, 1, tell ? PATIENCE_MS : -1)) == 0 || (r < 0 && errno == EINTR)) {
		if (r < 0)
			continue;
		fputs("smaudit: waiting for ", stderr);
		out_escaped(stderr, fd == STDIN_FILENO ? "standard input" : name, 1024);
		fputs(": nothing has come yet\n", stderr);
		tell = false;
	}
}

int input_open(const char *path, bool tell, FILE **ret)
{
	bool standard = !strcmp(path, "-");
	int fd = STDIN_FILENO, flags;

	if (!standard)
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -errno;
	wait_for(fd, path, tell);
	if (standard) {
		*ret = stdin;
		return 0;
	}
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ||
	    !(*ret = fdopen(fd, "rb"))) {
		int r = -errno;

		close(fd);
		return r;
	}
	return 0;
}

static void show_progress(struct input *in, size_t n)
{
	in->done += n;
	if (in->to && in->to->progress && in->done - in->shown >= SHOW_EVERY) {
		in->shown = in->done;
		in->to->progress(in->to->arg, in->name, in->done, in->size);
	}
}

static size_t read_some(struct input *in, void *to, size_t n)
{
	size_t got;

	errno = 0;
	got = fread(to, 1, n, in->file);
	if (got == 0) {
		in->ended = true;
		if (ferror(in->file))
			in->error = errno ? -errno : -EIO;
	}
	show_progress(in, got);
	return got;
}

static size_t put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* One unit of UTF-16; a surrogate without its other half becomes U+FFFD. */
static size_t put_unit(struct input *in, char *to, uint32_t unit)
{
	size_t n = 0;

	if (in->high && unit >= 0xdc00 && unit < 0xe000) {
		n = put_utf8(to, 0x10000 + ((in->high - 0xd800) << 10) + (unit - 0xdc00));
		in->high = 0;
		return n;
	}
	if (in->high)
		n = put_utf8(to, 0xfffd);
	in->high = 0;
	if (unit >= 0xd800 && unit < 0xdc00)
		in->high = unit;
	else
		n += put_utf8(to + n, unit >= 0xdc00 && unit < 0xe000 ? 0xfffd : unit);
	return n;
}

/* wide: raw[0..n) to UTF-8 behind the window, which has room for 3 bytes a byte and 8 more. */
static void decode_wide(struct input *in, size_t n)
{
	bool big = in->form == INPUT_UTF16_BE;
	size_t i;

	for (i = 0; i + 1 < n; i += 2) {
		uint32_t unit = (uint32_t)in->raw[i + !big] << 8 | in->raw[i + big];

		in->end += put_unit(in, in->bytes + in->end, unit);
	}
	in->odd = i < n;
	if (in->odd)
		in->raw[0] = in->raw[i];
}

static int make_room(struct input *in)
{
	size_t want;
	char *bytes;

	if (in->start) {
		memmove(in->bytes, in->bytes + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->end >= INPUT_MAX)
		return -EMSGSIZE;
	if (in->cap - in->end > 4 * INPUT_RAW)
		return 0;
	want = in->cap * 2 < INPUT_MAX + 8 * INPUT_RAW ? in->cap * 2 : INPUT_MAX + 8 * INPUT_RAW;
	if (want <= in->cap)
		return 0;
	bytes = realloc(in->bytes, want);
	if (!bytes)
		return -ENOMEM;
	in->bytes = bytes;
	in->cap = want;
	return 0;
}

int input_more(struct input *in)
{
	size_t before, got;
	int r;

	if (in->ended)
		return 0;
	r = make_room(in);
	if (r < 0)
		return r;
	before = in->end;
	while (in->end == before && !in->ended) {
		if (in->form == INPUT_UTF8) {
			in->end += read_some(in, in->bytes + in->end, in->cap - in->end - 8);
			continue;
		}
		got = in->odd;
		got += read_some(in, in->raw + got, sizeof(in->raw) - got);
		if (!in->ended)
			decode_wide(in, got);
		else if (in->odd || in->high) /* cut within a character */
			in->end += put_utf8(in->bytes + in->end, 0xfffd);
	}
	return in->end > before;
}

/* The first bytes: a mark, or the shape that UTF-16 gives to a bracket, quote or letter. */
static void find_form(struct input *in)
{
	const uint8_t *b = (const uint8_t *)in->bytes;
	size_t n = in->end, mark = 0;

	if (n >= 3 && !memcmp(b, "\xef\xbb\xbf", 3)) {
		in->start = 3;
		return;
	}
	if (n >= 2 && b[0] == 0xff && b[1] == 0xfe) {
		in->form = INPUT_UTF16_LE;
		mark = 2;
	} else if (n >= 2 && b[0] == 0xfe && b[1] == 0xff) {
		in->form = INPUT_UTF16_BE;
		mark = 2;
	} else if (n >= 4 && b[0] && !b[1] && b[2] && !b[3]) {
		in->form = INPUT_UTF16_LE;
	} else if (n >= 4 && !b[0] && b[1] && !b[2] && b[3]) {
		in->form = INPUT_UTF16_BE;
	} else {
		return;
	}
	n -= mark;
	memcpy(in->raw, b + mark, n);
	in->end = 0;
	decode_wide(in, n);
}

int input_start(struct input *in, FILE *file, const char *name, const struct sink *to)
{
	long size = -1;

	*in = (struct input){.file = file, .name = name, .to = to, .line = 1, .cap = WINDOW_FIRST};
	in->bytes = malloc(in->cap);
	if (!in->bytes)
		return -ENOMEM;
	if (fseek(file, 0, SEEK_END) == 0) {
		size = ftell(file);
		rewind(file);
	}
	clearerr(file);
	in->size = size > 0 ? (uint64_t)size : 0;
	/* what a first read may bring of UTF-16 must fit into raw */
	in->end = read_some(in, in->bytes, INPUT_RAW);
	find_form(in);
	return in->error;
}

void input_stop(struct input *in)
{
	free(in->bytes);
	in->bytes = NULL;
}

void input_take(struct input *in, size_t n)
{
	const char *at = in->bytes + in->start, *end = at + n;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
		in->line++;
		at++;
	}
	in->start += n;
}

static int skip_line(struct input *in)
{
	for (;;) {
		char *at = in->bytes + in->start;
		char *nl = memchr(at, '\n', in->end - in->start);
		int r;

		if (nl) {
			in->start += (size_t)(nl - at) + 1;
			in->line++;
			return INPUT_LONG;
		}
		in->start = in->end;
		r = input_more(in);
		if (r <= 0)
			return r < 0 ? r : INPUT_LONG;
	}
}

int input_line(struct input *in, struct input_line *ret)
{
	size_t seen = 0;
	int r;

	ret->line = in->line;
	for (;;) {
		char *at = in->bytes + in->start;
		size_t n = in->end - in->start;
		char *nl = memchr(at + seen, '\n', n - seen);

		if (nl) {
			*ret = (struct input_line){at, (size_t)(nl - at), in->line, false};
			in->start += ret->bytes + 1;
			in->line++;
			break;
		}
		seen = n;
		r = input_more(in);
		if (r == -EMSGSIZE)
			return skip_line(in);
		if (r < 0)
			return r;
		if (r == 0) {
			if (in->start == in->end)
				return INPUT_END;
			*ret = (struct input_line){in->bytes + in->start, n, in->line, true};
			in->start = in->end;
			break;
		}
	}
	ret->text[ret->bytes] = '\0';
	return INPUT_LINE;
}
