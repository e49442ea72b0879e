/* SPDX-License-Identifier: MIT */
/*
 * verbs_write.c - init, import, add, delete: one commit each, of hives that smreg made
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/commit.h"
#include "registry/reg_text.h"
#include "registry/show.h"
#include "registry/utf.h"
#include "registry/verbs.h"
#include "sys/sys.h"

struct writing {
	struct store store;
	struct reg_tree tree;
	struct reg_tree scratch; /* remarks live here */
	struct remarks before;   /* of the hive as it was */
	struct remarks remarks;
};

static void writing_end(struct writing *w)
{
	store_close(&w->store);
	tree_free(&w->tree);
	tree_free(&w->scratch);
}

static int complain(const struct options *o, int e, const char *why)
{
	fprintf(stderr, "smreg: %s: %s\n", o->hive, *why ? why : err_text(-e));
	return e;
}

static int writing_start(struct writing *w, const struct options *o)
{
	char room[256];
	struct text why = TEXT_ON(room);
	int e;

	memset(w, 0, sizeof(*w));
	e = store_open(&w->store, o->hive, &why);
	if (e == 0)
		e = tree_start(&w->tree);
	if (e == 0)
		e = tree_start(&w->scratch);
	w->remarks.arena = w->before.arena = &w->scratch.arena;
	return e < 0 ? complain(o, e, room) : 0;
}

/* The hive as it is, without what a boot has consumed. */
static int read_hive(struct writing *w, const struct options *o)
{
	char room[256];
	struct text why = TEXT_ON(room);
	unsigned dropped = 0;
	int e = store_read(&w->store, o->state, &w->tree, &dropped, &why);

	if (e == -ENOENT && !why.len)
		text_add(text_add(&why, "no hive; make one with: smreg init --hive "), o->hive);
	if (e < 0)
		return complain(o, e, room);
	if (dropped)
		fprintf(stderr, "smreg: %u values that a boot has carried out are left out\n",
			dropped);
	store_remarks(&w->store, &w->tree, &w->before);
	return 0;
}

static bool known_before(const struct writing *w, const struct remark *r)
{
	for (size_t i = 0; i < w->before.count; i++)
		if (remark_same(&w->before.at[i], r))
			return true;
	return false;
}

/* What is new, what was said of values that this command set, and whatever refused the commit. */
static void show_news(const struct writing *w, const struct options *o, bool refused)
{
	for (size_t i = 0; i < w->remarks.count; i++) {
		const struct remark *r = &w->remarks.at[i];
		unsigned file = ORIGIN_FILE(r->origin);

		if (r->kind == REMARK_UNUSED)
			continue;
		if (r->origin || !known_before(w, r) || (refused && r->kind == PLAN_NOTE_ERROR))
			show_remark(stderr, r, file ? o->args[file - 1] : NULL);
	}
	if (w->remarks.lost > w->before.lost)
		fprintf(stderr, "warning: %zu more remarks\n", w->remarks.lost);
}

static int commit(struct writing *w, const struct options *o)
{
	char room[256];
	struct text why = TEXT_ON(room);
	int e = store_commit(&w->store, &w->tree, o->force, &w->remarks, &why);

	show_news(w, o, e == -EINVAL);
	if (e == 0 && why.len)
		fprintf(stderr, "smreg: %s: warning: %s\n", o->hive, room);
	return e < 0 ? complain(o, e, room) : 0;
}

static int exit_of(int e)
{
	return e == 0 ? EXIT_OK : e == -EINVAL ? EXIT_USAGE_2 : EXIT_FAILED_1;
}

static int read_file(const char *path, char **ret, size_t *ret_n)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY, 0);
	struct reg_buffer b = {0};
	char part[65536];
	ssize_t n;

	if (fd < 0)
		return fd;
	while ((n = sys_read(fd, part, sizeof(part))) > 0 && b.len <= REG_TEXT_BYTES_MAX &&
	       !b.failed)
		reg_buffer_add(&b, part, (size_t)n);
	if (n < 0 || b.failed || b.len > REG_TEXT_BYTES_MAX) {
		free(b.bytes);
		return n < 0 ? (int)n : b.failed ? -ENOMEM : -EFBIG;
	}
	*ret = b.bytes;
	*ret_n = b.len;
	return 0;
}

static int import_file(struct writing *w, const struct options *o, int which)
{
	const char *path = o->args[which];
	static struct reg_errors errors;
	char *bytes = NULL;
	size_t n = 0;
	int e = read_file(path, &bytes, &n);

	if (e < 0) {
		fprintf(stderr, "smreg: %s: %s\n", path, err_text(-e));
		return -EINVAL;
	}
	w->tree.file = which < (int)ORIGIN_FILE_MAX ? (uint32_t)which + 1 : 0;
	e = reg_text_read(bytes ? bytes : "", n, &w->tree, &errors);
	free(bytes);
	for (unsigned i = 0; i < errors.count; i++)
		fprintf(stderr, "%s:%u:%u: %s\n", path, errors.at[i].line, errors.at[i].column,
			errors.at[i].text);
	if (errors.count >= REG_ERRORS_MAX)
		fprintf(stderr, "%s: too many errors, given up\n", path);
	if (e < 0 && !errors.count)
		fprintf(stderr, "smreg: %s: %s\n", path, err_text(-e));
	return e;
}

