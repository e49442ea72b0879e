/* SPDX-License-Identifier: MIT */
/*
 * test_audit_event.c - what one event tells, and what it must not be taken to tell
 *
 * Fields are given as the logs hold them; nothing here reads a file. The second half is the way an
 * event takes from XML to fields, with texts that try to be markup.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "smaudit/evtx.h"
#include "smaudit/readers.h"

#define SYSMON   "Microsoft-Windows-Sysmon/Operational"
#define SECONDS  1000000000ll
#define AT_BOOT  (1599203250ll * SECONDS) /* 2020-09-04 07:07:30 */
#define FIELDS   24
#define TEXT_MAX 200
#define ZEROS    "000000000000000000000000000000"

struct field {
	const char *name, *value;
};

static struct seen_facts {
	unsigned processes, boots, values, notes;
	struct process_fact process[2];
	char image[2][TEXT_MAX], user[TEXT_MAX], sid[TEXT_MAX], sha256[TEXT_MAX], note[TEXT_MAX];
	struct boot_fact boot;
	struct registry_fact value;
	char key[TEXT_MAX];
	uint8_t data[TEXT_MAX];
} seen;

static void keep(char *to, const char *text)
{
	snprintf(to, TEXT_MAX, "%s", text ? text : "(none)");
}

static void on_process(void *arg, const struct process_fact *f)
{
	assert_true(seen.processes < 2);
	keep(seen.image[seen.processes], f->image);
	keep(seen.user, f->user);
	keep(seen.sid, f->sid);
	keep(seen.sha256, f->sha256);
	seen.process[seen.processes++] = *f;
}

static void on_boot(void *arg, const struct boot_fact *f)
{
	seen.boots++;
	seen.boot = *f;
}

static void on_value(void *arg, const struct registry_fact *f)
{
	seen.values++;
	seen.value = *f;
	keep(seen.key, f->key);
	assert_true(f->bytes <= sizeof(seen.data));
	memcpy(seen.data, f->data, f->bytes);
}

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	assert_int_equal(t, TROUBLE_NOTE);
	seen.notes++;
	keep(seen.note, text);
}

static const char *get(void *arg, const char *name)
{
	for (const struct field *f = arg; f->name; f++)
		if (!strcmp(f->name, name))
			return f->value;
	return NULL;
}

static bool tell(const char *channel, unsigned id, struct field *fields)
{
	static const struct sink to = {.process = on_process,
				       .boot = on_boot,
				       .registry = on_value,
				       .trouble = on_trouble};
	static const struct place place = {"log.evtx", 7};

	memset(&seen, 0, sizeof(seen));
	return event_tell(channel, id, get, fields, &place, &to);
}

static void sysmons_start_counts_from_utc_time(void **state)
{
	struct field f[FIELDS] = {{"UtcTime", "2020-09-04 07:07:30.000"},
				  {"TimeCreated", "2020-09-04T07:07:56.5Z"},
				  {"Computer", "W5"},
				  {"ProcessGuid", "{747F3D96-66F7-5F5A-0500-00000000F600}"},
				  {"ProcessId", "404"},
				  {"Image", "C:\\Windows\\System32\\smss.exe"},
				  {"Company", "-"},
				  {"User", "NT AUTHORITY\\SYSTEM"},
				  {"TerminalSessionId", "0"},
				  {"Hashes", "MD5=00,SHA256=AB" ZEROS ZEROS "C9,IMPHASH=11"},
				  {"ParentProcessGuid", "{00000000-0000-0000-0000-000000000000}"},
				  {"ParentProcessId", "4"},
				  {"ParentImage", "System"}};

	assert_true(tell("microsoft-windows-sysmon/operational", 1, f));
	assert_int_equal(seen.processes, 1);
	assert_int_equal(seen.process[0].seen, SEEN_START);
	assert_int_equal(seen.process[0].time_ns, AT_BOOT);
	assert_int_equal(seen.process[0].started_ns, AT_BOOT);
	assert_int_equal(seen.process[0].logged_ns, AT_BOOT + 26 * SECONDS + SECONDS / 2);
	assert_int_equal(seen.process[0].pid, 404);
	assert_int_equal(seen.process[0].ppid, 4);
	assert_int_equal(seen.process[0].session, 0);
	assert_int_equal(seen.process[0].place.line, 7);
	assert_null(seen.process[0].company);
	assert_null(seen.process[0].parent_guid);
	assert_null(seen.process[0].original_name);
	assert_null(seen.process[0].sid);
	assert_int_equal(strlen(seen.sha256), 64);
	assert_memory_equal(seen.sha256 + 62, "c9", 3);
}

