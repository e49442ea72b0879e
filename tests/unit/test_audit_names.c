/* SPDX-License-Identifier: MIT */
/*
 * test_audit_names.c - names that imitate, and honest names near them
 *
 * The impostors are names that were seen in the world, and some made up for a rule each.
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

struct name_case {
	const char *name, *of;
	enum name_kind kind;
};

static void check(const struct name_case *cases, size_t n, enum system system)
{
	for (size_t i = 0; i < n; i++) {
		struct name_verdict v;

		name_look(cases[i].name, false, system, &v);
		if (v.kind != cases[i].kind ||
		    (cases[i].of && (!v.of || strcmp(v.of, cases[i].of))))
			fail_msg("%s: kind %d of %s, by \"%s\"", cases[i].name, (int)v.kind,
				 v.of ? v.of : "nothing", v.rule);
		if (v.kind >= NAME_HIDDEN)
			assert_true(v.rule[0]);
	}
}

/* clang-format off */
static void impostors_are_seen(void **state)
{
	static const struct name_case cases[] = {
		{"smsss.exe", "smss", NAME_DISTANCE}, {"snss.exe", "smss", NAME_DISTANCE},
		{"csmss.exe", "smss", NAME_DISTANCE}, {"smss32.exe", "smss", NAME_AFFIX},
		{"smss64.exe", "smss", NAME_AFFIX}, {"kvc_smss.exe", "smss", NAME_AFFIX},
		{"snss1.exe", "smss", NAME_AFFIX}, {"smssvc.exe", "smss", NAME_AFFIX},
		{"lsnss.exe", "lsass", NAME_DISTANCE},
		{"svch0st.exe", "svchost", NAME_CONFUSABLE}, {"scvhost.exe", "svchost", NAME_DISTANCE},
		{"svhost.exe", "svchost", NAME_DISTANCE}, {"svchost32.exe", "svchost", NAME_AFFIX},
		{"ntsvchost.exe", "svchost", NAME_AFFIX}, {"_svchost.exe", "svchost", NAME_DISTANCE},
		{"svchost.exe.exe", "svchost", NAME_DOUBLE_EXTENSION},
		{"csrsss.exe", "csrss", NAME_DISTANCE}, {"csrss_1.exe", "csrss", NAME_AFFIX},
		{"cssrs.exe", "csrss", NAME_DISTANCE}, {"lsass32.exe", "lsass", NAME_AFFIX},
		{"lsassys.exe", "lsass", NAME_AFFIX}, {"1sass.exe", "lsass", NAME_CONFUSABLE},
		{"winlog0n.exe", "winlogon", NAME_CONFUSABLE}, {"winiogon.exe", "winlogon", NAME_CONFUSABLE},
		{"winlogin.exe", "winlogon", NAME_DISTANCE}, {"wininit32.exe", "wininit", NAME_AFFIX},
		{"servlces.exe", "services", NAME_CONFUSABLE}, {"servic3s.exe", "services", NAME_CONFUSABLE},
		{"servisces.exe", "services", NAME_DISTANCE}, {"wsass.exe", "lsass", NAME_DISTANCE},
	};
	check(cases, ARRAY_SIZE(cases), SYSTEM_WINDOWS);
}

static void letters_that_look_alike_are_seen(void **state)
{
	static const struct name_case cases[] = {
		{"srnss.exe", "smss", NAME_CONFUSABLE}, {"5mss.exe", "smss", NAME_CONFUSABLE},
		{"sm$s.exe", "smss", NAME_CONFUSABLE}, {"\xd1\x95mss.exe", "smss", NAME_CONFUSABLE},
		{"sms\xd1\x81.exe", "smss", NAME_CONFUSABLE}, {"\xef\xbd\x93mss.exe", "smss", NAME_CONFUSABLE},
		{"\xc5\xbfmss.exe", "smss", NAME_CONFUSABLE}, {"\xe1\xb9\xa1mss.exe", "smss", NAME_CONFUSABLE},
		{"\xf0\x9d\x90\xac\xf0\x9d\x90\xa6ss.exe", "smss", NAME_CONFUSABLE},
		{"svch\xd0\xbest.exe", "svchost", NAME_CONFUSABLE},
		{"s\xcc\x81mss.exe", "smss", NAME_CONFUSABLE}, {"lsa\xcc\x88ss.exe", "lsass", NAME_CONFUSABLE},
		{"lsa\xe2\x83\x9dss.exe", "lsass", NAME_CONFUSABLE}, {"\xcc\x81smss.exe", "smss", NAME_CONFUSABLE},
		{"smss\xef\xbc\x8e" "exe", "smss", NAME_CONFUSABLE}, {"smss\xe2\x80\xa4" "exe", "smss", NAME_CONFUSABLE},
		{"smss\xe3\x80\x82" "exe", "smss", NAME_CONFUSABLE}, {"smss\xef\xbd\xa1" "exe", "smss", NAME_CONFUSABLE},
		{"\xef\xbd\x93mss\xef\xbc\x8e" "exe", "smss", NAME_CONFUSABLE},
	};
	check(cases, ARRAY_SIZE(cases), SYSTEM_WINDOWS);
}

