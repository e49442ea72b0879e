/* SPDX-License-Identifier: MIT */
/*
 * linux.c - the door to the kernel: files, mounts, time; see sys.h
 *
 * Thin on purpose: one call a function, the error turned into -errno, EINTR retried where the call
 * has no other meaning for it. Policy belongs to the callers.
 */
#include "sys/sys.h"

#include <errno.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#define RETRY(call)                                                                                \
	({                                                                                         \
		__typeof__(call) r_;                                                               \
		do                                                                                 \
			r_ = (call);                                                               \
		while (r_ < 0 && errno == EINTR);                                                  \
		r_ < 0 ? -errno : r_;                                                              \
	})

static int result(long r)
{
	return r < 0 ? -errno : (int)r;
}

int sys_open(int dir, const char *path, int flags, unsigned mode)
{
	return RETRY(openat(dir, path, flags | O_CLOEXEC | O_NOCTTY, mode));
}

int sys_open_beneath(int dir, const char *path, int flags, unsigned mode, uint64_t resolve)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC | O_NOCTTY),
			       .mode = flags & O_CREAT ? mode : 0,
			       .resolve = resolve};

	if (flags & O_PATH)
		how.flags &= ~(uint64_t)O_NOCTTY; /* openat2 refuses what O_PATH ignores */
	return (int)RETRY(syscall(SYS_openat2, dir, path, &how, sizeof(how)));
}

int sys_close(int fd)
{
	return close(fd) < 0 ? -errno : 0;
}

void sys_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

ssize_t sys_read(int fd, void *to, size_t n)
{
	return RETRY(read(fd, to, n));
}

ssize_t sys_write(int fd, const void *from, size_t n)
{
	return RETRY(write(fd, from, n));
}

ssize_t sys_pread(int fd, void *to, size_t n, uint64_t at)
{
	return RETRY(pread(fd, to, n, (off_t)at));
}

ssize_t sys_pwrite(int fd, const void *from, size_t n, uint64_t at)
{
	return RETRY(pwrite(fd, from, n, (off_t)at));
}

int sys_fsync(int fd)
{
	return RETRY(fsync(fd));
}

int sys_fdatasync(int fd)
{
	return RETRY(fdatasync(fd));
}

int sys_syncfs(int fd)
{
	return result(syncfs(fd));
}

void sys_sync(void)
{
	sync();
}

int sys_truncate(int fd, uint64_t bytes)
{
	return RETRY(ftruncate(fd, (off_t)bytes));
}

int sys_allocate(int fd, uint64_t bytes)
{
	return RETRY(fallocate(fd, 0, 0, (off_t)bytes));
}

static void fill_stat(const struct stat *st, struct sys_stat *ret)
{
	*ret = (struct sys_stat){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.blocks = (uint64_t)st->st_blocks,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.nlink = (uint32_t)st->st_nlink,
		.rdev = st->st_rdev,
		.mtime_ns = st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec,
	};
}

int sys_stat_fd(int fd, struct sys_stat *ret)
{
	return sys_stat_at(fd, "", AT_EMPTY_PATH, ret);
}

int sys_stat_at(int dir, const char *path, int flags, struct sys_stat *ret)
{
	struct stat st;

	if (fstatat(dir, path, &st, flags) < 0)
		return -errno;
	fill_stat(&st, ret);
	return 0;
}

int sys_statfs_fd(int fd, struct sys_statfs *ret)
{
	struct statfs f;

	if (fstatfs(fd, &f) < 0)
		return -errno;
	*ret = (struct sys_statfs){
		.type = (uint64_t)f.f_type & 0xffffffff,
		.block_bytes = (uint64_t)f.f_bsize,
		.blocks = f.f_blocks,
		.blocks_free = f.f_bfree,
		.blocks_avail = f.f_bavail,
		.flags = (uint64_t)f.f_flags,
	};
	return 0;
}

int sys_access(int dir, const char *path, int mode)
{
	return result(faccessat(dir, path, mode, 0));
}

int sys_mkdir(int dir, const char *path, unsigned mode)
{
	return result(mkdirat(dir, path, mode));
}

int sys_unlink(int dir, const char *path, int flags)
{
	return result(unlinkat(dir, path, flags));
}

int sys_rename(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
	return result(syscall(SYS_renameat2, from_dir, from, to_dir, to, flags));
}

int sys_symlink(const char *target, int dir, const char *path)
{
	return result(symlinkat(target, dir, path));
}

ssize_t sys_readlink(int dir, const char *path, char *to, size_t n)
{
	ssize_t r = readlinkat(dir, path, to, n);

	return r < 0 ? -errno : r;
}

int sys_chmod(int fd, unsigned mode)
{
	return result(fchmod(fd, mode));
}

int sys_chown(int fd, uint32_t uid, uint32_t gid)
{
	return result(fchown(fd, uid, gid));
}

int sys_mknod(int dir, const char *path, unsigned mode, uint64_t dev)
{
	return result(mknodat(dir, path, mode, dev));
}

int sys_get_flags(int fd, unsigned *ret)
{
	int flags = 0;

	if (ioctl(fd, (int)FS_IOC_GETFLAGS, &flags) < 0)
		return -errno;
	*ret = (unsigned)flags;
	return 0;
}

int sys_set_flags(int fd, unsigned flags)
{
	int f = (int)flags;

	return result(ioctl(fd, (int)FS_IOC_SETFLAGS, &f));
}

ssize_t sys_list(int dir_fd, void *to, size_t n)
{
	long r = syscall(SYS_getdents64, dir_fd, to, n);

	return r < 0 ? -errno : r;
}

