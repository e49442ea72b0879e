/* SPDX-License-Identifier: MIT */
/*
 * verbs_read.c - query, export, check, plan: they read any hive, of Windows too, and need no root
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/boot.h"
#include "registry/commit.h"
#include "registry/reg_text.h"
#include "registry/show.h"
#include "registry/utf.h"
#include "registry/verbs.h"
#include "sys/sys.h"

struct reading {
	struct hive *hive;
	struct reg_tree tree;
};

static void reading_end(struct reading *r)
{
	hive_close(r->hive);
	tree_free(&r->tree);
}

/* Opens the hive, says why not, and warns when it is dirty. */
static int reading_start(struct reading *r, const struct options *o)
{
	char room[256];
	struct text why = TEXT_ON(room);
	_close_ int fd = sys_open(AT_FDCWD, o->hive, O_RDONLY | O_NONBLOCK, 0);
	int e = fd;

	memset(r, 0, sizeof(*r));
	if (fd >= 0)
		e = hive_open(fd, &r->hive, &why);
	if (e >= 0)
		e = tree_start(&r->tree);
	if (e < 0) {
		fprintf(stderr, "smreg: %s: %s\n", o->hive, why.len ? room : err_text(-e));
		if (fd == -ENOENT)
			fprintf(stderr, "smreg: make one with: smreg init --hive %s\n", o->hive);
		reading_end(r);
		memset(r, 0, sizeof(*r));
		return e;
	}
	if (hive_facts(r->hive)->dirty)
		fprintf(stderr, "smreg: %s: %s\n", o->hive, HIVE_DIRTY_TEXT);
	return 0;
}

/* CurrentControlSet as a first component becomes the set that Select\Current names. */
static int real_path(struct hive *h, const char *key, char *room, size_t cap)
{
	_cleanup_(tree_freep) struct reg_tree select = {0};
	size_t n = strcspn(key, "\\");
	unsigned set = 0;

	if (!utf8_same_fold(key, n, "CurrentControlSet", 17))
		return snprintf(room, cap, "%s", key) < (int)cap ? 0 : -ENAMETOOLONG;
	if (tree_start(&select) == 0 && hive_load(h, "Select", 0, &select) == 0)
		set = tree_current_set(&select);
	if (!set)
		return -ENOKEY;
	return snprintf(room, cap, "ControlSet%03u%s", set, key + n) < (int)cap ? 0 : -ENAMETOOLONG;
}

static const char *load_fault(int e)
{
	return e == -ENOKEY   ? "no Select\\Current: CurrentControlSet means nothing in this hive"
	       : e == -ENOENT ? "no such key"
	       : e == -E2BIG  ? "more keys or values than smreg takes"
			      : err_text(-e);
}

/* The keys on the way, to tell how far it goes. */
static void say_missing(struct reading *r, const char *path)
{
	char part[4096];

	(void)hive_load(r->hive, "", 0, &r->tree);
	for (size_t n = 0; path[n]; n++) {
		n += strcspn(path + n, "\\");
		snprintf(part, sizeof(part), "%.*s", (int)n, path);
		if (hive_load(r->hive, part, 0, &r->tree) < 0 || !path[n])
			break;
	}
	show_missing_key(stderr, &r->tree, path);
}

static int load_key(struct reading *r, const struct options *o, unsigned depth,
		    struct reg_key **ret)
{
	const char *key = o->count ? key_below_root(o->args[0]) : "", *first;
	char path[4096];
	int e;

	if (!key) {
		fprintf(stderr, "smreg: only keys below HKLM\\SYSTEM lie in this hive\n");
		return -EINVAL;
	}
	e = real_path(r->hive, key, path, sizeof(path));
	if (e == 0)
		e = hive_load(r->hive, path, depth, &r->tree);
	if (e == -ENOENT) {
		say_missing(r, path);
	} else if (e < 0) {
		fprintf(stderr, "smreg: %s: ", o->hive);
		show_escaped(stderr, key, strlen(key));
		fprintf(stderr, "%s%s\n", *key ? ": " : "", load_fault(e));
	}
	if (hive_damage(r->hive, &first))
		fprintf(stderr, "smreg: %s: degraded: %llu parts cannot be read; the first: %s\n",
			o->hive, (unsigned long long)hive_damage(r->hive, NULL), first);
	*ret = e < 0 ? NULL : tree_find(&r->tree, path, strlen(path));
	return e < 0 ? e : *ret ? 0 : -ENOENT;
}

static void query_value(const struct reg_key *k, const struct reg_value *v, bool json,
			struct reg_arena *scratch)
{
	if (json) {
		json_out(stdout, json_value(v, scratch));
		return;
	}
	show_key_path(stdout, k);
	putchar('\n');
	show_value(stdout, v, scratch);
}

int verb_query(const struct options *o)
{
	_cleanup_(reading_end) struct reading r;
	struct reg_key *k;
	int e;

	if (o->count > 1 || (o->recursive && o->value))
		return EXIT_SHOW_USAGE;
	if (reading_start(&r, o) < 0)
		return EXIT_USAGE_2;
	e = load_key(&r, o, o->recursive ? HIVE_ALL : 0, &k);
	if (e < 0)
		return e == -EINVAL ? EXIT_USAGE_2 : EXIT_FAILED_1;
	if (o->value) {
		struct reg_value *v = key_get(k, o->value);

		if (!v) {
			fprintf(stderr, "smreg: no such value: %s\n", o->value);
			return EXIT_FAILED_1;
		}
		query_value(k, v, o->json, &r.tree.arena);
	} else if (o->json) {
		json_out(stdout, json_key(k, o->recursive, &r.tree.arena));
	} else {
		show_key(stdout, k, o->recursive, &r.tree.arena);
	}
	return hive_damage(r.hive, NULL) ? EXIT_FAILED_1 : EXIT_OK;
}

