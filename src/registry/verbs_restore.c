/* SPDX-License-Identifier: MIT */
/*
 * verbs_restore.c - restore: the hive before the last commit, or the last one that booted well
 *
 * The way out of a hive that is broken, gone or wrong. What is taken back is read whole and checked
 * before it counts, and it comes as a commit like any other: durable, with plan and queue, with a
 * sequence number of its own, so that its attempts are counted anew. What it replaces stays as
 * NAME.previous when it can be read, unless that is what is taken back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/show.h"
#include "registry/writing.h"
#include "smss/copy.h"
#include "sys/sys.h"

/* The hive that is taken back, whole; why names what is wrong with it. */
static int read_source(const char *path, struct reg_tree *t, struct hive_facts *ret,
		       struct text *why)
{
	_cleanup_(hive_closep) struct hive *h = NULL;
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct hive_source from;
	int r = fd;

	if (r >= 0) {
		from = hive_source_of(fd);
		r = hive_open(&from, 0, &h, why);
	}
	if (r >= 0)
		r = hive_load(h, "", HIVE_ALL, t);
	if (r >= 0 && !hive_facts(h)->ours) {
		text_add(why, "smreg did not make it");
		r = -EPERM;
	} else if (r >= 0 && (hive_facts(h)->dirty || hive_degraded(h))) {
		text_add(text_add(why, "damaged: "), hive_said(h));
		r = -EUCLEAN;
	}
	if (r < 0) {
		if (!why->len)
			text_add(why, err_text(-r));
		return r;
	}
	*ret = *hive_facts(h);
	return 0;
}

/*
 * The hive that is replaced: its sequence goes on, and it is kept when it is whole. One that
 * nobody can read is no reason not to go back; one that is not smreg's is.
 */
static int look_at_current(struct writing *w, const struct options *o,
			   const struct hive_facts *source)
{
	_cleanup_(tree_freep) struct reg_tree old = {0};
	char room[256];
	struct text why = TEXT_ON(room);
	int e = tree_start(&old);

	if (e == 0)
		e = store_read(&w->store, o->state, &old, NULL, &why);
	if (e == -EPERM || e == -ELOOP || e == -ENOMEM)
		return writing_complain(o, e, room);
	if (!w->store.exists)
		w->store.facts = *source;
	w->store.exists = true;
	if (!o->lkg)
		w->store.whole = false; /* the name is taken by what is taken back */
	return 0;
}

/* Which of them a boot has run is written nowhere any more. */
static void warn_of_queue(const struct options *o, const struct reg_tree *t)
{
	static const char path[] = "CurrentControlSet\\Control\\Session Manager";
	const struct reg_key *k = tree_find(t, path, sizeof(path) - 1),
			     *files = k ? key_child(k, "FileRenameOperations", 20) : NULL;

	if (k && (key_get(k, "PendingFileRenameOperations") ||
		  key_get(k, "PendingFileRenameOperations2") || (files && files->value_count)))
		fprintf(stderr,
			"smreg: %s: warning: rename entries come back with it, and the next boot "
			"runs them: smreg plan lists them\n",
			o->hive);
}

static int restore(const struct options *o)
{
	_cleanup_(writing_end) struct writing w;
	struct hive_facts facts;
	char room[256], path[PATH_BYTES];
	struct text why = TEXT_ON(room), p = TEXT_ON(path);
	int e;

	text_add(&p, o->lkg ? o->state : o->hive);
	text_add(&p, o->lkg ? "/" LKG_FILE : ".previous");
	e = writing_start(&w, o);
	if (e < 0)
		return exit_code_of(e);
	e = read_source(path, &w.tree, &facts, &why);
	if (e < 0) {
		fprintf(stderr, "smreg: %s: %s; nothing was changed\n", path, room);
		return EXIT_FAILED_1;
	}
	e = look_at_current(&w, o, &facts);
	if (e == 0 && o->lkg)
		(void)store_drop_queue(&w.tree); /* it booted, and its entries ran */
	store_remarks(&w.store, &w.tree, &w.before);
	if (e == 0)
		e = writing_commit(&w, o);
	if (e == 0)
		warn_of_queue(o, &w.tree);
	if (e == 0)
		printf("%s is again what %s %s\n", o->hive, path, o->lkg ? "is" : "was");
	return exit_code_of(e);
}

int verb_restore(const struct options *o)
{
	return o->previous && o->lkg ? EXIT_SHOW_USAGE : restore(o);
}
