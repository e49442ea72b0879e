/* SPDX-License-Identifier: MIT */
/*
 * terminal.c - the door to the kernel: terminals made for programs; see sys.h
 *
 * For csrss and tools, never the master. A terminal is taken from the devpts that the caller sees,
 * and its slave side from the master's descriptor, not by a name: a name could be of another
 * devpts.
 */
#include "sys/sys.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int sys_pty_open(uint16_t rows, uint16_t columns, int *ret_master, int *ret_slave)
{
	const struct winsize size = {.ws_row = rows, .ws_col = columns};
	const int unlocked = 0;
	struct termios t;
	_close_ int slave = -1;
	_close_ int master = sys_open(AT_FDCWD, "/dev/ptmx", O_RDWR, 0);

	if (master < 0)
		return master;
	if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -errno;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return -errno;
	if (ioctl(master, TIOCSWINSZ, &size) < 0)
		return -errno;
	if (tcgetattr(slave, &t) == 0) { /* comfort: one backspace takes one letter */
		t.c_iflag |= IUTF8;
		(void)tcsetattr(slave, TCSANOW, &t);
	}
	*ret_master = fd_take(master);
	*ret_slave = fd_take(slave);
	return 0;
}

int sys_tty_set_size(int fd, uint16_t rows, uint16_t columns)
{
	const struct winsize size = {.ws_row = rows, .ws_col = columns};

	return ioctl(fd, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int sys_tty_size(int fd, uint16_t *ret_rows, uint16_t *ret_columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0)
		return -errno;
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
	return 0;
}

int sys_tty_group(int fd)
{
	pid_t group;

	return ioctl(fd, TIOCGPGRP, &group) < 0 ? -errno : group;
}

int sys_tty_signal(int master, int sig)
{
	return ioctl(master, TIOCSIG, sig) < 0 ? -errno : 0;
}

int sys_session_of(int pid)
{
	pid_t session = getsid(pid);

	return session < 0 ? -errno : session;
}

int sys_tty_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t) < 0)
		return -errno;
	t.c_iflag &= (tcflag_t) ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
	t.c_oflag &= (tcflag_t)~OPOST;
	t.c_lflag &= (tcflag_t) ~(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	t.c_cflag = (t.c_cflag & (tcflag_t) ~(CSIZE | PARENB)) | CS8;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}
