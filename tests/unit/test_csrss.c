/* SPDX-License-Identifier: MIT */
/*
 * test_csrss.c - csrss reads NT's command line and refuses what NT refuses
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/bytes.h"
#include "csrss/arguments.h"

static int read_one(const char *word, struct csrss_arguments *a, const char **bad)
{
	char *argv[] = {(char *)"csrss", (char *)(uintptr_t)word, NULL};

	return csrss_arguments_read(2, argv, a, bad);
}

static void a_word_is_taken_or_refused(void **state)
{
	static const struct {
		const char *word;
		int want;
	} cases[] = {
		{"ObjectDirectory=/Windows", 0},
		{"objectdirectory=/Windows", 0},
		{"ObjectDirectory=", -EINVAL},
		{"SharedSection=1024,20480,768", 0},
		{"SharedSection=1024", 0},
		{"SharedSection=1024,", -EINVAL},
		{"SharedSection=1,2,3,4", -EINVAL},
		{"SharedSection=a,2,3", -EINVAL},
		{"SharedSection=99999999999999999999,2,3", -EINVAL},
		{"ServerDll=basesrv,1", 0},
		{"ServerDll=winsrv:UserServerDllInitialization,3", 0},
		{"ServerDll=basesrv", -EINVAL},
		{"ServerDll=,1", -EINVAL},
		{"ServerDll=winsrv:,1", -EINVAL},
		{"ServerDll=basesrv,x", -EINVAL},
		{"SubSystemType=Windows", 0},
		{"SubSystemType=Posix", -EINVAL},
		{"MaxRequestThreads=16", 0},
		{"MaxRequestThreads=0", -EINVAL},
		{"MaxRequestThreads=many", -EINVAL},
		{"ProfileControl=Off", 0},
		{"RequestThreads=1", 0},
		{"Windows=On", 0},
		{"Unknown=1", -EINVAL},
		{"Windows", -EINVAL},
		{"=On", -EINVAL},
		{"", -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct csrss_arguments a;
		const char *bad = NULL;

		if (read_one(cases[i].word, &a, &bad) != cases[i].want)
			fail_msg("%s", cases[i].word);
		if (cases[i].want < 0)
			assert_ptr_equal(bad, cases[i].word);
		else
			assert_null(bad);
	}
}

static void values_are_kept_and_defaults_are_nt_s(void **state)
{
	struct csrss_arguments a;
	const char *bad = NULL;

	assert_int_equal(read_one("SharedSection=1024,20480,768", &a, &bad), 0);
	assert_int_equal(a.shared_section_kb[1], 20480);
	assert_int_equal(a.max_request_threads, 16);
	assert_string_equal(a.object_directory, "");
	assert_int_equal(read_one("ServerDll=a,1", &a, &bad), 0);
	assert_int_equal(a.server_dlls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_taken_or_refused),
		cmocka_unit_test(values_are_kept_and_defaults_are_nt_s),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
