/* SPDX-License-Identifier: MIT */
/*
 * console.h - the terminal of a session: found, opened, put into order, given back as it was
 *
 * winlogon never makes it its own controlling terminal and holds it open only while it asks for a
 * name: a hang-up must not reach it (pitfall 10).
 */
#pragma once

#include "companion/companion.h"

#define CONSOLE_BYTES 256u

struct console {
	char path[CONSOLE_BYTES]; /* what is opened: /dev/ttyS0, /dev/console */
	int fd;                   /* owner: this struct; -1 = not open. Non-blocking. */
	bool known;               /* what follows was read once */
	uint64_t rdev;
	uint32_t mode, uid, gid; /* as it was found */
	struct sys_tty tty;
};

/*
 * console_device - the device behind a list of active consoles
 *   active  text of /sys/class/tty/console/active, n bytes; the last word is /dev/console's
 *   ret     "ttyS0", at most cap bytes
 * Returns 0, or -EINVAL when there is no word that can be a device's name. Pure.
 */
int console_device(const char *active, size_t n, char *ret, size_t cap);

/* console_term - the TERM word for a terminal: by its device number; otherwise for a pseudo
 * terminal. */
const char *console_term(uint64_t rdev, const char *otherwise);

/*
 * console_open - open the session's terminal
 *   wanted  "/dev/console", "/dev/tty1", ...; for the machine's console the real device is found
 * Returns 0, -ENOTTY (there, and no terminal), -ENODEV (a console without a device), other -errno:
 * it may come.
 */
int console_open(struct console *t, const char *wanted);

/* console_shut - give the terminal back. */
void console_shut(struct console *t);

/* console_prepare - line editing on, owner root, closed to others: what a login expects. */
void console_prepare(struct console *t);

/* console_changed - owner or mode are not as console_prepare left them: somebody logged in. */
bool console_changed(const struct console *t);

/* console_give_back - settings, owner and mode as they were found (opens it when it is not open).
 */
void console_give_back(struct console *t);

/* console_tell - a line for whoever sits there, whatever runs on it; not waited for. */
void console_tell(const struct console *t, const char *line);
