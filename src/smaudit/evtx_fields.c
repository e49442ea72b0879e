/* SPDX-License-Identifier: MIT */
/*
 * evtx_fields.c - an event as a list of names and values; see evtx.h
 *
 * Both sides of the pipe: the child makes fields of the XML that libevtx writes, the parent takes
 * them apart. Every byte is evidence. Pure: no heap, no files. It must never trust an end that is
 * not inside of the bytes it was given.
 */
#include "smaudit/evtx.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"

struct maker {
	const char *xml;
	size_t n, at;
	char *to;
	size_t cap, used;
	unsigned fields;
	bool full;
};

struct piece { /* of the XML */
	const char *at;
	size_t n;
};

bool evtx_frame_fits(const struct evtx_frame *f)
{
	switch (f->kind) {
	case EVTX_EVENT:
		return f->bytes <= EVTX_FRAME_MAX;
	case EVTX_UNREAD:
		return f->bytes <= EVTX_REASON_MAX;
	case EVTX_DONE:
		return f->bytes == sizeof(struct evtx_done);
	default:
		return false;
	}
}

int evtx_fields_take(const char *bytes, size_t n, struct evtx_fields *ret)
{
	struct evtx_fields f = {0};

	for (size_t at = 0; at < n;) {
		const char *name = bytes + at;
		const char *end = memchr(name, 0, n - at);
		const char *value;

		if (!end || end == name)
			return -EBADMSG;
		value = end + 1;
		end = memchr(value, 0, n - (size_t)(value - bytes));
		if (!end)
			return -EBADMSG;
		if (f.count == EVTX_FIELDS_MAX)
			return -E2BIG;
		f.name[f.count] = name;
		f.value[f.count++] = value;
		at = (size_t)(end + 1 - bytes);
	}
	*ret = f;
	return 0;
}

const char *evtx_fields_get(void *arg, const char *name)
{
	const struct evtx_fields *f = arg;

	for (unsigned i = 0; i < f->count; i++)
		if (!strcasecmp(f->name[i], name))
			return f->value[i];
	return NULL;
}

static void put(struct maker *m, char c)
{
	if (m->used < m->cap)
		m->to[m->used++] = c;
	else
		m->full = true;
}

static void put_unescaped(struct maker *m, struct piece p)
{
	static const struct {
		const char *text;
		char is;
	} names[] = {
		{"&lt;", '<'}, {"&gt;", '>'}, {"&amp;", '&'}, {"&quot;", '"'}, {"&apos;", '\''}};

	for (size_t i = 0; i < p.n;) {
		size_t n = 1;
		char c = p.at[i];

		for (size_t k = 0; p.at[i] == '&' && k < ARRAY_SIZE(names); k++) {
			size_t len = strlen(names[k].text);

			if (len <= p.n - i && !memcmp(p.at + i, names[k].text, len)) {
				c = names[k].is;
				n = len;
			}
		}
		put(m, c);
		i += n;
	}
}

static void add(struct maker *m, struct piece name, struct piece value)
{
	if (!name.n)
		return;
	if (m->fields++ == EVTX_FIELDS_MAX) {
		m->full = true;
		return;
	}
	put_unescaped(m, name);
	put(m, '\0');
	put_unescaped(m, value);
	put(m, '\0');
}

static bool is(struct piece p, const char *name)
{
	return p.n == strlen(name) && !memcmp(p.at, name, p.n);
}

/* The value of an attribute in a tag's inside; n = 0 when there is none. */
static struct piece attribute(struct piece tag, const char *name)
{
	for (size_t i = 0; i < tag.n;) {
		struct piece key = {tag.at + i, 0};
		struct piece value;
		const char *end;

		while (i < tag.n && tag.at[i] != '=')
			i++;
		key.n = (size_t)(tag.at + i - key.at);
		while (key.n && (*key.at == ' ' || *key.at == '\t' || *key.at == '\n'))
			key.at++, key.n--;
		if (tag.n - i < 2 || (tag.at[i + 1] != '"' && tag.at[i + 1] != '\''))
			break;
		value.at = tag.at + i + 2;
		end = memchr(value.at, tag.at[i + 1], (size_t)(tag.at + tag.n - value.at));
		if (!end)
			break;
		value.n = (size_t)(end - value.at);
		if (is(key, name))
			return value;
		i = (size_t)(end + 1 - tag.at);
	}
	return (struct piece){tag.at, 0};
}

