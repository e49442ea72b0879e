/* SPDX-License-Identifier: MIT */
/*
 * report.c - what is told, once, and what a run comes to; see report.h
 *
 * Evidence decides how much is found, so everything here has a limit, and what is beyond it is
 * counted. A finding is never left out for a note or for what was undecided about the same subject.
 */
#include "smaudit/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/sha256.h"
#include "smaudit/output.h"
#include "smaudit/report_inner.h"

#define TOLD_FIRST 1024u

void *audit_alloc(void *old, size_t bytes)
{
	void *p = realloc(old, bytes);

	if (!p) {
		fputs("smaudit: out of memory\n", stderr);
		exit(2);
	}
	return p;
}

char *audit_copy(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(audit_alloc(NULL, n), text, n);
}

const char *severity_word(enum severity s)
{
	static const char *const words[] = {"info", "low", "medium", "high"};

	return words[s];
}

const char *verdict_word(enum verdict v)
{
	static const char *const words[] = {"nothing", "finding", "indeterminate", "input-error"};

	return words[v];
}

enum verdict trouble_verdict(enum trouble t)
{
	return t == TROUBLE_INPUT      ? VERDICT_INPUT_ERROR
	       : t == TROUBLE_DEGRADED ? VERDICT_INDETERMINATE
				       : VERDICT_NOTHING;
}

const char *report_host(const struct finding *f)
{
	return f->host ? f->host : f->place.file ? f->place.file : "";
}

static uint64_t id_of(const struct finding *f)
{
	const char *const parts[] = {report_host(f), indicators[f->rule].id,
				     f->subject ? f->subject : ""};
	uint8_t digest[SHA256_BYTES];
	struct sha256 s;
	uint64_t id = 0;

	sha256_start(&s);
	for (unsigned i = 0; i < 3; i++)
		sha256_add(&s, parts[i], strlen(parts[i]) + (i < 2)); /* NUL between them */
	sha256_end(&s, digest);
	for (unsigned i = 0; i < 8; i++)
		id = id << 8 | digest[i];
	return id;
}

void report_id(const struct finding *f, char ret_id[17])
{
	snprintf(ret_id, 17, "%016llx", (unsigned long long)id_of(f));
}

