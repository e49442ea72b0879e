/* SPDX-License-Identifier: MIT */
/*
 * needs_pnp.c - whether SerializeBoot has anything to wait for; see needs_pnp.h
 *
 * The places are those that pnp itself looks at (pnp(8)): one named here too few means a pnp that
 * is not started, so they are kept together in two tables.
 */
#include "smss/boot/needs_pnp.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "sys/sys.h"

static const char *const managers[] = {
	"/usr/lib/systemd/systemd-udevd",
	"/usr/sbin/udevd",
	"/sbin/udevd",
	"/etc/mdev.conf",
};

static const char *const module_lists[] = {
	"/etc/modules",        "/etc/modules-load.d",           "/usr/lib/modules-load.d",
	"/run/modules-load.d", "/usr/local/lib/modules-load.d",
};

static bool is_there(const char *path)
{
	return sys_access(AT_FDCWD, path, 0) != -ENOENT;
}

/* Without modprobe nobody can load what a list names, and pnp would only say so. */
static bool names_modules(void)
{
	if (!is_there("/usr/sbin/modprobe") && !is_there("/sbin/modprobe"))
		return false;
	for (size_t i = 0; i < sizeof(module_lists) / sizeof(module_lists[0]); i++)
		if (is_there(module_lists[i]))
			return true;
	return false;
}

/* A device besides the root's: it may have to be waited for. */
static bool waits_for(char *line)
{
	char *words[ARGS_MAX + 1];

	if (plan_words(line, words, ARGS_MAX) < 2 || words[0][0] == '#' || str_same(words[1], "/"))
		return false;
	return str_starts(words[0], "/dev/") || strchr(words[0], '=') != NULL;
}

static bool fstab_waits(void)
{
	char room[4096];
	ssize_t n = sys_read_file(AT_FDCWD, "/etc/fstab", room, sizeof(room) - 1);
	char *line = room;

	if (n == -ENOENT)
		return false;
	if (n < 0)
		return true;
	room[n] = 0;
	while (*line) {
		char *end = line + strcspn(line, "\n");
		bool last = !*end;

		*end = 0;
		if (waits_for(line))
			return true;
		line = last ? end : end + 1;
	}
	return false;
}

bool needs_pnp(const struct copy *c, struct sm_env_ready *ret)
{
	if (!str_same(copy_word(c, "SMSS_MODE", ""), "machine")) {
		str_copy(ret->text, sizeof(ret->text),
			 "left alone: devices and modules are the host's");
		return false;
	}
	for (size_t i = 0; i < sizeof(managers) / sizeof(managers[0]); i++)
		if (is_there(managers[i]))
			return true;
	if (names_modules() || fstab_waits())
		return true;
	str_copy(ret->text, sizeof(ret->text),
		 "no udev, no mdev, no modules named: devtmpfs serves");
	return false;
}
