/* SPDX-License-Identifier: MIT */
/*
 * file.c - the simulated kernel's files by fd: reading, writing, syncing, listing, memfds
 *
 * What a program writes is seen at once and is on the disk when it was synced, or when the dice of
 * a cut say so (disk.c). Reading what would wait answers -EAGAIN; a script has to come back.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "inner.h"

/* ---- bytes ---- */

static int file_of(int fd, bool writing, struct node **ret)
{
	struct desc *d = fd_desc(fd);
	const int mode = d ? d->flags & O_ACCMODE : 0;

	if (!d || d->kind != DESC_NODE || d->flags & O_PATH)
		return -EBADF;
	if (d->node->kind == NODE_DIR)
		return -EISDIR;
	if (!d->node->memfd && (writing ? mode == O_RDONLY : mode == O_WRONLY))
		return -EBADF;
	*ret = d->node;
	return 0;
}

/* What the kernel makes up on reading: cgroup files. */
static void refresh(struct node *n)
{
	char text[4096];
	size_t len = 0;

	if (n->magic == MAGIC_CG_EVENTS) {
		len = (size_t)snprintf(text, sizeof(text), "populated %d\nfrozen %d\n",
				       cgroup_populated(n->parent), cgroup_frozen(n->parent));
	} else if (n->magic == MAGIC_CG_PROCS) {
		len = cgroup_list(n->parent, text, sizeof(text));
	} else {
		return;
	}
	content_resize(n, 0);
	content_write(n, 0, text, len);
}

ssize_t sys_pread(int fd, void *to, size_t n, uint64_t at)
{
	struct node *node = NULL;
	int r;

	if (host_has(fd))
		return host_move(fd, to, NULL, n, at);
	r = step_in(false);
	if (r >= 0)
		r = file_of(fd, false, &node);
	if (r < 0)
		return r;
	if (at == 0)
		refresh(node);
	if (at >= node->now.size)
		return 0;
	if (n > node->now.size - at)
		n = node->now.size - at;
	if (n > 1 && sim_random(64) == 0) /* a short read is always allowed */
		n = 1 + sim_random(n - 1);
	memcpy(to, node->now.at + at, n);
	return (ssize_t)n;
}

ssize_t sys_read(int fd, void *to, size_t n)
{
	struct desc *d = fd_desc(fd);
	ssize_t r;

	if (!d)
		return -EBADF;
	if (d->kind != DESC_NODE)
		return -EAGAIN;
	r = sys_pread(fd, to, n, d->pos);
	if (r > 0)
		d->pos += (uint64_t)r;
	return r;
}

static ssize_t write_magic(struct node *node, const char *from, size_t n)
{
	int pid = 0;

	if (node->kind == NODE_DEVICE) {
		if (!strcmp(node->target, "console") || !strcmp(node->target, "kmsg"))
			console_add(from, n);
		return (ssize_t)n;
	}
	if (node->magic == MAGIC_CG_KILL)
		cgroup_kill(node->parent);
	if (node->magic == MAGIC_CG_PROCS) {
		for (size_t i = 0; i < n && from[i] >= '0' && from[i] <= '9'; i++)
			pid = pid * 10 + (from[i] - '0');
		cgroup_move(node->parent, pid);
	}
	return (ssize_t)n;
}

static ssize_t write_at(struct node *node, const void *from, size_t n, uint64_t at)
{
	int r = step_in(true);

	if (node->sealed)
		return -EPERM;
	if (!node->memfd && node->kind == NODE_FILE && writable(node->dev) < 0)
		return -EROFS;
	if (r < 0) {
		const size_t part = n ? sim_random(n) : 0;

		if (part)
			content_write(node, at, from, part);
		return r;
	}
	if (node->kind == NODE_DEVICE || node->magic)
		return write_magic(node, from, n);
	content_write(node, at, from, n);
	return step_out((ssize_t)n);
}

ssize_t sys_pwrite(int fd, const void *from, size_t n, uint64_t at)
{
	struct node *node = NULL;
	int r = file_of(fd, true, &node);

	return r < 0 ? r : write_at(node, from, n, at);
}

ssize_t sys_write(int fd, const void *from, size_t n)
{
	struct desc *d = fd_desc(fd);
	struct node *node = NULL;
	int r = host_has(fd) ? 0 : file_of(fd, true, &node);
	ssize_t got;

	if (host_has(fd)) {
		got = host_move(fd, NULL, from, n, d->pos);
		d->pos += got > 0 ? (uint64_t)got : 0;
		return got;
	}
	if (r < 0)
		return r;
	if (d->flags & O_APPEND)
		d->pos = node->now.size;
	got = write_at(node, from, n, d->pos);
	if (got > 0)
		d->pos += (uint64_t)got;
	return got;
}

int sys_truncate(int fd, uint64_t bytes)
{
	struct node *node = NULL;
	int r = file_of(fd, true, &node);

	if (r >= 0)
		r = step_in(true);
	if (r < 0)
		return r;
	if (node->sealed)
		return -EPERM;
	content_resize(node, bytes);
	return (int)step_out(0);
}

int sys_allocate(int fd, uint64_t bytes)
{
	struct node *node = NULL;
	int r = file_of(fd, true, &node);

	if (r >= 0)
		r = step_in(true);
	if (r < 0)
		return r;
	if (bytes > node->now.size)
		content_resize(node, bytes);
	return (int)step_out(0);
}

