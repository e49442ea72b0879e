/* SPDX-License-Identifier: MIT */
/*
 * path.c - the simulated kernel's names: walking, opening, making, renaming, removing
 *
 * Follows links, ".." and the RESOLVE_* rules that the product leans on. Rights are not checked:
 * everything here runs as root.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "inner.h"

#define LINKS_MAX 40u

static int start_of(int dir, const char *path, uint64_t resolve, struct node **ret)
{
	struct desc *d;

	if (path[0] == '/') {
		*ret = disk_root();
		return resolve & RESOLVE_BENEATH ? -EXDEV : 0;
	}
	if (dir == AT_FDCWD) {
		*ret = disk_root();
		return 0;
	}
	d = fd_desc(dir);
	if (!d || d->kind != DESC_NODE)
		return -EBADF;
	*ret = d->node;
	return 0;
}

/* The next component of *rest; empty at the end. */
static int component(const char **rest, char *name)
{
	size_t n = 0;

	while (**rest == '/')
		(*rest)++;
	while ((*rest)[n] && (*rest)[n] != '/')
		n++;
	if (n >= NAME_ROOM)
		return -ENAMETOOLONG;
	memcpy(name, *rest, n);
	name[n] = 0;
	*rest += n;
	return 0;
}

struct walk {
	char path[4096]; /* once a link was met */
	const char *rest;
	struct node *at, *top;
	unsigned links;
	uint64_t resolve;
	bool follow;
};

static int into_link(struct walk *w, const struct node *link)
{
	char joined[4096];
	size_t n = strlen(link->target), left = strlen(w->rest);

	if (w->resolve & RESOLVE_NO_SYMLINKS || ++w->links > LINKS_MAX)
		return -ELOOP;
	if (link->target[0] == '/') {
		if (w->resolve & RESOLVE_BENEATH)
			return -EXDEV;
		w->at = disk_root();
	}
	if (n + left + 1 > sizeof(joined))
		return -ENAMETOOLONG;
	memcpy(joined, link->target, n);
	memcpy(joined + n, w->rest, left + 1);
	memcpy(w->path, joined, n + left + 1);
	w->rest = w->path;
	return 0;
}

/* One component further. 1 = arrived, *ret filled; 0 = go on. */
static int walk_step(struct walk *w, struct place *ret)
{
	char name[NAME_ROOM];
	struct node *next;
	bool last, slash;
	int r = component(&w->rest, name);

	if (r < 0)
		return r;
	if (!name[0]) {
		ret->dir = NULL;
		ret->node = w->at;
		ret->name[0] = 0;
		return 1;
	}
	if (w->at->kind != NODE_DIR)
		return -ENOTDIR;
	slash = *w->rest == '/';
	last = w->rest[strspn(w->rest, "/")] == 0;
	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		if (w->at == w->top && w->resolve & RESOLVE_BENEATH)
			return -EXDEV;
		w->at = w->at->parent ? w->at->parent : disk_root();
		return 0;
	}
	next = entry_find(&w->at->names, name);
	if (next && next->kind == NODE_LINK && (!last || w->follow || slash))
		return into_link(w, next);
	if (last) {
		ret->dir = w->at;
		ret->node = next;
		memcpy(ret->name, name, sizeof(name));
		return 1;
	}
	if (!next)
		return -ENOENT;
	w->at = next;
	return 0;
}

int path_find(int dir, const char *path, bool follow, uint64_t resolve, struct place *ret)
{
	struct walk w; /* not cleared: it is large, and this is called for everything */
	int r = start_of(dir, path, resolve, &w.at);

	if (r < 0)
		return r;
	if (!path[0])
		return -ENOENT;
	if (strlen(path) >= sizeof(w.path))
		return -ENAMETOOLONG;
	w.follow = follow;
	w.resolve = resolve;
	w.links = 0;
	w.rest = path;
	w.top = w.at;
	do
		r = walk_step(&w, ret);
	while (r == 0);
	return r < 0 ? r : 0;
}

struct node *path_node(const char *path)
{
	struct place p;

	return path_find(AT_FDCWD, path, true, 0, &p) < 0 ? NULL : p.node;
}

static int make_name(const struct place *p, struct node *node)
{
	struct set s = {.dir = p->dir, .node = node};

	memcpy(s.name, p->name, NAME_ROOM);
	names_change(&s, 1);
	return 0;
}

