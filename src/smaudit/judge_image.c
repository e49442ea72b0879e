/* SPDX-License-Identifier: MIT */
/*
 * judge_image.c - is this image the session manager, or something that passes itself off as it?
 *
 * Judged by identity is what is named smss.exe or calls itself so in its version resource; an image
 * that is named after another one of the system by its place and signature; every image by its name
 * and by whether it is what was signed. One that no rule is about is indeterminate, never clean.
 * Nothing that anybody can write (a name, a version resource, a certificate's names under a foreign
 * root) is ever taken as proof of being genuine. Without an embedded signature only Windows'
 * catalogues could tell, and they are not here: that is indeterminate, and a finding when something
 * else is wrong as well.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/text.h"
#include "smaudit/judge_image.h"
#include "smaudit/report.h"
#include "smaudit/rules.h"

#define SUBSYSTEM_NATIVE 1

struct judged {
	struct report *to;
	const struct image_fact *f;
	const char *base;
	struct name_verdict name;
	unsigned home; /* HOME_*: where an image of its name lies; 0 = no rule says */
	bool exact;    /* its name is smss.exe */
	bool claims;   /* its version resource says that it is */
	struct windows_path path;
	bool placed;     /* the path that it had is known */
	bool wrong_path; /* and is not System32 */
	char wrong[512]; /* what of its identity is not smss.exe's, parted by "; " */
	char subject[160];
};

static const char *format_text(const struct image_fact *f)
{
	switch (f->format) {
	case IMAGE_PE32:
		return "PE32";
	case IMAGE_PE32_PLUS:
		return "PE32+";
	case IMAGE_ELF:
		return "ELF";
	case IMAGE_OLD:
		return "an old DOS, NE or LE program";
	default:
		return "none that is known";
	}
}

/* Evidence that every finding about an image has; more may be added before it is told. */
struct telling {
	struct finding finding;
	char machine[16], subsystem[16], slack[24], overlay[24], signatures[512];
};

/* "trusted, sha256, by Microsoft Windows, issued by ..., stamped 2026-01-31; ..." */
static void signatures_text(const struct image_fact *f, char *to, size_t cap)
{
	size_t n = 0;

	to[0] = 0;
	for (unsigned i = 0; i < f->signatures && n + 1 < cap; i++) {
		const struct image_signature *s = &f->signature[i];
		char stamp[32] = "";
		struct tm tm;
		time_t when = (time_t)(s->stamped_ns / 1000000000);
		int k;

		if (s->stamped_ns != NO_TIME && gmtime_r(&when, &tm))
			(void)strftime(stamp, sizeof(stamp), ", stamped %Y-%m-%d", &tm);
		k = snprintf(to + n, cap - n, "%s%s%s%s%s%s%s%s%s%s%s%s", i ? "; " : "",
			     s->nested ? "nested: " : "", signature_state_text(s->state),
			     s->digest ? ", " : "", s->digest ? s->digest : "",
			     s->signer ? ", by " : "", s->signer ? s->signer : "",
			     s->issuer ? ", issued by " : "", s->issuer ? s->issuer : "", stamp,
			     s->why ? ": " : "", s->why ? s->why : "");
		n += k > 0 ? (size_t)k : 0;
	}
}

static void tell_start(struct telling *t, const struct judged *j, enum indicator_id rule,
		       enum severity severity, const char *what)
{
	const struct image_fact *f = j->f;
	struct finding *g = &t->finding;

	*t = (struct telling){.finding = {.rule = rule,
					  .verdict = VERDICT_FINDING,
					  .severity = severity,
					  .host = f->host,
					  .subject = j->subject,
					  .what = what,
					  .time_ns = NO_TIME,
					  .place = f->place}};
	signatures_text(f, t->signatures, sizeof(t->signatures));
	(void)snprintf(t->machine, sizeof(t->machine), "0x%04x", f->machine);
	(void)snprintf(t->subsystem, sizeof(t->subsystem), "%u", f->subsystem);
	(void)snprintf(t->slack, sizeof(t->slack), "%llu", (unsigned long long)f->slack_bytes);
	(void)snprintf(t->overlay, sizeof(t->overlay), "%llu",
		       (unsigned long long)f->overlay_bytes);
	finding_add(g, "path", f->claimed_path);
	finding_add(g, "sha256", f->sha256);
	finding_add(g, "authentihash", f->authentihash);
	finding_add(g, "format", format_text(f));
	if (f->format != IMAGE_OLD && f->format != IMAGE_UNKNOWN)
		finding_add(g, "machine", t->machine);
	if (f->format == IMAGE_PE32 || f->format == IMAGE_PE32_PLUS)
		finding_add(g, "subsystem", t->subsystem);
	finding_add(g, "internal-name", f->internal_name);
	finding_add(g, "original-name", f->original_name);
	finding_add(g, "company", f->company);
	finding_add(g, "file-version", f->file_version);
	finding_add(g, "signatures",
		    f->signatures ? t->signatures : signature_state_text(SIGNATURE_NONE));
	if (f->slack_bytes)
		finding_add(g, "slack-bytes", t->slack);
	if (f->overlay_bytes)
		finding_add(g, "overlay-bytes", t->overlay);
	finding_add(g, "malformed", f->malformed);
}

