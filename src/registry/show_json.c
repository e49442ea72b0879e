/* SPDX-License-Identifier: MIT */
/*
 * show_json.c - the same for programs; see show.h
 */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "registry/show.h"
#include "registry/utf.h"

static struct json_object *text_n(const char *s, size_t n)
{
	return json_object_new_string_len(s, (int)n);
}

static struct json_object *text(const char *s)
{
	return json_object_new_string(s);
}

static void put(struct json_object *o, const char *name, struct json_object *v)
{
	json_object_object_add(o, name, v);
}

static struct json_object *hex(const struct reg_value *v)
{
	char *room = malloc(2 * (size_t)v->bytes + 1);
	struct json_object *o;

	for (uint32_t i = 0; room && i < v->bytes; i++) {
		room[2 * i] = "0123456789abcdef"[v->data[i] >> 4];
		room[2 * i + 1] = "0123456789abcdef"[v->data[i] & 15];
	}
	o = text_n(room ? room : "", room ? 2 * v->bytes : 0);
	free(room);
	return o;
}

static struct json_object *list_data(const struct reg_value *v, struct reg_arena *scratch,
				     unsigned *flags)
{
	struct json_object *o = json_object_new_array();
	char **list;
	size_t count;

	if (value_list(scratch, v, &list, &count, flags) < 0)
		count = 0;
	for (size_t i = 0; i < count; i++)
		json_object_array_add(o, text(list[i]));
	return o;
}

struct json_object *json_value(const struct reg_value *v, struct reg_arena *scratch)
{
	struct json_object *o = json_object_new_object();
	const char *word = reg_type_word(v->type), *s;
	unsigned flags = 0;
	uint32_t number;
	uint64_t big;
	bool exact = false;

	put(o, "name", text_n(v->name, v->name_bytes));
	put(o, "type", word ? text(word) : NULL);
	put(o, "type_number", json_object_new_int64(v->type));
	if (v->type == REG_SZ || v->type == REG_EXPAND_SZ || v->type == REG_LINK) {
		s = value_text(scratch, v, &flags);
		put(o, "data", text(s ? s : ""));
		exact = s && !flags;
	} else if (v->type == REG_MULTI_SZ) {
		put(o, "data", list_data(v, scratch, &flags));
		exact = !flags;
	} else if (value_dword(v, &number)) {
		put(o, "data", json_object_new_int64(number));
		exact = true;
	} else if (v->type == REG_QWORD && v->bytes == 8) {
		memcpy(&big, v->data, 8);
		put(o, "data", json_object_new_uint64(big));
		exact = true;
	}
	if (!exact)
		put(o, "hex", hex(v));
	return o;
}

static size_t path_of(const struct reg_key *k, char *room, size_t cap)
{
	size_t n;

	if (!k->parent)
		return (size_t)snprintf(room, cap, "HKEY_LOCAL_MACHINE\\SYSTEM");
	n = path_of(k->parent, room, cap);
	if (n + k->name_bytes + 2 > cap)
		return n;
	room[n] = '\\';
	memcpy(room + n + 1, k->name, k->name_bytes);
	return n + 1 + k->name_bytes;
}

struct json_object *json_key_path(const struct reg_key *k)
{
	static char room[(REG_DEPTH_MAX + 1) * (4 * REG_KEY_NAME_MAX + 1)];

	return text_n(room, path_of(k, room, sizeof(room)));
}

static void put_key(struct json_object *o, const struct reg_key *k)
{
	char room[40];
	const char *written = show_time(k->written, room);

	put(o, "key", json_key_path(k));
	put(o, "written", *written ? text(written) : NULL);
}

struct json_object *json_match(const struct reg_key *k, const struct reg_value *v,
			       struct reg_arena *scratch)
{
	struct json_object *o = json_object_new_object(), *values = json_object_new_array();

	put_key(o, k);
	json_object_array_add(values, json_value(v, scratch));
	put(o, "values", values);
	return o;
}

static void add_key(struct json_object *keys, const struct reg_key *k, bool recursive,
		    struct reg_arena *scratch)
{
	struct json_object *o = json_object_new_object(), *values = json_object_new_array(),
			   *subkeys = json_object_new_array();

	put_key(o, k);
	for (uint32_t i = 0; i < k->value_count; i++)
		json_object_array_add(values, json_value(&k->values[i], scratch));
	for (uint32_t i = 0; i < k->child_count; i++)
		json_object_array_add(subkeys,
				      text_n(k->children[i]->name, k->children[i]->name_bytes));
	put(o, "values", values);
	put(o, "subkeys", subkeys);
	json_object_array_add(keys, o);
	for (uint32_t i = 0; recursive && i < k->child_count; i++)
		add_key(keys, k->children[i], true, scratch);
}

struct json_object *json_key(const struct reg_key *k, bool recursive, struct reg_arena *scratch)
{
	struct json_object *keys = json_object_new_array();

	add_key(keys, k, recursive, scratch);
	return keys;
}

struct json_object *json_remarks(const struct remarks *r, bool all)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < r->count; i++) {
		struct json_object *o;

