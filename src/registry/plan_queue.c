/* SPDX-License-Identifier: MIT */
/*
 * plan_queue.c - the classic rename entries, nt-reference §4.1
 *
 * Pairs are counted by length and value by value: empty strings inside are data (a delete), and an
 * odd value must not shift the pairs of the next. What cannot be run is kept as malformed with its
 * reason, so that the boot can report it; nothing is guessed.
 */
#include <errno.h>
#include <string.h>

#include "registry/draft.h"

#define QUEUE_ROWS_MAX 100000u /* a foreign hive's value may hold a megabyte */

/* Passes over "*1" and one of "!@"; *ret_mark tells which, 0 = none. */
static const char *unmarked(const char *s, char *ret_mark)
{
	*ret_mark = 0;
	if (*s == '*' && s[1] >= '0' && s[1] <= '9')
		for (s++; *s >= '0' && *s <= '9'; s++)
			;
	if (*s == '!' || *s == '@')
		*ret_mark = *s++;
	return s;
}

static const char *plain(const char *s)
{
	return strncmp(s, "\\??\\/", 5) == 0 ? s + 4 : s;
}

static const char *fault_of(const char *path)
{
	if (path_has_drive(path))
		return "a drive path of Windows";
	if (strncmp(path, "\\??\\", 4) == 0 || path[0] == '\\')
		return "a path of Windows";
	if (strcmp(path, "/") == 0)
		return "the root directory";
	return path_fault(path);
}

static void malformed(struct draft *d, struct draft_row row, const char *raw, const char *why)
{
	draft_say(d, strstr(why, "of Windows") ? PLAN_NOTE_WARNING : PLAN_NOTE_ERROR,
		  "entry %u, \"%s\": %s; kept for the report, never run", row.arg + 1,
		  draft_show(d, raw), why);
	row.name = strlen(raw) < PATH_BYTES ? raw : draft_show(d, raw);
	row.text = why;
	row.flags = (row.flags & QUEUE_FILE_RENAME_KEY) | QUEUE_MALFORMED;
	draft_add(d, PLAN_QUEUE, row);
}

static void one_pair(struct draft *d, uint32_t value, const char *source, const char *target)
{
	struct draft_row row = {.arg = (uint32_t)d->table[PLAN_QUEUE].count, .aux = value};
	const char *from, *to = "", *why;
	char mark, mine;

	from = plain(unmarked(source, &mine));
	if (!*source || !*from) {
		malformed(d, row, source, "an empty source");
		return;
	}
	why = fault_of(from);
	if (!why && !target)
		why = "a source without a target: the value holds an odd number of strings";
	/* NT passes over "@" before what is deleted, and opens nothing of such a name otherwise. */
	if (!why && (mine == '!' || (mine == '@' && *target)))
		why = "a marker of targets before the source";
	if (!why && *target) {
		to = plain(unmarked(target, &mark));
		row.flags |= mark ? QUEUE_REPLACE : 0;
		why = *to ? fault_of(to) : "a marker without a target";
	}
	if (why) {
		malformed(d, row, source, why);
		return;
	}
	row.name = from;
	row.text = to;
	draft_add(d, PLAN_QUEUE, row);
}

void handle_renames(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	char **list;
	size_t count, i;
	unsigned flags = 0;

	if (value_list(d->arena, v, &list, &count, &flags) < 0) {
		d->failed = -E2BIG;
		return;
	}
	if (flags & REG_TEXT_BAD)
		draft_say(d, PLAN_NOTE_WARNING, "an unpaired surrogate was replaced");
	if (flags & REG_TEXT_ODD)
		draft_say(d, PLAN_NOTE_WARNING, "an odd number of bytes: the last one is ignored");
	for (i = 0; i < count && d->table[PLAN_QUEUE].count < QUEUE_ROWS_MAX; i += 2)
		one_pair(d, row->min, list[i], i + 1 < count ? list[i + 1] : NULL);
	if (i < count)
		draft_say(d, PLAN_NOTE_ERROR, "more than %u entries; the rest is not used",
			  QUEUE_ROWS_MAX);
}

void handle_deletes(struct draft *d, const struct schema_row *row, const struct reg_value *v)
{
	size_t count;
	char **list = draft_list(d, v, &count);

	(void)row;
	if (count == 0)
		draft_say(d, PLAN_NOTE_ERROR, "no path; not used");
	for (size_t i = 0; i < count && d->table[PLAN_QUEUE].count < QUEUE_ROWS_MAX; i++) {
		struct draft_row entry = {.arg = (uint32_t)d->table[PLAN_QUEUE].count,
					  .flags = QUEUE_FILE_RENAME_KEY};
		char mark;
		const char *path = plain(unmarked(list[i], &mark));
		const char *why = *path ? fault_of(path) : "an empty path";

		entry.name = path;
		if (why)
			malformed(d, entry, list[i], why);
		else
			draft_add(d, PLAN_QUEUE, entry);
	}
}
