/* SPDX-License-Identifier: MIT */
/*
 * staged.c - removes copies that no group wants; see staged.h
 *
 * Never follows a link, touches nothing but a directory of ours named by the number of a group, and
 * leaves the note that led here until everything it names is gone.
 */
#include "pending/staged.h"

#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/file.h>

#include "base/text.h"
#include "pending/ground.h"
#include "pending/purge.h"
#include "pending/run.h"
#include "sys/sys.h"

#define NO_LINKS (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

int staged_remove(int root, const char *mount, uint32_t id, uint64_t until_ns)
{
	char name[GROUP_FILE_BYTES];
	_close_ int top = sys_open_beneath(root, mount[1] ? mount + 1 : ".", O_RDONLY | O_DIRECTORY,
					   0, NO_LINKS);
	_close_ int ours = top < 0 ? top : ground_step_into(top, GRAVEYARD_FS, false);
	_close_ int staged = ours < 0 ? ours : ground_step_into(ours, STAGED, false);
	_close_ int copies = -1;
	int r;

	group_file_name(name, id, "");
	copies = staged < 0 ? staged : ground_step_into(staged, name, false);
	if (copies < 0)
		return copies == -ENOENT ? 0 : copies;
	r = graveyard_empty(copies, until_ns);
	if (r >= 0)
		r = sys_unlink(staged, name, AT_REMOVEDIR);
	return r < 0 ? r : sys_fsync(staged);
}

int staged_untouched(int root, const struct group_header *group)
{
	for (uint32_t i = 0; i < group->ops.count; i++) {
		const struct group_op *o = group_op(group, i);
		const struct group_place *p = group_place(group, o->from);
		struct sys_identity id;
		_close_ int dir = -1;
		int r;

		if (!(o->flags & GROUP_STAGED))
			continue;
		/* a path of copies is never "/" */
		dir = sys_open_beneath(root,
				       group_string(group, group_dir(group, p->dir)->path) + 1,
				       O_RDONLY | O_DIRECTORY, 0, NO_LINKS);
		r = dir < 0 ? dir : sys_identify(dir, group_string(group, p->name), &id);
		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		if (id.ino != o->ino || id.tag != o->tag)
			return 0;
	}
	return 1;
}

/* Every mount point that the note names. */
static int remove_noted(int root, int note, uint32_t id, uint64_t until_ns)
{
	static char room[MAKING_BYTES];
	ssize_t n = sys_read_all(note, room, sizeof(room));
	int worst = n < 0 ? (int)n : 0;

	for (ssize_t at = 0; at < n;) {
		const char *mount = room + at;
		const size_t length = str_len(mount, (size_t)(n - at));
		int r;

		at += (ssize_t)length + 1;
		if (at > n || mount[0] != '/') /* torn: its writer had copied nothing yet */
			break;
		r = staged_remove(root, mount, id, until_ns);
		worst = r < 0 ? r : worst;
	}
	return worst;
}

/* With a group of that number its copies are wanted; only the note is left over. */
static bool group_is_there(int dir, uint32_t id)
{
	char name[GROUP_FILE_BYTES];
	struct sys_stat st;

	group_file_name(name, id, ".group");
	return sys_stat_at(dir, name, AT_SYMLINK_NOFOLLOW, &st) != -ENOENT;
}

static int sweep_one(int dir, int root, uint32_t id, uint64_t until_ns)
{
	char name[GROUP_FILE_BYTES];
	_close_ int note = -1;
	int r;

	group_file_name(name, id, PENDING_MAKING);
	note = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (note < 0)
		return note == -ENOENT ? 0 : note;
	if (sys_flock(note, LOCK_EX | LOCK_NB) < 0)
		return 0; /* it is at work */
	r = group_is_there(dir, id) ? 0 : remove_noted(root, note, id, until_ns);
	if (r >= 0)
		r = sys_unlink(dir, name, 0);
	return r < 0 ? r : sys_fsync(dir);
}

int staged_sweep(int dir, int root, uint64_t until_ns)
{
	static uint32_t ids[GROUPS_MAX];
	const int count = pending_list_ending(dir, PENDING_MAKING, ids, GROUPS_MAX);
	int worst = count < 0 ? count : 0;

	for (int i = 0; i < count; i++) {
		int r = sweep_one(dir, root, ids[i], until_ns);

		worst = r < 0 ? r : worst;
	}
	return worst;
}
