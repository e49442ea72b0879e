/* SPDX-License-Identifier: MIT */
/*
 * test_plan.c - the boot plan: made, read, damaged
 *
 * A damaged plan is refused, or reading all of it stays inside of it: it lies against a page that
 * nobody may touch, so that one byte too far is a crash of the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/plan.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

uint32_t plan_crc(const struct plan_header *p); /* plan.c */

#define ROOM      65536u
#define AT(field) offsetof(struct plan_header, field)

static uint8_t *fence; /* the end of the room; what lies behind must not be touched */

static int set_up(void **state)
{
	uint8_t *at =
		mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + ROOM, ROOM, PROT_NONE) < 0)
		return -1;
	fence = at + ROOM;
	return 0;
}

/* A copy that ends at the fence; n must be a multiple of 8 for its alignment. */
static struct plan_header *fenced(const void *bytes, size_t n)
{
	memcpy(fence - n, bytes, n);
	return (struct plan_header *)(void *)(fence - n);
}

static uint8_t plan[ROOM] __attribute__((aligned(8)));
static char pool[8192];

/* One row in every table, and a few settings; padded to a multiple of 8 bytes. */
static size_t make_plan(void)
{
	uint8_t block[HIVE_BLOCK_BYTES], digest[SHA256_BYTES];
	struct plan_builder b;
	char name[32];
	int n;

	for (size_t padding = 0;; padding++) {
		plan_begin(&b, PLAN_MAGIC, plan, sizeof(plan), pool, sizeof(pool));
		memset(block, 0x11, sizeof(block));
		memset(digest, 0x22, sizeof(digest));
		plan_fit_to(&b, block, 28672, digest);
		for (unsigned t = 0; t < PLAN_TABLES; t++) {
			plan_table_begin(&b, (enum plan_table)t);
			for (unsigned i = 0; i <= t % 3; i++) {
				snprintf(name, sizeof(name), "name-%u-%u", t, i);
				plan_add(&b, name, i ? "" : "a text of its own", t, i, 3);
			}
		}
		plan_settings_of(&b)->hive_path = plan_intern(&b, "/etc/smss/SYSTEM");
		plan_settings_of(&b)->initial_sessions = 5;
		memset(name, 'p', sizeof(name));
		name[padding] = 0;
		(void)plan_intern(&b, name);
		n = plan_end(&b);
		assert_true(n > 0);
		if (n % 8 == 0)
			return (size_t)n;
	}
}

static size_t walk(const char *s)
{
	return strlen(s);
}

/* Everything a reader could do with it. */
static size_t read_all(const struct plan_header *p)
{
	size_t sum = walk(plan_string(p, p->settings.s0_initial)) +
		     walk(plan_string(p, p->settings.initial)) +
		     walk(plan_string(p, p->settings.dll_directory)) +
		     walk(plan_string(p, p->settings.hive_path));

	for (unsigned t = 0; t < PLAN_TABLES; t++)
		for (uint32_t i = 0; i < plan_count(p, (enum plan_table)t); i++) {
			const struct plan_row *row = plan_row_at(p, (enum plan_table)t, i);

			sum += walk(plan_string(p, row->name)) + walk(plan_string(p, row->text));
			sum += row->flags + row->arg + row->aux;
		}
	sum += walk(plan_text(p, "ComputerName", ""));
	return sum + walk(plan_session_text(p, 1, "Console", "")) +
	       plan_session_number(p, 0, "StopDeadline", 10);
}

static void what_was_put_in_comes_out(void **state)
{
	size_t n = make_plan();
	const struct plan_header *p = (const void *)plan;
	uint8_t block[HIVE_BLOCK_BYTES];

	assert_int_equal(plan_check(plan, n, PLAN_MAGIC, NULL), 0);
	assert_int_equal(p->settings.initial_sessions, 5);
	assert_int_equal(p->settings.boot_attempts, 3);
	assert_int_equal(p->settings.auto_reboot, 1);
	assert_string_equal(plan_string(p, p->settings.s0_initial), "wininit");
	assert_string_equal(plan_string(p, p->settings.initial), "winlogon");
	assert_string_equal(plan_string(p, p->settings.dll_directory), "");
	assert_string_equal(plan_string(p, p->settings.hive_path), "/etc/smss/SYSTEM");
	for (unsigned t = 0; t < PLAN_TABLES; t++) {
		assert_int_equal(plan_count(p, (enum plan_table)t), t % 3 + 1);
		for (unsigned i = 0; i <= t % 3; i++) {
			const struct plan_row *row = plan_row_at(p, (enum plan_table)t, i);
			char name[32];

			snprintf(name, sizeof(name), "name-%u-%u", t, i);
			assert_string_equal(plan_string(p, row->name), name);
			assert_string_equal(plan_string(p, row->text),
					    i ? "" : "a text of its own");
			assert_int_equal(row->flags, t);
			assert_int_equal(row->arg, i);
			assert_int_equal(row->aux, 3);
		}
	}
	memset(block, 0x11, sizeof(block));
	assert_int_equal(plan_fits(p, block, 28672), PLAN_FITS);
	assert_int_equal(plan_fits(p, block, 28673), PLAN_STALE);
	block[4] ^= 1; /* the sequence number */
	assert_int_equal(plan_fits(p, block, 28672), PLAN_STALE);
}

