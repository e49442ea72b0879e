/* SPDX-License-Identifier: MIT */
/*
 * purge.c - which groups keep what they replaced, and which give it up; see purge.h
 *
 * The lock is held while it is decided and noted, not while files are removed: what was noted as
 * purged nobody wants any more. A group's things file goes last, so that what a cut or a file
 * system that is away left behind is found again.
 */
#include "pending/purge.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "pending/ground.h"
#include "pending/run.h"
#include "pending/staged.h"
#include "state/state.h"
#include "sys/sys.h"

#define DAY_S   86400u
#define THINGS  ".things"
#define GROUP   ".group"
#define JOURNAL ".journal"

struct purging {
	const struct pending_purge *p;
	int dir;
	uint32_t ids[GROUPS_MAX];
	bool wanted[GROUPS_MAX]; /* a queued group takes it back */
	bool dead[GROUPS_MAX];   /* its things are to go */
	uint32_t count, kept, ended;
	uint64_t bytes, now_s;
};

/* 1, 0 or -errno: what cannot be looked at is not gone. */
static int is_there(int dir, uint32_t id, const char *ending)
{
	struct sys_stat st;
	char name[GROUP_FILE_BYTES];
	int r;

	group_file_name(name, id, ending);
	r = sys_stat_at(dir, name, AT_SYMLINK_NOFOLLOW, &st);
	return r >= 0 ? 1 : r == -ENOENT ? 0 : r;
}

static int drop(int dir, uint32_t id, const char *ending)
{
	char name[GROUP_FILE_BYTES];
	int r;

	group_file_name(name, id, ending);
	r = sys_unlink(dir, name, 0);
	return r == -ENOENT ? 0 : r < 0 ? r : sys_fsync(dir);
}

/*
 * A queued undo wants the originals of its group. The header is enough to know which one; a group
 * that cannot be read just now may be one, so nothing is purged then.
 */
