/* SPDX-License-Identifier: MIT */
/*
 * live_proc.c - the processes of this machine, as the kernel tells them
 *
 * Everything here may end, or give its number to another, while it is read: a process whose start
 * differs before and after is read once more, then left out. Names and paths are the processes' own
 * choice and nothing rests on them: which image runs is told by device and inode.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "smaudit/live.h"
#include "sys/sys.h"

#define PROC_TEXT     4096
#define KERNEL_THREAD 0x00200000ul /* in field 9 of stat */

static ssize_t read_text(uint32_t pid, const char *name, char *to, size_t cap)
{
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/%s", pid, name);
	n = sys_read_file(AT_FDCWD, path, to, cap - 1);
	if (n >= 0)
		to[n] = 0;
	return n;
}

/* "PID (NAME) S PPID ... FLAGS(9) ... THREADS(20) ... START(22)": the name may hold anything. */
static int read_stat(uint32_t pid, struct live_process *ret)
{
	char text[PROC_TEXT], state, *open, *shut;
	unsigned long flags;
	unsigned long long start;
	long threads;
	size_t n;

	if (read_text(pid, "stat", text, sizeof(text)) <= 0)
		return -ENOENT;
	open = strchr(text, '(');
	shut = strrchr(text, ')');
	/* the number is the kernel's: another one stands there when something is mounted over it */
	if (!open || !shut || shut < open || strtoul(text, NULL, 10) != pid ||
	    sscanf(shut + 1,
		   " %c %u %*d %*d %*d %*d %lu %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d "
		   "%llu",
		   &state, &ret->ppid, &flags, &threads, &start) != 5)
		return -EILSEQ;
	n = (size_t)(shut - open - 1);
	if (n >= sizeof(ret->name))
		n = sizeof(ret->name) - 1;
	memcpy(ret->name, open + 1, n);
	ret->name[n] = 0;
	ret->pid = pid;
	ret->kernel = flags & KERNEL_THREAD;
	ret->threads = threads;
	/* one whose first thread has ended looks like a dead one as long as the others run */
	ret->ended = (state == 'Z' || state == 'X') && threads <= 1;
	ret->headless = (state == 'Z' || state == 'X') && threads > 1;
	ret->start_ticks = start;
	return 0;
}

static int read_users(struct live_process *p)
{
	char text[PROC_TEXT];
	const char *line;

	if (read_text(p->pid, "status", text, sizeof(text)) <= 0)
		return -ENOENT;
	line = strstr(text, "\nCapEff:");
	p->capable = line && sscanf(line + 8, "%" SCNx64, &p->capabilities) == 1;
	line = strstr(text, "\nUid:");
	return line && sscanf(line + 5, "%u %u %u %u", &p->uid[0], &p->uid[1], &p->uid[2],
			      &p->uid[3]) == 4
		       ? 0
		       : -EILSEQ;
}

/* A thread that still has an image, of a process whose first one has ended. */
static void find_thread(struct live_process *p)
{
	char path[64], link[2];
	struct dirent *entry;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "/proc/%u/task", p->pid);
	dir = opendir(path);
	while (dir && !p->thread && (entry = readdir(dir))) {
		uint64_t thread;

		if (str_u64(entry->d_name, strlen(entry->d_name), &thread) < 0 || thread >= NO_PID)
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%u/task/%u/exe", p->pid,
			       (unsigned)thread);
		if (readlink(path, link, sizeof(link)) > 0)
			p->thread = (uint32_t)thread;
	}
	if (dir)
		(void)closedir(dir);
}

/* Where /proc has something of it. */
static void place_of(const struct live_process *p, const char *what, char ret[64])
{
	if (p->thread)
		(void)snprintf(ret, 64, "/proc/%u/task/%u/%s", p->pid, p->thread, what);
	else
		(void)snprintf(ret, 64, "/proc/%u/%s", p->pid, what);
}

static void read_called(struct live_process *p)
{
	char text[PROC_TEXT], path[64];
	const char *slash, *base;
	ssize_t n;

	place_of(p, "cmdline", path);
	n = sys_read_file(AT_FDCWD, path, text, sizeof(text) - 1);
	if (n <= 0)
		return;
	text[n] = 0;
	slash = strrchr(text, '/');
	base = slash ? slash + 1 : text;
	(void)snprintf(p->called, sizeof(p->called), "%.63s", base);
}

static void read_image_of(struct live_process *p)
{
	static const char mark[] = " (deleted)";
	char path[64], link[PATH_BYTES];
	struct stat st, there;
	bool marked;
	ssize_t n;

	place_of(p, "exe", path);
	n = readlink(path, link, sizeof(link) - 1);
	if (n <= 0)
		return;
	link[n] = 0;
	if (stat(path, &st) == 0) {
		p->dev = st.st_dev;
		p->ino = st.st_ino;
		p->bytes = (uint64_t)st.st_size;
		p->deleted = st.st_nlink == 0;
	}
	marked = (size_t)n >= sizeof(mark) && str_same(link + n - (sizeof(mark) - 1), mark);
	/* another name of the file may be left; a file can also be called so */
	if (marked && p->ino && !p->deleted)
		p->deleted =
			stat(link, &there) < 0 || there.st_dev != p->dev || there.st_ino != p->ino;
	p->memory = p->deleted && str_starts(link, "/memfd:");
	if (p->deleted && marked)
		link[(size_t)n - (sizeof(mark) - 1)] = 0;
	p->image = strdup(link);
}

