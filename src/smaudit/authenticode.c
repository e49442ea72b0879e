/* SPDX-License-Identifier: MIT */
/*
 * authenticode.c - the certificate table of a PE image, and what each signature in it is worth
 *
 * Steps in order of what they prove: the file's digest is the one that was signed, the signer's
 * signature fits, a time stamp says when, the chain ends at a root known here. The first that fails
 * names the state. Bytes of the table that belong to no signature are counted: no digest covers
 * them, so they can be changed at will. The formats are those of Microsoft's published description.
 */
#include "smaudit/authenticode.h"

#include <errno.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define OID_SPC_INDIRECT  "1.3.6.1.4.1.311.2.1.4"
#define OID_NESTED        "1.3.6.1.4.1.311.2.4.1"
#define OID_SYSTEM        "1.3.6.1.4.1.311.10.3.6"  /* Windows System Component Verification */
#define OID_TCB           "1.3.6.1.4.1.311.10.3.23" /* Windows TCB Component */
#define OID_LIFETIME      "1.3.6.1.4.1.311.10.3.13" /* a time stamp does not prolong it */
#define ENTRY_PKCS_SIGNED 2
#define TABLE_MAX         (16u << 20)
#define READ_BYTES        (64u << 10)
#define DIGESTS_MAX       5

struct look {
	const struct image_source *source;
	const struct pe *pe;
	int64_t now;
	struct authenticode *to;
	struct {
		const char *name;
		uint8_t digest[EVP_MAX_MD_SIZE];
		unsigned bytes;
	} digest[DIGESTS_MAX]; /* of the file, by algorithm, as they are asked for */
	unsigned digests;
	int error; /* reading the file failed */
};

static int digest_ranges(const struct image_source *s, const struct pe *p, EVP_MD_CTX *ctx)
{
	struct pe_range range[PE_RANGES_MAX];
	unsigned n = pe_covered(p, s, range);
	static const uint8_t zeros[8];
	uint8_t *buffer = malloc(READ_BYTES);
	uint64_t sum = 0;
	int r = buffer ? 0 : -ENOMEM;

	for (unsigned i = 0; i < n && r == 0; i++) {
		for (uint64_t at = range[i].from; at < range[i].to && r == 0;) {
			uint64_t left = range[i].to - at;
			size_t k = left < READ_BYTES ? (size_t)left : READ_BYTES;

			r = source_read(s, at, buffer, k);
			if (r == 0 && EVP_DigestUpdate(ctx, buffer, k) != 1)
				r = -ENOMEM;
			at += k;
		}
		sum = range[i].to;
	}
	/* a file is padded when its table is put behind it; one that has none yet, here */
	if (r == 0 && !p->certificates_bytes && sum % 8 &&
	    EVP_DigestUpdate(ctx, zeros, 8 - sum % 8) != 1)
		r = -ENOMEM;
	free(buffer);
	return r;
}

int authenticode_digest(const struct image_source *s, const struct pe *p, const char *algorithm,
			uint8_t *ret_digest, unsigned *ret_bytes)
{
	const EVP_MD *md = EVP_get_digestbyname(algorithm);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int r = ctx && md && EVP_DigestInit_ex(ctx, md, NULL) == 1 ? 0 : -ENOMEM;

	if (r == 0)
		r = digest_ranges(s, p, ctx);
	if (r == 0 && EVP_DigestFinal_ex(ctx, ret_digest, ret_bytes) != 1)
		r = -ENOMEM;
	EVP_MD_CTX_free(ctx);
	return r;
}

/* Is the file's digest this one? Each algorithm reads the file once. */
static bool digest_is(struct look *l, const char *name, const uint8_t *said, unsigned n)
{
	unsigned i = 0;

	while (i < l->digests && strcmp(l->digest[i].name, name))
		i++;
	if (i == l->digests) {
		if (i == DIGESTS_MAX)
			return false;
		l->error = authenticode_digest(l->source, l->pe, name, l->digest[i].digest,
					       &l->digest[i].bytes);
		if (l->error < 0)
			return false;
		l->digest[i].name = name;
		l->digests++;
	}
	return l->digest[i].bytes == n && !memcmp(l->digest[i].digest, said, n);
}

