/* SPDX-License-Identifier: MIT */
/*
 * read_processes.c - lists of processes and events as text: what they are is seen by content
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "smaudit/readers.h"
#include "smaudit/shapes.h"

#define HEADING_LINES 20u
#define TO_FILE       "it is not read from a pipe; write it to a file, then `smaudit "

/* What people give by mistake, by how it begins. */
static const struct {
	const char *magic;
	size_t bytes;
	const char *say;
} others[] = {
	/* the first four come through pipes only: of a file the content was seen before */
	{"ElfFile", 8, "a Windows event log: " TO_FILE "evtx FILE`"},
	{"regf", 4, "a registry hive: " TO_FILE "hive FILE`"},
	{"MZ", 2, "a program: " TO_FILE "image FILE`"},
	{"\x7f"
	 "ELF",
	 4, "a program: " TO_FILE "image FILE`"},
	{"\x1f\x8b", 2, "it is compressed with gzip: unpack it first"},
	{"\x28\xb5\x2f\xfd", 4, "it is compressed with zstd: unpack it first"},
	{"\xfd"
	 "7zXZ",
	 5, "it is compressed with xz: unpack it first"},
	{"PK\x03\x04", 4, "it is a ZIP archive: unpack it first"},
	{"<", 1, "it is XML: smaudit reads the event log itself, or JSON made of it"},
};

static int refuse(struct reading *r, const char *text)
{
	struct place p = {r->place.file, 0};

	if (r->to->trouble)
		r->to->trouble(r->to->arg, &p, TROUBLE_INPUT, text);
	return -EINVAL;
}

/* A heading, and JSON soon behind it? Rows of a table may begin with a GUID in braces, too. */
static bool heading_then_json(const char *s, size_t n)
{
	const char *end = s + n;

	for (unsigned line = 0; line < HEADING_LINES; line++) {
		s = memchr(s, '\n', (size_t)(end - s));
		if (!s || end - ++s < 2)
			return false;
		if (s[0] == '{' && strchr("\"\r\n ", s[1]))
			return true;
	}
	return false;
}

/* How it begins, behind blanks: '{' for JSON, 't' for a table, '\0' nothing at all. */
static int first_sign(struct reading *r)
{
	struct input *in = &r->in;
	size_t at = 0, n;
	const char *s;

	for (;;) {
		s = in->bytes + in->start;
		n = in->end - in->start;
		while (at < n && (strchr(" \t\r\n\x1e", s[at]) || !s[at]))
			at++;
		if (at < n && n - at >= 16)
			break;
		/* NUL and blanks without end are no text */
		if (at > 1u << 20 || input_more(in) <= 0)
			break;
	}
	s = in->bytes + in->start;
	n = in->end - in->start;
	if (at >= n)
		return '\0';
	if (s[at] == '{' || s[at] == '[')
		return '{';
	return heading_then_json(s + at, n - at) ? '{' : 't';
}

static int read_all(struct reading *r)
{
	struct input *in = &r->in;
	const char *s = in->bytes + in->start;
	size_t n = in->end - in->start;
	int got;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (n >= others[i].bytes && !memcmp(s, others[i].magic, others[i].bytes))
			return refuse(r, others[i].say);
	}
	got = first_sign(r);
	if (got == '\0')
		return refuse(r, in->error ? "it cannot be read" : "it is empty");
	if (got == '{')
		return read_json(r);
	got = read_csv(r);
	if (got == -EINVAL)
		return refuse(r, "neither JSON nor a table whose names are known: wanted are "
				 "lists of Volatility 3 (pslist, psscan, pstree), osquery or "
				 "Win32_Process, or events of Sysmon and Security");
	return got;
}

static int judge_whole(struct reading *r)
{
	bool said = r->complaints[COMPLAINT_BAD] || r->complaints[COMPLAINT_LONG] ||
		    r->complaints[COMPLAINT_CUT];

	if (r->known)
		return 0;
	if (r->complaints[COMPLAINT_UNKNOWN])
		return refuse(r, "no list of processes and no events that are known: wanted are "
				 "lists of Volatility 3 (pslist, psscan, pstree), osquery or "
				 "Win32_Process, or events of Sysmon and Security");
	return refuse(r, said ? "nothing in it can be read" : "no records in it");
}

int read_processes_file(FILE *file, const char *path, const struct sink *to, const char **ret_shape,
			uint64_t *ret_records)
{
	struct reading *r = calloc(1, sizeof(*r));
	int result;

	if (!r)
		return -ENOMEM;
	r->to = to;
	r->place.file = path;
	r->privileges.pid = NO_PID;
	result = input_start(&r->in, file, path, to);
	if (result < 0) {
		refuse(r, result == -EISDIR ? "it is a folder" : "it cannot be read");
	} else {
		result = read_all(r);
		shapes_end(r);
		if (r->in.error) {
			r->place.line = r->in.line;
			if (to->trouble)
				to->trouble(to->arg, &r->place, TROUBLE_DEGRADED,
					    "it cannot be read further");
		}
		if (result == 0)
			result = judge_whole(r);
		else if (result == -ENOMEM)
			refuse(r, "there is not enough memory");
	}
	*ret_shape = r->mixed ? "several lists or logs" : r->shape ? r->shape : "unknown";
	*ret_records = r->told;
	input_stop(&r->in);
	shapes_free(r);
	free(r);
	return result;
}

int read_processes(const char *path, bool tell, const struct sink *to, const char **ret_shape,
		   uint64_t *ret_records)
{
	FILE *file = NULL;
	int result = input_open(path, tell, &file);

	*ret_shape = "unknown";
	*ret_records = 0;
	if (result < 0) {
		struct place p = {path, 0};

		if (to->trouble)
			to->trouble(to->arg, &p, TROUBLE_INPUT, strerror(-result));
		return result;
	}
	setvbuf(file, NULL, _IONBF, 0); /* the window is the buffer */
	result = read_processes_file(file, path, to, ret_shape, ret_records);
	if (file != stdin)
		fclose(file);
	return result;
}
