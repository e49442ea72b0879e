/* SPDX-License-Identifier: MIT */
/*
 * report_text.c - findings for people
 *
 * The gravest first, grouped by rule: what it is, why it matters and what to do next stand once,
 * below them each subject with its evidence. What could not be read goes to stderr at once, so that
 * it is seen even where the report is piped away.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "smaudit/json_out.h"
#include "smaudit/output.h"
#include "smaudit/report_inner.h"

#define SHOWN_BYTES 1024 /* of one evidence */

static const char *const severity_colour[] = {"\033[2m", "\033[36m", "\033[33m", "\033[1;31m"};
#define UNDECIDED_COLOUR "\033[35m"
#define SUBJECT_COLOUR   "\033[1m"
#define COLOUR_END       "\033[0m"

/* A label in a column of WIDTH, behind it evidence. */
static void labelled(FILE *to, int width, const char *name, const char *text)
{
	fprintf(to, "      %-*s  ", width, name);
	out_escaped(to, text, SHOWN_BYTES);
	fputc('\n', to);
}

static void put_place(FILE *to, const struct place *p)
{
	out_escaped(to, p->file ? p->file : "?", SHOWN_BYTES);
	if (p->line)
		fprintf(to, ":%" PRIu64, p->line);
}

/* Evidence in a column as wide as its longest name. */
static int column_of(const struct finding *f)
{
	int width = 8; /* "found in" */

	for (unsigned i = 0; i < f->evidences; i++)
		if ((int)strlen(f->evidence[i].name) > width)
			width = (int)strlen(f->evidence[i].name);
	return width;
}

static void put_finding(struct report *r, FILE *to, const struct finding *f)
{
	char time[REPORT_TIME_ROOM], id[17];
	const char *when = report_time(f->time_ns, time);
	int width = column_of(f);

	report_id(f, id);
	fprintf(to, "  %s", r->colour ? SUBJECT_COLOUR : "");
	out_escaped(to, f->subject ? f->subject : "?", SHOWN_BYTES);
	fputs(r->colour ? COLOUR_END : "", to);
	if (f->host) {
		fputs(" on ", to);
		out_escaped(to, f->host, SHOWN_BYTES);
	}
	fputs("\n    ", to);
	out_escaped(to, f->what ? f->what : indicators[f->rule].title, SHOWN_BYTES);
	fputc('\n', to);
	if (f->verdict == VERDICT_INDETERMINATE && f->missing)
		labelled(to, width, "missing", f->missing);
	for (unsigned i = 0; i < f->evidences; i++)
		labelled(to, width, f->evidence[i].name, f->evidence[i].text);
	fprintf(to, "      %-*s  ", width, "found in");
	put_place(to, &f->place);
	fputc('\n', to);
	if (when && (!f->subject || !strstr(f->subject, when)))
		labelled(to, width, "time", when);
	if (f->technique && strcmp(f->technique, indicators[f->rule].technique) != 0)
		labelled(to, width, "ATT&CK", f->technique);
	if (f->next)
		labelled(to, width, "next", f->next);
	labelled(to, width, "id", id);
}

void text_finding(struct report *r, const struct finding *f)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *to;

	if (f->verdict == VERDICT_INDETERMINATE && !r->all)
		return; /* the summary tells what was missing */
	to = open_memstream(&text, &bytes);
	if (!to)
		audit_alloc(NULL, SIZE_MAX); /* says so and ends */
	put_finding(r, to, f);
	if (fclose(to) || !text)
		audit_alloc(NULL, SIZE_MAX);
	if (r->blocks == REPORT_BLOCKS_MAX)
		text_flush(r);
	if (r->blocks == r->block_cap) {
		r->block_cap = r->block_cap ? 2 * r->block_cap : 64;
		r->block = audit_alloc(r->block, r->block_cap * sizeof(*r->block));
	}
	r->block[r->blocks++] = (struct block){f->rule, f->verdict, f->severity, text};
}

/* Findings before what is undecided, the gravest first, then by rule; else as they came. */
static long rank(const struct block *b)
{
	long grave = b->verdict == VERDICT_FINDING ? SEVERITY_HIGH - (long)b->severity : 10;

	return grave * INDICATOR_COUNT + (long)b->rule;
}

/* Our own sentences are folded; evidence never is: it is for copying. */
static void put_prose(const struct report *r, const char *label, const char *text)
{
	unsigned indent = (unsigned)strlen(label);

	fputs(label, r->to);
	output_prose(r->to, r->width - 1, indent, indent, text);
}

static void put_heading(struct report *r, const struct block *b)
{
	const struct indicator *i = &indicators[b->rule];
	bool found = b->verdict == VERDICT_FINDING;
	static const char *const words[] = {"NOTED", "LOW", "MEDIUM", "HIGH"};

	fprintf(r->to, "%s%s%s  %s: %s (%s)\n",
		!r->colour ? ""
		: found    ? severity_colour[b->severity]
			   : UNDECIDED_COLOUR,
		found ? words[b->severity] : "INDETERMINATE", r->colour ? COLOUR_END : "", i->id,
		i->title, i->technique);
	if (found && b->severity > SEVERITY_INFO)
		put_prose(r, "  why   ", i->why);
	if (found && b->severity > SEVERITY_INFO)
		put_prose(r, "  next  ", i->next);
	if (!found)
		fprintf(r->to, "  This is no finding, and it does not say clean. Decided by: %s\n",
			i->decided_by);
}

