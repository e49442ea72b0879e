/* SPDX-License-Identifier: MIT */
/*
 * test_audit_report.c - what a report tells, how often, and what a run comes to
 *
 * Ids that never change, each finding once, notes that hide nothing, and an exit status that never
 * says clean of what was not looked at.
 */
#include "base/sha256.h"
#include "report_trial.h"

static void an_id_is_of_host_rule_and_subject_only(void **state)
{
	struct finding a = example(), b = example();
	uint8_t digest[SHA256_BYTES];
	char id[17], other[17], hex[65];

	report_id(&a, id);
	sha256_of("W5\0wrong-path\0smss.exe pid 7001", 31, digest);
	sha256_hex(digest, hex);
	hex[16] = 0;
	assert_string_equal(id, hex);
	b.what = "said in other words";
	b.place = (struct place){"elsewhere", 3};
	b.time_ns = 0;
	b.evidences = 0;
	report_id(&b, other);
	assert_string_equal(id, other);
	b.host = "W6";
	report_id(&b, other);
	assert_string_not_equal(id, other);
	/* nothing moves over the border between two parts */
	a.host = "W5wrong-path";
	a.subject = "x";
	report_id(&a, id);
	assert_string_not_equal(id, other);
}

static void hosts_without_a_name_are_told_apart_by_file(void **state)
{
	struct trial t;
	struct finding f = example();

	begin(&t, REPORT_NDJSON, false);
	f.host = NULL;
	report_add(t.r, &f);
	f.place.file = "other/boot.jsonl";
	report_add(t.r, &f);
	assert_int_equal(lines_of(told(&t)), 2);
	done(&t);
}

static void a_finding_is_told_once(void **state)
{
	struct trial t;
	struct finding f = example();

	begin(&t, REPORT_NDJSON, false);
	report_add(t.r, &f);
	f.place.line = 99;
	report_add(t.r, &f);
	assert_int_equal(lines_of(told(&t)), 1);
	assert_int_equal(report_end(t.r), 1);
	done(&t);
}

static void a_note_hides_no_finding_and_a_finding_ends_doubt(void **state)
{
	struct trial t;
	struct finding f = example();

	begin(&t, REPORT_NDJSON, false);
	f.severity = SEVERITY_INFO;
	report_add(t.r, &f);
	assert_int_equal(lines_of(told(&t)), 0); /* noted: with --all only */
	f.severity = SEVERITY_HIGH;
	report_add(t.r, &f);
	f.verdict = VERDICT_INDETERMINATE;
	report_add(t.r, &f);
	assert_int_equal(lines_of(told(&t)), 1);
	has(told(&t), "\"severity\":\"high\"");
	done(&t);

	begin(&t, REPORT_NDJSON, false);
	report_add(t.r, &f);
	f.verdict = VERDICT_FINDING;
	report_add(t.r, &f);
	assert_int_equal(lines_of(told(&t)), 2); /* doubt first, then certainty: both are told */
	done(&t);
}

static void ten_thousand_subjects_are_told_apart(void **state)
{
	struct trial t;
	struct finding f = example();
	char subject[32];

	begin(&t, REPORT_NDJSON, false);
	f.evidences = 0;
	f.subject = subject;
	for (int pass = 0; pass < 2; pass++)
		for (int i = 0; i < 10000; i++) {
			snprintf(subject, sizeof(subject), "smss.exe pid %d", i);
			report_add(t.r, &f);
		}
	assert_int_equal(lines_of(told(&t)), 10000);
	done(&t);
}

