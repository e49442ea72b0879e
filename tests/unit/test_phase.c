/* SPDX-License-Identifier: MIT */
/*
 * test_phase.c - the boot's order: which jobs a plan makes, in which phase, waited for or not
 *
 * phase_job is pure, so a whole boot is walked here without starting anything: every job becomes a
 * line, and the lines are compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "smss/master/master.h"

static uint8_t room[32768] __attribute__((aligned(8)));
static char pool[8192];
static struct plan_builder builder;

static void begin(void)
{
	plan_begin(&builder, PLAN_MAGIC, room, sizeof(room), pool, sizeof(pool));
}

static void line(const char *name, uint32_t flags)
{
	plan_add(&builder, name, name, flags, 0, 0);
}

static const struct plan_header *end(void)
{
	assert_true(plan_end(&builder) > 0);
	return (const void *)room;
}

/* Every job of a boot with this plan, as "phase:role/n name [&] seconds" lines. */
static const char *walk(const struct plan_header *p, uint32_t plan_flags)
{
	static char lines[4096];
	struct boot b = {.plan_flags = plan_flags};
	struct text t = TEXT_ON(lines);
	unsigned steps = 0;

	for (; b.phase < PHASE_SESSIONS; b.phase++) {
		enum boot_answer answer;

		b.entry = 0;
		do {
			struct job j;
			bool wait = false;

			answer = phase_job(&b, p, &j, &wait);
			b.entry++;
			if (answer != BOOT_RUN)
				continue;
			assert_int_equal(j.session, SM_NO_SESSION);
			assert_true(j.core_fds[0] == NONE && j.core_fds[1] == NONE);
			text_add(text_add(&t, phase_word(b.phase)), ":");
			text_add(text_u64(text_add(text_add(&t, role_word(j.role)), "/"), j.n),
				 " ");
			text_add(text_add(&t, j.name), wait ? " " : " & ");
			text_add(text_u64(&t, j.deadline_s), "\n");
		} while (answer != BOOT_PHASE_OVER && ++steps < 1000);
	}
	assert_true(steps < 1000);
	return lines;
}

/* What every boot does: its plan, its environment, its devices, its attempt. */
#define PLAN_LINE        "InitializeRegistry:plan/0 plan 30\n"
#define ENVIRONMENT_LINE "Environment:environment/0 environment 30\n"
#define PNP_LINE         "SerializeBoot:pnp/0 pnp 31\n"
#define STATE_LINE       "CountAttempt:state/0 state 30\n"

static void an_empty_plan_does_only_what_every_boot_does(void **state)
{
	begin();
	assert_string_equal(walk(end(), 0), PLAN_LINE ENVIRONMENT_LINE PNP_LINE STATE_LINE);
}

static void pnp_is_left_out_when_there_is_nothing_to_wait_for(void **state)
{
	struct boot b = {.phase = PHASE_SERIALIZE, .no_pnp = true};
	const struct plan_header *p;
	struct job j;
	bool wait;

	begin();
	p = end();
	assert_int_equal(phase_job(&b, p, &j, &wait), BOOT_NOTHING);
	b.entry = 1;
	assert_int_equal(phase_job(&b, p, &j, &wait), BOOT_PHASE_OVER);
}

static void without_a_plan_only_the_plan_is_asked_for(void **state)
{
	assert_string_equal(walk(NULL, 0), PLAN_LINE);
}

static void the_level_goes_to_its_reader(void **state)
{
	struct boot b = {.phase = PHASE_REGISTRY, .level = SM_LEVEL_BUILTIN};
	struct job j;
	bool wait;

	assert_int_equal(phase_job(&b, NULL, &j, &wait), BOOT_RUN);
	assert_int_equal(j.role, ROLE_PLAN);
	assert_int_equal(j.n, SM_LEVEL_BUILTIN);
	assert_true(wait);
}

/* autochk runs before the attempt is counted, and alone; everything else after it. */
static void boot_execute_is_cut_at_the_counted_attempt(void **state)
{
	begin();
	plan_table_begin(&builder, PLAN_BOOT_EXECUTE);
	line("first", 0);
	line("autochk", PLAN_LINE_AUTOCHECK | PLAN_LINE_AUTOCHK);
	line("aside", PLAN_LINE_ASYNC);
	line("debugged", PLAN_LINE_DEBUG);
	line("last", 0);
	plan_table_begin(&builder, PLAN_BOOT_EXECUTE_NO_PNP);
	line("early", 0);
	plan_settings_of(&builder)->execute_deadline_s = 77;
	assert_string_equal(walk(end(), 0), PLAN_LINE ENVIRONMENT_LINE PNP_LINE
			    "BootExecute-autochk:execute/1 autochk 14400\n" STATE_LINE
			    "BootExecuteList:execute/65536 early 77\n"
			    "BootExecuteList:execute/0 first 77\n"
			    "BootExecuteList:execute/2 aside & 77\n"
			    "BootExecuteList:execute/4 last 77\n");
}

