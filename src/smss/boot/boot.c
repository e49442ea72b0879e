/* SPDX-License-Identifier: MIT */
/*
 * boot.c - what the boot roles share among themselves, see boot.h
 *
 * Must never grow into a place for everything: what one role needs stands in that role's file.
 */
#include "smss/boot/boot.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

bool boot_owned(const struct sys_stat *st)
{
	return sys_owned(st);
}

int boot_publish(const char *name, const void *bytes, size_t n)
{
	char path[128], temp[128];
	struct text p = TEXT_ON(path), t = TEXT_ON(temp);
	const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
	_close_ int fd = -1;
	int r;

	text_add(text_add(&p, RUN_DIRECTORY "/"), name);
	text_add(text_add(&t, path), ".new");
	if (t.cut)
		return -ENAMETOOLONG;
	fd = sys_open(AT_FDCWD, temp, flags, 0644);
	if (fd == -ENOENT) {
		r = sys_make_dirs(RUN_DIRECTORY, 0755);
		if (r < 0)
			return r;
		fd = sys_open(AT_FDCWD, temp, flags, 0644);
	}
	if (fd < 0)
		return fd;
	r = sys_write_all(fd, bytes, n);
	if (r >= 0)
		r = sys_rename(AT_FDCWD, temp, AT_FDCWD, path, 0);
	if (r < 0)
		(void)!sys_unlink(AT_FDCWD, temp, 0);
	return r < 0 ? r : 0;
}

void boot_say(const struct copy *c, enum result result, int err, const char *name,
	      const char *remark)
{
	char room[2 * TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(&t, remark);
	if (err)
		text_add(text_add(&t, *remark ? ": " : ""), err_text(err));
	copy_item(c, result, err, 0, name, room);
}

int boot_open_owned(const char *path, struct sys_stat *ret)
{
	_close_ int fd = sys_walk(path, O_RDONLY | O_NONBLOCK);
	int r;

	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, ret);
	if (r < 0)
		return r;
	if (!S_ISREG(ret->mode))
		return -EINVAL;
	if (!boot_owned(ret))
		return -EPERM;
	return fd_take(fd);
}

bool boot_groups_new(int dir, const struct boot_state *s, struct pending_waits *ret)
{
	*ret = (struct pending_waits){0};
	return pending_fingerprint(dir, ret) >= 0 && state_groups_new(s, ret->fingerprint);
}
