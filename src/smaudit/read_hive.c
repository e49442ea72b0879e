/* SPDX-License-Identifier: MIT */
/*
 * read_hive.c - a SYSTEM hive, with its logs replayed, as facts
 *
 * Only the keys that are judged are loaded: Session Manager of every control set, the services of
 * the current one, and what names the machine. Values are told as the bytes that lie there. A hive
 * that is dirty without its logs, or damaged, is told as that. Must never write to a hive or a log:
 * src/registry replays into a copy in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "registry/hive.h"
#include "registry/tree.h"
#include "smaudit/hive_logs.h"
#include "smaudit/read_hive.h"
#include "smaudit/readers.h"
#include "sys/sys.h"

/* Subkey levels of the services: their own values, and no more. */
#define SERVICE_DEPTH 1u

/* ---- opening ---- */

/* Opened whole, or what can be salvaged of it. */
static int open_hive(struct reading_of *r, const char *path, const char *const *logs,
		     unsigned count)
{
	_cleanup_(hive_source_close) struct hive_source from = HIVE_SOURCE_NONE;
	char room[256] = "", again[256] = "", said[SAID_BYTES];
	struct text why = TEXT_ON(room), other = TEXT_ON(again);
	int e = hive_source_open(path, &from);

	if (e < 0) {
		hive_trouble(r, TROUBLE_INPUT, err_text(-e));
		return e;
	}
	if (count)
		hive_logs_take(logs, count, r->to, &from, r->log_name);
	e = hive_open(&from, 0, &r->hive, &why);
	if (e < 0 && hive_open(&from, HIVE_SALVAGE, &r->hive, &other) < 0) {
		hive_trouble(r, TROUBLE_INPUT, room[0] ? room : err_text(-e));
		return e;
	}
	if (e < 0) {
		snprintf(said, sizeof(said), "damaged, read in part: %s", room);
		hive_trouble(r, TROUBLE_DEGRADED, said);
		r->partial = true;
	}
	e = tree_start(&r->tree);
	if (e < 0)
		hive_trouble(r, TROUBLE_INPUT, err_text(-e));
	return e;
}

/* ---- what it is ---- */

/* Load a key; what is missing is no trouble, what cannot be read is. */
static const struct reg_key *load(struct reading_of *r, const char *path, unsigned depth)
{
	const int e = hive_load(r->hive, path, depth, &r->tree);
	char text[256];

	if (e < 0 && e != -ENOENT) {
		snprintf(text, sizeof(text), "key %.180s cannot be read: %s", path,
			 e == -E2BIG ? "more keys or values than are taken" : err_text(-e));
		hive_trouble(r, TROUBLE_DEGRADED, text);
		r->partial = true;
	}
	return e < 0 ? NULL : hive_key(r, path);
}

static bool is_set_name(const struct reg_key *k)
{
	const char *n = k->name;

	if (k->name_bytes != 13)
		return false;
	for (unsigned i = 10; i < 13; i++)
		if (n[i] < '0' || n[i] > '9')
			return false;
	return strncasecmp(n, "ControlSet", 10) == 0;
}

static void say_keys(const struct reg_key *root, struct text *t)
{
	text_add(t, root->child_count ? "; its keys are " : "; it has no keys");
	for (uint32_t i = 0; i < root->child_count && i < 4; i++) {
		const struct reg_key *k = root->children[i];

		text_add(t, i ? ", " : "");
		text_escaped(t, k->name, k->name_bytes < 40 ? k->name_bytes : 40);
	}
	text_add(t, root->child_count > 4 ? ", ..." : "");
}

/* A valid hive of another kind, by the keys below its root. */
static void say_other_kind(struct reading_of *r, const struct reg_key *root)
{
	static const struct {
		const char *one, *two, *what;
	} kinds[] = {
		{"Objects", "Description", "a boot configuration (BCD)"},
		{"SAM", NULL, "a SAM hive"},
		{"Policy", NULL, "a SECURITY hive"},
		{"Microsoft", "Classes", "a SOFTWARE hive"},
		{"DriverDatabase", NULL, "a DRIVERS hive"},
		{"Control Panel", "Software", "a user's hive (NTUSER.DAT)"},
		{"Local Settings", NULL, "a user's classes (UsrClass.dat)"},
		{"Root", NULL, "a hive of the application cache (Amcache)"},
	};
	char said[SAID_BYTES];
	struct text t = TEXT_ON(said);

	text_add(&t, "not a SYSTEM hive: it has no Select key and no control set");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (key_child(root, kinds[i].one, strlen(kinds[i].one)) &&
		    (!kinds[i].two || key_child(root, kinds[i].two, strlen(kinds[i].two)))) {
			text_add(text_add(&t, "; it looks like "), kinds[i].what);
			break;
		}
	say_keys(root, &t);
	if (*hive_said(r->hive))
		text_add(text_add(&t, "; "), hive_said(r->hive));
	hive_trouble(r, TROUBLE_INPUT, said);
}

