/* SPDX-License-Identifier: MIT */
/*
 * test_registry_broken.c - hives that are broken, cut short or hostile
 *
 * What is broken has to be told, the rest of the hive has to come all the same, and neither time
 * nor memory may run away.
 */
#include "regf_load.h"

#include <errno.h>

#include "base/bytes.h"

static void broken_values_are_told_and_the_rest_comes(void **state)
{
	static const struct {
		const char *says;
		size_t at; /* in the value's record */
		uint32_t word;
		uint32_t bytes; /* that come; UINT32_MAX: no value comes */
	} cases[] = {
		{"a value's data: nothing is where it should be", 8, 0x100000, UINT32_MAX},
		{"a value's data: nothing is where it should be", 8, 4, UINT32_MAX},
		{"a value's data: damaged", 4, 0x80000005, UINT32_MAX},
		{"a part of a value's data: damaged", 4, 1000, 12}, /* what its cell holds */
		{"a part of a value's data: damaged", 4, 0x7FFFFFFF, 12},
		{"a value: damaged", 0, 0xFFFF6B76, UINT32_MAX}, /* the name's length */
		{"a value: damaged", 0, 0, UINT32_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct make m = make_start(BINS);
		uint32_t root = make_key(&m, "ROOT"), list[2];
		struct reg_value *v;
		struct loaded l;

		list[0] = make_value(&m, "bad", REG_BINARY, "0123456789", 10);
		list[1] = make_value(&m, "good", REG_BINARY, "0123456789", 10);
		make_values(&m, root, list, 2);
		regf_put32(make_at(&m, list[0]), cases[i].at, cases[i].word);
		l = load(&m);
		told(&l, 1, cases[i].says);
		v = key_get(l.t.root, "bad");
		assert_int_equal(v ? v->bytes : UINT32_MAX, cases[i].bytes);
		assert_int_equal(key_get(l.t.root, "good")->bytes, 10);
		done(&l);
	}
}

static void broken_big_data_is_told(void **state)
{
	static uint8_t data[50000];

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct make m = make_start(BINS);
		uint32_t root = make_key(&m, "ROOT");
		uint32_t v = pieces(&m, data, 50000, i == 3 ? 16000 : 16344);
		uint32_t db = regf_u32(make_at(&m, v), 8), list = regf_u32(make_at(&m, db), 4);
		struct loaded l;

		make_values(&m, root, &v, 1);
		if (i == 0) /* more pieces than its list holds */
			make_put16(make_at(&m, db), 2, 60000);
		if (i == 1) /* a piece that is not there */
			regf_put32(make_at(&m, list), 8, 0x44);
		if (i == 2) /* no list */
			regf_put32(make_at(&m, db), 4, UINT32_MAX);
		l = load(&m);
		told(&l, 1, i == 2 ? "a value's data" : "a part of a value's data");
		done(&l);
	}
}

static void lists_that_loop_end(void **state)
{
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), keys[3];
	struct loaded l;

	(void)state;
	keys[0] = make_key(&m, "a");
	keys[1] = root;
	keys[2] = make_key(&m, "b");
	subkey(&m, root, keys, 3);
	make_subkeys(&m, keys[0], make_list(&m, "lf", keys, 3), 3); /* itself, root, b */
	l = load(&m);
	told(&l, 4, "a: a subkey that stands elsewhere too: it counts where it was met first");
	assert_int_equal(l.t.keys, 3); /* each where it was met first: root, a, a\b */
	done(&l);
}

