/* SPDX-License-Identifier: MIT */
/*
 * rules_print.c - `smaudit rules`: the indicators as they are, for people and programs
 */
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smaudit/json_out.h"
#include "smaudit/report_inner.h"
#include "smaudit/run.h"

static const struct {
	unsigned bit;
	const char *word;
} sources[] = {
	{SOURCE_LIVE, "live"}, {SOURCE_HIVE, "hive"},   {SOURCE_PROCESSES, "processes"},
	{SOURCE_EVTX, "evtx"}, {SOURCE_IMAGE, "image"},
};

static void print_text(FILE *to, const struct indicator *i)
{
	fprintf(to, "%s (%s, %s)\n  %s\n", i->id, severity_word(i->severity), i->technique,
		i->title);
	fprintf(to, "  why         %s\n", i->why);
	fprintf(to, "  decided by  %s\n", i->decided_by);
	fprintf(to, "  exceptions  %s\n", i->exceptions);
	fprintf(to, "  next        %s\n", i->next);
	fputs("  inputs     ", to);
	for (size_t n = 0; n < ARRAY_SIZE(sources); n++)
		if (i->sources & sources[n].bit)
			fprintf(to, " %s", sources[n].word);
	for (size_t n = 0, any = 0; n < ARRAY_SIZE(sources); n++)
		if (i->at_times & sources[n].bit)
			fprintf(to, "%s %s",
				any++ ? "" : "; where the field is there:", sources[n].word);
	fputs("\n\n", to);
}

static void print_json(FILE *to, const struct indicator *i)
{
	struct json_out j = json_out_line(to);

	json_out_open(&j, NULL, '{');
	json_out_text(&j, "rule", i->id);
	json_out_text(&j, "title", i->title);
	json_out_text(&j, "severity", severity_word(i->severity));
	json_out_text(&j, "technique", i->technique);
	json_out_text(&j, "why", i->why);
	json_out_text(&j, "decided_by", i->decided_by);
	json_out_text(&j, "exceptions", i->exceptions);
	json_out_text(&j, "next", i->next);
	json_out_open(&j, "inputs", '[');
	for (size_t n = 0; n < ARRAY_SIZE(sources); n++)
		if (i->sources & sources[n].bit)
			json_out_text(&j, NULL, sources[n].word);
	json_out_close(&j, ']');
	json_out_open(&j, "inputs_at_times", '[');
	for (size_t n = 0; n < ARRAY_SIZE(sources); n++)
		if (i->at_times & sources[n].bit)
			json_out_text(&j, NULL, sources[n].word);
	json_out_close(&j, ']');
	json_out_close(&j, '}');
	json_out_end(&j);
}

static int is_rule(const char *name)
{
	for (int i = 0; i < INDICATOR_COUNT; i++)
		if (!strcmp(indicators[i].id, name))
			return 1;
	return 0;
}

static void say_no_rule(const char *name)
{
	unsigned nearest = 4; /* letters that may be wrong: ids are long */
	const char *near = NULL;

	for (int i = 0; i < INDICATOR_COUNT; i++) {
		unsigned d = str_distance(name, indicators[i].id);

		if (d < nearest) {
			nearest = d;
			near = indicators[i].id;
		}
	}
	fprintf(stderr, "smaudit: no rule '%s'%s%s%s; `smaudit rules` lists them\n", name,
		near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

int rules_print(FILE *to, bool json, const char *const *names, unsigned count)
{
	for (unsigned n = 0; n < count; n++)
		if (!is_rule(names[n])) {
			say_no_rule(names[n]);
			return 2;
		}
	for (int i = 0; i < INDICATOR_COUNT; i++) {
		bool wanted = !count;

		for (unsigned n = 0; n < count; n++)
			wanted |= !strcmp(indicators[i].id, names[n]);
		if (wanted && json)
			print_json(to, &indicators[i]);
		else if (wanted)
			print_text(to, &indicators[i]);
	}
	return 0;
}
