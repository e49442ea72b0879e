/* SPDX-License-Identifier: MIT */
/*
 * world_lists.c - a scan of the memory against the system's own list, when no host is named
 *
 * Two lists without a host's name are of the same machine when System and the master have the same
 * pid and start in both. What a scan shows alive and the list does not is unlinked, or the scan met
 * what is left of it; a running session manager of that kind is told.
 */
#include "smaudit/world.h"

static bool same_machine(const struct boot *a, const struct boot *b)
{
	const struct instance *m = master_of(a), *n = master_of(b);

	return m && n && m->pid == n->pid && m->start_ns / SECOND_NS == n->start_ns / SECOND_NS &&
	       a->system_ns != NO_TIME && b->system_ns != NO_TIME &&
	       a->system_ns / SECOND_NS == b->system_ns / SECOND_NS;
}

static bool is_listed(const struct world *w, const struct host *h, const struct instance *i)
{
	unsigned left = CHAIN_MAX;

	for (const struct instance *o = pid_chain(w, h, i->pid); o && left;
	     o = o->next_pid, left--) {
		if (o->boot->host == h && o->pid == i->pid &&
		    near_in_time(o->start_ns, i->start_ns, 2))
			return true;
	}
	return false;
}

static void compare(struct world *w, const struct boot *scan, const struct boot *live)
{
	for (const struct instance *i = scan->instances; i; i = i->next) {
		struct telling t;
		bool ended;

		(void)life_ns(i, &ended);
		if (!(i->is & IS_SMSS) || ended || is_listed(w, live->host, i))
			continue;
		telling_of(&t, i, INDICATOR_SECOND_PERSISTENT_INSTANCE);
		t.f.what =
			"A scan of the memory shows it alive, and the system's own list does not "
			"show it: it was unlinked.";
		report_add(w->report, &t.f);
	}
}

static const struct boot *list_of(const struct host *h, bool scan)
{
	for (const struct boot *b = h->boots; b; b = b->next) {
		if (b->instances && (scan ? b->has_scan : b->has_live))
			return b;
	}
	return NULL;
}

void lists_compare(struct world *w)
{
	const struct boot *scan[64], *live[64];
	unsigned scans = 0, lives = 0;

	for (unsigned n = 0; n < 4096; n++) {
		for (const struct host *h = w->host[n]; h; h = h->next) {
			const struct boot *s = h->name ? NULL : list_of(h, true);
			const struct boot *l = h->name ? NULL : list_of(h, false);

			if (s && !l && scans < 64)
				scan[scans++] = s;
			if (l && lives < 64)
				live[lives++] = l;
		}
	}
	for (unsigned s = 0; s < scans; s++) {
		for (unsigned l = 0; l < lives; l++) {
			if (same_machine(scan[s], live[l]))
				compare(w, scan[s], live[l]);
		}
	}
}
