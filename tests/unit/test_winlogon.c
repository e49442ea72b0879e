/* SPDX-License-Identifier: MIT */
/*
 * test_winlogon.c - who logs on, where, and what an end means
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/bytes.h"
#include "etc/accounts.h"
#include "winlogon/console.h"
#include "winlogon/greeter.h"
#include "winlogon/idle.h"
#include "winlogon/throttle.h"

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void a_user_s_name_is_checked(void **state)
{
	static const struct {
		const char *name;
		int want;
	} cases[] = {
		{"root", 0},
		{"a.b_c-d@e$", 0},
		{"01234567890123456789012345678901", 0},
		{"", -EINVAL},
		{"-froot", -EINVAL},
		{"012345678901234567890123456789012", -EINVAL},
		{"a b", -EINVAL},
		{"a:b", -EINVAL},
		{"a/b", -EINVAL},
		{"a\033b", -EINVAL},
		{"\xc3\xbc", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (account_name_check(cases[i].name) != cases[i].want)
			fail_msg("%s", cases[i].name);
}

static void an_account_is_found_or_refused(void **state)
{
	static const struct {
		const char *name;
		int want;
		uint32_t uid, gid;
		const char *home, *shell;
	} cases[] = {
		{"root", 0, 0, 0, "/root", "/bin/bash"},
		{"alice", 0, 1000, 1001, "/home/alice", "/bin/sh"}, /* no shell: /bin/sh */
		{"last", 0, 5, 5, "/", "/bin/x"},
		{"absent", -ENOENT, 0, 0, NULL, NULL},
		{"ali", -ENOENT, 0, 0, NULL, NULL},
		{"short", -EINVAL, 0, 0, NULL, NULL},
		{"letters", -EINVAL, 0, 0, NULL, NULL},
		{"minus", -EINVAL, 0, 0, NULL, NULL},
		{"nobody32", -EINVAL, 0, 0, NULL, NULL},
		{"huge", -EINVAL, 0, 0, NULL, NULL},
	};
	char path[] = "/tmp/smss-passwd-XXXXXX";

	write_file(path,
		   "root:x:0:0:root:/root:/bin/bash\n\nalice:x:1000:1001:A,,:/home/alice:\n"
		   "short:x:1:1\nletters:x:a:1::/:/bin/sh\nminus:x:-1:1::/:/bin/sh\n"
		   "nobody32:x:4294967295:1::/:/bin/sh\nhuge:x:99999999999999999999:1::/:/bin/sh\n"
		   "last:x:5:5::/:/bin/x");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct account a;

		if (account_find(path, cases[i].name, &a) != cases[i].want)
			fail_msg("%s", cases[i].name);
		if (cases[i].want)
			continue;
		assert_int_equal(a.uid, cases[i].uid);
		assert_int_equal(a.gid, cases[i].gid);
		assert_string_equal(a.home, cases[i].home);
		assert_string_equal(a.shell, cases[i].shell);
	}
	unlink(path);
	assert_int_equal(account_find(path, "root", &(struct account){.uid = 0}), -ENOENT);
}

static void groups_are_the_own_one_and_those_with_the_name(void **state)
{
	char path[] = "/tmp/smss-group-XXXXXX";
	uint32_t groups[ACCOUNT_GROUPS_MAX], gid = 0;

	write_file(path,
		   "alice:x:1000:\na:x:7:bob,alice\nb:x:8:alice2,bob\nc:x:9:alice\nbad:x:z:alice\n"
		   "own:x:1000:alice\ntty:x:5:\n");
	assert_int_equal(account_groups(path, "alice", 1000, groups), 3);
	assert_int_equal(groups[0], 1000);
	assert_int_equal(groups[1], 7);
	assert_int_equal(groups[2], 9);
	assert_int_equal(account_group_find(path, "tty", &gid), 0);
	assert_int_equal(gid, 5);
	assert_int_equal(account_group_find(path, "none", &gid), -ENOENT);
	unlink(path);
	assert_int_equal(account_groups(path, "alice", 1000, groups), 1);
}

