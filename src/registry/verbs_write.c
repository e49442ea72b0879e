/* SPDX-License-Identifier: MIT */
/*
 * verbs_write.c - init, import, add, delete: one commit each, of hives that smreg made
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/show.h"
#include "registry/writing.h"
#include "sys/sys.h"

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
		return exit_code_of(e);
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
			return exit_code_of(writing_complain(o, -EPERM, room));
	}
	e = first_tree(&w.tree);
	for (int i = 0; e == 0 && i < o->count; i++)
		e = writing_import(&w, o->args[i]);
	if (e == 0)
		e = writing_commit(&w, o);
	if (e == 0)
		printf("made %s\n", o->hive);
	return exit_code_of(e);
}

/* The keys that the files name without one above them become what the files say, no more. */
static int replace_named(struct reg_tree *t, struct reg_key *to, const struct reg_key *from)
{
	struct reg_key *k;
	int e = 0;

	if (from->named) {
		tree_empty_key(t, to);
		return tree_copy(t, to, from, true);
	}
	for (uint32_t i = 0; e == 0 && i < from->child_count; i++) {
		const struct reg_key *child = from->children[i];

		e = tree_add_key(t, to, child->name, child->name_bytes, &k);
		if (e == 0)
			e = replace_named(t, k, child);
	}
	return e;
}

/* --whole: the files are read by themselves, then take the place of the keys they name. */
static int import_whole(struct writing *w, const struct options *o)
{
	_cleanup_(tree_freep) struct reg_tree said = {0};
	struct reg_tree hive;
	int e = tree_start(&said);

	if (e < 0)
		return writing_complain(o, e, "");
	said.set = tree_current_set(&w->tree);
	hive = w->tree;
	w->tree = said;
	for (int i = 0; e == 0 && i < o->count; i++)
		e = writing_import(w, o->args[i]);
	said = w->tree;
	w->tree = hive;
	if (e < 0)
		return e;
	e = replace_named(&w->tree, w->tree.root, said.root);
	return e < 0 ? writing_complain(o, e, "") : 0;
}

int verb_import(const struct options *o)
{
	_cleanup_(writing_end) struct writing w;
	int e = writing_start(&w, o);

	if (e == 0)
		e = writing_read(&w, o);
	if (e == 0 && o->whole)
		e = import_whole(&w, o);
	for (int i = 0; e == 0 && !o->whole && i < o->count; i++)
		e = writing_import(&w, o->args[i]);
	if (e == 0)
		e = writing_commit(&w, o);
	return exit_code_of(e);
}

/* What is to be deleted must be there. */
static int is_there(const struct writing *w, const struct options *o, const char *path)
{
	const struct reg_key *k = tree_find(&w->tree, path, strlen(path));

	if (!k) {
		show_missing_key(stderr, &w->tree, path);
		return -ENOENT;
	}
	if (o->value && !key_get(k, o->value)) {
		fputs("smreg: no such value: ", stderr);
		show_escaped(stderr, o->value, strlen(o->value));
		fputc('\n', stderr);
		return -ENOENT;
	}
	return 0;
}

/* add and delete say what they do as .reg text: one grammar, one set of checks. */
static int run_text(const struct options *o, const struct reg_buffer *text, const char *gone)
{
	_cleanup_(writing_end) struct writing w;
	static struct reg_errors errors;
	int e = writing_start(&w, o);

	if (e == 0)
		e = writing_read(&w, o);
	if (e == 0 && gone)
		e = is_there(&w, o, gone);
	if (e == 0)
		e = text->failed ? -ENOMEM
				 : reg_text_read(text->bytes, text->len, &w.tree, &errors);
	if (e < 0 && errors.count)
		fprintf(stderr, "smreg: %s\n", errors.at[0].text);
	if (e == 0)
		e = writing_commit(&w, o);
	return exit_code_of(e);
}

static void add_text(struct reg_buffer *b, const char *s)
{
	reg_buffer_add(b, s, strlen(s));
}

static bool one_line(const char *s)
{
	return !strpbrk(s, "\r\n");
}

static int line_break(void)
{
	fputs("smreg: a name with a line break cannot be written here\n", stderr);
	return EXIT_USAGE_2;
}

/* "[" or "[-", the key, "]"; -EINVAL, said, for a key that no hive of ours can hold. */
static int key_text(struct reg_buffer *b, const char *open, const char *path)
{
	for (const char *part = path; *part; part += strspn(part, "\\")) {
		size_t n = strcspn(part, "\\");
		const char *fault = reg_key_name_fault(part, n);

		if (fault) {
			fputs("smreg: the key ", stderr);
			show_escaped(stderr, part, n);
			fprintf(stderr, ": %s\n", fault);
			return -EINVAL;
		}
		part += n;
	}
	reg_text_header(b);
	add_text(b, open);
	add_text(b, "HKLM\\SYSTEM");
	add_text(b, *path ? "\\" : "");
	reg_buffer_add(b, path, strlen(path) - (*path && path[strlen(path) - 1] == '\\'));
	add_text(b, "]\n");
	return 0;
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
	const char *path;
	int e;

	if (!one_line(o->args[0]) || (o->value && !one_line(o->value)))
		return line_break();
	path = key_argument(o->args[0]);
	e = path ? key_text(&b, "[", path) : -EINVAL;
	if (e == 0)
		e = add_data(o, &b);
	e = e < 0 ? exit_code_of(e) : run_text(o, &b, NULL);
	free(b.bytes);
	return e;
}

int verb_delete(const struct options *o)
{
	struct reg_buffer b = {0};
	const char *path;
	int e;

	if (!one_line(o->args[0]) || (o->value && !one_line(o->value)))
		return line_break();
	path = key_argument(o->args[0]);
	e = path ? key_text(&b, o->value ? "[" : "[-", path) : -EINVAL;
	if (o->value) {
		name_text(&b, o->value);
		add_text(&b, "=-\n");
	}
	e = e < 0 ? exit_code_of(e) : run_text(o, &b, path);
	free(b.bytes);
	return e;
}