static void a_lost_pid_is_not_sysmons_own(void **state)
{
	struct field f[FIELDS] = {{"UtcTime", "2020-09-04 07:07:30.000"},
				  {"ExecutionProcessID", "3036"},
				  {"ProcessGuid", "{747F3D96-66F7-5F5A-0500-00000000F600}"},
				  {"Image", "C:\\Windows\\System32\\smss.exe"}};
	struct field nothing[FIELDS] = {{"UtcTime", "2020-09-04 07:07:30.000"},
					{"ExecutionProcessID", "3036"}};

	assert_true(tell(SYSMON, 1, f));
	assert_int_equal(seen.process[0].pid, NO_PID);
	assert_int_equal(seen.process[0].ppid, NO_PID);
	assert_int_equal(seen.process[0].session, NO_NUMBER);
	assert_int_equal(seen.process[0].logged_ns, NO_TIME);
	assert_false(tell(SYSMON, 1, nothing));
	assert_int_equal(seen.processes, 0);
}

static void an_access_shows_that_both_lived(void **state)
{
	struct field f[FIELDS] = {{"UtcTime", "2020-09-04 07:07:30.000"},
				  {"SourceProcessGUID", "{1}"},
				  {"SourceProcessId", "7"},
				  {"SourceImage", "C:\\a.exe"},
				  {"TargetProcessGUID", "{2}"},
				  {"TargetProcessId", "404"},
				  {"TargetImage", "C:\\Windows\\System32\\smss.exe"}};

	assert_true(tell(SYSMON, 10, f));
	assert_int_equal(seen.processes, 2);
	assert_int_equal(seen.process[1].seen, SEEN_ACTIVE);
	assert_int_equal(seen.process[1].pid, 404);
	assert_string_equal(seen.process[1].guid, "{2}");
	assert_string_equal(seen.image[0], "C:\\a.exe");
	assert_int_equal(seen.process[1].started_ns, NO_TIME);
}

static void an_end_has_its_time(void **state)
{
	struct field f[FIELDS] = {{"UtcTime", "2020-09-04 07:07:30.000"},
				  {"ProcessGuid", "{1}"},
				  {"ProcessId", "500"},
				  {"Image", "C:\\Windows\\System32\\smss.exe"}};

	assert_true(tell(SYSMON, 5, f));
	assert_int_equal(seen.process[0].seen, SEEN_END);
	assert_int_equal(seen.process[0].ended_ns, AT_BOOT);
	assert_int_equal(seen.process[0].started_ns, NO_TIME);
}

static void an_account_of_4688_is_the_new_processes_own(void **state)
{
	static const struct {
		const char *target, *sid, *user;
	} cases[] = {{"S-1-0-0", "S-1-5-18", "WORKGROUP\\W5$"},
		     {"S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1001", "W5\\eve"},
		     {NULL, "(none)", "(none)"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct field f[FIELDS] = {
			{"TimeCreated", "2020-09-04T07:07:30Z"},
			{"SubjectUserSid", "S-1-5-18"},
			{"SubjectUserName", "W5$"},
			{"SubjectDomainName", "WORKGROUP"},
			{"NewProcessId", "0x14c"},
			{"NewProcessName", "C:\\Windows\\System32\\smss.exe"},
			{"ProcessId", "0x4"},
			{"ParentProcessName", ""},
			{"MandatoryLabel", "S-1-16-16384"},
			{"TargetUserName", "eve"},
			{"TargetDomainName", "W5"},
			{cases[i].target ? "TargetUserSid" : NULL, cases[i].target}};

		assert_true(tell("security", 4688, f));
		assert_int_equal(seen.process[0].pid, 332);
		assert_int_equal(seen.process[0].ppid, 4);
		assert_null(seen.process[0].parent_image);
		assert_null(seen.process[0].command);
		assert_string_equal(seen.sid, cases[i].sid);
		assert_string_equal(seen.user, cases[i].user);
		assert_string_equal(seen.process[0].integrity, "S-1-16-16384");
		assert_int_equal(seen.process[0].time_ns, AT_BOOT);
		assert_int_equal(seen.process[0].logged_ns, NO_TIME);
	}
}

static void an_exit_of_4689_is_the_process_itself(void **state)
{
	struct field f[FIELDS] = {{"TimeCreated", "2020-09-04T07:07:30Z"},
				  {"ProcessId", "0xfec"},
				  {"ProcessName", "C:\\Windows\\System32\\smss.exe"},
				  {"SubjectUserSid", "S-1-5-18"},
				  {"SubjectUserName", "-"}};

	assert_true(tell("Security", 4689, f));
	assert_int_equal(seen.process[0].pid, 4076);
	assert_int_equal(seen.process[0].ended_ns, AT_BOOT);
	assert_string_equal(seen.user, "(none)");
}

static void pids_that_are_none_are_not_told(void **state)
{
	static const char *const pids[] = {"", "-", "0x", "12a", "-4", "4294967295", "0x1ffffffff"};

	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++) {
		struct field f[FIELDS] = {{"ProcessId", pids[i]}, {"ProcessName", "C:\\a.exe"}};

		assert_true(tell("Security", 4689, f));
		assert_int_equal(seen.process[0].pid, NO_PID);
	}
}

