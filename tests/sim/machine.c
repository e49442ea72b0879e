/* SPDX-License-Identifier: MIT */
/*
 * machine.c - the simulated machine around pid 1: the tree it finds, mounts, console, power
 *
 * Also the test's own hand on the disk: what it makes is there and durable at once.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>

#include "inner.h"

#define CONSOLE_ROOM (256u * 1024u)

static struct {
	char said[CONSOLE_ROOM];
	size_t n;
} console;

void machine_start(void)
{
	console.n = 0;
	console.said[0] = 0;
}

void console_add(const char *bytes, size_t n)
{
	if (n >= CONSOLE_ROOM - console.n)
		n = CONSOLE_ROOM - 1 - console.n;
	memcpy(console.said + console.n, bytes, n);
	console.n += n;
	if (n && console.said[console.n - 1] != '\n' && console.n < CONSOLE_ROOM - 1)
		console.said[console.n++] = '\n';
	console.said[console.n] = 0;
}

const char *sim_console(void)
{
	return console.said;
}

/* ---- the test's hand ---- */

static struct node *put(const char *path, enum node_kind kind, unsigned mode)
{
	struct place p;
	struct set s;

	if (path_find(AT_FDCWD, path, true, 0, &p) < 0) {
		fprintf(stderr, "sim: no place for %s\n", path);
		abort();
	}
	if (p.node)
		return p.node;
	s = (struct set){.dir = p.dir, .node = node_new(kind, p.dir->dev, mode)};
	memcpy(s.name, p.name, NAME_ROOM);
	s.node->parent = p.dir;
	names_change(&s, 1);
	sync_names_of(p.dir, false);
	return s.node;
}

void sim_make_dir(const char *path)
{
	put(path, NODE_DIR, 0755);
}

void sim_make_file(const char *path, const void *bytes, size_t n, unsigned mode)
{
	struct node *f = put(path, NODE_FILE, mode);

	content_resize(f, 0);
	content_write(f, 0, bytes, n);
	sync_content(f);
}

void sim_make_link(const char *path, const char *target)
{
	snprintf(put(path, NODE_LINK, 0777)->target, 256, "%s", target);
}

void sim_make_device(const char *path, const char *name)
{
	snprintf(put(path, NODE_DEVICE, 0666)->target, 256, "%s", name);
}

const void *sim_look(const char *path, size_t *ret_bytes)
{
	struct node *n = path_node(path);

	if (!n || n->kind != NODE_FILE)
		return NULL;
	if (ret_bytes)
		*ret_bytes = n->now.size;
	return n->now.at ? (const void *)n->now.at : (const void *)"";
}

uint64_t sim_inode(const char *path)
{
	struct place p;

	return path_find(AT_FDCWD, path, false, 0, &p) < 0 || !p.node ? 0 : p.node->ino;
}

void sim_owner(const char *path, uint32_t uid)
{
	path_node(path)->uid = uid;
}

static struct node *kernel_dir(const char *path)
{
	struct node *n = put(path, NODE_DIR, 0755);

	n->dev = DEV_KERNEL;
	return n;
}

static void kernel_file(const char *path, const char *text)
{
	sim_make_file(path, text, strlen(text), 0644);
}

static void cgroup_file(struct node *dir, const char *name, enum node_magic magic)
{
	struct set s = {.dir = dir, .node = node_new(NODE_FILE, DEV_KERNEL, 0644)};

	s.node->magic = magic;
	s.node->parent = dir;
	snprintf(s.name, sizeof(s.name), "%s", name);
	names_change(&s, 1);
}

int cgroup_made(struct node *dir)
{
	dir->magic = MAGIC_CG_DIR;
	cgroup_file(dir, "cgroup.events", MAGIC_CG_EVENTS);
	cgroup_file(dir, "cgroup.kill", MAGIC_CG_KILL);
	cgroup_file(dir, "cgroup.procs", MAGIC_CG_PROCS);
	cgroup_file(dir, "cgroup.freeze", MAGIC_NONE);
	cgroup_file(dir, "cgroup.subtree_control", MAGIC_NONE);
	cgroup_file(dir, "cgroup.controllers", MAGIC_NONE);
	return 0;
}

static const char *const images[] = {"smss",  "smreg",   "pnp",     "autochk",
				     "csrss", "wininit", "winlogon"};

void sim_machine(const char *kernel_words)
{
	char path[128];

	for (unsigned i = 0; i < 5; i++)
		kernel_dir((const char *const[]){"/proc", "/sys", "/dev", "/run", "/tmp"}[i]);
	for (unsigned i = 0; i < 12; i++)
		sim_make_dir((const char *const[]){"/proc/self", "/proc/self/ns", "/proc/sys",
						   "/proc/sys/kernel", "/proc/sys/kernel/random",
						   "/proc/sys/fs", "/sys/fs", "/sys/fs/cgroup",
						   "/usr", "/usr/lib", "/usr/lib/smss", "/etc"}[i]);
	sim_make_dir("/proc/1");
	sim_make_dir("/var");
	sim_make_dir("/var/lib");
	sim_make_dir("/var/lib/smss");
	sim_make_dir("/etc/smss");
	kernel_file("/proc/cmdline", kernel_words);
	kernel_file("/proc/self/ns/pid", "");
	path_node("/proc/self/ns/pid")->ino = 0xEFFFFFFC;
	kernel_file("/proc/sys/kernel/random/boot_id", "6f1b6c1e-0000-4000-8000-000000000001\n");
	kernel_file("/proc/sys/kernel/printk_devkmsg", "ratelimit\n");
	kernel_file("/proc/sys/kernel/pid_max", "32768\n");
	kernel_file("/proc/sys/kernel/ctrl-alt-del", "1\n");
	kernel_file("/proc/sys/fs/nr_open", "1048576\n");
	kernel_file("/proc/mounts", "");
	kernel_file("/proc/swaps", "");
	cgroup_made(path_node("/sys/fs/cgroup"));
	kernel_file("/sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
	sim_make_device("/dev/null", "null");
	sim_make_device("/dev/console", "console");
	sim_make_device("/dev/kmsg", "kmsg");
	for (unsigned i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
		snprintf(path, sizeof(path), "/usr/lib/smss/%s", images[i]);
		sim_make_file(path, "\177ELF", 4, 0755);
	}
}

/* ---- mounts, power ---- */

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const char *data)
{
	door_call();
	if (hooks_now()->on_mount)
		return hooks_now()->on_mount(source, target, type);
	return path_node(target) ? 0 : -ENOENT;
}

int sys_umount(const char *target, int flags)
{
	door_call();
	return path_node(target) ? 0 : -ENOENT;
}

int sys_swapon(const char *path, int flags)
{
	return path_node(path) ? 0 : -ENOENT;
}

int sys_swapoff(const char *path)
{
	return path_node(path) ? 0 : -ENOENT;
}

int sys_reboot(unsigned command)
{
	door_call();
	if (command == (unsigned)RB_DISABLE_CAD || command == (unsigned)RB_ENABLE_CAD)
		return 0;
	sim_end_run(SIM_REBOOT, command);
}

int sys_set_hostname(const char *name)
{
	return 0;
}

int sys_step_back(void)
{
	return 0;
}

int sys_unshare(int flags)
{
	return 0;
}

int sys_set_ns(int fd, int type)
{
	return fd_desc(fd) ? 0 : -EBADF;
}

unsigned sys_cpus(void)
{
	return 2;
}

uint64_t sys_memory_bytes(void)
{
	return 1ull << 30;
}

void sys_forget(const void *from, const void *end) {}
