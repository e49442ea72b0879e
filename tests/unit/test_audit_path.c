/* SPDX-License-Identifier: MIT */
/*
 * test_audit_path.c - image paths as evidence writes them, brought into one form
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "smaudit/rules.h"

static const char genuine[] = "c:\\windows\\system32\\smss.exe";

static void one_file_has_one_form(void **state)
{
	static const char *const forms[] = {
		"C:\\Windows\\System32\\smss.exe",
		"\\SystemRoot\\System32\\smss.exe",
		"\\??\\C:\\windows\\system32\\SMSS.EXE",
		"\\\\?\\C:\\Windows\\System32\\smss.exe",
		"\\\\.\\C:\\Windows\\System32\\smss.exe",
		"%SystemRoot%\\System32\\smss.exe",
		"%%SystemRoot%%\\system32\\smss.exe",
		"%windir%/system32/smss.exe",
		"C:/WINDOWS//system32\\\\smss.exe",
		"C:\\Windows\\.\\Temp\\..\\System32\\smss.exe",
		"C:\\Windows.\\System32\\smss.exe. . ",
		"\"C:\\Windows\\System32\\smss.exe\"",
		" C:\\Windows\\System32\\smss.exe ",
		"C:\\..\\..\\Windows\\System32\\smss.exe",
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct windows_path p;

		path_windows(forms[i], NULL, &p);
		assert_string_equal(p.text, genuine);
		assert_false(p.unc || p.device || p.cut || p.short_name);
	}
}

static void others_stay_others(void **state)
{
	static const char *const forms[] = {
		"C:\\Windows\\System32Evil\\smss.exe", "C:\\Windows\\System32\\smss.exe\\x",
		"D:\\Windows\\System32\\smss.exe",     "C:\\SystemRoot\\System32\\smss.exe",
		"\\SystemRootX\\System32\\smss.exe",   "C:\\Windows\\Sуstem32\\smss.exe",
		"\\Windows\\System32\\smss.exe",       "smss.exe",
		"C:\\Windows \\System32\\smss.exe",    "C:\\Windows\\System32 \\smss.exe",
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct windows_path p;

		path_windows(forms[i], NULL, &p);
		assert_string_not_equal(p.text, genuine);
	}
}

static void devices_and_shares_are_marked(void **state)
{
	struct windows_path p;

	path_windows("\\Device\\HarddiskVolume3\\Windows\\System32\\smss.exe", NULL, &p);
	assert_true(p.device && !p.unc);
	assert_string_equal(p.text, "\\device\\harddiskvolume3\\windows\\system32\\smss.exe");
	path_windows("\\\\?\\GLOBALROOT\\Device\\HarddiskVolume3\\smss.exe", NULL, &p);
	assert_true(p.device);
	path_windows("\\\\server\\share\\smss.exe", NULL, &p);
	assert_true(p.unc);
	path_windows("\\??\\UNC\\server\\share\\smss.exe", NULL, &p);
	assert_true(p.unc);
	path_windows("\\Device\\Mup\\server\\share\\smss.exe", NULL, &p);
	assert_true(p.unc);
}

static void another_root_is_used(void **state)
{
	struct windows_path p;

	path_windows("\\SystemRoot\\System32\\smss.exe", "D:\\WINNT", &p);
	assert_string_equal(p.text, "d:\\winnt\\system32\\smss.exe");
}

static void short_names_and_long_paths_are_said(void **state)
{
	struct windows_path p;
	char path[4096] = "C:\\";

	path_windows("C:\\PROGRA~1\\smss.exe", NULL, &p);
	assert_true(p.short_name);
	path_windows("C:\\Windows\\SMSS~1.EXE", NULL, &p);
	assert_true(p.short_name);
	path_windows("C:\\a~b\\~tmp\\smss.exe", NULL, &p);
	assert_false(p.short_name);
	for (unsigned i = 3; i < sizeof(path) - 1; i++)
		path[i] = i % 2 ? 'a' : '\\';
	path_windows(path, NULL, &p);
	assert_true(p.cut);
	path_windows("", NULL, &p);
	assert_string_equal(p.text, "");
}

static void the_base_is_behind_either_separator(void **state)
{
	assert_string_equal(path_base("C:\\a/b\\smss.exe"), "smss.exe");
	assert_string_equal(path_base("/usr/lib/smss/smss"), "smss");
	assert_string_equal(path_base("smss.exe"), "smss.exe");
	assert_string_equal(path_base("C:\\a\\"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_file_has_one_form),
		cmocka_unit_test(others_stay_others),
		cmocka_unit_test(devices_and_shares_are_marked),
		cmocka_unit_test(another_root_is_used),
		cmocka_unit_test(short_names_and_long_paths_are_said),
		cmocka_unit_test(the_base_is_behind_either_separator),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
