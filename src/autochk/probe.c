/* SPDX-License-Identifier: MIT */
/*
 * probe.c - what lies on a volume; see probe.h
 *
 * Reads, never writes. Everything beyond ext and FAT is libblkid's to name.
 */
#include "autochk/probe.h"

#include <blkid/blkid.h>
#include <dlfcn.h>
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

static void answer(struct probe *ret, const char *type, enum volume_state state, const char *why)
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
		answer(ret, type, VOLUME_FLAGGED, "superblock damaged");
	else if (state & EXT_ERRORS)
		answer(ret, type, VOLUME_FLAGGED, "errors recorded");
	else if (incompatible & EXT_NEEDS_RECOVERY)
		answer(ret, type, VOLUME_DIRTY, "journal not replayed");
	else if (!(state & EXT_VALID))
		answer(ret, type, VOLUME_DIRTY, "not cleanly unmounted");
	else
		answer(ret, type, VOLUME_CLEAN, "clean");
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
		answer(ret, "vfat", VOLUME_FLAGGED, "read errors recorded");
	else if (flags & 1)
		answer(ret, "vfat", VOLUME_DIRTY, "not cleanly unmounted");
	else
		answer(ret, "vfat", VOLUME_CLEAN, "clean");
	return 0;
}

/* ---- libblkid, loaded when needed
 * ---------------------------------------------------------------- */

static struct {
	typeof(blkid_new_probe) *new_probe;
	typeof(blkid_free_probe) *free_probe;
	typeof(blkid_probe_set_device) *set_device;
	typeof(blkid_probe_enable_superblocks) *enable_superblocks;
	typeof(blkid_probe_set_superblocks_flags) *set_flags;
	typeof(blkid_do_safeprobe) *safeprobe;
	typeof(blkid_probe_lookup_value) *lookup;
} blkid;

static bool load(void)
{
	const struct {
		const char *name;
		void *to;
	} wanted[] = {
		{"blkid_new_probe", &blkid.new_probe},
		{"blkid_free_probe", &blkid.free_probe},
		{"blkid_probe_set_device", &blkid.set_device},
		{"blkid_probe_enable_superblocks", &blkid.enable_superblocks},
		{"blkid_probe_set_superblocks_flags", &blkid.set_flags},
		{"blkid_do_safeprobe", &blkid.safeprobe},
		{"blkid_probe_lookup_value", &blkid.lookup},
	};
	void *library;

	if (blkid.lookup)
		return true;
	library = dlopen("libblkid.so.1", RTLD_LAZY | RTLD_LOCAL);
	for (size_t i = 0; library && i < ARRAY_SIZE(wanted); i++) {
		void *symbol = dlsym(library, wanted[i].name);

		if (!symbol)
			return false;
		memcpy(wanted[i].to, &symbol, sizeof(symbol));
	}
	return library != NULL;
}

/* Types whose state needs no fsck of ours: the file system repairs itself when it is mounted. */
static bool looks_after_itself(const char *type)
{
	static const char *const types[] = {"xfs",        "btrfs",    "bcachefs",
					    "zfs_member", "squashfs", "erofs",
					    "iso9660",    "udf",      "cramfs"};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (str_same(type, types[i]))
			return true;
	}
	return false;
}

static void classify(const char *type, const uint8_t start[PROBE_BYTES], struct probe *ret)
{
	if (str_starts(type, "ext") && probe_ext(start, ret) == 0)
		return;
	if (str_same(type, "vfat") && probe_fat(start, ret) == 0)
		return;
	if (looks_after_itself(type))
		answer(ret, type, VOLUME_SELF, "looks after itself when mounted");
	else
		answer(ret, type, VOLUME_ASK, "only its own fsck can tell");
}

static int ask_blkid(int fd, const uint8_t start[PROBE_BYTES], struct probe *ret)
{
	const char *type = NULL;
	blkid_probe p;
	int r;

	if (!load())
		return -ELIBACC;
	p = blkid.new_probe();
	if (!p)
		return -ENOMEM;
	r = -EIO;
	if (blkid.set_device(p, fd, 0, 0) == 0 && blkid.enable_superblocks(p, 1) == 0 &&
	    blkid.set_flags(p, BLKID_SUBLKS_TYPE) == 0) {
		int found = blkid.safeprobe(p);

		if (found == 0 && blkid.lookup(p, "TYPE", &type, NULL) == 0 && type) {
			classify(type, start, ret);
			r = 0;
		} else if (found == 0 || found == 1) {
			answer(ret, "", VOLUME_NOTHING, "no file system recognised");
			r = 0;
		} else if (found == -2) {
			r = -EBADMSG;
		}
	}
	blkid.free_probe(p);
	return r;
}

int probe_device(int fd, const char *hint, struct probe *ret)
{
	uint8_t start[PROBE_BYTES] = {0};
	bool any = !*hint || str_same(hint, "auto");
	ssize_t n = sys_pread(fd, start, sizeof(start), 0);

	if (n < 0)
		return (int)n;
	if ((any || str_starts(hint, "ext")) && probe_ext(start, ret) == 0)
		return 0;
	if ((str_same(hint, "vfat") || str_same(hint, "msdos")) && probe_fat(start, ret) == 0)
		return 0;
	return ask_blkid(fd, start, ret);
}
