/* SPDX-License-Identifier: MIT */
/*
 * sys.h - the one door to the kernel (law 2)
 *
 * Every call that the master, its copies, the durable protocols and the companions make goes
 * through these names. Linked with linux.c they are the product; linked with tests/sim/kernel.c
 * they are a simulated kernel with seeds and power cuts. The list is also the list of PID 1's
 * powers: what is not here it cannot do.
 *
 * One convention: a negative result is -errno, passed upward unchanged; zero or positive is the
 * answer. Every fd made here is close-on-exec from birth. EINTR is retried inside, but for the
 * waits (sys_wait_events), where it means "look again". Out-parameters come last and stay
 * untouched on failure.
 */
#pragma once

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"

/* ---- files ---- */

struct sys_stat {
	uint64_t dev, ino, size, blocks; /* blocks of 512 bytes */
	uint32_t mode, uid, gid, nlink;
	uint64_t rdev;
	int64_t mtime_ns;
};

struct sys_statfs {
	uint64_t type; /* f_type: EXT4 0xEF53, tmpfs 0x01021994, ... */
	uint64_t block_bytes, blocks, blocks_free, blocks_avail;
	uint64_t flags; /* ST_RDONLY = 1 */
};

/* sys_open - openat(2) with O_CLOEXEC|O_NOCTTY added; dir AT_FDCWD or a directory's fd. Owner:
 * caller. */
int sys_open(int dir, const char *path, int flags, unsigned mode) _must_check_;

/*
 * sys_open_beneath - openat2(2): resolve must stay below dir and cross no link
 *   resolve  RESOLVE_* bits, e.g. RESOLVE_NO_SYMLINKS|RESOLVE_BENEATH
 * Returns an fd (caller's) or -errno (-ELOOP for a link, -EXDEV for an escape).
 */
int sys_open_beneath(int dir, const char *path, int flags, unsigned mode,
		     uint64_t resolve) _must_check_;

int sys_close(int fd);
/* sys_closep closes *fd when >= 0 (for _close_, base/cleanup.h) */

/* sys_read, sys_write, sys_pread, sys_pwrite - bytes moved (may be short, 0 = end) or -errno */
ssize_t sys_read(int fd, void *to, size_t n) _must_check_;
ssize_t sys_write(int fd, const void *from, size_t n) _must_check_;
ssize_t sys_pread(int fd, void *to, size_t n, uint64_t at) _must_check_;
ssize_t sys_pwrite(int fd, const void *from, size_t n, uint64_t at) _must_check_;

int sys_fsync(int fd) _must_check_;
int sys_fdatasync(int fd) _must_check_;
int sys_syncfs(int fd) _must_check_;
void sys_sync(void);
int sys_truncate(int fd, uint64_t bytes) _must_check_;
int sys_allocate(int fd, uint64_t bytes) _must_check_; /* fallocate(2), mode 0, from 0 */
int sys_stat_fd(int fd, struct sys_stat *ret) _must_check_;
/* sys_stat_at - fstatat(2); flags AT_SYMLINK_NOFOLLOW or 0. path "" needs AT_EMPTY_PATH. */
int sys_stat_at(int dir, const char *path, int flags, struct sys_stat *ret) _must_check_;
/* sys_mount_id - which mount a path is on (statx(2)); path "" is dir itself. -ENODATA = unknown */
int sys_mount_id(int dir, const char *path, uint64_t *ret) _must_check_;
int sys_statfs_fd(int fd, struct sys_statfs *ret) _must_check_;
int sys_access(int dir, const char *path, int mode) _must_check_;
int sys_mkdir(int dir, const char *path, unsigned mode) _must_check_;
int sys_unlink(int dir, const char *path, int flags) _must_check_; /* AT_REMOVEDIR */
int sys_rename(int from_dir, const char *from, int to_dir, const char *to,
	       unsigned flags) _must_check_; /* RENAME_NOREPLACE 1, RENAME_EXCHANGE 2 */
