/* SPDX-License-Identifier: MIT */
/*
 * volume.c - further file systems of the simulated machine, and who a file is
 *
 * A file system is a disk of its own (names.c, disk.c: what is synced and cut is its own affair)
 * whose root hides the directory it is mounted on. It can be taken away, come back elsewhere, be
 * made anew (another UUID), and go read-only under a running program, as ext4 and XFS do when their
 * log cannot be written: what pended then waits for the cut.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

static struct volume {
	struct node *root;
	uint8_t uuid[16];
	uint64_t read_only_at; /* file call; 0 = never */
	bool tagless;          /* keeps no time of birth */
} volumes[DEVS];

void volumes_start(void)
{
	memset(volumes, 0, sizeof(volumes));
	for (unsigned i = 0; i < DEVS; i++)
		for (unsigned k = 0; k < 16; k++)
			volumes[i].uuid[k] = (uint8_t)(i * 16 + k + 1);
}

void volumes_cut(void)
{
	for (unsigned i = 0; i < DEVS; i++)
		volumes[i].read_only_at = 0;
}

void volumes_reach(void)
{
	for (unsigned i = 0; i < DEVS; i++) {
		disk_reach(volumes[i].root);
		disk_reach(volumes[i].root ? volumes[i].root->covers : NULL);
	}
}

int writable(uint64_t dev)
{
	const uint64_t at = volumes[dev].read_only_at;

	return at && file_calls() >= at ? -EROFS : 0;
}

void sim_read_only_at(unsigned volume, uint64_t call)
{
	volumes[volume ? DEV_MORE + volume - 1 : DEV_DISK].read_only_at =
		call ? file_calls() + call : 0;
}

/* By hand, durable, and no event on the disk below. */
static void hang(struct node *dir, const char *name, struct node *node)
{
	struct node *was = entry_set(&dir->names, name, node);

	if (was)
		was->links--;
	node->links++;
	(void)entry_set(&dir->names_disk, name, node);
	node->parent = dir;
}

void sim_mount_volume(unsigned volume, const char *path)
{
	struct volume *v = &volumes[DEV_MORE + volume - 1];
	struct place p;

	if (path_find(AT_FDCWD, path, false, 0, &p) < 0 || !p.node || !p.dir || !volume) {
		fprintf(stderr, "sim: nothing to mount on at %s\n", path);
		abort();
	}
	sync_all();
	if (!v->root)
		v->root = node_new(NODE_DIR, DEV_MORE + volume - 1, 0755);
	v->root->covers = p.node;
	hang(p.dir, p.name, v->root);
}

void sim_umount_volume(unsigned volume, const char *path)
{
	struct volume *v = &volumes[DEV_MORE + volume - 1];
	struct place p;

	if (path_find(AT_FDCWD, path, false, 0, &p) < 0 || p.node != v->root)
		abort();
	sync_all();
	hang(p.dir, p.name, v->root->covers);
	v->root->covers = NULL;
}

void sim_volume_uuid(unsigned volume, uint8_t first)
{
	volumes[DEV_MORE + volume - 1].uuid[0] = first;
}

void sim_volume_tagless(unsigned volume)
{
	volumes[volume ? DEV_MORE + volume - 1 : DEV_DISK].tagless = true;
}

int sys_identify(int dir, const char *name, struct sys_identity *ret)
{
	struct sys_stat st;
	struct place p;
	struct node *n;
	int r;

	if (name[0]) {
		r = step_in(false);
		if (r >= 0)
			r = path_find(dir, name, false, 0, &p);
		if (r < 0)
			return r;
		n = p.node;
		if (!n)
			return -ENOENT;
		node_stat(n, &st);
	} else {
		struct desc *d = fd_desc(dir);

		r = sys_stat_fd(dir, &st);
		if (r < 0)
			return r;
		if (d->kind != DESC_NODE)
			return -EBADF;
		n = d->node;
	}
	*ret = (struct sys_identity){.mount = n->dev + 100,
				     .dev = n->dev,
				     .ino = n->ino,
				     .tag = volumes[n->dev].tagless ? 0 : n->tag,
				     .bytes = st.size,
				     .mode = st.mode,
				     .links = st.nlink};
	if (name[0] && n->covers)
		ret->flags |= SYS_IDENTITY_MOUNT;
	return 0;
}

int sys_fs_id(int fd, uint8_t ret[16])
{
	struct desc *d = fd_desc(fd);
	int r = step_in(false);

	if (r < 0)
		return r;
	if (!d || d->kind != DESC_NODE)
		return -EBADF;
	memcpy(ret, volumes[d->node->dev].uuid, 16);
	return 0;
}

/* ---- the test's eyes ---- */

const char *sim_name_at(const char *path, unsigned i)
{
	const struct node *n = path_node(path);

	return n && n->kind == NODE_DIR && i < n->names.count ? n->names.at[i].name : NULL;
}

static void each_below(const struct node *dir, void (*fn)(void *arg, const void *bytes, size_t n),
		       void *arg)
{
	for (unsigned i = 0; i < dir->names.count; i++) {
		const struct node *n = dir->names.at[i].node;

		if (n->kind == NODE_DIR)
			each_below(n, fn, arg);
		else if (n->kind == NODE_FILE)
			fn(arg, n->now.at, n->now.size);
	}
}

void sim_each_file(const char *path, void (*fn)(void *arg, const void *bytes, size_t n), void *arg)
{
	const struct node *n = path_node(path);

	if (n && n->kind == NODE_DIR)
		each_below(n, fn, arg);
}

bool sim_is_dir(const char *path)
{
	const struct node *n = path_node(path);

	return n && n->kind == NODE_DIR;
}
