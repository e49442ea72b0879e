/* SPDX-License-Identifier: MIT */
/*
 * ready.c - ready-made little things over the door; see sys.h
 *
 * Only what several rooms need in exactly one right way: whole reads and writes, the durable
 * replacement of a file, hostile paths, the question which pid namespace this is. Written on the
 * door's own names, so that the simulated kernel runs this very code.
 */
#include "sys/sys.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"

#define LINKS_MAX     16u
#define PATH_ROOM     1024u
#define OVERFLOW_USER 65534u
/* the kernel's fixed inode of the first pid namespace */
#define PID_NAMESPACE_INITIAL 0xEFFFFFFCu

int sys_write_all(int fd, const void *from, size_t n)
{
	const char *p = from;

	while (n) {
		ssize_t r = sys_write(fd, p, n);

		if (r < 0)
			return (int)r;
		if (r == 0)
			return -EIO;
		p += r;
		n -= (size_t)r;
	}
	return 0;
}

ssize_t sys_read_all(int fd, void *to, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t r = sys_read(fd, (char *)to + have, n - have);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		have += (size_t)r;
	}
	return (ssize_t)have;
}

ssize_t sys_read_file(int dir, const char *path, void *to, size_t n)
{
	_close_ int fd = sys_open(dir, path, O_RDONLY, 0);
	ssize_t got;
	char more;

	if (fd < 0)
		return fd;
	got = sys_read_all(fd, to, n);
	if (got == (ssize_t)n) {
		ssize_t r = sys_read(fd, &more, 1);

		if (r != 0)
			return r < 0 ? r : -EFBIG;
	}
	return got;
}

int sys_write_file(int dir, const char *path, const char *text)
{
	_close_ int fd = sys_open(dir, path, O_WRONLY, 0);

	return fd < 0 ? fd : sys_write_all(fd, text, strlen(text));
}

int sys_replace_file(int dir, const char *name, const void *bytes, size_t n, unsigned mode)
{
	char temp[256];
	struct text t = TEXT_ON(temp);
	_close_ int fd = -1;
	int r;

	text_add(text_add(&t, name), ".new");
	if (t.cut)
		return -ENAMETOOLONG;
	r = sys_unlink(dir, temp, 0); /* what an earlier cut left behind */
	if (r < 0 && r != -ENOENT)
		return r;
	fd = sys_open(dir, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
	if (fd < 0)
		return fd;
	r = sys_write_all(fd, bytes, n);
	if (r >= 0)
		r = sys_fsync(fd);
	if (r >= 0)
		r = sys_rename(dir, temp, dir, name, 0);
	if (r < 0) {
		(void)!sys_unlink(dir, temp, 0);
		return r;
	}
	return sys_fsync(dir);
}

int sys_make_dirs(const char *path, unsigned mode)
{
	char part[PATH_ROOM];
	size_t n = strlen(path);
	int r;

	if (n >= sizeof(part))
		return -ENAMETOOLONG;
	r = sys_mkdir(AT_FDCWD, path, mode); /* nearly always only the last one is missing */
	if (r >= 0 || r == -EEXIST)
		return 0;
	if (r != -ENOENT)
		return r;
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != 0)
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		r = sys_mkdir(AT_FDCWD, part, mode);
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return 0;
}

/* The next number of a map, whose lines are "inside outside count". */
static bool next_number(const char **at, uint64_t *ret)
{
	size_t n = 0;

	while (**at == ' ' || **at == '\n')
		++*at;
	while ((*at)[n] >= '0' && (*at)[n] <= '9')
		n++;
	if (str_u64(*at, n, ret) < 0)
		return false;
	*at += n;
	return true;
}

/*
 * A user namespace shows every user of the outside that its map leaves out as the overflow user.
 * That may be trusted as root is only where both hold:
 *
 * - The outside's root is left out. Else its files are seen as the user it is mapped to, and who is
 *   left out is somebody else.
 * - Nobody inside has the overflow user's own number. A map of 65536 users has a "nobody", whose
 *   files look the same, and anybody inside may become nobody.
 *
 * Nobody inside can then make such a file, nor become who owns it. What remains: other users of the
 * outside are not told from its root. They own nothing on the way to what the machine configures,
 * unless who made the namespace has put it there. The kernel's first namespace maps everybody to
 * himself, so it has neither, and a real 65534 there owns nothing that counts.
 */