/* Text up to the next tag. */
static struct piece content(struct maker *m, bool closed)
{
	struct piece p = {m->xml + m->at, 0};

	while (!closed && m->at < m->n && m->xml[m->at] != '<')
		m->at++;
	p.n = (size_t)(m->xml + m->at - p.at);
	return p;
}

/* The inside of the tag that begins at m->at, which is left behind it; quotes hide a '>'. */
static struct piece inside(struct maker *m)
{
	struct piece p = {m->xml + m->at + 1, 0};
	char quote = 0;

	for (m->at++; m->at < m->n; m->at++) {
		char c = m->xml[m->at];

		if (quote ? c == quote : (c == '"' || c == '\''))
			quote = quote ? 0 : c;
		else if (c == '>' && !quote)
			break;
	}
	p.n = (size_t)(m->xml + m->at - p.at);
	if (m->at < m->n)
		m->at++;
	return p;
}

static void of_system(struct maker *m, struct piece name, struct piece tag, bool closed)
{
	static const struct {
		const char *element, *attribute, *field;
	} rows[] = {
		{"Provider", "Name", "ProviderName"}, {"TimeCreated", "SystemTime", "TimeCreated"},
		{"EventID", NULL, "EventID"},         {"EventRecordID", NULL, "EventRecordID"},
		{"Channel", NULL, "Channel"},         {"Computer", NULL, "Computer"}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (is(name, rows[i].element)) {
			struct piece field = {rows[i].field, strlen(rows[i].field)};

			add(m, field,
			    rows[i].attribute ? attribute(tag, rows[i].attribute)
					      : content(m, closed));
		}
}

long evtx_fields_make(const char *xml, size_t n, char *to, size_t cap)
{
	struct maker m = {.xml = xml, .n = strnlen(xml, n), .to = to, .cap = cap};
	bool in_system = false;

	while (m.at < m.n) {
		struct piece tag, name;
		bool closed;

		if (m.xml[m.at] != '<') {
			m.at++;
			continue;
		}
		name = tag = inside(&m);
		for (name.n = 0; name.n < tag.n && !strchr(" \t\n/", tag.at[name.n]);)
			name.n++;
		closed = tag.n && tag.at[tag.n - 1] == '/';
		tag.at += name.n;
		tag.n -= name.n;
		if (is(name, "System"))
			in_system = !closed;
		else if (!name.n && tag.n >= 7 && !memcmp(tag.at, "/System", 7))
			in_system = false;
		else if (in_system)
			of_system(&m, name, tag, closed);
		else if (is(name, "Data")) {
			struct piece field = attribute(tag, "Name");

			add(&m, field, content(&m, closed));
		}
	}
	return m.full ? -E2BIG : (long)m.used;
}

uint32_t evtx_crc32(uint32_t crc, const void *bytes, size_t n)
{
	static uint32_t table[256];
	const uint8_t *p = bytes;

	for (uint32_t i = 0; !table[255] && i < 256; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] = table[i] >> 1 ^ (table[i] & 1 ? 0xEDB88320u : 0);
	}
	crc = ~crc;
	for (size_t i = 0; i < n; i++)
		crc = crc >> 8 ^ table[(crc ^ p[i]) & 255];
	return ~crc;
}

unsigned evtx_records(const uint8_t *chunk, uint64_t *ret_ids)
{
	unsigned count = 0;

	for (size_t at = EVTX_RECORDS_AT;
	     at + EVTX_RECORD_MIN <= EVTX_CHUNK_BYTES && count < EVTX_RECORDS_MAX;) {
		uint32_t magic, bytes;

		memcpy(&magic, chunk + at, 4);
		memcpy(&bytes, chunk + at + 4, 4);
		if (magic != 0x00002a2a || bytes < EVTX_RECORD_MIN || bytes > EVTX_CHUNK_BYTES - at)
			break;
		memcpy(&ret_ids[count++], chunk + at + 8, 8);
		at += bytes;
	}
	return count;
}