static void every_flipped_byte_is_seen(void **state)
{
	size_t n = make_plan();

	for (size_t at = 0; at < n; at++)
		for (unsigned bit = 0; bit < 9; bit++) {
			struct plan_header *p = fenced(plan, n);
			const char *why = NULL;

			((uint8_t *)p)[at] ^= bit < 8 ? 1u << bit : 0xff;
			assert_true(plan_check(p, n, PLAN_MAGIC, &why) < 0);
			assert_non_null(why);
		}
}

/* The same by somebody who can compute a checksum: refused, or harmless to read. */
static void a_forged_byte_is_refused_or_harmless(void **state)
{
	static const uint8_t masks[] = {0x01, 0x02, 0x04, 0x80, 0xff};
	size_t n = make_plan(), refused = 0, read = 0;

	for (size_t at = 0; at < n; at++)
		for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
			struct plan_header *p = fenced(plan, n);

			((uint8_t *)p)[at] ^= masks[i];
			if (p->bytes == n)
				p->crc = plan_crc(p);
			if (plan_check(p, n, PLAN_MAGIC, NULL) < 0)
				refused++;
			else
				read += read_all(p) > 0;
		}
	assert_true(refused > 1000 && read > 1000);
}

static void a_part_of_a_plan_is_no_plan(void **state)
{
	size_t whole = make_plan();

	for (size_t n = 0; n < whole; n++) {
		const char *why = NULL;

		memcpy(fence - whole, plan, n);
		assert_true(plan_check(plan, n, PLAN_MAGIC, &why) < 0);
		assert_non_null(why);
	}
	for (size_t n = sizeof(struct plan_header); n < whole; n += 8) {
		struct plan_header *p = fenced(plan, n);

		p->bytes = (uint32_t)n; /* by somebody who knows the format */
		p->crc = plan_crc(p);
		if (plan_check(p, n, PLAN_MAGIC, NULL) == 0)
			(void)read_all(p);
	}
	assert_int_equal(plan_check(plan, whole + 8, PLAN_MAGIC, NULL), -EILSEQ);
}

/* One 32-bit field changed, the checksum right. */
static int check_with(size_t at, uint32_t value)
{
	size_t n = make_plan();
	struct plan_header *p = fenced(plan, n);

	memcpy((uint8_t *)p + at, &value, sizeof(value));
	p->crc = plan_crc(p);
	return plan_check(p, n, PLAN_MAGIC, NULL);
}

static void an_offset_outside_is_refused(void **state)
{
	size_t n = make_plan();
	const struct plan_header *p = (const void *)plan;
	uint32_t strings = p->strings, at = p->table[0].at, pool_bytes = (uint32_t)n - strings;
	static const uint32_t far[] = {UINT32_MAX, INT32_MAX, INT32_MAX + 1u, UINT32_MAX - 3};

	assert_int_equal(check_with(AT(table[0].at), at), 0);
	assert_int_equal(check_with(AT(table[0].at), at + 1), -EINVAL);
	assert_int_equal(check_with(AT(table[0].at), at + 2), -EINVAL);
	assert_int_equal(check_with(AT(table[0].at), 0), -EINVAL);
	assert_int_equal(check_with(AT(table[0].at), sizeof(*p) - 4), -EINVAL);
	assert_int_equal(check_with(AT(table[0].at), strings), -EINVAL);
	assert_int_equal(check_with(AT(table[0].at), (uint32_t)n), -EINVAL);
	assert_int_equal(check_with(AT(table[0].count), 0x0ccccccd), -EINVAL); /* * 20 = 4 */
	assert_int_equal(check_with(AT(strings), sizeof(*p) - 1), -EINVAL);
	assert_int_equal(check_with(AT(strings), (uint32_t)n), -EINVAL);
	assert_int_equal(check_with(AT(strings), strings + 1), -EINVAL); /* pool[0] is no NUL */
	assert_int_equal(check_with(at, pool_bytes), -EINVAL);           /* a row's name */
	assert_int_equal(check_with(at + 4, pool_bytes), -EINVAL);       /* a row's text */
	assert_int_equal(check_with(at, pool_bytes - 1), 0);             /* the last NUL is "" */
	assert_int_equal(check_with(AT(settings.initial), pool_bytes), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		assert_int_equal(check_with(AT(table[0].at), far[i]), -EINVAL);
		assert_int_equal(check_with(AT(table[0].count), far[i]), -EINVAL);
		assert_int_equal(check_with(AT(strings), far[i]), -EINVAL);
		assert_int_equal(check_with(at, far[i]), -EINVAL);
		assert_int_equal(check_with(AT(settings.hive_path), far[i]), -EINVAL);
	}
}