static void tell(const struct judged *j, enum indicator_id rule, enum severity severity,
		 const char *what)
{
	struct telling t;

	tell_start(&t, j, rule, severity, what);
	report_add(j->to, &t.finding);
}

/* Another thing about the same image: told beside what unsigned-image says of the whole. */
static void tell_part(const struct judged *j, const char *part, enum severity severity,
		      const char *what)
{
	struct telling t;
	char subject[200];

	(void)snprintf(subject, sizeof(subject), "%s (%s)", j->subject, part);
	tell_start(&t, j, INDICATOR_UNSIGNED_IMAGE, severity, what);
	t.finding.subject = subject;
	report_add(j->to, &t.finding);
}

static void tell_open(const struct judged *j, enum indicator_id rule, const char *what,
		      const char *missing)
{
	struct telling t;

	tell_start(&t, j, rule, SEVERITY_MEDIUM, what);
	t.finding.verdict = VERDICT_INDETERMINATE;
	t.finding.missing = missing;
	report_add(j->to, &t.finding);
}

static bool says_smss(const struct image_fact *f)
{
	static const char *const names[] = {"smss.exe", "smss.exe.mui", "smss"};

	return is_one_of(f->internal_name, names, 3) || is_one_of(f->original_name, names, 3);
}

/* ---- signature ---- */

static void judge_signature(const struct judged *j)
{
	const struct image_fact *f = j->f;
	struct signature_verdict v;

	if (!f->signatures) {
		if (*j->wrong || j->wrong_path)
			tell(j, INDICATOR_UNSIGNED_IMAGE, SEVERITY_HIGH,
			     "it carries no signature, and is not what it passes for");
		else
			tell_open(j, INDICATOR_UNSIGNED_IMAGE,
				  "it carries no signature: only a catalogue of Windows could "
				  "vouch for it",
				  "the catalogues of its machine (System32\\CatRoot)");
		return;
	}
	if (signature_mismatched(f))
		return;
	signature_weigh(f, &v);
	if (v.weight == SIGNED_BADLY)
		tell(j, v.rule, v.severity, v.what);
	else if (v.weight == SIGNED_OPEN && *j->wrong)
		tell(j, v.rule, SEVERITY_HIGH, v.what);
	else if (v.weight == SIGNED_OPEN)
		tell_open(j, v.rule, v.what, v.missing);
	if (f->slack_bytes)
		tell_part(j, "certificate table", SEVERITY_MEDIUM,
			  "its certificate table holds bytes that belong to no signature: whatever "
			  "they "
			  "are, its digest stays right");
}

/* ---- identity ---- */

static void differs(struct judged *j, const char *what)
{
	size_t n = strlen(j->wrong);

	(void)snprintf(j->wrong + n, sizeof(j->wrong) - n, "%s%s", n ? "; " : "", what);
}

static void differs_by(struct judged *j, const char *what, const char *is)
{
	char text[160];

	(void)snprintf(text, sizeof(text), "%s \"%.80s\"", what, is);
	differs(j, text);
}

static bool machine_fits(const struct image_fact *f)
{
	switch (f->machine) {
	case 0x8664: /* x64 */
	case 0xaa64: /* ARM64 */
	case 0x0200: /* Itanium */
		return f->format == IMAGE_PE32_PLUS;
	case 0x014c: /* x86: a 32-bit Windows */
	case 0x01c4: /* ARM */
		return f->format == IMAGE_PE32;
	default:
		return false;
	}
}

static const char *or_none(const char *text)
{
	return text ? text : "(none)";
}

