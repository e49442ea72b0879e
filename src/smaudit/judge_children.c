/* SPDX-License-Identifier: MIT */
/*
 * judge_children.c - what a session manager started: is it one of those, and can it be its child?
 *
 * Only children of a parent that looks genuine are judged: those of an impostor are the impostor's
 * affair. A parent in the evidence may be a lie, so a child that no copy could have started is told
 * as spoofed or injected, never as which of them.
 */
#include <string.h>

#include "base/bytes.h"
#include "smaudit/world.h"

static bool among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (str_same(name, list[i]))
			return true;
	}
	return false;
}

/* The name as the tables have it; a cut one may end early. */
static const char *child_name(const struct instance *i)
{
	static char name[96];
	size_t n;

	str_copy(name, sizeof(name), instance_name(i));
	n = strlen(name);
	while (n > 0 && strchr(" .", name[n - 1]))
		name[--n] = '\0';
	return name;
}

static void tell(struct world *w, const struct instance *i, enum indicator_id rule,
		 enum severity severity, const char *what)
{
	struct telling t;

	telling_of(&t, i, rule);
	t.f.what = what;
	t.f.severity = severity;
	report_add(w->report, &t.f);
}

/* One of the five, from its place: is it the right parent's? */
static void judge_role(struct world *w, const struct boot *b, const struct instance *i)
{
	const char *name = child_name(i);
	const struct instance *p = i->parent;
	bool copy = p && !from_system(p) && from_smss(w, p);
	bool master = p && from_system(p);

	if (copy && str_same(name, "autochk.exe"))
		tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_HIGH,
		     "A session copy started it; only the master runs autochk.");
	if (master && b->vista && (str_same(name, "wininit.exe") || str_same(name, "winlogon.exe")))
		tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_HIGH,
		     "The master itself started it; a session copy does that.");
}

static void judge_image_of(struct world *w, const struct boot *b, const struct instance *i)
{
	static const char *const five[] = {"smss.exe", "csrss.exe", "wininit.exe", "winlogon.exe",
					   "autochk.exe"};
	static const char *const microsoft[] = {"setupcl.exe", "poqexec.exe", "autoconv.exe",
						"autofmt.exe", "bootim.exe"};
	static const char *const rare[] = {"werfault.exe", "wpbbin.exe"};
	static const char *const vendors[] = {"pvsvmboot.exe",
					      "sophosna.exe",
					      "omnissa-ic-nga.exe",
					      "icarus_rvrt.exe",
					      "aswboot.exe",
					      "pdboot.exe",
					      "smartdefragboottime.exe",
					      "oodbs.exe",
					      "lsdelete.exe",
					      "sdnclean64.exe",
					      "sdnclean.exe",
					      "bddel.exe",
					      "pgdfgsvc.exe",
					      "autonatv.exe"};
	struct windows_path path;
	enum place_state place = instance_place(w, i, &path);
	const char *name = child_name(i);
	/* on a volume whose drive nobody tells it is in the right folder, at least */
	bool here = place == PLACE_RIGHT || place == PLACE_ELSEWHERE ||
		    (place == PLACE_UNKNOWN && path.device && !path.short_name && !path.cut);

	if (!*name) {
		undecided(i, INDICATOR_UNEXPECTED_CHILD, "image of a child");
		return;
	}
	undecided(i, INDICATOR_UNEXPECTED_CHILD,
		  place == PLACE_UNKNOWN ? "image path of a child" : NULL);
	if (among(name, five, ARRAY_SIZE(five)) && place == PLACE_WRONG)
		tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_HIGH,
		     "It has the name of a session manager's child, and its image lies elsewhere.");
	else if (among(name, five, ARRAY_SIZE(five)))
		judge_role(w, b, i);
	else if (among(name, microsoft, ARRAY_SIZE(microsoft)) && here)
		tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_INFO,
		     "A native program of Windows that a session manager runs at times.");
	else if (among(name, rare, ARRAY_SIZE(rare)) && here)
		tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_LOW,
		     "Windows lets a session manager start it, seldom: after a crash, or out of "
		     "the "
		     "firmware.");
	else if (among(name, vendors, ARRAY_SIZE(vendors)) && place != PLACE_WRONG)
		tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_MEDIUM,
		     "A native program of another vendor; compare it with BootExecute and its "
		     "signature.");
	else
		tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_HIGH,
		     "A session manager does not start such a program.");
}

/* No copy had such a child: another account, another session, or no life to start it. */
static const char *impossible(const struct world *w, const struct boot *b, const struct instance *i)
{
	const struct instance *p = i->parent;

	if (instance_account(i) == ACCOUNT_OTHER)
		return "Its parent is told to be a session manager, but it does not run as "
		       "LocalSystem: the parent is spoofed, or code was injected.";
	if (!p)
		return NULL;
	if (guid_same(&p->guid, &i->parent_guid) && p->end_ns != NO_TIME &&
	    i->start_ns != NO_TIME && boot_span(b, p->end_ns, i->start_ns) > 2 * SECOND_NS)
		return "It began after the session manager that is told to be its parent had "
		       "ended: "
		       "the parent is spoofed.";
	if (p->session > 0 && i->session >= 0 && p->session != i->session)
		return "Its session is another than that of the copy that is told to be its "
		       "parent: "
		       "the parent is spoofed, or code was injected.";
	if (from_system(p) && b->vista && i->session > 0)
		return "The master is told to be its parent, but it lives in a user's session: the "
		       "parent is spoofed, or code was injected.";
	return NULL;
}

/* Some field that a false parent could contradict is there. */
static bool parent_tells(const struct instance *i)
{
	const struct instance *p = i->parent;

	if (instance_account(i) != ACCOUNT_UNKNOWN)
		return true;
	return p && ((p->session >= 0 && i->session >= 0) ||
		     (guid_same(&p->guid, &i->parent_guid) && p->end_ns != NO_TIME &&
		      i->start_ns != NO_TIME));
}

static void judge_linux_child(struct world *w, const struct instance *i)
{
	static const char *const ours[] = {"smss",    "csrss", "wininit", "winlogon",
					   "autochk", "smreg", "pnp",     "rescue"};
	const char *image = i->text[TEXT_IMAGE];

	/* Orphans come to pid 1 as its children: only a birth that was seen is its own. */
	if (!(i->is & STARTED))
		return;
	undecided(i, INDICATOR_UNEXPECTED_CHILD, image ? NULL : "image path of a child");
	if (!image || (str_starts(image, "/usr/lib/smss/") &&
		       among(path_base(image), ours, ARRAY_SIZE(ours))))
		return;
	tell(w, i, INDICATOR_UNEXPECTED_CHILD, SEVERITY_HIGH,
	     "The session manager does not start such a program.");
}

void judge_child(struct world *w, const struct boot *b, const struct instance *i)
{
	const char *why;

	if (!(i->is & IS_CHILD) && !(i->parent && (i->parent->is & IS_SMSS)))
		return;
	if (!from_smss(w, i))
		return;
	if (i->system == SYSTEM_LINUX) {
		judge_linux_child(w, i);
		return;
	}
	judge_image_of(w, b, i);
	why = impossible(w, b, i);
	undecided(i, INDICATOR_SPOOFED_PARENT,
		  why || parent_tells(i) ? NULL : "account and session of a child");
	if (why)
		tell(w, i, INDICATOR_SPOOFED_PARENT, indicators[INDICATOR_SPOOFED_PARENT].severity,
		     why);
}
