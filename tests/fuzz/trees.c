/* SPDX-License-Identifier: MIT */
/*
 * trees.c - two registries in memory, held against each other; see trees.h
 */
#include "trees.h"

#include <string.h>

static bool same_value(const struct reg_value *a, const struct reg_value *b)
{
	return a->name_bytes == b->name_bytes && !memcmp(a->name, b->name, a->name_bytes) &&
	       a->type == b->type && a->bytes == b->bytes &&
	       (!a->bytes || !memcmp(a->data, b->data, a->bytes));
}

bool same_tree(const struct reg_key *a, const struct reg_key *b, bool ordered)
{
	if (a->value_count != b->value_count || a->child_count != b->child_count)
		return false;
	for (uint32_t i = 0; i < a->value_count; i++)
		if (!same_value(&a->values[i], &b->values[i]))
			return false;
	for (uint32_t i = 0; i < a->child_count; i++) {
		const struct reg_key *ac = a->children[i], *bc;

		bc = ordered ? b->children[i] : key_child(b, ac->name, ac->name_bytes);
		if (!bc || ac->name_bytes != bc->name_bytes ||
		    memcmp(ac->name, bc->name, ac->name_bytes) != 0 || !same_tree(ac, bc, ordered))
			return false;
	}
	return true;
}
