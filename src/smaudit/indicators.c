/* SPDX-License-Identifier: MIT */
/*
 * indicators.c - the indicators as data: one row each, in the order of report.h
 *
 * What `smaudit rules` lists and smaudit(8) describes. A row names as its sources only inputs that
 * always carry what decides it: a rule that found nothing there is told as "nothing found", and one
 * that none of the inputs can tell as "not looked at". Behind them stand inputs that tell it when
 * they have the field: there the judge says that it looked.
 */
#include "smaudit/report.h"

#define PROCESS_SOURCES (SOURCE_LIVE | SOURCE_PROCESSES | SOURCE_EVTX)
#define HIVE_SOURCES    (SOURCE_LIVE | SOURCE_HIVE)
#define IMAGE_SOURCES   (SOURCE_LIVE | SOURCE_IMAGE)

const struct indicator indicators[INDICATOR_COUNT] = {
	[INDICATOR_WRONG_PATH] =
		{"wrong-path", "the name of a system process on an image from another place",
		 SEVERITY_HIGH, "T1036.005",
		 "The genuine image lies in one directory only; a trusted name elsewhere is what "
		 "malware hides behind.",
		 "Take a copy of the image, audit it with `smaudit image`, and find out what wrote "
		 "it.",
		 "image path (Sysmon Image, 4688 NewProcessName, osquery path, Volatility Audit, "
		 "Path or Cmd), normalised; of smss, csrss, wininit, winlogon, services, lsass, "
		 "autochk, lsm and lsaiso: System32 (of an image file given by itself svchost, "
		 "too: System32 or SysWOW64)",
		 "another SystemRoot that two of wininit, services and lsass share; a "
		 "container's layer below ProgramData; 8.3 names are indeterminate",
		 PROCESS_SOURCES},
	[INDICATOR_WRONG_PARENT] = {"wrong-parent",
				    "a session manager that stays, and was not started by System",
				    SEVERITY_HIGH, "T1036.005",
				    "Only the kernel starts the session manager that stays; "
				    "somebody else started this "
				    "one.",
				    "Look at the parent and at what it started besides; take the "
				    "memory of the process "
				    "before it ends.",
				    "pid, parent's pid and start, how long it lived",
				    "session copies (they exit within seconds); a parent that "
				    "began after its child is "
				    "a pid used again; a missing exit event proves nothing",
				    PROCESS_SOURCES},
	[INDICATOR_SECOND_PERSISTENT_INSTANCE] =
		{"second-persistent-instance", "a second session manager that stays", SEVERITY_HIGH,
		 "T1036.005",
		 "One master stays for the whole boot, and its copies exit within seconds; another "
		 "one that stays is an impostor or was injected into.",
		 "Compare path, start, parent and command line of both; the master has no "
		 "arguments "
		 "and is the child of System.",
		 "instances of one boot that are alive longer than --grace",
		 "containers with a session manager of their own; rows of psscan that ended "
		 "(ExitTime, no threads)",
		 PROCESS_SOURCES},
	[INDICATOR_UNEXPECTED_CHILD] =
		{"unexpected-child", "a program that a session manager does not start",
		 SEVERITY_HIGH, "T1055",
		 "The session manager starts a handful of programs at boot; anything else was made "
		 "to run by BootExecute, by code inside of it, or names it falsely as its parent.",
		 "Look at BootExecute and its siblings with `smaudit hive`, then at the child's "
		 "image.",
		 "parent (by ProcessGuid, else by pid within one boot) and image of the child",
		 "Microsoft's rare ones from System32 (setupcl, WerFault, poqexec, wpbbin, "
		 "autoconv, "
		 "autofmt): noted; boot programs of known vendors: medium",
		 PROCESS_SOURCES},
	[INDICATOR_WRONG_ACCOUNT] =
		{"wrong-account", "a session manager that does not run as the system",
		 SEVERITY_HIGH, "T1036.005",
		 "The session manager runs as NT AUTHORITY\\SYSTEM (Linux: root); a user's process "
		 "of this name is not it.",
		 "Find out how that user's process was started, and what else that user ran.",
		 "SID S-1-5-18 before any name (names are localised); integrity level; Linux: all "
		 "four uids",
		 "a localised name that cannot be told from another is indeterminate",
		 PROCESS_SOURCES},
	[INDICATOR_UNSIGNED_IMAGE] =
		{"unsigned-image", "an image whose signature is missing or does not fit",
		 SEVERITY_HIGH, "T1036.001",
		 "The genuine image is signed, and what was signed cannot be changed unseen.",
		 "Compare the digest with that of another machine of the same build; do not run "
		 "the "
		 "file.",
		 "Authenticode digest and signature, or what the source says of them; Linux: the "
		 "signed catalogue",
		 "files that a catalogue signs have no signature of their own: without the "
		 "catalogue "
		 "that is indeterminate",
		 IMAGE_SOURCES, SOURCE_PROCESSES},
	[INDICATOR_WRONG_SIGNER] =
		{"wrong-signer", "an image signed by somebody else", SEVERITY_HIGH, "T1553.002",
		 "The operating system's own files are signed as \"Microsoft Windows\" under "
		 "Microsoft's roots; a valid signature of anybody else proves the opposite.",
		 "Look at signer, issuer and root; search other machines for the same digest.",
		 "leaf, issuer and root of the embedded chain, its extended key usages",
		 "roots that are not known here: indeterminate; give them with --roots",
		 IMAGE_SOURCES, SOURCE_PROCESSES},
	[INDICATOR_LATE_START] =
		{"late-start", "a master that began long after the boot", SEVERITY_MEDIUM,
		 "T1036.005",
		 "The session manager is the first program of a boot; one that begins later was "
		 "started by something that ran before it.",
		 "Look at what ran between the boot and this start.",
		 "start of the master against start of System (pid 4), else of the boot; --late",
		 "session copies come with every new session; clocks that were set: only System "
		 "is compared with",
		 PROCESS_SOURCES},
	[INDICATOR_BOOT_EXECUTE] =
		{"boot-execute", "BootExecute names more than the disk check", SEVERITY_MEDIUM,
		 "T1547.001",
		 "What stands there runs as the system before anything that could protect the "
		 "machine.",
		 "Audit the image that it names in System32, and restore the default if nobody "
		 "owns it.",
		 "the raw value of the control set that Select\\Current names, and Default",
		 "both defaults of Windows; autochk with switches of chkdsk, autoconv: noted",
		 HIVE_SOURCES},
	[INDICATOR_BOOT_EXECUTE_SIBLING] =
		{"boot-execute-sibling", "a value beside BootExecute that also starts programs",
		 SEVERITY_MEDIUM, "T1547.001",
		 "SetupExecute, Execute and others are carried out like BootExecute, and nearly "
		 "nobody looks at them.",
		 "Audit the image that it names; outside of a servicing reboot these are empty.",
		 "BootExecuteNoPnpSync, SetupExecute(NoPnpSync), PlatformExecute, Execute, "
		 "S0InitialCommand, BootShell",
		 "poqexec.exe while setup is in progress; bootim.exe as BootShell", HIVE_SOURCES},
	[INDICATOR_PENDING_RENAME] =
		{"pending-rename", "a protected file is replaced or deleted at the next boot",
		 SEVERITY_MEDIUM, "T1070.004",
		 "The next boot does it before anything uses, or guards, the file.",
		 "Keep the source file, take the pair out of the value, then restart.",
		 "the pairs of PendingFileRenameOperations(2), judged by target and source",
		 "installers' temporary files, drivers\\SET*.tmp, Config.Msi: noted with a count",
		 HIVE_SOURCES},
	[INDICATOR_SERVICE_IMITATION] =
		{"service-imitation", "a service that passes for the session manager",
		 SEVERITY_HIGH, "T1543.003", "The session manager is never a service.",
		 "Audit the image that the service runs, and disable the service.",
		 "ImagePath, name and display name of each service",
		 "names that are known to be somebody else's", HIVE_SOURCES},
	[INDICATOR_NEAR_MISS_NAME] =
		{"near-miss-name", "a name made to be read as that of a system process",
		 SEVERITY_MEDIUM, "T1036.005",
		 "Nobody needs a name that is mistaken for a system process, but who hides.",
		 "Look at path, signer and parent of the image; take a copy of it.",
		 "base name of the image, and the name that a list gives beside it: hidden and "
		 "direction characters, double extensions, letters that look alike, distance by "
		 "length, affixes",
		 "neighbours that belong to somebody else (Ssms.exe, sihost.exe and others): noted",
		 PROCESS_SOURCES | SOURCE_IMAGE},
	[INDICATOR_SPOOFED_PARENT] =
		{"spoofed-parent", "a child that its parent cannot have started", SEVERITY_HIGH,
		 "T1134.004",
		 "Session, account or time of the child fit no copy of the session manager: the "
		 "parent was named falsely, or code was injected into it.",
		 "Look for who opened the session manager before the child began (Sysmon event "
		 "10).",
		 "session, account, integrity and start of a child against those of its parent",
		 "children whose parent's pid was used again", PROCESS_SOURCES},
	[INDICATOR_IDENTITY_MISMATCH] =
		{"identity-mismatch", "an image that says itself that it is something else",
		 SEVERITY_HIGH, "T1036.003",
		 "A renamed program keeps the names of its version resource.",
		 "Search for the original name's file, and for what renamed it.",
		 "OriginalFilename, InternalName, CompanyName, machine, subsystem; the name that a "
		 "list gives against the image's; live: name, command line, and mounts over /proc",
		 "smss.exe.mui is as right as smss.exe; sources without version fields do not "
		 "decide",
		 IMAGE_SOURCES, SOURCE_PROCESSES | SOURCE_EVTX},
};
