/* SPDX-License-Identifier: MIT */
/*
 * copy.c - libsm: an exact copy of a tree on another file system; see stage.h
 *
 * Content with its holes, mode, owner, times, extended attributes (and so access lists and
 * capabilities), hard links within the tree, links as links, devices and pipes. What cannot be
 * copied exactly is a reason, not a silent loss. Nothing is made durable here: stage.c syncs once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/text.h"
#include "client/stage.h"

#define DEPTH_MAX   200u /* each level holds two descriptors */
#define PART_BYTES  (1u << 20)
#define XATTR_NAMES 65536
#define XATTR_VALUE 65536
#define LIST_BYTES  16384u

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* Calls visit for every entry of a directory but "." and "..". */
static int each_entry(int dir, int (*visit)(void *arg, const char *name), void *arg)
{
	_close_ int list = sys_open(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	uint64_t *room = malloc(LIST_BYTES);
	ssize_t n = list;
	int r = room ? 0 : -ENOMEM;

	while (r == 0 && list >= 0 && (n = sys_list(list, room, LIST_BYTES)) > 0)
		for (ssize_t at = 0; r == 0 && at < n;) {
			const struct entry *e = (const struct entry *)((const char *)room + at);

			at += e->bytes;
			if (!str_same(e->name, ".") && !str_same(e->name, ".."))
				r = visit(arg, e->name);
		}
	free(room);
	return r < 0 ? r : n < 0 ? (int)n : 0;
}

/* ---- how much ---- */

struct adding {
	int dir;
	unsigned depth;
	uint64_t mount, bytes;
};

static int add_entry(void *arg, const char *name)
{
	struct adding *a = arg, below;
	struct sys_identity id;
	_close_ int dir = -1;
	int r = sys_identify(a->dir, name, &id);

	if (r < 0)
		return r;
	if (id.flags & SYS_IDENTITY_MOUNT || id.mount != a->mount)
		return GROUP_WHY_MOUNT;
	if (S_ISSOCK(id.mode))
		return WHY_SOCKET;
	a->bytes += 4096 + id.bytes;
	if (!S_ISDIR(id.mode))
		return 0;
	if (a->depth == DEPTH_MAX)
		return -ELOOP;
	dir = sys_open(a->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (dir < 0)
		return dir;
	below = (struct adding){.dir = dir, .depth = a->depth + 1, .mount = a->mount};
	r = each_entry(dir, add_entry, &below);
	a->bytes += below.bytes;
	return r;
}

int tree_bytes(int dir, const char *name, uint64_t *ret)
{
	struct adding a = {.dir = dir};
	struct sys_identity id;
	int r = sys_identify(dir, "", &id);

	a.mount = id.mount;
	if (r == 0)
		r = add_entry(&a, name);
	if (r == 0)
		*ret = a.bytes;
	return r;
}

/* ---- copying ---- */

static int copy_attribute(int from, int to, const char *name)
{
	static char value[XATTR_VALUE];
	ssize_t n = fgetxattr(from, name, value, sizeof(value));

	if (n < 0)
		return errno == ENODATA ? 0 : -errno;
	if (fsetxattr(to, name, value, (size_t)n, 0) == 0)
		return 0;
	/* The kernel labels by its own policy; where there is none the label is not kept. */
	return strncmp(name, "security.selinux", 16) == 0 ? 0 : -errno;
}

/* Owner first: it takes capabilities and set-id bits away, which come after it. */
static int copy_nature(int from, int to, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	static char names[XATTR_NAMES];
	ssize_t n;

	if (fchown(to, st->st_uid, st->st_gid) < 0)
		return -errno;
	n = flistxattr(from, names, sizeof(names));
	if (n < 0 && errno != ENOTSUP)
		return -errno;
	for (const char *name = names; n > 0 && name < names + n; name += strlen(name) + 1) {
		int r = copy_attribute(from, to, name);

		if (r < 0)
			return r;
	}
	if (fchmod(to, st->st_mode & 07777) < 0 || futimens(to, times) < 0)
		return -errno;
	return 0;
}

static int copy_part(struct copying *c, int from, int to, off_t at, off_t end)
{
	while (at < end) {
		off_t in = at, out = at;
		size_t want = end - at < PART_BYTES ? (size_t)(end - at) : PART_BYTES;
		ssize_t n = copy_file_range(from, &in, to, &out, want, 0);

		if (n < 0 &&
		    (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) {
			n = sys_pread(from, c->part, want, (uint64_t)at);
			if (n > 0)
				n = sys_pwrite(to, c->part, (size_t)n, (uint64_t)at);
			if (n < 0)
				return (int)n;
		} else if (n < 0) {
			return -errno;
		}
		if (n == 0)
			return WHY_CHANGED;
		at += n;
		copy_progress(c, (uint64_t)n);
	}
	return 0;
}

static int copy_content(struct copying *c, int from, int to, off_t size)
{
	off_t at = 0;

	while (at < size) {
		off_t data = lseek(from, at, SEEK_DATA), hole = size;
		int r;

		if (data < 0 && errno == ENXIO)
			break;
		if (data < 0) /* no holes are told of here */
			data = at;
		else
			hole = lseek(from, data, SEEK_HOLE);
		r = copy_part(c, from, to, data, hole < 0 || hole > size ? size : hole);
		if (r < 0)
			return r;
		at = hole < 0 ? size : hole;
	}
	return ftruncate(to, size) < 0 ? -errno : 0;
}

static bool same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_size == b->st_size && a->st_ino == b->st_ino;
}

/* Another name of a file that was copied before. 1 = linked, 0 = it is the first. */
static int copy_link(struct copying *c, const struct stat *st, int to_dir, const char *to)
{
	struct copied *row;

	if (st->st_nlink < 2)
		return 0;
	for (size_t i = 0; i < c->links.count; i++) {
		row = (struct copied *)c->links.row + i;
		if (row->ino == st->st_ino)
			return linkat(c->top, row->path, to_dir, to, 0) < 0 ? -errno : 1;
	}
	row = list_add(&c->links, 1);
	if (!row)
		return -ENOMEM;
	row->ino = st->st_ino;
	(void)str_copy(row->path, sizeof(row->path), c->path);
	return 0;
}

static int copy_file(struct copying *c, const struct copy_names *n, const struct stat *st)
{
	_close_ int from = sys_open(n->from_dir, n->from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	_close_ int to = -1;
	struct stat then;
	int r = from < 0 ? from : copy_link(c, st, n->to_dir, n->to);

	if (r != 0)
		return r < 0 ? r : 0;
	to = sys_open(n->to_dir, n->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	r = to < 0 ? to : copy_content(c, from, to, st->st_size);
	if (r == 0)
		r = copy_nature(from, to, st);
	if (r == 0 && (fstat(from, &then) < 0 || !same_time(st, &then)))
		r = WHY_CHANGED;
	return r;
}

static int copy_other(const struct copy_names *n, const struct stat *st)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	char target[4096];
	ssize_t length;

	if (S_ISLNK(st->st_mode)) {
		length = readlinkat(n->from_dir, n->from, target, sizeof(target) - 1);
		if (length < 0)
			return -errno;
		target[length] = 0;
		if (symlinkat(target, n->to_dir, n->to) < 0)
			return -errno;
	} else if (mknodat(n->to_dir, n->to, st->st_mode, st->st_rdev) < 0) {
		return -errno;
	}
	if (fchownat(n->to_dir, n->to, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(st->st_mode) && fchmodat(n->to_dir, n->to, st->st_mode & 07777, 0) < 0)
		return -errno;
	return utimensat(n->to_dir, n->to, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

struct below {
	struct copying *c;
	int from_dir, to_dir;
};

static int copy_entry(void *arg, const char *name)
{
	const struct below *b = arg;
	const struct copy_names n = {b->from_dir, name, b->to_dir, name};
	const size_t at = strlen(b->c->path);
	int r;

	if (at + 1 + strlen(name) >= sizeof(b->c->path))
		return -ENAMETOOLONG;
	b->c->path[at] = '/';
	(void)str_copy(b->c->path + at + 1, sizeof(b->c->path) - at - 1, name);
	r = copy_tree(b->c, &n);
	b->c->path[at] = 0;
	return r;
}

static int copy_directory(struct copying *c, const struct copy_names *n, const struct stat *st)
{
	_close_ int from = sys_open(n->from_dir, n->from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	_close_ int to = -1;
	struct below b = {.c = c, .from_dir = from};
	int r = from < 0 ? from : sys_mkdir(n->to_dir, n->to, 0700);

	if (r < 0)
		return r;
	to = sys_open(n->to_dir, n->to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (to < 0)
		return to;
	b.to_dir = to;
	r = each_entry(from, copy_entry, &b);
	return r < 0 ? r : copy_nature(from, to, st);
}

int copy_tree(struct copying *c, const struct copy_names *n)
{
	struct stat st;

	if (fstatat(n->from_dir, n->from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return copy_file(c, n, &st);
	if (S_ISDIR(st.st_mode))
		return copy_directory(c, n, &st);
	return S_ISSOCK(st.st_mode) ? WHY_SOCKET : copy_other(n, &st);
}
