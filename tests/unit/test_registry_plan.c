/* SPDX-License-Identifier: MIT */
/*
 * test_registry_plan.c - what a tree of values becomes in the plan and the queue
 */
#include "registry_case.h"

#include <time.h>

#define SM "Session Manager"

static const char *str(const void *plan, uint32_t offset)
{
	return plan_string(plan, offset);
}

static void queue_of(const char *one, const char *two, struct made *m)
{
	case_start(&m->tree);
	if (one)
		case_value(&m->tree, SM, "PendingFileRenameOperations", one);
	if (two)
		case_value(&m->tree, SM, "PendingFileRenameOperations2", two);
	case_plan(m);
}

static void rename_pairs(void **state)
{
	static const struct {
		const char *value, *from, *to;
		uint32_t flags;
	} cases[] = {
		{"M:/a|/b", "/a", "/b", 0},
		{"M:/a|!/b", "/a", "/b", QUEUE_REPLACE},
		{"M:/a|@/b", "/a", "/b", QUEUE_REPLACE},
		{"M:/a|", "/a", "", 0},
		{"M:@/a|", "/a", "", 0},
		{"M:*1/a|*1!/b", "/a", "/b", QUEUE_REPLACE},
		{"M:\\??\\/a|!\\??\\/b", "/a", "/b", QUEUE_REPLACE},
		{"M:*1\\??\\/a|*12!\\??\\/b", "/a", "/b", QUEUE_REPLACE},
		{"M:\\??\\C:\\a|", "\\??\\C:\\a", "a drive path of Windows", QUEUE_MALFORMED},
		{"M:/a|!\\??\\C:\\b", "/a", "a drive path of Windows", QUEUE_MALFORMED},
		{"M:a|/b", "a", "not an absolute path", QUEUE_MALFORMED},
		{"M:/a/../b|", "/a/../b", "\"..\" in a path", QUEUE_MALFORMED},
		{"M:/a//b|", "/a//b", "an empty name in the path", QUEUE_MALFORMED},
		{"M:/a/|", "/a/", "an empty name in the path", QUEUE_MALFORMED},
		{"M:/|", "/", "the root directory", QUEUE_MALFORMED},
		{"M:|/b", "", "an empty source", QUEUE_MALFORMED},
		{"M:/a|!", "/a", "a marker without a target", QUEUE_MALFORMED},
		{"M:!/a|", "!/a", "a marker of targets before the source", QUEUE_MALFORMED},
		{"M:!/a|/b", "!/a", "a marker of targets before the source", QUEUE_MALFORMED},
		{"M:*1@/a|/b", "*1@/a", "a marker of targets before the source", QUEUE_MALFORMED},
		{"M:*1@/a|", "/a", "", 0},
		{"M:/a", "/a",
		 "a source without a target: the value holds an odd number of strings",
		 QUEUE_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m = {0};
		const struct plan_header *q;
		const struct plan_row *row;

		queue_of(cases[i].value, NULL, &m);
		q = m.plan.queue;
		assert_int_equal(plan_count(q, PLAN_QUEUE), 1);
		row = plan_row_at(q, PLAN_QUEUE, 0);
		assert_string_equal(str(q, row->name), cases[i].from);
		assert_string_equal(str(q, row->text), cases[i].to);
		assert_int_equal(row->flags, cases[i].flags);
		assert_int_equal(row->aux, 1);
		assert_int_equal(((struct plan_header *)m.plan.plan)->settings.queue_count,
				 !(cases[i].flags & QUEUE_MALFORMED));
		case_end(&m);
	}
}

static void an_odd_value_does_not_shift_the_next(void **state)
{
	struct made m = {0};
	const struct plan_header *q;

	(void)state;
	queue_of("M:/a||/b", "M:/c|/d", &m);
	q = m.plan.queue;
	assert_int_equal(plan_count(q, PLAN_QUEUE), 3);
	assert_int_equal(plan_row_at(q, PLAN_QUEUE, 1)->flags, QUEUE_MALFORMED);
	assert_string_equal(str(q, plan_row_at(q, PLAN_QUEUE, 2)->name), "/c");
	assert_string_equal(str(q, plan_row_at(q, PLAN_QUEUE, 2)->text), "/d");
	assert_int_equal(plan_row_at(q, PLAN_QUEUE, 2)->aux, 2);
	assert_int_equal(plan_row_at(q, PLAN_QUEUE, 2)->arg, 2);
	case_end(&m);
}

/* NT runs all of the first value and then all of the second; a hive may hold them in any order. */
static void the_second_value_follows_the_first(void **state)
{
	struct made m = {0};
	const struct plan_header *q;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM, "PendingFileRenameOperations2", "M:/c|/d|/e|");
	case_value(&m.tree, SM "\\FileRenameOperations", "1", "S:/f");
	case_value(&m.tree, SM, "PendingFileRenameOperations", "M:/a||/b|");
	case_plan(&m);
	q = m.plan.queue;
	assert_int_equal(plan_count(q, PLAN_QUEUE), 5);
	for (uint32_t i = 0; i < 5; i++) {
		static const char *const names[] = {"/a", "/b", "/c", "/e", "/f"};

		assert_string_equal(str(q, plan_row_at(q, PLAN_QUEUE, i)->name), names[i]);
		assert_int_equal(plan_row_at(q, PLAN_QUEUE, i)->arg, i);
	}
	case_end(&m);
}

