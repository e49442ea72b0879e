/* SPDX-License-Identifier: MIT */
/*
 * test_registry_hive.c - regf files: built, read back, refused by name, committed
 *
 * Real Windows hives are read when SMSS_SHARED names the directory that holds them; they are not
 * part of the project.
 */
#include "regf_make.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "registry/commit.h"
#include "sys/sys.h"

static char directory[64];

static int start(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test-registry-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int end(void **state)
{
	static const char *const names[] = {"SYSTEM", "SYSTEM.plan", "SYSTEM.queue", "SYSTEM.lock",
					    "SYSTEM.previous"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	return rmdir(directory);
}

static void build(const struct reg_tree *t, uint8_t **ret, size_t *ret_n)
{
	char room[256] = "";
	struct text why = TEXT_ON(room);

	if (hive_build(t, hive_stamp_after(NULL, 1000), ret, ret_n, &why) < 0)
		fail_msg("%s", room);
}

static void a_hive_reads_back_what_was_built(void **state)
{
	static const char *const values[] = {"S:text",
					     "X:%a%",
					     "M:a||b",
					     "M:",
					     "D:7",
					     "T4:01",
					     "T1:610062",
					     "T7:61",
					     "B:",
					     "B:0102030405060708",
					     "Q:0102030405060708",
					     "T0:",
					     "T4294901778:01"};
	struct reg_tree t, back;
	struct reg_key *k;
	struct hive_source from;
	struct hive *h;
	char room[256], name[300];
	struct text why = TEXT_ON(room);
	uint8_t *bytes;
	size_t n;
	int fd;

	(void)state;
	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(tree_make(&t, "One\\Two Words\\Three", 19, &k), 0);
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		snprintf(name, sizeof(name), "n\xC3\xA9\xD0\x96%zu", i);
		case_set(&t, k, i ? name : "", values[i]);
	}
	for (unsigned i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "many\\%03u", i);
		assert_int_equal(tree_make(&t, name, strlen(name), &k), 0);
	}
	memset(name, 'A', sizeof(name));
	assert_int_equal(tree_add_key(&t, t.root, name, 255, &k), 0);
	build(&t, &bytes, &n);
	fd = make_file(bytes, n);
	from = hive_source_of(fd);
	assert_int_equal(hive_open(&from, 0, &h, &why), 0);
	assert_false(hive_facts(h)->dirty);
	assert_true(hive_facts(h)->ours);
	assert_int_equal(tree_start(&back), 0);
	assert_int_equal(hive_load(h, "", HIVE_ALL, &back), 0);
	assert_int_equal(hive_damage(h, NULL), 0);
	assert_int_equal(back.keys, t.keys);
	case_same(t.root, back.root);
	assert_int_equal(hive_load(h, "one\\TWO words\\nothing", 0, &back), -ENOENT);
	hive_close(h);
	tree_free(&t);
	tree_free(&back);
	free(bytes);
	close(fd);
}

