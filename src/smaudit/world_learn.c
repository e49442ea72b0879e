/* SPDX-License-Identifier: MIT */
/*
 * world_learn.c - which facts matter, and what a host tells of itself along the way
 *
 * Every fact passes here, so names are looked at once and remembered; what is learnt are the ways
 * in which one host writes what is the same on all: its root, its LocalSystem, its GUIDs' times.
 */
#include <string.h>

#include "smaudit/world.h"

/* ---- what kind of name it is; most facts carry one of a few hundred ---- */

static const struct name_seen *kind_of(struct world *w, const char *name, bool cut,
				       enum system system)
{
	static struct name_seen one;
	size_t n = str_len(name, sizeof(one.name));
	struct name_seen *seen = &one;
	struct name_verdict v;

	if (n < sizeof(one.name)) {
		seen = &w->seen[table_hash(w, name, n, 2) % NAME_CACHE];
		if (seen->used && seen->cut == cut && seen->system == system &&
		    !strcmp(seen->name, name))
			return seen;
		memcpy(seen->name, name, n + 1);
	}
	name_look(name, cut, system, &v);
	seen->kind = (uint8_t)v.kind;
	seen->system = (uint8_t)system;
	seen->cut = cut;
	seen->of = v.of;
	seen->used = true;
	return seen;
}

unsigned world_kept_as(struct world *w, const struct process_fact *f)
{
	const char *name = f->image && *path_base(f->image) ? path_base(f->image) : f->name;
	const struct name_seen *k;
	const char *gone;
	char kept[64];

	if (f->system == SYSTEM_LINUX && name && (gone = strstr(name, " (deleted)")) &&
	    (size_t)(gone - name) < sizeof(kept)) {
		memcpy(kept, name, (size_t)(gone - name));
		kept[gone - name] = '\0';
		name = kept;
	}
	if (f->pid == 4 && f->system == SYSTEM_WINDOWS)
		return IS_SYSTEM;
	if (!name)
		return 0;
	k = kind_of(w, name, f->name_cut && !f->image, f->system);
	if (k->kind == NAME_EXACT && !strcmp(k->of, "smss"))
		return IS_SMSS;
	if (f->original_name && (f->original_name[0] | 32) == 's' &&
	    world_names_smss(w, f->original_name, f->system))
		return IS_NEAR; /* a session manager under another name */
	if (k->kind == NAME_EXACT && (!strcmp(k->of, "svchost") || !strcmp(k->of, "lsass")))
		return identity_doubtful(f) ? IS_CORE : 0; /* there are too many to keep */
	if (k->kind == NAME_EXACT)
		return IS_CORE;
	return k->kind == NAME_OTHER ? 0 : IS_NEAR;
}

bool world_names_smss(struct world *w, const char *path, enum system system)
{
	const struct name_seen *k;

	if (!path || !*path)
		return false;
	k = kind_of(w, path_base(path), false, system);
	return k->kind == NAME_EXACT && !strcmp(k->of, "smss");
}

/* ---- the host learns from everything ---- */

static void learn_root(struct world *w, struct host *h, const char *image)
{
	static const char *const tails[] = {"\\system32\\wininit.exe", "\\system32\\services.exe",
					    "\\system32\\lsass.exe"};
	struct windows_path p;
	size_t n;

	path_windows(image, w->root, &p);
	n = strlen(p.text);
	for (unsigned t = 0; t < 3; t++) {
		size_t m = strlen(tails[t]);
		char root[520];

		if (p.cut || p.unc || n <= m || strcmp(p.text + n - m, tails[t]))
			continue;
		memcpy(root, p.text, n - m);
		root[n - m] = '\0';
		for (unsigned r = 0; r < ROOTS_MAX; r++) {
			if (!h->root[r])
				h->root[r] = text_keep(w, root);
			if (!strcmp(h->root[r], root))
				break;
		}
	}
}

void world_learn(struct world *w, struct host *h, const struct process_fact *f, unsigned is)
{
	struct guid g;

	h->processes = true;
	if (f->signature)
		h->signatures = true;
	if (f->image && f->system == SYSTEM_WINDOWS && strchr("wWsSlL", path_base(f->image)[0]))
		learn_root(w, h, f->image);
	if (!h->system_user && f->user && !(is & (IS_SMSS | IS_NEAR))) {
		struct instance probe = {.text[TEXT_USER] = f->user, .text[TEXT_SID] = f->sid};
		struct boot b = {.host = h};

		probe.boot = &b;
		if (instance_account(&probe) == ACCOUNT_SYSTEM)
			h->system_user = text_keep(w, f->user);
	}
	if (!h->guid_times && f->seen == SEEN_START && f->guid) {
		g = guid_read(f->guid);
		h->guid_times = near_in_time(guid_time(&g), f->time_ns, 3);
	}
}
