/* SPDX-License-Identifier: MIT */
/*
 * socket.c - the simulated kernel's SEQPACKET sockets, with descriptors in flight
 *
 * A datagram is whole or is not; a full queue answers -EAGAIN; what a closed side left behind can
 * still be read; a listener hands out connections with their peer's identity.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

int sys_socketpair(int ret_fds[2])
{
	struct desc *a = desc_new(DESC_SOCKET), *b = desc_new(DESC_SOCKET);
	int x, y;

	door_call();
	a->peer = b;
	b->peer = a;
	x = fd_install(a);
	y = fd_install(b);
	if (x < 0 || y < 0)
		return -EMFILE;
	ret_fds[0] = x;
	ret_fds[1] = y;
	return 0;
}

int sys_pipe(int ret_fds[2])
{
	return sys_socketpair(ret_fds);
}

int sys_listen(const char *path, unsigned mode)
{
	struct desc *d;
	struct node *n;

	door_call();
	sim_make_file(path, "", 0, mode);
	n = path_node(path);
	if (!n)
		return -ENOENT;
	d = desc_new(DESC_LISTENER);
	d->node = n;
	n->listener = d;
	return fd_install(d);
}

int sys_connect(const char *path)
{
	struct node *n = path_node(path);
	struct desc *l = n ? n->listener : NULL;
	struct desc *a, *b;

	door_call();
	if (!l)
		return n ? -ECONNREFUSED : -ENOENT;
	if (l->backlog_count == 16)
		return -EAGAIN;
	a = desc_new(DESC_SOCKET);
	b = desc_new(DESC_SOCKET);
	a->peer = b;
	b->peer = a;
	b->cred = (struct sys_peer){.pid = process_now()->p.pid};
	l->backlog[l->backlog_count++] = b;
	return fd_install(a);
}

int sys_accept(int listener, struct sys_peer *ret)
{
	struct desc *l = fd_desc(listener), *d;

	door_call();
	if (!l || l->kind != DESC_LISTENER)
		return -EBADF;
	if (!l->backlog_count)
		return -EAGAIN;
	d = l->backlog[0];
	memmove(l->backlog, l->backlog + 1, --l->backlog_count * sizeof(*l->backlog));
	d->nonblock = true;
	*ret = d->cred;
	return fd_install(d);
}

ssize_t sys_send(int fd, const void *from, size_t n, const int *fds, unsigned fd_count)
{
	struct desc *d = fd_desc(fd);
	struct datagram *g;

	door_call();
	if (!d || d->kind != DESC_SOCKET)
		return -EBADF;
	if (d->peer_gone || !d->peer)
		return -EPIPE;
	if (d->peer->queued >= SOCKET_QUEUE)
		return -EAGAIN;
	if (fd_count > SYS_FDS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < fd_count; i++)
		if (!fd_desc(fds[i]))
			return -EBADF;
	g = calloc(1, sizeof(*g));
	g->bytes = malloc(n + 1);
	memcpy(g->bytes, from, n);
	g->n = n;
	for (unsigned i = 0; i < fd_count; i++) {
		g->descs[i] = fd_desc(fds[i]);
		g->descs[i]->refs++;
	}
	g->desc_count = fd_count;
	if (d->peer->last)
		d->peer->last->next = g;
	else
		d->peer->first = g;
	d->peer->last = g;
	d->peer->queued++;
	if (process_now()->p.pid == 1)
		message_arrived(d->peer);
	return (ssize_t)n;
}

static void take_fds(struct datagram *g, int *ret_fds, unsigned *ret_fd_count)
{
	unsigned count = 0;

	for (unsigned i = 0; i < g->desc_count; i++) {
		int fd = ret_fds ? fd_install(g->descs[i]) : -1;

		if (!ret_fds)
			desc_put(g->descs[i]);
		else if (fd >= 0)
			ret_fds[count++] = fd;
	}
	if (ret_fd_count)
		*ret_fd_count = count;
}

ssize_t sys_receive(int fd, void *to, size_t n, int *ret_fds, unsigned *ret_fd_count)
{
	struct desc *d = fd_desc(fd);
	struct datagram *g;
	ssize_t r;

	door_call();
	if (!d || d->kind != DESC_SOCKET)
		return -EBADF;
	g = d->first;
	if (!g) {
		if (!d->peer_gone)
			return -EAGAIN;
		if (ret_fd_count)
			*ret_fd_count = 0;
		return 0;
	}
	d->first = g->next;
	if (!d->first)
		d->last = NULL;
	d->queued--;
	r = g->n > n ? -EMSGSIZE : (ssize_t)g->n;
	if (r >= 0)
		memcpy(to, g->bytes, g->n);
	take_fds(g, r >= 0 ? ret_fds : NULL, ret_fd_count);
	free(g->bytes);
	free(g);
	return r;
}

/* ---- the test's hand ---- */

int sim_process_send(int pid, const void *bytes, size_t n, const int *fds, unsigned fd_count)
{
	const int was = sim_as(pid);
	ssize_t r = sys_send(3, bytes, n, fds, fd_count);

	for (unsigned i = 0; i < fd_count; i++)
		sys_close(fds[i]);
	sim_as(was);
	return r < 0 ? (int)r : 0;
}

int sim_process_sealed(int pid, const void *bytes, size_t n)
{
	const int was = sim_as(pid);
	int fd = sys_memfd("script");

	if (fd >= 0) {
		content_write(fd_desc(fd)->node, 0, bytes, n);
		fd_desc(fd)->node->sealed = true;
	}
	sim_as(was);
	return fd;
}

int sys_unread(int fd)
{
	const struct desc *d = fd_desc(fd);

	door_call();
	if (!d || d->kind != DESC_SOCKET)
		return SYS_UNREAD_GONE;
	if (!d->first)
		return d->peer_gone ? SYS_UNREAD_GONE : SYS_UNREAD_NONE;
	return d->first->desc_count ? SYS_UNREAD_FDS : SYS_UNREAD_PLAIN;
}

int sys_shut(int fd)
{
	return 0;
}

int sys_peer_groups(int fd, uint32_t *ret, unsigned max)
{
	return 0;
}

int sys_peer_of(int fd, struct sys_peer *ret)
{
	const struct desc *d = fd_desc(fd);

	if (!d || d->kind != DESC_SOCKET)
		return -ENOTSOCK;
	*ret = d->cred;
	return 0;
}

int sys_pass_credentials(int fd)
{
	return 0;
}
