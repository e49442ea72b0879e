/* SPDX-License-Identifier: MIT */
/*
 * protected.c - which paths a pending rename must not touch, see judge_registry.h
 *
 * Paths are compared a component at a time, below the drive: evidence does not say which drive
 * Windows is on. An 8.3 name (PROGRA~1) stands for every long name that it could be the short one
 * of; what then holds only perhaps is said so. Pure tables and text. Must never ask a file system.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "smaudit/judge_registry.h"
#include "smaudit/rules.h"

struct place_of { /* components parted by \; a last "\" = and all below; "*" = any one */
	const char *path;
	enum guard guard;
	const char *why;
};

/* clang-format off */
static const struct place_of windows_places[] = {
	{"windows\\system32\\smss.exe", GUARD_CORE, "the session manager"},
	{"windows\\system32\\csrss.exe", GUARD_CORE, "a process that every session rests on"},
	{"windows\\system32\\wininit.exe", GUARD_CORE, "a process that every session rests on"},
	{"windows\\system32\\winlogon.exe", GUARD_CORE, "a process that every session rests on"},
	{"windows\\system32\\services.exe", GUARD_CORE, "a process that every session rests on"},
	{"windows\\system32\\lsass.exe", GUARD_CORE, "the process that checks passwords"},
	{"windows\\system32\\lsaiso.exe", GUARD_CORE, "the process that checks passwords"},
	{"windows\\system32\\svchost.exe", GUARD_CORE, "the process that services run in"},
	{"windows\\system32\\autochk.exe", GUARD_CORE, "the disk check at boot"},
	{"windows\\system32\\ntoskrnl.exe", GUARD_CORE, "the kernel"},
	{"windows\\system32\\ntkrnlpa.exe", GUARD_CORE, "the kernel"},
	{"windows\\system32\\securekernel.exe", GUARD_CORE, "the kernel"},
	{"windows\\system32\\hal.dll", GUARD_CORE, "the kernel"},
	{"windows\\system32\\ci.dll", GUARD_CORE, "what checks signatures of drivers"},
	{"windows\\system32\\ntdll.dll", GUARD_CORE, "a library of every process"},
	{"windows\\system32\\kernel32.dll", GUARD_CORE, "a library of every process"},
	{"windows\\system32\\winload.exe", GUARD_CORE, "the boot loader"},
	{"windows\\system32\\winload.efi", GUARD_CORE, "the boot loader"},
	{"windows\\system32\\winresume.exe", GUARD_CORE, "the boot loader"},
	{"windows\\system32\\winresume.efi", GUARD_CORE, "the boot loader"},
	{"windows\\system32\\drivers\\", GUARD_CORE, "a driver"},
	{"windows\\system32\\config\\", GUARD_CORE, "a registry hive or what lies beside it"},
	{"windows\\system32\\catroot\\", GUARD_CORE, "a catalogue of signatures"},
	{"windows\\system32\\codeintegrity\\", GUARD_CORE, "a policy of what may run"},
	{"windows\\system32\\winevt\\", GUARD_LOGS, "an event log"},
	{"windows\\system32\\wdi\\logfiles\\", GUARD_LOGS, "a log of the system"},
	{"windows\\boot\\", GUARD_CORE, "the boot loader"},
	{"bootmgr", GUARD_CORE, "the boot loader"},
	{"boot\\", GUARD_CORE, "the boot loader"},
	{"efi\\", GUARD_CORE, "the boot loader"},
	{"windows\\sysmon.exe", GUARD_PRODUCT, "Sysmon"},
	{"windows\\sysmon64.exe", GUARD_PRODUCT, "Sysmon"},
	{"windows\\sysmondrv.sys", GUARD_PRODUCT, "Sysmon"},
	{"programdata\\microsoft\\windows defender\\", GUARD_PRODUCT, "Windows Defender"},
	{"programdata\\microsoft\\windows defender advanced threat protection\\", GUARD_PRODUCT,
		"Windows Defender"},
	{"program files\\windows defender\\", GUARD_PRODUCT, "Windows Defender"},
	{"program files\\windows defender advanced threat protection\\", GUARD_PRODUCT,
		"Windows Defender"},
	{"program files (x86)\\windows defender\\", GUARD_PRODUCT, "Windows Defender"},
	{"program files\\microsoft security client\\", GUARD_PRODUCT, "Microsoft's antimalware"},
	{"windows\\system32\\", GUARD_WIDE, "a file of the system"},
	{"windows\\syswow64\\", GUARD_WIDE, "a file of the system"},
	{"windows\\winsxs\\", GUARD_WIDE, "a file of the system"},
	{"windows\\explorer.exe", GUARD_WIDE, "a file of the system"},
	{"windows\\regedit.exe", GUARD_WIDE, "a file of the system"},
};

