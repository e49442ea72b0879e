/* SPDX-License-Identifier: MIT */
/*
 * json.c - a string as JSON, see json.h
 */
#include "base/json.h"

#include <stddef.h>

/* Bytes of the UTF-8 character at s, 0 when there is none (RFC 3629: no surrogates, no overlong).
 */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] >= 0xf0 && s[0] < 0xf5   ? 4
		   : s[0] >= 0xe0 && s[0] < 0xf0 ? 3
		   : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
						 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void json_byte(struct text *t, unsigned char c, const char *before)
{
	const char hex[2] = {"0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};

	text_add_n(text_add(t, before), hex, 2);
}

struct text *json_string(struct text *t, const char *s)
{
	text_add(t, "\"");
	for (; *s; s++) {
		const unsigned char c = (unsigned char)*s;
		size_t n;

		if (c == '"' || c == '\\') {
			text_add_n(text_add(t, "\\"), s, 1);
		} else if (c < 0x20 || c == 0x7f) {
			json_byte(t, c, "\\u00");
		} else if (c < 0x80) {
			text_add_n(t, s, 1);
		} else if ((n = utf8_length((const unsigned char *)s)) > 0) {
			text_add_n(t, s, n);
			s += n - 1;
		} else {
			json_byte(t, c, "\\udc");
		}
	}
	return text_add(t, "\"");
}
