/* SPDX-License-Identifier: MIT */
/*
 * distance.c - how far two words are apart, for "did you mean"; see text.h
 *
 * In a file of its own so that who asks for nothing of the kind does not carry it: the master.
 */
#include <string.h>

#include "base/text.h"

#define WORD_MAX (STR_FAR - 1) /* our longest name has 28 letters */

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned str_distance(const char *a, const char *b)
{
	unsigned row[3][WORD_MAX + 1], *now = row[0], *last = row[1], *before = row[2];
	unsigned an = (unsigned)strlen(a), bn = (unsigned)strlen(b);

	if (an > WORD_MAX || bn > WORD_MAX)
		return WORD_MAX + 1;
	for (unsigned k = 0; k <= bn; k++)
		now[k] = k;
	for (unsigned i = 1; i <= an; i++) {
		unsigned *free_row = before;

		before = last;
		last = now;
		now = free_row;
		now[0] = i;
		for (unsigned k = 1; k <= bn; k++) {
			char x[2] = {a[i - 1], 0}, y[2] = {b[k - 1], 0};
			unsigned change = !str_same_fold(x, y);

			now[k] = least(least(last[k] + 1, now[k - 1] + 1), last[k - 1] + change);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				now[k] = least(now[k], before[k - 2] + 1);
		}
	}
	return now[bn];
}
