/* SPDX-License-Identifier: MIT */
/*
 * shapes.h - which tool wrote a record, and what it tells
 *
 * Inner header of read_processes.c, read_json.c, read_csv.c and shapes*.c. A record is recognised
 * by its names, each for itself: files are often joined from several tools' output. What no shape
 * knows is searched for lists of records, and if there are none, it is counted and said.
 */
#pragma once

#include <stdio.h>

#include "smaudit/facts.h"
#include "smaudit/input.h"
#include "smaudit/record.h"

#define SHAPES_DEPTH_MAX 64u   /* lists within records within lists */
#define SHAPES_HOSTS_MAX 4096u /* of lists in one file */
#define SHAPES_ALOUD     20u   /* bad lines that are named one by one */

enum complaint {
	COMPLAINT_BAD,     /* a record that cannot be read */
	COMPLAINT_LONG,    /* one that is longer than INPUT_MAX */
	COMPLAINT_CUT,     /* the input ends within a record */
	COMPLAINT_UNKNOWN, /* well formed, and of no shape that we know */
	COMPLAINT_DEEP,
	COMPLAINT_HOSTS,
	COMPLAINT_BYTES, /* no UTF-8 */
	COMPLAINT_TWICE, /* a name twice in one object */
	COMPLAINT_COUNT
};

struct list_host {  /* whose list is being read */
	char *name; /* NULL in a slot that is not taken */
	int64_t newest_ns, taken_ns;
	bool open;
};

struct reading { /* one input, from its first byte to its last */
	const struct sink *to;
	struct input in;
	struct place place; /* of the record at hand */
	const char *shape;  /* of the first record that had one */
	bool mixed;
	uint64_t told, known; /* facts; records of a known shape */
	uint64_t complaints[COMPLAINT_COUNT];
	struct place unknown;                    /* the first of no shape */
	struct record records[SHAPES_DEPTH_MAX]; /* of each depth */
	struct list_host *hosts;
	struct list_host nobody; /* rows that name no host */
	unsigned host_count;
	enum list list; /* Volatility 3's: decided by its first row */
	bool list_known;
	enum system system; /* of osquery's rows: decided by the first path among them */
	bool system_known;
	/* counting the lines of records within records */
	const char *counted_at;
	uint64_t counted_line;
	struct { /* Volatility's privileges: a line each */
		uint32_t pid;
		char name[64], text[2048];
		bool cut; /* more than there is room for */
		struct place place;
	} privileges;
};

/* shapes_text - one object of JSON that begins at r->place.line; *end is writable and NUL. What
 * stands behind the object but blanks and commas is wrong. cut: the input ended with it. */
void shapes_text(struct reading *r, char *text, char *end, bool cut);
/* shapes_record - what a record tells, and the records in its lists. depth: r->records[depth]. */
void shapes_record(struct reading *r, unsigned depth);
/* shapes_end - no more records: the lists end. */
void shapes_end(struct reading *r);
/* shapes_free - what shapes_* allocated. */
void shapes_free(struct reading *r);

/* shapes_complain - in the way of its kind: one by one, or counted after the first ones. */
void shapes_complain(struct reading *r, enum complaint c, const char *text);
/* shapes_process - tells one; rows of lists count for the list's end. taken_ns: when the list was
 * made, NO_TIME = not told. */
void shapes_process(struct reading *r, const struct process_fact *f, int64_t taken_ns);
/* shapes_list_end - the list of that host (NULL = not told) is whole. */
void shapes_list_end(struct reading *r, const char *host);
/* shapes_known - the record is of that shape. */
void shapes_known(struct reading *r, const char *shape);

/* shapes_told - text, or NULL for what tools write for nothing: "", "-", "N/A", "None" ... */
const char *shapes_told(const char *text);
/* shapes_number - decimal, "404.0" or 0x1f4; NO_NUMBER for what is none or negative. */
int64_t shapes_number(const char *text);

/* ---- shapes_list.c ---- */

/* shapes_list - Volatility 3, osquery or Win32_Process; false = none of them. */
bool shapes_list(struct reading *r, struct record *rec);
/* shapes_osquery - a line of osquery's log: context of the rows in it; false = it is none. */
bool shapes_osquery(struct reading *r, struct record *rec, unsigned depth);
/* shapes_privileges_end - tells the process whose privileges were being read. */
void shapes_privileges_end(struct reading *r);
/* shapes_list_names - whether a table with these column names is one of ours. */
bool shapes_list_names(const struct record *names);

/* ---- shapes_event.c ---- */

/* shapes_event - a Windows event in any of the shapes; false = it is none. */
bool shapes_event(struct reading *r, struct record *rec);
/* shapes_event_names - whether a table with these column names is one of events. */
bool shapes_event_names(const struct record *names);

/* ---- read_json.c, read_csv.c ---- */

/* read_json - objects of JSON, one a line, or lists of them over several lines. 0 or -ENOMEM. */
int read_json(struct reading *r);
/* read_csv - a table with a line of names. 0, -EINVAL (no such line; not told), -ENOMEM. */
int read_csv(struct reading *r);
/* read_processes_file - read_processes on an open stream, which stays the caller's. */
int read_processes_file(FILE *file, const char *path, const struct sink *to, const char **ret_shape,
			uint64_t *ret_records);
/* read_nested - the records of a list in JSON, each at depth; tells each to row (NULL =
 * shapes_record). How many objects there were. */
size_t read_nested(struct reading *r, struct field *list, unsigned depth,
		   void (*row)(struct reading *r, unsigned depth, void *arg), void *arg);
