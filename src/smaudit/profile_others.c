/* SPDX-License-Identifier: MIT */
/*
 * profile_others.c - for whoever asks for a name that nothing tells of: which names there are
 *
 * A few only, kept until the first fact about the right one. They are evidence: who prints them
 * escapes them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "registry/utf.h"
#include "smaudit/profile_inner.h"
#include "smaudit/report_inner.h"

/* The same but for .exe at the end of one of them? */
static bool is_nearly(const char *name, const char *base)
{
	size_t n = strlen(name), m = strlen(base);
	const char *longer = n > m ? name : base, *tail = longer + (n > m ? m : n);

	return n != m && str_same_fold(tail, ".exe") &&
	       utf8_same_fold(name, n > m ? m : n, base, n > m ? m : n);
}

/* For whoever got the name wrong: a few of those that are there, the likeliest first. */
void profile_keep_other(struct profile *p, const char *base)
{
	bool nearly = is_nearly(p->name, base);
	char *first;

	if (!*base || (p->others == PROFILE_OTHERS && (!nearly || is_nearly(p->name, p->other[0]))))
		return;
	for (unsigned i = 0; i < p->others; i++)
		if (str_same_fold(p->other[i], base))
			return;
	if (p->others < PROFILE_OTHERS)
		p->other[p->others++] = audit_copy(base);
	else {
		free(p->other[PROFILE_OTHERS - 1]);
		p->other[PROFILE_OTHERS - 1] = audit_copy(base);
	}
	if (!nearly)
		return;
	first = p->other[0];
	p->other[0] = p->other[p->others - 1];
	p->other[p->others - 1] = first;
}

bool profile_any(const struct profile *p)
{
	return p->starts + p->rows + p->ends + p->traces + p->images + p->registry + p->findings >
	       0;
}

const char *profile_other(const struct profile *p, unsigned n)
{
	return n < p->others ? p->other[n] : NULL;
}
