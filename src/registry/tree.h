/* SPDX-License-Identifier: MIT */
/*
 * tree.h - keys and values in memory
 *
 * What a hive holds, what a .reg file says and what a commit writes are the same tree: names in
 * UTF-8 with their length (a name may hold a NUL), data as the bytes on disk. Names are compared
 * as NT does, without case. Order is kept: Environment is read in it. All memory comes from one
 * arena with a budget, so that a hostile hive or file ends in -E2BIG and not in the machine's swap.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REG_NONE             0u
#define REG_SZ               1u
#define REG_EXPAND_SZ        2u
#define REG_BINARY           3u
#define REG_DWORD            4u
#define REG_DWORD_BIG_ENDIAN 5u
#define REG_LINK             6u
#define REG_MULTI_SZ         7u
#define REG_QWORD            11u

#define REG_KEY_NAME_MAX   255u         /* characters; Windows' limit (regf.md §2) */
#define REG_VALUE_NAME_MAX 16383u       /* characters; Windows' limit */
#define REG_DEPTH_MAX      512u         /* keys below each other; Windows' limit */
#define REG_TREE_BYTES_MAX (256u << 20) /* the arena's budget: a 64 MiB hive's tree fits */

struct reg_arena {
	struct reg_chunk *chunk;
	size_t used_bytes; /* of all chunks */
	size_t budget_bytes;
};

struct reg_index {      /* a hash over the names of an array; made when the array gets long */
	uint32_t *slot; /* array index + 1, 0 = empty */
	uint32_t mask;
};

struct reg_value {
	char *name; /* "" = the key's default value; NUL-terminated too */
	uint32_t name_bytes;
	uint32_t type; /* REG_* or any other number */
	uint32_t bytes;
	uint32_t origin; /* ORIGIN() of the text that set it; 0 = it came from the hive */
	uint8_t *data;
};

/*
 * ORIGIN - where a value was set: the number of a file, from 1 (0 = no file: a command line), and
 * a line of it. 26 bits hold every line of the largest .reg file.
 */
#define ORIGIN_FILE_MAX     63u
#define ORIGIN(file, line)  ((uint32_t)(file) << 26 | (line))
#define ORIGIN_FILE(origin) ((origin) >> 26)
#define ORIGIN_LINE(origin) ((origin)&0x3FFFFFFu)

struct reg_key {
	char *name;
	uint32_t name_bytes;
	struct reg_key *parent; /* NULL for the root */
	struct reg_key **children;
	uint32_t child_count, child_cap;
	struct reg_value *values;
	uint32_t value_count, value_cap;
	struct reg_index child_index, value_index;
	uint64_t written; /* of a hive, when it was last written, FILETIME; 0 unknown */
	bool named;       /* a line of .reg text names it, it did not come on the way to another */
	uint32_t list;    /* of a hive, the one that brought it last; by reg_tree.lists */
};

struct reg_tree {
	struct reg_arena arena;
	struct reg_key *root;
	uint64_t keys, values; /* in it, the root included */
	uint32_t lists;        /* of subkeys that were loaded into it */
	uint32_t file;         /* ORIGIN_FILE of the .reg text being read */
	unsigned set; /* what CurrentControlSet means without a Select\Current here; 0 nothing */
};

/* arena_take - n zeroed bytes, 8-byte aligned; NULL when the budget or the memory is used up. */
void *arena_take(struct reg_arena *a, size_t n);
/* arena_copy - n bytes and a NUL behind them. */
char *arena_copy(struct reg_arena *a, const void *from, size_t n);

/* tree_start - a tree with a root only. Returns 0 or -ENOMEM. Given back by tree_free. */
int tree_start(struct reg_tree *t);
void tree_free(struct reg_tree *t);
static inline void tree_freep(struct reg_tree *t)
{
	tree_free(t);
}

/* key_child, key_value - by name, any case; NULL when absent. */
struct reg_key *key_child(const struct reg_key *k, const char *name, size_t n);
struct reg_value *key_value(const struct reg_key *k, const char *name, size_t n);
/* key_get - key_value by a NUL-terminated name. */
struct reg_value *key_get(const struct reg_key *k, const char *name);