static void autochk_of_the_early_list_is_autochk_too(void **state)
{
	begin();
	plan_table_begin(&builder, PLAN_BOOT_EXECUTE_NO_PNP);
	line("autochk", PLAN_LINE_AUTOCHECK | PLAN_LINE_AUTOCHK);
	plan_settings_of(&builder)->autochk_deadline_s = 0; /* as long as it takes */
	assert_string_equal(walk(end(), 0), PLAN_LINE ENVIRONMENT_LINE PNP_LINE
			    "BootExecute-autochk:execute/65536 autochk 0\n" STATE_LINE);
}

static void setup_execute_comes_after_paging(void **state)
{
	begin();
	plan_table_begin(&builder, PLAN_SETUP_EXECUTE);
	line("setup", 0);
	plan_table_begin(&builder, PLAN_SETUP_EXECUTE_NO_PNP);
	line("setup-early", PLAN_LINE_ASYNC);
	plan_table_begin(&builder, PLAN_PAGING_FILES);
	line("/pagefile.sys", 0);
	plan_table_begin(&builder, PLAN_KNOWN_DLLS);
	line("libc", 0);
	assert_string_equal(walk(end(), 0), PLAN_LINE ENVIRONMENT_LINE PNP_LINE STATE_LINE
			    "PagingFiles:paging/0 paging 300\n"
			    "SetupExecuteList:execute/196608 setup-early & 300\n"
			    "SetupExecuteList:execute/131072 setup 300\n"
			    "InitializeKnownDlls:known/0 known 120\n");
}

