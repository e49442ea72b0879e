/* SPDX-License-Identifier: MIT */
/*
 * verbs_diff.c - diff: two hives, two control sets of one, a hive and a .reg file
 *
 * Exit 0 same, 1 different, 2 trouble, as diff(1) has it. The first side is always the hive, and
 * the answer is what turns it into the second side, in words that `smreg import` takes.
 */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/diff.h"
#include "registry/reading.h"
#include "registry/reg_text.h"
#include "registry/show.h"
#include "registry/utf.h"
#include "registry/writing.h"
#include "sys/sys.h"

#define KEY_PATH 4096u

struct pair {
	const struct options *o;
	struct reading was, now; /* now: also when it is a hive only */
	struct reg_tree other;   /* the second side, its keys at the paths of the first */
	char path[KEY_PATH];     /* of the first side's key; the second's in `other` too */
	const struct reg_key *a, *b;
	bool two_hives, text, loaded; /* loaded: the first side is in its tree already */
};

static void pair_end(struct pair *p)
{
	reading_end(&p->was);
	reading_end(&p->now);
	tree_free(&p->other);
}

static int no_memory(int e)
{
	fprintf(stderr, "smreg: %s\n",
		e == -E2BIG ? "more keys or values than smreg takes" : err_text(-e));
	return e;
}

/* A key of another tree comes to where the first side has it. */
static int place(struct pair *p, const struct reg_key *from)
{
	struct reg_key *k;
	int e = tree_make(&p->other, p->path, strlen(p->path), &k);

	if (e == 0)
		e = tree_copy(&p->other, k, from, true);
	if (e < 0)
		return no_memory(e);
	p->b = k;
	return 0;
}

static int second_hive(struct pair *p)
{
	struct reg_key *k;
	char path[KEY_PATH];
	int e = reading_start(&p->now, p->o->with, p->o);

	p->two_hives = true;
	if (e == 0)
		e = reading_path(&p->now, p->o->count ? p->o->args[0] : "", path, sizeof(path));
	if (e == 0)
		e = reading_load(&p->now, path, HIVE_ALL, &k);
	if (e == -ENOENT)
		return 0;
	if (e < 0)
		return e;
	if (utf8_same_fold(path, strlen(path), p->path, strlen(p->path)))
		p->b = k;
	else
		e = place(p, k);
	return e;
}

/* What importing the file would leave; with --whole, what the file alone says. */
static int second_text(struct pair *p, const char *bytes, size_t n)
{
	static const struct reg_rules any = {.data_max = UINT32_MAX};
	static struct reg_errors errors;
	struct reg_key *k;
	int e = 0;

	p->text = true;
	if (!p->o->whole) {
		e = reading_load(&p->was, "", HIVE_ALL, &k);
		if (e == 0)
			e = tree_copy(&p->other, p->other.root, k, true);
		p->a = tree_find(&p->was.tree, p->path, strlen(p->path));
		p->loaded = true;
	} else {
		p->other.set = reading_set(&p->was);
	}
	if (e < 0)
		return no_memory(e);
	e = reg_text_read_by(bytes, n, &any, &p->other, &errors);
	show_reg_errors(p->o->with, &errors);
	if (e < 0 && !errors.count)
		return no_memory(e);
	p->b = tree_find(&p->other, p->path, strlen(p->path));
	return e;
}

/* Text of a .reg file, as good or bad as it may be: UTF-16LE, or without NULs and with a
 * word that such files have. */
static bool is_text(const char *bytes, size_t n)
{
	if (n >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "W\0", 2) == 0))
		return true;
	return !n || (!memchr(bytes, '\0', n) &&
		      (memchr(bytes, '[', n) || memmem(bytes, n, "Registry", 8) ||
		       memmem(bytes, n, "REGEDIT", 7)));
}

static int no_side(const char *path)
{
	fprintf(stderr, "smreg: %s: neither a hive nor .reg text\n", path);
	return -EINVAL;
}