static int hold_wanted(struct purging *w, uint32_t i)
{
	char name[GROUP_FILE_BYTES];
	struct group_header head;
	_close_ int fd = -1;
	ssize_t n;

	group_file_name(name, w->ids[i], GROUP);
	fd = sys_open(w->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	n = fd < 0 ? fd : sys_read_all(fd, &head, sizeof(head));
	if (n < 0) /* what is no file is no group */
		return n == -ENOENT || n == -ELOOP || n == -EISDIR || n == -ENXIO ? 0 : (int)n;
	if (n != (ssize_t)sizeof(head) || !(head.flags & GROUP_REVERSE))
		return 0;
	for (uint32_t k = 0; k < w->count; k++)
		if (w->ids[k] == head.of)
			w->wanted[k] = true;
	return 0;
}

/* Every file system that a directory of the group still leads to is known then. */
static void meet_all(struct ground *g)
{
	for (uint32_t i = 0; i < g->group->dirs.count; i++)
		if (!g->fs[group_dir(g->group, i)->fs].known)
			(void)!ground_dir(g, i, NO_PLACE);
}

static uint64_t kept_bytes(struct purging *w, uint32_t id)
{
	const struct group_header *group = NULL;
	struct ground ground;
	uint64_t all = 0, one;

	if (pending_load(w->dir, id, &group) < 0)
		return 0;
	if (ground_open(&ground, group, w->p->prefix, w->p->state) >= 0) {
		meet_all(&ground);
		for (uint32_t i = 0; i < group->fs.count; i++) {
			int grave = ground_grave(&ground, i, false);

			if (grave >= 0 && graveyard_bytes(grave, &one) >= 0)
				all += one;
		}
		ground_close(&ground);
	}
	pending_unload(group);
	return all;
}

/*
 * The copies of a group, or the empty directory that is left of them. What was exchanged with a
 * copy by a group that was given up stays.
 */
static int remove_copies(struct purging *w, uint32_t id)
{
	const struct group_header *group = NULL;
	_close_ int root = -1;
	int r = pending_load(w->dir, id, &group), worst = 0;

	if (r < 0)
		return r;
	root = sys_open(AT_FDCWD, *w->p->prefix ? w->p->prefix : "/", O_RDONLY | O_DIRECTORY, 0);
	r = root < 0 ? root : staged_untouched(root, group);
	worst = r < 0 ? r : 0;
	for (uint32_t i = 0; r > 0 && i < group->fs.count; i++) {
		int one = staged_remove(root, group_string(group, group_fs(group, i)->root), id,
					w->p->until_ns);

		worst = one < 0 ? one : worst;
	}
	pending_unload(group);
	return worst;
}

static bool beyond_policy(struct purging *w, uint32_t id, const struct group_story *s)
{
	const struct pending_purge *p = w->p;
	uint64_t bytes;

	if (w->kept >= p->keep_groups ||
	    w->now_s >= s->last.wall_s + (uint64_t)p->keep_days * DAY_S)
		return true;
	bytes = kept_bytes(w, id);
	if (w->bytes + bytes > p->keep_bytes)
		return true;
	w->bytes += bytes;
	w->kept++;
	return false;
}

/*
 * Long over and nothing of it left but empty directories, or copies it never came to move. The
 * group goes before its journal, so that it is never taken for a new one.
 */
static int forget(struct purging *w, uint32_t id)
{
	int r;

	(void)!remove_copies(w, id);
	r = drop(w->dir, id, GROUP);
	return r < 0 ? r : drop(w->dir, id, JOURNAL);
}

/*
 * Of a group that is as it was before, only what others had in its way is left. One that was given
 * up for a damaged file may have what it needs there, and what could not go home has no other
 * place: that stays.
 */
static bool may_go(const struct group_story *s, int things)
{
	if (s->stuck)
		return false;
	if (s->state == GROUP_APPLIED || s->state == GROUP_REVERTED)
		return things > 0;
	return !things && s->last.result != GROUP_WHY_FORM;
}

static int judge(struct purging *w, uint32_t i)
{
	const uint32_t id = w->ids[i];
	struct group_story s;
	int things;
	int r = story_read(w->dir, id, &s);

	if (r < 0)
		return r;
	if (s.state == GROUP_QUEUED || s.state == GROUP_BEGUN || s.state == GROUP_FAILED ||
	    s.state == GROUP_REVERTING)
		return hold_wanted(w, i);
	things = is_there(w->dir, id, THINGS);
	if (things < 0)
		return things;
	w->dead[i] = s.purged && (things || s.aside);
	if (!things && (s.purged || !s.aside))
		return !w->p->would && ++w->ended > PENDING_HISTORY ? forget(w, id) : 0;
	if (s.purged || w->wanted[i] || !may_go(&s, things))
		return 0;
	if ((s.state == GROUP_APPLIED ? s.applied_boots : s.last.boots) > w->p->accepted ||
	    !beyond_policy(w, id, &s))
		return 0;
	/* What was read of newer groups may be of a record whose fsync failed: not yet true. */
	r = sys_syncfs(w->dir);
	if (r < 0)
		return r;
	if (!w->p->would)
		r = story_add(w->dir, id, GROUP_EV_PURGED,
			      (struct group_record){.op = NO_PLACE, .boots = w->p->accepted}, &s);
	w->dead[i] = r >= 0;
	return r;
}

/* ---- the things of one group ---- */

static int remove_grave(struct purging *w, struct ground *g, uint32_t fs)
{
	char name[GROUP_FILE_BYTES];
	int grave = ground_grave(g, fs, false), r;
	_close_ int yard = -1;

	if (!g->fs[fs].known) /* it is away: its part stays until it is back */
		return -EAGAIN;
	if (grave < 0)
		return grave == -ENOENT ? 0 : grave;
	r = graveyard_empty(grave, w->p->until_ns);
	if (r < 0)
		return r;
	yard = sys_open(grave, "..", O_RDONLY | O_DIRECTORY, 0);
	if (yard < 0)
		return yard;
	group_file_name(name, g->group->id, "");
	r = sys_unlink(yard, name, AT_REMOVEDIR);
	return r < 0 && r != -ENOENT ? r : sys_fsync(yard);
}

static int remove_things(struct purging *w, uint32_t id)
{
	const struct group_header *group = NULL;
	struct ground ground;
	int r = pending_load(w->dir, id, &group), worst = 0;

	if (r < 0)
		return r;
	r = ground_open(&ground, group, w->p->prefix, w->p->state);
	if (r >= 0) {
		meet_all(&ground);
		for (uint32_t i = 0; i < group->fs.count; i++) {
			int one = remove_grave(w, &ground, i);

			worst = one < 0 ? one : worst;
		}
		ground_close(&ground);
		r = worst;
	}
	pending_unload(group);
	if (r >= 0)
		r = remove_copies(w, id);
	return r < 0 ? r : drop(w->dir, id, THINGS);
}

static int decide(struct purging *w)
{
	_close_ int lock = pending_lock(w->dir), root = -1;
	int r = lock < 0 ? lock : sys_flock(w->dir, LOCK_SH | LOCK_NB); /* retry asks for it */

	if (r >= 0)
		r = pending_list(w->dir, w->ids, GROUPS_MAX);
	if (r < 0)
		return r == -EAGAIN ? -EBUSY : r;
	w->count = (uint32_t)r;
	r = 0;
	/* Newest first, which also means that an undo comes before what it undoes. */
	for (uint32_t i = w->count; r >= 0 && i-- > 0;)
		r = judge(w, i);
	root = sys_open(AT_FDCWD, *w->p->prefix ? w->p->prefix : "/", O_RDONLY | O_DIRECTORY, 0);
	if (root >= 0 && !w->p->would)
		(void)!staged_sweep(w->dir, root, w->p->until_ns);
	return r;
}

int pending_purge(const struct pending_purge *p, struct pending_purged *ret)
{
	static struct purging w;
	_close_ int dir =
		sys_open(p->state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	struct pending_purged done = {0};
	int r;

	if (dir < 0) {
		if (dir == -ENOENT)
			*ret = done;
		return dir == -ENOENT ? 0 : dir;
	}
	memset(&w, 0, sizeof(w));
	w.p = p;
	w.dir = dir;
	w.now_s = sys_wall_s();
	r = decide(&w);
	for (uint32_t i = 0; r >= 0 && i < w.count; i++) {
		if (!w.dead[i])
			continue;
		if (p->would) {
			p->would(p->arg, w.ids[i]);
			done.groups++;
			continue;
		}
		if ((p->until_ns && sys_now_ns() > p->until_ns) || remove_things(&w, w.ids[i]) < 0)
			done.left++;
		else
			done.groups++;
	}
	if (r >= 0)
		*ret = done;
	return r < 0 ? r : 0;
}

int pending_boots(int state, uint64_t *ret_begun, uint64_t *ret_accepted)
{
	struct boot_state now;
	const int r = state_read(state, &now);

	if (r == -EACCES || r == -EPERM)
		return r;
	*ret_begun = r < 0 ? 0 : now.boots;
	*ret_accepted = r < 0 ? 0 : now.accepted_boots;
	return 0;
}
