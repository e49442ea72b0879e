/* SPDX-License-Identifier: MIT */
/*
 * judge_registry.c - registry facts to the judge they belong to, and what is missing at the end
 *
 * One hive after the other, as they are told. What a stale or damaged hive does not show may still
 * be in it: then no rule without a finding ends as "nothing". Must never keep a hive's values.
 */
#include "smaudit/judge_registry.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/tree.h"
#include "registry/utf.h"
#include "smaudit/rules.h"

static const enum indicator_id hive_rules[] = {
	INDICATOR_BOOT_EXECUTE, INDICATOR_BOOT_EXECUTE_SIBLING, INDICATOR_PENDING_RENAME,
	INDICATOR_SERVICE_IMITATION};

/* ---- strings of a value ---- */

struct strings strings_start(const uint8_t *data, size_t bytes)
{
	return (struct strings){.data = data, .units = bytes / 2};
}

static size_t string_units(const struct strings *s, size_t from)
{
	size_t n = from;

	while (n < s->units && (s->data[2 * n] || s->data[2 * n + 1]))
		n++;
	return n - from;
}

bool strings_next(struct strings *s)
{
	size_t n;

	if (s->at >= s->units)
		return false;
	n = string_units(s, s->at);
	if (3 * n + 1 > s->room) {
		s->room = 3 * n + 256;
		s->text = realloc(s->text, s->room);
		if (!s->text)
			err(2, "memory for a string of %zu bytes", 2 * n);
	}
	s->bad = false;
	utf16_to_utf8(s->data + 2 * s->at, n, s->text, &s->bad);
	s->at += n + 1;
	return true;
}

size_t strings_count(const struct strings *s, bool *ret_last_empty)
{
	size_t count = 0;

	*ret_last_empty = false;
	for (size_t at = s->at; at < s->units; count++) {
		const size_t n = string_units(s, at);

		*ret_last_empty = n == 0;
		at += n + 1;
	}
	return count;
}

void strings_end(struct strings *s)
{
	free(s->text);
	s->text = NULL;
}

void text_part(const char *text, size_t n, char *to, size_t cap)
{
	if (n >= cap) {
		n = cap - 1;
		while (n && ((unsigned char)text[n] & 0xC0) == 0x80)
			n--;
	}
	memcpy(to, text, n);
	to[n] = '\0';
}

const char *text_shown(const char *text, char to[REGISTRY_TEXT_BYTES])
{
	const size_t n = strnlen(text, REGISTRY_TEXT_BYTES);

	text_part(text, n, to,
		  n < REGISTRY_TEXT_BYTES ? REGISTRY_TEXT_BYTES : REGISTRY_TEXT_BYTES - 3);
	if (n == REGISTRY_TEXT_BYTES)
		memcpy(to + strlen(to), "...", 4);
	return to;
}

bool same_word(const char *a, const char *b)
{
	return str_same_fold(a, b);
}

/* ---- findings ---- */

struct finding registry_finding(const struct registry_fact *f, enum indicator_id rule,
				enum severity severity, const char *subject)
{
	struct finding x = {.rule = rule,
			    .verdict = VERDICT_FINDING,
			    .severity = f->current ? severity : SEVERITY_INFO,
			    .host = f->host,
			    .subject = subject,
			    .time_ns = f->written_ns,
			    .place = f->place};

	finding_add(&x, "key", f->key);
	finding_add(&x, f->about == REGISTRY_SERVICE ? "service" : "value", f->name);
	finding_add(&x, "written-by", f->written_by);
	if (!f->current)
		finding_add(&x, "control-set", "not the current one: it does not drive a boot");
	return x;
}

void registry_tell(struct registry_judge *j, const struct registry_fact *f, struct finding *x)
{
	if (f->stale)
		finding_add(x, "hive", "dirty, logs not applied");
	else if (f->degraded)
		finding_add(x, "hive", "read in part");
	if (f->current && (x->severity > SEVERITY_INFO || x->verdict == VERDICT_INDETERMINATE))
		j->found[x->rule] = true;
	report_add(j->to, x);
}

/* ---- a hive's end ---- */

static struct finding of_hive(const struct registry_judge *j, enum indicator_id rule)
{
	return (struct finding){.rule = rule,
				.verdict = VERDICT_FINDING,
				.severity = SEVERITY_MEDIUM,
				.host = j->host,
				.time_ns = NO_TIME,
				.place = {.file = j->file}};
}

