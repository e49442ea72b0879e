/* SPDX-License-Identifier: MIT */
/*
 * test_registry_policy.c - what a hive says of sessions, as the plan has it and as sessions read it
 */
#include "registry_case.h"

#include "plan/policy.h"

#define SM  "Session Manager"
#define ONE SM "\\Sessions\\1"

static const char *text_of(const struct made *m, uint32_t session, const char *name)
{
	return plan_session_text(m->plan.plan, session, name, "(absent)");
}

static void values_become_texts(void **state)
{
	static const struct {
		const char *name, *what, *text;
		uint32_t arg;
	} cases[] = {
		{"Isolation", "M:", "", 0},
		{"Isolation", "M:PID|mount|pid", "pid mount", 0},
		{"Isolation", "M:mount|ipc|pid|uts|net|dev", "mount ipc pid uts net dev", 0},
		{"Capabilities", "M:none", "0000000000000000", 0},
		{"Capabilities", "M:ALL", "ffffffffffffffff", 0},
		{"Capabilities", "M:kill|Net_Bind_Service|kill", "0000000000000420", 0},
		{"Capabilities", "M:checkpoint_restore", "0000010000000000", 0},
		{"Umask", "S:27", "0027", 027},
		{"Umask", "S:0777", "0777", 0777},
		{"Umask", "S:0", "0000", 0},
		{"Limits", "M:", "", 0},
		{"Limits", "M:nofile 1024|core\t0", "nofile=1024 core=0", 0},
		{"Limits", "M:as   0x10|rss Unlimited", "as=16 rss=18446744073709551615", 0},
		{"OomScoreAdjust", "S:-1000", "-1000", 0},
		{"OomScoreAdjust", "S:0", "0", 0},
		{"OomScoreAdjust", "S:1000", "1000", 0},
		{"WaitToKillAppTimeout", "S:20000", "20000", 20000},
		{"WaitToKillAppTimeout", "D:0", "0", 0},
		{"ProcessesMax", "D:0", "0", 0},
		{"StartDeadline", "D:0", "0", 0},
		{"Owner", "S:1000", "1000", 0},
		{"Environment", "M:A=b c=d", "A=b c=d", 0},
		{"Environment", "M:", "", 0},
		{"Links", "M:scanner /dev/usb/lp1", "scanner /dev/usb/lp1", 0},
		{"Links", "M:a\t  b c", "a b c", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m = {0};
		struct sm_policy p;

		case_start(&m.tree);
		case_value(&m.tree, ONE, cases[i].name, cases[i].what);
		case_plan(&m);
		if (m.remarks.count)
			fail_msg("%s = %s: %s", cases[i].name, cases[i].what, m.remarks.at[0].text);
		assert_string_equal(text_of(&m, 1, cases[i].name), cases[i].text);
		assert_int_equal(plan_session_number(m.plan.plan, 1, cases[i].name, 99),
				 cases[i].arg);
		assert_string_equal(text_of(&m, 2, cases[i].name), "(absent)");
		assert_int_equal(policy_of_plan(m.plan.plan, 1, &p), 0);
		case_end(&m);
	}
}

static void a_wrong_line_is_named_and_nothing_is_used(void **state)
{
	static const struct {
		const char *name, *what, *said;
	} cases[] = {
		{"Isolation", "M:mount|user", "line 2, \"user\": is none of: mount ipc"},
		{"Capabilities", "M:kill|cap_chown", "line 2, \"cap_chown\": names stand here"},
		{"Capabilities", "M:flying", "line 1, \"flying\": is no capability"},
		{"Capabilities", "M:all|kill", "line 1, \"all\""},
		{"Capabilities", "M:", "say none"},
		{"Umask", "S:", "octal"},
		{"Umask", "S:1000", "octal"},
		{"Umask", "S:77777777777777777777777777777777", "octal"},
		{"Umask", "S:-1", "octal"},
		{"Limits", "M:core 0|files 5", "line 2, \"files 5\": no limit of that name"},
		{"Limits", "M:core", "line 1, \"core\": expected a name and a number"},
		{"Limits", "M:core 5x", "line 1, \"core 5x\": expected a name and a number"},
		{"Limits", "M:core=5", "line 1, \"core=5\": no limit"},
		{"Limits", "M:core 1|Core 2", "line 2"},
		{"Limits", "M:core 1|core 2", "line 2, \"core 2\": stands there more than once"},
		{"OomScoreAdjust", "S:1001", "from -1000 to 1000"},
		{"OomScoreAdjust", "S:", "from -1000 to 1000"},
		{"OomScoreAdjust", "S:-", "from -1000 to 1000"},
		{"OomScoreAdjust", "S:--1", "from -1000 to 1000"},
		{"WaitToKillAppTimeout", "S:soon", "is no number"},
		{"WaitToKillAppTimeout", "S:99999999999999999999", "is no number"},
		{"WaitToKillAppTimeout", "D:3600001", "from 0 to 3600000"},
		{"ProcessesMax", "D:1", "1 is not 0, or from 4 to"},
		{"Environment", "M:A=1|B", "line 2, \"B\": expected NAME=VALUE"},
		{"Environment", "M:=1", "line 1"},
		{"Environment", "M:smss_policy=0", "smss' own"},
		{"Environment", "M:A=\n", "a control character"},
		{"Links", "M:x", "expected NAME TARGET"},
		{"Links", "M:a/../b /dev/null", "\"..\""},
		{"Links", "M:/a /dev/null", "an empty name"},
		{"Links", "M:x C:\\y", "a path of NT"},
		{"Links", "M:x /a\tb", "a control character"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m = {0};
		char at[128];
		const char *said;

		snprintf(at, sizeof(at), "Session Manager\\Sessions\\1\\%s", cases[i].name);
		case_start(&m.tree);
		case_value(&m.tree, ONE, cases[i].name, cases[i].what);
		case_plan(&m);
		said = case_remark(&m, PLAN_NOTE_ERROR, at);
		if (!said || !strstr(said, cases[i].said))
			fail_msg("%s = %s: %s", cases[i].name, cases[i].what,
				 said ? said : "nothing said");
		assert_string_equal(text_of(&m, 1, cases[i].name), "(absent)");
		case_end(&m);
	}
}

/* A variable and a link has a row each; an empty list of session 2 hides those of Default. */
static void lists_have_a_row_a_line(void **state)
{
	static const char *const expected[][2] = {
		{"Default\\Environment", "LANG=C"},
		{"Default\\Environment", "X="},
		{"Default\\Links", "a /dev/null"},
		{"Default\\Links", "b/c ../zero"},
		{"2\\Environment", ""},
	};
	struct made m = {0};
	const struct plan_header *p;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM "\\Sessions\\Default", "Environment", "M:LANG=C|X=");
	case_value(&m.tree, SM "\\Sessions\\Default", "Links", "M:a /dev/null|b/c ../zero");
	case_value(&m.tree, SM "\\Sessions\\2", "Environment", "M:");
	case_plan(&m);
	p = m.plan.plan;
	assert_int_equal(plan_count(p, PLAN_SESSIONS), 5);
	for (uint32_t i = 0; i < 5; i++) {
		const struct plan_row *row = plan_row_at(p, PLAN_SESSIONS, i);

		assert_string_equal(plan_string(p, row->name), expected[i][0]);
		assert_string_equal(plan_string(p, row->text), expected[i][1]);
	}
	assert_string_equal(text_of(&m, 2, "Environment"), "");
	case_end(&m);
}

static void what_stands_there_reaches_the_session(void **state)
{
	struct made m = {0};
	struct sm_policy p;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM "\\Sessions\\Default", "MemoryMaxMiB", "D:64");
	case_value(&m.tree, SM "\\Sessions\\Default", "Isolation", "M:dev");
	case_value(&m.tree, SM "\\Sessions\\Default", "Capabilities", "M:none");
	case_value(&m.tree, SM "\\Sessions\\Default", "Limits", "M:core 0|nofile unlimited");
	case_value(&m.tree, ONE, "OomScoreAdjust", "S:-17");
	case_value(&m.tree, ONE, "Umask", "S:0077");
	case_value(&m.tree, ONE, "Owner", "S:kiosk");
	case_value(&m.tree, ONE, "MemoryMaxMiB", "D:0");
	case_value(&m.tree, SM, "SessionOperators", "S:operators");
	case_plan(&m);
	assert_int_equal(policy_of_plan(m.plan.plan, 1, &p), 0);
	assert_true(p.memory_bytes == 0 && p.capabilities == 0);
	assert_int_equal(p.isolation, SM_ISOLATE_DEV | SM_ISOLATE_MOUNT);
	assert_int_equal(p.limits, 1u << 4 | 1u << 7);
	assert_true(p.limit[7] == UINT64_MAX);
	assert_int_equal(p.oom_score, -17);
	assert_int_equal(p.umask, 077);
	assert_string_equal(policy_owner(m.plan.plan, 1), "kiosk");
	assert_string_equal(plan_text(m.plan.plan, "SessionOperators", ""), "operators");
	assert_int_equal(policy_of_plan(m.plan.plan, 5, &p), 0);
	assert_true(p.memory_bytes == 64u << 20);
	case_end(&m);
}

