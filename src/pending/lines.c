/* SPDX-License-Identifier: MIT */
/*
 * lines.c - files of lines that only grow, see lines.h
 */
#include "pending/lines.h"

static bool ends_line(int dir, const char *name, uint64_t bytes)
{
	_close_ int fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW, 0);
	char last = 0;

	return fd >= 0 && sys_pread(fd, &last, 1, bytes - 1) == 1 && last == '\n';
}

int lines_begin(int dir, const char *name, struct sys_stat *ret)
{
	_close_ int fd = sys_open(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0600);
	int r;

	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, ret);
	if (r >= 0 && ret->size && !ends_line(dir, name, ret->size))
		r = sys_write_all(fd, "\n", 1); /* a cut left half a line: it stays, by itself */
	return r < 0 ? r : fd_take(fd);
}

int lines_append(int dir, const char *name, const char *lines, size_t n)
{
	struct sys_stat st;
	_close_ int fd = lines_begin(dir, name, &st);
	int r;

	if (fd < 0)
		return fd;
	r = sys_write_all(fd, lines, n);
	if (r >= 0)
		r = sys_fsync(fd);
	if (r >= 0 && st.size == 0) /* perhaps new: its name must be durable too */
		r = sys_fsync(dir);
	return r < 0 ? r : 0;
}
