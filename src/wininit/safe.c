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

/* The supervisors with a directory of services, and their command lines as their manuals say. */
struct line {
	const char *name, *alone, *with_word; /* options by themselves, and with a word of theirs */
	unsigned words_after;                 /* that may follow the directory */
};

static const struct line *line_of(const char *name)
{
	static const struct line lines[] = {
		{"runsvdir", "P", "s", ARGS_MAX}, /* a line for its log; -s is busybox's */
		{"s6-svscan", "Ss", "tdXcCL", 0},
		{"svscan", "", "", 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (str_same(name, lines[i].name))
			return &lines[i];
	return NULL;
}

const char *safe_supervisor(char *const *words, bool *ret_directory)
{
	const char *name = base_name(words[0]);

	if (str_same(name, "busybox") && words[1])
		name = base_name(words[1]);
	*ret_directory = line_of(name) != NULL;
	return name;
}

/* Returns how many words this option is; 0 = it is not known. */
static int option_words(const struct line *l, char *const *word)
{
	for (const char *c = word[0] + 1; *c; c++) {
		if (strchr(l->with_word, *c))
			return c[1] ? 1 : word[1] ? 2 : 0;
		if (!strchr(l->alone, *c))
			return 0;
	}
	return word[0][1] ? 1 : 0;
}

int safe_directory_word(char *const *words)
{
	bool directory;
	const struct line *l = line_of(safe_supervisor(words, &directory));
	unsigned at = str_same(base_name(words[0]), "busybox") ? 2 : 1, left = 0;

	if (!l)
		return -EINVAL;
	while (words[at] && words[at][0] == '-') {
		int n = option_words(l, words + at);

		if (!n)
			return -EINVAL;
		at += (unsigned)n;
	}
	while (words[at + left] && left < 2 + l->words_after)
		left++;
	if (!left)
		return 0;
	return words[at][0] == '/' && left <= 1 + l->words_after ? (int)at : -EINVAL;
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