static void boots_and_clocks_are_told_by_their_writers(void **state)
{
	struct field f[FIELDS] = {{"ProviderName", "Microsoft-Windows-Kernel-General"},
				  {"TimeCreated", "2020-09-04T07:07:36Z"},
				  {"StartTime", "2020-09-04T07:07:30.0000000Z"},
				  {"NewTime", "2020-09-04T07:07:30Z"},
				  {"OldTime", "2020-09-04T08:07:30Z"}};
	struct field other[FIELDS] = {{"ProviderName", "Microsoft-Windows-Power-Troubleshooter"},
				      {"TimeCreated", "2020-09-04T07:07:36Z"}};
	struct field log[FIELDS] = {{"ProviderName", "EventLog"},
				    {"TimeCreated", "2020-09-04T07:07:30Z"}};

	assert_true(tell("System", 12, f));
	assert_int_equal(seen.boot.mark, BOOT_BEGAN);
	assert_int_equal(seen.boot.time_ns, AT_BOOT);
	assert_true(tell("System", 1, f));
	assert_int_equal(seen.boot.mark, BOOT_CLOCK_SET);
	assert_int_equal(seen.boot.by_ns, -3600 * SECONDS);
	assert_false(tell("System", 1, other));
	assert_false(tell("System", 12, other));
	assert_true(tell("System", 6006, log));
	assert_int_equal(seen.boot.mark, BOOT_ENDED);
	assert_true(tell("System", 6005, log));
	assert_int_equal(seen.boot.mark, BOOT_BEGAN);
	assert_false(tell("System", 1074, log));
	assert_int_equal(seen.boots, 0);
}

static void others_tell_nothing(void **state)
{
	struct field f[FIELDS] = {{"ProcessId", "4"}, {"Image", "C:\\a.exe"}};

	assert_false(tell(SYSMON, 7, f));
	assert_false(tell("Security", 1, f));
	assert_false(tell("Security", 4624, f));
	assert_false(tell("Application", 4688, f));
	assert_false(tell(NULL, 1, f));
	assert_int_equal(seen.processes + seen.boots, 0);
}

static void without_a_channel_the_provider_decides(void **state)
{
	struct field f[FIELDS] = {{"ProviderName", "Microsoft-Windows-Sysmon"},
				  {"ProcessId", "4"},
				  {"Image", "C:\\a.exe"}};

	assert_true(tell(NULL, 1, f));
	assert_true(tell("ForwardedEvents", 5, f));
	assert_false(tell(NULL, 4688, f));
}

