/* SPDX-License-Identifier: MIT */
/*
 * fds.c - the simulated kernel's fds: numbers, descriptions, who holds them
 *
 * An fd is a reference to a description, as in a kernel: children inherit descriptions, datagrams
 * carry them, and a description goes when nobody holds it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

static struct desc *descs;
static void *scratches[64];
static unsigned scratch_count;

struct desc *descs_all(void)
{
	return descs;
}

struct desc *desc_new(enum desc_kind kind)
{
	struct desc *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->kind = kind;
	d->refs = 1;
	d->next = descs;
	descs = d;
	return d;
}

static void datagrams_free(struct desc *d)
{
	while (d->first) {
		struct datagram *g = d->first;

		d->first = g->next;
		for (unsigned i = 0; i < g->desc_count; i++)
			desc_put(g->descs[i]);
		free(g->bytes);
		free(g);
	}
	d->last = NULL;
	d->queued = 0;
}

static void desc_free(struct desc *d)
{
	struct desc **p = &descs;

	while (*p != d)
		p = &(*p)->next;
	*p = d->next;
	free(d->interests);
	free(d);
}

void desc_put(struct desc *d)
{
	if (--d->refs)
		return;
	d->refs = 1; /* stays in one piece while what it holds is given back */
	epoll_forget(d);
	datagrams_free(d);
	for (unsigned i = 0; i < d->backlog_count; i++)
		desc_put(d->backlog[i]);
	if (d->peer) {
		d->peer->peer_gone = true;
		d->peer->peer = NULL;
	}
	if (d->kind == DESC_NODE && d->node->lock == d)
		d->node->lock = NULL;
	if (d->kind == DESC_LISTENER && d->node)
		d->node->listener = NULL;
	host_close(d);
	desc_free(d);
}

void descs_stop(void)
{
	while (descs) {
		struct desc *d = descs;

		while (d->first) {
			struct datagram *g = d->first;

			d->first = g->next;
			free(g->bytes);
			free(g);
		}
		host_close(d);
		desc_free(d);
	}
	while (scratch_count)
		free(scratches[--scratch_count]);
}

struct desc *fd_desc(int fd)
{
	struct fd_table *t = fd_table_now();

	return fd >= 0 && (unsigned)fd < t->room ? t->at[fd] : NULL;
}

int fd_install_at(struct fd_table *t, unsigned at, struct desc *d)
{
	if (at >= FDS_MAX) {
		desc_put(d);
		return -EMFILE;
	}
	if (at >= t->room) {
		unsigned room = t->room ? t->room : 16;

		while (room <= at)
			room *= 2;
		t->at = realloc(t->at, room * sizeof(*t->at));
		if (!t->at)
			abort();
		memset(t->at + t->room, 0, (room - t->room) * sizeof(*t->at));
		t->room = room;
	}
	if (t->at[at])
		desc_put(t->at[at]);
	t->at[at] = d;
	return (int)at;
}

int fd_install(struct desc *d)
{
	struct fd_table *t = fd_table_now();
	unsigned at = 0;

	while (at < t->room && t->at[at])
		at++;
	return fd_install_at(t, at, d);
}

void fd_table_clear(struct fd_table *t)
{
	for (unsigned i = 0; i < t->room; i++)
		if (t->at[i])
			desc_put(t->at[i]);
	free(t->at);
	*t = (struct fd_table){0};
}

int sys_close(int fd)
{
	struct fd_table *t = fd_table_now();

	door_call();
	if (!fd_desc(fd))
		return -EBADF;
	desc_put(t->at[fd]);
	t->at[fd] = NULL;
	return 0;
}

void sys_closep(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

int sys_close_from(unsigned first)
{
	struct fd_table *t = fd_table_now();

	for (unsigned i = first; i < t->room; i++) {
		if (t->at[i])
			desc_put(t->at[i]);
		t->at[i] = NULL;
	}
	return 0;
}

int sys_dup_to(int from, int to)
{
	struct desc *d = fd_desc(from);

	if (!d || to < 0)
		return -EBADF;
	if (from == to)
		return to;
	d->refs++;
	return fd_install_at(fd_table_now(), (unsigned)to, d);
}

int sys_keep_fd(int fd)
{
	return fd_desc(fd) ? 0 : -EBADF;
}

int sys_set_blocking(int fd, bool blocking)
{
	struct desc *d = fd_desc(fd);

	if (!d)
		return -EBADF;
	d->nonblock = !blocking;
	return 0;
}

int sys_scratch(size_t n, void **ret)
{
	if (scratch_count == sizeof(scratches) / sizeof(scratches[0]))
		return -ENOMEM;
	scratches[scratch_count] = calloc(1, n);
	*ret = scratches[scratch_count++];
	return 0;
}

void sys_scratch_back(void *room, size_t n)
{
	for (unsigned i = 0; room && i < scratch_count; i++)
		if (scratches[i] == room) {
			scratches[i] = scratches[--scratch_count];
			free(room);
			return;
		}
	if (room)
		sim_wrong("memory is given back that was not taken");
}
