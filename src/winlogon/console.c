/* SPDX-License-Identifier: MIT */
/*
 * console.c - the terminal of a session, see console.h
 */
#include "winlogon/console.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/text.h"

#define KIND(mode)       ((mode)&0170000)
#define CHARACTER_DEVICE 0020000
#define PREPARED_MODE    0620u /* every login program sets another one, or another group */

static bool is_device_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

int console_device(const char *active, size_t n, char *ret, size_t cap)
{
	size_t start;

	while (n && (active[n - 1] == '\n' || active[n - 1] == ' '))
		n--;
	start = n;
	while (start && active[start - 1] != ' ')
		start--;
	if (start == n || n - start >= cap)
		return -EINVAL;
	for (size_t i = start; i < n; i++)
		if (!is_device_byte(active[i]))
			return -EINVAL;
	memcpy(ret, active + start, n - start);
	ret[n - start] = 0;
	return 0;
}

const char *console_term(uint64_t rdev, const char *otherwise)
{
	unsigned kind = major(rdev);

	if (kind == 4 && minor(rdev) < 64)
		return "linux"; /* virtual terminals */
	if (kind >= 136 && kind <= 143)
		return otherwise; /* pseudo terminals: the far end knows */
	return "vt220";           /* serial lines */
}

static int active_of(const char *tty, char *ret, size_t cap)
{
	char path[64], list[KERNEL_TEXT_BYTES];
	struct text t = TEXT_ON(path);
	ssize_t n;

	text_add(text_add(text_add(&t, "/sys/class/tty/"), tty), "/active");
	n = sys_read_file(AT_FDCWD, path, list, sizeof(list));
	return n < 0 ? (int)n : console_device(list, (size_t)n, ret, cap);
}

/* /dev/console itself (5:1) can be nobody's controlling terminal; what it leads to can. */
static void resolve(char *path, size_t cap)
{
	char device[32], whole[40];
	struct sys_stat st;
	struct text t = TEXT_ON(whole);

	if (sys_stat_at(AT_FDCWD, path, 0, &st) < 0 || KIND(st.mode) != CHARACTER_DEVICE ||
	    st.rdev != makedev(5, 1))
		return;
	if (active_of("console", device, sizeof(device)) < 0)
		return;
	if (str_same(device, "tty0") && active_of("tty0", device, sizeof(device)) < 0)
		return;
	text_add(text_add(&t, "/dev/"), device);
	if (!t.cut && sys_access(AT_FDCWD, whole, 0) >= 0)
		(void)str_copy(path, cap, whole);
}

static void remember(struct console *t, const struct sys_stat *st)
{
	if (t->known)
		return;
	t->rdev = st->rdev;
	t->mode = st->mode & 07777;
	t->uid = st->uid;
	t->gid = st->gid;
	t->known = sys_tty_save(t->fd, &t->tty) >= 0;
}

int console_open(struct console *t, const char *wanted)
{
	struct sys_stat st;
	int r;

	if (!str_copy(t->path, sizeof(t->path), wanted))
		return -ENAMETOOLONG;
	resolve(t->path, sizeof(t->path));
	/* Not waiting for a carrier, here or later; the login program gets it blocking. */
	t->fd = sys_open(AT_FDCWD, t->path, O_RDWR | O_NONBLOCK, 0);
	if (t->fd == -ENXIO)
		t->fd = -ENODEV;
	if (t->fd < 0) {
		r = t->fd;
		t->fd = -1;
		return r;
	}
	r = sys_stat_fd(t->fd, &st);
	if (r >= 0 && (KIND(st.mode) != CHARACTER_DEVICE || !sys_tty_is(t->fd)))
		r = -ENOTTY;
	if (r < 0) {
		console_shut(t);
		return r;
	}
	remember(t, &st);
	return 0;
}

void console_shut(struct console *t)
{
	sys_closep(&t->fd);
}

void console_prepare(struct console *t)
{
	/* What cannot be set (a foreign terminal in a user namespace) is no reason to refuse a
	 * login. */
	(void)!sys_tty_sane(t->fd);
	(void)!sys_chown(t->fd, 0, 0);
	(void)!sys_chmod(t->fd, PREPARED_MODE);
}

bool console_changed(const struct console *t)
{
	struct sys_stat st;

	if (sys_stat_at(AT_FDCWD, t->path, 0, &st) < 0)
		return true;
	return st.uid != 0 || st.gid != 0 || (st.mode & 07777) != PREPARED_MODE;
}

void console_give_back(struct console *t)
{
	if (!t->known)
		return;
	if (t->fd < 0)
		t->fd = sys_open(AT_FDCWD, t->path, O_RDWR | O_NONBLOCK, 0);
	if (t->fd < 0) {
		t->fd = -1;
		return;
	}
	(void)!sys_tty_restore(t->fd, &t->tty);
	(void)!sys_chown(t->fd, t->uid, t->gid);
	(void)!sys_chmod(t->fd, t->mode);
	console_shut(t);
}

void console_tell(const struct console *t, const char *line)
{
	char room[160];
	struct text whole = TEXT_ON(room);
	_close_ int fd = sys_open(AT_FDCWD, t->path, O_WRONLY | O_NONBLOCK, 0);

	text_add(text_add(text_add(&whole, "\r\n"), line), "\r\n");
	if (fd >= 0)
		(void)!sys_write(fd, whole.at, whole.len);
}
