/* SPDX-License-Identifier: MIT */
/*
 * pending_drive.c - drives of Windows that are directories here; see pending_hive.h
 *
 * Component by component, each name looked for in its directory without case, no link followed.
 */
#include "smctl/pending_hive.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "registry/utf.h"
#include "sys/sys.h"

#define NAME_ROOM 256u

void drives_start(struct drives *d)
{
	memset(d, 0, sizeof(*d));
	for (unsigned i = 0; i < DRIVES; i++)
		d->fd[i] = -1;
	d->last_fd = -1;
}

void drives_end(struct drives *d)
{
	for (unsigned i = 0; i < DRIVES; i++)
		sys_closep(&d->fd[i]);
	sys_closep(&d->last_fd);
}

static int letter_of(char c)
{
	return c >= 'a' && c <= 'z' ? c - 'a' : c >= 'A' && c <= 'Z' ? c - 'A' : -1;
}

int drives_add(struct drives *d, const char *word)
{
	const int letter = letter_of(word[0]);

	if (letter < 0 || word[1] != ':' || word[2] != '=' || !word[3])
		return -EINVAL;
	if (d->directory[letter])
		return -EEXIST;
	d->fd[letter] = sys_open(AT_FDCWD, word + 3, O_RDONLY | O_DIRECTORY, 0);
	if (d->fd[letter] < 0)
		return d->fd[letter];
	d->directory[letter] = word + 3;
	d->any = true;
	return 0;
}

/* ---- paths ---- */

/* What may stand before the drive's letter, in any case. */
static const char *below_prefix(const char *path)
{
	static const char *const prefixes[] = {"\\??\\", "\\DosDevices\\", "\\GLOBAL??\\",
					       "\\\\?\\", "\\\\.\\"};

	for (unsigned i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		const size_t n = strlen(prefixes[i]);

		if (strlen(path) >= n && utf8_same_fold(path, n, prefixes[i], n))
			return path + n;
	}
	return path;
}

static void add_folded(struct text *t, const char *s, size_t n)
{
	while (n) {
		uint32_t c;
		char room[4];
		const unsigned taken = utf8_next(s, n, &c);

		if (c == UTF_BAD)
			text_add_n(t, s, taken);
		else
			text_add_n(t, room, utf8_put(utf_fold(c), room));
		s += taken;
		n -= taken;
	}
}

enum drive_answer drives_map(const struct drives *d, const char *path, char *ret, char *key)
{
	const char *p = below_prefix(path);
	const int letter = p[0] && p[1] == ':' ? letter_of(p[0]) : -1;
	struct text shown = text_start(ret, PATH_BYTES), folded = text_start(key, PATH_BYTES);

	if (letter < 0)
		return DRIVE_NO_LETTER;
	if (!d->directory[letter])
		return DRIVE_UNKNOWN;
	text_add(&shown, d->directory[letter]);
	while (shown.len > 1 && shown.at[shown.len - 1] == '/')
		shown.at[--shown.len] = 0;
	if (str_same(shown.at, "/"))
		shown.len = 0;
	text_add_n(text_add(&folded, "/"), &(char){(char)('a' + letter)}, 1);
	p += 2;
	if (!*p || !p[1])
		return DRIVE_NO_PATH; /* a drive itself is nothing to move */
	while (*p) {
		const size_t n = *p == '\\' ? strcspn(p + 1, "\\") : 0;

		if (!n || n >= NAME_ROOM || memchr(p + 1, '/', n) || (n == 1 && p[1] == '.') ||
		    (n == 2 && p[1] == '.' && p[2] == '.'))
			return DRIVE_NO_PATH;
		text_add_n(text_add(&shown, "/"), p + 1, n);
		add_folded(text_add(&folded, "/"), p + 1, n);
		p += 1 + n;
		p += str_same(p, "\\"); /* installers write directories so */
	}
	return shown.cut || folded.cut ? DRIVE_NO_PATH : DRIVE_MAPPED;
}

/* ---- files ---- */

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

struct listing {
	uint64_t children;
	char found[NAME_ROOM]; /* the name that is the same to NT; "" none */
};

/* Lists a directory: all that is in it is counted, and a name (n bytes) is looked for. */
static int list(int dir, const char *name, size_t n, struct listing *ret)
{
	static uint64_t room[4096];
	_close_ int fd = sys_open(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	ssize_t got;

	if (fd < 0)
		return fd;
	*ret = (struct listing){0};
	while ((got = sys_list(fd, room, sizeof(room))) > 0)
		for (ssize_t at = 0; at < got;) {
			const struct entry *e = (const struct entry *)((const char *)room + at);

			at += e->bytes;
			if (str_same(e->name, ".") || str_same(e->name, ".."))
				continue;
			ret->children++;
			if (n && !ret->found[0] &&
			    utf8_same_fold(e->name, strlen(e->name), name, n))
				(void)str_copy(ret->found, sizeof(ret->found), e->name);
		}
	return got < 0 ? (int)got : 0;
}

/* One component down; no link, and no file where a directory is wanted. */
static int step(int dir, const char *name, size_t n)
{
	struct listing l;
	struct sys_stat st;
	int r = list(dir, name, n, &l);

	if (r < 0)
		return r;
	if (!l.found[0])
		return -ENOENT;
	r = sys_stat_at(dir, l.found, AT_SYMLINK_NOFOLLOW, &st);
	if (r < 0)
		return r;
	if (S_ISLNK(st.mode))
		return RENAME_LINK;
	return sys_open(dir, l.found, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
}

/* The directory that the first n bytes of a key name; kept for the next question. */
static int open_above(struct drives *d, const char *path, size_t n)
{
	int fd;

	if (d->last_fd >= 0 && strlen(d->last) == n && strncmp(d->last, path, n) == 0)
		return d->last_fd;
	fd = sys_open(d->fd[path[1] - 'a'], ".", O_RDONLY | O_DIRECTORY, 0);
	for (size_t at = 2; fd >= 0 && at < n;) {
		const size_t part = strcspn(path + at + 1, "/");
		int below = step(fd, path + at + 1, part);

		sys_closep(&fd);
		fd = below;
		at += 1 + part;
	}
	if (fd < 0)
		return fd;
	sys_closep(&d->last_fd);
	d->last_fd = fd;
	struct text t = TEXT_ON(d->last);

	text_add_n(&t, path, n);
	return fd;
}

int drives_look(void *arg, const char *path, bool count, struct foreseen *ret)
{
	struct drives *d = arg;
	const char *slash = strrchr(path, '/');
	const bool drive = slash == path; /* "/c": the drive itself */
	const int above = open_above(d, path, drive ? 2 : (size_t)(slash - path));
	struct listing l;
	struct sys_stat st;
	int r = above < 0 ? above : drive ? 0 : list(above, slash + 1, strlen(slash + 1), &l);

	if (r == 0 && !drive && !l.found[0])
		r = -ENOENT;
	if (r == 0)
		r = sys_stat_at(above, drive ? "." : l.found, AT_SYMLINK_NOFOLLOW, &st);
	if (r < 0)
		return r;
	/* What is mounted how does not matter here: Windows has each letter as one volume. */
	*ret = (struct foreseen){.directory = S_ISDIR(st.mode),
				 .link = S_ISLNK(st.mode),
				 .mount = (uint64_t)path[1]};
	if (!count || !ret->directory || drive)
		return 0;
	_close_ int dir = sys_open(above, l.found, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	r = dir < 0 ? dir : list(dir, "", 0, &l);
	ret->children = l.children;
	return r;
}
