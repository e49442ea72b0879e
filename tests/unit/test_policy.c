/* SPDX-License-Identifier: MIT */
/*
 * test_policy.c - what a plan holds a session to, and what a request adds to it
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "plan/policy.h"

#define MIB (1ull << 20)
#define U64 18446744073709551615ull

struct given_row {
	const char *name, *text;
	uint32_t arg;
};

static _Alignas(8) uint8_t storage[16384];

static const struct plan_header *plan_of(const struct given_row *rows, size_t count)
{
	static char pool[8192];
	struct plan_builder b;

	memset(storage, 0, sizeof(storage));
	plan_begin(&b, PLAN_MAGIC, storage, sizeof(storage), pool, sizeof(pool));
	plan_table_begin(&b, PLAN_SESSIONS);
	for (size_t i = 0; i < count && rows[i].name; i++)
		plan_add(&b, rows[i].name, rows[i].text ? rows[i].text : "", 0, rows[i].arg, 0);
	assert_true(plan_end(&b) > 0);
	return (const struct plan_header *)(void *)storage;
}

static struct sm_policy policy_with(struct given_row row)
{
	struct sm_policy p;

	assert_int_equal(policy_of_plan(plan_of(&row, 1), 1, &p), 0);
	return p;
}

static void without_rows_nothing_is_asked_for(void **state)
{
	static const struct sm_policy nothing;
	struct sm_policy p;

	(void)state;
	memset(&p, 0x5A, sizeof(p));
	assert_int_equal(policy_of_plan(plan_of(NULL, 0), 1, &p), 0);
	assert_memory_equal(&p, &nothing, sizeof(p));
	assert_string_equal(policy_owner(plan_of(NULL, 0), 1), "");
}

static void the_machine_s_own_session_has_its_own_rows_only(void **state)
{
	static const struct given_row rows[] = {{"Default\\Isolation", "mount", 0},
						{"Default\\Owner", "kiosk", 0},
						{"Default\\ProcessesMax", NULL, 9},
						{"0\\ProcessesMax", NULL, 99}};
	struct sm_policy p;

	(void)state;
	assert_int_equal(policy_of_plan(plan_of(rows, 4), 1, &p), 0);
	assert_int_equal(p.isolation, SM_ISOLATE_MOUNT);
	assert_int_equal(p.processes, 9);
	assert_string_equal(policy_owner(plan_of(rows, 4), 1), "kiosk");
	assert_int_equal(policy_of_plan(plan_of(rows, 4), 0, &p), 0);
	assert_int_equal(p.isolation, 0);
	assert_int_equal(p.processes, 99);
	assert_string_equal(policy_owner(plan_of(rows, 4), 0), "");
}

static void each_row_becomes_its_field(void **state)
{
	struct sm_policy p;

	(void)state;
	assert_true(policy_with((struct given_row){"1\\MemoryMaxMiB", "512", 512}).memory_bytes ==
		    512 * MIB);
	assert_true(
		policy_with((struct given_row){"1\\IoMaxMiB", "16777216", 16777216}).io_bytes_s ==
		16777216 * MIB);
	assert_int_equal(policy_with((struct given_row){"1\\ProcessesMax", "9", 9}).processes, 9);
	assert_int_equal(policy_with((struct given_row){"1\\CpuMaxPercent", "", 150}).cpu_percent,
			 150);
	assert_int_equal(policy_with((struct given_row){"1\\CpuWeight", "", 1}).cpu_weight, 1);
	assert_int_equal(policy_with((struct given_row){"1\\IoWeight", "", 10000}).io_weight,
			 10000);
	assert_int_equal(policy_with((struct given_row){"1\\IdleTimeout", "", 900}).idle_s, 900);
	assert_int_equal(policy_with((struct given_row){"1\\MaxLifetime", "", 60}).lifetime_s, 60);
	p = policy_with((struct given_row){"1\\Umask", "0000", 0});
	assert_int_equal(p.given, SM_GIVEN_UMASK);
	assert_int_equal(p.umask, 0);
	p = policy_with((struct given_row){"1\\NoNewPrivileges", "1", 1});
	assert_int_equal(p.given, SM_GIVEN_NO_NEW_PRIVS);
	assert_int_equal(policy_with((struct given_row){"1\\NoNewPrivileges", "0", 0}).given, 0);
	p = policy_with((struct given_row){"1\\OomScoreAdjust", "-500", 0});
	assert_int_equal(p.given, SM_GIVEN_OOM);
	assert_int_equal(p.oom_score, -500);
	p = policy_with((struct given_row){"1\\Capabilities", "0000000000000000", 0});
	assert_int_equal(p.given, SM_GIVEN_CAPABILITIES);
	assert_true(p.capabilities == 0);
	p = policy_with((struct given_row){"1\\Capabilities", "ffffFFFFffffFFFF", 0});
	assert_true(p.capabilities == U64);
	p = policy_with((struct given_row){"1\\Capabilities", "0000000000000420", 0});
	assert_true(p.capabilities == 0x420);
}

static void isolation_words(void **state)
{
	static const struct {
		const char *text;
		uint32_t bits;
	} cases[] = {
		{"", 0},
		{"mount", SM_ISOLATE_MOUNT},
		{"net pid", SM_ISOLATE_NET | SM_ISOLATE_PID},
		{"dev", SM_ISOLATE_DEV | SM_ISOLATE_MOUNT},
		{"mount ipc pid uts net dev", SM_ISOLATE_ALL},
		{"ipc ipc", SM_ISOLATE_IPC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(
			policy_with((struct given_row){"1\\Isolation", cases[i].text, 0}).isolation,
			cases[i].bits);
}

static void limits_by_name(void **state)
{
	struct sm_policy p = policy_with((struct given_row){
		"1\\Limits", "nofile=1024 core=0 rttime=18446744073709551615", 0});

	(void)state;
	assert_int_equal(p.limits, 1u << 7 | 1u << 4 | 1u << 15);
	assert_true(p.limit[7] == 1024 && p.limit[4] == 0 && p.limit[15] == U64);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(policy_limit(policy_limit_name(i)), i);
	assert_null(policy_limit_name(16));
	assert_int_equal(policy_limit("nofiles"), -ENOENT);
	assert_int_equal(policy_limit(""), -ENOENT);
}

static void capabilities_by_name(void **state)
{
	(void)state;
	assert_int_equal(policy_capability("chown"), 0);
	assert_int_equal(policy_capability("NET_BIND_SERVICE"), 10);
	assert_int_equal(policy_capability("sys_admin"), 21);
	assert_int_equal(policy_capability("checkpoint_restore"), 40);
	assert_int_equal(policy_capability("cap_kill"), -ENOENT);
	assert_int_equal(policy_capability(""), -ENOENT);
	assert_string_equal(policy_capability_name(5), "kill");
	assert_null(policy_capability_name(41));
}

/* The session's own value goes first, one by one; an empty one is a value too. */
static void own_values_go_before_the_default(void **state)
{
	static const struct given_row rows[] = {
		{"Default\\Isolation", "mount ipc", 0},
		{"Default\\MemoryMaxMiB", "64", 64},
		{"Default\\Owner", "kiosk", 0},
		{"2\\Isolation", "", 0},
		{"2\\MemoryMaxMiB", "0", 0},
		{"3\\Owner", "0", 0},
	};
	const struct plan_header *plan = plan_of(rows, sizeof(rows) / sizeof(rows[0]));
	struct sm_policy one, two;

	(void)state;
	assert_int_equal(policy_of_plan(plan, 1, &one), 0);
	assert_int_equal(policy_of_plan(plan, 2, &two), 0);
	assert_int_equal(one.isolation, SM_ISOLATE_MOUNT | SM_ISOLATE_IPC);
	assert_true(one.memory_bytes == 64 * MIB);
	assert_int_equal(two.isolation, 0);
	assert_true(two.memory_bytes == 0);
	assert_string_equal(policy_owner(plan, 2), "kiosk");
	assert_string_equal(policy_owner(plan, 3), "0");
}

