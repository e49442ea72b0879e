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
/* names_is_bidi - it turns the direction of what follows. */
bool names_is_bidi(uint32_t c);
/* names_is_zero_width - it takes no room, or is drawn as nothing. */
bool names_is_zero_width(uint32_t c);
/* names_is_odd_blank - a blank that is not the one of the keyboard. */
bool names_is_odd_blank(uint32_t c);
/* names_is_accent - an accent by itself: it changes the letter before it. */
bool names_is_accent(uint32_t c);
/* names_is_odd_dot - it looks like a dot, and parts no extension. */
bool names_is_odd_dot(uint32_t c);
