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
#include "smaudit/readers.h"
#include "sys/sys.h"

#define SETS_MAX       64u /* control sets that are looked at; real hives have two or three */
#define SAID_BYTES     900u
#define EPOCH_FILETIME 116444736000000000ull /* 1970, in 100 ns since 1601 */
/* Subkey levels of the services: their own values, and no more. */
#define SERVICE_DEPTH 1u

struct reading_of {
	const struct sink *to;
	struct place place;
	struct hive *hive;
	struct reg_tree tree;
	char set[24];            /* name of the current one, "" = none is */
	char sets[SETS_MAX][24]; /* all, in the hive's order */
	unsigned set_count;
	bool partial; /* without Select, or without what every SYSTEM hive has */
	uint64_t told;
	struct registry_fact common;
};

static void trouble(const struct reading_of *r, enum trouble t, const char *text)
{
	if (r->to->trouble)
		r->to->trouble(r->to->arg, &r->place, t, text);
}

static int64_t unix_ns(uint64_t filetime)
{
	const int64_t since = (int64_t)(filetime - EPOCH_FILETIME);

	if (filetime < EPOCH_FILETIME || since > INT64_MAX / 100)
		return NO_TIME;
	return since * 100;
}

/* ---- opening ---- */

/* Which of the three a log is; -1 = its name does not say. */
static int log_slot(const char *path)
{
	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		const size_t n = strlen(path), w = strlen(hive_log_words[i]);

		if (n > w && path[n - w - 1] == '.' &&
		    str_same_fold(path + n - w, hive_log_words[i]))
			return (int)i;
	}
	return -1;
}

/* Logs that were given come instead of those beside the hive; the replay knows them by content. */
static void take_logs(const struct reading_of *r, const char *const *logs, unsigned count,
		      struct hive_source *s)
{
	bool given[HIVE_LOGS] = {false};

	for (unsigned i = 0; i < count; i++) {
		int slot = log_slot(logs[i]), fd;
		const struct place at = {.file = logs[i]};

		for (unsigned k = 0; k < HIVE_LOGS && (slot < 0 || given[slot]); k++)
			if (!given[k])
				slot = (int)k;
		if (slot < 0 || given[slot]) {
			if (r->to->trouble)
				r->to->trouble(r->to->arg, &at, TROUBLE_INPUT,
					       "a hive has at most three logs; not read");
			continue;
		}
		given[slot] = true;
		sys_closep(&s->log_fd[slot]);
		s->log_error[slot] = 0;
		fd = sys_open(AT_FDCWD, logs[i], O_RDONLY | O_NONBLOCK, 0);
		s->log_fd[slot] = fd < 0 ? -1 : fd;
		if (fd < 0) {
			s->log_error[slot] = -fd;
			if (r->to->trouble)
				r->to->trouble(r->to->arg, &at, TROUBLE_INPUT, err_text(-fd));
		}
	}
}

/* Opened whole, or what can be salvaged of it. */
static int open_hive(struct reading_of *r, const char *path, const char *const *logs,
		     unsigned count)
{
	_cleanup_(hive_source_close) struct hive_source from = HIVE_SOURCE_NONE;
	char room[256] = "", again[256] = "", said[SAID_BYTES];
	struct text why = TEXT_ON(room), other = TEXT_ON(again);
	int e = hive_source_open(path, &from);

	if (e < 0) {
		trouble(r, TROUBLE_INPUT, err_text(-e));
		return e;
	}
	if (count)
		take_logs(r, logs, count, &from);
	e = hive_open(&from, 0, &r->hive, &why);
	if (e < 0 && hive_open(&from, HIVE_SALVAGE, &r->hive, &other) < 0) {
		trouble(r, TROUBLE_INPUT, room[0] ? room : err_text(-e));
		return e;
	}
	if (e < 0) {
		snprintf(said, sizeof(said), "damaged, read in part: %s", room);
		trouble(r, TROUBLE_DEGRADED, said);
		r->partial = true;
	}
	e = tree_start(&r->tree);
	if (e < 0)
		trouble(r, TROUBLE_INPUT, err_text(-e));
	return e;
}

/* ---- what it is ---- */

static const struct reg_key *find(const struct reading_of *r, const char *path)
{
	return tree_find(&r->tree, path, strlen(path));
}

/* Load a key; what is missing is no trouble, what cannot be read is. */
static const struct reg_key *load(struct reading_of *r, const char *path, unsigned depth)
{
	const int e = hive_load(r->hive, path, depth, &r->tree);
	char text[256];

	if (e < 0 && e != -ENOENT) {
		snprintf(text, sizeof(text), "key %.180s cannot be read: %s", path,
			 e == -E2BIG ? "more keys or values than are taken" : err_text(-e));
		trouble(r, TROUBLE_DEGRADED, text);
		r->partial = true;
	}
	return e < 0 ? NULL : find(r, path);
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
	trouble(r, TROUBLE_INPUT, said);
}

