/* SPDX-License-Identifier: MIT */
/*
 * record.h - one record of evidence: names and texts, flat with parents, borrowed from the input
 *
 * JSON objects and rows of tables become the same thing. Texts lie where they were read and are
 * only unescaped, ended and checked when they are asked for: of a line of 2,000 bytes the rules
 * want 200. A record is good until its input moves on. Field numbers begin with 1; 0 is the record
 * itself as a parent, and "none" as an answer. Names fold ASCII case, an equal one goes before a
 * folded one, and of a name that stands twice the last one counts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_FIELDS_MAX 4096u
#define RECORD_BUCKETS    128u

enum field_kind {
	FIELD_NULL,
	FIELD_WORD,    /* a number, true, false: not ended yet */
	FIELD_STRING,  /* not ended yet; text[bytes] may be written */
	FIELD_ESCAPED, /* and with escapes of JSON in it */
	FIELD_TEXT,    /* ended and checked */
	FIELD_OBJECT,
	FIELD_ARRAY /* text is what stands from [ to ], as it came */
};

struct field {
	const char *name;
	char *text;
	uint32_t name_bytes, bytes;
	uint16_t parent, next; /* next of the same bucket */
	uint8_t kind;
};

struct record {
	struct field *at; /* field n is at[n - 1] */
	unsigned count, cap;
	uint16_t bucket[RECORD_BUCKETS];
	const struct field *twice; /* a name that stood twice, NULL = none */
	bool crowded;              /* too many names alike to tell whether one stands twice */
	bool invalid;              /* a text that was asked for had invalid UTF-8 or a NUL in it */
};

/* record_clear - no fields; the memory is kept. */
void record_clear(struct record *r);
#define RECORD_TWICE_BYTES 160
/* record_twice - says which name stood twice, as a remark for people; false = none did. */
bool record_twice(const struct record *r, char *ret, size_t cap);
/* record_free - gives the memory back. */
void record_free(struct record *r);
/* record_add - another field, all borrowed; its number, or 0 when there are too many. */
unsigned record_add(struct record *r, const struct field *f);
/* record_add_text - another field with an ended text. */
unsigned record_add_text(struct record *r, unsigned parent, const char *name, char *text);
/* record_find - the field of that name right below parent. */
unsigned record_find(const struct record *r, unsigned parent, const char *name, size_t bytes);
/* record_path - the field at "a.b.c" below parent; names with points in them are found, too. */
unsigned record_path(const struct record *r, unsigned parent, const char *path);
/* record_object - record_path, if that is an object; else 0. */
unsigned record_object(const struct record *r, unsigned parent, const char *path);
/* record_text - the text of a field, ended, valid UTF-8 without NUL; a list of texts gives its
 * first. NULL = none, null, or an object. */
const char *record_text(struct record *r, unsigned field);
/* record_get - record_text of record_path. */
const char *record_get(struct record *r, unsigned parent, const char *path);
