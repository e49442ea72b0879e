/* SPDX-License-Identifier: MIT */
/*
 * report_ecs.c - findings in the Elastic Common Schema, an object a line
 *
 * Evidence with a name of evidence_fields[] goes where ECS wants it; anything else becomes a label,
 * so nothing is lost. Numbers are numbers only when they are nothing else.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/json_out.h"
#include "smaudit/report_inner.h"

#define ECS_VERSION "9.0.0"

enum place_in { /* the objects of a line, in the order in which they are written */
		IN_PROCESS,
		IN_PROCESS_PARENT,
		IN_USER,
		IN_REGISTRY,
		IN_FILE,
		IN_FILE_HASH,
		IN_FILE_SIGNATURE,
		IN_FILE_PE,
		IN_LABELS
};

enum field_form { FORM_TEXT, FORM_NUMBER, FORM_DATE, FORM_STRINGS };

static const struct {
	const char *evidence;
	enum place_in in;
	const char *field;
	enum field_form form;
} evidence_fields[] = {
	{"pid", IN_PROCESS, "pid", FORM_NUMBER},
	{"image", IN_PROCESS, "executable", FORM_TEXT},
	{"name", IN_PROCESS, "name", FORM_TEXT},
	{"command", IN_PROCESS, "command_line", FORM_TEXT},
	{"started", IN_PROCESS, "start", FORM_DATE},
	{"ended", IN_PROCESS, "end", FORM_DATE},
	{"guid", IN_PROCESS, "entity_id", FORM_TEXT},
	{"ppid", IN_PROCESS_PARENT, "pid", FORM_NUMBER},
	{"parent", IN_PROCESS_PARENT, "executable", FORM_TEXT},
	{"parent-guid", IN_PROCESS_PARENT, "entity_id", FORM_TEXT},
	{"user", IN_USER, "name", FORM_TEXT},
	{"sid", IN_USER, "id", FORM_TEXT},
	{"key", IN_REGISTRY, "key", FORM_TEXT},
	{"value", IN_REGISTRY, "value", FORM_TEXT},
	{"data", IN_REGISTRY, "data.strings", FORM_STRINGS},
	{"entry", IN_REGISTRY, "data.strings", FORM_STRINGS},
	{"file", IN_FILE, "path", FORM_TEXT},
	{"path", IN_FILE, "path", FORM_TEXT},
	{"sha256", IN_FILE_HASH, "sha256", FORM_TEXT},
	{"signer", IN_FILE_SIGNATURE, "subject_name", FORM_TEXT},
	{"status", IN_FILE_SIGNATURE, "status", FORM_TEXT},
	{"original-name", IN_FILE_PE, "original_file_name", FORM_TEXT},
	{"company", IN_FILE_PE, "company", FORM_TEXT},
	{"product", IN_FILE_PE, "product", FORM_TEXT},
	{"file-version", IN_FILE_PE, "file_version", FORM_TEXT},
};

/* "2026-03-01T08:00:05.000Z", as report_time writes it; an index takes nothing else for a date. */
static bool is_date(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'd' ? !isdigit((unsigned char)s[i]) : s[i] != form[i])
			return false;
	return true;
}

static bool fits(enum field_form form, const char *text)
{
	uint64_t n;

	if (form == FORM_NUMBER)
		return str_u64(text, strlen(text), &n) == 0;
	return form != FORM_DATE || is_date(text);
}

/* The row of an evidence, or -1: a label. A number or date that is none is a label, too. */
static int field_of(const struct evidence *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(evidence_fields); i++)
		if (!strcmp(evidence_fields[i].evidence, e->name))
			return fits(evidence_fields[i].form, e->text) ? (int)i : -1;
	return -1;
}

static bool stands_before(const struct finding *f, unsigned at)
{
	for (unsigned i = 0; i < at; i++)
		if (!strcmp(f->evidence[i].name, f->evidence[at].name))
			return true;
	return false;
}

static bool has(const struct finding *f, enum place_in in)
{
	for (unsigned i = 0; i < f->evidences; i++) {
		int row = field_of(&f->evidence[i]);

		if ((row < 0 ? IN_LABELS : evidence_fields[row].in) == in)
			return true;
	}
	return false;
}

static void put_strings(struct json_out *j, const struct finding *f, unsigned first)
{
	json_out_open(j, "data", '{');
	json_out_open(j, "strings", '[');
	for (unsigned i = first; i < f->evidences; i++)
		if (!strcmp(f->evidence[i].name, f->evidence[first].name))
			json_out_text(j, NULL, f->evidence[i].text);
	json_out_close(j, ']');
	json_out_close(j, '}');
}

