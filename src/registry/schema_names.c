/* SPDX-License-Identifier: MIT */
/*
 * schema_names.c - names of keys, ours and NT's, from the root of the hive down to Session Manager
 *
 * A key that nobody reads is no error: a hive of Windows is full of them. But a mistyped one loses
 * everything below it in silence, so that those near to ours are pointed out. NT's names are those
 * that public documentation of Windows tells of. Pure tables.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "registry/schema.h"

static const char *const our_root[] = {"Select", "CurrentControlSet", "ControlSet001", NULL};
static const char *const our_set[] = {"Control", NULL};
static const char *const our_control[] = {
	"Session Manager", "CrashControl", "ComputerName", "SafeBoot", "Winlogon", "Wininit", NULL};
static const char *const our_manager[] = {"Memory Management", "SubSystems", "Environment",
					  "DOS Devices",       "KnownDLLs",  "FileRenameOperations",
					  "Sessions",          NULL};
static const char *const our_safe[] = {"Minimal", "Network", NULL};
static const char *const our_session[] = {"Default", NULL};
static const char *const our_computer[] = {"ComputerName", NULL};
static const char *const our_select[] = {"Current", "Default", "Failed", "LastKnownGood", NULL};
static const char *const line_words[] = {"autocheck", "async", "debug", NULL};

static const char *const nt_root[] = {
	"ActivationBroker",
	"DriverDatabase",
	"HardwareConfig",
	"Input",
	"Keyboard Layout",
	"Maps",
	"MountedDevices",
	"RNG",
	"ResourceManager",
	"ResourcePolicyStore",
	"Setup",
	"Software",
	"State",
	"WPA",
	"WaaS",
	NULL,
};

static const char *const nt_set[] = {"Enum",     "Hardware Profiles", "Policies",
				     "Services", "Software",          NULL};

/* clang-format off */
static const char *const nt_control[] = {
	"ACPI", "AGP", "AppID", "AppReadiness", "Arbiters", "Audio", "AutoAttachVirtualDisks",
	"BackupRestore", "BGFX", "BitLocker", "BitlockerStatus", "Bluetooth", "CI", "Class",
	"Cloud Desktop", "CloudDomainJoin", "CMF", "CoDeviceInstallers", "COM Name Arbiter",
	"CommonGlobUserSettings", "Compatibility", "ContentIndex", "CriticalDeviceDatabase", "Cryptography", "DeviceClasses",
	"DeviceContainerPropertyUpdateEvents", "DeviceContainers", "DeviceGuard",
	"DeviceMigration", "DeviceOverrides", "DevicePanels", "DevQuery", "Diagnostics", "DmaSecurity",
	"EAPOL", "EarlyLaunch", "Els", "Errata", "FeatureManagement", "FileSystem",
	"FileSystemUtilities", "FirmwareResources", "FolderDescriptions", "GraphicsDrivers",
	"GroupOrderList", "HAL", "hivelist", "Hvsi", "hypervisor", "IDConfigDB", "InitialMachineConfig",
	"IntegrityServices", "International", "IPMI", "Keyboard Layout", "Keyboard Layouts",
	"LeapSecondInformation", "LSA", "LsaExtensionConfig", "LsaInformation", "ManufacturingMode",
	"MediaCategories", "MediaDRM", "MediaInterfaces", "MediaProperties", "MediaResources",
	"MediaSets", "MediaTypes", "MiniNt", "MobilePC", "ModernSleep", "MPDEV", "MSDTC", "MUI",
	"NetDiagFx", "NetDrivers", "NetProvision", "NetTrace", "Network", "NetworkProvider",
	"NetworkSetup2", "NetworkUxManager", "Nls", "NodeInterfaces", "Nsi", "OSExtensionDatabase",
	"PCW", "PnP", "Power", "Print", "PriorityControl", "ProductOptions", "RadioManagement",
	"Remote Assistance", "RetailDemo", "RtlQueryRegistryConfig", "SafeBootNetwork", "SAM", "ScEvents", "SCMConfig",
	"ScsiPort", "SecureBoot", "SecurePipeServers", "SecurityProviders", "ServiceAggregatedEvents",
	"ServiceGroupOrder", "ServiceProvider", "SNMP", "SQMServiceList", "Srp", "SrpExtensionConfig",
	"StateSeparation", "StillImage", "Storage", "StorageManagement", "StorPort", "StSec",
	"SystemInformation", "SystemResources", "TabletPC", "Terminal Server", "TimeZoneInformation",
	"Ubpm", "UnitedVideo", "USB", "usbflags", "usbstor", "VAN", "Version", "Video", "VirtualDeviceDrivers", "WalletService",
	"wcncsvc", "Wdf", "WDI", "Windows", "WinMgmt", "WMI", "WOW", "WPN", "WorkplaceJoin", NULL,
};
/* clang-format on */

static const char *const nt_computer[] = {"ActiveComputerName", NULL};
static const char *const none[] = {NULL};

static const struct {
	const char *const *ours, *const *nt;
} lists[] = {
	[SCHEMA_ROOT_KEYS] = {our_root, nt_root},
	[SCHEMA_SET_KEYS] = {our_set, nt_set},
	[SCHEMA_CONTROL_KEYS] = {our_control, nt_control},
	[SCHEMA_MANAGER_KEYS] = {our_manager, none},
	[SCHEMA_SAFE_KEYS] = {our_safe, none},
	[SCHEMA_SESSION_KEYS] = {our_session, none},
	[SCHEMA_COMPUTER_KEYS] = {our_computer, nt_computer},
	[SCHEMA_SELECT] = {our_select, none},
	[SCHEMA_LINE_WORDS] = {line_words, none},
};

static const char *find(const char *const *list, const char *name)
{
	for (; *list; list++)
		if (str_same_fold(*list, name))
			return *list;
	return NULL;
}

const char *schema_name(enum schema_names where, const char *name)
{
	return find(lists[where].ours, name);
}

bool schema_nt_name(enum schema_names where, const char *name)
{
	if (where == SCHEMA_MANAGER_KEYS)
		return schema_nt_subkey(KEY_SESSION_MANAGER, name);
	if (where == SCHEMA_SAFE_KEYS)
		return schema_nt_subkey(KEY_SAFE_BOOT, name);
	return find(lists[where].nt, name) != NULL;
}

const char *schema_suggest_name(enum schema_names where, const char *name)
{
	const char *best = NULL;
	unsigned nearest = 48;

	for (const char *const *at = lists[where].ours; *at; at++) {
		unsigned d = str_distance(name, *at);

		if (d && d < nearest && d <= 1 + strlen(*at) / 6) {
			nearest = d;
			best = *at;
		}
	}
	return best;
}
