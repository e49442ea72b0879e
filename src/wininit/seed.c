/* SPDX-License-Identifier: MIT */
/*
 * seed.c - randomness carried over a reboot, see seed.h
 *
 * The new seed is a digest of the old one and of fresh bytes, so that it is never worse than the
 * better of the two.
 */
#include "wininit/seed.h"

#include <errno.h>
#include <string.h>

#include "base/sha256.h"
#include "base/text.h"

#define SEED_DIRECTORY "/var/lib/smss"
#define SEED_BITS      256u /* what the digest can hold at most */

struct seed {
	uint8_t bytes[SEED_BYTES];
	bool trusted; /* root's file, closed to others, of full length */
};

/* Returns 0, or -errno; -ENOENT when there is none. */
static int read_old(int dir, struct seed *ret)
{
	struct seed s = {.trusted = false};
	struct sys_stat st;
	_close_ int fd = sys_open_beneath(dir, SEED_FILE, O_RDONLY | O_NONBLOCK, 0,
					  4 /* RESOLVE_NO_SYMLINKS */);
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if ((st.mode & 0170000) != 0100000)
		return -EINVAL;
	n = sys_read_all(fd, s.bytes, sizeof(s.bytes));
	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENOENT;
	s.trusted = st.uid == 0 && !(st.mode & 0077) && n == (ssize_t)sizeof(s.bytes);
	*ret = s;
	return 0;
}

static int write_new(int dir, const uint8_t old[SEED_BYTES])
{
	uint8_t fresh[SEED_BYTES], next[SEED_BYTES];

	for (unsigned half = 0; half < SEED_BYTES / SHA256_BYTES; half++) {
		struct sha256 h;
		int r = sys_random(fresh, sizeof(fresh));

		if (r < 0)
			return r;
		sha256_start(&h);
		sha256_add(&h, fresh, sizeof(fresh));
		sha256_add(&h, old, SEED_BYTES);
		sha256_end(&h, next + half * SHA256_BYTES);
	}
	return sys_replace_file(dir, SEED_FILE, next, sizeof(next), 0600);
}

static int open_directory(void)
{
	return sys_walk(SEED_DIRECTORY, O_RDONLY | O_DIRECTORY);
}

/* Mixes the old one in, replaces it, and only then lets it count. */
static int use_old(int dir, const struct seed *old, const char **ret_text)
{
	int r = sys_add_entropy(old->bytes, sizeof(old->bytes), 0);

	if (r < 0)
		return r;
	r = write_new(dir, old->bytes);
	if (r < 0) {
		*ret_text = "mixed in, not credited: it could not be replaced";
		return 0;
	}
	if (!old->trusted) {
		*ret_text = "mixed in, not credited: the file was not root's alone, or short";
		return 0;
	}
	r = sys_add_entropy(old->bytes, sizeof(old->bytes), SEED_BITS);
	if (r >= 0)
		*ret_text = "credited and replaced";
	return r;
}

void seed_load(const struct companion *c)
{
	uint64_t start = sys_now_ns();
	const char *text = "none yet; one is written at shutdown";
	struct seed old;
	_close_ int dir = -1;
	int r;

	if (sys_in_initial_pidns() != 1) {
		companion_item(c, RESULT_SKIPPED, 0, start, SEED_FILE,
			       "left alone: the pool is the host's");
		return;
	}
	dir = open_directory();
	r = dir < 0 ? dir : read_old(dir, &old);
	if (dir == -ENOENT) {
		companion_item(c, RESULT_SKIPPED, 0, start, SEED_FILE,
			       "there is no " SEED_DIRECTORY);
		return;
	}
	if (r == -ENOENT) {
		if (sys_random_ready() && write_new(dir, (const uint8_t[SEED_BYTES]){0}) >= 0)
			text = "none yet; one was written";
		companion_item(c, RESULT_OK, 0, start, SEED_FILE, text);
		return;
	}
	if (r >= 0)
		r = use_old(dir, &old, &text);
	companion_item(c, r < 0 ? RESULT_FAILED : RESULT_OK, r < 0 ? -r : 0, start, SEED_FILE,
		       r < 0 ? err_text(-r) : text);
}

void seed_save(const struct companion *c)
{
	_close_ int dir = -1;
	int r;

	(void)c;
	if (sys_in_initial_pidns() != 1 || !sys_random_ready())
		return;
	dir = open_directory();
	r = dir < 0 ? dir : write_new(dir, (const uint8_t[SEED_BYTES]){0});
	if (r < 0 && r != -ENOENT)
		companion_say(SYS_LOG_WARNING, "the random seed was not saved", SEED_FILE, r);
}
