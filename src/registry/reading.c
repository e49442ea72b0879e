/* SPDX-License-Identifier: MIT */
/*
 * reading.c - a hive that is only looked at; see reading.h
 */
#include "registry/reading.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "registry/show.h"
#include "registry/utf.h"
#include "smss/copy.h"
#include "sys/sys.h"

void reading_end(struct reading *r)
{
	hive_close(r->hive);
	tree_free(&r->tree);
	memset(r, 0, sizeof(*r));
}

void reading_failed(const struct options *o, const char *path, const char *why)
{
	struct json_object *out, *hive;

	fprintf(stderr, "smreg: %s: %s\n", path, why);
	if (!o->json)
		return;
	out = json_object_new_object();
	hive = json_object_new_object();
	json_object_object_add(hive, "path", json_object_new_string(path));
	json_object_object_add(out, "hive", hive);
	json_object_object_add(out, "error", json_object_new_string(why));
	json_out(stdout, out);
}

/* The hive to boot from cannot be read: which ones could take its place. */
static void say_way_back(const struct options *o)
{
	const struct {
		const char *start, *end, *option;
	} ways[] = {{o->hive, ".previous", ""}, {o->state, "/" LKG_FILE, " --lkg"}};
	struct sys_stat st;
	char path[PATH_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		struct text p = TEXT_ON(path);

		text_add(text_add(&p, ways[i].start), ways[i].end);
		if (!p.cut && sys_stat_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st) == 0)
			fprintf(stderr, "smreg: to take back %s: smreg restore%s --hive %s\n", path,
				ways[i].option, o->hive);
	}
}

/* What there is to say of the file, each part of it once. */
static void say(struct reading *r)
{
	const char *all = hive_said(r->hive), *news = all;
	size_t n = strlen(r->said);

	if (strncmp(all, r->said, n) == 0)
		news += n + strspn(all + n, "; "); /* what hive_said adds comes behind a ; */
	if (*news)
		fprintf(stderr, "smreg: %s: %s\n", r->path, news);
	str_copy(r->said, sizeof(r->said), all);
}

int reading_start(struct reading *r, const char *path, const struct options *o)
{
	unsigned flags = (o->salvage ? HIVE_SALVAGE : 0) | (o->no_logs ? HIVE_NO_LOGS : 0);
	char room[256];
	struct text why = TEXT_ON(room);
	_cleanup_(hive_source_close) struct hive_source from = HIVE_SOURCE_NONE;
	int opened = hive_source_open(path, &from), e = opened;

	memset(r, 0, sizeof(*r));
	r->path = path;
	if (opened >= 0)
		e = hive_open(&from, flags, &r->hive, &why);
	if (e >= 0)
		e = tree_start(&r->tree);
	if (e >= 0) {
		say(r);
		return 0;
	}
	reading_failed(o, path, why.len ? room : err_text(-e));
	if (opened == -ENOENT && path == o->hive)
		fprintf(stderr, "smreg: make one with: smreg init --hive %s\n", path);
	if (opened >= 0 && !o->salvage &&
	    hive_open(&from, flags | HIVE_SALVAGE, &r->hive, &why) >= 0)
		fprintf(stderr, "smreg: --salvage reads what can still be read of it\n");
	if (path == o->hive)
		say_way_back(o);
	return e;
}

const char *key_argument(const char *key)
{
	const char *below = key_below_root(key);

	if (below)
		return below;
	fputs("smreg: ", stderr);
	show_escaped(stderr, key, strlen(key));
	fputs(": only keys below HKLM\\SYSTEM lie in a hive of smreg\n", stderr);
	return NULL;
}

/* Select\Current of this hive, or why it says nothing. */
static const char *no_set(struct reading *r)
{
	_cleanup_(tree_freep) struct reg_tree select = {0};
	int e = tree_start(&select);

	if (e == 0)
		e = hive_load(r->hive, "Select", 0, &select);
	if (e == -ENOENT)
		return "it has no Select key";
	if (e < 0)
		return "its Select key cannot be read";
	r->set = tree_current_set(&select);
	return r->set ? NULL : "Select\\Current is not a number from 1 to 999";
}

unsigned reading_set(struct reading *r)
{
	return no_set(r) ? 0 : r->set;
}

