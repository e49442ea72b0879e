/* SPDX-License-Identifier: MIT */
/*
 * catalog.h - the signed list of images: which files, with which SHA-256, somebody vouches for
 *
 * The form is that of signify(1) with an embedded signature: a comment, base64 of "Ed", a key's
 * number and an Ed25519 signature, and then what was signed: lines "SHA256 (NAME) = HEX". People
 * make and check it with signify-openbsd; this room only ever checks. A NAME lies in the image
 * directory, or begins with "/". Nothing of a list is used before its signature is proven.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/sha256.h"

#define CATALOG_BYTES_MAX (256u << 10) /* a list of some two thousand images */
#define CATALOG_KEY_MAX   4096u

struct catalog; /* opaque: names and digests, read and proven */

/* What was read, before it is believed: so that it can be proven behind walls. */
struct catalog_files {
	char path[PATH_BYTES], key_path[PATH_BYTES];
	uint8_t *bytes, *key; /* owner: this struct, given back by catalog_files_free */
	size_t n, key_n;
	int error;     /* 0, or why there is nothing to prove: -errno */
	char why[160]; /* the same for people */
};

/*
 * catalog_files_read - the two files of a machine, or of one that is being made
 *   hive  a path "ROOT/etc/smss/NAME" tells its root; for any other one it is "/"
 * Nothing is parsed. Never fails: ret->error tells. The key must belong to root, or to whoever runs
 * this, and nobody else may write it or the directory it lies in: it is what all else rests on.
 */
void catalog_files_read(const char *hive, struct catalog_files *ret);
void catalog_files_free(struct catalog_files *f);

/* catalog_identity - of both files together: a plan knows by it which list it was made with. */
void catalog_identity(const struct catalog_files *f, uint8_t ret[SHA256_BYTES]);

/*
 * catalog_prove - check the signature, then read the list
 *   why  takes a text for people on failure
 * Returns 0 and *ret (given back by catalog_free); -EBADMSG (no such format; the line is named),
 * -EKEYREJECTED (another key's, or the signature does not fit), -ELIBACC (no
 * libcrypto), -ENOMEM, or f->error.
 */
int catalog_prove(const struct catalog_files *f, struct catalog **ret, char *why, size_t why_cap);

/*
 * catalog_open - read PATH and prove it with KEY_PATH's key
 * Returns as catalog_prove; -ENOENT when one of them is not there.
 */
int catalog_open(const char *path, const char *key_path, struct catalog **ret, char *why,
		 size_t why_cap);
void catalog_free(struct catalog *c);

/* catalog_find - the digest of a name, as the list has it; NULL = not in it. */
const uint8_t *catalog_find(const struct catalog *c, const char *name);
/* catalog_at - one after another; NULL past the last. */
const char *catalog_at(const struct catalog *c, size_t i, const uint8_t **ret_digest);
