/* SPDX-License-Identifier: MIT */
/*
 * read_json.c - JSON as it comes: one object a line, or lists and objects over several lines
 *
 * The first object decides: if it ends on the line that it began on, lines are records, and a bad
 * one costs itself. Otherwise objects are cut out of the stream one by one by their brackets, the
 * list around them is never held, and after a bad one reading goes on at the next line that
 * begins with an object.
 */
#include <errno.h>
#include <string.h>

#include "smaudit/json.h"
#include "smaudit/shapes.h"

#define AGAIN_MAX (64u << 20)

/* What may stand between objects, and says nothing. */
static bool is_between(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',' || c == '\x1e';
}

/* An object on one line? Looks at the window alone; it is as large as it may be by then. */
static bool is_lines(struct reading *r)
{
	struct input *in = &r->in;
	struct json_span span = {0};
	size_t used, at = 0, seen = 0;
	const char *nl;

	for (;;) {
		size_t n = in->end - in->start;
		int found;

		while (at < n && is_between(in->bytes[in->start + at]))
			at++;
		if (at < n && in->bytes[in->start + at] == '[')
			return false;
		if (at < n && in->bytes[in->start + at] != '{') { /* a heading */
			nl = memchr(in->bytes + in->start + at, '\n', n - at);
			if (!nl)
				return true;
			at = (size_t)(nl - in->bytes) + 1 - in->start;
			continue;
		}
		found = json_span(&span, in->bytes + in->start + at + seen, n - at - seen, &used);
		if (found < 0)
			return true; /* one bad line, perhaps: the others are judged alone */
		nl = memchr(in->bytes + in->start + at + seen, '\n', used);
		if (nl)
			return false;
		if (found == 1)
			return true;
		seen += used;
		if (input_more(in) <= 0)
			return true;
	}
}

static int read_lines(struct reading *r)
{
	struct input_line line;
	int got;

	while ((got = input_line(&r->in, &line)) > 0) {
		char *text = line.text, *end = line.text + line.bytes;

		r->place.line = line.line;
		if (got == INPUT_LONG) {
			shapes_complain(r, COMPLAINT_LONG, "a line beyond 16 MiB: left out");
			continue;
		}
		while (text < end && is_between(*text))
			text++;
		if (text == end)
			continue;
		if (*text == '{')
			shapes_text(r, text, end, line.cut);
		else if (!strncmp(text, "Record ", 7))
			continue; /* evtx_dump's headings */
		else if (line.bytes && !line.text[0])
			shapes_complain(r, COMPLAINT_BAD, "NUL bytes where a record should be");
		else
			shapes_complain(r, COMPLAINT_BAD, "no object of JSON: left out");
	}
	return got;
}

/* Up to the next line whose first sign is {. 0 = there is none. */
static int find_object_line(struct input *in)
{
	for (;;) {
		size_t n = in->end - in->start;
		char *at = in->bytes + in->start, *nl = memchr(at, '\n', n);
		int r;

		input_take(in, nl ? (size_t)(nl - at) + 1 : n);
		while (nl) {
			if (in->start == in->end && input_more(in) <= 0)
				return 0;
			if (in->bytes[in->start] != ' ' && in->bytes[in->start] != '\t')
				break;
			input_take(in, 1);
		}
		if (nl && in->bytes[in->start] == '{')
			return 1;
		if (in->start < in->end)
			continue;
		r = input_more(in);
		if (r <= 0)
			return r;
	}
}

struct walk {
	int64_t depth;  /* of lists around the objects */
	bool inside;    /* of an object too long to be held, whose lists are walked */
	uint64_t again; /* bytes of objects that failed: looked through again for what is in them */
};

/*
 * An object failed within its first `seen` bytes. What lies in them may be whole records behind a
 * bracket that was never closed; but who makes such files on purpose gets no more than this.
 */
static int go_on(struct input *in, struct walk *w, size_t seen)
{
	w->again += seen;
	if (w->again > AGAIN_MAX)
		input_take(in, seen);
	return find_object_line(in);
}

/* An object longer than may be held: if a list of objects begins early in it, that is walked. */
static int enter_long(struct reading *r, struct walk *w, size_t seen)
{
	struct input *in = &r->in;
	char *at = in->bytes + in->start, *list = memchr(at, '[', 4096);

	if (w->inside || r->known || !list) {
		shapes_complain(r, COMPLAINT_LONG, "an object beyond 16 MiB: left out");
		return go_on(in, w, seen);
	}
	w->inside = true;
	input_take(in, (size_t)(list - at) + 1);
	return 1;
}

/* The object at the window's beginning. 1 = go on, 0 = the input has ended. */
static int take_object(struct reading *r, struct walk *w)
{
	struct input *in = &r->in;
	struct json_span span = {0};
	size_t seen = 0, used;
	char *text, kept;

	r->place.line = in->line;
	for (;;) {
		size_t n = in->end - in->start;
		int more, found;

		found = json_span(&span, in->bytes + in->start + seen, n - seen, &used);
		seen += used;
		if (found > 0)
			break;
		if (found < 0) {
			shapes_complain(r, COMPLAINT_BAD,
					"a line ends within a string: left out up to the next line "
					"that begins with {");
			return go_on(in, w, seen);
		}
		more = input_more(in);
		if (more == -EMSGSIZE)
			return enter_long(r, w, seen);
		if (more < 0)
			return more;
		if (more == 0) {
			shapes_complain(r, COMPLAINT_CUT,
					"the input ends within a record: left out");
			w->depth = 0; /* said */
			input_take(in, n);
			return 0;
		}
	}
	text = in->bytes + in->start;
	kept = text[seen];
	text[seen] = '\0';
	/* before anything in it is changed */
	input_take(in, seen);
	shapes_text(r, text, text + seen, false);
	text[seen] = kept;
	return 1;
}

/* What stands between objects. */
static int take_other(struct reading *r, struct walk *w)
{
	struct input *in = &r->in;
	char c = in->bytes[in->start];

	if (c == '[' || c == ']')
		w->depth += c == '[' ? 1 : -1;
	if (is_between(c) || c == '[' || c == ']' || (w->inside && c == '}')) {
		input_take(in, 1);
		return 1;
	}
	r->place.line = in->line;
	/* evtx_dump writes "Record 7" before each */
	if (!w->inside && c != 'R')
		shapes_complain(r, COMPLAINT_BAD,
				"no JSON: left out up to the next line that "
				"begins with {");
	return find_object_line(in);
}

static int read_stream(struct reading *r)
{
	struct input *in = &r->in;
	struct walk w = {0};
	int more = 1;

	while (more > 0) {
		if (in->start == in->end)
			more = input_more(in);
		else if (in->bytes[in->start] == '{')
			more = take_object(r, &w);
		else
			more = take_other(r, &w);
	}
	if (more == 0 && w.depth > 0 && !w.inside) {
		r->place.line = in->line;
		shapes_complain(r, COMPLAINT_CUT,
				"the input ends within a list: what was "
				"behind is not known");
	}
	return more;
}

int read_json(struct reading *r)
{
	return is_lines(r) ? read_lines(r) : read_stream(r);
}
