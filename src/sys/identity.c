/* SPDX-License-Identifier: MIT */
/*
 * identity.c - who a file is, and which file system it lies on; part of the door (sys.h)
 *
 * One statx(2) says which inode this is and since when: inode number and birth time together name
 * an object across renames and reboots, and an inode number that was given out again has another
 * birth time. Where a file system keeps no birth times its file handle's generation stands in.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "sys/sys.h"

#define HANDLE_BYTES 128

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000u
#endif
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000u
#endif

/* A number made of the file handle; 0 when the file system gives none. */
static uint64_t handle_tag(int dir, const char *name)
{
	struct {
		unsigned bytes;
		int type;
		unsigned char f[HANDLE_BYTES];
	} h = {.bytes = HANDLE_BYTES};
	int mount;

	if (syscall(SYS_name_to_handle_at, dir, name, &h, &mount, *name ? 0 : AT_EMPTY_PATH) < 0)
		return 0;
	return (uint64_t)crc32c(0, h.f, h.bytes) << 32 | crc32c(~0u, h.f, h.bytes);
}

int sys_identify(int dir, const char *name, struct sys_identity *ret)
{
	struct statx x;
	long r = syscall(SYS_statx, dir, name, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH),
			 STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID, &x);

	if (r < 0)
		return -errno;
	*ret = (struct sys_identity){.mount = x.stx_mnt_id,
				     .dev = (uint64_t)x.stx_dev_major << 32 | x.stx_dev_minor,
				     .ino = x.stx_ino,
				     .bytes = x.stx_size,
				     .mode = x.stx_mode,
				     .links = x.stx_nlink};
	if (x.stx_mask & STATX_BTIME)
		ret->tag = (uint64_t)x.stx_btime.tv_sec * 1000000000u + x.stx_btime.tv_nsec;
	else
		ret->tag = handle_tag(dir, name);
	if (x.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND))
		ret->flags |= SYS_IDENTITY_FIXED;
	if (*name && x.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		ret->flags |= SYS_IDENTITY_MOUNT;
	return 0;
}

struct ext4_uuid {
	uint32_t bytes, flags;
	uint8_t uuid[16];
};
#define EXT4_GET_UUID _IOR('f', 44, uint64_t) /* its size counts the first two fields only */

struct btrfs_info { /* BTRFS_IOC_FS_INFO, of which only the fsid is wanted */
	uint64_t max_id, devices;
	uint8_t fsid[16];
	uint8_t rest[992];
};
#define BTRFS_GET_INFO _IOR(0x94, 31, struct btrfs_info)

struct xfs_geometry { /* XFS_IOC_FSGEOMETRY_V1 */
	uint32_t sizes[8];
	uint64_t blocks[4];
	uint8_t uuid[16];
	uint32_t rest[7];
};
#define XFS_GET_GEOMETRY _IOR('X', 100, struct xfs_geometry)

int sys_fs_id(int fd, uint8_t ret[16])
{
	struct ext4_uuid ext4 = {.bytes = sizeof(ext4.uuid)};
	struct btrfs_info btrfs = {0};
	struct xfs_geometry xfs = {0};
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return -errno;
	memset(ret, 0, 16);
	if (st.f_type == 0xEF53 && ioctl(fd, EXT4_GET_UUID, &ext4) == 0)
		memcpy(ret, ext4.uuid, 16);
	else if (st.f_type == 0x9123683E && ioctl(fd, BTRFS_GET_INFO, &btrfs) == 0)
		memcpy(ret, btrfs.fsid, 16);
	else if (st.f_type == 0x58465342 && ioctl(fd, XFS_GET_GEOMETRY, &xfs) == 0)
		memcpy(ret, xfs.uuid, 16);
	else { /* what is left: type and the kernel's own number of it */
		memcpy(ret, &st.f_fsid, 8);
		memcpy(ret + 8, &st.f_type, 8);
	}
	return 0;
}
