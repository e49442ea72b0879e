/* SPDX-License-Identifier: MIT */
/*
 * profile_json.c - a profile for programs: one JSON object on one line
 *
 * {"profile":NAME, SECTION:{KEY:{"records":N,"values":[{"value","count","permille"}],"others":N}
 * or text or null}}. A key that nothing told is null: not observed. Additive only.
 */
#include <string.h>

#include "smaudit/json_out.h"
#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"

struct writer {
	struct json_out j;
	char bracket; /* of the section that is open; 0 = none */
};

static void end_section(struct writer *w)
{
	if (w->bracket)
		json_out_close(&w->j, w->bracket);
	w->bracket = 0;
}

static void section(void *arg, const char *key, const char *title)
{
	struct writer *w = arg;
	bool list = !strcmp(key, "analysis") || !strcmp(key, "indicators");

	(void)title;
	end_section(w);
	json_out_open(&w->j, key, list ? '[' : '{');
	w->bracket = list ? ']' : '}';
}

static void values(void *arg, const char *key, const char *label, const struct values *v)
{
	struct json_out *j = &((struct writer *)arg)->j;
	const struct value *sorted[PROFILE_VALUES];
	uint64_t others;
	unsigned n = values_sorted(v, sorted, &others);

	(void)label;
	if (!v->records) {
		json_out_null(j, key);
		return;
	}
	json_out_open(j, key, '{');
	json_out_number(j, "records", v->records);
	json_out_open(j, "values", '[');
	for (unsigned i = 0; i < n; i++) {
		uint64_t sure = sorted[i]->count - sorted[i]->error;

		if (!sure)
			continue;
		json_out_open(j, NULL, '{');
		json_out_text(j, "value", sorted[i]->shown);
		json_out_number(j, "count", sure);
		json_out_number(j, "permille",
				(uint64_t)((double)sure * 1000 / (double)v->records + 0.5));
		json_out_close(j, '}');
	}
	json_out_close(j, ']');
	json_out_number(j, "others", others);
	json_out_close(j, '}');
}

static void text(void *arg, const char *key, const char *label, const char *text)
{
	struct json_out *j = &((struct writer *)arg)->j;

	(void)label;
	if (text)
		json_out_text(j, key, text);
	else
		json_out_null(j, key);
}

static void paragraph(void *arg, const char *text)
{
	json_out_text(&((struct writer *)arg)->j, NULL, text);
}

static void indicator(void *arg, const struct indicator *i, const struct hits *h)
{
	struct json_out *j = &((struct writer *)arg)->j;

	json_out_open(j, NULL, '{');
	json_out_text(j, "rule", i->id);
	json_out_text(j, "title", i->title);
	json_out_text(j, "severity", severity_word(i->severity));
	json_out_text(j, "technique", i->technique);
	json_out_bool(j, "looked", h->looked);
	for (int s = SEVERITY_HIGH; s >= SEVERITY_INFO; s--)
		json_out_number(j, severity_word((enum severity)s), h->found[s]);
	json_out_number(j, "indeterminate", h->undecided);
	json_out_close(j, '}');
}

void profile_json(const struct profile *p, FILE *to)
{
	struct writer w = {.j = json_out_line(to)};
	const struct page page = {&w, section, values, text, paragraph, indicator};

	json_out_open(&w.j, NULL, '{');
	json_out_text(&w.j, "profile", p->name);
	page_write(p, &page);
	end_section(&w);
	json_out_close(&w.j, '}');
	json_out_end(&w.j);
}
