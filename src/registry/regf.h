/* SPDX-License-Identifier: MIT */
/*
 * regf.h - the format of hive files: base block, bins, cells, records
 *
 * Every byte of a hive is hostile. The bins are walked once; the walk notes where cells in use
 * start, and a record is looked at only when it starts there and lies inside its cell. What lists
 * and data may cost is counted, since lists may form loops. No allocation but for the lists and
 * for data that lies in pieces. Offsets are relative: counted from the first bin.
 * Source: regf.md §1 to §3, §7.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/text.h"

#define REGF_HEAD_BYTES 4096u /* the base block, with what is reserved behind its 512 bytes */
#define REGF_NOWHERE    UINT32_MAX
/* List elements, and 64 bytes of data each, that one load may look at: twice what a hive of 64 MiB
 * can hold, and less than a second. */
#define REGF_WORK_MAX (32u << 20)
/* Data beyond this lies in pieces of this size, since 1.4. */
#define REGF_PIECE_BYTES 16344u

/*
 * A large file is not read whole where only a part of it is asked for: blocks come when they are
 * looked at, each once, and stay. So what was parsed is what a digest made later says.
 */
struct regf {
	uint8_t *at;    /* memory of our own: base block and bins, as far as they were read */
	uint64_t bytes; /* of it */
	int fd;         /* what blocks come from; -1: all of them are here */
	uint64_t *have; /* a bit for each block: it is here */
	uint32_t end;   /* the bins that are there end here */
	uint32_t minor;
	uint32_t root;
	uint64_t *cells;  /* a bit for each 8 bytes: a cell in use starts here */
	uint64_t skipped; /* bins, and rests of bins, that a salvage stepped over */
	uint64_t work;    /* what lists and data may still cost */
};

#define REGF_NONE ((struct regf){.fd = -1})

/*
 * regf_take - a copy of the n bytes of a file; of a large one only the base block is read yet
 *   fd   stays the caller's
 * Returns 0 (given back by regf_free), -ENOMEM, -EMSGSIZE (the file became shorter), -errno.
 */
int regf_take(struct regf *r, int fd, uint64_t n) _must_check_;
/* regf_whole - read what is not here yet. Returns 0 or -errno, as above. */
int regf_whole(struct regf *r) _must_check_;
/* regf_grow - at least n bytes, the new ones zeroed; all must be here. Returns 0 or -ENOMEM. */
int regf_grow(struct regf *r, uint64_t n) _must_check_;
void regf_free(struct regf *r);

/* regf_cell - the content of the cell in use at, read if need be; NULL when there is none. */
const uint8_t *regf_cell(const struct regf *r, uint32_t at, uint32_t *ret_n);

/* regf_u32, regf_put32 - a little-endian word of a block */
uint32_t regf_u32(const uint8_t *p, size_t at);
void regf_put32(uint8_t *p, size_t at, uint32_t v);
/* regf_time - the time a base block was written, at 12 */
uint64_t regf_time(const uint8_t *block);

/* regf_checksum - what has to stand at 508 of these 512 bytes, the two special cases included */
uint32_t regf_checksum(const uint8_t *block);

/*
 * regf_walk - walk all bins and cells, fill in what is known from then on, find the root key
 *   r        at and bytes are set; the base block has been checked
 *   salvage  step over what is broken, and count it
 *   why      takes what is broken, and where
 * Bins beyond the copy's end are no error: the caller has compared the sizes. Linear in bytes.
 * Returns 0, -EBADMSG, -ENOMEM.
 */
int regf_walk(struct regf *r, bool salvage, struct text *why) _must_check_;

struct regf_name {
	const uint8_t *at;
	uint32_t bytes;
	bool narrow; /* a byte a character, Latin-1; else UTF-16LE */
};

struct regf_key {
	struct regf_name name;
	uint32_t subkeys, subkey_list;
	uint32_t values, value_list;
	uint64_t written; /* FILETIME */
	bool handle;      /* a predefined one: values counts nothing */
};

/* regf_key - the key whose cell is at; -EFAULT: no cell in use there, -EBADMSG: no key. */
int regf_key(const struct regf *r, uint32_t at, struct regf_key *ret);

/*
 * regf_hidden - a list that stands there although the key's own words say that it has none
 * Returns what is hidden, for people, or NULL.
 */
const char *regf_hidden(const struct regf *r, const struct regf_key *k);

struct regf_list { /* start from zeros, used again by the next call, given back by the caller */
	uint32_t *at;
	uint32_t count, cap;
};
void regf_list_free(struct regf_list *l);

/*
 * regf_subkeys, regf_values - where the subkeys, the values of a key are
 * Returns 0; -EFAULT, -EBADMSG when not all of them could be found: *ret has those that were;
 * -E2BIG (the work is used up, or memory).
 */
int regf_subkeys(struct regf *r, const struct regf_key *k, struct regf_list *ret);
int regf_values(struct regf *r, const struct regf_key *k, struct regf_list *ret);

struct regf_value {
	struct regf_name name;
	uint32_t type;
	uint32_t size; /* as it says: bit 31 = the data stands in place */
	uint32_t data; /* where it lies */
	const uint8_t *place;
};

/* regf_value - the value whose cell is at; errors as for regf_key. */
int regf_value(const struct regf *r, uint32_t at, struct regf_value *ret);

struct regf_data {
	const uint8_t *at;
	size_t n;
	uint8_t *joined; /* of pieces, to be freed; else NULL and `at` lies in the copy */
};

/*
 * regf_data - the data of a value
 * Returns 0; -EFAULT, -EBADMSG: *ret has what could be read, perhaps nothing; -E2BIG.
 */
int regf_data(struct regf *r, const struct regf_value *v, struct regf_data *ret);
