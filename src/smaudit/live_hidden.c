/* SPDX-License-Identifier: MIT */
/*
 * live_hidden.c - is what /proc tells what the kernel tells?
 *
 * Whoever is root can mount something over /proc/PID, and every tool then sees another process
 * there, or none. The list of mounts is of the kernel's own making, and names each such place. Must
 * never unmount anything, nor look below such a mount.
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/text.h"
#include "smaudit/live.h"

#define TOLD_MAX 64u

static void tell(const struct live *l, const char *where, const char *what)
{
	struct finding f = {.rule = INDICATOR_IDENTITY_MISMATCH,
			    .verdict = VERDICT_FINDING,
			    .severity = SEVERITY_HIGH,
			    .host = l->host,
			    .subject = where,
			    .what = what,
			    .time_ns = NO_TIME,
			    .place = {"/proc/self/mountinfo", 0}};

	finding_add(&f, "mount-point", where);
	report_add(l->report, &f);
}

/* "ID PARENT DEVICE ROOT PLACE ...": is the place a process's? Cuts the line behind it. */
static const char *process_place(char *line)
{
	char *at = line, *end;

	for (unsigned i = 0; i < 4 && at; i++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	if (!at || !str_starts(at, "/proc/") || at[6] < '1' || at[6] > '9')
		return NULL;
	end = strchrnul(at, ' ');
	*end = 0;
	end = at + 6 + strspn(at + 6, "0123456789");
	return *end && *end != '/' ? NULL : at;
}

void live_hidden(struct live *l)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	const char *where;
	struct statfs fs;
	char *line = NULL;
	unsigned told = 0;
	size_t room = 0;

	if (statfs("/proc", &fs) == 0 && fs.f_type != PROC_SUPER_MAGIC)
		tell(l, "/proc", "what is mounted there is not the kernel's list of processes");
	if (!file)
		live_unsure(l, INDICATOR_IDENTITY_MISMATCH, "processes",
			    "whether mounts hide processes cannot be told", "list of mounts");
	while (file && told < TOLD_MAX && getline(&line, &room, file) > 0) {
		where = process_place(line);
		if (!where)
			continue;
		told++;
		tell(l, where,
		     "a mount lies over what the kernel tells of a process: it is hidden, or "
		     "passed off as another one");
	}
	free(line);
	if (file)
		(void)fclose(file);
	if (l->table.odd && !told)
		tell(l, "/proc", "places of processes in it tell of other processes");
}
