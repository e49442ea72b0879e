/* SPDX-License-Identifier: MIT */
/*
 * foresee.c - the classic queue on paper, see foresee.h
 */
#include "pending/foresee.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/limits.h"
#include "base/text.h"
#include "sys/sys.h"

#define NONE       UINT32_MAX
#define STEPS_MAX  4096u /* entries that one path is taken back through */
#define ROOM_BYTES 32768u

/* Side 2 * d is the path that deed d takes from, 2 * d + 1 the one it puts to. */
struct foresee_deed {
	const char *from, *to;
	bool replaced; /* something was at `to` */
};

struct back { /* a path on its way back */
	char path[PATH_BYTES];
	uint32_t deed;     /* only those before it count */
	int64_t children;  /* that the deeds passed put there, less those they took */
	bool counts, gone; /* gone: nothing is there any more */
};

static uint32_t hash_of(const char *path, size_t n)
{
	return crc32c(0, path, n);
}

static size_t parent_of(const char *path)
{
	const size_t n = (size_t)(strrchr(path, '/') - path);

	return n ? n : 1;
}

static const char *side(const struct foresee *f, uint32_t s)
{
	const struct foresee_deed *d = &f->deeds[s / 2];

	return s % 2 ? d->to : d->from;
}

int foresee_start(struct foresee *f, uint32_t entries, foresee_look *look, void *arg)
{
	uint32_t slots = 64;
	uint8_t *at;
	int r;

	while (slots < 2 * entries)
		slots *= 2;
	*f = (struct foresee){.look = look, .arg = arg, .cap = entries, .mask = slots - 1};
	f->bytes = entries * sizeof(struct foresee_deed) +
		   (2u * slots + 4u * (size_t)entries) * sizeof(uint32_t);
	r = sys_scratch(f->bytes, &f->room);
	if (r < 0)
		return r;
	at = f->room;
	f->deeds = (void *)at;
	f->heads = (void *)(at + entries * sizeof(struct foresee_deed));
	f->parents = f->heads + slots;
	f->next = f->parents + slots;
	f->next_parent = f->next + 2u * (size_t)entries;
	memset(f->heads, 0xff, 2u * slots * sizeof(uint32_t));
	return 0;
}

void foresee_end(struct foresee *f)
{
	if (f->room)
		sys_scratch_back(f->room, f->bytes);
	f->room = NULL;
}

/* The newest side before b->deed that is the first n bytes of the path; NONE. */
static uint32_t newest(const struct foresee *f, const struct back *b, size_t n)
{
	uint32_t s = f->heads[hash_of(b->path, n) & f->mask];

	for (; s != NONE; s = f->next[s])
		if (s / 2 < b->deed && strncmp(side(f, s), b->path, n) == 0 && !side(f, s)[n])
			break;
	return s;
}

/* Things that deeds from `first` up to b->deed put into the directory at the path, less taken. */
static int64_t moved(const struct foresee *f, const struct back *b, uint32_t first)
{
	const size_t n = strlen(b->path);
	int64_t sum = 0;

	for (uint32_t s = f->parents[hash_of(b->path, n) & f->mask]; s != NONE;
	     s = f->next_parent[s]) {
		const char *path = side(f, s);

		if (s / 2 < first || s / 2 >= b->deed || parent_of(path) != n ||
		    strncmp(path, b->path, n) != 0)
			continue;
		sum += s % 2 ? !f->deeds[s / 2].replaced : -1;
	}
	return sum;
}

/* To where its thing stands now. Returns 0, -ENOENT (an entry took it away), or -E2BIG. */
static int take_back(const struct foresee *f, struct back *b)
{
	for (unsigned steps = 0; steps < STEPS_MAX; steps++) {
		uint32_t best = NONE;
		size_t at = 0;

		for (size_t n = 1; b->path[n - 1]; n++) {
			uint32_t s = b->path[n] && b->path[n] != '/' ? NONE : newest(f, b, n);

			if (s != NONE && (best == NONE || s >= best)) {
				best = s;
				at = n;
			}
		}
		if (b->counts)
			b->children += moved(f, b, best == NONE ? 0 : best / 2 + 1);
		if (best == NONE)
			return 0;
		b->deed = best / 2;
		if (best % 2 == 0)
			return -ENOENT;
		char rest[PATH_BYTES];
		struct text t = TEXT_ON(b->path);

		(void)str_copy(rest, sizeof(rest), b->path + at);
		text_add(text_add(&t, f->deeds[b->deed].from), rest);
		if (t.cut)
			return -ENAMETOOLONG;
	}
	return -E2BIG;
}

