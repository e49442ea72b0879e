/* SPDX-License-Identifier: MIT */
/*
 * catalog.c - the signed list of images, read and proven; see catalog.h
 *
 * The list is looked at only behind a proven signature; what stands before it (a comment and one
 * line of base64) has a fixed form. Must never make or change a list, nor be led by it to a file.
 */
#include "registry/catalog.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "plan/plan.h"
#include "registry/ed25519.h"
#include "sys/sys.h"

#define COMMENT     "untrusted comment: "
#define COMMENT_MAX 1024u
#define NUMBER      8u /* bytes of a key's number */
#define HEAD        (2u + NUMBER)
#define PUBLIC      (HEAD + ED25519_KEY_BYTES)
#define SIGNED      (HEAD + ED25519_SIGNATURE_BYTES)

struct entry {
	const char *name;
	uint8_t digest[SHA256_BYTES];
};

struct catalog {
	struct entry *entry; /* sorted by name */
	size_t count;
	char *text; /* names point into it */
};

static int wrong(char *why, size_t cap, int r, const char *form, const char *what)
{
	(void)snprintf(why, cap, form, what);
	return r;
}

/* ---- the two lines before ---- */

static int letter(char c)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(letters, c) : NULL;

	return at ? (int)(at - letters) : -1;
}

