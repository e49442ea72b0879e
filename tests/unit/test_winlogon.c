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

static void an_end_is_a_logoff_or_not(void **state)
{
	static const struct {
		const char *name;
		struct ending e;
		enum verdict want;
		unsigned wait_ms;
	} cases[] = {
		{"a shell is left", {{1, false, 0}, 60 * S, false, false}, VERDICT_LOGOFF, 0},
		{"left with a status", {{1, false, 130}, 60 * S, false, false}, VERDICT_LOGOFF, 0},
		{"killed by a hang-up", {{1, true, 1}, 60 * S, false, false}, VERDICT_LOGOFF, 0},
		{"login after a session", {{1, false, 0}, 60 * S, true, false}, VERDICT_LOGOFF, 0},
		{"login gave up", {{1, false, 1}, 10 * S, true, true}, VERDICT_AGAIN, 0},
		{"a shell of busybox login",
		 {{1, false, 1}, 10 * S, true, false},
		 VERDICT_LOGOFF,
		 0},
		{"the line hung up", {{1, true, 1}, 10 * S, true, true}, VERDICT_LOGOFF, 0},
		{"crashed at once", {{1, true, 11}, S / 2, true, true}, VERDICT_AGAIN, 1000},
		{"failed at once", {{1, false, 127}, S / 2, false, false}, VERDICT_AGAIN, 1000},
		{"left at once", {{1, false, 0}, S / 2, false, false}, VERDICT_LOGOFF, 1500},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned delay_s = 0, wait_ms = 99;

		if (throttle_verdict(&cases[i].e, &delay_s, &wait_ms) != cases[i].want ||
		    wait_ms != cases[i].wait_ms)
			fail_msg("%s: %u ms", cases[i].name, wait_ms);
	}
}

static void who_crashes_again_and_again_is_slowed_down(void **state)
{
	static const unsigned want[] = {1, 2, 4, 8, 16, 30, 30};
	struct ending e = {.exit = {1, true, 11}, .lived_ns = 1, .is_login = true, .nobody = true};
	unsigned delay_s = 0, wait_ms;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(throttle_verdict(&e, &delay_s, &wait_ms), VERDICT_AGAIN);
		assert_int_equal(wait_ms, want[i] * 1000);
	}
	e.lived_ns = 5 * S;
	(void)throttle_verdict(&e, &delay_s, &wait_ms);
	assert_int_equal(delay_s, 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