int verb_export(const struct options *o)
{
	_cleanup_(reading_end) struct reading r;
	struct reg_buffer b = {0};
	struct reg_key *k;
	FILE *out = stdout;
	int e;

	if (o->count > 1)
		return EXIT_SHOW_USAGE;
	if (reading_start(&r, o) < 0)
		return EXIT_USAGE_2;
	e = load_key(&r, o, HIVE_ALL, &k);
	if (e < 0)
		return e == -EINVAL ? EXIT_USAGE_2 : EXIT_FAILED_1;
	reg_text_header(&b);
	reg_text_add_tree(&b, k);
	if (o->output)
		out = fopen(o->output, "we");
	if (!out || b.failed) {
		fprintf(stderr, "smreg: %s: %s\n", o->output ? o->output : "export",
			err_text(b.failed ? ENOMEM : errno));
		free(b.bytes);
		return EXIT_FAILED_1;
	}
	e = fwrite(b.bytes, 1, b.len, out) == b.len ? 0 : -1;
	free(b.bytes);
	if ((out == stdout ? fflush(out) : fclose(out)) != 0 || e < 0) {
		fprintf(stderr, "smreg: the export could not be written whole\n");
		return EXIT_FAILED_1;
	}
	return hive_damage(r.hive, NULL) ? EXIT_FAILED_1 : EXIT_OK;
}

/* Loads and makes; the digest only when the plan will be kept. */
static int make(struct reading *r, const struct options *o, bool digest, struct remarks *remarks,
		struct plan_made *made)
{
	static const uint8_t none[SHA256_BYTES];
	struct plan_source from = {.tree = &r->tree, .hive_path = o->hive, .sha256 = none};
	char room[256];
	struct text why = TEXT_ON(room);
	int e = plan_load(r->hive, &r->tree, &from.set, &why);

	remarks->arena = &r->tree.arena;
	from.facts = hive_facts(r->hive);
	if (e == 0 && digest)
		from.sha256 = hive_sha256(r->hive);
	if (e == 0) {
		e = plan_make(&from, remarks, made);
		if (e < 0)
			text_add(&why, e == -ENOSPC ? "its plan would be larger than 1 MiB"
						    : err_text(-e));
	}
	if (e < 0)
		fprintf(stderr, "smreg: %s: %s\n", o->hive, room);
	return e;
}

int verb_check(const struct options *o)
{
	_cleanup_(reading_end) struct reading r;
	struct plan_source from = {.tree = &r.tree, .hive_path = o->hive};
	_cleanup_(plan_made_freep) struct plan_made made = {0};
	struct remarks remarks = {0};

	if (o->count)
		return EXIT_SHOW_USAGE;
	if (reading_start(&r, o) < 0)
		return EXIT_USAGE_2;
	if (make(&r, o, false, &remarks, &made) < 0)
		return EXIT_USAGE_2;
	from.set = tree_current_set(&r.tree);
	plan_load_names(r.hive, from.set, &r.tree);
	plan_names(&from, &remarks);
	if (o->json) {
		struct json_object *out = json_object_new_object();

		json_object_object_add(out, "hive", json_object_new_string(o->hive));
		json_object_object_add(out, "errors",
				       json_object_new_int64((int64_t)remarks.errors));
		json_object_object_add(out, "remarks", json_remarks(&remarks, true));
		json_out(stdout, out);
	} else {
		show_remarks(stdout, &remarks, o->all);
		printf("%s: %zu error%s\n", o->hive, remarks.errors,
		       remarks.errors == 1 ? "" : "s");
	}
	return remarks.errors ? EXIT_FAILED_1 : EXIT_OK;
}

static int write_plan(const struct options *o, const struct reading *r,
		      const struct plan_made *made)
{
	_cleanup_(store_closep) struct store s;
	struct sys_stat st;
	char room[256];
	struct text why = TEXT_ON(room);
	uint8_t block[HIVE_BLOCK_BYTES];
	int e = store_open(&s, o->hive, &why);

	if (e == 0) { /* the hive may have changed before the lock was ours */
		_close_ int fd = sys_open(s.dir, s.name, O_RDONLY, 0);

		e = fd < 0 ? fd : sys_stat_fd(fd, &st);
		if (e == 0 && sys_pread(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
			e = -EIO;
		if (e == 0 && plan_fits(made->plan, block, st.size) != PLAN_FITS)
			e = -EAGAIN;
	}
	if (e == 0 && hive_facts(r->hive)->dirty) {
		text_add(&why, "no plan is kept for a dirty hive");
		e = -EUCLEAN;
	}
	if (e == 0)
		e = store_write_plan(&s, made);
	if (e < 0)
		fprintf(stderr, "smreg: %s: %s\n", o->hive,
			why.len        ? room
			: e == -EAGAIN ? "it is being changed; try again"
				       : err_text(-e));
	return e;
}

int verb_plan(const struct options *o)
{
	_cleanup_(reading_end) struct reading r;
	_cleanup_(plan_made_freep) struct plan_made made = {0};
	struct remarks remarks = {0};

	if (o->count)
		return EXIT_SHOW_USAGE;
	if (reading_start(&r, o) < 0)
		return EXIT_USAGE_2;
	if (make(&r, o, o->write || o->json, &remarks, &made) < 0)
		return EXIT_USAGE_2;
	if (o->write)
		return write_plan(o, &r, &made) < 0 ? EXIT_FAILED_1 : EXIT_OK;
	if (o->json)
		json_out(stdout, json_plan(made.plan, made.queue));
	else
		show_plan(stdout, made.plan, made.queue);
	return EXIT_OK;
}
