/* SPDX-License-Identifier: MIT */
/*
 * pending_no_hive.c - smctl pending --drive where the registry's rooms were left out of the build
 */
#include <errno.h>

#include "smctl/pending.h"

void drives_start(struct drives *d)
{
	*d = (struct drives){.last_fd = -1};
}

void drives_end(struct drives *d)
{
	(void)d;
}

int drives_add(struct drives *d, const char *word)
{
	(void)d;
	(void)word;
	return -ENOSYS;
}

int windows_show(struct pending *p, bool check)
{
	(void)check;
	return smctl_error(p->s, "this smctl was built without the registry: it reads no hives");
}
