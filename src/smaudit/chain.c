/* SPDX-License-Identifier: MIT */
/*
 * chain.c - from a signer's certificate up to a root whose key is known here
 *
 * Names prove nothing: a step up counts only when the key above made the signature below, and the
 * end counts only when its key is in the table or was added by the caller. A root of another name
 * and one that merely bears a known name are both foreign. Certificates signed over MD5 are not
 * followed: such signatures have been forged under one of the roots in the table.
 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "smaudit/certificates.h"
#include "smaudit/readers.h"

#define DEPTH_MAX        8
#define CERTIFICATES_MAX 32 /* that come along, of those looked at */
#define ROOTS_MAX        64

static struct root {
	char name[CERTIFICATE_NAME_MAX];
	EVP_PKEY *key;
} roots[ROOTS_MAX];
static unsigned root_count;

static void root_keep(const char *name, EVP_PKEY *key)
{
	if (!key || root_count >= ROOTS_MAX) {
		EVP_PKEY_free(key);
		return;
	}
	(void)snprintf(roots[root_count].name, sizeof(roots[0].name), "%s", name);
	roots[root_count++].key = key;
}

static void roots_load(void)
{
	if (root_count)
		return;
	for (unsigned i = 0; i < microsoft_root_count; i++) {
		const char *text = microsoft_roots[i].key;
		uint8_t der[1024];
		const uint8_t *p = der;
		int n;

		if (strlen(text) > sizeof(der) / 3 * 4)
			continue;
		n = EVP_DecodeBlock(der, (const uint8_t *)text, (int)strlen(text));
		if (n > 0) /* the padding's bytes are behind the key, and are not looked at */
			root_keep(microsoft_roots[i].name, d2i_PUBKEY(NULL, &p, n));
	}
}

void chain_roots_free(void)
{
	while (root_count)
		EVP_PKEY_free(roots[--root_count].key);
}

int image_roots_add(const char *pem_path)
{
	FILE *f = fopen(pem_path, "re");
	int added = 0;
	X509 *x;

	if (!f)
		return -errno;
	roots_load();
	while ((x = PEM_read_X509(f, NULL, NULL, NULL))) {
		char name[CERTIFICATE_NAME_MAX];

		if (root_count >= ROOTS_MAX) {
			X509_free(x);
			(void)fclose(f);
			return -ENOSPC;
		}
		certificate_name(X509_get_subject_name(x), name);
		root_keep(name, X509_get_pubkey(x));
		added++;
		X509_free(x);
	}
	ERR_clear_error();
	(void)fclose(f);
	return added ? added : -EBADMSG;
}

static bool over_md5(const X509 *x)
{
	int nid = X509_get_signature_nid(x), digest = NID_undef;

	return OBJ_find_sigid_algs(nid, &digest, NULL) != 1 || digest == NID_md5 ||
	       digest == NID_md4 || digest == NID_md2;
}

static bool is_root(X509 *x, const struct root *root)
{
	EVP_PKEY *key = X509_get0_pubkey(x);

	return root && key && EVP_PKEY_eq(key, root->key) == 1;
}

/* The known root whose key this certificate has, or which signed it. */
static const struct root *root_above(X509 *x, bool *ret_bears_name)
{
	char issuer[CERTIFICATE_NAME_MAX];

	certificate_name(X509_get_issuer_name(x), issuer);
	for (unsigned i = 0; i < root_count; i++) {
		if (is_root(x, &roots[i]))
			return &roots[i];
		if (strcmp(issuer, roots[i].name))
			continue;
		if (X509_verify(x, roots[i].key) == 1)
			return &roots[i];
		*ret_bears_name = true;
	}
	return NULL;
}

static X509 *issuer_of(X509 *x, STACK_OF(X509) * with)
{
	int n = with ? sk_X509_num(with) : 0;

	for (int i = 0; i < n && i < CERTIFICATES_MAX; i++) {
		X509 *up = sk_X509_value(with, i);
		EVP_PKEY *key = X509_get0_pubkey(up);

		if (up != x && key &&
		    !X509_NAME_cmp(X509_get_subject_name(up), X509_get_issuer_name(x)) &&
		    X509_verify(x, key) == 1)
			return up;
	}
	return NULL;
}

