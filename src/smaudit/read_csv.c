/* SPDX-License-Identifier: MIT */
/*
 * read_csv.c - tables: CSV with quotes, tab-separated text, columns between |
 *
 * The line of names is the first one that names what a list or an event has; what tools print
 * before it is left out. A row is what stands up to a line end outside of quotes; quotes count only
 * where a column begins with one. A row with more or fewer columns than there are names is bad: it
 * would put texts below wrong names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "smaudit/shapes.h"

#define COLUMNS_MAX  512u
#define HEADER_LINES 40u         /* how far down the line of names may be */
#define ROW_MAX      (1u << 20)  /* a quote that is never closed costs no more than this ... */
#define AGAIN_MAX    (64u << 20) /* ... and many of them no more than this */

struct table {
	char separator;
	bool quotes;
	char *names; /* the line of names, cut up */
	const char *name[COLUMNS_MAX];
	unsigned columns;
};

/* Cuts a row in place; how many columns, COLUMNS_MAX + 1 = too many. */
static unsigned cut_row(const struct table *t, char *row, char **ret)
{
	unsigned n = 0;
	char *at = row, *to;

	for (;;) {
		char *text = at;
		char stop;

		if (t->separator == '|') {
			while (*text == ' ')
				text++;
			at = text;
		}
		if (t->quotes && *at == '"') {
			text = to = ++at;
			while (*at && (*at != '"' || at[1] == '"')) {
				at += *at == '"';
				*to++ = *at++;
			}
			at += *at == '"';
			while (*at && *at != t->separator) /* behind the quote: kept */
				*to++ = *at++;
		} else {
			while (*at && *at != t->separator)
				at++;
			to = at;
		}
		stop = *at++;
		while (t->separator == '|' && to > text && to[-1] == ' ')
			to--;
		*to = '\0';
		if (n == COLUMNS_MAX)
			return COLUMNS_MAX + 1;
		ret[n++] = text;
		if (!stop)
			return n;
	}
}

/* Bytes of the row at the window's beginning, without its line end; 0 with *ret_end = the input
 * has ended. -EBADMSG: a quote is not closed within the bytes of *ret_bytes, or not where it
 * should.
 */
static int find_row(struct input *in, const struct table *t, size_t *ret_bytes, bool *ret_cut)
{
	bool quoted = false, fresh = true, several = false;
	unsigned columns = 1;
	size_t i = 0;

	for (;; i++) {
		char c;
		int more;

		*ret_bytes = i;
		while (in->start + i >= in->end) {
			more = i >= ROW_MAX ? -EMSGSIZE : input_more(in);
			if (more == -EMSGSIZE || (more == 0 && quoted))
				return -EBADMSG;
			if (more < 0)
				return more;
			if (more == 0) {
				*ret_bytes = i;
				*ret_cut = true;
				return i > 0;
			}
		}
		c = in->bytes[in->start + i];
		if (c == '\n' && !quoted)
			break;
		if (c == '"' && t->quotes && (quoted || fresh))
			quoted = !quoted;
		else if (c == '"' && t->quotes && i && in->bytes[in->start + i - 1] == '"')
			quoted = true; /* "" within quotes: they go on */
		fresh = c == t->separator && !quoted;
		columns += fresh;
		several |= c == '\n';
		if (quoted && i >= ROW_MAX)
			return -EBADMSG;
	}
	/* a quote that some text had, not the table: it costs its own line only */
	if (several && columns != t->columns)
		return -EBADMSG;
	*ret_bytes = i;
	*ret_cut = false;
	return 1;
}

static void names_record(const struct table *t, struct record *rec)
{
	record_clear(rec);
	for (unsigned i = 0; i < t->columns; i++) {
		if (t->name[i][0])
			record_add_text(rec, 0, t->name[i], (char *)(uintptr_t) "");
	}
}

/* Whether the line is one of names, by any separator; then *t keeps a copy of it. */
static bool is_header(struct reading *r, const char *line, struct table *t)
{
	static const char separators[] = ",\t;|";

	for (const char *s = separators; *s; s++) {
		if (!strchr(line, *s))
			continue;
		/* only comma and semicolon, or a table that begins with a quote, quote texts */
		*t = (struct table){.separator = *s,
				    .quotes = *s == ',' || *s == ';' || line[0] == '"'};
		t->names = strdup(line);
		if (!t->names)
			return false;
		t->columns = cut_row(t, t->names, (char **)(uintptr_t)t->name);
		if (t->columns > 1 && t->columns <= COLUMNS_MAX) {
			names_record(t, &r->records[0]);
			if (shapes_list_names(&r->records[0]) || shapes_event_names(&r->records[0]))
				return true;
		}
		free(t->names);
	}
	return false;
}

static int find_header(struct reading *r, struct table *t)
{
	struct input_line line;

	for (unsigned i = 0; i < HEADER_LINES; i++) {
		int got = input_line(&r->in, &line);

		if (got < 0)
			return got;
		if (got == INPUT_END)
			break;
		if (got == INPUT_LONG || line.bytes > ROW_MAX)
			continue;
		while (line.bytes && line.text[line.bytes - 1] == '\r')
			line.text[--line.bytes] = '\0';
		if (is_header(r, line.text, t))
			return 0;
	}
	return -EINVAL;
}

static void tell_row(struct reading *r, const struct table *t, char *row, bool cut)
{
	struct record *rec = &r->records[0];
	char *text[COLUMNS_MAX], said[128];
	unsigned n = cut_row(t, row, text);

	if (n < t->columns && cut) {
		shapes_complain(r, COMPLAINT_CUT, "the input ends within a row: left out");
		return;
	}
	/* an empty column behind the last one says nothing */
	if (n == t->columns + 1 && !text[n - 1][0])
		n--;
	if (n != t->columns) {
		snprintf(said, sizeof(said), "%u columns below %u names: left out", n, t->columns);
		shapes_complain(r, COMPLAINT_BAD, said);
		return;
	}
	record_clear(rec);
	for (unsigned i = 0; i < n; i++) {
		struct field f = {.name = t->name[i],
				  .name_bytes = (uint32_t)strlen(t->name[i]),
				  .text = text[i],
				  .bytes = (uint32_t)strlen(text[i]),
				  .kind = FIELD_STRING};

		if (f.name_bytes)
			record_add(rec, &f);
	}
	shapes_record(r, 0);
}

static int read_rows(struct reading *r, const struct table *t)
{
	struct input *in = &r->in;
	uint64_t again = 0; /* bytes behind quotes that were not closed, read again line by line */

	for (;;) {
		size_t n = 0;
		bool cut = false;
		char *row;
		int found = find_row(in, t, &n, &cut);

		r->place.line = in->line;
		if (found == -EBADMSG) {
			struct input_line line;

			shapes_complain(r, COMPLAINT_BAD, "a quote is not closed: line left out");
			again += n;
			if (again > AGAIN_MAX)
				input_take(in, n);
			found = input_line(in, &line);
			if (found <= 0)
				return found;
			continue;
		}
		if (found <= 0)
			return found;
		row = in->bytes + in->start;
		input_take(in, n + !cut);
		row[n] = '\0';
		while (n && row[n - 1] == '\r')
			row[--n] = '\0';
		if (strlen(row) != n)
			shapes_complain(r, COMPLAINT_BAD, "NUL bytes in a row: left out");
		else if (n)
			tell_row(r, t, row, cut);
	}
}

int read_csv(struct reading *r)
{
	struct table t;
	int found = find_header(r, &t);

	if (found < 0)
		return found;
	found = read_rows(r, &t);
	free(t.names);
	return found;
}
