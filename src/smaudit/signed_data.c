/* SPDX-License-Identifier: MIT */
/*
 * signed_data.c - one signer of a PKCS#7 SignedData: does its signature fit the content?
 *
 * The same three steps hold for a signature, for an RFC 3161 token and for a PKCS#9
 * countersignature: the content's digest stands in the signed attributes, the attributes are what
 * was signed, and the certificate that signed came along. Whether that certificate means anything
 * is chain.c's question.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

#include "smaudit/certificates.h"

void certificate_name(const X509_NAME *name, char ret[CERTIFICATE_NAME_MAX])
{
	static const int nids[] = {NID_commonName, NID_organizationalUnitName,
				   NID_organizationName};

	ret[0] = 0;
	for (unsigned i = 0; i < sizeof(nids) / sizeof(*nids) && !*ret; i++) {
		int at = X509_NAME_get_index_by_NID(name, nids[i], -1), n;
		unsigned char *utf8 = NULL;

		if (at < 0)
			continue;
		n = ASN1_STRING_to_UTF8(&utf8,
					X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
		/* one with a NUL inside names somebody else to everyone who stops there */
		if (n > 0 && n < CERTIFICATE_NAME_MAX && !memchr(utf8, 0, (size_t)n)) {
			memcpy(ret, utf8, (size_t)n);
			ret[n] = 0;
		}
		OPENSSL_free(utf8);
	}
}

const char *digest_name(const EVP_MD *md)
{
	switch (EVP_MD_get_type(md)) {
	case NID_md5:
		return "md5";
	case NID_sha1:
		return "sha1";
	case NID_sha256:
		return "sha256";
	case NID_sha384:
		return "sha384";
	case NID_sha512:
		return "sha512";
	default:
		return NULL;
	}
}

static int refuse(int r, const char *why, const char **ret_why)
{
	*ret_why = why;
	return r;
}

/* The signature over the attributes as they are encoded for signing: as a SET. */
static bool attributes_fit(PKCS7_SIGNER_INFO *si, const EVP_MD *md, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int n = ASN1_item_i2d((const ASN1_VALUE *)si->auth_attr, &der,
			      ASN1_ITEM_rptr(PKCS7_ATTR_VERIFY));
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool fits =
		n > 0 && ctx && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
		EVP_DigestVerify(ctx, ASN1_STRING_get0_data(si->enc_digest),
				 (size_t)ASN1_STRING_length(si->enc_digest), der, (size_t)n) == 1;

	EVP_MD_CTX_free(ctx);
	OPENSSL_free(der);
	return fits;
}

static bool content_fits(PKCS7_SIGNER_INFO *si, const EVP_MD *md, const uint8_t *content, size_t n)
{
	const ASN1_OCTET_STRING *said = PKCS7_digest_from_attributes(si->auth_attr);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned bytes = 0;

	return said && EVP_Digest(content, n, digest, &bytes, md, NULL) == 1 &&
	       ASN1_STRING_length(said) == (int)bytes &&
	       !memcmp(ASN1_STRING_get0_data(said), digest, bytes);
}

int signer_check(PKCS7_SIGNER_INFO *si, STACK_OF(X509) * with, const uint8_t *content, size_t n,
		 X509 **ret_signer, const char **ret_why)
{
	const EVP_MD *md;
	EVP_PKEY *key;
	X509 *signer;

	if (!si->issuer_and_serial || !si->digest_alg || !si->enc_digest || !si->auth_attr)
		return refuse(-EBADMSG, "its signer's entry is incomplete", ret_why);
	md = EVP_get_digestbyobj(si->digest_alg->algorithm);
	if (!md || !digest_name(md))
		return refuse(-EBADMSG, "its digest is of a kind that is not known", ret_why);
	signer = with ? X509_find_by_issuer_and_serial(with, si->issuer_and_serial->issuer,
						       si->issuer_and_serial->serial)
		      : NULL;
	if (!signer)
		return refuse(-ENOKEY, "its signer's certificate is not in it", ret_why);
	key = X509_get0_pubkey(signer);
	if (!key)
		return refuse(-EBADMSG, "its signer's key is of a kind that is not known", ret_why);
	if (!content_fits(si, md, content, n))
		return refuse(-EKEYREJECTED, "what was signed is not its content", ret_why);
	if (!attributes_fit(si, md, key))
		return refuse(-EKEYREJECTED, "the signature is not the signer's", ret_why);
	*ret_signer = signer;
	return 0;
}
