/* SPDX-License-Identifier: MIT */
/*
 * test_boot_environment.c - the system environment that every process of smss gets
 *
 * Each case is a hive's Environment key in stored order and what a process then sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "smss/boot/envblock.h"

struct variable {
	const char *name, *value;
	uint32_t flags;
};

static const struct test_case {
	const char *what;
	struct variable hive[4];
	const char *name, *want; /* want NULL = is not there */
} cases[] = {
	{"a value is taken as it is", {{"TEMP", "/tmp", 0}}, "TEMP", "/tmp"},
	{"Path is exported as PATH", {{"Path", "/opt", 0}}, "PATH", "/opt"},
	{"an earlier value is expanded",
	 {{"A", "1", 0}, {"B", "%A%2", PLAN_ENV_EXPAND}},
	 "B",
	 "12"},
	{"a later one too, by the second pass",
	 {{"B", "%A%2", PLAN_ENV_EXPAND}, {"A", "1", 0}},
	 "B",
	 "12"},
	{"names are compared without case",
	 {{"Root", "/r", 0}, {"B", "%ROOT%/b", PLAN_ENV_EXPAND}},
	 "B",
	 "/r/b"},
	{"without EXPAND_SZ nothing is expanded", {{"A", "%OS%", 0}}, "A", "%OS%"},
	{"dynamic values can be named", {{"A", "%OS%", PLAN_ENV_EXPAND}}, "A", "Linux"},
	{"an unknown name stays as written", {{"A", "x%NOPE%y", PLAN_ENV_EXPAND}}, "A", "x%NOPE%y"},
	{"the percent sign after an unknown name may begin another",
	 {{"A", "%NOPE%OS%", PLAN_ENV_EXPAND}},
	 "A",
	 "%NOPELinux"},
	{"two percent signs stay", {{"A", "5%% of %OS%", PLAN_ENV_EXPAND}}, "A", "5%% of Linux"},
	{"a lone percent sign stays", {{"A", "100%", PLAN_ENV_EXPAND}}, "A", "100%"},
	{"its own name is the value before, once",
	 {{"Path", "/opt/bin:%Path%", PLAN_ENV_EXPAND}},
	 "PATH",
	 "/opt/bin:/first"},
	{"the hive cannot say what the machine is", {{"os", "Windows_NT", 0}}, "OS", "Linux"},
	{"SAFEBOOT_OPTION is deleted", {{"SAFEBOOT_OPTION", "x", 0}}, "SAFEBOOT_OPTION", NULL},
	{"an empty value is a value", {{"A", "", 0}}, "A", ""},
	{"a name with = is left out", {{"A=B", "x", 0}}, "A", NULL},
};

static unsigned failures;
static bool safe_boot;

static void failed(void *with, const char *name, int err)
{
	failures++;
}

static void build(const struct variable *hive, unsigned n, struct envblock *b)
{
	static uint64_t plan[65536];
	static char pool[65536], bytes[ENV_BYTES], scratch[ENV_BYTES], before[ENV_BYTES];
	const struct envblock_work w = {
		.scratch = scratch, .before = before, .failed = failed, .safe = safe_boot};
	struct plan_builder p;

	plan_begin(&p, PLAN_MAGIC, plan, sizeof(plan), pool, sizeof(pool));
	plan_table_begin(&p, PLAN_ENVIRONMENT);
	for (unsigned i = 0; i < n && hive[i].name; i++)
		plan_add(&p, hive[i].name, hive[i].value, hive[i].flags, 0, 0);
	assert_true(plan_end(&p) > 0);
	*b = (struct envblock){.bytes = bytes, .cap = sizeof(bytes)};
	failures = 0;
	assert_int_equal(envblock_set(b, "PATH", "/first", 6), 0);
	assert_int_equal(envblock_set(b, "OS", "Linux", 5), 0);
	envblock_apply(b, (const struct plan_header *)(void *)plan, &w);
}

static void a_process_sees_what_the_hive_means(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct test_case *c = &cases[i];
		struct envblock b;
		const char *got;

		build(c->hive, ARRAY_SIZE(c->hive), &b);
		got = envblock_get(&b, c->name, strlen(c->name));
		if ((got == NULL) != (c->want == NULL) || (got && strcmp(got, c->want) != 0))
			fail_msg("%s: \"%s\", not \"%s\"", c->what, got ? got : "(none)",
				 c->want ? c->want : "(none)");
	}
}

static void what_does_not_fit_is_told_and_the_rest_is_whole(void **state)
{
	static char names[ENV_VARS_MAX + 10][16];
	static struct variable many[ENV_VARS_MAX + 10];
	size_t used = 0;
	struct envblock b;

	for (unsigned i = 0; i < ARRAY_SIZE(many); i++) {
		snprintf(names[i], sizeof(names[i]), "V%u", i);
		many[i] = (struct variable){names[i], "x", 0};
	}
	build(many, ARRAY_SIZE(many), &b);
	assert_int_equal(b.count, ENV_VARS_MAX);
	assert_int_equal(failures, 12); /* PATH and OS were there first */
	for (unsigned i = 0; i < b.count; i++)
		used += strlen(b.bytes + used) + 1;
	assert_int_equal(used, b.used);
}

static void a_safe_boot_leaves_out_what_steers_programs(void **state)
{
	static const struct variable hive[] = {{"LD_PRELOAD", "/x.so", 0},
					       {"ld_library_path", "/x", 0},
					       {"GLIBC_TUNABLES", "x", 0},
					       {"Env", "/x", 0},
					       {"BASH_FUNC_ls%%", "() { :; }", 0},
					       {"ENVIRONMENT", "kept", 0},
					       {"LDAP", "kept", 0},
					       {"PATH", "/x", 0}};

	for (unsigned safe = 0; safe < 2; safe++) {
		struct envblock b;

		safe_boot = safe;
		build(hive, ARRAY_SIZE(hive), &b);
		for (unsigned i = 0; i < ARRAY_SIZE(hive); i++)
			assert_int_equal(envblock_get(&b, hive[i].name, strlen(hive[i].name)) !=
						 NULL,
					 !safe || i > 4);
		assert_int_equal(failures, safe ? 5 : 0);
	}
	safe_boot = false;
}

static void a_value_grows_and_shrinks_in_place(void **state)
{
	char bytes[32];
	struct envblock b = {.bytes = bytes, .cap = sizeof(bytes)};

	assert_int_equal(envblock_set(&b, "A", "1", 1), 0);
	assert_int_equal(envblock_set(&b, "B", "2", 1), 0);
	assert_int_equal(envblock_set(&b, "a", "long value", 10), 0);
	assert_string_equal(envblock_get(&b, "A", 1), "long value");
	assert_string_equal(envblock_get(&b, "B", 1), "2");
	assert_int_equal(envblock_set(&b, "A", "a value that is far too long", 28), -28);
	assert_string_equal(envblock_get(&b, "A", 1), "long value");
	assert_int_equal(envblock_set(&b, "A", "", 0), 0);
	assert_string_equal(envblock_get(&b, "B", 1), "2");
	assert_int_equal(b.count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_sees_what_the_hive_means),
		cmocka_unit_test(what_does_not_fit_is_told_and_the_rest_is_whole),
		cmocka_unit_test(a_safe_boot_leaves_out_what_steers_programs),
		cmocka_unit_test(a_value_grows_and_shrinks_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
