/* SPDX-License-Identifier: MIT */
/*
 * verbs_copy.c - copy: values, or with -s all below too, to another key of the hive
 *
 * The source may lie in another hive, which is only read. What has the same name at the goal is
 * replaced only with --force; what has another name stays. Security descriptors and class names
 * are no part of a hive of smreg and do not come along.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registry/reading.h"
#include "registry/show.h"
#include "registry/writing.h"

#define KEY_PATH 4096u

/* The first value at the goal that would get other data, and its key. */
static const struct reg_value *in_the_way(const struct reg_key *to, const struct reg_key *from,
					  bool deep, const struct reg_key **ret)
{
	for (uint32_t i = 0; i < from->value_count; i++) {
		const struct reg_value *v = &from->values[i],
				       *old = key_value(to, v->name, v->name_bytes);

		if (!old || (old->type == v->type && old->bytes == v->bytes &&
			     (!v->bytes || memcmp(old->data, v->data, v->bytes) == 0)))
			continue;
		*ret = to;
		return old;
	}
	for (uint32_t i = 0; deep && i < from->child_count; i++) {
		const struct reg_key *k = from->children[i],
				     *sub = key_child(to, k->name, k->name_bytes);
		const struct reg_value *old = sub ? in_the_way(sub, k, true, ret) : NULL;

		if (old)
			return old;
	}
	return NULL;
}

static int refuse_overwrite(const struct reg_key *k, const struct reg_value *v)
{
	fputs("smreg: ", stderr);
	show_key_path(stderr, k);
	fputs(": the value ", stderr);
	if (v->name_bytes)
		show_escaped(stderr, v->name, v->name_bytes);
	else
		fputs("(Default)", stderr);
	fputs(" is there with other data; nothing was written (--force overwrites)\n", stderr);
	return -EEXIST;
}

static bool is_below(const struct reg_key *k, const struct reg_key *top)
{
	while (k && k != top)
		k = k->parent;
	return k;
}

/* The key of a path, or the last one on the way to it that is there. */
static const struct reg_key *nearest(const struct reg_tree *t, const char *path)
{
	size_t n = strlen(path);
	const struct reg_key *k = tree_find(t, path, n);

	while (!k && n) {
		while (n && path[n - 1] != '\\')
			n--;
		n -= n > 0;
		k = tree_find(t, path, n);
	}
	return k;
}

/* The source by itself, in a tree of its own: the goal may lie below it. */
static int snapshot(struct reg_tree *t, const struct reg_key *from, bool deep)
{
	int e = tree_start(t);

	return e < 0 ? e : tree_copy(t, t->root, from, deep);
}

/* From the hive itself. */
static int own_source(struct writing *w, const struct options *o, struct reg_tree *ret)
{
	const char *path = key_argument(o->args[0]), *goal = key_argument(o->args[1]);
	const struct reg_key *from;

	if (!path || !goal)
		return -EINVAL;
	from = tree_find(&w->tree, path, strlen(path));
	if (!from) {
		show_missing_key(stderr, &w->tree, path);
		return -ENOENT;
	}
	if (from == tree_find(&w->tree, goal, strlen(goal)) ||
	    (o->recursive && is_below(nearest(&w->tree, goal), from))) {
		fputs("smreg: the key cannot be copied onto itself or into what lies below it\n",
		      stderr);
		return -EINVAL;
	}
	return snapshot(ret, from, o->recursive);
}

/* From another hive, which stays as it is. */
static int other_source(const struct options *o, struct reg_tree *ret)
{
	_cleanup_(reading_end) struct reading r = {0};
	struct reg_key *k;
	char path[KEY_PATH];
	int e = reading_start(&r, o->from, o);

	if (e < 0)
		return -EINVAL;
	e = reading_path(&r, o->args[0], path, sizeof(path));
	if (e == 0)
		e = reading_load(&r, path, o->recursive ? HIVE_ALL : 0, &k);
	if (e == -ENOENT)
		reading_missing(&r, path);
	if (e < 0)
		return e;
	if (reading_degraded(&r) && !o->force) {
		fputs("smreg: not all of it can be read; nothing was written (--force copies what "
		      "can)\n",
		      stderr);
		return -EIO;
	}
	return snapshot(ret, k, o->recursive);
}

static int put(struct writing *w, const struct options *o, const struct reg_tree *source)
{
	const char *goal = key_argument(o->args[1]);
	const struct reg_value *old;
	const struct reg_key *at;
	struct reg_key *to;
	int e = goal ? tree_make(&w->tree, goal, strlen(goal), &to) : -EINVAL;

	if (e == -ENOKEY)
		return writing_complain(
			o, -EINVAL, "it has no Select\\Current: CurrentControlSet means nothing");
	if (e < 0)
		return goal ? writing_complain(o, e, "") : e;
	old = o->force ? NULL : in_the_way(to, source->root, true, &at);
	if (old)
		return refuse_overwrite(at, old);
	e = tree_copy(&w->tree, to, source->root, true);
	return e < 0 ? writing_complain(o, e, "") : 0;
}

int verb_copy(const struct options *o)
{
	_cleanup_(writing_end) struct writing w;
	_cleanup_(tree_freep) struct reg_tree source = {0};
	int e = writing_start(&w, o);

	if (e == 0)
		e = writing_read(&w, o);
	if (e == 0)
		e = o->from ? other_source(o, &source) : own_source(&w, o, &source);
	if (e == 0)
		e = put(&w, o, &source);
	if (e == 0)
		e = writing_commit(&w, o);
	return exit_code_of(e);
}
