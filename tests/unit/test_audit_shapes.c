/* SPDX-License-Identifier: MIT */
/*
 * test_audit_shapes.c - Windows events as text: each tool's shape gives the same fact
 */
#include "lists_case.h"

#define CHANNEL  "Microsoft-Windows-Sysmon/Operational"
#define PROVIDER "Microsoft-Windows-Sysmon"
#define GUID     "{3ddc5665-e7bc-5f51-0200-000000000500}"
#define CREATE                                                                                     \
	"\"UtcTime\":\"2020-09-04 07:07:40.123\",\"ProcessGuid\":\"" GUID "\",\"ProcessId\":"      \
	"\"404\",\"Image\":\"" SMSS "\",\"User\":\"NT AUTHORITY\\\\SYSTEM\",\"ParentProcessId\":"  \
	"\"4\",\"ParentImage\":\"System\""
/* clang-format off */
#define D(name, value) "{\"@Name\":\"" name "\",\"#text\":\"" value "\"}"
#define D_CREATE                                                                                   \
	"[" D("UtcTime", "2020-09-04 07:07:40.123") "," D("ProcessGuid", GUID) ","                 \
	D("ProcessId", "404") "," D("Image", SMSS) "," D("User", "NT AUTHORITY\\\\SYSTEM") ","     \
	D("ParentProcessId", "4") "]"
/* clang-format on */
#define START_MS INT64_C(1599203260123)

static const char *const sysmon_shapes[] = {
	/* NXLog, flat, with the logger's own pid beside */
	"{\"EventID\":1,\"Channel\":\"" CHANNEL "\",\"Hostname\":\"H\",\"host\":\"c\","
	"\"ExecutionProcessID\":3080," CREATE "}",
	/* winlogbeat, then the same with points in the names, then lists of one */
	"{\"winlog\":{\"channel\":\"" CHANNEL "\",\"event_id\":1,\"computer_name\":\"H\","
	"\"process\":{\"pid\":3080},\"event_data\":{" CREATE "}}}",
	"{\"winlog.channel\":\"" CHANNEL "\",\"winlog.event_id\":\"1\","
	"\"winlog.computer_name\":\"H\",\"winlog.event_data.UtcTime\":"
	"\"2020-09-04 07:07:40.123\",\"winlog.event_data.ProcessGuid\":\"" GUID "\","
	"\"winlog.event_data.ProcessId\":\"404\",\"winlog.event_data.Image\":\"" SMSS "\","
	"\"winlog.event_data.User\":\"NT AUTHORITY\\\\SYSTEM\","
	"\"winlog.event_data.ParentProcessId\":\"4\"}",
	"{\"fields\":{\"winlog.channel\":[\"" CHANNEL "\"],\"winlog.event_id\":[\"1\"],"
	"\"winlog.computer_name\":[\"H\"],\"winlog.event_data.UtcTime\":"
	"[\"2020-09-04 07:07:40.123\"],\"winlog.event_data.ProcessGuid\":[\"" GUID "\"],"
	"\"winlog.event_data.ProcessId\":[404],\"winlog.event_data.Image\":[\"" SMSS "\"],"
	"\"winlog.event_data.User\":[\"NT AUTHORITY\\\\SYSTEM\"],"
	"\"winlog.event_data.ParentProcessId\":[\"4\"]}}",
	/* winlogbeat's Sysmon module renames into process.* */
	"{\"@timestamp\":\"2020-09-04T07:07:40.123Z\",\"winlog\":{\"channel\":\"" CHANNEL
	"\",\"event_id\":1,\"computer_name\":\"H\",\"event_data\":{\"IntegrityLevel\":"
	"\"System\"}},\"process\":{\"entity_id\":\"" GUID "\",\"pid\":404,\"executable\":"
	"\"" SMSS "\",\"parent\":{\"pid\":4}},\"user\":{\"domain\":\"NT AUTHORITY\","
	"\"name\":\"SYSTEM\"}}",
	/* evtx_dump, over several lines, with its headings */
	"Record 1\n{\n \"Event\": {\n  \"System\": {\n   \"EventID\": 1,\n   \"Channel\":\n"
	"\"" CHANNEL "\", \"Computer\": \"H\",\n \"Execution\": {\"#attributes\": "
	"{\"ProcessID\": 3080}}}, \"EventData\": {\n" CREATE "}}}\n",
	/* XML by the letter */
	"{\"Event\":{\"System\":{\"EventID\":{\"@Qualifiers\":\"\",\"#text\":\"1\"},"
	"\"Channel\":\"" CHANNEL "\",\"Computer\":\"H\"},\"EventData\":{\"Data\":" D_CREATE "}}}",
	/* EvtxECmd: JSON within a string */
	"{\"EventId\":1,\"Channel\":\"" CHANNEL "\",\"Computer\":\"H\",\"ProcessId\":3080,"
	"\"Payload\":\"{\\\"EventData\\\":{\\\"Data\\\":[{\\\"@Name\\\":\\\"UtcTime\\\","
	"\\\"#text\\\":\\\"2020-09-04 07:07:40.123\\\"},{\\\"@Name\\\":\\\"ProcessId\\\","
	"\\\"#text\\\":\\\"404\\\"},{\\\"@Name\\\":\\\"ProcessGuid\\\",\\\"#text\\\":"
	"\\\"" GUID "\\\"},{\\\"@Name\\\":\\\"Image\\\",\\\"#text\\\":"
	"\\\"C:\\\\\\\\Windows\\\\\\\\System32\\\\\\\\smss.exe\\\"},{\\\"@Name\\\":"
	"\\\"User\\\",\\\"#text\\\":\\\"NT AUTHORITY\\\\\\\\SYSTEM\\\"},{\\\"@Name\\\":"
	"\\\"ParentProcessId\\\",\\\"#text\\\":\\\"4\\\"}]}}\"}",
	/* Hayabusa, Wazuh, Velociraptor, Splunk */
	"{\"Timestamp\":\"2020-09-04 07:07:47.500 +00:00\",\"Computer\":\"H\",\"Channel\":"
	"\"Sysmon\",\"EventID\":1,\"AllFieldInfo\":{" CREATE "}}",
	"{\"data\":{\"win\":{\"system\":{\"eventID\":\"1\",\"channel\":\"" CHANNEL "\","
	"\"computer\":\"H\",\"processID\":\"3080\"},\"eventdata\":{\"utcTime\":"
	"\"2020-09-04 07:07:40.123\",\"processGuid\":\"" GUID "\",\"processId\":\"404\","
	"\"image\":\"" SMSS "\",\"user\":\"NT AUTHORITY\\\\SYSTEM\",\"parentProcessId\":"
	"\"4\"}}}}",
	"{\"System\":{\"Provider\":{\"Name\":\"" PROVIDER "\"},\"EventID\":{\"Value\":1},"
	"\"Channel\":\"" CHANNEL "\",\"Computer\":\"H\"},\"EventData\":{" CREATE "}}",
	"{\"preview\":false,\"result\":{\"source\":\"XmlWinEventLog:" CHANNEL "\","
	"\"EventCode\":\"1\",\"Computer\":\"H\"," CREATE "}}",
	/* a search's answer around it */
	"{\"took\":1,\"hits\":{\"hits\":[{\"_source\":{\"winlog\":{\"channel\":\"" CHANNEL
	"\",\"event_id\":1,\"computer_name\":\"H\",\"event_data\":{" CREATE "}}}}]}}",
	/* PowerShell: the data are in its message alone */
	"[{\"Id\":1,\"ProviderName\":\"" PROVIDER "\",\"LogName\":\"" CHANNEL "\","
	"\"MachineName\":\"H\",\"ProcessId\":3080,\"Message\":\"Process Create:\\r\\n"
	"UtcTime: 2020-09-04 07:07:40.123\\r\\nProcessGuid: " GUID "\\r\\nProcessId: 404"
	"\\r\\nImage: " SMSS "\\r\\nUser: NT AUTHORITY\\\\SYSTEM\\r\\nParentProcessId: 4\""
	"}]",
};

