/* SPDX-License-Identifier: MIT */
/*
 * countersignature.c - when a signature was made, as a time-stamping authority says
 *
 * Two forms are about: the PKCS#9 countersignature (a signer's entry over the signature's own
 * bytes) and the RFC 3161 token (a SignedData of its own whose TSTInfo holds a digest of them). A
 * time counts only when the authority's chain is as good as a signer's must be; else it is no time
 * at all, for the signer could have written it himself.
 */
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/ts.h>
#include <string.h>
#include <time.h>

#include "smaudit/certificates.h"

#define OID_RFC3161 "1.3.6.1.4.1.311.3.3.1"

static bool seconds_of(const ASN1_TIME *t, int64_t *ret)
{
	struct tm tm;

	if (!t || ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*ret = (int64_t)timegm(&tm);
	return true;
}

/* The attribute's value when it is one SEQUENCE. */
static const ASN1_STRING *attribute(PKCS7_SIGNER_INFO *si, ASN1_OBJECT *oid)
{
	int at = si->unauth_attr ? X509at_get_attr_by_OBJ(si->unauth_attr, oid, -1) : -1;
	ASN1_TYPE *t =
		at < 0 ? NULL : X509_ATTRIBUTE_get0_type(X509at_get_attr(si->unauth_attr, at), 0);

	return t && t->type == V_ASN1_SEQUENCE ? t->value.sequence : NULL;
}

static bool authority_trusted(X509 *signer, STACK_OF(X509) * with, int64_t at, const char **ret_why)
{
	struct chain c;

	chain_follow(signer, with, XKU_TIMESTAMP, at, &c);
	if (c.end != CHAIN_TRUSTED)
		*ret_why = "its time stamp's authority is not trusted here";
	return c.end == CHAIN_TRUSTED;
}

static bool legacy_stamp(PKCS7_SIGNER_INFO *si, const ASN1_STRING *der, STACK_OF(X509) * with,
			 int64_t *ret_s, const char **ret_why)
{
	const uint8_t *p = ASN1_STRING_get0_data(der);
	PKCS7_SIGNER_INFO *stamp = d2i_PKCS7_SIGNER_INFO(NULL, &p, ASN1_STRING_length(der));
	ASN1_TYPE *when;
	X509 *signer = NULL;
	bool good = false;

	*ret_why = "its time stamp cannot be read";
	if (!stamp)
		return false;
	when = PKCS7_get_signed_attribute(stamp, NID_pkcs9_signingTime);
	if (when && (when->type == V_ASN1_UTCTIME || when->type == V_ASN1_GENERALIZEDTIME) &&
	    seconds_of((const ASN1_TIME *)when->value.asn1_string, ret_s) &&
	    signer_check(stamp, with, ASN1_STRING_get0_data(si->enc_digest),
			 (size_t)ASN1_STRING_length(si->enc_digest), &signer, ret_why) == 0)
		good = authority_trusted(signer, with, *ret_s, ret_why);
	PKCS7_SIGNER_INFO_free(stamp);
	return good;
}

/* Is the token over this signature, and of which time? */
static bool token_fits(TS_TST_INFO *info, PKCS7_SIGNER_INFO *si, int64_t *ret_s)
{
	TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
	const ASN1_OCTET_STRING *said = TS_MSG_IMPRINT_get_msg(imprint);
	const EVP_MD *md = EVP_get_digestbyobj(TS_MSG_IMPRINT_get_algo(imprint)->algorithm);
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	return said && md && digest_name(md) &&
	       EVP_Digest(ASN1_STRING_get0_data(si->enc_digest),
			  (size_t)ASN1_STRING_length(si->enc_digest), digest, &n, md, NULL) == 1 &&
	       ASN1_STRING_length(said) == (int)n &&
	       !memcmp(ASN1_STRING_get0_data(said), digest, n) &&
	       seconds_of(TS_TST_INFO_get_time(info), ret_s);
}

/* The certificate of the token's only signer, whose signature over the content fits; else NULL. */
static X509 *token_signer(CMS_ContentInfo *token, STACK_OF(X509) * with, const ASN1_STRING *content)
{
	STACK_OF(CMS_SignerInfo) *signers = CMS_get0_SignerInfos(token);
	CMS_SignerInfo *si;
	X509_ALGOR *algorithm = NULL;
	const ASN1_OCTET_STRING *said;
	const EVP_MD *md;
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!signers || sk_CMS_SignerInfo_num(signers) != 1)
		return NULL;
	si = sk_CMS_SignerInfo_value(signers, 0);
	CMS_SignerInfo_get0_algs(si, NULL, NULL, &algorithm, NULL);
	md = algorithm ? EVP_get_digestbyobj(algorithm->algorithm) : NULL;
	said = CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_messageDigest), -3,
					   V_ASN1_OCTET_STRING);
	if (!md || !digest_name(md) || !said ||
	    EVP_Digest(ASN1_STRING_get0_data(content), (size_t)ASN1_STRING_length(content), digest,
		       &n, md, NULL) != 1 ||
	    ASN1_STRING_length(said) != (int)n || memcmp(ASN1_STRING_get0_data(said), digest, n))
		return NULL;
	for (int i = 0; with && i < sk_X509_num(with); i++) {
		X509 *x = sk_X509_value(with, i);

		if (CMS_SignerInfo_cert_cmp(si, x))
			continue;
		CMS_SignerInfo_set1_signer_cert(si, x);
		return CMS_SignerInfo_verify(si) == 1 ? x : NULL;
	}
	return NULL;
}

