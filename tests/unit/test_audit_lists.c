/* SPDX-License-Identifier: MIT */
/*
 * test_audit_lists.c - lists of processes as text: rows, their end, and what is bad in them
 */
#include "lists_case.h"

#define VOLATILITY "\"PID\":404,\"PPID\":4,\"ImageFileName\":\"smss.exe\",\"SessionId\":null"

static void lists_tell_rows_and_their_end(void **state)
{
	static const struct {
		const char *text, *shape, *told;
		enum list list;
		int64_t end_s; /* -1 = not told */
	} cases[] = {
		{"[{\"PID\":4,\"PPID\":0,\"ImageFileName\":\"System\",\"CreateTime\":"
		 "\"2020-09-04T07:07:40+00:00\",\"__children\":[]},{" VOLATILITY
		 ",\"CreateTime\":\"2020-09-04T07:07:41+00:00\",\"ExitTime\":null}]",
		 "Volatility 3 pslist", "alive 4<0 - System\nalive 404<4 - smss.exe\n", LIST_LIVE,
		 1599203261},
		{"[{" VOLATILITY ",\"Offset(V)\":1}]", "Volatility 3 psscan",
		 "alive 404<4 - smss.exe\n", LIST_SCAN, -1},
		{"{" VOLATILITY ",\"Offset(P)\":1}\n", "Volatility 3 psscan",
		 "alive 404<4 - smss.exe\n", LIST_SCAN, -1},
		{"[{\"PID\":4,\"PPID\":0,\"ImageFileName\":\"System\",\"Audit\":\"-\","
		 "\"__children\":[{" VOLATILITY ",\"Audit\":\"\\\\Device\\\\HarddiskVolume2\\\\"
		 "smss.exe\",\"Path\":\"C:\\\\lie.exe\",\"__children\":[]}]}]",
		 "Volatility 3 pstree",
		 "alive 4<0 - System\nalive 404<4 \\Device\\HarddiskVolume2\\smss.exe smss.exe\n",
		 LIST_LIVE, -1},
		{"TreeDepth,PID,PPID,ImageFileName,CreateTime,ExitTime,Audit,Cmd,Path\r\n"
		 "0,* 404,4,smss.exe,2020-09-04 07:07:40.000000 UTC,N/A,N/A,\"a \"\"b\"\", c\","
		 "" SMSS_C "\r\n",
		 "Volatility 3 pstree", "alive 404<4 " SMSS_C " smss.exe\n", LIST_LIVE, 1599203260},
		{"Volatility 3 Framework 2.5.0\n\nPID\tPPID\tImageFileName\tCreateTime\n\n"
		 "4\t0\tSystem\t-\n** 404\t4\tsm\"ss.exe\t2020-09-04 07:07:40.000000 UTC\n",
		 "Volatility 3 pslist", "alive 4<0 - System\nalive 404<4 - sm\"ss.exe\n", LIST_LIVE,
		 1599203260},
		{"[\n {\n  \"name\": \"smss.exe\",\n  \"parent\": \"4\",\n  \"path\": \"" SMSS
		 "\",\n  \"pid\": \"404\",\n  \"start_time\": \"1599203260\",\n  \"uid\": \"18\"\n"
		 " }\n]\n",
		 "osquery processes", "alive 404<4 " SMSS_C " smss.exe\n", LIST_LIVE, 1599203260},
		{"{\"snapshot\":[{\"pid\":\"404\",\"parent\":\"4\",\"name\":\"smss.exe\","
		 "\"path\":\"\"}],\"action\":\"snapshot\",\"hostIdentifier\":\"H\",\"unixTime\":"
		 "1599203999}\n",
		 "osquery log", "alive 404<4 - smss.exe\n", LIST_LIVE, 1599203999},
		{"\r\r\nNode,CommandLine,CreationDate,ExecutablePath,Name,ParentProcessId,"
		 "ProcessId\r\r\nH,,20200904090740.000000+120,,smss.exe,4,404\r\r\n",
		 "Win32_Process list", "alive 404<4 - smss.exe\n", LIST_LIVE, 1599203260},
		{"[{\"ProcessId\":404,\"ParentProcessId\":4,\"Name\":\"smss.exe\","
		 "\"ExecutablePath\":null,\"CreationDate\":\"\\/Date(1599203260000)\\/\"}]",
		 "Win32_Process list", "alive 404<4 - smss.exe\n", LIST_LIVE, 1599203260},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t end = cases[i].end_s < 0 ? NO_TIME : cases[i].end_s * 1000000000;

		assert_int_equal(read_text(cases[i].text), 0);
		assert_string_equal(troubles, "");
		assert_string_equal(told, cases[i].told);
		assert_string_equal(shape, cases[i].shape);
		assert_int_equal(last.list, cases[i].list);
		assert_int_equal(list_ends, 1);
		assert_int_equal(list_end_ns, end);
	}
}