static void boot_execute_missing(struct registry_judge *j)
{
	struct finding x = of_hive(j, INDICATOR_BOOT_EXECUTE);
	char subject[REGISTRY_SUBJECT_BYTES];

	snprintf(subject, sizeof(subject), "%s\\Control\\Session Manager\\BootExecute missing",
		 j->set ? j->set : "");
	x.subject = subject;
	x.what = "the value BootExecute is missing: Windows always has it, and without it no disk "
		 "check runs";
	finding_add(&x, "control-set", j->set);
	j->found[INDICATOR_BOOT_EXECUTE] = true;
	report_add(j->to, &x);
}

static void undecided(struct registry_judge *j, enum indicator_id rule)
{
	struct finding x = of_hive(j, rule);

	x.verdict = VERDICT_INDETERMINATE;
	x.subject = "SYSTEM hive";
	if (j->stale) {
		x.what = "nothing was found, but the hive is dirty and its logs were not applied: "
			 "what was written last is not in it";
		x.missing = "the hive's logs (NAME.LOG1, NAME.LOG2)";
		x.next = "Collect the logs that lie beside the hive and read it again with them.";
	} else {
		x.what = "nothing was found, but the hive could be read only in part";
		x.missing = "the parts of the hive that could not be read";
		x.next =
			"Collect the hive again, or look into a copy of it (shadow copy, RegBack).";
	}
	report_add(j->to, &x);
}

static void close_hive(struct registry_judge *j)
{
	if (!j->file)
		return;
	if (!j->boot_execute && !j->ours && !j->stale && !j->degraded)
		boot_execute_missing(j);
	for (size_t i = 0; i < sizeof(hive_rules) / sizeof(hive_rules[0]); i++)
		if ((j->stale || j->degraded) && !j->found[hive_rules[i]])
			undecided(j, hive_rules[i]);
	free(j->file);
	free(j->host);
	free(j->set);
	free(j->execute_key);
	*j = (struct registry_judge){.to = j->to};
}

static char *kept(const char *s)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		err(2, "memory for a name");
	return copy;
}

static void open_hive(struct registry_judge *j, const struct registry_fact *f)
{
	const char *file = f->place.file ? f->place.file : "";

	if (j->file && strcmp(j->file, file) == 0)
		return;
	close_hive(j);
	j->file = kept(file);
	j->host = kept(f->host);
}

/* ---- facts ---- */

/* What firmware brings is run unless this value says no: worth knowing, no finding. */
static bool judge_wpbt(struct registry_judge *j, const struct registry_fact *f)
{
	struct finding x;

	if (!same_word(f->name, "DisableWpbtExecution"))
		return false;
	x = registry_finding(f, INDICATOR_BOOT_EXECUTE_SIBLING, SEVERITY_INFO,
			     "DisableWpbtExecution");
	x.what = f->type == REG_DWORD && f->bytes == 4 && memcmp(f->data, "\1\0\0\0", 4) == 0
			 ? "programs that the firmware brings (wpbbin.exe) are not run"
			 : "the value is there, and programs that the firmware brings "
			   "(wpbbin.exe) are run";
	registry_tell(j, f, &x);
	return true;
}

struct registry_judge *registry_judge_new(struct report *to)
{
	struct registry_judge *j = calloc(1, sizeof(*j));

	if (!j)
		err(2, "memory");
	j->to = to;
	return j;
}

/* A value that an event saw being written stands alone: nothing is missing beside it. */
static void judge_written(struct registry_judge *j, const struct registry_fact *f)
{
	struct registry_judge *alone = registry_judge_new(j->to);

	if (f->name && f->data)
		(void)judge_execute(alone, f);
	registry_judge_free(alone);
}

void registry_judge_fact(struct registry_judge *j, const struct registry_fact *f)
{
	if (f->written_by) {
		judge_written(j, f);
		return;
	}
	open_hive(j, f);
	j->stale |= f->stale;
	j->degraded |= f->degraded;
	j->ours |= f->ours;
	switch (f->about) {
	case REGISTRY_STATE:
		if (!j->set)
			j->set = kept(f->key);
		break;
	case REGISTRY_SESSION_MANAGER:
		if (f->name && (f->data || !f->bytes) && !judge_execute(j, f) &&
		    !judge_renames(j, f))
			(void)judge_wpbt(j, f);
		break;
	case REGISTRY_FILE_RENAMES:
		if (f->name && (f->data || !f->bytes))
			(void)judge_renames(j, f);
		break;
	case REGISTRY_SERVICE:
		if (f->name)
			judge_service(j, f);
		break;
	}
}

void registry_judge_end(struct registry_judge *j)
{
	close_hive(j);
}

void registry_judge_free(struct registry_judge *j)
{
	if (!j)
		return;
	free(j->file);
	free(j->host);
	free(j->set);
	free(j->execute_key);
	free(j);
}
