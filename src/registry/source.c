/* SPDX-License-Identifier: MIT */
/*
 * source.c - a hive and the logs beside it, opened; see hive.h
 *
 * Windows does not care how the names of logs are written, our file systems do: so the directory
 * is listed. The plain spelling wins over others.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "registry/hive.h"
#include "sys/sys.h"

#define LIST_BYTES     4096u
#define NAME_ROOM      (NAME_MAX_BYTES + 1u)
#define NAME_MAX_BYTES 255u
/* Entries of a directory that are looked at: enough for any that holds hives. */
#define ENTRIES_MAX 65536u

const char *const hive_log_words[HIVE_LOGS] = {"LOG1", "LOG2", "LOG"};

struct record { /* of getdents64 */
	uint64_t ino;
	int64_t next;
	unsigned short bytes;
	unsigned char type;
	char name[];
};

struct found {
	char name[HIVE_LOGS][NAME_ROOM];
	bool plain[HIVE_LOGS];
};

static void note(struct found *f, const char *hive, const char *name)
{
	size_t n = strlen(hive);

	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		char wanted[2 * NAME_ROOM];
		struct text t = TEXT_ON(wanted);

		if (strlen(name) != n + 1 + strlen(hive_log_words[i]))
			continue;
		text_add(text_add(text_add(&t, hive), "."), hive_log_words[i]);
		if (!str_same_fold(name, wanted) || f->plain[i])
			continue;
		f->plain[i] = str_same(name, wanted);
		str_copy(f->name[i], NAME_ROOM, name);
	}
}

static void look_around(int dir, const char *hive, struct found *f)
{
	_Alignas(8) char room[LIST_BYTES];
	unsigned seen = 0;
	ssize_t n;

	while ((n = sys_list(dir, room, sizeof(room))) > 0)
		for (ssize_t at = 0; at < n && seen < ENTRIES_MAX; seen++) {
			const struct record *e = (const void *)(room + at);

			note(f, hive, e->name);
			at += e->bytes;
		}
}

/* Nobody but root, or who runs this, can write it: what a boot follows. Returns 0 or -EPERM. */
static int owned(int fd)
{
	struct sys_stat st;
	int r = sys_stat_fd(fd, &st);

	if (r < 0)
		return r;
	if (sys_owned(&st) || (st.uid == sys_uid() && !(st.mode & (S_IWGRP | S_IWOTH))))
		return 0;
	return -EPERM;
}

static void open_logs(int dir, const char *hive, bool walk, struct hive_source *s)
{
	struct found f;

	if (strlen(hive) > NAME_MAX_BYTES)
		return;
	memset(&f, 0, sizeof(f));
	look_around(dir, hive, &f);
	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		if (!f.name[i][0])
			continue;
		int fd = sys_open(dir, f.name[i], O_RDONLY | O_NONBLOCK | (walk ? O_NOFOLLOW : 0),
				  0);
		int r = fd >= 0 && walk ? owned(fd) : fd;

		if (r < 0) {
			s->log_error[i] = -r;
			sys_closep(&fd);
		}
		s->log_fd[i] = fd;
	}
}

static int open_source(const char *path, bool walk, struct hive_source *ret)
{
	const char *slash = strrchr(path, '/');
	struct hive_source s = HIVE_SOURCE_NONE;
	char room[PATH_BYTES];
	_close_ int dir = -1;
	int r;

	s.fd = walk ? sys_walk(path, O_RDONLY | O_NONBLOCK)
		    : sys_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	r = s.fd >= 0 && walk ? owned(s.fd) : s.fd;
	if (r < 0) {
		sys_closep(&s.fd);
		return r;
	}
	if (str_copy(room, sizeof(room), slash ? path : ".")) {
		if (slash)
			room[slash == path ? 1 : slash - path] = '\0';
		dir = walk ? sys_walk(room, O_RDONLY | O_DIRECTORY)
			   : sys_open(AT_FDCWD, room, O_RDONLY | O_DIRECTORY, 0);
	}
	if (dir >= 0)
		open_logs(dir, slash ? slash + 1 : path, walk, &s);
	*ret = s;
	return 0;
}

int hive_source_open(const char *path, struct hive_source *ret)
{
	return open_source(path, false, ret);
}

int hive_source_walk(const char *path, struct hive_source *ret)
{
	return open_source(path, true, ret);
}

void hive_source_close(struct hive_source *s)
{
	sys_closep(&s->fd);
	for (unsigned i = 0; i < HIVE_LOGS; i++)
		sys_closep(&s->log_fd[i]);
}