/* ---- syncing ---- */

static int sync_fd(int fd, bool names)
{
	struct desc *d = fd_desc(fd);
	int r;

	if (!d || d->kind != DESC_NODE || d->flags & O_PATH)
		return -EBADF;
	r = step_in(true);
	if (writable(d->node->dev) < 0)
		return -EROFS;
	if (r < 0) {
		lose_content(d->node); /* and the kernel believes it clean */
		return r;
	}
	sync_content(d->node);
	if (names)
		sync_names_of(d->node, d->node->kind != NODE_DIR);
	return (int)step_out(0);
}

int sys_fsync(int fd)
{
	return sync_fd(fd, true);
}

int sys_fdatasync(int fd)
{
	struct desc *d = fd_desc(fd);

	return sync_fd(fd, d && d->kind == DESC_NODE && d->node->kind == NODE_DIR);
}

int sys_syncfs(int fd)
{
	struct desc *d = fd_desc(fd);
	int r = d && d->kind == DESC_NODE ? step_in(true) : -EBADF;

	if (r >= 0)
		r = writable(d->node->dev);
	if (r < 0)
		return r;
	sync_disk(d->node->dev);
	return (int)step_out(0);
}

void sys_sync(void)
{
	if (step_in(true) < 0)
		return;
	sync_all();
	(void)step_out(0);
}

/* ---- the rest ---- */

int sys_statfs_fd(int fd, struct sys_statfs *ret)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE)
		return -EBADF;
	*ret = (struct sys_statfs){
		.type = d->node->dev != DEV_KERNEL ? 0xEF53 : 0x01021994,
		.block_bytes = 4096,
		.blocks = 1 << 20,
		.blocks_free = 1 << 19,
		.blocks_avail = 1 << 19,
		.flags = writable(d->node->dev) < 0,
	};
	if (d->node->magic)
		ret->type = 0x63677270; /* cgroup2 */
	return 0;
}

int sys_chmod(int fd, unsigned mode)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE)
		return -EBADF;
	d->node->mode = mode & 07777;
	return 0;
}

int sys_chown(int fd, uint32_t uid, uint32_t gid)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE)
		return -EBADF;
	d->node->uid = uid;
	d->node->gid = gid;
	return 0;
}

int sys_get_flags(int fd, unsigned *ret)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE)
		return -EBADF;
	*ret = d->node->flags;
	return 0;
}

int sys_set_flags(int fd, unsigned flags)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE)
		return -EBADF;
	d->node->flags = flags;
	return 0;
}

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t bytes;
	uint8_t type;
	char name[];
} __attribute__((packed));

ssize_t sys_list(int dir_fd, void *to, size_t n)
{
	static const uint8_t types[] = {8, 4, 10, 2, 1};
	struct desc *d = fd_desc(dir_fd);
	size_t used = 0;
	int r = step_in(false);

	if (r < 0)
		return r;
	if (!d || d->kind != DESC_NODE || d->node->kind != NODE_DIR)
		return -ENOTDIR;
	for (; d->pos < d->node->names.count; d->pos++) {
		const struct entry *e = &d->node->names.at[d->pos];
		const size_t len = (19 + strlen(e->name) + 1 + 7) & ~7ull;
		struct dirent64 *at = (void *)((char *)to + used);

		if (used + len > n)
			return used ? (ssize_t)used : -EINVAL;
		memset(at, 0, len);
		at->ino = e->node->ino;
		at->off = (int64_t)d->pos + 1;
		at->bytes = (uint16_t)len;
		at->type = types[e->node->kind];
		strcpy(at->name, e->name);
		used += len;
	}
	return (ssize_t)used;
}

int sys_readahead(int fd, uint64_t at, size_t n)
{
	return fd_desc(fd) ? 0 : -EBADF;
}

int sys_flock(int fd, int operation)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE || d->flags & O_PATH)
		return -EBADF;
	if (operation & LOCK_UN) {
		if (d->node->lock == d)
			d->node->lock = NULL;
		return 0;
	}
	if (d->node->lock && d->node->lock != d) {
		if (operation & LOCK_NB)
			return -EWOULDBLOCK;
		sim_wrong("a lock would be waited for for ever");
	}
	d->node->lock = d;
	return 0;
}

unsigned sys_umask(unsigned mask)
{
	return 022;
}

int sys_memfd(const char *name)
{
	struct desc *d;

	if (host_memfds())
		return host_memfd(name);
	d = desc_new(DESC_NODE);
	d->node = node_new(NODE_FILE, DEV_KERNEL, 0600);
	d->node->memfd = true;
	d->flags = O_RDWR;
	return fd_install(d);
}

int sys_seal(int fd)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE || !d->node->memfd)
		return -EINVAL;
	d->node->sealed = true;
	return 0;
}

int sys_is_sealed(int fd)
{
	struct desc *d = fd_desc(fd);

	if (!d)
		return -EBADF;
	if (d->kind != DESC_NODE || !d->node->memfd)
		return -EINVAL;
	return d->node->sealed;
}

int sys_map_sealed(int fd, const void **ret, size_t *ret_bytes)
{
	struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_NODE || !d->node->memfd || !d->node->sealed)
		return -EPERM;
	*ret = d->node->now.at;
	*ret_bytes = d->node->now.size;
	return 0;
}