static int second_file(struct pair *p)
{
	char *bytes = NULL;
	size_t n = 0;
	int e = read_whole_file(p->o->with, &bytes, &n);

	if (e < 0)
		fprintf(stderr, "smreg: %s: %s\n", p->o->with, err_text(-e));
	else if (n >= 4 && memcmp(bytes, "regf", 4) == 0)
		e = second_hive(p);
	else if (!is_text(bytes, n))
		e = no_side(p->o->with);
	else
		e = second_text(p, bytes ? bytes : "", n);
	free(bytes);
	return e;
}

/* A word of --sets: a number, or a name of Select; 0, said, when it is neither. */
static unsigned set_number(struct pair *p, const char *word, size_t n)
{
	const struct reg_key *select = key_child(p->was.tree.root, "Select", 6);
	const struct reg_value *v = select ? key_value(select, word, n) : NULL;
	uint64_t number = 0;
	uint32_t held;

	if (str_u64(word, n, &number) < 0 && v && value_dword(v, &held))
		number = held;
	if (number >= 1 && number <= 999)
		return (unsigned)number;
	fputs("smreg: --sets ", stderr);
	show_escaped(stderr, word, n);
	fputs(": a control set is a number from 1 to 999, or current, default, failed or "
	      "lastknowngood where Select has it\n",
	      stderr);
	return 0;
}

/* KEY lies below each set. */
static int two_sets(struct pair *p)
{
	const char *comma = strchr(p->o->sets, ','), *below = p->o->count ? p->o->args[0] : "";
	unsigned set[2] = {0, 0};
	char path[KEY_PATH];
	struct reg_key *k[2] = {NULL, NULL};
	int e;

	(void)hive_load(p->was.hive, "Select", 0, &p->was.tree);
	if (comma) {
		set[0] = set_number(p, p->o->sets, (size_t)(comma - p->o->sets));
		set[1] = set[0] ? set_number(p, comma + 1, strlen(comma + 1)) : 0;
	} else {
		fputs("smreg: --sets takes two control sets, as in --sets 1,2\n", stderr);
	}
	if (set[1] && set[0] == set[1])
		fprintf(stderr, "smreg: --sets names ControlSet%03u twice\n", set[0]);
	if (!set[1] || set[0] == set[1])
		return -EINVAL;
	for (int i = 1; i >= 0; i--) {
		snprintf(path, sizeof(path), "ControlSet%03u%s%s", set[i], *below ? "\\" : "",
			 below);
		e = reading_load(&p->was, path, HIVE_ALL, &k[i]);
		if (e < 0 && e != -ENOENT)
			return e;
		snprintf(p->path, sizeof(p->path), "ControlSet%03u", set[i]);
		if (e == -ENOENT && !tree_find(&p->was.tree, p->path, strlen(p->path))) {
			reading_missing(&p->was, p->path);
			return e;
		}
	}
	memcpy(p->path, path, sizeof(path));
	p->a = k[0];
	return k[1] ? place(p, k[1]) : 0;
}

static int both_sides(struct pair *p)
{
	struct reg_key *k;
	int e = reading_start(&p->was, p->o->hive, p->o);

	if (e == 0)
		e = tree_start(&p->other);
	if (e < 0)
		return e;
	if (p->o->sets) {
		e = two_sets(p);
	} else {
		e = reading_path(&p->was, p->o->count ? p->o->args[0] : "", p->path,
				 sizeof(p->path));
		if (e == 0)
			e = second_file(p);
		if (e == 0 && !p->loaded) {
			e = reading_load(&p->was, p->path, HIVE_ALL, &k);
			p->a = k;
			e = e == -ENOENT ? 0 : e;
		}
	}
	if (e == 0 && !p->a && !p->b) {
		fputs("smreg: neither side has the key ", stderr);
		show_escaped(stderr, p->path, strlen(p->path));
		fputc('\n', stderr);
		return -ENOENT;
	}
	return e;
}

static void brief_key(char mark, const struct reg_key *k)
{
	printf("%c ", mark);
	show_key_path(stdout, k);
	printf("%s\n", k->value_count || k->child_count ? "  and all below" : "");
}

#define BRIEF_BYTES 48u /* of data that is shown as hex */