int sys_symlink(const char *target, int dir, const char *path) _must_check_;
/* sys_link - a further name of the file `from` itself (a link is not followed) */
int sys_link(int from_dir, const char *from, int to_dir, const char *to) _must_check_;
ssize_t sys_readlink(int dir, const char *path, char *to, size_t n) _must_check_; /* no NUL */
int sys_chmod(int fd, unsigned mode) _must_check_;
int sys_chown(int fd, uint32_t uid, uint32_t gid) _must_check_;
int sys_mknod(int dir, const char *path, unsigned mode, uint64_t dev) _must_check_;
int sys_get_flags(int fd, unsigned *ret) _must_check_; /* FS_IOC_GETFLAGS: immutable, NOCOW */
int sys_set_flags(int fd, unsigned flags) _must_check_;
ssize_t sys_list(int dir_fd, void *to, size_t n) _must_check_; /* getdents64 records; 0 = end */
int sys_readahead(int fd, uint64_t at, size_t n) _must_check_;
int sys_flock(int fd, int operation) _must_check_; /* LOCK_EX|LOCK_NB, ... */
int sys_chdir(const char *path) _must_check_;
unsigned sys_umask(unsigned mask);
int sys_memfd(const char *name) _must_check_; /* sealable */
int sys_seal(int fd) _must_check_;            /* no write, grow, shrink, further seals */
int sys_is_sealed(int fd) _must_check_;       /* 1 fully sealed, 0 not */
int sys_set_blocking(int fd, bool blocking) _must_check_;

/*
 * sys_identify - who an object is, without following a link; name "" is dir itself
 * sys_fs_id - 16 bytes that name the file system fd lies on: its UUID where one can be had
 */
struct sys_identity {
	uint64_t dev, mount; /* mount: tells two mounts of one file system apart */
	uint64_t ino, tag;   /* together name the object for good: see identity.c */
	uint64_t bytes;
	uint32_t mode, links;
	uint32_t flags; /* SYS_IDENTITY_* */
};
#define SYS_IDENTITY_FIXED (1u << 0) /* immutable or append-only: cannot be renamed */
#define SYS_IDENTITY_MOUNT (1u << 1) /* something is mounted on it */
int sys_identify(int dir, const char *name, struct sys_identity *ret) _must_check_;
int sys_fs_id(int fd, uint8_t ret[16]) _must_check_;

/* ---- mounts, swap, machine ---- */

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const char *data) _must_check_;
int sys_umount(const char *target, int flags) _must_check_;
int sys_swapon(const char *path, int flags) _must_check_;
int sys_swapoff(const char *path) _must_check_;
/* sys_reboot - reboot(2) with the magic numbers; command RB_AUTOBOOT, RB_POWER_OFF, RB_HALT_SYSTEM,
 * RB_DISABLE_CAD... In a pid namespace it ends that namespace's init (its parent sees HUP or INT).
 */
int sys_reboot(unsigned command) _must_check_;
int sys_set_hostname(const char *name) _must_check_;
int sys_unshare(int flags) _must_check_;
/* sys_step_back - from now on every other process goes first (the least priority); 0, -errno. */
int sys_step_back(void) _must_check_;
int sys_set_ns(int fd, int type) _must_check_;
unsigned sys_cpus(void);         /* processors this process may use, >= 1 */
uint64_t sys_memory_bytes(void); /* installed RAM; 0 unknown */

/* ---- processes ---- */

#define SYS_SPAWN_SETSID       (1u << 0) /* its own session, no controlling terminal */
#define SYS_SPAWN_CLONE_PARENT (1u << 1) /* the new process's parent is ours: NT's hand-over */
#define SYS_SPAWN_NEW_PIDNS    (1u << 2) /* init of a new pid namespace */
#define SYS_SPAWN_APART        (1u << 4) /* we do not stand still for its exec */
#define SYS_SPAWN_CTTY         (1u << 3) /* with SETSID: fd 0 becomes the controlling terminal */
#define SYS_SPAWN_PROC         (1u << 5) /* it mounts a /proc of its own pid namespace first */
#define SYS_SPAWN_PROC_TRY     (1u << 6) /* the same, where that can be had */
#define SYS_SPAWN_PROC_HOLD    (1u << 7) /* sys_hold_proc, when it has its /proc */

struct sys_as { /* whom a child becomes, just before its exec */
	uint32_t uid, gid;
	const uint32_t *groups;
	unsigned group_count;
	uint64_t drop_capabilities; /* these leave its bounding set */
	const char *home; /* where it begins, "/" if it may not go there; NULL = where we are */
};

