/* SPDX-License-Identifier: MIT */
/*
 * test_audit_world_limits.c - what the world does not decide, does not repeat, and does not keep
 */
#include "world_case.h"

static void what_is_not_told_is_not_decided(void **state)
{
	const char *rules;

	begin();
	row(LIST_LIVE, T0 + S, 256, 4, "smss.exe");
	rules = end_with("indeterminate");
	assert_string_equal(rules, "wrong-path late-start");
	free(text);
	begin();
	told(SEEN_ACTIVE, T0, 256, S32 "smss.exe");
	rules = end_with("indeterminate");
	assert_string_equal(rules,
			    "wrong-parent second-persistent-instance wrong-account late-start");
	free(text);
	begin();
	started(T0, 700, 600, S32 "svchost.exe");
	rules = end_with("indeterminate");
	assert_non_null(strstr(text, "No session manager was told of"));
	assert_non_null(strstr(text, "a process named smss.exe"));
	assert_string_equal(rules, "wrong-path wrong-parent second-persistent-instance "
				   "unexpected-child wrong-account late-start spoofed-parent");
	free(text);
}

/* Nobody told as whom the session manager runs, nor its child. */
static void an_account_nobody_tells_is_not_clean(void **state)
{
	struct process_fact f;
	const char *rules;

	(void)state;
	begin();
	f = start(T0, 700, 600, S32 "csrss.exe");
	f.parent_image = S32 "smss.exe";
	f.sid = NULL;
	world_process(world, &f);
	rules = end_with("indeterminate");
	assert_non_null(strstr(rules, "wrong-account"));
	assert_non_null(strstr(rules, "spoofed-parent"));
	free(text);
	begin();
	f.sid = "S-1-5-18"; /* the child's own tells that it may be one */
	world_process(world, &f);
	rules = end_with("indeterminate");
	assert_non_null(strstr(rules, "wrong-account"));
	assert_null(strstr(rules, "spoofed-parent"));
	free(text);
}

/* osquery tells the last number of a SID. */
static void another_number_is_another_account(void **state)
{
	struct process_fact f;

	(void)state;
	begin();
	f = start(T0, 256, 4, S32 "smss.exe");
	f.sid = "1001";
	world_process(world, &f);
	assert_string_equal(findings(), "wrong-account");
	begin();
	f.sid = "4294967295";
	world_process(world, &f);
	assert_string_equal(findings(), "");
}

/* A field that need not be there counts when it was read. */
static void what_was_read_was_looked_at(void **state)
{
	struct process_fact f;

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		begin();
		f = start(T0, 256, 4, S32 "smss.exe");
		f.original_name = n ? "smss.exe" : NULL;
		world_process(world, &f);
		assert_string_equal(findings(), "");
		assert_int_equal(looked[INDICATOR_IDENTITY_MISMATCH], n);
		assert_int_equal(looked[INDICATOR_WRONG_SIGNER], 0);
	}
}

/* What was judged where it was read is not told a second time with another subject. */
static void what_was_judged_is_not_judged_again(void **state)
{
	begin();
	ours(7, 1, "/tmp/srnss", "0");
	assert_string_equal(findings(), "near-miss-name");
	begin();
	now.vouched = true;
	ours(7, 1, "/tmp/srnss", "0");
	assert_string_equal(findings(), "");
}

/* More than 292 years lie between them: they are not the same moment. */
static void times_far_apart_are_no_one_time(void **state)
{
	begin();
	started(-9100000000 * S, 300, 4, S32 "smss.exe");
	started(9200000000 * S, 300, 4, "C:\\Windows\\Temp\\smss.exe");
	assert_non_null(strstr(findings(), "wrong-path"));
}

/* A log may say so in 200 bytes a boot: what was kept of them is given back at once, each. */
static void many_boots_with_one_pid_are_forgotten_one_by_one(void **state)
{
	clock_t began = clock();

	begin();
	for (unsigned n = 0; n < 400000; n++) {
		mark(BOOT_BEGAN, T0 + n * 1000 * S, 0);
		started(T0 + (n * 1000 + 1) * S, 300, 4, S32 "smss.exe");
	}
	assert_string_equal(findings(), "");
	assert_true((clock() - began) / CLOCKS_PER_SEC < 20);
}

/* Twenty thousand boots of a thousand machines, one of them with an impostor, early. */
static void memory_is_bounded(void **state)
{
	char name[16] = "H0";
	uint64_t most;

	begin();
	for (unsigned n = 0; n < 20000; n++) {
		snprintf(name, sizeof(name), "H%u", n % 1000);
		now.host = name;
		boot(T0 + n * 1000 * S);
		if (n == 500)
			told(SEEN_END, T0 + n * 1000 * S + 100 * S, 432, S32 "smss.exe");
	}
	most = world_end(world);
	assert_true(most < (uint64_t)40 << 20);
	assert_string_equal(findings(), "second-persistent-instance");
}

/* Of a host of which nothing is to be said nothing stays, however many there are. */
static void many_hosts_are_forgotten_one_by_one(void **state)
{
	char name[16];

	(void)state;
	begin();
	now.host = name;
	for (unsigned n = 0; n < 60000; n++) {
		snprintf(name, sizeof(name), "H%u", n);
		started(T0 + n * S, 700, 600, S32 "svchost.exe");
	}
	started(T0, 704, 600, "C:\\Windows\\Temp\\smss.exe");
	assert_true(world_end(world) < (uint64_t)28 << 20);
	/* as many as are told of leave room for the one that is found */
	assert_string_equal(findings(), "wrong-path");
}

static void too_many_on_one_host_is_said(void **state)
{
	begin();
	for (unsigned n = 0; n < 200000; n++)
		started(T0 + n * S, 1000 + n, 600, S32 "smss.exe");
	assert_true(world_end(world) < (uint64_t)64 << 20);
	assert_string_equal(end_with("indeterminate"), "wrong-parent second-persistent-instance "
						       "late-start");
	assert_non_null(strstr(text, "too many processes"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_told_is_not_decided),
		cmocka_unit_test(an_account_nobody_tells_is_not_clean),
		cmocka_unit_test(another_number_is_another_account),
		cmocka_unit_test(what_was_read_was_looked_at),
		cmocka_unit_test(what_was_judged_is_not_judged_again),
		cmocka_unit_test(times_far_apart_are_no_one_time),
		cmocka_unit_test(many_boots_with_one_pid_are_forgotten_one_by_one),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(many_hosts_are_forgotten_one_by_one),
		cmocka_unit_test(too_many_on_one_host_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
