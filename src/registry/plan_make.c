/* SPDX-License-Identifier: MIT */
/*
 * plan_make.c - the walk over the schema that makes a plan; see plan_make.h
 *
 * Rows are collected first and written at the end: a table of a plan lies in one piece, while a
 * hive brings its values in any order.
 */
#include "registry/plan_make.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "registry/draft.h"

#define NOTES_MAX 256u /* in a plan; the rest is counted in the last one */

static handler *const handlers[GRAMMAR_COUNT] = {
	[GRAMMAR_NUMBER] = handle_number,
	[GRAMMAR_SWITCH] = handle_switch,
	[GRAMMAR_CHOICE] = handle_choice,
	[GRAMMAR_LINES] = handle_lines,
	[GRAMMAR_COMMAND] = handle_command,
	[GRAMMAR_REFUSED] = handle_refused,
	[GRAMMAR_RENAMES] = handle_renames,
	[GRAMMAR_DELETES] = handle_deletes,
	[GRAMMAR_DIRECTORIES] = handle_directories,
	[GRAMMAR_DEVICE] = handle_device,
	[GRAMMAR_VARIABLE] = handle_variable,
	[GRAMMAR_LIBRARY] = handle_library,
	[GRAMMAR_NAMES] = handle_names,
	[GRAMMAR_SUBSYSTEMS] = handle_subsystems,
	[GRAMMAR_SUBSYSTEM] = handle_subsystem,
	[GRAMMAR_PAGING] = handle_paging,
	[GRAMMAR_PATHS] = handle_paths,
	[GRAMMAR_DIRECTORY] = handle_directory,
	[GRAMMAR_PATH] = handle_path,
	[GRAMMAR_CONSOLE] = handle_console,
	[GRAMMAR_HOST] = handle_host,
	[GRAMMAR_USER] = handle_user,
	[GRAMMAR_GROUP] = handle_group,
	[GRAMMAR_ISOLATION] = handle_isolation,
	[GRAMMAR_CAPABILITIES] = handle_capabilities,
	[GRAMMAR_OCTAL] = handle_octal,
	[GRAMMAR_SIGNED] = handle_signed,
	[GRAMMAR_LIMITS] = handle_limits,
	[GRAMMAR_STRINGS] = handle_strings,
	[GRAMMAR_LINKS] = handle_links,
	[GRAMMAR_CONSOLES] = handle_consoles,
	[GRAMMAR_MARK] = handle_mark,
};

void draft_unknown(struct draft *d, enum schema_key key, const struct reg_value *v)
{
	const struct schema_row *row;
	const char *near;

	if (schema_nt_value(key, v->name)) {
		draft_say(d, REMARK_UNUSED, "NT's own value, not used here");
		return;
	}
	/* A remark that is only counted needs no good advice: a hive may hold a million values. */
	near = d->remarks->lost ? NULL : schema_suggest(key, v->name);
	row = near || d->remarks->lost ? NULL : schema_suggest_elsewhere(key, v->name);
	if (near)
		draft_say(d, PLAN_NOTE_UNKNOWN, "no value of that name is known; did you mean %s?",
			  near);
	else if (row)
		draft_say(d, PLAN_NOTE_UNKNOWN,
			  "no value of that name is known here; did you mean %s\\%s%s?",
			  schema_key_path(row->key), row->key == KEY_SESSIONS ? "Default\\" : "",
			  row->name);
	else
		draft_say(d, PLAN_NOTE_UNKNOWN, "no value of that name is known here");
}

static void value_path(struct draft *d, enum schema_key key, const struct reg_value *v)
{
	const char *name = v->name_bytes ? draft_show(d, v->name) : "(default)";

	d->at = draft_text(d, "%s\\%s%s%s", schema_key_path(key), d->below ? d->below : "",
			   d->below ? "\\" : "", name);
}

/* Beside names of the user's own stand a few of ours; a mistyped one becomes one of the former. */
static bool near_miss(struct draft *d, const struct schema_row *row, const char *name)
{
	const char *near =
		row->name[0] == '*' && !d->remarks->lost ? schema_suggest(row->key, name) : NULL;

	if (near)
		draft_say(d, PLAN_NOTE_UNKNOWN, "is taken as a name of its own; did you mean %s?",
			  near);
	return near != NULL;
}