/* DOMAIN\NAME is two fields; anything else is a name. */
static void put_user(struct json_out *j, const char *text)
{
	const char *slash = strchr(text, '\\');
	char domain[256];

	if (slash && slash != text && slash[1] && (size_t)(slash - text) < sizeof(domain)) {
		snprintf(domain, sizeof(domain), "%.*s", (int)(slash - text), text);
		json_out_text(j, "domain", domain);
		text = slash + 1;
	}
	json_out_text(j, "name", text);
}

static void put_fields(struct json_out *j, const struct finding *f, enum place_in in)
{
	for (unsigned i = 0; i < f->evidences; i++) {
		const struct evidence *e = &f->evidence[i];
		int row = field_of(e);
		uint64_t n;

		if (row < 0 || evidence_fields[row].in != in || stands_before(f, i))
			continue;
		if (evidence_fields[row].form == FORM_STRINGS)
			put_strings(j, f, i);
		else if (evidence_fields[row].form == FORM_NUMBER &&
			 !str_u64(e->text, strlen(e->text), &n))
			json_out_number(j, evidence_fields[row].field, n);
		else if (in == IN_USER && !strcmp(e->name, "user"))
			put_user(j, e->text);
		else
			json_out_text(j, evidence_fields[row].field, e->text);
	}
}

static void put_object(struct json_out *j, const struct finding *f, const char *name,
		       enum place_in in)
{
	if (!has(f, in))
		return;
	json_out_open(j, name, '{');
	put_fields(j, f, in);
	json_out_close(j, '}');
}

static bool has_file(const struct finding *f)
{
	return has(f, IN_FILE) || has(f, IN_FILE_HASH) || has(f, IN_FILE_SIGNATURE) ||
	       has(f, IN_FILE_PE);
}

static void put_file(struct json_out *j, const struct finding *f)
{
	if (!has_file(f))
		return;
	json_out_open(j, "file", '{');
	put_fields(j, f, IN_FILE);
	put_object(j, f, "hash", IN_FILE_HASH);
	put_object(j, f, "code_signature", IN_FILE_SIGNATURE);
	put_object(j, f, "pe", IN_FILE_PE);
	json_out_close(j, '}');
}

static void put_process(struct json_out *j, const struct finding *f)
{
	if (!has(f, IN_PROCESS) && !has(f, IN_PROCESS_PARENT))
		return;
	json_out_open(j, "process", '{');
	put_fields(j, f, IN_PROCESS);
	put_object(j, f, "parent", IN_PROCESS_PARENT);
	json_out_close(j, '}');
}

/* log.origin is of source code, and ECS has no field for the line of an input: a label. */
static void put_line(struct json_out *j, const struct place *p)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)p->line);
	if (p->line)
		json_out_text(j, "line", text);
}

/* ECS asks for labels whose names have no dots. */
static void put_labels(struct json_out *j, const struct finding *f)
{
	json_out_open(j, "labels", '{');
	json_out_text(j, "subject", f->subject);
	json_out_text(j, "verdict", verdict_word(f->verdict));
	if (f->verdict == VERDICT_INDETERMINATE)
		json_out_text(j, "missing", f->missing);
	put_line(j, &f->place);
	for (unsigned i = 0; i < f->evidences; i++) {
		const struct evidence *e = &f->evidence[i];
		bool many = stands_before(f, i);
		int row = field_of(e);
		char name[64];

		if (row >= 0 && (!many || evidence_fields[row].form == FORM_STRINGS))
			continue;
		snprintf(name, sizeof(name), many ? "%.50s_%u" : "%.50s", e->name, i);
		for (char *c = name; *c; c++)
			if (!isalnum((unsigned char)*c))
				*c = '_';
		json_out_text(j, name, e->text);
	}
	json_out_close(j, '}');
}

static void put_technique(struct json_out *j, const char *technique)
{
	size_t whole = strcspn(technique, ".");
	char parent[16];

	snprintf(parent, sizeof(parent), "%.*s", (int)whole, technique);
	json_out_open(j, "threat", '{');
	json_out_text(j, "framework", "MITRE ATT&CK");
	json_out_open(j, "technique", '{');
	json_out_text(j, "id", parent);
	if (technique[whole]) {
		json_out_open(j, "subtechnique", '{');
		json_out_text(j, "id", technique);
		json_out_close(j, '}');
	}
	json_out_close(j, '}');
	json_out_close(j, '}');
}

static void put_start(struct json_out *j, int64_t time_ns)
{
	struct timespec now;
	char time[REPORT_TIME_ROOM];
	const char *text = report_time(time_ns, time);

	if (!text) { /* evidence without a time: when it was found */
		clock_gettime(CLOCK_REALTIME, &now);
		text = report_time((int64_t)now.tv_sec * 1000000000 + now.tv_nsec, time);
	}
	json_out_open(j, NULL, '{');
	json_out_text(j, "@timestamp", text);
	json_out_open(j, "ecs", '{');
	json_out_text(j, "version", ECS_VERSION);
	json_out_close(j, '}');
}

