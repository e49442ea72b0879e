/* SPDX-License-Identifier: MIT */
/*
 * copy.c - what every copy can do: speak with the master, find images, open the state directory
 *
 * The contract is copy.h. Must not decide anything for a role, and has no heap. Paths come from
 * the plan and are hostile (law 12): an image is only given out when nobody but root can change it
 * or anything above it.
 */
#include "smss/copy.h"

#include <errno.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "smss/boot/boot.h"
#include "state/state.h"
#include "sys/sys.h"

#define SEARCH_PATH "/usr/sbin:/usr/bin:/sbin:/bin" /* when the environment has no PATH */

static uint32_t next_tag = 1;

const char *copy_word(const struct copy *c, const char *name, const char *otherwise)
{
	const size_t n = strlen(name);

	for (char *const *w = c->words; w && *w; w++)
		if (strncmp(*w, name, n) == 0 && (*w)[n] == '=')
			return *w + n + 1;
	return otherwise;
}

int copy_tell(const struct sm_message *m, const int *fds, unsigned fd_count)
{
	ssize_t r = sys_send(FD_MASTER, m, sm_message_bytes(m), fds, fd_count);

	return r < 0 ? (int)r : 0;
}

int copy_ask(struct sm_message *m, const int *fds, unsigned fd_count)
{
	struct sm_message answer;
	const uint32_t tag = next_tag++;
	int r;

	m->h.tag = tag;
	m->h.reply = 0;
	r = copy_tell(m, fds, fd_count);
	if (r < 0)
		return r;
	for (;;) {
		ssize_t n = sys_receive(FD_MASTER, &answer, sizeof(answer), NULL, NULL);

		if (n < 0)
			return (int)n;
		if (n == 0)
			return -EPIPE;
		if (sm_message_check(&answer, (size_t)n) < 0)
			return -EPROTO;
		if (answer.h.reply && answer.h.tag == tag)
			break;
		/* an event or an answer nobody waits for any more */
	}
	memcpy(m, &answer, sizeof(answer.h) + answer.h.length);
	return 0;
}

/* Failures are to be seen by whoever stands at the machine; the rest is for the record. */
static int level_of(enum result result)
{
	switch (result) {
	case RESULT_FAILED:
	case RESULT_CRASHED:
	case RESULT_TIMEOUT:
	case RESULT_REFUSED:
		return SYS_LOG_ERROR;
	case RESULT_DEGRADED:
		return SYS_LOG_WARNING;
	default:
		return SYS_LOG_INFO;
	}
}

static void escape_into(char *field, size_t cap, const char *s)
{
	struct text t = text_start(field, cap);

	text_escaped(&t, s, str_len(s, 4 * cap));
}

void copy_item(const struct copy *c, enum result result, int detail, uint64_t start_ns,
	       const char *name, const char *text)
{
	struct sm_message m;
	char line[400];
	struct text t = TEXT_ON(line);

	sm_message_start(&m, SM_PHASE_ITEM, 0, 0);
	m.b.item.result = result;
	m.b.item.detail = detail;
	m.b.item.start_ns = start_ns;
	escape_into(m.b.item.name, sizeof(m.b.item.name), name);
	escape_into(m.b.item.text, sizeof(m.b.item.text), text);
	if (copy_tell(&m, NULL, 0) >= 0)
		return; /* the master logs its rows: one event, one line, one place */
	text_add(&t, "(not recorded) ");
	text_add(text_add(&t, role_word(c->role)), ": ");
	text_add(text_add(&t, m.b.item.name), ": ");
	text_add(&t, result_word(result));
	if (m.b.item.text[0])
		text_add(text_add(&t, ": "), m.b.item.text);
	sys_log(level_of(result), line);
}

/* Together, and not all zero: on the one page that is there from the beginning. */
static struct {
	int proc;      /* /proc as it was seen, see copy_keep_proc */
	bool ours_are; /* our own directory and those above it are root's: looked at once */
} own = {.proc = AT_FDCWD};

