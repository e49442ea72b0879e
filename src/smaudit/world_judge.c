/* SPDX-License-Identifier: MIT */
/*
 * world_judge.c - one boot, judged when all of it was told: who lives on, whose child it is, when
 *
 * What only the whole boot shows: parents, persistence, the master's start against System's. A
 * missing exit proves nothing. What could not be decided is counted by rule and host, and told
 * once.
 */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "smaudit/world.h"

static int64_t minus(int64_t a, int64_t b)
{
	int64_t c;

	return !__builtin_sub_overflow(a, b, &c) ? c : b < 0 ? INT64_MAX : -INT64_MAX;
}

int64_t boot_span(const struct boot *b, int64_t from_ns, int64_t to_ns)
{
	int64_t span = minus(to_ns, from_ns);

	for (unsigned n = 0; n < b->clocks; n++) {
		int64_t now = b->clock[n].at_ns, by = b->clock[n].by_ns;

		if (to_ns < now || from_ns > minus(now, by))
			continue;
		if (by > 0 || from_ns < now || from_ns > to_ns)
			span = minus(span, by);
	}
	return span;
}

int64_t life_ns(const struct instance *i, bool *ret_ended)
{
	int64_t last = i->end_ns;

	*ret_ended = i->end_ns != NO_TIME || i->threads == 0;
	if (last == NO_TIME) /* what is told of it after its end is somebody's claim */
		last = i->active_ns;
	if (!*ret_ended && i->alive) {
		if (i->alive->newest_ns != NO_TIME &&
		    (last == NO_TIME || i->alive->newest_ns > last))
			last = i->alive->newest_ns;
		if (i->alive->taken_ns != NO_TIME && (last == NO_TIME || i->alive->taken_ns > last))
			last = i->alive->taken_ns;
	}
	if (i->start_ns == NO_TIME || last == NO_TIME)
		return NO_TIME;
	return boot_span(boot_real(i->boot), i->start_ns, last);
}

void undecided(const struct instance *i, enum indicator_id rule, const char *missing)
{
	struct undecided *u = &i->boot->host->undecided[rule];

	u->of++;
	if (!missing)
		return;
	u->not_decided++;
	if (!u->missing) {
		u->missing = missing;
		u->line = i->line;
	}
}

bool from_system(const struct instance *i)
{
	const char *parent = i->text[TEXT_PARENT_IMAGE];

	if (i->system == SYSTEM_LINUX)
		return i->pid == 1 || i->ppid == 0;
	return parent ? str_same_fold(parent, "System") : i->ppid == 4;
}

const struct instance *master_of(const struct boot *b)
{
	const struct instance *best = NULL;

	for (const struct instance *i = b->instances; i; i = i->next) {
		if (!(i->is & IS_SMSS) || !from_system(i) || i->start_ns == NO_TIME)
			continue;
		if (!best || i->start_ns < best->start_ns)
			best = i;
	}
	return best ? best : b->master;
}

/* By GUID; else the latest of that pid that lived when its child began. */
static struct instance *parent_of(const struct world *w, const struct instance *i)
{
	struct instance *best = instance_by_guid(w, i->boot->host, &i->parent_guid);
	unsigned left = CHAIN_MAX;

	if (best || i->ppid == NO_PID)
		return best;
	for (struct instance *p = pid_chain(w, i->boot->host, i->ppid); p && left;
	     p = p->next_pid, left--) {
		if (p->pid != i->ppid || p == i || boot_real(p->boot) != boot_real(i->boot))
			continue;
		if (i->start_ns != NO_TIME &&
		    ((p->start_ns != NO_TIME && p->start_ns > i->start_ns + SECOND_NS) ||
		     (p->end_ns != NO_TIME && p->end_ns + SECOND_NS < i->start_ns) ||
		     (p->reused_ns != NO_TIME && p->reused_ns < i->start_ns)))
			continue;
		if (i->parent_guid.known && p->guid.known)
			continue;
		if (!best || p->start_ns > best->start_ns)
			best = p;
	}
	return best;
}

