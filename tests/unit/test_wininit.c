/* SPDX-License-Identifier: MIT */
/*
 * test_wininit.c - what wininit takes from files, and how patient it is
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "wininit/machine.h"
#include "wininit/safe.h"
#include "wininit/supervisor.h"
#include "wininit/sysctl.h"

static void a_sysctl_line_is_read(void **state)
{
	static const struct {
		const char *line;
		int want;
		const char *key, *value;
		bool may_fail;
	} cases[] = {
		{"kernel.printk = 4 4 1 7", 1, "kernel/printk", "4 4 1 7", false},
		{"  kernel/printk=4  ", 1, "kernel/printk", "4", false},
		{"net.ipv4.conf.eth0/1.rp_filter=1", 1, "net/ipv4/conf/eth0.1/rp_filter", "1",
		 false},
		{"net/ipv4/conf/eth0.1/rp_filter=1", 1, "net/ipv4/conf/eth0.1/rp_filter", "1",
		 false},
		{"-vm.thing = 1", 1, "vm/thing", "1", true},
		{"kernel.core_pattern = |/bin/x a=b", 1, "kernel/core_pattern", "|/bin/x a=b",
		 false},
		{"kernel.domainname=", 1, "kernel/domainname", "", false},
		{"# comment = 1", 0, NULL, NULL, false},
		{"; comment", 0, NULL, NULL, false},
		{"   ", 0, NULL, NULL, false},
		{"-net.ipv4.conf.all.x", 0, NULL, NULL, false},
		{"no equals sign", -EINVAL, NULL, NULL, false},
		{"= 1", -EINVAL, NULL, NULL, false},
		{"a..b = 1", -EINVAL, NULL, NULL, false},
		{"a/../b = 1", -EINVAL, NULL, NULL, false},
		{"/kernel/printk = 1", -EINVAL, NULL, NULL, false},
		{".kernel = 1", -EINVAL, NULL, NULL, false},
		{"a b = 1", -EINVAL, NULL, NULL, false},
		{"a\033[2J = 1", -EINVAL, NULL, NULL, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sysctl_line l;
		char line[128];

		strcpy(line, cases[i].line);
		if (sysctl_parse(line, &l) != cases[i].want)
			fail_msg("%s", cases[i].line);
		if (cases[i].want != 1)
			continue;
		assert_string_equal(l.key, cases[i].key);
		assert_string_equal(l.value, cases[i].value);
		assert_int_equal(l.may_fail, cases[i].may_fail);
	}
}

static void a_host_name_is_checked(void **state)
{
	static const struct {
		const char *name;
		bool good;
	} cases[] = {
		{"a", true},
		{"smss-1.example.org", true},
		{"0123456789012345678901234567890123456789012345678901234567890123", true},
		{"01234567890123456789012345678901234567890123456789012345678901234", false},
		{"", false},
		{"-a", false},
		{"a-", false},
		{".a", false},
		{"a b", false},
		{"a_b", false},
		{"a\n", false},
		{"h\xc3\xb6st", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (machine_name_check(cases[i].name) != cases[i].good)
			fail_msg("%s", cases[i].name);
}

static void a_supervisor_that_dies_is_started_ever_more_slowly(void **state)
{
	static const unsigned want[] = {1, 2, 4, 8, 16, 32, 60, 60};
	unsigned delay_s = 0;

	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		delay_s = supervisor_delay_s(delay_s, 0);
		assert_int_equal(delay_s, want[i]);
	}
	assert_int_equal(supervisor_delay_s(60, 59999999999ull), 60);
	assert_int_equal(supervisor_delay_s(60, 60000000000ull), 1);
}

static void a_supervisor_is_known_by_its_name(void **state)
{
	static const struct {
		const char *line, *name;
		bool directory;
		int place; /* -EINVAL: cannot be told */
	} cases[] = {
		{"runsvdir -P /etc/service", "runsvdir", true, 2},
		{"/usr/bin/runsvdir /var/service log: ....", "runsvdir", true, 1},
		{"runsvdir", "runsvdir", true, 0},
		{"/bin/busybox runsvdir -P /etc/service", "runsvdir", true, 3},
		{"s6-svscan -t 0 /run/service", "s6-svscan", true, 3},
		{"svscan /service", "svscan", true, 1},
		{"runsvdir -P", "runsvdir", true, 0},
		{"busybox runsvdir", "runsvdir", true, 0},
		{"busybox runsvdir -s /bin/sh /etc/service", "runsvdir", true, 4},
		{"s6-svscan -St0 -d/x -c 500 /run/service", "s6-svscan", true, 5},
		/* the services may lie where no absolute path is seen */
		{"runsvdir -P etc/service", "runsvdir", true, -EINVAL},
		{"runsvdir etc/service /etc/log", "runsvdir", true, -EINVAL},
		{"busybox runsvdir etc/service", "runsvdir", true, -EINVAL},
		{"s6-svscan -d /run/x service", "s6-svscan", true, -EINVAL},
		{"s6-svscan /run/service more", "s6-svscan", true, -EINVAL},
		{"s6-svscan -t", "s6-svscan", true, -EINVAL},
		{"s6-svscan -q /run/service", "s6-svscan", true, -EINVAL},
		{"runsvdir --x /etc/service", "runsvdir", true, -EINVAL},
		{"runsvdir - /etc/service", "runsvdir", true, -EINVAL},
		{"svscan service", "svscan", true, -EINVAL},
		{"dinit -d /etc/dinit.d", "dinit", false, -EINVAL},
		{"/sbin/openrc default", "openrc", false, -EINVAL},
		{"busybox", "busybox", false, -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[128], *words[ARGS_MAX + 1];
		bool directory;

		strcpy(line, cases[i].line);
		assert_true(plan_words(line, words, ARGS_MAX) > 0);
		assert_string_equal(safe_supervisor(words, &directory), cases[i].name);
		assert_int_equal(directory, cases[i].directory);
		assert_int_equal(safe_directory_word(words), cases[i].place);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sysctl_line_is_read),
		cmocka_unit_test(a_host_name_is_checked),
		cmocka_unit_test(a_supervisor_is_known_by_its_name),
		cmocka_unit_test(a_supervisor_that_dies_is_started_ever_more_slowly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
