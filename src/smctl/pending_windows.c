/* SPDX-License-Identifier: MIT */
/*
 * pending_windows.c - smctl pending list and check of a Windows hive
 *
 * Each entry with its paths where the drives are mounted; what no drive holds stays as it is, with
 * a mark. Checked as Windows would meet them, one after the other. Nothing is run: that is Windows'
 * own to do, and its files may be renamed by names that only it knows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pending/classic.h"
#include "smctl/pending.h"

struct side { /* one path of an entry */
	enum drive_answer answer;
	char path[PATH_BYTES], key[PATH_BYTES];
	int there; /* drives_look's, for check */
};

struct windows {
	struct pending *p;
	struct hive_entries hive;
	struct foresee foresee;
	json_object *list;
	uint32_t problems;
	char (*keys)[PATH_BYTES]; /* what foresee holds on to; two an entry */
	bool check;
};

static const char *const values[] = {"", "PendingFileRenameOperations",
				     "PendingFileRenameOperations2", "FileRenameOperations"};

static const char *mark_of(const struct side *s)
{
	switch (s->answer) {
	case DRIVE_UNKNOWN:
		return "its drive is not mapped";
	case DRIVE_NO_LETTER:
		return "no drive letter in it";
	case DRIVE_NO_PATH:
		return "no path of files";
	default:
		return NULL;
	}
}

static const char *there_text(const struct side *s)
{
	return s->answer != DRIVE_MAPPED                     ? mark_of(s)
	       : s->there == 0                               ? "there"
	       : s->there == -ENOENT || s->there == -ENOTDIR ? "missing"
							     : classic_text(NULL, s->there);
}

static const char *problem_text(int kept)
{
	if (kept == -ENODATA)
		return "it lies on no mapped drive: nothing can be said of it";
	if (kept == -ENOTDIR)
		return "the directory it would go to is not there";
	return kept <= RENAME_UNKNOWN ? classic_text(NULL, kept) : sm_reason_text(kept);
}

static void map_side(struct windows *w, const char *path, struct side *ret)
{
	struct foreseen now;

	ret->there = -ENODATA;
	ret->answer = drives_map(&w->p->drives, path, ret->path, ret->key);
	if (ret->answer == DRIVE_MAPPED && w->check)
		ret->there = drives_look(&w->p->drives, ret->key, false, &now);
}

/* What would become of it: 0, a kept result, or -ENODATA when a path lies nowhere here. */
static int judge(struct windows *w, size_t i, const struct side *from, const struct side *to)
{
	const struct hive_entry *e = &w->hive.row[i];
	char(*key)[PATH_BYTES] = &w->keys[2 * i];
	int r;

	if (e->why || from->answer == DRIVE_NO_PATH || to->answer == DRIVE_NO_PATH)
		return RENAME_MALFORMED;
	if (from->answer != DRIVE_MAPPED || (*e->to && to->answer != DRIVE_MAPPED))
		return -ENODATA;
	(void)str_copy(key[0], PATH_BYTES, from->key);
	(void)str_copy(key[1], PATH_BYTES, *e->to ? to->key : "");
	r = foresee_entry(&w->foresee,
			  &(struct rename_what){
				  .root = -1, .from = key[0], .to = key[1], .replace = e->replace});
	/* What is to be gone and is gone, Windows passes over in silence. */
	return r == -ENOENT && !*e->to ? 0 : r;
}

static void put_side(json_object *o, const char *name, const struct windows *w,
		     const struct side *s)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "%s_path", name);
	json_put(o, key, NULL);
	if (s->answer == DRIVE_MAPPED)
		json_put_text(o, key, s->path);
	(void)snprintf(key, sizeof(key), "%s_mark", name);
	json_put(o, key, NULL);
	if (mark_of(s))
		json_put_text(o, key, mark_of(s));
	if (!w->check)
		return;
	(void)snprintf(key, sizeof(key), "%s_exists", name);
	json_put(o, key, s->answer == DRIVE_MAPPED ? json_object_new_boolean(s->there == 0) : NULL);
}