static void a_setting_out_of_its_range_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t least, most;
	} settings[] = {
		{AT(settings.initial_sessions), 1, SESSIONS_MAX},
		{AT(settings.allow_protected_renames), 0, 1},
		{AT(settings.autochk_timeout_s), 0, 259200},
		{AT(settings.autochk_skip_system), 0, 1},
		{AT(settings.temp_page_file), 0, 1},
		{AT(settings.clear_pagefile), 0, 1},
		{AT(settings.boot_good_s), 0, 86400},
		{AT(settings.boot_attempts), 1, 100},
		{AT(settings.dialect), 0, PLAN_DIALECT_BUSYBOX},
		{AT(settings.known_policy), 0, PLAN_KNOWN_STOP},
		{AT(settings.auto_reboot), 0, 1},
		{AT(settings.rescue_unlocked), 0, 1},
		{AT(settings.execute_deadline_s), 1, 604800},
		{AT(settings.autochk_deadline_s), 0, 604800},
		{AT(settings.pnp_deadline_s), 0, 3600},
		{AT(settings.subsystem_deadline_s), 1, 3600},
		{AT(settings.shutdown_deadline_s), 1, 3600},
		{AT(settings.builtin), 0, 1},
		{AT(settings.keep_groups), 0, 4096},
		{AT(settings.keep_days), 0, 36500},
		{AT(settings.keep_mib), 0, 16777216},
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		assert_int_equal(check_with(settings[i].at, settings[i].least), 0);
		assert_int_equal(check_with(settings[i].at, settings[i].most), 0);
		assert_int_equal(check_with(settings[i].at, settings[i].most + 1), -EINVAL);
		assert_int_equal(check_with(settings[i].at, UINT32_MAX), -EINVAL);
		if (settings[i].least)
			assert_int_equal(check_with(settings[i].at, 0), -EINVAL);
	}
}

static void another_format_is_told_from_damage(void **state)
{
	size_t n = make_plan();
	const char *why = NULL;

	assert_int_equal(check_with(AT(version), PLAN_VERSION + 1), -EPROTO);
	assert_int_equal(plan_check(plan, n, QUEUE_MAGIC, &why), -EILSEQ);
	assert_string_equal(why, "the magic is not ours");
	assert_int_equal(plan_check(plan, 0, PLAN_MAGIC, NULL), -EILSEQ);
}

static void the_built_in_minimum_is_a_good_plan(void **state)
{
	uint8_t room[PLAN_BUILTIN_BYTES + 8] __attribute__((aligned(8)));
	const struct plan_header *p = (const void *)room;
	int n = plan_builtin(room, PLAN_BUILTIN_BYTES);

	assert_true(n > 0 && n <= (int)PLAN_BUILTIN_BYTES);
	assert_int_equal(plan_check(room, (size_t)n, PLAN_MAGIC, NULL), 0);
	assert_int_equal(p->settings.builtin, 1);
	assert_int_equal(p->settings.initial_sessions, 1);
	assert_string_equal(plan_string(p, p->settings.s0_initial), "rescue");
	assert_int_equal(plan_count(p, PLAN_BOOT_EXECUTE), 1);
	assert_true(plan_row_at(p, PLAN_BOOT_EXECUTE, 0)->flags & PLAN_LINE_AUTOCHK);
	assert_int_equal(plan_count(p, PLAN_REQUIRED), 2);
	assert_int_equal(plan_count(p, PLAN_QUEUE), 0);
	assert_int_equal(p->settings.queue_count, 0);
	for (size_t cap = 0; cap < (size_t)n; cap++) {
		memset(room, 0xa5, sizeof(room));
		assert_int_equal(plan_builtin(room, cap), -ENOSPC);
		for (size_t i = cap; i < sizeof(room); i++)
			assert_int_equal(room[i], 0xa5);
	}
}

