/* SPDX-License-Identifier: MIT */
/*
 * pending_step.c - the same file operations three ways, for bench/pending
 *
 *   make DIR N     N operations to come: half of them move a file, half delete one; synced
 *   bare DIR N     rename(2) and unlink(2) in a loop, one syncfs at the end
 *   looked DIR N   the same kernel's work as the step's, and nothing else: statx(2) of every place,
 *                  each file that will be moved read, then the moves, and the deleted files moved
 *                  into one directory; one syncfs
 *   queue DIR N    the same as one group of smss's queue (DIR is the root of its system)
 *   step DIR       what the boot does with that queue
 *
 * Each but make prints "MILLISECONDS CHARGED KILOBYTES": the time of the work alone, without the
 * program's start; what the kernel charged for it, which other work on the machine moves less; and
 * the most memory the program had.
 */
#include <errno.h>
#include <fcntl.h>
#include <sm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PER_DIRECTORY 1000u /* files of a kind in one directory */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double charged_ms(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e3 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e3;
}

static void fail(const char *what)
{
	fprintf(stderr, "pending_step: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void name_of(char *room, size_t cap, const char *base, const char *kind, unsigned i)
{
	snprintf(room, cap, "%s/files/%u/%s%u", base, i / PER_DIRECTORY, kind, i);
}

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	if (fd < 0 || write(fd, path, strlen(path)) < 0)
		fail(path);
	close(fd);
}

static void make(const char *base, unsigned n)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/files", base);
	if (mkdir(path, 0755) < 0)
		fail(path);
	for (unsigned i = 0; i < n / 2; i++) {
		if (i % PER_DIRECTORY == 0) {
			snprintf(path, sizeof(path), "%s/files/%u", base, i / PER_DIRECTORY);
			if (mkdir(path, 0755) < 0)
				fail(path);
		}
		name_of(path, sizeof(path), base, "new", i);
		make_file(path);
		name_of(path, sizeof(path), base, "gone", i);
		make_file(path);
	}
	sync();
}

static void sync_fs(const char *base)
{
	int fd = open(base, O_RDONLY | O_DIRECTORY);

	if (fd < 0 || syncfs(fd) < 0)
		fail("syncfs");
	close(fd);
}

static void bare(const char *base, unsigned n)
{
	char from[512], to[512];

	for (unsigned i = 0; i < n / 2; i++) {
		name_of(from, sizeof(from), base, "new", i);
		name_of(to, sizeof(to), base, "now", i);
		if (rename(from, to) < 0)
			fail(from);
		name_of(from, sizeof(from), base, "gone", i);
		if (unlink(from) < 0)
			fail(from);
	}
	sync_fs(base);
}

/* One place, seen from its directory, as the step sees it. */
static void look_at(int dir, const char *name)
{
	struct statx x;

	if (statx(dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &x) < 0 &&
	    errno != ENOENT)
		fail(name);
}

static void read_it(int dir, const char *name)
{
	char part[4096];
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NOATIME);

	if (fd < 0 || read(fd, part, sizeof(part)) < 0)
		fail(name);
	close(fd);
}

enum pass { LOOK, READ, MOVE, BURY, PASSES };

static void one(enum pass pass, int dir, int grave, unsigned i)
{
	char new[32], now[32], gone[32], slot[32];

	snprintf(new, sizeof(new), "new%u", i);
	snprintf(now, sizeof(now), "now%u", i);
	snprintf(gone, sizeof(gone), "gone%u", i);
	snprintf(slot, sizeof(slot), "%u", i);
	if (pass == LOOK) {
		look_at(dir, new);
		look_at(dir, now);
		look_at(dir, gone);
	} else if (pass == READ) {
		read_it(dir, new);
	} else if ((pass == MOVE ? renameat2(dir, new, dir, now, RENAME_NOREPLACE)
				 : renameat2(dir, gone, grave, slot, RENAME_NOREPLACE)) < 0) {
		fail(new);
	}
}

static void looked(const char *base, unsigned n)
{
	char path[512];
	int dir = -1, grave;

	snprintf(path, sizeof(path), "%s/grave", base);
	if (mkdir(path, 0700) < 0)
		fail(path);
	grave = open(path, O_RDONLY | O_DIRECTORY);
	for (enum pass pass = LOOK; pass < PASSES; pass++) {
		for (unsigned i = 0; i < n / 2; i++) {
			if (i % PER_DIRECTORY == 0) {
				if (dir >= 0)
					close(dir);
				snprintf(path, sizeof(path), "%s/files/%u", base,
					 i / PER_DIRECTORY);
				dir = open(path, O_RDONLY | O_DIRECTORY);
			}
			one(pass, dir, grave, i);
		}
	}
	close(dir);
	close(grave);
	sync_fs(base);
}

static void queue(struct sm_queue *q, unsigned n)
{
	char from[512], to[512];
	struct sm_group *g;
	uint32_t id;
	int r = sm_group_new(q, "bench", "measured", 0, &g);

	for (unsigned i = 0; r == 0 && i < n / 2; i++) {
		name_of(from, sizeof(from), "", "new", i);
		name_of(to, sizeof(to), "", "now", i);
		r = sm_group_move(g, from, to, 0);
		name_of(from, sizeof(from), "", "gone", i);
		if (r == 0)
			r = sm_group_delete(g, from, 0);
	}
	if (r == 0)
		r = sm_group_queue(g, NULL, &id);
	if (r != 0) {
		fprintf(stderr, "pending_step: queue: %d %s\n", r, sm_reason_text(r));
		exit(1);
	}
	sm_group_free(g);
}

int main(int argc, char **argv)
{
	unsigned n = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
	struct sm_queue *q = NULL;
	struct rusage use;
	double begun, charged;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[1], "make")) {
		make(argv[2], n);
		return 0;
	}
	if (strcmp(argv[1], "bare") && strcmp(argv[1], "looked") &&
	    sm_queue_open(argv[2], NULL, NULL, &q) < 0)
		fail("queue");
	begun = now_ms();
	charged = charged_ms();
	if (!strcmp(argv[1], "bare"))
		bare(argv[2], n);
	else if (!strcmp(argv[1], "looked"))
		looked(argv[2], n);
	else if (!strcmp(argv[1], "queue"))
		queue(q, n);
	else if (sm_queue_apply(q, false, NULL, NULL) != 0)
		fail("step");
	begun = now_ms() - begun;
	charged = charged_ms() - charged;
	getrusage(RUSAGE_SELF, &use);
	printf("%.2f %.2f %ld\n", begun, charged, use.ru_maxrss);
	return 0;
}
