/* SPDX-License-Identifier: MIT */
/*
 * profile_html.c - a profile as a page: one file that needs nothing else
 *
 * No scripts, no fonts, no pictures, nothing that a browser would fetch; a policy in its head
 * forbids them, too. Evidence is escaped for HTML, and what could hide or turn a line is shown by
 * its number. It reads on a phone, on paper, in light and in dark.
 */
#include <inttypes.h>
#include <string.h>

#include "registry/utf.h"
#include "smaudit/json_out.h"
#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"

#define SHOWN 20u

struct writer {
	FILE *to;
	bool open; /* a list of rows */
};

/* clang-format off */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1a1c1f;--faint:#5a6270;--paper:#fff;--line:#d5d9e0;"
	"--high:#a3180f;--medium:#8a5300}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--faint:#a3abb8;--paper:#15171a;"
	"--line:#363b43;--high:#ff8f85;--medium:#f2b75c}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;max-width:60rem;padding:1rem;background:var(--paper);color:var(--ink);"
	"font:1rem/1.5 system-ui,sans-serif}\n"
	"h1{font-size:1.6rem;margin:.2rem 0;overflow-wrap:anywhere}\n"
	"h2{font-size:1.1rem;margin:1.6rem 0 .3rem;border-bottom:1px solid var(--line)}\n"
	"dl{margin:0;display:grid;grid-template-columns:12rem 1fr;gap:.15rem 1rem}\n"
	"dt{color:var(--faint)}\n"
	"dd{margin:0;min-width:0}\n"
	"ul{margin:0;padding:0;list-style:none}\n"
	"li{display:flex;gap:.75rem;align-items:baseline}\n"
	".share{flex:0 0 4rem;text-align:right;font-variant-numeric:tabular-nums}\n"
	".value{overflow-wrap:anywhere;font-family:ui-monospace,monospace;font-size:.9em}\n"
	".none{color:var(--faint);font-style:italic}\n"
	".high{color:var(--high);font-weight:600}.medium{color:var(--medium);font-weight:600}\n"
	"@media(max-width:40rem){dl{grid-template-columns:1fr;gap:0}dt{margin-top:.5rem}}\n"
	"@media print{:root{--ink:#000;--faint:#333;--paper:#fff;--line:#999;--high:#000;"
	"--medium:#000}body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}"
	"dt,dd,p{break-inside:avoid}}\n";
/* clang-format on */

static void put(FILE *to, const char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n;) {
		uint32_t c;
		unsigned len = utf8_next(s + i, n - i, &c);

		if (c == UTF_BAD)
			fprintf(to, "\\x%02X", (unsigned char)s[i]);
		else if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
			fprintf(to, "&#%u;", (unsigned)c);
		else if (c != ' ' && out_hidden(c))
			fprintf(to, "\\u{%" PRIX32 "}", c);
		else
			fwrite(s + i, 1, len, to);
		i += len;
	}
}

static void end_list(struct writer *w)
{
	if (w->open)
		fputs("</dl>\n", w->to);
	w->open = false;
}

static void section(void *arg, const char *key, const char *title)
{
	struct writer *w = arg;

	(void)key;
	end_list(w);
	fprintf(w->to, "<h2>%s</h2>\n", title);
}

static void begin_row(struct writer *w, const char *label)
{
	if (!w->open)
		fputs("<dl>\n", w->to);
	w->open = true;
	fprintf(w->to, "<dt>%s</dt><dd>", label);
}

static void values(void *arg, const char *key, const char *label, const struct values *v)
{
	const struct value *sorted[PROFILE_VALUES];
	struct writer *w = arg;
	char share[PROFILE_SHARE_ROOM];
	uint64_t rest;
	unsigned n = values_sorted(v, sorted, &rest);

	(void)key;
	begin_row(w, label);
	if (!v->records) {
		fputs("<span class=\"none\">Not observed.</span></dd>\n", w->to);
		return;
	}
	fputs("<ul>", w->to);
	if (!v->mentions)
		fputs("<li><span class=\"none\">none</span></li>", w->to);
	for (unsigned i = 0; i < n; i++) {
		uint64_t sure = sorted[i]->count - sorted[i]->error;

		if (i >= SHOWN || !sure) {
			rest += i >= SHOWN ? sure : 0;
			continue;
		}
		fputs("<li><span class=\"share\">", w->to);
		put(w->to, page_share(sure, v->records, share));
		fputs("</span> <span class=\"value\">", w->to);
		put(w->to, sorted[i]->shown);
		fputs("</span></li>", w->to);
	}
	if (rest) {
		fputs("<li><span class=\"share\">", w->to);
		put(w->to, page_share(rest, v->mentions, share));
		fprintf(w->to, "</span> <span class=\"none\">others (%" PRIu64 ")</span></li>",
			rest);
	}
	fputs("</ul></dd>\n", w->to);
}

static void text(void *arg, const char *key, const char *label, const char *text)
{
	struct writer *w = arg;

	(void)key;
	begin_row(w, label);
	if (text)
		put(w->to, text);
	else
		fputs("<span class=\"none\">Not observed.</span>", w->to);
	fputs("</dd>\n", w->to);
}

static void paragraph(void *arg, const char *text)
{
	struct writer *w = arg;

	end_list(w);
	fputs("<p>", w->to);
	put(w->to, text);
	fputs("</p>\n", w->to);
}

static void indicator(void *arg, const struct indicator *i, const struct hits *h)
{
	struct writer *w = arg;
	char state[160];
	const char *severity = severity_word(i->severity);
	bool hit = h->found[SEVERITY_LOW] + h->found[SEVERITY_MEDIUM] + h->found[SEVERITY_HIGH];

	page_state(h, i, state, sizeof(state));
	begin_row(w, i->id);
	fprintf(w->to, "<span%s%s%s>%s</span>: ", hit ? " class=\"" : "", hit ? severity : "",
		hit ? "\"" : "", severity);
	put(w->to, i->title);
	fputs(" &#8212; ", w->to);
	put(w->to, state);
	fputs("</dd>\n", w->to);
}

void profile_html(const struct profile *p, FILE *to)
{
	struct writer w = {.to = to};
	const struct page page = {&w, section, values, text, paragraph, indicator};

	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
	      "style-src 'unsafe-inline'\">\n<meta name=\"referrer\" content=\"no-referrer\">\n"
	      "<title>",
	      to);
	put(to, p->name);
	fprintf(to, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<p>Process</p>\n<h1>", style);
	put(to, p->name);
	fputs("</h1>\n", to);
	page_write(p, &page);
	end_list(&w);
	fputs("</body>\n</html>\n", to);
}
