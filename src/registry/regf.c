/* SPDX-License-Identifier: MIT */
/*
 * regf.c - the copy of a hive, its base block, bins and cells; see regf.h
 *
 * The copy is anonymous memory: nobody can cut a file short under it.
 */
#include "registry/regf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sys/sys.h"

#define BIN_HEAD_BYTES 32u
#define BIN_STEP       4096u

/* Whole up to here: reading a part would not be quicker. */
#define WHOLE_MAX (1u << 20)
#define BLOCK     (16u << 10)
/* What the walk reads at a time: it stays in the processor's cache. */
#define WINDOW (64u << 10)

static int read_part(const struct regf *r, int fd, uint8_t *to, uint64_t at, uint64_t n)
{
	if (at + n > r->bytes)
		n = r->bytes - at;
	while (n) {
		ssize_t got = sys_pread(fd, to, n, at);

		if (got <= 0)
			return got < 0 ? (int)got : -EMSGSIZE;
		to += got;
		at += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

int regf_take(struct regf *r, int fd, uint64_t n)
{
	void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int e;

	*r = REGF_NONE;
	if (at == MAP_FAILED)
		return -ENOMEM;
	r->at = at;
	r->bytes = n;
	if (n <= WHOLE_MAX)
		return read_part(r, fd, r->at, 0, n);
	r->have = calloc(n / BLOCK / 64 + 1, 8);
	if (!r->have)
		return -ENOMEM;
	e = read_part(r, fd, r->at, 0, BLOCK);
	if (e < 0)
		return e;
	r->have[0] = 1;
	r->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return r->fd < 0 ? -errno : 0;
}

/* The blocks of n bytes at are here now; false when they cannot be read any more. */
static bool here(const struct regf *r, uint64_t at, uint64_t n)
{
	for (uint64_t i = at / BLOCK; r->fd >= 0 && i <= (at + n - 1) / BLOCK; i++) {
		if (r->have[i / 64] >> i % 64 & 1)
			continue;
		if (read_part(r, r->fd, r->at + i * BLOCK, i * BLOCK, BLOCK) < 0)
			return false;
		r->have[i / 64] |= 1ull << i % 64;
	}
	return true;
}

int regf_whole(struct regf *r)
{
	if (r->fd < 0)
		return 0;
	if (!here(r, 0, r->bytes))
		return -EMSGSIZE;
	sys_closep(&r->fd);
	return 0;
}

int regf_grow(struct regf *r, uint64_t n)
{
	uint8_t *at;

	if (n <= r->bytes)
		return 0;
	at = mremap(r->at, r->bytes, n, MREMAP_MAYMOVE);
	if (at == MAP_FAILED)
		return -ENOMEM;
	/* What the last page had behind the file's end was never written: it is zero. */
	r->at = at;
	r->bytes = n;
	return 0;
}

void regf_free(struct regf *r)
{
	if (r->at)
		munmap(r->at, r->bytes);
	free(r->cells);
	free(r->have);
	sys_closep(&r->fd);
	*r = REGF_NONE;
}

const uint8_t *regf_cell(const struct regf *r, uint32_t at, uint32_t *ret_n)
{
	uint64_t from = REGF_HEAD_BYTES + (uint64_t)at;
	uint32_t n;

	if (at % 8 || at >= r->end || !(r->cells[at / 512] >> (at / 8 % 64) & 1) ||
	    !here(r, from, 8))
		return NULL;
	n = 0u - regf_u32(r->at, from); /* the file may have changed since the walk */
	if (n < 8 || n > r->end - at || !here(r, from, n))
		return NULL;
	*ret_n = n - 4;
	return r->at + from + 4;
}

uint32_t regf_u32(const uint8_t *p, size_t at)
{
	uint32_t v;

	memcpy(&v, p + at, 4);
	return v;
}

void regf_put32(uint8_t *p, size_t at, uint32_t v)
{
	memcpy(p + at, &v, 4);
}

uint64_t regf_time(const uint8_t *block)
{
	uint64_t v;

	memcpy(&v, block + 12, 8);
	return v;
}

uint32_t regf_checksum(const uint8_t *block)
{
	uint32_t x = 0;

	for (size_t i = 0; i < 508; i += 4)
		x ^= regf_u32(block, i);
	return x == UINT32_MAX ? UINT32_MAX - 1 : x == 0 ? 1 : x;
}

static void broken(struct text *why, const char *what, uint64_t at)
{
	if (why->len)
		return;
	text_add(text_add(why, "a bin or a chain of cells is broken: "), what);
	text_hex(text_add(why, " at "), REGF_HEAD_BYTES + at);
}

struct window { /* what the walk sees: a part of a file that is not here whole, or all of it */
	const struct regf *r;
	uint8_t *room;
	uint64_t at, n; /* of the file */
	int error;
};

/* Moves the window to where `from` of the file is. */
static void move(struct window *w, uint64_t from)
{
	w->at = from / BIN_STEP * BIN_STEP;
	w->n = WINDOW;
	w->error = read_part(w->r, w->r->fd, w->room, w->at, w->n);
	if (w->error < 0)
		memset(w->room, 0, WINDOW);
}

/* 32 bytes at, or what is left of the file; asked for in rising order. */
static inline const uint8_t *look(struct window *w, uint32_t at)
{
	uint64_t from = REGF_HEAD_BYTES + (uint64_t)at;

	if (from - w->at >= w->n)
		move(w, from);
	return w->room + (from - w->at);
}

/* The bin at: its length, 0 when it is none. One that runs over the end may be cut there. */
static uint32_t bin_bytes(struct window *w, uint32_t at, bool cut, struct text *why)
{
	uint32_t left = w->r->end - at, n;
	const uint8_t *bin = look(w, at);

	if (left < BIN_HEAD_BYTES || memcmp(bin, "hbin", 4) != 0) {
		broken(why, "no bin", at);
		return 0;
	}
	n = regf_u32(bin, 8);
	if (regf_u32(bin, 4) != at) {
		broken(why, "a bin with another bin's offset", at);
		return 0;
	}
	if (n == 0 || n % BIN_STEP || (n > left && !cut)) {
		broken(why, "a bin of a wrong size", at);
		return 0;
	}
	return n < left ? n : left;
}

/* The cells of a bin: where the chain ends, which is the bin's end when it is whole. */
static uint32_t walk_cells(struct window *w, uint32_t at, uint32_t n, struct text *why)
{
	uint64_t *cells = w->r->cells;
	uint32_t end = at + n, cell = at + BIN_HEAD_BYTES, word;

	while (cell < end) {
		memcpy(&word, look(w, cell), 4);
		int32_t size = (int32_t)word;
		uint32_t length = size < 0 ? 0u - word : word;

		if (length < 8 || length % 8 || length > end - cell) {
			broken(why, "a cell of a wrong size", cell);
			return cell;
		}
		if (size < 0)
			cells[cell / 512] |= 1ull << (cell / 8 % 64);
		cell += length;
	}
	return end;
}

/* The next place where a bin may start, for a salvage. */
static uint32_t next_bin(struct window *w, uint32_t at)
{
	uint32_t end = w->r->end;

	for (at = at / BIN_STEP * BIN_STEP + BIN_STEP; at < end; at += BIN_STEP)
		if (end - at >= BIN_HEAD_BYTES && memcmp(look(w, at), "hbin", 4) == 0 &&
		    regf_u32(look(w, at), 4) == at)
			return at;
	return end;
}

static int walk_bins(struct regf *r, struct window *w, bool cut, bool salvage, struct text *why)
{
	for (uint32_t at = 0; at < r->end;) {
		uint32_t n = bin_bytes(w, at, cut || salvage, why);
		uint32_t to = n ? walk_cells(w, at, n, why) : at;
		bool whole = n && to == at + n;

		if (w->error < 0)
			return w->error;
		/* A bin that the file's end cuts has a cell that it cuts: that one is lost. */
		if (!whole && !salvage && !(cut && n && at + n == r->end))
			return -EBADMSG;
		r->skipped += !whole;
		at = whole ? to : salvage ? next_bin(w, to) : r->end;
	}
	return 0;
}

int regf_walk(struct regf *r, bool salvage, struct text *why)
{
	char room[128];
	struct text found = TEXT_ON(room);
	uint64_t there = (r->bytes - REGF_HEAD_BYTES) & ~7ull;
	uint32_t bins = regf_u32(r->at, 40);
	struct window w = {.r = r};
	struct regf_key root;
	int e = -ENOMEM;

	r->end = bins > there ? (uint32_t)there : bins;
	r->minor = regf_u32(r->at, 24);
	r->root = regf_u32(r->at, 36);
	r->work = REGF_WORK_MAX;
	r->skipped = 0;
	free(r->cells);
	r->cells = calloc(r->end / 512 + 1, 8);
	w.room = r->fd < 0 ? r->at : malloc(WINDOW);
	w.n = r->fd < 0 ? r->bytes : 0;
	if (r->cells && w.room)
		e = walk_bins(r, &w, bins > there, salvage, &found);
	if (r->fd >= 0)
		free(w.room);
	if (e == 0 && regf_key(r, r->root, &root) < 0) {
		text_hex(text_add(&found, "the root key is not where 36 says: "), r->root);
		e = -EBADMSG;
	}
	if (e < 0)
		text_add(why, e == -EBADMSG ? room : err_text(-e));
	return e;
}