static void put_event(struct json_out *j, const char *kind, const char *category, const char *type,
		      const char *id)
{
	json_out_open(j, "event", '{');
	json_out_text(j, "id", id);
	json_out_text(j, "kind", kind);
	json_out_text(j, "module", "smaudit");
	json_out_text(j, "dataset", "smaudit.finding");
	json_out_open(j, "category", '[');
	if (!strcmp(category, "registry")) /* alone it does not go with info */
		json_out_text(j, NULL, "configuration");
	json_out_text(j, NULL, category);
	json_out_close(j, ']');
	json_out_open(j, "type", '[');
	json_out_text(j, NULL, type);
	json_out_close(j, ']');
}

static void put_rule(struct json_out *j, enum indicator_id rule)
{
	json_out_open(j, "rule", '{');
	json_out_text(j, "id", indicators[rule].id);
	json_out_text(j, "name", indicators[rule].title);
	json_out_text(j, "description", indicators[rule].why);
	json_out_close(j, '}');
}

static void put_log_file(struct json_out *j, const struct place *p)
{
	if (!p->file)
		return;
	json_out_open(j, "log", '{');
	json_out_open(j, "file", '{');
	json_out_text(j, "path", p->file);
	json_out_close(j, '}');
	json_out_close(j, '}');
}

/* What evidence of a rule is about. */
static const char *category_of(enum indicator_id rule)
{
	unsigned of = indicators[rule].sources;

	return of & SOURCE_HIVE ? "registry" : of & SOURCE_PROCESSES ? "process" : "file";
}

void ecs_finding(struct report *r, const struct finding *f)
{
	static const unsigned scale[] = {1, 21, 47, 73};
	bool alert = f->verdict == VERDICT_FINDING && f->severity > SEVERITY_INFO;
	struct json_out j = json_out_line(r->to);
	char id[17];

	report_id(f, id);
	put_start(&j, f->time_ns);
	put_event(&j, alert ? "alert" : "event",
		  has(f, IN_REGISTRY)  ? "registry"
		  : has(f, IN_PROCESS) ? "process"
		  : has_file(f)        ? "file"
				       : category_of(f->rule),
		  "info", id);
	json_out_text(&j, "reason", f->what ? f->what : indicators[f->rule].title);
	if (f->verdict == VERDICT_FINDING)
		json_out_number(&j, "severity", scale[f->severity]);
	else
		json_out_text(&j, "outcome", "unknown");
	json_out_close(&j, '}');
	json_out_text(&j, "message", f->what ? f->what : indicators[f->rule].title);
	put_rule(&j, f->rule);
	put_technique(&j, f->technique ? f->technique : indicators[f->rule].technique);
	put_process(&j, f);
	put_object(&j, f, "user", IN_USER);
	put_object(&j, f, "registry", IN_REGISTRY);
	put_file(&j, f);
	if (f->host) {
		json_out_open(&j, "host", '{');
		json_out_text(&j, "name", f->host);
		json_out_close(&j, '}');
	}
	put_log_file(&j, &f->place);
	put_labels(&j, f);
	json_out_close(&j, '}');
	json_out_end(&j);
}

void ecs_trouble(struct report *r, const struct place *p, enum trouble t, const char *text)
{
	struct json_out j = json_out_line(r->to);

	put_start(&j, NO_TIME);
	put_event(&j, t == TROUBLE_NOTE ? "event" : "pipeline_error", "file",
		  t == TROUBLE_NOTE ? "info" : "error", NULL);
	json_out_text(&j, "outcome", t == TROUBLE_INPUT ? "failure" : "unknown");
	json_out_close(&j, '}');
	json_out_open(&j, "error", '{');
	json_out_text(&j, "message", text);
	json_out_close(&j, '}');
	put_log_file(&j, p);
	json_out_open(&j, "labels", '{');
	json_out_text(&j, "verdict", verdict_word(trouble_verdict(t)));
	if (p->line)
		put_line(&j, p);
	json_out_close(&j, '}');
	json_out_close(&j, '}');
	json_out_end(&j);
}

void ecs_nothing(struct report *r, enum indicator_id rule)
{
	bool looked = report_looked(r, rule);
	struct json_out j = json_out_line(r->to);

	put_start(&j, NO_TIME);
	put_event(&j, "event", category_of(rule), "info", NULL);
	json_out_text(&j, "outcome", looked ? "success" : "unknown");
	json_out_text(&j, "reason", looked ? "nothing found" : "no input tells what decides it");
	json_out_close(&j, '}');
	put_rule(&j, rule);
	json_out_open(&j, "labels", '{');
	json_out_text(&j, "verdict", looked ? verdict_word(VERDICT_NOTHING) : NOT_LOOKED_AT);
	if (!looked)
		json_out_text(&j, "missing", indicators[rule].decided_by);
	json_out_close(&j, '}');
	json_out_close(&j, '}');
	json_out_end(&j);
}