static int look(const struct foresee *f, const char *path, size_t n, bool count,
		struct foreseen *ret)
{
	struct back b = {.deed = f->count, .counts = count};
	struct text t = TEXT_ON(b.path);
	int r;

	text_add_n(&t, path, n);
	r = take_back(f, &b);
	if (r == 0)
		r = f->look(f->arg, b.path, count, ret);
	if (r == 0 && count)
		ret->children = (uint64_t)((int64_t)ret->children + b.children);
	return r;
}

static int look_at_target(const struct foresee *f, const struct rename_what *what,
			  const struct foreseen *source, bool *ret_there)
{
	struct foreseen target;
	int r = look(f, what->to, strlen(what->to), false, &target);

	*ret_there = r == 0;
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	if (!what->replace)
		return -EEXIST;
	if (target.directory)
		return -EISDIR;
	return source->directory ? -ENOTDIR : 0;
}

static int look_at_deed(const struct foresee *f, const struct rename_what *what, bool *ret_there)
{
	struct foreseen above, source;
	int r = 0;

	if (*what->to) {
		r = look(f, what->to, parent_of(what->to), false, &above);
		if (r == -ENOENT || (r == 0 && !above.directory))
			return r == 0 && above.link ? RENAME_LINK : -ENOTDIR;
	}
	if (r == 0)
		r = look(f, what->from, strlen(what->from), !*what->to, &source);
	if (r < 0)
		return r;
	if (source.read_only || (*what->to && above.read_only))
		return -EROFS;
	if (!*what->to)
		return source.fixed                              ? -EPERM
		       : source.directory && source.children > 0 ? -ENOTEMPTY
								 : 0;
	if (source.mount != above.mount)
		return -EXDEV;
	r = look_at_target(f, what, &source, ret_there);
	if (r == 0 && source.fixed)
		return -EPERM;
	if (r == 0 && source.directory && str_starts(what->to, what->from) &&
	    what->to[strlen(what->from)] == '/')
		return -EINVAL;
	return r;
}

static void note(struct foresee *f, uint32_t s)
{
	const char *path = side(f, s);
	uint32_t *head = &f->heads[hash_of(path, strlen(path)) & f->mask];
	uint32_t *parent = &f->parents[hash_of(path, parent_of(path)) & f->mask];

	f->next[s] = *head;
	*head = s;
	f->next_parent[s] = *parent;
	*parent = s;
}

int foresee_entry(struct foresee *f, const struct rename_what *what)
{
	bool there = false;
	int r = f->count < f->cap ? look_at_deed(f, what, &there) : -E2BIG;

	if (r < 0 || str_same(what->from, what->to))
		return r;
	f->deeds[f->count] = (struct foresee_deed){what->from, what->to, there};
	note(f, 2 * f->count);
	if (*what->to)
		note(f, 2 * f->count + 1);
	f->count++;
	return 0;
}

/* ---- files ---- */

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static int count_children(int dir, const char *name, uint64_t *ret)
{
	static uint64_t room[ROOM_BYTES / sizeof(uint64_t)];
	_close_ int list = sys_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	ssize_t n;

	if (list < 0)
		return list;
	*ret = 0;
	while ((n = sys_list(list, room, sizeof(room))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct entry *e = (const struct entry *)((const char *)room + at);

			at += e->bytes;
			*ret += !str_same(e->name, ".") && !str_same(e->name, "..");
		}
	return n < 0 ? (int)n : 0;
}

int foresee_files(void *arg, const char *path, bool count, struct foreseen *ret)
{
	const bool root = str_same(path, "/");
	const char *name = ".";
	_close_ int dir = root ? sys_open(*(int *)arg, ".", O_RDONLY | O_DIRECTORY, 0)
			       : rename_open_parent(*(int *)arg, path, &name);
	struct sys_identity id;
	struct sys_statfs fs;
	int r = dir < 0 ? dir : sys_identify(dir, root ? "" : name, &id);

	if (r >= 0)
		r = sys_statfs_fd(dir, &fs);
	if (r < 0)
		return r;
	*ret = (struct foreseen){.directory = S_ISDIR(id.mode),
				 .link = S_ISLNK(id.mode),
				 .read_only = fs.flags & 1,
				 .fixed = id.flags & (SYS_IDENTITY_FIXED | SYS_IDENTITY_MOUNT),
				 .mount = id.mount};
	return count && ret->directory ? count_children(dir, name, &ret->children) : 0;
}
