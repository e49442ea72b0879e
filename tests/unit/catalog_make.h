/* SPDX-License-Identifier: MIT */
/*
 * catalog_make.h - signed lists for tests: signify's two files, made with a key that everybody
 * knows
 */
#pragma once

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "registry/catalog.h"

#define MADE_COMMENT "untrusted comment: of a test\n"

static const uint8_t made_secret[32] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t made_number[8] = {'n', 'u', 'm', 'b', 'e', 'r', ' ', '1'};

/* Comment and base64 of "Ed", the number and n bytes, to room; returns the length. */
static size_t made_head(const uint8_t number[8], const uint8_t *bytes, size_t n, char *room)
{
	uint8_t raw[2 + 8 + 64];
	size_t at = sizeof(MADE_COMMENT) - 1;

	memcpy(raw, "Ed", 2);
	memcpy(raw + 2, number, 8);
	memcpy(raw + 10, bytes, n);
	memcpy(room, MADE_COMMENT, at);
	at += (size_t)EVP_EncodeBlock((uint8_t *)room + at, raw, (int)(10 + n));
	room[at++] = '\n';
	return at;
}

/* made_files - a key and a list signed with it; given back by catalog_files_free. */
static inline struct catalog_files made_files(const void *list, size_t n)
{
	struct catalog_files f = {.path = "list", .key_path = "key"};
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, made_secret, 32);
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	uint8_t public[32], mark[64];
	size_t public_n = 32, mark_n = 64;

	if (!key || !c || EVP_PKEY_get_raw_public_key(key, public, &public_n) != 1 ||
	    EVP_DigestSignInit(c, NULL, NULL, NULL, key) != 1 ||
	    EVP_DigestSign(c, mark, &mark_n, list, n) != 1)
		abort();
	f.bytes = malloc(n + 512);
	f.key = malloc(512);
	if (!f.bytes || !f.key)
		abort();
	f.key_n = made_head(made_number, public, 32, (char *)f.key);
	f.n = made_head(made_number, mark, 64, (char *)f.bytes);
	if (n)
		memcpy(f.bytes + f.n, list, n);
	f.n += n;
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(key);
	return f;
}
