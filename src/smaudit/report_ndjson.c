/* SPDX-License-Identifier: MIT */
/*
 * report_ndjson.c - findings for programs: a JSON object a line
 *
 * Members: id, rule, severity, verdict, host, subject, what, missing, time, technique, evidence{},
 * source{file,line}. Additive only: consumers may rely on every name.
 */
#include <string.h>

#include "smaudit/json_out.h"
#include "smaudit/report_inner.h"

static void put_source(struct json_out *j, const struct place *p)
{
	json_out_open(j, "source", '{');
	json_out_text(j, "file", p->file);
	if (p->line)
		json_out_number(j, "line", p->line);
	json_out_close(j, '}');
}

/* One member a name; a name that stands several times is an array. */
static void put_evidence(struct json_out *j, const struct finding *f)
{
	json_out_open(j, "evidence", '{');
	for (unsigned i = 0; i < f->evidences; i++) {
		const char *name = f->evidence[i].name;
		unsigned same = 0, before = 0;

		for (unsigned n = 0; n < f->evidences; n++)
			if (!strcmp(f->evidence[n].name, name)) {
				same++;
				before += n < i;
			}
		if (before)
			continue;
		if (same == 1) {
			json_out_text(j, name, f->evidence[i].text);
			continue;
		}
		json_out_open(j, name, '[');
		for (unsigned n = i; n < f->evidences; n++)
			if (!strcmp(f->evidence[n].name, name))
				json_out_text(j, NULL, f->evidence[n].text);
		json_out_close(j, ']');
	}
	json_out_close(j, '}');
}

void ndjson_finding(struct report *r, const struct finding *f)
{
	const struct indicator *i = &indicators[f->rule];
	struct json_out j = json_out_line(r->to);
	char time[REPORT_TIME_ROOM], id[17];

	report_id(f, id);
	json_out_open(&j, NULL, '{');
	json_out_text(&j, "id", id);
	json_out_text(&j, "rule", i->id);
	json_out_text(&j, "title", i->title);
	if (f->verdict == VERDICT_FINDING)
		json_out_text(&j, "severity", severity_word(f->severity));
	json_out_text(&j, "verdict", verdict_word(f->verdict));
	json_out_text(&j, "host", f->host);
	json_out_text(&j, "subject", f->subject);
	json_out_text(&j, "what", f->what ? f->what : i->title);
	if (f->verdict == VERDICT_INDETERMINATE)
		json_out_text(&j, "missing", f->missing);
	json_out_text(&j, "time", report_time(f->time_ns, time));
	json_out_text(&j, "technique", f->technique ? f->technique : i->technique);
	put_evidence(&j, f);
	if (f->verdict == VERDICT_FINDING) {
		json_out_text(&j, "why", i->why);
		json_out_text(&j, "next", f->next ? f->next : i->next);
	}
	put_source(&j, &f->place);
	json_out_close(&j, '}');
	json_out_end(&j);
}

void ndjson_trouble(struct report *r, const struct place *p, enum trouble t, const char *text)
{
	struct json_out j = json_out_line(r->to);

	json_out_open(&j, NULL, '{');
	json_out_text(&j, "verdict", verdict_word(trouble_verdict(t)));
	json_out_text(&j, "what", text);
	put_source(&j, p);
	json_out_close(&j, '}');
	json_out_end(&j);
}

void ndjson_nothing(struct report *r, enum indicator_id rule)
{
	bool looked = report_looked(r, rule);
	struct json_out j = json_out_line(r->to);

	json_out_open(&j, NULL, '{');
	json_out_text(&j, "rule", indicators[rule].id);
	json_out_text(&j, "verdict", looked ? verdict_word(VERDICT_NOTHING) : NOT_LOOKED_AT);
	json_out_text(&j, "what", looked ? "nothing found" : "no input tells what decides it");
	if (!looked)
		json_out_text(&j, "missing", indicators[rule].decided_by);
	json_out_close(&j, '}');
	json_out_end(&j);
}