static void consoles_are_of_session_one_and_on(void **state)
{
	struct made m = {0};
	const struct plan_header *p;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM, "Consoles", "M:/dev/tty1|/dev/tty2|/dev/ttyS0");
	case_value(&m.tree, SM "\\Sessions\\Default", "Console", "S:/dev/console");
	case_value(&m.tree, SM "\\Sessions\\2", "Console", "S:/dev/tty9");
	case_plan(&m);
	p = m.plan.plan;
	assert_int_equal(m.remarks.count, 0);
	assert_int_equal(p->settings.initial_sessions, 4);
	assert_string_equal(text_of(&m, 1, "Console"), "/dev/tty1");
	assert_string_equal(text_of(&m, 2, "Console"), "/dev/tty9");
	assert_string_equal(text_of(&m, 3, "Console"), "/dev/ttyS0");
	assert_string_equal(text_of(&m, 4, "Console"), "/dev/console");
	case_end(&m);
}

static void sessions_are_as_many_as_consoles_want(void **state)
{
	static const struct {
		const char *consoles, *number;
		uint32_t sessions;
		bool said;
	} cases[] = {
		{"M:/dev/a|/dev/b", "D:1", 3, true},  {"M:/dev/a|/dev/b", "D:3", 3, false},
		{"M:/dev/a|/dev/b", "D:9", 9, false}, {"M:/dev/a", NULL, 2, false},
		{"M:/dev/a|/dev/b", NULL, 3, false},  {"M:", "D:1", 1, false},
		{"M:/dev/a|/dev/a", "D:1", 1, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct made m = {0};
		const char *said;

		case_start(&m.tree);
		case_value(&m.tree, SM, "Consoles", cases[i].consoles);
		if (cases[i].number)
			case_value(&m.tree, SM, "NumberOfInitialSessions", cases[i].number);
		case_plan(&m);
		assert_int_equal(
			((const struct plan_header *)m.plan.plan)->settings.initial_sessions,
			cases[i].sessions);
		said = case_remark(&m, PLAN_NOTE_WARNING, "\\NumberOfInitialSessions");
		assert_int_equal(said != NULL, cases[i].said);
		case_end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_become_texts),
		cmocka_unit_test(a_wrong_line_is_named_and_nothing_is_used),
		cmocka_unit_test(lists_have_a_row_a_line),
		cmocka_unit_test(what_stands_there_reaches_the_session),
		cmocka_unit_test(consoles_are_of_session_one_and_on),
		cmocka_unit_test(sessions_are_as_many_as_consoles_want),
	};

	return cmocka_run_group_tests_name("registry-policy", tests, NULL, NULL);
}