static void command_lines(void **state)
{
	static const struct {
		const char *line, *name, *text;
		uint32_t flags;
	} cases[] = {
		{"M:autocheck autochk *", "autochk", "autochk *",
		 PLAN_LINE_AUTOCHECK | PLAN_LINE_AUTOCHK},
		{"M:AUTOCHECK Autochk.exe /q /v *", "autochk", "autochk /q /v *",
		 PLAN_LINE_AUTOCHECK | PLAN_LINE_AUTOCHK},
		{"M:  async   debug /bin/x  a  b", "/bin/x", "/bin/x  a  b",
		 PLAN_LINE_ASYNC | PLAN_LINE_DEBUG},
		{"M:debug async async x", "x", "x", PLAN_LINE_ASYNC | PLAN_LINE_DEBUG},
		{"M:%SystemRoot%\\system32\\PoqExec.EXE /display_progress "
		 "\\SystemRoot\\pending.xml",
		 "poqexec", "poqexec /display_progress \\SystemRoot\\pending.xml", 0},
		{"M:\\??\\C:\\tools\\x.exe", "x", "x", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m = {0};
		const struct plan_header *p;
		const struct plan_row *row;

		case_start(&m.tree);
		case_value(&m.tree, SM, "BootExecute", cases[i].line);
		case_plan(&m);
		p = m.plan.plan;
		assert_int_equal(plan_count(p, PLAN_BOOT_EXECUTE), 1);
		row = plan_row_at(p, PLAN_BOOT_EXECUTE, 0);
		assert_string_equal(str(p, row->name), cases[i].name);
		assert_string_equal(str(p, row->text), cases[i].text);
		assert_int_equal(row->flags, cases[i].flags);
		case_end(&m);
	}
}

static void paging_files(void **state)
{
	static const struct {
		const char *value;
		uint32_t files, errors;
		const char *name;
		uint32_t min, max;
	} cases[] = {
		{"M:/swap 64 128", 1, 0, "/swap", 64, 128},
		{"M:/swap 0x40", 1, 0, "/swap", 64, 64},
		{"M:/swap", 1, 0, "/swap", 0, 0},
		{"M:/swap 0 0", 1, 0, "/swap", 0, 0},
		{"M:?:\\pagefile.sys", 1, 0, "?:/pagefile.sys", 0, 0},
		{"M:?:/pagefile.sys|?:/two", 1, 1, "?:/pagefile.sys", 0, 0},
		{"M:C:\\pagefile.sys 1 1", 0, 0, NULL, 0, 0},
		{"M:/swap x", 0, 1, NULL, 0, 0},
		{"M:/swap 1 2 3", 0, 1, NULL, 0, 0},
		{"M:/swap 99999999", 0, 1, NULL, 0, 0},
		{"M:", 0, 0, NULL, 0, 0},
		{"M:/1|/2|/3|/4|/5|/6|/7|/8|/9|/a|/b|/c|/d|/e|/f|/g|/h", 16, 1, "/1", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m = {0};
		const struct plan_header *p;

		case_start(&m.tree);
		case_value(&m.tree, SM "\\Memory Management", "PagingFiles", cases[i].value);
		case_plan(&m);
		p = m.plan.plan;
		assert_int_equal(plan_count(p, PLAN_PAGING_FILES), cases[i].files);
		assert_int_equal(m.remarks.errors, cases[i].errors);
		assert_int_equal(p->settings.paging_specified, 1);
		if (cases[i].name) {
			const struct plan_row *row = plan_row_at(p, PLAN_PAGING_FILES, 0);

			assert_string_equal(str(p, row->name), cases[i].name);
			assert_int_equal(row->arg, cases[i].min);
			assert_int_equal(row->aux, cases[i].max);
		}
		case_end(&m);
	}
}

static bool has(const struct plan_header *p, enum plan_table t, const char *name, const char *text)
{
	for (uint32_t i = 0; i < plan_count(p, t); i++)
		if (strcmp(str(p, plan_row_at(p, t, i)->name), name) == 0)
			return strcmp(str(p, plan_row_at(p, t, i)->text), text) == 0;
	return false;
}

static void an_empty_key_has_the_defaults(void **state)
{
	struct made m = {0};
	const struct plan_header *p;

	(void)state;
	case_start(&m.tree);
	case_plan(&m);
	p = m.plan.plan;
	assert_int_equal(m.remarks.count, 0);
	assert_true(has(p, PLAN_BOOT_EXECUTE, "autochk", "autochk *"));
	assert_true(has(p, PLAN_REQUIRED, "Debug", ""));
	assert_true(has(p, PLAN_REQUIRED, "Windows", "csrss"));
	assert_true(has(p, PLAN_ENVIRONMENT, "TEMP", "/tmp"));
	assert_true(has(p, PLAN_DOS_DEVICES, "fd", "/proc/self/fd"));
	assert_true(has(p, PLAN_KNOWN_DLLS, "libc", "libc.so.6"));
	assert_true(has(p, PLAN_PAGING_FILES, "?:/pagefile.sys", ""));
	assert_true(has(p, PLAN_OBJECT_DIRECTORIES, "/run/smss/RPC Control", ""));
	assert_int_equal(p->settings.paging_specified, 0);
	assert_int_equal(p->settings.initial_sessions, 2);
	assert_string_equal(str(p, p->settings.s0_initial), "wininit");
	case_end(&m);
}

static void a_wrong_value_keeps_its_default(void **state)
{
	struct made m = {0};
	const struct plan_header *p;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM, "BootExecute", "S:/bin/sh");
	case_value(&m.tree, SM, "NumberOfInitialSessions", "D:5000");
	case_plan(&m);
	p = m.plan.plan;
	assert_int_equal(m.remarks.errors, 2);
	assert_true(has(p, PLAN_BOOT_EXECUTE, "autochk", "autochk *"));
	assert_int_equal(p->settings.initial_sessions, 2);
	case_end(&m);
}

static void lists_of_the_hive_are_taken_over(void **state)
{
	static const char pin[] =
		"S:libssl.so.3 sha256:"
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF";
	struct made m = {0};
	const struct plan_header *p;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM "\\Environment", "PATH", "X:%ROOT%/bin");
	case_value(&m.tree, SM "\\DOS Devices", "fd", "S:");
	case_value(&m.tree, SM "\\KnownDLLs", "ssl", pin);
	case_value(&m.tree, SM "\\Sessions\\Default", "StopDeadline", "D:25");
	case_value(&m.tree, SM "\\Sessions\\7", "Console", "S:/dev/tty7");
	case_value(&m.tree, "ComputerName\\ComputerName", "ComputerName", "S:box");
	case_value(&m.tree, SM "\\SubSystems", "Required", "M:Windows|Ghost");
	case_value(&m.tree, SM "\\SubSystems", "Windows",
		   "X:%SystemRoot%\\system32\\csrss.exe A=\\B");
	case_plan(&m);
	p = m.plan.plan;
	assert_int_equal(m.remarks.errors, 0);
	assert_true(has(p, PLAN_ENVIRONMENT, "PATH", "%ROOT%/bin"));
	assert_false(has(p, PLAN_ENVIRONMENT, "Path",
			 "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	assert_true(has(p, PLAN_DOS_DEVICES, "fd", ""));
	assert_true(has(p, PLAN_DOS_DEVICES, "stdin", "/proc/self/fd/0"));
	assert_int_equal(plan_count(p, PLAN_KNOWN_DLLS), 1);
	assert_true(has(p, PLAN_KNOWN_PINS, "libssl.so.3",
			"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"));
	assert_int_equal(p->settings.shutdown_deadline_s, 25);
	assert_string_equal(plan_session_text(p, 7, "Console", ""), "/dev/tty7");
	assert_int_equal(plan_session_number(p, 3, "StopDeadline", 0), 25);
	assert_string_equal(plan_text(p, "ComputerName", ""), "box");
	assert_int_equal(plan_count(p, PLAN_REQUIRED), 1);
	assert_true(has(p, PLAN_REQUIRED, "Windows", "csrss A=\\B"));
	assert_non_null(case_remark(&m, PLAN_NOTE_WARNING, "\\Required"));
	case_end(&m);
}

static void the_lists_of_a_safe_boot(void **state)
{
	struct made m = {0};
	const struct plan_header *p;

	(void)state;
	case_start(&m.tree);
	case_plan(&m);
	p = m.plan.plan;
	assert_true(plan_is_safe(p, "MINIMAL", "UDEVD"));
	assert_false(plan_is_safe(p, "MINIMAL", "sshd"));
	assert_true(plan_is_safe(p, "NETWORK", "udevd"));
	assert_true(plan_is_safe(p, "NETWORK", "sshd"));
	assert_false(plan_is_safe(p, "NETWORK", "sshd2"));
	case_end(&m);

	memset(&m, 0, sizeof(m));
	case_start(&m.tree);
	case_value(&m.tree, "SafeBoot\\Minimal\\Db", "", "S:Service");
	case_value(&m.tree, "SafeBoot\\Minimal\\Base", "", "S:Driver Group");
	case_value(&m.tree, "SafeBoot\\Minimal\\.git", "", "S:Service");
	case_value(&m.tree, "SafeBoot\\Minimal\\a/b", "", "S:Service");
	case_value(&m.tree, "SafeBoot\\Minimal\\bare", "x", "D:1"); /* no default value */
	case_plan(&m);
	p = m.plan.plan;
	assert_int_equal(m.remarks.errors, 2);
	assert_int_equal(plan_count(p, PLAN_SAFE_MINIMAL), 2);
	assert_true(plan_is_safe(p, "MINIMAL", "db"));
	assert_true(plan_is_safe(p, "MINIMAL", "bare"));
	assert_false(plan_is_safe(p, "MINIMAL", "udevd")); /* a list that is there says all */
	assert_true(plan_is_safe(p, "NETWORK", "sshd"));
	case_end(&m);
}

/* A queue's strings are not looked for in each other: that cost the square of their number. */
static void a_long_queue_is_quick(void **state)
{
	struct made m = {0};
	clock_t before;

	(void)state;
	case_start(&m.tree);
	for (unsigned i = 0; i < 60000; i++) {
		char name[16], what[64];

		snprintf(name, sizeof(name), "%u", i);
		snprintf(what, sizeof(what), "S:/var/tmp/a/directory/of/files/number-%u", i);
		case_value(&m.tree, "Session Manager\\FileRenameOperations", name, what);
	}
	before = clock();
	case_plan(&m);
	assert_true(clock() - before < 5 * CLOCKS_PER_SEC);
	assert_int_equal(plan_count(m.plan.queue, PLAN_QUEUE), 60000);
	case_end(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_queue_is_quick),
		cmocka_unit_test(rename_pairs),
		cmocka_unit_test(an_odd_value_does_not_shift_the_next),
		cmocka_unit_test(the_second_value_follows_the_first),
		cmocka_unit_test(command_lines),
		cmocka_unit_test(paging_files),
		cmocka_unit_test(an_empty_key_has_the_defaults),
		cmocka_unit_test(a_wrong_value_keeps_its_default),
		cmocka_unit_test(lists_of_the_hive_are_taken_over),
		cmocka_unit_test(the_lists_of_a_safe_boot),
	};

	return cmocka_run_group_tests_name("registry-plan", tests, NULL, NULL);
}