int reading_path(struct reading *r, const char *key, char *ret, size_t cap)
{
	const char *below = key_argument(key), *why = NULL;
	size_t n;
	int made;

	if (!below)
		return -EINVAL;
	n = strcspn(below, "\\");
	if (utf8_same_fold(below, n, "CurrentControlSet", 17)) {
		why = no_set(r);
		made = snprintf(ret, cap, "ControlSet%03u%s", r->set, below + n);
	} else {
		made = snprintf(ret, cap, "%s", below);
	}
	if (why)
		fprintf(stderr,
			"smreg: %s: not a SYSTEM hive: %s, CurrentControlSet means nothing\n",
			r->path, why);
	else if (made >= (int)cap)
		fprintf(stderr, "smreg: a key's path has at most %zu bytes\n", cap - 1);
	return why ? -ENOKEY : made >= (int)cap ? -ENAMETOOLONG : 0;
}

int reading_load(struct reading *r, const char *path, unsigned depth, struct reg_key **ret)
{
	int e = hive_load(r->hive, path, depth, &r->tree);

	if (e < 0 && e != -ENOENT) {
		fprintf(stderr, "smreg: %s: ", r->path);
		show_escaped(stderr, path, strlen(path));
		fprintf(stderr, "%s%s\n", *path ? ": " : "",
			e == -E2BIG ? "more keys or values than smreg takes" : err_text(-e));
	}
	*ret = e < 0 ? NULL : tree_find(&r->tree, path, strlen(path));
	return e < 0 ? e : *ret ? 0 : -ENOENT;
}

/* The keys on the way, to tell how far it goes. */
void reading_missing(struct reading *r, const char *path)
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
	if (!key_child(r->tree.root, "Select", 6))
		fprintf(stderr, "smreg: %s: not a SYSTEM hive: it has no Select key\n", r->path);
}

static void say_hidden(const struct reading *r)
{
	const char *first;
	uint64_t hidden = hive_hidden(r->hive, &first);

	if (!hidden)
		return;
	fprintf(stderr, "smreg: %s: remark: %s", r->path, first);
	if (hidden > 1)
		fprintf(stderr, "; and %" PRIu64 " more such keys", hidden - 1);
	fputc('\n', stderr);
}

bool reading_degraded(struct reading *r)
{
	say_hidden(r);
	say(r);
	return hive_degraded(r->hive);
}

static struct json_object *text_or_null(const char *s)
{
	return s && *s ? json_object_new_string(s) : NULL;
}

static struct json_object *log_json(const struct hive_facts *f)
{
	struct json_object *list = json_object_new_array();

	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		const struct hive_log_facts *l = &f->log[i];
		struct json_object *o;

		if (!l->present && !*l->why)
			continue;
		o = json_object_new_object();
		json_object_object_add(o, "log", json_object_new_string(hive_log_words[i]));
		json_object_object_add(o, "entries", json_object_new_int64(l->entries));
		json_object_object_add(o, "pages", json_object_new_int64(l->pages));
		json_object_object_add(o, "first_sequence", json_object_new_int64(l->first));
		json_object_object_add(o, "why_not", text_or_null(l->why));
		json_object_array_add(list, o);
	}
	return list;
}

struct json_object *reading_json(struct reading *r)
{
	const struct hive_facts *f = hive_facts(r->hive);
	struct json_object *o = json_object_new_object();
	const char *hidden;
	const struct {
		const char *name;
		bool is;
	} flags[] = {{"made_by_smreg", f->ours},     {"dirty", f->dirty},
		     {"logs_applied", f->recovered}, {"stale", f->stale},
		     {"log_entries_lost", f->lost},  {"degraded", hive_degraded(r->hive)}};

	json_object_object_add(o, "path", json_object_new_string(r->path));
	json_object_object_add(o, "bytes", json_object_new_int64((int64_t)f->bytes));
	json_object_object_add(o, "version_minor", json_object_new_int64(f->minor));
	json_object_object_add(o, "sequence", json_object_new_int64(f->sequence));
	json_object_object_add(o, "secondary", json_object_new_int64(f->secondary));
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		json_object_object_add(o, flags[i].name, json_object_new_boolean(flags[i].is));
	json_object_object_add(o, "logs", log_json(f));
	json_object_object_add(o, "unreadable_parts",
			       json_object_new_int64((int64_t)hive_damage(r->hive, NULL)));
	json_object_object_add(o, "hidden_parts",
			       json_object_new_int64((int64_t)hive_hidden(r->hive, &hidden)));
	json_object_object_add(o, "said", text_or_null(hive_said(r->hive)));
	return o;
}