static void brief_value(char mark, const struct reg_value *v, struct reg_arena *scratch)
{
	struct reg_value start = *v;
	bool hex = v->type != REG_SZ && v->type != REG_EXPAND_SZ && v->type != REG_MULTI_SZ;

	putchar(mark);
	if (!hex || v->bytes <= BRIEF_BYTES) {
		show_value(stdout, v, scratch);
		return;
	}
	start.bytes = BRIEF_BYTES;
	show_value(stdout, &start, scratch);
	printf("        ... %" PRIu32 " bytes\n", v->bytes);
}

/* A line a change; values stand below their key. */
static void show_brief(const struct diff *d, struct reg_arena *scratch)
{
	const struct reg_key *open = NULL;

	for (size_t i = 0; i < d->count; i++) {
		const struct diff_change *c = &d->at[i];

		if (c->kind >= DIFF_KEY_GONE) {
			if (c->was_key)
				brief_key('-', c->was_key);
			else
				brief_key('+', c->now_key);
			continue;
		}
		if (open != c->was_key) {
			fputs("  ", stdout);
			show_key_path(stdout, c->was_key);
			putchar('\n');
			open = c->was_key;
		}
		if (c->was)
			brief_value('-', c->was, scratch);
		if (c->now)
			brief_value('+', c->now, scratch);
	}
}

static struct json_object *change_json(const struct diff_change *c, struct reg_arena *scratch)
{
	static const char *const words[] = {"value gone", "value new", "value changed", "key gone",
					    "key new"};
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "change", json_object_new_string(words[c->kind]));
	json_object_object_add(o, "key", json_key_path(c->was_key ? c->was_key : c->now_key));
	if (c->was)
		json_object_object_add(o, "was", json_value(c->was, scratch));
	if (c->now)
		json_object_object_add(o, "now", json_value(c->now, scratch));
	if (c->kind == DIFF_KEY_GONE)
		json_object_object_add(o, "was", json_key(c->was_key, true, scratch));
	if (c->kind == DIFF_KEY_NEW)
		json_object_object_add(o, "now", json_key(c->now_key, true, scratch));
	return o;
}

static void show_json(struct pair *p, const struct diff *d)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(o, "hive", reading_json(&p->was));
	if (p->two_hives)
		json_object_object_add(o, "with", reading_json(&p->now));
	else if (p->text)
		json_object_object_add(o, "with", json_object_new_string(p->o->with));
	else
		json_object_object_add(o, "sets", json_object_new_string(p->o->sets));
	json_object_object_add(o, "same", json_object_new_boolean(d->count == 0));
	for (size_t i = 0; i < d->count; i++)
		json_object_array_add(list, change_json(&d->at[i], &p->was.tree.arena));
	json_object_object_add(o, "changes", list);
	json_out(stdout, o);
}

static int show_text(const struct options *o, const struct diff *d)
{
	struct reg_buffer b = {.readable = o->readable};
	int e = 0;

	diff_text(d, &b);
	if (!d->count && o->output)
		reg_text_header(&b); /* a file that imports, and changes nothing */
	if (b.faults) {
		fprintf(stderr,
			"smreg: %s: .reg text cannot say it; --short and --json show the "
			"difference\n",
			b.fault);
		e = -EINVAL;
	} else if (b.len || o->output) {
		e = put_text(o, &b);
	}
	free(b.bytes);
	return e;
}

int verb_diff(const struct options *o)
{
	_cleanup_(pair_end) struct pair p = {.o = o};
	struct diff d = {0};
	int e, code = EXIT_USAGE_2;

	if (o->count > 1 || !o->with == !o->sets || (o->whole && !o->with) || (o->brief && o->json))
		return EXIT_SHOW_USAGE;
	if (both_sides(&p) < 0)
		return EXIT_USAGE_2;
	diff_keys(&d, p.a, p.b);
	e = d.failed;
	if (e < 0)
		no_memory(e);
	else if (o->json)
		show_json(&p, &d);
	else if (o->brief)
		show_brief(&d, &p.was.tree.arena);
	else
		e = show_text(o, &d);
	if (e == 0)
		code = d.count ? EXIT_DIFFERENT : EXIT_OK;
	free(d.at);
	if (reading_degraded(&p.was) || (p.two_hives && reading_degraded(&p.now)))
		return EXIT_USAGE_2;
	return code;
}