static bool oid_is(const ASN1_OBJECT *o, const char *dotted)
{
	char text[64];
	int n = OBJ_obj2txt(text, sizeof(text), o, 1);

	return n > 0 && (size_t)n < sizeof(text) && !strcmp(text, dotted);
}

/* The bytes inside of a SEQUENCE's head; NULL when they are not inside of the given ones. */
static const uint8_t *inside(const uint8_t *p, long n, long *ret_n)
{
	const uint8_t *at = p;
	int tag = 0, class = 0, how = ASN1_get_object(&at, ret_n, &tag, &class, n);

	if (how & 0x80 || how & 1 || tag != V_ASN1_SEQUENCE || class != V_ASN1_UNIVERSAL ||
	    *ret_n > n - (at - p))
		return NULL;
	return at;
}

/* SpcIndirectDataContent: what it is of is skipped, then a DigestInfo. */
static X509_SIG *digest_info(const uint8_t *content, size_t n)
{
	const uint8_t *p = content, *of;
	long left = (long)n, of_n = 0;

	of = inside(p, left, &of_n);
	if (!of)
		return NULL;
	p = of + of_n;
	left -= p - content;
	return d2i_X509_SIG(NULL, &p, left);
}

static bool has_purpose(X509 *x, const char *const *dotted, unsigned count)
{
	EXTENDED_KEY_USAGE *all = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	bool has = false;

	for (int i = 0; all && i < sk_ASN1_OBJECT_num(all) && !has; i++)
		for (unsigned k = 0; k < count && !has; k++)
			has = oid_is(sk_ASN1_OBJECT_value(all, i), dotted[k]);
	EXTENDED_KEY_USAGE_free(all);
	return has;
}

static void judge_chain(struct look *l, unsigned at, PKCS7 *p7, PKCS7_SIGNER_INFO *si, X509 *signer)
{
	static const char *const system[] = {OID_SYSTEM, OID_TCB}, *const lifetime[] = {
									   OID_LIFETIME};
	static const enum signature_state states[] = {
		[CHAIN_TRUSTED] = SIGNATURE_TRUSTED,
		[CHAIN_FOREIGN] = SIGNATURE_UNTRUSTED,
		[CHAIN_UNKNOWN_ROOT] = SIGNATURE_UNKNOWN_ROOT,
		[CHAIN_UNFIT] = SIGNATURE_UNTRUSTED,
		[CHAIN_EXPIRED] = SIGNATURE_EXPIRED,
	};
	struct image_signature *g = &l->to->signature[at];
	const char *stamp_why = NULL;
	int64_t when = l->now;
	struct chain c;

	g->system_eku = has_purpose(signer, system, 2);
	if (stamp_read(si, p7->d.sign->cert, &g->stamped_ns, &stamp_why) &&
	    !has_purpose(signer, lifetime, 1))
		when = g->stamped_ns / 1000000000;
	chain_follow(signer, p7->d.sign->cert, XKU_CODE_SIGN, when, &c);
	g->state = states[c.end];
	g->why = c.end == CHAIN_EXPIRED && stamp_why ? stamp_why : c.why;
	g->microsoft_root = c.end == CHAIN_TRUSTED || c.end == CHAIN_EXPIRED;
	memcpy(l->to->name[at].root, c.root, sizeof(c.root));
}

static void say(struct image_signature *g, enum signature_state state, const char *why)
{
	g->state = state;
	g->why = why;
}

