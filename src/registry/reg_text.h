/* SPDX-License-Identifier: MIT */
/*
 * reg_text.h - .reg files, version 5: the form of the registry for people and version control
 *
 * Read: UTF-8 with or without a byte order mark, UTF-16LE with one; header, keys, `[-key]`,
 * strings, `dword:`, `hex:`, `hex(N):`, `"value"=-`, continuations, comments. Every error carries
 * line and column and says what to do; a file with an error changes nothing. Written: what
 * read back gives the same bytes, for every type and length. Pure but for memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/tree.h"

#define REG_TEXT_BYTES_MAX (64u << 20) /* a .reg file; a whole SYSTEM hive's export has 60 MB */
#define REG_ERRORS_MAX     20u         /* then the file is given up */

struct reg_error {
	unsigned line, column; /* from 1, in characters */
	char text[176];
};

struct reg_errors {
	struct reg_error at[REG_ERRORS_MAX];
	unsigned count;
};

/*
 * reg_text_read - carry the lines of a .reg file out on a tree
 *   bytes, n  the file
 * Paths are those of the hive: HKEY_LOCAL_MACHINE\SYSTEM (or HKLM\SYSTEM) is its root.
 * Returns 0; -EINVAL when *ret_errors names one error or more (the tree is then half changed and to
 * be thrown away); -E2BIG beyond the tree's budget.
 */
int reg_text_read(const char *bytes, size_t n, struct reg_tree *t, struct reg_errors *ret_errors);

/*
 * reg_text_add_value, reg_text_add_key - one value's line, one key's line, into a growing buffer
 * The text is exact: read back it gives the same type and bytes. Lines end in \n and hex data is
 * folded at 80 columns.
 */
struct reg_buffer {
	char *bytes; /* malloc'ed, the caller's; free() it */
	size_t len, cap;
	bool failed; /* out of memory: what is there is not whole */
};
void reg_text_header(struct reg_buffer *b);
void reg_text_add_key(struct reg_buffer *b, const struct reg_key *k);
void reg_text_add_value(struct reg_buffer *b, const struct reg_value *v);
/* reg_text_add_tree - a key, its values and all below it. */
void reg_text_add_tree(struct reg_buffer *b, const struct reg_key *k);
void reg_buffer_add(struct reg_buffer *b, const char *s, size_t n);