bool from_smss(const struct world *w, const struct instance *i)
{
	const char *told = i->text[TEXT_PARENT_IMAGE];
	struct windows_path path;
	struct name_verdict v = {0};
	char room[IMAGE_NAME_BYTES];
	struct instance as_told = {.boot = i->boot, .system = i->system, .is = IS_SMSS};

	if (i->parent)
		return (i->parent->is & IS_SMSS) &&
		       instance_place(w, i->parent, &path) != PLACE_WRONG;
	if (told)
		name_look(i->system == SYSTEM_WINDOWS ? path_image_name(told, room)
						      : path_base(told),
			  false, i->system, &v);
	as_told.text[TEXT_IMAGE] = told;
	if (v.kind == NAME_EXACT && !strcmp(v.of, "smss"))
		return instance_place(w, &as_told, &path) != PLACE_WRONG;
	return i->system == SYSTEM_LINUX && i->ppid == 1;
}

/* ---- second persistent instance, and whose child ---- */

/* Sessions other than 0 with a wininit and services of their own: each is a container's. */
static unsigned container_sessions(const struct boot *b)
{
	uint8_t has[256] = {0};
	unsigned n = 0;

	for (const struct instance *i = b->instances; i; i = i->next) {
		const char *name = instance_name(i);

		if (i->session <= 0 || i->session >= 256 || !(i->is & IS_CORE))
			continue;
		has[i->session] |= str_starts(name, "wininit")    ? 1
				   : str_starts(name, "services") ? 2
				   : str_starts(name, "csrss")    ? 4
								  : 0;
	}
	for (unsigned s = 1; s < 256; s++)
		n += has[s] == 7;
	return n;
}

static void tell_second(struct world *w, const struct instance *i, const char *what, bool container)
{
	struct telling t;

	telling_of(&t, i, INDICATOR_SECOND_PERSISTENT_INSTANCE);
	t.f.what = what;
	if (container) {
		t.f.severity = SEVERITY_INFO;
		t.f.what =
			"A second session manager lives on; a session of this machine has a csrss, "
			"wininit and services of its own, as a container has.";
	}
	report_add(w->report, &t.f);
}

static void tell_parent(struct world *w, const struct instance *i, bool persistent,
			const char *what)
{
	struct telling t;

	telling_of(&t, i, INDICATOR_WRONG_PARENT);
	t.f.what = what;
	t.f.severity = persistent ? SEVERITY_HIGH : SEVERITY_MEDIUM;
	report_add(w->report, &t.f);
}

/* The parent of an instance that is not the master. */
static void judge_parent(struct world *w, const struct instance *i, bool persistent)
{
	bool named = i->text[TEXT_PARENT_IMAGE] || (i->parent && *instance_name(i->parent));

	if (i->is & (IN_CONTAINER | IS_MENTIONED)) {
		undecided(i, INDICATOR_WRONG_PARENT,
			  i->is & IN_CONTAINER ? NULL : "start of the process");
		return;
	}
	if (from_system(i) || from_smss(w, i)) {
		undecided(i, INDICATOR_WRONG_PARENT, NULL);
	} else if (named) {
		undecided(i, INDICATOR_WRONG_PARENT, NULL);
		tell_parent(w, i, persistent,
			    i->system == SYSTEM_LINUX
				    ? "Its parent is neither the kernel nor a session manager."
				    : "Its parent is neither System nor a session manager.");
	} else if (persistent && i->ppid != NO_PID) {
		undecided(i, INDICATOR_WRONG_PARENT, NULL);
		tell_parent(w, i, true,
			    "It lives on, and its parent is neither System nor a session manager "
			    "that was told of.");
	} else {
		undecided(i, INDICATOR_WRONG_PARENT,
			  i->ppid == NO_PID ? "parent"
					    : "image of the parent, or that it lived on");
	}
}

