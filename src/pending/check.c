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
	/* A look leaves no trace: of half a million files the times of access would be written. */
	_close_ int fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME, 0);
	ssize_t n;

	if (fd == -EPERM) /* the file of somebody outside our user namespace */
		fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
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
		if (i == 0 && o->flags & GROUP_STAGED &&
		    strstr(path, "/" GRAVEYARD_FS "/" STAGED "/"))
			continue; /* a copy of ours lies beside the graveyards, and only there */
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

int work_check_step(void *arg, const struct arrange_step *s)
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