static void a_log_of_lists_ends_each_of_them(void **state)
{
#define ROW(host, time, action)                                                                    \
	"{\"hostIdentifier\":\"" host "\",\"unixTime\":" time ",\"columns\":{\"pid\":\"404\","     \
	"\"parent\":\"4\",\"name\":\"smss.exe\"},\"action\":\"" action "\"}\n"
	(void)state;
	assert_int_equal(read_text(ROW("a", "1599203000", "snapshot") ROW(
				 "b", "1599203000", "snapshot") ROW("a", "1599204000", "snapshot")),
			 0);
	assert_int_equal(list_ends, 3);
	assert_int_equal(read_text(ROW("a", "1599203000", "removed")), 0);
	assert_string_equal(told, "end 404<4 - smss.exe\n");
	assert_int_equal(list_ends, 0);
}

/* What a row says of itself goes before what the file says, and a pid says nothing. */
static void osquery_is_of_the_system_its_paths_are_of(void **state)
{
#define OSQUERY(pid, name, path)                                                                   \
	"{\"pid\":\"" pid "\",\"parent\":\"4\",\"name\":\"" name "\",\"path\":\"" path "\"}\n"
	static const struct {
		const char *text;
		enum system system; /* of the last row */
	} cases[] = {
		{OSQUERY("7001", "smss.exe", "C:\\\\Windows\\\\Temp\\\\smss.exe"), SYSTEM_WINDOWS},
		{OSQUERY("7001", "a", "") OSQUERY("404", "smss.exe", SMSS), SYSTEM_WINDOWS},
		{OSQUERY("404", "smss.exe", SMSS) OSQUERY("7001", "smss.exe", ""), SYSTEM_WINDOWS},
		{OSQUERY("404", "smss.exe", SMSS) OSQUERY("7001", "smsss", ""), SYSTEM_WINDOWS},
		{OSQUERY("1", "smss", "/usr/lib/smss/smss") OSQUERY("8", "smsss", ""),
		 SYSTEM_LINUX},
		{OSQUERY("1", "smss", "/usr/lib/smss/smss") OSQUERY("8", "smss.exe", ""),
		 SYSTEM_WINDOWS},
		{OSQUERY("1", "smss", "/usr/lib/smss/smss") OSQUERY("9", "smss.exe", SMSS),
		 SYSTEM_WINDOWS},
		{OSQUERY("404", "smss.exe", SMSS) OSQUERY("8", "smss", "/tmp/a\\\\smss"),
		 SYSTEM_LINUX},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_text(cases[i].text), 0);
		assert_string_equal(troubles, "");
		if (last.system != cases[i].system)
			fail_msg("case %zu: %d", i, (int)last.system);
	}
}

static void utf16_with_or_without_its_mark_is_read(void **state)
{
	static const char text[] = "{\"PID\":404,\"PPID\":4,\"ImageFileName\":\"sm\xc5\xbf.exe\"}";
	static const char *const forms[] = {"le+", "le", "be+", "be"};

	(void)state;
	for (size_t form = 0; form < 4; form++) {
		bool big = forms[form][0] == 'b';
		uint8_t wide[256];
		size_t n = 0;

		if (forms[form][2]) {
			wide[n++] = big ? 0xfe : 0xff;
			wide[n++] = big ? 0xff : 0xfe;
		}
		for (size_t i = 0; text[i]; i++) {
			unsigned unit = (uint8_t)text[i];

			if (unit == 0xc5) { /* U+017F */
				unit = 0x17f;
				i++;
			}
			wide[n + big] = (uint8_t)unit;
			wide[n + !big] = (uint8_t)(unit >> 8);
			n += 2;
		}
		assert_int_equal(read_bytes(wide, n), 0);
		assert_string_equal(told, "alive 404<4 - sm\xc5\xbf.exe\n");
	}
}