/* An instance beyond the master. Returns true when it was excused as a container's. */
static bool judge_other(struct world *w, const struct boot *b, const struct instance *i,
			const struct instance *master, unsigned excused)
{
	int64_t grace = (int64_t)w->options.grace_s * SECOND_NS;
	bool ended, persistent, at_boot, container = i->is & IN_CONTAINER;
	int64_t life = life_ns(i, &ended);
	const enum indicator_id rule = INDICATOR_SECOND_PERSISTENT_INSTANCE;

	persistent = life != NO_TIME && life > grace;
	/* The exits of the boot's own copies are often not logged. */
	at_boot = master && from_smss(w, i) && near_in_time(i->start_ns, master->start_ns, 60);
	if (excused && persistent && !from_smss(w, i))
		container = true;
	if (!container)
		judge_parent(w, i, persistent);
	if (master && from_system(i) && i->start_ns > master->start_ns + 2 * SECOND_NS &&
	    !container) {
		struct telling t;

		telling_of(&t, i, INDICATOR_SPOOFED_PARENT);
		t.f.what = "It says that System started it, but this boot has its master: System "
			   "starts one session manager a boot.";
		report_add(w->report, &t.f);
	}
	if (persistent && i->system == SYSTEM_LINUX && from_smss(w, i)) {
		undecided(i, rule, NULL); /* how long it may live is the ledger's to say */
	} else if (persistent && (master || from_smss(w, i))) {
		undecided(i, rule, NULL);
		tell_second(w, i,
			    "A session manager beyond the master lives on; a session copy exits "
			    "within a second.",
			    container);
		return container;
	} else if (b->has_live && b->has_scan && (i->is & (IN_SCAN | IN_LIVE)) == IN_SCAN &&
		   !ended) {
		undecided(i, rule, NULL);
		tell_second(w, i,
			    "A scan of the memory shows it alive, and the system's own list does "
			    "not show it: it was unlinked.",
			    false);
	} else if (ended || (life != NO_TIME && (i->alive || at_boot))) {
		undecided(i, rule, NULL);
	} else {
		undecided(i, rule, "exit or a later trace of the process");
	}
	return false;
}

/* ---- late start ---- */

static int64_t core_start(const struct boot *b, const struct instance *master)
{
	int64_t first = NO_TIME;

	for (const struct instance *i = b->instances; i; i = i->next) {
		const char *name = instance_name(i);

		if (i == master || i->start_ns == NO_TIME || i->session > 0 ||
		    !(str_starts(name, "csrss") || str_starts(name, "autochk") ||
		      str_same(name, "registry")))
			continue;
		if (first == NO_TIME || i->start_ns < first)
			first = i->start_ns;
	}
	return first;
}

/* The whole machine an hour off: a clock read as local time, no late start. */
static bool is_zone_shift(int64_t delta)
{
	int64_t quarter = 900 * SECOND_NS, rest = delta % quarter;

	return delta >= 2 * quarter - 60 * SECOND_NS && delta < 15 * 4 * quarter &&
	       (rest < 60 * SECOND_NS || rest > quarter - 60 * SECOND_NS);
}

static void judge_late(struct world *w, const struct boot *b, const struct instance *master)
{
	int64_t since = b->system_ns, core = core_start(b, master), delta;
	const char *what_since = "System (pid 4)";
	struct telling t;

	if (since == NO_TIME && b->host->guid_times && b->system_guid.known)
		since = guid_time(&b->system_guid);
	if (since == NO_TIME && b->kernel_ns != NO_TIME) {
		since = b->kernel_ns;
		what_since = "the kernel";
		delta = boot_span(b, since, master->start_ns);
		if (core >= master->start_ns && master->system == SYSTEM_WINDOWS &&
		    is_zone_shift(delta))
			since = core;
	}
	if (since == NO_TIME) {
		since = core;
		what_since = "the first of its own children";
	}
	if (since == NO_TIME || master->start_ns == NO_TIME) {
		undecided(master, INDICATOR_LATE_START,
			  master->start_ns == NO_TIME ? "start of the master"
						      : "start of System (pid 4)");
		return;
	}
	undecided(master, INDICATOR_LATE_START, NULL);
	delta = master->start_ns > since ? boot_span(b, since, master->start_ns) : 0;
	if (delta <= 10 * SECOND_NS || (master->is & IN_CONTAINER))
		return;
	telling_of(&t, master, INDICATOR_LATE_START);
	if (delta <= (int64_t)w->options.late_s * SECOND_NS)
		t.f.severity = SEVERITY_INFO;
	snprintf(t.what, sizeof(t.what), "The master began %lld s after %s.",
		 (long long)(delta / SECOND_NS), what_since);
	t.f.what = t.what;
	report_add(w->report, &t.f);
}