void text_flush(struct report *r)
{
	size_t left = r->blocks;
	long last = -1;

	/* 65 ranks, and few of them occur: a pass for each keeps the order of what came */
	while (left) {
		long next = -1;

		for (size_t i = 0; i < r->blocks; i++)
			if (r->block[i].text && rank(&r->block[i]) > last &&
			    (next < 0 || rank(&r->block[i]) < next))
				next = rank(&r->block[i]);
		for (size_t i = 0; i < r->blocks; i++) {
			struct block *b = &r->block[i];

			if (!b->text || rank(b) != next)
				continue;
			if (next != last)
				put_heading(r, b);
			last = next;
			fprintf(r->to, "%s\n", b->text);
			free(b->text);
			b->text = NULL;
			left--;
		}
	}
	r->blocks = 0;
}

void text_trouble(struct report *r, const struct place *p, enum trouble t, const char *text)
{
	static const char *const words[] = {"", "read in part: ", "note: "};

	fflush(r->to);
	fputs("smaudit: ", stderr);
	if (p->file) {
		put_place(stderr, p);
		fputs(": ", stderr);
	}
	fputs(words[t], stderr);
	out_escaped(stderr, text, SHOWN_BYTES);
	fputc('\n', stderr);
}

/* ---- the summary ---- */

static void put_inputs(struct report *r)
{
	for (unsigned i = 0; i < r->inputs; i++) {
		const struct read_input *in = &r->input[i];

		fputs(i ? "                " : "Read            ", r->to);
		out_escaped(r->to, in->file, SHOWN_BYTES);
		fputs(": ", r->to);
		out_escaped(r->to, in->as_what, SHOWN_BYTES);
		if (in->records)
			fprintf(r->to, ", %" PRIu64 " record%s", in->records,
				in->records == 1 ? "" : "s");
		else
			fputs(", nothing that these rules look at", r->to);
		fputc('\n', r->to);
	}
	if (r->inputs_more)
		fprintf(r->to, "                and %" PRIu64 " more\n", r->inputs_more);
}

static uint64_t found_in(const struct report *r, enum severity s)
{
	uint64_t n = 0;

	for (int i = 0; i < INDICATOR_COUNT; i++)
		n += r->tally[i].found[s];
	return n;
}

static bool looked_at_all(const struct report *r)
{
	bool any = false;

	for (int i = 0; i < INDICATOR_COUNT; i++)
		any |= report_looked(r, (enum indicator_id)i) || r->tally[i].undecided;
	return any;
}

/* Something was missing, so that "nothing" says little. */
static bool is_open(const struct report *r)
{
	uint64_t undecided = r->degraded + r->input_errors;

	for (int i = 0; i < INDICATOR_COUNT; i++)
		undecided += r->tally[i].undecided;
	return undecided > 0;
}

static void put_counts(struct report *r)
{
	const char *comma = "";
	bool found = false;

	fputs("Found           ", r->to);
	for (int s = SEVERITY_HIGH; s >= SEVERITY_INFO; s--) {
		uint64_t n = found_in(r, (enum severity)s);

		if (!n)
			continue;
		found |= s > SEVERITY_INFO;
		fprintf(r->to, "%s%" PRIu64 " %s", comma, n,
			s ? severity_word((enum severity)s) : "noted");
		if (!s && !r->all)
			fputs(" (shown with --all)", r->to);
		comma = ", ";
	}
	if (!*comma)
		fputs("nothing", r->to);
	if (!found && is_open(r))
		fputs(", and some is indeterminate: this is not clean", r->to);
	fputc('\n', r->to);
	if (r->untold)
		fprintf(r->to,
			"                %" PRIu64 " of them are counted, not told: too many\n",
			r->untold);
}

static bool is_found(const struct tally *t)
{
	return t->found[SEVERITY_LOW] || t->found[SEVERITY_MEDIUM] || t->found[SEVERITY_HIGH];
}

/* A list of rules under a label, wrapped. looked: those that were looked at, or the others. */
static void put_rules(struct report *r, const char *label, bool looked)
{
	int column = 0;

	for (int i = 0; i < INDICATOR_COUNT; i++) {
		const struct tally *t = &r->tally[i];
		const char *id = indicators[i].id;

		if (is_found(t) || t->undecided || report_looked(r, (enum indicator_id)i) != looked)
			continue;
		if (!column)
			column = fprintf(r->to, "%-16s%s", label, id);
		else if (column + (int)strlen(id) + 2 < (int)r->width - 2)
			column += fprintf(r->to, ", %s", id);
		else
			column = fprintf(r->to, ",\n%16s%s", "", id) - 2;
	}
	if (column)
		fputc('\n', r->to);
}

static void put_undecided(struct report *r)
{
	const char *label = "Indeterminate";

	for (int i = 0; i < INDICATOR_COUNT; i++) {
		const struct tally *t = &r->tally[i];

		if (!t->undecided)
			continue;
		fprintf(r->to, "%-16s%s", label, indicators[i].id);
		for (unsigned n = 0; n < REPORT_REASONS_MAX && t->reason[n]; n++) {
			fputs(n ? "; " : ": ", r->to);
			out_escaped(r->to, t->reason[n], 200);
		}
		if (t->undecided > 1)
			fprintf(r->to, " (%" PRIu64 " times)", t->undecided);
		fputc('\n', r->to);
		label = "";
	}
	if (!*label && !r->all)
		fprintf(r->to, "%-16s--all tells for which subject each\n", "");
}

void text_summary(struct report *r)
{
	put_inputs(r);
	if (looked_at_all(r)) {
		put_counts(r);
		put_rules(r, "Nothing found", true);
		put_undecided(r);
		put_rules(r, "Not looked at", false);
	} else {
		fputs("Looked at       nothing: no input tells what the rules ask for\n", r->to);
	}
	if (r->input_errors)
		fprintf(r->to, "Not read        %" PRIu64 " time%s: see the lines on stderr\n",
			r->input_errors, r->input_errors == 1 ? "" : "s");
	if (r->degraded)
		fputs("Read in part    what is not found in it may still be there\n", r->to);
}
