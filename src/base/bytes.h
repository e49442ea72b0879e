/* SPDX-License-Identifier: MIT */
/*
 * bytes.h - memory and checksums
 *
 * Little-endian access for everything that lies on a disk or in a message, and the CRC-32C that
 * says whether a record of ours is whole. A CRC finds accidents, not forgery: where an enemy is
 * meant, sha256.h is used. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "records and messages are little-endian and mapped as they are");

/* crc32c - CRC-32C (Castagnoli) of n bytes; start from 0, feed the result back to go on. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

/* bytes_same - n bytes equal. */
bool bytes_same(const void *a, const void *b, size_t n);

/* bytes_zero - all n bytes are 0. */
bool bytes_zero(const void *a, size_t n);
