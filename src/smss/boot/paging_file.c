/* SPDX-License-Identifier: MIT */
/*
 * paging_file.c - making one paging file, see paging.h
 *
 * No holes, no copy on write, mode 0600, root's, in a directory that only root can write. What is
 * on the disk is believed after it was checked: owner, mode, links, allocation, header.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "smss/boot/boot.h"
#include "smss/boot/paging.h"
#include "smss/boot/swapfile.h"
#include "sys/sys.h"

#define FS_EXT     0xEF53u
#define FS_XFS     0x58465342u
#define FS_BTRFS   0x9123683Eu
#define READ_ONLY  1u
#define FLAG_NOCOW 0x00800000u
#define CHUNK      16384u

/* clang-format off */
static const struct {
	uint64_t type;
	const char *name;
} others[] = {
	{ 0x01021994, "tmpfs" },    { 0x858458f6, "ramfs" },	 { 0x794c7630, "overlay" },
	{ 0x00006969, "nfs" },	    { 0xff534d42, "cifs" },	 { 0xfe534d42, "smb2" },
	{ 0x01021997, "9p" },	    { 0x65735546, "fuse" },	 { 0x73717368, "squashfs" },
	{ 0xe0f5e1e2, "erofs" },    { 0x00004d44, "vfat" },	 { 0x2011bab0, "exfat" },
	{ 0x2fc12fc1, "zfs" },	    { 0xf2f52010, "f2fs" },	 { 0xca451a4e, "bcachefs" },
	{ 0x9660, "iso9660" },
};
/* clang-format on */

static const char *refused = "";

const char *paging_refused_name(void)
{
	return refused;
}

struct place {
	int dir;
	const char *name; /* last component of the wish's path */
	char temp[256];
	struct sys_statfs fs;
};

static int check_volume(const struct place *p)
{
	if (p->fs.flags & READ_ONLY)
		return -EROFS;
	if (p->fs.type == FS_EXT || p->fs.type == FS_XFS || p->fs.type == FS_BTRFS)
		return 0;
	refused = "a file system that is not known to hold one";
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (others[i].type == p->fs.type)
			refused = others[i].name;
	return -EMEDIUMTYPE;
}

/* The directory, opened and judged. The caller closes ret->dir, also after a failure. */
static int find_place(const char *path, struct place *ret)
{
	const char *name = strrchr(path, '/') + 1;
	char parent[PATH_BYTES];
	struct text t = TEXT_ON(parent), temp = TEXT_ON(ret->temp);
	struct sys_stat st;
	int r;

	text_add_n(&t, path, name > path + 1 ? (size_t)(name - path) - 1 : 1);
	text_add(text_add(&temp, name), ".new");
	if (t.cut || temp.cut || !*name)
		return -EINVAL;
	ret->name = name;
	ret->dir = sys_walk(parent, O_RDONLY | O_DIRECTORY);
	if (ret->dir < 0)
		return ret->dir;
	r = sys_stat_fd(ret->dir, &st);
	if (r >= 0)
		r = sys_statfs_fd(ret->dir, &ret->fs);
	if (r < 0)
		return r;
	if (!boot_owned(&st))
		return -EACCES;
	return check_volume(ret);
}

/* What is there already: 1 = a good paging file of st->size, 0 = a plain file, -ENOENT, -EEXIST. */
static int judge_old(const struct place *p, struct sys_stat *st)
{
	uint8_t page[SWAP_PAGE_BYTES];
	unsigned flags = 0;
	_close_ int fd = sys_open(p->dir, p->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return fd == -ENOENT ? fd : fd == -ELOOP ? -EEXIST : fd;
	r = sys_stat_fd(fd, st);
	if (r < 0)
		return r;
	if (!S_ISREG(st->mode))
		return -EEXIST;
	if ((st->mode & 07777) != 0600 || st->uid || st->nlink != 1 ||
	    st->blocks * 512 < st->size || st->size % SWAP_PAGE_BYTES ||
	    st->size < 10 * SWAP_PAGE_BYTES)
		return 0;
	if (p->fs.type == FS_BTRFS && (sys_get_flags(fd, &flags) < 0 || !(flags & FLAG_NOCOW)))
		return 0;
	if (sys_pread(fd, page, sizeof(page), 0) != (ssize_t)sizeof(page))
		return 0;
	return swapfile_good(page, st->size);
}

static int write_zeros(int fd, uint64_t bytes)
{
	/* never written to; not const, so that its bytes take no room in the image */
	static uint8_t zeros[CHUNK];

	for (uint64_t at = 0; at < bytes;) {
		const uint64_t left = bytes - at;
		ssize_t n = sys_pwrite(fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros), at);

		if (n <= 0)
			return n < 0 ? (int)n : -EIO;
		at += (uint64_t)n;
	}
	return 0;
}

/* Every block of the file, by the file system or by writing; less of them when the volume is full.
 */
static int fill(int fd, uint64_t want, uint64_t *ret_bytes)
{
	for (uint64_t bytes = want;;) {
		int r = sys_allocate(fd, bytes);

		if (r == -EOPNOTSUPP || r == -ENOSYS)
			r = write_zeros(fd, bytes);
		if (r >= 0) {
			*ret_bytes = bytes;
			return 0;
		}
		if (r != -ENOSPC && r != -EDQUOT)
			return r;
		if (bytes < SWAPFILE_FLOOR + SWAPFILE_STEP)
			return -ENOSPC;
		bytes -= SWAPFILE_STEP;
		r = sys_truncate(fd, 0);
		if (r < 0)
			return r;
	}
}

