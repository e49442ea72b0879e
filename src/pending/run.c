/* SPDX-License-Identifier: MIT */
/*
 * run.c - applies groups, takes them back; see run.h, and arrange.h for how things move
 *
 * The order of one group: look and check (nothing is touched; what is wrong refuses the group);
 * BEGIN durable; the things found durable; move; one syncfs a file system; COMMIT durable. A cut
 * before the things leaves an untouched group; a cut before COMMIT is gone on with, or after two
 * of them taken back; a step that fails is taken back at once.
 */
#include "pending/run.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "pending/arrange.h"
#include "sys/sys.h"

#define PART_BYTES 65536u

struct work { /* one group */
	const struct pending_step *step;
	int dir; /* the pending directory */
	const struct group_header *group;
	struct group_story story;
	struct ground ground;
	struct arrangement a;
	uint32_t op;
	uint64_t start_ns;
};

/* ---- what a story wants of a boot ---- */

static bool wants_back(const struct group_story *s, uint64_t accepted)
{
	return s->state == GROUP_BEGUN || s->state == GROUP_REVERTING ||
	       (s->state == GROUP_APPLIED && !s->purged && s->applied_boots > accepted);
}

static bool wants_forward(const struct group_story *s)
{
	return s->state == GROUP_QUEUED || s->state == GROUP_BEGUN || s->state == GROUP_FAILED ||
	       s->state == GROUP_REVERTING;
}

int pending_waiting(int state, bool fallback, uint64_t accepted)
{
	static uint32_t ids[GROUPS_MAX];
	_close_ int dir =
		sys_open(state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	int count, waiting = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	count = pending_list(dir, ids, GROUPS_MAX);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++) {
		struct group_story s;
		int r = story_read(dir, ids[i], &s);

		if (r < 0)
			return r;
		waiting += fallback ? wants_back(&s, accepted) : wants_forward(&s);
	}
	return waiting;
}

/* ---- checks: nothing is touched ---- */

static int look_at_thing(struct work *w, uint32_t thing, struct sys_identity *ret, int *ret_dir)
{
	const struct group_place *p = group_place(w->group, thing);
	int dir = ground_dir(&w->ground, p->dir, NO_PLACE);

	if (dir < 0)
		return dir;
	*ret_dir = dir;
	return sys_identify(dir, group_string(w->group, p->name), ret);
}

static int check_digest(struct work *w, const struct group_op *o, uint32_t thing, int dir)
{
	const char *name = group_string(w->group, group_place(w->group, thing)->name);
	static uint8_t part[PART_BYTES];
	uint8_t digest[SHA256_BYTES];
	struct sha256 sum;
	_close_ int fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	ssize_t n;

	if (fd < 0)
		return fd;
	sha256_start(&sum);
	while ((n = sys_read(fd, part, sizeof(part))) > 0)
		sha256_add(&sum, part, (size_t)n);
	if (n < 0)
		return (int)n;
	sha256_end(&sum, digest);
	return bytes_same(digest, group_digest(w->group, o->digest), SHA256_BYTES)
		       ? 0
		       : GROUP_WHY_DIGEST;
}

static int check_paths(struct work *w, const struct group_op *o)
{
	const uint32_t places[] = {o->from, o->to};
	char path[PATH_BYTES];

	if (w->group->flags & GROUP_PROTECTED || !w->step->protects)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		if (places[i] == NO_PLACE)
			continue;
		if (!group_place_path(w->group, places[i], path, sizeof(path)))
			return -ENAMETOOLONG;
		if (w->step->protects(w->step->arg, path))
			return GROUP_WHY_PROTECTED;
	}
	return 0;
}

static int movable(const struct sys_identity *id)
{
	if (id->flags & SYS_IDENTITY_MOUNT)
		return GROUP_WHY_MOUNT;
	return id->flags & SYS_IDENTITY_FIXED ? -EPERM : 0;
}

static int check_step(void *arg, const struct arrange_step *s)
{
	struct work *w = arg;
	const struct group_op *o = group_op(w->group, s->op);
	struct sys_identity id, target;
	int dir, r = check_paths(w, o);

	if (r == 0)
		r = look_at_thing(w, s->thing, &id, &dir);
	if (r < 0)
		return r;
	if (id.ino != o->ino || id.tag != o->tag || (!S_ISDIR(id.mode) && id.bytes != o->bytes))
		return GROUP_WHY_IDENTITY;
	r = movable(&id);
	if (r == 0 && o->flags & GROUP_DIGEST)
		r = check_digest(w, o, s->thing, dir);
	if (r < 0 || s->target == NOTHING)
		return r;
	r = look_at_thing(w, s->target, &target, &dir);
	if (r < 0)
		return r;
	if (S_ISDIR(id.mode) != S_ISDIR(target.mode))
		return GROUP_WHY_KIND;
	return movable(&target);
}

