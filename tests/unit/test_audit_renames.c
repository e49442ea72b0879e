/* SPDX-License-Identifier: MIT */
/*
 * test_audit_renames.c - pending renames are judged by what they touch, and by nothing else
 */
#include "audit_registry_case.h"

static void pending_renames_by_target(void **state)
{
	static const char p[] = "PendingFileRenameOperations";
	static const struct value_case cases[] = {
		{p, "", 0, 0, NULL},
		{p, "\\??\\C:\\Users\\a\\Temp\\x.tmp||", 0, 1, "deletions=1"},
		{p, "\\??\\C:\\Config.Msi\\1.rbf||\\??\\C:\\Temp\\a||", 0, 1, "operations=2"},
		{p, SYS "drivers\\SET1.tmp||", 0, 1, NULL},
		{p, SYS "drivers\\SET1.tmp|!" SYS "drivers\\disk.sys|", 0, 1, NULL},
		{p, SYS "spool\\drivers\\x64\\3\\New\\a.dll|!" SYS "spool\\drivers\\x64\\3\\a.dll|",
		 0, 1, NULL},
		{p, "\\??\\C:\\Program Files\\A\\a|\\??\\C:\\Program Files\\A\\b|", 0, 1, NULL},
		{p, "\\??\\C:\\Windows2\\System32\\drivers\\a.sys||", 0, 1, NULL},
		{p, "\\??\\C:\\a\\Windows\\System32\\smss.exe||", 0, 1, NULL},
		{p, "\\??\\C:\\Users\\Public\\x|!" SYS "drivers\\WdFilter.sys|", 1, 0,
		 "by=any user"},
		{p, "*1\\??\\C:\\x|*1!" SYS "SMSS.exe|", 1, 0, "operation=replace"},
		{p, "\\??\\C:\\x|!\\??\\D:\\WINDOWS\\system32\\ntoskrnl.exe|", 1, 0, "the kernel"},
		{p, "\\??\\C:\\x|!\\SystemRoot\\System32\\.\\config\\..\\csrss.exe|", 1, 0, NULL},
		{p, "\\??\\C:\\x|!\\Device\\HarddiskVolume3\\Windows\\System32\\config\\SAM|", 1, 0,
		 NULL},
		{p, "@" SYS "winevt\\Logs\\Security.evtx||", 1, 0, "protected=an event log"},
		{p, "\\??\\E:\\old\\a.EVTX||", 1, 0, "protected=an event log"},
		{p, "\\??\\C:\\Program Files (x86)\\Sophos\\a.dll||", 1, 0, "security product"},
		{p, SYS "drivers\\a.sys|\\??\\C:\\Users\\Public\\b|", 1, 0, "operation=rename"},
		{p, SYS "config|\\??\\C:\\b|", 1, 0, NULL},
		{p, "\\??\\C:\\Windows|\\??\\C:\\b|", 1, 0, NULL},
		{p, "\\??\\C:\\Windows||", 0, 1, NULL},
		{p, SYS "|\\??\\C:\\b|", 1, 0, "protected=a directory of the system"},
		{p, "\\??\\C:\\b|\\??\\C:\\WINDOWS\\System32|", 1, 0,
		 "protected=a directory of the system"},
		{p, "\\??\\C:\\b|!\\??\\C:\\Windows|", 1, 0, NULL},
		{p, "\\??\\C:\\Windows\\System32||", 0, 1, NULL},
		{p, "\\??\\C:\\a\\Windows|\\??\\C:\\b|", 0, 1, NULL},
		{p, "\\??\\C:\\Users\\a\\x.dll|" SYS "x.dll|", 1, 0, "a file of the system"},
		{p, "\\??\\UNC\\server\\x.dll|" SYS "x.dll|", 1, 0, NULL},
		{p, SYS "new\\x.dll|!" SYS "x.dll|", 0, 1, NULL},
		/* the list's end is missing, or a target */
		{p, SYS "winevt\\Logs\\System.evtx||$", 1, 0, NULL},
		{p, SYS "winevt\\Logs\\System.evtx$", 1, 1, NULL},
		{p, "\\??\\C:\\Temp\\a||" SYS "lsass.exe$", 1, 2, NULL},
		{"pendingfilerenameoperations2", SYS "lsass.exe||", 1, 0, NULL},
		{"PendingFileRenameOperations3", SYS "lsass.exe||", 0, 0, NULL},
		/* ours */
		{p, "/var/tmp/new|!/var/tmp/app|", 0, 1, NULL},
		{p, "/var/tmp/new|!/usr/lib/smss/smss|", 1, 0, "an image of the session manager"},
		{p, "\\??\\/var/log/auth.log||", 1, 0, "protected=a log"},
		{p, "/var/../usr//lib/./smss/csrss||", 1, 0, NULL},
		{p, "/tmp/x|!/etc/passwd|", 1, 0, "a file of the system"},
		{p, "/srv/x|!/etc/passwd|", 0, 1, NULL},
	};

	(void)state;
	TRY(cases, INDICATOR_PENDING_RENAME, REG_MULTI_SZ);
}