static void a_damaged_hive_is_refused_by_name(void **state)
{
	static const struct {
		const char *says;
		size_t at;
		uint32_t word;
		bool sum;
		size_t cut; /* bytes that are left, 0 all */
	} cases[] = {
		{"the file is empty", 0, 0, false, SIZE_MAX},
		{"no \"regf\"", 0, 0x12345678, false, 0},
		{"checksum at 508", 508, 1, false, 0},
		{"checksum at 508", 100, 0xFFFF, false, 0},
		{"a transaction log", 28, 6, true, 0},
		{"version at 20 is 1.2", 24, 2, true, 0},
		{"version at 20 is 2.5", 20, 2, true, 0},
		{"format at 32", 32, 2, true, 0},
		{"bins size at 40", 40, 100, true, 0},
		{"truncated: the header says 12288 bytes", 0, 0x66676572, false, 8191},
		{"truncated inside the base block", 0, 0x66676572, false, 1000},
		{"a bin or a chain of cells is broken", 4096, 0, false, 0},
		{"a bin or a chain of cells is broken", 4128, 0x10, false, 0},
	};
	struct reg_tree t;
	uint8_t *good, *bad;
	size_t n;

	(void)state;
	case_start(&t);
	build(&t, &good, &n);
	assert_int_equal(n, 12288);
	bad = malloc(n);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char room[256] = "";
		struct text why = TEXT_ON(room);
		struct hive_source from;
		struct hive *h = NULL;
		int fd;

		memcpy(bad, good, n);
		regf_put32(bad, cases[i].at, cases[i].word);
		if (cases[i].sum)
			make_sum(bad);
		fd = make_file(bad, cases[i].cut == SIZE_MAX ? 0 : cases[i].cut ? cases[i].cut : n);
		from = hive_source_of(fd);
		if (hive_open(&from, 0, &h, &why) >= 0 || !strstr(room, cases[i].says))
			fail_msg("case %zu: wanted \"%s\", got \"%s\"", i, cases[i].says, room);
		close(fd);
	}
	free(bad);
	free(good);
	tree_free(&t);
}

static void a_dirty_hive_is_read_and_told(void **state)
{
	struct hive_source from;
	struct reg_tree t;
	struct hive *h;
	char room[256];
	struct text why = TEXT_ON(room);
	uint8_t *bytes;
	size_t n;
	int fd;

	(void)state;
	case_start(&t);
	build(&t, &bytes, &n);
	regf_put32(bytes, 4, 9);
	make_sum(bytes);
	fd = make_file(bytes, n);
	from = hive_source_of(fd);
	assert_int_equal(hive_open(&from, 0, &h, &why), 0);
	assert_true(hive_facts(h)->dirty);
	assert_true(hive_facts(h)->stale);
	assert_string_equal(hive_said(h), HIVE_DIRTY_TEXT " (no log is beside it)");
	hive_close(h);
	close(fd);
	free(bytes);
	tree_free(&t);
}

static void what_cannot_be_written_is_named(void **state)
{
	static char big[70000];
	struct reg_tree t;
	struct reg_key *k;
	char room[256] = "", name[16];
	struct text why = TEXT_ON(room);
	uint8_t *bytes;
	size_t n;

	(void)state;
	case_start(&t);
	assert_int_equal(tree_make(&t, "\xC3\xA9", 2, &k), 0);
	assert_int_equal(hive_build(&t, hive_stamp_after(NULL, 1), &bytes, &n, &why), -EINVAL);
	assert_non_null(strstr(room, "printable ASCII"));
	tree_drop_key(&t, k);
	why = TEXT_ON(room);
	assert_int_equal(tree_make(&t, "k", 1, &k), 0);
	memset(big, '0', 2 + 2 * 16344); /* 16344 bytes are the most that fits */
	memcpy(big, "B:", 2);
	case_set(&t, k, "v", big);
	assert_int_equal(hive_build(&t, hive_stamp_after(NULL, 1), &bytes, &n, &why), 0);
	free(bytes);
	case_set(&t, k, "w", "B:00");
	key_get(k, "w")->bytes = 16345;
	key_get(k, "w")->data = arena_take(&t.arena, 16345);
	assert_int_equal(hive_build(&t, hive_stamp_after(NULL, 1), &bytes, &n, &why), -EINVAL);
	assert_non_null(strstr(room, "more than 16344 bytes"));
	tree_drop_key(&t, k);
	why = TEXT_ON(room);
	for (unsigned i = 0; i <= HIVE_WRITE_SUBKEYS_MAX; i++) {
		snprintf(name, sizeof(name), "k\\%u", i);
		assert_int_equal(tree_make(&t, name, strlen(name), &k), 0);
	}
	assert_int_equal(hive_build(&t, hive_stamp_after(NULL, 1), &bytes, &n, &why), -EINVAL);
	assert_non_null(strstr(room, "more than 1000 subkeys"));
	tree_free(&t);
}