/* Names of the signer, also when its signature is found wrong later. */
static void name_signer(struct look *l, unsigned at, PKCS7 *p7, PKCS7_SIGNER_INFO *si)
{
	X509 *x = NULL;

	if (si->issuer_and_serial && p7->d.sign->cert)
		x = X509_find_by_issuer_and_serial(p7->d.sign->cert, si->issuer_and_serial->issuer,
						   si->issuer_and_serial->serial);
	if (!x)
		return;
	certificate_name(X509_get_subject_name(x), l->to->name[at].signer);
	certificate_name(X509_get_issuer_name(x), l->to->name[at].issuer);
}

static bool over_md5(const X509_ALGOR *a)
{
	return OBJ_obj2nid(a->algorithm) == NID_md5;
}

static void judge_signature(struct look *l, unsigned at, PKCS7 *p7, PKCS7_SIGNER_INFO *si,
			    const ASN1_STRING *sequence)
{
	struct image_signature *g = &l->to->signature[at];
	const ASN1_OCTET_STRING *said = NULL;
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *oid = NULL;
	const EVP_MD *md = NULL;
	X509 *signer = NULL;
	long n = 0;
	const uint8_t *content =
		inside(ASN1_STRING_get0_data(sequence), ASN1_STRING_length(sequence), &n);
	X509_SIG *info = content ? digest_info(content, (size_t)n) : NULL;
	int r;

	if (info) {
		X509_SIG_get0(info, &algorithm, &said);
		X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
		md = EVP_get_digestbyobj(oid);
		g->digest = md ? digest_name(md) : NULL;
	}
	if (!g->digest) {
		say(g, SIGNATURE_MALFORMED, "its digest cannot be read");
	} else if (!digest_is(l, g->digest, ASN1_STRING_get0_data(said),
			      (unsigned)ASN1_STRING_length(said))) {
		say(g, SIGNATURE_MISMATCH, "the file's digest is not the one that was signed");
	} else {
		r = signer_check(si, p7->d.sign->cert, content, (size_t)n, &signer, &g->why);
		if (r == 0 && (over_md5(si->digest_alg) || over_md5(algorithm)))
			say(g, SIGNATURE_UNTRUSTED, "it was signed over MD5, which can be forged");
		else if (r == 0)
			judge_chain(l, at, p7, si, signer);
		else
			g->state = r == -EKEYREJECTED ? SIGNATURE_MISMATCH : SIGNATURE_MALFORMED;
	}
	X509_SIG_free(info);
}

static void look_at(struct look *l, PKCS7 *p7, bool nested);

static void look_nested(struct look *l, PKCS7_SIGNER_INFO *si)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_NESTED, 1);
	int at = oid && si->unauth_attr ? X509at_get_attr_by_OBJ(si->unauth_attr, oid, -1) : -1;
	X509_ATTRIBUTE *a = at < 0 ? NULL : X509at_get_attr(si->unauth_attr, at);
	int n = a ? X509_ATTRIBUTE_count(a) : 0;

	for (int i = 0; i < n && l->to->signatures < IMAGE_SIGNATURES_MAX; i++) {
		ASN1_TYPE *t = X509_ATTRIBUTE_get0_type(a, i);
		const uint8_t *p;
		PKCS7 *p7;

		if (!t || t->type != V_ASN1_SEQUENCE)
			continue;
		p = ASN1_STRING_get0_data(t->value.sequence);
		p7 = d2i_PKCS7(NULL, &p, ASN1_STRING_length(t->value.sequence));
		look_at(l, p7, true);
		PKCS7_free(p7);
	}
	ASN1_OBJECT_free(oid);
}