static int check_writable(struct work *w)
{
	for (uint32_t i = 0; i < w->group->fs.count; i++) {
		struct sys_statfs st;
		int r = w->ground.fs[i].known ? sys_statfs_fd(w->ground.fs[i].fd, &st) : -ENOENT;

		if (r == -ENOENT)
			continue;
		if (r < 0)
			return r;
		if (st.flags & 1)
			return -EROFS;
	}
	return 0;
}

/* ---- one group ---- */

static void tell(struct work *w, uint32_t id, int result)
{
	const struct group_told told = {.id = id,
					.group = w->group,
					.state = w->story.state,
					.op = w->op,
					.result = result,
					.foreign = w->a.foreign,
					.start_ns = w->start_ns};

	if (w->step->tell)
		w->step->tell(w->step->arg, &told);
}

static int note(struct work *w, enum group_event event, int result)
{
	const struct group_record record = {
		.op = w->op, .result = result, .foreign = w->a.foreign, .boots = w->step->boots};

	return story_add(w->dir, w->group->id, event, record, &w->story);
}

static int drop_things(struct work *w)
{
	char name[GROUP_FILE_BYTES];
	int r;

	group_file_name(name, w->group->id, ".things");
	r = sys_unlink(w->dir, name, 0);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? r : sys_fsync(w->dir);
}

/* Everything as it was, durable, and why. */
static int take_back(struct work *w, enum group_event event, int result)
{
	int r = arrange_back(&w->a);

	if (r >= 0)
		r = ground_sync(&w->ground);
	if (r >= 0)
		r = note(w, event, result);
	if (r >= 0 && event != GROUP_EV_REVERTED)
		r = drop_things(w);
	return r;
}

static int move_all(struct work *w)
{
	int r = arrange_forward(&w->a);

	if (r >= 0)
		r = ground_sync(&w->ground);
	if (r >= 0)
		r = note(w, GROUP_EV_COMMIT, 0);
	if (r >= 0)
		return 0;
	if (w->story.state == GROUP_APPLIED)
		return r;
	take_back(w, w->story.attempts >= GROUP_ATTEMPTS ? GROUP_EV_QUARANTINED : GROUP_EV_FAILED,
		  r);
	return r;
}

/* What can be tried again at the next boot without a word: the machine's trouble, not the group's.
 */
static bool passing(int r)
{
	return r == -EIO || r == -ENOMEM || r == -EROFS || r == -EMFILE || r == -ENFILE;
}

static int begin(struct work *w)
{
	int r = arrange_look(&w->a);

	w->op = NO_PLACE;
	if (r >= 0)
		r = arrange_operations(&w->a, check_step, w, &w->op);
	if (r >= 0)
		r = check_writable(w);
	if (r < 0) {
		if (!passing(r) && note(w, GROUP_EV_REFUSED, r) < 0)
			return -EIO;
		return r;
	}
	w->op = NO_PLACE;
	r = drop_things(w);
	if (r >= 0)
		r = note(w, GROUP_EV_BEGIN, 0);
	if (r >= 0)
		r = things_write(w->dir, w->group, w->a.kept);
	return r < 0 ? r : move_all(w);
}

/* A cut came on the way: by the things that were found then, on or back. */
static int go_on(struct work *w)
{
	int r = arrange_operations(&w->a, NULL, NULL, &w->op);

	w->op = NO_PLACE;
	if (r >= 0)
		r = arrange_find(&w->a);
	if (r < 0)
		return r;
	if (w->story.state == GROUP_REVERTING)
		return take_back(w, GROUP_EV_REVERTED, 0);
	if (w->step->fallback)
		return take_back(w, GROUP_EV_FAILED, -ECANCELED);
	if (w->story.attempts >= GROUP_ATTEMPTS) {
		r = take_back(w, GROUP_EV_QUARANTINED, -EINTR);
		return r < 0 ? r : -EINTR;
	}
	r = note(w, GROUP_EV_BEGIN, 0);
	return r < 0 ? r : move_all(w);
}

/* What an interrupted group needs, or one that is to be taken back. */
static int resume(struct work *w)
{
	int r = things_read(w->dir, w->group, w->a.kept);

	if ((r == -ENOENT || r == -EILSEQ) && w->story.state == GROUP_BEGUN)
		return w->step->fallback ? note(w, GROUP_EV_FAILED, -ECANCELED)
					 : begin(w); /* it had touched nothing */
	if (r >= 0 && w->story.state == GROUP_APPLIED)
		r = note(w, GROUP_EV_REVERTING, 0);
	return r < 0 ? r : go_on(w);
}