static void a_written_boot_execute_is_a_registry_fact(void **state)
{
	struct field f[FIELDS] = {
		{"UtcTime", "2020-09-04 07:07:30.000"},
		{"EventType", "SetValue"},
		{"ProcessId", "500"},
		{"Image", "C:\\a.exe"},
		{"Details", "e\xD0\x96"},
		{"TargetObject",
		 "HKLM\\System\\CurrentControlSet\\Control\\Session Manager\\BootExecute"}};

	assert_true(tell(SYSMON, 13, f));
	assert_int_equal(seen.processes, 1);
	assert_int_equal(seen.values, 1);
	assert_string_equal(seen.key, "HKLM\\System\\CurrentControlSet\\Control\\Session Manager");
	assert_int_equal(seen.value.type, 7);
	assert_int_equal(seen.value.bytes, 8);
	assert_memory_equal(seen.data, "e\0\x16\x04\0\0\0\0", 8);
	f[4].value = "Binary Data";
	assert_true(tell(SYSMON, 13, f));
	assert_int_equal(seen.values, 0);
	assert_int_equal(seen.notes, 1);
	assert_non_null(strstr(seen.note, "BootExecute"));
	f[5].value = "HKLM\\System\\CurrentControlSet\\Control\\Session Manager\\Environment\\Path";
	assert_true(tell(SYSMON, 13, f));
	assert_int_equal(seen.values + seen.notes, 0);
}

/* ---- from XML ---- */

static struct evtx_fields fields_of(const char *xml)
{
	static char bytes[4096];
	struct evtx_fields f;
	long n = evtx_fields_make(xml, strlen(xml), bytes, sizeof(bytes));

	assert_true(n >= 0);
	assert_int_equal(evtx_fields_take(bytes, (size_t)n, &f), 0);
	return f;
}

static void fields_come_from_their_elements(void **state)
{
	struct evtx_fields f = fields_of(
		"<Event xmlns=\"x\">\n  <System>\n    <Provider Name=\"P &amp; Q\" Guid=\"{>}\"/>\n"
		"    <EventID Qualifiers=\"1\">4688</EventID>\n    <Channel>Security</Channel>\n"
		"    <TimeCreated SystemTime=\"2020\"/>\n  </System>\n  <EventData>\n"
		"    <Data Name=\"A\">1 &lt;b&gt; &amp;lt; &quot;</Data>\n    <Data Name=\"B\"/>\n"
		"    <Data>unnamed</Data>\n    <Data Name=\"Channel\">System</Data>\n"
		"    <Data Name=\"C\">&#65;&</Data>\n  </EventData>\n</Event>");

	assert_string_equal(evtx_fields_get(&f, "ProviderName"), "P & Q");
	assert_string_equal(evtx_fields_get(&f, "eventid"), "4688");
	assert_string_equal(evtx_fields_get(&f, "TimeCreated"), "2020");
	assert_string_equal(evtx_fields_get(&f, "Channel"), "Security");
	assert_string_equal(evtx_fields_get(&f, "A"), "1 <b> &lt; \"");
	assert_string_equal(evtx_fields_get(&f, "B"), "");
	assert_string_equal(evtx_fields_get(&f, "C"), "&#65;&");
	assert_null(evtx_fields_get(&f, "Computer"));
	assert_int_equal(f.count, 8);
}

static void evidence_cannot_become_markup(void **state)
{
	struct evtx_fields f = fields_of(
		"<Event><System><Channel>S</Channel></System><EventData>"
		"<Data Name=\"CommandLine\">&lt;/Data&gt;&lt;Data Name=\"Image\"&gt;x</Data>"
		"<Data Name=\"Image\">evil.exe</Data></EventData></Event>");

	assert_string_equal(evtx_fields_get(&f, "Image"), "evil.exe");
	assert_string_equal(evtx_fields_get(&f, "CommandLine"), "</Data><Data Name=\"Image\">x");
}

