/* SPDX-License-Identifier: MIT */
/*
 * test_registry_logs.c - logs of the old kind, logs that let a hive grow, and where logs are found
 */
#include "replay_case.h"

#include <errno.h>
#include <unistd.h>

#include "base/bytes.h"

static void the_hash_agrees_with_the_published_vectors(void **state)
{
	static const struct {
		const char *hex;
		uint64_t registry, other;
	} cases[] = {
		{"", 0xB39EFCA403966E08, 0x30ED35C100CD3C7D},
		{"AF", 0xB4A6E6F533E761B2, 0x48E73FC77D75DDC1},
		{"E70F", 0xB36C004AA5FF8348, 0xB5F6E1FC485DBFF8},
		{"37F495", 0xA205677EB5653E93, 0xF0B07C789B8CF7E8},
		{"8642DC59", 0x546977868DB74120, 0x7008F2E87E9CF556},
		{"AB427EA8D10FC7", 0x55361EE63F872378, 0xE11847E4F0678C41},
		{"48764C45005E00000000000002000000005000000100000031E40718666C8667",
		 0xCD44F3CFA7657F02, 0},
	};
	uint8_t bytes[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t n = case_hex(cases[i].hex, bytes);

		assert_true(marvin32(MARVIN_REGISTRY, bytes, n) == cases[i].registry);
		if (cases[i].other)
			assert_true(marvin32(0x004FB61A001BDBCCull, bytes, n) == cases[i].other);
	}
}

static void the_checksum_has_two_special_cases(void **state)
{
	uint8_t block[512] = {0};

	(void)state;
	assert_int_equal(regf_checksum(block), 1);
	regf_put32(block, 0, UINT32_MAX);
	assert_int_equal(regf_checksum(block), UINT32_MAX - 1);
	regf_put32(block, 4, 0x12345678);
	assert_int_equal(regf_checksum(block), UINT32_MAX ^ 0x12345678);
}

/* The last entry brings a second bin, and with it a subkey. */
static void a_hive_grows_by_its_log(void **state)
{
	static struct scene s;
	static uint8_t pages[2 * PAGE];
	struct make both = {.at = calloc(1, 3 * PAGE), .bins = 2 * PAGE, .next = PAGE + 0x20};
	char room[400] = "";
	struct text why = TEXT_ON(room);
	struct reg_tree t;
	struct hive *h;
	uint32_t key;

	(void)state;
	scene_start(&s, 10);
	memcpy(both.at, s.hive.at, 2 * PAGE);
	memcpy(both.at + 2 * PAGE, "hbin", 4);
	regf_put32(both.at, 2 * PAGE + 4, PAGE);
	regf_put32(both.at, 2 * PAGE + 8, PAGE);
	key = make_key(&both, "new");
	make_subkeys(&both, 0x20, make_list(&both, "lh", &key, 1), 1);
	make_end(&both);
	memcpy(pages, both.at + PAGE, sizeof(pages));
	make_entry(&s.log[1], 15, 2 * PAGE, 0, pages, sizeof(pages));
	regf_put32(entry(&s, 1, 3), 8, 1);
	make_hashes(&s.log[1], 3);
	assert_int_equal(case_open(&s.hive, s.log, 0, &h, &why), 0);
	assert_int_equal(hive_facts(h)->log_sequence, 15);
	assert_int_equal(hive_facts(h)->bytes, 2 * PAGE);
	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(hive_load(h, "new", 0, &t), 0);
	assert_int_equal(hive_damage(h, NULL), 0);
	tree_free(&t);
	hive_close(h);
	free(both.at);
	free(s.hive.at);
}

/* ---- the old kind ---- */

static void old_nothing(struct scene *s)
{
	s->log[1].n = s->log[2].n = 0;
}

static void old_later(struct scene *s)
{
	old_nothing(s);
	make_time(s->log[0].at, MAKE_TIME + 5);
	make_sum(s->log[0].at);
}

static void old_earlier(struct scene *s)
{
	old_nothing(s);
	make_time(s->log[0].at, MAKE_TIME - 1);
	make_sum(s->log[0].at);
}

static void old_tie(struct scene *s)
{
	s->log[2].n = 0;
}

static void old_second_newer(struct scene *s)
{
	make_time(s->log[1].at, MAKE_TIME + 5);
	make_sum(s->log[1].at);
}

static void old_vista_less(struct scene *s)
{
	s->log[0].n = s->log[1].n = 0;
}

static void old_zero_and_log(struct scene *s)
{
	memset(s->log[0].at, 0, s->log[0].n);
	s->log[1].n = 0;
}

static void old_cut_map(struct scene *s)
{
	old_nothing(s);
	s->log[0].n = 516;
}

static void old_cut_pages(struct scene *s)
{
	old_nothing(s);
	s->log[0].n--;
}

static void old_more_behind(struct scene *s)
{
	old_nothing(s);
	s->log[0].n += 5000;
}

static void old_no_page(struct scene *s)
{
	old_nothing(s);
	s->log[0].at[516] = 0;
}

static void old_one_sector(struct scene *s)
{
	old_nothing(s);
	s->log[0].at[516] = 0x02; /* the second 512 bytes: v stands in the first */
	s->log[0].n = 1024 + 512;
	memcpy(s->log[0].at + 1024, s->hive.at + PAGE + 512, 512);
}