static void what_does_not_show_is_seen(void **state)
{
	static const struct name_case cases[] = {
		{"sm\xe2\x80\x8bss.exe", "smss", NAME_HIDDEN}, {"smss\xc2\xa0.exe", "smss", NAME_HIDDEN},
		{"smss .exe", "smss", NAME_HIDDEN}, {"smss.exe ", "smss", NAME_HIDDEN},
		{"x.txt:smss.exe", "smss", NAME_HIDDEN}, {"x.txt:snss.exe", "smss", NAME_HIDDEN},
		{"smss\x01.exe", "smss", NAME_HIDDEN}, {"\xef\xbb\xbfsmss.exe", "smss", NAME_HIDDEN},
		{"photo\xe2\x80\xaegpj.exe", NULL, NAME_HIDDEN}, {"smss.com", "smss", NAME_DOUBLE_EXTENSION},
		{"smss.scr", "smss", NAME_DOUBLE_EXTENSION}, {"smss.txt.exe", "smss", NAME_DOUBLE_EXTENSION},
		{"smss.exe.exe", "smss", NAME_DOUBLE_EXTENSION},
	};
	check(cases, ARRAY_SIZE(cases), SYSTEM_WINDOWS);
}

static void honest_names_are_left_alone(void **state)
{
	static const struct name_case cases[] = {
		{"SMSS.EXE", "smss", NAME_EXACT}, {"smss", "smss", NAME_EXACT}, {"Smss.Exe", "smss", NAME_EXACT},
		{"csrss.exe", "csrss", NAME_EXACT}, {"lsass.exe", "lsass", NAME_EXACT},
		{"Ssms.exe", NULL, NAME_NEIGHBOUR}, {"sms.exe", NULL, NAME_NEIGHBOUR},
		{"smsc.exe", NULL, NAME_NEIGHBOUR}, {"sihost.exe", NULL, NAME_NEIGHBOUR},
		{"SMSvcHost.exe", NULL, NAME_NEIGHBOUR}, {"service.exe", NULL, NAME_NEIGHBOUR},
		{"msg.exe", NULL, NAME_OTHER}, {"mmc.exe", NULL, NAME_OTHER}, {"LsaIso.exe", NULL, NAME_OTHER},
		{"taskhostw.exe", NULL, NAME_OTHER}, {"dllhost.exe", NULL, NAME_OTHER},
		{"conhost.exe", NULL, NAME_OTHER}, {"dashost.exe", NULL, NAME_OTHER},
		{"smsexec.exe", NULL, NAME_OTHER}, {"smartscreen.exe", NULL, NAME_OTHER},
		{"vmware-services.exe", NULL, NAME_OTHER}, {"explorer.exe", NULL, NAME_OTHER},
		{"smss.exe.mui", NULL, NAME_OTHER}, {"", NULL, NAME_OTHER}, {"...", NULL, NAME_OTHER},
		{"re\xcc\x81sume\xcc\x81.exe", NULL, NAME_OTHER}, {"setup\xe3\x80\x82" "exe", NULL, NAME_OTHER},
		{"\xd8\xa8\xe2\x80\x8c\xd8\xa7.exe", NULL, NAME_OTHER}, {"\xff\xfe", NULL, NAME_OTHER},
	};
	check(cases, ARRAY_SIZE(cases), SYSTEM_WINDOWS);
}

static void images_of_ours_have_no_extension(void **state)
{
	static const struct name_case cases[] = {
		{"smss", "smss", NAME_EXACT}, {"srnss", "smss", NAME_CONFUSABLE},
		{"smsss", "smss", NAME_DISTANCE}, {"winlogon", "winlogon", NAME_EXACT},
		{"smss-x", "smss", NAME_AFFIX}, {"smss.exe", NULL, NAME_NEIGHBOUR},
		{"smsd", NULL, NAME_NEIGHBOUR}, {"services.exe", NULL, NAME_OTHER},
		{"systemd", NULL, NAME_OTHER}, {"sshd", NULL, NAME_OTHER}, {"smreg", NULL, NAME_OTHER},
		{"smctl", NULL, NAME_OTHER}, {"lsass", NULL, NAME_OTHER},
	};
	check(cases, ARRAY_SIZE(cases), SYSTEM_LINUX);
}
/* clang-format on */

