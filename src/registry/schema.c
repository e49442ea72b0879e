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

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

#define WORD_MAX 47u /* our longest name has 28 letters */

unsigned schema_distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1], *now = row[0], *last = row[1], *before = row[2];
	unsigned an = (unsigned)strlen(a), bn = (unsigned)strlen(b);

	if (an > WORD_MAX || bn > WORD_MAX)
		return WORD_MAX + 1;
	for (unsigned k = 0; k <= bn; k++)
		now[k] = k;
	for (unsigned i = 1; i <= an; i++) {
		unsigned *free_row = before;

		before = last;
		last = now;
		now = free_row;
		now[0] = i;
		for (unsigned k = 1; k <= bn; k++) {
			char x[2] = {a[i - 1], 0}, y[2] = {b[k - 1], 0};
			unsigned change = !str_same_fold(x, y);

			now[k] = least(least(last[k] + 1, now[k - 1] + 1), last[k - 1] + change);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
	}
	return now[bn];
}

/* The row whose name is nearest, of one key (ours) or of all others; NULL when none is near. */
static const struct schema_row *nearest_row(enum schema_key key, bool ours, const char *name)
{
	const struct schema_row *row, *best = NULL;
	unsigned nearest = WORD_MAX;
	size_t count;

	row = schema_rows(&count);
	for (size_t i = 0; i < count; i++) {
		unsigned d;

		if ((row[i].key == key) != ours || !row[i].name[0] || str_same(row[i].name, "*"))
			continue;
		d = schema_distance(name, row[i].name);
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