static void old_no_dirt(struct scene *s)
{
	old_nothing(s);
	s->log[0].at[512] = 'X';
}

static void old_broken_block(struct scene *s)
{
	old_nothing(s);
	broken_block(s);
}

static void old_broken_result(struct scene *s)
{
	old_nothing(s);
	memset(s->log[0].at + 1024, 0xEE, PAGE);
}

static const struct replay_case old_cases[] = {
	{"old", old_nothing, 20, 1, false, "logs applied up to sequence 10 (LOG1: 8 pages)"},
	{"later", old_later, 20, 1, false, "LOG1: 8 pages, and its time is later than the hive's"},
	{"earlier", old_earlier, 9, 0, false, "LOG1: older than the hive"},
	{"tie", old_tie, 20, 1, false, "LOG2: not newer than the other log"},
	{"LOG2 newer", old_second_newer, 21, 1, false, "LOG1: older than the other log"},
	{"before Vista", old_vista_less, 22, 1, false, "(LOG: 8 pages)"},
	{"empty Vista logs", old_zero_and_log, 22, 1, false, "(LOG: 8 pages)"},
	{"cut bitmap", old_cut_map, 9, 0, false, "LOG1: cut inside its bitmap"},
	{"cut pages", old_cut_pages, 9, 0, false, "LOG1: cut inside its pages"},
	{"leftovers", old_more_behind, 20, 1, false, "8 pages"},
	{"no page", old_no_page, 9, 0, false, "LOG1: no page in it"},
	{"one sector", old_one_sector, 9, 1, false, "LOG1: 1 page)"},
	{"no DIRT", old_no_dirt, 9, 0, false, "LOG1: no DIRT at 512"},
	{"broken block", old_broken_block, 20, 1, false, "LOG1: 8 pages"},
	{"broken result", old_broken_result, 9, 0, false, "LOG1: it gives a broken hive"},
};

static void the_cumulative_log_is_applied_by_its_time(void **state)
{
	static struct scene s;
	uint8_t page[PAGE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(old_cases); i++) {
		scene_hive(&s);
		for (unsigned k = 0; k < HIVE_LOGS; k++) {
			write_page(&s, 20 + k, page);
			make_old_log(&s.log[k], 10, MAKE_TIME, PAGE, page);
		}
		old_cases[i].breaks(&s);
		check(&old_cases[i], &s);
		free(s.hive.at);
	}
}

static void a_log_that_cannot_be_opened_is_told(void **state)
{
	static struct scene s;
	struct hive_source from = HIVE_SOURCE_NONE;
	char room[400] = "";
	struct text why = TEXT_ON(room);
	struct hive *h;

	(void)state;
	scene_hive(&s);
	from.fd = make_file(s.hive.at, s.hive.bins + PAGE);
	from.log_error[1] = EACCES;
	assert_int_equal(hive_open(&from, 0, &h, &why), 0);
	assert_true(hive_facts(h)->stale);
	assert_non_null(strstr(hive_said(h), "(LOG2: "));
	assert_non_null(strstr(hive_said(h), err_text(EACCES)));
	hive_close(h);
	hive_source_close(&from);
	free(s.hive.at);
}

static void put_file(const char *dir, const char *name, const void *bytes, size_t n)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void logs_are_found_in_any_case(void **state)
{
	static const char *const names[][3] = {{"SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"},
					       {"system", "SYSTEM.log1", "System.Log2"}};
	static struct scene s;
	char dir[] = "/tmp/test-registry-XXXXXX", path[128], room[400];

	(void)state;
	assert_non_null(mkdtemp(dir));
	scene_start(&s, 10);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct hive_source from;
		struct text why = TEXT_ON(room);
		struct hive *h;

		put_file(dir, names[i][0], s.hive.at, s.hive.bins + PAGE);
		put_file(dir, names[i][1], s.log[0].at, s.log[0].n);
		put_file(dir, names[i][2], s.log[1].at, s.log[1].n);
		snprintf(path, sizeof(path), "%s/%s", dir, names[i][0]);
		assert_int_equal(hive_source_open(path, &from), 0);
		assert_int_equal(hive_open(&from, 0, &h, &why), 0);
		assert_int_equal(value_of(h), 14);
		hive_close(h);
		assert_int_equal(hive_open(&from, HIVE_NO_LOGS, &h, &why), 0);
		assert_int_equal(value_of(h), 9);
		assert_true(hive_facts(h)->stale);
		hive_close(h);
		hive_source_close(&from);
		for (unsigned k = 0; k < 3; k++) {
			snprintf(path, sizeof(path), "%s/%s", dir, names[i][k]);
			unlink(path);
		}
	}
	rmdir(dir);
	free(s.hive.at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_agrees_with_the_published_vectors),
		cmocka_unit_test(the_checksum_has_two_special_cases),
		cmocka_unit_test(a_hive_grows_by_its_log),
		cmocka_unit_test(the_cumulative_log_is_applied_by_its_time),
		cmocka_unit_test(a_log_that_cannot_be_opened_is_told),
		cmocka_unit_test(logs_are_found_in_any_case),
	};

	return cmocka_run_group_tests_name("registry-logs", tests, NULL, NULL);
}
