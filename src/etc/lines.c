/* SPDX-License-Identifier: MIT */
/*
 * lines.c - bounded reading of text files, see lines.h
 */
#include "etc/lines.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "sys/sys.h"

void lines_open_fd(struct lines *l, int fd)
{
	l->fd = fd;
	l->at = l->have = 0;
	l->number = l->skipped = 0;
	l->skipping = l->end = false;
}

int lines_open(struct lines *l, const char *path)
{
	struct sys_stat st;
	_close_ int fd =
		sys_walk(path, O_RDONLY | O_NONBLOCK); /* a fifo in its place must not hold us */
	int r;

	lines_open_fd(l, -1);
	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if ((st.mode & 0170000) != 0100000)
		return -EINVAL;
	l->fd = fd_take(fd);
	return 0;
}

void lines_shut(struct lines *l)
{
	sys_closep(&l->fd);
}

/* Makes room and reads on. Returns 1 when there is more, 0 at the end, -errno. */
static int fill(struct lines *l)
{
	ssize_t n;

	if (l->end)
		return 0;
	if (l->at) {
		memmove(l->room, l->room + l->at, l->have - l->at);
		l->have -= l->at;
		l->at = 0;
	}
	if (l->have == sizeof(l->room)) { /* a whole room without a newline: the line is given up */
		l->skipping = true;
		l->have = 0;
	}
	n = sys_read(l->fd, l->room + l->have, sizeof(l->room) - l->have);
	if (n < 0)
		return (int)n;
	l->end = n == 0;
	l->have += (size_t)n;
	return n > 0;
}

/* One line of n bytes at l->at, newline not counted, is complete. True when it can be given. */
static bool take_line(struct lines *l, size_t n, char **ret)
{
	char *line = l->room + l->at;
	bool bad = l->skipping || memchr(line, 0, n);

	l->number++;
	l->skipping = false;
	l->at += n;
	if (l->at < l->have)
		l->at++; /* the newline */
	if (bad) {
		l->skipped++;
		return false;
	}
	line[n] = 0;
	*ret = line;
	return true;
}

int lines_next(struct lines *l, char **ret)
{
	for (;;) {
		char *line = l->room + l->at;
		size_t left = l->have - l->at;
		char *newline = left ? memchr(line, '\n', left) : NULL;
		int r;

		if (newline) {
			if (take_line(l, (size_t)(newline - line), ret))
				return 1;
			continue;
		}
		r = fill(l);
		if (r < 0)
			return r;
		if (r > 0)
			continue;
		left = l->have -
		       l->at; /* the end: less than the room, so there is place for a NUL */
		if (!left && !l->skipping)
			return 0;
		if (take_line(l, left, ret))
			return 1;
	}
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

char *line_trim(char *s)
{
	size_t n;

	while (blank(*s))
		s++;
	n = strlen(s);
	while (n && blank(s[n - 1]))
		s[--n] = 0;
	return s;
}

char *line_word(char **s)
{
	char *word;

	while (blank(**s))
		(*s)++;
	if (!**s)
		return NULL;
	word = *s;
	while (**s && !blank(**s))
		(*s)++;
	if (**s)
		*(*s)++ = 0;
	return word;
}

unsigned line_fields(char *s, char separator, char **ret, unsigned max)
{
	unsigned count = 0;

	for (;;) {
		char *end = strchr(s, separator);

		if (end)
			*end = 0;
		if (count < max)
			ret[count] = s;
		count++;
		if (!end)
			return count;
		s = end + 1;
	}
}

struct entry { /* the kernel's getdents64 record */
	uint64_t ino;
	int64_t next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* Keeps the list sorted; a name that is there already stays with its directory. */
static void keep_name(struct conf_files *files, const char *name, uint8_t directory)
{
	unsigned i = files->count;

	for (unsigned j = 0; j < files->count; j++)
		if (str_same(files->at[j].name, name))
			return;
	if (files->count == CONF_FILES_MAX || strlen(name) >= CONF_NAME_BYTES) {
		files->left_out++;
		return;
	}
	while (i && strcmp(files->at[i - 1].name, name) > 0) {
		files->at[i] = files->at[i - 1];
		i--;
	}
	(void)str_copy(files->at[i].name, CONF_NAME_BYTES, name);
	files->at[i].directory = directory;
	files->count++;
}

static void collect_one(struct conf_files *files, const char *path, uint8_t directory)
{
	_close_ int fd = sys_walk(path, O_RDONLY | O_DIRECTORY);
	char room[2048] __attribute__((aligned(8)));
	ssize_t n;

	if (fd < 0)
		return;
	while ((n = sys_list(fd, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct entry *e = (const struct entry *)(const void *)(room + at);
			size_t length = strlen(e->name);

			at += e->bytes;
			if (length > 5 && e->name[0] != '.' &&
			    str_same(e->name + length - 5, ".conf"))
				keep_name(files, e->name, directory);
		}
	}
}

void conf_collect(const char *const *directories, unsigned count, struct conf_files *ret)
{
	ret->count = 0;
	ret->left_out = 0;
	for (unsigned i = 0; i < count; i++)
		collect_one(ret, directories[i], (uint8_t)i);
}
