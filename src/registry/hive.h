/* SPDX-License-Identifier: MIT */
/*
 * hive.h - regf files: checked, read, rebuilt; the only user of libhivex
 *
 * libhivex compares no sequence numbers, reads no logs, maps the file it is given and aborts on
 * some of them (regf.md §8). So the base block is checked here first and by name, libhivex sees a
 * sealed private copy, lookup folds case itself, and everything read is counted against limits. A
 * hive is never written in place: it is built anew into an empty one.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/text.h"
#include "plan/plan.h"
#include "registry/tree.h"

/* A hive file that is read: the largest SYSTEM hives have 16 to 32 MiB. */
#define HIVE_BYTES_MAX (64u << 20)
/* Keys and values loaded at once: what such a file can hold. */
#define HIVE_KEYS_MAX   400000u
#define HIVE_VALUES_MAX 1000000u
/* Bytes of a value that is written: beyond it Windows expects db records (regf.md §8). */
#define HIVE_WRITE_VALUE_MAX 16344u
/* Subkeys of a key that is written: libhivex's inserts are quadratic (5.5 MB here). */
#define HIVE_WRITE_SUBKEYS_MAX 1000u
/* A hive of ours; policies have a few kB. */
#define HIVE_BUILD_BYTES_MAX (32u << 20)
/* The base block's file name in hives that smreg made. */
#define HIVE_MARK "smss registry"
/* What is said of a hive whose last write was cut. */
#define HIVE_DIRTY_TEXT "dirty, logs not applied: its content may be stale"

struct hive_facts {
	uint64_t bytes;
	uint8_t block[HIVE_BLOCK_BYTES];
	uint32_t sequence;  /* primary */
	uint32_t secondary; /* differs: the last write was cut */
	uint32_t minor;
	uint64_t filetime; /* at 12 */
	bool dirty;
	bool ours; /* smreg made it */
};

struct hive;

/*
 * hive_block_check - what the first 4096 bytes say, before anything else is believed
 *   head   n bytes of the file's start (4096 wanted);  file_bytes  its length
 *   why    takes the named error: the field, its offset, what it holds
 * Returns 0 and *ret; -EILSEQ (not a hive, a log, a wrong checksum), -EPROTO (a version we do not
 * read), -EMSGSIZE (truncated), -EFBIG. Source: regf.md §1, §3, §7.
 */
int hive_block_check(const uint8_t *head, size_t n, uint64_t file_bytes, struct hive_facts *ret,
		     struct text *why);

/*
 * hive_open - take a private copy of the file at fd and have libhivex read it
 *   fd   open for reading; stays the caller's
 *   why  takes the named error
 * Returns 0 and *ret (given back by hive_close), or -errno as hive_block_check; -ENOEXEC when the
 * C library lacks its character set modules.
 */
int hive_open(int fd, struct hive **ret, struct text *why);
void hive_close(struct hive *h);
static inline void hive_closep(struct hive **h)
{
	hive_close(*h);
}

/* hive_facts - what its base block said. */
const struct hive_facts *hive_facts(const struct hive *h);
/* hive_sha256 - of the whole file as it was read; made at the first call. */
const uint8_t *hive_sha256(struct hive *h);

/*
 * hive_load - bring a key into a tree, at its own path
 *   path   as for tree_find; CurrentControlSet needs Select loaded before
 *   depth  levels of subkeys to bring too; their names only at the last level
 * A part that cannot be read is counted and named (hive_damage), the rest comes.
 * Returns 0, -ENOENT (no such key), -E2BIG (a limit), -ENOKEY (no Select\Current), -EIO.
 */
int hive_load(struct hive *h, const char *path, unsigned depth, struct reg_tree *into);
#define HIVE_ALL REG_DEPTH_MAX

/* hive_damage - how many parts could not be read so far; *ret_first names the first. */
uint64_t hive_damage(const struct hive *h, const char **ret_first);

/*
 * hive_conversions_ready - the C library can convert UTF-16LE and ISO-8859-1
 * Without these gconv modules libhivex answers EBADF for every name. Also loads them, so that a
 * sandbox may forbid it later. Returns 0 or -ENOEXEC.
 */
int hive_conversions_ready(void);

struct hive_stamp {
	uint32_t sequence; /* both sequence numbers of the new hive */
	uint64_t filetime;
};

/* hive_stamp_after - previous + 1 and a time that is later than the previous one's. */
struct hive_stamp hive_stamp_after(const struct hive_facts *previous, uint64_t wall_s);

/*
 * hive_build - a whole new hive file from a tree (regf.md §6, "Stamp")
 *   ret  the bytes, malloc'ed, the caller's
 * Returns 0; -EINVAL (a name or value the format or libhivex cannot take: why names it), -E2BIG,
 * other -errno of libhivex.
 */
int hive_build(const struct reg_tree *t, struct hive_stamp stamp, uint8_t **ret, size_t *ret_n,
	       struct text *why);

/* key_path - the path of a key below the root, escaped for people. */
struct text *key_path(struct text *to, const struct reg_key *k);