static void commit_once(const char *path, const char *host)
{
	struct store s;
	struct reg_tree t, scratch;
	struct remarks remarks = {.arena = &scratch.arena};
	char room[256] = "";
	struct text why = TEXT_ON(room);
	int r;

	assert_int_equal(store_open(&s, path, &why), 0);
	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(tree_start(&scratch), 0);
	r = store_read(&s, "/nonexistent", &t, NULL, &why);
	if (r == -ENOENT) {
		tree_free(&t);
		case_start(&t);
	} else {
		assert_int_equal(r, 0);
	}
	case_value(&t, "ComputerName\\ComputerName", "ComputerName", host);
	why = TEXT_ON(room);
	if (store_commit(&s, &t, false, &remarks, &why) < 0)
		fail_msg("%s", room);
	store_close(&s);
	tree_free(&t);
	tree_free(&scratch);
}

static size_t slurp(const char *name, void *to, size_t cap)
{
	char path[128];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	n = read(fd, to, cap);
	close(fd);
	assert_true(n > 0);
	return (size_t)n;
}

static void a_plan_fits_only_its_hive(void **state)
{
	static uint64_t plan[2][20000], queue[2000];
	static uint8_t hive[2][65536];
	char path[128];
	size_t n[2], plan_n, queue_n;

	(void)state;
	snprintf(path, sizeof(path), "%s/SYSTEM", directory);
	for (unsigned i = 0; i < 2; i++) { /* the same content twice: still two hives */
		uint8_t digest[SHA256_BYTES];
		const struct plan_header *p = (void *)plan[i];

		commit_once(path, "S:one");
		n[i] = slurp("SYSTEM", hive[i], sizeof(hive[i]));
		plan_n = slurp("SYSTEM.plan", plan[i], sizeof(plan[i]));
		queue_n = slurp("SYSTEM.queue", queue, sizeof(queue));
		assert_int_equal(plan_check(p, plan_n, PLAN_MAGIC, NULL), 0);
		assert_int_equal(plan_check(queue, queue_n, QUEUE_MAGIC, NULL), 0);
		assert_int_equal(plan_fits(p, hive[i], n[i]), PLAN_FITS);
		assert_int_equal(plan_fits((void *)queue, hive[i], n[i]), PLAN_FITS);
		sha256_of(hive[i], n[i], digest);
		assert_memory_equal(digest, p->hive_sha256, SHA256_BYTES);
	}
	assert_memory_not_equal(hive[0], hive[1], HIVE_BLOCK_BYTES);
	assert_int_equal(n[0], n[1]); /* and it does not grow */
	assert_int_equal(plan_fits((void *)plan[0], hive[1], n[1]), PLAN_STALE);
	assert_int_equal(plan_fits((void *)plan[1], hive[0], n[0]), PLAN_STALE);
}

static void fifty_rebuilt_hives_share_no_base_block(void **state)
{
	static uint8_t hive[50][65536];
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/SYSTEM", directory);
	for (unsigned i = 0; i < 50; i++) {
		commit_once(path, i % 2 ? "S:one" : "S:two");
		slurp("SYSTEM", hive[i], sizeof(hive[i]));
		for (unsigned k = 0; k < i; k++)
			assert_memory_not_equal(hive[k], hive[i], HIVE_BLOCK_BYTES);
	}
}

static void errors_refuse_the_commit_unless_forced(void **state)
{
	struct store s;
	struct reg_tree t, scratch;
	struct remarks remarks = {.arena = &scratch.arena};
	char path[128], room[256];
	struct text why = TEXT_ON(room);

	(void)state;
	snprintf(path, sizeof(path), "%s/SYSTEM", directory);
	case_start(&t);
	assert_int_equal(tree_start(&scratch), 0);
	case_value(&t, "Session Manager", "BootExecute", "S:not a list");
	assert_int_equal(store_open(&s, path, &why), 0);
	assert_int_equal(store_commit(&s, &t, false, &remarks, &why), -EINVAL);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(store_commit(&s, &t, true, &remarks, &why), 0);
	assert_int_equal(access(path, F_OK), 0);
	store_close(&s);
	tree_free(&t);
	tree_free(&scratch);
}

