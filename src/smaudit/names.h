/* SPDX-License-Identifier: MIT */
/*
 * names.h - what names.c and its tables share
 *
 * Nobody else includes it: rules.h has what others may ask of names.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smaudit/facts.h"

struct protected_name {
	const char *name;
	unsigned distance; /* so many typing errors are near */
	bool word;         /* it is a word of the language, so it stands in names of others */
	bool on_linux;     /* an image of ours has this name */
};

#define PROTECTED_COUNT 8
extern const struct protected_name protected_names[PROTECTED_COUNT];

/* names_confusable - the ASCII letter that a letter of another script looks like, 0 = none; the
 * script's name for people. */
char names_confusable(uint32_t letter, const char **ret_script);
/* names_neighbour - a stem (folded) that is near a protected one and known to be somebody's. */
bool names_neighbour(const char *stem, enum system system);
/* names_base - what an accented Latin letter is without its accent, 0 = it is none. */
char names_base(uint32_t letter);
