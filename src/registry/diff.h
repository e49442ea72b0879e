/* SPDX-License-Identifier: MIT */
/*
 * diff.h - what parts two keys with all below them
 *
 * Names are compared as NT does, without case, and order does not count: both are no difference to
 * whoever reads the registry. Types and bytes are compared exactly. Pure but for memory.
 */
#pragma once

#include <stddef.h>

#include "registry/reg_text.h"
#include "registry/tree.h"

enum diff_kind { DIFF_VALUE_GONE, DIFF_VALUE_NEW, DIFF_VALUE_CHANGED, DIFF_KEY_GONE, DIFF_KEY_NEW };

struct diff_change {
	enum diff_kind kind;
	const struct reg_key *was_key, *now_key; /* NULL where it is not */
	const struct reg_value *was, *now;
};

struct diff {
	struct diff_change *at; /* malloc'ed; free() it */
	size_t count, cap;
	int failed; /* -ENOMEM */
};

/*
 * diff_keys - the changes that turn was into now, in the order of the keys
 *   was, now  NULL: the key is not there; not both
 * A key's values come before its subkeys; a key that is gone or new is one change with all below.
 */
void diff_keys(struct diff *d, const struct reg_key *was, const struct reg_key *now);

/* diff_text - the changes as .reg text, with its header; nothing when there are none. */
void diff_text(const struct diff *d, struct reg_buffer *b);
