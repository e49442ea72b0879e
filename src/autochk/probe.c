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

/* ---- libblkid, loaded when needed ---- */

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
		probe_answer(ret, type, VOLUME_SELF, "looks after itself when mounted");
	else
		probe_answer(ret, type, VOLUME_ASK, "only its own fsck can tell");
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
			probe_answer(ret, "", VOLUME_NOTHING, "no file system recognised");
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
	uint8_t start[PROBE_BYTES];
	int r = probe_quick(fd, hint, start, ret);

	return r == -ENOENT ? ask_blkid(fd, start, ret) : r;
}
