/* SPDX-License-Identifier: MIT */
/*
 * test_audit_world.c - boots told fact by fact, and what the world finds in them
 *
 * Shapes that no single log here shows: an old Windows, clocks that were set, containers, scans
 * against lists, pids used again, our own system, and more than there is room for. Each test tells
 * a boot and reads the rules that found something from the report.
 */
#include "world_case.h"

static void a_clean_boot_gives_nothing(void **state)
{
	begin();
	boot(T0);
	assert_string_equal(findings(), "");
}

static void later_sessions_are_normal(void **state)
{
	begin();
	boot(T0);
	for (unsigned n = 0; n < 50; n++) {
		int64_t at = T0 + (1000 + 500 * n) * S;

		started(at, 4000, 256, S32 "smss.exe");
		started(at + 100 * MS, 4008, 4000, S32 "csrss.exe");
		told(SEEN_END, at + 363 * MS, 4000, S32 "smss.exe");
	}
	assert_string_equal(findings(), "");
}

static void pids_recur_across_boots(void **state)
{
	begin();
	for (unsigned n = 0; n < 5; n++)
		boot(T0 + n * 100000 * S);
	assert_string_equal(findings(), "");
}

static void a_pid_of_another_proves_nothing(void **state)
{
	begin();
	boot(T0);
	started(T0 + 900 * S, 332, 700, S32 "svchost.exe");
	told(SEEN_ACTIVE, T0 + 2000 * S, 332, S32 "svchost.exe");
	started(T0 + 3000 * S, 5000, 332, S32 "dllhost.exe");
	told(SEEN_END, T0 + 4000 * S, 332, S32 "svchost.exe");
	assert_string_equal(findings(), "");
}

static void a_copy_that_exits_late_is_found(void **state)
{
	begin();
	boot(T0);
	told(SEEN_END, T0 + 4000 * S, 432, S32 "smss.exe");
	assert_string_equal(findings(), "second-persistent-instance");
}

static void a_clock_set_forward_is_no_life(void **state)
{
	begin();
	boot(T0);
	mark(BOOT_CLOCK_SET, T0 + 3605 * S + 400 * MS, 3600 * S);
	told(SEEN_END, T0 + 3605 * S + 500 * MS, 432, S32 "smss.exe");
	assert_string_equal(findings(), "");
}

static void a_clock_set_back_hides_no_life(void **state)
{
	begin();
	boot(T0);
	mark(BOOT_CLOCK_SET, T0 - 3000 * S, -3600 * S);
	told(SEEN_END, T0 - 3000 * S + 100 * S, 432, S32 "smss.exe");
	assert_string_equal(findings(), "second-persistent-instance");
}

static void an_old_windows_starts_csrss_from_the_master(void **state)
{
	begin();
	started(T0, 400, 4, S32 "smss.exe");
	started(T0 + S, 500, 400, S32 "csrss.exe");
	started(T0 + 2 * S, 524, 400, S32 "winlogon.exe");
	assert_string_equal(findings(), "");
	begin();
	boot(T0); /* a new one does not */
	started(T0 + 100 * S, 900, 256, S32 "winlogon.exe");
	assert_string_equal(findings(), "unexpected-child");
}

static void a_master_is_late_against_the_kernel(void **state)
{
	begin();
	mark(BOOT_BEGAN, T0, 0);
	boot(T0 + 700 * S);
	assert_string_equal(findings(), "late-start");
	begin();
	mark(BOOT_BEGAN, T0, 0);
	boot(T0 + 2 * S);
	mark(BOOT_BEGAN, T0 + 20 * S, 0);
	assert_string_equal(findings(), "");
}

static void a_clock_in_local_time_is_not_late(void **state)
{
	begin();
	mark(BOOT_BEGAN, T0, 0);
	boot(T0 + 7202 * S);
	assert_string_equal(findings(), "");
}

static void a_scan_shows_what_has_exited(void **state)
{
	begin();
	row(LIST_SCAN, T0, 4, 0, "System");
	row(LIST_SCAN, T0 + S, 256, 4, "smss.exe");
	now.threads = 0;
	now.ended_ns = T0 + 5 * S;
	row(LIST_SCAN, T0 + 5 * S, 332, 256, "smss.exe");
	now.ended_ns = NO_TIME;
	now.threads = 5;
	row(LIST_SCAN, T0 + 9000 * S, 800, 700, "svchost.exe");
	assert_string_equal(findings(), "");
}