static int prepare_empty(const struct place *p, int fd)
{
	unsigned flags;
	int r = sys_chmod(fd, 0600); /* whatever the umask took away */

	if (r < 0 || p->fs.type != FS_BTRFS)
		return r;
	r = sys_get_flags(fd, &flags);
	return r < 0 ? r : sys_set_flags(fd, flags | FLAG_NOCOW); /* only works while it is empty */
}

static int write_header(int fd, uint64_t bytes)
{
	uint8_t page[SWAP_PAGE_BYTES], uuid[16];
	int r = sys_random(uuid, sizeof(uuid));

	if (r < 0)
		return r;
	swapfile_header(bytes, uuid, page);
	if (sys_pwrite(fd, page, sizeof(page), 0) != (ssize_t)sizeof(page))
		return -EIO;
	return sys_fsync(fd);
}

/* The new file in full under its temporary name. */
static int make_temp(const struct place *p, uint64_t want, uint64_t *ret_bytes)
{
	_close_ int fd = sys_open(p->dir, p->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	struct sys_stat st;
	int r;

	if (fd < 0)
		return fd;
	r = prepare_empty(p, fd);
	if (r >= 0)
		r = fill(fd, want, ret_bytes);
	if (r >= 0)
		r = write_header(fd, *ret_bytes);
	if (r >= 0)
		r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	return st.blocks * 512 < st.size ? -EIO : 0; /* holes: a swap file may have none */
}

static int make_anew(const struct place *p, uint64_t want, bool remove_old, uint64_t *ret_bytes)
{
	int r = sys_unlink(p->dir, p->temp, 0); /* what a cut left behind */

	if (r < 0 && r != -ENOENT)
		return r;
	/* A paging file's content is worth nothing, its room is: so the old one goes first. */
	r = remove_old ? sys_unlink(p->dir, p->name, 0) : 0;
	if (r >= 0)
		r = make_temp(p, want, ret_bytes);
	if (r >= 0)
		r = sys_rename(p->dir, p->temp, p->dir, p->name, 1 /* RENAME_NOREPLACE */);
	if (r < 0) {
		(void)!sys_unlink(p->dir, p->temp, 0);
		return r;
	}
	return sys_fsync(p->dir);
}

static int make_at(const struct place *p, const struct paging_wish *wish, struct paging_made *ret)
{
	struct sys_stat old = {0};
	const int state = judge_old(p, &old);
	struct swapfile_room room = {
		.ram = sys_memory_bytes(),
		.volume = p->fs.blocks * p->fs.block_bytes,
		.free = p->fs.blocks_avail * p->fs.block_bytes,
		.old = state >= 0 ? old.blocks * 512 : 0,
	};
	uint64_t want;

	if (state < 0 && state != -ENOENT)
		return state;
	want = swapfile_size(&room, wish->min_mib, wish->max_mib);
	if (state == 1 && !wish->never_keep &&
	    (!want || swapfile_keeps(old.size, want, wish->min_mib, wish->max_mib))) {
		ret->bytes = old.size;
		ret->kept = true;
		return 0;
	}
	if (!want)
		return -ENOSPC;
	ret->kept = false;
	return make_anew(p, want, state >= 0, &ret->bytes);
}

int paging_make(const struct paging_wish *wish, struct paging_made *ret)
{
	struct place p = {.dir = -1};
	struct paging_made made = {0};
	int r = find_place(wish->path, &p);

	if (r >= 0)
		r = make_at(&p, wish, &made);
	sys_closep(&p.dir);
	if (r < 0)
		return r;
	if (!str_copy(made.path, sizeof(made.path), wish->path))
		return -ENAMETOOLONG;
	*ret = made;
	return 0;
}

int paging_volumes_open(struct paging_volumes *ret)
{
	struct paging_volumes v = {0};
	_close_ int fd = -1;
	void *room;
	ssize_t n;
	int r = sys_scratch(MOUNTS_BYTES + 1, &room);

	if (r < 0)
		return r;
	v.mounts = v.at = room; /* zeroed: ends with a NUL whatever is read */
	*ret = v;
	fd = sys_open(AT_FDCWD, "/proc/self/mounts", O_RDONLY, 0);
	if (fd < 0)
		return 0; /* without /proc there is still the root */
	n = sys_read_all(fd, room, MOUNTS_BYTES);
	return n < 0 ? (int)n : 0;
}

/* One word of a mounts line, blanks in it being written as \040. */
static void take_word(char **at, char *ret, size_t cap)
{
	size_t n = 0;
	char *p = *at;

	while (*p && *p != ' ' && *p != '\n') {
		char c = *p++;

		if (c == '\\' && p[0] >= '0' && p[0] <= '3' && p[1] && p[2]) {
			c = (char)((p[0] - '0') << 6 | (p[1] - '0') << 3 | (p[2] - '0'));
			p += 3;
		}
		if (n + 1 < cap)
			ret[n++] = c;
	}
	ret[n] = 0;
	*at = *p == ' ' ? p + 1 : p;
}

static bool for_booting(const char *path)
{
	return str_starts(path, "/boot") || str_starts(path, "/efi");
}

int paging_volumes_next(struct paging_volumes *v, struct text *ret)
{
	char device[PATH_BYTES], path[PATH_BYTES], type[32];

	if (!v->root_given) {
		v->root_given = true;
		text_add(ret, "/");
		return 1;
	}
	while (*v->at) {
		take_word(&v->at, device, sizeof(device));
		take_word(&v->at, path, sizeof(path));
		take_word(&v->at, type, sizeof(type));
		v->at += strcspn(v->at, "\n");
		v->at += *v->at == '\n';
		if (str_same(path, "/") || for_booting(path) || device[0] != '/')
			continue;
		if (!str_starts(type, "ext") && !str_same(type, "xfs") && !str_same(type, "btrfs"))
			continue;
		text_add(ret, path);
		return 1;
	}
	return 0;
}
