/* SPDX-License-Identifier: MIT */
/*
 * schema.c - looking names up in the schema; see schema.h
 */
#include "registry/schema.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

static const char *const key_paths[KEY_COUNT] = {
	[KEY_SESSION_MANAGER] = "Session Manager",
	[KEY_MEMORY] = "Session Manager\\Memory Management",
	[KEY_SUBSYSTEMS] = "Session Manager\\SubSystems",
	[KEY_ENVIRONMENT] = "Session Manager\\Environment",
	[KEY_DOS_DEVICES] = "Session Manager\\DOS Devices",
	[KEY_KNOWN_DLLS] = "Session Manager\\KnownDLLs",
	[KEY_FILE_RENAME] = "Session Manager\\FileRenameOperations",
	[KEY_SESSIONS] = "Session Manager\\Sessions",
	[KEY_SAFE_BOOT] = "SafeBoot",
	[KEY_CRASH] = "CrashControl",
	[KEY_COMPUTER] = "ComputerName\\ComputerName",
	[KEY_WINLOGON] = "Winlogon",
	[KEY_WININIT] = "Wininit",
};

const char *schema_key_path(enum schema_key key)
{
	return key_paths[key];
}

const struct schema_row *schema_find(enum schema_key key, const char *name)
{
	const struct schema_row *any = NULL, *row;
	size_t count;

	row = schema_rows(&count);
	for (size_t i = 0; i < count; i++) {
		if (row[i].key != key)
			continue;
		if (str_same(row[i].name, "*"))
			any = &row[i];
		else if (str_same_fold(row[i].name, name))
			return &row[i];
	}
	return any;
}

/* The row whose name is nearest, of one key (ours) or of all others; NULL when none is near. */
static const struct schema_row *nearest_row(enum schema_key key, bool ours, const char *name)
{
	const struct schema_row *row, *best = NULL;
	unsigned nearest = STR_FAR;
	size_t count;

	row = schema_rows(&count);
	for (size_t i = 0; i < count; i++) {
		unsigned d;

		if ((row[i].key == key) != ours || !row[i].name[0] || str_same(row[i].name, "*"))
			continue;
		d = str_distance(name, row[i].name);
		if (d < nearest && d <= 1 + strlen(row[i].name) / 6) {
			nearest = d;
			best = &row[i];
		}
	}
	return best;
}

const char *schema_suggest(enum schema_key key, const char *name)
{
	const struct schema_row *row = nearest_row(key, true, name);

	return row ? row->name : NULL;
}

const struct schema_row *schema_suggest_elsewhere(enum schema_key key, const char *name)
{
	return nearest_row(key, false, name);
}

const char *schema_types(unsigned types, char room[80])
{
	static const struct {
		unsigned type;
		const char *word;
	} words[] = {{TYPE_MULTI, "REG_MULTI_SZ"},
		     {TYPE_SZ, "REG_SZ"},
		     {TYPE_EXPAND, "REG_EXPAND_SZ"},
		     {TYPE_DWORD, "REG_DWORD"}};
	struct text t = text_start(room, 80);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!(types & words[i].type))
			continue;
		text_add(&t, t.len ? " or " : "");
		text_add(&t, words[i].word);
	}
	return room;
}
