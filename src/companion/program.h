/* SPDX-License-Identifier: MIT */
/*
 * program.h - starting, waiting for and ending other programs
 *
 * A program gets exactly our environment (with what the caller adds), three fds, a session of its
 * own and nothing else. Whatever is waited for has a deadline.
 */
#pragma once

#include "base/text.h"
#include "companion/companion.h"

/*
 * program_find - where the program of a command's first word lies
 *   word    "runsvdir" is looked for in the environment's PATH; with a slash it must be absolute
 *   ret     the path, at most cap bytes with its NUL; untouched on failure
 * Returns 0, -ENOENT, -EACCES (not executable, or others than its owner may write it), -ELOOP,
 * -ENAMETOOLONG, -EINVAL (a relative path).
 */
int program_find(const struct companion *c, const char *word, char *ret, size_t cap);

struct program {
	const char *path;
	char *const *argv;
	char *const *env;        /* NULL = ours */
	int in, out;             /* fd for 0, fd for 1 and 2; -1 = /dev/null */
	int err;                 /* another fd for 2; 0 = the same as for 1 */
	bool terminal;           /* fd 0 becomes the controlling terminal */
	const struct sys_as *as; /* NULL = as we are */
};

/*
 * program_start - start it in a session of its own, in / (ours)
 *   ret_pidfd  may be NULL; the caller's
 * Returns its pid or -errno.
 */
int program_start(const struct companion *c, const struct program *p, int *ret_pidfd) _must_check_;

/*
 * program_run - start it with null fds and wait for its end
 *   until_ns  sys_now_ns() moment; at it the program is killed
 *   ret       how it ended
 * Returns 0, -ETIMEDOUT (killed), or -errno when it could not be started.
 */
int program_run(const struct companion *c, const char *path, char *const *argv, uint64_t until_ns,
		struct sys_exit *ret);

/* program_exit_text - "exit 3", "signal 9"; appended. */
void program_exit_text(struct text *t, const struct sys_exit *e);

/*
 * program_children - the direct children of this process, as the kernel lists them
 *   ret   pids, at most max
 * Returns the count, or -errno (-ENOENT: a kernel without that list).
 */
int program_children(int *ret, unsigned max);