static void broken_lists_are_told(void **state)
{
	static const struct {
		const char *says;
		uint32_t list, count; /* 0 = as they were */
		const char *sign;
		uint32_t keys; /* that come, the root included */
	} cases[] = {
		{"(root): the list of subkeys: nothing", 0x99, 0, NULL, 1},
		{"(root): the list of subkeys: nothing", UINT32_MAX, 0, NULL, 1},
		{"(root): the list of subkeys: damaged", 0x20, 0, NULL, 1},
		{"(root): the list of subkeys: damaged", 0, 5, NULL, 3},
		{"(root): the list of subkeys: damaged", 0, 0, "xx", 1},
		{"(root): the list of subkeys: damaged", 0, 0, "ri", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct make m = make_start(BINS);
		uint32_t root = make_key(&m, "ROOT"), keys[2], list;
		struct loaded l;

		keys[0] = make_key(&m, "a");
		keys[1] = make_key(&m, "b");
		list = make_list(&m, "lh", keys, 2);
		make_subkeys(&m, root, cases[i].list ? cases[i].list : list,
			     cases[i].count ? cases[i].count : 2);
		if (cases[i].sign)
			memcpy(make_at(&m, list), cases[i].sign, 2);
		l = load(&m);
		told(&l, 1, cases[i].says);
		assert_int_equal(l.t.keys, cases[i].keys);
		done(&l);
	}
}

static void a_short_value_list_gives_what_it_holds(void **state)
{
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), v[3];
	struct loaded l;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		v[i] = make_value(&m, i == 0 ? "a" : i == 1 ? "b" : "c", REG_SZ, "", 0);
	make_values(&m, root, v, 3);
	regf_put32(make_at(&m, root), 36, 1000000);
	l = load(&m);
	told(&l, 1, "(root): the list of values: damaged");
	assert_int_equal(l.t.values, 3);
	done(&l);
}

/* Two thousand keys that share one list of 65,000 leaves, which are one empty leaf. */
static void shared_lists_use_up_the_work(void **state)
{
	static uint32_t many[65000], keys[2000];
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), leaf = make_list(&m, "li", NULL, 0), list;
	struct loaded l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = leaf;
	list = make_list(&m, "ri", many, ARRAY_SIZE(many));
	for (uint32_t i = 0; i < ARRAY_SIZE(keys); i++) {
		char name[16];

		snprintf(name, sizeof(name), "k%u", i);
		keys[i] = make_key(&m, name);
		make_subkeys(&m, keys[i], list, 1);
	}
	subkey(&m, root, keys, ARRAY_SIZE(keys));
	l = load(&m);
	assert_int_equal(l.r, -E2BIG);
	done(&l);
}

/* One key that says it has four billion, through 65,000 leaves that are one. */
static void one_list_has_its_limit(void **state)
{
	static uint32_t many[65000];
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), key = make_key(&m, "k"), leaf;
	struct loaded l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = key;
	leaf = make_list(&m, "li", many, ARRAY_SIZE(many));
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = leaf;
	make_subkeys(&m, root, make_list(&m, "ri", many, ARRAY_SIZE(many)), UINT32_MAX);
	l = load(&m);
	assert_int_equal(l.r, -E2BIG);
	done(&l);
}

/* A large file is read when it is asked for, and may have become another one by then. */
static void a_file_that_changes_behind_us_is_told(void **state)
{
	static const uint8_t data[1000] = {1};
	static const uint32_t sizes[] = {0x80000008, 0xFFFFFFFF, 0, 8, 0xFFE00000};

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(sizes); i++) {
		struct make m = make_start(BINS);
		uint32_t root = make_key(&m, "ROOT"), v, late;
		struct hive_source from = HIVE_SOURCE_NONE;
		char room[256] = "";
		struct text why = TEXT_ON(room);
		struct reg_tree t;
		struct hive *h;

		late = m.next;
		(void)make_cell(&m, 3u << 20);
		v = make_value(&m, "v", REG_BINARY, data, sizeof(data));
		make_values(&m, root, &v, 1);
		make_end(&m);
		from.fd = make_file(m.at, m.bins + 4096);
		assert_int_equal(hive_open(&from, 0, &h, &why), 0);
		if (i < ARRAY_SIZE(sizes)) {
			regf_put32(m.at, 4096 + v, sizes[i]);
			assert_int_equal(sys_pwrite(from.fd, m.at, m.bins + 4096, 0),
					 m.bins + 4096);
		} else {
			assert_int_equal(sys_truncate(from.fd, 1 << 20), 0);
		}
		assert_true(late < v);
		hive_source_close(&from);
		assert_int_equal(tree_start(&t), 0);
		assert_int_equal(hive_load(h, "", HIVE_ALL, &t), 0);
		assert_int_equal(hive_damage(h, NULL), 1);
		tree_free(&t);
		hive_close(h);
		free(m.at);
	}
}

