/* SPDX-License-Identifier: MIT */
/*
 * host.c - memfds of the host inside the simulated kernel
 *
 * libhivex writes a file that it opens by its name in /proc, past the door. Such a file is memory
 * and no disk, so it may be a real one: opened here, under a number that is free in both kernels.
 * Nothing done to it is a point of a cut or can fail by the test's will.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inner.h"

#define FIRST 100 /* above what the test program has open itself */

static bool wanted;

bool host_memfds(void)
{
	return wanted;
}

void host_start(void)
{
	wanted = false;
}

void sim_host_memfds(bool on)
{
	wanted = on;
}

bool host_has(int fd)
{
	const struct desc *d = fd_desc(fd);

	return d && d->kind == DESC_HOST;
}

int host_memfd(const char *name)
{
	const int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int fd = made < 0 ? -1 : fcntl(made, F_DUPFD_CLOEXEC, FIRST);
	struct desc *d;

	if (fd < 0 || fd_desc(fd))
		abort();
	close(made);
	d = desc_new(DESC_HOST);
	d->host_fd = fd;
	return fd_install_at(fd_table_now(), (unsigned)fd, d);
}

void host_close(const struct desc *d)
{
	if (d->kind == DESC_HOST)
		close(d->host_fd);
}

int host_stat(int fd, struct sys_stat *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (struct sys_stat){.size = (uint64_t)st.st_size, .mode = st.st_mode, .nlink = 1};
	return 0;
}

ssize_t host_move(int fd, void *to, const void *from, size_t n, uint64_t at)
{
	const ssize_t r = to ? pread(fd, to, n, (off_t)at) : pwrite(fd, from, n, (off_t)at);

	return r < 0 ? -errno : r;
}
