/* SPDX-License-Identifier: MIT */
/*
 * test_registry_schema.c - each value that drives smss: a good, a mistyped, an out-of-range case
 *
 * The last tests make sure that no row of the schema is without its line here, and that the manual
 * page is what the schema says: type, range, default, meaning, example, of every value.
 */
#include "registry_case.h"

#include "registry/schema.h"

#define SM "Session Manager"
#define MM SM "\\Memory Management"
#define LONG64                                                                                     \
	"M:/a|/b|/c|/d|/e|/f|/g|/h|/i|/j|/k|/l|/m|/n|/o|/p|/q|/r|/s|/t|/u|/v|/w|/x|/y|/z|"         \
	"/a|/b|/c|/d|/e|/f|/g|/h|/i|/j|/k|/l|/m|/n|/o|/p|/q|/r|/s|/t|/u|/v|/w|/x|/y|/z|"           \
	"/a|/b|/c|/d|/e|/f|/g|/h|/i|/j|/k|/l|/m"

static const struct {
	const char *key, *name, *good, *mistyped, *outside;
} cases[] = {
	/* clang-format off */
	{ SM, "BootExecute", "M:autocheck autochk *", "S:autocheck autochk *", "M:autocheck" },
	{ SM, "BootExecuteNoPnpSync", "M:async /sbin/splash", "D:1", LONG64 },
	{ SM, "SetupExecute", "M:/sbin/first", "X:/sbin/first", "M:/sbin/../first" },
	{ SM, "SetupExecuteNoPnpSync", "M:first", "B:00", "M:dir/first" },
	{ SM, "Execute", "M:", "S:", "M:async" },
	{ SM, "PendingFileRenameOperations", "M:/a||/b|!/c", "S:/a", "M:/a" },
	{ SM, "PendingFileRenameOperations2", "M:/a|/b", "D:0", "M:a|/b" },
	{ SM, "AllowProtectedRenames", "D:1", "S:1", "D:2" },
	{ SM, "PendingKeepCount", "D:0", "S:4", "D:4097" },
	{ SM, "PendingKeepDays", "D:36500", "S:30", "D:36501" },
	{ SM, "PendingKeepMiB", "D:0", "S:1024", "D:16777217" },
	{ SM, "ObjectDirectories", "M:\\Windows|\\RPC Control", "S:\\Windows", "M:\\..\\etc" },
	{ SM, "ExcludeFromKnownDlls", "M:libm.so.6", "D:1", "M:/lib/libm.so.6" },
	{ SM, "KnownDllsPolicy", "S:Exclude", "D:1", "S:perhaps" },
	{ SM, "ImagePolicy", "S:Off", "D:1", "S:perhaps" },
	{ SM, "NumberOfInitialSessions", "D:2", "S:2", "D:0" },
	{ SM, "Consoles", "M:/dev/tty1|/dev/ttyS0", "S:/dev/tty1", "M:/dev/tty1|/etc/x" },
	{ SM, "SessionOperators", "S:operators", "D:5", "S:a b" },
	{ SM, "S0InitialCommand", "S:wininit", "M:wininit", "S:bin/wininit" },
	{ SM, "AutoChkTimeOut", "D:0", "S:8", "D:259201" },
	{ SM, "AutoChkSkipSystemPartition", "D:1", "B:01", "D:2" },
	{ SM, "BootGoodSeconds", "D:30", "S:30", "D:86401" },
	{ SM, "BootAttempts", "D:3", "S:3", "D:0" },
	{ SM, "SignalDialect", "S:busybox", "D:1", "S:sysv" },
	{ SM, "ExecuteDeadline", "D:60", "S:60", "D:0" },
	{ SM, "AutochkDeadline", "D:0", "S:0", "D:604801" },
	{ SM, "PnpDeadline", "D:5", "M:5", "D:3601" },
	{ SM, "RescueUnlocked", "D:1", "S:yes", "D:9" },
	{ MM, "PagingFiles", "M:/pagefile.sys 64 0x80|?:\\pagefile.sys", "S:/pagefile.sys", "M:/p 9 3" },
	{ MM, "ExistingPageFiles", "M:/pagefile.sys", "S:/pagefile.sys", "M:pagefile.sys" },
	{ MM, "TempPageFile", "D:1", "S:1", "D:2" },
	{ MM, "ClearPageFileAtShutdown", "D:0", "S:0", "D:7" },
	{ SM "\\SubSystems", "Required", "M:Debug|Windows", "S:Windows", "M:"
	  "a-name-of-a-subsystem-that-is-longer-than-any-name-may-be" },
	{ SM "\\SubSystems", "Optional", "M:", "D:1", LONG64 },
	{ SM "\\SubSystems", "Windows", "X:csrss ObjectDirectory=\\Windows", "D:1", "S:sub/csrss" },
	{ SM "\\SubSystems", "Debug", "X:", "M:", "S:./ntsd" },
	{ SM "\\Environment", "EDITOR", "S:/usr/bin/vi", "D:1", "S:a\nb" },
	{ SM "\\DOS Devices", "log", "S:/run/log", "D:1", "S:a\tb" },
	{ SM "\\KnownDLLs", "DllDirectory", "S:/usr/lib", "D:1", "S:lib" },
	{ SM "\\KnownDLLs", "libz", "S:libz.so.1", "M:libz.so.1", "S:libz.so.1 sha256:12" },
	{ SM "\\FileRenameOperations", "1", "S:/var/tmp/x", "D:1", "S:/var/../x" },
	{ SM "\\Sessions\\Default", "InitialCommand", "S:winlogon", "D:1", "S:" },
	{ SM "\\Sessions\\1", "Console", "S:/dev/tty1", "X:/dev/tty1", "S:/etc/passwd" },
	{ SM "\\Sessions\\1", "StartDeadline", "D:0", "S:60", "D:3601" },
	{ SM "\\Sessions\\1", "RegisterDeadline", "D:60", "M:60", "D:3601" },
	{ SM "\\Sessions\\1", "CopyAheadSeconds", "D:0", "S:5", "D:3601" },
	{ SM "\\Sessions\\1", "StopDeadline", "D:10", "S:10", "D:0" },
	{ SM "\\Sessions\\1", "WaitToKillAppTimeout", "S:20000", "M:20000", "S:20 s" },
	{ SM "\\Sessions\\1", "Isolation", "M:Mount|ipc|dev", "S:mount", "M:mount|user" },
	{ SM "\\Sessions\\1", "MemoryMaxMiB", "D:0", "S:64", "D:16777217" },
	{ SM "\\Sessions\\1", "IoMaxMiB", "D:64", "S:64", "D:16777217" },
	{ SM "\\Sessions\\1", "ProcessesMax", "D:64", "S:64", "D:3" },
	{ SM "\\Sessions\\1", "CpuMaxPercent", "D:150", "S:150", "D:409601" },
	{ SM "\\Sessions\\1", "CpuWeight", "D:100", "S:100", "D:10001" },
	{ SM "\\Sessions\\1", "IoWeight", "D:10000", "S:100", "D:0" },
	{ SM "\\Sessions\\1", "Owner", "S:kiosk", "D:1000", "S:-kiosk" },
	{ SM "\\Sessions\\1", "NoNewPrivileges", "D:1", "S:1", "D:2" },
	{ SM "\\Sessions\\1", "Capabilities", "M:kill|NET_raw", "S:none", "M:kill|none" },
	{ SM "\\Sessions\\1", "Umask", "S:0027", "D:23", "S:0028" },
	{ SM "\\Sessions\\1", "Limits", "M:nofile 1024|core 0|nice unlimited", "S:core 0", "M:nofile" },
	{ SM "\\Sessions\\1", "OomScoreAdjust", "S:-1000", "D:500", "S:-1001" },
	{ SM "\\Sessions\\1", "IdleTimeout", "D:900", "S:900", "D:31536001" },
	{ SM "\\Sessions\\1", "MaxLifetime", "D:0", "S:0", "D:31536001" },
	{ SM "\\Sessions\\1", "Environment", "M:LANG=C|X=", "S:LANG=C", "M:LANG=C|=x" },
	{ SM "\\Sessions\\1", "Links", "M:input/mouse /dev/input/mice", "S:a /b", "M:../x /dev/null" },
	{ "SafeBoot\\Minimal\\sshd", "", "S:Service", "D:1", "S:Ser\tvice" },
	{ "CrashControl", "AutoReboot", "D:1", "S:1", "D:2" },
	{ "ComputerName\\ComputerName", "ComputerName", "S:smss-demo", "D:1", "S:a b" },
	{ "Winlogon", "AutoAdminLogon", "S:1", "M:1", "S:2" },
	{ "Winlogon", "DefaultUserName", "S:root", "D:0", "S:ro:ot" },
	{ "Winlogon", "Shell", "S:/bin/bash -l", "D:1", "S:bin/bash" },
	{ "Winlogon", "Login", "S:/bin/login", "D:1", "S:/bin//login" },
	{ "Winlogon", "Greeter", "S:/sbin/agetty - linux", "D:1", "S:../agetty" },
	{ "Winlogon", "Pam", "D:1", "M:1", "S:yes" },
	{ "Wininit", "Supervisor", "S:runsvdir -P /etc/service", "D:1", "S:x/runsvdir" },
	{ "Wininit", "ServicesDirectory", "S:/etc/service", "M:/etc/service", "S:service" },
	{ "Wininit", "SupervisorStopSeconds", "D:10", "S:10", "D:0" },
	/* clang-format on */
};