static void both_lists(bool linked, const char *host)
{
	begin();
	now.host = host;
	now.threads = 3;
	now.place.file = "scan.json";
	row(LIST_SCAN, T0, 4, 0, "System");
	row(LIST_SCAN, T0 + S, 256, 4, "smss.exe");
	row(LIST_SCAN, T0 + 9000 * S, 800, 256, "smss.exe");
	mark(BOOT_SNAPSHOT_END, NO_TIME, 0);
	now.place.file = "list.json";
	row(LIST_LIVE, T0, 4, 0, "System");
	row(LIST_LIVE, T0 + S, 256, 4, "smss.exe");
	if (linked)
		row(LIST_LIVE, T0 + 9000 * S, 800, 256, "smss.exe");
	mark(BOOT_SNAPSHOT_END, NO_TIME, 0);
}

static void an_unlinked_one_is_found(void **state)
{
	both_lists(false, "W1");
	assert_string_equal(findings(), "second-persistent-instance");
	both_lists(false, NULL);
	assert_string_equal(findings(), "second-persistent-instance");
	both_lists(true, "W1");
	assert_string_equal(findings(), "");
	both_lists(true, NULL);
	assert_string_equal(findings(), "");
}

static void a_list_gives_an_age_at_least(void **state)
{
	begin();
	row(LIST_LIVE, T0, 4, 0, "System");
	row(LIST_LIVE, T0 + S, 256, 4, "smss.exe");
	row(LIST_LIVE, T0 + 100 * S, 900, 256, "smss.exe");
	mark(BOOT_SNAPSHOT_END, T0 + 110 * S, 0);
	assert_string_equal(findings(), "");
	begin();
	row(LIST_LIVE, T0, 4, 0, "System");
	row(LIST_LIVE, T0 + S, 256, 4, "smss.exe");
	row(LIST_LIVE, T0 + 100 * S, 900, 256, "smss.exe");
	mark(BOOT_SNAPSHOT_END, T0 + 200 * S, 0);
	assert_string_equal(findings(), "second-persistent-instance");
}

static void a_container_has_its_own(void **state)
{
	begin();
	row(LIST_LIVE, T0, 4, 0, "System");
	row(LIST_LIVE, T0 + S, 256, 4, "smss.exe");
	now.session = 0;
	row(LIST_LIVE, T0 + 500 * S, 900, 880, "smss.exe");
	now.session = 65;
	row(LIST_LIVE, T0 + 501 * S, 904, 900, "csrss.exe");
	row(LIST_LIVE, T0 + 501 * S, 908, 900, "wininit.exe");
	row(LIST_LIVE, T0 + 502 * S, 912, 908, "services.exe");
	row(LIST_LIVE, T0 + 9000 * S, 5000, 912, "svchost.exe");
	assert_string_equal(findings(), "");
	begin();
	row(LIST_LIVE, T0, 4, 0, "System");
	row(LIST_LIVE, T0 + S, 256, 4, "smss.exe");
	row(LIST_LIVE, T0 + 500 * S, 900, 880, "smss.exe");
	row(LIST_LIVE, T0 + 9000 * S, 5000, 912, "svchost.exe");
	assert_string_equal(findings(), "wrong-parent second-persistent-instance");
}

static void two_streams_tell_of_one_process(void **state)
{
	begin();
	boot(T0);
	now.place.file = "b.json";
	row(LIST_LIVE, T0 - T0 % S, 256, 4, "smss.exe");
	row(LIST_LIVE, T0 + 4 * S, 332, 256, "smss.exe");
	row(LIST_LIVE, T0 + 9000 * S, 5000, 912, "svchost.exe");
	assert_string_equal(findings(), "second-persistent-instance");
}

static void a_source_that_tells_signatures_is_believed(void **state)
{
	struct process_fact f;

	begin();
	f = start(T0, 256, 4, S32 "smss.exe");
	f.signature = "Valid";
	f.signer = "Microsoft Windows";
	world_process(world, &f);
	assert_string_equal(findings(), "");
	begin();
	f.signature = "unsigned";
	f.signer = NULL;
	world_process(world, &f);
	assert_string_equal(findings(), "unsigned-image");
	begin();
	f.signature = "trusted";
	f.signer = "Microsoft Corporation";
	world_process(world, &f);
	assert_string_equal(findings(), "wrong-signer");
	begin();
	f.signer = "Microsoft Windows Publisher";
	world_process(world, &f);
	assert_string_equal(findings(), "");
}

static void devices_are_compared_with_each_other(void **state)
{
	begin();
	started(T0, 256, 4, "\\Device\\HarddiskVolume3\\Windows\\System32\\smss.exe");
	started(T0 + S, 600, 500, "\\Device\\HarddiskVolume3\\Windows\\System32\\services.exe");
	assert_string_equal(findings(), "");
	begin();
	started(T0, 256, 4, "\\Device\\HarddiskVolume9\\Windows\\System32\\smss.exe");
	started(T0 + S, 600, 500, "\\Device\\HarddiskVolume3\\Windows\\System32\\services.exe");
	assert_string_equal(findings(), "wrong-path");
}