int copy_keep_proc(void)
{
	int fd = sys_open(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return fd;
	own.proc = fd;
	return 0;
}

/* The path a descriptor really has, links resolved; without /proc the path as it was walked. */
static int real_path(int fd, const char *walked, char *ret, size_t cap)
{
	char link[48];
	struct text t = TEXT_ON(link);
	ssize_t n;

	text_add(&t, own.proc == AT_FDCWD ? "/proc/" : "");
	text_u64(text_add(&t, "self/fd/"), (uint64_t)fd);
	n = sys_readlink(own.proc, link, ret, cap);
	if (n > 0 && (size_t)n < cap && ret[0] == '/') {
		ret[n] = 0;
		return 0;
	}
	return str_copy(ret, cap, walked) ? 0 : -ENAMETOOLONG;
}

/* Every directory above the image is root's, so that nobody can put another one in its place. */
static int directories_owned(const char *path)
{
	const bool ours = str_starts(path, IMAGE_DIRECTORY "/") &&
			  !strchr(path + sizeof(IMAGE_DIRECTORY), '/');
	char part[PATH_BYTES];
	struct sys_stat st;

	if (ours && own.ours_are)
		return 0;
	for (size_t i = 0; path[i]; i++) {
		int r;

		if (path[i] != '/')
			continue;
		memcpy(part, path, i + 1);
		part[i ? i : 1] = 0;
		r = sys_stat_at(AT_FDCWD, part, AT_SYMLINK_NOFOLLOW, &st);
		if (r < 0)
			return r;
		if (!S_ISDIR(st.mode))
			return -ENOTDIR;
		if (!boot_owned(&st))
			return -EACCES;
	}
	own.ours_are = own.ours_are || ours;
	return 0;
}

/* Its path is its only one: nothing in it leads elsewhere but a link. */
static bool is_plain(const char *path)
{
	return !strstr(path, "//") && !strstr(path, "/.");
}

static int try_image(const char *path, int *ret_fd, char *ret_path, size_t path_cap)
{
	_close_ int fd = sys_open_beneath(AT_FDCWD, path, O_PATH, 0, RESOLVE_NO_SYMLINKS);
	const bool direct = fd >= 0 && is_plain(path);
	char real[PATH_BYTES];
	struct sys_stat st;
	int r;

	if (fd == -ELOOP || fd == -ENOSYS || fd == -EPERM) /* EPERM: filtered, as ENOSYS */
		fd = sys_walk(path, O_PATH);
	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if (!S_ISREG(st.mode) || !(st.mode & 0111) || !boot_owned(&st))
		return -EACCES;
	if (direct)
		r = str_copy(real, sizeof(real), path) ? 0 : -ENAMETOOLONG;
	else
		r = real_path(fd, path, real, sizeof(real));
	if (r < 0)
		return r;
	r = directories_owned(real);
	if (r < 0)
		return r;
	if (!str_copy(ret_path, path_cap, real))
		return -ENAMETOOLONG;
	*ret_fd = fd_take(fd);
	return 0;
}

static const char *search_path(const struct copy *c)
{
	for (char **e = c->env; e && *e; e++)
		if (str_starts(*e, "PATH="))
			return *e + 5;
	return SEARCH_PATH;
}

int copy_find_image(const struct copy *c, const char *token, int *ret_fd, char *ret_path,
		    size_t path_cap)
{
	const char *dir = IMAGE_DIRECTORY, *rest = search_path(c);
	size_t n = strlen(dir);
	char path[PATH_BYTES];

	if (token[0] == '/')
		return try_image(token, ret_fd, ret_path, path_cap);
	if (!token[0] || strchr(token, '/'))
		return -ENOENT; /* a relative path has no place here */
	for (;;) {
		struct text t = TEXT_ON(path);
		int r = -ENAMETOOLONG;

		text_add(text_add(text_add_n(&t, dir, n), "/"), token);
		if (!t.cut && dir[0] == '/')
			r = try_image(path, ret_fd, ret_path, path_cap);
		/* The first one found decides: a bad one is not passed over in silence. */
		if (r != -ENOENT && r != -ENOTDIR && r != -ENAMETOOLONG)
			return r;
		if (!rest)
			return -ENOENT;
		dir = rest;
		n = strcspn(rest, ":");
		rest = rest[n] ? rest + n + 1 : NULL;
	}
}

int copy_open_state(const struct copy *c, bool write)
{
	const char *path = copy_word(c, "SMSS_STATE", STATE_DIRECTORY);
	_close_ int dir = sys_walk(path, O_RDONLY | O_DIRECTORY);
	struct sys_stat st;
	int r;

	if (dir == -ENOENT && write) {
		r = sys_make_dirs(path, 0755);
		if (r < 0)
			return r;
		dir = sys_walk(path, O_RDONLY | O_DIRECTORY);
	}
	if (dir < 0)
		return dir;
	r = sys_stat_fd(dir, &st);
	if (r < 0)
		return r;
	if (!boot_owned(&st)) /* attempts and journals that others can write prove nothing */
		return -EPERM;
	if (write) {
		r = sys_access(dir, ".", 2 /* W_OK: says EROFS too */);
		if (r < 0)
			return r;
	}
	return fd_take(dir);
}
