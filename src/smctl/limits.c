/* SPDX-License-Identifier: MIT */
/*
 * limits.c - what a session is held to, as the kernel has it: read from the files of its cgroup
 *
 * What was asked for is one thing, what is in force another; only the second is shown. A controller
 * whose files are not there is "not there", which is no error: a session without limits needs none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smctl/sessions.h"
#include "sys/sys.h"

#define GROUP_BYTES 1024
#define FILE_BYTES  4096
#define NONE_64     UINT64_MAX

/* The first line of a file, or all of it; false = it cannot be read. */
static bool read_text(int directory, const char *name, char to[FILE_BYTES])
{
	ssize_t n = sys_read_file(directory, name, to, FILE_BYTES - 1);

	to[n > 0 ? n : 0] = 0;
	return n >= 0;
}

static uint64_t number_or_max(const char *s)
{
	return str_starts(s, "max") ? NONE_64 : strtoull(s, NULL, 10);
}

static bool read_number(int directory, const char *name, uint64_t *ret)
{
	char text[FILE_BYTES];

	if (!read_text(directory, name, text))
		return false;
	*ret = number_or_max(text);
	return true;
}

/* "50000 100000" or "max 100000" */
static bool read_cpu(int directory, struct limits *l)
{
	char text[FILE_BYTES];
	const char *blank;
	uint64_t quota, period;

	if (!read_text(directory, "cpu.max", text))
		return false;
	blank = strchr(text, ' ');
	quota = number_or_max(text);
	period = blank ? strtoull(blank + 1, NULL, 10) : 0;
	l->cpu_percent = quota == NONE_64 || !period ? NONE_64 : quota * 100 / period;
	if (!read_number(directory, "cpu.weight", &l->cpu_weight))
		l->cpu_weight = 0;
	return true;
}

/* "8:0 rbps=1048576 wbps=max riops=max wiops=max" */
static void disk_line(char *line, struct limits *l)
{
	struct disk_limit *d = &l->disk[l->disks];
	char *word = strsep(&line, " ");

	if (l->disks == LIMITS_DISKS || !str_copy(d->disk, sizeof(d->disk), word))
		return;
	d->read_bytes_s = d->write_bytes_s = NONE_64;
	while ((word = strsep(&line, " "))) {
		if (str_starts(word, "rbps="))
			d->read_bytes_s = number_or_max(word + 5);
		else if (str_starts(word, "wbps="))
			d->write_bytes_s = number_or_max(word + 5);
	}
	l->disks++;
}

static bool read_io(int directory, struct limits *l)
{
	char text[FILE_BYTES], *at = text, *line;

	if (!read_text(directory, "io.max", text))
		return false;
	while ((line = strsep(&at, "\n")))
		if (*line)
			disk_line(line, l);
	/* "default 100", of a scheduler that knows weights */
	if (read_text(directory, "io.weight", text) && str_starts(text, "default "))
		l->io_weight = strtoull(text + 8, NULL, 10);
	else if (read_text(directory, "io.bfq.weight", text) && str_starts(text, "default "))
		l->io_weight = strtoull(text + 8, NULL, 10);
	return true;
}

void limits_read(int directory, struct limits *ret)
{
	*ret = (struct limits){.memory_max = NONE_64, .process_max = NONE_64};
	ret->memory = read_number(directory, "memory.max", &ret->memory_max);
	if (!read_number(directory, "memory.current", &ret->memory_bytes))
		ret->memory = false;
	ret->processes = read_number(directory, "pids.max", &ret->process_max);
	if (!read_number(directory, "pids.current", &ret->process_count))
		ret->processes = false;
	ret->cpu = read_cpu(directory, ret);
	ret->io = read_io(directory, ret);
}

/*
 * A line of mountinfo: "ID PARENT DEVICE ROOT POINT OPTIONS... - TYPE SOURCE OPTIONS". Where the
 * group is below a cgroup2 mount: what is below the mount's root, at the mount's point.
 */
static int open_below(char *line, const char *group, char *ret_path, size_t cap)
{
	char *word[5], *type = strstr(line, " - ");
	size_t n;

	if (!type || !str_starts(type, " - cgroup2 "))
		return -ENOENT;
	for (unsigned i = 0; i < ARRAY_SIZE(word); i++)
		if (!(word[i] = strsep(&line, " ")))
			return -ENOENT;
	n = strlen(word[3]);
	if (n == 1)
		n = 0; /* "/" */
	if (strncmp(group, word[3], n) != 0 || group[n] != '/')
		return -ENOENT;
	if ((size_t)snprintf(ret_path, cap, "%s%s", word[4], group + n) >= cap)
		return -ENAMETOOLONG;
	return sys_open(AT_FDCWD, ret_path, O_RDONLY | O_DIRECTORY, 0);
}

