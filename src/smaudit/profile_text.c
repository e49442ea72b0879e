/* SPDX-License-Identifier: MIT */
/*
 * profile_text.c - a profile for a terminal: a label, a share, a value a line
 */
#include <string.h>

#include "smaudit/json_out.h"
#include "smaudit/output.h"
#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"

#define SHOWN       10u /* values of a trait; the rest is told by its count */
#define VALUE_SHOWN 200u
#define LABEL       "  %-22s"

static void section(void *arg, const char *key, const char *title)
{
	fprintf(arg, "\n%s\n", title);
	(void)key;
}

static void values(void *arg, const char *key, const char *label, const struct values *v)
{
	const struct value *sorted[PROFILE_VALUES];
	char share[PROFILE_SHARE_ROOM];
	uint64_t others, rest;
	unsigned n = values_sorted(v, sorted, &others);

	(void)key;
	if (!v->records) {
		fprintf(arg, LABEL " Not observed.\n", label);
		return;
	}
	rest = others;
	if (!n || v->mentions == 0)
		fprintf(arg, LABEL " none (%llu record%s)\n", label, (unsigned long long)v->records,
			v->records == 1 ? "" : "s");
	for (unsigned i = 0; i < n; i++) {
		uint64_t sure = sorted[i]->count - sorted[i]->error;

		if (i >= SHOWN || !sure) {
			rest += i >= SHOWN ? sure : 0;
			continue;
		}
		fprintf(arg, LABEL " %6s  ", i ? "" : label, page_share(sure, v->records, share));
		out_escaped(arg, sorted[i]->shown, VALUE_SHOWN);
		fputc('\n', arg);
	}
	if (rest)
		fprintf(arg, LABEL " %6s  others (%llu of %llu)\n", "",
			page_share(rest, v->mentions, share), (unsigned long long)rest,
			(unsigned long long)v->mentions);
}

static void text(void *arg, const char *key, const char *label, const char *text)
{
	(void)key;
	fprintf(arg, LABEL " ", label);
	if (text)
		out_escaped(arg, text, VALUE_SHOWN);
	else
		fputs("Not observed.", arg);
	fputc('\n', arg);
}

/* Words are put on lines of WIDTH bytes; a word that is longer gets a line of its own. */
static void paragraph(void *arg, const char *text)
{
	size_t column = 0, width = output_width(arg) - 2;

	while (*text) {
		size_t n = strcspn(text, " ");
		char word[600];

		snprintf(word, sizeof(word), "%.*s", (int)(n < sizeof(word) ? n : sizeof(word) - 1),
			 text);
		if (column && column + 1 + n > width) {
			fputc('\n', arg);
			column = 0;
		}
		fputs(column ? " " : "  ", arg);
		out_escaped(arg, word, VALUE_SHOWN * 2);
		column += n + (column ? 1 : 2);
		text += n + strspn(text + n, " ");
	}
	fputc('\n', arg);
}

static void indicator(void *arg, const struct indicator *i, const struct hits *h)
{
	char state[160];

	page_state(h, i, state, sizeof(state));
	fprintf(arg, "  %-28s%-8s%s\n", i->id, severity_word(i->severity), state);
}

void profile_text(const struct profile *p, FILE *to)
{
	const struct page page = {to, section, values, text, paragraph, indicator};

	fputs("Process\n  ", to);
	out_escaped(to, p->name, VALUE_SHOWN);
	fputc('\n', to);
	page_write(p, &page);
}
