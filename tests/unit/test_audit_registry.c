/* SPDX-License-Identifier: MIT */
/*
 * test_audit_registry.c - what is said of BootExecute, its siblings and services, and of whole
 * hives
 *
 * Values read from hives are held against what hivexget prints of them, where both are at hand.
 */
#include "audit_registry_case.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "smaudit/readers.h"

#define HIVES "../shared/data/windows/"

static void boot_execute_defaults_and_strangers(void **state)
{
	static const struct value_case cases[] = {
		{"BootExecute", CHECK, 0, 0, NULL},
		{"BootExecute", CHECK "$", 0, 0, NULL},
		{"bootexecute", CHECK "|$", 0, 0, NULL},
		{"BootExecute", "  AUTOCHECK\tautochk  * ", 0, 0, NULL},
		{"BootExecute", "autocheck autochk /q /v *", 0, 0, NULL},
		{"BootExecute", CHECK "|" CHECK, 0, 0, NULL},
		{"BootExecute", "", 0, 1, NULL},
		{"BootExecute", "$", 0, 1, NULL},
		{"BootExecute", "autocheck autochk /r \\??\\C:|" CHECK, 0, 1, "number=1"},
		{"BootExecute", "autocheck autochk /k:C /k:D *", 0, 1, NULL},
		{"BootExecute", "autocheck autochk /p \\??\\Volume{1-2}", 0, 1, NULL},
		{"BootExecute", "autocheck autoconv \\??\\D: /FS:NTFS", 0, 1, "autoconv"},
		{"BootExecute", CHECK "|beb", 1, 0, "resolves-to=%SystemRoot%\\System32\\beb.exe"},
		{"BootExecute", "beb", 1, 0, "number=1"},
		{"BootExecute", CHECK "|async debug x.exe -y", 1, 0, "program=x.exe"},
		{"BootExecute", "autocheck autochk", 1, 0, NULL},
		{"BootExecute", "autocheck", 1, 0, NULL},
		{"BootExecute", "autocheck autochk * evil", 1, 0, NULL},
		{"BootExecute", "autocheck autochk /r \\??\\C:\\x.exe", 1, 0, NULL},
		{"BootExecute", "autocheck c:\\windows\\system32\\autochk *", 1, 0, "is a path"},
		{"BootExecute", "autocheck \xD0\xB0utochk *", 1, 0, "not plain ASCII"},
		{"BootExecute", "autocheck autochk\xC2\xA0*", 1, 0, "not plain ASCII"},
		{"BootExecute", CHECK "||beb", 1, 0, "behind an empty string"},
		{"BootExecute", CHECK "||" CHECK, 0, 1, "behind an empty string"},
		{"BootExecute", "a|b|c", 3, 0, "entry=c"},
		{"BootExecute", CHECK "|aswBoot.exe /A", 1, 0, "known-name=Avast"},
		{"BootExecute", CHECK "|smsss", 1, 0, "imitates smss"},
	};

	(void)state;
	TRY(cases, INDICATOR_BOOT_EXECUTE, REG_MULTI_SZ);
}

static void boot_execute_of_another_type(void **state)
{
	static const struct value_case texts[] = {
		{"BootExecute", CHECK, 1, 0, "type=REG_SZ"},
		{"BootExecute", CHECK "|beb", 1, 1, "entry=beb"},
		{"BootExecute", "beb", 2, 0, "entry=beb"},
	};
	static const struct value_case others[] = {
		{"BootExecute", CHECK, 1, 0, "type=REG_BINARY"},
	};
	struct registry_fact f = fact("BootExecute", 4711, "");

	(void)state;
	TRY(texts, INDICATOR_BOOT_EXECUTE, REG_SZ);
	TRY(others, INDICATOR_BOOT_EXECUTE, REG_BINARY);
	judge(&f, false);
	assert_true(evidence_has("type=4711"));
}

static void an_odd_length_means_nothing(void **state)
{
	struct registry_fact f = fact("BootExecute", REG_MULTI_SZ, CHECK);

	(void)state;
	for (size_t cut = 0; cut < 5; cut++) { /* of the terminators, and one byte of the text */
		judge(&f, false);
		assert_int_equal(count(INDICATOR_BOOT_EXECUTE, FOUND), 0);
		f.bytes--;
	}
	f.bytes -= 2;
	judge(&f, false);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, FOUND), 1);
	f.bytes = 0;
	f.data = NULL;
	judge(&f, false);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, NOTED), 1);
}

