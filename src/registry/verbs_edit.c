/* SPDX-License-Identifier: MIT */
/*
 * verbs_edit.c - edit: a key in a person's editor, as visudo has it
 *
 * What stands in the text when the editor ends is the key. The writer lock is not held meanwhile:
 * a hive that another smreg changed is noticed by its base block and left alone. Whatever goes
 * wrong, the hive is the old one and the text is kept, unless its writer throws it away.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/editor.h"
#include "registry/show.h"
#include "registry/writing.h"
#include "sys/sys.h"

#define KEY_PATH 4096u

struct edit {
	struct options o;                /* force may be added to it by an answer */
	char path[KEY_PATH];             /* of the key, CurrentControlSet resolved */
	char file[PATH_BYTES];           /* of the text */
	struct reg_buffer text;          /* as it was made */
	uint8_t block[HIVE_BLOCK_BYTES]; /* of the hive then */
	unsigned set;
};

enum answer { ANSWER_AGAIN, ANSWER_LEAVE, ANSWER_COMMIT, ANSWER_NONE };

static void put(struct reg_buffer *b, const char *s)
{
	reg_buffer_add(b, s, strlen(s));
}

static bool path_of(const struct reg_key *k, struct text *to)
{
	if (k->parent && !path_of(k->parent, to))
		return false;
	if (k->parent && k->parent->parent)
		text_add(to, "\\");
	text_add_n(to, k->name, k->name_bytes);
	return !to->cut;
}

static int make_text(struct edit *d, const struct reg_key *k)
{
	char room[PATH_BYTES];
	struct text hive = TEXT_ON(room);

	text_escaped(&hive, d->o.hive, strlen(d->o.hive));
	d->text.readable = true;
	reg_text_header(&d->text);
	put(&d->text, "; A key of ");
	put(&d->text, room);
	put(&d->text,
	    "\n; What stands here when the editor ends is the key: values and keys that are taken "
	    "out are\n; deleted. str(N): is text, str(7): a list with \\0 behind each string. "
	    "Leave the text as it\n; is to change nothing.\n");
	reg_text_add_tree(&d->text, k);
	if (d->text.faults) {
		fprintf(stderr, "smreg: %s: %s: .reg text cannot say it\n", d->o.hive,
			d->text.fault);
		return -EINVAL;
	}
	return d->text.failed ? writing_complain(&d->o, -ENOMEM, "") : 0;
}

/* The key as it is now, as text; the lock is given back before the editor starts. */
static int take(struct edit *d)
{
	_cleanup_(writing_end) struct writing w;
	const char *key = d->o.count ? key_argument(d->o.args[0]) : "";
	struct text path = TEXT_ON(d->path);
	const struct reg_key *k;
	int e = writing_start(&w, &d->o);

	if (e == 0)
		e = key ? writing_read(&w, &d->o) : -EINVAL;
	if (e < 0)
		return e;
	k = tree_find(&w.tree, key, strlen(key));
	if (!k) {
		show_missing_key(stderr, &w.tree, key);
		return -ENOENT;
	}
	if (!path_of(k, &path))
		return writing_complain(&d->o, -ENAMETOOLONG, "");
	memcpy(d->block, w.store.facts.block, sizeof(d->block));
	d->set = tree_current_set(&w.tree);
	e = make_text(d, k);
	if (e == 0)
		e = editor_file(d->text.bytes, d->text.len, d->file, sizeof(d->file));
	if (e < 0 && e != -EINVAL)
		fprintf(stderr, "smreg: %s: %s\n", d->file, err_text(-e));
	return e;
}

static bool same_value(const struct reg_value *a, const struct reg_value *b)
{
	return a->type == b->type && a->bytes == b->bytes && a->name_bytes == b->name_bytes &&
	       (!a->name_bytes || memcmp(a->name, b->name, a->name_bytes) == 0) &&
	       (!a->bytes || memcmp(a->data, b->data, a->bytes) == 0);
}

/* Also in the order and the capitals of names: Environment is read in its order. */
static bool same_key(const struct reg_key *a, const struct reg_key *b)
{
	if (a->value_count != b->value_count || a->child_count != b->child_count)
		return false;
	for (uint32_t i = 0; i < a->value_count; i++)
		if (!same_value(&a->values[i], &b->values[i]))
			return false;
	for (uint32_t i = 0; i < a->child_count; i++) {
		const struct reg_key *x = a->children[i], *y = b->children[i];

		if (x->name_bytes != y->name_bytes ||
		    memcmp(x->name, y->name, x->name_bytes) != 0 || !same_key(x, y))
			return false;
	}
	return true;
}

/* The text as a key in a tree of its own; -EINVAL with the errors said. */
static int read_text(const struct edit *d, const char *bytes, size_t n, struct reg_tree *t,
		     const struct reg_key **ret)
{
	const struct reg_rules rules = {.below = d->path, .data_max = HIVE_WRITE_VALUE_MAX};
	static struct reg_errors errors;
	int e = tree_start(t);

	t->file = 1;
	t->set = d->set;
	if (e == 0)
		e = reg_text_read_by(bytes, n, &rules, t, &errors);
	show_reg_errors(d->file, &errors);
	if (e < 0)
		return errors.count ? -EINVAL : writing_complain(&d->o, e, "");
	*ret = tree_find(t, d->path, strlen(d->path));
	if (*ret)
		return 0;
	fprintf(stderr,
		"%s: the line [KEY] of the key itself is gone; to delete a key: smreg delete\n",
		d->file);
	return -EINVAL;
}

