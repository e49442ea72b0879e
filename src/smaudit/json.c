/* SPDX-License-Identifier: MIT */
/*
 * json.c - a scanner of JSON that works where the text lies; see json.h
 */
#include "smaudit/json.h"

#include <stdint.h>
#include <string.h>

/* What ends a run within a string, and what a word is made of. */
static const bool string_stops[256] = {['"'] = true, ['\\'] = true, ['\0'] = true};

static inline char *blanks(char *p)
{
	while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
		p++;
	return p;
}

/* The closing quote of the string whose inside begins at p; NULL = there is none, or a NUL. */
static char *string_end(char *p, const char *end, bool *ret_escaped)
{
	*ret_escaped = false;
	for (;;) {
		while (!string_stops[(uint8_t)*p])
			p++;
		if (*p == '"')
			return p;
		if (*p != '\\' || p + 1 >= end)
			return NULL;
		*ret_escaped = true;
		p += 2;
	}
}

/* The ] of the list at p, by brackets and strings alone: what is in it is read by who walks it. */
static char *list_end(char *p, const char *end)
{
	unsigned depth = 0;
	bool escaped;

	for (; p < end; p++) {
		if (*p == '"') {
			p = string_end(p + 1, end, &escaped);
			if (!p)
				return NULL;
		} else if (*p == '[' || *p == '{') {
			depth++;
		} else if ((*p == ']' || *p == '}') && --depth == 0) {
			return *p == ']' ? p : NULL;
		}
	}
	return NULL;
}

static bool is_word(const char *p, size_t n, enum field_kind *ret)
{
	static const char *const nothing[] = {"null", "NaN", "Infinity", "-Infinity"};

	for (size_t i = 0; i < 4; i++) {
		if (n == strlen(nothing[i]) && !memcmp(p, nothing[i], n)) {
			*ret = FIELD_NULL;
			return true;
		}
	}
	*ret = FIELD_WORD;
	if ((n == 4 && !memcmp(p, "true", 4)) || (n == 5 && !memcmp(p, "false", 5)))
		return true;
	if (n == 0 || !((p[0] >= '0' && p[0] <= '9') || (p[0] == '-' && n > 1)))
		return false;
	for (size_t i = 1; i < n; i++) {
		if (!((p[i] >= '0' && p[i] <= '9') || strchr(".eE+-", p[i])))
			return false;
	}
	return true;
}

static char *word_end(char *p)
{
	while ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
	       *p == '.' || *p == '+' || *p == '-')
		p++;
	return p;
}

/* One value that is no object: *ret, and where it ends; NULL = it cannot be one. */
static char *read_value(char *p, char *end, struct json_value *ret)
{
	bool escaped;
	char *stop;

	if (*p == '"') {
		stop = string_end(p + 1, end, &escaped);
		if (!stop)
			return NULL;
		*ret = (struct json_value){escaped ? FIELD_ESCAPED : FIELD_STRING, p + 1,
					   (size_t)(stop - p - 1)};
		return stop + 1;
	}
	if (*p == '[') {
		stop = list_end(p, end);
		if (!stop)
			return NULL;
		*ret = (struct json_value){FIELD_ARRAY, p, (size_t)(stop + 1 - p)};
		return stop + 1;
	}
	stop = word_end(p);
	ret->text = p;
	ret->bytes = (size_t)(stop - p);
	return is_word(p, ret->bytes, &ret->kind) ? stop : NULL;
}

/* A name and what stands up to its value. */
static char *read_name(char *p, const char *end, struct field *f, struct json_error *e)
{
	bool escaped;
	char *stop;

	e->at = p;
	e->why = "a name in quotes is expected";
	if (*p != '"')
		return NULL;
	stop = string_end(p + 1, end, &escaped);
	e->why = "a name has no closing quote";
	if (!stop)
		return NULL;
	f->name = p + 1;
	f->name_bytes = (uint32_t)(stop - p - 1);
	if (escaped)
		f->name_bytes = (uint32_t)json_unescape(p + 1, f->name_bytes);
	p = blanks(stop + 1);
	e->at = p;
	e->why = "a colon is expected behind a name";
	return *p == ':' ? blanks(p + 1) : NULL;
}

static const char *value_fault(const char *p)
{
	if (*p == '"')
		return "a string has no closing quote, or a NUL is in it";
	return *p == '[' ? "a list has no end" : "a value is expected";
}

