/* SPDX-License-Identifier: MIT */
/*
 * reg_scan.h - characters, words and data of .reg text; for reg_text.c only
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/reg_text.h"

struct reader {
	const char *s;
	size_t n, at;
	size_t line_start;
	unsigned line;
	unsigned value_line; /* where the value at hand began */
	bool line_bad;       /* an error was named on this line */
	struct reg_tree *t;
	struct reg_rules rules;
	struct reg_key *key; /* of the last [key]; NULL before one, or when it is being deleted */
	bool seen_key;
	struct reg_errors *errors;
	uint8_t *data; /* decoded bytes of one value */
	size_t data_n, data_cap;
	char *text; /* a decoded name or string */
	size_t text_n, text_cap;
	int failed; /* -E2BIG, -ENOMEM */
};

/*
 * reg_decode - the file's bytes become the text of the reader
 *   ret  what is to be freed, or NULL
 * Returns 0, -EINVAL (named), -ENOMEM (in r->failed too).
 */
int reg_decode(struct reader *r, const char *bytes, size_t n, char **ret);
/* reg_bad - name an error at a byte of the present line; returns -EINVAL. */
int reg_bad(struct reader *r, size_t at, const char *form, ...)
	__attribute__((format(printf, 3, 4)));
/* reg_peek - the character here, NUL at the end. */
char reg_peek(const struct reader *r);
bool reg_line_ends(const struct reader *r);
void reg_skip_blanks(struct reader *r);
void reg_next_line(struct reader *r);
/* reg_expect_end - only blanks or a comment may follow. */
int reg_expect_end(struct reader *r, const char *after);
/* reg_word - pass over this word, any case; false when something else stands here. */
bool reg_word(struct reader *r, const char *word);
/* reg_quoted - "..." into r->text; more: \0 \n \r \t are known too. */
int reg_quoted(struct reader *r, const char *what, bool more);
/* reg_string_data, reg_dword_data, reg_hex_data - the bytes of a value into r->data. */
int reg_string_data(struct reader *r, bool more);
int reg_dword_data(struct reader *r);
int reg_hex_data(struct reader *r, uint32_t *ret_type);
/* reg_text_data - str(N):"...", our readable form of strings and lists. */
int reg_text_data(struct reader *r, uint32_t *ret_type);
