/* SPDX-License-Identifier: MIT */
/*
 * graveyard.c - how much lies in a graveyard, and how it is emptied; see purge.h
 *
 * No recursion and no depth: a directory that is not empty gives its entries to the graveyard
 * itself and then is removed, so that each round takes one level off whatever tree lies there. It
 * can be cut anywhere and gone on with.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "pending/purge.h"
#include "sys/sys.h"

#define LIST_BYTES  4096u
#define DEPTH_MAX   32u
#define PAGE        4096u
#define NAME_ROOM   32u
#define FIXED_FLAGS 0x30u /* immutable, append only */
#define NO_REPLACE  1u    /* RENAME_NOREPLACE */

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

struct walk { /* a directory being listed */
	int fd;
	ssize_t n, at;
	uint64_t room[LIST_BYTES / sizeof(uint64_t)];
};

/* The next name but "." and "..": 1, 0 at the end, or -errno. */
static int next_name(struct walk *w, const char **ret)
{
	for (;;) {
		const struct entry *e;

		if (w->at >= w->n) {
			w->n = sys_list(w->fd, w->room, sizeof(w->room));
			w->at = 0;
			if (w->n <= 0)
				return (int)w->n;
		}
		e = (const struct entry *)((const char *)w->room + w->at);
		w->at += e->bytes;
		if (str_same(e->name, ".") || str_same(e->name, ".."))
			continue;
		*ret = e->name;
		return 1;
	}
}

static int open_directory(int dir, const char *name)
{
	return sys_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* ---- emptying ---- */

struct emptying {
	int top;
	uint64_t mount, until_ns, serial;
	bool changed; /* in this round */
};

static void make_changeable(int fd)
{
	unsigned flags;

	if (sys_get_flags(fd, &flags) == 0 && flags & FIXED_FLAGS)
		(void)!sys_set_flags(fd, flags & ~FIXED_FLAGS);
}

/* A file, or an empty directory. Returns 0, -ENOTEMPTY or -errno. */
static int remove_once(int dir, const char *name)
{
	int r = sys_unlink(dir, name, 0);

	if (r == -EISDIR)
		r = sys_unlink(dir, name, AT_REMOVEDIR);
	return r == -ENOENT ? 0 : r == -EEXIST ? -ENOTEMPTY : r;
}

static int remove_one(int dir, const char *name)
{
	_close_ int fd = -1;
	int r = remove_once(dir, name);

	if (r != -EPERM)
		return r;
	fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return r;
	make_changeable(fd);
	return remove_once(dir, name);
}

static int lift(struct emptying *e, int dir, const char *name)
{
	char to[NAME_ROOM];
	int r;

	do {
		struct text t = TEXT_ON(to);

		text_u64(text_add(&t, "."), e->serial++);
		r = sys_rename(dir, name, e->top, to, NO_REPLACE);
	} while (r == -EEXIST);
	return r;
}

/* Each entry of a directory of the graveyard goes, or comes up beside it. */
static int flatten(struct emptying *e, const char *name)
{
	static struct walk w;
	struct sys_identity id;
	_close_ int fd = open_directory(e->top, name);
	const char *child;
	int r;

	if (fd < 0)
		return fd;
	r = sys_identify(fd, "", &id);
	if (r < 0)
		return r;
	if (id.mount != e->mount)
		return -EBUSY;
	make_changeable(fd);
	w.fd = fd;
	w.n = w.at = 0;
	while ((r = next_name(&w, &child)) > 0) {
		r = remove_one(fd, child);
		if (r == -ENOTEMPTY)
			r = lift(e, fd, child);
		if (r < 0)
			return r;
		if (e->until_ns && sys_now_ns() > e->until_ns)
			return -ETIME;
	}
	return r < 0 ? r : remove_once(e->top, name);
}

static int empty_round(struct emptying *e)
{
	static struct walk w;
	_close_ int list = open_directory(e->top, ".");
	const char *name;
	int r;

	if (list < 0)
		return list;
	w.fd = list;
	w.n = w.at = 0;
	while ((r = next_name(&w, &name)) > 0) {
		e->changed = true;
		r = remove_one(e->top, name);
		if (r == -ENOTEMPTY)
			r = flatten(e, name);
		/* A listing that changes may leave some of a directory behind: the next round. */
		if (r < 0 && r != -ENOTEMPTY)
			return r;
		if (e->until_ns && sys_now_ns() > e->until_ns)
			return -ETIME;
	}
	return r;
}

int graveyard_empty(int dir, uint64_t until_ns)
{
	struct emptying e = {.top = dir, .until_ns = until_ns, .changed = true};
	struct sys_identity id;
	int r = sys_identify(dir, "", &id);

	e.mount = id.mount;
	while (r >= 0 && e.changed) {
		e.changed = false;
		r = empty_round(&e);
	}
	return r;
}

/* ---- measuring ---- */

static int add_one(int dir, const char *name, uint64_t *bytes, bool *ret_directory)
{
	struct sys_identity id;
	int r = sys_identify(dir, name, &id);

	if (r < 0)
		return r;
	*bytes += (id.bytes + PAGE - 1) / PAGE * PAGE;
	*ret_directory = S_ISDIR(id.mode) && !(id.flags & SYS_IDENTITY_MOUNT);
	return 0;
}

int graveyard_bytes(int dir, uint64_t *ret)
{
	static struct walk w[DEPTH_MAX];
	unsigned depth = 1;
	uint64_t bytes = 0;
	int r;

	w[0].fd = open_directory(dir, ".");
	if (w[0].fd < 0)
		return w[0].fd;
	w[0].n = w[0].at = 0;
	while (depth) {
		const char *name;
		bool directory;

		r = next_name(&w[depth - 1], &name);
		if (r <= 0) {
			sys_closep(&w[--depth].fd);
			continue;
		}
		if (add_one(w[depth - 1].fd, name, &bytes, &directory) < 0 || !directory ||
		    depth == DEPTH_MAX)
			continue;
		w[depth].fd = open_directory(w[depth - 1].fd, name);
		w[depth].n = w[depth].at = 0;
		depth += w[depth].fd >= 0;
	}
	*ret = bytes;
	return 0;
}
