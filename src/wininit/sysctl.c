/* SPDX-License-Identifier: MIT */
/*
 * sysctl.c - kernel settings from sysctl.d and sysctl.conf, see sysctl.h
 *
 * Files of /etc hide those of the same name in /run, /usr/local/lib and /usr/lib; all are taken in
 * the order of their names, /etc/sysctl.conf last.
 */
#include "wininit/sysctl.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "etc/lines.h"

#define RESOLVE_STRICT (0x04 | 0x08) /* RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH */

struct tally {
	unsigned set, failed;
	int error;              /* of the first failure */
	char first[TEXT_BYTES]; /* the first one that failed */
};

/* Keys are names and paths: nothing that walks out of /proc/sys, nothing for a console. */
static bool key_check(const char *key)
{
	if (!key[0] || key[0] == '/' || strstr(key, "..") || strstr(key, "//"))
		return false;
	for (; *key; key++)
		if ((unsigned char)*key <= ' ' || (unsigned char)*key >= 0x7f)
			return false;
	return true;
}

static void key_to_path(char *key)
{
	char *first = strpbrk(key, "./");

	if (!first || *first == '/')
		return;
	for (; *key; key++)
		*key = *key == '.' ? '/' : *key == '/' ? '.' : *key;
}

int sysctl_parse(char *line, struct sysctl_line *ret)
{
	struct sysctl_line l = {.may_fail = false};
	char *equals;

	line = line_trim(line);
	if (!line[0] || line[0] == '#' || line[0] == ';')
		return 0;
	if (line[0] == '-') {
		l.may_fail = true;
		line++;
	}
	equals = strchr(line, '=');
	if (!equals)
		return l.may_fail
			       ? 0
			       : -EINVAL; /* "-key" keeps a pattern off it; we know no patterns */
	*equals = 0;
	l.key = line_trim(line);
	l.value = line_trim(equals + 1);
	key_to_path(l.key);
	if (!key_check(l.key))
		return -EINVAL;
	*ret = l;
	return 1;
}

static int set(int sys_dir, const struct sysctl_line *l)
{
	_close_ int fd = -1;

	if (strchr(l->key, '*'))
		return -ENOTSUP;
	fd = sys_open_beneath(sys_dir, l->key, O_WRONLY, 0, RESOLVE_STRICT);
	return fd < 0 ? fd : sys_write_all(fd, l->value, strlen(l->value));
}

static void failed(struct tally *t, const char *file, const char *what, int r)
{
	char where[200];
	struct text w = TEXT_ON(where);

	text_add(text_add(text_add(&w, file), " "), what);
	companion_say(SYS_LOG_WARNING, "sysctl", where, r);
	if (t->failed++)
		return;
	t->error = -r;
	(void)str_copy(t->first, sizeof(t->first), what);
}

static void apply_file(int sys_dir, const char *path, struct tally *t)
{
	struct lines lines;
	char *line;
	int r = lines_open(&lines, path);

	if (r < 0) {
		if (r != -ENOENT)
			failed(t, path, "(the file)", r);
		return;
	}
	while ((r = lines_next(&lines, &line)) == 1) {
		struct sysctl_line l;
		int parsed = sysctl_parse(line, &l);

		if (parsed < 0)
			failed(t, path, "(not a setting)", parsed);
		if (parsed <= 0)
			continue;
		r = set(sys_dir, &l);
		if (r >= 0)
			t->set++;
		else if (!l.may_fail)
			failed(t, path, l.key, r);
	}
	if (r < 0)
		failed(t, path, "(reading)", r);
	if (lines.skipped)
		failed(t, path, "(a line too long)", -E2BIG);
	lines_shut(&lines);
}

static void apply_all(int sys_dir, struct tally *t)
{
	static const char *const directories[] = {"/etc/sysctl.d", "/run/sysctl.d",
						  "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"};
	static struct conf_files files;

	conf_collect(directories, ARRAY_SIZE(directories), &files);
	for (unsigned i = 0; i < files.count; i++) {
		char path[PATH_BYTES];
		struct text p = TEXT_ON(path);

		text_add(text_add(text_add(&p, directories[files.at[i].directory]), "/"),
			 files.at[i].name);
		apply_file(sys_dir, path, t);
	}
	if (files.left_out)
		failed(t, "sysctl.d", "(too many files)", -ENOSPC);
	apply_file(sys_dir, "/etc/sysctl.conf", t);
}

void sysctl_apply(const struct companion *c)
{
	uint64_t start = sys_now_ns();
	struct tally tally = {0};
	char line[TEXT_BYTES];
	struct text t = TEXT_ON(line);
	_close_ int sys_dir = -1;

	if (sys_in_initial_pidns() != 1) {
		companion_item(c, RESULT_SKIPPED, 0, start, "sysctl",
			       "left alone: the settings are the host's");
		return;
	}
	sys_dir = sys_open(AT_FDCWD, "/proc/sys", O_PATH | O_DIRECTORY, 0);
	if (sys_dir < 0) {
		companion_item(c, RESULT_FAILED, -sys_dir, start, "sysctl", "no /proc/sys");
		return;
	}
	apply_all(sys_dir, &tally);
	text_add(text_u64(&t, tally.set), " set");
	if (tally.failed) {
		text_add(text_u64(text_add(&t, ", "), tally.failed), " failed, first ");
		text_add(text_add(text_add(&t, tally.first), ": "), err_text(tally.error));
	}
	companion_item(c, tally.failed ? RESULT_DEGRADED : RESULT_OK, tally.error, start, "sysctl",
		       line);
}
