/* SPDX-License-Identifier: MIT */
/*
 * safe.c - the directory of services of a safe boot, see safe.h
 */
#include "wininit/safe.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define ROWS_MAX   12u /* of what is left out: the boot timeline is for everybody */
#define LIST_BYTES 4096u

struct listing {
	const struct companion *c;
	const char *from;
	int to; /* SAFE_DIRECTORY */
	unsigned links, left_out;
	int error; /* the first */
};

const char *safe_option(const struct companion *c)
{
	return companion_env(c, "SAFEBOOT_OPTION", "");
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *safe_supervisor(char *const *words, bool *ret_directory)
{
	static const char *const directories[] = {"runsvdir", "s6-svscan", "svscan"};
	const char *name = base_name(words[0]);

	if (str_same(name, "busybox") && words[1])
		name = base_name(words[1]);
	*ret_directory = false;
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++)
		*ret_directory |= str_same(name, directories[i]);
	return name;
}

unsigned safe_directory_word(char *const *words)
{
	for (unsigned i = 1; words[0] && words[i]; i++)
		if (words[i][0] == '/')
			return i;
	return 0;
}

static void link_one(struct listing *l, const char *name)
{
	char target[PATH_BYTES];
	struct text t = TEXT_ON(target);
	int r;

	text_add(text_add(text_add(&t, l->from), "/"), name);
	r = t.cut ? -ENAMETOOLONG : sys_symlink(target, l->to, name);
	if (r == -EEXIST)
		r = 0; /* of an earlier start of ours */
	if (r >= 0) {
		l->links++;
		return;
	}
	companion_say(SYS_LOG_WARNING, "safe boot: no link to a service", name, r);
	if (!l->error)
		l->error = r;
}

static void one(struct listing *l, const char *name)
{
	if (plan_is_safe(l->c->plan, safe_option(l->c), name)) {
		link_one(l, name);
		return;
	}
	if (l->left_out++ < ROWS_MAX)
		companion_item(l->c, RESULT_SKIPPED, 0, 0, name,
			       "safe boot: this service is not marked");
}

struct entry { /* the kernel's getdents64 record */
	uint64_t ino;
	int64_t next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};
#define TYPE_FILE 8 /* a plain file is no service */

static int list(struct listing *l, int dir)
{
	char room[LIST_BYTES] __attribute__((aligned(8)));
	ssize_t n;

	while ((n = sys_list(dir, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)(room + at);

			at += e->bytes;
			if (e->name[0] != '.' && e->type != TYPE_FILE)
				one(l, e->name);
		}
	}
	return (int)n;
}

int safe_services(const struct companion *c, const char *from)
{
	struct listing l = {.c = c, .from = from};
	char line[TEXT_BYTES];
	struct text t = TEXT_ON(line);
	_close_ int dir = -1, to = -1;
	int r = sys_make_dirs(SAFE_DIRECTORY, 0755);

	if (r < 0)
		return r;
	to = sys_walk(SAFE_DIRECTORY, O_RDONLY | O_DIRECTORY);
	if (to < 0)
		return to;
	dir = sys_walk(from, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return dir;
	l.to = to;
	r = list(&l, dir);
	if (l.left_out > ROWS_MAX) {
		text_add(text_u64(&t, l.left_out - ROWS_MAX), " more services are not marked");
		companion_item(c, RESULT_SKIPPED, 0, 0, "SafeBoot", line);
	}
	if (r < 0 || (l.error && !l.links))
		return r < 0 ? r : l.error;
	return (int)l.links;
}
