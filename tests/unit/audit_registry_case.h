/* SPDX-License-Identifier: MIT */
/*
 * audit_registry_case.h - registry facts made in a line, and a report that remembers what is told
 *
 * It stands in the place of the product's report, so that a case can look at each finding.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "registry/tree.h"
#include "registry/utf.h"
#include "smaudit/rules.h"

#define KEY   "ControlSet001\\Control\\Session Manager"
#define CHECK "autocheck autochk *"
#define SYS   "\\??\\C:\\Windows\\System32\\"

/* ---- a report that remembers ---- */

struct told {
	enum indicator_id rule;
	enum verdict verdict;
	enum severity severity;
	char subject[400], technique[16], evidence[1200];
};

static struct told told[600];
static unsigned told_count;

void finding_add(struct finding *f, const char *name, const char *text)
{
	if (text && f->evidences < EVIDENCE_MAX)
		f->evidence[f->evidences++] = (struct evidence){name, text};
}

void report_add(struct report *r, const struct finding *f)
{
	struct told *t = &told[told_count];

	(void)r;
	assert_true(told_count < sizeof(told) / sizeof(told[0]));
	assert_non_null(f->subject);
	assert_non_null(f->what);
	assert_true(f->verdict != VERDICT_INDETERMINATE || f->missing);
	*t = (struct told){.rule = f->rule, .verdict = f->verdict, .severity = f->severity};
	snprintf(t->subject, sizeof(t->subject), "%s", f->subject);
	snprintf(t->technique, sizeof(t->technique), "%s", f->technique ? f->technique : "");
	for (unsigned i = 0; i < f->evidences; i++) {
		const size_t n = strlen(t->evidence);

		snprintf(t->evidence + n, sizeof(t->evidence) - n, "%s=%s\n", f->evidence[i].name,
			 f->evidence[i].text);
	}
	told_count++;
}

/* How many of a rule: findings above INFO, INFO alone, or what was undecided. */
enum kind { FOUND, NOTED, UNDECIDED };

static inline unsigned count(enum indicator_id rule, enum kind kind)
{
	unsigned n = 0;

	for (unsigned i = 0; i < told_count; i++) {
		const struct told *t = &told[i];
		const bool found = t->verdict == VERDICT_FINDING;

		if (t->rule == rule && (kind == FOUND   ? found && t->severity > SEVERITY_INFO
					: kind == NOTED ? found && t->severity == SEVERITY_INFO
							: t->verdict == VERDICT_INDETERMINATE))
			n++;
	}
	return n;
}

static inline bool evidence_has(const char *text)
{
	for (unsigned i = 0; i < told_count; i++)
		if (strstr(told[i].evidence, text))
			return true;
	return false;
}

/* ---- facts ---- */

/* "a|b" as UTF-16 with a NUL for each |; $ at the end = no terminator more, else one. */
static inline size_t wide(const char *text, uint8_t *to)
{
	size_t n = 0, at = strlen(text);
	const bool bare = at && text[at - 1] == '$';

	n = utf8_to_utf16(text, bare ? at - 1 : at, to);
	for (size_t i = 0; i < n; i += 2)
		if (to[i] == '|' && !to[i + 1])
			to[i] = 0;
	if (!bare) {
		memset(to + n, 0, 4);
		n += 4;
	}
	return n;
}

static inline struct registry_fact fact(const char *name, uint32_t type, const char *text)
{
	static uint8_t room[65536];
	struct registry_fact f = {.about = REGISTRY_SESSION_MANAGER,
				  .place = {.file = "SYSTEM"},
				  .host = "W10",
				  .key = KEY,
				  .name = name,
				  .type = type,
				  .data = room,
				  .written_ns = NO_TIME,
				  .current = true};

	f.bytes = wide(text, room);
	return f;
}

/* What one fact alone comes to; a hive without BootExecute is not what a case is about. */
static inline void judge(const struct registry_fact *f, bool end)
{
	struct registry_judge *j = registry_judge_new(NULL);

	told_count = 0;
	registry_judge_fact(j, f);
	if (end)
		registry_judge_end(j);
	registry_judge_free(j);
}

struct value_case {
	const char *name, *text;
	unsigned found, noted;
	const char *evidence; /* stands in what is told; NULL = nothing asked */
};

static inline void try_values(const struct value_case *c, size_t n, enum indicator_id rule,
			      uint32_t type)
{
	for (size_t i = 0; i < n; i++) {
		const struct registry_fact f = fact(c[i].name, type, c[i].text);

		judge(&f, false);
		if (count(rule, FOUND) != c[i].found || count(rule, NOTED) != c[i].noted)
			fail_msg("%s \"%s\": %u found, %u noted", c[i].name, c[i].text,
				 count(rule, FOUND), count(rule, NOTED));
		assert_int_equal(told_count, c[i].found + c[i].noted);
		if (c[i].evidence && !evidence_has(c[i].evidence))
			fail_msg("%s \"%s\": no \"%s\" in %s", c[i].name, c[i].text, c[i].evidence,
				 told[0].evidence);
	}
}

#define TRY(cases, rule, type) try_values(cases, sizeof(cases) / sizeof((cases)[0]), rule, type)