static void siblings_of_boot_execute(void **state)
{
	static const struct value_case lists[] = {
		{"BootExecuteNoPnpSync", "beb", 1, 0, NULL},
		{"SETUPEXECUTE", "evil", 1, 0, NULL},
		{"SetupExecuteNoPnpSync", "evil|evil2", 2, 0, NULL},
		{"PlatformExecute", "wpbbin", 1, 0, NULL},
		{"Execute", CHECK, 1, 0, NULL},
		{"Execute", "|", 0, 0, NULL},
		{"SetupExecute", "$", 0, 0, NULL},
		{"SetupExecute",
		 "C:\\Windows\\System32\\poqexec.exe \\??\\C:\\Windows\\WinSxS\\pending.xml", 1, 0,
		 "is a path"},
		{"SetupExecute", "poqexec.exe /display_progress \\SystemRoot\\WinSxS\\pending.xml",
		 0, 1, NULL},
		{"SetupExecute", "poqexec.exe c:\\temp\\x\\SystemRoot\\WinSxS\\pending.xml", 1, 0,
		 NULL},
		{"BootExecuteNoPnpSync",
		 "poqexec.exe /display_progress \\SystemRoot\\WinSxS\\pending.xml", 1, 0, NULL},
		{"RunLevelExecute", "WinInit|ServiceControlManager", 0, 0, NULL},
	};
	static const struct value_case texts[] = {
		{"BootShell", "%SystemRoot%\\system32\\bootim.exe", 0, 0, NULL},
		{"bootshell", "\\SystemRoot\\System32\\BOOTIM.EXE", 0, 0, NULL},
		{"BootShell", "C:\\Windows\\Temp\\bootim.exe", 1, 0, NULL},
		{"BootShell", "%SystemRoot%\\system32\\bootim.exe|behind", 0, 1, "behind"},
		{"S0InitialCommand", "x.exe", 1, 0, NULL},
		{"S0InitialCommand", "", 0, 0, NULL},
	};

	(void)state;
	TRY(lists, INDICATOR_BOOT_EXECUTE_SIBLING, REG_MULTI_SZ);
	TRY(texts, INDICATOR_BOOT_EXECUTE_SIBLING, REG_EXPAND_SZ);
}

static void setup_in_progress_excuses_its_own_programs(void **state)
{
	struct registry_fact f = fact("SetupExecute", REG_MULTI_SZ, "setupcl.exe|evil.exe");

	(void)state;
	judge(&f, false);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE_SIBLING, FOUND), 2);
	f.setup_in_progress = true;
	judge(&f, false);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE_SIBLING, FOUND), 1);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE_SIBLING, NOTED), 1);
	assert_true(evidence_has("entry=evil.exe"));
}

/* ---- services ---- */

static const struct {
	const char *name, *image, *display;
	uint32_t type;
	int severity; /* -1 nothing */
} services[] = {
	{"Helper", "C:\\Windows\\System32\\smss.exe", NULL, 0x10, SEVERITY_HIGH},
	{"Helper", "\"C:\\Temp\\a b\\SMSS.EXE\" -k", NULL, 0x110, SEVERITY_HIGH},
	{"Helper", "C:\\Program Files\\a b\\csrss.exe -x", NULL, 0x10, SEVERITY_HIGH},
	{"Helper", "\\SystemRoot\\System32\\smss.exe", NULL, 1, SEVERITY_HIGH},
	{"Helper", "%SystemRoot%\\system32\\winlogon.exe", NULL, 0x10, SEVERITY_HIGH},
	{"Helper", "C:\\Windows\\Temp\\smsss.exe", NULL, 0x10, SEVERITY_HIGH},
	{"Helper", "C:\\Windows\\svch0st.exe -k x", NULL, 0x20, SEVERITY_HIGH},
	{"Helper", "C:\\Users\\Public\\svchost.exe -k netsvcs", NULL, 0x20, SEVERITY_HIGH},
	{"Helper", "C:\\Windows\\SysWOW64\\svchost.exe -k netsvcs", NULL, 0x20, SEVERITY_INFO},
	{"Helper", "C:\\Windows\\System32\\svchost.exe", NULL, 0x20, SEVERITY_INFO},
	{"smss", "C:\\a.exe", NULL, 0x10, SEVERITY_HIGH},
	{"smss32", "C:\\a.exe", NULL, 0, SEVERITY_HIGH},
	{"Helper", "C:\\a.exe", "SMSS", 0x10, SEVERITY_HIGH},
	{"Helper", "C:\\a.exe", "The csrss helper", 0x10, SEVERITY_HIGH},
	{"Helper", "C:\\a.exe", "windows session manager", 0x10, SEVERITY_HIGH},
	{"Helper", NULL, "\xD1\x95mss", 0x10, SEVERITY_HIGH},
	{"SamSs", "%SystemRoot%\\system32\\lsass.exe", "Security Accounts Manager", 0x20, -1},
	{"SamSs", "C:\\Users\\Public\\lsass.exe", NULL, 0x20, SEVERITY_HIGH},
	{"Dhcp", "%SystemRoot%\\system32\\svchost.exe -k LocalService -p", NULL, 0x20, -1},
	{"Dhcp", "system32\\svchost.exe -k x", NULL, 0x20, -1},
	{"PlugPlay", "%SystemRoot%\\system32\\services.exe", NULL, 0x20, -1},
	{"CcmExec", "C:\\Windows\\CCM\\CcmExec.exe", "SMS Agent Host", 0x10, -1},
	{"LSM", "%SystemRoot%\\system32\\lsm.exe", "Local Session Manager", 0x10, -1},
	{"Ssms", "C:\\Program Files\\SQL\\Ssms.exe", NULL, 0x10, -1},
	{"smsss", "\\SystemRoot\\system32\\drivers\\smsss.sys", NULL, 1, -1},
	{"kvc_smss", "\\??\\C:\\kvc_smss.exe", NULL, 1, -1},
	{"disk", NULL, "@disk.inf,%disk%;Disk Driver", 1, -1},
	{"Empty", "", "", 0x10, -1},
};

