/* SPDX-License-Identifier: MIT */
/*
 * report.c - what autochk says; see report.h
 *
 * Standard output is the console when the session manager started us. Nothing here waits for a
 * reader: a slow console loses lines, the master's connection has room for every item.
 */
#include "autochk/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "smss/copy.h"
#include "sys/sys.h"
#include "wire/wire.h"

static struct {
	bool master, in_progress;
	int terminal; /* -1 not looked at */
	enum report_voice voice;
	unsigned failures;
	int percent;
} say = {.terminal = -1};

void report_open(bool master, enum report_voice voice)
{
	say.master = master;
	say.voice = voice;
	if (master) {
		sys_log_open("autochk", true, true);
		sys_log_quiet(voice != REPORT_VERBOSE);
	}
}

bool report_verbose(void)
{
	return say.voice == REPORT_VERBOSE;
}

unsigned report_failures(void)
{
	return say.failures;
}

bool report_terminal(void)
{
	if (say.terminal < 0)
		say.terminal = isatty(STDOUT_FILENO);
	return say.terminal;
}

static void put(const char *text, size_t n)
{
	if (write(STDOUT_FILENO, text, n) < 0)
		return; /* a console that is gone or full loses the line */
}

static void end_progress(void)
{
	if (say.in_progress)
		put("\r\033[K", 4);
	say.in_progress = false;
}

static int level_of(enum result result)
{
	switch (result) {
	case RESULT_FAILED:
	case RESULT_TIMEOUT:
	case RESULT_CRASHED:
	case RESULT_REFUSED:
		return SYS_LOG_ERROR;
	case RESULT_DEGRADED:
		return SYS_LOG_WARNING;
	default:
		return SYS_LOG_INFO;
	}
}

static bool tell_master(enum result result, int detail, uint64_t start_ns, const char *name,
			const char *text)
{
	struct sm_message m;

	sm_message_start(&m, SM_PHASE_ITEM, 0, 0);
	m.b.item.result = result;
	m.b.item.detail = detail;
	m.b.item.start_ns = start_ns;
	str_copy(m.b.item.name, sizeof(m.b.item.name), name);
	str_copy(m.b.item.text, sizeof(m.b.item.text), text);
	return sys_send(FD_MASTER, &m, sm_message_bytes(&m), NULL, 0) >= 0;
}

void report_item(enum result result, int detail, uint64_t start_ns, const char *name,
		 const char *text)
{
	char who[NAME_BYTES], what[TEXT_BYTES], line[NAME_BYTES + TEXT_BYTES + 32];
	struct text w = TEXT_ON(who), t = TEXT_ON(what), l = TEXT_ON(line);
	int level = level_of(result);

	if (level <= SYS_LOG_WARNING)
		say.failures++;
	text_escaped(&w, name, strlen(name));
	text_escaped(&t, text, strlen(text));
	text_add(text_add(text_add(&l, who), ": "), what);
	if (result != RESULT_OK)
		text_add(text_add(text_add(&l, " ["), result_word(result)), "]");
	end_progress();
	if (say.master) {
		if (!tell_master(result, detail, start_ns, who, what))
			sys_log(level, line); /* else the master logs its row */
	} else if (say.voice != REPORT_QUIET || level <= SYS_LOG_WARNING) {
		text_add(&l, "\n");
		put(l.at, l.len);
	}
}

void report_itemf(enum result result, int detail, uint64_t start_ns, const char *name,
		  const char *format, ...)
{
	char text[TEXT_BYTES * 2];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	report_item(result, detail, start_ns, name, text);
}

void report_line(const char *name, const char *line)
{
	char room[400];
	struct text t = TEXT_ON(room);

	text_add(text_escaped(&t, name, strlen(name)), ": ");
	text_escaped(&t, line, strlen(line));
	end_progress();
	if (say.master) {
		sys_log(SYS_LOG_INFO, room);
	} else if (say.voice != REPORT_QUIET) {
		put(t.at, t.len);
		put("\n", 1);
	}
}

void report_progress(const char *name, int percent, unsigned pass)
{
	char room[NAME_BYTES + 80];
	struct text t = TEXT_ON(room);

	if (percent < 0) {
		end_progress();
		return;
	}
	if (say.voice == REPORT_QUIET || !report_terminal() ||
	    (say.in_progress && percent == say.percent))
		return;
	text_add(&t, "\r");
	text_escaped(&t, name, str_len(name, NAME_BYTES));
	text_u64(text_add(&t, ": checking, pass "), pass);
	text_u64(text_add(&t, ", "), (uint64_t)percent);
	text_add(&t, " percent\033[K");
	put(t.at, t.len);
	say.in_progress = true;
	say.percent = percent;
}
