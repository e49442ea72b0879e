/* SPDX-License-Identifier: MIT */
/*
 * test_autochk_probe.c - what autochk sees on a volume, from superblocks good, dirty and hostile
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "autochk/probe.h"
#include "base/bytes.h"
#include "sys/sys.h"

static void put32(uint8_t *p, uint32_t n)
{
	memcpy(p, &n, sizeof(n));
}

/* An ext superblock as mkfs leaves it, in what matters here. */
static void make_ext(uint8_t start[PROBE_BYTES], uint16_t state, uint32_t compatible,
		     uint32_t incompatible, uint32_t ro_compatible)
{
	uint8_t *sb = start + 1024;

	memset(start, 0, PROBE_BYTES);
	put32(sb + 0x00, 4096);
	put32(sb + 0x04, 16384);
	put32(sb + 0x20, 8192);
	put32(sb + 0x28, 2048);
	sb[0x38] = 0x53;
	sb[0x39] = 0xEF;
	sb[0x3A] = (uint8_t)state;
	put32(sb + 0x4C, 1);
	put32(sb + 0x5C, compatible);
	put32(sb + 0x60, incompatible);
	put32(sb + 0x64, ro_compatible);
	put32(sb + 1020, ~crc32c(0, sb, 1020));
}

static void an_ext_superblock_tells_its_state(void **state)
{
	static const struct {
		uint16_t bits;
		uint32_t compatible, incompatible, ro_compatible;
		const char *type;
		enum volume_state want;
	} cases[] = {
		{1, 0, 0, 0, "ext2", VOLUME_CLEAN},
		{0, 0, 0, 0, "ext2", VOLUME_DIRTY},
		{1, 4, 0, 0, "ext3", VOLUME_CLEAN},
		{1, 4, 4, 0, "ext3", VOLUME_DIRTY},
		{1, 4, 0x40, 0, "ext4", VOLUME_CLEAN},
		{3, 4, 0x40, 0, "ext4", VOLUME_FLAGGED},
		{2, 4, 0x44, 0, "ext4", VOLUME_FLAGGED},
		{1, 4, 0x44, 0x400, "ext4", VOLUME_DIRTY},
		{1, 4, 0x40, 0x400, "ext4", VOLUME_CLEAN},
	};
	uint8_t start[PROBE_BYTES];
	struct probe p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		make_ext(start, cases[i].bits, cases[i].compatible, cases[i].incompatible,
			 cases[i].ro_compatible);
		assert_int_equal(probe_ext(start, &p), 0);
		assert_string_equal(p.type, cases[i].type);
		assert_int_equal(p.state, cases[i].want);
	}
}

static void a_damaged_superblock_is_flagged(void **state)
{
	uint8_t start[PROBE_BYTES];
	struct probe p;

	(void)state;
	make_ext(start, 1, 4, 0x40, 0x400);
	start[1024 + 200] ^= 1;
	assert_int_equal(probe_ext(start, &p), 0);
	assert_int_equal(p.state, VOLUME_FLAGGED);
}

static void what_is_no_ext_is_not_taken_for_one(void **state)
{
	uint8_t start[PROBE_BYTES];
	struct probe p;

	(void)state;
	memset(start, 0, sizeof(start));
	assert_int_equal(probe_ext(start, &p), -ENOENT);
	memset(start, 0xFF, sizeof(start));
	assert_int_equal(probe_ext(start, &p), -ENOENT);
	make_ext(start, 1, 0, 8, 0); /* an external journal */
	assert_int_equal(probe_ext(start, &p), -ENOENT);
	make_ext(start, 1, 4, 0x40, 0);
	start[1024 + 0x18] = 40; /* blocks of 2^50 bytes */
	assert_int_equal(probe_ext(start, &p), -ENOENT);
}

static void a_fat_boot_sector_tells_its_state(void **state)
{
	static const struct {
		const char *name;
		unsigned name_at, flags_at;
		uint8_t flags;
		enum volume_state want;
	} cases[] = {
		{"FAT32   ", 82, 65, 0, VOLUME_CLEAN},   {"FAT32   ", 82, 65, 1, VOLUME_DIRTY},
		{"FAT32   ", 82, 65, 3, VOLUME_FLAGGED}, {"FAT16   ", 54, 37, 1, VOLUME_DIRTY},
		{"FAT12   ", 54, 37, 0, VOLUME_CLEAN},
	};
	uint8_t start[PROBE_BYTES];
	struct probe p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(start, 0, sizeof(start));
		start[510] = 0x55;
		start[511] = 0xAA;
		start[12] = 2;
		start[13] = 4;
		memcpy(start + cases[i].name_at, cases[i].name, 8);
		start[cases[i].flags_at] = cases[i].flags;
		assert_int_equal(probe_fat(start, &p), 0);
		assert_string_equal(p.type, "vfat");
		assert_int_equal(p.state, cases[i].want);
	}
	start[13] = 0;
	assert_int_equal(probe_fat(start, &p), -ENOENT);
}

static void everything_else_is_libblkids_to_name(void **state)
{
	char path[] = "/tmp/test-autochk-XXXXXX";
	int fd = mkstemp(path);
	uint8_t start[PROBE_BYTES];
	struct probe p;
	int r;

	(void)state;
	assert_true(fd >= 0);
	unlink(path);
	assert_int_equal(ftruncate(fd, 16 << 20), 0);
	r = probe_device(fd, "auto", &p);
	if (r == -ELIBACC) {
		close(fd);
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(p.state, VOLUME_NOTHING);
	assert_int_equal(pwrite(fd, "SWAPSPACE2", 10, 4086), 10);
	assert_int_equal(pwrite(fd, "\1\0\0\0\377\17\0\0", 8, 1024), 8);
	assert_int_equal(probe_device(fd, "ext4", &p), 0);
	assert_string_equal(p.type, "swap");
	assert_int_equal(p.state, VOLUME_ASK);
	assert_int_equal(pwrite(fd, "\0\0\0\0\0\0\0\0\0\0", 10, 4086), 10);
	make_ext(start, 2, 4, 0x40, 0);
	assert_int_equal(pwrite(fd, start, sizeof(start), 0), sizeof(start));
	assert_int_equal(probe_device(fd, "", &p), 0);
	assert_int_equal(p.state, VOLUME_FLAGGED);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ext_superblock_tells_its_state),
		cmocka_unit_test(a_damaged_superblock_is_flagged),
		cmocka_unit_test(what_is_no_ext_is_not_taken_for_one),
		cmocka_unit_test(a_fat_boot_sector_tells_its_state),
		cmocka_unit_test(everything_else_is_libblkids_to_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