static void people_see_the_gravest_first_and_why_once(void **state)
{
	struct trial t;
	struct finding f = example();

	begin(&t, REPORT_TEXT, true);
	f.rule = INDICATOR_LATE_START;
	f.severity = SEVERITY_MEDIUM;
	report_add(t.r, &f);
	f = example();
	report_add(t.r, &f);
	f.subject = "smss.exe pid 7002";
	report_add(t.r, &f);
	f.rule = INDICATOR_WRONG_ACCOUNT;
	f.verdict = VERDICT_INDETERMINATE;
	f.missing = "SID";
	report_add(t.r, &f);
	report_input(t.r, "boot.jsonl", SOURCE_PROCESSES, "Sysmon events", 20);
	assert_int_equal(report_end(t.r), 1);
	has(told(&t), "HIGH  wrong-path");
	assert_true(strstr(t.text, "HIGH  wrong-path") < strstr(t.text, "MEDIUM  late-start"));
	assert_true(strstr(t.text, "MEDIUM  late") <
		    strstr(t.text, "INDETERMINATE  wrong-account"));
	assert_null(strstr(strstr(t.text, "  why   The genuine image lies") + 1,
			   "  why   The genuine image lies"));
	has(t.text, "smss.exe pid 7002");
	has(t.text, "found in  boot.jsonl:12");
	has(t.text, "Found           2 high, 1 medium\n");
	has(t.text, "Indeterminate   wrong-account: SID\n");
	has(t.text, "Nothing found   wrong-parent, second-persistent-instance,");
	has(t.text, "Not looked at   unsigned-image,");
	done(&t);

	begin(&t, REPORT_TEXT, false); /* without --all the summary tells of what is undecided */
	report_add(t.r, &f);
	assert_int_equal(report_end(t.r), 3);
	has_not(told(&t), "INDETERMINATE");
	has(t.text, "Indeterminate   wrong-account: SID\n");
	done(&t);
}

static void what_was_not_looked_at_is_not_clean(void **state)
{
	struct trial t;

	begin(&t, REPORT_TEXT, false);
	report_input(t.r, "empty.json", SOURCE_PROCESSES, "Volatility 3 pslist", 0);
	assert_int_equal(report_end(t.r), 3);
	has(told(&t), "Looked at       nothing");
	has_not(t.text, "Nothing found");
	done(&t);

	begin(&t, REPORT_NDJSON, true);
	report_input(t.r, "SYSTEM", SOURCE_HIVE, "registry hive", 9);
	assert_int_equal(report_end(t.r), 0);
	has(told(&t), "{\"rule\":\"boot-execute\",\"verdict\":\"nothing\"");
	has_not(t.text, "indeterminate");
	has(t.text, "{\"rule\":\"wrong-path\",\"verdict\":\"not-looked-at\"");
	assert_int_equal(lines_of(t.text), INDICATOR_COUNT);
	done(&t);

	begin(&t, REPORT_ECS, true);
	report_input(t.r, "SYSTEM", SOURCE_HIVE, "registry hive", 9);
	assert_int_equal(report_end(t.r), 0);
	has(told(&t), "\"category\":[\"configuration\",\"registry\"],\"type\":[\"info\"],"
		      "\"outcome\":\"success\"");
	has(t.text, "\"category\":[\"file\"],\"type\":[\"info\"],\"outcome\":\"unknown\"");
	has(t.text, "\"labels\":{\"verdict\":\"not-looked-at\",\"missing\":\"image path (Sysmon");
	has_not(t.text, "indeterminate");
	assert_int_equal(lines_of(t.text), INDICATOR_COUNT);
	done(&t);
}

static void a_rule_may_say_that_it_looked(void **state)
{
	struct trial t;
	struct finding f = {.rule = INDICATOR_IDENTITY_MISMATCH, .verdict = VERDICT_NOTHING};

	begin(&t, REPORT_TEXT, false);
	report_add(t.r, &f);
	assert_int_equal(report_end(t.r), 0);
	has(told(&t), "Nothing found   identity-mismatch\n");
	done(&t);
}