static int do_operations(struct work *w, bool back)
{
	int r = ground_open(&w->ground, w->group, w->step->prefix, w->step->state);

	if (r < 0)
		return r;
	r = arrange_start(&w->a, &w->ground);
	if (r >= 0 && (back || w->story.state == GROUP_BEGUN || w->story.state == GROUP_REVERTING))
		r = resume(w);
	else if (r >= 0 && w->story.attempts >= GROUP_ATTEMPTS) {
		r = note(w, GROUP_EV_QUARANTINED, w->story.last.result);
		r = r < 0 ? r : w->story.last.result;
	} else if (r >= 0) {
		r = begin(w);
	}
	arrange_end(&w->a);
	ground_close(&w->ground);
	return r;
}

/* Puts on again what a reverse group took back, as applied as it was. */
static int put_on_again(struct work *w)
{
	const uint64_t boots = w->story.applied_boots;
	int r = ground_open(&w->ground, w->group, w->step->prefix, w->step->state);

	if (r < 0)
		return r;
	r = arrange_start(&w->a, &w->ground);
	if (r >= 0)
		r = things_read(w->dir, w->group, w->a.kept);
	if (r >= 0)
		r = arrange_operations(&w->a, NULL, NULL, &w->op);
	w->op = NO_PLACE;
	if (r >= 0)
		r = arrange_find(&w->a);
	if (r >= 0)
		r = arrange_forward(&w->a);
	if (r >= 0)
		r = ground_sync(&w->ground);
	if (r >= 0)
		r = story_add(w->dir, w->group->id, GROUP_EV_COMMIT,
			      (struct group_record){.op = NO_PLACE, .boots = boots}, &w->story);
	arrange_end(&w->a);
	ground_close(&w->ground);
	return r;
}

/* A group that takes back another one; when it is itself taken back, the other is put on again. */
static int do_reverse(struct work *w)
{
	struct work of = {.step = w->step, .dir = w->dir, .op = NO_PLACE};
	int r = story_read(w->dir, w->group->of, &of.story);

	if (r >= 0)
		r = pending_load(w->dir, w->group->of, &of.group);
	if (r >= 0 && of.group->flags & GROUP_REVERSE)
		r = GROUP_WHY_FORM;
	if (r < 0) {
		pending_unload(of.group);
		return note(w, GROUP_EV_REFUSED, r) < 0 ? -EIO : r;
	}
	if (w->step->fallback) {
		r = w->story.state == GROUP_APPLIED ? note(w, GROUP_EV_REVERTING, 0) : 0;
		if (r >= 0 && of.story.state == GROUP_REVERTED)
			r = put_on_again(&of);
		r = r < 0 ? r : note(w, GROUP_EV_REVERTED, 0);
	} else if (of.story.state == GROUP_REVERTED) {
		r = note(w, GROUP_EV_COMMIT, 0);
	} else if (of.story.purged ||
		   (of.story.state != GROUP_APPLIED && of.story.state != GROUP_REVERTING)) {
		r = note(w, GROUP_EV_REFUSED, GROUP_WHY_KEPT);
		r = r < 0 ? r : GROUP_WHY_KEPT;
	} else {
		r = note(w, GROUP_EV_BEGIN, 0);
		r = r < 0 ? r : do_operations(&of, true);
		r = r < 0 ? r : note(w, GROUP_EV_COMMIT, 0);
	}
	pending_unload(of.group);
	return r;
}

static int run_one(const struct pending_step *s, int dir, uint32_t id)
{
	struct work w = {.step = s, .dir = dir, .op = NO_PLACE, .start_ns = sys_now_ns()};
	int r = story_read(dir, id, &w.story);

	if (r >= 0 && !(s->fallback ? wants_back(&w.story, s->accepted) : wants_forward(&w.story)))
		return 0;
	if (r >= 0)
		r = pending_load(dir, id, &w.group);
	if (r >= 0)
		r = w.group->flags & GROUP_REVERSE ? do_reverse(&w)
						   : do_operations(&w, s->fallback);
	tell(&w, id, r);
	pending_unload(w.group);
	return r < 0 ? 1 : 0;
}

int pending_run(const struct pending_step *s)
{
	static uint32_t ids[GROUPS_MAX];
	_close_ int dir =
		sys_open(s->state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	_close_ int lock = -1;
	int count, worst = 0;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	lock = pending_lock(dir);
	if (lock < 0)
		return lock;
	count = pending_list(dir, ids, GROUPS_MAX);
	if (count < 0)
		return count;
	for (int i = 0; i < count; i++)
		worst |= run_one(s, dir, ids[s->fallback ? count - 1 - i : i]);
	return worst;
}