/* The hive is still the one that the text was made of. */
static int still_the_same(const struct edit *d, const struct writing *w)
{
	if (memcmp(d->block, w->store.facts.block, sizeof(d->block)) == 0)
		return 0;
	fprintf(stderr,
		"smreg: %s: changed by another smreg while the editor ran; nothing was written\n"
		"smreg: to see what your text would change now: smreg diff KEY --with FILE "
		"--whole\n",
		d->o.hive);
	return -ESTALE;
}

/* 1 = there was nothing to commit. */
static int commit_key(const struct edit *d, const struct reg_key *now)
{
	_cleanup_(writing_end) struct writing w;
	struct reg_key *k;
	int e = writing_start(&w, &d->o);

	w.quiet = w.only_news = true;
	if (e == 0)
		e = writing_read(&w, &d->o);
	if (e == 0)
		e = still_the_same(d, &w);
	if (e < 0)
		return e == -EINVAL ? -EIO : e; /* no answer of the person would help */
	w.files[w.file_count++] = d->file;
	k = tree_find(&w.tree, d->path, strlen(d->path));
	if (k && same_key(k, now))
		return 1;
	if (k)
		tree_empty_key(&w.tree, k);
	e = k ? tree_copy(&w.tree, k, now, true) : -ENOENT;
	return e < 0 ? writing_complain(&d->o, e, "") : writing_commit(&w, &d->o);
}

/* Unless the editor took it away. */
static int kept(const struct edit *d, const char *what, int code)
{
	struct sys_stat st;
	bool there = sys_stat_at(AT_FDCWD, d->file, 0, &st) == 0 && S_ISREG(st.mode);

	fprintf(stderr, "smreg: %sthe text is %s %s%s\n", what,
		there ? "kept in" : "gone:", d->file,
		there ? "" : " is not there any more, or no regular file");
	return code;
}

static int thrown_away(const struct edit *d, const char *why, int code)
{
	editor_drop(d->file);
	fprintf(stderr, "smreg: %s\n", why);
	return code;
}

static enum answer ask(bool may_commit)
{
	char line[80];

	if (!isatty(STDIN_FILENO))
		return ANSWER_NONE;
	for (;;) {
		fprintf(stderr, "What now? e = edit again, x = leave without changing%s: ",
			may_commit ? ", Q = commit all the same" : "");
		if (!fgets(line, sizeof(line), stdin))
			return ANSWER_NONE;
		for (char rest[80]; !strchr(line, '\n') && fgets(rest, sizeof(rest), stdin);)
			if (strchr(rest, '\n'))
				break;
		if (line[0] == 'e' || line[0] == 'E')
			return ANSWER_AGAIN;
		if (line[0] == 'x' || line[0] == 'X')
			return ANSWER_LEAVE;
		if (line[0] == 'Q' && may_commit)
			return ANSWER_COMMIT;
	}
}

static bool empty(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strchr(" \t\r\n", bytes[i]) || !bytes[i])
			return false;
	return true;
}

/* What becomes of the text; *ret_read: it could be read, so that it may be forced. */
static int judge(struct edit *d, const char *bytes, size_t n, bool *ret_read)
{
	_cleanup_(tree_freep) struct reg_tree t = {0};
	const struct reg_key *now = NULL;
	int e;

	*ret_read = false;
	if (n == d->text.len && memcmp(bytes, d->text.bytes, n) == 0)
		return 1;
	e = read_text(d, bytes, n, &t, &now);
	if (e < 0)
		return e;
	*ret_read = true;
	e = commit_key(d, now);
	while (e == -EINVAL && !d->o.force) {
		enum answer a = ask(true);

		if (a == ANSWER_AGAIN)
			return -EAGAIN;
		if (a != ANSWER_COMMIT)
			return a == ANSWER_LEAVE ? -ECANCELED : -EINVAL;
		d->o.force = true;
		e = commit_key(d, now);
	}
	return e;
}

static const char unchanged[] = "nothing was changed; ";

/* One turn of the editor: an exit code, or -1 for another turn. */
static int turn(struct edit *d)
{
	char *bytes = NULL;
	size_t n = 0;
	bool read = false;
	int e, ran = editor_run(d->file);

	e = read_regular_file(d->file, &bytes, &n);
	if (ran < 0 || e < 0) {
		bool same = e == 0 && n == d->text.len && memcmp(bytes, d->text.bytes, n) == 0;

		free(bytes);
		if (e < 0)
			fprintf(stderr, "smreg: %s: %s\n", d->file,
				e == -EILSEQ ? "not a regular file any more" : err_text(-e));
		return same ? thrown_away(d, "nothing was changed", EXIT_FAILED_1)
			    : kept(d, unchanged, EXIT_FAILED_1);
	}
	if (empty(bytes, n)) {
		free(bytes);
		return thrown_away(d, "the text is empty: nothing was changed", EXIT_FAILED_1);
	}
	e = judge(d, bytes, n, &read);
	free(bytes);
	if (e == -EINVAL && !read) {
		enum answer a = ask(false);

		e = a == ANSWER_AGAIN ? -EAGAIN : a == ANSWER_LEAVE ? -ECANCELED : -EINVAL;
	}
	if (e == -EAGAIN)
		return -1;
	if (e == 1)
		return thrown_away(d, "no change: nothing was committed", EXIT_OK);
	if (e == 0)
		editor_drop(d->file);
	else if (e == -ECANCELED)
		return thrown_away(d, "nothing was changed", EXIT_FAILED_1);
	return e == 0 ? EXIT_OK : kept(d, e == -EINVAL ? unchanged : "", exit_code_of(e));
}

int verb_edit(const struct options *o)
{
	struct edit d = {.o = *o};
	int code = -1, e;

	if (o->count > 1)
		return EXIT_SHOW_USAGE;
	e = take(&d);
	if (e < 0)
		code = exit_code_of(e);
	while (code < 0)
		code = turn(&d);
	free(d.text.bytes);
	return code;
}