static void a_builder_s_first_failure_sticks(void **state)
{
	uint8_t room[4096] __attribute__((aligned(8)));
	char names[256], big[PLAN_STRING_MAX + 1];
	struct plan_builder b;

	plan_begin(&b, PLAN_MAGIC, room, sizeof(room), names, sizeof(names));
	plan_add(&b, "before any table", "", 0, 0, 0);
	assert_int_equal(plan_end(&b), -EINVAL);
	plan_begin(&b, PLAN_MAGIC, room, sizeof(room), names, sizeof(names));
	plan_table_begin(&b, PLAN_TEXTS);
	plan_table_begin(&b, PLAN_NOTES);
	plan_table_begin(&b, PLAN_TEXTS); /* its rows would not lie together */
	plan_table_begin(&b, PLAN_REQUIRED);
	assert_int_equal(plan_end(&b), -EINVAL);
	memset(big, 'x', sizeof(big));
	big[PLAN_STRING_MAX] = 0;
	plan_begin(&b, PLAN_MAGIC, room, sizeof(room), names, sizeof(names));
	(void)plan_intern(&b, big);
	assert_int_equal(plan_end(&b), -EINVAL);
	plan_begin(&b, PLAN_MAGIC, room, sizeof(room), names, sizeof(names));
	big[300] = 0;
	(void)plan_intern(&b, big); /* longer than the pool has room */
	assert_int_equal(plan_end(&b), -ENOSPC);
	plan_begin(&b, PLAN_MAGIC, room, sizeof(room), names, sizeof(names));
	assert_int_equal(plan_intern(&b, "winlogon"), plan_settings_of(&b)->initial);
	assert_int_equal(plan_intern(&b, ""), 0);
}

static void a_session_s_own_setting_comes_before_the_default(void **state)
{
	uint8_t room[8192] __attribute__((aligned(8)));
	const struct plan_header *p = (const void *)room;
	struct plan_builder b;
	char names[512];

	plan_begin(&b, PLAN_MAGIC, room, sizeof(room), names, sizeof(names));
	plan_table_begin(&b, PLAN_SESSIONS);
	plan_add(&b, "Default\\Console", "/dev/tty9", 0, 0, 0);
	plan_add(&b, "Default\\StopDeadline", "", 0, 7, 0);
	plan_add(&b, "1\\console", "/dev/console", 0, 0, 0);
	plan_add(&b, "11\\StopDeadline", "", 0, 99, 0);
	plan_table_begin(&b, PLAN_TEXTS);
	plan_add(&b, "ComputerName", "box", 0, 0, 0);
	assert_true(plan_end(&b) > 0);
	assert_string_equal(plan_session_text(p, 1, "Console", "none"), "/dev/console");
	assert_string_equal(plan_session_text(p, 2, "Console", "none"), "/dev/tty9");
	assert_string_equal(plan_session_text(p, 1, "User", "none"), "none");
	assert_int_equal(plan_session_number(p, 1, "StopDeadline", 10), 7);
	assert_int_equal(plan_session_number(p, 11, "StopDeadline", 10), 99);
	assert_int_equal(plan_session_number(p, 11, "Nothing", 10), 10);
	assert_string_equal(plan_text(p, "computername", "x"), "box");
	assert_string_equal(plan_text(p, "Computer", "x"), "x");
}

static void a_line_is_split_into_words(void **state)
{
	static const struct {
		const char *line;
		int count;
		const char *words[4];
	} cases[] = {
		{"", 0, {NULL}},
		{"   \t ", 0, {NULL}},
		{"autochk *", 2, {"autochk", "*"}},
		{"  a   b\tc ", 3, {"a", "b", "c"}},
		{"\"/opt/my tool\" -x", 2, {"/opt/my tool", "-x"}},
		{"a\"b c\"d", 1, {"ab cd"}},
		{"\"\" x", 2, {"", "x"}},
		{"\"\"", 1, {""}},
		{"a \"open end", 2, {"a", "open end"}},
		{"a 'b c'", 3, {"a", "'b", "c'"}}, /* no other quoting */
		{"a \\\"b c\\\"", 2, {"a", "\\b c\\"}},
		{"1 2 3 4", 4, {"1", "2", "3", "4"}},
		{"1 2 3 4 5", -E2BIG, {NULL}},
		{"1 2 3 4   ", 4, {"1", "2", "3", "4"}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[64], *words[5];
		int count;

		str_copy(line, sizeof(line), cases[i].line);
		count = plan_words(line, words, 4);
		if (count != cases[i].count)
			fail_msg("\"%s\": %d", cases[i].line, count);
		for (int w = 0; w < count; w++)
			assert_string_equal(words[w], cases[i].words[w]);
		if (count >= 0)
			assert_null(words[count]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_in_comes_out),
		cmocka_unit_test(every_flipped_byte_is_seen),
		cmocka_unit_test(a_forged_byte_is_refused_or_harmless),
		cmocka_unit_test(a_part_of_a_plan_is_no_plan),
		cmocka_unit_test(an_offset_outside_is_refused),
		cmocka_unit_test(a_setting_out_of_its_range_is_refused),
		cmocka_unit_test(another_format_is_told_from_damage),
		cmocka_unit_test(the_built_in_minimum_is_a_good_plan),
		cmocka_unit_test(a_builder_s_first_failure_sticks),
		cmocka_unit_test(a_session_s_own_setting_comes_before_the_default),
		cmocka_unit_test(a_line_is_split_into_words),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
