/* SPDX-License-Identifier: MIT */
/*
 * rules.h - from facts to findings
 *
 * world.c joins what is told of processes by host and boot and judges it at the end (persistence is
 * only known then); registry and image facts are judged as they come. Memory is bounded: of a
 * million processes only those are kept that are, imitate, or were started by a session manager.
 */
#pragma once

#include "smaudit/facts.h"
#include "smaudit/report.h"

/* ---- path.c ---- */

struct windows_path {     /* a normalised image path */
	char text[520];   /* "c:\\windows\\system32\\smss.exe": folded, one separator, no . or .. */
	bool short_name;  /* it holds an 8.3 component: it cannot be compared */
	bool unc, device; /* on another machine; on a \Device\HarddiskVolumeN (which is kept as a
			     drive of its own, "\\device\\harddiskvolume3\\...") */
	bool cut;
};
/*
 * path_windows - normalise: \??\, \\?\, \SystemRoot, %SystemRoot% (also doubled), separators, case,
 * trailing dots and blanks, quotes
 *   root  what SystemRoot is on that host; NULL = "c:\\windows"
 */
void path_windows(const char *path, const char *root, struct windows_path *ret);
/* path_at_home - in one of the folders of C:\Windows, or of Windows on a volume, that home (HOME_*)
 * has. */
bool path_at_home(const struct windows_path *p, unsigned home);
/* path_base - where the last component begins (either separator). */
const char *path_base(const char *path);
/*
 * path_image_name - the base name of an image of Windows; where that is a protected name in its
 * home but for dots and blanks behind it, which Win32 drops, without those room   for it; what is
 * returned may lie there or in path
 */
#define IMAGE_NAME_BYTES 64
const char *path_image_name(const char *path, char room[IMAGE_NAME_BYTES]);

/* ---- names.c: near-miss names, windows-evidence §4 of the design's sources ---- */

enum name_kind {
	NAME_OTHER,            /* has nothing to do with a protected name */
	NAME_EXACT,            /* is one, by case folding alone */
	NAME_NEIGHBOUR,        /* near, but known to be somebody else's (ssms, sihost ...) */
	NAME_HIDDEN,           /* control, bidi, zero-width characters or odd blanks in it */
	NAME_DOUBLE_EXTENSION, /* smss.exe.exe, smss.txt.exe, smss.scr */
	NAME_CONFUSABLE,       /* looks the same: other letters, 5 for s, rn for m */
	NAME_DISTANCE,         /* a typing error away */
	NAME_AFFIX             /* something put before or behind it */
};

struct name_verdict {
	enum name_kind kind;
	const char *of; /* the protected name: "smss", "csrss", ... ; NULL for NAME_OTHER, and for a
			   NAME_HIDDEN that is near none */
	unsigned distance;
	bool turns;    /* NAME_HIDDEN by a bidi sign: it is read otherwise than it is written */
	char rule[96]; /* for people: "Cyrillic es for s", "one letter left out" */
};
/*
 * name_look - how near a base name is to a protected one (smss, csrss, wininit, winlogon, services,
 * lsass, svchost, autochk)
 *   name     base name with extension, UTF-8
 *   cut      it may have been cut (14 or 15 bytes): an unknown end is no extension
 *   system   LINUX: our images have no extension
 */
void name_look(const char *name, bool cut, enum system system, struct name_verdict *ret);

#define HOME_SYSTEM32 (1u << 0)
#define HOME_SYSWOW64 (1u << 1)
/*
 * name_home - the folders of Windows in which alone an image of that base name lies, HOME_*; 0 = no
 * rule is about it: smss, csrss, wininit, winlogon, services, lsass, svchost, autochk, lsm, lsaiso
 */
unsigned name_home(const char *base);

/* ---- world.c, judge_process.c ---- */

struct world_options {
	uint32_t grace_s; /* how old a session copy may get: default 30 */
	uint32_t late_s;  /* a master that begins later than this after the boot: default 60 */
	const char *system_root; /* NULL = C:\Windows */
};

struct world; /* opaque */

/*
 * world_new - what is told of processes, joined and judged; options NULL or 0 = the defaults
 * world_process, world_boot take facts in the order of the input; a fact that is vouched for is not
 * judged again. world_free takes NULL.
 */
struct world *world_new(struct report *to, const struct world_options *o);
void world_free(struct world *w);
void world_process(struct world *w, const struct process_fact *f);
void world_boot(struct world *w, const struct boot_fact *f);
/* world_end - everything was told: judge. Bytes it took at most, for the bench. */
uint64_t world_end(struct world *w);

/* ---- judge_registry.c, judge_image.c ---- */

/* judge_registry - BootExecute, its siblings, pending renames, services; end: what was not there.
 */
struct registry_judge;
struct registry_judge *registry_judge_new(struct report *to);
void registry_judge_fact(struct registry_judge *j, const struct registry_fact *f);
void registry_judge_end(struct registry_judge *j);
void registry_judge_free(struct registry_judge *j);

/* judge_image - signature, signer and identity of one image. */
void judge_image(struct report *to, const struct image_fact *f);
