/* SPDX-License-Identifier: MIT */
/*
 * swapfile.c - the first page of a swap area, and sizes, see swapfile.h
 */
#include "smss/boot/swapfile.h"

#include <string.h>

#include "base/bytes.h"

#define MAGIC       "SWAPSPACE2"
#define MAGIC_BYTES 10u
#define INFO_AT     1024u /* boot blocks come first, as on a disk */
#define MIB         (1ull << 20)
#define GIB         (1ull << 30)
#define RESERVE     (32 * MIB) /* what NT leaves on a volume */
#define RAM_UNKNOWN (128 * MIB)

struct swap_info { /* at INFO_AT; little-endian */
	uint32_t version;
	uint32_t last_page;
	uint32_t bad_pages;
	uint8_t uuid[16];
	char label[16];
};

void swapfile_header(uint64_t bytes, const uint8_t uuid[16], uint8_t *page)
{
	struct swap_info info = {.version = 1,
				 .last_page = (uint32_t)(bytes / SWAP_PAGE_BYTES - 1)};

	memcpy(info.uuid, uuid, sizeof(info.uuid));
	info.uuid[6] = (uint8_t)((info.uuid[6] & 0x0f) | 0x40); /* random UUID, RFC 4122 */
	info.uuid[8] = (uint8_t)((info.uuid[8] & 0x3f) | 0x80);
	memset(page, 0, SWAP_PAGE_BYTES);
	memcpy(page + INFO_AT, &info, sizeof(info));
	memcpy(page + SWAP_PAGE_BYTES - MAGIC_BYTES, MAGIC, MAGIC_BYTES);
}

bool swapfile_good(const uint8_t *page, uint64_t bytes)
{
	struct swap_info info;

	memcpy(&info, page + INFO_AT, sizeof(info));
	return bytes_same(page + SWAP_PAGE_BYTES - MAGIC_BYTES, MAGIC, MAGIC_BYTES) &&
	       info.version == 1 && info.bad_pages == 0 &&
	       info.last_page == bytes / SWAP_PAGE_BYTES - 1;
}

static uint64_t system_managed(const struct swapfile_room *room)
{
	const uint64_t want = !room->ram        ? RAM_UNKNOWN
			      : room->ram < GIB ? room->ram + room->ram / 2
						: room->ram;
	const uint64_t share = (room->free + room->old) / 4;

	return want < share ? want : share;
}

uint64_t swapfile_size(const struct swapfile_room *room, uint32_t min_mib, uint32_t max_mib)
{
	const uint64_t reserve = RESERVE + room->volume / 20;
	const uint64_t free = room->free + room->old;
	const bool managed = !min_mib && !max_mib;
	uint64_t want =
		managed ? system_managed(room) : (uint64_t)(min_mib ? min_mib : max_mib) * MIB;

	if (managed && want < SWAPFILE_FLOOR)
		want = SWAPFILE_FLOOR;
	if (free <= reserve)
		return 0;
	if (want > free - reserve)
		want = free - reserve;
	want -= want % MIB;
	/* A line that asks for less than the floor gets what it asks for. */
	if (want < SWAPFILE_FLOOR &&
	    (managed || want < (uint64_t)(min_mib ? min_mib : max_mib) * MIB))
		return 0;
	return want;
}

bool swapfile_keeps(uint64_t old_bytes, uint64_t wanted, uint32_t min_mib, uint32_t max_mib)
{
	/* What a system managed file should be changes with what is free: only a poor one is
	 * redone. */
	if (!min_mib && !max_mib)
		return old_bytes >= SWAPFILE_FLOOR && old_bytes + SWAPFILE_STEP >= wanted / 2;
	if (old_bytes > (uint64_t)(max_mib > min_mib ? max_mib : min_mib) * MIB)
		return false;
	/* One that was stepped down is redone when there is room for a larger one. */
	return old_bytes + SWAPFILE_STEP > wanted || old_bytes >= (uint64_t)min_mib * MIB;
}
