/* SPDX-License-Identifier: MIT */
/*
 * shapes.c - what records of any shape share: complaints, the ends of lists, lists within records
 */
#include "smaudit/shapes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "smaudit/json.h"

/* clang-format off */
static const struct {
	enum trouble trouble;
	unsigned aloud;
	const char *more; /* said of the others at the end, behind their number */
} complaints[COMPLAINT_COUNT] = {
	[COMPLAINT_BAD]     = {TROUBLE_INPUT, SHAPES_ALOUD, "more records that cannot be read"},
	[COMPLAINT_LONG]    = {TROUBLE_INPUT, SHAPES_ALOUD, "more records beyond 16 MiB"},
	[COMPLAINT_CUT]     = {TROUBLE_DEGRADED, 1, NULL},
	[COMPLAINT_UNKNOWN] = {TROUBLE_DEGRADED, 0, "records of no known shape: left out"},
	[COMPLAINT_DEEP]    = {TROUBLE_DEGRADED, 1, "more lists nested too deep"},
	[COMPLAINT_HOSTS]   = {TROUBLE_DEGRADED, 1, NULL},
	[COMPLAINT_BYTES]   = {TROUBLE_NOTE, 1, "more records with bytes that are no UTF-8"},
	[COMPLAINT_TWICE]   = {TROUBLE_DEGRADED, SHAPES_ALOUD, "more records with a name that stands twice"},
};
/* clang-format on */

static void say(struct reading *r, const struct place *p, enum trouble t, const char *text)
{
	if (r->to->trouble)
		r->to->trouble(r->to->arg, p, t, text);
}

void shapes_complain(struct reading *r, enum complaint c, const char *text)
{
	if (r->complaints[c]++ < complaints[c].aloud)
		say(r, &r->place, complaints[c].trouble, text);
}

static void complaints_end(struct reading *r)
{
	for (unsigned c = 0; c < COMPLAINT_COUNT; c++) {
		struct place p = {r->place.file, 0};
		char text[128];

		if (!complaints[c].more || r->complaints[c] <= complaints[c].aloud)
			continue;
		if (c == COMPLAINT_UNKNOWN) {
			if (!r->known) /* the whole input: its reader says so */
				continue;
			p = r->unknown;
		}
		snprintf(text, sizeof(text), "%" PRIu64 " %s",
			 r->complaints[c] - complaints[c].aloud, complaints[c].more);
		say(r, &p, complaints[c].trouble, text);
	}
}

const char *shapes_told(const char *text)
{
	static const char *const nothing[] = {"", "-", "N/A", "None", "null", "NaN", "nan", "n/a"};

	if (!text)
		return NULL;
	while (*text == ' ')
		text++;
	for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++) {
		if (!strcmp(text, nothing[i]))
			return NULL;
	}
	return text;
}

int64_t shapes_number(const char *text)
{
	bool hex = text && text[0] == '0' && (text[1] | 0x20) == 'x';
	const char *p = text;
	int64_t value = 0;

	if (!p || !*p)
		return NO_NUMBER;
	if (hex)
		p += 2;
	do {
		int digit = *p >= '0' && *p <= '9' ? *p - '0' : hex ? (*p | 0x20) - 'a' + 10 : -1;

		if (digit < 0 || digit > 15 || (digit > 9 && *p < 'A') || value > (INT64_MAX >> 5))
			return NO_NUMBER;
		value = value * (hex ? 16 : 10) + digit;
	} while (*++p && *p != '.');
	while (*p == '.' || *p == '0')
		p++;
	return *p ? NO_NUMBER : value;
}

/* Of this run, so that names cannot be chosen to fall into one slot. */
static uint64_t list_secret(void)
{
	static uint64_t secret;

	if (!secret && getrandom(&secret, sizeof(secret), GRND_NONBLOCK) != sizeof(secret))
		secret = 0x9e3779b97f4a7c15u;
	return secret |= 1;
}

