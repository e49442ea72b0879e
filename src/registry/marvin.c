/* SPDX-License-Identifier: MIT */
/*
 * marvin.c - Marvin32; see marvin.h
 */
#include "registry/marvin.h"

#include <string.h>

struct halves {
	uint32_t lo, hi;
};

static uint32_t rotl(uint32_t x, unsigned by)
{
	return x << by | x >> (32 - by);
}

static struct halves turn(struct halves s, uint32_t word)
{
	s.lo += word;
	s.hi ^= s.lo;
	s.lo = rotl(s.lo, 20) + s.hi;
	s.hi = rotl(s.hi, 9) ^ s.lo;
	s.lo = rotl(s.lo, 27) + s.hi;
	s.hi = rotl(s.hi, 19);
	return s;
}

uint64_t marvin32(uint64_t seed, const void *bytes, size_t n)
{
	struct halves s = {.lo = (uint32_t)seed, .hi = (uint32_t)(seed >> 32)};
	const uint8_t *p = bytes;
	uint8_t last[4] = {0};
	uint32_t word;

	for (; n >= 4; p += 4, n -= 4) {
		memcpy(&word, p, 4);
		s = turn(s, word);
	}
	if (n)
		memcpy(last, p, n);
	last[n] = 0x80;
	memcpy(&word, last, 4);
	s = turn(turn(s, word), 0);
	return (uint64_t)s.hi << 32 | s.lo;
}
