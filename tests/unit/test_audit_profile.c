/* SPDX-License-Identifier: MIT */
/*
 * test_audit_profile.c - what a profile's page says, made of facts and of findings
 *
 * Shares are of those that could tell, memory is bounded, parents are never guessed, and whatever
 * evidence holds stays text in all three forms.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "smaudit/profile_inner.h"

#define SECOND_NS 1000000000ll
#define BEGAN_NS  (1599203260ll * SECOND_NS) /* 2020-09-04T07:07:40Z */
#define S32       "C:\\Windows\\System32\\"

static char *page; /* of the last print */

static int forget(void **state)
{
	free(page);
	page = NULL;
	return 0;
}

static const char *print(struct profile *p, enum profile_format format)
{
	size_t n;
	FILE *to;

	free(page);
	page = NULL;
	to = open_memstream(&page, &n);
	assert_int_equal(profile_print(p, to, format), 0);
	fclose(to);
	return page;
}

static void has(struct profile *p, const char *line)
{
	if (!strstr(print(p, PROFILE_TEXT), line))
		fail_msg("not on the page: %s\n%s", line, page);
}

static void has_not(struct profile *p, const char *line)
{
	if (strstr(print(p, PROFILE_TEXT), line))
		fail_msg("on the page: %s\n%s", line, page);
}

static struct process_fact start(uint32_t pid, uint32_t ppid, const char *image)
{
	struct process_fact f = process_fact_none();

	f.seen = SEEN_START;
	f.place = (struct place){"boot.jsonl", 1};
	f.host = "W5";
	f.time_ns = f.started_ns = BEGAN_NS + pid * SECOND_NS;
	f.pid = pid;
	f.ppid = ppid;
	f.image = image;
	return f;
}

static struct process_fact row(uint32_t pid, uint32_t ppid, const char *name)
{
	struct process_fact f = start(pid, ppid, NULL);

	f.seen = SEEN_ALIVE;
	f.list = LIST_LIVE;
	f.time_ns = NO_TIME;
	f.name = name;
	return f;
}

static void tell(struct profile *p, const struct process_fact *f)
{
	struct sink s = profile_sink(p);

	s.process(s.arg, f);
}

static void mark(struct profile *p, enum boot_mark mark)
{
	struct boot_fact b = {.place = {"boot.jsonl", 1}, .host = "W5", .mark = mark};
	struct sink s = profile_sink(p);

	s.boot(s.arg, &b);
}

static void shares_are_of_the_records_that_could_tell(void **state)
{
	struct profile *p = profile_new("smss.exe");
	struct process_fact f = start(300, 4, S32 "smss.exe");

	f.user = "NT AUTHORITY\\SYSTEM";
	tell(p, &f);
	f.user = NULL;
	f.sid = "S-1-5-18"; /* the same account */
	tell(p, &f);
	f.sid = "S-1-5-21-1";
	f.user = "W5\\eve";
	tell(p, &f);
	f.sid = f.user = NULL; /* could not tell */
	tell(p, &f);
	has(p, "Accounts                66.7%  NT AUTHORITY\\SYSTEM (S-1-5-18)\n");
	has(p, " 33.3%  W5\\eve (S-1-5-21-1)\n");
	has(p, "Image paths              100%  C:\\Windows\\System32\\smss.exe\n");
	has(p, "Starts                 4\n");
	profile_free(p);
}

static void what_nothing_told_is_not_observed(void **state)
{
	struct profile *p = profile_new("smss.exe");
	struct process_fact f = row(300, 4, "smss.exe");

	tell(p, &f);
	has(p, "Image paths            Not observed.\n");
	has(p, "Network                Not observed.\n");
	has(p, "Signature rate         Not observed.\n");
	has(p, "unsigned-image              high    not looked at\n");
	has(p, "wrong-parent                high    nothing found\n");
	has(p, "Not observed, which is not the same as clean: File type,");
	assert_non_null(strstr(print(p, PROFILE_JSON), "\"image_paths\":null"));
	assert_non_null(strstr(print(p, PROFILE_HTML),
			       "<dt>Image paths</dt><dd><span class=\"none\">Not observed."));
	profile_free(p);
}

static void names_match_whole_and_folded(void **state)
{
	static const char *const others[] = {S32 "smss.exe.exe", S32 "xsmss.exe", S32 "smss",
					     "C:\\smss.exe\\a.exe", ""};
	struct profile *p = profile_new("smss.exe");
	struct process_fact f;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		f = start(400, 4, others[i]);
		tell(p, &f);
	}
	has(p, "Nothing that was read tells of it.");
	f = start(400, 4, "C:\\WINDOWS\\system32\\SMSS.EXE");
	tell(p, &f);
	has(p, "Starts                 1\n");
	profile_free(p);
}

