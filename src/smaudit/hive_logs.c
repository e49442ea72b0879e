/* SPDX-License-Identifier: MIT */
/*
 * hive_logs.c - which transaction logs a hive is read with, and what became of them; see
 * hive_logs.h
 */
#include "smaudit/hive_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/sys.h"

#define REGF_HEAD  32u  /* of a base block: enough to tell a log from a hive */
#define ENTRIES_AT 512u /* of a log */

/* Which of the three a log is; -1 = its name does not say. */
static int log_slot(const char *path)
{
	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		const size_t n = strlen(path), w = strlen(hive_log_words[i]);

		if (n > w && path[n - w - 1] == '.' &&
		    str_same_fold(path + n - w, hive_log_words[i]))
			return (int)i;
	}
	return -1;
}

/* Its first block is a base block of a log, or its entries follow, or nothing was written yet. */
static bool is_log(int fd)
{
	uint8_t head[REGF_HEAD], entry[4] = {0};
	ssize_t n = pread(fd, head, sizeof(head), 0);
	bool any = false;

	if (n < 0)
		return false;
	for (ssize_t i = 0; i < n; i++)
		any |= head[i] != 0;
	if (n == (ssize_t)sizeof(head) && memcmp(head, "regf", 4) == 0)
		return head[28] != 0;
	if (pread(fd, entry, sizeof(entry), ENTRIES_AT) == (ssize_t)sizeof(entry) &&
	    (memcmp(entry, "HvLE", 4) == 0 || memcmp(entry, "DIRT", 4) == 0))
		return true;
	return !any;
}

static void say_log(const struct sink *to, const char *log, const char *text)
{
	const struct place at = {.file = log};

	if (to->trouble)
		to->trouble(to->arg, &at, TROUBLE_INPUT, text);
}

void hive_logs_take(const char *const *logs, unsigned count, const struct sink *to,
		    struct hive_source *s, const char *ret_names[HIVE_LOGS])
{
	bool given[HIVE_LOGS] = {false};

	for (unsigned i = 0; i < count; i++) {
		int slot = log_slot(logs[i]), fd;

		for (unsigned k = 0; k < HIVE_LOGS && (slot < 0 || given[slot]); k++)
			if (!given[k])
				slot = (int)k;
		if (slot < 0 || given[slot]) {
			say_log(to, logs[i], "a hive has at most three logs; not read");
			continue;
		}
		given[slot] = true;
		sys_closep(&s->log_fd[slot]);
		s->log_error[slot] = 0;
		fd = sys_open(AT_FDCWD, logs[i], O_RDONLY | O_NONBLOCK, 0);
		s->log_fd[slot] = fd < 0 ? -1 : fd;
		ret_names[slot] = logs[i];
		if (fd < 0) {
			s->log_error[slot] = -fd;
			say_log(to, logs[i], err_text(-fd));
		} else if (!is_log(fd)) {
			sys_closep(&s->log_fd[slot]);
			s->log_fd[slot] = -1;
			say_log(to, logs[i],
				"not a transaction log of a hive (NAME.LOG1, NAME.LOG2, NAME.LOG): "
				"not applied");
		}
	}
}

static void add_log(const char *hive, const char *given, unsigned slot, struct text *t)
{
	const char *base = strrchr(hive, '/');

	if (given) {
		text_escaped(t, given, strnlen(given, 160));
		return;
	}
	base = base ? base + 1 : hive;
	text_escaped(t, base, strnlen(base, 120));
	text_add(text_add(t, "."), hive_log_words[slot]);
}

void hive_logs_say(const struct hive_facts *f, const char *hive, const char *const names[HIVE_LOGS],
		   struct text *t)
{
	unsigned logs = 0;

	if (!f->dirty)
		return;
	text_add(t, "not clean: ");
	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		if (f->recovered ? !f->log[i].entries : !f->log[i].present)
			continue;
		text_add(t, logs++ ? ", " : "its log ");
		add_log(hive, names[i], i, t);
	}
	if (!logs)
		add_log(hive, names[0], 0, text_add(t, "its log "));
	text_add(t, f->recovered ? " was applied"
		    : logs       ? " does not fit it"
				 : " is missing (or .LOG2, .LOG): bring it from the machine");
	text_add(t, "; ");
}
