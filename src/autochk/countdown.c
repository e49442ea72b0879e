/* SPDX-License-Identifier: MIT */
/*
 * countdown.c - the seconds in which a key keeps volumes from being checked; see countdown.h
 *
 * The only place of the boot that reads the console. The terminal is opened for the time of the
 * countdown, without becoming ours, and put back as it was; the wait always ends.
 */
#include "autochk/countdown.h"

#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "autochk/report.h"
#include "sys/sys.h"

static void show(uint32_t left, unsigned volumes)
{
	char line[120];
	int n = snprintf(line, sizeof(line),
			 "\r%u volume%s to be checked. A key leaves %s unchecked: %u s \033[K",
			 volumes, volumes == 1 ? "" : "s", volumes == 1 ? "it" : "them", left);

	if (write(STDOUT_FILENO, line, (size_t)n) < 0)
		return;
}

static bool wait_key(int fd, uint32_t seconds, unsigned volumes)
{
	uint64_t end = sys_now_ns() + seconds * 1000000000ull;
	uint64_t now;

	while ((now = sys_now_ns()) < end) {
		uint64_t left_ms = (end - now) / 1000000 + 1;
		char key;

		show((uint32_t)((left_ms + 999) / 1000), volumes);
		/* a hang-up is readable too, but brings no byte */
		if (sys_wait_fd(fd, SYS_READ, left_ms % 1000 ? (int)(left_ms % 1000) : 1000) <= 0)
			continue;
		if (sys_read(fd, &key, 1) == 1)
			return true;
		sys_sleep_ms(100);
	}
	return false;
}

bool countdown_key(uint32_t seconds, unsigned volumes)
{
	struct termios before, during;
	_close_ int fd = -1;
	bool pressed;

	if (seconds == 0 || !report_terminal())
		return false;
	fd = sys_open(AT_FDCWD, "/proc/self/fd/1", O_RDWR | O_NONBLOCK, 0);
	if (fd < 0 || tcgetattr(fd, &before) < 0)
		return false;
	during = before;
	during.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	during.c_cc[VMIN] = 0;
	during.c_cc[VTIME] = 0;
	tcsetattr(fd, TCSAFLUSH, &during); /* what was typed earlier was not meant for us */
	pressed = wait_key(fd, seconds, volumes);
	tcsetattr(fd, TCSAFLUSH, &before);
	if (write(STDOUT_FILENO, "\r\033[K", 4) < 0)
		return pressed;
	return pressed;
}
