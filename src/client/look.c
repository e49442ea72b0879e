/* SPDX-License-Identifier: MIT */
/*
 * look.c - libsm: what stands at the places of a group now; see pending.h
 *
 * Directory after directory in their order, each opened once and without following a link: a
 * million operations need a million looks and one open directory. Nothing is changed.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "client/pending.h"

#define NO_LINKS   (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define READ_ONLY  1u
#define TELL_EVERY 4096u
#define PART_BYTES 65536u

/* ---- order ---- */

static int by_path(const void *a, const void *b, void *arg)
{
	const struct sm_group *g = arg;

	return strcmp(string_at(g, dir_at(g, *(const uint32_t *)a)->path),
		      string_at(g, dir_at(g, *(const uint32_t *)b)->path));
}

struct in_order {
	const struct sm_group *g;
	const uint32_t *dir_rank;
};

static int by_place(const void *a, const void *b, void *arg)
{
	const struct in_order *o = arg;
	const struct place *x = place_at(o->g, *(const uint32_t *)a);
	const struct place *y = place_at(o->g, *(const uint32_t *)b);
	const uint32_t p = o->dir_rank[x->dir], q = o->dir_rank[y->dir];

	if (p != q)
		return p < q ? -1 : 1;
	return strcmp(string_at(o->g, x->name), string_at(o->g, y->name));
}

void order_free(struct order *o)
{
	free(o->dirs);
	free(o->places);
	free(o->dir_rank);
}

int order_make(const struct sm_group *g, struct order *ret)
{
	const size_t dirs = g->dirs.count, places = g->places.count;
	struct order o = {.dirs = malloc((dirs + 1) * sizeof(uint32_t)),
			  .places = malloc((places + 1) * sizeof(uint32_t)),
			  .dir_rank = malloc((dirs + 1) * sizeof(uint32_t))};
	struct in_order in = {.g = g, .dir_rank = o.dir_rank};

	if (!o.dirs || !o.places || !o.dir_rank) {
		order_free(&o);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < dirs; i++)
		o.dirs[i] = i;
	qsort_r(o.dirs, dirs, sizeof(uint32_t), by_path, (void *)(uintptr_t)g);
	for (uint32_t i = 0; i < dirs; i++)
		o.dir_rank[o.dirs[i]] = i;
	for (uint32_t i = 0; i < places; i++)
		o.places[i] = i;
	qsort_r(o.places, places, sizeof(uint32_t), by_place, &in);
	*ret = o;
	return 0;
}

/* ---- directories and file systems ---- */

int open_dir(const struct sm_queue *q, const char *path)
{
	return sys_open_beneath(q->root, path[1] ? path + 1 : ".", O_RDONLY | O_DIRECTORY, 0,
				NO_LINKS);
}

/* Bytes of the shortest beginning of path that cannot be opened: the component that is to blame. */
static size_t blame(const struct sm_queue *q, const char *path)
{
	char part[PATH_BYTES];
	size_t n = 0;

	while (path[n]) {
		struct sys_identity id;
		_close_ int dir = -1;

		memcpy(part, path, n);
		part[n] = 0;
		dir = open_dir(q, n ? part : "/");
		n += 1 + strcspn(path + n + 1, "/");
		memcpy(part, path, n);
		part[n] = 0;
		if (dir < 0 || sys_identify(dir, strrchr(part, '/') + 1, &id) < 0 ||
		    !S_ISDIR(id.mode))
			return n;
	}
	return n;
}

/* The highest directory on the way to path that lies on the same mount: its mount point. */
static size_t mount_point(const struct sm_queue *q, const char *path, uint64_t mount)
{
	char part[PATH_BYTES];
	size_t n = 0;

	for (;;) {
		struct sys_identity id;
		_close_ int dir = -1;

		memcpy(part, path, n);
		part[n] = 0;
		dir = open_dir(q, n ? part : "/");
		if (dir >= 0 && sys_identify(dir, "", &id) == 0 && id.mount == mount)
			return n;
		if (!path[n] || !path[1])
			return n;
		n += 1 + strcspn(path + n + 1, "/");
	}
}

static int meet_fs(struct sm_group *g, int fd, uint32_t dir)
{
	struct sys_identity id;
	struct sys_statfs st;
	const char *path;
	struct fs *f;
	size_t n;
	int r = sys_identify(fd, "", &id);

	if (r < 0)
		return r;
	for (uint32_t i = 0; i < g->fs.count; i++)
		if (fs_at(g, i)->mount == id.mount) {
			dir_at(g, dir)->fs = i;
			return 0;
		}
	if (g->fs.count == GROUP_FS_MAX)
		return WHY_TOO_MANY_FS;
	r = sys_statfs_fd(fd, &st);
	f = r < 0 ? NULL : list_add(&g->fs, 1);
	if (!f)
		return r < 0 ? r : -ENOMEM;
	path = string_at(g, dir_at(g, dir)->path);
	n = mount_point(g->q, path, id.mount);
	dir_at(g, dir)->fs = (uint32_t)g->fs.count - 1;
	f->mount = id.mount;
	f->avail_bytes = st.blocks_avail * st.block_bytes;
	f->why = st.flags & READ_ONLY ? -EROFS : 0;
	f->root = n ? string_add(g, strndupa(path, n), n) : string_add(g, "/", 1);
	r = sys_fs_id(fd, f->uuid);
	return f->root == NO_PLACE ? -ENOMEM : r;
}