static int open_found(const struct place *p, int flags, unsigned mode, struct node **ret)
{
	struct node *n = p->node;

	if (!n && !(flags & O_CREAT))
		return -ENOENT;
	if (n && flags & O_CREAT && flags & O_EXCL)
		return -EEXIST;
	if (!n) {
		if (writable(p->dir->dev) < 0)
			return -EROFS;
		n = node_new(NODE_FILE, p->dir->dev, mode & ~022u);
		make_name(p, n);
	}
	if (n->kind == NODE_LINK && !(flags & O_PATH))
		return -ELOOP;
	if (flags & O_DIRECTORY && n->kind != NODE_DIR)
		return -ENOTDIR;
	if (n->kind == NODE_DIR && (flags & O_ACCMODE) != O_RDONLY)
		return -EISDIR;
	if (n->kind == NODE_FIFO && (flags & O_ACCMODE) == O_WRONLY)
		return -ENXIO;
	if (flags & O_TRUNC && n->kind == NODE_FILE && n->now.size)
		content_resize(n, 0);
	*ret = n;
	return 0;
}

static int open_at(int dir, const char *path, int flags, unsigned mode, uint64_t resolve)
{
	const bool changes = flags & (O_CREAT | O_TRUNC);
	struct place p;
	struct node *n = NULL;
	struct desc *d;
	int r = step_in(changes);

	if (r < 0)
		return r;
	r = path_find(dir, path, !(flags & O_NOFOLLOW), resolve, &p);
	if (r >= 0)
		r = open_found(&p, flags, mode, &n);
	if (r < 0)
		return r;
	d = desc_new(DESC_NODE);
	d->node = n;
	d->flags = flags;
	r = fd_install(d);
	return changes ? (int)step_out(r) : r;
}

int sys_open(int dir, const char *path, int flags, unsigned mode)
{
	return open_at(dir, path, flags, mode, 0);
}

int sys_open_beneath(int dir, const char *path, int flags, unsigned mode, uint64_t resolve)
{
	return open_at(dir, path, flags, mode, resolve);
}

void node_stat(const struct node *n, struct sys_stat *ret)
{
	static const uint32_t kinds[] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR, S_IFIFO};

	*ret = (struct sys_stat){
		.dev = n->dev,
		.ino = n->ino,
		.size = n->kind == NODE_LINK ? strlen(n->target) : n->now.size,
		.blocks = (n->now.size + 511) / 512,
		.mode = kinds[n->kind] | n->mode,
		.uid = n->uid,
		.gid = n->gid,
		.nlink = n->links,
	};
}

int sys_stat_fd(int fd, struct sys_stat *ret)
{
	struct desc *d = fd_desc(fd);
	int r;

	if (host_has(fd))
		return host_stat(fd, ret);
	r = step_in(false);
	if (r < 0)
		return r;
	if (!d)
		return -EBADF;
	if (d->kind != DESC_NODE) {
		*ret = (struct sys_stat){.mode = S_IFSOCK | 0600, .ino = 1, .nlink = 1};
		return 0;
	}
	node_stat(d->node, ret);
	return 0;
}

int sys_stat_at(int dir, const char *path, int flags, struct sys_stat *ret)
{
	struct place p;
	int r;

	if (!path[0] && flags & AT_EMPTY_PATH)
		return sys_stat_fd(dir, ret);
	r = step_in(false);
	if (r >= 0)
		r = path_find(dir, path, !(flags & AT_SYMLINK_NOFOLLOW), 0, &p);
	if (r < 0)
		return r;
	if (!p.node)
		return -ENOENT;
	node_stat(p.node, ret);
	return 0;
}

int sys_access(int dir, const char *path, int mode)
{
	struct sys_stat st;

	return sys_stat_at(dir, path, 0, &st);
}

/* A name that is to be made: its place, or -EEXIST. */
static int new_place(int dir, const char *path, struct place *ret)
{
	int r = step_in(true);

	if (r >= 0)
		r = path_find(dir, path, false, 0, ret);
	if (r < 0)
		return r;
	if (ret->node || !ret->dir)
		return -EEXIST;
	return writable(ret->dir->dev);
}

int sys_mkdir(int dir, const char *path, unsigned mode)
{
	struct place p;
	struct node *n;
	int r = new_place(dir, path, &p);

	if (r < 0)
		return r;
	n = node_new(NODE_DIR, p.dir->dev, mode);
	n->parent = p.dir;
	make_name(&p, n);
	if (p.dir->magic == MAGIC_CG_DIR)
		cgroup_made(n);
	return (int)step_out(0);
}

int sys_symlink(const char *target, int dir, const char *path)
{
	struct place p;
	struct node *n;
	int r = new_place(dir, path, &p);

	if (r < 0)
		return r;
	n = node_new(NODE_LINK, p.dir->dev, 0777);
	strncpy(n->target, target, sizeof(n->target) - 1);
	make_name(&p, n);
	return (int)step_out(0);
}

/* Every file system here is mounted once. */
int sys_mount_id(int dir, const char *path, uint64_t *ret)
{
	struct sys_stat st;
	int r = path[0] ? sys_stat_at(dir, path, 0, &st) : sys_stat_fd(dir, &st);

	if (r >= 0)
		*ret = st.dev;
	return r < 0 ? r : 0;
}

