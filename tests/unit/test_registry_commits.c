/* SPDX-License-Identifier: MIT */
/*
 * test_registry_commits.c - what commits leave behind after thousands of them
 *
 * Each goes the whole way of smreg: lock, read, change, build, check, write, unlock. A thousand, or
 * ten thousand in the long form (SIM_RUNS of a thousand and more). On memory where there is some:
 * durability is not the matter here.
 */
#include "registry_case.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "registry/commit.h"

#define COMMITS_SHORT 1000u
#define COMMITS_LONG  10000u
#define VALUES        200u

static char directory[64], path[80];

static int start(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "%s/test-commits-XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/SYSTEM", directory);
	return 0;
}

static int end(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

static unsigned commits_wanted(void)
{
	const char *runs = getenv("SIM_RUNS");

	return runs && strtoul(runs, NULL, 10) >= 1000 ? COMMITS_LONG : COMMITS_SHORT;
}

static void fill(struct reg_tree *t)
{
	char name[16], text[64];

	for (unsigned i = 0; i < VALUES; i++) {
		snprintf(name, sizeof(name), "Value%u", i);
		snprintf(text, sizeof(text), "S:what stands in value number %u", i);
		case_value(t, "Session Manager\\Environment", name, text);
	}
}

/* Commit number n, with the same amount of content; answers the new base block's digest. */
static void commit(unsigned n, uint8_t ret_digest[SHA256_BYTES])
{
	_cleanup_(store_closep) struct store s;
	_cleanup_(tree_freep) struct reg_tree t = {0}, scratch = {0};
	struct remarks remarks = {.arena = &scratch.arena};
	char room[256], text[32];
	struct text why = TEXT_ON(room);

	assert_int_equal(tree_start(&scratch), 0);
	assert_int_equal(store_open(&s, path, &why), 0);
	if (n == 1) {
		case_start(&t);
		fill(&t);
	} else {
		assert_int_equal(tree_start(&t), 0);
		assert_int_equal(store_read(&s, directory, &t, NULL, &why), 0);
		assert_int_equal(s.facts.sequence, n - 1);
	}
	snprintf(text, sizeof(text), "S:commit %06u", n);
	case_value(&t, "Session Manager\\Environment", "Newest", text);
	if (store_commit(&s, &t, false, &remarks, &why) != 0)
		fail_msg("commit %u: %s", n, room);
	assert_int_equal(s.facts.sequence, n);
	sha256_of(s.facts.block, sizeof(s.facts.block), ret_digest);
}

/* Bytes of all files beside the hive, and how many there are. */
static uint64_t bytes_there(unsigned *ret_files)
{
	DIR *d = opendir(directory);
	uint64_t sum = 0;
	struct stat st;

	assert_non_null(d);
	*ret_files = 0;
	for (const struct dirent *e; (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		assert_int_equal(fstatat(dirfd(d), e->d_name, &st, 0), 0);
		sum += (uint64_t)st.st_size;
		(*ret_files)++;
	}
	closedir(d);
	return sum;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_BYTES);
}

static void nothing_grows_and_no_two_blocks_are_alike(void **state)
{
	const unsigned wanted = commits_wanted();
	uint8_t(*digests)[SHA256_BYTES] = calloc(wanted, sizeof(*digests));
	uint64_t second = 0;
	unsigned files;

	(void)state;
	assert_non_null(digests);
	for (unsigned n = 1; n <= wanted; n++) {
		commit(n, digests[n - 1]);
		if (n == 2) { /* from now on there is a previous one */
			second = bytes_there(&files);
			assert_int_equal(files, 5);
		}
	}
	assert_int_equal(bytes_there(&files), second);
	assert_int_equal(files, 5);
	qsort(digests, wanted, sizeof(*digests), by_bytes);
	for (unsigned i = 1; i < wanted; i++)
		assert_memory_not_equal(digests[i - 1], digests[i], SHA256_BYTES);
	print_message("   %u commits, %llu bytes after two and after the last\n", wanted,
		      (unsigned long long)second);
	free(digests);
}

static void build(const struct reg_tree *t, struct hive_stamp stamp,
		  uint8_t block[HIVE_BLOCK_BYTES])
{
	char room[256];
	struct text why = TEXT_ON(room);
	uint8_t *bytes;
	size_t n;

	assert_int_equal(hive_build(t, stamp, &bytes, &n, &why), 0);
	memcpy(block, bytes, HIVE_BLOCK_BYTES);
	free(bytes);
}

/* A clock that stands still, a hive that was put back: sequence and time alone would be the same.
 */
static void the_block_tells_contents_apart_by_itself(void **state)
{
	const struct hive_stamp stamp = {.sequence = 7, .filetime = 133500000000000000ull};
	uint8_t a[HIVE_BLOCK_BYTES], b[HIVE_BLOCK_BYTES], again[HIVE_BLOCK_BYTES];
	struct reg_tree t;

	(void)state;
	case_start(&t);
	case_value(&t, "Session Manager", "BootAttempts", "D:1");
	build(&t, stamp, a);
	build(&t, stamp, again);
	case_value(&t, "Session Manager", "BootAttempts", "D:2");
	build(&t, stamp, b);
	assert_memory_equal(a, again, sizeof(a));
	assert_memory_not_equal(a, b, sizeof(a));
	tree_free(&t);
}

static void exists(const char *ending, bool wanted)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s", path, ending);
	assert_int_equal(access(name, F_OK) == 0, wanted);
}

/* The hive before a bad commit comes back by mv; its plan is made anew, and commits go on. */
static void the_previous_hive_comes_back(void **state)
{
	uint8_t digest[SHA256_BYTES];
	char name[128];
	struct stat was, is;

	(void)state;
	commit(1, digest);
	exists(".previous", false);
	assert_int_equal(stat(path, &was), 0);
	assert_int_equal(chmod(path, 0600), 0);
	commit(2, digest);
	snprintf(name, sizeof(name), "%s.previous", path);
	assert_int_equal(stat(name, &is), 0);
	assert_int_equal(is.st_ino, was.st_ino);
	assert_int_equal(stat(path, &is), 0);
	assert_int_equal(is.st_mode & 07777, 0600); /* a hidden hive stays hidden */
	assert_int_equal(rename(name, path), 0);
	commit(2, digest);
	assert_int_equal(stat(name, &is), 0);
	assert_int_equal(is.st_ino, was.st_ino);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_grows_and_no_two_blocks_are_alike, start,
						end),
		cmocka_unit_test(the_block_tells_contents_apart_by_itself),
		cmocka_unit_test_setup_teardown(the_previous_hive_comes_back, start, end),
	};

	return cmocka_run_group_tests_name("registry-commits", tests, NULL, NULL);
}