static void list_sets(struct reading_of *r, const struct reg_key *root)
{
	for (uint32_t i = 0; i < root->child_count && r->set_count < SETS_MAX; i++)
		if (is_set_name(root->children[i]))
			str_copy(r->sets[r->set_count++], sizeof(r->sets[0]),
				 root->children[i]->name);
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
		trouble(r, TROUBLE_DEGRADED,
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
	for (unsigned i = 0; i < r->set_count && number; i++)
		if (str_same_fold(r->sets[i], wanted))
			str_copy(r->set, sizeof(r->set), r->sets[i]);
	if (r->set[0])
		return;
	r->partial = true;
	if (number)
		snprintf(text, sizeof(text), "Select\\Current names %s, which is not in the hive",
			 wanted);
	else
		snprintf(text, sizeof(text), "Select\\Current is not a number from 1 to 999");
	trouble(r, TROUBLE_DEGRADED, text);
}

/* ---- loading what is judged ---- */

static void path_in(const char *set, const char *below, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s\\%s", set, below);
}

static void load_all(struct reading_of *r)
{
	char path[128];

	for (unsigned i = 0; i < r->set_count; i++) {
		path_in(r->sets[i], "Control\\Session Manager", path, sizeof(path));
		if (!load(r, path, 0) && str_same(r->sets[i], r->set)) {
			trouble(r, TROUBLE_DEGRADED,
				"the current set has no Control\\Session Manager");
			r->partial = true;
		}
		path_in(r->sets[i], "Control\\Session Manager\\FileRenameOperations", path,
			sizeof(path));
		(void)load(r, path, 0);
	}
	if (!r->set[0])
		return;
	path_in(r->set, "Services", path, sizeof(path));
	(void)load(r, path, SERVICE_DEPTH);
	path_in(r->set, "Control\\ComputerName\\ComputerName", path, sizeof(path));
	(void)load(r, path, 0);
	(void)load(r, "Setup", 1);
}

static const char *text_of(struct reading_of *r, const struct reg_key *k, const char *name)
{
	const struct reg_value *v = k ? key_get(k, name) : NULL;
	const char *text;

	if (!v || (v->type != REG_SZ && v->type != REG_EXPAND_SZ))
		return NULL;
	text = value_text(&r->tree.arena, v, NULL);
	return text && *text ? text : NULL;
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
	const struct reg_key *setup = find(r, "Setup"), *upgrade = find(r, "Setup\\Upgrade");
	char path[128];

	path_in(r->set, "Control\\ComputerName\\ComputerName", path, sizeof(path));
	r->common = (struct registry_fact){
		.place = r->place,
		.host = r->set[0] ? text_of(r, find(r, path), "ComputerName") : NULL,
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

/* ---- telling ---- */

/* A name whole: a NUL inside it shows, so that nothing passes for a name that it only begins with.
 */
static const char *whole_name(struct reading_of *r, const char *name, uint32_t bytes)
{
	char *to;
	size_t n = 0;

	if (!memchr(name, 0, bytes))
		return name;
	to = arena_take(&r->tree.arena, 3 * (size_t)bytes + 1);
	if (!to)
		return "";
	for (uint32_t i = 0; i < bytes; i++) {
		memcpy(to + n, name[i] ? &name[i] : "\xE2\x90\x80", name[i] ? 1 : 3);
		n += name[i] ? 1 : 3;
	}
	return to;
}

static void tell(struct reading_of *r, const struct registry_fact *f)
{
	if (r->to->registry)
		r->to->registry(r->to->arg, f);
	r->told++;
}

static void tell_state(struct reading_of *r)
{
	struct registry_fact f = r->common;
	const char *said = hive_said(r->hive), *hidden;

	f.about = REGISTRY_STATE;
	f.key = r->set[0] ? r->set : NULL;
	f.name = *said ? said : NULL;
	f.written_ns = unix_ns(hive_facts(r->hive)->filetime);
	if (*said)
		trouble(r, f.stale || f.degraded ? TROUBLE_DEGRADED : TROUBLE_NOTE, said);
	if (hive_hidden(r->hive, &hidden))
		trouble(r, TROUBLE_NOTE, hidden);
	tell(r, &f);
}

static void tell_values(struct reading_of *r, const char *set, const char *below,
			enum registry_about about)
{
	struct registry_fact f = r->common;
	const struct reg_key *k;
	char path[128];

	path_in(set, below, path, sizeof(path));
	k = find(r, path);
	f.about = about;
	f.key = path;
	/* without a Select every set may be the one */
	f.current = r->set[0] ? str_same(set, r->set) : true;
	for (uint32_t i = 0; k && i < k->value_count; i++) {
		const struct reg_value *v = &k->values[i];

		f.name = whole_name(r, v->name, v->name_bytes);
		f.type = v->type;
		f.data = v->data;
		f.bytes = v->bytes;
		f.written_ns = unix_ns(k->written);
		tell(r, &f);
	}
}

static void tell_services(struct reading_of *r)
{
	const struct reg_key *services;
	char path[128], key[2048];

	if (!r->set[0])
		return;
	path_in(r->set, "Services", path, sizeof(path));
	services = find(r, path);
	for (uint32_t i = 0; services && i < services->child_count; i++) {
		const struct reg_key *k = services->children[i];
		const struct reg_value *image = key_get(k, "ImagePath"), *type = key_get(k, "Type");
		struct registry_fact f = r->common;

		f.about = REGISTRY_SERVICE;
		f.name = whole_name(r, k->name, k->name_bytes);
		snprintf(key, sizeof(key), "%s\\%s", path, f.name);
		f.key = key;
		f.image_path = text_of(r, k, "ImagePath");
		f.display_name = text_of(r, k, "DisplayName");
		f.data = image ? image->data : NULL;
		f.bytes = image ? image->bytes : 0;
		if (!type || !value_dword(type, &f.type))
			f.type = 0;
		f.written_ns = unix_ns(k->written);
		tell(r, &f);
	}
}

static int read_opened(struct reading_of *r)
{
	const struct reg_key *root = load(r, "", 0);
	bool select;

	if (!root) {
		trouble(r, TROUBLE_INPUT, "the root key cannot be read");
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
	tell_state(r);
	for (unsigned i = 0; i < r->set_count; i++) {
		tell_values(r, r->sets[i], "Control\\Session Manager", REGISTRY_SESSION_MANAGER);
		tell_values(r, r->sets[i], "Control\\Session Manager\\FileRenameOperations",
			    REGISTRY_FILE_RENAMES);
	}
	tell_services(r);
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
