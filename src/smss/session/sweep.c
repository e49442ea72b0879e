/* SPDX-License-Identifier: MIT */
/*
 * sweep.c - `smss sweep N`: clears away what an ended session left, and names what holds it
 *
 * Groups that its programs made below the session's own, and files they put into its run directory,
 * are removed from the bottom up. What they look like was the session's choice: any depth, any
 * names, links, mounts. Nothing is followed out of the directory begun with, and a directory that
 * was moved meanwhile ends the work. Processes that are still there are counted; who sleeps where
 * it cannot be interrupted is named first, with the place.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "smss/session/session.h"

#define LIST_BYTES 4096
#define DEPTH_MAX  131072u /* directories in each other: a megabyte that is touched when needed */
#define NAMED_MAX  8u      /* processes that get a row of their own */
#define STAYS_WITHIN                                                                               \
	(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS)

struct sweep {
	const struct copy *c;
	bool groups;     /* directories of cgroup2: they hold processes, and files cannot go */
	uint64_t *above; /* inodes of the directories from the first one down to here */
	unsigned depth;  /* of the directory worked at, 0 = the first */
	int dir;         /* it; owner: this struct */
	unsigned named;
	struct sm_session_left left;
	bool uninterruptible; /* left.pid is one that sleeps so */
};

struct entry { /* as getdents64 gives them */
	uint64_t ino, next;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/* ---- who is still there ---- */

/* "PID (NAME) STATE ...": the name may hold anything, blanks and parentheses too. */
static char read_stat(uint32_t pid, char *ret_name, size_t cap)
{
	char path[48], line[512];
	struct text t = TEXT_ON(path);
	char *open, *close;
	ssize_t n;

	text_add(text_u64(text_add(&t, "/proc/"), pid), "/stat");
	n = sys_read_file(AT_FDCWD, path, line, sizeof(line) - 1);
	if (n <= 0)
		return 0;
	line[n] = 0;
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close < open || close[1] != ' ')
		return 0;
	*close = 0;
	t = text_start(ret_name, cap);
	text_escaped(&t, open + 1, str_len(open + 1, cap));
	return close[2];
}

static void add_place(uint32_t pid, struct text *t)
{
	char path[48], where[KERNEL_TEXT_BYTES];
	struct text p = TEXT_ON(path);
	ssize_t n;

	text_add(text_u64(text_add(&p, "/proc/"), pid), "/wchan");
	n = sys_read_file(AT_FDCWD, path, where, sizeof(where));
	if (n > 1)
		text_escaped(text_add(t, " in "), where, (size_t)n);
}

static void name_one(struct sweep *w, uint32_t pid)
{
	char name[NAME_BYTES], room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	char state = pid ? read_stat(pid, name, sizeof(name)) : 0;

	w->left.left++;
	if (!state || state == 'Z')
		return;
	if (!w->left.pid || (state == 'D' && !w->uninterruptible)) {
		w->left.pid = pid;
		w->uninterruptible = state == 'D';
		str_copy(w->left.name, sizeof(w->left.name), name);
	}
	if (w->named++ >= NAMED_MAX)
		return;
	text_u64(text_add(&t, state == 'D' ? "sleeps where it cannot be interrupted, process "
					   : "still there, process "),
		 pid);
	if (state == 'D')
		add_place(pid, &t);
	copy_item(w->c, RESULT_TIMEOUT, (int)w->c->n, 0, name, room);
}

/* The group that we are at; its list of processes may be of any length. */
static void name_processes(struct sweep *w)
{
	_close_ int fd = sys_open(w->dir, "cgroup.procs", O_RDONLY, 0);
	char room[LIST_BYTES];
	uint32_t pid = 0;
	bool digits = false;
	ssize_t n;

	while (fd >= 0 && (n = sys_read(fd, room, sizeof(room))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (room[i] >= '0' && room[i] <= '9') {
				pid = pid * 10 + (uint32_t)(room[i] - '0');
				digits = true;
			} else if (digits) {
				name_one(w, pid);
				pid = 0;
				digits = false;
			}
		}
}

/* ---- removing ---- */

struct next { /* directory to enter */
	uint64_t ino;
	char name[256];
};

static int enter(struct sweep *w, const char *name)
{
	struct sys_stat st;
	int fd, r;

	if (w->depth + 1 >= DEPTH_MAX)
		return -ELOOP;
	fd = sys_open_beneath(w->dir, name, O_RDONLY | O_DIRECTORY, 0, STAYS_WITHIN);
	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0) {
		sys_closep(&fd);
		return r;
	}
	sys_closep(&w->dir);
	w->dir = fd;
	w->above[++w->depth] = st.ino;
	return 0;
}

