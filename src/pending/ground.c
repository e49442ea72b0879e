/* SPDX-License-Identifier: MIT */
/*
 * ground.c - directories and graveyards of a group; see ground.h
 */
#include "pending/ground.h"

#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "pending/record.h"

#define NO_LINKS (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

int ground_open(struct ground *g, const struct group_header *group, const char *prefix, int state)
{
	struct sys_identity id;
	int r;

	memset(g, 0, sizeof(*g));
	g->group = group;
	g->state = state;
	for (uint32_t i = 0; i < GROUP_FS_MAX; i++)
		g->fs[i].fd = g->fs[i].grave = -1;
	for (uint32_t i = 0; i <= GROUND_CACHE; i++)
		g->dir[i] = -1;
	g->root = sys_open(AT_FDCWD, *prefix ? prefix : "/", O_RDONLY | O_DIRECTORY, 0);
	if (g->root < 0)
		return g->root;
	r = sys_identify(state, "", &id);
	if (r < 0)
		sys_closep(&g->root);
	else
		g->state_mount = id.mount;
	return r;
}

void ground_close(struct ground *g)
{
	sys_closep(&g->root);
	for (uint32_t i = 0; i < GROUP_FS_MAX; i++) {
		sys_closep(&g->fs[i].fd);
		sys_closep(&g->fs[i].grave);
	}
	for (uint32_t i = 0; i <= GROUND_CACHE; i++)
		sys_closep(&g->dir[i]);
}

static int open_path(const struct ground *g, const char *path)
{
	int fd = sys_open_beneath(g->root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0,
				  NO_LINKS);

	return fd == -ELOOP ? GROUP_WHY_LINK : fd;
}

/* The first directory of a file system tells which one it is; the others must lie on the same. */
static int meet_fs(struct ground *g, uint32_t fs, int fd)
{
	struct sys_identity id;
	uint8_t uuid[16];
	int r = sys_identify(fd, "", &id);

	if (r < 0)
		return r;
	if (g->fs[fs].known)
		return id.mount == g->fs[fs].mount ? 0 : GROUP_WHY_MOVED_FS;
	r = sys_fs_id(fd, uuid);
	if (r < 0)
		return r;
	if (!bytes_same(uuid, group_fs(g->group, fs)->uuid, sizeof(uuid)))
		return GROUP_WHY_MOVED_FS;
	g->fs[fs].fd = sys_open(fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (g->fs[fs].fd < 0)
		return g->fs[fs].fd;
	g->fs[fs].mount = id.mount;
	g->fs[fs].known = true;
	return 0;
}

int ground_dir(struct ground *g, uint32_t dir, uint32_t other)
{
	const struct group_dir *row = group_dir(g->group, dir);
	uint32_t room = dir % GROUND_CACHE;
	int fd, r;

	if (other != NO_PLACE && other != dir && other % GROUND_CACHE == room)
		room = GROUND_CACHE;
	if (g->dir[room] >= 0 && g->owner[room] == dir)
		return g->dir[room];
	fd = open_path(g, group_string(g->group, row->path));
	if (fd < 0)
		return fd;
	r = meet_fs(g, row->fs, fd);
	if (r < 0) {
		sys_closep(&fd);
		return r;
	}
	sys_closep(&g->dir[room]);
	g->dir[room] = fd;
	g->owner[room] = dir;
	return fd;
}

int ground_step_into(int dir, const char *name, bool make)
{
	_close_ int fd = -1;
	struct sys_stat st;
	int r = make ? sys_mkdir(dir, name, 0700) : 0;

	if (r < 0 && r != -EEXIST)
		return r;
	fd = sys_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if (st.uid != sys_uid() || st.mode & (S_IWGRP | S_IWOTH))
		return -EPERM;
	return fd_take(fd);
}

/* None of its directories was met: is it there at all, where it was mounted? */
static int meet_root(struct ground *g, uint32_t fs)
{
	_close_ int root = open_path(g, group_string(g->group, group_fs(g->group, fs)->root));

	if (root == -ENOENT || root == -ENOTDIR)
		return GROUP_WHY_MOVED_FS;
	return root < 0 ? root : meet_fs(g, fs, root);
}

int ground_grave(struct ground *g, uint32_t fs, bool make)
{
	char name[GROUP_FILE_BYTES];
	_close_ int base = -1, yard = -1;
	int r;

	if (g->fs[fs].grave >= 0)
		return g->fs[fs].grave;
	r = g->fs[fs].known ? 0 : meet_root(g, fs);
	if (r < 0)
		return r;
	if (g->fs[fs].mount == g->state_mount) {
		yard = ground_step_into(g->state, GRAVEYARD, make);
	} else {
		_close_ int root =
			open_path(g, group_string(g->group, group_fs(g->group, fs)->root));

		if (root < 0)
			return root;
		base = ground_step_into(root, GRAVEYARD_FS, make);
		if (base < 0)
			return base;
		yard = ground_step_into(base, GRAVEYARD, make);
	}
	if (yard < 0)
		return yard;
	group_file_name(name, g->group->id, "");
	g->fs[fs].grave = ground_step_into(yard, name, make);
	return g->fs[fs].grave;
}

/*
 * ext4's syncfs, and its fsync, say nothing of a journal that broke in a commit of the kernel's own
 * timer just before: they find nothing left to write. Whoever makes another file is told; this one
 * has no name, and goes at once.
 */
static int still_takes_changes(int fd)
{
	_close_ int file = sys_open(fd, ".", O_TMPFILE | O_RDWR, 0600);

	return file == -EROFS || file == -EIO ? file : 0; /* others may not know such files */
}

int ground_sync(struct ground *g)
{
	for (uint32_t i = 0; i < g->group->fs.count; i++) {
		int r = g->fs[i].known ? sys_syncfs(g->fs[i].fd) : 0;

		if (r >= 0 && g->fs[i].known)
			r = still_takes_changes(g->fs[i].fd);
		if (r < 0)
			return r;
	}
	return 0;
}