/* Folders of security products, below the folders for programs and for their data. */
static const char *const products[] = {
	"avast software", "avg", "bitdefender", "blackberry", "carbon black", "carbonblack",
	"checkpoint", "check point", "confer", "crowdstrike", "cybereason", "cylance",
	"deep instinct", "elastic", "eset", "f-secure", "fireeye", "fortinet", "huntress",
	"kaspersky lab", "malwarebytes", "mcafee", "norton security", "ossec-agent", "osquery",
	"palo alto networks", "panda security", "qualys", "rapid7", "sentinelone", "sophos",
	"symantec", "sysmon", "tanium", "trellix", "trend micro", "velociraptor", "webroot",
	"windows defender", "withsecure",
};
static const char *const product_roots[] = {"program files", "program files (x86)", "programdata"};

/* Drivers by which the system and its products watch: no leftover of an installer either. */
static const char *const watching_drivers[] = {
	"csagent.sys", "mssecflt.sys", "sentinelmonitor.sys", "sysmondrv.sys", "wdboot.sys",
	"wdfilter.sys", "wdnisdrv.sys",
};

static const char *const windows_writable[] = {
	"users\\", "documents and settings\\", "programdata\\", "temp\\", "tmp\\", "perflogs\\",
	"$recycle.bin\\", "recycler\\", "windows\\temp\\", "windows\\tasks\\", "windows\\tracing\\",
	"windows\\system32\\tasks\\", "windows\\system32\\spool\\drivers\\color\\",
	"windows\\system32\\spool\\printers\\",
};

/* Whoever puts another one in the place of these has replaced all that is in them. */
static const char *const windows_directories[] = {
	"windows", "windows\\system32", "windows\\syswow64", "windows\\system32\\config",
	"windows\\system32\\drivers",
};

static const struct place_of linux_places[] = {
	{"usr\\lib\\smss\\", GUARD_CORE, "an image of the session manager"},
	{"lib\\smss\\", GUARD_CORE, "an image of the session manager"},
	{"sbin\\init", GUARD_CORE, "the first program"},
	{"usr\\sbin\\init", GUARD_CORE, "the first program"},
	{"boot\\", GUARD_CORE, "the boot loader or a kernel"},
	{"etc\\smss\\", GUARD_CORE, "the session manager's own hive"},
	{"var\\lib\\smss\\", GUARD_CORE, "the session manager's own state"},
	{"var\\log\\", GUARD_LOGS, "a log"},
	{"etc\\", GUARD_WIDE, "a file of the system"},
	{"usr\\", GUARD_WIDE, "a file of the system"},
	{"bin\\", GUARD_WIDE, "a file of the system"},
	{"sbin\\", GUARD_WIDE, "a file of the system"},
	{"lib\\", GUARD_WIDE, "a file of the system"},
	{"lib64\\", GUARD_WIDE, "a file of the system"},
};