/* One SignedData, NULL = it could not be read; and, unless it is nested itself, those inside. */
static void look_at(struct look *l, PKCS7 *p7, bool nested)
{
	unsigned at = l->to->signatures++;
	struct image_signature *g = &l->to->signature[at];
	STACK_OF(PKCS7_SIGNER_INFO) * signers;
	PKCS7 *content;

	*g = (struct image_signature){.nested = nested, .stamped_ns = NO_TIME};
	content = p7 && PKCS7_type_is_signed(p7) && p7->d.sign ? p7->d.sign->contents : NULL;
	if (!content || !oid_is(content->type, OID_SPC_INDIRECT) || !content->d.other ||
	    content->d.other->type != V_ASN1_SEQUENCE) {
		say(g, SIGNATURE_MALFORMED, "it is no signature of an image");
		return;
	}
	signers = PKCS7_get_signer_info(p7);
	if (!signers || sk_PKCS7_SIGNER_INFO_num(signers) != 1) {
		say(g, SIGNATURE_MALFORMED, "it has not exactly one signer");
		return;
	}
	name_signer(l, at, p7, sk_PKCS7_SIGNER_INFO_value(signers, 0));
	judge_signature(l, at, p7, sk_PKCS7_SIGNER_INFO_value(signers, 0),
			content->d.other->value.sequence);
	if (!nested)
		look_nested(l, sk_PKCS7_SIGNER_INFO_value(signers, 0));
}

static bool all_zero(const uint8_t *p, size_t n)
{
	while (n && !*p)
		p++, n--;
	return !n;
}

static bool any_read(const struct authenticode *a)
{
	for (unsigned i = 0; i < a->signatures; i++)
		if (a->signature[i].state != SIGNATURE_MALFORMED)
			return true;
	return false;
}

static void walk_table(struct look *l, const uint8_t *table, size_t n)
{
	size_t at = 0, unreadable = 0;

	while (n - at >= 8 && l->to->signatures < IMAGE_SIGNATURES_MAX) {
		uint32_t length = get_le32(table + at);
		const uint8_t *from = table + at + 8, *p = from;
		size_t room, used;

		if (length < 8 || length > n - at)
			break;
		room = length - 8;
		if (get_le16(table + at + 6) == ENTRY_PKCS_SIGNED) {
			PKCS7 *p7 = d2i_PKCS7(NULL, &p, (long)room);
			unsigned before = l->to->signatures;

			look_at(l, p7, false);
			if (l->to->signature[before].state == SIGNATURE_MALFORMED)
				unreadable += length;
			used = p7 ? (size_t)(p - from) : room;
			PKCS7_free(p7);
			/* up to 7 zeros fill an entry up: they are no place to hide anything */
			if (room - used > 7 || !all_zero(from + used, room - used))
				l->to->slack_bytes += room - used;
		} else {
			l->to->slack_bytes += length;
		}
		at += length;
		at += at % 8 && n - at >= 8 - at % 8 ? 8 - at % 8 : 0;
	}
	if (n - at > 7 || !all_zero(table + at, n - at))
		l->to->slack_bytes += n - at;
	/* beside a signature that can be read one that cannot is a place to hide something */
	if (any_read(l->to))
		l->to->slack_bytes += unreadable;
	if (!l->to->signatures)
		l->to->malformed = "its certificate table holds no signature that can be read";
}

int authenticode_read(const struct image_source *s, const struct pe *p, int64_t now,
		      struct authenticode *ret)
{
	struct look l = {.source = s, .pe = p, .now = now, .to = ret};
	uint8_t *table;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!p->certificates_bytes)
		return 0;
	if (p->certificates_bytes > TABLE_MAX ||
	    (uint64_t)p->certificates_at + p->certificates_bytes > s->bytes) {
		ret->malformed = "its certificate table lies past its end, or is too large";
		return 0;
	}
	table = malloc(p->certificates_bytes);
	if (!table)
		return -ENOMEM;
	r = source_read(s, p->certificates_at, table, p->certificates_bytes);
	if (r == 0) {
		walk_table(&l, table, p->certificates_bytes);
		r = l.error;
	}
	free(table);
	ERR_clear_error();
	for (unsigned i = 0; i < ret->signatures; i++) {
		struct image_signature *g = &ret->signature[i];

		g->signer = *ret->name[i].signer ? ret->name[i].signer : NULL;
		g->issuer = *ret->name[i].issuer ? ret->name[i].issuer : NULL;
		g->root = *ret->name[i].root ? ret->name[i].root : NULL;
	}
	return r;
}
