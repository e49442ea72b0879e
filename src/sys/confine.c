/* SPDX-License-Identifier: MIT */
/*
 * confine.c - the door to the kernel: what a session's programs are held to; see sys.h
 *
 * Only throwaway copies and csrss use these: each takes something from the process that calls it,
 * and from all its children, for good.
 */
#include "sys/sys.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Root's programs get what is inheritable, whatever the bounding set says. */
static int bound_inheritable(uint64_t keep)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct set[2];

	if (syscall(SYS_capget, &h, set) < 0)
		return -errno;
	set[0].inheritable &= (uint32_t)keep;
	set[1].inheritable &= (uint32_t)(keep >> 32);
	return syscall(SYS_capset, &h, set) < 0 ? -errno : 0;
}

int sys_bound_capabilities(uint64_t keep)
{
	for (unsigned bit = 0; bit < 64; bit++) {
		if (keep >> bit & 1)
			continue;
		if (prctl(PR_CAPBSET_DROP, bit, 0, 0, 0) < 0) {
			const int err = errno;

			if (err == EINVAL && prctl(PR_CAPBSET_READ, bit, 0, 0, 0) < 0)
				break; /* the kernel has no further ones */
			return -err;
		}
	}
	return bound_inheritable(keep);
}

int sys_get_limit(int resource, uint64_t *ret_hard)
{
	uint64_t both[2];

	if (syscall(SYS_prlimit64, 0, resource, NULL, both) < 0)
		return -errno;
	*ret_hard = both[1];
	return 0;
}

void sys_keep_to_ourselves(void)
{
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int sys_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int sys_set_xattr(const char *path, const char *name, const void *bytes, size_t n)
{
	return setxattr(path, name, bytes, n, 0) < 0 ? -errno : 0;
}

ssize_t sys_get_xattr(const char *path, const char *name, void *to, size_t n)
{
	ssize_t r = getxattr(path, name, to, n);

	return r < 0 ? -errno : r;
}