static const char *error_of(const char *key, const char *name, const char *what, char room[512])
{
	struct made m = {0};
	char ending[300];
	const char *text;

	case_start(&m.tree);
	case_value(&m.tree, key, name, what);
	case_plan(&m);
	snprintf(ending, sizeof(ending), "\\%s", *name ? name : "(default)");
	text = case_remark(&m, PLAN_NOTE_ERROR, ending);
	if (text)
		snprintf(room, 512, "%s", text);
	else if (m.remarks.errors)
		snprintf(room, 512, "an error at another value");
	text = m.remarks.errors ? room : NULL;
	case_end(&m);
	return text;
}

static void each_value_knows_good_from_bad(void **state)
{
	char room[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *e = error_of(cases[i].key, cases[i].name, cases[i].good, room);

		if (e)
			fail_msg("%s = %s: must be good, got: %s", cases[i].name, cases[i].good, e);
		e = error_of(cases[i].key, cases[i].name, cases[i].mistyped, room);
		if (!e || !strstr(e, "its type is"))
			fail_msg("%s = %s: must be mistyped, got: %s", cases[i].name,
				 cases[i].mistyped, e ? e : "nothing");
		e = error_of(cases[i].key, cases[i].name, cases[i].outside, room);
		if (!e || strstr(e, "its type is"))
			fail_msg("%s = %s: must be out of range, got: %s", cases[i].name,
				 cases[i].outside, e ? e : "nothing");
	}
}

