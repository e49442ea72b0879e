/* SPDX-License-Identifier: MIT */
/*
 * regf.h - the shape of a fuzzed hive: the file and its logs in one input, and what makes them fit
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An input: 8 bytes, then the hive, LOG1, LOG2 and LOG, one behind the other.
 *   0   what is tried, CASE_*
 *   1   which logs are there: bit 0 LOG1, 1 LOG2, 2 LOG
 *   2   uint16 length of the hive, 4 of LOG1, 6 of LOG2, in units of 512; LOG is the rest. What is
 *       missing at the input's end is missing at the file's.
 */
#define CASE_HEAD    8u
#define CASE_SUMS    (1u << 0) /* checksums and hashes are made right */
#define CASE_ORDER   (1u << 1) /* and sequences, types and sizes of the logs fit the hive */
#define CASE_SALVAGE (1u << 2)
#define CASE_NO_LOGS (1u << 3)
#define CASE_BUILD   (1u << 4) /* what was read is built anew, and read again */
#define CASE_TEXT    (1u << 5) /* what was read goes through .reg text */
#define CASE_CLEAN   (1u << 6) /* with CASE_SUMS: both sequences of the hive are equal */
#define CASE_LARGE   (1u << 7) /* zeros behind the hive: files beyond 1 MiB are read by parts */
#define CASE_LOGS    3u

struct regf_case {
	unsigned tries;
	uint8_t *hive;
	size_t hive_n;
	uint8_t *log[CASE_LOGS]; /* NULL absent */
	size_t log_n[CASE_LOGS];
};

/* regf_split - where the files of an input lie; bytes stay the caller's. False: no whole head. */
bool regf_split(uint8_t *bytes, size_t n, struct regf_case *ret);
/* regf_fix - as tries says; changes the bytes. */
void regf_fix(struct regf_case *c);
/* regf_marvin32 - with the registry's seed (the hash of log entries). */
uint64_t regf_marvin32(const uint8_t *p, size_t n);
/* regf_sum - the checksum of a base block. */
uint32_t regf_sum(const uint8_t *block);