static void broken_xml_ends_where_it_ends(void **state)
{
	static const char *const cases[] = {"",
					    "<",
					    "<Data",
					    "<Data Name",
					    "<Data Name=",
					    "<Data Name=\"",
					    "<Data Name=\"A",
					    "<Data Name=\"A\"",
					    "<Data Name='A'>1",
					    "</",
					    "<System><Channel>",
					    "<Data Name=\"A\">&am"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		(void)fields_of(cases[i]);
	assert_string_equal(evtx_fields_get(&(struct evtx_fields){0}, "A") ? "some" : "none",
			    "none");
}

static void too_many_fields_are_refused(void **state)
{
	char xml[8192] = "", room[64], bytes[8192];
	struct evtx_fields f;
	size_t n = 0;

	for (int i = 0; i < 65; i++)
		n += (size_t)snprintf(xml + n, sizeof(xml) - n, "<Data Name=\"A%d\">1</Data>", i);
	assert_int_equal(evtx_fields_make(xml, n, bytes, sizeof(bytes)), -E2BIG);
	assert_int_equal(evtx_fields_make(xml, 200, room, 8), -E2BIG);
	n = 0;
	memset(bytes, 0, sizeof(bytes));
	for (int i = 0; i < 65; i++)
		n += (size_t)snprintf(bytes + n, sizeof(bytes) - n, "A%d", i) + 2;
	assert_int_equal(evtx_fields_take(bytes, n, &f), -E2BIG);
}

static void fields_without_an_end_are_refused(void **state)
{
	struct evtx_fields f;

	assert_int_equal(evtx_fields_take("A\0b\0", 4, &f), 0);
	assert_int_equal(evtx_fields_take("A\0b", 3, &f), -EBADMSG);
	assert_int_equal(evtx_fields_take("A", 1, &f), -EBADMSG);
	assert_int_equal(evtx_fields_take("A\0", 2, &f), -EBADMSG);
	assert_int_equal(evtx_fields_take("\0b\0", 3, &f), -EBADMSG);
	assert_int_equal(evtx_fields_take("", 0, &f), 0);
}

static void checksums_are_those_of_event_logs(void **state)
{
	assert_int_equal(evtx_crc32(0, "123456789", 9), 0xCBF43926u);
	assert_int_equal(evtx_crc32(evtx_crc32(0, "1234", 4), "56789", 5), 0xCBF43926u);
}

/* ---- the child ---- */

/* A line of /proc/PID/status as a number; -1 = it has none. */
static long status_of(pid_t pid, const char *name)
{
	char path[64], line[256];
	long n = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ':')
			n = strtol(line + strlen(name) + 1, NULL, 10);
	fclose(f);
	return n;
}

static void the_child_stands_behind_walls_and_answers(void **state)
{
	static uint8_t chunk[EVTX_CHUNK_BYTES] = "ElfChnk";
	struct evtx_frame head;
	struct evtx_done done;
	struct evtx_child c;

	assert_int_equal(evtx_child_start(&c), 0);
	assert_int_equal(evtx_child_give(&c, chunk), 0);
	do {
		char why[EVTX_REASON_MAX];

		assert_int_equal(evtx_child_take(&c, &head, sizeof(head)), 0);
		assert_true(evtx_frame_fits(&head));
		assert_true(head.kind != EVTX_EVENT);
		assert_int_equal(evtx_child_take(&c, head.kind == EVTX_DONE ? (void *)&done : why,
						 head.bytes),
				 0);
	} while (head.kind != EVTX_DONE);
	assert_int_equal(done.read, 0);
	assert_int_equal(status_of(c.pid, "Seccomp"), 2);
	assert_int_equal(status_of(c.pid, "NoNewPrivs"), 1);
	assert_true(WIFSIGNALED(evtx_child_end(&c)));
	assert_int_equal(c.pid, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sysmons_start_counts_from_utc_time),
		cmocka_unit_test(a_lost_pid_is_not_sysmons_own),
		cmocka_unit_test(an_access_shows_that_both_lived),
		cmocka_unit_test(an_end_has_its_time),
		cmocka_unit_test(an_account_of_4688_is_the_new_processes_own),
		cmocka_unit_test(an_exit_of_4689_is_the_process_itself),
		cmocka_unit_test(pids_that_are_none_are_not_told),
		cmocka_unit_test(boots_and_clocks_are_told_by_their_writers),
		cmocka_unit_test(others_tell_nothing),
		cmocka_unit_test(without_a_channel_the_provider_decides),
		cmocka_unit_test(a_written_boot_execute_is_a_registry_fact),
		cmocka_unit_test(fields_come_from_their_elements),
		cmocka_unit_test(evidence_cannot_become_markup),
		cmocka_unit_test(broken_xml_ends_where_it_ends),
		cmocka_unit_test(too_many_fields_are_refused),
		cmocka_unit_test(fields_without_an_end_are_refused),
		cmocka_unit_test(checksums_are_those_of_event_logs),
		cmocka_unit_test(the_child_stands_behind_walls_and_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
