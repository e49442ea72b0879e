/* SPDX-License-Identifier: MIT */
/*
 * prompt.c - asking for a user's name, see prompt.h
 */
#include "winlogon/prompt.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define MACHINE_BYTES 66u /* a host name and its newline */

/*
 * The machine's name, once it has one: wininit sets it in session 0 while we come up beside it, and
 * a prompt that says "(none)" frightens people. After a second we take what there is.
 */
static ssize_t read_host(char host[MACHINE_BYTES])
{
	ssize_t n = -1;

	for (unsigned i = 0; i < 50; i++) {
		n = sys_read_file(AT_FDCWD, "/proc/sys/kernel/hostname", host, MACHINE_BYTES);
		if (n < 6 || !bytes_same(host, "(none)", 6))
			break;
		sys_sleep_ms(20);
	}
	return n;
}

/*
 * A prompt that is lost is a terminal that looks dead. The fd does not block, and somebody else's
 * line on the same terminal gives EAGAIN: tried again for a second, then the line counts as dead.
 */
static void write_prompt(int fd, const char *at, size_t n)
{
	for (unsigned tries = 0; n && tries < 50; tries++) {
		ssize_t r = sys_write(fd, at, n);

		if (r < 0 && r != -EAGAIN)
			return;
		if (r > 0) {
			at += r;
			n -= (size_t)r;
		} else {
			sys_sleep_ms(20);
		}
	}
}

void prompt_print(const struct console *t, uint32_t session, bool banner)
{
	char line[320], host[MACHINE_BYTES];
	struct text l = TEXT_ON(line);
	ssize_t n = read_host(host);
	const char *tty = str_starts(t->path, "/dev/") ? t->path + 5 : t->path;

	while (n > 0 && host[n - 1] == '\n')
		n--;
	if (banner) {
		text_escaped(text_add(&l, "\r\n"), host, n > 0 ? (size_t)n : 0);
		text_escaped(text_add(&l, n > 0 ? " " : ""), tty, strlen(tty));
		text_add(text_u64(text_add(&l, ", session "), session), "\r\n\r\n");
	}
	text_escaped(&l, host, n > 0 ? (size_t)n : 0);
	text_add(&l, n > 0 ? " login: " : "login: ");
	write_prompt(t->fd, l.at, l.len);
}