static void list_sets(struct reading_of *r, const struct reg_key *root)
{
	for (uint32_t i = 0; i < root->child_count && r->set_count < SETS_MAX; i++)
		if (is_set_name(root->children[i]))
			str_copy(r->sets[r->set_count++], sizeof(r->sets[0]),
				 root->children[i]->name);
}

static void take_set(const struct reading_of *r, unsigned number, char ret[24])
{
	char wanted[24];

	snprintf(wanted, sizeof(wanted), "ControlSet%03u", number);
	for (unsigned i = 0; i < r->set_count && number; i++)
		if (str_same_fold(r->sets[i], wanted))
			str_copy(ret, 24, r->sets[i]);
}

/* Current is the set of the last boot, Default that of the next one: what waits there counts, too.
 */
static void choose_next(struct reading_of *r)
{
	const struct reg_key *select = key_child(r->tree.root, "Select", 6);
	const struct reg_value *v = select ? key_get(select, "Default") : NULL;
	char text[160];
	uint32_t n = 0;

	if (v && value_dword(v, &n) && n <= 999)
		take_set(r, n, r->next);
	if (str_same(r->next, r->set))
		r->next[0] = 0;
	if (!r->next[0])
		return;
	snprintf(text, sizeof(text),
		 "Select\\Default names %s and Select\\Current %s: the next boot takes the former; "
		 "both "
		 "are judged",
		 r->next, r->set);
	hive_trouble(r, TROUBLE_NOTE, text);
}

/* Which set drives the boot. A container's delta hive has no Select, and one set. */
static void choose_set(struct reading_of *r, bool select)
{
	char wanted[24], text[160];
	unsigned number;

	if (!select) {
		r->partial = true;
		if (r->set_count == 1)
			str_copy(r->set, sizeof(r->set), r->sets[0]);
		hive_trouble(
			r, TROUBLE_DEGRADED,
			r->set_count == 1
				? "no Select key, one control set: a container's delta hive, which "
				  "holds only what differs from its base"
				: "no Select key, several control sets: which one is current is "
				  "not told");
		return;
	}
	(void)load(r, "Select", 0);
	number = tree_current_set(&r->tree);
	snprintf(wanted, sizeof(wanted), "ControlSet%03u", number);
	take_set(r, number, r->set);
	if (r->set[0]) {
		choose_next(r);
		return;
	}
	r->partial = true;
	if (number)
		snprintf(text, sizeof(text), "Select\\Current names %s, which is not in the hive",
			 wanted);
	else
		snprintf(text, sizeof(text), "Select\\Current is not a number from 1 to 999");
	hive_trouble(r, TROUBLE_DEGRADED, text);
}

/* ---- loading what is judged ---- */

/* A key that stands for another one. What Windows acts on lies there, and is not looked for. */
static bool is_link(const struct reg_key *k)
{
	const struct reg_value *v = k ? key_get(k, "SymbolicLinkValue") : NULL;

	return v && v->type == REG_LINK;
}

static void look_for_link(struct reading_of *r, const char *path, const struct reg_key *k)
{
	const struct reg_value *v = is_link(k) ? key_get(k, "SymbolicLinkValue") : NULL;
	const char *to = v ? value_text(&r->tree.arena, v, NULL) : NULL;
	char said[SAID_BYTES];
	struct text t = TEXT_ON(said);

	if (!v)
		return;
	text_escaped(&t, path, strlen(path));
	text_add(&t, " is a link to another key, which is not followed: ");
	if (to)
		text_escaped(&t, to, strnlen(to, 400));
	hive_trouble(r, TROUBLE_DEGRADED, said);
	r->partial = true;
}

