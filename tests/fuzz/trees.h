/* SPDX-License-Identifier: MIT */
/*
 * trees.h - two registries in memory, held against each other
 */
#pragma once

#include "registry/tree.h"

/*
 * same_tree - the same keys and values, names and bytes exact
 *   ordered  keys stand in the same order too (a hive sorts them, text does not)
 */
bool same_tree(const struct reg_key *a, const struct reg_key *b, bool ordered);