static void platform_execute_is_refused_aloud(void **state)
{
	struct made m = {0};

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM, "PlatformExecute", "M:wpbbin");
	case_plan(&m);
	assert_non_null(case_remark(&m, PLAN_NOTE_REFUSED, "\\PlatformExecute"));
	assert_int_equal(m.remarks.errors, 0);
	case_end(&m);
}

static void what_is_not_done_yet_says_so(void **state)
{
	struct made m = {0};
	const struct plan_header *p;
	bool in_plan = false;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, MM, "TempPageFile", "D:1");
	case_plan(&m);
	assert_non_null(case_remark(&m, PLAN_NOTE_NOT_YET, "\\TempPageFile"));
	p = m.plan.plan;
	for (uint32_t i = 0; i < plan_count(p, PLAN_NOTES); i++)
		in_plan |= plan_row_at(p, PLAN_NOTES, i)->flags == PLAN_NOTE_NOT_YET;
	assert_true(in_plan);
	case_end(&m);
}

static void unknown_names_get_a_suggestion(void **state)
{
	struct made m = {0};
	const char *text;

	(void)state;
	case_start(&m.tree);
	case_value(&m.tree, SM, "BootExecut", "M:autocheck autochk *");
	case_value(&m.tree, SM, "SomethingElse", "D:1");
	case_value(&m.tree, SM, "ProtectionMode", "D:1");
	case_value(&m.tree, SM "\\Enviroment", "X", "S:1");
	case_value(&m.tree, SM "\\Executive", "X", "S:1");
	case_plan(&m);
	text = case_remark(&m, PLAN_NOTE_UNKNOWN, "\\BootExecut");
	assert_non_null(text);
	assert_non_null(strstr(text, "did you mean BootExecute?"));
	text = case_remark(&m, PLAN_NOTE_UNKNOWN, "\\SomethingElse");
	assert_non_null(text);
	assert_null(strstr(text, "did you mean"));
	assert_non_null(case_remark(&m, REMARK_UNUSED, "\\ProtectionMode"));
	assert_non_null(case_remark(&m, PLAN_NOTE_UNKNOWN, "\\Enviroment\\"));
	assert_non_null(case_remark(&m, REMARK_UNUSED, "\\Executive\\"));
	assert_int_equal(m.remarks.errors, 0);
	case_end(&m);
}

