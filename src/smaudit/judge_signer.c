/* SPDX-License-Identifier: MIT */
/*
 * judge_signer.c - is one of an image's signatures that of Windows' own files?
 *
 * A signature that is right proves who signed; who may sign the session manager is said here: under
 * the vendor's roots, the signer of Windows itself and not of the vendor's products, with a
 * certificate for components of Windows. A chain whose end is not known here is neither, unless its
 * names already rule it out.
 */
#include "smaudit/judge_image.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

bool is_one_of(const char *text, const char *const *names, unsigned count)
{
	for (unsigned i = 0; text && i < count; i++)
		if (str_same_fold(text, names[i]))
			return true;
	return false;
}

const char *signature_state_text(enum signature_state state)
{
	static const char *const texts[] = {
		[SIGNATURE_UNCHECKED] = "not checked",
		[SIGNATURE_NONE] = "none embedded",
		[SIGNATURE_MALFORMED] = "malformed",
		[SIGNATURE_MISMATCH] = "mismatch",
		[SIGNATURE_UNTRUSTED] = "untrusted",
		[SIGNATURE_EXPIRED] = "expired, not time-stamped",
		[SIGNATURE_TRUSTED] = "trusted",
		[SIGNATURE_CATALOGUED] = "in the signed catalogue",
		[SIGNATURE_UNKNOWN_ROOT] = "root not known here",
	};

	return (unsigned)state < sizeof(texts) / sizeof(*texts) ? texts[state] : "not checked";
}

static bool windows_signer(const char *cn)
{
	static const char *const names[] = {"Microsoft Windows", "Microsoft Windows Publisher"};

	return is_one_of(cn, names, 2);
}

/* The authorities that sign Windows' own files; "Microsoft Code Signing PCA" signs products. */
static bool windows_issuer(const char *cn)
{
	return cn && strstr(cn, "PCA") &&
	       (str_starts(cn, "Microsoft Windows ") || str_starts(cn, "Windows Production PCA"));
}

static void badly(struct signature_verdict *v, enum indicator_id rule, enum severity severity)
{
	v->weight = SIGNED_BADLY;
	v->rule = rule;
	v->severity = severity;
}

static const char *cn_text(const char *cn)
{
	return cn ? cn : "(no name)";
}

/* Who signed it, when the signature as such is right. */
static void weigh_signer(const struct image_signature *s, struct signature_verdict *v)
{
	if (!windows_signer(s->signer)) {
		badly(v, INDICATOR_WRONG_SIGNER, SEVERITY_HIGH);
		(void)snprintf(v->what, sizeof(v->what),
			       "it is signed by \"%s\", who does not sign Windows' own files",
			       cn_text(s->signer));
	} else if (!windows_issuer(s->issuer)) {
		badly(v, INDICATOR_WRONG_SIGNER, SEVERITY_HIGH);
		(void)snprintf(v->what, sizeof(v->what),
			       "its signer's certificate is of \"%s\", who does not issue those of "
			       "Windows' own files",
			       cn_text(s->issuer));
	} else if (!s->system_eku) {
		badly(v, INDICATOR_WRONG_SIGNER, SEVERITY_MEDIUM);
		(void)snprintf(v->what, sizeof(v->what),
			       "its signer's certificate is not for components of Windows");
	} else {
		v->weight = SIGNED_WELL;
	}
}

static void weigh_unknown_root(const struct image_signature *s, struct signature_verdict *v)
{
	weigh_signer(s, v);
	if (v->weight == SIGNED_BADLY)
		return;
	if (!s->root || !str_starts(s->root, "Microsoft ")) {
		badly(v, INDICATOR_WRONG_SIGNER, SEVERITY_HIGH);
		(void)snprintf(
			v->what, sizeof(v->what),
			"its certificates lead to \"%s\", which is none of Microsoft's roots",
			cn_text(s->root));
		return;
	}
	v->weight = SIGNED_OPEN;
	v->rule = INDICATOR_WRONG_SIGNER;
	v->missing = "the certificate above its last one (give it with --roots)";
	(void)snprintf(v->what, sizeof(v->what),
		       "its certificates lead to \"%s\", which is not known here", s->root);
}

static void weigh(const struct image_signature *s, struct signature_verdict *v)
{
	*v = (struct signature_verdict){.weight = SIGNED_WELL};
	switch (s->state) {
	case SIGNATURE_TRUSTED:
		weigh_signer(s, v);
		return;
	case SIGNATURE_UNKNOWN_ROOT:
		weigh_unknown_root(s, v);
		return;
	case SIGNATURE_EXPIRED:
		weigh_signer(s, v);
		if (v->weight == SIGNED_BADLY)
			return;
		badly(v, INDICATOR_UNSIGNED_IMAGE, SEVERITY_MEDIUM);
		(void)snprintf(v->what, sizeof(v->what),
			       "its signature has expired, and no time stamp that is trusted here "
			       "says that it was made in time");
		return;
	case SIGNATURE_UNTRUSTED:
		badly(v, INDICATOR_WRONG_SIGNER, SEVERITY_HIGH);
		(void)snprintf(v->what, sizeof(v->what),
			       "its signature by \"%s\" cannot be relied on: %s",
			       cn_text(s->signer), s->why ? s->why : "its root is not known here");
		return;
	default:
		badly(v, INDICATOR_UNSIGNED_IMAGE, SEVERITY_HIGH);
		(void)snprintf(v->what, sizeof(v->what), "its signature cannot be read: %s",
			       s->why ? s->why : signature_state_text(s->state));
		return;
	}
}

/* One good signature is enough (mismatches were told before); else the first one speaks. */
void signature_weigh(const struct image_fact *f, struct signature_verdict *ret)
{
	weigh(&f->signature[0], ret);
	for (unsigned i = 1; i < f->signatures && ret->weight != SIGNED_WELL; i++) {
		struct signature_verdict other;

		weigh(&f->signature[i], &other);
		if (other.weight < ret->weight)
			*ret = other;
	}
}

bool signature_mismatched(const struct image_fact *f)
{
	for (unsigned i = 0; i < f->signatures; i++)
		if (f->signature[i].state == SIGNATURE_MISMATCH)
			return true;
	return false;
}

bool signature_trusted(const struct image_fact *f)
{
	for (unsigned i = 0; i < f->signatures; i++)
		if (f->signature[i].state == SIGNATURE_TRUSTED ||
		    f->signature[i].state == SIGNATURE_CATALOGUED)
			return !signature_mismatched(f);
	return false;
}
