/* SPDX-License-Identifier: MIT */
/*
 * log.c - the door's voice: one line, one event, to kmsg and the console; see sys.h
 *
 * Never waits and never reads: the console is opened for one line and closed again (no controlling
 * terminal, no hang-up to fear, pitfalls 9 and 10), kmsg is kept open. A line that could not be
 * written is counted, and the count is told with the next one that can.
 */
#include "sys/sys.h"

#include <string.h>

#include "base/text.h"

static struct {
	const char *who;
	int kmsg; /* -1 not open */
	bool want_kmsg, console;
	bool quiet;
	uint64_t dropped, dropped_ever;
} voice = {.who = "smss", .kmsg = -1};

void sys_log_open(const char *who, bool kmsg, bool console)
{
	voice.who = who;
	voice.console = console;
	voice.want_kmsg = kmsg;
}

void sys_log_quiet(bool quiet)
{
	voice.quiet = quiet;
}

static bool say_kmsg(int level, const char *line)
{
	char room[512];
	struct text t = TEXT_ON(room);

	if (voice.want_kmsg &&
	    voice.kmsg < 0) { /* opened when first needed: most copies say nothing */
		voice.want_kmsg = false;
		voice.kmsg = sys_open(AT_FDCWD, "/dev/kmsg", O_WRONLY | O_NONBLOCK, 0);
	}
	if (voice.kmsg < 0)
		return true;
	text_add(&t, "<");
	/* facility 3 (daemons), so that nobody takes it for the kernel's own word */
	text_u64(&t, 3 * 8 + (uint64_t)level);
	text_add(text_add(text_add(text_add(&t, ">"), voice.who), ": "), line);
	return sys_write(voice.kmsg, t.at, t.len) == (ssize_t)t.len;
}

static bool say_console(const char *line)
{
	char room[512];
	struct text t = TEXT_ON(room);
	_close_ int fd = sys_open(AT_FDCWD, "/dev/console", O_WRONLY | O_NONBLOCK, 0);

	if (fd < 0)
		return true; /* no console at all is not a lost line */
	text_add(text_add(text_add(&t, voice.who), ": "), line);
	if (t.len > sizeof(room) - 3)
		t.len = sizeof(room) - 3;
	memcpy(t.at + t.len, "\r\n", 2);
	return sys_write(fd, t.at, t.len + 2) == (ssize_t)t.len + 2;
}

static bool say(int level, const char *line)
{
	bool whole = say_kmsg(level, line);

	if (voice.console && (level <= SYS_LOG_WARNING || !voice.quiet))
		whole &= say_console(line);
	return whole;
}

void sys_log(int level, const char *line)
{
	if (voice.dropped) {
		char room[80];
		struct text t = TEXT_ON(room);

		text_u64(text_add(&t, "lines lost before this one: "), voice.dropped);
		if (say(SYS_LOG_WARNING, room))
			voice.dropped = 0;
	}
	if (!say(level, line)) {
		voice.dropped++;
		voice.dropped_ever++;
	}
}

uint64_t sys_log_dropped(void)
{
	return voice.dropped_ever;
}