/* A typo where it hurts most: below the keys, where nothing else would say so. */
static void typos_below_are_pointed_out(void **state)
{
	static const struct {
		const char *key, *name, *what, *ending, *near;
	} typos[] = {
		{MM, "PagingFile", "M:/p 64 64", "\\PagingFile", "mean PagingFiles?"},
		{MM, "ClearPagefileAtShutdwn", "D:1", "AtShutdwn", "ClearPageFileAtShutdown?"},
		{MM "\\Paging", "X", "S:1", "Management\\Paging\\", "no key of that name"},
		{MM "\\PagingFiles", "X", "S:1", "\\PagingFiles\\", "is a value, not a key"},
		{SM "\\SubSystems", "Requird", "M:Windows", "\\Requird", "mean Required?"},
		{SM "\\SubSystems", "Optinal", "M:Posix", "\\Optinal", "mean Optional?"},
		{SM "\\SubSystems\\Windows", "X", "S:1", "\\Windows\\", "is a value"},
		{SM "\\KnownDLLs", "DllDirectry", "S:libx.so", "Directry", "mean DllDirectory?"},
		{SM "\\Sessions\\0", "StopDedline", "D:1", "0\\StopDedline", "StopDeadline?"},
		{SM "\\Sessions\\1\\Isolaton", "X", "D:1", "1\\Isolaton\\", "no key"},
		{SM "\\Sessions\\Defalt", "Console", "S:/dev/x", "\\Defalt\\", "mean Default?"},
		{SM "\\Sessions\\7000", "Console", "S:/dev/x", "\\7000\\", "from 0 to 1023"},
		{"CrashControl", "AutoRebot", "D:0", "\\AutoRebot", "mean AutoReboot?"},
		{"CrashControl\\Mine", "X", "D:0", "\\Mine\\", "no key of that name"},
		{"Winlogon", "AutoAdminLogn", "S:1", "AdminLogn", "mean AutoAdminLogon?"},
		{"Wininit", "Supervizor", "S:x", "\\Supervizor", "mean Supervisor?"},
		{"Wininit\\Services", "X", "S:x", "\\Services\\", "no key of that name"},
		{"SafeBoot\\Minmal\\x", "", "S:Service", "\\Minmal\\", "mean Minimal?"},
		{"SafeBoot\\Minimal", "sshd", "S:Service", "\\sshd", "by a key of its name"},
		{"SafeBoot\\Minimal\\x\\y", "", "S:Service", "x\\y\\", "no key of that name"},
		{"SafeBoot\\Minimal\\x", "Type", "S:Service", "x\\Type", "no value of that"},
		/* right, at a wrong place */
		{SM, "PagingFiles", "M:/p", "Manager\\PagingFiles",
		 "Memory Management\\PagingFiles?"},
		{SM, "StopDeadline", "D:5", "\\StopDeadline", "Sessions\\Default\\StopDeadline?"},
		{SM "\\Sessions", "Console", "S:/dev/x", "\\Console", "mean Default\\Console?"},
		{SM, "Shell", "S:/bin/sh", "Manager\\Shell", "mean Winlogon\\Shell?"},
		{MM "\\Environment", "X", "S:1", "Environment\\", "Session Manager\\Environment?"},
		{SM "\\Winlogon", "X", "S:1", "Winlogon\\", "mean Winlogon?"},
	};
	/* clang-format off */
	static const struct { const char *key, *name, *what; } quiet[] = {
		{ MM "\\PrefetchParameters", "X", "D:1" }, { "SafeBoot", "AlternateShell", "S:cmd.exe" },
		{ SM "\\SubSystems\\CSRSS", "X", "D:1" }, { "SafeBoot\\Option", "OptionValue", "D:1" },
		{ "SafeBoot\\Minimal\\Base", "", "S:Driver Group" }, { "Winlogon\\Notifications", "X", "D:1" },
		{ "SafeBoot\\Network\\sshd", "", "S:service" }, { "CrashControl\\MachineCrash", "X", "D:1" },
	};
	/* clang-format on */
	struct made m = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(typos) / sizeof(typos[0]); i++) {
		const char *text;

		memset(&m, 0, sizeof(m));
		case_start(&m.tree);
		case_value(&m.tree, typos[i].key, typos[i].name, typos[i].what);
		case_plan(&m);
		text = case_remark(&m, PLAN_NOTE_UNKNOWN, typos[i].ending);
		if (!text || !strstr(text, typos[i].near))
			fail_msg("%s\\%s: %s", typos[i].key, typos[i].name,
				 text ? text : "nothing said");
		case_end(&m);
	}
	memset(&m, 0, sizeof(m));
	case_start(&m.tree);
	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++)
		case_value(&m.tree, quiet[i].key, quiet[i].name, quiet[i].what);
	case_plan(&m);
	for (size_t i = 0; i < m.remarks.count; i++)
		if (m.remarks.at[i].kind != REMARK_UNUSED)
			fail_msg("%s: %s", m.remarks.at[i].path, m.remarks.at[i].text);
	case_end(&m);
}