struct sys_hold {              /* what a child and all after it are held to, for good */
	uint64_t capabilities; /* with bound: the only ones of its bounding set */
	uint64_t limit[16];    /* RLIMIT_*, soft and hard; those that are in limits */
	uint32_t limits;
	uint32_t umask; /* with masked */
	bool bound, masked, no_new_privs;
};

struct sys_spawn {
	int dir_fd; /* image is dir_fd/name (execveat); AT_FDCWD with a full path is fine */
	const char *name;
	char *const *argv;           /* NULL-terminated */
	char *const *envp;           /* NULL-terminated, exact */
	const int *fds;              /* the child's fd i is ours fds[i]; -1 = closed */
	unsigned fd_count;           /* <= 16; everything above is closed in the child */
	int cgroup_fd;               /* cgroup v2 directory to be born in, or -1 */
	int pidns_fd;                /* pid namespace (or pidfd) to be born in, or -1 */
	unsigned flags;              /* SYS_SPAWN_* */
	const struct sys_as *as;     /* NULL = as we are */
	const struct sys_hold *hold; /* NULL = to nothing that we are not */
	/*
	 * Asked in the child before it takes its fds: until it returns the child waits at its door,
	 * born already. Negative: it goes no further, and that is sys_spawn's answer. NULL = none.
	 */
	int (*gate)(void *);
	void *gate_arg;
};

/*
 * sys_spawn - a child with default dispositions, an empty mask and just these fds (law 6)
 *   ret_pidfd  close-on-exec pidfd, the caller's; NULL if not wanted
 * Returns the pid. A child that cannot exec is an error here where children borrow memory (x86-64),
 * else exits with 127. File-number limits are put back to what the master was born with. Not more
 * than 16 fds. A child that becomes somebody else (`as`) has memory of its own and none of our fds
 * by then, and is waited for SYS_SPAWN_AS_MS at most: what it does after that is its user's affair.
 * Its gate, if any, is asked before it is born.
 */
#define SYS_SPAWN_AS_MS 1000
int sys_spawn(const struct sys_spawn *what, int *ret_pidfd) _must_check_;

/* sys_exec - execveat(2) in place: only returns with -errno. fds that must survive are cleared of
 * close-on-exec by sys_keep_fd first. The mask is emptied, handlers go with the image. */
int sys_exec(int dir_fd, const char *name, char *const *argv, char *const *envp);
int sys_keep_fd(int fd) _must_check_;
int sys_dup_to(int from, int to) _must_check_; /* dup3 with close-on-exec; from == to is fine */
int sys_close_from(unsigned first);            /* close_range(first, max) */

struct sys_exit {
	int pid;
	bool signalled;
	int status; /* exit code, or the signal */
};

/* sys_reap - one dead child, without waiting. 1 = *ret filled, 0 = none dead now, -ECHILD = none at
 * all */
int sys_reap(struct sys_exit *ret) _must_check_;
int sys_wait_pid(int pid, struct sys_exit *ret) _must_check_; /* blocks: copies and tools only */
int sys_kill(int pid, int sig) _must_check_; /* negative pid = group, -1 = all but 1 and us */
int sys_pidfd_open(int pid) _must_check_;
int sys_pidfd_signal(int pidfd, int sig) _must_check_;
int sys_pid(void);
int sys_parent_pid(void);
uint32_t sys_uid(void); /* effective */
int sys_subreaper(void) _must_check_;
int sys_setsid(void) _must_check_;
int sys_limit_files(uint64_t soft)
	_must_check_; /* raises NOFILE; what it was is put back in children */
void sys_exit(int status) __attribute__((noreturn));
/* sys_only_when_idle - from now on this process runs when nobody else wants to (SCHED_IDLE). */
int sys_only_when_idle(void) _must_check_;

/* ---- signals, waiting, time ---- */

struct sys_signal {
	int sig;
	int pid; /* sender, 0 = kernel or outside our namespace */
	uint32_t uid;
	int code; /* si_code: SI_KERNEL for Ctrl-Alt-Del */
};