char *json_read(struct record *r, unsigned parent, char *text, char *end, struct json_error *e)
{
	unsigned depth = 1, below = parent;
	bool comma = false; /* one is due before the next name */
	char *p = text + 1;

	for (;;) {
		struct field f = {.parent = (uint16_t)below};
		struct json_value v;
		unsigned number;

		p = blanks(p);
		if (*p == '}') {
			p++;
			if (--depth == 0)
				return p;
			below = r->at[below - 1].parent;
			comma = true;
			continue;
		}
		if (comma && *p != ',') {
			*e = (struct json_error){"a comma or } is expected", p};
			break;
		}
		if (comma) {
			p++;
			comma = false;
			continue;
		}
		p = read_name(p, end, &f, e);
		if (!p)
			break;
		if (*p == '{') {
			v = (struct json_value){FIELD_OBJECT, p, 0};
		} else {
			*e = (struct json_error){value_fault(p), p};
			p = read_value(p, end, &v);
			if (!p)
				break;
		}
		f.text = v.text;
		f.bytes = (uint32_t)v.bytes;
		f.kind = (uint8_t)v.kind;
		number = record_add(r, &f);
		*e = (struct json_error){"too many names in one object", v.text};
		if (!number)
			return NULL;
		comma = v.kind != FIELD_OBJECT;
		if (comma)
			continue;
		below = number;
		p++;
		*e = (struct json_error){"objects within objects are too deep", p};
		if (++depth > JSON_DEPTH_MAX)
			return NULL;
	}
	/* what is wrong only because the text ends is cut */
	if (*e->at == '"' || *e->at == '[') {
		const char *nul = memchr(e->at, '\0', (size_t)(end - e->at) + 1);

		if (nul == end)
			e->at = end;
	} else if (word_end((char *)(uintptr_t)e->at) == end) {
		e->at = end;
	}
	return NULL;
}

static int hex4(const char *s, const char *end)
{
	int value = 0;

	if (end - s < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = s[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			value = value * 16 + ((c | 0x20) - 'a' + 10);
		else
			return -1;
	}
	return value;
}

static size_t put_character(char *to, unsigned c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(lead[n] | c);
	return n;
}

/* \uXXXX whose digits begin at s; how many bytes behind the u were used. */
static size_t read_unicode(const char *s, const char *end, char *to, size_t *ret_put)
{
	int high = hex4(s, end), low;
	unsigned c = (unsigned)high;
	size_t used = 4;

	if (high < 0) { /* no escape that we know: kept as it stands */
		to[0] = 'u';
		*ret_put = 1;
		return 0;
	}
	if (high >= 0xd800 && high < 0xdc00 && end - s >= 10 && s[4] == '\\' && s[5] == 'u') {
		low = hex4(s + 6, end);
		if (low >= 0xdc00 && low < 0xe000) {
			c = 0x10000 + ((unsigned)(high - 0xd800) << 10) + (unsigned)(low - 0xdc00);
			used = 10;
		}
	}
	if (c == 0 || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	*ret_put = put_character(to, c);
	return used;
}

size_t json_unescape(char *text, size_t n)
{
	const char *from = memchr(text, '\\', n), *end = text + n;
	char *to;

	if (!from)
		return n;
	to = text + (from - text);
	while (from < end) {
		static const char names[] = "bfnrt", means[] = "\b\f\n\r\t";
		const char *known;
		size_t put;

		if (*from != '\\' || from + 1 >= end) {
			*to++ = *from++;
			continue;
		}
		from++;
		if (*from == 'u') {
			from += 1 + read_unicode(from + 1, end, to, &put);
			to += put;
			continue;
		}
		known = *from ? strchr(names, *from) : NULL;
		*to++ = known ? means[known - names] : *from;
		from++;
	}
	return (size_t)(to - text);
}

struct json_list json_list(char *text, size_t bytes)
{
	return (struct json_list){text + 1, text + bytes - 1};
}

bool json_list_next(struct json_list *l, struct json_value *ret)
{
	char *p = l->at;

	while (p < l->end && (*p == ',' || *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	if (p >= l->end)
		return false;
	if (*p == '{') {
		struct json_span s = {0};
		size_t used;

		l->at = NULL;
		if (json_span(&s, p, (size_t)(l->end - p), &used) != 1)
			return false;
		*ret = (struct json_value){FIELD_OBJECT, p, used};
		l->at = p + used;
		return true;
	}
	l->at = read_value(p, l->end, ret);
	return l->at != NULL;
}

bool json_list_read(struct record *r, unsigned parent, struct json_value *v, struct json_error *e)
{
	char kept = v->text[v->bytes];
	bool read;

	/* json_read's end; the list goes on behind it */
	v->text[v->bytes] = '\0';
	read = json_read(r, parent, v->text, v->text + v->bytes, e) != NULL;
	v->text[v->bytes] = kept;
	return read;
}

int json_span(struct json_span *s, const char *text, size_t n, size_t *ret_used)
{
	size_t i = 0;

	for (; i < n; i++) {
		char c = text[i];

		if (!s->in_string) {
			s->in_string = c == '"';
			if (c == '{' || c == '[')
				s->depth++;
			else if ((c == '}' || c == ']') && s->depth && --s->depth == 0)
				break;
			continue;
		}
		while (!s->escaped && c != '"' && c != '\\' && c != '\n' && i + 1 < n)
			c = text[++i];
		if (s->escaped)
			s->escaped = false;
		else if (c == '\\')
			s->escaped = true;
		else if (c == '"')
			s->in_string = false;
		if (c == '\n') {
			*ret_used = i;
			return -1;
		}
	}
	*ret_used = i < n ? i + 1 : n;
	return i < n;
}