static void a_cut_name_has_an_unknown_end(void **state)
{
	struct name_verdict v;

	name_look("fontdrvhost.ex", true, SYSTEM_WINDOWS, &v);
	assert_int_equal(v.kind, NAME_OTHER);
	name_look("winlogonservic", true, SYSTEM_WINDOWS, &v);
	assert_int_equal(v.kind, NAME_OTHER);
	name_look("winlogon32.exe", true, SYSTEM_WINDOWS, &v);
	assert_int_equal(v.kind, NAME_AFFIX);
	name_look("svchost.exe.ex", true, SYSTEM_WINDOWS, &v);
	assert_int_equal(v.kind, NAME_DOUBLE_EXTENSION);
}

static void the_letter_is_named(void **state)
{
	struct name_verdict v;

	name_look("\xd1\x95mss.exe", false, SYSTEM_WINDOWS, &v);
	assert_string_equal(v.rule, "Cyrillic letter U+0455 for s");
	name_look("srnss.exe", false, SYSTEM_WINDOWS, &v);
	assert_string_equal(v.rule, "rn for m");
	name_look("smss.ex\xd0\xb5", false, SYSTEM_WINDOWS, &v);
	assert_int_equal(v.kind, NAME_DOUBLE_EXTENSION);
	assert_string_equal(v.rule, "extension .ex[U+0435]");
	name_look("smss-\xd0\xb5", false, SYSTEM_WINDOWS, &v);
	assert_string_equal(v.rule, "\"-[U+0435]\" behind smss");
	name_look("s\xcc\x81mss.exe", false, SYSTEM_WINDOWS, &v);
	assert_string_equal(v.rule, "U+0301, an accent by itself, in it");
	name_look("smss\xef\xbc\x8e"
		  "exe",
		  false, SYSTEM_WINDOWS, &v);
	assert_string_equal(v.rule, "U+FF0E, no dot but like one, in it");
}

static void a_turned_name_is_told_apart(void **state)
{
	static const char *const turned[] = {"\xe2\x80\xae"
					     "exe.ssms",
					     "smss\xe2\x80\xaetxt.exe",
					     "sm\xe2\x80\x8b\xe2\x81\xa6ss.exe"};
	struct name_verdict v;

	for (size_t i = 0; i < ARRAY_SIZE(turned); i++) {
		name_look(turned[i], false, SYSTEM_WINDOWS, &v);
		assert_int_equal(v.kind, NAME_HIDDEN);
		assert_true(v.turns);
	}
	name_look("sm\xe2\x80\x8bss.exe", false, SYSTEM_WINDOWS, &v);
	assert_int_equal(v.kind, NAME_HIDDEN);
	assert_false(v.turns);
}

static void ends_that_win32_drops_are_dropped_at_home_alone(void **state)
{
	static const char genuine[] = "\\\\?\\C:\\Windows\\System32\\SMSS.EXE. ";
	static const char *const others[] = {"C:\\Windows\\Temp\\smss.exe ",
					     "C:\\Windows \\System32\\smss.exe ",
					     "C:\\Windows\\System32 \\smss.exe.", "smss.exe ",
					     "\\\\x\\Windows\\System32\\smss.exe "};
	char room[IMAGE_NAME_BYTES];

	assert_string_equal(path_image_name(genuine, room), "SMSS.EXE");
	assert_string_equal(path_image_name("C:\\a\\b .exe", room), "b .exe");
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_ptr_equal(path_image_name(others[i], room), path_base(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(impostors_are_seen),
		cmocka_unit_test(letters_that_look_alike_are_seen),
		cmocka_unit_test(what_does_not_show_is_seen),
		cmocka_unit_test(honest_names_are_left_alone),
		cmocka_unit_test(images_of_ours_have_no_extension),
		cmocka_unit_test(a_cut_name_has_an_unknown_end),
		cmocka_unit_test(the_letter_is_named),
		cmocka_unit_test(a_turned_name_is_told_apart),
		cmocka_unit_test(ends_that_win32_drops_are_dropped_at_home_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
