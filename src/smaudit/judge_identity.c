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

/* The field of a session manager that decides was there, and was read. */
static void looked_at(struct world *w, const struct instance *i, enum indicator_id rule,
		      const char *field)
{
	const struct finding f = {
		.rule = rule, .verdict = VERDICT_NOTHING, .host = i->boot->host->name};

	if ((i->is & IS_SMSS) && is_told(field))
		report_add(w->report, &f);
}

static void judge_names(struct world *w, const struct instance *i)
{
	const char *original = i->text[TEXT_ORIGINAL], *internal = i->text[TEXT_INTERNAL];
	const char *company = i->text[TEXT_COMPANY];
	const char *name = instance_name(i);

	looked_at(w, i, INDICATOR_IDENTITY_MISMATCH, original);
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

static bool imitates(const struct name_verdict *v)
{
	return v->kind != NAME_OTHER && v->kind != NAME_EXACT && v->kind != NAME_NEIGHBOUR;
}

/* A list gives it one name and its image has another: one of them is borrowed. A name that imitates
 * is told as such, and not here again. */
static void judge_disagreement(struct world *w, const struct instance *i)
{
	struct name_verdict listed, own;
	char room[IMAGE_NAME_BYTES];

	if (instance_names_agree(i))
		return;
	name_look(i->text[TEXT_NAME], i->is & NAME_MAY_GO_ON, i->system, &listed);
	name_look(path_image_name(i->text[TEXT_IMAGE], room), false, i->system, &own);
	if (imitates(&listed) || imitates(&own))
		return;
	if (listed.kind == NAME_EXACT)
		tell(w, i, INDICATOR_IDENTITY_MISMATCH,
		     "The list gives it the name of a system process, and its image has another "
		     "one.");
	else if (own.kind == NAME_EXACT)
		tell(w, i, INDICATOR_IDENTITY_MISMATCH,
		     "Its image has the name of a system process, and the list gives it another "
		     "one.");
}

void judge_identity(struct world *w, const struct instance *i)
{
	const char *signature = i->text[TEXT_SIGNATURE], *signer = i->text[TEXT_SIGNER];

	if (i->system == SYSTEM_LINUX)
		return;
	judge_disagreement(w, i);
	judge_names(w, i);
	if (!(i->is & (IS_SMSS | IS_CORE)))
		return;
	if ((i->is & IS_SMSS) && i->boot->host->signatures)
		undecided(i, INDICATOR_UNSIGNED_IMAGE, is_told(signature) ? NULL : "signature");
	looked_at(w, i, INDICATOR_UNSIGNED_IMAGE, signature);
	looked_at(w, i, INDICATOR_WRONG_SIGNER, signer);
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

/* As a list tells a file that runs here, and not what Wine calls it. */
static bool image_ends_in_exe(const struct instance *i)
{
	const char *image = i->text[TEXT_IMAGE];
	size_t n = image ? strlen(image) : 0;

	return n > 4 && *image == '/' && !strcasecmp(image + n - 4, ".exe");
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
		*ret = v->of || v->turns ? SEVERITY_HIGH : SEVERITY_MEDIUM;
		return true;
	case NAME_NEIGHBOUR:
		if (i->system == SYSTEM_LINUX && v->distance == 0 && v->rule[0]) {
			*ret = SEVERITY_MEDIUM; /* what runs from such a file is none of Wine's */
			return area == AREA_ELSEWHERE && image_ends_in_exe(i);
		}
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

struct near {
	struct name_verdict v;
	enum severity severity;
	bool worth; /* a word */
};

static struct near near_of(const struct world *w, const struct instance *i, const char *name,
			   bool cut)
{
	struct near n = {.worth = false};

	if (!name)
		return n;
	name_look(name, cut, i->system, &n.v);
	n.worth = severity_of(w, i, &n.v, &n.severity);
	return n;
}

/* The image's name and the one that a list gives: the graver one is told, once. */
void judge_name(struct world *w, const struct instance *i)
{
	char room[IMAGE_NAME_BYTES];
	const char *image = i->text[TEXT_IMAGE] && *path_base(i->text[TEXT_IMAGE])
				    ? path_base(i->text[TEXT_IMAGE])
				    : NULL;
	bool cut = i->is & NAME_MAY_GO_ON;
	const char *listed = i->text[TEXT_NAME];
	struct near n, other = {.worth = false};
	struct telling t;

	if (image && i->system == SYSTEM_WINDOWS)
		image = path_image_name(i->text[TEXT_IMAGE], room);
	n = near_of(w, i, image, false);
	if (!image || (listed && !names_agree(listed, cut, image)))
		other = near_of(w, i, listed, cut);
	if (other.worth && (!n.worth || other.severity > n.severity))
		n = other;
	else
		other.worth = false;
	if (!n.worth)
		return;
	telling_of(&t, i, INDICATOR_NEAR_MISS_NAME);
	t.f.severity = n.severity;
	if (n.v.kind == NAME_HIDDEN)
		t.f.technique = "T1036.002";
	if (n.v.kind == NAME_DOUBLE_EXTENSION)
		t.f.technique = "T1036.007";
	snprintf(t.what, sizeof(t.what), "%s %s%s: %s.%s",
		 image && other.worth ? "The name that the list gives it" : "Its name",
		 n.v.of ? "is near " : "holds what does not show", n.v.of ? n.v.of : "", n.v.rule,
		 image && other.worth ? " Its image has another one." : "");
	t.f.what = t.what;
	if (image && other.worth && i->system == SYSTEM_LINUX)
		finding_add(&t.f, "name", listed); /* there it is no other evidence */
	report_add(w->report, &t.f);
}