static void check_version(struct judged *j)
{
	static const char *const internal[] = {"smss.exe"};
	static const char *const original[] = {"smss.exe", "smss.exe.mui"};
	const struct image_fact *f = j->f;

	if (!f->internal_name && !f->original_name) {
		differs(j, "it has no version resource that says what it is");
		return;
	}
	if (!is_one_of(f->internal_name, internal, 1))
		differs_by(j, "its internal name is", or_none(f->internal_name));
	if (!is_one_of(f->original_name, original, 2))
		differs_by(j, "its original name is", or_none(f->original_name));
	if (!f->company || strcmp(f->company, "Microsoft Corporation"))
		differs_by(j, "its company is", or_none(f->company));
}

static void check_identity(struct judged *j)
{
	const struct image_fact *f = j->f;
	char text[64];

	if (f->format != IMAGE_PE32 && f->format != IMAGE_PE32_PLUS) {
		differs_by(j, "its format is", format_text(f));
		return;
	}
	if (!machine_fits(f)) {
		(void)snprintf(text, sizeof(text), "its machine is 0x%04x as %s", f->machine,
			       format_text(f));
		differs(j, text);
	}
	if (f->subsystem != SUBSYSTEM_NATIVE) {
		(void)snprintf(text, sizeof(text), "its subsystem is %u, not 1 (native)",
			       f->subsystem);
		differs(j, text);
	}
	if (f->malformed)
		differs_by(j, "it cannot be as it is:", f->malformed);
	check_version(j);
}

static void check_path(struct judged *j)
{
	const char *claimed = j->f->claimed_path;

	if (!claimed || path_base(claimed) == claimed)
		return;
	j->placed = true;
	path_windows(claimed, NULL, &j->path);
	j->wrong_path = j->home && !j->path.short_name && !path_at_home(&j->path, j->home);
}

/* Copies that servicing keeps; a running one from there would be wrong all the same. */
static bool stored_copy(const char *path)
{
	static const char *const below[] = {"\\winsxs\\",      "\\$windows.~bt\\",
					    "\\$winreagent\\", "\\softwaredistribution\\",
					    "\\systemtemp\\",  "\\uus\\"};

	for (unsigned i = 0; i < sizeof(below) / sizeof(*below); i++)
		if (strstr(path, below[i]))
			return true;
	return false;
}

static void judge_path(const struct judged *j)
{
	char what[160];

	if (j->placed && j->home && j->path.short_name)
		tell_open(j, INDICATOR_WRONG_PATH,
			  "its path has a shortened name in it, which cannot be resolved here",
			  "the full path");
	if (!j->wrong_path)
		return;
	if (stored_copy(j->path.text))
		tell(j, INDICATOR_WRONG_PATH, SEVERITY_INFO,
		     "it lies where Windows keeps copies of its files; it may not run from there");
	else {
		(void)snprintf(what, sizeof(what),
			       "it is named %.80s, and does not lie in System32", j->base);
		tell(j, INDICATOR_WRONG_PATH, SEVERITY_HIGH, what);
	}
}

static void judge_identity(struct judged *j)
{
	char what[640];

	/* a file that was taken off its machine may have any name */
	if (!j->exact && j->placed)
		differs_by(j, "it is named", j->base);
	if (*j->wrong) {
		(void)snprintf(what, sizeof(what), "it is not the smss.exe that it %s: %s",
			       j->exact ? "is named after" : "says it is", j->wrong);
		tell(j, INDICATOR_IDENTITY_MISMATCH, SEVERITY_HIGH, what);
	} else if (!j->exact) {
		(void)snprintf(what, sizeof(what),
			       "it says that it is smss.exe, and its file is named \"%.80s\"",
			       j->base);
		tell(j, INDICATOR_IDENTITY_MISMATCH, SEVERITY_INFO, what);
	}
}

/* ---- names ---- */

/* Whether there was something to say. */
static bool judge_name(const struct judged *j)
{
	enum severity severity = SEVERITY_HIGH;
	char what[256];

	if (j->name.kind == NAME_OTHER || j->name.kind == NAME_EXACT ||
	    j->name.kind == NAME_NEIGHBOUR)
		return false;
	if (j->name.kind == NAME_DISTANCE || j->name.kind == NAME_AFFIX)
		severity = signature_trusted(j->f)                           ? SEVERITY_INFO
			   : !j->f->signatures || signature_mismatched(j->f) ? SEVERITY_HIGH
									     : SEVERITY_MEDIUM;
	if (j->name.of)
		(void)snprintf(what, sizeof(what), "its name is near %s: %s", j->name.of,
			       j->name.rule);
	else
		(void)snprintf(what, sizeof(what), "its name holds what does not show: %s",
			       j->name.rule);
	tell(j, INDICATOR_NEAR_MISS_NAME, severity, what);
	return true;
}