static void what_is_bad_is_named_and_costs_itself(void **state)
{
	static const struct {
		const char *text;
		unsigned facts;
		const char *says;
	} cases[] = {
		{"{" VOLATILITY "}\n{" VOLATILITY "\nx\n{" VOLATILITY "}\n", 2,
		 "x:2 input: a comma or } is expected"},
		{"{" VOLATILITY "}\nrubbish\n{" VOLATILITY "}\n", 2, "x:2 input: no object"},
		{"{" VOLATILITY "}\n{" VOLATILITY "} {}\n", 1, "x:2 input: more behind"},
		{"{" VOLATILITY "}\n{\"PID\":404,\"PPI", 1, "x:2 degraded: the input ends within"},
		{"{" VOLATILITY "}\n{\"PID\":40", 1, "x:2 degraded: the input ends within"},
		{"[\n{" VOLATILITY "},\n{\"PID\":404,\"ImageFile\n{" VOLATILITY "}]\n", 2,
		 "x:3 input: a line ends within a string"},
		{"[{" VOLATILITY "},\n{\"PID\":404", 1,
		 "x:2 degraded: the input ends within a rec"},
		{"[{" VOLATILITY "},\n", 1, "x:2 degraded: the input ends within a list"},
		{"{" VOLATILITY "}\n{\"a\":{\"b\":1}}\n{\"c\":1}\n", 1,
		 "x:2 degraded: 2 records of no known shape"},
		{"{" VOLATILITY ",\"PID\":404}\n", 1,
		 "x:1 degraded: the name PID stands twice in one record"},
		{"{\"a\":{\"PID\":1},\"b\":{\"PID\":1},\"PID\":5,\"ImageFileName\":\"a\"}"
		 "\n{" VOLATILITY ",\"Path\":\"C:\\\\a\",\"Path\":\"C:\\\\b\"}\n",
		 2, "x:2 degraded: the name Path stands twice"},
		{"{\"PID\":404,\"ImageFileName\":\"a\xff\"}\n", 1, "x:1 note: bytes that are no"},
		{"{\"PID\":\"x\",\"ImageFileName\":\"a\"}\n{" VOLATILITY "}\n", 1,
		 "x:1 input: a process without a pid"},
		{"PID,PPID,ImageFileName\n4,0,System\n5,\"4,x\n404,4,smss.exe\n", 2,
		 "x:3 input: a quote is not closed"},
		{"PID,PPID,ImageFileName\n4,0,System\n5,4\n404,4,smss.exe\n", 2,
		 "x:3 input: 2 columns below 3 names"},
		{"PID,PPID,ImageFileName\n4,0,System\n5,4", 1, "x:3 degraded: the input ends"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_text(cases[i].text), 0);
		assert_int_equal(facts, cases[i].facts);
		if (!strstr(troubles, cases[i].says))
			fail_msg("wanted \"%s\", had \"%s\"", cases[i].says, troubles);
	}
	/* 300 bad lines do not fill a screen */
	{
		static char many[300 * 4 + 256];
		unsigned lines = 0;

		many[0] = '\0';
		append(many, sizeof(many), "{" VOLATILITY "}\n");
		for (unsigned i = 0; i < 300; i++)
			append(many, sizeof(many), "bad\n");
		append(many, sizeof(many), "{" VOLATILITY "}\n");
		assert_int_equal(read_text(many), 0);
		for (const char *c = troubles; *c; c++)
			lines += *c == '\n';
		assert_int_equal(lines, SHAPES_ALOUD + 1);
		assert_non_null(strstr(troubles, "280 more records that cannot be read"));
	}
}