/* ---- all of it ---- */

void boot_judge(struct world *w, struct boot *b)
{
	const struct instance *master;
	unsigned containers;

	for (struct instance *i = b->instances; i; i = i->next) {
		i->parent = parent_of(w, i);
		if (str_starts(instance_name(i), "wininit"))
			b->vista = true;
		if ((i->is & IS_SMSS) && i->parent && (i->parent->is & IS_SMSS))
			b->vista = true;
	}
	master = master_of(b);
	containers = container_sessions(b);
	for (struct instance *i = b->instances; i; i = i->next) {
		judge_instance(w, i);
		if ((i->is & IS_SMSS) && i != master) {
			if (judge_other(w, b, i, master, containers) && containers > 0)
				containers--;
		} else if (!(i->is & IS_SMSS) && i->pid != 4) {
			judge_child(w, b, i);
		}
	}
	if (master)
		judge_late(w, b, master);
	for (struct instance *i = b->instances; i; i = i->next)
		i->parent = NULL;
}

static void tell_undecided(struct world *w, const struct host *h, enum indicator_id rule,
			   const char *subject)
{
	const struct undecided *u = &h->undecided[rule];
	char what[200];
	struct finding f = {.rule = rule,
			    .verdict = VERDICT_INDETERMINATE,
			    .severity = SEVERITY_INFO,
			    .host = h->name,
			    .subject = subject,
			    .what = what,
			    .missing = u->missing,
			    .time_ns = NO_TIME,
			    .place = {.file = h->file, .line = u->line}};

	if (u->of)
		snprintf(what, sizeof(what), "%u of %u processes could not be judged.",
			 (unsigned)u->not_decided, (unsigned)u->of);
	else
		snprintf(what, sizeof(what), "%s",
			 h->too_many ? "Some processes were not looked at."
			 : h->smss   ? "The master itself was not told of."
				     : "No session manager was told of.");
	report_add(w->report, &f);
}

/* Boots of which only marks were told belong to the nearest one with processes. */
static void join_marks(struct host *h)
{
	for (struct boot *m = h->boots; m; m = m->next) {
		unsigned left = 1024;

		if (m->instances || m->joined || m->joins)
			continue;
		for (struct boot *b = h->boots; b && left && !m->joined; b = b->next, left--) {
			if (b != m && b->instances && near_in_time(b->first_ns, m->kernel_ns, 300))
				boot_join(m, boot_real(b));
		}
	}
}

/* Every machine has a session manager: evidence without one has not shown that it is in order. */
static void nobody_was_told_of(struct host *h)
{
	static const enum indicator_id rules[] = {
		INDICATOR_WRONG_PATH,       INDICATOR_WRONG_PARENT,
		INDICATOR_UNEXPECTED_CHILD, INDICATOR_SECOND_PERSISTENT_INSTANCE,
		INDICATOR_WRONG_ACCOUNT,    INDICATOR_LATE_START,
		INDICATOR_SPOOFED_PARENT};

	for (unsigned n = 0; n < ARRAY_SIZE(rules); n++) {
		h->undecided[rules[n]].missing = "a process named smss.exe";
	}
}

void host_end(struct world *w, struct host *h)
{
	join_marks(h);
	boot_gather(w, h);
	for (struct boot *b = h->boots; b; b = b->next)
		boot_judge(w, b);
	if (h->smss && !h->undecided[INDICATOR_LATE_START].of)
		h->undecided[INDICATOR_LATE_START].missing = "start of the master";
	if (h->processes && !h->smss)
		nobody_was_told_of(h);
	for (unsigned r = 0; r < INDICATOR_COUNT; r++) {
		if (h->undecided[r].missing)
			tell_undecided(w, h, (enum indicator_id)r, "smss.exe");
	}
	if (h->too_many) {
		struct undecided *u = &h->undecided[INDICATOR_SECOND_PERSISTENT_INSTANCE];

		*u = (struct undecided){.missing =
						"room: too many processes of interest on one host"};
		tell_undecided(w, h, INDICATOR_SECOND_PERSISTENT_INSTANCE,
			       "what there was no room for");
	}
}
