/* SPDX-License-Identifier: MIT */
/*
 * rename_op.c - one rename or delete on the file system, see rename_op.h
 *
 * NT's steps in Linux's words: a delete removes a file or an empty directory; a rename without "!"
 * fails where something is; with "!" a file is replaced, and a read-only one (here: immutable) is
 * made writable and tried once more. Never copies: another file system is a failure.
 */
#include "pending/rename_op.h"

#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "sys/sys.h"

#define NO_REPLACE     1u /* RENAME_NOREPLACE */
#define FLAG_IMMUTABLE 0x10u
#define FLAG_APPEND    0x20u
#define NO_LINKS       (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

int rename_open_parent(int root, const char *path, const char **ret_name)
{
	const char *name = strrchr(path, '/') + 1;
	const size_t n = (size_t)(name - path) - 1;
	char parent[PATH_BYTES] = ".";
	int r;

	if (n) {
		memcpy(parent, path + 1, n - 1);
		parent[n - 1] = 0;
	}
	r = sys_open_beneath(root, parent, O_RDONLY | O_DIRECTORY, 0, NO_LINKS);
	if (r >= 0)
		*ret_name = name;
	return r == -ELOOP ? RENAME_LINK : r;
}

int rename_find(const struct rename_what *what, struct rename_place *ret)
{
	struct sys_stat st;
	int r;

	if (*what->to) {
		ret->to_dir = rename_open_parent(what->root, what->to, &ret->to_name);
		if (ret->to_dir < 0)
			return ret->to_dir == -ENOENT ? -ENOTDIR : ret->to_dir;
	}
	ret->from_dir = rename_open_parent(what->root, what->from, &ret->from_name);
	if (ret->from_dir < 0)
		return ret->from_dir;
	r = sys_stat_at(ret->from_dir, ret->from_name, AT_SYMLINK_NOFOLLOW, &st);
	if (r < 0)
		return r;
	ret->dev = st.dev;
	ret->ino = st.ino;
	ret->directory = S_ISDIR(st.mode);
	return 0;
}

/* NT's "set attributes normal": a target that may not change is allowed to, for us to replace it.
 */
static int make_writable(int dir, const char *name)
{
	_close_ int fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	unsigned flags;
	int r;

	if (fd < 0)
		return fd;
	r = sys_get_flags(fd, &flags);
	if (r < 0)
		return r;
	if (!(flags & (FLAG_IMMUTABLE | FLAG_APPEND)))
		return -EPERM;
	return sys_set_flags(fd, flags & ~(FLAG_IMMUTABLE | FLAG_APPEND));
}

static int rename_new(const struct rename_place *p)
{
	struct sys_stat st;
	int r = sys_rename(p->from_dir, p->from_name, p->to_dir, p->to_name, NO_REPLACE);

	if (r != -EINVAL && r != -ENOSYS)
		return r;
	/* A file system without that flag. Nobody else runs yet, so to look first is as good. */
	r = sys_stat_at(p->to_dir, p->to_name, AT_SYMLINK_NOFOLLOW, &st);
	if (r != -ENOENT)
		return r < 0 ? r : -EEXIST;
	return sys_rename(p->from_dir, p->from_name, p->to_dir, p->to_name, 0);
}

static int rename_over(const struct rename_place *p)
{
	struct sys_stat st;
	int r = sys_stat_at(p->to_dir, p->to_name, AT_SYMLINK_NOFOLLOW, &st);

	if (r == 0 && S_ISDIR(st.mode))
		return -EISDIR;
	r = sys_rename(p->from_dir, p->from_name, p->to_dir, p->to_name, 0);
	if (r != -EPERM || make_writable(p->to_dir, p->to_name) < 0)
		return r;
	return sys_rename(p->from_dir, p->from_name, p->to_dir, p->to_name, 0);
}

int rename_settle(const struct rename_place *p)
{
	int r = p->from_dir >= 0 ? sys_fsync(p->from_dir) : 0;

	if (r >= 0 && p->to_dir >= 0)
		r = sys_fsync(p->to_dir);
	return r < 0 ? r : 0;
}

int rename_run(const struct rename_what *what, struct rename_place *p)
{
	int r;

	if (!*what->to)
		r = sys_unlink(p->from_dir, p->from_name, p->directory ? AT_REMOVEDIR : 0);
	else
		r = what->replace ? rename_over(p) : rename_new(p);
	return r < 0 ? r : rename_settle(p);
}

void rename_leave(struct rename_place *p)
{
	sys_closep(&p->from_dir);
	sys_closep(&p->to_dir);
}
