/* SPDX-License-Identifier: MIT */
/*
 * live_images.c - what is installed in the image directory, against the signed catalogue
 *
 * Every file there is hashed and told as a fact: catalogued, another one than was signed, or one
 * that nobody signed. Without a catalogue nothing is said to be right: that is indeterminate. Also
 * known here: which of our images a process runs, wherever it lies and whatever it is called.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/plan.h"
#include "smaudit/live.h"
#include "smaudit/readers.h"

#define DIRECTORY "/usr/lib/smss"

static void tell_image(const struct live *l, const char *path, const char *name,
		       const uint8_t digest[SHA256_BYTES], uint64_t bytes)
{
	const uint8_t *want = l->catalog ? catalog_find(l->catalog, name) : NULL;
	struct image_fact f = image_fact_none();
	char hex[2 * SHA256_BYTES + 1];

	if (!l->catalog || !l->to->image)
		return;
	sha256_hex(digest, hex);
	f.place.file = path;
	f.host = l->host;
	f.format = image_elf_machine(path, &f.machine) ? IMAGE_ELF : IMAGE_UNKNOWN;
	f.bytes = bytes;
	f.sha256 = hex;
	f.ours = true;
	f.catalogue_asked = true;
	f.signature[0].state = !want                                    ? SIGNATURE_NONE
			       : bytes_same(want, digest, SHA256_BYTES) ? SIGNATURE_CATALOGUED
									: SIGNATURE_MISMATCH;
	f.signature[0].digest = "sha256";
	f.signatures = 1;
	l->to->image(l->to->arg, &f);
}

static bool path_of(const struct live *l, const char *name, char ret[PATH_BYTES])
{
	return snprintf(ret, PATH_BYTES, "%s" DIRECTORY "/%s", l->root, name) < (int)PATH_BYTES;
}

static void look_at(struct live *l, const char *name)
{
	char path[PATH_BYTES];
	struct live_own own = {.hashed = false};
	struct stat st;

	if (!path_of(l, name, path) || lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    str_starts(name, "catalog.sig"))
		return;
	(void)str_copy(own.name, sizeof(own.name), name);
	own.dev = st.st_dev;
	own.ino = st.st_ino;
	own.bytes = (uint64_t)st.st_size;
	own.hashed = live_file_digest(path, own.digest, &own.bytes) == 0;
	if (l->owns < LIVE_OWN_MAX)
		l->own[l->owns++] = own;
	else if (own.hashed)
		tell_image(l, path, name, own.digest, own.bytes);
}

/* What was signed as a program of ours and is not there: somebody took it away. */
static void look_for_missing(const struct live *l)
{
	const uint8_t *digest;
	const char *name;
	char path[PATH_BYTES];
	struct stat st;

	for (size_t i = 0; l->catalog && (name = catalog_at(l->catalog, i, &digest)); i++) {
		struct finding f = {.rule = INDICATOR_UNSIGNED_IMAGE,
				    .verdict = VERDICT_FINDING,
				    .severity = SEVERITY_LOW,
				    .host = l->host,
				    .subject = path,
				    .what = "the signed catalogue has it, and it is not there",
				    .time_ns = NO_TIME};
		uint8_t is[SHA256_BYTES];
		uint64_t bytes;

		(void)snprintf(path, sizeof(path), "%s%s%s", l->root,
			       *name == '/' ? "" : DIRECTORY "/", name);
		if (lstat(path, &st) < 0 && errno == ENOENT)
			report_add(l->report, &f);
		else if (*name == '/' && live_file_digest(path, is, &bytes) == 0)
			tell_image(l, path, name, is, bytes);
	}
}

static void tell_catalog(struct live *l)
{
	char path[PATH_BYTES], key[PATH_BYTES];
	int r = l->catalog_error;

	(void)snprintf(path, sizeof(path), "%s" CATALOG_PATH, l->root);
	(void)snprintf(key, sizeof(key), "%s" CATALOG_KEY_PATH, l->root);
	if (r == -EBADMSG || r == -EKEYREJECTED || r == -EPERM) {
		struct finding f = {.rule = INDICATOR_UNSIGNED_IMAGE,
				    .verdict = VERDICT_FINDING,
				    .severity = SEVERITY_HIGH,
				    .host = l->host,
				    .subject = path,
				    .what = "the signed catalogue of images cannot be believed",
				    .time_ns = NO_TIME,
				    .place = {path, 0}};

		finding_add(&f, "why", l->catalog_why);
		finding_add(&f, "key", key);
		report_add(l->report, &f);
	} else if (r < 0) {
		live_unsure(l, INDICATOR_UNSIGNED_IMAGE, "installed images", l->catalog_why,
			    "signed catalogue");
	}
}

void live_images_find(struct live *l)
{
	char path[PATH_BYTES], key[PATH_BYTES];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s" CATALOG_PATH, l->root);
	(void)snprintf(key, sizeof(key), "%s" CATALOG_KEY_PATH, l->root);
	l->catalog_error =
		catalog_open(path, key, &l->catalog, l->catalog_why, sizeof(l->catalog_why));
	(void)snprintf(path, sizeof(path), "%s" DIRECTORY, l->root);
	dir = opendir(path);
	if (!dir) {
		l->own_error = errno;
		return;
	}
	while ((entry = readdir(dir)))
		look_at(l, entry->d_name);
	(void)closedir(dir);
}

void live_images(struct live *l)
{
	char path[PATH_BYTES];

	tell_catalog(l);
	if (l->own_error) {
		(void)snprintf(path, sizeof(path), "%s" DIRECTORY, l->root);
		live_unsure(l, INDICATOR_UNSIGNED_IMAGE, path, "the image directory cannot be read",
			    "installed images");
		return;
	}
	for (size_t i = 0; i < l->owns; i++)
		if (l->own[i].hashed && path_of(l, l->own[i].name, path))
			tell_image(l, path, l->own[i].name, l->own[i].digest, l->own[i].bytes);
	look_for_missing(l);
}

const struct live_own *live_own_of(struct live *l, const struct live_process *p,
				   bool *ret_elsewhere)
{
	uint8_t digest[SHA256_BYTES];
	bool hashed = false;

	*ret_elsewhere = false;
	for (size_t i = 0; i < l->owns && p->ino; i++)
		if (l->own[i].dev == p->dev && l->own[i].ino == p->ino)
			return &l->own[i];
	for (size_t i = 0; i < l->owns && p->ino; i++) {
		if (!l->own[i].hashed || l->own[i].bytes != p->bytes)
			continue;
		if (!hashed && live_digest(p, digest) < 0)
			return NULL;
		hashed = true;
		if (!bytes_same(digest, l->own[i].digest, SHA256_BYTES))
			continue;
		*ret_elsewhere = true;
		return &l->own[i];
	}
	return NULL;
}