/* A name of the system on a file that was made under another one. */
static void judge_renamed(struct judged *j)
{
	const char *original = j->f->original_name;
	size_t n = strcspn(j->base, ".");
	char what[256];

	if (!original)
		return;
	if (!strncasecmp(original, j->base, n) && (original[n] == '.' || !original[n]))
		return;
	differs_by(j, "its original name is", original);
	(void)snprintf(what, sizeof(what), "it is named after %.*s, and says that it is \"%.80s\"",
		       (int)n, j->base, original);
	tell(j, INDICATOR_IDENTITY_MISMATCH, SEVERITY_HIGH, what);
}

/* Another image of the system, by its name: its place, its own name and its signature. */
static void judge_core(struct judged *j)
{
	check_path(j);
	judge_renamed(j);
	judge_path(j);
	judge_signature(j);
}

/* No rule is about it. That must not read as if it were in order. */
static void tell_nothing_said(const struct judged *j)
{
	tell_open(j, INDICATOR_UNSIGNED_IMAGE,
		  "no rule is about a program of this name: nothing is said of it",
		  "a rule about a program of this name; --claimed PATH tells the one that it had");
}

/* ---- our own ---- */

static void judge_elf(const struct judged *j)
{
	const struct image_fact *f = j->f;
	bool near;

	near = judge_name(j);
	if (!f->signatures && !near)
		tell_nothing_said(j);
	if (!f->signatures)
		return;
	if (!f->ours)
		tell_open(j, INDICATOR_UNSIGNED_IMAGE,
			  "it bears no name that the signed catalogue has: nothing tells what it "
			  "should be",
			  "its path on its machine (--claimed)");
	else if (f->signature[0].state == SIGNATURE_MISMATCH)
		tell(j, INDICATOR_UNSIGNED_IMAGE, SEVERITY_HIGH,
		     "it is not the file that stands in the signed catalogue under its name");
	else if (f->signature[0].state == SIGNATURE_CATALOGUED)
		tell(j, INDICATOR_UNSIGNED_IMAGE, SEVERITY_INFO,
		     "it stands in the signed catalogue as it is");
	else if (f->catalogue_asked)
		tell(j, INDICATOR_UNSIGNED_IMAGE, SEVERITY_HIGH,
		     "it bears a name of this product, and is not in the signed catalogue");
	else
		tell_open(j, INDICATOR_UNSIGNED_IMAGE,
			  "it bears a name of this product, and no signed catalogue was there to "
			  "be asked",
			  "the signed catalogue");
}

static void judge_mismatch(const struct judged *j)
{
	char what[256];

	for (unsigned i = 0; i < j->f->signatures; i++) {
		const struct image_signature *s = &j->f->signature[i];

		if (s->state != SIGNATURE_MISMATCH)
			continue;
		(void)snprintf(what, sizeof(what), "it is not what was signed: %s",
			       s->why ? s->why : "its digest is another one");
		tell(j, INDICATOR_UNSIGNED_IMAGE, SEVERITY_HIGH, what);
		return;
	}
}

static void judge_pe(struct judged *j)
{
	bool mui = str_same_fold(j->base, "smss.exe.mui"); /* its texts in a language, no program */

	j->exact = str_same_fold(j->base, "smss.exe");
	j->claims = says_smss(j->f);
	if (signature_mismatched(j->f))
		judge_mismatch(j);
	j->home = name_home(j->base);
	if (mui || (!j->exact && !j->claims)) {
		if (j->home)
			judge_core(j);
		else if ((mui || !judge_name(j)) && !signature_mismatched(j->f))
			tell_nothing_said(j);
		tell_part(j, "facts", SEVERITY_INFO, "no image of a session manager");
		return;
	}
	check_path(j);
	check_identity(j);
	if (!j->exact)
		judge_name(j);
	judge_path(j);
	judge_identity(j);
	judge_signature(j);
	tell_part(j, "facts", SEVERITY_INFO, "what this image is and says of itself");
}

void judge_image(struct report *to, const struct image_fact *f)
{
	const char *path = f->claimed_path ? f->claimed_path : f->place.file;
	struct judged j = {.to = to, .f = f, .base = path_base(path)};

	(void)snprintf(j.subject, sizeof(j.subject), "%.80s sha256 %.16s", j.base,
		       f->sha256 ? f->sha256 : "");
	name_look(j.base, false, f->format == IMAGE_ELF || f->ours ? SYSTEM_LINUX : SYSTEM_WINDOWS,
		  &j.name);
	if (f->format == IMAGE_ELF || f->ours)
		judge_elf(&j);
	else
		judge_pe(&j);
}