static void the_exit_status_is_of_the_worst(void **state)
{
	static const struct place p = {"f", 1};
	static const struct {
		const char *name;
		bool found, noted, undecided, error, degraded, read;
		int want;
	} cases[] = {
		{"nothing found", .read = true, .want = 0},
		{"noted only", .noted = true, .read = true, .want = 0},
		{"found", .found = true, .read = true, .want = 1},
		{"found, and an input that cannot be read", .found = true, .error = true,
		 .want = 1},
		{"an input that cannot be read", .error = true, .read = true, .want = 2},
		{"the same, and undecided", .error = true, .undecided = true, .want = 2},
		{"undecided", .undecided = true, .read = true, .want = 3},
		{"read in part", .degraded = true, .read = true, .want = 3},
		{"nothing to look at", .want = 3},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;
		struct finding f = example();

		begin(&t, REPORT_NDJSON, false);
		print_message("%s\n", cases[i].name);
		if (cases[i].read)
			report_input(t.r, "f", SOURCE_PROCESSES, "a list", 1);
		if (cases[i].found)
			report_add(t.r, &f);
		f.severity = SEVERITY_INFO;
		if (cases[i].noted)
			report_add(t.r, &f);
		f.verdict = VERDICT_INDETERMINATE;
		if (cases[i].undecided)
			report_add(t.r, &f);
		if (cases[i].error)
			report_trouble(t.r, &p, TROUBLE_INPUT, "it is broken");
		if (cases[i].degraded)
			report_trouble(t.r, &p, TROUBLE_DEGRADED, "a part of it is broken");
		assert_int_equal(report_end(t.r), cases[i].want);
		done(&t);
	}
}

static void a_broken_file_does_not_flood(void **state)
{
	struct trial t;
	struct place p = {"bad.jsonl", 0};

	begin(&t, REPORT_NDJSON, false);
	for (p.line = 1; p.line <= 1000; p.line++)
		report_trouble(t.r, &p, TROUBLE_DEGRADED, "this is no JSON");
	assert_int_equal(lines_of(told(&t)), REPORT_TROUBLES_MAX + 1);
	has(t.text, "{\"verdict\":\"indeterminate\",\"what\":\"this is no JSON\",\"source\":"
		    "{\"file\":\"bad.jsonl\",\"line\":1}}");
	has(t.text, "more of this kind are counted, not told");
	p.file = "other.jsonl";
	report_trouble(t.r, &p, TROUBLE_INPUT, "another");
	has(told(&t), "\"verdict\":\"input-error\",\"what\":\"another\"");
	done(&t);
}

static void count_one(void *arg, const struct finding *f)
{
	++*(unsigned *)arg;
}

static void who_watches_sees_notes_too(void **state)
{
	struct trial t;
	struct finding f = example();
	unsigned seen = 0;

	begin(&t, REPORT_TEXT, false);
	report_watch(t.r, count_one, &seen);
	f.severity = SEVERITY_INFO;
	report_add(t.r, &f);
	report_add(t.r, &f);
	assert_int_equal(seen, 1);
	assert_int_equal(report_end(t.r), 0);
	done(&t);
}

static void every_indicator_is_whole(void **state)
{
	for (int i = 0; i < INDICATOR_COUNT; i++) {
		const struct indicator *row = &indicators[i];

		assert_non_null(row->id);
		assert_true(row->severity >= SEVERITY_MEDIUM);
		assert_int_equal(row->technique[0], 'T');
		assert_true(row->sources);
		assert_true(row->title[0] && row->why[0] && row->next[0]);
		assert_true(row->decided_by[0] && row->exceptions[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_of_host_rule_and_subject_only),
		cmocka_unit_test(hosts_without_a_name_are_told_apart_by_file),
		cmocka_unit_test(a_finding_is_told_once),
		cmocka_unit_test(a_note_hides_no_finding_and_a_finding_ends_doubt),
		cmocka_unit_test(ten_thousand_subjects_are_told_apart),
		cmocka_unit_test(people_see_the_gravest_first_and_why_once),
		cmocka_unit_test(what_was_not_looked_at_is_not_clean),
		cmocka_unit_test(a_rule_may_say_that_it_looked),
		cmocka_unit_test(the_exit_status_is_of_the_worst),
		cmocka_unit_test(a_broken_file_does_not_flood),
		cmocka_unit_test(who_watches_sees_notes_too),
		cmocka_unit_test(every_indicator_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
