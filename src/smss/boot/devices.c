/* SPDX-License-Identifier: MIT */
/*
 * devices.c - object directories and links in /dev, see devices.h
 *
 * Names come from the hive: each component is opened by itself, links are followed only as law 12
 * allows, and "." or ".." are no names. Source: nt-reference §2.3 (DOS Devices), design §5.
 */
#include "smss/boot/devices.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "smss/boot/boot.h"

#define DEV_DIRECTORY "/dev"

/* The next component of *path into name (cap bytes); *path moves behind it. 0 = none left. */
static int component(const char **path, char *name, size_t cap)
{
	size_t n;

	while (**path == '/')
		(*path)++;
	n = strcspn(*path, "/");
	if (n >= cap)
		return -ENAMETOOLONG;
	memcpy(name, *path, n);
	name[n] = 0;
	*path += n;
	return str_same(name, ".") || str_same(name, "..") ? -EINVAL : (int)n;
}

static bool is_last(const char *rest)
{
	return !rest[strspn(rest, "/")];
}

/*
 * Opens or makes one directory below dir, not through a link.
 * The mode is what is made with; an existing one keeps its own.
 */
static int enter(int dir, const char *name)
{
	int r = sys_open(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);

	if (r != -ENOENT)
		return r;
	r = sys_mkdir(dir, name, 0755);
	if (r < 0 && r != -EEXIST)
		return r;
	return sys_open(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* mkdir -p that never crosses a link out of a foreign directory: what exists is walked. */
static int make_directory(const char *path)
{
	char walked[PATH_BYTES], name[256];
	struct text t = TEXT_ON(walked);
	const char *rest = path;
	_close_ int dir = -1;
	int r;

	if (path[0] != '/' || strlen(path) >= PATH_BYTES)
		return -EINVAL;
	dir = sys_walk("/", O_PATH | O_DIRECTORY);
	while (dir >= 0 && !is_last(rest)) {
		int next;

		r = component(&rest, name, sizeof(name));
		if (r < 0)
			return r;
		text_add(text_add(&t, "/"), name);
		next = enter(dir, name);
		if (next == -ELOOP || next == -ENOTDIR) /* a link: /var/run and the like */
			next = sys_walk(walked, O_PATH | O_DIRECTORY);
		sys_closep(&dir);
		dir = next;
	}
	return dir < 0 ? dir : 0;
}

/* Nearly always a directory of ours right below /run/smss: one call then. */
static int object_directory(const char *path)
{
	static const char ours[] = RUN_DIRECTORY "/";
	const char *name = path + sizeof(ours) - 1;
	int r;

	if (!str_starts(path, ours) || strchr(name, '/') || !*name || *name == '.')
		return make_directory(path);
	r = sys_mkdir(AT_FDCWD, path, 0755);
	return r == 0 ? 0 : make_directory(path);
}

static void summary(struct text *t, const char *what, uint32_t done, uint32_t failed,
		    const char *left)
{
	text_add(text_u64(text_add(t, ", "), done), what);
	if (failed)
		text_add(text_u64(text_add(t, " (and not "), failed), ")");
	if (*left)
		text_add(text_add(t, "; devices left alone:"), left);
}

void devices_object_directories(const struct copy *c, struct text *t)
{
	const uint32_t count = plan_count(c->plan, PLAN_OBJECT_DIRECTORIES);
	uint32_t failed = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct plan_row *row = plan_row_at(c->plan, PLAN_OBJECT_DIRECTORIES, i);
		const char *path = plan_string(c->plan, row->name);
		int r = object_directory(path);

		if (r < 0) {
			failed++;
			boot_say(c, RESULT_FAILED, -r, path, "object directory");
		}
	}
	if (count)
		summary(t, " directories", count - failed, failed, "");
}

/* A name of the link while it is not yet the link. */
static int temp_name(const char *name, char *ret, size_t cap)
{
	struct text t = text_start(ret, cap);

	text_add(text_add(&t, name), ".smss-new");
	return t.cut ? -ENAMETOOLONG : 0;
}

/* What place_link and its like answer beside -errno. */
enum link_answer { LINK_IN_PLACE, LINK_NOT_A_LINK };

static int replace_link(int dir, const char *name, const char *target)
{
	char temp[256];
	int r = temp_name(name, temp, sizeof(temp));

	if (r < 0)
		return r;
	r = sys_symlink(target, dir, temp);
	if (r == -EEXIST) { /* of an earlier, cut run */
		r = sys_unlink(dir, temp, 0);
		if (r >= 0)
			r = sys_symlink(target, dir, temp);
	}
	if (r >= 0)
		r = sys_rename(dir, temp, dir, name, 0);
	return r;
}

static int place_link(int dir, const char *name, const char *target)
{
	char now[PATH_BYTES];
	ssize_t n;
	int r;

	if (*target) {
		r = sys_symlink(target, dir, name);
		if (r != -EEXIST)
			return r;
	}
	n = sys_readlink(dir, name, now, sizeof(now));
	if (n == -EINVAL)
		return LINK_NOT_A_LINK;
	if (n == -ENOENT && !*target)
		return LINK_IN_PLACE;
	if (n < 0)
		return (int)n;
	if (!*target)
		return sys_unlink(dir, name, 0);
	if ((size_t)n == strlen(target) && memcmp(now, target, (size_t)n) == 0)
		return LINK_IN_PLACE;
	return replace_link(dir, name, target);
}

/* path is relative to /dev and may name directories on its way. */
static int device_link(int dev, const char *path, const char *target)
{
	char name[256];
	_close_ int held = -1;
	int dir = dev, r;

	if (path[0] == '/')
		return -EINVAL;
	for (;;) {
		r = component(&path, name, sizeof(name));
		if (r <= 0)
			return r < 0 ? r : -EINVAL;
		if (is_last(path))
			return place_link(dir, name, target);
		r = enter(dir, name);
		if (r < 0)
			return r;
		sys_closep(&held);
		held = dir = r;
	}
}

void devices_links(const struct copy *c, struct text *t)
{
	const uint32_t count = plan_count(c->plan, PLAN_DOS_DEVICES);
	_close_ int dev = -1;
	char room[TEXT_BYTES] = "";
	struct text left = TEXT_ON(room);
	uint32_t done = 0, failed = 0;

	if (!count)
		return;
	dev = sys_open(AT_FDCWD, DEV_DIRECTORY, O_PATH | O_DIRECTORY, 0);
	for (uint32_t i = 0; i < count; i++) {
		const struct plan_row *row = plan_row_at(c->plan, PLAN_DOS_DEVICES, i);
		const char *name = plan_string(c->plan, row->name);
		int r = dev < 0 ? dev : device_link(dev, name, plan_string(c->plan, row->text));

		if (r == LINK_NOT_A_LINK) {
			text_add(text_add(&left, " "), name);
		} else if (r < 0) {
			failed++;
			boot_say(c, RESULT_FAILED, -r, name, "device link");
		} else {
			done++;
		}
	}
	summary(t, " device links", done, failed, room);
}
