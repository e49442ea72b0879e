/* SPDX-License-Identifier: MIT */
/*
 * plan_lists.c - directories, device links, environment and known libraries of a plan
 *
 * Keys whose values have any name. What a hive leaves out of Environment and DOS Devices keeps its
 * default; a KnownDLLs key that is there says all (so that an empty one means none).
 */
#include <errno.h>
#include <string.h>

#include "registry/draft.h"
#include "registry/utf.h"
#include "smss/copy.h"

#if defined(__aarch64__)
#define LOADER "ld-linux-aarch64.so.1"
#else
#define LOADER "ld-linux-x86-64.so.2"
#endif
#define DIRECTORIES_MAX 256u

void handle_directories(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **name = draft_list(d, v, &count);

	d->directories_present = true;
	for (size_t i = 0; i < count && i < DIRECTORIES_MAX; i++) {
		const char *path = name[i], *why;

		if (name[i][0] == '\\') {
			for (char *c = name[i]; *c; c++)
				if (*c == '\\')
					*c = '/';
			path = draft_text(d, "%s%s", RUN_DIRECTORY, name[i]);
		}
		why = path_fault(path);
		if (!why && strncmp(path, "/run/", 5) != 0)
			why = "must lie below /run, or begin with a backslash";
		if (why)
			draft_say(d, PLAN_NOTE_ERROR, "\"%s\": %s; not used",
				  draft_show(d, name[i]), why);
		else
			draft_add(d, row->table, (struct draft_row){.name = path});
	}
	if (count > DIRECTORIES_MAX)
		draft_say(d, PLAN_NOTE_ERROR, "only the first %u are used", DIRECTORIES_MAX);
}

void handle_device(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *target = draft_string(d, v, PATH_BYTES);
	const char *why = path_fault(draft_text(d, "/%s", v->name));

	if (!target)
		return;
	if (why) {
		draft_say(d, PLAN_NOTE_ERROR, "its name: %s; not used", why);
		return;
	}
	if (target[0] == '\\' || path_has_drive(target)) {
		draft_say(d, PLAN_NOTE_WARNING, "\"%s\" is a path of NT; not used",
			  draft_show(d, target));
		return;
	}
	draft_add(d, row->table,
		  (struct draft_row){.name = draft_text(d, "%s", v->name), .text = target});
}

void handle_variable(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *text = draft_string(d, v, PLAN_STRING_MAX);
	struct draft_table *rows = &d->table[row->table];
	size_t bytes = 0;

	if (!text)
		return;
	if (strchr(v->name, '=') || v->name_bytes >= NAME_BYTES * 4) {
		draft_say(d, PLAN_NOTE_ERROR,
			  "a variable's name has no = and less than %u bytes; not used",
			  NAME_BYTES * 4);
		return;
	}
	for (const char *c = v->name; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7F) {
			draft_say(d, PLAN_NOTE_ERROR, "a control character in the name; not used");
			return;
		}
	for (size_t i = 0; i < rows->count; i++)
		bytes += strlen(rows->row[i].name) + strlen(rows->row[i].text) + 2;
	if (rows->count >= ENV_VARS_MAX - 16 ||
	    bytes + strlen(text) + v->name_bytes + 2 > ENV_BYTES / 2) {
		draft_say(d, PLAN_NOTE_ERROR, "the environment is full; not used");
		return;
	}
	draft_add(d, row->table,
		  (struct draft_row){.name = draft_text(d, "%s", v->name),
				     .text = text,
				     .flags = v->type == REG_EXPAND_SZ ? PLAN_ENV_EXPAND : 0});
}

static bool ends_with(const char *s, size_t n, const char *end)
{
	size_t e = strlen(end);

	return n >= e && utf8_same_fold(s + n - e, e, end, e);
}

