/* SPDX-License-Identifier: MIT */
/*
 * make_group.c - a group of pending operations for tests, as it may lie in a queue
 *
 * make_group STATE ID NAME [--protected] [--reverse OF] [--stale N] <OPERATIONS
 * Lines "move FROM TO", "replace FROM TO", "delete PATH", "optional PATH", paths without blanks. A
 * source that is not there yet is named all the same, with the identity of nothing. --stale N makes
 * the identity of operation N (from 1) that of another file, --digest N asks for a digest that no
 * file has. No check of what is queued: that is what the boot is tried with.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "pending/group.h"
#include "sys/sys.h"

#define OPS_MAX   20000u
#define WORD_MAX  512u
#define POOL_MAX  (8u << 20)
#define BYTES_MAX (32u << 20)

struct line {
	char verb[16], from[WORD_MAX], to[WORD_MAX];
};

static struct line lines[OPS_MAX];
static unsigned line_count;
static char *dirs[2 * OPS_MAX], *paths[2 * OPS_MAX];
static unsigned dir_count, path_count, fs_count;
static struct {
	uint64_t mount;
	char root[WORD_MAX];
	uint8_t uuid[16];
} fs[GROUP_FS_MAX];
static char pool[POOL_MAX];
static size_t pool_used = 1;
static uint64_t room[BYTES_MAX / 8];

static void die(const char *what, int err)
{
	fprintf(stderr, "make_group: %s: %s\n", what, err ? err_text(err < 0 ? -err : err) : "");
	exit(1);
}

static uint32_t intern(const char *s)
{
	const size_t at = pool_used, n = strlen(s) + 1;

	if (at + n > POOL_MAX)
		die("pool", ENOSPC);
	memcpy(pool + at, s, n);
	pool_used += n;
	return (uint32_t)at;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static unsigned once(char **list, unsigned count)
{
	unsigned n = 0;

	qsort(list, count, sizeof(*list), by_text);
	for (unsigned i = 0; i < count; i++)
		if (!n || strcmp(list[n - 1], list[i]) != 0)
			list[n++] = list[i];
	return n;
}

static char *parent_of(const char *path)
{
	char *copy = strdup(path), *slash = strrchr(copy, '/');

	slash[slash == copy] = 0;
	return copy;
}

static const char *name_of(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* By directory, then by name, as the form wants it. */
static int by_place(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	char *dx = parent_of(x), *dy = parent_of(y);
	int r = strcmp(dx, dy);

	free(dx);
	free(dy);
	return r ? r : strcmp(name_of(x), name_of(y));
}

static uint32_t fs_of(const char *dir)
{
	struct sys_identity id, above;
	char *root = strdup(dir);
	int fd, r = sys_identify(AT_FDCWD, dir, &id);

	if (r < 0)
		die(dir, r);
	for (uint32_t i = 0; i < fs_count; i++)
		if (fs[i].mount == id.mount)
			return i;
	while (root[1]) {
		char *up = parent_of(root);

		if (sys_identify(AT_FDCWD, up, &above) < 0 || above.mount != id.mount)
			break;
		root = up;
	}
	fd = sys_open(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || (r = sys_fs_id(fd, fs[fs_count].uuid)) < 0)
		die(dir, fd < 0 ? fd : r);
	fs[fs_count].mount = id.mount;
	snprintf(fs[fs_count].root, WORD_MAX, "%s", root);
	return fs_count++;
}

static void read_lines(void)
{
	char text[2 * WORD_MAX + 32];

	while (fgets(text, sizeof(text), stdin)) {
		struct line *l = &lines[line_count];

		if (sscanf(text, "%15s %511s %511s", l->verb, l->from, l->to) < 2)
			die("a line of no operation", EINVAL);
		paths[path_count++] = l->from;
		dirs[dir_count++] = parent_of(l->from);
		if (l->to[0]) {
			paths[path_count++] = l->to;
			dirs[dir_count++] = parent_of(l->to);
		}
		if (++line_count == OPS_MAX)
			die("operations", E2BIG);
	}
}

static uint32_t place_of(const char *path)
{
	char **found = bsearch(&path, paths, path_count, sizeof(*paths), by_place);

	return (uint32_t)(found - paths);
}

