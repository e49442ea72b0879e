/* SPDX-License-Identifier: MIT */
/*
 * judge_identity.c - what a source says of an image's names and signature, and names that imitate
 *
 * Version fields and signatures are taken as the source tells them: a field it does not tell
 * decides nothing. Names are judged with their place: an honest neighbour where programs live is
 * only noted.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "smaudit/world.h"

static bool is_told(const char *s)
{
	return s && *s && !str_same(s, "-") && !str_same(s, "?");
}

static bool among(const char *s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!strcasecmp(s, list[i]))
			return true;
	}
	return false;
}

static bool is_trusted(const char *signature)
{
	static const char *const good[] = {"trusted", "valid", "true", "1", "signed", "ok", "yes"};

	return among(signature, good, ARRAY_SIZE(good));
}

static bool is_system_signer(const char *signer)
{
	static const char *const good[] = {"Microsoft Windows", "Microsoft Windows Publisher"};

	return among(signer, good, ARRAY_SIZE(good));
}

/* smss.exe and smss.exe.mui are both the genuine file's own. */
static bool is_own_name(const char *base, const char *original)
{
	size_t n = strlen(base);

	return !strncasecmp(original, base, n) &&
	       (!original[n] || !strcasecmp(original + n, ".mui"));
}

bool identity_doubtful(const struct process_fact *f)
{
	const char *base = f->image && *path_base(f->image) ? path_base(f->image) : f->name;

	return (base && is_told(f->original_name) && !is_own_name(base, f->original_name)) ||
	       (is_told(f->signature) && !is_trusted(f->signature)) ||
	       (is_told(f->signer) && !is_system_signer(f->signer));
}

static void tell(struct world *w, const struct instance *i, enum indicator_id rule,
		 const char *what)
{
	struct telling t;

	telling_of(&t, i, rule);
	t.f.what = what;
	finding_add(&t.f, "original-name", i->text[TEXT_ORIGINAL]);
	finding_add(&t.f, "company", i->text[TEXT_COMPANY]);
	finding_add(&t.f, "signature", i->text[TEXT_SIGNATURE]);
	finding_add(&t.f, "signer", i->text[TEXT_SIGNER]);
	report_add(w->report, &t.f);
}

static void judge_names(struct world *w, const struct instance *i)
{
	const char *original = i->text[TEXT_ORIGINAL], *internal = i->text[TEXT_INTERNAL];
	const char *company = i->text[TEXT_COMPANY];
	const char *name = instance_name(i);

	if (i->is & (IS_SMSS | IS_CORE)) {
		if (is_told(original) && !is_own_name(name, original))
			tell(w, i, INDICATOR_IDENTITY_MISMATCH,
			     "The image's own original name is another one: it was renamed.");
		else if ((i->is & IS_SMSS) && is_told(internal) && !is_own_name(name, internal))
			tell(w, i, INDICATOR_IDENTITY_MISMATCH,
			     "The image's own internal name is another one.");
		else if (is_told(company) && !str_same_fold(company, "Microsoft Corporation"))
			tell(w, i, INDICATOR_IDENTITY_MISMATCH,
			     "The image's version resource names another company.");
	} else if (is_told(original) && is_own_name("smss.exe", original)) {
		tell(w, i, INDICATOR_IDENTITY_MISMATCH,
		     "By its own original name it is the session manager's image, under another "
		     "name.");
	}
}

void judge_identity(struct world *w, const struct instance *i)
{
	const char *signature = i->text[TEXT_SIGNATURE], *signer = i->text[TEXT_SIGNER];

	if (i->system == SYSTEM_LINUX)
		return;
	judge_names(w, i);
	if (!(i->is & (IS_SMSS | IS_CORE)))
		return;
	if ((i->is & IS_SMSS) && i->boot->host->signatures)
		undecided(i, INDICATOR_UNSIGNED_IMAGE, is_told(signature) ? NULL : "signature");
	if (is_told(signature) && !is_trusted(signature))
		tell(w, i, INDICATOR_UNSIGNED_IMAGE,
		     "The source says that its signature is not valid.");
	else if (is_told(signer) && !is_system_signer(signer))
		tell(w, i, INDICATOR_WRONG_SIGNER, "Its signer is not the one of Windows itself.");
}