static void one_value(struct draft *d, enum schema_key key, const struct reg_value *v)
{
	const struct schema_row *row = schema_find(key, v->name);
	char types[80];
	bool near;

	value_path(d, key, v);
	if (strlen(v->name) != v->name_bytes) {
		draft_say(d, PLAN_NOTE_UNKNOWN, "its name holds a NUL");
		return;
	}
	if (!row || (v->name_bytes == 0 && row->name[0] == '*') || schema_nt_value(key, v->name)) {
		draft_unknown(d, key, v);
		return;
	}
	near = near_miss(d, row, v->name);
	if (v->type > 31 || !(row->types & 1u << v->type)) {
		const char *word = reg_type_word(v->type);

		if (!near)
			draft_say(d, PLAN_NOTE_ERROR, "its type is %s and must be %s; not used",
				  word ? word : "an unknown one", schema_types(row->types, types));
		return;
	}
	handlers[row->grammar](d, row, v);
	if (row->state == SCHEMA_NOT_YET)
		draft_say(d, PLAN_NOTE_NOT_YET,
			  "read and checked; this version does not act on it");
}

/* The second list of renames follows the first, wherever the hive has it. */
static bool comes_last(enum schema_key key, const struct reg_value *v)
{
	const struct schema_row *row = schema_find(key, v->name);

	return row && row->grammar == GRAMMAR_RENAMES && row->min > 1;
}

void draft_values(struct draft *d, const struct reg_key *k, enum schema_key key)
{
	d->key = k;
	for (unsigned round = 0; round < 2; round++)
		for (uint32_t i = 0; k && i < k->value_count && !d->failed; i++) {
			if (comes_last(key, &k->values[i]) != (round == 1))
				continue;
			d->remarks->origin = k->values[i].origin;
			one_value(d, key, &k->values[i]);
		}
	d->remarks->origin = 0;
}

/* Values of a key whose values are read in its subkeys only. */
static void values_above(struct draft *d, const struct reg_key *k, enum schema_key key)
{
	for (uint32_t i = 0; k && i < k->value_count && !d->failed; i++) {
		const struct reg_value *v = &k->values[i];
		const struct schema_row *row = schema_find(key, v->name);

		d->remarks->origin = v->origin;
		value_path(d, key, v);
		if (row && key == KEY_SESSIONS)
			draft_say(d, PLAN_NOTE_UNKNOWN,
				  "is read in a subkey only; did you mean Default\\%s?", row->name);
		else
			draft_unknown(d, key, v);
	}
	d->remarks->origin = 0;
}

static void one_key(struct draft *d, enum schema_key key, const struct reg_key *k)
{
	if (key == KEY_SESSIONS || key == KEY_SAFE_BOOT)
		values_above(d, k, key);
	else
		draft_values(d, k, key);
	keys_unread(d, key, k);
	if (key == KEY_KNOWN_DLLS)
		d->known_present = k != NULL;
	if (key == KEY_SESSIONS)
		keys_sessions(d, k);
	if (key == KEY_SAFE_BOOT)
		keys_safe_boot(d, k);
}

static void walk(struct draft *d)
{
	char path[48];
	const struct reg_key *control;

	snprintf(path, sizeof(path), "ControlSet%03u\\Control", d->from->set);
	control = tree_find(d->from->tree, path, strlen(path));
	for (unsigned key = 0; control && key < KEY_COUNT; key++) {
		const char *below = schema_key_path(key);

		one_key(d, key, key_below(control, below, strlen(below)));
	}
	defaults_lines(d);
	defaults_lists(d);
	defaults_sessions(d);
	defaults_safe_boot(d);
}

static void notes(struct draft *d)
{
	size_t left = 0;

	for (size_t i = 0; i < d->remarks->count; i++) {
		const struct remark *r = &d->remarks->at[i];

		if (r->kind == REMARK_UNUSED)
			continue;
		if (d->table[PLAN_NOTES].count >= NOTES_MAX) {
			left++;
			continue;
		}
		draft_add(d, PLAN_NOTES,
			  (struct draft_row){.name = r->path, .text = r->text, .flags = r->kind});
	}
	if (left || d->remarks->lost)
		draft_add(d, PLAN_NOTES,
			  (struct draft_row){.name = "...",
					     .text = draft_text(d, "and %zu more remarks",
								left + d->remarks->lost),
					     .flags = PLAN_NOTE_WARNING});
}

static void emit(struct plan_builder *b, const struct draft *d, enum plan_table t)
{
	const struct draft_table *rows = &d->table[t];

	plan_table_begin(b, t);
	for (size_t i = 0; i < rows->count; i++)
		plan_add(b, rows->row[i].name, rows->row[i].text ? rows->row[i].text : "",
			 rows->row[i].flags, rows->row[i].arg, rows->row[i].aux);
}

static void fit(struct plan_builder *b, const struct plan_source *from)
{
	if (from->facts)
		plan_fit_to(b, from->facts->block, from->facts->bytes, from->sha256);
}

