/* SPDX-License-Identifier: MIT */
/*
 * protect.c - which paths a queued operation must leave alone, see protect.h
 *
 * Compared as text: the caller follows no link on the way, so a canonical path has one spelling.
 */
#include "pending/protect.h"

#include <string.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "pending/ground.h"

bool protect_canonical(const char *path)
{
	const char *p = path;

	if (str_len(path, PATH_BYTES) == PATH_BYTES || p[0] != '/' || !p[1])
		return false;
	while (*p) {
		const size_t n = strcspn(p + 1, "/");

		if (!n || (n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
			return false;
		p += 1 + n;
	}
	return true;
}

/* a is b or a directory above it */
static bool holds(const char *a, const char *b)
{
	const size_t n = strlen(a);

	return strncmp(a, b, n) == 0 && (!b[n] || b[n] == '/');
}

/* What groups replaced lies at the mount points of other file systems, below this name. */
static bool in_graveyard(const char *path)
{
	for (const char *p = strstr(path, "/" GRAVEYARD_FS); p; p = strstr(p + 1, "/" GRAVEYARD_FS))
		if (holds("/" GRAVEYARD_FS, p))
			return true;
	return false;
}

bool protect_covers(const char *path, const char *hive, const char *state)
{
	static const char *const ours[] = {
		IMAGE_DIRECTORY, "/lib/smss", "/sbin/init", "/usr/sbin/init", "/boot", "/var/log",
	};
	const size_t hive_n = strlen(hive);

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (holds(ours[i], path) || holds(path, ours[i]))
			return true;
	if (in_graveyard(path) || holds(state, path) || holds(path, state) || holds(path, hive))
		return true;
	/* the hive and SYSTEM.plan, SYSTEM.queue, SYSTEM.new: names that go on after the hive's */
	return strncmp(path, hive, hive_n) == 0 && (!path[hive_n] || path[hive_n] == '.');
}