/* A plan that smreg did not make, or another version of it did: never less than was meant. */
static void what_nobody_understands_is_refused(void **state)
{
	static const struct given_row damaged[] = {
		{"1\\Isolation", "mount disk", 0},
		{"1\\Isolation", " mount", 0},
		{"1\\Isolation", "mount  ipc", 0},
		{"1\\Isolation", "Mount", 0},
		{"1\\Isolation", "mounts", 0},
		{"1\\Isolation", "moun", 0},
		{"1\\Limits", "nofile", 0},
		{"1\\Limits", "nofile=", 0},
		{"1\\Limits", "nofile=x", 0},
		{"1\\Limits", "=5", 0},
		{"1\\Limits", "nofile=5 unheard=6", 0},
		{"1\\Limits", "nofile=18446744073709551616", 0},
		{"1\\Limits", "nofile 5", 0},
		{"1\\Capabilities", "0", 0},
		{"1\\Capabilities", "00000000000000000", 0},
		{"1\\Capabilities", "000000000000000g", 0},
		{"1\\Capabilities", "0x00000000000001", 0},
		{"1\\Capabilities", "all", 0},
		{"1\\OomScoreAdjust", "1001", 0},
		{"1\\OomScoreAdjust", "-1001", 0},
		{"1\\OomScoreAdjust", "-", 0},
		{"1\\OomScoreAdjust", "--5", 0},
		{"1\\OomScoreAdjust", "99999999999999999999999", 0},
		{"1\\OomScoreAdjust", "5 ", 0},
		{"1\\Umask", "1000", 01000},
		{"1\\CpuWeight", "10001", 10001},
		{"1\\IoWeight", "70000", 70000},
		{"1\\CpuMaxPercent", "4000000000", 4000000000u},
	};
	struct sm_policy p;

	(void)state;
	for (size_t i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++)
		if (policy_of_plan(plan_of(&damaged[i], 1), 1, &p) != -EINVAL)
			fail_msg("%s = \"%s\" passed", damaged[i].name, damaged[i].text);
}