static void a_queue_is_looked_at_unless_all_of_it_has_run(void **state)
{
	static const struct {
		uint32_t count, flags;
		bool runs;
	} cases[] = {
		{0, 0, false},
		{0, SM_PLAN_RENAMES, false},
		{3, 0, true}, /* just made of the hive: nobody has compared it with the state */
		{3, SM_PLAN_RENAMES, true},
		{3, SM_PLAN_FRESH, false}, /* compared: consumed by an earlier boot */
		{3, SM_PLAN_FRESH | SM_PLAN_RENAMES, true},
		{3, SM_PLAN_FRESH | SM_PLAN_RENAMES | SM_PLAN_STATE_BAD, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *lines;

		begin();
		plan_settings_of(&builder)->queue_count = cases[i].count;
		lines = walk(end(), cases[i].flags);
		if (!!strstr(lines, "ProcessFileRenames:renames/0 renames 600\n") != cases[i].runs)
			fail_msg("case %zu:\n%s", i, lines);
	}
}

static void groups_that_wait_bring_their_copy_at_every_level(void **state)
{
	static const struct {
		uint32_t queue;
		enum sm_level level;
		bool groups;
		int n; /* -1 = no copy */
	} cases[] = {
		{0, SM_LEVEL_CURRENT, false, -1},
		{0, SM_LEVEL_CURRENT, true, RENAMES_GROUPS | RENAMES_NO_QUEUE},
		{3, SM_LEVEL_CURRENT, true, RENAMES_GROUPS},
		{3, SM_LEVEL_CURRENT, false, 0},
		{3, SM_LEVEL_LKG, false, -1},
		{3, SM_LEVEL_LKG, true, RENAMES_GROUPS | RENAMES_NO_QUEUE},
		{0, SM_LEVEL_BUILTIN, true, RENAMES_GROUPS | RENAMES_NO_QUEUE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct boot b = {.phase = PHASE_RENAMES,
				 .level = (uint8_t)cases[i].level,
				 .groups = cases[i].groups};
		struct job j = {.n = 99};
		bool wait;

		begin();
		plan_settings_of(&builder)->queue_count = cases[i].queue;
		if (phase_job(&b, end(), &j, &wait) == BOOT_NOTHING && cases[i].n < 0)
			continue;
		if (!wait || j.role != ROLE_RENAMES || j.n != (uint32_t)cases[i].n)
			fail_msg("case %zu: number %u", i, j.n);
	}
}

static void unpinned_libraries_ride_along_with_the_paging_copy(void **state)
{
	static const struct {
		bool paging, known, pins, setup;
		const char *want;
	} cases[] = {
		{true, false, false, false, "PagingFiles:paging/0 paging 300\n"},
		{true, true, false, false, "PagingFiles:paging/1 paging 300\n"},
		{false, true, false, false, "InitializeKnownDlls:known/0 known 120\n"},
		{true, true, true, false,
		 "PagingFiles:paging/0 paging 300\nInitializeKnownDlls:known/0 known 120\n"},
		{false, false, true, false, ""}, /* a pin alone names nothing to check */
		{true, true, false, true,
		 "PagingFiles:paging/0 paging 300\nSetupExecuteList:execute/131072 setup 300\n"
		 "InitializeKnownDlls:known/0 known 120\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *lines;

		begin();
		if (cases[i].paging) {
			plan_table_begin(&builder, PLAN_PAGING_FILES);
			line("?:/pagefile.sys", 0);
		}
		if (cases[i].known) {
			plan_table_begin(&builder, PLAN_KNOWN_DLLS);
			line("libc", 0);
		}
		if (cases[i].pins) {
			plan_table_begin(&builder, PLAN_KNOWN_PINS);
			line("libc.so.6", 0);
		}
		if (cases[i].setup) {
			plan_table_begin(&builder, PLAN_SETUP_EXECUTE);
			line("setup", 0);
		}
		lines = strstr(walk(end(), 0), STATE_LINE);
		assert_non_null(lines);
		assert_string_equal(lines + strlen(STATE_LINE), cases[i].want);
	}
}

static void the_built_in_minimum_checks_the_disk_and_nothing_else(void **state)
{
	assert_true(plan_builtin(room, sizeof(room)) > 0);
	assert_string_equal(walk((const void *)room, 0), PLAN_LINE ENVIRONMENT_LINE PNP_LINE
			    "BootExecute-autochk:execute/0 autochk 14400\n" STATE_LINE);
}

/* LastKnownGood booted once and then its entries ran; a safe boot leaves SetupExecute out. */
static void what_a_level_or_a_safe_boot_leaves_out(void **state)
{
	struct boot b = {.phase = PHASE_RENAMES, .level = SM_LEVEL_LKG};
	const struct plan_header *p;
	struct job j;
	bool wait;

	begin();
	plan_table_begin(&builder, PLAN_SETUP_EXECUTE);
	line("late", 0);
	line("later", 0);
	plan_settings_of(&builder)->queue_count = 3;
	p = end();
	assert_int_equal(phase_job(&b, p, &j, &wait), BOOT_NOTHING);
	b.level = SM_LEVEL_CURRENT;
	assert_int_equal(phase_job(&b, p, &j, &wait), BOOT_RUN);
	b = (struct boot){.phase = PHASE_SETUP_EXECUTE, .safe = true};
	for (b.entry = 0; b.entry < 2; b.entry++)
		assert_int_equal(phase_job(&b, p, &j, &wait), BOOT_NOTHING);
	assert_int_equal(phase_job(&b, p, &j, &wait), BOOT_PHASE_OVER);
	b = (struct boot){.phase = PHASE_SETUP_EXECUTE};
	assert_int_equal(phase_job(&b, p, &j, &wait), BOOT_RUN);
	assert_string_equal(j.name, "late");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_plan_does_only_what_every_boot_does),
		cmocka_unit_test(pnp_is_left_out_when_there_is_nothing_to_wait_for),
		cmocka_unit_test(without_a_plan_only_the_plan_is_asked_for),
		cmocka_unit_test(the_level_goes_to_its_reader),
		cmocka_unit_test(boot_execute_is_cut_at_the_counted_attempt),
		cmocka_unit_test(autochk_of_the_early_list_is_autochk_too),
		cmocka_unit_test(setup_execute_comes_after_paging),
		cmocka_unit_test(a_queue_is_looked_at_unless_all_of_it_has_run),
		cmocka_unit_test(groups_that_wait_bring_their_copy_at_every_level),
		cmocka_unit_test(unpinned_libraries_ride_along_with_the_paging_copy),
		cmocka_unit_test(the_built_in_minimum_checks_the_disk_and_nothing_else),
		cmocka_unit_test(what_a_level_or_a_safe_boot_leaves_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
