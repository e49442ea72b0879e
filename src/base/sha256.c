/* SPDX-License-Identifier: MIT */
/*
 * sha256.c - SHA-256 as FIPS 180-4 writes it, see sha256.h
 *
 * Straightforward on purpose: it is read more often than it runs (the boot hashes a queue or a
 * pinned library, never the whole machine).
 */
#include "base/sha256.h"

#include <errno.h>
#include <string.h>

static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline uint32_t ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

static void block_add(uint32_t h[8], const uint8_t *block)
{
	uint32_t w[64], v[8];

	for (unsigned i = 0; i < 16; i++) {
		uint32_t x;

		memcpy(&x, block + 4 * i, 4);
		w[i] = __builtin_bswap32(x);
	}
	for (unsigned i = 16; i < 64; i++) {
		uint32_t a = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t b = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = w[i - 16] + a + w[i - 7] + b;
	}
	memcpy(v, h, sizeof(v));
	for (unsigned i = 0; i < 64; i++) {
		/* the eight variables do not move; their names do: a is v[-i mod 8] */
		uint32_t *a = &v[(0u - i) & 7], *d = &v[(3u - i) & 7], *e = &v[(4u - i) & 7];
		uint32_t b = v[(1u - i) & 7], c = v[(2u - i) & 7], f = v[(5u - i) & 7];
		uint32_t g = v[(6u - i) & 7], *hh = &v[(7u - i) & 7];
		uint32_t t1 = *hh + (ror(*e, 6) ^ ror(*e, 11) ^ ror(*e, 25)) +
			      ((*e & f) ^ (~*e & g)) + k[i] + w[i];
		uint32_t t2 =
			(ror(*a, 2) ^ ror(*a, 13) ^ ror(*a, 22)) + ((*a & b) ^ (*a & c) ^ (b & c));

		*d += t1;
		*hh = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		h[i] += v[i];
}

void sha256_start(struct sha256 *s)
{
	static const uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

	memcpy(s->h, h, sizeof(h));
	s->bytes = 0;
}

void sha256_add(struct sha256 *s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	size_t have = s->bytes % 64;

	s->bytes += n;
	if (have) {
		size_t part = n < 64 - have ? n : 64 - have;

		memcpy(s->block + have, p, part);
		p += part;
		n -= part;
		if (have + part < 64)
			return;
		block_add(s->h, s->block);
	}
	for (; n >= 64; p += 64, n -= 64)
		block_add(s->h, p);
	memcpy(s->block, p, n);
}

void sha256_end(struct sha256 *s, uint8_t ret_digest[SHA256_BYTES])
{
	uint64_t bits = __builtin_bswap64(s->bytes * 8);
	size_t have = s->bytes % 64;

	s->block[have++] = 0x80;
	if (have > 56) {
		memset(s->block + have, 0, 64 - have);
		block_add(s->h, s->block);
		have = 0;
	}
	memset(s->block + have, 0, 56 - have);
	memcpy(s->block + 56, &bits, 8);
	block_add(s->h, s->block);
	for (unsigned i = 0; i < 8; i++) {
		uint32_t x = __builtin_bswap32(s->h[i]);

		memcpy(ret_digest + 4 * i, &x, 4);
	}
}

void sha256_of(const void *bytes, size_t n, uint8_t ret_digest[SHA256_BYTES])
{
	struct sha256 s;

	sha256_start(&s);
	sha256_add(&s, bytes, n);
	sha256_end(&s, ret_digest);
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char ret_hex[2 * SHA256_BYTES + 1])
{
	for (unsigned i = 0; i < SHA256_BYTES; i++) {
		ret_hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
		ret_hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
	}
	ret_hex[2 * SHA256_BYTES] = 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int sha256_from_hex(const char *hex, uint8_t ret_digest[SHA256_BYTES])
{
	uint8_t d[SHA256_BYTES];

	for (unsigned i = 0; i < 2 * SHA256_BYTES; i++) {
		int x = digit(hex[i]);

		if (x < 0)
			return -EINVAL; /* a short text ends here too: its NUL is no digit */
		d[i / 2] = (uint8_t)(d[i / 2] << 4 | x);
	}
	if (hex[2 * SHA256_BYTES])
		return -EINVAL;
	memcpy(ret_digest, d, SHA256_BYTES);
	return 0;
}
