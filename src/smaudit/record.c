/* SPDX-License-Identifier: MIT */
/*
 * record.c - one record of evidence; see record.h
 */
#include "smaudit/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "smaudit/json.h"

#define CHAIN_LOOK 256u /* names of one bucket that are compared: of a real record a few */

void record_clear(struct record *r)
{
	r->count = 0;
	r->twice = NULL;
	r->invalid = r->crowded = false;
	memset(r->bucket, 0, sizeof(r->bucket));
}

void record_free(struct record *r)
{
	free(r->at);
	*r = (struct record){0};
}

static inline unsigned fold(char c)
{
	return (uint8_t)c | 0x20u; /* joins a few signs, too; equal_folded decides */
}

static unsigned bucket_of(unsigned parent, const char *name, size_t n)
{
	if (n == 0)
		return 0;
	return (unsigned)(parent * 31 + n * 5 + fold(name[0]) * 3 + fold(name[n / 2]) * 7 +
			  fold(name[n - 1])) %
	       RECORD_BUCKETS;
}

static bool equal_folded(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char x = a[i], y = b[i];

		if (x != y && ((x ^ y) != 0x20 || (x | 0x20) < 'a' || (x | 0x20) > 'z'))
			return false;
	}
	return true;
}

static bool grow(struct record *r)
{
	unsigned cap = r->cap ? r->cap * 2 : 64;
	struct field *at;

	if (cap > RECORD_FIELDS_MAX)
		return false;
	at = realloc(r->at, cap * sizeof(*at));
	if (!at)
		return false;
	if (r->twice)
		r->twice = at + (r->twice - r->at);
	r->at = at;
	r->cap = cap;
	return true;
}

unsigned record_add(struct record *r, const struct field *f)
{
	unsigned b = bucket_of(f->parent, f->name, f->name_bytes);
	struct field *to;

	if (r->count == r->cap && !grow(r))
		return 0;
	to = &r->at[r->count];
	*to = *f;
	to->next = r->bucket[b];
	for (unsigned i = to->next, n = 0; i; i = r->at[i - 1].next, n++) {
		const struct field *o = &r->at[i - 1];

		if (n == CHAIN_LOOK) { /* who made that may have hidden one in it */
			r->crowded |= f->name_bytes > 0;
			break;
		}
		if (o->parent == f->parent && o->name_bytes == f->name_bytes && f->name_bytes &&
		    !memcmp(o->name, f->name, f->name_bytes)) {
			r->twice = to;
			break;
		}
	}
	r->bucket[b] = (uint16_t)++r->count;
	return r->count;
}

bool record_twice(const struct record *r, char *ret, size_t cap)
{
	const struct field *f = r->twice;

	if (f)
		snprintf(ret, cap,
			 "the name %.*s stands twice in one record: only its last value "
			 "was looked at",
			 (int)(f->name_bytes < 64 ? f->name_bytes : 64), f->name);
	else if (r->crowded)
		snprintf(ret, cap,
			 "too many names that are alike in one record: one may stand "
			 "twice");
	return f || r->crowded;
}

unsigned record_add_text(struct record *r, unsigned parent, const char *name, char *text)
{
	return record_add(r, &(struct field){.name = name,
					     .name_bytes = (uint32_t)strlen(name),
					     .text = text,
					     .bytes = (uint32_t)strlen(text),
					     .parent = (uint16_t)parent,
					     .kind = FIELD_TEXT});
}

unsigned record_find(const struct record *r, unsigned parent, const char *name, size_t bytes)
{
	unsigned near = 0;

	for (unsigned i = r->bucket[bucket_of(parent, name, bytes)]; i; i = r->at[i - 1].next) {
		const struct field *f = &r->at[i - 1];

		if (f->parent != parent || f->name_bytes != bytes)
			continue;
		if (!memcmp(f->name, name, bytes))
			return i;
		if (!near && equal_folded(f->name, name, bytes))
			near = i;
	}
	return near;
}

unsigned record_path(const struct record *r, unsigned parent, const char *path)
{
	for (;;) {
		size_t n = strlen(path);
		unsigned found = record_find(r, parent, path, n);

		if (found)
			return found;
		do { /* the longest name of an object that it begins with */
			while (n && path[n - 1] != '.')
				n--;
			if (n == 0)
				return 0;
			n--;
			found = record_find(r, parent, path, n);
		} while (!found || r->at[found - 1].kind != FIELD_OBJECT);
		parent = found;
		path += n + 1;
	}
}

unsigned record_object(const struct record *r, unsigned parent, const char *path)
{
	unsigned found = record_path(r, parent, path);

	return found && r->at[found - 1].kind == FIELD_OBJECT ? found : 0;
}

/* How long the UTF-8 character at s is; 0 = invalid. */
static size_t utf8_length(const uint8_t *s, size_t left)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

	if (n == 0 || n > left || s[0] > 0xf4)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* Bytes that are no UTF-8, and NUL, become '?': there is no room for more, and none is lawful in a
 * name of Windows. */
static bool make_valid(char *text, size_t n)
{
	uint8_t *s = (uint8_t *)text;
	bool valid = true;

	for (size_t i = 0; i < n;) {
		size_t one = s[i] ? utf8_length(s + i, n - i) : 0;

		if (!one) {
			s[i] = '?';
			valid = false;
			one = 1;
		}
		i += one;
	}
	return valid;
}

/* The first of a list, if it is a text, takes the list's place. */
static bool take_first(struct field *f)
{
	struct json_list list = json_list(f->text, f->bytes);
	struct json_value v;

	if (!json_list_next(&list, &v) || v.kind == FIELD_OBJECT || v.kind == FIELD_ARRAY)
		return false;
	f->text = v.text;
	f->bytes = (uint32_t)v.bytes;
	f->kind = (uint8_t)v.kind;
	return f->kind != FIELD_NULL;
}

const char *record_text(struct record *r, unsigned field)
{
	struct field *f;

	if (!field)
		return NULL;
	f = &r->at[field - 1];
	if (f->kind == FIELD_TEXT)
		return f->text;
	if (f->kind == FIELD_ARRAY && !take_first(f))
		return NULL;
	switch (f->kind) {
	case FIELD_WORD:
		/* what follows a word may be a line end, which counts: move it to the left, over
		 * the : or blank that stands before every word */
		memmove(f->text - 1, f->text, f->bytes);
		f->text--;
		break;
	case FIELD_ESCAPED:
		f->bytes = (uint32_t)json_unescape(f->text, f->bytes);
		break;
	case FIELD_STRING:
		break;
	default:
		return NULL;
	}
	f->text[f->bytes] = '\0';
	f->kind = FIELD_TEXT;
	if (!make_valid(f->text, f->bytes))
		r->invalid = true;
	return f->text;
}

const char *record_get(struct record *r, unsigned parent, const char *path)
{
	return record_text(r, record_path(r, parent, path));
}