int sys_readahead(int fd, uint64_t at, size_t n)
{
	return result(readahead(fd, (off_t)at, n));
}

int sys_flock(int fd, int operation)
{
	return RETRY(flock(fd, operation));
}

int sys_chdir(const char *path)
{
	return result(chdir(path));
}

unsigned sys_umask(unsigned mask)
{
	return umask(mask);
}

int sys_memfd(const char *name)
{
	return result(syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
}

#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL)

int sys_seal(int fd)
{
	return result(fcntl(fd, F_ADD_SEALS, ALL_SEALS));
}

int sys_is_sealed(int fd)
{
	int r = fcntl(fd, F_GET_SEALS);

	return r < 0 ? -errno : (r & ALL_SEALS) == ALL_SEALS;
}

int sys_set_blocking(int fd, bool blocking)
{
	int on = !blocking;

	return result(ioctl(fd, FIONBIO, &on));
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags,
	      const char *data)
{
	return result(mount(source, target, type, flags, data));
}

int sys_umount(const char *target, int flags)
{
	return result(umount2(target, flags));
}

int sys_swapon(const char *path, int flags)
{
	return result(swapon(path, flags));
}

int sys_swapoff(const char *path)
{
	return result(swapoff(path));
}

int sys_reboot(unsigned command)
{
	return result(reboot((int)command));
}

int sys_set_hostname(const char *name)
{
	return result(sethostname(name, strlen(name)));
}

int sys_unshare(int flags)
{
	return result(unshare(flags));
}

int sys_set_ns(int fd, int type)
{
	return result(setns(fd, type));
}

unsigned sys_cpus(void)
{
	unsigned long mask[128] = {0}; /* 8192 processors */
	long n = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);
	unsigned count = 0;

	for (long i = 0; i < n / (long)sizeof(mask[0]); i++)
		for (unsigned long word = mask[i]; word; word &= word - 1)
			count++;
	return count ? count : 1;
}

uint64_t sys_memory_bytes(void)
{
	struct sysinfo info;

	return sysinfo(&info) < 0 ? 0 : (uint64_t)info.totalram * info.mem_unit;
}

int sys_epoll(void)
{
	return result(epoll_create1(EPOLL_CLOEXEC));
}

static int epoll_set(int epoll, int operation, int fd, unsigned what, uint64_t key)
{
	/* SYS_READ, SYS_WRITE, SYS_HANGUP have the kernel's own values. */
	struct epoll_event e = {.events = what, .data.u64 = key};

	return result(epoll_ctl(epoll, operation, fd, &e));
}

int sys_epoll_add(int epoll, int fd, unsigned what, uint64_t key)
{
	return epoll_set(epoll, EPOLL_CTL_ADD, fd, what, key);
}

int sys_epoll_change(int epoll, int fd, unsigned what, uint64_t key)
{
	return epoll_set(epoll, EPOLL_CTL_MOD, fd, what, key);
}

int sys_epoll_drop(int epoll, int fd)
{
	return epoll_set(epoll, EPOLL_CTL_DEL, fd, 0, 0);
}

int sys_wait_events(int epoll, struct sys_event *ret, int n, int timeout_ms)
{
	struct epoll_event events[16];
	int got = epoll_wait(epoll, events, n < 16 ? n : 16, timeout_ms);

	if (got < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < got; i++) {
		ret[i].key = events[i].data.u64;
		ret[i].what = events[i].events & (SYS_READ | SYS_WRITE);
		if (events[i].events & (EPOLLHUP | EPOLLERR))
			ret[i].what |= SYS_HANGUP;
	}
	return got;
}

int sys_wait_fd(int fd, unsigned what, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = (short)what};
	int r = RETRY(poll(&p, 1, timeout_ms));

	if (r <= 0)
		return r;
	return (int)(p.revents & (SYS_READ | SYS_WRITE)) |
	       (p.revents & (POLLHUP | POLLERR | POLLNVAL) ? (int)SYS_HANGUP : 0);
}

uint64_t sys_now_ns(void)
{
	struct timespec t;

	/* The raw call: musl static has no vDSO set-up to lean on this early, and it is rare. */
	syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t sys_wall_s(void)
{
	struct timespec t;

	return clock_gettime(CLOCK_REALTIME, &t) < 0 ? 0 : (uint64_t)t.tv_sec;
}

void sys_sleep_ms(unsigned ms)
{
	(void)poll(NULL, 0, (int)ms);
}

int sys_random(void *to, size_t n)
{
	return syscall(SYS_getrandom, to, n, 4 /* GRND_INSECURE */) == (long)n ? 0 : -EIO;
}

int sys_map_sealed(int fd, const void **ret, size_t *ret_bytes)
{
	struct sys_stat st;
	void *at;
	int r = sys_is_sealed(fd);

	if (r < 0)
		return r;
	if (!r)
		return -EPERM;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	at = mmap(NULL, st.size ? st.size : 1, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	*ret = at;
	*ret_bytes = st.size;
	return 0;
}

int sys_scratch(size_t n, void **ret)
{
	void *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	*ret = at;
	return 0;
}

void sys_scratch_back(void *room, size_t n)
{
	if (room)
		munmap(room, n);
}

void sys_forget(const void *from, const void *end)
{
	uintptr_t first = (uintptr_t)from & ~(uintptr_t)4095,
		  last = (uintptr_t)end & ~(uintptr_t)4095;

	if (last > first)
		(void)madvise((void *)first, last - first, MADV_DONTNEED);
}