/* Each key on the way to what is judged in a set that drives a boot, and the services of it. */
static void look_for_links(struct reading_of *r, const char *set)
{
	static const char *const below[] = {"", "\\Control", "\\Control\\Session Manager",
					    "\\Control\\Session Manager\\FileRenameOperations",
					    "\\Services"};
	const struct reg_key *services = NULL;
	char path[600];

	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", set, below[i]);
		look_for_link(r, path, i < 2 ? load(r, path, 0) : hive_key(r, path));
	}
	services = hive_key(r, path);
	for (uint32_t i = 0; services && i < services->child_count; i++) {
		const struct reg_key *k = services->children[i];

		if (!is_link(k))
			continue;
		snprintf(path, sizeof(path), "%s\\Services\\%.400s", set, k->name);
		look_for_link(r, path, k);
		return; /* one is enough to say so */
	}
}

static void load_all(struct reading_of *r)
{
	char path[128];

	for (unsigned i = 0; i < r->set_count; i++) {
		hive_path_in(r->sets[i], "Control\\Session Manager", path, sizeof(path));
		if (!load(r, path, 0) && str_same(r->sets[i], r->set)) {
			hive_trouble(r, TROUBLE_DEGRADED,
				     "the current set has no Control\\Session Manager");
			r->partial = true;
		}
		hive_path_in(r->sets[i], "Control\\Session Manager\\FileRenameOperations", path,
			     sizeof(path));
		(void)load(r, path, 0);
	}
	if (!r->set[0])
		return;
	hive_path_in(r->set, "Services", path, sizeof(path));
	(void)load(r, path, SERVICE_DEPTH);
	hive_path_in(r->set, "Control\\ComputerName\\ComputerName", path, sizeof(path));
	(void)load(r, path, 0);
	(void)load(r, "Setup", 1);
	look_for_links(r, r->set);
	if (!r->next[0])
		return;
	hive_path_in(r->next, "Services", path, sizeof(path));
	(void)load(r, path, SERVICE_DEPTH);
	look_for_links(r, r->next);
}

static bool number_set(const struct reg_key *k, const char *name)
{
	const struct reg_value *v = k ? key_get(k, name) : NULL;
	uint32_t n = 0;

	return v && value_dword(v, &n) && n;
}

static void settle(struct reading_of *r)
{
	const struct hive_facts *f = hive_facts(r->hive);
	const struct reg_key *setup = hive_key(r, "Setup"),
			     *upgrade = hive_key(r, "Setup\\Upgrade");
	char path[128];

	hive_path_in(r->set, "Control\\ComputerName\\ComputerName", path, sizeof(path));
	r->common = (struct registry_fact){
		.place = r->place,
		.host = r->set[0] ? hive_text_of(r, hive_key(r, path), "ComputerName") : NULL,
		.written_ns = NO_TIME,
		.current = true,
		.stale = f->stale || f->lost,
		.degraded = r->partial || hive_degraded(r->hive),
		.setup_in_progress = number_set(setup, "SystemSetupInProgress") ||
				     number_set(setup, "UpgradeInProgress") ||
				     number_set(setup, "Upgrade") ||
				     number_set(upgrade, "SetupInProgress"),
		.ours = f->ours,
	};
}

/* ---- all together ---- */

static int read_opened(struct reading_of *r)
{
	const struct reg_key *root = load(r, "", 0);
	bool select;

	if (!root) {
		hive_trouble(r, TROUBLE_INPUT, "the root key cannot be read");
		return -EBADMSG;
	}
	list_sets(r, root);
	select = key_child(root, "Select", 6) != NULL;
	if (!r->set_count) {
		say_other_kind(r, root);
		return -EINVAL;
	}
	choose_set(r, select);
	load_all(r);
	settle(r);
	hive_tell(r);
	return 0;
}

int read_hive(const char *path, const char *const *logs, unsigned log_count, const struct sink *to,
	      uint64_t *ret_records)
{
	struct reading_of r = {.to = to, .place = {.file = path}};
	int e = open_hive(&r, path, logs, log_count);

	if (e >= 0)
		e = read_opened(&r);
	tree_free(&r.tree);
	hive_close(r.hive);
	if (e < 0)
		return e;
	*ret_records = r.told;
	return 0;
}