/* The slot of a host's list; NULL = there are too many. */
static struct list_host *host_slot(struct reading *r, const char *name)
{
	uint64_t hash = list_secret();
	size_t slots = SHAPES_HOSTS_MAX * 2;
	struct list_host *h;

	if (!name)
		return &r->nobody;
	if (!r->hosts)
		r->hosts = calloc(slots, sizeof(*r->hosts));
	if (!r->hosts)
		return NULL;
	for (const char *c = name; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 0xff51afd7ed558ccdu ^ hash >> 29;
	for (size_t i = (hash ^ hash >> 32) % slots;; i = (i + 1) % slots) {
		h = &r->hosts[i];
		if (!h->name)
			break;
		if (!strcmp(h->name, name))
			return h;
	}
	if (r->host_count == SHAPES_HOSTS_MAX)
		return NULL;
	h->name = strdup(name);
	if (!h->name)
		return NULL;
	r->host_count++;
	return h;
}

static void close_list(struct reading *r, struct list_host *h, const char *host)
{
	struct boot_fact f = {.place = r->place, .host = host, .mark = BOOT_SNAPSHOT_END};

	if (!h->open)
		return;
	h->open = false;
	f.time_ns =
		h->taken_ns != NO_TIME && h->taken_ns > h->newest_ns ? h->taken_ns : h->newest_ns;
	if (r->to->boot)
		r->to->boot(r->to->arg, &f);
}

void shapes_list_end(struct reading *r, const char *host)
{
	struct list_host *h = host_slot(r, host);

	if (h)
		close_list(r, h, host);
}

/* A row of a list. Another time of the same host is another list. */
static void count_row(struct reading *r, const struct process_fact *f, int64_t taken_ns)
{
	struct list_host *h = host_slot(r, f->host);

	if (!h) {
		shapes_complain(r, COMPLAINT_HOSTS,
				"lists of more than 4096 hosts in one input: when those of the "
				"others were taken is not told");
		return;
	}
	if (h->open && taken_ns != NO_TIME && h->taken_ns != taken_ns)
		close_list(r, h, f->host);
	if (!h->open) {
		h->open = true;
		h->newest_ns = NO_TIME;
		h->taken_ns = taken_ns;
	}
	if (f->started_ns != NO_TIME && f->started_ns > h->newest_ns)
		h->newest_ns = f->started_ns;
}

void shapes_process(struct reading *r, const struct process_fact *f, int64_t taken_ns)
{
	if (f->list != LIST_NONE)
		count_row(r, f, taken_ns);
	r->told++;
	if (r->to->process)
		r->to->process(r->to->arg, f);
}

/* What two shapes of one kind are together; NULL = they have nothing in common. */
static const char *common_shape(const char *a, const char *b)
{
	static const char *const kinds[][2] = {{"events", "Windows events"},
					       {"osquery", "osquery log"},
					       {"Volatility", "several lists of Volatility 3"}};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strstr(a, kinds[i][0]) && strstr(b, kinds[i][0]))
			return kinds[i][1];
	}
	return NULL;
}

void shapes_known(struct reading *r, const char *shape)
{
	r->known++;
	if (r->shape == shape || r->mixed)
		return;
	r->shape = r->shape ? common_shape(r->shape, shape) : shape;
	r->mixed = !r->shape;
}

/* Lines of records within a record: they are walked forwards, so each line end is counted once. */
static void place_nested(struct reading *r, const char *at)
{
	if (at < r->counted_at)
		return;
	while ((r->counted_at = memchr(r->counted_at, '\n', (size_t)(at - r->counted_at)))) {
		r->counted_line++;
		r->counted_at++;
	}
	r->counted_at = at;
	r->place.line = r->counted_line;
}

static void complain_json(struct reading *r, const char *text, const struct json_error *e)
{
	char said[160];

	snprintf(said, sizeof(said), "%s (byte %zu of the record): left out", e->why,
		 (size_t)(e->at - text) + 1);
	shapes_complain(r, COMPLAINT_BAD, said);
}