/* Opens a directory and notes what is wrong with it; an fd, or < 0 when it is unusable. */
static int enter(struct sm_group *g, uint32_t dir)
{
	struct dir *d = dir_at(g, dir);
	const char *path = string_at(g, d->path);
	struct sys_identity id;
	int fd = open_dir(g->q, path), r;

	d->bad = d->path;
	if (fd < 0) {
		char part[PATH_BYTES];

		d->why = fd == -ELOOP || fd == -ENOTDIR ? GROUP_WHY_LINK : fd;
		if (fd == -ELOOP || fd == -ENOTDIR || fd == -ENOENT) {
			const size_t n = blame(g->q, path);
			uint32_t bad;

			memcpy(part, path, n);
			part[n] = 0;
			bad = string_add(g, part, n);
			dir_at(g, dir)->bad = bad == NO_PLACE ? 0 : bad;
		}
		if (fd == -ENOTDIR) {
			_close_ int any = sys_open_beneath(g->q->root, part + 1,
							   O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH);
			struct sys_stat st;

			if (any >= 0 && sys_stat_fd(any, &st) == 0 && !S_ISLNK(st.mode))
				dir_at(g, dir)->why = -ENOTDIR;
		}
		return -1;
	}
	r = sys_identify(fd, "", &id);
	if (r == 0)
		r = meet_fs(g, fd, dir);
	d = dir_at(g, dir);
	if (r == 0 && id.flags & SYS_IDENTITY_FIXED)
		r = -EPERM;
	d->why = r;
	if (r < 0 && r != -EPERM)
		sys_closep(&fd);
	return fd;
}

/* ---- places ---- */

static int digest_of(int dir, const char *name, uint8_t ret[SHA256_BYTES])
{
	static uint8_t part[PART_BYTES];
	_close_ int fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME, 0);
	struct sha256 sum;
	ssize_t n;

	if (fd == -EPERM) /* another's file */
		fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	sha256_start(&sum);
	while ((n = sys_read(fd, part, sizeof(part))) > 0)
		sha256_add(&sum, part, (size_t)n);
	sha256_end(&sum, ret);
	return n < 0 ? (int)n : 0;
}

static int look_at(struct sm_group *g, uint32_t place, int fd)
{
	struct place *p = place_at(g, place);
	const char *name = string_at(g, p->name);
	const struct fs *f = fs_at(g, dir_at(g, p->dir)->fs);
	struct sys_identity id;
	uint8_t *row;
	int r = sys_identify(fd, name, &id);

	p->ino = 0;
	p->why = r == -ENOENT ? 0 : r;
	if (r < 0)
		return 0;
	p->ino = id.ino;
	p->tag = id.tag;
	p->mode = id.mode;
	p->bytes = S_ISDIR(id.mode) ? 0 : id.bytes;
	if (id.flags & SYS_IDENTITY_MOUNT || id.mount != f->mount)
		p->why = GROUP_WHY_MOUNT;
	else if (id.flags & SYS_IDENTITY_FIXED)
		p->flags |= PLACE_FIXED;
	if (p->why || !S_ISREG(id.mode) || p->digest != NO_PLACE || !(p->flags & PLACE_SOURCE) ||
	    !(p->flags & PLACE_SUM || (p->flags & PLACE_MOVED && id.bytes <= DIGEST_BYTES)))
		return 0;
	row = list_add(&g->digests, 1);
	if (!row)
		return -ENOMEM;
	p->digest = (uint32_t)g->digests.count - 1;
	p->why = digest_of(fd, name, row);
	return 0;
}

/* What each place is for: only sources that move get a digest by themselves. */
static void mark_sources(struct sm_group *g)
{
	for (uint32_t i = 0; i < g->items.count; i++) {
		const struct item *o = item_at(g, i);
		struct place *p = place_at(g, o->from);

		p->flags |= PLACE_SOURCE | (o->flags & ITEM_WANT_SUM ? PLACE_SUM : 0) |
			    (o->kind == GROUP_MOVE || o->flags & GROUP_SECOND ? PLACE_MOVED : 0);
		if (o->kept && group_op(g->read, o->kept - 1)->flags & GROUP_DIGEST)
			p->flags |= PLACE_SUM;
	}
}

/* A path that goes through a place of the group would name something else halfway. */
static void mark_through(struct sm_group *g)
{
	for (uint32_t i = 0; i < g->dirs.count; i++) {
		struct dir *d = dir_at(g, i);
		const char *path = string_at(g, d->path);

		d->through = NO_PLACE;
		for (size_t n = 1; path[1] && d->through == NO_PLACE; n++) {
			if (n > 1 && (!path[n] || path[n] == '/'))
				d->through = place_find(g, path, n);
			if (!path[n])
				break;
		}
	}
}

int look(struct sm_group *g, const struct sm_watch *watch)
{
	struct order o;
	uint32_t dir = NO_PLACE;
	_close_ int fd = -1;
	int r;

	g->fs.count = g->digests.count = 0;
	mark_sources(g);
	mark_through(g);
	r = order_make(g, &o);
	if (r < 0)
		return r;
	for (uint32_t i = 0; r == 0 && i < g->places.count; i++) {
		struct place *p = place_at(g, o.places[i]);

		if (p->dir != dir) {
			sys_closep(&fd);
			dir = p->dir;
			fd = enter(g, dir);
			p = place_at(g, o.places[i]);
		}
		p->digest = NO_PLACE;
		p->ino = 0;
		p->why = 0;
		p->flags &= ~PLACE_FIXED;
		if (fd >= 0)
			r = look_at(g, o.places[i], fd);
		if (watch && watch->progress && i % TELL_EVERY == TELL_EVERY - 1)
			watch->progress(watch->arg, "looking", i + 1, g->places.count);
	}
	order_free(&o);
	return r;
}