static void every_shape_of_an_event_tells_the_same_process(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(sysmon_shapes) / sizeof(sysmon_shapes[0]); i++) {
		assert_int_equal(read_text(sysmon_shapes[i]), 0);
		assert_string_equal(troubles, "");
		assert_string_equal(told, "start 404<4 " SMSS_C " -\n");
		assert_int_equal(last.time_ns, START_MS * 1000000);
		assert_string_equal(shape, "Sysmon events");
	}
}

static void audited_creations_keep_creator_and_created_apart(void **state)
{
	static const char *const shapes[] = {
		"{\"EventID\":4688,\"Channel\":\"security\",\"Hostname\":\"H\",\"NewProcessId\":"
		"\"0x194\",\"NewProcessName\":\"" SMSS "\",\"ProcessId\":\"0x4\"}",
		"{\"result\":{\"source\":\"WinEventLog:Security\",\"EventCode\":\"4688\","
		"\"New_Process_ID\":\"0x194\",\"New_Process_Name\":\"" SMSS
		"\",\"Creator_Process_ID\":\"0x4\"}}",
		"[{\"Id\":4688,\"LogName\":\"Security\",\"MachineName\":\"H\",\"ProcessId\":9,"
		"\"Properties\":[{\"Value\":{\"BinaryLength\":12,\"Value\":\"S-1-5-18\"}},"
		"{\"Value\":\"-\"},{\"Value\":\"-\"},{\"Value\":999},{\"Value\":404},{\"Value\":"
		"\"" SMSS "\"},{\"Value\":\"%%1936\"},{\"Value\":4}]}]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		assert_int_equal(read_text(shapes[i]), 0);
		assert_string_equal(told, "start 404<4 " SMSS_C " -\n");
		assert_string_equal(shape, "Security events");
	}
	/* NXLog without the creator: the logger's own ProcessID stands beside and is not it */
	assert_int_equal(read_text("{\"EventID\":4688,\"Channel\":\"Security\",\"NewProcessId\":"
				   "\"0x194\",\"NewProcessName\":\"" SMSS "\",\"ProcessID\":4}"),
			 0);
	assert_string_equal(told, "start 404<-1 " SMSS_C " -\n");
}

static void local_time_is_led_back_to_utc(void **state)
{
	(void)state;
	assert_int_equal(
		read_text("{\"EventID\":4688,\"Channel\":\"Security\",\"NewProcessId\":\"0x194\","
			  "\"NewProcessName\":\"" SMSS "\",\"ProcessId\":\"0x4\","
			  "\"EventTime\":\"2020-09-04 03:07:07\",\"EventReceivedTime\":"
			  "\"2020-09-04 03:07:09\",\"@timestamp\":\"2020-09-04T07:07:09.954Z\"}"),
		0);
	assert_int_equal(last.time_ns, INT64_C(1599203227000000000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_of_an_event_tells_the_same_process),
		cmocka_unit_test(audited_creations_keep_creator_and_created_apart),
		cmocka_unit_test(local_time_is_led_back_to_utc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