static void mistyped_words_and_keys_are_pointed_out(void **state)
{
	static const struct {
		const char *line, *near;
	} lines[] = {
		{"autochek autochk *", "autocheck"},
		{"autocheck asnyc /bin/x", "async"},
		{"ASYNCH /bin/x", "async"},
		{"autochk *", NULL},
		{"sync -f /", NULL},
		{"autocheck autochk *", NULL},
		{"/bin/async x", NULL},
	};
	struct made m;
	char what[80];

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *text;

		memset(&m, 0, sizeof(m));
		case_start(&m.tree);
		snprintf(what, sizeof(what), "M:%s", lines[i].line);
		case_value(&m.tree, SM, "BootExecute", what);
		case_plan(&m);
		text = case_remark(&m, PLAN_NOTE_WARNING, "\\BootExecute");
		if (!text != !lines[i].near || (text && !strstr(text, lines[i].near)))
			fail_msg("%s: %s", lines[i].line, text ? text : "nothing said");
		case_end(&m);
	}
}

static void keys_that_nobody_reads_are_named(void **state)
{
	static const struct {
		const char *path, *ending, *near;
	} keys[] = {
		{CONTROL "Sesion Manager", "Sesion Manager\\", "mean Session Manager?"},
		{CONTROL "Winlogn", "Winlogn\\", "mean Winlogon?"},
		{CONTROL "Subsystems", "Subsystems\\", "Control\\Session Manager\\SubSystems?"},
		{CONTROL SM "\\Enviroment", "Enviroment\\", "mean Environment?"},
		{SM, "SYSTEM\\Session Manager\\", "CurrentControlSet\\Control\\Session Manager?"},
		{"CurrentControlSet\\Contol", "ControlSet001\\Contol\\", "mean Control?"},
		{CONTROL "Entirely Else", "Entirely Else\\", "is known here"},
	};
	static const char *const quiet[] = {CONTROL "Lsa", "Setup", "CurrentControlSet\\Services",
					    "ControlSet002"};
	struct plan_source from = {.set = 1};
	struct made m = {0};
	struct reg_key *k;
	size_t said;

	(void)state;
	case_start(&m.tree);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(tree_make(&m.tree, quiet[i], strlen(quiet[i]), &k), 0);
	case_plan(&m);
	from.tree = &m.tree;
	plan_names(&from, &m.remarks);
	for (size_t i = 0; i < m.remarks.count; i++)
		assert_int_equal(m.remarks.at[i].kind, REMARK_UNUSED);
	said = m.remarks.count;
	assert_int_equal(said, 3); /* a second set is no news */
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_int_equal(tree_make(&m.tree, keys[i].path, strlen(keys[i].path), &k), 0);
	plan_made_free(&m.plan);
	tree_free(&m.scratch);
	case_plan(&m);
	plan_names(&from, &m.remarks);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *text = case_remark(&m, PLAN_NOTE_UNKNOWN, keys[i].ending);

		if (!text || !strstr(text, keys[i].near))
			fail_msg("%s: %s", keys[i].path, text ? text : "nothing said");
	}
	case_end(&m);
}

