/* SPDX-License-Identifier: MIT */
/*
 * regf.c - checksums, hashes and sequences of fuzzed hives; see regf.h
 *
 * Without this step nearly every mutation would end at a checksum. It is written from the format's
 * description, not with the product's code, so that both must agree.
 */
#include "regf.h"

#include <string.h>

static uint32_t get32(const uint8_t *p, size_t at)
{
	uint32_t v;

	memcpy(&v, p + at, 4);
	return v;
}

static void put32(uint8_t *p, size_t at, uint32_t v)
{
	memcpy(p + at, &v, 4);
}

static uint32_t rotl(uint32_t v, unsigned by)
{
	return v << by | v >> (32 - by);
}

static void marvin_round(uint32_t *lo, uint32_t *hi, uint32_t w)
{
	*lo += w;
	*hi ^= *lo;
	*lo = rotl(*lo, 20) + *hi;
	*hi = rotl(*hi, 9) ^ *lo;
	*lo = rotl(*lo, 27) + *hi;
	*hi = rotl(*hi, 19);
}

uint64_t regf_marvin32(const uint8_t *p, size_t n)
{
	uint32_t lo = 0x7A4E55C5, hi = 0x82EF4D88, last = 0x80; /* the seed's halves */
	size_t whole = n / 4 * 4;

	for (size_t i = 0; i < whole; i += 4)
		marvin_round(&lo, &hi, get32(p, i));
	for (size_t i = n; i > whole; i--)
		last = last << 8 | p[i - 1];
	marvin_round(&lo, &hi, last);
	marvin_round(&lo, &hi, 0);
	return (uint64_t)hi << 32 | lo;
}

uint32_t regf_sum(const uint8_t *block)
{
	uint32_t x = 0;

	for (size_t i = 0; i < 508; i += 4)
		x ^= get32(block, i);
	return x == UINT32_MAX ? UINT32_MAX - 1 : x == 0 ? 1 : x;
}

bool regf_split(uint8_t *bytes, size_t n, struct regf_case *ret)
{
	struct regf_case c = {0};
	size_t at = CASE_HEAD, want;

	if (n < CASE_HEAD)
		return false;
	c.tries = bytes[0];
	c.hive = bytes + at;
	want = 512u * (bytes[2] | (size_t)bytes[3] << 8);
	c.hive_n = want < n - at ? want : n - at;
	at += c.hive_n;
	for (unsigned i = 0; i < CASE_LOGS; i++) {
		want = i < 2 ? 512u * (bytes[4 + 2 * i] | (size_t)bytes[5 + 2 * i] << 8) : n - at;
		want = want < n - at ? want : n - at;
		if (!(bytes[1] & 1u << i))
			continue;
		c.log[i] = bytes + at;
		c.log_n[i] = want;
		at += want;
	}
	*ret = c;
	return true;
}

/* The entries of a new log, in order, until one leaves the file. */
static void fix_entries(uint8_t *log, size_t n, bool order)
{
	uint32_t sequence = get32(log, 4);

	for (size_t at = 512; at + 512 <= n;) {
		uint8_t *e = log + at;
		uint32_t size;
		uint64_t hash;

		if (order) {
			size = (get32(e, 4) + 511) / 512 * 512;
			if (size < 512 || size > n - at)
				size = (uint32_t)((n - at) / 512 * 512);
			memcpy(e, "HvLE", 4);
			put32(e, 4, size);
			put32(e, 12, sequence++);
			put32(e, 16, get32(e, 16) / 4096 * 4096);
		}
		size = get32(e, 4);
		if (memcmp(e, "HvLE", 4) != 0 || size < 512 || size > n - at)
			return;
		hash = regf_marvin32(e + 40, size - 40);
		memcpy(e + 24, &hash, 8);
		hash = regf_marvin32(e, 32);
		memcpy(e + 32, &hash, 8);
		at += size;
	}
}

static void fix_log(const struct regf_case *c, uint8_t *log, size_t n)
{
	bool order = c->tries & CASE_ORDER, fresh = n >= 516 && memcmp(log + 512, "HvLE", 4) == 0;

	if (n < 512)
		return;
	if (order && c->hive_n >= 512) {
		memcpy(log, "regf", 4);
		if (fresh && (int32_t)(get32(log, 4) - get32(c->hive, 8)) < 0)
			put32(log, 4, get32(c->hive, 8));
		put32(log, 8, get32(log, 4));
		memcpy(log + 20, c->hive + 20, 8); /* versions */
		put32(log, 28, fresh ? 6 : 1);
		put32(log, 32, 1);
		put32(log, 44, 1);
		if (!fresh)
			memcpy(log + 12, c->hive + 12, 8);
	}
	if (fresh)
		fix_entries(log, n, order);
	put32(log, 508, regf_sum(log));
}

void regf_fix(struct regf_case *c)
{
	if (!(c->tries & CASE_SUMS))
		return;
	if (c->hive_n >= 512) {
		if (c->tries & CASE_CLEAN)
			put32(c->hive, 8, get32(c->hive, 4));
		put32(c->hive, 508, regf_sum(c->hive));
	}
	for (unsigned i = 0; i < CASE_LOGS; i++)
		if (c->log[i])
			fix_log(c, c->log[i], c->log_n[i]);
}
