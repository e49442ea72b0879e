/* SPDX-License-Identifier: MIT */
/*
 * schema_nt.c - names of NT's own that nothing here reads: told apart from mistyped ones
 *
 * A hive of Windows is full of them. Only names that public documentation of Windows tells of, or
 * that every hive shows. Pure tables.
 */
#include "base/bytes.h"
#include "base/text.h"
#include "registry/schema.h"

/* clang-format off */
/* Values, nt-reference §2.1 to §2.7; a lone "" is the key's unused default value. */
static const char *const nt_manager[] = {
	"AlpcMessageLog", "AlpcWakePolicy", "BackgroundLoadKnownDlls", "BootShell",
	"CWDIllegalInDllSearch", "ClearTempFiles", "CriticalSectionTimeout", "Debugger Retries",
	"DisableIFEOCaching", "DisableWpbtExecution", "GlobalFlag", "GlobalFlag2",
	"HeapDeCommitFreeBlockThreshold", "HeapDeCommitTotalFreeThreshold", "HeapSegmentCommit",
	"HeapSegmentReserve", "ImageExecutionOptions", "InitConsoleFlags", "InitialCommand",
	"LicensedProcessors", "MultiUsersInSessionSupported", "ObjectSecurityMode",
	"PowerPolicySimulate", "ProcessorControl", "ProtectionMode",
	"RaiseExceptionOnPossibleDeadlock", "RegisteredProcessors", "ResourceCheckFlags",
	"ResourcePolicies", "ResourceTimeoutCount", "RunLevelExecute", "RunLevelValidate",
	"SafeDllSearchMode", "SafeProcessSearchMode", "SkipRegistryInit", "SystemUpdateOnBoot",
	"TempFileDirectory", NULL,
};
static const char *const nt_memory[] = {
	"DedicatedMemoryPagefileSizeMB", "DisableDedicatedMemoryCaching",
	"DisablePagingExecutive", "FeatureSettings", "FeatureSettingsOverride",
	"FeatureSettingsOverrideMask", "LargeSystemCache", "MoveImages", "NonPagedPoolQuota",
	"NonPagedPoolSize", "PagedPoolQuota", "PagedPoolSize", "PagefileHybridPriority",
	"PagefileOnOsVolume", "PhysicalAddressExtension", "SecondLevelDataCache",
	"SessionPoolSize", "SessionViewSize", "SwapFile", "SwapfileControl", "SystemPages",
	"WaitForPagingFiles", NULL,
};
static const char *const nt_subsystems[] = {
	"CsrSrvSharedSectionBase", "Kmode", "Posix", "PosixSingleInstance", "", NULL,
};
static const char *const nt_known[] = {
	"DllDirectory32", NULL,
};
static const char *const nt_crash[] = {
	"AlwaysKeepMemoryDump", "CrashDumpEnabled", "DedicatedDumpFile", "DumpFile",
	"DumpFileSize", "DumpFilters", "DumpLogLevel", "EnableLogFile", "FilterPages",
	"IgnorePagefileSize", "LastCrashTime", "LogEvent", "MinidumpDir", "MinidumpsCount",
	"Overwrite", "SendAlert", NULL,
};
static const char *const nt_computer[] = {
	"", NULL,
};
static const char *const nt_safe[] = {
	"AlternateShell", NULL,
};
static const char *const nt_control[] = {
	"BootDriverFlags", "CurrentUser", "DirtyShutdownCount", "EarlyStartServices",
	"FirmwareBootDevice", "LastBootShutdown", "LastBootSucceeded", "PreshutdownOrder",
	"ServiceControlManagerExtension", "SvcHostSplitThresholdInKB", "SystemBootDevice",
	"SystemStartOptions", "WaitToKillServiceTimeout", "", NULL,
};

/* Subkeys. */
static const char *const nt_manager_keys[] = {
	"ApiSetSchemaExtensions", "AppCertDlls", "AppCompatCache", "AppPatches",
	"Configuration Manager", "Executive", "I/O System", "NamespaceSeparation", "Power",
	"Quota System", "Segment Heap", "WPA", "kernel", NULL,
};
static const char *const nt_memory_keys[] = {
	"PrefetchParameters", "StoreParameters", NULL,
};
static const char *const nt_subsystems_keys[] = {
	"CSRSS", NULL,
};
static const char *const nt_crash_keys[] = {
	"FullLiveKernelReports", "LiveKernelReports", "MachineCrash", "StorageTelemetry", NULL,
};
static const char *const nt_winlogon_keys[] = {
	"Notifications", NULL,
};
static const char *const nt_safe_keys[] = {
	"Option", NULL,
};
/* clang-format on */

static const struct {
	const char *const *values, *const *keys;
} lists[KEY_COUNT] = {
	[KEY_SESSION_MANAGER] = {nt_manager, nt_manager_keys},
	[KEY_MEMORY] = {nt_memory, nt_memory_keys},
	[KEY_SUBSYSTEMS] = {nt_subsystems, nt_subsystems_keys},
	[KEY_KNOWN_DLLS] = {nt_known, NULL},
	[KEY_CRASH] = {nt_crash, nt_crash_keys},
	[KEY_COMPUTER] = {nt_computer, NULL},
	[KEY_WINLOGON] = {NULL, nt_winlogon_keys},
	[KEY_SAFE_BOOT] = {nt_safe, nt_safe_keys},
};

static bool in_list(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (str_same_fold(*list, name))
			return true;
	return false;
}

bool schema_nt_value(enum schema_key key, const char *name)
{
	return key < KEY_COUNT && in_list(lists[key].values, name);
}

bool schema_nt_subkey(enum schema_key key, const char *name)
{
	return in_list(lists[key].keys, name);
}

bool schema_nt_control(const char *name)
{
	return in_list(nt_control, name);
}