static void show_line(const struct windows *w, const struct classic_shown *c,
		      const struct side *from, const struct side *to)
{
	const bool target = *c->to && !c->why;

	printf("%5u  %-28s  %s", c->number, c->value, classic_entry_text(c));
	if (w->check && !c->why) {
		printf("  (source: %s", there_text(from));
		printf(target ? "; target: %s)" : ")", target ? there_text(to) : "");
	} else if (!c->why && (mark_of(from) || (target && mark_of(to)))) {
		printf("  (%s%s", mark_of(from) ? "source: " : "target: ",
		       mark_of(from) ? mark_of(from) : mark_of(to));
		if (mark_of(from) && target && mark_of(to))
			printf("; target: %s", mark_of(to));
		putchar(')');
	}
	putchar('\n');
}

static void show_entry(struct windows *w, size_t i)
{
	const struct hive_entry *e = &w->hive.row[i];
	struct side from, to = {.answer = DRIVE_MAPPED};
	struct classic_shown c = {.number = (uint32_t)i + 1,
				  .value = values[e->value],
				  .replace = e->replace,
				  .why = e->why};
	int kept;

	map_side(w, e->from, &from);
	if (*e->to)
		map_side(w, e->to, &to);
	c.from = w->list || from.answer != DRIVE_MAPPED ? e->from : from.path;
	c.to = !*e->to || w->list || to.answer != DRIVE_MAPPED ? e->to : to.path;
	kept = w->check ? judge(w, i, &from, &to) : 0;
	w->problems += kept < 0;
	if (w->list) {
		json_object *o = classic_entry_json(&c);

		put_side(o, "from", w, &from);
		if (*e->to)
			put_side(o, "to", w, &to);
		if (w->check)
			json_put(o, "problem", NULL);
		if (kept < 0)
			json_put_text(o, "problem", problem_text(kept));
		(void)json_object_array_add(w->list, o);
		return;
	}
	show_line(w, &c, &from, &to);
	if (kept < 0)
		(void)smctl_error(w->p->s, "entry %u: %s", c.number, problem_text(kept));
}

static int start(struct windows *w)
{
	const size_t count = w->hive.count;
	int r = foresee_start(&w->foresee, (uint32_t)count, drives_look, &w->p->drives);

	if (r < 0 || !w->check)
		return r;
	w->keys = calloc(2 * count + 1, sizeof(*w->keys));
	return w->keys ? 0 : -ENOMEM;
}

static int show_all(struct windows *w)
{
	struct pending *p = w->p;
	json_object *o;

	if (!w->list)
		printf("classic entries of %s, control set %u%s\n", show_text(p->hive), w->hive.set,
		       w->hive.count ? ":" : ": none");
	for (size_t i = 0; i < w->hive.count; i++)
		show_entry(w, i);
	if (w->list) {
		o = json_object_new_object();
		json_put_text(o, "hive", p->hive);
		json_put_number(o, "control_set", w->hive.set);
		json_put(o, "classic", w->list);
		if (json_show(o, false) != SMCTL_OK)
			return SMCTL_FAILED;
	} else if (w->check && !w->problems && w->hive.count) {
		puts("no problem was found");
	}
	if (!w->problems)
		return SMCTL_OK;
	return smctl_error(p->s, "%s: %u problem%s", show_text(p->hive), w->problems,
			   w->problems == 1 ? "" : "s");
}

int windows_show(struct pending *p, bool check)
{
	struct windows w = {.p = p, .check = check};
	int r = hive_entries_read(p->hive, &w.hive);

	for (unsigned i = 0; i < w.hive.said_count; i++)
		(void)smctl_error(p->s, "%s: %s", show_text(p->hive), show_text(w.hive.said[i]));
	if (r == 0)
		r = start(&w);
	if (r < 0) {
		r = smctl_error(p->s, "%s: %s", show_text(p->hive),
				w.hive.why ? show_text(w.hive.why) : err_text(-r));
	} else {
		w.list = p->s->json ? json_object_new_array() : NULL;
		r = show_all(&w);
	}
	foresee_end(&w.foresee);
	free(w.keys);
	hive_entries_free(&w.hive);
	return r;
}
