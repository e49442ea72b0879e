/* SPDX-License-Identifier: MIT */
/*
 * test_companion.c - the administrator's text files are read whole, in bounded room
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "companion/program.h"
#include "etc/lines.h"

static void open_text(struct lines *l, const char *s, size_t n)
{
	int fd = memfd_create("lines", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, s, n), n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	lines_open_fd(l, fd);
}

static void lines_come_one_by_one(void **state)
{
	static const char text[] = "first\n\n  third \nlast without newline";
	static const char *const want[] = {"first", "", "  third ", "last without newline"};
	struct lines l;
	char *line;

	open_text(&l, text, sizeof(text) - 1);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(lines_next(&l, &line), 1);
		assert_string_equal(line, want[i]);
		assert_int_equal(l.number, i + 1);
	}
	assert_int_equal(lines_next(&l, &line), 0);
	assert_int_equal(lines_next(&l, &line), 0);
	lines_shut(&l);
}

/* Around the size of the room, a line is given whole or skipped and counted; its neighbours live.
 */
static void a_line_that_does_not_fit_is_skipped_and_counted(void **state)
{
	static char text[3 * LINE_BYTES + 64];

	for (size_t n = LINE_BYTES - 3; n < 2 * LINE_BYTES + 3;
	     n += n == LINE_BYTES + 3 ? LINE_BYTES - 6 : 1) {
		struct lines l;
		size_t at = 0;
		char *line;

		memcpy(text, "one\n", 4);
		at = 4;
		memset(text + at, 'x', n);
		at += n;
		memcpy(text + at, "\ntwo\n", 5);
		open_text(&l, text, at + 5);
		assert_int_equal(lines_next(&l, &line), 1);
		assert_string_equal(line, "one");
		assert_int_equal(lines_next(&l, &line), 1);
		if (n < LINE_BYTES) {
			assert_int_equal(strlen(line), n);
			assert_int_equal(lines_next(&l, &line), 1);
		}
		assert_string_equal(line, "two");
		assert_int_equal(lines_next(&l, &line), 0);
		assert_int_equal(l.skipped, n >= LINE_BYTES);
		assert_int_equal(l.number, 3);
		lines_shut(&l);
	}
}

static void a_line_with_a_nul_is_skipped(void **state)
{
	struct lines l;
	char *line;

	open_text(&l, "a\0b\nok\n", 7);
	assert_int_equal(lines_next(&l, &line), 1);
	assert_string_equal(line, "ok");
	assert_int_equal(l.skipped, 1);
	lines_shut(&l);
}

static void words_and_fields_are_cut(void **state)
{
	char words[] = "  one\ttwo   three ", fields[] = "a::c:d:e", *at = words, *field[3];

	assert_string_equal(line_word(&at), "one");
	assert_string_equal(line_word(&at), "two");
	assert_string_equal(line_word(&at), "three");
	assert_null(line_word(&at));
	assert_int_equal(line_fields(fields, ':', field, 3), 5);
	assert_string_equal(field[0], "a");
	assert_string_equal(field[1], "");
	assert_string_equal(field[2], "c");
}

static void touch(const char *directory, const char *name)
{
	char path[256];
	int fd;

	strcpy(path, directory);
	strcat(strcat(path, "/"), name);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
}

static void conf_files_are_sorted_and_the_first_directory_hides_the_next(void **state)
{
	char a[] = "/tmp/smss-conf-XXXXXX", b[] = "/tmp/smss-conf-XXXXXX", long_name[80];
	const char *const directories[] = {a, "/no/such/directory", b};
	static struct conf_files files;

	if (!mkdtemp(a) || !mkdtemp(b))
		skip();
	memset(long_name, 'n', sizeof(long_name));
	strcpy(long_name + 70, ".conf");
	touch(a, "20-two.conf");
	touch(a, "not-one.txt");
	touch(a, ".hidden.conf");
	touch(b, "20-two.conf");
	touch(b, "10-one.conf");
	touch(b, long_name);
	conf_collect(directories, 3, &files);
	assert_int_equal(files.count, 2);
	assert_string_equal(files.at[0].name, "10-one.conf");
	assert_int_equal(files.at[0].directory, 2);
	assert_string_equal(files.at[1].name, "20-two.conf");
	assert_int_equal(files.at[1].directory, 0);
	assert_int_equal(files.left_out, 1);
	for (int i = 0; i < 2; i++) {
		char command[128] = "rm -rf ";

		assert_int_equal(system(strcat(command, i ? a : b)), 0);
	}
}

static void a_program_is_found_in_path_or_by_an_absolute_name(void **state)
{
	static const struct {
		const char *word, *path, *want;
		int r;
	} cases[] = {
		{"sh", "PATH=/nowhere:/bin", "/bin/sh", 0},
		{"/bin/sh", "PATH=", "/bin/sh", 0},
		{"no-such-thing", "PATH=/bin:/usr/bin", NULL, -ENOENT},
		{"sh", "PATH=bin:.:", NULL, -ENOENT},
		{"bin/sh", "PATH=/bin", NULL, -EINVAL},
		{"/etc/passwd", "PATH=", NULL, -EACCES},
		{"/etc", "PATH=", NULL, -EACCES},
		{"", "PATH=/bin", NULL, -ENOENT},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *env[] = {(char *)(uintptr_t)cases[i].path, NULL};
		struct companion c = {.env = env};
		char path[PATH_BYTES] = "untouched";

		if (program_find(&c, cases[i].word, path, sizeof(path)) != cases[i].r)
			fail_msg("case %zu: %s", i, cases[i].word);
		assert_string_equal(path, cases[i].want ? cases[i].want : "untouched");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_one_by_one),
		cmocka_unit_test(a_line_that_does_not_fit_is_skipped_and_counted),
		cmocka_unit_test(a_line_with_a_nul_is_skipped),
		cmocka_unit_test(words_and_fields_are_cut),
		cmocka_unit_test(conf_files_are_sorted_and_the_first_directory_hides_the_next),
		cmocka_unit_test(a_program_is_found_in_path_or_by_an_absolute_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