static void a_name_that_its_source_cuts_matches_its_beginning(void **state)
{
	struct profile *p = profile_new("fontdrvhost.exe");
	struct process_fact f = row(500, 400, "fontdrvhost.ex");

	tell(p, &f);
	has_not(p, "Matched by a cut name");
	f.name_cut = true;
	tell(p, &f);
	has(p, "Matched by a cut name  1\n");
	profile_free(p);
}

static void spellings_of_one_path_are_one_value(void **state)
{
	static const char *const paths[] = {S32 "smss.exe", "\\SystemRoot\\System32\\smss.exe",
					    "\\??\\c:\\WINDOWS\\system32\\smss.exe",
					    "C:\\Windows\\.\\System32\\\\smss.exe"};
	struct profile *p = profile_new("smss.exe");
	struct process_fact f;

	for (unsigned i = 0; i < 4; i++) {
		f = start(300 + i, 4, paths[i]);
		tell(p, &f);
	}
	has(p, "Image paths              100%  C:\\Windows\\System32\\smss.exe\n");
	f = start(310, 4, "C:\\Windows\\Temp\\smss.exe");
	tell(p, &f);
	has(p, "Image paths             80.0%  C:\\Windows\\System32\\smss.exe\n");
	has(p, " 20.0%  C:\\Windows\\Temp\\smss.exe\n");
	profile_free(p);
}

static void values_beyond_the_table_are_others_and_the_frequent_one_stays(void **state)
{
	struct profile *p = profile_new("smss.exe");
	struct process_fact f = start(300, 4, NULL);
	char command[3000], name[] = "smss.exe";

	f.name = name;
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(command, sizeof(command), i % 4 ? "%u" : "the usual one", i);
		f.command = command;
		tell(p, &f);
	}
	has(p, "  the usual one\n");
	has(p, "  others (");
	assert_true(p->trait[TRAIT_COMMAND].used == PROFILE_VALUES);
	assert_int_equal(p->trait[TRAIT_COMMAND].records, 20000);
	memset(command, 'x', sizeof(command) - 1);
	command[sizeof(command) - 1] = '\0';
	for (unsigned i = 0; i < 20000; i++)
		tell(p, &f);
	has(p, "xxx ... (516 bytes in all)\n"); /* what was kept of 2,999 */
	profile_free(p);
}

static void short_and_long_names_of_a_machine_are_one(void **state)
{
	static const char *const hosts[] = {"W5",      "w5.lab.example",   "W6.lab.example",
					    "w6",      "W6.other.example", "10.0.0.1",
					    "10.0.0.2"};
	struct profile *p = profile_new("smss.exe");
	struct process_fact f = start(300, 4, S32 "smss.exe");

	for (unsigned i = 0; i < 7; i++) {
		f.host = hosts[i];
		tell(p, &f);
	}
	has(p, "Machines               5\n");
	f.host = NULL;
	tell(p, &f);
	tell(p, &f);
	has(p, "Machines               6\n");
	has(p, "files that name none 1\n");
	profile_free(p);
}

static void a_list_is_joined_when_it_is_whole(void **state)
{
	struct profile *p = profile_new("smss.exe");
	const struct process_fact rows[] = {row(500, 400, "csrss.exe"),
					    row(600, 500, "conhost.exe"), row(400, 300, "smss.exe"),
					    row(300, 4, "smss.exe"), row(4, 0, "System")};

	for (unsigned i = 0; i < 5; i++)
		tell(p, &rows[i]);
	mark(p, BOOT_SNAPSHOT_END);
	has(p, "Children                50.0%  csrss.exe\n");
	has(p, "Parents                 50.0%  System\n");
	has(p, "Grandparents             100%  System\n");
	has(p, "Grandchildren           50.0%  conhost.exe\n");
	profile_free(p);
}

static void a_parent_that_began_later_is_none(void **state)
{
	struct profile *p = profile_new("smss.exe");
	struct process_fact child = row(500, 900, "csrss.exe"), late = row(900, 4, "smss.exe");

	tell(p, &child);
	tell(p, &late);
	mark(p, BOOT_SNAPSHOT_END);
	has(p, "Children               Not observed.\n");
	late.started_ns = BEGAN_NS;
	tell(p, &child);
	tell(p, &late);
	mark(p, BOOT_SNAPSHOT_END);
	has(p, "Children                 100%  csrss.exe\n");
	profile_free(p);
}