static void fill_op(struct group_op *o, const struct line *l)
{
	struct sys_identity id;

	o->kind = l->to[0] ? GROUP_MOVE : GROUP_DELETE;
	o->flags = str_same(l->verb, "replace")    ? GROUP_REPLACE
		   : str_same(l->verb, "optional") ? GROUP_OPTIONAL
						   : 0;
	o->from = place_of(l->from);
	o->to = l->to[0] ? place_of(l->to) : NO_PLACE;
	/* The source of a chain is what an earlier operation of the group left there. */
	for (const struct line *before = l; before-- > lines;)
		if (str_same(before->to, l->from))
			l = before;
	if (sys_identify(AT_FDCWD, l->from, &id) < 0)
		return;
	o->ino = id.ino;
	o->tag = id.tag;
	o->bytes = S_ISDIR(id.mode) ? 0 : id.bytes;
}

static struct group_table table(size_t *used, uint32_t count, size_t row_bytes, void **ret)
{
	struct group_table t = {.at = (uint32_t)*used, .count = count};

	*ret = (char *)room + *used;
	*used = (*used + count * row_bytes + 7) & ~(size_t)7;
	if (*used + POOL_MAX > BYTES_MAX)
		die("group", ENOSPC);
	return t;
}

static void fill_tables(struct group_header *g, size_t *used)
{
	struct group_fs *f;
	struct group_dir *d;
	struct group_place *p;
	struct group_op *o;
	void *at;

	g->dirs = table(used, dir_count, sizeof(*d), &at);
	d = at;
	for (unsigned i = 0; i < dir_count; i++)
		d[i] = (struct group_dir){fs_of(dirs[i]), intern(dirs[i])};
	g->fs = table(used, fs_count, sizeof(*f), &at);
	f = at;
	for (unsigned i = 0; i < fs_count; i++) {
		memcpy(f[i].uuid, fs[i].uuid, 16);
		f[i].root = intern(fs[i].root);
	}
	g->places = table(used, path_count, sizeof(*p), &at);
	p = at;
	for (unsigned i = 0; i < path_count; i++) {
		char *dir = parent_of(paths[i]);
		char **found = bsearch(&dir, dirs, dir_count, sizeof(*dirs), by_text);

		p[i] = (struct group_place){(uint32_t)(found - dirs), intern(name_of(paths[i]))};
		free(dir);
	}
	g->ops = table(used, line_count, sizeof(*o), &at);
	o = at;
	for (unsigned i = 0; i < line_count; i++)
		fill_op(&o[i], &lines[i]);
	g->digests = table(used, 1, SHA256_BYTES, &at);
}

static size_t finish(struct group_header *g, size_t used)
{
	const char *why = "";
	int r;

	g->strings = (uint32_t)used;
	memcpy((char *)room + used, pool, pool_used);
	g->bytes = used + pool_used;
	g->crc = group_crc(g);
	r = group_check(g, g->bytes, &why);
	if (r < 0)
		die(why, r);
	return g->bytes;
}

int main(int argc, char **argv)
{
	struct group_header *g = (struct group_header *)room;
	struct group_op *ops;
	char path[WORD_MAX], name[GROUP_FILE_BYTES];
	size_t used = sizeof(*g), n;
	int fd, r;

	if (argc < 4)
		die("STATE ID NAME", EINVAL);
	memcpy(g->magic, GROUP_MAGIC, 8);
	g->id = (uint32_t)strtoul(argv[2], NULL, 0);
	snprintf(g->name, sizeof(g->name), "%s", argv[3]);
	for (int i = 4; i < argc; i++)
		if (str_same(argv[i], "--protected"))
			g->flags |= GROUP_PROTECTED;
		else if (str_same(argv[i], "--reverse") && ++i < argc) {
			g->flags |= GROUP_REVERSE;
			g->of = (uint32_t)strtoul(argv[i], NULL, 0);
		}
	if (!(g->flags & GROUP_REVERSE)) {
		read_lines();
		dir_count = once(dirs, dir_count);
		path_count = once(paths, path_count);
		qsort(paths, path_count, sizeof(*paths), by_place);
		fill_tables(g, &used);
	}
	ops = (struct group_op *)((char *)room + g->ops.at);
	for (int i = 4; i + 1 < argc; i++)
		if (str_same(argv[i], "--stale"))
			ops[atoi(argv[i + 1]) - 1].ino++;
		else if (str_same(argv[i], "--digest"))
			ops[atoi(argv[i + 1]) - 1].flags |= GROUP_DIGEST;
	n = finish(g, used);
	snprintf(path, sizeof(path), "%s/" PENDING_DIRECTORY, argv[1]);
	r = sys_make_dirs(path, 0700);
	fd = r < 0 ? r : sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	group_file_name(name, g->id, ".group");
	if (fd >= 0)
		r = sys_replace_file(fd, name, g, n, 0600);
	if (fd < 0 || r < 0)
		die(path, fd < 0 ? fd : r);
	return 0;
}
