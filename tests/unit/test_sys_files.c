/* SPDX-License-Identifier: MIT */
/*
 * test_sys_files.c - the door on a real kernel: hostile paths, durable replacement, seals, whole
 * files
 *
 * Works in a directory of its own below /tmp and removes it. What needs root (directories of other
 * owners) is skipped with a line for an ordinary user, whose own links are then all foreign.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "sys/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRANGER 12345

static char top[64];

static const char *in_top(const char *name)
{
	static char paths[4][4096];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_top(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void get(const char *name, const char *want)
{
	char room[4096];
	ssize_t n = sys_read_file(AT_FDCWD, in_top(name), room, sizeof(room) - 1);

	assert_true(n >= 0);
	room[n] = 0;
	assert_string_equal(room, want);
}

static int set_up(void **state)
{
	umask(022);
	strcpy(top, "/tmp/smss-sys-XXXXXX");
	return mkdtemp(top) && chmod(top, 0755) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	return remove(path);
}

static int tear_down(void **state)
{
	return nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("skipped: this needs root\n");
	skip();
}

/* The tree of the walks: what lies where, and who may write there. */
static void make_tree(void)
{
	char name[16], before[16];

	assert_int_equal(sys_make_dirs(in_top("real/deep"), 0755), 0);
	put("real/file", "the file");
	put("real/deep/file", "the deep file");
	assert_int_equal(symlink("real", in_top("link")), 0);
	assert_int_equal(symlink(in_top("real"), in_top("absolute")), 0);
	assert_int_equal(symlink("real/file", in_top("to-file")), 0);
	assert_int_equal(symlink("nowhere", in_top("dangling")), 0);
	assert_int_equal(symlink("../real/file", in_top("real/up")), 0);
	assert_int_equal(symlink("loop-b", in_top("loop-a")), 0);
	assert_int_equal(symlink("loop-a", in_top("loop-b")), 0);
	for (unsigned i = 0; i < 17; i++) { /* chain-0 -> real/file, chain-N -> chain-(N - 1) */
		snprintf(name, sizeof(name), "chain-%u", i);
		snprintf(before, sizeof(before), "chain-%u", i - 1);
		assert_int_equal(symlink(i ? before : "real/file", in_top(name)), 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		static const char *const names[] = {"foreign", "open", "group"};
		static const unsigned modes[] = {0755, 0777, 0775};
		char link[32];

		assert_int_equal(mkdir(in_top(names[i]), 0755), 0);
		snprintf(link, sizeof(link), "%s/link", names[i]);
		assert_int_equal(symlink("../real", in_top(link)), 0);
		snprintf(link, sizeof(link), "%s/to-file", names[i]);
		assert_int_equal(symlink("../real/file", in_top(link)), 0);
		snprintf(link, sizeof(link), "%s/own", names[i]);
		put(link, "its own");
		assert_int_equal(chmod(in_top(names[i]), modes[i]), 0);
	}
	assert_int_equal(symlink("foreign/to-file", in_top("by-the-foreign")), 0);
}

static void a_link_is_followed_only_out_of_root_s_directories(void **state)
{
	static const struct {
		const char *path;
		int r; /* 0: it opens */
		const char *text;
	} cases[] = {
		{"real/file", 0, "the file"},
		{"real/deep/file", 0, "the deep file"},
		{"real//deep///file", 0, "the deep file"},
		{"real/./deep/../file", 0, "the file"},
		{"link/file", 0, "the file"},
		{"link/deep/file", 0, "the deep file"},
		{"absolute/deep/file", 0, "the deep file"},
		{"to-file", 0, "the file"},
		{"real/up", 0, "the file"},
		{"chain-15", 0, "the file"},
		{"chain-16", -ELOOP, NULL}, /* the seventeenth link */
		{"loop-a", -ELOOP, NULL},
		{"dangling", -ENOENT, NULL},
		{"real/nothing", -ENOENT, NULL},
		{"real/file/x", -ENOTDIR, NULL},
		{"foreign/own", 0,
		 "its own"}, /* no link on the way: the caller looks at the owner */
		{"foreign/link/file", -ELOOP, NULL},
		{"foreign/to-file", -ELOOP, NULL},
		{"by-the-foreign", -ELOOP, NULL},
		{"open/own", 0, "its own"},
		{"open/link/file", -ELOOP, NULL},
		{"open/to-file", -ELOOP, NULL},
		{"group/own", 0, "its own"},
		{"group/link/file", -ELOOP, NULL},
		{"link/../foreign/to-file", -ELOOP, NULL},
	};

	need_root();
	make_tree();
	assert_int_equal(chown(in_top("foreign"), STRANGER, STRANGER), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char room[64] = "";
		int fd = sys_walk(in_top(cases[i].path), O_RDONLY);

		if (cases[i].r ? fd != cases[i].r : fd < 0)
			fail_msg("%s: %d", cases[i].path, fd);
		if (fd < 0)
			continue;
		assert_true(sys_read_all(fd, room, sizeof(room)) > 0);
		assert_string_equal(room, cases[i].text);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		sys_closep(&fd);
	}
}

static void an_ordinary_user_s_links_are_not_followed(void **state)
{
	int fd;

	if (geteuid() == 0) {
		print_message("skipped: this needs an ordinary user\n");
		skip();
	}
	make_tree();
	assert_int_equal(sys_walk(in_top("link/file"), O_RDONLY), -ELOOP);
	assert_int_equal(sys_walk(in_top("to-file"), O_RDONLY), -ELOOP);
	fd = sys_walk(in_top("real/file"), O_RDONLY);
	assert_true(fd >= 0);
	sys_closep(&fd);
}

/* In a user namespace of this map ("" = in none): is a file of that user and mode root's alone? */
static int owned_under(const char *map, uint32_t uid, uint32_t mode)
{
	const struct sys_stat st = {.uid = uid, .mode = mode};
	int ready[2], go[2], status = -1;
	char path[64], byte = 0;
	pid_t child;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(go), 0);
	child = fork();
	if (child == 0) { /* what it finds is remembered, so each case has a process */
		if ((*map && unshare(CLONE_NEWUSER) < 0) || write(ready[1], "", 1) != 1 ||
		    read(go[0], &byte, 1) != 1)
			_exit(2);
		_exit(sys_owned(&st));
	}
	assert_true(child > 0);
	close(ready[1]);
	if (read(ready[0], &byte, 1) == 1) {
		(void)snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)child);
		if (!*map || sys_write_file(AT_FDCWD, path, map) >= 0)
			(void)!write(go[1], "", 1);
	}
	close(go[1]);
	close(go[0]);
	close(ready[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void who_the_outside_does_not_name_is_root_only_where_nobody_can_be_him(void **state)
{
	static const struct {
		const char *map;
		uint32_t uid, mode;
		int owned;
	} cases[] = {
		{"", 0, 0100755, 1},
		{"", 0, 0100775, 0},
		{"", 0, 0100757, 0},
		{"", STRANGER, 0100755, 0},
		{"", 65534, 0100755, 0}, /* a real nobody */
		{"0 1000 1", 0, 0100755, 1},
		{"0 1000 1", 65534, 0100755, 1}, /* what the outside's root is seen as */
		{"0 1000 1", 65534, 0100777, 0},
		{"0 1000 1\n1 100000 65000", 65534, 0100755, 1},
		{"0 1000 1\n1 100000 65534", 65534, 0100755, 0}, /* 65534 is somebody inside */
		{"0 100000 65536", 65534, 0100755, 0},
		{"65534 1000 1", 65534, 0100755, 0},
		{"0 0 1", 0, 0100755, 1}, /* root is seen as himself: who is not, is others */
		{"0 0 1", 65534, 0100755, 0},
		{"0 1000 1\n1 0 1", 65534, 0100755, 0},
		{"0 1000 1", 1, 0100755, 0},
	};

	need_root();
	if (owned_under("0 1000 1", 0, 0100755) == 2) {
		print_message("skipped: no user namespaces\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int owned = owned_under(cases[i].map, cases[i].uid, cases[i].mode);

		if (owned != cases[i].owned)
			fail_msg("map \"%s\", user %u, mode %o: %d", cases[i].map, cases[i].uid,
				 cases[i].mode, owned);
	}
}

static void a_path_that_is_no_path_is_refused(void **state)
{
	char longest[2048];
	int fd;

	assert_int_equal(sys_walk("relative/path", O_RDONLY), -EINVAL);
	assert_int_equal(sys_walk("", O_RDONLY), -EINVAL);
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	longest[300] = 0; /* one component */
	assert_int_equal(sys_walk(longest, O_RDONLY), -ENAMETOOLONG);
	longest[300] = 'a';
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(sys_walk(longest, O_RDONLY), -ENAMETOOLONG);
	fd = sys_walk("/", O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	sys_closep(&fd);
	fd = sys_walk("/..//./", O_PATH);
	assert_true(fd >= 0);
	sys_closep(&fd);
}

static void nothing_is_opened_beyond_the_directory(void **state)
{
	/* RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH of the kernel's header */
	uint64_t strict = 0x04 | 0x08;
	int dir = open(top, O_PATH | O_DIRECTORY), fd;

	assert_int_equal(sys_make_dirs(in_top("beneath/in"), 0755), 0);
	put("beneath/in/file", "x");
	assert_int_equal(symlink("in", in_top("beneath/link")), 0);
	fd = sys_open_beneath(dir, "beneath/in/file", O_RDONLY, 0, strict);
	assert_true(fd >= 0);
	sys_closep(&fd);
	assert_int_equal(sys_open_beneath(dir, "beneath/link/file", O_RDONLY, 0, strict), -ELOOP);
	assert_int_equal(sys_open_beneath(dir, "../etc/passwd", O_RDONLY, 0, strict), -EXDEV);
	assert_int_equal(sys_open_beneath(dir, "/etc/passwd", O_RDONLY, 0, strict), -EXDEV);
	close(dir);
}

static void a_file_is_replaced_whole(void **state)
{
	struct stat st;
	int dir = open(top, O_RDONLY | O_DIRECTORY);
	char name[300];

	assert_int_equal(sys_replace_file(dir, "kept", "one", 3, 0600), 0);
	get("kept", "one");
	assert_int_equal(stat(in_top("kept"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sys_replace_file(dir, "kept", "two and more", 12, 0644), 0);
	get("kept", "two and more");
	assert_int_equal(sys_replace_file(dir, "kept", "", 0, 0644), 0);
	get("kept", "");
	/* what a cut left behind is in nobody's way, and a planted link is not written through */
	put("victim", "untouched");
	assert_int_equal(symlink("victim", in_top("kept.new")), 0);
	assert_int_equal(sys_replace_file(dir, "kept", "three", 5, 0644), 0);
	get("kept", "three");
	get("victim", "untouched");
	assert_int_equal(lstat(in_top("kept.new"), &st), -1);
	/* on failure the old one stays, and nothing is left beside it */
	assert_int_equal(mkdir(in_top("directory"), 0755), 0);
	assert_int_equal(sys_replace_file(dir, "directory", "x", 1, 0644), -EISDIR);
	assert_int_equal(lstat(in_top("directory.new"), &st), -1);
	memset(name, 'n', sizeof(name));
	name[252] = 0;
	assert_int_equal(sys_replace_file(dir, name, "x", 1, 0644), -ENAMETOOLONG);
	close(dir);
}

static void a_small_file_is_read_whole_or_not_at_all(void **state)
{
	char room[8];

	put("eight", "12345678");
	put("nine", "123456789");
	put("none", "");
	assert_int_equal(sys_read_file(AT_FDCWD, in_top("eight"), room, sizeof(room)), 8);
	assert_memory_equal(room, "12345678", 8);
	assert_int_equal(sys_read_file(AT_FDCWD, in_top("nine"), room, sizeof(room)), -EFBIG);
	assert_int_equal(sys_read_file(AT_FDCWD, in_top("none"), room, sizeof(room)), 0);
	assert_int_equal(sys_read_file(AT_FDCWD, in_top("missing"), room, sizeof(room)), -ENOENT);
	assert_int_equal(sys_write_file(AT_FDCWD, in_top("missing"), "x"), -ENOENT);
	assert_int_equal(sys_read_file(AT_FDCWD, top, room, sizeof(room)), -EISDIR);
}

static void directories_are_made_down_to_the_last(void **state)
{
	struct stat st;

	assert_int_equal(sys_make_dirs(in_top("a/b/c/d"), 0750), 0);
	assert_int_equal(stat(in_top("a/b/c/d"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(sys_make_dirs(in_top("a/b/c/d"), 0750), 0);
	assert_int_equal(sys_make_dirs(in_top("a/b/e/"), 0750), 0);
	put("plain", "");
	assert_int_equal(sys_make_dirs(in_top("plain/below"), 0755), -ENOTDIR);
}

static void only_a_sealed_memfd_is_mapped(void **state)
{
	const void *at = NULL;
	size_t n = 0;
	int fd = sys_memfd("plan"), pipes[2];

	assert_true(fd >= 0);
	assert_int_equal(sys_write_all(fd, "the plan", 8), 0);
	assert_int_equal(sys_is_sealed(fd), 0);
	assert_int_equal(sys_map_sealed(fd, &at, &n), -EPERM);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW), 0);
	assert_int_equal(sys_map_sealed(fd, &at, &n), -EPERM); /* it could still be cut short */
	assert_null(at);
	assert_int_equal(sys_seal(fd), 0);
	assert_int_equal(sys_is_sealed(fd), 1);
	assert_int_equal(sys_map_sealed(fd, &at, &n), 0);
	assert_int_equal(n, 8);
	assert_memory_equal(at, "the plan", 8);
	assert_int_equal(sys_truncate(fd, 0), -EPERM);
	assert_int_equal(sys_pwrite(fd, "X", 1, 0), -EPERM);
	munmap((void *)(uintptr_t)at, 8);
	sys_closep(&fd);
	assert_int_equal(fd, -1);
	put("file", "no memfd");
	fd = open(in_top("file"), O_RDWR);
	assert_true(sys_map_sealed(fd, &at, &n) < 0);
	sys_closep(&fd);
	assert_int_equal(sys_pipe(pipes), 0);
	assert_true(sys_map_sealed(pipes[0], &at, &n) < 0);
	sys_closep(&pipes[0]);
	sys_closep(&pipes[1]);
}

int main(void)
{
#define IN_A_TREE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		IN_A_TREE(a_link_is_followed_only_out_of_root_s_directories),
		IN_A_TREE(an_ordinary_user_s_links_are_not_followed),
		cmocka_unit_test(
			who_the_outside_does_not_name_is_root_only_where_nobody_can_be_him),
		IN_A_TREE(a_path_that_is_no_path_is_refused),
		IN_A_TREE(nothing_is_opened_beyond_the_directory),
		IN_A_TREE(a_file_is_replaced_whole),
		IN_A_TREE(a_small_file_is_read_whole_or_not_at_all),
		IN_A_TREE(directories_are_made_down_to_the_last),
		IN_A_TREE(only_a_sealed_memfd_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