static void starts_are_joined_by_pid_within_a_boot(void **state)
{
	struct profile *p = profile_new("smss.exe");
	struct process_fact f = start(300, 4, S32 "smss.exe");

	tell(p, &f);
	f = start(412, 300, S32 "csrss.exe"); /* an old 4688: no name of the parent */
	tell(p, &f);
	has(p, "Children                 100%  csrss.exe\n");
	has(p, "Parents                  100%  System\n");
	mark(p, BOOT_BEGAN);
	f = start(500, 300, "C:\\Windows\\notepad.exe"); /* 300 is of the boot before */
	tell(p, &f);
	has_not(p, "notepad.exe");
	f = start(300, 4, S32 "smss.exe");
	tell(p, &f);
	f.seen = SEEN_END;
	f.time_ns += SECOND_NS / 2;
	tell(p, &f);
	has(p, "Lifetimes                100%  below a second\n");
	f = start(501, 300,
		  "C:\\Windows\\calc.exe"); /* its parent has ended: the pid says nothing */
	tell(p, &f);
	has_not(p, "calc.exe");
	profile_free(p);
}

static void each_privilege_has_its_share_of_the_processes(void **state)
{
	struct profile *p = profile_new("smss.exe");
	struct process_fact f = row(300, 4, "smss.exe");

	f.seen = SEEN_ACTIVE;
	f.privileges = "SeDebugPrivilege SeAuditPrivilege";
	tell(p, &f);
	f.privileges = "SeDebugPrivilege";
	tell(p, &f);
	has(p, "Privileges               100%  SeDebugPrivilege\n");
	has(p, " 50.0%  SeAuditPrivilege\n");
	profile_free(p);
}

static void only_decided_signatures_make_the_rate(void **state)
{
	static const enum signature_state states[] = {SIGNATURE_TRUSTED, SIGNATURE_UNKNOWN_ROOT,
						      SIGNATURE_MISMATCH, SIGNATURE_TRUSTED};
	struct profile *p = profile_new("smss.exe");
	struct sink s = profile_sink(p);

	for (unsigned i = 0; i < 4; i++) {
		struct image_fact f = image_fact_none();

		f.place.file = "/evidence/smss.exe";
		f.format = IMAGE_PE32_PLUS;
		f.machine = 0x8664;
		f.subsystem = 1;
		f.bytes = 228864;
		f.file_version = "10.0.26100.1";
		f.signatures = 1;
		f.signature[0] =
			(struct image_signature){.state = states[i], .signer = "Microsoft Windows"};
		s.image(s.arg, &f);
	}
	has(p, "Signature rate         66.7% (2 of 3 that were decided)\n");
	has(p, "Magic                    100%  PE32+ executable (native), x86-64\n");
	has(p, "Sizes                    100%  223.50 KiB\n");
	has(p, " 25.0%  Signed, root not known here\n");
	profile_free(p);
}

static void a_finding_of_this_run_counts_once_and_tells_no_value(void **state)
{
	struct profile *p = profile_new("smss.exe");
	struct finding f = {.rule = INDICATOR_WRONG_PATH,
			    .verdict = VERDICT_FINDING,
			    .severity = SEVERITY_HIGH,
			    .host = "W5",
			    .subject = "smss.exe pid 7001",
			    .time_ns = NO_TIME};

	finding_add(&f, "image", "C:\\Windows\\Temp\\smss.exe");
	profile_finding(p, &f);
	f.subject = "lsass.exe pid 9"; /* of another image */
	f.evidence[0].text = "C:\\Windows\\Temp\\lsass.exe";
	profile_finding(p, &f);
	has(p, "wrong-path             1 found (high)\n");
	has(p, "Image paths            Not observed.\n");
	f.rule = INDICATOR_NEAR_MISS_NAME; /* who imitates it belongs to it */
	f.evidence[0].text = "C:\\Windows\\smsss.exe";
	profile_finding(p, &f);
	has(p, "near-miss-name         1 found (high)\n");
	profile_free(p);
}

/* ---- NDJSON ---- */

static unsigned troubles;
static uint64_t trouble_line;

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	assert_int_equal(t, TROUBLE_INPUT);
	troubles++;
	trouble_line = p->line;
}

static int read_text(struct profile *p, const char *text)
{
	const struct sink to = {.trouble = on_trouble};
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	int r;

	assert_non_null(file);
	troubles = 0;
	r = read_ndjson_file(file, "fleet.ndjson", p, &to);
	fclose(file);
	return r;
}

#define FINDING(host, id, pid)                                                                     \
	"{\"id\":\"" id                                                                            \
	"\",\"rule\":\"wrong-path\",\"severity\":\"high\",\"verdict\":\"finding\","                \
	"\"host\":\"" host "\",\"subject\":\"smss.exe pid " pid "\",\"time\":"                     \
	"\"2020-09-04T07:07:40.000Z\",\"evidence\":{\"image\":\"C:\\\\Temp\\\\smss.exe\","         \
	"\"parent\":\"C:\\\\Windows\\\\explorer.exe\",\"user\":\"W5\\\\eve\","                     \
	"\"original-name\":[\"calc.exe\",\"b\"]},\"source\":{\"file\":\"a.evtx\",\"line\":7}}\n"