/* Select and an empty Session Manager: all values have their defaults. */
static int first_tree(struct reg_tree *t)
{
	static const char select[] = "Select",
			  manager[] = "ControlSet001\\Control\\Session Manager";
	struct reg_key *k;
	int e = tree_make(t, select, sizeof(select) - 1, &k);

	if (e == 0)
		e = tree_set_dword(t, k, "Current", 1);
	if (e == 0)
		e = tree_set_dword(t, k, "Default", 1);
	if (e == 0)
		e = tree_set_dword(t, k, "Failed", 0);
	if (e == 0)
		e = tree_set_dword(t, k, "LastKnownGood", 1);
	return e < 0 ? e : tree_make(t, manager, sizeof(manager) - 1, &k);
}

int verb_init(const struct options *o)
{
	_cleanup_(writing_end) struct writing w;
	struct sys_stat st;
	int e = writing_start(&w, o);

	if (e < 0)
		return exit_of(e);
	e = sys_stat_at(w.store.dir, w.store.name, 0, &st);
	if (e == 0 && !o->force) {
		fprintf(stderr, "smreg: %s is there already (--force makes it anew)\n", o->hive);
		return EXIT_FAILED_1;
	}
	if (e == 0) { /* the new one goes on from its sequence, if it is a hive of ours */
		_cleanup_(tree_freep) struct reg_tree old = {0};
		char room[256];
		struct text why = TEXT_ON(room);

		e = tree_start(&old);
		if (e == 0 && store_read(&w.store, o->state, &old, NULL, &why) == -EPERM)
			return exit_of(complain(o, -EPERM, room));
	}
	e = first_tree(&w.tree);
	for (int i = 0; e == 0 && i < o->count; i++)
		e = import_file(&w, o, i);
	if (e == 0)
		e = commit(&w, o);
	if (e == 0)
		printf("made %s\n", o->hive);
	return exit_of(e);
}

int verb_import(const struct options *o)
{
	_cleanup_(writing_end) struct writing w;
	int e;

	if (!o->count)
		return EXIT_SHOW_USAGE;
	e = writing_start(&w, o);
	if (e == 0)
		e = read_hive(&w, o);
	for (int i = 0; e == 0 && i < o->count; i++)
		e = import_file(&w, o, i);
	if (e == 0)
		e = commit(&w, o);
	return exit_of(e);
}

/* What is to be deleted; a key of another root is left to the reader of the text. */
static int is_there(const struct writing *w, const struct options *o)
{
	const char *path = key_below_root(o->args[0]);
	const struct reg_key *k = path ? tree_find(&w->tree, path, strlen(path)) : NULL;

	if (path && !k) {
		show_missing_key(stderr, &w->tree, path);
		return -ENOENT;
	}
	if (k && o->value && !key_get(k, o->value)) {
		fputs("smreg: no such value: ", stderr);
		show_escaped(stderr, o->value, strlen(o->value));
		fputc('\n', stderr);
		return -ENOENT;
	}
	return 0;
}

/* add and delete say what they do as .reg text: one grammar, one set of checks. */
static int run_text(const struct options *o, const struct reg_buffer *text, bool drop)
{
	_cleanup_(writing_end) struct writing w;
	static struct reg_errors errors;
	int e = writing_start(&w, o);

	if (e == 0)
		e = read_hive(&w, o);
	if (e == 0 && drop)
		e = is_there(&w, o);
	if (e == 0)
		e = text->failed ? -ENOMEM
				 : reg_text_read(text->bytes, text->len, &w.tree, &errors);
	if (e < 0 && errors.count)
		fprintf(stderr, "smreg: %s\n", errors.at[0].text);
	if (e == 0)
		e = commit(&w, o);
	return exit_of(e);
}

static void add_text(struct reg_buffer *b, const char *s)
{
	reg_buffer_add(b, s, strlen(s));
}

static bool one_line(const char *s)
{
	return s && !strpbrk(s, "\r\n");
}

static void key_text(struct reg_buffer *b, const char *open, const char *key)
{
	bool whole = strlen(key) >= 4 && (utf8_same_fold(key, 4, "HKLM", 4) ||
					  (strlen(key) >= 5 && utf8_same_fold(key, 5, "HKEY_", 5)));

	reg_text_header(b);
	add_text(b, open);
	add_text(b, whole ? "" : "HKLM\\SYSTEM\\");
	add_text(b, key);
	add_text(b, "]\n");
}

static void name_text(struct reg_buffer *b, const char *name)
{
	if (!*name) {
		add_text(b, "@");
		return;
	}
	add_text(b, "\"");
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			add_text(b, "\\");
		reg_buffer_add(b, name, 1);
	}
	add_text(b, "\"");
}

int verb_add(const struct options *o)
{
	struct reg_buffer b = {0};
	int e;

	if (o->count != 1 || !one_line(o->args[0]) || (o->value && !one_line(o->value)))
		return EXIT_SHOW_USAGE;
	key_text(&b, "[", o->args[0]);
	e = add_data(o, &b);
	e = e == -EINVAL ? EXIT_USAGE_2 : e < 0 ? EXIT_FAILED_1 : run_text(o, &b, false);
	free(b.bytes);
	return e;
}

int verb_delete(const struct options *o)
{
	struct reg_buffer b = {0};
	int e;

	if (o->count != 1 || !one_line(o->args[0]) || (o->value && !one_line(o->value)))
		return EXIT_SHOW_USAGE;
	key_text(&b, o->value ? "[" : "[-", o->args[0]);
	if (o->value) {
		name_text(&b, o->value);
		add_text(&b, "=-\n");
	}
	e = run_text(o, &b, true);
	free(b.bytes);
	return e;
}
