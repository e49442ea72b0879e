/* SPDX-License-Identifier: MIT */
/*
 * schema.c - looking names up in the schema; see schema.h
 */
#include "registry/schema.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

static const char *const key_paths[KEY_COUNT] = {
	[KEY_SESSION_MANAGER] = "Session Manager",
	[KEY_MEMORY] = "Session Manager\\Memory Management",
	[KEY_SUBSYSTEMS] = "Session Manager\\SubSystems",
	[KEY_ENVIRONMENT] = "Session Manager\\Environment",
	[KEY_DOS_DEVICES] = "Session Manager\\DOS Devices",
	[KEY_KNOWN_DLLS] = "Session Manager\\KnownDLLs",
	[KEY_FILE_RENAME] = "Session Manager\\FileRenameOperations",
	[KEY_SESSIONS] = "Session Manager\\Sessions",
	[KEY_CRASH] = "CrashControl",
	[KEY_COMPUTER] = "ComputerName\\ComputerName",
	[KEY_WINLOGON] = "Winlogon",
	[KEY_WININIT] = "Wininit",
};

/* NT's own names (nt-reference §2.1 to §2.4) that nothing here reads. */
static const char *const nt_manager[] = {
	"AlpcMessageLog",
	"AlpcWakePolicy",
	"BackgroundLoadKnownDlls",
	"BootShell",
	"CWDIllegalInDllSearch",
	"ClearTempFiles",
	"CriticalSectionTimeout",
	"Debugger Retries",
	"DisableIFEOCaching",
	"DisableWpbtExecution",
	"GlobalFlag",
	"GlobalFlag2",
	"HeapDeCommitFreeBlockThreshold",
	"HeapDeCommitTotalFreeThreshold",
	"HeapSegmentCommit",
	"HeapSegmentReserve",
	"ImageExecutionOptions",
	"InitConsoleFlags",
	"InitialCommand",
	"LicensedProcessors",
	"MultiUsersInSessionSupported",
	"ObjectSecurityMode",
	"PowerPolicySimulate",
	"ProcessorControl",
	"ProtectionMode",
	"RaiseExceptionOnPossibleDeadlock",
	"RegisteredProcessors",
	"ResourceCheckFlags",
	"ResourcePolicies",
	"ResourceTimeoutCount",
	"RunLevelExecute",
	"RunLevelValidate",
	"SafeDllSearchMode",
	"SafeProcessSearchMode",
	"SkipRegistryInit",
	"SystemUpdateOnBoot",
	"TempFileDirectory",
};

static const char *const nt_memory[] = {
	"DedicatedMemoryPagefileSizeMB",
	"DisableDedicatedMemoryCaching",
	"DisablePagingExecutive",
	"FeatureSettings",
	"FeatureSettingsOverride",
	"FeatureSettingsOverrideMask",
	"LargeSystemCache",
	"MoveImages",
	"NonPagedPoolQuota",
	"NonPagedPoolSize",
	"PagedPoolQuota",
	"PagedPoolSize",
	"PagefileHybridPriority",
	"PagefileOnOsVolume",
	"PhysicalAddressExtension",
	"SecondLevelDataCache",
	"SessionPoolSize",
	"SessionViewSize",
	"SwapFile",
	"SwapfileControl",
	"SystemPages",
	"WaitForPagingFiles",
};

static const char *const nt_subsystems[] = {"CsrSrvSharedSectionBase", "Kmode", "Posix",
					    "PosixSingleInstance", ""};

static const char *const nt_crash[] = {
	"AlwaysKeepMemoryDump", "CrashDumpEnabled",   "DedicatedDumpFile", "DumpFile",
	"DumpFileSize",         "DumpFilters",        "DumpLogLevel",      "EnableLogFile",
	"FilterPages",          "IgnorePagefileSize", "LastCrashTime",     "LogEvent",
	"MinidumpDir",          "MinidumpsCount",     "Overwrite",         "SendAlert",
};

static const char *const nt_computer[] = {""}; /* an unused default value */

