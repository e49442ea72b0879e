/* SPDX-License-Identifier: MIT */
/*
 * plan_names.c - remarks on keys that stand where nobody reads them; see plan_make.h
 *
 * For commits and for `check`: a mistyped key loses all that lies below it, and nothing else would
 * say so. A boot does not ask: its plan is made of the keys it reads, and of no others.
 */
#include <stdio.h>
#include <string.h>

#include "registry/draft.h"
#include "registry/utf.h"

/* "ControlSet" and three digits. */
static bool is_set(const char *name)
{
	return strlen(name) == 13 && utf8_same_fold(name, 10, "ControlSet", 10) &&
	       strspn(name + 10, "0123456789") == 3;
}

/* A key of a lower level that came too high up: its whole path, or NULL. */
static const char *misplaced(struct draft *d, enum schema_names where, const char *name)
{
	static const char *const path[] = {
		[SCHEMA_SET_KEYS] = "",
		[SCHEMA_CONTROL_KEYS] = "Control\\",
		[SCHEMA_MANAGER_KEYS] = "Control\\Session Manager\\",
	};

	for (unsigned below = where + 1; below <= SCHEMA_MANAGER_KEYS; below++) {
		const char *own = schema_name(below, name);

		if (!own)
			own = schema_suggest_name(below, name);
		if (own)
			return draft_text(d, "CurrentControlSet\\%s%s", path[below], own);
	}
	return NULL;
}

static void one_key(struct draft *d, enum schema_names where, const char *prefix, const char *name)
{
	const char *near;

	if (schema_name(where, name) || (where == SCHEMA_ROOT_KEYS && is_set(name)))
		return;
	d->at = draft_text(d, "%s%s\\", prefix, draft_show(d, name));
	if (schema_nt_name(where, name)) {
		draft_say(d, REMARK_UNUSED, "NT's own key, not used here");
		return;
	}
	near = schema_suggest_name(where, name);
	if (!near)
		near = misplaced(d, where, name);
	if (near)
		draft_say(d, PLAN_NOTE_UNKNOWN, "no key of that name is known; did you mean %s?",
			  near);
	else
		draft_say(d, PLAN_NOTE_UNKNOWN, "no key of that name is known here");
}

static void keys(struct draft *d, enum schema_names where, const char *path, const char *prefix)
{
	const struct reg_key *k = tree_find(d->from->tree, path, strlen(path));

	for (uint32_t i = 0; k && i < k->child_count && !d->failed; i++)
		one_key(d, where, prefix, k->children[i]->name);
}

/* Values of a key that has only keys in it, or only a few: the right place is told. */
static void values(struct draft *d, const struct reg_key *k, const char *prefix,
		   enum schema_names names)
{
	const char *near;

	for (uint32_t i = 0; k && i < k->value_count && !d->failed; i++) {
		const struct reg_value *v = &k->values[i];

		if (names == SCHEMA_SELECT && schema_name(names, v->name))
			continue;
		d->remarks->origin = v->origin;
		d->at = draft_text(d, "%s\\%s", prefix,
				   v->name_bytes ? draft_show(d, v->name) : "(default)");
		near = names == SCHEMA_SELECT ? schema_suggest_name(names, v->name) : NULL;
		if (near)
			draft_say(d, PLAN_NOTE_UNKNOWN,
				  "no value of that name is known; did you mean %s?", near);
		else if (names == SCHEMA_CONTROL_KEYS && schema_nt_control(v->name))
			draft_say(d, REMARK_UNUSED, "NT's own value, not used here");
		else
			draft_unknown(d, KEY_COUNT, v); /* of none of the keys we read */
	}
	d->remarks->origin = 0;
}

static const struct reg_key *key_of(const struct draft *d, const char *path)
{
	return tree_find(d->from->tree, path, strlen(path));
}

void plan_names(const struct plan_source *from, struct remarks *remarks)
{
	struct draft d = {.from = from, .arena = remarks->arena, .remarks = remarks};
	char set[16], below[48], control[32], computer[48];

	snprintf(set, sizeof(set), "ControlSet%03u", from->set % 1000);
	snprintf(below, sizeof(below), "HKLM\\SYSTEM\\%s\\", set);
	snprintf(control, sizeof(control), "%s\\Control", set);
	snprintf(computer, sizeof(computer), "%s\\ComputerName", control);
	keys(&d, SCHEMA_ROOT_KEYS, "", "HKLM\\SYSTEM\\");
	keys(&d, SCHEMA_SET_KEYS, set, below);
	keys(&d, SCHEMA_CONTROL_KEYS, control, "");
	keys(&d, SCHEMA_COMPUTER_KEYS, computer, "ComputerName\\");
	values(&d, key_of(&d, "Select"), "HKLM\\SYSTEM\\Select", SCHEMA_SELECT);
	values(&d, key_of(&d, control), "Control", SCHEMA_CONTROL_KEYS);
	values(&d, key_of(&d, computer), "ComputerName", SCHEMA_COMPUTER_KEYS);
}

void plan_load_names(struct hive *h, unsigned set, struct reg_tree *t)
{
	char path[48];

	(void)hive_load(h, "", 0, t);
	snprintf(path, sizeof(path), "ControlSet%03u", set % 1000);
	(void)hive_load(h, path, 0, t);
	snprintf(path, sizeof(path), "ControlSet%03u\\Control", set % 1000);
	(void)hive_load(h, path, 0, t);
	snprintf(path, sizeof(path), "ControlSet%03u\\Control\\ComputerName", set % 1000);
	(void)hive_load(h, path, 0, t);
}
