/* SPDX-License-Identifier: MIT */
/*
 * verbs_read.c - query, check, plan: they read any hive, of Windows too, and need no root
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "registry/commit.h"
#include "registry/reading.h"
#include "registry/show.h"
#include "sys/sys.h"

/* What to show of a key: all of it, or the values of one name, in it or below it. */
struct query {
	const struct options *o;
	struct reg_arena *scratch;
	struct json_object *keys; /* --json */
	size_t found;
};

/* --value with -s: each key below that has the value. */
static void find_value(struct query *q, const struct reg_key *k)
{
	const struct reg_value *v = key_get(k, q->o->value);

	if (v && q->keys) {
		json_object_array_add(q->keys, json_match(k, v, q->scratch));
	} else if (v) {
		if (q->found)
			putchar('\n');
		show_key_path(stdout, k);
		putchar('\n');
		if (q->o->times)
			show_written(stdout, k);
		show_value(stdout, v, q->scratch);
	}
	q->found += v != NULL;
	for (uint32_t i = 0; q->o->recursive && i < k->child_count; i++)
		find_value(q, k->children[i]);
}

static int show_found(struct query *q, struct reading *r, const struct reg_key *k)
{
	const struct options *o = q->o;

	if (o->json)
		q->keys =
			o->value ? json_object_new_array() : json_key(k, o->recursive, q->scratch);
	if (o->value)
		find_value(q, k);
	else if (!o->json)
		show_key(stdout, k, (o->recursive ? SHOW_BELOW : 0) | (o->times ? SHOW_TIMES : 0),
			 q->scratch);
	if (o->value && !q->found) {
		fputs("smreg: no such value: ", stderr);
		show_escaped(stderr, *o->value ? o->value : "(Default)",
			     *o->value ? strlen(o->value) : 9);
		fputc('\n', stderr);
	}
	if (o->json) {
		struct json_object *out = json_object_new_object();

		json_object_object_add(out, "hive", reading_json(r));
		json_object_object_add(out, "keys", q->keys);
		json_out(stdout, out);
	}
	return o->value && !q->found ? EXIT_FAILED_1 : EXIT_OK;
}

int verb_query(const struct options *o)
{
	_cleanup_(reading_end) struct reading r = {0};
	struct query q = {.o = o};
	struct reg_key *k;
	char path[4096];
	int e, code;

	if (o->count > 1)
		return EXIT_SHOW_USAGE;
	if (reading_start(&r, o->hive, o) < 0 ||
	    reading_path(&r, o->count ? o->args[0] : "", path, sizeof(path)) < 0)
		return EXIT_USAGE_2;
	e = reading_load(&r, path, o->recursive ? HIVE_ALL : 0, &k);
	if (e == -ENOENT)
		reading_missing(&r, path);
	if (e < 0)
		return EXIT_FAILED_1;
	q.scratch = &r.tree.arena;
	code = show_found(&q, &r, k);
	return reading_degraded(&r) ? EXIT_FAILED_1 : code;
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
		reading_failed(o, o->hive, room);
	return e;
}

/*
 * A boot compares the plan with the base block alone, to be quick. Where the plan fits that, and
 * was made of other bytes, what is told here is not what will boot.
 */
static void warn_of_old_plan(struct reading *r)
{
	char path[PATH_BYTES + 8];
	struct text t = TEXT_ON(path);
	_close_ int fd = -1;
	struct plan_header p;

	text_add(text_add(&t, r->path), ".plan");
	if (!t.cut)
		fd = sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0 || sys_read_all(fd, &p, sizeof(p)) != (ssize_t)sizeof(p) ||
	    !bytes_same(p.magic, PLAN_MAGIC, sizeof(p.magic)) ||
	    plan_fits(&p, hive_facts(r->hive)->block, hive_facts(r->hive)->bytes) != PLAN_FITS ||
	    bytes_same(p.hive_sha256, hive_sha256(r->hive), SHA256_BYTES))
		return;
	fprintf(stderr,
		"smreg: %s: warning: something else than smreg changed the hive, and the next boot "
		"still does what %s says; make that anew: smreg plan --write --hive %s\n",
		r->path, path, r->path);
}

int verb_check(const struct options *o)
{
	_cleanup_(reading_end) struct reading r = {0};
	struct plan_source from = {.tree = &r.tree, .hive_path = o->hive};
	_cleanup_(plan_made_freep) struct plan_made made = {0};
	struct remarks remarks = {0};

	if (o->count)
		return EXIT_SHOW_USAGE;
	if (reading_start(&r, o->hive, o) < 0)
		return EXIT_USAGE_2;
	if (make(&r, o, false, &remarks, &made) < 0)
		return EXIT_USAGE_2;
	from.set = tree_current_set(&r.tree);
	plan_load_names(r.hive, from.set, &r.tree);
	plan_names(&from, &remarks);
	warn_of_old_plan(&r);
	if (o->json) {
		struct json_object *out = json_object_new_object();

		json_object_object_add(out, "hive", reading_json(&r));
		json_object_object_add(out, "errors",
				       json_object_new_int64((int64_t)remarks.errors));
		json_object_object_add(out, "remarks", json_remarks(&remarks, true));
		json_out(stdout, out);
	} else {
		show_remarks(stdout, &remarks, o->all);
		printf("%s: %zu error%s\n", o->hive, remarks.errors,
		       remarks.errors == 1 ? "" : "s");
	}
	return remarks.errors || reading_degraded(&r) ? EXIT_FAILED_1 : EXIT_OK;
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
	if (e == 0 && (hive_facts(r->hive)->dirty || hive_degraded(r->hive))) {
		text_add(&why, "no plan is kept for a dirty or damaged hive");
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
	_cleanup_(reading_end) struct reading r = {0};
	_cleanup_(plan_made_freep) struct plan_made made = {0};
	struct remarks remarks = {0};
	struct outlook look;

	if (o->count)
		return EXIT_SHOW_USAGE;
	if (reading_start(&r, o->hive, o) < 0)
		return EXIT_USAGE_2;
	if (make(&r, o, o->write || o->json, &remarks, &made) < 0)
		return EXIT_USAGE_2;
	if (o->write)
		return write_plan(o, &r, &made) < 0 ? EXIT_FAILED_1 : EXIT_OK;
	warn_of_old_plan(&r);
	outlook_read(&look, o->hive, hive_facts(r.hive), made.plan, o->state);
	if (o->json) {
		struct json_object *out = json_plan(made.plan, made.queue, &look);

		json_object_object_add(out, "hive", reading_json(&r));
		json_out(stdout, out);
	} else {
		show_plan(stdout, made.plan, made.queue, &look);
	}
	return reading_degraded(&r) ? EXIT_FAILED_1 : EXIT_OK;
}
