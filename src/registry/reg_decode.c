/* SPDX-License-Identifier: MIT */
/*
 * reg_decode.c - the bytes of a .reg file as UTF-8, or the place where they are none
 *
 * UTF-8 and UTF-16LE, with or without a byte order mark. Nothing is put right in silence: what is
 * no text would come back as other bytes, so that it is an error with line and column.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/reg_scan.h"
#include "registry/utf.h"

#define UTF16_BOM "\xFF\xFE"
#define UTF8_BOM  "\xEF\xBB\xBF"

static bool starts(const char *bytes, size_t n, const char *mark)
{
	return n >= strlen(mark) && memcmp(bytes, mark, strlen(mark)) == 0;
}

/* Line and column of a byte, for an error found before any line was read. */
static int bad_at(struct reader *r, size_t at, const char *what)
{
	for (size_t i = 0; i < at; i++)
		if (r->s[i] == '\n') {
			r->line++;
			r->line_start = i + 1;
		}
	return reg_bad(r, at, "%s", what);
}

static int from_utf16(struct reader *r, const char *bytes, size_t n, char **ret)
{
	size_t units = n / 2, good = utf16_bad_unit((const uint8_t *)bytes, units);
	char *to = malloc(3 * units + 1);

	if (!to)
		return r->failed = -ENOMEM;
	r->n = utf16_to_utf8((const uint8_t *)bytes, good, to, NULL);
	r->s = *ret = to;
	if (good < units)
		return bad_at(r, r->n,
			      "half of a UTF-16 surrogate pair: the file is damaged; write such a "
			      "string as hex(1):");
	if (n % 2)
		return bad_at(r, r->n,
			      "the file ends within a UTF-16 character: it was cut, or its "
			      "encodings are mixed");
	return 0;
}

int reg_decode(struct reader *r, const char *bytes, size_t n, char **ret)
{
	const uint8_t *b = (const uint8_t *)bytes;
	uint32_t c;

	*ret = NULL;
	r->line = 1;
	r->s = bytes;
	r->n = n;
	if (starts(bytes, n, UTF16_BOM))
		return from_utf16(r, bytes + 2, n - 2, ret);
	if (n >= 2 && b[0] && !b[1])
		return from_utf16(r, bytes, n, ret);
	if (n >= 2 && ((b[0] == 0xFE && b[1] == 0xFF) || (!b[0] && b[1])))
		return bad_at(r, 0, "UTF-16 in big-endian order; save it as UTF-8 or UTF-16LE");
	if (starts(bytes, n, UTF8_BOM)) {
		r->s += strlen(UTF8_BOM);
		r->n -= strlen(UTF8_BOM);
	}
	for (size_t i = 0; i < r->n;) {
		size_t at = i;

		i += utf8_next(r->s + i, r->n - i, &c);
		if (c == UTF_BAD)
			return bad_at(r, at, "neither UTF-8 nor UTF-16LE; save it as UTF-8");
	}
	return 0;
}