static void what_is_no_list_is_refused_with_a_reason(void **state)
{
	static const struct {
		const char *text;
		size_t bytes;
		const char *says;
	} cases[] = {
		{"", 0, "it is empty"},
		{"  \n", 3, "it is empty"},
		{"[]", 2, "no records in it"},
		{"{\"a\":1}\n", 8, "no list of processes and no events"},
		{"hello, world\n1,2\n", 17, "neither JSON nor a table"},
		{"ElfFile\0xxxxxxxxxx", 18, "then `smaudit evtx FILE`"},
		{"regf0000000000000", 17, "then `smaudit hive FILE`"},
		{"MZ\x90\0xxxxxxxxxxxxx", 17, "then `smaudit image FILE`"},
		{"\x1f\x8bxxxxxxxxxxxxxxxx", 18, "gzip"},
		{"<Events></Events>", 17, "it is XML"},
		{"{\"PID\":", 7, "nothing in it can be read"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(read_bytes(cases[i].text, cases[i].bytes), -22);
		assert_int_equal(facts, 0);
		if (!strstr(troubles, cases[i].says) || !strstr(troubles, "x:0 input: "))
			fail_msg("wanted \"%s\", had \"%s\"", cases[i].says, troubles);
	}
}

static void names_that_hide_something_stay_visible(void **state)
{
	(void)state;
	assert_int_equal(read_text("{\"PID\":404,\"PPID\":4,\"ImageFileName\":"
				   "\"sm\\u0000s\\ud800s\\ud83d\\ude00\\u202e\"}\n"),
			 0);
	assert_string_equal(told, "alive 404<4 - sm\xef\xbf\xbds\xef\xbf\xbds\xf0\x9f\x98\x80"
				  "\xe2\x80\xae\n");
}

static void a_long_line_is_left_out_and_the_next_one_read(void **state)
{
	size_t n = INPUT_MAX + (1u << 20), used;
	char *text = malloc(n + 256);

	(void)state;
	assert_non_null(text);
	memset(text, 'a', n);
	memcpy(text, "{\"a\":\"", 6);
	used = n + (size_t)snprintf(text + n, 256, "\"}\n{" VOLATILITY "}\n");
	/* the first line is the long one: it decides nothing */
	assert_int_equal(read_bytes(text, used), 0);
	free(text);
	assert_string_equal(told, "alive 404<4 - smss.exe\n");
	assert_non_null(strstr(troubles, "x:1 input: a line beyond 16 MiB"));
}

static void lists_nest_64_deep_and_no_deeper(void **state)
{
	static char text[200 * 80];

	(void)state;
	for (unsigned depth = 63; depth <= 100; depth += 37) {
		text[0] = '\0';
		for (unsigned i = 0; i < depth; i++)
			append(text, sizeof(text), "{" VOLATILITY ",\"__children\":[");
		append(text, sizeof(text), "{" VOLATILITY "}");
		for (unsigned i = 0; i < depth; i++)
			append(text, sizeof(text), "]}");
		assert_int_equal(read_text(text), 0);
		assert_int_equal(facts, 64);
		assert_int_equal(strstr(troubles, "deeper than 64") != NULL, depth > 63);
	}
}

/* tests run in the source's root or in the build */
static const char *const evidence[] = {"../shared/data/windows", "../../shared/data/windows"};

static void the_evidence_beside_is_read_whole(void **state)
{
	static const struct {
		const char *path, *shape;
		unsigned facts;
	} files[] = {
		{"derived/w5-boot.vol3-pslist.json", "Volatility 3 pslist", 85},
		{"derived/w5-boot.vol3-psscan.json", "Volatility 3 psscan", 110},
		{"derived/w5-boot.vol3-pstree.csv", "Volatility 3 pstree", 85},
		{"derived/w5-boot.osquery-processes.json", "osquery processes", 85},
		{"json/otrf-w5-boot.sysmon-1-5.jsonl", "Sysmon events", 215},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		uint64_t records;
		char path[512];
		FILE *f = NULL;

		for (size_t k = 0; k < 2 && !f; k++) {
			snprintf(path, sizeof(path), "%s/%s", evidence[k], files[i].path);
			f = fopen(path, "rbe");
		}
		if (!f) {
			print_message("no %s: not tried\n", path);
			skip();
		}
		told[0] = troubles[0] = '\0';
		facts = 0;
		assert_int_equal(read_processes_file(f, path, &sink, &shape, &records), 0);
		fclose(f);
		assert_string_equal(troubles, "");
		assert_string_equal(shape, files[i].shape);
		assert_int_equal(facts, files[i].facts);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_tell_rows_and_their_end),
		cmocka_unit_test(a_log_of_lists_ends_each_of_them),
		cmocka_unit_test(osquery_is_of_the_system_its_paths_are_of),
		cmocka_unit_test(utf16_with_or_without_its_mark_is_read),
		cmocka_unit_test(what_is_bad_is_named_and_costs_itself),
		cmocka_unit_test(what_is_no_list_is_refused_with_a_reason),
		cmocka_unit_test(names_that_hide_something_stay_visible),
		cmocka_unit_test(a_long_line_is_left_out_and_the_next_one_read),
		cmocka_unit_test(lists_nest_64_deep_and_no_deeper),
		cmocka_unit_test(the_evidence_beside_is_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
