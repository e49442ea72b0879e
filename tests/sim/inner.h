/* SPDX-License-Identifier: MIT */
/*
 * inner.h - what the parts of the simulated kernel share: disk.c, names.c, volume.c, path.c,
 * file.c, event.c, process.c, socket.c, machine.c. Tests use kernel.h only.
 */
#pragma once

#include <setjmp.h>

#include "kernel.h"

#define NAME_ROOM    128u
#define SECTOR       512u
#define FDS_MAX      8192u
#define SOCKET_QUEUE 128u

/* ---- disk.c ---- */

enum node_kind { NODE_FILE, NODE_DIR, NODE_LINK, NODE_DEVICE, NODE_FIFO };
enum node_magic { MAGIC_NONE, MAGIC_CG_DIR, MAGIC_CG_EVENTS, MAGIC_CG_KILL, MAGIC_CG_PROCS };

struct entry {
	char name[NAME_ROOM];
	struct node *node;
};

struct tree {
	struct entry *at;
	unsigned count, room;
};

struct change { /* one pending change of a file's content or size */
	uint64_t at, n;
	uint8_t *bytes;
	uint64_t size; /* the file's size after it */
};

struct content {
	uint8_t *at;
	size_t size, room;
};

struct node {
	enum node_kind kind;
	enum node_magic magic;
	uint64_t ino, dev, tag;
	struct node *covers; /* a mounted root: the directory it hides */
	uint32_t mode, uid, gid;
	bool memfd, sealed;
	unsigned flags;
	struct content now, disk;
	bool dirty; /* they may differ */
	struct change *changes;
	unsigned change_count, change_room;
	struct tree names, names_disk;
	unsigned links; /* names that lead here, as running programs see them */
	bool reached;
	struct node *parent;
	char target[256]; /* a link's target, a device's name */
	void *lock;       /* description that holds flock */
	struct desc *listener;
};

#define DEV_DISK   1u
#define DEV_KERNEL 2u /* proc, sys, dev, run: nothing pends there */
#define DEV_MORE   3u /* further disks, one file system each (volume.c) */
#define DEVS       8u

struct node *node_new(enum node_kind kind, uint64_t dev, unsigned mode);
struct node *entry_find(const struct tree *t, const char *name);
void disk_reach(struct node *dir); /* marks all that is below, and counts its names */

struct set { /* one name after a change; node NULL = gone */
	struct node *dir;
	char name[NAME_ROOM];
	struct node *node;
};
/* names_change - one atomic change of one or two names, pending until synced */
void names_change(const struct set *sets, unsigned count);
void content_write(struct node *n, uint64_t at, const void *bytes, size_t len);
void content_resize(struct node *n, uint64_t size);
void sync_content(struct node *n);
void sync_names_of(struct node *n, bool fsync_of_file);
void sync_disk(uint64_t dev);
void sync_all(void);
void *more(void *at, unsigned count, unsigned *room, size_t each);
/* entry_set - answers what stood there */
struct node *entry_set(struct tree *t, const char *name, struct node *node);
void lose_content(struct node *n); /* a failed sync */
void make_durable(struct node *n);
struct node *disk_root(void);
void disk_start(void);
void disk_stop(void);
void disk_cut(void);
/* step_in - before a file call: counts, may cut. 0 or an injected -errno. */
int step_in(bool changes);
/* step_out - after a changing call: may cut. Passes r through. */
ssize_t step_out(ssize_t r);

/* ---- names.c ---- */

void names_start(void);
void names_stop(void);
void names_cut(void);
void names_sync(uint64_t dev);
void names_take_back(struct node *dir); /* after a cut: as the disk has them */

/* ---- volume.c ---- */

void volumes_start(void);
void volumes_cut(void);
void volumes_reach(void);
int writable(uint64_t dev); /* 0 or -EROFS */
uint64_t file_calls(void);

/* ---- path.c ---- */

struct place {            /* where a path ends */
	struct node *dir; /* NULL for "/" */
	char name[NAME_ROOM];
	struct node *node; /* NULL = nothing there */
};
int path_find(int dir, const char *path, bool follow, uint64_t resolve, struct place *ret);
void node_stat(const struct node *n, struct sys_stat *ret);
struct node *path_node(const char *path); /* for the test's hand; NULL = none */

/* ---- host.c: memfds of the host, DESC_HOST; the fd's number is the same in both kernels ---- */

bool host_memfds(void);
void host_start(void);
int host_memfd(const char *name);
bool host_has(int fd);
void host_close(const struct desc *d);
int host_stat(int fd, struct sys_stat *ret);
ssize_t host_move(int fd, void *to, const void *from, size_t n, uint64_t at);

/* ---- file.c: fds ---- */

enum desc_kind {
	DESC_NODE,
	DESC_EPOLL,
	DESC_SIGNALS,
	DESC_SOCKET,
	DESC_LISTENER,
	DESC_PIDFD,
	DESC_HOST
};

struct datagram {
	struct datagram *next;
	size_t n;
	uint8_t *bytes;
	struct desc *descs[SYS_FDS_MAX];
	unsigned desc_count;
};

struct interest {
	struct desc *desc;
	int fd;
	unsigned what;
	uint64_t key;
};

struct desc {
	enum desc_kind kind;
	unsigned refs;
	int flags; /* O_* */
	bool nonblock;
	struct node *node;
	uint64_t pos;
	/* socket */
	struct desc *peer;
	struct datagram *first, *last;
	unsigned queued;
	bool peer_gone;
	struct sys_peer cred;
	/* listener */
	struct desc *backlog[16];
	unsigned backlog_count;
	/* pidfd */
	int pid;
	/* of the host */
	int host_fd;
	/* epoll */
	struct interest *interests;
	unsigned interest_count, interest_room;
	struct desc *next; /* all of them */
};

struct fd_table {
	struct desc **at;
	unsigned room;
};

struct desc *desc_new(enum desc_kind kind);
void desc_put(struct desc *d);
struct desc *fd_desc(int fd);
int fd_install(struct desc *d); /* takes one reference */
int fd_install_at(struct fd_table *t, unsigned at, struct desc *d);
struct fd_table *fd_table_now(void);
void fd_table_clear(struct fd_table *t);
void descs_stop(void);
struct desc *descs_all(void);

/* ---- event.c ---- */

void sim_end_run(enum sim_end end, uint64_t detail) __attribute__((noreturn));
void sim_wrong(const char *why) __attribute__((noreturn));
unsigned desc_ready(const struct desc *d);
void epoll_forget(struct desc *d);
void door_call(void);
bool run_active(void);

/* ---- process.c ---- */

struct process {
	struct sim_process p;
	struct fd_table fds;
	int exit_status;
	bool signalled;
	struct node *cgroup;
};
void processes_start(void);
void processes_stop(void);
struct process *process_now(void);
struct process *process_by(int pid);
struct process *process_at(unsigned i);
void deliver(struct process *p, int sig); /* a signal on its way */
void cgroup_put(struct process *p, struct node *dir);
bool cgroup_populated(const struct node *dir);
bool cgroup_frozen(const struct node *dir);
void cgroup_kill(const struct node *dir);
size_t cgroup_list(const struct node *dir, char *to, size_t n);
void cgroup_move(const struct node *dir, int pid);
bool signals_pending(void);
void message_arrived(const struct desc *d); /* sent by pid 1 */

/* ---- machine.c ---- */

void machine_start(void);
void console_add(const char *bytes, size_t n);
int cgroup_made(struct node *dir);

struct sim_hooks *hooks_now(void);