static void of_two_the_stricter_wins(void **state)
{
	struct sm_policy p = {.isolation = SM_ISOLATE_IPC,
			      .memory_bytes = 100,
			      .processes = 0,
			      .cpu_percent = 50,
			      .cpu_weight = 10,
			      .idle_s = 60,
			      .limits = 1u << 7 | 1u << 4,
			      .limit = {[7] = 100, [4] = 5}};
	const struct sm_policy more = {.isolation = SM_ISOLATE_DEV,
				       .memory_bytes = 200,
				       .io_bytes_s = 7,
				       .processes = 9,
				       .cpu_percent = 20,
				       .cpu_weight = 900,
				       .io_weight = 3,
				       .lifetime_s = 5,
				       .limits = 1u << 7 | 1u << 0,
				       .limit = {[7] = 50, [0] = 8}};

	(void)state;
	assert_int_equal(policy_add(&p, &more), 0);
	assert_int_equal(p.isolation, SM_ISOLATE_IPC | SM_ISOLATE_DEV | SM_ISOLATE_MOUNT);
	assert_true(p.memory_bytes == 100 && p.io_bytes_s == 7);
	assert_int_equal(p.processes, 9);
	assert_int_equal(p.cpu_percent, 20);
	assert_int_equal(p.cpu_weight, 10);
	assert_int_equal(p.io_weight, 3);
	assert_int_equal(p.idle_s, 60);
	assert_int_equal(p.lifetime_s, 5);
	assert_int_equal(p.limits, 1u << 7 | 1u << 4 | 1u << 0);
	assert_true(p.limit[7] == 50 && p.limit[4] == 5 && p.limit[0] == 8);
	assert_int_equal(p.given, 0);
}

