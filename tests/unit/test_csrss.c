/* SPDX-License-Identifier: MIT */
/*
 * test_csrss.c - csrss reads NT's command line and refuses what NT refuses; whom programs run as
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "csrss/arguments.h"
#include "csrss/programs.h"

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

static void hex_of(const struct sm_policy *p, char ret[2 * sizeof(*p) + 2])
{
	for (size_t i = 0; i < sizeof(*p); i++)
		for (unsigned j = 0; j < 2; j++)
			ret[2 * i + j] =
				"0123456789abcdef"[((const uint8_t *)p)[i] >> (4 - 4 * j) & 15];
	ret[2 * sizeof(*p)] = 0;
}

static void a_policy_comes_whole_or_not_at_all(void **state)
{
	const struct sm_policy p = {.given = SM_GIVEN_OWNER,
				    .isolation = SM_ISOLATE_PID,
				    .uid = 1000,
				    .gid = 0xABCDEF,
				    .limit = {[15] = UINT64_MAX}},
			       wrong = {.isolation = 1u << 31};
	char hex[2 * sizeof(p) + 2];
	struct sm_policy got = {0};

	hex_of(&p, hex);
	assert_int_equal(policy_of_hex(hex, &got), 0);
	assert_memory_equal(&got, &p, sizeof(p));
	got = (struct sm_policy){.uid = 7};
	hex[5] = 'g';
	assert_int_equal(policy_of_hex(hex, &got), -EINVAL);
	hex[5] = 'A'; /* written by one writer only, in one form */
	assert_int_equal(policy_of_hex(hex, &got), -EINVAL);
	hex_of(&p, hex);
	hex[2 * sizeof(p) - 1] = 0;
	assert_int_equal(policy_of_hex(hex, &got), -EINVAL);
	hex_of(&p, hex);
	memcpy(hex + 2 * sizeof(p), "0", 2);
	assert_int_equal(policy_of_hex(hex, &got), -EINVAL);
	hex_of(&wrong, hex);
	assert_int_equal(policy_of_hex(hex, &got), -EINVAL);
	assert_int_equal(policy_of_hex("", &got), -EINVAL);
	assert_int_equal(got.uid, 7);
}

static void a_variable_is_taken_out_of_an_environment(void **state)
{
	static char a[] = "A=1", two[] = "AB=2", more[] = "A=3", last[] = "B=";
	char *env[] = {a, two, more, last, NULL};

	assert_null(env_take(env, "C"));
	assert_string_equal(env_take(env, "A"), "3");
	assert_ptr_equal(env[0], two);
	assert_ptr_equal(env[1], last);
	assert_null(env[2]);
	assert_string_equal(env_take(env, "B"), "");
	assert_null(env[1]);
}

static bool has(const struct owner *o, const char *word)
{
	for (char *const *v = o->env; *v; v++)
		if (strcmp(*v, word) == 0)
			return true;
	return false;
}

static void an_owner_has_its_own_words(void **state)
{
	static char home[] = "HOME=/root", path[] = "PATH=/bin", homes[] = "HOMES=3";
	static struct owner o, all;
	static char *long_env[OWNER_ENV + 10];
	char *env[] = {home, path, homes, NULL};
	const struct account joe = {"joe", 1000, 100, "/home/joe", ""};
	struct sm_policy p = {.given = SM_GIVEN_OWNER, .uid = 1000, .gid = 100};

	owner_set(&o, &p, &joe, env, 3);
	assert_int_equal(o.as.uid, 1000);
	assert_int_equal(o.as.group_count, 3);
	assert_int_equal(o.as.drop_capabilities, 0);
	assert_false(has(&o, "HOME=/root"));
	assert_true(has(&o, "HOME=/home/joe") && has(&o, "USER=joe") && has(&o, "LOGNAME=joe"));
	assert_true(has(&o, "SHELL=/bin/sh") && has(&o, "PATH=/bin") && has(&o, "HOMES=3"));
	assert_false(has(&o, "XDG_RUNTIME_DIR=/run/user/1000"));
	p.given |= SM_GIVEN_CAPABILITIES;
	p.capabilities = 1u << 5 | 1u; /* KILL, CHOWN */
	p.isolation = SM_ISOLATE_MOUNT;
	owner_set(&o, &p, NULL, env, 1);
	assert_int_equal(o.as.drop_capabilities, 1u << 6 | 1u << 7 | 1u << 8);
	assert_true(has(&o, "HOME=/") && has(&o, "XDG_RUNTIME_DIR=/run/user/1000"));
	assert_false(has(&o, "USER=joe") || has(&o, "USER="));
	for (unsigned i = 0; i < OWNER_ENV + 9; i++)
		long_env[i] = path;
	owner_set(&all, &p, &joe, long_env, 1); /* as many as the system environment can have */
	assert_true(has(&all, "HOME=/home/joe"));
}

static void a_command_is_told_in_one_line(void **state)
{
	char *words[] = {(char *)"/bin/echo", (char *)"a b", (char *)"", (char *)"c", NULL};
	char *none[] = {NULL};
	char text[32], tiny[12];

	program_command(words, text, sizeof(text));
	assert_string_equal(text, "/bin/echo a b  c");
	program_command(words, tiny, sizeof(tiny));
	assert_string_equal(tiny, "/bin/echo a");
	program_command(none, tiny, sizeof(tiny));
	assert_string_equal(tiny, "");
}

static void flags_go_together_or_not(void **state)
{
	static const struct {
		uint32_t flags;
		int want;
	} cases[] = {
		{0, 0},
		{SM_EXEC_PIDFD, 0},
		{SM_EXEC_DETACHED, 0},
		{SM_EXEC_DETACHED | SM_EXEC_PIDFD, 0},
		{SM_EXEC_WAIT | SM_EXEC_PIDFD, 0},
		{SM_EXEC_TERMINAL | SM_EXEC_PIDFD, 0},
		{SM_EXEC_TERMINAL | SM_EXEC_WAIT, -EINVAL},
		{SM_EXEC_TERMINAL | SM_EXEC_DETACHED, -EINVAL},
		{SM_EXEC_WAIT | SM_EXEC_DETACHED, -EINVAL},
		{SM_EXEC_ALL, -EINVAL},
		{SM_EXEC_ALL + 1, -EINVAL},
		{1u << 31, -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (exec_flags_check(cases[i].flags) != cases[i].want)
			fail_msg("%x", cases[i].flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_taken_or_refused),
		cmocka_unit_test(values_are_kept_and_defaults_are_nt_s),
		cmocka_unit_test(a_policy_comes_whole_or_not_at_all),
		cmocka_unit_test(a_variable_is_taken_out_of_an_environment),
		cmocka_unit_test(an_owner_has_its_own_words),
		cmocka_unit_test(a_command_is_told_in_one_line),
		cmocka_unit_test(flags_go_together_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
