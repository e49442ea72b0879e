/* SPDX-License-Identifier: MIT */
/*
 * more.c - the door to the kernel: calls that only companions and boot jobs need; see sys.h
 *
 * Kept apart so that the master's image page count does not grow with them: the master uses none
 * of these (checked by lint).
 */
#include "sys/sys.h"

#include <errno.h>
#include <linux/random.h>
#include <linux/stat.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

int sys_tty_is(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0;
}

_Static_assert(sizeof(struct termios) <= sizeof(struct sys_tty), "struct sys_tty holds a termios");

int sys_tty_save(int fd, struct sys_tty *ret)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, &t, sizeof(t));
	return 0;
}

int sys_tty_restore(int fd, const struct sys_tty *from)
{
	struct termios t;

	memcpy(&t, from, sizeof(t));
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

int sys_tty_sane(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	t.c_iflag = (t.c_iflag & (tcflag_t) ~(IGNCR | INLCR | ISTRIP | IXOFF | IXANY | INPCK)) |
		    ICRNL | IXON | BRKINT;
	t.c_oflag |= OPOST | ONLCR;
	t.c_cflag = (t.c_cflag & (tcflag_t) ~(CSIZE | PARENB | CSTOPB)) | CS8 | CREAD;
	t.c_lflag = (t.c_lflag & (tcflag_t) ~(NOFLSH | TOSTOP | ECHONL)) | ISIG | ICANON | IEXTEN |
		    ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
	t.c_cc[VINTR] = 3;
	t.c_cc[VQUIT] = 28;
	t.c_cc[VERASE] = 127;
	t.c_cc[VKILL] = 21;
	t.c_cc[VEOF] = 4;
	t.c_cc[VSTART] = 17;
	t.c_cc[VSTOP] = 19;
	t.c_cc[VSUSP] = 26;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

int sys_tty_take(int fd, bool steal)
{
	return ioctl(fd, TIOCSCTTY, steal ? 1 : 0) < 0 ? -errno : 0;
}

/* The raw calls: libc's would go through every thread, and there is one. */
int sys_set_ids(uint32_t uid, uint32_t gid, const uint32_t *groups, unsigned count)
{
	if (syscall(SYS_setgroups, (size_t)count, groups) < 0 || syscall(SYS_setgid, gid) < 0 ||
	    syscall(SYS_setuid, uid) < 0)
		return -errno;
	return 0;
}

int sys_net_up(const char *name)
{
	struct ifreq q = {0};
	_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	size_t n = strlen(name);

	if (fd < 0)
		return -errno;
	if (n >= sizeof(q.ifr_name))
		return -ENAMETOOLONG;
	memcpy(q.ifr_name, name, n);
	if (ioctl(fd, SIOCGIFFLAGS, &q) < 0)
		return -errno;
	if (q.ifr_flags & IFF_UP)
		return 1;
	q.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &q) < 0 ? -errno : 0;
}

int sys_add_entropy(const void *bytes, size_t n, unsigned bits)
{
	struct {
		struct rand_pool_info info;
		uint8_t bytes[512];
	} pool;
	_close_ int fd = sys_open(AT_FDCWD, "/dev/urandom", O_WRONLY, 0);

	if (fd < 0)
		return fd;
	if (n > sizeof(pool.bytes))
		return -EFBIG;
	if (!bits)
		return sys_write_all(fd, bytes, n);
	pool.info.entropy_count = (int)bits;
	pool.info.buf_size = (int)n;
	memcpy(pool.bytes, bytes, n);
	return ioctl(fd, (int)RNDADDENTROPY, &pool) < 0 ? -errno : 0;
}

int sys_random_ready(void)
{
	char byte;

	return syscall(SYS_getrandom, &byte, 1, GRND_NONBLOCK) == 1;
}

int sys_connect_within(const char *path, int timeout_ms)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
	size_t n = strlen(path);
	_close_ int fd = -1;

	if (n >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	memcpy(a.sun_path, path, n);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	/* A listener whose queue is full makes connect wait; the send time-out bounds that. */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return errno == EAGAIN || errno == EINPROGRESS ? -ETIMEDOUT : -errno;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return fd_take(fd);
}

int sys_peer_of(int fd, struct sys_peer *ret)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
		return -errno;
	*ret = (struct sys_peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
	return 0;
}

int sys_only_when_idle(void)
{
	const int priority = 0; /* the kernel's struct sched_param */

	/* raw: musl declares sched_setscheduler as not there */
	return syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &priority) < 0 ? -errno : 0;
}

int sys_link(int from_dir, const char *from, int to_dir, const char *to)
{
	return linkat(from_dir, from, to_dir, to, 0) < 0 ? -errno : 0;
}

int sys_mount_id(int dir, const char *path, uint64_t *ret)
{
	struct statx st;

	/* raw: musl's own struct has no name for this field */
	if (syscall(SYS_statx, dir, path, AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
		return -errno;
	if (!(st.stx_mask & STATX_MNT_ID))
		return -ENODATA;
	*ret = st.stx_mnt_id;
	return 0;
}

int sys_last_read_s(const char *path, int64_t *ret)
{
	struct statx st;

	if (syscall(SYS_statx, AT_FDCWD, path, 0, STATX_ATIME, &st) < 0)
		return -errno;
	if (!(st.stx_mask & STATX_ATIME))
		return -ENODATA;
	*ret = st.stx_atime.tv_sec;
	return 0;
}