/* A second session manager of a boot whose others lie on drive C. */
static const char *from_device(const char *image, const char *verdict)
{
	static char rules[1024];

	begin();
	boot(T0);
	started(T0 + 6 * S, 600, 440, S32 "services.exe");
	started(T0 + 90 * S, 700, 256, image);
	told(SEEN_END, T0 + 91 * S, 700, image);
	snprintf(rules, sizeof(rules), "%s", end_with(verdict));
	free(text);
	return rules;
}

static void another_device_is_another_place(void **state)
{
	static const char *const others[] = {
		"\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy1\\Windows\\System32\\smss.exe",
		"\\Device\\CdRom0\\Windows\\System32\\smss.exe",
		"\\Device\\HarddiskVolume\\Windows\\System32\\smss.exe",
		"\\Device\\HarddiskVolume3x\\Windows\\System32\\smss.exe",
		"\\Device\\HarddiskVolume3\\x\\Windows\\System32\\smss.exe",
	};

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(others); n++)
		assert_string_equal(from_device(others[n], "finding"), "wrong-path");
	/* which drive a volume is, nobody told */
	assert_string_equal(
		from_device("\\Device\\HarddiskVolume3\\Windows\\System32\\smss.exe", "finding"),
		"");
	assert_non_null(strstr(from_device("\\Device\\HarddiskVolume3\\Windows\\System32\\smss.exe",
					   "indeterminate"),
			       "wrong-path"));
}

static void a_container_lies_where_containers_do(void **state)
{
	static const char *const layers[] = {
		"C:\\ProgramData\\Microsoft\\Windows\\Containers\\Layers\\1\\Windows\\System32\\"
		"smss.exe",
		"\\Device\\HarddiskVolume3\\ProgramData\\x\\Containers\\1\\Windows\\System32\\smss."
		"exe",
		"\\Device\\VhdHardDisk{12345678-0000-0000-0000-000000000000}\\Windows\\System32\\"
		"smss.exe",
	};
	static const char *const names[] = {
		"C:\\Users\\Public\\Containers\\x\\Windows\\System32\\smss.exe",
		"C:\\Users\\ProgramData\\Containers\\x\\Windows\\System32\\smss.exe",
		"C:\\ProgramData\\x\\Windows\\System32\\smss.exe",
		"C:\\ProgramData\\Containers\\x\\Windows2\\System32\\smss.exe",
		"\\Device\\HarddiskVolume3\\Containers\\x\\Windows\\System32\\smss.exe",
		"\\Device\\VhdHardDisk{1}\\x\\Windows\\System32\\smss.exe",
	};

	(void)state;
	for (unsigned n = 0; n < ARRAY_SIZE(layers); n++)
		assert_string_equal(from_device(layers[n], "finding"), "");
	for (unsigned n = 0; n < ARRAY_SIZE(names); n++)
		assert_string_equal(from_device(names[n], "finding"), "wrong-path");
}

static void the_whole_core_has_one_home(void **state)
{
	static const char *const wrong[] = {"C:\\Windows\\Temp\\services.exe",
					    "C:\\Windows\\lsass.exe",
					    "C:\\Windows\\SysWOW64\\csrss.exe",
					    "C:\\ProgramData\\wininit.exe",
					    "C:\\Windows\\System32\\a\\winlogon.exe",
					    "C:\\Windows\\System\\autochk.exe",
					    "C:\\a\\lsm.exe",
					    "D:\\Windows\\System32\\lsaiso.exe",
					    "D:\\Windows\\System32\\services.exe",
					    "\\\\host\\c$\\Windows\\System32\\lsass.exe"};

	for (unsigned n = 0; n < ARRAY_SIZE(wrong); n++) {
		begin();
		boot(T0);
		started(T0 + 10 * S, 600, 440, S32 "services.exe");
		started(T0 + 90 * S, 900, 600, wrong[n]);
		assert_string_equal(findings(), "wrong-path");
	}
	begin();
	boot(T0);
	started(T0 + 10 * S, 600, 440, S32 "services.exe");
	started(T0 + 11 * S, 604, 600, "C:\\Windows\\SysWOW64\\svchost.exe");
	started(T0 + 12 * S, 608, 600, "\\SystemRoot\\System32\\svchost.exe");
	started(T0 + 13 * S, 612, 440, "C:\\WINDOWS\\system32\\lsass.exe");
	started(T0 + 14 * S, 616, 440, S32 "lsm.exe");
	started(T0 + 15 * S, 620, 440, S32 "lsaiso.exe");
	started(T0 + 16 * S, 624, 600, "C:\\Program Files\\a\\service.exe");
	assert_string_equal(findings(), "");
}