/* tree_add_key - the child of that name, made when absent. Returns 0 or -E2BIG. */
int tree_add_key(struct reg_tree *t, struct reg_key *parent, const char *name, size_t n,
		 struct reg_key **ret);

struct reg_data {
	uint32_t type;
	const void *bytes;
	size_t n;
	uint32_t origin;
};

/* tree_set - make or replace a value; bytes are copied. Returns 0 or -E2BIG. */
int tree_set(struct reg_tree *t, struct reg_key *k, const char *name, size_t n,
	     const struct reg_data *data);
/* tree_append - the same for a value that is known to be new, or may stand there twice. */
int tree_append(struct reg_tree *t, struct reg_key *k, const char *name, size_t n,
		const struct reg_data *data);
/* tree_drop_value - true when there was one. */
bool tree_drop_value(struct reg_tree *t, struct reg_key *k, const char *name, size_t n);
/* tree_drop_key - the key and all below; the root is only emptied. */
void tree_drop_key(struct reg_tree *t, struct reg_key *k);
/* tree_empty_key - its values and all below it; the key stays where it is. */
void tree_empty_key(struct reg_tree *t, struct reg_key *k);
/*
 * tree_copy - the values of a key, and with deep all below it, into a key of tree t
 * What stands there under other names stays. from may lie in another tree, not below to.
 * Returns 0 or -E2BIG.
 */
int tree_copy(struct reg_tree *t, struct reg_key *to, const struct reg_key *from, bool deep);

/* tree_current_set - Select\Current, 1..999; 0 when there is none or it is wrong. */
unsigned tree_current_set(const struct reg_tree *t);

/*
 * tree_find, tree_make - a key by its path below HKLM\SYSTEM, components parted by backslashes
 * A first component "CurrentControlSet" is resolved by Select\Current. "" is the root.
 * tree_find returns NULL when absent; tree_make returns 0, -E2BIG, -ENAMETOOLONG, or -ENOKEY
 * (CurrentControlSet, and no Select\Current).
 */
struct reg_key *tree_find(const struct reg_tree *t, const char *path, size_t n);
int tree_make(struct reg_tree *t, const char *path, size_t n, struct reg_key **ret);
struct reg_key *key_below(const struct reg_key *k, const char *path, size_t n);

/* tree_set_text, tree_set_dword - for code and tests: a string with its NUL, a number. */
int tree_set_text(struct reg_tree *t, struct reg_key *k, const char *name, uint32_t type,
		  const char *text);
int tree_set_dword(struct reg_tree *t, struct reg_key *k, const char *name, uint32_t number);
/* tree_set_list - MULTI_SZ of count strings, empty ones kept. */
int tree_set_list(struct reg_tree *t, struct reg_key *k, const char *name, const char *const *texts,
		  size_t count);

/* ---- reading data (regf.md §2 "Strings", "MULTI_SZ") ---- */

#define REG_TEXT_ODD  (1u << 0) /* a lone last byte was ignored */
#define REG_TEXT_JUNK (1u << 1) /* something stands behind the first NUL */
#define REG_TEXT_BAD  (1u << 2) /* an unpaired surrogate */

/*
 * value_text - SZ, EXPAND_SZ or LINK as UTF-8, up to the first NUL or the end
 *   ret_flags  REG_TEXT_*, may be NULL
 * Returns the text (the arena's) or NULL when memory is used up.
 */
char *value_text(struct reg_arena *a, const struct reg_value *v, unsigned *ret_flags);

/*
 * value_list - the strings of a MULTI_SZ, walked by length: empty ones inside are data
 * The one empty piece that the final NUL makes is dropped; a piece without a NUL counts.
 * Returns 0 or -E2BIG; *ret is the arena's.
 */
int value_list(struct reg_arena *a, const struct reg_value *v, char ***ret, size_t *ret_count,
	       unsigned *ret_flags);

/* value_dword - a DWORD of four bytes; false for every other type or length. */
bool value_dword(const struct reg_value *v, uint32_t *ret);

/* reg_type_word - "REG_SZ"; NULL for a number without a name. */
const char *reg_type_word(uint32_t type);