		if (r->at[i].kind == REMARK_UNUSED && !all)
			continue;
		o = json_object_new_object();
		put(o, "kind", text(remark_word(r->at[i].kind)));
		put(o, "value", text(r->at[i].path));
		put(o, "text", text(r->at[i].text));
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *rows(const struct plan_header *p, enum plan_table t)
{
	struct json_object *list = json_object_new_array();

	for (uint32_t i = 0; i < plan_count(p, t); i++) {
		const struct plan_row *row = plan_row_at(p, t, i);
		struct json_object *o = json_object_new_object();

		put(o, "name", text(plan_string(p, row->name)));
		put(o, "text", text(plan_string(p, row->text)));
		put(o, "flags", json_object_new_int64(row->flags));
		put(o, "arg", json_object_new_int64(row->arg));
		put(o, "aux", json_object_new_int64(row->aux));
		json_object_array_add(list, o);
	}
	return list;
}

#define FIELD(name)                                                                                \
	{                                                                                          \
#name, offsetof(struct plan_settings, name)                                        \
	}

static struct json_object *settings(const struct plan_header *p)
{
	static const struct {
		const char *name;
		size_t at;
	} numbers[] = {FIELD(initial_sessions),
		       FIELD(allow_protected_renames),
		       FIELD(autochk_timeout_s),
		       FIELD(autochk_skip_system),
		       FIELD(temp_page_file),
		       FIELD(clear_pagefile),
		       FIELD(boot_good_s),
		       FIELD(boot_attempts),
		       FIELD(dialect),
		       FIELD(known_policy),
		       FIELD(auto_reboot),
		       FIELD(rescue_unlocked),
		       FIELD(queue_count),
		       FIELD(paging_specified),
		       FIELD(execute_deadline_s),
		       FIELD(autochk_deadline_s),
		       FIELD(pnp_deadline_s),
		       FIELD(subsystem_deadline_s),
		       FIELD(shutdown_deadline_s),
		       FIELD(keep_groups),
		       FIELD(keep_days),
		       FIELD(keep_mib),
		       FIELD(image_policy)};
	static const struct {
		const char *name;
		size_t at;
	} strings[] = {FIELD(s0_initial), FIELD(initial), FIELD(dll_directory), FIELD(hive_path)};
	struct json_object *o = json_object_new_object();
	uint32_t v;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		memcpy(&v, (const char *)&p->settings + numbers[i].at, 4);
		put(o, numbers[i].name, json_object_new_int64(v));
	}
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
		memcpy(&v, (const char *)&p->settings + strings[i].at, 4);
		put(o, strings[i].name, text(plan_string(p, v)));
	}
	return o;
}

/* What earlier boots say of the next one; null where that is not known. */
static void put_outlook(struct json_object *o, const struct outlook *look)
{
	static const char *const levels[] = {"Current", "LastKnownGood", "built-in"};
	struct json_object *next = look->known ? json_object_new_object() : NULL;

	if (next) {
		put(next, "level", text(levels[look->level % 3]));
		put(next, "why", look->why[0] ? text(look->why) : NULL);
	}
	put(o, "next_boot", next);
	put(o, "queue_done",
	    look->queue_done == OUTLOOK_UNKNOWN ? NULL : json_object_new_boolean(look->queue_done));
}

struct json_object *json_plan(const struct plan_header *p, const struct plan_header *queue,
			      const struct outlook *look)
{
	static const char *const names[PLAN_TABLES] = {
		[PLAN_BOOT_EXECUTE] = "boot_execute",
		[PLAN_BOOT_EXECUTE_NO_PNP] = "boot_execute_no_pnp",
		[PLAN_SETUP_EXECUTE] = "setup_execute",
		[PLAN_SETUP_EXECUTE_NO_PNP] = "setup_execute_no_pnp",
		[PLAN_EXECUTE] = "execute",
		[PLAN_OBJECT_DIRECTORIES] = "object_directories",
		[PLAN_DOS_DEVICES] = "dos_devices",
		[PLAN_ENVIRONMENT] = "environment",
		[PLAN_KNOWN_DLLS] = "known_dlls",
		[PLAN_EXCLUDE_KNOWN_DLLS] = "exclude_known_dlls",
		[PLAN_KNOWN_PINS] = "known_pins",
		[PLAN_PAGING_FILES] = "paging_files",
		[PLAN_EXISTING_PAGE_FILES] = "existing_page_files",
		[PLAN_REQUIRED] = "required",
		[PLAN_OPTIONAL] = "optional",
		[PLAN_SESSIONS] = "sessions",
		[PLAN_TEXTS] = "texts",
		[PLAN_NOTES] = "notes",
		[PLAN_SAFE_MINIMAL] = "safe_minimal",
		[PLAN_SAFE_NETWORK] = "safe_network",
		[PLAN_IMAGES] = "images",
	};
	struct json_object *o = json_object_new_object();
	char digest[2 * SHA256_BYTES + 1];

	sha256_hex(p->hive_sha256, digest);
	put(o, "hive_sha256", text(digest));
	put(o, "settings", settings(p));
	for (unsigned t = 0; t < PLAN_TABLES; t++)
		if (names[t])
			put(o, names[t], rows(p, t));
	put(o, "queue", queue ? rows(queue, PLAN_QUEUE) : json_object_new_array());
	put_outlook(o, look);
	return o;
}

void json_out(FILE *out, struct json_object *o)
{
	fprintf(out, "%s\n",
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
							  JSON_C_TO_STRING_SPACED |
							  JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(o);
}