/* FILE [sha256:HEX] */
void handle_library(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES), *pin;
	uint8_t digest[SHA256_BYTES];
	size_t n;
	char *file;

	if (!s)
		return;
	n = strcspn(s, " \t");
	if (ends_with(s, n, ".dll") || ends_with(s, n, ".drv")) {
		d->foreign_libraries++;
		return;
	}
	file = arena_copy(d->arena, s, n);
	if (!file)
		return;
	if (!n || strchr(file, '/') || strchr(file, '\\') || n >= NAME_BYTES * 4) {
		draft_say(d, PLAN_NOTE_ERROR, "expected a file name without a directory; not used");
		return;
	}
	pin = s + n + strspn(s + n, " \t");
	if (*pin) {
		if (strncmp(pin, "sha256:", 7) != 0 || sha256_from_hex(pin + 7, digest) < 0) {
			draft_say(d, PLAN_NOTE_ERROR,
				  "after the file only sha256: and 64 hexadecimal "
				  "digits may stand; not used");
			return;
		}
		char *hex = arena_take(d->arena, 2 * SHA256_BYTES + 1);

		if (hex)
			sha256_hex(digest, hex);
		draft_add(d, PLAN_KNOWN_PINS, (struct draft_row){.name = file, .text = hex});
	}
	draft_add(d, row->table,
		  (struct draft_row){.name = draft_text(d, "%s", v->name), .text = file});
}

void handle_names(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **name = draft_list(d, v, &count);

	for (size_t i = 0; i < count; i++) {
		if (strlen(name[i]) < NAME_BYTES * 4 && !strchr(name[i], '/'))
			draft_add(d, row->table, (struct draft_row){.name = name[i]});
		else
			draft_say(d, PLAN_NOTE_ERROR, "\"%s\" is no tag or file name; not used",
				  draft_show(d, name[i]));
	}
}

void handle_directory(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	const char *s = draft_string(d, v, PATH_BYTES), *why;

	(void)row;
	if (!s || !*s)
		return;
	if (strchr(s, '%') || strchr(s, '\\')) {
		draft_say(d, PLAN_NOTE_WARNING, "\"%s\" is a directory of Windows; not used",
			  draft_show(d, s));
		return;
	}
	why = path_fault(s);
	if (why)
		draft_say(d, PLAN_NOTE_ERROR, "%s; not used", why);
	else
		d->dll_directory = s;
}

static bool has_row(const struct draft *d, enum plan_table t, const char *name)
{
	for (size_t i = 0; i < d->table[t].count; i++)
		if (utf8_same_fold(d->table[t].row[i].name, strlen(d->table[t].row[i].name), name,
				   strlen(name)))
			return true;
	return false;
}

static void missing_rows(struct draft *d, enum plan_table t, const char *const (*rows)[2],
			 size_t count)
{
	struct draft_table own = d->table[t];

	d->table[t] = (struct draft_table){0}; /* defaults stand first: later values win */
	for (size_t i = 0; i < count; i++) {
		struct draft probe = {.table[PLAN_TEXTS] = own};

		if (!has_row(&probe, PLAN_TEXTS, rows[i][0]))
			draft_add(d, t, (struct draft_row){.name = rows[i][0], .text = rows[i][1]});
	}
	for (size_t i = 0; i < own.count; i++)
		draft_add(d, t, own.row[i]);
}

void defaults_lists(struct draft *d)
{
	static const char *const environment[][2] = {
		{"Path", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		{"TEMP", "/tmp"},
		{"TMP", "/tmp"},
	};
	static const char *const devices[][2] = {
		{"fd", "/proc/self/fd"},       {"stdin", "/proc/self/fd/0"},
		{"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"},
		{"ptmx", "pts/ptmx"},
	};

	missing_rows(d, PLAN_ENVIRONMENT, environment, 3);
	missing_rows(d, PLAN_DOS_DEVICES, devices, 5);
	if (!d->directories_present) {
		draft_add(d, PLAN_OBJECT_DIRECTORIES,
			  (struct draft_row){.name = RUN_DIRECTORY "/Windows"});
		draft_add(d, PLAN_OBJECT_DIRECTORIES,
			  (struct draft_row){.name = RUN_DIRECTORY "/RPC Control"});
	}
	if (!d->known_present) {
		draft_add(d, PLAN_KNOWN_DLLS,
			  (struct draft_row){.name = "libc", .text = "libc.so.6"});
		draft_add(d, PLAN_KNOWN_DLLS, (struct draft_row){.name = "loader", .text = LOADER});
		draft_add(d, PLAN_KNOWN_DLLS,
			  (struct draft_row){.name = "libm", .text = "libm.so.6"});
	}
	if (!d->no_paging_default)
		draft_add(d, PLAN_PAGING_FILES, (struct draft_row){.name = "?:/pagefile.sys"});
	if (d->foreign_libraries) {
		d->at = "Session Manager\\KnownDLLs";
		draft_say(d, PLAN_NOTE_WARNING, "%u libraries of Windows (.dll); not used",
			  d->foreign_libraries);
	}
}