static void given_things_are_joined(void **state)
{
	static const uint32_t all = SM_GIVEN_CAPABILITIES | SM_GIVEN_UMASK | SM_GIVEN_OOM;
	const struct sm_policy have = {.given = SM_GIVEN_ALL,
				       .capabilities = 6,
				       .umask = 022,
				       .oom_score = 100,
				       .uid = 5,
				       .gid = 6};
	struct sm_policy p = have, none = {0};
	struct sm_policy more = {.given = all, .capabilities = 3, .umask = 077, .oom_score = -1000};

	(void)state;
	assert_int_equal(policy_add(&p, &more), 0);
	assert_true(p.capabilities == 2);
	assert_int_equal(p.umask, 077);
	assert_int_equal(p.oom_score, 100);
	assert_int_equal(policy_add(&p, &none), 0); /* asking for nothing loosens nothing */
	assert_int_equal(p.given, SM_GIVEN_ALL);
	assert_true(p.capabilities == 2 && p.uid == 5);
	assert_int_equal(policy_add(&none, &more), 0);
	assert_true(none.capabilities == 3 && none.oom_score == -1000 && none.umask == 077);
	assert_int_equal(none.given, all);
	more = (struct sm_policy){.given = SM_GIVEN_OWNER, .uid = 5, .gid = 77};
	assert_int_equal(policy_add(&p, &more), 0);
	assert_int_equal(p.gid, 6); /* the group of passwd, not the one that was said */
	more.uid = 8;
	assert_int_equal(policy_add(&p, &more), -EACCES);
	none = (struct sm_policy){0};
	assert_int_equal(policy_add(&none, &more), 0);
	assert_true(none.uid == 8 && none.gid == 77);
}

static void a_request_out_of_range_changes_nothing(void **state)
{
	static const struct sm_policy bad[] = {
		{.given = SM_GIVEN_ALL + 1, .umask = 0},
		{.isolation = SM_ISOLATE_ALL + 1},
		{.limits = 1u << 16},
		{.cpu_weight = 10001},
		{.io_weight = UINT32_MAX},
		{.cpu_percent = UINT32_MAX},
		{.umask = 01000},
		{.oom_score = 1001},
		{.oom_score = -1001},
		{.reserved = 1},
		{.given = SM_GIVEN_OWNER, .uid = SM_NO_OWNER},
		{.given = SM_GIVEN_OWNER, .gid = SM_NO_OWNER},
	};
	const struct sm_policy before = {.memory_bytes = 5, .isolation = SM_ISOLATE_IPC};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct sm_policy p = before;

		assert_int_equal(policy_add(&p, &bad[i]), -EINVAL);
		assert_memory_equal(&p, &before, sizeof(p));
	}
}

static void who_is_not_root_gets_no_more_than_usual(void **state)
{
	struct sm_policy more = {.given = SM_GIVEN_OOM,
				 .oom_score = -1000,
				 .cpu_weight = 10000,
				 .io_weight = 101,
				 .memory_bytes = 5};

	(void)state;
	policy_foreign(&more);
	assert_int_equal(more.oom_score, 0);
	assert_int_equal(more.cpu_weight, 100);
	assert_int_equal(more.io_weight, 100);
	assert_true(more.memory_bytes == 5 && more.given == SM_GIVEN_OOM);
	more = (struct sm_policy){.oom_score = 7, .cpu_weight = 9};
	policy_foreign(&more);
	assert_true(more.oom_score == 7 && more.cpu_weight == 9 && more.io_weight == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_rows_nothing_is_asked_for),
		cmocka_unit_test(the_machine_s_own_session_has_its_own_rows_only),
		cmocka_unit_test(each_row_becomes_its_field),
		cmocka_unit_test(isolation_words),
		cmocka_unit_test(limits_by_name),
		cmocka_unit_test(capabilities_by_name),
		cmocka_unit_test(own_values_go_before_the_default),
		cmocka_unit_test(what_nobody_understands_is_refused),
		cmocka_unit_test(of_two_the_stricter_wins),
		cmocka_unit_test(given_things_are_joined),
		cmocka_unit_test(a_request_out_of_range_changes_nothing),
		cmocka_unit_test(who_is_not_root_gets_no_more_than_usual),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
