/* SPDX-License-Identifier: MIT */
/*
 * mountinfo.c - what is mounted now; see mountinfo.h
 *
 * Reads one file of /proc; changes nothing.
 */
#include "autochk/mountinfo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "sys/sys.h"

#define MOUNTINFO_MAX (4u << 20)

/* "\040" and its kin, in place. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

static char *next(char **at)
{
	char *word = *at, *end;

	if (!word)
		return NULL;
	end = strchr(word, ' ');
	*at = end ? end + 1 : NULL;
	if (end)
		*end = 0;
	return word;
}

static bool device(const char *s, struct mount_row *r)
{
	const char *colon = strchr(s, ':');
	uint64_t major, minor;

	if (!colon || str_u64(s, (size_t)(colon - s), &major) < 0 ||
	    str_u64(colon + 1, strlen(colon + 1), &minor) < 0)
		return false;
	r->major = (unsigned)major;
	r->minor = (unsigned)minor;
	return true;
}

/* id parent major:minor root target options [tags...] - type source super */
static bool parse(char *line, struct mount_row *r)
{
	char *at = line, *dev, *target, *word, *type, *source;

	next(&at);
	next(&at);
	dev = next(&at);
	next(&at);
	target = next(&at);
	r->options = next(&at);
	do
		word = next(&at);
	while (word && !str_same(word, "-"));
	type = next(&at);
	source = next(&at);
	r->super = next(&at);
	if (!r->super || !device(dev, r))
		return false;
	unescape(target);
	unescape(source);
	r->target = target;
	r->type = type;
	r->source = source;
	return true;
}

int mountinfo_read(char *text, struct mountinfo *ret)
{
	size_t lines = 1, count = 0;
	struct mount_row *row;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	row = calloc(lines, sizeof(*row));
	if (!row)
		return -ENOMEM;
	while (*text) {
		char *end = strchrnul(text, '\n');
		char *after = *end ? end + 1 : end;

		*end = 0;
		if (parse(text, &row[count]))
			count++;
		text = after;
	}
	ret->row = row;
	ret->count = count;
	return 0;
}

int mountinfo_load(struct mountinfo *ret)
{
	_close_ int fd = sys_open(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY, 0);
	size_t cap = 16384, have = 0;
	char *text = NULL;

	if (fd < 0)
		return fd;
	for (;;) {
		char *more = realloc(text, cap);
		ssize_t r;

		if (!more) {
			free(text);
			return -ENOMEM;
		}
		text = more;
		r = sys_read_all(fd, text + have, cap - 1 - have);
		if (r < 0 || cap > MOUNTINFO_MAX) {
			free(text);
			return r < 0 ? (int)r : -EFBIG;
		}
		have += (size_t)r;
		text[have] = 0;
		if (have < cap - 1)
			return mountinfo_read(text, ret);
		cap *= 2;
	}
}

const struct mount_row *mountinfo_at(const struct mountinfo *m, const char *target)
{
	for (size_t i = m->count; i-- > 0;) {
		if (str_same(m->row[i].target, target))
			return &m->row[i];
	}
	return NULL;
}

const struct mount_row *mountinfo_of(const struct mountinfo *m, unsigned major, unsigned minor)
{
	const struct mount_row *found = NULL;

	for (size_t i = 0; i < m->count; i++) {
		if (m->row[i].major != major || m->row[i].minor != minor)
			continue;
		if (!found || mount_has(m->row[i].super, "rw"))
			found = &m->row[i];
	}
	return found;
}

bool mount_has(const char *options, const char *word)
{
	size_t len = strlen(word);

	while (*options) {
		size_t n = strcspn(options, ",");

		if (n == len && !memcmp(options, word, n))
			return true;
		options += n + (options[n] == ',');
	}
	return false;
}
