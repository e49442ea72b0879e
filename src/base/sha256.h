/* SPDX-License-Identifier: MIT */
/*
 * sha256.h - SHA-256 (FIPS 180-4), our own because smss links libc only
 *
 * Used for identities that matter: the hive a plan was made from, a queue that was consumed, a
 * pinned library. Pure, no allocation. Checked with the standard's vectors in tests/unit.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

struct sha256 {
	uint32_t h[8];
	uint64_t bytes;
	uint8_t block[64];
};

/* sha256_start - ready for the first byte. */
void sha256_start(struct sha256 *s);

/* sha256_add - n more bytes. */
void sha256_add(struct sha256 *s, const void *bytes, size_t n);

/* sha256_end - the digest; s is used up. */
void sha256_end(struct sha256 *s, uint8_t ret_digest[SHA256_BYTES]);

/* sha256_of - digest of n bytes in one call. */
void sha256_of(const void *bytes, size_t n, uint8_t ret_digest[SHA256_BYTES]);

/* sha256_hex - 64 lower-case digits and a NUL. */
void sha256_hex(const uint8_t digest[SHA256_BYTES], char ret_hex[2 * SHA256_BYTES + 1]);

/* sha256_from_hex - the digest of exactly 64 hexadecimal digits. Returns 0 or -EINVAL. */
int sha256_from_hex(const char *hex, uint8_t ret_digest[SHA256_BYTES]);
