/* SPDX-License-Identifier: MIT */
/*
 * hive.h - regf files: opened with their logs, read, rebuilt
 *
 * Real hives come cut short, half written, with their newest changes in a log beside them, and from
 * enemies. So a hive is read into memory of our own first; the base block is checked by name; a
 * dirty hive's logs are replayed into that copy; every bin and cell is walked once; and only then
 * records are looked at, each against the walk and against limits. Nothing here writes to a file,
 * and a hive is never written in place: it is built anew into an empty one, by libhivex (build.c).
 * Reading does without libhivex: it trusts list and segment lengths (regf.md §8).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
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

#define HIVE_LOGS 3u
/* The logs beside a hive NAME: NAME.LOG1, NAME.LOG2, and NAME.LOG of before Vista. */
extern const char *const hive_log_words[HIVE_LOGS];

struct hive_source {              /* what is read: fds only, so that it can stand behind walls */
	int fd;                   /* the hive */
	int log_fd[HIVE_LOGS];    /* -1 absent */
	int log_error[HIVE_LOGS]; /* errno of one that is there and could not be opened; 0 */
};
#define HIVE_SOURCE_NONE ((struct hive_source){.fd = -1, .log_fd = {-1, -1, -1}})

/*
 * hive_source_open - open a hive for reading, and the logs beside it, their names in any case
 *   path  as a person gave it; links are followed
 * A log that is absent or cannot be opened is no error here: hive_open says so if it is missed.
 * Returns 0 and *ret (given back by hive_source_close), or -errno.
 */
int hive_source_open(const char *path, struct hive_source *ret) _must_check_;
/*
 * hive_source_walk - the same for a configured path (law 12): sys_walk, and no log is a link
 * The hive and its logs must be root's, or of whoever runs this, and writable by nobody else:
 * -EPERM for a hive that is not, EPERM in log_error for a log.
 */
int hive_source_walk(const char *path, struct hive_source *ret) _must_check_;
/* hive_source_of - a hive that is open already, without logs; closing stays the caller's. */
static inline struct hive_source hive_source_of(int fd)
{
	return (struct hive_source){.fd = fd, .log_fd = {-1, -1, -1}};
}
void hive_source_close(struct hive_source *s);

struct hive_log_facts {
	bool present;     /* it is there and not empty or all zeros */
	bool cumulative;  /* of the old kind (DIRT): all changes at once, no entries */
	uint32_t entries; /* applied; a log of the old kind counts as one */
	uint32_t pages;   /* applied */
	uint32_t first;   /* sequence of the log, 0 when its base block is not right */
	char why[112];    /* why it was not applied, or ended early; "" */
};

struct hive_facts {
	/* of the file as it was read */
	uint64_t bytes;
	uint8_t block[HIVE_BLOCK_BYTES];
	uint32_t sequence;  /* primary */
	uint32_t secondary; /* differs: the last write was cut */
	uint32_t minor;
	uint64_t filetime; /* at 12 */
	bool dirty;        /* sequences differ, or the base block's checksum is wrong */
	bool ours;         /* smreg made it */
	/* of what became of it */
	bool recovered; /* dirty, and logs were applied */
	bool stale;     /* dirty, and no log was applied: its content may be old or half new */
	bool lost;      /* recovered, but an entry that should follow is damaged */
	bool degraded;  /* cut short, salvaged, garbage behind it: parts may be missing */
	uint32_t log_entries;  /* applied, of all logs */
	uint32_t log_pages;    /* applied, of all logs */
	uint32_t log_sequence; /* up to this one; of both fields of the recovered base block */
	struct hive_log_facts log[HIVE_LOGS];
	char said[480]; /* one line for people, without the path; "" = clean */
};

struct hive;

/*
 * hive_block_check - what the first 4096 bytes say, before anything else is believed
 *   head   n bytes of the file's start (4096 wanted);  file_bytes  its length
 *   why    takes the named error: the field, its offset, what it holds
 * Strict: for hives that smreg makes. Returns 0 and *ret; -EILSEQ (not a hive, a log, a wrong
 * checksum), -EPROTO (a version we do not read), -EMSGSIZE (truncated), -EFBIG.
 * Source: regf.md §1, §3, §7.
 */
int hive_block_check(const uint8_t *head, size_t n, uint64_t file_bytes, struct hive_facts *ret,
		     struct text *why);

#define HIVE_SALVAGE (1u << 0) /* what is broken is stepped over; the result is degraded */
#define HIVE_NO_LOGS (1u << 1) /* as if none were there: for tests and comparison */

/*
 * hive_open - take a private copy, bring a dirty one up to date, walk its bins
 *   from   stays the caller's, and may be closed afterwards; logs are read only for a dirty hive
 *   flags  HIVE_*
 *   why    takes the named error
 * A dirty hive whose logs do not fit, and one that is cut short, open; hive_facts tells. Needs no
 * path, no /proc, no character set modules, and at most the hive, its logs and 1/64 of it in
 * memory. Returns 0 and *ret (given back by hive_close), or -errno: those of hive_block_check,
 * -EBADMSG (bins, cells or the root key are broken: HIVE_SALVAGE may help), -ENOMEM.
 */
int hive_open(const struct hive_source *from, unsigned flags, struct hive **ret,
	      struct text *why) _must_check_;
void hive_close(struct hive *h);
static inline void hive_closep(struct hive **h)
{
	hive_close(*h);
}

/* hive_facts - what its base block said, and what became of it. */
const struct hive_facts *hive_facts(const struct hive *h);
/*
 * hive_said - the one line to print of it, the parts that could not be read so far included
 * "" = nothing to say. The handle's; changes with the next hive_load.
 */
const char *hive_said(struct hive *h);
/* hive_degraded - what was read is not all that was there: facts' degraded, or damage. */
bool hive_degraded(const struct hive *h);
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
 * hive_hidden - lists in what was loaded that their key's own words hide: Windows sees none of it,
 * and neither do we. No damage, but nothing that Windows writes; *ret_first names the first.
 */
uint64_t hive_hidden(const struct hive *h, const char **ret_first);

/*
 * hive_conversions_ready - the C library can convert UTF-16LE and ISO-8859-1
 * Without these gconv modules libhivex answers EBADF for every name that hive_build hands it;
 * reading does without. Returns 0 or -ENOEXEC.
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
/* key_path_short - the same in at most 100 bytes, a long one cut in its middle. */
struct text *key_path_short(struct text *to, const struct reg_key *k);
