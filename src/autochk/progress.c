/* SPDX-License-Identifier: MIT */
/*
 * progress.c - how far a check has come; see progress.h
 *
 * Pure.
 */
#include "autochk/progress.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* Share of the whole that is done when a pass begins: reading all inodes takes most of it. */
static const unsigned begins[PROGRESS_PASSES + 1] = {0, 72, 90, 93, 95, 100};

static int number(const char **at, uint64_t *ret)
{
	size_t n = strspn(*at, "0123456789");
	int r = n ? str_u64(*at, n, ret) : -EINVAL;

	*at += n;
	*at += strspn(*at, " ");
	return r;
}

int progress_percent(const char *line, unsigned *ret_pass)
{
	uint64_t pass, now, all;
	const char *at = line;
	unsigned from, to;

	if (number(&at, &pass) < 0 || number(&at, &now) < 0 || number(&at, &all) < 0)
		return -EINVAL;
	if (pass < 1 || pass > PROGRESS_PASSES || now > all)
		return -EINVAL;
	from = begins[pass - 1];
	to = begins[pass];
	*ret_pass = (unsigned)pass;
	/* in parts of 2^-20, so that no product can overflow */
	while (all >> 20) {
		all >>= 1;
		now >>= 1;
	}
	return (int)(from + (all ? (to - from) * now / all : 0));
}

unsigned progress_pass(const char *line)
{
	if (!str_starts(line, "Pass ") || line[5] < '1' || line[5] > '9')
		return 0;
	return (unsigned)(line[5] - '0');
}