/*
 * sys_signals_reset - every disposition to its default
 * What our starter ignored we would hand on to every child: CLONE_CLEAR_SIGHAND leaves SIG_IGN as
 * it is. For whoever is not born from sys_spawn: the master.
 */
void sys_signals_reset(void);
/* sys_signals_open - block all signals but the faults; an fd that delivers them (non-blocking). */
int sys_signals_open(void) _must_check_;
/* sys_signal_next - 1 = *ret filled, 0 = none waiting */
int sys_signal_next(int fd, struct sys_signal *ret) _must_check_;
/* sys_on_fault - handler for SEGV, BUS, ILL, FPE, ABRT on an alternate stack of the door's own. */
int sys_on_fault(void (*handler)(int sig, uintptr_t address)) _must_check_;
/* sys_block_all, sys_unblock_all - the signal mask of this (single-threaded) process. */
int sys_block_all(void);
int sys_unblock_all(void);

#define SYS_READ   1u /* something to read, or the other side is gone */
#define SYS_WRITE  4u /* room to write */
#define SYS_HANGUP 16u

struct sys_event {
	uint64_t key;
	unsigned what; /* SYS_READ | SYS_WRITE | SYS_HANGUP */
};

int sys_epoll(void) _must_check_;
int sys_epoll_add(int epoll, int fd, unsigned what, uint64_t key) _must_check_;
int sys_epoll_change(int epoll, int fd, unsigned what, uint64_t key) _must_check_;
int sys_epoll_drop(int epoll, int fd);
/* sys_wait_events - up to n events; timeout_ms -1 = for ever. Returns the count, 0 on time-out or
 * EINTR. */
int sys_wait_events(int epoll, struct sys_event *ret, int n, int timeout_ms) _must_check_;
/* sys_wait_fd - poll(2) of one fd: SYS_* bits, 0 = time-out. For copies, companions and tools. */
int sys_wait_fd(int fd, unsigned what, int timeout_ms) _must_check_;

uint64_t sys_now_ns(void);      /* CLOCK_BOOTTIME: deadlines, the timeline. Never the wall clock. */
uint64_t sys_wall_s(void);      /* CLOCK_REALTIME, for people only; no decision rests on it */
void sys_sleep_ms(unsigned ms); /* copies and tools only: lint forbids it in the master */
int sys_random(void *to, size_t n) _must_check_; /* never blocks (GRND_INSECURE) */

/* ---- sockets and pipes ---- */

struct sys_peer {
	int pid;
	uint32_t uid, gid;
};

#define SYS_FDS_MAX 6u

int sys_socketpair(int ret_fds[2])
	_must_check_; /* AF_UNIX SEQPACKET, both close-on-exec, blocking */
int sys_pipe(int ret_fds[2]) _must_check_;
/* sys_listen - AF_UNIX SEQPACKET listener at path (an old socket there is removed), mode as given.
 */
int sys_listen(const char *path, unsigned mode) _must_check_;
int sys_accept(int listener, struct sys_peer *ret) _must_check_; /* non-blocking fd; -EAGAIN none */
int sys_connect(const char *path) _must_check_;                  /* blocking fd */
/* sys_connect_within - the same with a deadline, for tools; non-blocking fd. -ETIMEDOUT: nobody
 * accepts. */
int sys_connect_within(const char *path, int timeout_ms) _must_check_;
/* sys_peer_of - who made the other end of a connected socket (pid 0 = outside our pid namespace) */
int sys_peer_of(int fd, struct sys_peer *ret) _must_check_;
/*
 * sys_unread - what the first unread datagram is, without taking it: enum sys_unread
 * Exact for connections of a listener; on others an empty datagram is taken for the end.
 */
int sys_pass_credentials(int fd) _must_check_; /* makes sys_unread exact for this one, too */
enum sys_unread { SYS_UNREAD_NONE, SYS_UNREAD_PLAIN, SYS_UNREAD_FDS, SYS_UNREAD_GONE };
int sys_unread(int fd) _must_check_;
/* sys_shut - no more datagrams either way; what is queued stays. */
int sys_shut(int fd) _must_check_;
/*
 * sys_send, sys_receive - one datagram, with up to SYS_FDS_MAX fds
 * Both never wait when the fd is non-blocking (-EAGAIN). sys_send raises no SIGPIPE. sys_receive
 * returns the datagram's length (0 = closed), -EMSGSIZE when it was longer than n; received fds
 * are the caller's, close-on-exec; *ret_fd_count says how many (fds may be NULL to have them
 * closed).
 */
