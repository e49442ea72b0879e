/* SPDX-License-Identifier: MIT */
/*
 * world_learn.c - which facts matter, and what a host tells of itself along the way
 *
 * Every fact passes here, so names are looked at once and remembered; what is learnt are the ways
 * in which one host writes what is the same on all: its root, its LocalSystem, its GUIDs' times.
 */
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
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
	seen->home = (uint8_t)(system == SYSTEM_WINDOWS ? name_home(name) : 0);
	seen->cut = cut;
	seen->of = v.of;
	seen->used = true;
	return seen;
}

/* Such an image is written as most are, and lies where it should. */
static bool is_home(const struct world *w, const char *image, unsigned home)
{
	static const char device[] = "\\Device\\HarddiskVolume";
	const char *root = w->root;
	size_t n;

	if (!strncasecmp(image, device, sizeof(device) - 1)) {
		image += sizeof(device) - 1;
		image += strspn(image, "0123456789");
		root += 2; /* its drive */
	}
	n = strlen(root);
	if (strncasecmp(image, root, n) || image[n] != '\\')
		return false;
	image += n + 1;
	if (strncasecmp(image, "system32\\", 9) &&
	    (!(home & HOME_SYSWOW64) || strncasecmp(image, "syswow64\\", 9)))
		return false;
	return !strpbrk(image + 9, "\\/");
}

bool names_agree(const char *name, bool cut, const char *base)
{
	size_t n = strlen(name);

	if (strchr(base, '~'))
		return true;
	return !strncasecmp(name, base, n) && (cut || !base[n] || !strcasecmp(base + n, ".exe"));
}

/* By the one name that is the process's. */
static unsigned kept_by_name(struct world *w, const struct process_fact *f, const char *name,
			     bool cut)
{
	const struct name_seen *k = kind_of(w, name, cut, f->system);
	bool many;

	if (k->kind == NAME_EXACT && !strcmp(k->of, "smss"))
		return IS_SMSS;
	if (f->original_name && (f->original_name[0] | 32) == 's' &&
	    world_names_smss(w, f->original_name, f->system))
		return IS_NEAR;      /* a session manager under another name */
	if (k->home & HOME_SYSWOW64) /* nothing that the session manager or its children start */
		return identity_doubtful(f) ? IS_CORE : 0;
	many = k->kind == NAME_EXACT && !strcmp(k->of, "lsass");
	if (k->home && (many || k->kind != NAME_EXACT)) /* there are too many to keep */
		return f->seen == SEEN_ALIVE || identity_doubtful(f) ||
				       (f->image && !is_home(w, f->image, k->home))
			       ? IS_CORE
			       : 0;
	if (k->kind == NAME_EXACT)
		return IS_CORE;
	return k->kind == NAME_OTHER ? 0 : IS_NEAR;
}

/* By the name that a list gives beside an image of another name. */
static unsigned kept_by_list(struct world *w, const struct process_fact *f, const char *base)
{
	const struct name_seen *k;

	if (!f->name || f->name == base || names_agree(f->name, f->name_cut, base))
		return 0;
	k = kind_of(w, f->name, f->name_cut, f->system);
	return k->kind == NAME_OTHER || k->kind == NAME_EXACT ? 0 : IS_NEAR;
}

unsigned world_kept_as(struct world *w, const struct process_fact *f)
{
	const char *base = f->image && *path_base(f->image) ? path_base(f->image) : NULL;
	const char *name = base && !(f->name && strchr(base, '~')) ? base : f->name;
	const char *gone;
	char kept[IMAGE_NAME_BYTES];

	if (f->pid == 4 && f->system == SYSTEM_WINDOWS)
		return IS_SYSTEM;
	if (!name)
		return 0;
	if (f->system == SYSTEM_LINUX && (gone = strstr(name, " (deleted)")) &&
	    (size_t)(gone - name) < sizeof(kept)) {
		memcpy(kept, name, (size_t)(gone - name));
		kept[gone - name] = '\0';
		name = kept;
	}
	if (f->system == SYSTEM_WINDOWS && name == base)
		name = path_image_name(f->image, kept);
	return kept_by_name(w, f, name, f->name_cut && name == f->name) |
	       (base ? kept_by_list(w, f, name) : 0);
}

bool world_names_smss(struct world *w, const char *path, enum system system)
{
	const struct name_seen *k;
	char room[IMAGE_NAME_BYTES];

	if (!path || !*path)
		return false;
	k = kind_of(w, system == SYSTEM_WINDOWS ? path_image_name(path, room) : path_base(path),
		    false, system);
	return k->kind == NAME_EXACT && !strcmp(k->of, "smss");
}

/* ---- the host learns from everything ---- */

static const char *const witnesses[] = {"wininit.exe", "services.exe", "lsass.exe"};

unsigned root_witness(const char *base)
{
	for (unsigned n = 0; n < ARRAY_SIZE(witnesses); n++) {
		if (!strcasecmp(base, witnesses[n]))
			return 1u << n;
	}
	return 0;
}

static void learn_root(struct world *w, struct host *h, const char *image)
{
	static const char folder[] = "\\system32\\";
	unsigned by = root_witness(path_base(image));
	struct windows_path p;
	char *tail;

	if (!by)
		return;
	path_windows(image, w->root, &p);
	tail = p.text + (path_base(p.text) - p.text);
	if (p.cut || p.unc || (size_t)(tail - p.text) < sizeof(folder))
		return;
	tail -= sizeof(folder) - 1;
	if (strncmp(tail, folder, sizeof(folder) - 1))
		return;
	*tail = '\0';
	for (unsigned r = 0; r < ROOTS_MAX; r++) {
		if (!h->root[r])
			h->root[r] = text_keep(w, p.text);
		if (!strcmp(h->root[r], p.text)) {
			h->root_by[r] |= (uint8_t)by;
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