static void every_row_has_its_case(void **state)
{
	size_t count;
	const struct schema_row *row = schema_rows(&count);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		bool found = row[i].grammar == GRAMMAR_REFUSED || strcmp(row[i].name, "*") == 0;

		for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
			found |= strcmp(cases[k].name, row[i].name) == 0;
		if (!found)
			fail_msg("no case for %s", row[i].name);
	}
}

/* As mdoc wants it: a backslash is written \e. */
static void put(char *to, size_t cap, const char *form, const char *text)
{
	char room[512];
	size_t n = 0;

	for (; *text && n + 3 < sizeof(room); text++) {
		room[n++] = *text;
		if (*text == '\\')
			room[n++] = 'e';
	}
	room[n] = 0;
	snprintf(to + strlen(to), cap - strlen(to), form, room);
}

/* What the page says of a row: type, meaning, range, default, example, state. */
static void item_of(const struct schema_row *row, char item[2048])
{
	char types[80], range[64];
	const size_t cap = 2048;

	item[0] = 0;
	put(item, cap, ".It Va %s ",
	    !row->name[0]                 ? "(Default)"
	    : strcmp(row->name, "*") == 0 ? "NAME"
					  : row->name);
	put(item, cap, "Pq %s\n", schema_types(row->types, types));
	put(item, cap, "%s.\n", row->meaning);
	if (row->grammar == GRAMMAR_SIGNED)
		snprintf(range, sizeof(range), "From %d to %d.\n", (int)row->min, (int)row->max);
	else
		snprintf(range, sizeof(range), "%srom %u to %u.\n", row->or_zero ? "0, or f" : "F",
			 row->min, row->max);
	if (row->grammar == GRAMMAR_NUMBER || row->grammar == GRAMMAR_SIGNED)
		put(item, cap, "%s", range);
	if (row->grammar == GRAMMAR_CHOICE)
		put(item, cap, "One of: %s.\n", row->words);
	if (row->grammar == GRAMMAR_ISOLATION)
		put(item, cap, "One of or more of: %s.\n", row->words);
	if (row->grammar == GRAMMAR_LIMITS)
		put(item, cap, "Names: %s.\n", row->words);
	put(item, cap, "Default: %s.\n",
	    strcmp(row->otherwise, "-") == 0 ? "absent" : row->otherwise);
	put(item, cap, "Example:\n.Ql %s\n", row->example);
	if (row->state == SCHEMA_NOT_YET)
		put(item, cap, "%s",
		    ".Em Not yet :\nread and checked, not acted on in this version.\n");
	if (row->state == SCHEMA_REFUSED)
		put(item, cap, "%s", ".Em Refused\nby design.\n");
}

