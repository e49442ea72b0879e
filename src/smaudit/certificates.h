/* SPDX-License-Identifier: MIT */
/*
 * certificates.h - who signed what, in PKCS#7's terms, and how far that can be followed
 *
 * The helpers of authenticode.c over libcrypto: one signer's signature, the way from its
 * certificate up to a root whose key is known here, and the time that a countersignature proves. No
 * network, no store of the machine: what counts as a root is the table in microsoft_roots.c and
 * what the caller added.
 */
#pragma once

#include <openssl/pkcs7.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- signed_data.c ---- */

#define CERTIFICATE_NAME_MAX 128

/* certificate_name - a name's CN (else its OU or O) as UTF-8; "" when it has none of them. */
void certificate_name(const X509_NAME *name, char ret[CERTIFICATE_NAME_MAX]);
/* digest_name - a digest's name as people write it ("sha256"); static. */
const char *digest_name(const EVP_MD *md);

/*
 * signer_check - does this signer's signature fit the content?
 *   with   the certificates that came along; the signer's is looked for by issuer and number
 * Returns 0 and the certificate (borrowed from with), or -errno: -ENOKEY no certificate of the
 * signer, -EBADMSG not in its form or of an algorithm that is not taken, -EKEYREJECTED it does not
 * fit. *ret_why is a text for people on failure.
 */
int signer_check(PKCS7_SIGNER_INFO *si, STACK_OF(X509) * with, const uint8_t *content, size_t n,
		 X509 **ret_signer, const char **ret_why);

/* ---- chain.c ---- */

enum chain_end {
	CHAIN_TRUSTED,      /* a root whose key is known here */
	CHAIN_FOREIGN,      /* a root that is not, or one that only bears a known one's name */
	CHAIN_UNKNOWN_ROOT, /* the next certificate up is not here */
	CHAIN_UNFIT,        /* a certificate on the way may not do what it did */
	CHAIN_EXPIRED       /* a known root, but outside of some certificate's time */
};

struct chain {
	enum chain_end end;
	char root[CERTIFICATE_NAME_MAX]; /* the last one, or the one that is missing */
	const char *why;                 /* for people, when it is not trusted; static */
};

/*
 * chain_follow - from a certificate up to a root
 *   with     certificates that came along; NULL = none
 *   purpose  XKU_CODE_SIGN or XKU_TIMESTAMP
 *   at       seconds since 1970: when it must have been in its time
 */
void chain_follow(X509 *leaf, STACK_OF(X509) * with, uint32_t purpose, int64_t at,
		  struct chain *ret);

/* chain_roots_free - forget the roots (tests and fuzzing; at exit it is not needed). */
void chain_roots_free(void);

/* ---- countersignature.c ---- */

/*
 * stamp_read - the time that a trusted countersignature (RFC 3161 or PKCS#9) gives a signature
 * Returns true and nanoseconds since 1970; false with *ret_why NULL when there is none, else why it
 * proves nothing.
 */
bool stamp_read(PKCS7_SIGNER_INFO *si, STACK_OF(X509) * with, int64_t *ret_ns,
		const char **ret_why);

/* ---- microsoft_roots.c ---- */

struct known_root {
	const char *name; /* its CN */
	const char *key;  /* SubjectPublicKeyInfo, DER in base64 */
};
extern const struct known_root microsoft_roots[];
extern const unsigned microsoft_root_count;
