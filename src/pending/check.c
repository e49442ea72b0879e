/* SPDX-License-Identifier: MIT */
/*
 * check.c - may a group be carried out? Nothing is touched here
 *
 * The file found must be the file queued, what is protected needs permission, and what cannot be
 * moved is refused before anything else is. Source: design §6.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "pending/work.h"
#include "sys/sys.h"

#define PART_BYTES 65536u

/* To its end, or as far as it was long: another read would only tell that there is no more. */
static int check_content(struct work *w, const struct group_op *o, int fd)
{
	static uint8_t part[PART_BYTES];
	uint8_t digest[SHA256_BYTES];
	uint64_t left = o->bytes;
	struct sha256 sum;
	ssize_t n = 0;

	sha256_start(&sum);
	while (left && (n = sys_read(fd, part, sizeof(part))) > 0) {
		sha256_add(&sum, part, (size_t)n);
		left -= (uint64_t)n < left ? (uint64_t)n : left;
	}
	if (n < 0)
		return (int)n;
	sha256_end(&sum, digest);
	return bytes_same(digest, group_digest(w->group, o->digest), SHA256_BYTES)
		       ? 0
		       : GROUP_WHY_DIGEST;
}

/* The oldest file that waits; on failure w->op is its operation. */
static int check_oldest(struct work *w)
{
	const uint32_t op = w->content[w->content_first].op;
	_close_ int fd = w->content[w->content_first].fd;
	int r = check_content(w, group_op(w->group, op), fd);

	w->content_first = (w->content_first + 1) % CHECKS_AHEAD;
	w->content_count--;
	if (r < 0)
		w->op = op;
	return r;
}

static int check_digest(struct work *w, const struct arrange_step *s)
{
	const struct group_place *p = group_place(w->group, s->thing);
	const char *name = group_string(w->group, p->name);
	const int dir = ground_dir(&w->ground, p->dir, NO_PLACE);
	uint32_t last;
	int fd, r = 0;

	if (dir < 0)
		return dir;
	if (w->content_count == CHECKS_AHEAD)
		r = check_oldest(w);
	if (r < 0)
		return r;
	/* A look leaves no trace: of half a million files the times of access would be written. */
	fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME, 0);
	if (fd == -EPERM) /* the file of somebody outside our user namespace */
		fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	r = sys_readahead(fd, 0, PART_BYTES);
	(void)r; /* a hint: what refuses it is read all the same */
	last = (w->content_first + w->content_count++) % CHECKS_AHEAD;
	w->content[last].fd = fd;
	w->content[last].op = s->op;
	return 0;
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
		if (i == 0 && o->flags & GROUP_STAGED &&
		    strstr(path, "/" GRAVEYARD_FS "/" STAGED "/"))
			continue; /* a copy of ours lies beside the graveyards, and only there */
		if (w->step->protects(w->step->arg, path))
			return GROUP_WHY_PROTECTED;
	}
	return 0;
}

static int movable(const struct arrange_seen *seen)
{
	if (seen->flags & SYS_IDENTITY_MOUNT)
		return GROUP_WHY_MOUNT;
	return seen->flags & SYS_IDENTITY_FIXED ? -EPERM : 0;
}

int work_check_step(void *arg, const struct arrange_step *s)
{
	struct work *w = arg;
	const struct group_op *o = group_op(w->group, s->op);
	const struct thing *thing = &w->a.first[s->thing];
	const struct arrange_seen seen = arrange_seen(&w->a, s->thing);
	struct arrange_seen target;
	int r = check_paths(w, o);

	if (r < 0)
		return r;
	if (thing->ino != o->ino || thing->tag != o->tag ||
	    (!seen.directory && seen.bytes != o->bytes % SEEN_BYTES))
		return GROUP_WHY_IDENTITY;
	r = movable(&seen);
	if (r == 0 && o->flags & GROUP_DIGEST)
		r = check_digest(w, s);
	if (r < 0 || s->target == NOTHING)
		return r;
	target = arrange_seen(&w->a, s->target);
	if (seen.directory != target.directory)
		return GROUP_WHY_KIND;
	return movable(&target);
}

int work_check_end(struct work *w, int r)
{
	while (w->content_count) {
		if (r >= 0 || w->content[w->content_first].op <= w->op) {
			int why = check_oldest(w);

			r = why < 0 ? why : r;
		} else { /* one before it may not be: what it is does not count any more */
			w->content_count--;
			sys_closep(&w->content[(w->content_first + w->content_count) % CHECKS_AHEAD]
					    .fd);
		}
	}
	return r;
}

int work_check_writable(struct work *w)
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
