/* SPDX-License-Identifier: MIT */
/*
 * read_ndjson.c - this program's own findings, of many machines and runs, into a profile
 *
 * Members are those that report_ndjson.c writes; any that it does not know is left alone, so files
 * of a newer program are read, too. A bad line costs itself and is named. Findings are evidence
 * like any other: nothing in them is believed to be ours.
 */
#include <errno.h>
#include <string.h>

#include "smaudit/input.h"
#include "smaudit/json.h"
#include "smaudit/profile_inner.h"
#include "smaudit/readers.h"
#include "smaudit/record.h"

#define ALOUD 20u

struct findings {
	struct profile *p;
	const struct sink *to;
	const char *path;
	struct record rec;
	uint64_t good, bad, twice;
};

static void complain(struct findings *f, uint64_t line, const char *why)
{
	struct place p = {f->path, line};

	if (f->bad++ < ALOUD && f->to->trouble)
		f->to->trouble(f->to->arg, &p, TROUBLE_INPUT, why);
}

static const char *get(struct findings *f, const char *name)
{
	return record_get(&f->rec, 0, name);
}

/* Every member of evidence{}, as far as there is room; a list tells its first. */
static void read_evidence(struct findings *f, struct finding *to)
{
	unsigned object = record_object(&f->rec, 0, "evidence");
	static char names[EVIDENCE_MAX][32];

	for (unsigned i = 1; object && i <= f->rec.count && to->evidences < EVIDENCE_MAX; i++) {
		const struct field *field = &f->rec.at[i - 1];
		size_t n = field->name_bytes;
		char *name = names[to->evidences];

		if (field->parent != object || n >= sizeof(names[0]))
			continue;
		memcpy(name, field->name, n);
		name[n] = '\0';
		finding_add(to, name, record_text(&f->rec, i));
	}
}

static void read_finding(struct findings *f, int rule, int verdict)
{
	struct finding to = {.rule = (enum indicator_id)rule, .verdict = (enum verdict)verdict};
	int severity = profile_severity_of(get(f, "severity"));
	const char *source = get(f, "source.file");

	to.severity = severity < 0 ? indicators[rule].severity : (enum severity)severity;
	to.host = get(f, "host");
	to.subject = get(f, "subject");
	to.time_ns = NO_TIME;
	if (get(f, "time"))
		to.time_ns = time_read(get(f, "time"));
	to.place = (struct place){source ? source : f->path, 0};
	read_evidence(f, &to);
	if (!to.subject && verdict != VERDICT_NOTHING)
		return; /* a rule that could not be looked at: of no image */
	profile_told_finding(f->p, &to, get(f, "id"));
}

static void read_line(struct findings *f, const struct input_line *line)
{
	struct json_error e;
	char *text = line->text, *end = line->text + line->bytes, *behind;
	const char *rule;
	int verdict, number;
	char twice[RECORD_TWICE_BYTES];

	while (text < end && (*text == ' ' || *text == '\t' || *text == '\r'))
		text++;
	if (text == end)
		return;
	record_clear(&f->rec);
	behind = *text == '{' ? json_read(&f->rec, 0, text, end, &e) : NULL;
	if (!behind || behind + strspn(behind, " \t\r") != end) {
		complain(f, line->line,
			 line->cut ? "the input ends within a line: left out"
				   : "no object of JSON: left out");
		return;
	}
	if (record_twice(&f->rec, twice, sizeof(twice)) && f->twice++ < ALOUD && f->to->trouble)
		f->to->trouble(f->to->arg, &(struct place){f->path, line->line}, TROUBLE_DEGRADED,
			       twice);
	verdict = profile_verdict_of(get(f, "verdict"));
	rule = get(f, "rule");
	if (rule && get(f, "verdict") && !strcmp(get(f, "verdict"), NOT_LOOKED_AT)) {
		f->good++;
		return;
	}
	if (verdict < 0 || (!rule && !get(f, "what"))) {
		complain(f, line->line, "no finding: it has no verdict, or no rule");
		return;
	}
	f->good++;
	if (!rule || verdict == VERDICT_INPUT_ERROR)
		return; /* of an input that was in trouble: tells of no image */
	number = profile_rule_of(rule);
	if (number >= 0)
		read_finding(f, number, verdict);
	else
		trait_tell(f->p, TRAIT_OTHER_RULE, rule, NULL);
}

static int read_lines(struct findings *f, struct input *in)
{
	struct input_line line;
	int got;

	while ((got = input_line(in, &line)) > 0) {
		if (got == INPUT_LONG)
			complain(f, line.line, "a line beyond 16 MiB: left out");
		else
			read_line(f, &line);
	}
	return got < 0 ? got : in->error;
}

int read_ndjson_file(FILE *file, const char *path, struct profile *p, const struct sink *to)
{
	struct findings f = {.p = p, .to = to, .path = path};
	struct place place = {path, 0};
	static struct input in;
	char text[64];
	int r = input_start(&in, file, path, to);

	if (r >= 0)
		r = read_lines(&f, &in);
	input_stop(&in);
	record_free(&f.rec);
	if (!to->trouble)
		return r < 0 ? r : f.good ? 0 : -EINVAL;
	if (r < 0)
		to->trouble(to->arg, &place, TROUBLE_INPUT, strerror(-r));
	if (f.bad > ALOUD) {
		snprintf(text, sizeof(text), "%llu lines are no findings",
			 (unsigned long long)f.bad);
		to->trouble(to->arg, &place, TROUBLE_INPUT, text);
	}
	if (f.twice > ALOUD) {
		snprintf(text, sizeof(text), "%llu lines with a name that stands twice",
			 (unsigned long long)f.twice);
		to->trouble(to->arg, &place, TROUBLE_DEGRADED, text);
	}
	if (r == 0 && !f.good && !f.bad)
		to->trouble(to->arg, &place, TROUBLE_INPUT, "no findings are in it");
	return r < 0 ? r : f.good ? 0 : -EINVAL;
}

int read_ndjson(const char *path, struct profile *p, const struct sink *to)
{
	struct place place = {path, 0};
	FILE *file = fopen(path, "re");
	int r;

	if (!file) {
		r = -errno;
		if (to->trouble)
			to->trouble(to->arg, &place, TROUBLE_INPUT, strerror(-r));
		return r;
	}
	r = read_ndjson_file(file, path, p, to);
	fclose(file);
	return r;
}