static bool token_good(CMS_ContentInfo *token, PKCS7_SIGNER_INFO *si, int64_t *ret_s,
		       const char **ret_why)
{
	ASN1_OCTET_STRING **content;
	STACK_OF(X509) * with;
	TS_TST_INFO *info;
	const uint8_t *p;
	X509 *signer;
	bool good;

	if (OBJ_obj2nid(CMS_get0_type(token)) != NID_pkcs7_signed ||
	    OBJ_obj2nid(CMS_get0_eContentType(token)) != NID_id_smime_ct_TSTInfo)
		return false;
	content = CMS_get0_content(token);
	if (!content || !*content)
		return false;
	p = ASN1_STRING_get0_data(*content);
	info = d2i_TS_TST_INFO(NULL, &p, ASN1_STRING_length(*content));
	good = info && token_fits(info, si, ret_s);
	TS_TST_INFO_free(info);
	if (!good) {
		*ret_why = "its time stamp belongs to another signature";
		return false;
	}
	with = CMS_get1_certs(token);
	signer = token_signer(token, with, *content);
	if (!signer)
		*ret_why = "its time stamp is not its authority's";
	good = signer && authority_trusted(signer, with, *ret_s, ret_why);
	sk_X509_pop_free(with, X509_free);
	return good;
}

/* Read as CMS: tokens carry attribute certificates, which PKCS#7 has no place for. */
static bool token_stamp(PKCS7_SIGNER_INFO *si, const ASN1_STRING *der, int64_t *ret_s,
			const char **ret_why)
{
	const uint8_t *p = ASN1_STRING_get0_data(der);
	CMS_ContentInfo *token = d2i_CMS_ContentInfo(NULL, &p, ASN1_STRING_length(der));
	bool good;

	*ret_why = "its time stamp cannot be read";
	good = token && token_good(token, si, ret_s, ret_why);
	CMS_ContentInfo_free(token);
	return good;
}

bool stamp_read(PKCS7_SIGNER_INFO *si, STACK_OF(X509) * with, int64_t *ret_ns, const char **ret_why)
{
	ASN1_OBJECT *rfc3161 = OBJ_txt2obj(OID_RFC3161, 1);
	const ASN1_STRING *token = rfc3161 ? attribute(si, rfc3161) : NULL;
	const ASN1_STRING *legacy = attribute(si, OBJ_nid2obj(NID_pkcs9_countersignature));
	int64_t seconds = 0;
	bool good = false;

	*ret_why = NULL;
	ASN1_OBJECT_free(rfc3161);
	if (token)
		good = token_stamp(si, token, &seconds, ret_why);
	if (!good && legacy)
		good = legacy_stamp(si, legacy, with, &seconds, ret_why);
	if (seconds < 0 || seconds > INT64_MAX / 1000000000)
		good = false;
	if (good) {
		*ret_ns = seconds * 1000000000;
		*ret_why = NULL;
	}
	ERR_clear_error();
	return good;
}