static bool outsiders_are_roots(void)
{
	static enum { UNKNOWN, NO, YES } answer; /* no map is ever written twice */
	char map[512];
	const char *at = map;
	ssize_t n;
	uint64_t inside, outside, count;

	if (answer != UNKNOWN)
		return answer == YES;
	n = sys_read_file(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map) - 1);
	if (n <= 0) /* no /proc yet, or a map too long to be one of ours */
		return false;
	map[n] = 0;
	answer = YES;
	while (next_number(&at, &inside) && next_number(&at, &outside) && next_number(&at, &count))
		if (!outside || (inside <= OVERFLOW_USER && OVERFLOW_USER - inside < count))
			answer = NO;
	return answer == YES;
}

bool sys_owned(const struct sys_stat *st)
{
	if (st->mode & (S_IWGRP | S_IWOTH))
		return false;
	return st->uid == 0 || (st->uid == OVERFLOW_USER && outsiders_are_roots());
}

/* A link may be followed out of this directory: root owns it and nobody else can write it. */
static int trusted(int dir)
{
	struct sys_stat st;
	int r = sys_stat_fd(dir, &st);

	return r < 0 ? r : sys_owned(&st);
}

/* Puts a link's target in front of what is left of the path. */
static int put_target(int dir, const char *name, char *rest, size_t cap)
{
	char target[PATH_ROOM];
	ssize_t n = sys_readlink(dir, name, target, sizeof(target));
	size_t left = strlen(rest);

	if (n < 0)
		return (int)n;
	if ((size_t)n + 1 + left + 1 > cap || n == (ssize_t)sizeof(target))
		return -ENAMETOOLONG;
	memmove(rest + n + 1, rest, left + 1);
	memcpy(rest, target, (size_t)n);
	rest[n] = '/';
	return 0;
}

/* Cuts the next component off the path into name. Returns its length, 0 at the end. */
static int next_component(char *rest, char *name, size_t cap)
{
	char *p = rest;
	size_t n = 0;

	while (*p == '/')
		p++;
	while (p[n] && p[n] != '/')
		n++;
	if (n >= cap)
		return -ENAMETOOLONG;
	memcpy(name, p, n);
	name[n] = 0;
	memmove(rest, p + n, strlen(p + n) + 1);
	return (int)n;
}

static bool is_last(const char *rest)
{
	while (*rest == '/')
		rest++;
	return !*rest;
}

int sys_walk(const char *path, int flags)
{
	char rest[2 * PATH_ROOM], name[256];
	_close_ int dir = -1;
	unsigned links = 0;

	if (path[0] != '/')
		return -EINVAL;
	if (strlen(path) >= PATH_ROOM)
		return -ENAMETOOLONG;
	memcpy(rest, path, strlen(path) + 1);
	dir = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
	if (dir < 0)
		return dir;
	for (;;) {
		struct sys_stat st;
		int next, r = next_component(rest, name, sizeof(name));

		if (r < 0)
			return r;
		if (r == 0)
			return sys_open(dir, ".", flags, 0);
		r = sys_stat_at(dir, name, AT_SYMLINK_NOFOLLOW, &st);
		if (r < 0)
			return r;
		if (S_ISLNK(st.mode)) {
			r = trusted(dir);
			if (r <= 0)
				return r < 0 ? r : -ELOOP;
			if (++links > LINKS_MAX)
				return -ELOOP;
			r = put_target(dir, name, rest, sizeof(rest));
			if (r < 0)
				return r;
			if (rest[0] != '/')
				continue;
			next = sys_open(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0);
		} else if (is_last(rest)) {
			return sys_open(dir, name, flags | O_NOFOLLOW, 0);
		} else {
			next = sys_open(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
		}
		if (next < 0)
			return next;
		sys_closep(&dir);
		dir = next;
	}
}

int sys_in_initial_pidns(void)
{
	struct sys_stat st;
	int r = sys_stat_at(AT_FDCWD, "/proc/self/ns/pid", 0, &st);

	return r < 0 ? r : st.ino == PID_NAMESPACE_INITIAL;
}