static void the_console_s_device_is_the_last_active_one(void **state)
{
	static const struct {
		const char *active, *want;
	} cases[] = {
		{"ttyS0\n", "ttyS0"},
		{"tty0 ttyS0\n", "ttyS0"},
		{"tty0", "tty0"},
		{"a b c \n", "c"},
		{"", NULL},
		{"\n", NULL},
		{"../../sda\n", NULL},
		{"tty0 a/b\n", NULL},
		{"a-name-that-is-far-too-long-for-a-device\n", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char device[32] = "untouched";
		int r = console_device(cases[i].active, strlen(cases[i].active), device,
				       sizeof(device));

		assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
		assert_string_equal(device, cases[i].want ? cases[i].want : "untouched");
	}
}

static void the_terminal_s_word_fits_its_kind(void **state)
{
	assert_string_equal(console_term(makedev(4, 1), "x"), "linux");
	assert_string_equal(console_term(makedev(4, 64), "x"), "vt220");
	assert_string_equal(console_term(makedev(204, 64), "x"), "vt220");
	assert_string_equal(console_term(makedev(229, 0), "x"), "vt220");
	assert_string_equal(console_term(makedev(136, 3), "x"), "x");
}

#define S 1000000000ull

#define LOGIN   STARTED_LOGIN
#define GREETER STARTED_GREETER
#define SHELL   STARTED_SHELL
#define LEAVE   VERDICT_LOGOFF
#define AGAIN   VERDICT_AGAIN

static void an_end_is_a_logoff_or_not(void **state)
{
	static const struct {
		const char *name;
		struct ending e;
		enum verdict want;
		unsigned wait_ms, failures;
	} cases[] = {
		{"a shell is left", {{1, false, 0}, 60 * S, SHELL, false}, LEAVE, 0, 0},
		{"left with a status", {{1, false, 130}, 60 * S, SHELL, false}, LEAVE, 0, 0},
		{"killed by a hang-up", {{1, true, 1}, 60 * S, SHELL, false}, LEAVE, 0, 0},
		{"login after a session", {{1, false, 0}, 60 * S, LOGIN, false}, LEAVE, 0, 0},
		{"login gave up", {{1, false, 1}, 10 * S, LOGIN, true}, AGAIN, 0, 0},
		{"a shell of busybox login", {{1, false, 1}, 10 * S, LOGIN, false}, LEAVE, 0, 0},
		{"the line hung up", {{1, true, 1}, 10 * S, LOGIN, true}, LEAVE, 0, 0},
		{"crashed at once", {{1, true, 11}, S / 2, LOGIN, true}, AGAIN, 1000, 1},
		{"failed at once", {{1, false, 127}, S / 2, SHELL, false}, AGAIN, 1000, 1},
		{"a shell left at once", {{1, false, 0}, S / 2, SHELL, false}, LEAVE, 1500, 1},
		{"a kiosk crashed soon", {{1, true, 11}, 3 * S, SHELL, false}, LEAVE, 0, 1},
		{"a kiosk crashed later", {{1, true, 11}, 6 * S, SHELL, false}, LEAVE, 0, 0},
		{"a greeter served", {{1, false, 0}, 60 * S, GREETER, true}, LEAVE, 0, 0},
		{"a greeter ended at once", {{1, false, 0}, S, GREETER, true}, AGAIN, 1000, 1},
		{"one that crashed at last",
		 {{1, true, 11}, 20 * S, GREETER, true},
		 AGAIN,
		 1000,
		 1},
		{"one that could not start", {{1, false, 1}, 3 * S, GREETER, true}, AGAIN, 1000, 1},
		{"one whose users gave up", {{1, false, 1}, 9 * S, GREETER, true}, AGAIN, 0, 0},
		{"one that ended soon", {{1, false, 0}, 3 * S, GREETER, true}, LEAVE, 0, 1},
		{"agetty, hung up", {{1, true, 1}, 9 * S, GREETER, false}, LEAVE, 0, 0},
		{"agetty, left at once", {{1, false, 0}, S, GREETER, false}, LEAVE, 1000, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned failures = 0, wait_ms = 99;

		if (throttle_verdict(&cases[i].e, &failures, &wait_ms) != cases[i].want ||
		    wait_ms != cases[i].wait_ms || failures != cases[i].failures)
			fail_msg("%s: %u ms, %u failed", cases[i].name, wait_ms, failures);
	}
}

static void who_crashes_again_and_again_is_slowed_down(void **state)
{
	static const unsigned want[] = {1, 2, 4, 8, 16, 30, 30};
	struct ending e = {
		.exit = {1, true, 11}, .lived_ns = 1, .what = STARTED_LOGIN, .nobody = true};
	unsigned failures = 0, wait_ms;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(throttle_verdict(&e, &failures, &wait_ms), VERDICT_AGAIN);
		assert_int_equal(wait_ms, want[i] * 1000);
	}
	e.lived_ns = 5 * S;
	(void)throttle_verdict(&e, &failures, &wait_ms);
	assert_int_equal(failures, 0);
	/* A greeter that ran for an hour before it crashed begins to count anew. */
	failures = 4;
	e.what = STARTED_GREETER;
	e.lived_ns = 3600 * S;
	assert_int_equal(throttle_verdict(&e, &failures, &wait_ms), VERDICT_AGAIN);
	assert_int_equal(failures, 1);
}

static void failures_outlive_a_session_for_a_while(void **state)
{
	static const struct {
		const char *record;
		bool lasting;
		unsigned want;
	} cases[] = {
		{"3 990\n", true, 3},  {"3 990\n", false, 3},  {"3 940\n", true, 0},
		{"5 10\n", true, 5},   {"5 10\n", false, 0},   {"7 1000", true, 7},
		{"3 1001\n", true, 0}, /* not of this boot's clock */
		{"", true, 0},         {"\n", true, 0},        {"3\n", true, 0},
		{" 990\n", true, 0},   {"3 \n", true, 0},      {"x 990\n", true, 0},
		{"-1 990\n", true, 0}, {"3 990 1\n", true, 0}, {"4000000000 990\n", true, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (greeter_parse(cases[i].record, strlen(cases[i].record), 1000,
				  cases[i].lasting) != cases[i].want)
			fail_msg("%s", cases[i].record);
}

/*
 * A terminal as the kernel keeps it: read at these seconds of the boot clock, the moment written
 * down once in eight of the wall clock's. Returns when idle was found, and counts the looks.
 */
static int64_t idle_found(const int *keys, int64_t wall_s, unsigned limit_s, unsigned *ret_looks)
{
	struct idle i = {0};
	int64_t read_s = wall_s - 1000;

	*ret_looks = 0;
	for (int64_t at = 0; at < 100000; at++) {
		struct idle_now now = {(uint64_t)(at + 50) * S, wall_s + at, 0};

		for (; *keys >= 0 && *keys <= at; keys++)
			if ((wall_s + *keys) / 8 != read_s / 8)
				read_s = wall_s + *keys;
		now.read_s = read_s;
		if (!at)
			idle_begin(&i, limit_s, &now);
		if (now.boot_ns < i.due_ns)
			continue;
		++*ret_looks;
		if (idle_is_over(&i, &now))
			return at;
	}
	return -1;
}

static void idle_is_never_found_early_and_little_late(void **state)
{
	static const struct {
		const char *name;
		unsigned limit_s;
		int keys[8];
		int last;
		unsigned looks;
	} cases[] = {
		{"nobody ever typed", 60, {-1}, 0, 1},
		{"typed at the start", 60, {0, 1, 2, 3, 4, 5, -1}, 5, 2},
		{"typed in the middle", 60, {30, -1}, 30, 2},
		{"typed just before the end", 60, {59, -1}, 59, 2},
		{"typed now and then", 60, {50, 100, 150, 200, -1}, 200, 6},
		{"a short limit", 1, {0, 1, 2, -1}, 2, 4},
		{"an hour", 3600, {7, 8, 9, 3000, -1}, 3000, 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (int64_t phase = 0; phase < 8; phase++) {
			unsigned looks;
			int64_t at = idle_found(cases[i].keys, 1700000000 + phase, cases[i].limit_s,
						&looks);
			int64_t late = at - cases[i].last - (int64_t)cases[i].limit_s;

			if (at < 0 || late < 0 || late > 9 || looks > cases[i].looks)
				fail_msg("%s, phase %d: %d s late, %u looks", cases[i].name,
					 (int)phase, (int)late, looks);
		}
}

static void a_clock_that_was_set_logs_nobody_off(void **state)
{
	static const int64_t steps[] = {-86400, -5, 5, 86400};

	for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
		struct idle i;
		const int64_t wall_s = 1700000000;
		struct idle_now now = {1000 * S, wall_s, wall_s - 500};

		idle_begin(&i, 60, &now);
		assert_int_equal(i.due_ns, 1060 * S);
		/* a key just before the look, on a clock that was set just before the key */
		now = (struct idle_now){1060 * S, wall_s + 60 + steps[k], wall_s + 59 + steps[k]};
		assert_false(idle_is_over(&i, &now));
		assert_true(i.due_ns >= 1120 * S && i.due_ns <= 1130 * S);
		/* set just after the key */
		idle_begin(&i, 60, &(struct idle_now){1000 * S, wall_s, wall_s - 500});
		now = (struct idle_now){1060 * S, wall_s + 60 + steps[k], wall_s + 59};
		assert_false(idle_is_over(&i, &now));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_s_name_is_checked),
		cmocka_unit_test(an_account_is_found_or_refused),
		cmocka_unit_test(groups_are_the_own_one_and_those_with_the_name),
		cmocka_unit_test(the_console_s_device_is_the_last_active_one),
		cmocka_unit_test(the_terminal_s_word_fits_its_kind),
		cmocka_unit_test(an_end_is_a_logoff_or_not),
		cmocka_unit_test(who_crashes_again_and_again_is_slowed_down),
		cmocka_unit_test(failures_outlive_a_session_for_a_while),
		cmocka_unit_test(idle_is_never_found_early_and_little_late),
		cmocka_unit_test(a_clock_that_was_set_logs_nobody_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
