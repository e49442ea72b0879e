/* SPDX-License-Identifier: MIT */
/*
 * accounts.c - a bounded reader of passwd and group, see accounts.h
 */
#include "etc/accounts.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "etc/lines.h"

#define PASSWD_FIELDS 7u /* name, password, uid, gid, comment, home, shell */
#define GROUP_FIELDS  4u /* name, password, gid, members */

int account_name_check(const char *name)
{
	size_t n = str_len(name, ACCOUNT_NAME_BYTES);

	if (!n || n == ACCOUNT_NAME_BYTES || name[0] == '-')
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
		    !strchr("._-@$+", c))
			return -EINVAL;
	}
	return 0;
}

static int read_id(const char *s, uint32_t *ret)
{
	uint64_t n;

	/* 0xFFFFFFFF means "leave it as it is" to the kernel: never from a file. */
	if (s[0] < '0' || s[0] > '9' || str_u64(s, strlen(s), &n) < 0 || n >= 0xFFFFFFFFu)
		return -EINVAL;
	*ret = (uint32_t)n;
	return 0;
}

static int read_entry(char *const *field, struct account *ret)
{
	struct account a;

	if (read_id(field[2], &a.uid) < 0 || read_id(field[3], &a.gid) < 0)
		return -EINVAL;
	if (!str_copy(a.name, sizeof(a.name), field[0]) ||
	    !str_copy(a.home, sizeof(a.home), field[5]) ||
	    !str_copy(a.shell, sizeof(a.shell), field[6]))
		return -EINVAL;
	if (!a.shell[0])
		(void)str_copy(a.shell, sizeof(a.shell), "/bin/sh"); /* passwd(5) */
	*ret = a;
	return 0;
}

/* By name, or by number when name is NULL. */
static int find(const char *path, const char *name, uint32_t uid, struct account *ret)
{
	static struct lines lines;
	char *line, *field[PASSWD_FIELDS];
	int r = lines_open(&lines, path);
	int answer = -ENOENT;
	uint32_t found;

	if (r < 0)
		return r;
	while (answer == -ENOENT && (r = lines_next(&lines, &line)) == 1) {
		unsigned n = line_fields(line, ':', field, PASSWD_FIELDS);

		if (name ? str_same(field[0], name)
			 : n == PASSWD_FIELDS && read_id(field[2], &found) == 0 && found == uid)
			answer = n == PASSWD_FIELDS ? read_entry(field, ret) : -EINVAL;
	}
	lines_shut(&lines);
	return r < 0 ? r : answer;
}

int account_find(const char *path, const char *name, struct account *ret)
{
	return find(path, name, 0, ret);
}

int account_find_id(const char *path, uint32_t uid, struct account *ret)
{
	return find(path, NULL, uid, ret);
}

static int is_member(char *members, const char *name)
{
	while (members) {
		char *end = strchr(members, ',');

		if (end)
			*end++ = 0;
		if (str_same(line_trim(members), name))
			return 1;
		members = end;
	}
	return 0;
}

unsigned account_groups(const char *path, const char *name, uint32_t own, uint32_t *ret)
{
	static struct lines lines;
	char *line, *field[GROUP_FIELDS];
	unsigned count = 1;

	ret[0] = own;
	if (lines_open(&lines, path) < 0)
		return count;
	while (count < ACCOUNT_GROUPS_MAX && lines_next(&lines, &line) == 1) {
		uint32_t gid;

		if (line_fields(line, ':', field, GROUP_FIELDS) != GROUP_FIELDS ||
		    read_id(field[2], &gid) < 0 || gid == own)
			continue;
		if (is_member(field[3], name))
			ret[count++] = gid;
	}
	lines_shut(&lines);
	return count;
}

int account_group_find(const char *path, const char *group, uint32_t *ret)
{
	static struct lines lines;
	char *line, *field[GROUP_FIELDS];
	int r = lines_open(&lines, path);
	int answer = -ENOENT;

	if (r < 0)
		return r;
	while (answer == -ENOENT && (r = lines_next(&lines, &line)) == 1)
		if (line_fields(line, ':', field, GROUP_FIELDS) == GROUP_FIELDS &&
		    str_same(field[0], group))
			answer = read_id(field[2], ret);
	lines_shut(&lines);
	return r < 0 ? r : answer;
}
