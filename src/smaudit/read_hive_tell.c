/* SPDX-License-Identifier: MIT */
/*
 * read_hive_tell.c - what was loaded of a hive, as facts; see read_hive.c
 *
 * Values are told as the bytes that lie there, names whole. Must never judge.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "smaudit/hive_logs.h"
#include "smaudit/read_hive.h"

#define EPOCH_FILETIME 116444736000000000ull /* 1970, in 100 ns since 1601 */

void hive_trouble(const struct reading_of *r, enum trouble t, const char *text)
{
	if (r->to->trouble)
		r->to->trouble(r->to->arg, &r->place, t, text);
}

static int64_t unix_ns(uint64_t filetime)
{
	const int64_t since = (int64_t)(filetime - EPOCH_FILETIME);

	if (filetime < EPOCH_FILETIME || since > INT64_MAX / 100)
		return NO_TIME;
	return since * 100;
}

void hive_path_in(const char *set, const char *below, char *ret, size_t cap)
{
	snprintf(ret, cap, "%s\\%s", set, below);
}

const struct reg_key *hive_key(const struct reading_of *r, const char *path)
{
	return tree_find(&r->tree, path, strlen(path));
}

const char *hive_text_of(struct reading_of *r, const struct reg_key *k, const char *name)
{
	const struct reg_value *v = k ? key_get(k, name) : NULL;
	const char *text;

	/* of a list Windows takes the first string, or the type for granted */
	if (!v || (v->type != REG_SZ && v->type != REG_EXPAND_SZ && v->type != REG_MULTI_SZ))
		return NULL;
	text = value_text(&r->tree.arena, v, NULL);
	return text && *text ? text : NULL;
}

/* A name whole: a NUL inside it shows, so that nothing passes for a name that it only begins with.
 */
static const char *whole_name(struct reading_of *r, const char *name, uint32_t bytes)
{
	char *to;
	size_t n = 0;

	if (!memchr(name, 0, bytes))
		return name;
	to = arena_take(&r->tree.arena, 3 * (size_t)bytes + 1);
	if (!to)
		return "";
	for (uint32_t i = 0; i < bytes; i++) {
		memcpy(to + n, name[i] ? &name[i] : "\xE2\x90\x80", name[i] ? 1 : 3);
		n += name[i] ? 1 : 3;
	}
	return to;
}

static void tell(struct reading_of *r, const struct registry_fact *f)
{
	if (r->to->registry)
		r->to->registry(r->to->arg, f);
	r->told++;
}

static void tell_state(struct reading_of *r)
{
	struct registry_fact f = r->common;
	char room[SAID_BYTES];
	struct text t = TEXT_ON(room);
	const char *said = room, *hidden;

	hive_logs_say(hive_facts(r->hive), r->place.file, r->log_name, &t);
	text_add(&t, hive_said(r->hive));
	f.about = REGISTRY_STATE;
	f.key = r->set[0] ? r->set : NULL;
	f.name = *said ? said : NULL;
	f.written_ns = unix_ns(hive_facts(r->hive)->filetime);
	if (*said)
		hive_trouble(r, f.stale || f.degraded ? TROUBLE_DEGRADED : TROUBLE_NOTE, said);
	if (hive_hidden(r->hive, &hidden))
		hive_trouble(r, TROUBLE_NOTE, hidden);
	tell(r, &f);
}

static void tell_values(struct reading_of *r, const char *set, const char *below,
			enum registry_about about)
{
	struct registry_fact f = r->common;
	const struct reg_key *k;
	char path[128];

	hive_path_in(set, below, path, sizeof(path));
	k = hive_key(r, path);
	f.about = about;
	f.key = path;
	/* without a Select every set may be the one */
	f.current = !r->set[0] || str_same(set, r->set) || str_same(set, r->next);
	for (uint32_t i = 0; k && i < k->value_count; i++) {
		const struct reg_value *v = &k->values[i];

		f.name = whole_name(r, v->name, v->name_bytes);
		f.type = v->type;
		f.data = v->data;
		f.bytes = v->bytes;
		f.written_ns = unix_ns(k->written);
		tell(r, &f);
	}
}

static void tell_services(struct reading_of *r, const char *set)
{
	const struct reg_key *services;
	char path[128], key[2048];

	if (!*set)
		return;
	hive_path_in(set, "Services", path, sizeof(path));
	services = hive_key(r, path);
	for (uint32_t i = 0; services && i < services->child_count; i++) {
		const struct reg_key *k = services->children[i];
		const struct reg_value *image = key_get(k, "ImagePath"), *type = key_get(k, "Type");
		struct registry_fact f = r->common;

		f.about = REGISTRY_SERVICE;
		f.name = whole_name(r, k->name, k->name_bytes);
		snprintf(key, sizeof(key), "%s\\%s", path, f.name);
		f.key = key;
		f.image_path = hive_text_of(r, k, "ImagePath");
		f.display_name = hive_text_of(r, k, "DisplayName");
		f.data = image ? image->data : NULL;
		f.bytes = image ? image->bytes : 0;
		if (!type || !value_dword(type, &f.type))
			f.type = 0;
		f.written_ns = unix_ns(k->written);
		tell(r, &f);
	}
}

void hive_tell(struct reading_of *r)
{
	tell_state(r);
	for (unsigned i = 0; i < r->set_count; i++) {
		tell_values(r, r->sets[i], "Control\\Session Manager", REGISTRY_SESSION_MANAGER);
		tell_values(r, r->sets[i], "Control\\Session Manager\\FileRenameOperations",
			    REGISTRY_FILE_RENAMES);
	}
	tell_services(r, r->set);
	tell_services(r, r->next);
}