static void what_a_rename_is_for(void **state)
{
	struct registry_fact f;

	(void)state;
	f = fact("PendingFileRenameOperations", REG_MULTI_SZ, SYS "winevt\\Logs\\System.evtx||");
	judge(&f, false);
	assert_string_equal(told[0].technique, "T1070.004");
	f = fact("PendingFileRenameOperations", REG_MULTI_SZ, "\\??\\C:\\x|!" SYS "smss.exe|");
	judge(&f, false);
	assert_string_equal(told[0].technique, "T1547");
	f = fact("1", REG_SZ, SYS "winevt\\Logs\\System.evtx");
	f.about = REGISTRY_FILE_RENAMES;
	judge(&f, false);
	assert_int_equal(count(INDICATOR_PENDING_RENAME, FOUND), 1);
}

static void pairs_out_of_step_are_judged_string_by_string(void **state)
{
	const struct registry_fact f = fact("PendingFileRenameOperations", REG_MULTI_SZ,
					    "|\\??\\C:\\x|!" SYS "ntdll.dll||");

	(void)state;
	judge(&f, false);
	assert_true(count(INDICATOR_PENDING_RENAME, FOUND) >= 1);
	assert_true(evidence_has("ntdll.dll"));
}

static void a_short_name_decides_nothing(void **state)
{
	static const struct {
		const char *path;
		bool unsure;
	} cases[] = {
		{"\\??\\C:\\PROGRA~1\\WINDOW~2\\a.exe||", true},
		{"\\??\\C:\\PROGRA~1\\Windows Defender\\a.exe||", true},
		{"\\??\\C:\\PR12AB~1\\WINDOW~2\\a.exe||", true},
		{"\\??\\C:\\PROGRA~1\\GOOGLE~1\\a.exe||", false},
		{"\\??\\C:\\Users\\ADMINI~1\\AppData\\Local\\Temp\\a.exe||", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct registry_fact f =
			fact("PendingFileRenameOperations", REG_MULTI_SZ, cases[i].path);

		judge(&f, false);
		assert_int_equal(count(INDICATOR_PENDING_RENAME, UNDECIDED), cases[i].unsure);
		assert_int_equal(count(INDICATOR_PENDING_RENAME, FOUND), 0);
	}
}

static void a_long_list_is_counted(void **state)
{
	static char text[65536];
	struct registry_fact f;

	(void)state;
	text[0] = '\0';
	for (unsigned i = 0; i < 200; i++)
		snprintf(text + strlen(text), 80, SYS "drivers\\d%u.sys||", i);
	f = fact("PendingFileRenameOperations", REG_MULTI_SZ, text);
	judge(&f, false);
	assert_int_equal(count(INDICATOR_PENDING_RENAME, FOUND), 65);
	assert_true(evidence_has("operations=136"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pending_renames_by_target),
		cmocka_unit_test(what_a_rename_is_for),
		cmocka_unit_test(pairs_out_of_step_are_judged_string_by_string),
		cmocka_unit_test(a_short_name_decides_nothing),
		cmocka_unit_test(a_long_list_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
