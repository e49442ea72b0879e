/* SPDX-License-Identifier: MIT */
/*
 * test_audit_forms.c - the three forms of a report, as people and consumers read them
 *
 * Whole members of NDJSON and ECS, times, and evidence that cannot drive a terminal or break a
 * line.
 */
#include "report_trial.h"
#include "smaudit/json_out.h"

static void every_field_is_in_a_line_of_ndjson(void **state)
{
	struct trial t;
	struct finding f = example();
	char id[17];

	begin(&t, REPORT_NDJSON, false);
	report_id(&f, id);
	report_add(t.r, &f);
	has(told(&t), id);
	has(t.text, "\"rule\":\"wrong-path\"");
	has(t.text, "\"severity\":\"high\",\"verdict\":\"finding\"");
	has(t.text, "\"host\":\"W5\",\"subject\":\"smss.exe pid 7001\"");
	has(t.text, "\"technique\":\"T1036.005\"");
	has(t.text, "\"time\":\"2020-09-04T07:07:36.123Z\"");
	has(t.text,
	    "\"evidence\":{\"pid\":\"7001\",\"image\":\"C:\\\\Windows\\\\Temp\\\\smss.exe\"}");
	has(t.text, "\"source\":{\"file\":\"boot.jsonl\",\"line\":12}");
	done(&t);
}

static void evidence_of_one_name_is_an_array(void **state)
{
	struct trial t;
	struct finding f = example();

	begin(&t, REPORT_NDJSON, false);
	f.evidences = 0;
	finding_add(&f, "child", "a");
	finding_add(&f, "pid", "4");
	finding_add(&f, "child", "b");
	finding_add(&f, "missing", NULL);
	report_add(t.r, &f);
	has(told(&t), "\"evidence\":{\"child\":[\"a\",\"b\"],\"pid\":\"4\"}");
	done(&t);
}