size_t read_nested(struct reading *r, struct field *list, unsigned depth,
		   void (*row)(struct reading *r, unsigned depth, void *arg), void *arg)
{
	struct json_list l;
	struct json_value v;
	size_t objects = 0;

	if (depth >= SHAPES_DEPTH_MAX) {
		shapes_complain(r, COMPLAINT_DEEP, "lists are nested deeper than 64: left out");
		return 1;
	}
	l = json_list(list->text, list->bytes);
	while (json_list_next(&l, &v)) {
		struct record *rec = &r->records[depth];
		struct json_error e;

		if (v.kind != FIELD_OBJECT)
			continue;
		objects++;
		place_nested(r, v.text);
		record_clear(rec);
		if (!json_list_read(rec, 0, &v, &e))
			complain_json(r, v.text, &e);
		else if (row)
			row(r, depth, arg);
		else
			shapes_record(r, depth);
	}
	if (!l.at)
		shapes_complain(r, COMPLAINT_BAD, "a list cannot be read further: left out");
	return objects;
}

/* The lists of a record: all, or those of that name. false = no object is in them. */
static bool descend(struct reading *r, unsigned depth, const char *name)
{
	struct record *rec = &r->records[depth];
	bool any = false;

	for (unsigned i = 0; i < rec->count; i++) {
		struct field *f = &rec->at[i];
		bool named = !name || (f->name_bytes == strlen(name) &&
				       !memcmp(f->name, name, f->name_bytes));

		if (f->kind == FIELD_ARRAY && named && read_nested(r, f, depth + 1, NULL, NULL))
			any = true;
	}
	return any;
}

void shapes_record(struct reading *r, unsigned depth)
{
	struct record *rec = &r->records[depth];
	struct place place = r->place;
	char twice[RECORD_TWICE_BYTES];

	if (shapes_list(r, rec)) {
		if (record_find(rec, 0, "__children", 10))
			descend(r, depth, "__children");
	} else if (!shapes_event(r, rec) && !shapes_osquery(r, rec, depth)) {
		if (!descend(r, depth, NULL) && !r->complaints[COMPLAINT_UNKNOWN]++)
			r->unknown = place;
	}
	r->place = place;
	if (record_twice(rec, twice, sizeof(twice)))
		shapes_complain(r, COMPLAINT_TWICE, twice);
	if (rec->invalid)
		shapes_complain(r, COMPLAINT_BYTES, "bytes that are no UTF-8 are shown as ?");
}

void shapes_text(struct reading *r, char *text, char *end, bool cut)
{
	struct record *rec = &r->records[0];
	struct json_error e;
	char *behind;

	record_clear(rec);
	r->counted_at = text;
	r->counted_line = r->place.line;
	behind = json_read(rec, 0, text, end, &e);
	if (!behind && cut && e.at >= end) {
		shapes_complain(r, COMPLAINT_CUT, "the input ends within a record: left out");
		return;
	}
	if (!behind) {
		complain_json(r, text, &e);
		return;
	}
	while (behind < end && strchr(" \t\r\n,", *behind) && *behind)
		behind++;
	if (behind < end) {
		complain_json(r, text, &(struct json_error){"more behind the object", behind});
		return;
	}
	shapes_record(r, 0);
}

void shapes_end(struct reading *r)
{
	shapes_privileges_end(r);
	r->place.line = 0;
	close_list(r, &r->nobody, NULL);
	for (size_t i = 0; r->hosts && i < SHAPES_HOSTS_MAX * 2; i++)
		close_list(r, &r->hosts[i], r->hosts[i].name);
	complaints_end(r);
}

void shapes_free(struct reading *r)
{
	for (size_t i = 0; r->hosts && i < SHAPES_HOSTS_MAX * 2; i++)
		free(r->hosts[i].name);
	free(r->hosts);
	for (unsigned i = 0; i < SHAPES_DEPTH_MAX; i++)
		record_free(&r->records[i]);
}
