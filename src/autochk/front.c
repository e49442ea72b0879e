/* SPDX-License-Identifier: MIT */
/*
 * front.c - what the front image has in place of libmount and libblkid: a way to the whole one
 *
 * See front.h. When the whole image is missing the front goes on with -ELIBACC, which is reported,
 * and / is still looked after.
 */
#include "autochk/front.h"

#include <errno.h>
#include <unistd.h>

#include "autochk/mounts.h"
#include "autochk/probe.h"
#include "base/limits.h"
#include "base/text.h"
#include "sys/sys.h"

#define SUFFIX "-full"

static char **arguments;

/* The image beside ours. Returns only when it cannot be started. */
static int become_whole(void)
{
	char path[PATH_BYTES];
	ssize_t n = sys_readlink(AT_FDCWD, "/proc/self/exe", path, sizeof(path) - sizeof(SUFFIX));

	if (n < 0)
		return (int)n;
	path[n] = 0;
	if (!str_copy(path + n, sizeof(SUFFIX), SUFFIX))
		return -ENAMETOOLONG;
	execve(path, arguments, environ);
	return -ELIBACC;
}

void front_start(char **argv, bool whole)
{
	arguments = argv;
	if (whole)
		(void)become_whole();
}

bool mounts_load(void)
{
	return false;
}

int mounts_read_fstab(const char *path, void (*on_wrong)(const char *path, int line),
		      struct volumes *ret)
{
	(void)path;
	(void)on_wrong;
	ret->count = 0; /* what the quick reader left behind when it gave up */
	return become_whole();
}

int mounts_resolve(const char *source, char *ret_device, size_t cap)
{
	if (source[0] != '/')
		return -ELIBACC;
	return str_copy(ret_device, cap, source) ? 0 : -ENAMETOOLONG;
}

int mounts_mount(const struct volume *v, bool read_only, bool remount, char *ret_text)
{
	(void)v;
	(void)read_only;
	(void)remount;
	*ret_text = 0;
	return -ELIBACC;
}

int probe_device(int fd, const char *hint, struct probe *ret)
{
	uint8_t start[PROBE_BYTES];
	int r = probe_quick(fd, hint, start, ret);

	return r == -ENOENT ? become_whole() : r;
}
