/* SPDX-License-Identifier: MIT */
/*
 * socket.c - the door to the kernel: the API port's datagrams and the fds they carry; see sys.h
 *
 * Received fds are close-on-exec from birth and counted; what a caller did not ask for is closed
 * here, so that nobody can fill a table by stuffing fds into messages (pitfall 39).
 */
#include "sys/sys.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int sys_socketpair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

int sys_pipe(int ret_fds[2])
{
	return pipe2(ret_fds, O_CLOEXEC) < 0 ? -errno : 0;
}

static int address(const char *path, struct sockaddr_un *ret)
{
	size_t n = strlen(path);

	if (n >= sizeof(ret->sun_path))
		return -ENAMETOOLONG;
	memset(ret, 0, sizeof(*ret));
	ret->sun_family = AF_UNIX;
	memcpy(ret->sun_path, path, n);
	return 0;
}

int sys_listen(const char *path, unsigned mode)
{
	struct sockaddr_un a;
	struct stat st;
	int r = address(path, &a);
	_close_ int fd = -1;

	if (r < 0)
		return r;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* what it accepts inherits PASSCRED: see sys_unread */
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, mode) < 0 ||
	    listen(fd, 64) < 0)
		return -errno;
	return fd_take(fd);
}

int sys_accept(int listener, struct sys_peer *ret)
{
	struct ucred cred;
	socklen_t n = sizeof(cred);
	_close_ int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
		return -errno;
	*ret = (struct sys_peer){.pid = cred.pid, .uid = cred.uid, .gid = cred.gid};
	return fd_take(fd);
}

int sys_connect(const char *path)
{
	struct sockaddr_un a;
	int r = address(path, &a);
	_close_ int fd = -1;

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return -errno;
	return fd_take(fd);
}

int sys_peer_groups(int fd, uint32_t *ret, unsigned max)
{
	socklen_t n = (socklen_t)(max * sizeof(*ret));

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ret, &n) < 0)
		return -errno;
	return (int)(n / sizeof(*ret));
}

union fds_room {
	struct cmsghdr header;
	char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * SYS_FDS_MAX)];
};

ssize_t sys_send(int fd, const void *from, size_t n, const int *fds, unsigned fd_count)
{
	union fds_room room;
	struct iovec part = {.iov_base = (void *)(uintptr_t)from, .iov_len = n};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t r;

	if (fd_count > SYS_FDS_MAX)
		return -EINVAL;
	if (fd_count) {
		memset(&room, 0, sizeof(room));
		m.msg_control = &room;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		room.header.cmsg_level = SOL_SOCKET;
		room.header.cmsg_type = SCM_RIGHTS;
		room.header.cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(&room.header), fds, sizeof(int) * fd_count);
	}
	do
		r = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : r;
}

/* Takes the fds out of a received message; more than wanted are closed. */
static void take_fds(struct msghdr *m, int *ret_fds, unsigned *ret_fd_count)
{
	unsigned have = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		unsigned count;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		count = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		for (unsigned i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (ret_fds && have < SYS_FDS_MAX)
				ret_fds[have++] = fd;
			else
				(void)close(fd);
		}
	}
	if (ret_fd_count)
		*ret_fd_count = have;
}

ssize_t sys_receive(int fd, void *to, size_t n, int *ret_fds, unsigned *ret_fd_count)
{
	union fds_room room;
	struct iovec part = {.iov_base = to, .iov_len = n};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &room,
			   .msg_controllen = sizeof(room)};
	unsigned count = 0;
	ssize_t r;

	do
		r = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	take_fds(&m, ret_fds, &count);
	if (m.msg_flags & MSG_TRUNC) {
		for (unsigned i = 0; i < count; i++)
			(void)close(ret_fds[i]);
		return -EMSGSIZE;
	}
	if (ret_fd_count)
		*ret_fd_count = count;
	return r;
}

int sys_pass_credentials(int fd)
{
	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) < 0 ? -errno : 0;
}

/*
 * An accepted connection brings the sender's credentials with every datagram (PASSCRED), and there
 * is room for them alone: by them an empty datagram differs from the end, and the kernel tells of
 * fds by cutting them off.
 */
int sys_unread(int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} room;
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &room,
			   .msg_controllen = sizeof(room)};
	ssize_t n = recvmsg(fd, &m, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? SYS_UNREAD_NONE : SYS_UNREAD_GONE;
	if (m.msg_flags & MSG_CTRUNC)
		return SYS_UNREAD_FDS;
	return n > 0 || m.msg_controllen > 0 ? SYS_UNREAD_PLAIN : SYS_UNREAD_GONE;
}

int sys_shut(int fd)
{
	return shutdown(fd, SHUT_RDWR) < 0 ? -errno : 0;
}
