/* SPDX-License-Identifier: MIT */
/*
 * test_boot_rules.c - the pure rules of the boot roles: protected paths, paging sizes, swap header,
 * JSON strings
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/json.h"
#include "pending/protect.h"
#include "smss/boot/swapfile.h"

#define HIVE  "/etc/smss/SYSTEM"
#define STATE "/var/lib/smss"
#define MIB   (1ull << 20)
#define GIB   (1ull << 30)

static void protected_paths_are_left_alone(void **state)
{
	static const struct {
		const char *path;
		bool want;
	} paths[] = {
		{"/usr/lib/smss/smss", true},
		{"/usr/lib/smss", true},
		{"/usr/lib", true},
		{"/usr/lib/smssx", false},
		{"/usr/lib/libc.so", false},
		{"/sbin/init", true},
		{"/usr/sbin/init", true},
		{"/usr/sbin/initctl", false},
		{"/sbin", true},
		{HIVE, true},
		{HIVE ".plan", true},
		{HIVE ".queue", true},
		{HIVE "2", false},
		{"/etc/smss", true},
		{"/etc", true},
		{"/etc/passwd", false},
		{STATE "/boot.state", true},
		{STATE, true},
		{"/var/lib", true},
		{"/var", true},
		{"/boot/vmlinuz", true},
		{"/bootstrap", false},
		{"/var/log/auth.log", true},
		{"/var/logs", false},
		{"/opt/app/new", false},
		{"/data/.smss", true}, /* graveyards */
		{"/data/.smss/graveyard/0000002a/1", true},
		{"/data/.smssx/a", false},
		{"/data/x.smss/a", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (protect_covers(paths[i].path, HIVE, STATE) != paths[i].want)
			fail_msg("%s", paths[i].path);
}

static void only_canonical_paths_are_run(void **state)
{
	static const struct {
		const char *path;
		bool want;
	} paths[] = {
		{"/a", true},      {"/a/b.c/..d", true}, {"/", false},     {"", false},
		{"a/b", false},    {"/a/", false},       {"/a//b", false}, {"//a", false},
		{"/a/./b", false}, {"/a/../b", false},   {"/..", false},   {"/.", false},
		{"/a/...", true},
	};
	char path[2000];

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (protect_canonical(paths[i].path) != paths[i].want)
			fail_msg("%s", paths[i].path);
	memset(path, 'x', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = 0;
	assert_false(protect_canonical(path));
}

static void a_paging_file_gets_a_size_that_fits(void **state)
{
	/* reserve of a 20 GiB volume: 32 MiB + 1 GiB */
	static const struct {
		const char *what;
		struct swapfile_room room;
		uint32_t min, max;
		uint64_t want_mib;
	} cases[] = {
		{"RAM, when there is room", {2 * GIB, 20 * GIB, 16 * GIB, 0}, 0, 0, 2048},
		{"half as much again below 1 GiB", {512 * MIB, 20 * GIB, 16 * GIB, 0}, 0, 0, 768},
		{"a quarter of what is free", {8 * GIB, 20 * GIB, 16 * GIB, 0}, 0, 0, 4096},
		{"the old file's room counts", {8 * GIB, 20 * GIB, 12 * GIB, 4 * GIB}, 0, 0, 4096},
		{"RAM not known", {0, 20 * GIB, 16 * GIB, 0}, 0, 0, 128},
		{"at least the floor", {64 * MIB, 200 * MIB, 60 * MIB, 0}, 0, 0, 16},
		{"nothing but the reserve", {GIB, 20 * GIB, GIB, 0}, 0, 0, 0},
		{"a fixed size", {2 * GIB, 20 * GIB, 16 * GIB, 0}, 64, 64, 64},
		{"min counts, growth comes later", {2 * GIB, 20 * GIB, 16 * GIB, 0}, 64, 128, 64},
		{"less than asked, when there is less", {0, 20 * GIB, 2 * GIB, 0}, 4096, 4096, 992},
		{"a small one as asked", {0, 20 * GIB, 16 * GIB, 0}, 4, 4, 4},
		{"not smaller than the floor when cut", {0, 20 * GIB, 1060 * MIB, 0}, 64, 64, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t got = swapfile_size(&cases[i].room, cases[i].min, cases[i].max);

		if (got != cases[i].want_mib * MIB)
			fail_msg("%s: %llu MiB, not %llu", cases[i].what,
				 (unsigned long long)(got / MIB),
				 (unsigned long long)cases[i].want_mib);
	}
}

static void a_good_file_is_not_made_again(void **state)
{
	assert_true(swapfile_keeps(64 * MIB, 64 * MIB, 64, 64));
	assert_true(swapfile_keeps(100 * MIB, 64 * MIB, 64, 128));
	assert_false(swapfile_keeps(200 * MIB, 64 * MIB, 64, 128)); /* larger than its max */
	assert_false(swapfile_keeps(32 * MIB, 64 * MIB, 64, 64));   /* stepped down, room now */
	assert_true(swapfile_keeps(32 * MIB, 40 * MIB, 64, 64));    /* stepped down, no room yet */
	assert_true(swapfile_keeps(1 * GIB, 900 * MIB, 0, 0));
	assert_false(swapfile_keeps(8 * MIB, 900 * MIB, 0, 0));
	assert_false(swapfile_keeps(100 * MIB, 2 * GIB, 0, 0));
}

static void a_header_is_good_for_its_own_size_only(void **state)
{
	static uint8_t page[SWAP_PAGE_BYTES];
	static const uint8_t uuid[16] = {[0 ... 15] = 0xff};

	swapfile_header(64 * MIB, uuid, page);
	assert_true(swapfile_good(page, 64 * MIB));
	assert_false(swapfile_good(page, 65 * MIB));
	assert_memory_equal(page + 4086, "SWAPSPACE2", 10);
	assert_int_equal(page[1024 + 12 + 6] >> 4, 4); /* a random UUID */
	assert_int_equal(page[1024 + 12 + 8] >> 6, 2);
	page[4090] ^= 1;
	assert_false(swapfile_good(page, 64 * MIB));
}

static void strings_come_out_as_json(void **state)
{
	static const struct {
		const char *in, *want;
	} strings[] = {
		{"plain", "\"plain\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"\x1b[0m\n", "\"\\u001b[0m\\u000a\""},
		{"gr\xc3\xbc\xc3\x9f", "\"gr\xc3\xbc\xc3\x9f\""},
		{"\xf0\x9f\x90\xa7", "\"\xf0\x9f\x90\xa7\""},
		{"\xff\xfe", "\"\\udcff\\udcfe\""},
		{"\xc3", "\"\\udcc3\""},
		{"\xed\xa0\x80", "\"\\udced\\udca0\\udc80\""}, /* a surrogate is no character */
		{"\xc0\xaf", "\"\\udcc0\\udcaf\""},            /* nor is an overlong form */
	};

	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		char room[64];
		struct text t = TEXT_ON(room);

		json_string(&t, strings[i].in);
		assert_string_equal(room, strings[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protected_paths_are_left_alone),
		cmocka_unit_test(only_canonical_paths_are_run),
		cmocka_unit_test(a_paging_file_gets_a_size_that_fits),
		cmocka_unit_test(a_good_file_is_not_made_again),
		cmocka_unit_test(a_header_is_good_for_its_own_size_only),
		cmocka_unit_test(strings_come_out_as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
