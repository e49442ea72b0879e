/* SPDX-License-Identifier: MIT */
/*
 * queue.c - the directory of groups: its lock, its list, its files; see run.h
 *
 * Shared by the boot's step and by whoever writes a group; nothing here touches what a group names.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "pending/run.h"
#include "sys/sys.h"

#define LOCK_STEP_MS 20u
#define LIST_BYTES   32768u
#define GROUP_ENDING ".group"

int pending_lock(int pending_dir)
{
	_close_ int fd = sys_open(pending_dir, PENDING_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	if (fd < 0)
		return fd;
	for (unsigned waited = 0; waited < PENDING_LOCK_MS; waited += LOCK_STEP_MS) {
		int r = sys_flock(fd, LOCK_EX | LOCK_NB);

		if (r == 0)
			return fd_take(fd);
		if (r != -EAGAIN && r != -EWOULDBLOCK)
			return r;
		sys_sleep_ms(LOCK_STEP_MS);
	}
	return -EBUSY;
}

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static bool group_id(const char *name, const char *ending, uint32_t *ret)
{
	uint32_t id = 0;

	for (unsigned i = 0; i < 8; i++) {
		const char c = name[i];

		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		id = id << 4 | (uint32_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret = id;
	return str_same(name + 8, ending);
}

static void insert(uint32_t *ids, uint32_t count, uint32_t id)
{
	uint32_t i = count;

	for (; i > 0 && ids[i - 1] > id; i--)
		ids[i] = ids[i - 1];
	ids[i] = id;
}

int pending_list_ending(int pending_dir, const char *ending, uint32_t *ret, uint32_t cap)
{
	static uint64_t room[LIST_BYTES / sizeof(uint64_t)];
	_close_ int list = sys_open(pending_dir, ".", O_RDONLY | O_DIRECTORY, 0);
	uint32_t count = 0;
	ssize_t n;

	if (list < 0)
		return list;
	while ((n = sys_list(list, room, sizeof(room))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct entry *e = (const struct entry *)((const char *)room + at);
			uint32_t id;

			at += e->bytes;
			if (!group_id(e->name, ending, &id))
				continue;
			if (count == cap)
				return -E2BIG;
			insert(ret, count++, id);
		}
	return n < 0 ? (int)n : (int)count;
}

int pending_list(int pending_dir, uint32_t *ret, uint32_t cap)
{
	return pending_list_ending(pending_dir, GROUP_ENDING, ret, cap);
}

/* Memory is taken for what says that it is this group, and is as long as it says. */
static int read_head(int fd, uint32_t id, struct group_header *ret)
{
	struct sys_stat st;
	ssize_t n;
	int r = sys_stat_fd(fd, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.mode) || st.size < sizeof(*ret) || st.size > GROUP_BYTES_MAX)
		return GROUP_WHY_FORM;
	n = sys_read_all(fd, ret, sizeof(*ret));
	if (n < 0)
		return (int)n;
	return (size_t)n == sizeof(*ret) &&
			       bytes_same(ret->magic, GROUP_MAGIC, sizeof(ret->magic)) &&
			       ret->id == id && ret->bytes == st.size
		       ? 0
		       : GROUP_WHY_FORM;
}

int pending_load(int pending_dir, uint32_t id, const struct group_header **ret)
{
	char name[GROUP_FILE_BYTES];
	struct group_header head;
	_close_ int fd = -1;
	size_t bytes;
	void *room;
	ssize_t n;
	int r;

	group_file_name(name, id, GROUP_ENDING);
	fd = sys_open(pending_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return fd == -ELOOP || fd == -ENXIO ? GROUP_WHY_FORM : fd;
	r = read_head(fd, id, &head);
	if (r < 0)
		return r;
	bytes = head.bytes;
	r = sys_scratch(bytes, &room);
	if (r < 0)
		return r;
	memcpy(room, &head, sizeof(head));
	n = sys_read_all(fd, (char *)room + sizeof(head), bytes - sizeof(head));
	if (n >= 0 && ((size_t)n != bytes - sizeof(head) || group_check(room, bytes, NULL) < 0))
		n = GROUP_WHY_FORM;
	if (n < 0) {
		sys_scratch_back(room, bytes);
		return (int)n;
	}
	*ret = room;
	return 0;
}

void pending_unload(const struct group_header *g)
{
	if (g)
		sys_scratch_back((void *)(uintptr_t)g, g->bytes);
}

/* Journals only grow, and a number that is free again comes back with another group. */
static int take_fingerprint(int dir, const uint32_t *ids, int count, struct pending_waits *ret)
{
	for (int i = 0; i < count; i++) {
		struct group_story s;
		int r = story_read(dir, ids[i], &s);

		if (r < 0)
			return r;
		ret->halfway += s.state == GROUP_BEGUN || s.state == GROUP_REVERTING;
		if (s.state != GROUP_QUEUED && s.state != GROUP_FAILED)
			continue;

		const uint64_t part[] = {(uint64_t)ids[i] << 32 | s.group_crc, s.end};

		ret->fingerprint = crc32c(ret->fingerprint, part, sizeof(part));
		ret->first = ret->groups++ ? ret->first : ids[i];
	}
	if (ret->groups && !ret->fingerprint)
		ret->fingerprint = 1;
	return 0;
}

int pending_fingerprint(int state, struct pending_waits *ret)
{
	struct pending_waits found = {0};
	_close_ int dir =
		sys_open(state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	void *ids;
	int r = dir == -ENOENT ? 0
		: dir < 0      ? dir
			       : sys_scratch(GROUPS_MAX * sizeof(uint32_t), &ids);

	if (dir >= 0 && r >= 0) {
		r = pending_list(dir, ids, GROUPS_MAX);
		if (r > 0)
			r = take_fingerprint(dir, ids, r, &found);
		sys_scratch_back(ids, GROUPS_MAX * sizeof(uint32_t));
	}
	if (r >= 0)
		*ret = found;
	return r < 0 ? r : 0;
}
