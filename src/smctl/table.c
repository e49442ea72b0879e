/* SPDX-License-Identifier: MIT */
/*
 * table.c - listings that fit the terminal they are shown on, see table.h
 *
 * Cells are ASCII (show_text), so bytes are columns; only whole lines may hold drawn characters.
 */
#include "smctl/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sys/sys.h"

#define COLUMNS_MAX   16
#define UNKNOWN_WIDTH 80 /* of a terminal that does not say */
#define GAP           2
#define DOTS          "..."

unsigned show_width(void)
{
	uint16_t rows, columns;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (sys_tty_size(STDOUT_FILENO, &rows, &columns) < 0 || !columns)
		return UNKNOWN_WIDTH;
	return columns;
}

static bool continues(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Bytes of the first n characters of s. */
static size_t bytes_of(const char *s, size_t n)
{
	size_t i = 0;

	for (; s[i] && (n || continues(s[i])); i++)
		if (!continues(s[i]))
			n--;
	return i;
}

void show_line(const char *line)
{
	const size_t width = show_width();

	if (!width || !line[bytes_of(line, width)])
		(void)puts(line);
	else if (width <= strlen(DOTS))
		printf("%.*s\n", (int)bytes_of(line, width), line);
	else
		printf("%.*s" DOTS "\n", (int)bytes_of(line, width - strlen(DOTS)), line);
}

struct table table_start(const struct column *column, size_t columns)
{
	return (struct table){.column = column, .columns = columns};
}

void table_cell(struct table *t, const char *format, ...)
{
	va_list arguments;
	char *text = NULL;

	if (t->cells == t->room) {
		size_t room = t->room ? t->room * 2 : 256;
		char **more = realloc(t->cell, room * sizeof(*more));

		if (!more)
			return;
		t->cell = more;
		t->room = room;
	}
	va_start(arguments, format);
	if (vasprintf(&text, format, arguments) < 0)
		text = NULL;
	va_end(arguments);
	t->cell[t->cells++] = text;
}

static const char *cell_at(const struct table *t, size_t i)
{
	return t->cell[i] ? t->cell[i] : "";
}

/* What each column needs to be whole; 0 = it is not shown. */
static void widths_whole(const struct table *t, const bool *dropped, size_t *widths)
{
	for (size_t c = 0; c < t->columns; c++) {
		bool any = false;

		widths[c] = strlen(t->column[c].title);
		for (size_t i = c; i < t->cells; i += t->columns) {
			size_t n = strlen(cell_at(t, i));

			any = any || n;
			if (n > widths[c])
				widths[c] = n;
		}
		if (dropped[c] || (t->column[c].optional && !any))
			widths[c] = 0;
	}
}

static size_t width_of(const struct table *t, const size_t *widths)
{
	size_t all = 0;

	for (size_t c = 0; c < t->columns; c++)
		if (widths[c])
			all += widths[c] + (all ? GAP : 0);
	return all;
}

/* Takes from the widest of those that may be cut, until it fits; false = it cannot. */
static bool cut(const struct table *t, size_t *widths, size_t width)
{
	for (size_t all = width_of(t, widths); all > width; all--) {
		size_t widest = t->columns;

		for (size_t c = 0; c < t->columns; c++)
			if (t->column[c].least && widths[c] > t->column[c].least &&
			    (widest == t->columns || widths[c] > widths[widest]))
				widest = c;
		if (widest == t->columns)
			return false;
		widths[widest]--;
	}
	return true;
}

/* The least wanted column that is still there; t->columns = none may go. */
static size_t next_to_drop(const struct table *t, const size_t *widths)
{
	size_t next = t->columns;

	for (size_t c = 0; c < t->columns; c++)
		if (widths[c] && t->column[c].drop &&
		    (next == t->columns || t->column[c].drop > t->column[next].drop))
			next = c;
	return next;
}

static void fit(const struct table *t, size_t *widths)
{
	const size_t width = show_width();
	bool dropped[COLUMNS_MAX] = {false};

	for (;;) {
		size_t next;

		widths_whole(t, dropped, widths);
		if (!width || cut(t, widths, width))
			return;
		next = next_to_drop(t, widths);
		if (next == t->columns)
			return; /* show_line cuts what is left */
		dropped[next] = true;
	}
}

static void add_cell(FILE *to, const char *text, size_t width, bool right)
{
	if (right)
		(void)fprintf(to, "%*s", (int)width, text);
	else if (strlen(text) > width)
		(void)fprintf(to, "%.*s" DOTS, (int)(width - strlen(DOTS)), text);
	else
		(void)fprintf(to, "%-*s", (int)width, text);
}

/* Row -1 is the titles. */
static void show_row(const struct table *t, const size_t *widths, ptrdiff_t row)
{
	char *line = NULL;
	size_t bytes = 0;
	FILE *to = open_memstream(&line, &bytes);
	bool first = true;

	if (!to)
		return;
	for (size_t c = 0; c < t->columns; c++) {
		if (!widths[c])
			continue;
		if (!first)
			(void)fprintf(to, "%*s", GAP, "");
		first = false;
		add_cell(to,
			 row < 0 ? t->column[c].title : cell_at(t, (size_t)row * t->columns + c),
			 widths[c], t->column[c].right);
	}
	if (fclose(to) == 0) {
		while (bytes && line[bytes - 1] == ' ')
			line[--bytes] = 0;
		show_line(line);
	}
	free(line);
}

void table_show(struct table *t)
{
	size_t widths[COLUMNS_MAX];

	if (t->columns <= ARRAY_SIZE(widths)) {
		fit(t, widths);
		for (ptrdiff_t row = -1; row < (ptrdiff_t)(t->cells / t->columns); row++)
			show_row(t, widths, row);
	}
	for (size_t i = 0; i < t->cells; i++)
		free(t->cell[i]);
	free(t->cell);
	*t = (struct table){NULL, 0, NULL, 0, 0};
}