static const char *const linux_writable[] = {
	"home\\", "tmp\\", "var\\tmp\\", "dev\\shm\\", "run\\user\\", "run\\lock\\",
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum fit { FIT_NO, FIT_YES, FIT_MAYBE, FIT_ABOVE };

struct flat { /* a path below its drive, folded, \ between its components */
	char text[520];
	bool ours, unc;
};

/* ---- one spelling ---- */

static const char *passed_component(const char *s)
{
	s += strcspn(s, "\\");
	return *s ? s + 1 : s;
}

/* Of one of Windows: what names its drive goes away. */
static const char *below_drive(const char *s)
{
	for (;;) {
		if (*s == '\\')
			s++;
		else if (strncmp(s, "??\\", 3) == 0 || strncmp(s, "global??\\", 9) == 0 ||
			 strncmp(s, "dosdevices\\", 11) == 0 || strncmp(s, "volume{", 7) == 0)
			s = passed_component(s);
		else if (strncmp(s, "device\\", 7) == 0)
			s = passed_component(s + 7);
		else
			break;
	}
	return s[0] && s[1] == ':' ? s + 2 + strspn(s + 2, "\\") : s;
}

/* An absolute path here: "." and ".." are gone, case stays, / becomes \. */
static void flat_linux(const char *path, struct flat *ret)
{
	size_t n = 0;

	while (*path) {
		size_t c = strcspn(path += strspn(path, "/"), "/");

		if (c == 2 && strncmp(path, "..", 2) == 0) {
			while (n && ret->text[--n] != '\\')
				;
		} else if (c && !(c == 1 && *path == '.')) {
			if (n + c + 2 > sizeof(ret->text))
				break;
			if (n)
				ret->text[n++] = '\\';
			memcpy(ret->text + n, path, c);
			n += c;
		}
		path += c;
	}
	ret->text[n] = '\0';
}

static struct flat flat_of(const char *path)
{
	struct flat f = {0};
	struct windows_path p;

	if (strncmp(path, "\\??\\/", 5) == 0)
		path += 4;
	if (*path == '/') {
		f.ours = true;
		flat_linux(path, &f);
		return f;
	}
	path_windows(path, NULL, &p);
	f.unc = p.unc;
	snprintf(f.text, sizeof(f.text), "%s", below_drive(p.text));
	if (strncmp(f.text, "winnt\\", 6) == 0) {
		memmove(f.text + 8, f.text + 6, sizeof(f.text) - 8);
		memcpy(f.text, "windows\\", 8);
		f.text[sizeof(f.text) - 1] = '\0';
	}
	return f;
}

/* ---- comparing ---- */

/* Where many names begin alike, two letters and four digits of a hash stand before the ~. */
static bool hashed_short(const char *s, const char *tilde, const char *differs)
{
	return tilde - s == 6 && differs - s >= 2 && strspn(s + 2, "0123456789abcdef") >= 4;
}

/* s, an 8.3 name, may be the short one of a long name: its letters before ~ begin it. */
static bool short_of(const char *s, size_t n, const char *name, size_t name_n)
{
	const char *tilde = memchr(s, '~', n);
	size_t at = 0;

	if (!tilde || n > 12 || tilde == s || (size_t)(tilde - s) + 1 == n || tilde[1] < '0' ||
	    tilde[1] > '9')
		return false;
	for (const char *c = s; c < tilde; c++, at++) {
		while (at < name_n && (name[at] == ' ' || name[at] == '.'))
			at++;
		if (at >= name_n || name[at] != *c)
			return hashed_short(s, tilde, c);
	}
	return true;
}

static enum fit component_fits(const char *s, size_t n, const char *p, size_t pn)
{
	if ((pn == 1 && *p == '*') || (n == pn && strncmp(s, p, n) == 0))
		return FIT_YES;
	return short_of(s, n, p, pn) ? FIT_MAYBE : FIT_NO;
}

/* Does a path lie at, or below, a place? FIT_ABOVE: the place lies below the path. */
static enum fit place_fits(const char *path, const char *place)
{
	enum fit whole = FIT_YES;

	while (*place) {
		const size_t n = strcspn(path, "\\"), pn = strcspn(place, "\\");
		enum fit one;

		if (!n)
			return whole == FIT_YES ? FIT_ABOVE : FIT_NO;
		one = component_fits(path, n, place, pn);
		if (one == FIT_NO)
			return FIT_NO;
		if (one == FIT_MAYBE)
			whole = FIT_MAYBE;
		path += n;
		path += *path == '\\';
		place += pn;
		if (!*place)
			return *path ? FIT_NO : whole;
		place++;
	}
	return whole;
}

static bool within(const struct flat *f, const char *const *places, size_t count)
{
	for (size_t i = 0; i < count; i++)
		switch (place_fits(f->text, places[i])) {
		case FIT_YES:
		case FIT_MAYBE:
			return true;
		case FIT_NO:
		case FIT_ABOVE:
			break;
		}
	return false;
}

static const char *leaf_of(const struct flat *f)
{
	const char *slash = strrchr(f->text, '\\');

	return slash ? slash + 1 : f->text;
}

static bool ends(const char *s, const char *with)
{
	const size_t n = strlen(s), w = strlen(with);

	return n > w && strcmp(s + n - w, with) == 0;
}

/* The better of what is known and another place: sure before unsure, below before above. */
static void take(struct guarded *best, enum fit fit, enum guard guard, const char *why)
{
	const struct guarded g = {guard, why, fit == FIT_MAYBE, fit == FIT_ABOVE, false};
	const bool sure = fit == FIT_YES;

	if (fit == FIT_NO || (g.above && guard == GUARD_WIDE))
		return;
	if (!best->why || (sure && (best->unsure || best->above)) ||
	    (best->guard == GUARD_WIDE && guard != GUARD_WIDE && sure))
		*best = g;
}

/* Two components: a folder for programs or data, and a product's in it. */
static void look_in_products(const struct flat *f, struct guarded *g)
{
	const size_t n = strcspn(f->text, "\\");
	const char *below = f->text + n + (f->text[n] == '\\');
	const size_t m = strcspn(below, "\\");

	for (size_t r = 0; m && r < COUNT(product_roots); r++) {
		const enum fit root =
			component_fits(f->text, n, product_roots[r], strlen(product_roots[r]));

		for (size_t i = 0; root != FIT_NO && i < COUNT(products); i++) {
			const enum fit fit =
				component_fits(below, m, products[i], strlen(products[i]));

			take(g, fit == FIT_YES ? root : fit, GUARD_PRODUCT, "a security product");
		}
	}
}

static void look_at_directories(const struct flat *f, struct guarded *g)
{
	for (size_t i = 0; i < COUNT(windows_directories); i++)
		if (strcmp(f->text, windows_directories[i]) == 0)
			*g = (struct guarded){.guard = GUARD_CORE,
					      .why = "a directory of the system itself",
					      .above = true,
					      .directory = true};
}

struct guarded guarded_path(const char *path)
{
	const struct flat f = flat_of(path);
	const struct place_of *places = f.ours ? linux_places : windows_places;
	const size_t count = f.ours ? COUNT(linux_places) : COUNT(windows_places);
	struct guarded g = {0};

	if (f.unc || !f.text[0])
		return g;
	for (size_t i = 0; i < count; i++)
		take(&g, place_fits(f.text, places[i].path), places[i].guard, places[i].why);
	if (f.ours)
		return g;
	look_in_products(&f, &g);
	look_at_directories(&f, &g);
	if (ends(f.text, ".evtx") || ends(f.text, ".evt"))
		g = (struct guarded){.guard = GUARD_LOGS, .why = "an event log"};
	if (g.guard == GUARD_CORE && !g.above && !g.unsure)
		for (size_t i = 0; i < COUNT(watching_drivers); i++)
			if (strcmp(leaf_of(&f), watching_drivers[i]) == 0) {
				g.guard = GUARD_PRODUCT;
				g.why = "a driver by which the machine is watched";
			}
	return g;
}

bool path_user_writable(const char *path)
{
	const struct flat f = flat_of(path);

	if (f.ours)
		return within(&f, linux_writable, COUNT(linux_writable));
	return f.unc || within(&f, windows_writable, COUNT(windows_writable));
}

bool path_leftover(const char *path)
{
	const struct flat f = flat_of(path);

	return !f.ours && (ends(f.text, ".tmp") || ends(f.text, ".rbf"));
}

bool path_same_directory(const char *a, const char *b)
{
	const struct flat x = flat_of(a), y = flat_of(b);
	const size_t n = (size_t)(leaf_of(&x) - x.text);

	return x.ours == y.ours && n == (size_t)(leaf_of(&y) - y.text) &&
	       strncmp(x.text, y.text, n) == 0;
}
