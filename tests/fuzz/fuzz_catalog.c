/* SPDX-License-Identifier: MIT */
/*
 * fuzz_catalog.c - any bytes as a signed list of images: a named error, or names that are found
 *
 * The first byte chooses: 0 the rest is the list, and is signed; 1 the rest is the whole signed
 * file, with a right key; 2 the rest is the key.
 */
#include <errno.h>

#include "../unit/catalog_make.h"
#include "fuzz.h"

static void give(uint8_t **bytes, size_t *ret_n, const uint8_t *data, size_t n)
{
	free(*bytes);
	*bytes = malloc(n ? n : 1);
	HOLDS(*bytes);
	memcpy(*bytes, data, n);
	*ret_n = n;
}

static void look(const struct catalog *c)
{
	const uint8_t *digest;
	const char *name;
	size_t i = 0;

	for (; (name = catalog_at(c, i, &digest)); i++) {
		HOLDS(*name && strlen(name) < PATH_BYTES);
		HOLDS(catalog_find(c, name) == digest);
		touch(digest, SHA256_BYTES);
	}
	HOLDS(i > 0 && !catalog_find(c, ""));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t line[] = "SHA256 (csrss) = "
				      "00112233445566778899aabbccddeeff"
				      "00112233445566778899aabbccddeeff\n";
	struct catalog *c = NULL;
	struct catalog_files f;
	char why[160] = "";
	int r;

	if (!n)
		return 0;
	f = data[0] ? made_files(line, sizeof(line) - 1) : made_files(data + 1, n - 1);
	if (data[0] == 1)
		give(&f.bytes, &f.n, data + 1, n - 1);
	else if (data[0])
		give(&f.key, &f.key_n, data + 1, n - 1);
	r = catalog_prove(&f, &c, why, sizeof(why));
	HOLDS(r == 0 || (r == -EBADMSG || r == -EKEYREJECTED));
	HOLDS((r == 0) == !why[0]);
	if (r == 0)
		look(c);
	catalog_free(c);
	catalog_files_free(&f);
	return 0;
}
