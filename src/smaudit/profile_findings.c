/* SPDX-License-Identifier: MIT */
/*
 * profile_findings.c - findings in a profile: of this run, and of other runs' NDJSON
 *
 * A finding counts when it is about the name: the image, its child, or for a session manager what
 * the registry makes it do. Those of this run say nothing that a fact did not say; those of other
 * runs come without their facts, so their evidence tells what it can, once for each subject.
 */
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/text.h"
#include "registry/utf.h"
#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"
#include "smaudit/rules.h"

int profile_verdict_of(const char *word)
{
	for (int v = VERDICT_NOTHING; word && v <= VERDICT_INPUT_ERROR; v++)
		if (!strcmp(word, verdict_word((enum verdict)v)))
			return v;
	return -1;
}

int profile_severity_of(const char *word)
{
	for (int s = SEVERITY_INFO; word && s <= SEVERITY_HIGH; s++)
		if (!strcmp(word, severity_word((enum severity)s)))
			return s;
	return -1;
}

int profile_rule_of(const char *word)
{
	for (int i = 0; word && i < INDICATOR_COUNT; i++)
		if (!strcmp(word, indicators[i].id))
			return i;
	return -1;
}

static const char *evidence(const struct finding *f, const char *name)
{
	for (unsigned i = 0; i < f->evidences; i++)
		if (!strcmp(f->evidence[i].name, name) && *f->evidence[i].text)
			return f->evidence[i].text;
	return NULL;
}

/* The image that the finding is about, as a path or a name. */
static const char *image_of(const struct finding *f)
{
	static const char *const names[] = {"image", "path", "name", "file"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (evidence(f, names[i]))
			return evidence(f, names[i]);
	return NULL;
}

static bool base_is(const struct profile *p, const char *path)
{
	return path && profile_is(p, path_base(path));
}

/* "smss.exe pid 7001 ...": the subject says it where the evidence does not. */
static bool subject_is(const struct profile *p, const char *subject)
{
	size_t n = strlen(p->name);

	return subject && strlen(subject) >= n && utf8_same_fold(p->name, n, subject, n) &&
	       (!subject[n] || subject[n] == ' ');
}

static bool is_registry_rule(enum indicator_id rule)
{
	return rule == INDICATOR_BOOT_EXECUTE || rule == INDICATOR_BOOT_EXECUTE_SIBLING ||
	       rule == INDICATOR_PENDING_RENAME || rule == INDICATOR_SERVICE_IMITATION;
}

/* A name that imitates the one of the page belongs to it, too. */
static bool imitates(const struct profile *p, const char *path)
{
	struct name_verdict v;
	size_t n;

	if (!path)
		return false;
	name_look(path_base(path), false, SYSTEM_WINDOWS, &v);
	if (!v.of || v.kind == NAME_OTHER)
		return false;
	n = strlen(v.of);
	return utf8_same_fold(p->name, strnlen(p->name, n), v.of, n) &&
	       (!p->name[n] || str_same_fold(p->name + n, ".exe"));
}

static bool is_about(const struct profile *p, const struct finding *f)
{
	if (is_registry_rule(f->rule))
		return p->session_manager;
	if (base_is(p, image_of(f)) || subject_is(p, f->subject))
		return true;
	if (f->rule == INDICATOR_UNEXPECTED_CHILD || f->rule == INDICATOR_SPOOFED_PARENT)
		return base_is(p, evidence(f, "parent"));
	return f->rule == INDICATOR_NEAR_MISS_NAME && imitates(p, image_of(f));
}

static void count(struct profile *p, const struct finding *f)
{
	struct hits *h = &p->hits[f->rule];

	h->looked |= f->verdict != VERDICT_INDETERMINATE;
	if (f->verdict == VERDICT_INDETERMINATE)
		h->undecided++;
	else if (f->verdict == VERDICT_FINDING)
		h->found[f->severity]++;
}

void profile_finding(struct profile *p, const struct finding *f)
{
	if (is_about(p, f))
		count(p, f);
}

static enum system system_of(const struct finding *f)
{
	const char *image = image_of(f);

	return image && image[0] == '/' ? SYSTEM_LINUX : SYSTEM_WINDOWS;
}

/* What a finding about the image itself tells of it. */
static void tell_image(struct profile *p, const struct finding *f)
{
	static const struct {
		const char *name;
		enum trait trait;
	} plain[] = {{"command", TRAIT_COMMAND},
		     {"original-name", TRAIT_ORIGINAL_NAME},
		     {"internal-name", TRAIT_INTERNAL_NAME},
		     {"product", TRAIT_PRODUCT},
		     {"company", TRAIT_PUBLISHER},
		     {"file-version", TRAIT_VERSION},
		     {"sha256", TRAIT_SHA256},
		     {"signer", TRAIT_SIGNER},
		     {"issuer", TRAIT_ISSUER},
		     {"status", TRAIT_STATUS}};
	const char *session = evidence(f, "session"), *parent = evidence(f, "parent");
	char text[PROFILE_BASE];

	profile_path(p, TRAIT_PATH, system_of(f), evidence(f, "image"));
	if (!evidence(f, "image"))
		profile_path(p, TRAIT_PATH, system_of(f), evidence(f, "path"));
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		trait_tell(p, plain[i].trait, evidence(f, plain[i].name), NULL);
	profile_account(p, system_of(f), evidence(f, "user"), evidence(f, "sid"));
	profile_integrity(p, evidence(f, "integrity"));
	if (session) {
		snprintf(text, sizeof(text), "Session %.40s", session);
		trait_tell(p, TRAIT_SESSION, text, NULL);
	}
	profile_base_of(parent, text);
	trait_tell(p, TRAIT_PARENT, text, NULL);
}

static void tell_evidence(struct profile *p, const struct finding *f)
{
	char base[PROFILE_BASE];

	if (base_is(p, image_of(f)))
		tell_image(p, f);
	if (base_is(p, evidence(f, "parent"))) {
		profile_base_of(image_of(f), base);
		trait_tell(p, TRAIT_CHILD, base, NULL);
	}
}

void profile_told_finding(struct profile *p, const struct finding *f, const char *given_id)
{
	char id[17];
	uint64_t key;

	if (f->verdict == VERDICT_NOTHING) {
		p->hits[f->rule].looked = true;
		return;
	}
	if (!given_id) {
		report_id(f, id);
		given_id = id;
	}
	key = profile_hash(KIND_FINDING, given_id) ^ ((uint64_t)f->rule << 8 | f->verdict << 4);
	if (!is_about(p, f) || !keys_add(&p->seen, key ^ f->severity))
		return;
	p->findings++;
	count(p, f);
	profile_machine(p, f->host, f->place.file, system_of(f));
	profile_time(p, f->time_ns);
	key = profile_hash(KIND_HOST, report_host(f)) * 3 ^
	      profile_hash(KIND_SUBJECT, f->subject ? f->subject : "");
	if (f->subject && keys_add(&p->seen, key ? key : 1))
		tell_evidence(p, f);
}