static void services_that_are_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		const struct registry_fact f = {.about = REGISTRY_SERVICE,
						.place = {.file = "SYSTEM"},
						.key = "ControlSet001\\Services\\x",
						.name = services[i].name,
						.image_path = services[i].image,
						.display_name = services[i].display,
						.type = services[i].type,
						.written_ns = NO_TIME,
						.current = true};

		judge(&f, false);
		if (told_count != (services[i].severity >= 0) ||
		    (told_count && (told[0].severity != (enum severity)services[i].severity ||
				    told[0].rule != INDICATOR_SERVICE_IMITATION)))
			fail_msg("%s (%s, %s): %u told, severity %d", services[i].name,
				 services[i].image ? services[i].image : "-",
				 services[i].display ? services[i].display : "-", told_count,
				 told_count ? (int)told[0].severity : -1);
	}
}

/* ---- a hive as a whole ---- */

static void a_stale_hive_is_never_clean(void **state)
{
	static const enum indicator_id rules[] = {
		INDICATOR_BOOT_EXECUTE, INDICATOR_BOOT_EXECUTE_SIBLING, INDICATOR_PENDING_RENAME,
		INDICATOR_SERVICE_IMITATION};
	struct registry_fact f = fact("BootExecute", REG_MULTI_SZ, CHECK);

	(void)state;
	for (int damaged = 0; damaged < 2; damaged++) {
		f.stale = !damaged;
		f.degraded = damaged;
		judge(&f, true);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(count(rules[i], UNDECIDED), 1);
		assert_int_equal(told_count, 4);
	}
	f = fact("BootExecute", REG_MULTI_SZ, "beb");
	f.stale = true;
	judge(&f, true);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, FOUND), 1);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, UNDECIDED), 0);
	assert_int_equal(told_count, 4);
}

static void a_missing_boot_execute_is_told(void **state)
{
	struct registry_fact f = fact("GlobalFlag", REG_DWORD, "");

	(void)state;
	judge(&f, true);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, FOUND), 1);
	f.ours = true; /* there, the default holds */
	judge(&f, true);
	assert_int_equal(told_count, 0);
}

static void two_hives_are_two(void **state)
{
	struct registry_judge *j = registry_judge_new(NULL);
	struct registry_fact f = fact("GlobalFlag", REG_DWORD, "");

	(void)state;
	told_count = 0;
	registry_judge_fact(j, &f);
	f = fact("BootExecute", REG_MULTI_SZ, CHECK);
	f.place.file = "OTHER";
	registry_judge_fact(j, &f);
	registry_judge_fact(j, &f);
	registry_judge_end(j);
	registry_judge_free(j);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, FOUND), 2); /* missing; and twice */
}

static void another_set_only_informs(void **state)
{
	struct registry_fact f = fact("BootExecute", REG_MULTI_SZ, "beb");

	(void)state;
	f.current = false;
	f.key = "ControlSet002\\Control\\Session Manager";
	judge(&f, false);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, FOUND), 0);
	assert_int_equal(count(INDICATOR_BOOT_EXECUTE, NOTED), 1);
}

/* ---- hives of Windows ---- */

static unsigned troubles;

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	(void)arg;
	(void)p;
	assert_true(text && *text);
	troubles += t == TROUBLE_INPUT;
}

static struct {
	char name[64];
	uint8_t data[4096];
	size_t bytes;
	uint32_t type;
} seen[128];
static unsigned seen_count;