const char *report_time(int64_t time_ns, char room[REPORT_TIME_ROOM])
{
	int64_t seconds, ns;
	time_t t;
	struct tm tm;
	size_t n;

	if (time_ns == NO_TIME)
		return NULL;
	seconds = time_ns / 1000000000;
	ns = time_ns % 1000000000;
	if (ns < 0) {
		ns += 1000000000;
		seconds--;
	}
	t = (time_t)seconds;
	if (!gmtime_r(&t, &tm))
		return NULL;
	n = strftime(room, REPORT_TIME_ROOM, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(room + n, REPORT_TIME_ROOM - n, ".%03dZ", (int)(ns / 1000000));
	return room;
}

struct report *report_new(FILE *to, enum report_format format, bool colour, bool all)
{
	struct report *r = audit_alloc(NULL, sizeof(*r));

	*r = (struct report){.to = to,
			     .format = format,
			     .colour = colour,
			     .all = all,
			     .width = output_width(to)};
	r->told_cap = TOLD_FIRST;
	r->told = audit_alloc(NULL, TOLD_FIRST * sizeof(*r->told));
	memset(r->told, 0, TOLD_FIRST * sizeof(*r->told));
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	for (unsigned i = 0; i < INDICATOR_COUNT; i++)
		for (unsigned n = 0; n < REPORT_REASONS_MAX; n++)
			free(r->tally[i].reason[n]);
	for (unsigned i = 0; i < r->inputs; i++) {
		free(r->input[i].file);
		free(r->input[i].as_what);
	}
	for (size_t i = 0; i < r->blocks; i++)
		free(r->block[i].text);
	free(r->block);
	free(r->trouble_file);
	free(r->told);
	free(r);
}

void report_watch(struct report *r, void (*watch)(void *arg, const struct finding *f), void *arg)
{
	r->watch = watch;
	r->watch_arg = arg;
}

/* ---- once ---- */

static bool told_find(const uint64_t *told, size_t cap, uint64_t key, size_t *ret_at)
{
	for (size_t at = key & (cap - 1);; at = (at + 1) & (cap - 1)) {
		*ret_at = at;
		if (!told[at] || told[at] == key)
			return told[at] == key;
	}
}

static void told_grow(struct report *r)
{
	size_t cap = 2 * r->told_cap, at;
	uint64_t *told = audit_alloc(NULL, cap * sizeof(*told));

	memset(told, 0, cap * sizeof(*told));
	for (size_t i = 0; i < r->told_cap; i++)
		if (r->told[i] && !told_find(told, cap, r->told[i], &at))
			told[at] = r->told[i];
	free(r->told);
	r->told = told;
	r->told_cap = cap;
}

/* One subject may be found, noted and undecided: each of these is told once. Never 0. */
static uint64_t told_key(uint64_t id, enum verdict v, enum severity s)
{
	uint64_t kind = v == VERDICT_FINDING ? 1 + (uint64_t)s : 8 + (uint64_t)v;
	uint64_t key = id ^ kind * 0x9e3779b97f4a7c15u;

	return key ? key : 1;
}

/* Whether it is new; what was found needs no "undecided" any more. */
static bool tell_once(struct report *r, const struct finding *f)
{
	uint64_t id = id_of(f);
	/* what is undecided on many hosts leaves room for what is found on one */
	const size_t most =
		f->verdict == VERDICT_INDETERMINATE ? REPORT_TOLD_MAX / 4 * 3 : REPORT_TOLD_MAX;
	size_t at;

	if (f->verdict == VERDICT_INDETERMINATE)
		for (int s = SEVERITY_LOW; s <= SEVERITY_HIGH; s++)
			if (told_find(r->told, r->told_cap,
				      told_key(id, VERDICT_FINDING, (enum severity)s), &at))
				return false;
	if (told_find(r->told, r->told_cap, told_key(id, f->verdict, f->severity), &at))
		return false;
	if (r->told_count >= most) {
		r->untold++;
		return false;
	}
	r->told[at] = told_key(id, f->verdict, f->severity);
	if (++r->told_count * 2 > r->told_cap)
		told_grow(r);
	return true;
}

/* ---- findings ---- */

static void keep_reason(struct tally *t, const char *missing)
{
	for (unsigned i = 0; missing && i < REPORT_REASONS_MAX; i++) {
		if (!t->reason[i])
			t->reason[i] = audit_copy(missing);
		if (!strcmp(t->reason[i], missing))
			return;
	}
}

static void count(struct report *r, const struct finding *f)
{
	struct tally *t = &r->tally[f->rule];

	if (f->verdict == VERDICT_INDETERMINATE) {
		t->undecided++;
		keep_reason(t, f->missing ? f->missing : f->what);
	} else {
		t->found[f->severity]++;
	}
}

void report_add(struct report *r, const struct finding *f)
{
	uint64_t untold = r->untold;
	bool first;

	if (f->verdict == VERDICT_INPUT_ERROR) {
		report_trouble(r, &f->place, TROUBLE_INPUT, f->what);
		return;
	}
	r->tally[f->rule].looked |= f->verdict != VERDICT_INDETERMINATE;
	if (f->verdict == VERDICT_NOTHING)
		return;
	first = tell_once(r, f);
	if (first || r->untold != untold)
		count(r, f);
	if (!first)
		return;
	if (r->watch)
		r->watch(r->watch_arg, f);
	if (f->verdict == VERDICT_FINDING && f->severity == SEVERITY_INFO && !r->all)
		return;
	if (r->format == REPORT_TEXT)
		text_finding(r, f);
	else if (r->format == REPORT_NDJSON)
		ndjson_finding(r, f);
	else
		ecs_finding(r, f);
}

void finding_add(struct finding *f, const char *name, const char *text)
{
	if (text && f->evidences < EVIDENCE_MAX)
		f->evidence[f->evidences++] = (struct evidence){name, text};
}

/* ---- inputs ---- */

/* Whether another line about this file is told; a broken file has a million of them. */
static bool trouble_room(struct report *r, const char *file)
{
	if (!r->trouble_file || strcmp(r->trouble_file, file) != 0) {
		free(r->trouble_file);
		r->trouble_file = audit_copy(file);
		r->trouble_lines = 0;
	}
	return r->trouble_lines++ <= REPORT_TROUBLES_MAX;
}

void report_trouble(struct report *r, const struct place *p, enum trouble t, const char *text)
{
	const char *file = p->file ? p->file : "";

	r->input_errors += t == TROUBLE_INPUT;
	r->degraded += t == TROUBLE_DEGRADED;
	r->notes += t == TROUBLE_NOTE;
	if ((t == TROUBLE_NOTE && !r->all) || !trouble_room(r, file))
		return;
	if (r->trouble_lines > REPORT_TROUBLES_MAX)
		text = "more of this kind are counted, not told";
	if (r->format == REPORT_TEXT)
		text_trouble(r, p, t, text);
	else if (r->format == REPORT_NDJSON)
		ndjson_trouble(r, p, t, text);
	else
		ecs_trouble(r, p, t, text);
}

void report_input(struct report *r, const char *file, unsigned source, const char *as_what,
		  uint64_t records)
{
	if (records)
		r->looked |= source;
	if (r->inputs == REPORT_INPUTS_MAX) {
		r->inputs_more++;
		return;
	}
	r->input[r->inputs++] = (struct read_input){audit_copy(file), audit_copy(as_what), records};
}

bool report_looked(const struct report *r, enum indicator_id rule)
{
	return r->tally[rule].looked || (indicators[rule].sources & r->looked);
}

int report_end(struct report *r)
{
	uint64_t found = 0, undecided = r->degraded;
	bool looked = false;

	for (int i = 0; i < INDICATOR_COUNT; i++) {
		const struct tally *t = &r->tally[i];

		for (int s = SEVERITY_LOW; s <= SEVERITY_HIGH; s++)
			found += t->found[s];
		undecided += t->undecided;
		looked |= report_looked(r, (enum indicator_id)i);
		if (t->undecided || t->found[SEVERITY_LOW] || t->found[SEVERITY_MEDIUM] ||
		    t->found[SEVERITY_HIGH] || !r->all)
			continue;
		if (r->format == REPORT_NDJSON)
			ndjson_nothing(r, (enum indicator_id)i);
		else if (r->format == REPORT_ECS)
			ecs_nothing(r, (enum indicator_id)i);
	}
	if (r->format == REPORT_TEXT) {
		text_flush(r);
		text_summary(r);
	}
	if (found)
		return 1;
	if (r->input_errors)
		return 2;
	/* what told nothing at all was not found clean */
	return undecided || !looked ? 3 : 0;
}
