/* SPDX-License-Identifier: MIT */
/*
 * bytes.c - memory and checksums, see bytes.h
 *
 * The CRC works by nibbles: sixteen words of table instead of a kilobyte, because the master's
 * resident pages are counted (law 1), and what is checked at boot is a few kB.
 */
#include "base/bytes.h"

/* Reflected polynomial 0x82F63B78, one nibble at a time. */
static const uint32_t crc_nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c(uint32_t crc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	crc = ~crc;
	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
		crc = crc >> 4 ^ crc_nibble[crc & 15];
	}
	return ~crc;
}

bool bytes_same(const void *a, const void *b, size_t n)
{
	return __builtin_memcmp(a, b, n) == 0;
}

bool bytes_zero(const void *a, size_t n)
{
	const uint8_t *p = a;

	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return true;
}