/* What a certificate may not be, `below` authorities above the leaf; NULL = it may. */
static const char *unfit(X509 *x, X509 *leaf, unsigned below, uint32_t purpose)
{
	uint32_t flags = X509_get_extension_flags(x);
	uint32_t extended = X509_get_extended_key_usage(x);
	long path = X509_get_pathlen(x);

	if (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL))
		return "a certificate on its way has an extension that is not understood";
	if (extended != UINT32_MAX && !(extended & (purpose | XKU_ANYEKU)) &&
	    (x == leaf || flags & EXFLAG_XKUSAGE))
		return purpose == XKU_CODE_SIGN ? "a certificate on its way is not for signing code"
						: "a certificate on its way is not for time stamps";
	if (x == leaf)
		return !(flags & EXFLAG_XKUSAGE) ? "its certificate does not say what it is for"
						 : NULL;
	if (!(flags & EXFLAG_CA) || !(X509_get_key_usage(x) & KU_KEY_CERT_SIGN))
		return "a certificate that signed another one is no authority's";
	if (path >= 0 && below > (unsigned long)path + 1)
		return "an authority on its way is further up than it may be";
	return NULL;
}

static bool names_allowed(X509 *x, X509 *leaf)
{
	NAME_CONSTRAINTS *limits = X509_get_ext_d2i(x, NID_name_constraints, NULL, NULL);
	bool allowed = !limits || NAME_CONSTRAINTS_check(leaf, limits) == X509_V_OK;

	NAME_CONSTRAINTS_free(limits);
	return allowed;
}

static bool in_its_time(const X509 *x, int64_t at)
{
	time_t t = (time_t)at;

	return X509_cmp_time(X509_get0_notBefore(x), &t) < 0 &&
	       X509_cmp_time(X509_get0_notAfter(x), &t) > 0;
}

static void chain_say(struct chain *c, enum chain_end end, const char *root, const char *why)
{
	c->end = end;
	c->why = why;
	(void)snprintf(c->root, sizeof(c->root), "%s", root);
}

/* x is the last certificate that was found, and nothing known is above it. */
static void chain_ends(X509 *x, bool bears_name, struct chain *ret)
{
	char name[CERTIFICATE_NAME_MAX];

	certificate_name(X509_get_issuer_name(x), name);
	if (bears_name)
		chain_say(ret, CHAIN_FOREIGN, name,
			  "the root that it names did not sign it: it bears a known name");
	else if (!X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)))
		chain_say(ret, CHAIN_FOREIGN, name, "its root is none of those known here");
	else
		chain_say(ret, CHAIN_UNKNOWN_ROOT, name,
			  "the certificate above its last one is not known here");
}

static void chain_climb(X509 *leaf, STACK_OF(X509) * with, uint32_t purpose, int64_t at,
			struct chain *ret)
{
	bool expired = false;
	X509 *x = leaf;

	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		bool bears_name = false;
		const struct root *root;
		const char *why = unfit(x, leaf, depth, purpose);
		X509 *up;

		if (!why && !names_allowed(x, leaf))
			why = "an authority on its way may not vouch for such a name";
		root = root_above(x, &bears_name);
		if (!why && over_md5(x) && !is_root(x, root))
			why = "a certificate on its way was signed over MD5, which can be forged";
		if (why) {
			char above[CERTIFICATE_NAME_MAX];

			certificate_name(X509_get_issuer_name(x), above);
			chain_say(ret, CHAIN_UNFIT, root ? root->name : above, why);
			return;
		}
		expired = expired || !in_its_time(x, at);
		if (root) {
			chain_say(ret, expired ? CHAIN_EXPIRED : CHAIN_TRUSTED, root->name,
				  expired ? "a certificate on its way was not in its time" : NULL);
			return;
		}
		up = issuer_of(x, with);
		if (!up || up == x || bears_name) {
			chain_ends(x, bears_name, ret);
			return;
		}
		x = up;
	}
	chain_say(ret, CHAIN_FOREIGN, "", "its certificates do not come to an end");
}

void chain_follow(X509 *leaf, STACK_OF(X509) * with, uint32_t purpose, int64_t at,
		  struct chain *ret)
{
	roots_load();
	memset(ret, 0, sizeof(*ret));
	chain_climb(leaf, with, purpose, at, ret);
	ERR_clear_error();
}