/* ---- names that imitate ---- */

enum area { AREA_UNKNOWN, AREA_WINDOWS, AREA_PROGRAMS, AREA_ELSEWHERE };

static enum area area_of(const struct world *w, const struct instance *i)
{
	static const char *const ours[] = {"/usr/", "/opt/", "/bin/", "/sbin/", "/lib/", "/snap/"};
	const char *image = i->text[TEXT_IMAGE];
	struct windows_path p;
	const char *at;

	if (!image || path_base(image) == image)
		return AREA_UNKNOWN;
	for (unsigned n = 0; n < ARRAY_SIZE(ours) && i->system == SYSTEM_LINUX; n++) {
		if (str_starts(image, ours[n]) && !strstr(image, " (deleted)"))
			return AREA_PROGRAMS;
	}
	if (i->system == SYSTEM_LINUX)
		return AREA_ELSEWHERE;
	path_windows(image, w->root, &p);
	if (p.unc)
		return AREA_ELSEWHERE;
	at = p.device ? strchr(p.text + strlen("\\device\\"), '\\') : strchr(p.text, '\\');
	if (!at)
		return AREA_UNKNOWN;
	if (str_starts(at, "\\program files\\") || str_starts(at, "\\program files (x86)\\"))
		return AREA_PROGRAMS;
	if (str_starts(at, "\\windows\\system32\\") || str_starts(at, "\\windows\\syswow64\\") ||
	    str_starts(at, "\\windows\\winsxs\\") || str_starts(at, "\\windows\\systemapps\\") ||
	    str_starts(at, "\\windows\\microsoft.net\\"))
		return AREA_WINDOWS;
	return AREA_ELSEWHERE;
}

/* How grave; false = not worth a word. */
static bool severity_of(const struct world *w, const struct instance *i,
			const struct name_verdict *v, enum severity *ret)
{
	enum area area = area_of(w, i);
	bool is_signed = i->text[TEXT_SIGNATURE] && is_trusted(i->text[TEXT_SIGNATURE]);

	switch (v->kind) {
	case NAME_HIDDEN:
	case NAME_CONFUSABLE:
	case NAME_DOUBLE_EXTENSION:
		*ret = v->of ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		return true;
	case NAME_NEIGHBOUR:
		*ret = area == AREA_ELSEWHERE && v->distance == 1 && !is_signed ? SEVERITY_MEDIUM
										: SEVERITY_INFO;
		return area != AREA_WINDOWS && v->distance > 0;
	case NAME_DISTANCE:
	case NAME_AFFIX:
		if (area == AREA_PROGRAMS && is_signed)
			*ret = SEVERITY_INFO;
		else if (v->distance == 2)
			*ret = area == AREA_ELSEWHERE ? SEVERITY_LOW : SEVERITY_INFO;
		else
			*ret = area == AREA_ELSEWHERE || from_smss(w, i) || from_system(i)
				       ? SEVERITY_HIGH
				       : SEVERITY_MEDIUM;
		return true;
	default:
		return false;
	}
}

void judge_name(struct world *w, const struct instance *i)
{
	const char *name = i->text[TEXT_IMAGE] && *path_base(i->text[TEXT_IMAGE])
				   ? path_base(i->text[TEXT_IMAGE])
				   : i->text[TEXT_NAME];
	struct name_verdict v;
	struct telling t;
	enum severity severity;

	if (!name)
		return;
	name_look(name, (i->is & NAME_MAY_GO_ON) && !i->text[TEXT_IMAGE], i->system, &v);
	if (!severity_of(w, i, &v, &severity))
		return;
	telling_of(&t, i, INDICATOR_NEAR_MISS_NAME);
	t.f.severity = severity;
	if (v.kind == NAME_HIDDEN)
		t.f.technique = "T1036.002";
	if (v.kind == NAME_DOUBLE_EXTENSION)
		t.f.technique = "T1036.007";
	if (v.of)
		snprintf(t.what, sizeof(t.what), "Its name is near %s: %s.", v.of, v.rule);
	else
		snprintf(t.what, sizeof(t.what), "Its name holds what does not show: %s.", v.rule);
	t.f.what = t.what;
	report_add(w->report, &t.f);
}
