/* SPDX-License-Identifier: MIT */
/*
 * plan_queue.c - the classic rename entries, nt-reference §4.1
 *
 * Pairs are counted by length and value by value: empty strings inside are data (a delete), and an
 * odd value must not shift the pairs of the next. What cannot be run is kept as malformed with its
 * reason, so that the boot can report it; nothing is guessed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "pending/protect.h"
#include "registry/draft.h"
#include "smss/copy.h"
#include "state/state.h"

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
	row.at = d->at;
	row.origin = d->remarks->origin;
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
					  .flags = QUEUE_FILE_RENAME_KEY,
					  .text = "",
					  .at = d->at,
					  .origin = d->remarks->origin};
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

static bool covered(const char *path, const char *hive)
{
	return protect_canonical(path) &&
	       (protect_covers(path, HIVE_PATH, STATE_DIRECTORY) ||
		(*hive == '/' && protect_covers(path, hive, STATE_DIRECTORY)));
}

bool queue_protected(const char *hive, const char *from, const char *to)
{
	return covered(from, hive) || (*to && covered(to, hive));
}

struct queue_step { /* a path goes away or comes, at one entry of the queue */
	const char *path;
	size_t entry;
	bool comes;
};

static int by_path(const void *a, const void *b)
{
	const struct queue_step *x = a, *y = b;
	int d = strcmp(x->path, y->path);

	if (d)
		return d;
	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return (int)x->comes - (int)y->comes;
}

/* entry[i] becomes true when an earlier entry takes its source away and none brings it back. */
static void find_gone(const struct draft_table *q, struct queue_step *steps, bool *gone)
{
	size_t n = 0;
	bool away = false;

	for (size_t i = 0; i < q->count; i++) {
		if (q->row[i].flags & QUEUE_MALFORMED)
			continue;
		steps[n++] = (struct queue_step){q->row[i].name, i, false};
		if (*q->row[i].text)
			steps[n++] = (struct queue_step){q->row[i].text, i, true};
	}
	qsort(steps, n, sizeof(*steps), by_path);
	for (size_t i = 0; i < n; i++) {
		if (!i || strcmp(steps[i].path, steps[i - 1].path) != 0)
			away = false;
		if (!steps[i].comes)
			gone[steps[i].entry] = away;
		away = !steps[i].comes;
	}
}

void queue_remarks(struct draft *d)
{
	const struct draft_table *q = &d->table[PLAN_QUEUE];
	struct queue_step *steps =
		q->count ? arena_take(d->arena, 2 * q->count * sizeof(*steps)) : NULL;
	bool *gone = steps ? arena_take(d->arena, q->count) : NULL;

	if (!gone)
		return;
	find_gone(q, steps, gone);
	for (size_t i = 0; i < q->count; i++) {
		const struct draft_row *row = &q->row[i];

		if (row->flags & QUEUE_MALFORMED)
			continue;
		d->at = row->at;
		d->remarks->origin = row->origin;
		if (!d->settings->allow_protected_renames &&
		    queue_protected(d->from->hive_path, row->name, row->text))
			draft_say(d, PLAN_NOTE_WARNING,
				  "entry %u, \"%s\": a protected path; the boot refuses it unless "
				  "AllowProtectedRenames is 1",
				  row->arg + 1, draft_show(d, row->name));
		if (gone[i])
			draft_say(d, PLAN_NOTE_WARNING,
				  "entry %u, \"%s\": an earlier entry takes it away, and nothing "
				  "brings it back",
				  row->arg + 1, draft_show(d, row->name));
	}
	d->remarks->origin = 0;
}
