/* SPDX-License-Identifier: MIT */
/*
 * table.h - listings that fit the terminal they are shown on
 *
 * On a terminal a listing never wraps: columns are cut with "..." and dropped, the least wanted
 * first, until it fits. Into a pipe or a file it goes as it is, whatever its width.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct column {
	const char *title;
	unsigned drop;  /* dropped first: the highest; 0 = never */
	unsigned least; /* may be cut down to so many; 0 = never cut */
	bool right;     /* numbers */
	bool optional;  /* not shown while all of its cells are empty */
};

struct table {
	const struct column *column;
	size_t columns;
	char **cell; /* row by row */
	size_t cells, room;
};

/* table_start - an empty one; column stays the caller's and has to stay. */
struct table table_start(const struct column *column, size_t columns);

/*
 * table_cell - its next cell, left to right, row after row
 * What comes from outside is to be escaped (show_text). A cell that finds no memory is shown empty.
 */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* table_show - print it with its titles, and free what it holds. */
void table_show(struct table *t);

/* show_width - columns of the terminal that standard output is; 0 = it is none. */
unsigned show_width(void);

/* show_line - a line and its end, cut to the terminal. A UTF-8 character counts as one column. */
void show_line(const char *line);
