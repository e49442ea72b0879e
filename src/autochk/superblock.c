/* SPDX-License-Identifier: MIT */
/*
 * superblock.c - the quick looks at ext and FAT; see probe.h
 *
 * Reads two sectors and no more. Superblocks are hostile input: only fixed places of a fixed buffer
 * are read.
 */
#include "autochk/probe.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/sys.h"

#define EXT_AT             1024u
#define EXT_MAGIC          0xEF53u
#define EXT_VALID          1u
#define EXT_ERRORS         2u
#define EXT_HAS_JOURNAL    0x4u   /* compatible */
#define EXT_METADATA_CSUM  0x400u /* read-only compatible */
#define EXT_NEEDS_RECOVERY 0x4u   /* incompatible */
#define EXT_JOURNAL_DEV    0x8u   /* incompatible: an external journal, no file system */
#define EXT_BEYOND_3       0x2C0u /* incompatible: extents, 64 bit, flexible groups */
#define EXT_CHECKSUM_AT    1020u

static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t u32(const uint8_t *p)
{
	return u16(p) | (uint32_t)u16(p + 2) << 16;
}

void probe_answer(struct probe *ret, const char *type, enum volume_state state, const char *why)
{
	memset(ret, 0, sizeof(*ret));
	str_copy(ret->type, sizeof(ret->type), type);
	ret->state = state;
	ret->why = why;
}

int probe_ext(const uint8_t start[PROBE_BYTES], struct probe *ret)
{
	const uint8_t *sb = start + EXT_AT;
	uint32_t compatible = u32(sb + 0x5C), incompatible = u32(sb + 0x60);
	uint32_t ro_compatible = u32(sb + 0x64), state = u16(sb + 0x3A);
	const char *type;

	if (u16(sb + 0x38) != EXT_MAGIC || u32(sb + 0x18) > 6 || u32(sb + 0x4C) > 1 ||
	    u32(sb + 0x00) == 0 || u32(sb + 0x28) == 0 || incompatible & EXT_JOURNAL_DEV)
		return -ENOENT;
	if (incompatible & EXT_BEYOND_3 || ro_compatible & EXT_METADATA_CSUM)
		type = "ext4";
	else
		type = compatible & EXT_HAS_JOURNAL ? "ext3" : "ext2";
	/* the file system's CRC-32C is not inverted at the end, ours is */
	if (ro_compatible & EXT_METADATA_CSUM &&
	    u32(sb + EXT_CHECKSUM_AT) != ~crc32c(0, sb, EXT_CHECKSUM_AT))
		probe_answer(ret, type, VOLUME_FLAGGED, "superblock damaged");
	else if (state & EXT_ERRORS)
		probe_answer(ret, type, VOLUME_FLAGGED, "errors recorded");
	else if (incompatible & EXT_NEEDS_RECOVERY)
		probe_answer(ret, type, VOLUME_DIRTY, "journal not replayed");
	else if (!(state & EXT_VALID))
		probe_answer(ret, type, VOLUME_DIRTY, "not cleanly unmounted");
	else
		probe_answer(ret, type, VOLUME_CLEAN, "clean");
	return 0;
}

int probe_fat(const uint8_t start[PROBE_BYTES], struct probe *ret)
{
	uint8_t flags;

	if (start[510] != 0x55 || start[511] != 0xAA || u16(start + 11) < 512 || start[13] == 0)
		return -ENOENT;
	if (!memcmp(start + 82, "FAT32   ", 8))
		flags = start[65];
	else if (!memcmp(start + 54, "FAT12   ", 8) || !memcmp(start + 54, "FAT16   ", 8))
		flags = start[37];
	else
		return -ENOENT;
	if (flags & 2)
		probe_answer(ret, "vfat", VOLUME_FLAGGED, "read errors recorded");
	else if (flags & 1)
		probe_answer(ret, "vfat", VOLUME_DIRTY, "not cleanly unmounted");
	else
		probe_answer(ret, "vfat", VOLUME_CLEAN, "clean");
	return 0;
}

int probe_quick(int fd, const char *hint, uint8_t start[PROBE_BYTES], struct probe *ret)
{
	bool any = !*hint || str_same(hint, "auto");
	ssize_t n;

	memset(start, 0, PROBE_BYTES);
	n = sys_pread(fd, start, PROBE_BYTES, 0);
	if (n < 0)
		return (int)n;
	if ((any || str_starts(hint, "ext")) && probe_ext(start, ret) == 0)
		return 0;
	if ((str_same(hint, "vfat") || str_same(hint, "msdos")) && probe_fat(start, ret) == 0)
		return 0;
	return -ENOENT;
}
