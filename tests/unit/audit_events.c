/* SPDX-License-Identifier: MIT */
/*
 * audit_events.c - what read_evtx makes of logs, a line a fact, for audit_evtx_differential.py
 *
 * "FILE-INDEX RECORD KIND PID PPID IMAGE PARENT COMMAND GUID SID", parted by tabs, "~" = not told.
 * What could not be read goes to stderr. A test's tool: it escapes only what would break its lines.
 */
#include <stdio.h>
#include <string.h>

#include "smaudit/readers.h"

static void put(const char *text)
{
	putchar('\t');
	for (const char *c = text ? text : "~"; *c; c++)
		putchar(*c == '\t' || *c == '\n' || *c == '\r' ? '?' : *c);
}

static void put_pid(uint32_t pid)
{
	if (pid == NO_PID)
		put(NULL);
	else
		printf("\t%u", pid);
}

static void on_process(void *arg, const struct process_fact *f)
{
	static const char *const kinds[] = {"start", "end", "alive", "active"};

	printf("%d\t%llu\t%s", *(int *)arg, (unsigned long long)f->place.line, kinds[f->seen]);
	put_pid(f->pid);
	put_pid(f->ppid);
	put(f->image);
	put(f->parent_image);
	put(f->command);
	put(f->guid);
	put(f->sid);
	putchar('\n');
}

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	fprintf(stderr, "%s:%llu: %s\n", p->file, (unsigned long long)p->line, text);
}

int main(int argc, char **argv)
{
	int i;
	const struct sink to = {.arg = &i, .process = on_process, .trouble = on_trouble};

	for (i = 1; i < argc; i++)
		if (read_evtx(argv[i], &to, NULL) < 0)
			return 2;
	return 0;
}