static void keep_value(void *arg, const struct registry_fact *f)
{
	(void)arg;
	if (f->about != REGISTRY_SESSION_MANAGER || !f->current || seen_count == 128)
		return;
	assert_true(f->bytes <= sizeof(seen[0].data));
	snprintf(seen[seen_count].name, sizeof(seen[0].name), "%s", f->name);
	memcpy(seen[seen_count].data, f->data, f->bytes);
	seen[seen_count].bytes = f->bytes;
	seen[seen_count++].type = f->type;
}

/* What hivexget prints behind the "=" of a value, as type and bytes; false = a form not known. */
static bool parse_printed(const char *s, uint8_t *to, size_t *ret_n, uint32_t *ret_type)
{
	size_t n = 0;
	char *end;

	if (strncmp(s, "dword:", 6) == 0) {
		const uint32_t word = (uint32_t)strtoul(s + 6, NULL, 16);

		memcpy(to, &word, 4);
		*ret_n = 4;
		*ret_type = REG_DWORD;
		return true;
	}
	if (strncmp(s, "hex(", 4) != 0)
		return false;
	*ret_type = (uint32_t)strtoul(s + 4, &end, 10);
	for (s = strchr(end, ':') + 1; isxdigit((unsigned char)*s); s = end + (*end == ','))
		to[n++] = (uint8_t)strtoul(s, &end, 16);
	*ret_n = n;
	return true;
}

static void as_hivexget_says(const char *hive)
{
	static char line[16384];
	static uint8_t want[4096];
	const struct sink to = {.registry = keep_value, .trouble = on_trouble};
	char command[512];
	uint64_t records;
	unsigned compared = 0;
	FILE *f;

	seen_count = 0;
	assert_int_equal(read_hive(hive, NULL, 0, &to, &records), 0);
	snprintf(command, sizeof(command), "hivexget '%s' '%s'", hive, KEY);
	f = popen(command, "r"); /* a fixed name: nothing of evidence is in it */
	assert_non_null(f);
	for (unsigned row = 0; fgets(line, sizeof(line), f); row++) {
		char *name = line + 1, *end = strstr(line, "\"=");
		uint32_t type = 0;
		size_t n = 0;

		assert_non_null(end);
		*end = '\0';
		assert_true(row < seen_count);
		assert_string_equal(seen[row].name, name);
		if (!parse_printed(end + 2, want, &n, &type))
			continue;
		assert_int_equal(seen[row].type, type);
		assert_int_equal(seen[row].bytes, n);
		assert_memory_equal(seen[row].data, want, n);
		compared++;
	}
	assert_int_equal(pclose(f), 0);
	assert_true(compared > 0);
}

static void values_are_those_of_hivexget(void **state)
{
	static const char *const hives[] = {HIVES "hives/win7-x86.SYSTEM",
					    HIVES "hives/win8-x64-dirty-nolog.SYSTEM",
					    HIVES "synthetic/syn-bootexecute-extra.SYSTEM",
					    HIVES "synthetic/syn-pfro-system32-replace.SYSTEM"};

	(void)state;
	if (access(hives[0], R_OK) != 0 || system("command -v hivexget >/dev/null") != 0) {
		print_message("no hives of Windows beside this project, or no hivexget\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(hives) / sizeof(hives[0]); i++)
		as_hivexget_says(hives[i]);
}

static void what_is_no_hive_says_so(void **state)
{
	const struct sink to = {.trouble = on_trouble};
	uint64_t records = 7;

	(void)state;
	troubles = 0;
	assert_int_equal(read_hive("/nonexistent/SYSTEM", NULL, 0, &to, &records), -ENOENT);
	assert_true(read_hive("/", NULL, 0, &to, &records) < 0);
	assert_true(read_hive("/dev/null", NULL, 0, &to, &records) < 0);
	assert_true(read_hive("/proc/self/exe", NULL, 0, &to, &records) < 0);
	assert_int_equal(troubles, 4);
	assert_int_equal(records, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot_execute_defaults_and_strangers),
		cmocka_unit_test(boot_execute_of_another_type),
		cmocka_unit_test(an_odd_length_means_nothing),
		cmocka_unit_test(siblings_of_boot_execute),
		cmocka_unit_test(setup_in_progress_excuses_its_own_programs),
		cmocka_unit_test(services_that_are_none),
		cmocka_unit_test(a_stale_hive_is_never_clean),
		cmocka_unit_test(a_missing_boot_execute_is_told),
		cmocka_unit_test(two_hives_are_two),
		cmocka_unit_test(another_set_only_informs),
		cmocka_unit_test(values_are_those_of_hivexget),
		cmocka_unit_test(what_is_no_hive_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