/* Back to the directory that we came from; -ESTALE when it is not above us any more. */
static int leave(struct sweep *w)
{
	struct sys_stat st;
	int fd = sys_open(w->dir, "..", O_RDONLY | O_DIRECTORY, 0);
	int r;

	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r >= 0 && st.ino != w->above[w->depth - 1])
		r = -ESTALE;
	if (r < 0) {
		sys_closep(&fd);
		return r;
	}
	sys_closep(&w->dir);
	w->dir = fd;
	w->depth--;
	return 0;
}

static bool is_directory(const struct sweep *w, const struct entry *e)
{
	struct sys_stat st;

	if (e->type)
		return e->type == 4; /* DT_DIR */
	return sys_stat_at(w->dir, e->name, AT_SYMLINK_NOFOLLOW, &st) >= 0 && S_ISDIR(st.mode);
}

/*
 * Removes what can be removed at once. A directory that cannot, and comes after the one left last
 * (after = its inode, 0 = none), is the next to enter: 1 and *ret. 0 = none is left.
 */
static int clear_here(struct sweep *w, uint64_t after, struct next *ret)
{
	_close_ int list = sys_open(w->dir, ".", O_RDONLY | O_DIRECTORY, 0);
	uint64_t room[LIST_BYTES / 8];
	bool beyond = !after;
	ssize_t n;

	if (list < 0)
		return list;
	while ((n = sys_list(list, room, sizeof(room))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct entry *e = (const void *)((const char *)room + at);

			at += e->bytes;
			if (str_same(e->name, ".") || str_same(e->name, ".."))
				continue;
			if (!is_directory(w, e)) {
				if (!w->groups)
					(void)!sys_unlink(w->dir, e->name, 0);
				continue;
			}
			if (sys_unlink(w->dir, e->name, AT_REMOVEDIR) < 0 && beyond &&
			    str_copy(ret->name, sizeof(ret->name), e->name)) {
				ret->ino = e->ino;
				return 1;
			}
			beyond = beyond || e->ino == after;
		}
	return (int)n;
}

/*
 * One directory after the other, down and up again, without calling itself. What cannot be entered
 * (a mount) stays, and with it what it lies in.
 */
static int clear(struct sweep *w)
{
	struct next next;
	uint64_t after = 0;
	int r;

	for (;;) {
		if (w->groups && !after)
			name_processes(w);
		r = clear_here(w, after, &next);
		if (r == 1) {
			after = enter(w, next.name) < 0 ? next.ino : 0;
			continue;
		}
		if (r < 0)
			return r;
		if (!w->depth)
			return 0;
		after = w->above[w->depth];
		r = leave(w);
		if (r < 0)
			return r;
	}
}

/* Returns 0 when nothing of it is left. */
static int sweep(struct sweep *w, const char *path)
{
	struct sys_stat st;
	int r = sys_unlink(AT_FDCWD, path, AT_REMOVEDIR);

	if (r >= 0 || r == -ENOENT)
		return 0;
	w->dir = sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	r = w->dir < 0 ? w->dir : sys_stat_fd(w->dir, &st);
	if (r >= 0) {
		w->above[0] = st.ino;
		w->depth = 0;
		r = clear(w);
	}
	sys_closep(&w->dir);
	if (r >= 0)
		r = sys_unlink(AT_FDCWD, path, AT_REMOVEDIR);
	return r == -ENOENT ? 0 : r;
}

static void tell_left(const struct sweep *w)
{
	struct sm_message m;

	sm_message_start(&m, SM_SESSION_LEFT, 0, 0);
	m.b.session_left = w->left;
	(void)!copy_tell(&m, NULL, 0);
}

int copy_role_sweep(struct copy *c)
{
	struct sweep w = {.c = c, .dir = -1, .left = {.session = c->n}};
	char group[160], run[64];
	struct text g = TEXT_ON(group), t = TEXT_ON(run);
	int first = 0, second, r = sys_scratch(DEPTH_MAX * sizeof(*w.above), (void **)&w.above);

	if (r < 0)
		return COPY_FAILED;
	group_path(c, c->n, &g);
	w.groups = true;
	if (g.len)
		first = sweep(&w, group);
	w.groups = false;
	text_u64(text_add(&t, RUN_DIRECTORY "/sessions/"), c->n);
	second = sweep(&w, run);
	tell_left(&w);
	if (first < 0 && !w.left.left)
		copy_item(c, RESULT_FAILED, -first, 0, group, err_text(-first));
	if (second < 0)
		copy_item(c, RESULT_FAILED, -second, 0, run, err_text(-second));
	return first < 0 || second < 0 ? COPY_FAILED : COPY_OK;
}
