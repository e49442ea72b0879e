/* SPDX-License-Identifier: MIT */
/*
 * reg_text.h - .reg files, version 5: the form of the registry for people and version control
 *
 * Read: UTF-8 and UTF-16LE with or without a byte order mark, lines ended by LF or CRLF; header,
 * keys, `[-key]`, strings, `dword:`, `hex:`, `hex(N):`, `"value"=-`, continuations, comments, and a
 * form of our own, `str(N):"text"`: the text and a NUL, with \0 \n \r \t known in it. Every error
 * carries line and column and says what to do; a file with an error changes nothing. Written: what
 * read back gives the same bytes, for every type and length; a name that no line can carry is left
 * out and counted. Pure but for memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/tree.h"

#define REG_TEXT_BYTES_MAX (256u << 20) /* a .reg file: a hive of 32 MiB in UTF-16 fits */
#define REG_ERRORS_MAX     20u          /* then the file is given up */

struct reg_error {
	unsigned line, column; /* from 1, in characters */
	char text[176];
};

struct reg_errors {
	struct reg_error at[REG_ERRORS_MAX];
	unsigned count;
	struct reg_error twice; /* no error: the first value that a later line sets to other data */
	unsigned twice_count;   /* of them all */
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
 * reg_text_read_by - the same for texts that are not imported
 */
struct reg_rules {
	const char *below; /* only this key and those below it may be named; NULL: any */
	uint32_t data_max; /* bytes a value may have */
};
int reg_text_read_by(const char *bytes, size_t n, const struct reg_rules *rules, struct reg_tree *t,
		     struct reg_errors *ret_errors);

struct reg_buffer {
	char *bytes; /* malloc'ed, the caller's; free() it */
	size_t len, cap;
	bool failed;     /* out of memory: what is there is not whole */
	bool readable;   /* strings and lists as str(N):, which regedit does not know */
	unsigned faults; /* keys and values left out because no line can carry their names */
	char fault[256]; /* the first of them, escaped, and why */
};

/*
 * reg_text_header, reg_text_add_key, reg_text_add_value, reg_text_add_tree - lines of .reg text
 * The text is exact: read back it gives the same type and bytes. Lines end in \n and hex data is
 * folded at 80 columns. What cannot be said is counted in b->faults, and a comment stands for it.
 * reg_text_add_tree: a key, its values and all below it. reg_text_add_key returns false when the
 * path cannot be said. drop writes [-key] and "value"=-.
 */
void reg_text_header(struct reg_buffer *b);
bool reg_text_add_key(struct reg_buffer *b, const struct reg_key *k, bool drop);
void reg_text_add_value(struct reg_buffer *b, const struct reg_key *k, const struct reg_value *v,
			bool drop);
void reg_text_add_tree(struct reg_buffer *b, const struct reg_key *k);
void reg_buffer_add(struct reg_buffer *b, const char *s, size_t n);

/* reg_key_name_fault - why a key of that name cannot be said in .reg text; NULL: it can. */
const char *reg_key_name_fault(const char *s, size_t n);

/*
 * reg_buffer_to_utf16 - as regedit writes: UTF-16LE, byte order mark, CRLF
 * The buffer's bytes are replaced; b->failed when memory is used up.
 */
void reg_buffer_to_utf16(struct reg_buffer *b);
