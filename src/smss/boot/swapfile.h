/* SPDX-License-Identifier: MIT */
/*
 * swapfile.h - the first page of a swap area, and how large a paging file is to be
 *
 * The page that mkswap writes: version 1, no bad pages, a random UUID. Pure. Sources: the kernel's
 * union swap_header as documented in mkswap(8); sizes after nt-reference §3.3 and §3.4.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SWAP_PAGE_BYTES 4096u

/*
 * swapfile_header - the first page of a swap file
 *   bytes  size of the file, a multiple of SWAP_PAGE_BYTES, at least 10 pages
 *   uuid   16 random bytes; version and variant bits are set here
 *   page   SWAP_PAGE_BYTES, all of it is written
 */
void swapfile_header(uint64_t bytes, const uint8_t uuid[16], uint8_t *page);

/* swapfile_good - page is the header of a whole, undamaged swap file of that size. */
bool swapfile_good(const uint8_t *page, uint64_t bytes);

struct swapfile_room {   /* bytes all */
	uint64_t ram;    /* 0 = unknown */
	uint64_t volume; /* size of the file system */
	uint64_t free;   /* free on it now */
	uint64_t old;    /* allocated to the file that will be replaced */
};

/*
 * swapfile_size - bytes that a paging file gets at first
 *   min_mib, max_mib  of the PagingFiles line; both 0 = system managed
 * System managed: RAM (half as much again below 1 GiB), at most a quarter of what is free. Never
 * into the reserve of 32 MiB and a twentieth of the volume. Whole MiB.
 * Returns the size, 0 when there is not room for SWAPFILE_FLOOR.
 */
#define SWAPFILE_FLOOR (16u << 20)
#define SWAPFILE_STEP  (16u << 20) /* how far a size goes down when the disk is full */
uint64_t swapfile_size(const struct swapfile_room *room, uint32_t min_mib, uint32_t max_mib);

/* swapfile_keeps - an existing, good file of old_bytes need not be made anew for size's sake. */
bool swapfile_keeps(uint64_t old_bytes, uint64_t wanted, uint32_t min_mib, uint32_t max_mib);