ssize_t sys_send(int fd, const void *from, size_t n, const int *fds,
		 unsigned fd_count) _must_check_;
ssize_t sys_receive(int fd, void *to, size_t n, int *ret_fds, unsigned *ret_fd_count) _must_check_;

/* ---- memory of copies (lint forbids sys_scratch in the master) ---- */

/* sys_map_sealed - map a fully sealed memfd read-only; -EPERM when it is not sealed. Never
 * unmapped. */
int sys_map_sealed(int fd, const void **ret, size_t *ret_bytes) _must_check_;
/* sys_scratch - n bytes of zeroed memory; for the rest of this process's short life, or until
 * sys_scratch_back with the same n. */
int sys_scratch(size_t n, void **ret) _must_check_;
void sys_scratch_back(void *room, size_t n);

/* sys_forget - pages of our image are no longer needed: they come again when they are touched */
void sys_forget(const void *from, const void *end);

/* ---- ready-made little things of the door ---- */

/* sys_read_file - a whole small file into the caller's room; -EFBIG when it does not fit. Returns
 * its length. */
ssize_t sys_read_file(int dir, const char *path, void *to, size_t n) _must_check_;
/* sys_write_file - open for writing (no create), write all, close: for /proc, /sys and cgroup
 * files. */
int sys_write_file(int dir, const char *path, const char *text) _must_check_;
/* sys_write_all, sys_read_all - loop until n bytes are moved; sys_read_all returns what came before
 * the end. */
int sys_write_all(int fd, const void *from, size_t n) _must_check_;
ssize_t sys_read_all(int fd, void *to, size_t n) _must_check_;
/*
 * sys_replace_file - durable replacement (law 6 of the house): temp file beside it, fsync, rename,
 * fsync of the directory. dir is an open directory's fd, name a plain name in it.
 */
int sys_replace_file(int dir, const char *name, const void *bytes, size_t n,
		     unsigned mode) _must_check_;
/* sys_make_dirs - mkdir -p of an absolute path; existing directories are fine. */
int sys_make_dirs(const char *path, unsigned mode) _must_check_;
/*
 * sys_owned - only root can write what this stat is of (law 12)
 * In a user namespace that does not map the outside's root, its files are shown as the overflow
 * user; there they count as root's, since nobody of the namespace can write them or become him.
 */
bool sys_owned(const struct sys_stat *st) _must_check_;
/*
 * sys_walk - open a configured path component by component (law 12)
 * A link is followed only out of a directory that root owns and nobody else can write (sys_owned);
 * at most 16.
 *   flags  as for sys_open of the last component (O_PATH, O_RDONLY, O_DIRECTORY)
 * Returns an fd, or -ELOOP (a link out of a foreign directory), -EACCES (foreign directory on the
 * way to an image is not refused here; callers stat what they got), other -errno.
 */
int sys_walk(const char *path, int flags) _must_check_;
/*
 * sys_in_initial_pidns - 1 in the kernel's first pid namespace, 0 elsewhere, -errno without /proc
 * What no namespace holds (swap, sysctl, printk, modules, clock) is touched only there.
 */
int sys_in_initial_pidns(void) _must_check_;

/* ---- what a session's programs are held to (copies and csrss; defined in confine.c) ---- */

/* sys_set_limit - RLIMIT_*, soft and hard, for us and our children; NOFILE is not put back then */
int sys_set_limit(int resource, uint64_t value) _must_check_;
int sys_get_limit(int resource, uint64_t *ret_hard) _must_check_;
/* sys_bound_capabilities - bounding and inheritable set become what is in them and in keep */
int sys_bound_capabilities(uint64_t keep) _must_check_;
int sys_no_new_privs(void) _must_check_; /* for us and all children, for good */
int sys_hold(const struct sys_hold *to) _must_check_;
/*
 * sys_read_only - a path and all that is mounted below it can only be read, by those who share our
 * mount namespace; what is mounted there later by others does not reach it. -ENOENT: nothing there
 */