static void hives_of_others_are_not_written(void **state)
{
	struct store s;
	struct reg_tree t;
	uint8_t *bytes;
	size_t n;
	char path[128], room[256];
	struct text why = TEXT_ON(room);
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "%s/SYSTEM", directory);
	case_start(&t);
	build(&t, &bytes, &n);
	memset(bytes + 48, 0, 64);
	make_sum(bytes);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_equal(write(fd, bytes, n), (ssize_t)n);
	close(fd);
	tree_free(&t);
	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(store_open(&s, path, &why), 0);
	assert_int_equal(store_read(&s, "/nonexistent", &t, NULL, &why), -EPERM);
	assert_non_null(strstr(room, "did not make this hive"));
	store_close(&s);
	tree_free(&t);
	free(bytes);
}

static void windows_hives_become_plans(void **state)
{
	static const struct {
		const char *name;
		int result;
		uint32_t queue, known;
	} cases[] = {
		{"hives/win7-x86.SYSTEM", 0, 0, 0},
		{"hives/win8-x64-dirty-nolog.SYSTEM", 0, 2, 0},
		{"synthetic/syn-clean.SYSTEM", 0, 0, 0},
		{"hives/not-system.BCD", -ENOKEY, 0, 0},
		{"hives/UnicodeHive", -ENOKEY, 0, 0},
	};
	const char *shared = getenv("SMSS_SHARED");
	char path[512];

	(void)state;
	if (!shared)
		shared = SHARED_DEFAULT;
	snprintf(path, sizeof(path), "%s/data/windows/%s", shared, cases[0].name);
	if (access(path, R_OK) != 0) {
		print_message("skipped: no Windows hives (SMSS_SHARED)\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct made m = {0};
		struct plan_source from = {.tree = &m.tree, .hive_path = path};
		char room[256] = "";
		struct text why = TEXT_ON(room);
		struct hive_source source;
		struct hive *h;

		snprintf(path, sizeof(path), "%s/data/windows/%s", shared, cases[i].name);
		assert_int_equal(hive_source_open(path, &source), 0);
		assert_int_equal(hive_open(&source, 0, &h, &why), 0);
		assert_false(hive_facts(h)->ours);
		assert_int_equal(tree_start(&m.tree), 0);
		assert_int_equal(plan_load(h, &m.tree, &from.set, &why), cases[i].result);
		if (cases[i].result == 0) {
			assert_int_equal(tree_start(&m.scratch), 0);
			m.remarks.arena = &m.scratch.arena;
			assert_int_equal(plan_make(&from, &m.remarks, &m.plan), 0);
			assert_int_equal(m.remarks.errors, 0);
			assert_int_equal(m.plan.queue_rows == cases[i].queue, 1);
			assert_int_equal(plan_count(m.plan.plan, PLAN_BOOT_EXECUTE), 1);
			assert_int_equal(plan_count(m.plan.plan, PLAN_KNOWN_DLLS), cases[i].known);
		}
		hive_close(h);
		hive_source_close(&source);
		case_end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hive_reads_back_what_was_built),
		cmocka_unit_test(a_damaged_hive_is_refused_by_name),
		cmocka_unit_test(a_dirty_hive_is_read_and_told),
		cmocka_unit_test(what_cannot_be_written_is_named),
		cmocka_unit_test_setup_teardown(a_plan_fits_only_its_hive, start, end),
		cmocka_unit_test_setup_teardown(fifty_rebuilt_hives_share_no_base_block, start,
						end),
		cmocka_unit_test_setup_teardown(errors_refuse_the_commit_unless_forced, start, end),
		cmocka_unit_test_setup_teardown(hives_of_others_are_not_written, start, end),
		cmocka_unit_test(windows_hives_become_plans),
	};

	return cmocka_run_group_tests_name("registry-hive", tests, NULL, NULL);
}
