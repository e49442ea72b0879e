/* SPDX-License-Identifier: MIT */
/*
 * json_out.c - evidence onto a stream; see json_out.h
 */
#include "smaudit/json_out.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "registry/utf.h"

/* Beside what utf8_printable knows: invisible letters, odd blanks, tags, variation selectors. */
static const struct {
	uint32_t first, last;
} hidden[] = {
	{0x7f, 0xa0},     {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},     {0x115f, 0x1160},
	{0x1680, 0x1680}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f},   {0x2028, 0x202f},
	{0x205f, 0x206f}, {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164},   {0xfe00, 0xfe0f},
	{0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xe0000, 0xe0fff},
};

bool out_hidden(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return c < 0x20 || !utf8_printable(c);
}

void out_escaped(FILE *to, const char *s, size_t most)
{
	size_t n = strlen(s), shown = n;

	if (n > most) {
		for (shown = most; shown && ((unsigned char)s[shown] & 0xc0) == 0x80;)
			shown--; /* not in the middle of a letter */
	}
	for (size_t i = 0; i < shown;) {
		uint32_t c;
		unsigned len = utf8_next(s + i, shown - i, &c);

		if (c == UTF_BAD)
			fprintf(to, "\\x%02X", (unsigned char)s[i]);
		else if (out_hidden(c))
			fprintf(to, "\\u{%" PRIX32 "}", c);
		else
			fwrite(s + i, 1, len, to);
		i += len;
	}
	if (shown < n)
		fprintf(to, " ... (%zu bytes in all)", n);
}

static void put_unit(FILE *to, uint32_t unit)
{
	fprintf(to, "\\u%04" PRIx32, unit);
}

static void put_string(FILE *to, const char *s)
{
	size_t n = strlen(s);

	fputc('"', to);
	for (size_t i = 0; i < n;) {
		uint32_t c;
		unsigned len = utf8_next(s + i, n - i, &c);

		/* Not a lone surrogate: parsers refuse the whole line, and the finding was lost. */
		if (c == UTF_BAD)
			fprintf(to, "\\\\x%02X", (unsigned char)s[i]);
		else if (c == '"' || c == '\\')
			fprintf(to, "\\%c", (int)c);
		else if (out_hidden(c) && c >= 0x10000) {
			put_unit(to, 0xd800 + ((c - 0x10000) >> 10));
			put_unit(to, 0xdc00 + ((c - 0x10000) & 0x3ff));
		} else if (out_hidden(c))
			put_unit(to, c);
		else
			fwrite(s + i, 1, len, to);
		i += len;
	}
	fputc('"', to);
}

struct json_out json_out_line(FILE *to)
{
	return (struct json_out){.to = to};
}

static void member(struct json_out *j, const char *name)
{
	if (j->comma[j->depth])
		fputc(',', j->to);
	j->comma[j->depth] = true;
	if (name) {
		put_string(j->to, name);
		fputc(':', j->to);
	}
}

void json_out_open(struct json_out *j, const char *name, char bracket)
{
	member(j, name);
	fputc(bracket, j->to);
	assert(j->depth + 1 < JSON_OUT_DEPTH);
	j->comma[++j->depth] = false;
}

void json_out_close(struct json_out *j, char bracket)
{
	assert(j->depth);
	j->depth--;
	fputc(bracket, j->to);
}

void json_out_text(struct json_out *j, const char *name, const char *text)
{
	if (!text)
		return;
	member(j, name);
	put_string(j->to, text);
}

void json_out_number(struct json_out *j, const char *name, uint64_t n)
{
	member(j, name);
	fprintf(j->to, "%" PRIu64, n);
}

void json_out_bool(struct json_out *j, const char *name, bool yes)
{
	member(j, name);
	fputs(yes ? "true" : "false", j->to);
}

void json_out_null(struct json_out *j, const char *name)
{
	member(j, name);
	fputs("null", j->to);
}

void json_out_end(struct json_out *j)
{
	assert(!j->depth);
	fputc('\n', j->to);
}