int sys_read_only(const char *path) _must_check_;
/* sys_hold_proc - the same for those parts of /proc that are the machine's and no process's */
int sys_hold_proc(void) _must_check_;
void sys_keep_to_ourselves(void); /* who has no more than our user cannot trace us, nor take fds */
/* sys_set_xattr - one extended attribute of a path; sys_get_xattr returns its length */
int sys_set_xattr(const char *path, const char *name, const void *bytes, size_t n) _must_check_;
ssize_t sys_get_xattr(const char *path, const char *name, void *to, size_t n) _must_check_;
/*
 * sys_peer_groups - the supplementary groups of who made the other end of a socket
 * Returns how many (at most max are stored), or -ERANGE when there are more.
 */
int sys_peer_groups(int fd, uint32_t *ret, unsigned max) _must_check_;

/* ---- terminals made for programs (csrss, tools; defined in terminal.c) ---- */

/* sys_pty_open - a new terminal of the devpts that we see; both fds are the caller's */
int sys_pty_open(uint16_t rows, uint16_t columns, int *ret_master, int *ret_slave) _must_check_;
int sys_tty_set_size(int fd, uint16_t rows, uint16_t columns) _must_check_;
int sys_tty_size(int fd, uint16_t *ret_rows, uint16_t *ret_columns) _must_check_;
/* sys_tty_raw - every byte passes as it is, both ways */
int sys_tty_raw(int fd) _must_check_;
/* sys_tty_group - its foreground process group, 0 none; the number can be another's by now */
int sys_tty_group(int fd) _must_check_;
/* sys_tty_signal - INT, QUIT or TSTP to that group, by the master side; -EINVAL for others */
int sys_tty_signal(int master, int sig) _must_check_;
int sys_session_of(int pid) _must_check_; /* the kernel's: the id of who called setsid */

/* ---- terminals, identities, the loopback, the random pool (companions only; defined in more.c)
 * ---- */

struct sys_tty {
	uint64_t words[8]; /* the kernel's termios, kept as it is */
};

int sys_tty_is(int fd); /* 1 a terminal, 0 not */
int sys_tty_save(int fd, struct sys_tty *ret) _must_check_;
int sys_tty_restore(int fd, const struct sys_tty *from) _must_check_;
/* sys_tty_sane - line editing, echo, signals and 8 bits, as a login expects; speed is left alone */
int sys_tty_sane(int fd) _must_check_;
/* sys_tty_take - fd becomes our controlling terminal; steal: also from a foreign session */
int sys_tty_take(int fd, bool steal) _must_check_;
/* sys_last_read_s - the wall-clock second somebody last read from a terminal, in steps of 8 */
int sys_last_read_s(const char *path, int64_t *ret) _must_check_;
/* sys_set_ids - supplementary groups, gid, uid: for good, in this order */
int sys_set_ids(uint32_t uid, uint32_t gid, const uint32_t *groups, unsigned count) _must_check_;
int sys_net_up(const char *name) _must_check_; /* 1 = was up already, 0 = is up now */
/* sys_add_entropy - into the random pool, credited with that many bits (0 = mixed in only) */
int sys_add_entropy(const void *bytes, size_t n, unsigned bits) _must_check_;
int sys_random_ready(void); /* 1 = the pool is seeded, 0 = not yet */

/* ---- speaking ---- */

#define SYS_LOG_ERROR   3
#define SYS_LOG_WARNING 4
#define SYS_LOG_INFO    6

/*
 * sys_log_open - remember who speaks and where to
 *   who      "smss", "csrss", ... (constant, kept by pointer)
 *   kmsg     write to /dev/kmsg (when it can be opened)
 *   console  also write to /dev/console, opened per line, never waited for, never read
 */
void sys_log_open(const char *who, bool kmsg, bool console);
/*
 * sys_log - one line, one event (design: never blocks; what was dropped is counted and told later)
 *   level  SYS_LOG_*
 *   line   without newline; callers escape foreign text (text_escaped)
 */
void sys_log(int level, const char *line);
/* sys_log_quiet - information goes only to kmsg, not to the console. */
void sys_log_quiet(bool quiet);
/* sys_log_dropped - lines that could not be written so far. */
uint64_t sys_log_dropped(void);
