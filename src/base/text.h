/* SPDX-License-Identifier: MIT */
/*
 * text.h - building and reading short texts without stdio, heap or locale
 *
 * Everything the master prints, and every fixed-form kernel text it reads (law 1: at most 128
 * bytes), goes through here. Pure; nothing here can fail but by running out of the caller's room,
 * which is remembered in `cut` and never overruns.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;   /* caller's storage, always NUL-terminated while cap > 0 */
	size_t cap; /* bytes of storage, NUL included, > 0 */
	size_t len; /* bytes used, NUL not counted */
	bool cut;   /* something did not fit */
};

/* text_start - an empty text over the caller's storage of cap > 0 bytes. */
struct text text_start(char *storage, size_t cap);
#define TEXT_ON(array) text_start((array), sizeof(array))

/* text_add - append a NUL-terminated string; NULL appends "(none)". Returns t, for chains. */
struct text *text_add(struct text *t, const char *s);

/* text_add_n - append exactly n bytes of s (no NUL needed; bytes are taken as they are). */
struct text *text_add_n(struct text *t, const char *s, size_t n);

/* text_u64, text_i64, text_hex - append a number: decimal, signed decimal, "0x" + 8 digits at least
 */
struct text *text_u64(struct text *t, uint64_t n);
struct text *text_i64(struct text *t, int64_t n);
struct text *text_hex(struct text *t, uint64_t n);

/*
 * text_escaped - append n bytes with control bytes, DEL, backslash and bytes >= 0x80 as \xHH
 * For names that come from outside (files, hives, messages): a console must not be driven by them.
 */
struct text *text_escaped(struct text *t, const char *s, size_t n);

/* str_len - strlen bounded by cap: the place of the first NUL, or cap when there is none. */
size_t str_len(const char *s, size_t cap);

/* str_same - whole strings equal, bytes compared. */
bool str_same(const char *a, const char *b);

/* str_same_fold - the same with ASCII case folded, as NT compares names. */
bool str_same_fold(const char *a, const char *b);

/* str_starts - s begins with prefix. */
bool str_starts(const char *s, const char *prefix);

/*
 * str_copy - copy with its NUL into a field of cap bytes, cutting what does not fit
 * Returns true when all of it fitted. The rest of the field is zeroed (fields go on the wire).
 */
bool str_copy(char *field, size_t cap, const char *s);

/*
 * str_u64 - read a decimal (or 0x hexadecimal) number
 *   s, n     the bytes, no NUL needed; all of them must belong to the number
 *   ret      the number; untouched on failure
 * Returns 0, -EINVAL (empty, or a foreign character), -ERANGE (beyond 64 bits).
 */
int str_u64(const char *s, size_t n, uint64_t *ret);

/* str_is_host_name - letters, digits, "-" and "." inside, at most 64 bytes: what the kernel takes.
 */
bool str_is_host_name(const char *name);

/* err_text - a constant English text of a positive errno ("no such file"); "error" if unknown. */
const char *err_text(int err);

#define STR_FAR 48u
/* str_distance - letters to change, drop, add or swap, case aside; STR_FAR for words too long.
 * For "did you mean": small tables of our own words. */
unsigned str_distance(const char *a, const char *b);
