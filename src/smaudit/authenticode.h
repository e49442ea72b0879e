/* SPDX-License-Identifier: MIT */
/*
 * authenticode.h - the signatures that a PE image carries, each with what it is worth
 *
 * All entries of the certificate table are read, not only the first one, and those nested inside of
 * others. Nothing is looked up anywhere: a catalogue may still vouch for an image that has none.
 */
#pragma once

#include "smaudit/certificates.h"
#include "smaudit/facts.h"
#include "smaudit/pe.h"

struct authenticode {
	struct image_signature signature[IMAGE_SIGNATURES_MAX]; /* texts are in name, below */
	unsigned signatures;
	struct {
		char signer[CERTIFICATE_NAME_MAX], issuer[CERTIFICATE_NAME_MAX],
			root[CERTIFICATE_NAME_MAX];
	} name[IMAGE_SIGNATURES_MAX];
	uint64_t slack_bytes;
	const char *malformed; /* what is wrong with the table as a whole, NULL */
};

/*
 * authenticode_read - what the table holds
 *   now   seconds since 1970: when certificates without a time stamp must be in their time
 * Returns 0 (no signature is an answer), or what reading the file said.
 */
int authenticode_read(const struct image_source *s, const struct pe *p, int64_t now,
		      struct authenticode *ret);

/* authenticode_digest - of what signatures cover, padded to 8 bytes. Returns 0 or -errno. */
int authenticode_digest(const struct image_source *s, const struct pe *p, const char *algorithm,
			uint8_t *ret_digest, unsigned *ret_bytes);
