/* SPDX-License-Identifier: MIT */
/*
 * sniff.c - what kind of evidence a file is; see sniff.h
 */
#include "smaudit/sniff.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_BYTES   4096
#define HIVE_TYPE_AT 28 /* of regf's header: 0 is a hive, others are logs */

/* Our own lines name rule and verdict near their beginning. */
static bool is_finding(const char *head)
{
	const char *end = strchr(head, '\n');
	const char *verdict = strstr(head, "\"verdict\":\"");

	return head[0] == '{' && verdict && (!end || verdict < end) &&
	       (!strncmp(head, "{\"id\":\"", 7) || !strncmp(head, "{\"rule\":\"", 9) ||
		!strncmp(head, "{\"verdict\":\"", 12));
}

static int content_of(const char *head, size_t n)
{
	if (!n)
		return CONTENT_EMPTY;
	if (n > HIVE_TYPE_AT && !memcmp(head, "regf", 4))
		return head[HIVE_TYPE_AT] ? CONTENT_HIVE_LOG : CONTENT_HIVE;
	if (n >= 4 && (!memcmp(head, "regf", 4) || !memcmp(head, "HvLE", 4)))
		return CONTENT_HIVE;
	if (n >= 8 && !memcmp(head, "ElfFile", 8))
		return CONTENT_EVTX;
	if (n >= 4 && !memcmp(head, "\177ELF", 4))
		return CONTENT_IMAGE;
	if (n >= 2 && !memcmp(head, "MZ", 2))
		return CONTENT_IMAGE;
	return is_finding(head) ? CONTENT_FINDINGS : CONTENT_LIST;
}

int sniff(const char *path)
{
	char head[HEAD_BYTES + 1];
	struct stat st;
	ssize_t n;
	int fd, r;

	if (!strcmp(path, "-"))
		return CONTENT_LIST;
	/* A pipe is not even opened: whoever waits to write would meet a reader that goes again. */
	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return CONTENT_LIST;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	n = pread(fd, head, HEAD_BYTES, 0);
	r = n < 0 ? -errno : 0;
	close(fd);
	if (n < 0)
		return r;
	head[n] = 0;
	return content_of(head, (size_t)n);
}