/* Base64 of exactly want bytes, padded as it must be. */
static bool decode(const char *s, size_t n, uint8_t *ret, size_t want)
{
	size_t out = 0, pad = (3 - want % 3) % 3;
	uint32_t bits = 0;

	if (n != (want + 2) / 3 * 4)
		return false;
	for (size_t i = 0; i < n; i++) {
		int value = i >= n - pad ? (s[i] == '=' ? 0 : -1) : letter(s[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 != 3)
			continue;
		for (int shift = 16; shift >= 0 && out < want; shift -= 8)
			ret[out++] = (uint8_t)(bits >> shift);
		bits = 0;
	}
	return true;
}

/* A comment, a line of base64 of want bytes beginning with "Ed"; *ret_rest is what follows. */
static bool head(const uint8_t *bytes, size_t n, uint8_t *ret, size_t want, size_t *ret_rest)
{
	const char *s = (const char *)bytes, *end, *line;

	if (n < sizeof(COMMENT) - 1 || !bytes_same(s, COMMENT, sizeof(COMMENT) - 1))
		return false;
	line = memchr(s, '\n', n < COMMENT_MAX ? n : COMMENT_MAX);
	if (!line)
		return false;
	line++;
	end = memchr(line, '\n', n - (size_t)(line - s));
	if (!end || !decode(line, (size_t)(end - line), ret, want))
		return false;
	*ret_rest = (size_t)(end + 1 - s);
	return ret[0] == 'E' && ret[1] == 'd';
}

/* ---- the list ---- */

/* A name in the image directory, or a whole path: one that can be compared with what is started. */
static bool name_good(const char *name)
{
	size_t n = strlen(name), part = 0;

	if (!n || n >= PATH_BYTES - sizeof("/usr/lib/smss/"))
		return false;
	for (size_t i = *name == '/' ? 1 : 0; i <= n; i++) {
		if ((unsigned char)name[i] > ' ' && name[i] != 0x7f && name[i] != '/') {
			part++;
			continue;
		}
		if (name[i] && name[i] != '/')
			return false;
		if (!part || (part == 1 && name[i - 1] == '.') ||
		    (part == 2 && name[i - 1] == '.' && name[i - 2] == '.'))
			return false;
		part = 0;
	}
	return true;
}

/* "SHA256 (NAME) = HEX"; changes the line. */
static bool read_line(char *line, size_t n, struct entry *ret)
{
	static const char begin[] = "SHA256 (", middle[] = ") = ";
	const size_t tail = sizeof(middle) - 1 + 2 * (size_t)SHA256_BYTES;

	if (strlen(line) != n || n <= sizeof(begin) - 1 + tail || !str_starts(line, begin) ||
	    !str_starts(line + n - tail, middle) ||
	    sha256_from_hex(line + n - 2 * (size_t)SHA256_BYTES, ret->digest) < 0)
		return false;
	line[n - tail] = 0;
	ret->name = line + sizeof(begin) - 1;
	return name_good(ret->name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int read_list(struct catalog *c, size_t n, char *why, size_t cap)
{
	size_t lines = 0;

	for (size_t i = 0; i < n; i++)
		lines += c->text[i] == '\n';
	c->entry = calloc(lines + 1, sizeof(*c->entry));
	if (!c->entry)
		return -ENOMEM;
	for (char *line = c->text, *end; line < c->text + n; line = end + 1) {
		end = memchr(line, '\n', (size_t)(c->text + n - line));
		if (end)
			*end = 0;
		if (!end || !read_line(line, (size_t)(end - line), &c->entry[c->count])) {
			(void)snprintf(why, cap,
				       "line %zu of the list is not \"SHA256 (NAME) = HEX\"",
				       c->count + 1);
			return -EBADMSG;
		}
		c->count++;
	}
	if (!c->count)
		return wrong(why, cap, -EBADMSG, "%s", "its list is empty");
	qsort(c->entry, c->count, sizeof(*c->entry), by_name);
	for (size_t i = 1; i < c->count; i++)
		if (strcmp(c->entry[i - 1].name, c->entry[i].name) == 0)
			return wrong(why, cap, -EBADMSG, "its list has %.80s twice",
				     c->entry[i].name);
	return 0;
}

int catalog_prove(const struct catalog_files *f, struct catalog **ret, char *why, size_t why_cap)
{
	uint8_t key[PUBLIC], mark[SIGNED];
	size_t rest;
	struct catalog *c;
	int r;

	if (f->error)
		return wrong(why, why_cap, f->error, "%s", f->why);
	if (!head(f->key, f->key_n, key, PUBLIC, &rest))
		return wrong(why, why_cap, -EBADMSG, "%s is no public key of signify", f->key_path);
	if (!head(f->bytes, f->n, mark, SIGNED, &rest))
		return wrong(why, why_cap, -EBADMSG, "%s is no file signed with signify -S -e",
			     f->path);
	if (!bytes_same(key + 2, mark + 2, NUMBER))
		return wrong(why, why_cap, -EKEYREJECTED, "%s was signed with another key",
			     f->path);
	if (!ed25519_ready())
		return wrong(why, why_cap, -ELIBACC, "%s: there is no libcrypto to prove it with",
			     f->path);
	if (!ed25519_fits(key + HEAD, mark + HEAD, f->bytes + rest, f->n - rest))
		return wrong(why, why_cap, -EKEYREJECTED, "the signature of %s is wrong", f->path);
	c = calloc(1, sizeof(*c));
	if (c)
		c->text = malloc(f->n - rest + 1);
	if (!c || !c->text) {
		free(c);
		return wrong(why, why_cap, -ENOMEM, "%s", "no memory");
	}
	memcpy(c->text, f->bytes + rest, f->n - rest);
	c->text[f->n - rest] = 0;
	r = read_list(c, f->n - rest, why, why_cap);
	if (r < 0)
		catalog_free(c);
	else
		*ret = c;
	return r;
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	free(c->entry);
	free(c->text);
	free(c);
}

const uint8_t *catalog_find(const struct catalog *c, const char *name)
{
	const struct entry key = {.name = name};
	const struct entry *e = bsearch(&key, c->entry, c->count, sizeof(key), by_name);

	return e ? e->digest : NULL;
}

const char *catalog_at(const struct catalog *c, size_t i, const uint8_t **ret_digest)
{
	if (i >= c->count)
		return NULL;
	*ret_digest = c->entry[i].digest;
	return c->entry[i].name;
}

/* ---- the files ---- */

static bool ours_alone(const struct sys_stat *st)
{
	return (st->uid == 0 || st->uid == sys_uid()) && !(st->mode & (S_IWGRP | S_IWOTH));
}

static bool directory_ours(const char *path)
{
	const char *slash = strrchr(path, '/');
	char above[PATH_BYTES + 4];
	struct sys_stat st;

	(void)snprintf(above, sizeof(above), "%.*s/.", slash ? (int)(slash - path) : 1,
		       slash ? path : ".");
	return sys_stat_at(AT_FDCWD, above, 0, &st) >= 0 && ours_alone(&st);
}

/* All of a plain file of at most cap bytes. key: it and its directory must be ours alone. */
static int read_whole(const char *path, bool key, size_t cap, uint8_t **ret, size_t *ret_n)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	struct sys_stat st;
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if (!S_ISREG(st.mode))
		return -EINVAL;
	if (key && !ours_alone(&st))
		return -EPERM;
	if (key && !directory_ours(path))
		return -EPERM;
	*ret = malloc(cap + 1);
	if (!*ret)
		return -ENOMEM;
	n = sys_read_all(fd, *ret, cap + 1);
	if (n < 0 || (size_t)n > cap)
		return n < 0 ? (int)n : -EFBIG;
	*ret_n = (size_t)n;
	return 0;
}

static int read_both(struct catalog_files *f)
{
	const char *what = f->path;
	int r = read_whole(f->path, false, CATALOG_BYTES_MAX, &f->bytes, &f->n);

	if (r == 0) {
		what = f->key_path;
		r = read_whole(f->key_path, true, CATALOG_KEY_MAX, &f->key, &f->key_n);
	}
	f->error = r;
	if (r < 0)
		(void)snprintf(f->why, sizeof(f->why), "%.100s: %s", what,
			       r == -EPERM ? "others can write it or its directory" : err_text(-r));
	return r;
}

void catalog_files_read(const char *hive, struct catalog_files *ret)
{
	static const char etc[] = "/etc/smss/";
	const char *slash = strrchr(hive, '/');
	size_t n = slash ? (size_t)(slash + 1 - hive) : 0;
	int root = n >= sizeof(etc) - 1 &&
				   bytes_same(hive + n - (sizeof(etc) - 1), etc, sizeof(etc) - 1)
			   ? (int)(n - (sizeof(etc) - 1))
			   : 0;

	memset(ret, 0, sizeof(*ret));
	(void)snprintf(ret->path, sizeof(ret->path), "%.*s" CATALOG_PATH, root, hive);
	(void)snprintf(ret->key_path, sizeof(ret->key_path), "%.*s" CATALOG_KEY_PATH, root, hive);
	(void)read_both(ret);
}

void catalog_files_free(struct catalog_files *f)
{
	free(f->bytes);
	free(f->key);
	f->bytes = f->key = NULL;
}

void catalog_identity(const struct catalog_files *f, uint8_t ret[SHA256_BYTES])
{
	struct sha256 s;

	sha256_start(&s);
	sha256_add(&s, f->bytes, f->n);
	sha256_add(&s, f->key, f->key_n);
	sha256_end(&s, ret);
}

int catalog_open(const char *path, const char *key_path, struct catalog **ret, char *why,
		 size_t why_cap)
{
	struct catalog_files f = {.error = 0};
	int r;

	if (!str_copy(f.path, sizeof(f.path), path) ||
	    !str_copy(f.key_path, sizeof(f.key_path), key_path))
		return wrong(why, why_cap, -ENAMETOOLONG, "%s", "a path is too long");
	(void)read_both(&f);
	r = catalog_prove(&f, ret, why, why_cap);
	catalog_files_free(&f);
	return r;
}
