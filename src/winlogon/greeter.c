/* SPDX-License-Identifier: MIT */
/*
 * greeter.c - failures in a row, remembered from session to session, see greeter.h
 */
#include "winlogon/greeter.h"

#include <string.h>

#include "base/text.h"
#include "smss/copy.h"
#include "winlogon/throttle.h"

#define NS_PER_S      1000000000ull
#define FAILURES_MOST 1000u /* more is no count of ours */

static void path_of(uint32_t session, struct text *t)
{
	text_u64(text_add(t, RUN_DIRECTORY "/logon-"), session);
}

unsigned greeter_parse(const char *text, size_t n, uint64_t now_s, bool lasting)
{
	const char *blank;
	uint64_t failures, at_s;

	while (n && text[n - 1] == '\n')
		n--;
	blank = n ? memchr(text, ' ', n) : NULL;
	if (!blank || str_u64(text, (size_t)(blank - text), &failures) < 0 ||
	    str_u64(blank + 1, n - (size_t)(blank + 1 - text), &at_s) < 0)
		return 0;
	if (failures > FAILURES_MOST || at_s > now_s)
		return 0;
	if (lasting && failures >= THROTTLE_FAILURES)
		return (unsigned)failures;
	return now_s - at_s < THROTTLE_STEADY_NS / NS_PER_S ? (unsigned)failures : 0;
}

unsigned greeter_recall(uint32_t session, bool lasting)
{
	char path[64], record[64];
	struct text t = TEXT_ON(path);
	ssize_t n;

	path_of(session, &t);
	n = sys_read_file(AT_FDCWD, path, record, sizeof(record));
	return n < 0 ? 0 : greeter_parse(record, (size_t)n, sys_now_ns() / NS_PER_S, lasting);
}

void greeter_remember(uint32_t session, unsigned failures)
{
	char path[64], record[64];
	struct text t = TEXT_ON(path), r = TEXT_ON(record);
	_close_ int fd = -1;

	path_of(session, &t);
	if (!failures) {
		(void)!sys_unlink(AT_FDCWD, path, 0);
		return;
	}
	text_u64(text_add(text_u64(&r, failures), " "), sys_now_ns() / NS_PER_S);
	text_add(&r, "\n");
	fd = sys_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		(void)!sys_write_all(fd, r.at, r.len);
}
