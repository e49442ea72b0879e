/* SPDX-License-Identifier: MIT */
/*
 * commit_files.c - the files of a commit, on the disk; see commit.h
 *
 * All that a commit writes is written and synced under temporary names first: a disk that is full
 * or failing is found out while nothing has changed yet. Then come renames only: the hive that was
 * gets a second name, the new one takes its place, fsync of the directory; plan and queue follow,
 * fsync of the directory. No moment lacks a hive. The first of the two keeps a queue from lasting
 * longer than its hive: beside the old hive it would hide that a boot has run the old queue.
 */
#include <errno.h>
#include <stdlib.h>

#include "registry/commit.h"
#include "sys/sys.h"

#define NAME_ROOM 256u

static int name_of(const struct store *s, const char *ending, const char *more, char *room)
{
	struct text t = text_start(room, NAME_ROOM);

	text_add(text_add(text_add(&t, s->name), ending), more);
	return t.cut ? -ENAMETOOLONG : 0;
}

static int drop(const struct store *s, const char *ending, const char *more)
{
	char name[NAME_ROOM];
	int r = name_of(s, ending, more, name);

	if (r == 0)
		r = sys_unlink(s->dir, name, 0);
	return r == -ENOENT ? 0 : r;
}

/* The bytes under the temporary name, durable but for the name; none: no such file either. */
static int stage(const struct store *s, const char *ending, const void *bytes, size_t n)
{
	char name[NAME_ROOM];
	_close_ int fd = -1;
	int r = name_of(s, ending, ".new", name);

	if (r == 0)
		r = drop(s, ending, ".new"); /* what an earlier cut left behind */
	if (r < 0 || !n)
		return r;
	r = fd = sys_open(s->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, s->mode);
	if (r >= 0)
		r = sys_write_all(fd, bytes, n);
	if (r >= 0)
		r = sys_fsync(fd);
	return r;
}

/* The temporary name becomes the name. */
static int put(const struct store *s, const char *ending)
{
	char from[NAME_ROOM], to[NAME_ROOM];
	int r = name_of(s, ending, ".new", from);

	if (r == 0)
		r = name_of(s, ending, "", to);
	return r < 0 ? r : sys_rename(s->dir, from, s->dir, to, 0);
}

struct part {
	const char *ending;
	const void *bytes;
	size_t n;
};

static void unstage(const struct store *s, const struct part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		(void)!drop(s, parts[i].ending, ".new");
}

/* All or nothing; why names the file. */
static int stage_all(const struct store *s, const struct part *parts, size_t count,
		     struct text *why)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = stage(s, parts[i].ending, parts[i].bytes, parts[i].n);
		if (r < 0)
			text_add(text_add(text_add(text_add(why, s->name), parts[i].ending),
					  ".new: "),
				 err_text(-r));
	}
	if (r < 0)
		unstage(s, parts, count);
	return r;
}

/* Where a file can have one name only: the bytes once more. */
static int stage_copy(const struct store *s, int fd)
{
	uint8_t *bytes = malloc(s->facts.bytes);
	ssize_t n = bytes ? sys_read_all(fd, bytes, s->facts.bytes) : -ENOMEM;
	int r = n < 0 ? (int)n : stage(s, ".previous", bytes, (size_t)n);

	free(bytes);
	return r;
}

/*
 * The hive that was, under its second name. When a cut has left both names on one file, the rename
 * does nothing (so says POSIX) and the temporary name has to go.
 */
static int keep_previous(const struct store *s)
{
	char temp[NAME_ROOM];
	_close_ int fd = sys_open(s->dir, s->name, O_RDONLY | O_NOFOLLOW, 0);
	int r = fd < 0 ? fd : name_of(s, ".previous", ".new", temp);

	if (r == 0)
		r = drop(s, ".previous", ".new");
	if (r < 0)
		return r;
	(void)!sys_fsync(
		fd); /* who brought it here may not have; if it fails, the new one counts */
	r = sys_link(s->dir, s->name, s->dir, temp);
	if (r == -EPERM || r == -EMLINK || r == -EOPNOTSUPP || r == -ENOSYS || r == -EXDEV)
		r = stage_copy(s, fd);
	if (r == 0)
		r = put(s, ".previous");
	(void)!drop(s, ".previous", ".new");
	return r;
}

/* Plan and queue take their places, or those of an older hive go. */
static int put_plan(const struct store *s, bool made)
{
	int r = made ? put(s, ".plan") : drop(s, ".plan", "");

	if (r == 0)
		r = made ? put(s, ".queue") : drop(s, ".queue", "");
	return r;
}

/* Up to the hive's rename, which is the commit. */
static int put_hive(const struct store *s, struct text *why)
{
	int r = s->whole ? keep_previous(s) : 0;

	if (r < 0)
		text_add(text_add(text_add(why, s->name), ".previous: "), err_text(-r));
	if (r == 0) {
		r = put(s, "");
		if (r < 0)
			text_add(text_add(text_add(why, s->name), ": "), err_text(-r));
	}
	return r;
}

int store_replace(struct store *s, const uint8_t *hive, size_t n, const struct plan_made *made,
		  struct text *why)
{
	const struct part parts[] = {{"", hive, n},
				     {".plan", made->plan, made->plan_n},
				     {".queue", made->queue, made->queue_n}};
	int r = stage_all(s, parts, 3, why);

	if (r == 0)
		r = put_hive(s, why);
	if (r < 0) {
		text_add(why, "; nothing has changed");
		unstage(s, parts, 3);
		return r;
	}
	s->exists = s->whole = s->committed = true;
	r = sys_fsync(s->dir);
	if (r < 0)
		text_add(text_add(why, "the hive is written, but may not outlast a power cut: "),
			 err_text(-r));
	if (r == 0) {
		r = put_plan(s, made->plan_n != 0);
		if (r == 0)
			r = sys_fsync(s->dir);
		if (r < 0)
			text_add(text_add(why, "the hive is written, its plan is not: "),
				 err_text(-r));
	}
	if (r < 0)
		unstage(s, parts, 3);
	return r;
}

int store_write_plan(const struct store *s, const struct plan_made *made)
{
	const struct part parts[] = {{".plan", made->plan, made->plan_n},
				     {".queue", made->queue, made->queue_n}};
	char room[TEXT_BYTES];
	struct text why = TEXT_ON(room);
	int r = stage_all(s, parts, 2, &why);

	if (r < 0)
		return r;
	r = put_plan(s, true);
	if (r < 0)
		unstage(s, parts, 2);
	return r < 0 ? r : sys_fsync(s->dir);
}
