/* SPDX-License-Identifier: MIT */
/*
 * utf.c - UTF-16LE and UTF-8, folding and what may be printed; see utf.h
 */
#include "registry/utf.h"

unsigned utf8_next(const char *s, size_t n, uint32_t *ret)
{
	const uint8_t *b = (const uint8_t *)s;
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned len = b[0] < 0x80             ? 1
		       : (b[0] & 0xE0) == 0xC0 ? 2
		       : (b[0] & 0xF0) == 0xE0 ? 3
		       : (b[0] & 0xF8) == 0xF0 ? 4
					       : 0;
	uint32_t c;

	if (len == 1) {
		*ret = b[0];
		return 1;
	}
	*ret = UTF_BAD;
	if (len == 0 || len > n)
		return 1;
	c = b[0] & (0x7Fu >> len);
	for (unsigned i = 1; i < len; i++) {
		if ((b[i] & 0xC0) != 0x80)
			return 1;
		c = c << 6 | (b[i] & 0x3F);
	}
	if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
		return 1;
	*ret = c;
	return len;
}

unsigned utf8_put(uint32_t c, char ret[4])
{
	if (c < 0x80) {
		ret[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		ret[0] = (char)(0xC0 | c >> 6);
		ret[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		ret[0] = (char)(0xE0 | c >> 12);
		ret[1] = (char)(0x80 | (c >> 6 & 0x3F));
		ret[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	ret[0] = (char)(0xF0 | c >> 18);
	ret[1] = (char)(0x80 | (c >> 12 & 0x3F));
	ret[2] = (char)(0x80 | (c >> 6 & 0x3F));
	ret[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

bool utf8_valid(const char *s, size_t n)
{
	uint32_t c;

	for (size_t i = 0; i < n;) {
		i += utf8_next(s + i, n - i, &c);
		if (c == UTF_BAD)
			return false;
	}
	return true;
}

static uint32_t unit_at(const uint8_t *p, size_t i)
{
	return (uint32_t)p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
}

size_t utf16_to_utf8(const uint8_t *from, size_t units, char *to, bool *ret_bad)
{
	size_t len = 0;

	for (size_t i = 0; i < units; i++) {
		uint32_t c = unit_at(from, i);

		if (c >= 0xD800 && c < 0xDC00 && i + 1 < units) {
			uint32_t low = unit_at(from, i + 1);

			if (low >= 0xDC00 && low < 0xE000) {
				c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
				i++;
			}
		}
		if (c >= 0xD800 && c < 0xE000) {
			c = 0xFFFD;
			if (ret_bad)
				*ret_bad = true;
		}
		len += utf8_put(c, to + len);
	}
	to[len] = '\0';
	return len;
}

size_t utf16_bad_unit(const uint8_t *from, size_t units)
{
	for (size_t i = 0; i < units; i++) {
		uint32_t c = unit_at(from, i), low = i + 1 < units ? unit_at(from, i + 1) : 0;

		if (c < 0xD800 || c >= 0xE000)
			continue;
		if (c >= 0xDC00 || low < 0xDC00 || low >= 0xE000)
			return i;
		i++;
	}
	return units;
}

size_t utf8_to_utf16(const char *from, size_t n, uint8_t *to)
{
	size_t len = 0;
	uint32_t c;

	for (size_t i = 0; i < n;) {
		uint32_t unit[2];
		unsigned count = 1;

		i += utf8_next(from + i, n - i, &c);
		unit[0] = c == UTF_BAD ? 0xFFFD : c;
		if (unit[0] >= 0x10000) {
			unit[1] = 0xDC00 + ((c - 0x10000) & 0x3FF);
			unit[0] = 0xD800 + ((c - 0x10000) >> 10);
			count = 2;
		}
		for (unsigned k = 0; k < count; k++) {
			to[len++] = (uint8_t)unit[k];
			to[len++] = (uint8_t)(unit[k] >> 8);
		}
	}
	return len;
}

uint32_t utf_fold(uint32_t c)
{
	if (c < 0x80)
		return c >= 'a' && c <= 'z' ? c - 0x20 : c;
	if (c >= 0xE0 && c <= 0xFE)
		return c == 0xF7 ? c : c - 0x20;
	if (c == 0xFF)
		return 0x178;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14A && c <= 0x177))
		return c == 0x131 ? c : c & ~1u;
	if (c >= 0x139 && c <= 0x148)
		return (c & 1) ? c : c - 1;
	if (c >= 0x3B1 && c <= 0x3C9)
		return c == 0x3C2 ? c : c - 0x20;
	if (c >= 0x430 && c <= 0x44F)
		return c - 0x20;
	if (c >= 0x450 && c <= 0x45F)
		return c - 0x50;
	return c;
}

bool utf8_same_fold(const char *a, size_t an, const char *b, size_t bn)
{
	size_t i = 0, k = 0;
	uint32_t ca, cb;

	while (i < an && k < bn) {
		i += utf8_next(a + i, an - i, &ca);
		k += utf8_next(b + k, bn - k, &cb);
		if (ca == UTF_BAD && cb == UTF_BAD && a[i - 1] != b[k - 1])
			return false;
		if (utf_fold(ca) != utf_fold(cb))
			return false;
	}
	return i == an && k == bn;
}

static uint32_t rotl(uint32_t v, unsigned by)
{
	return v << by | v >> (32 - by);
}

static void mix(uint32_t *lo, uint32_t *hi, uint32_t w)
{
	*lo += w;
	*hi ^= *lo;
	*lo = rotl(*lo, 20) + *hi;
	*hi = rotl(*hi, 9) ^ *lo;
	*lo = rotl(*lo, 27) + *hi;
	*hi = rotl(*hi, 19);
}

/* Marvin's rounds, a code point each: without the seed nobody can choose names that collide. */
uint32_t utf8_hash_fold(const char *s, size_t n, uint64_t seed)
{
	uint32_t lo = (uint32_t)seed, hi = (uint32_t)(seed >> 32), c;

	for (size_t i = 0; i < n;) {
		i += utf8_next(s + i, n - i, &c);
		mix(&lo, &hi, utf_fold(c));
	}
	mix(&lo, &hi, 0x80);
	mix(&lo, &hi, 0);
	return lo ^ hi;
}

bool utf8_printable(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == UTF_BAD)
		return false;
	if ((c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E))
		return false;
	return !(c >= 0x2060 && c <= 0x206F) && c != 0xFEFF && c != 0xAD && c < 0xE0000;
}
