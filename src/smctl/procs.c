/* SPDX-License-Identifier: MIT */
/*
 * procs.c - the processes of this machine as /proc tells them
 *
 * Everything read here was written by somebody else (a process chooses its own name), and any of
 * these processes may end while it is read: what cannot be read is left out, not an error.
 */
#include "smctl/smctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/sys.h"

#define PROC_TEXT     4096
#define KERNEL_THREAD 0x00200000ul /* PF_KTHREAD in field 9 of stat */

/* "PID (NAME) S PPID pgrp session tty tpgid FLAGS ...": the name may hold anything, ")" too. */
static int read_stat(int proc, const char *pid, struct proc *ret)
{
	char path[32], text[PROC_TEXT];
	unsigned long flags;
	char *open, *shut;
	ssize_t n;
	size_t length;

	(void)snprintf(path, sizeof(path), "%.16s/stat", pid);
	n = sys_read_file(proc, path, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = 0;
	open = strchr(text, '(');
	shut = strrchr(text, ')');
	if (!open || !shut || shut < open)
		return -EILSEQ;
	ret->pid = (int)strtol(pid, NULL, 10);
	if (sscanf(shut + 1, " %*c %d %*d %*d %*d %*d %lu", &ret->parent, &flags) != 2)
		return -EILSEQ;
	if (flags & KERNEL_THREAD)
		return -ENOENT;
	length = (size_t)(shut - open - 1);
	if (length >= sizeof(ret->name))
		length = sizeof(ret->name) - 1;
	memcpy(ret->name, open + 1, length);
	ret->name[length] = 0;
	ret->taken = false;
	return 0;
}

static int by_parent(const void *a, const void *b)
{
	const struct proc *x = a, *y = b;

	if (x->parent != y->parent)
		return x->parent < y->parent ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

int procs_read(struct procs *ret)
{
	struct procs p = {NULL, 0};
	size_t room = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		struct proc row;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
		    read_stat(dirfd(dir), entry->d_name, &row) < 0)
			continue;
		if (p.count == room) {
			struct proc *more;

			room = room ? room * 2 : 256;
			more = realloc(p.row, room * sizeof(*more));
			if (!more) {
				free(p.row);
				(void)closedir(dir);
				return -ENOMEM;
			}
			p.row = more;
		}
		p.row[p.count++] = row;
	}
	(void)closedir(dir);
	if (p.count)
		qsort(p.row, p.count, sizeof(*p.row), by_parent);
	*ret = p;
	return 0;
}

void procs_free(struct procs *p)
{
	free(p->row);
	*p = (struct procs){NULL, 0};
}

size_t procs_children(const struct procs *p, int pid)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (p->row[middle].parent < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < p->count && p->row[low].parent == pid ? low : p->count;
}

struct proc *procs_find(const struct procs *p, int pid)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->row[i].pid == pid)
			return &p->row[i];
	return NULL;
}

int procs_cgroup(int pid, char *ret, size_t cap)
{
	char path[48], text[PROC_TEXT];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	n = sys_read_file(AT_FDCWD, path, text, sizeof(text) - 1);
	if (n < 0)
		return (int)n;
	text[n] = 0;
	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n');
		bool more = *end;

		*end = 0;
		if (str_starts(line, "0::"))
			return str_copy(ret, cap, line + 3) ? 0 : -ENAMETOOLONG;
		line = end + more;
	}
	return -ENOENT;
}