/* The part of the page that tells of a key: from its heading to the next one. */
static char *section_of(enum schema_key key, const char *page)
{
	const char *path = key == KEY_SESSIONS ? "Session Manager\\Sessions\\Default, \\N"
			   : key == KEY_SAFE_BOOT
				   ? "SafeBoot\\Minimal\\NAME, SafeBoot\\Network\\NAME"
				   : schema_key_path(key);
	char heading[128] = "";
	const char *at, *end;

	put(heading, sizeof(heading), "\n.Ss %s\n", path);
	at = strstr(page, heading);
	if (!at)
		fail_msg("smss-registry.5 has no part for %s", path);
	at += strlen(heading);
	end = strstr(at, "\n.S");
	assert_non_null(end);
	return strndup(at, (size_t)(end - at) + 1);
}

static unsigned count_of(const char *page, const char *what)
{
	unsigned count = 0;

	for (; (page = strstr(page, what)); page += strlen(what))
		count++;
	return count;
}

static void the_manual_says_what_the_schema_says(void **state)
{
	static char page[200000], item[2048];
	size_t count, n;
	const struct schema_row *row = schema_rows(&count);
	FILE *f = fopen(REGISTRY_PAGE, "r");
	char *values, *end;

	(void)state;
	assert_non_null(f);
	n = fread(page, 1, sizeof(page) - 1, f);
	fclose(f);
	page[n] = '\0';
	for (size_t i = 0; i < count; i++) {
		char *section = section_of(row[i].key, page);

		assert_true(row[i].meaning && row[i].meaning[0]);
		assert_true(row[i].example && row[i].example[0]);
		assert_true(row[i].otherwise && row[i].otherwise[0]);
		item_of(&row[i], item);
		if (!strstr(section, item))
			fail_msg("smss-registry.5 does not say of %s what the schema does:\n%s",
				 row[i].name, item);
		free(section);
	}
	values = strstr(page, "\n.Sh VALUES\n");
	assert_non_null(values);
	end = strstr(values + 1, "\n.Sh ");
	assert_non_null(end);
	*end = 0;
	assert_int_equal(count_of(values, "\n.It Va "), count); /* and of nothing else */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_knows_good_from_bad),
		cmocka_unit_test(platform_execute_is_refused_aloud),
		cmocka_unit_test(what_is_not_done_yet_says_so),
		cmocka_unit_test(unknown_names_get_a_suggestion),
		cmocka_unit_test(mistyped_words_and_keys_are_pointed_out),
		cmocka_unit_test(keys_that_nobody_reads_are_named),
		cmocka_unit_test(typos_below_are_pointed_out),
		cmocka_unit_test(every_row_has_its_case),
		cmocka_unit_test(the_manual_says_what_the_schema_says),
	};

	return cmocka_run_group_tests_name("registry-schema", tests, NULL, NULL);
}