static void a_chain_deeper_than_windows_allows_is_cut_and_told(void **state)
{
	struct make m = make_start(BINS);
	uint32_t above = make_key(&m, "ROOT");
	struct loaded l;
	const char *first;

	(void)state;
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t key = make_key(&m, "k");

		subkey(&m, above, &key, 1);
		above = key;
	}
	l = load(&m);
	assert_int_equal(l.r, 0);
	assert_int_equal(hive_damage(l.h, &first), 1);
	assert_non_null(strstr(first, "k\\...\\k: what lies below: keys lie at most 512 levels"));
	assert_true(l.t.keys >= 512 && l.t.keys <= 514);
	done(&l);
}

static void a_hive_cut_short_is_read_as_far_as_it_goes(void **state)
{
	struct make m = make_start(1 << 20);
	uint32_t root = make_key(&m, "ROOT"), keys[2];
	struct loaded l;

	(void)state;
	keys[0] = make_key(&m, "here");
	m.next = 0x8000;
	regf_put32(m.at, 4096 + keys[0] + 88, 0x8000 - keys[0] - 88); /* free up to there */
	keys[1] = make_key(&m, "gone");
	m.next = keys[0] + 88;
	uint32_t list = 0x8100;

	m.next = 0x8000 + 88;
	regf_put32(m.at, 4096 + m.next, list - m.next);
	m.next = list;
	(void)make_list(&m, "lh", keys, 2);
	make_end(&m);
	/* the list must survive: it stands early */
	m.bins = 1 << 20;
	make_subkeys(&m, root, list, 2);
	make_sum(m.at);
	struct make cut = {.at = malloc(4096 + 0x8080), .bins = 0x8080, .next = 0x8080};

	memcpy(cut.at, m.at, 4096 + 0x8080);
	free(m.at);
	l = load(&cut);
	assert_int_equal(l.r, 0);
	assert_non_null(strstr(hive_said(l.h),
			       "degraded: truncated: the header says 1052672 bytes, "
			       "the file has 36992; 1 part cannot be read: (root)"));
	assert_true(hive_facts(l.h)->degraded);
	assert_false(hive_facts(l.h)->dirty);
	done(&l);
}

