/* SPDX-License-Identifier: MIT */
/*
 * accounts.h - who a user is: a bounded reader of passwd and group
 *
 * For static programs, which have no name service: owners of sessions, autologon, the group of
 * operators; `login` has its own and better ways. Only throwaway processes read these files, so a
 * damaged one cannot hurt what stays.
 */
#pragma once

#include <stdint.h>

#define ACCOUNT_NAME_BYTES 33u /* Linux's 32 and a NUL */
#define ACCOUNT_GROUPS_MAX 64u

struct account {
	char name[ACCOUNT_NAME_BYTES];
	uint32_t uid, gid;
	char home[256];
	char shell[256];
};

/*
 * account_name_check - something that can be a user's name
 * 1 to 32 bytes of letters, digits and "._-@$+", not beginning with "-" (it would be an option).
 */
int account_name_check(const char *name);

/*
 * account_find - the entry of that name
 *   path  "/etc/passwd"
 * Returns 0, -ENOENT, -EINVAL (the entry is damaged), other -errno.
 */
int account_find(const char *path, const char *name, struct account *ret);

/* account_find_id - the first entry of that number; results as account_find's. */
int account_find_id(const char *path, uint32_t uid, struct account *ret);

/*
 * account_groups - the groups a user belongs to, its own first
 *   path  "/etc/group";  ret  room for ACCOUNT_GROUPS_MAX
 * Returns the count, at least 1 (without a readable file just its own).
 */
unsigned account_groups(const char *path, const char *name, uint32_t own, uint32_t *ret);

/* account_group_find - the number of the group of that name. Returns 0, -ENOENT or -errno. */
int account_group_find(const char *path, const char *group, uint32_t *ret);
