/* SPDX-License-Identifier: MIT */
/*
 * report.h - what autochk says: items for the boot timeline, lines for the log, progress
 *
 * Started by the session manager, every item goes to the master (SM_PHASE_ITEM) and the log; by
 * hand, to standard output. What comes from volumes and fstab is escaped here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/words.h"

enum report_voice { REPORT_NORMAL, REPORT_QUIET, REPORT_VERBOSE };

/* report_open - before the first word; master: fd 3 is the connection. */
void report_open(bool master, enum report_voice voice);

/*
 * report_item - one volume, or one thing done
 *   detail    errno, exit status of fsck or signal; 0
 *   start_ns  when it began (sys_now_ns), 0 = no duration of its own
 *   name      the volume; text  what came of it. Both are cut to the item's size.
 */
void report_item(enum result result, int detail, uint64_t start_ns, const char *name,
		 const char *text);

/* report_itemf - the same with a printf format for the text. */
void report_itemf(enum result result, int detail, uint64_t start_ns, const char *name,
		  const char *format, ...) __attribute__((format(printf, 5, 6)));

/* report_line - a line of somebody else (fsck): to the log, and when verbose to the console. */
void report_line(const char *name, const char *line);

/* report_verbose - items without news are worth telling. */
bool report_verbose(void);

/* report_progress - percent of a check on a terminal's line, rewritten; percent < 0 ends it. */
void report_progress(const char *name, int percent, unsigned pass);

/* report_terminal - the console is a terminal. */
bool report_terminal(void);

/* report_failures - items that say that something could not be done. */
unsigned report_failures(void);