static const char *const nt_keys[] = {
	"ApiSetSchemaExtensions",
	"AppCertDlls",
	"AppCompatCache",
	"AppPatches",
	"Configuration Manager",
	"Executive",
	"I/O System",
	"NamespaceSeparation",
	"Power",
	"Quota System",
	"Segment Heap",
	"WPA",
	"kernel",
};

static bool in_list(const char *const *list, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_same_fold(list[i], name))
			return true;
	return false;
}

bool schema_nt_value(enum schema_key key, const char *name)
{
	switch (key) {
	case KEY_SESSION_MANAGER:
		return in_list(nt_manager, ARRAY_SIZE(nt_manager), name);
	case KEY_MEMORY:
		return in_list(nt_memory, ARRAY_SIZE(nt_memory), name);
	case KEY_SUBSYSTEMS:
		return in_list(nt_subsystems, ARRAY_SIZE(nt_subsystems), name);
	case KEY_CRASH:
		return in_list(nt_crash, ARRAY_SIZE(nt_crash), name);
	case KEY_COMPUTER:
		return in_list(nt_computer, ARRAY_SIZE(nt_computer), name);
	case KEY_KNOWN_DLLS:
		return str_same_fold(name, "DllDirectory32");
	default:
		return false;
	}
}

bool schema_nt_key(const char *name)
{
	return in_list(nt_keys, ARRAY_SIZE(nt_keys), name);
}

bool schema_our_key(const char *name)
{
	const size_t skip = strlen("Session Manager\\");

	for (unsigned k = KEY_MEMORY; k <= KEY_SESSIONS; k++)
		if (str_same_fold(key_paths[k] + skip, name))
			return true;
	return false;
}

const char *schema_key_path(enum schema_key key)
{
	return key_paths[key];
}

const struct schema_row *schema_find(enum schema_key key, const char *name)
{
	const struct schema_row *any = NULL, *row;
	size_t count;

	row = schema_rows(&count);
	for (size_t i = 0; i < count; i++) {
		if (row[i].key != key)
			continue;
		if (str_same(row[i].name, "*"))
			any = &row[i];
		else if (str_same_fold(row[i].name, name))
			return &row[i];
	}
	return any;
}

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

#define WORD_MAX 47u /* our longest name has 28 letters */

unsigned schema_distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1], *now = row[0], *last = row[1], *before = row[2];
	unsigned an = (unsigned)strlen(a), bn = (unsigned)strlen(b);

	if (an > WORD_MAX || bn > WORD_MAX)
		return WORD_MAX + 1;
	for (unsigned k = 0; k <= bn; k++)
		now[k] = k;
	for (unsigned i = 1; i <= an; i++) {
		unsigned *free_row = before;

		before = last;
		last = now;
		now = free_row;
		now[0] = i;
		for (unsigned k = 1; k <= bn; k++) {
			char x[2] = {a[i - 1], 0}, y[2] = {b[k - 1], 0};
			unsigned change = !str_same_fold(x, y);

			now[k] = least(least(last[k] + 1, now[k - 1] + 1), last[k - 1] + change);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
	}
	return now[bn];
}

const char *schema_suggest(enum schema_key key, const char *name)
{
	const struct schema_row *row;
	const char *best = NULL;
	unsigned nearest = WORD_MAX;
	size_t count;

	row = schema_rows(&count);
	for (size_t i = 0; i < count; i++) {
		unsigned d;

		if (row[i].key != key || str_same(row[i].name, "*"))
			continue;
		d = schema_distance(name, row[i].name);
		if (d < nearest && d <= 1 + strlen(row[i].name) / 6) {
			nearest = d;
			best = row[i].name;
		}
	}
	return best;
}

const char *schema_types(unsigned types, char room[80])
{
	static const struct {
		unsigned type;
		const char *word;
	} words[] = {{TYPE_MULTI, "REG_MULTI_SZ"},
		     {TYPE_SZ, "REG_SZ"},
		     {TYPE_EXPAND, "REG_EXPAND_SZ"},
		     {TYPE_DWORD, "REG_DWORD"}};
	struct text t = text_start(room, 80);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!(types & words[i].type))
			continue;
		text_add(&t, t.len ? " or " : "");
		text_add(&t, words[i].word);
	}
	return room;
}
