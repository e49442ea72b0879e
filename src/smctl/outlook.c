/* SPDX-License-Identifier: MIT */
/*
 * outlook.c - what the next boot is to groups that wait, in words
 *
 * The session manager knows nothing of groups that are queued while it runs, so the files are
 * looked at, where the kernel words say that they are. Only root can; others are told nothing.
 */
#include <string.h>

#include "base/text.h"
#include "smctl/smctl.h"

#define WORDS_BYTES 4096

/* The last byte stays NUL. Its directories of this machine's session manager, if words say so. */
static void take_words(const char *file, char separator, char *room, const char **state,
		       const char **hive)
{
	FILE *f = fopen(file, "re");
	const size_t n = f ? fread(room, 1, WORDS_BYTES - 1, f) : 0;

	if (f)
		(void)fclose(f);
	for (size_t at = 0; at < n; at++) {
		const char *word = room + at;

		while (at < n && room[at] && room[at] != separator && room[at] != '\n')
			at++;
		room[at] = 0;
		if (!*state && str_starts(word, "smss.state="))
			*state = word + 11;
		if (!*hive && str_starts(word, "smss.hive="))
			*hive = word + 10;
	}
}

bool outlook_read(struct sm_next_boot *ret)
{
	static char own[WORDS_BYTES], kernel[WORDS_BYTES];
	const char *state = NULL, *hive = NULL;
	struct sm_queue *q;
	int r;

	take_words("/proc/1/cmdline", 0, own, &state, &hive);
	take_words("/proc/cmdline", ' ', kernel, &state, &hive);
	if (sm_queue_open(NULL, state, hive, &q) < 0)
		return false;
	r = sm_queue_next_boot(q, ret);
	sm_queue_close(q);
	return r == 0;
}