static void read_group(struct live_process *p)
{
	char text[PROC_TEXT];

	if (read_text(p->pid, "cgroup", text, sizeof(text)) <= 0)
		return;
	for (char *line = text; *line;) {
		char *end = strchrnul(line, '\n');
		bool more = *end;

		*end = 0;
		if (str_starts(line, "0::"))
			p->group = strdup(line + 3);
		line = end + more;
	}
}

static void read_space(struct live_process *p)
{
	char path[64];
	struct stat st;

	place_of(p, "ns/pid", path);
	if (stat(path, &st) == 0)
		p->pid_space = st.st_ino;
	place_of(p, "root/", path);
	if (stat(path, &st) == 0) {
		p->root_dev = st.st_dev;
		p->root_ino = st.st_ino;
	}
}

static void forget(struct live_process *p)
{
	free(p->image);
	free(p->group);
	*p = (struct live_process){0};
}

bool live_still(const struct live_process *p)
{
	struct live_process now = {0};

	return read_stat(p->pid, &now) == 0 && now.start_ticks == p->start_ticks;
}

static int read_one(uint32_t pid, struct live_process *ret)
{
	for (int tries = 0; tries < 2; tries++) {
		int r;

		*ret = (struct live_process){0};
		r = read_stat(pid, ret);
		if (r == 0)
			r = read_users(ret);
		if (r < 0)
			return r;
		if (!ret->kernel && !ret->ended) {
			if (ret->headless)
				find_thread(ret);
			read_image_of(ret);
			read_called(ret);
			read_group(ret);
			read_space(ret);
		}
		if (live_still(ret))
			return 0;
		forget(ret);
	}
	return -ESTALE;
}

static int by_pid(const void *a, const void *b)
{
	uint32_t x = ((const struct live_process *)a)->pid;
	uint32_t y = ((const struct live_process *)b)->pid;

	return x < y ? -1 : x > y;
}

static int add(struct live_table *t, size_t *room, uint32_t pid)
{
	struct live_process p;
	int r;

	if (t->count == LIVE_PROCESSES_MAX) {
		t->cut = true;
		return 0;
	}
	if (t->count == *room) {
		struct live_process *more;

		*room = *room ? *room * 2 : 256;
		more = realloc(t->at, *room * sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->at = more;
	}
	r = read_one(pid, &p);
	t->odd += r == -EILSEQ;
	if (r < 0)
		return 0; /* it has ended */
	t->unread += !p.kernel && !p.ended && !p.image;
	t->at[t->count++] = p;
	return 0;
}

static void read_times(struct live_table *t)
{
	struct timespec boot, wall;

	t->ticks_per_s = (uint64_t)sysconf(_SC_CLK_TCK);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &wall);
	t->up_s = (double)boot.tv_sec + (double)boot.tv_nsec / 1e9;
	t->boot_ns =
		((int64_t)wall.tv_sec - boot.tv_sec) * 1000000000ll + wall.tv_nsec - boot.tv_nsec;
}

int live_read(struct live_table *ret)
{
	size_t room = 0;
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int r = 0;

	*ret = (struct live_table){0};
	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir))) {
		uint64_t pid;

		if (str_u64(entry->d_name, strlen(entry->d_name), &pid) == 0 && pid < NO_PID &&
		    entry->d_name[1] != 'x')
			r = add(ret, &room, (uint32_t)pid);
	}
	(void)closedir(dir);
	read_times(ret); /* behind: nobody is younger than the end of the reading */
	if (ret->count)
		qsort(ret->at, ret->count, sizeof(*ret->at), by_pid);
	if (r < 0)
		live_free(ret);
	return r;
}

void live_free(struct live_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		forget(&t->at[i]);
	free(t->at);
	*t = (struct live_table){0};
}

struct live_process *live_find(const struct live_table *t, uint32_t pid)
{
	const struct live_process key = {.pid = pid};

	return t->count ? bsearch(&key, t->at, t->count, sizeof(key), by_pid) : NULL;
}

int live_file_digest(const char *path, uint8_t ret[SHA256_BYTES], uint64_t *ret_bytes)
{
	_close_ int fd = sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	uint8_t part[65536];
	uint64_t bytes = 0;
	struct sha256 s;
	ssize_t n;

	if (fd < 0)
		return fd;
	sha256_start(&s);
	while ((n = sys_read(fd, part, sizeof(part))) > 0) {
		sha256_add(&s, part, (size_t)n);
		bytes += (uint64_t)n;
	}
	if (n < 0)
		return (int)n;
	sha256_end(&s, ret);
	if (ret_bytes)
		*ret_bytes = bytes;
	return 0;
}

int live_digest(const struct live_process *p, uint8_t ret[SHA256_BYTES])
{
	char path[64];
	int r;

	place_of(p, "exe", path);
	r = live_file_digest(path, ret, NULL);
	return r == 0 && !live_still(p) ? -ESTALE : r;
}