static void evidence_cannot_drive_a_terminal(void **state)
{
	static const struct {
		const char *name, *evidence, *text, *json;
	} cases[] = {
		{"an escape sequence", "a\033[2Jb", "a\\u{1B}[2Jb", "a\\u001b[2Jb"},
		{"a line break", "a\nHIGH b", "a\\u{A}HIGH b", "a\\u000aHIGH b"},
		{"C1",
		 "a\xc2\x9b"
		 "2J",
		 "a\\u{9B}2J", "a\\u009b2J"},
		{"right to left",
		 "a\xe2\x80\xae"
		 "b",
		 "a\\u{202E}b", "a\\u202eb"},
		{"an isolate",
		 "a\xe2\x81\xa6"
		 "b",
		 "a\\u{2066}b", "a\\u2066b"},
		{"zero width", "sm\xe2\x80\x8bss", "sm\\u{200B}ss", "sm\\u200bss"},
		{"a blank that does not break",
		 "a\xc2\xa0"
		 "b",
		 "a\\u{A0}b", "a\\u00a0b"},
		{"a filler of Hangul", "a\xe3\x85\xa4", "a\\u{3164}", "a\\u3164"},
		{"a tag", "a\xf3\xa0\x81\x81", "a\\u{E0041}", "a\\udb40\\udc41"},
		{"a stray byte",
		 "a\xff"
		 "b",
		 "a\\xFFb", "a\\\\xFFb"},
		{"a letter cut in two", "a\xe2\x80", "a\\xE2\\x80", "a\\\\xE2\\\\x80"},
		{"a surrogate", "\xed\xa0\x80", "\\xED\\xA0\\x80", "\\\\xED\\\\xA0\\\\x80"},
		{"letters of others stay", "\xd1\x95mss", "\xd1\x95mss", "\xd1\x95mss"},
		{"quotes", "\"a\\b\"", "\"a\\b\"", "\\\"a\\\\b\\\""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL, want[80];
		size_t bytes;
		FILE *to = open_memstream(&text, &bytes);
		struct json_out j = json_out_line(to);

		print_message("%s\n", cases[i].name);
		out_escaped(to, cases[i].evidence, 100);
		fputc('|', to);
		json_out_text(&j, NULL, cases[i].evidence);
		fclose(to);
		snprintf(want, sizeof(want), "%s|\"%s\"", cases[i].text, cases[i].json);
		assert_string_equal(text, want);
		free(text);
	}
}

static void long_evidence_is_cut_for_people_only(void **state)
{
	struct finding f = example();
	struct trial t;
	char *much = malloc(100001);

	begin(&t, REPORT_TEXT, false);
	memset(much, 'x', 100000);
	much[100000] = 0;
	finding_add(&f, "command", much);
	report_add(t.r, &f);
	report_end(t.r);
	has(told(&t), "xxx ... (100000 bytes in all)");
	assert_true(strlen(t.text) < 5000);
	done(&t);
	begin(&t, REPORT_NDJSON, false);
	report_add(t.r, &f);
	has(told(&t), much);
	done(&t);
	free(much);
}

static void ecs_puts_evidence_where_it_belongs(void **state)
{
	struct trial t;
	struct finding f = example();

	begin(&t, REPORT_ECS, false);
	finding_add(&f, "ppid", "0x1f4z");
	finding_add(&f, "original-name", "CALC.EXE");
	finding_add(&f, "alive later", "yes");
	report_add(t.r, &f);
	has(told(&t),
	    "{\"@timestamp\":\"2020-09-04T07:07:36.123Z\",\"ecs\":{\"version\":\"9.0.0\"}");
	has(t.text, "\"kind\":\"alert\"");
	has(t.text, "\"category\":[\"process\"]");
	has(t.text, "\"severity\":73");
	has(t.text, "\"technique\":{\"id\":\"T1036\",\"subtechnique\":{\"id\":\"T1036.005\"}}");
	has(t.text,
	    "\"process\":{\"pid\":7001,\"executable\":\"C:\\\\Windows\\\\Temp\\\\smss.exe\"}");
	has(t.text, "\"pe\":{\"original_file_name\":\"CALC.EXE\"}");
	has(t.text, "\"host\":{\"name\":\"W5\"}");
	has(t.text, "\"ppid\":\"0x1f4z\""); /* no number: nothing is lost, it is a label */
	has(t.text, "\"alive_later\":\"yes\"");
	done(&t);

	begin(&t, REPORT_ECS, false);
	f = example();
	f.rule = INDICATOR_BOOT_EXECUTE;
	f.severity = SEVERITY_MEDIUM;
	f.evidences = 0;
	finding_add(&f, "key", "ControlSet001\\Control\\Session Manager");
	finding_add(&f, "value", "BootExecute");
	finding_add(&f, "data", "autocheck autochk *");
	finding_add(&f, "data", "beb");
	report_add(t.r, &f);
	has(told(&t), "\"category\":[\"configuration\",\"registry\"]");
	has(t.text, "\"severity\":47");
	has(t.text,
	    "\"value\":\"BootExecute\",\"data\":{\"strings\":[\"autocheck autochk *\",\"beb\"]}");
	done(&t);
}

static void ecs_says_what_an_input_in_trouble_comes_to(void **state)
{
	static const struct place p = {"a.json", 7};
	struct trial t;

	begin(&t, REPORT_ECS, false);
	report_trouble(t.r, &p, TROUBLE_DEGRADED, "cut");
	has(told(&t), "\"kind\":\"pipeline_error\"");
	has(t.text, "\"category\":[\"file\"],\"type\":[\"error\"],\"outcome\":\"unknown\"");
	has(t.text, "\"labels\":{\"verdict\":\"indeterminate\"");
	report_trouble(t.r, &p, TROUBLE_INPUT, "broken");
	has(told(&t), "\"labels\":{\"verdict\":\"input-error\",\"line\":\"7\"}");
	done(&t);
}

static void times_are_told_to_the_millisecond(void **state)
{
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {
		{0, "1970-01-01T00:00:00.000Z"},
		{-1, "1969-12-31T23:59:59.999Z"},
		{INT64_C(1599203256999999999), "2020-09-04T07:07:36.999Z"},
		{INT64_MAX, "2262-04-11T23:47:16.854Z"},
		{INT64_MIN + 1, "1677-09-21T00:12:43.145Z"},
	};
	char room[REPORT_TIME_ROOM];

	assert_null(report_time(NO_TIME, room));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(report_time(cases[i].ns, room), cases[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_field_is_in_a_line_of_ndjson),
		cmocka_unit_test(evidence_of_one_name_is_an_array),
		cmocka_unit_test(evidence_cannot_drive_a_terminal),
		cmocka_unit_test(long_evidence_is_cut_for_people_only),
		cmocka_unit_test(ecs_puts_evidence_where_it_belongs),
		cmocka_unit_test(ecs_says_what_an_input_in_trouble_comes_to),
		cmocka_unit_test(times_are_told_to_the_millisecond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