static int open_group(const char *group, char *ret_path, size_t cap)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t room = 0;
	int r = -ENOENT;

	if (!mounts)
		return -errno;
	while (r < 0 && getline(&line, &room, mounts) > 0)
		r = open_below(line, group, ret_path, cap);
	free(line);
	(void)fclose(mounts);
	return r;
}

int limits_find(uint32_t session, int pid, char *ret_path, size_t cap)
{
	char group[GROUP_BYTES], own[32], *at;
	size_t n;
	int r = procs_cgroup(pid, group, sizeof(group));

	if (r < 0)
		return r;
	/* A process of it may sit in a group further down. */
	(void)snprintf(own, sizeof(own), "/session-%u", session);
	n = strlen(own);
	at = strstr(group, own);
	if (!at || (at[n] != 0 && at[n] != '/'))
		return -ENOENT;
	at[n] = 0;
	return open_group(group, ret_path, cap);
}

static void put_limit(json_object *o, const char *key, uint64_t n)
{
	json_put(o, key, n == NONE_64 ? NULL : json_object_new_uint64(n));
}

static json_object *json_pair(uint64_t used, uint64_t max)
{
	json_object *o = json_object_new_object();

	json_put_number(o, "used", used);
	put_limit(o, "max", max);
	return o;
}

static json_object *json_io(const struct limits *l)
{
	json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_put(o, "weight", l->io_weight ? json_object_new_uint64(l->io_weight) : NULL);
	for (unsigned i = 0; i < l->disks; i++) {
		json_object *d = json_object_new_object();

		json_put_text(d, "disk", l->disk[i].disk);
		put_limit(d, "read_bytes_s", l->disk[i].read_bytes_s);
		put_limit(d, "write_bytes_s", l->disk[i].write_bytes_s);
		(void)json_object_array_add(list, d);
	}
	json_put(o, "disks", list);
	return o;
}

json_object *limits_json(const struct limits *l)
{
	json_object *o = json_object_new_object(), *cpu = NULL;

	json_put(o, "memory_bytes", l->memory ? json_pair(l->memory_bytes, l->memory_max) : NULL);
	json_put(o, "processes", l->processes ? json_pair(l->process_count, l->process_max) : NULL);
	if (l->cpu) {
		cpu = json_object_new_object();
		put_limit(cpu, "percent", l->cpu_percent);
		json_put(cpu, "weight",
			 l->cpu_weight ? json_object_new_uint64(l->cpu_weight) : NULL);
	}
	json_put(o, "cpu", cpu);
	json_put(o, "io", l->io ? json_io(l) : NULL);
	return o;
}

static const char *limit_text(uint64_t n, bool bytes)
{
	return n == NONE_64 ? "no limit" : bytes ? show_size(n) : show_number(n);
}

static void show_io(const struct limits *l)
{
	if (l->io_weight)
		show_field("io", "weight %s", show_number(l->io_weight));
	else if (!l->disks)
		show_field("io", "no limit");
	for (unsigned i = 0; i < l->disks; i++)
		show_field("io", "disk %s: %s read, %s written a second",
			   show_text(l->disk[i].disk), limit_text(l->disk[i].read_bytes_s, true),
			   limit_text(l->disk[i].write_bytes_s, true));
}

void limits_show(const struct limits *l)
{
	if (l->memory)
		show_field("memory", "%s of %s", show_size(l->memory_bytes),
			   limit_text(l->memory_max, true));
	if (l->processes)
		show_field("processes", "%s of %s", show_number(l->process_count),
			   limit_text(l->process_max, false));
	if (l->cpu)
		show_field("cpu", "%s%s, weight %s", limit_text(l->cpu_percent, false),
			   l->cpu_percent == NONE_64 ? "" : " %",
			   l->cpu_weight ? show_number(l->cpu_weight) : "-");
	if (l->io)
		show_io(l);
	if (!l->memory && !l->processes && !l->cpu && !l->io)
		show_field("limits", "none: its cgroup has no controllers");
}
