/* SPDX-License-Identifier: MIT */
/*
 * test_smctl_limits.c - what smctl makes of the files of a session's cgroup
 *
 * The files are written by the case, as kernels with and without each controller have them.
 */
#include <fcntl.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "smctl/sessions.h"

static const struct {
	const char *name, *text;
} files[] = {
	{"memory.max", "67108864\n"},
	{"memory.current", "1048576\n"},
	{"pids.max", "max\n"},
	{"pids.current", "3\n"},
	{"cpu.max", "50000 100000\n"},
	{"cpu.weight", "200\n"},
	{"io.max", "8:0 rbps=1048576 wbps=max riops=max wiops=max\n254:16 rbps=max wbps=2097152 "
		   "riops=max wiops=max\n"},
	{"io.weight", "default 300\n"},
};

static char directory[] = "/tmp/smctl-limits-XXXXXX";

static int setup(void **state)
{
	(void)strcpy(directory + strlen(directory) - 6, "XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	*state = NULL;
	return 0;
}

static void write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/%s", directory, files[i].name);
		(void)unlink(path);
	}
	return rmdir(directory);
}

static json_object *read_all(struct limits *l)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	limits_read(fd, l);
	(void)close(fd);
	return limits_json(l);
}

static const char *at(json_object *o, const char *pointer)
{
	json_object *found = NULL;

	if (json_pointer_get(o, pointer, &found) < 0)
		return "(missing)";
	return found ? json_object_get_string(found) : "null";
}

static void all_controllers(void **state)
{
	struct limits l;
	json_object *o;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		write_file(files[i].name, files[i].text);
	o = read_all(&l);
	assert_string_equal(at(o, "/memory_bytes/used"), "1048576");
	assert_string_equal(at(o, "/memory_bytes/max"), "67108864");
	assert_string_equal(at(o, "/processes/used"), "3");
	assert_string_equal(at(o, "/processes/max"), "null");
	assert_string_equal(at(o, "/cpu/percent"), "50");
	assert_string_equal(at(o, "/cpu/weight"), "200");
	assert_string_equal(at(o, "/io/weight"), "300");
	assert_string_equal(at(o, "/io/disks/0/disk"), "8:0");
	assert_string_equal(at(o, "/io/disks/0/read_bytes_s"), "1048576");
	assert_string_equal(at(o, "/io/disks/0/write_bytes_s"), "null");
	assert_string_equal(at(o, "/io/disks/1/disk"), "254:16");
	assert_string_equal(at(o, "/io/disks/1/write_bytes_s"), "2097152");
	assert_string_equal(at(o, "/io/disks/2"), "(missing)");
	(void)json_object_put(o);
}

static void no_controllers(void **state)
{
	struct limits l;
	json_object *o = read_all(&l);

	(void)state;
	assert_string_equal(at(o, "/memory_bytes"), "null");
	assert_string_equal(at(o, "/processes"), "null");
	assert_string_equal(at(o, "/cpu"), "null");
	assert_string_equal(at(o, "/io"), "null");
	(void)json_object_put(o);
}

static void no_limits_and_no_weights(void **state)
{
	struct limits l;
	json_object *o;

	(void)state;
	write_file("memory.max", "max\n");
	write_file("memory.current", "0\n");
	write_file("cpu.max", "max 100000\n");
	write_file("io.max", "");
	o = read_all(&l);
	assert_string_equal(at(o, "/memory_bytes/max"), "null");
	assert_string_equal(at(o, "/cpu/percent"), "null");
	assert_string_equal(at(o, "/cpu/weight"), "null");
	assert_string_equal(at(o, "/io/weight"), "null");
	(void)json_object_put(o);
}

static void odd_text_is_no_crash(void **state)
{
	static const char *const odd[] = {
		"",    "\n",        " ",
		"5",   "5 ",        "x y z",
		"8:0", "8:0 rbps=", "a-name-of-a-disk-that-is-longer-than-its-room rbps=1\n"};
	struct limits l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		for (size_t k = 0; k < ARRAY_SIZE(files); k++)
			write_file(files[k].name, odd[i]);
		(void)json_object_put(read_all(&l));
		assert_true(l.disks <= 1);
	}
}

static void a_process_outside_of_sessions_has_no_group(void **state)
{
	char path[256];

	(void)state;
	assert_true(limits_find(4000000000u, getpid(), path, sizeof(path)) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(all_controllers),
		TEST(no_controllers),
		TEST(no_limits_and_no_weights),
		TEST(odd_text_is_no_crash),
		TEST(a_process_outside_of_sessions_has_no_group),
	};

	(void)alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