static void listed(uint32_t pid, const char *name, const char *image)
{
	struct process_fact f = start(T0 + 100 * S, pid, 600, image);

	f.seen = SEEN_ALIVE;
	f.list = LIST_LIVE;
	f.name = name;
	world_process(world, &f);
}

/* The name that a list gives and the image's own are both judged, and one thing is told once. */
static void a_list_may_give_another_name(void **state)
{
	static const struct {
		const char *name, *image, *found;
	} cases[] = {
		{"smss .exe", S32 "svchost.exe", "near-miss-name"},
		{"smsss.exe", S32 "notepad.exe", "near-miss-name"},
		{"\xd1\x95mss.exe", S32 "dllhost.exe", "near-miss-name"},
		{"smsss.exe", "C:\\a\\smsss.exe", "near-miss-name"},
		{"notepad.exe", "C:\\a\\smsss.exe", "near-miss-name"},
		{"lsass.exe", S32 "notepad.exe", "identity-mismatch"},
		{"notepad.exe", S32 "lsass.exe", "identity-mismatch"},
		{"csrss.exe", S32 "svchost.exe", "identity-mismatch"},
		{"SVCHOST.EXE", S32 "svchost.exe", ""},
		{"svchost", S32 "svchost.exe", ""},
		{"notepad.exe", S32 "calc.exe", ""},
		{"svchost.exe", "C:\\Windows\\System32\\SVCHOS~1.EXE", ""},
	};

	for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
		const char *at;

		begin();
		boot(T0);
		listed(900, cases[n].name, cases[n].image);
		if (strcmp(end_with("finding"), cases[n].found))
			fail_msg("%s of %s: %s", cases[n].name, cases[n].image, text);
		at = strstr(text, "\"verdict\":\"finding\"");
		assert_true(!*cases[n].found == !at);
		assert_null(at ? strstr(at + 1, "\"verdict\":\"finding\"") : NULL);
		free(text);
	}
}

static void our_own_system_is_judged_by_its_images(void **state)
{
	begin();
	ours(1, 0, "/usr/lib/smss/smss", "0");
	ours(40, 1, "/usr/lib/smss/csrss", "0");
	ours(41, 1, "/usr/lib/smss/winlogon", "0");
	ours(500, 1, "/usr/sbin/sshd", "0");
	ours(600, 500, "/usr/bin/smsd", "1000");
	mark(BOOT_SNAPSHOT_END, T0 + 900 * S, 0);
	assert_string_equal(findings(), "");
	begin();
	ours(1, 0, "/usr/lib/smss/smss", "0");
	ours(700, 500, "/tmp/smss", "1000");
	ours(701, 500, "/tmp/srnss", "1000");
	mark(BOOT_SNAPSHOT_END, T0 + 900 * S, 0);
	assert_string_equal(findings(), "wrong-path wrong-parent second-persistent-instance "
					"wrong-account near-miss-name");
	begin();
	ours(1, 0, "/usr/lib/smss/smss (deleted)", "0");
	assert_string_equal(findings(), "wrong-path");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clean_boot_gives_nothing),
		cmocka_unit_test(later_sessions_are_normal),
		cmocka_unit_test(pids_recur_across_boots),
		cmocka_unit_test(a_pid_of_another_proves_nothing),
		cmocka_unit_test(a_copy_that_exits_late_is_found),
		cmocka_unit_test(a_clock_set_forward_is_no_life),
		cmocka_unit_test(a_clock_set_back_hides_no_life),
		cmocka_unit_test(an_old_windows_starts_csrss_from_the_master),
		cmocka_unit_test(a_master_is_late_against_the_kernel),
		cmocka_unit_test(a_clock_in_local_time_is_not_late),
		cmocka_unit_test(a_scan_shows_what_has_exited),
		cmocka_unit_test(an_unlinked_one_is_found),
		cmocka_unit_test(a_list_gives_an_age_at_least),
		cmocka_unit_test(a_container_has_its_own),
		cmocka_unit_test(two_streams_tell_of_one_process),
		cmocka_unit_test(a_source_that_tells_signatures_is_believed),
		cmocka_unit_test(devices_are_compared_with_each_other),
		cmocka_unit_test(another_device_is_another_place),
		cmocka_unit_test(a_container_lies_where_containers_do),
		cmocka_unit_test(the_whole_core_has_one_home),
		cmocka_unit_test(a_list_may_give_another_name),
		cmocka_unit_test(our_own_system_is_judged_by_its_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