int sys_link(int from_dir, const char *from, int to_dir, const char *to)
{
	struct place old, p;
	int r = new_place(to_dir, to, &p);

	if (r >= 0)
		r = path_find(from_dir, from, false, 0, &old);
	if (r < 0)
		return r;
	if (!old.node)
		return -ENOENT;
	if (old.node->kind == NODE_DIR)
		return -EPERM;
	if (old.node->dev != p.dir->dev)
		return -EXDEV;
	make_name(&p, old.node);
	return (int)step_out(0);
}

int sys_mknod(int dir, const char *path, unsigned mode, uint64_t dev)
{
	struct place p;
	int r = new_place(dir, path, &p);

	if (r < 0)
		return r;
	make_name(&p, node_new(S_ISFIFO(mode) ? NODE_FIFO : NODE_DEVICE, p.dir->dev, mode));
	return (int)step_out(0);
}

static int remove_dir(struct node *n)
{
	if (n->kind != NODE_DIR)
		return -ENOTDIR;
	if (n->magic == MAGIC_CG_DIR) {
		for (unsigned i = 0; i < n->names.count; i++)
			if (n->names.at[i].node->kind == NODE_DIR)
				return -EBUSY;
		return cgroup_populated(n) ? -EBUSY : 0;
	}
	return n->names.count ? -ENOTEMPTY : 0;
}

int sys_unlink(int dir, const char *path, int flags)
{
	struct place p;
	int r = step_in(true);

	if (r >= 0)
		r = path_find(dir, path, false, 0, &p);
	if (r < 0)
		return r;
	if (!p.node)
		return -ENOENT;
	if (!p.dir)
		return -EBUSY;
	if (flags & AT_REMOVEDIR)
		r = remove_dir(p.node);
	else
		r = p.node->kind == NODE_DIR ? -EISDIR : 0;
	if (r >= 0)
		r = writable(p.dir->dev);
	if (r < 0)
		return r;
	make_name(&p, NULL);
	return (int)step_out(0);
}

static bool is_below(const struct node *n, const struct node *top)
{
	while (n != disk_root() && n->parent && n != top)
		n = n->parent;
	return n == top;
}

static bool is_into_itself(const struct node *what, const struct place *to)
{
	return what->kind == NODE_DIR && is_below(to->dir, what);
}

static int may_replace(const struct place *from, const struct place *to, unsigned flags)
{
	if (!from->node)
		return -ENOENT;
	if (!from->dir || !to->dir)
		return -EBUSY;
	if (from->dir->dev != to->dir->dev)
		return -EXDEV;
	if (writable(to->dir->dev) < 0)
		return -EROFS;
	if (from->node->covers || (to->node && to->node->covers))
		return -EBUSY;
	if (flags & RENAME_EXCHANGE && !to->node)
		return -ENOENT;
	if (flags & RENAME_NOREPLACE && to->node)
		return -EEXIST;
	if (is_into_itself(from->node, to))
		return -EINVAL;
	if (flags & RENAME_EXCHANGE)
		return is_into_itself(to->node, from) ? -EINVAL : 0;
	if (from->node->kind == NODE_DIR) {
		if (to->node && to->node->kind != NODE_DIR)
			return -ENOTDIR;
		return to->node && to->node->names.count ? -ENOTEMPTY : 0;
	}
	return to->node && to->node->kind == NODE_DIR ? -EISDIR : 0;
}

int sys_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	struct place a, b;
	struct set sets[2];
	int r = step_in(true);

	if (r >= 0)
		r = path_find(from_dir, from, false, 0, &a);
	if (r >= 0)
		r = path_find(to_dir, to, false, 0, &b);
	if (r >= 0)
		r = may_replace(&a, &b, flags);
	if (r < 0)
		return r;
	if (a.node == b.node) /* two names of one file: nothing happens, says POSIX */
		return (int)step_out(0);
	sets[0] = (struct set){.dir = a.dir, .node = flags & RENAME_EXCHANGE ? b.node : NULL};
	sets[1] = (struct set){.dir = b.dir, .node = a.node};
	memcpy(sets[0].name, a.name, NAME_ROOM);
	memcpy(sets[1].name, b.name, NAME_ROOM);
	names_change(sets, 2);
	return (int)step_out(0);
}

ssize_t sys_readlink(int dir, const char *path, char *to, size_t n)
{
	struct place p;
	int r = step_in(false);
	size_t len;

	if (r >= 0)
		r = path_find(dir, path, false, 0, &p);
	if (r < 0)
		return r;
	if (!p.node)
		return -ENOENT;
	if (p.node->kind != NODE_LINK)
		return -EINVAL;
	len = strlen(p.node->target);
	if (len > n)
		len = n;
	memcpy(to, p.node->target, len);
	return (ssize_t)len;
}

int sys_chdir(const char *path)
{
	return path_node(path) ? 0 : -ENOENT;
}