static int make_queue(struct draft *d, struct plan_made *ret)
{
	struct plan_builder b;
	size_t cap = sizeof(struct plan_header) + 4096, pool_cap = 4096;
	const struct draft_table *rows = &d->table[PLAN_QUEUE];
	char *pool;
	int n;

	for (size_t i = 0; i < rows->count; i++)
		pool_cap += strlen(rows->row[i].name) + strlen(rows->row[i].text) + 2;
	cap += rows->count * sizeof(struct plan_row) + pool_cap;
	ret->queue = calloc(1, cap);
	pool = malloc(pool_cap);
	if (!ret->queue || !pool || cap > QUEUE_BYTES_MAX) {
		free(pool);
		return -E2BIG;
	}
	plan_begin(&b, QUEUE_MAGIC, ret->queue, cap, pool, pool_cap);
	fit(&b, d->from);
	emit(&b, d, PLAN_QUEUE);
	n = plan_end(&b);
	free(pool);
	ret->queue_n = n < 0 ? 0 : (size_t)n;
	ret->queue_rows = (uint32_t)rows->count;
	return n < 0 ? n : 0;
}

static int finish_plan(struct draft *d, struct plan_builder *b, struct plan_made *ret)
{
	struct plan_settings *s = plan_settings_of(b);
	int n;

	for (size_t i = 0; i < d->table[PLAN_QUEUE].count; i++)
		s->queue_count += !(d->table[PLAN_QUEUE].row[i].flags & QUEUE_MALFORMED);
	s->paging_specified = d->no_paging_default;
	if (d->s0_initial)
		s->s0_initial = plan_intern(b, d->s0_initial);
	if (d->initial)
		s->initial = plan_intern(b, d->initial);
	if (d->dll_directory)
		s->dll_directory = plan_intern(b, d->dll_directory);
	s->hive_path = plan_intern(b, d->from->hive_path);
	fit(b, d->from);
	for (unsigned t = 0; t < PLAN_TABLES; t++)
		if (t != PLAN_QUEUE)
			emit(b, d, t);
	n = plan_end(b);
	ret->plan_n = n < 0 ? 0 : (size_t)n;
	return n < 0 ? n : 0;
}

int plan_make(const struct plan_source *from, struct remarks *remarks, struct plan_made *ret)
{
	struct draft d = {.from = from, .arena = remarks->arena, .remarks = remarks};
	struct plan_builder b;
	char *pool = malloc(PLAN_BYTES_MAX);
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->plan = calloc(1, PLAN_BYTES_MAX);
	if (!pool || !ret->plan) {
		free(pool);
		plan_made_free(ret);
		return -ENOMEM;
	}
	plan_begin(&b, PLAN_MAGIC, ret->plan, PLAN_BYTES_MAX, pool, PLAN_BYTES_MAX);
	d.settings = plan_settings_of(&b);
	walk(&d);
	queue_remarks(&d);
	images_rows(&d, ret->images_why, sizeof(ret->images_why));
	notes(&d);
	r = d.failed;
	if (r == 0)
		r = make_queue(&d, ret);
	if (r == 0)
		r = finish_plan(&d, &b, ret);
	free(pool);
	if (r < 0)
		plan_made_free(ret);
	return r;
}

void plan_made_free(struct plan_made *m)
{
	free(m->plan);
	free(m->queue);
	memset(m, 0, sizeof(*m));
}

static const struct {
	const char *path;
	unsigned depth;
} wanted[] = {
	{"Session Manager", 0},
	{"Session Manager\\Memory Management", 0},
	{"Session Manager\\SubSystems", 0},
	{"Session Manager\\Environment", 0},
	{"Session Manager\\DOS Devices", 0},
	{"Session Manager\\KnownDLLs", 0},
	{"Session Manager\\FileRenameOperations", 0},
	{"Session Manager\\Sessions", 1},
	{"SafeBoot", 2},
	{"CrashControl", 0},
	{"ComputerName\\ComputerName", 0},
	{"Winlogon", 0},
	{"Wininit", 0},
};

int plan_load(struct hive *h, struct reg_tree *t, unsigned *ret_set, struct text *why)
{
	char path[96];
	const char *first;
	unsigned set;
	int r = hive_load(h, "Select", 0, t);

	set = tree_current_set(t);
	if (r == -ENOENT || (r == 0 && !set)) {
		text_add(why,
			 r ? "not a SYSTEM hive: it has no Select key"
			   : "not a SYSTEM hive: Select\\Current is not a number from 1 to 999");
		return -ENOKEY;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(wanted); i++) {
		snprintf(path, sizeof(path), "ControlSet%03u\\Control\\%s", set, wanted[i].path);
		r = hive_load(h, path, wanted[i].depth, t);
		if (r == -ENOENT && i == 0) {
			text_add(text_add(why, "there is no key "), path);
			return r;
		}
		if (r == -ENOENT)
			r = 0;
	}
	if (r == 0 && hive_damage(h, &first)) {
		text_add(text_add(why, "damaged: "), first);
		return -EIO;
	}
	if (r < 0)
		text_add(why, r == -E2BIG ? "more keys or values than smreg takes" : err_text(-r));
	*ret_set = set;
	return r;
}