static void what_is_broken_is_salvaged_only_when_asked(void **state)
{
	static const struct {
		size_t at;
		uint32_t word;
		bool sum;
		const char *refused, *salvaged;
	} cases[] = {
		{508, 0x12345678, false, "base block checksum at 508 is 0x12345678",
		 "degraded: base block checksum at 508 is 0x12345678"},
		{40, 0x2001, true, "bins size at 40", "degraded: bins size at 40"},
		{4096 + 0x1000, 0, false,
		 "a bin or a chain of cells is broken: no bin at 0x00002000",
		 "degraded: 1 broken places among the bins stepped over"},
		{4096 + 0x1020, 3, false, "a cell of a wrong size at 0x00002020",
		 "degraded: 1 broken places among the bins stepped over"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned salvage = 0; salvage < 2; salvage++) {
			struct make m = make_start(0x3000);
			uint32_t root = make_key(&m, "ROOT"), key = make_key(&m, "key");
			struct loaded l;
			uint8_t *second = m.at + 4096 + 0x1000;

			subkey(&m, root, &key, 1);
			regf_put32(m.at, 4096 + m.next, 0x1000 - m.next);
			regf_put32(m.at, 4096 + 8, 0x1000);
			for (unsigned k = 1; k < 3; k++, second += 0x1000) {
				memcpy(second, "hbin", 4);
				regf_put32(second, 4, k * 0x1000);
				regf_put32(second, 8, 0x1000);
				regf_put32(second, 0x20, 0x1000 - 0x20);
			}
			m.next = m.bins;
			regf_put32(m.at, cases[i].at, cases[i].word);
			struct text why = TEXT_ON(l.why);

			if (cases[i].sum)
				make_sum(m.at);
			l.r = case_open(&m, NULL, salvage ? HIVE_SALVAGE : 0, &l.h, &why);
			if (!salvage && (l.r >= 0 || !strstr(l.why, cases[i].refused)))
				fail_msg("%zu: %s", i, l.why);
			if (salvage && (l.r < 0 || !strstr(hive_said(l.h), cases[i].salvaged)))
				fail_msg("%zu: %s", i, l.h ? hive_said(l.h) : l.why);
			assert_int_equal(tree_start(&l.t), 0);
			if (salvage) {
				assert_int_equal(hive_load(l.h, "", HIVE_ALL, &l.t), 0);
				assert_int_equal(l.t.keys, 2);
				assert_true(hive_degraded(l.h));
			}
			done(&l);
			free(m.at);
		}
}

/* Of two keys that differ in case alone, or not at all, one would hide in the other. */
static void two_subkeys_of_one_name_are_told_and_the_first_counts(void **state)
{
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), keys[3], value[3], below;
	struct loaded l;

	(void)state;
	keys[0] = make_key(&m, "Foo");
	keys[1] = make_key(&m, "other");
	keys[2] = make_key(&m, "fOO");
	for (unsigned i = 0; i < 3; i++) {
		value[i] = make_value(&m, i == 2 ? "second" : "first", REG_SZ, "", 0);
		make_values(&m, keys[i], &value[i], 1);
	}
	below = make_key(&m, "below");
	subkey(&m, keys[2], &below, 1);
	subkey(&m, root, keys, 3);
	l = load(&m);
	told(&l, 1, "Foo: two subkeys of one name: the first one counts");
	assert_int_equal(l.t.keys, 3);
	assert_non_null(key_get(key_child(l.t.root, "foo", 3), "first"));
	assert_null(key_get(key_child(l.t.root, "foo", 3), "second"));
	tree_free(&l.t); /* one key by its path, as a boot asks */
	assert_int_equal(tree_start(&l.t), 0);
	assert_int_equal(hive_load(l.h, "FOO", 0, &l.t), 0);
	assert_int_equal(hive_damage(l.h, NULL), 2);
	assert_non_null(key_get(key_child(l.t.root, "foo", 3), "first"));
	assert_int_equal(hive_load(l.h, "other", 0, &l.t), 0);
	assert_int_equal(hive_load(l.h, "", 0, &l.t), 0); /* again, and that is no second */
	assert_int_equal(hive_damage(l.h, NULL), 3);
	done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(broken_values_are_told_and_the_rest_comes),
		cmocka_unit_test(broken_big_data_is_told),
		cmocka_unit_test(lists_that_loop_end),
		cmocka_unit_test(broken_lists_are_told),
		cmocka_unit_test(a_short_value_list_gives_what_it_holds),
		cmocka_unit_test(shared_lists_use_up_the_work),
		cmocka_unit_test(one_list_has_its_limit),
		cmocka_unit_test(a_file_that_changes_behind_us_is_told),
		cmocka_unit_test(a_chain_deeper_than_windows_allows_is_cut_and_told),
		cmocka_unit_test(a_hive_cut_short_is_read_as_far_as_it_goes),
		cmocka_unit_test(what_is_broken_is_salvaged_only_when_asked),
		cmocka_unit_test(two_subkeys_of_one_name_are_told_and_the_first_counts),
	};

	return cmocka_run_group_tests_name("registry-broken", tests, NULL, NULL);
}
