/* SPDX-License-Identifier: MIT */
/*
 * confine.c - the door to the kernel: what a session's programs are held to; see sys.h
 *
 * Only throwaway copies and csrss use these: each takes something from the process that calls it,
 * and from all its children, for good.
 */
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
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

/* In a child that may borrow our memory: nothing is written but the stack. */
int sys_hold(const struct sys_hold *to)
{
	int r = 0;

	for (unsigned i = 0; i < 16; i++) {
		const uint64_t both[2] = {to->limit[i], to->limit[i]};

		if (to->limits >> i & 1 && syscall(SYS_prlimit64, 0, i, both, NULL) < 0)
			return -errno;
	}
	if (to->masked)
		(void)umask(to->umask);
	if (to->bound)
		r = sys_bound_capabilities(to->capabilities);
	if (r == 0 && to->no_new_privs)
		r = sys_no_new_privs();
	return r;
}

/* Mounted on itself, so that it can be told apart; then that mount and all below it. */
int sys_read_only(const char *path)
{
	/* the kernel's struct mount_attr and names, which not every libc has */
	const struct {
		uint64_t set, clear, propagation, user_namespace;
	} only_read = {.set = 1 /* MOUNT_ATTR_RDONLY */, .propagation = MS_PRIVATE};

	if (syscall(SYS_mount, path, path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return syscall(SYS_mount_setattr, AT_FDCWD, path, 0x8000 /* AT_RECURSIVE */, &only_read,
		       sizeof(only_read)) < 0
		       ? -errno
		       : 0;
}

int sys_hold_proc(void)
{
	static const char *const machine[] = {
		"/proc/sys",  "/proc/sysrq-trigger", "/proc/irq",  "/proc/bus",
		"/proc/fs",   "/proc/acpi",          "/proc/scsi", "/proc/driver",
		"/proc/mtrr", "/proc/dynamic_debug", "/proc/tty",  "/proc/latency_stats",
	};

	for (size_t i = 0; i < sizeof(machine) / sizeof(machine[0]); i++) {
		int r = sys_read_only(machine[i]);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
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

int sys_step_back(void)
{
	return setpriority(PRIO_PROCESS, 0, 19) < 0 ? -errno : 0;
}