static void findings_of_other_runs_tell_their_evidence_once(void **state)
{
	struct profile *p = profile_new("smss.exe");

	assert_int_equal(read_text(p, FINDING("W5", "0123456789abcdef", "7001")
					      FINDING("W5", "0123456789abcdef", "7001")
						      FINDING("W6", "1123456789abcdef", "7001")),
			 0);
	assert_int_equal(troubles, 0);
	has(p, "wrong-path             2 found (high)\n");
	has(p, "Image paths              100%  C:\\Temp\\smss.exe\n");
	has(p, "Parents                  100%  explorer.exe\n");
	has(p, "Original name            100%  calc.exe\n");
	has(p, "Machines               2\n");
	has(p, "First seen             2020-09-04T07:07:40.000Z\n");
	has(p, "Findings of other runs 2\n");
	profile_free(p);
}

static void a_bad_line_is_named_and_costs_itself(void **state)
{
	struct profile *p = profile_new("smss.exe");

	assert_int_equal(read_text(p, "{\"verdict\":\"finding\"\n" FINDING("W5", "1", "1")), 0);
	assert_int_equal(troubles, 1);
	assert_int_equal(trouble_line, 1);
	has(p, "wrong-path             1 found (high)\n");
	assert_int_equal(read_text(p, "{\"verdict\":\"clean\",\"rule\":\"wrong-path\"}\n"), -22);
	assert_int_equal(troubles, 1);
	assert_int_equal(read_text(p, "[1,2]\n"), -22);
	profile_free(p);
}

static void rules_of_a_newer_program_are_counted_by_name(void **state)
{
	struct profile *p = profile_new("smss.exe");

	assert_int_equal(read_text(p, "{\"rule\":\"odd-thread\",\"verdict\":\"finding\"}\n"
				      "{\"rule\":\"late-start\",\"verdict\":\"nothing\"}\n"
				      "{\"rule\":\"boot-execute\",\"verdict\":\"indeterminate\"}\n"
				      "{\"verdict\":\"input-error\",\"what\":\"cut\"}\n"),
			 0);
	has(p, "Other rules              100%  odd-thread\n");
	has(p, "late-start                  medium  nothing found\n");
	has(p, "boot-execute                medium  not looked at\n");
	profile_free(p);
}

static void evidence_stays_text_in_every_form(void **state)
{
	static const char evil[] =
		"\033]0;x\a</title><script>alert('1')</script>&\xe2\x80\xae\xff\n";
	struct profile *p = profile_new(evil);
	struct process_fact f = start(300, 4, NULL);

	f.name = evil;
	f.command = evil;
	f.user = "<img src=x>";
	tell(p, &f);
	for (int format = PROFILE_TEXT; format <= PROFILE_HTML; format++) {
		print(p, (enum profile_format)format);
		for (const char *c = page; *c; c++)
			assert_true((unsigned char)*c >= 0x20 || *c == '\n');
		assert_null(strstr(page, "\xe2\x80\xae"));
		assert_null(strchr(page, '\xff'));
		if (format != PROFILE_HTML)
			continue;
		assert_null(strstr(page, "<script"));
		assert_null(strstr(page, "<img"));
		assert_null(strstr(page, "http://"));
		assert_null(strstr(page, "https://"));
	}
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_of_the_records_that_could_tell),
		cmocka_unit_test(what_nothing_told_is_not_observed),
		cmocka_unit_test(names_match_whole_and_folded),
		cmocka_unit_test(a_name_that_its_source_cuts_matches_its_beginning),
		cmocka_unit_test(spellings_of_one_path_are_one_value),
		cmocka_unit_test(values_beyond_the_table_are_others_and_the_frequent_one_stays),
		cmocka_unit_test(short_and_long_names_of_a_machine_are_one),
		cmocka_unit_test(a_list_is_joined_when_it_is_whole),
		cmocka_unit_test(a_parent_that_began_later_is_none),
		cmocka_unit_test(starts_are_joined_by_pid_within_a_boot),
		cmocka_unit_test(each_privilege_has_its_share_of_the_processes),
		cmocka_unit_test(only_decided_signatures_make_the_rate),
		cmocka_unit_test(a_finding_of_this_run_counts_once_and_tells_no_value),
		cmocka_unit_test(findings_of_other_runs_tell_their_evidence_once),
		cmocka_unit_test(a_bad_line_is_named_and_costs_itself),
		cmocka_unit_test(rules_of_a_newer_program_are_counted_by_name),
		cmocka_unit_test(evidence_stays_text_in_every_form),
	};

	return cmocka_run_group_tests(tests, NULL, forget);
}
