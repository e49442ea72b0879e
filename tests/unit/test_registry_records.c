/* SPDX-License-Identifier: MIT */
/*
 * test_registry_records.c - keys, lists, names and data as real hives have them
 *
 * libhivex writes none of this; the hives are made here. What is right has to come exactly.
 */
#include "regf_load.h"

#include <errno.h>

#include "base/bytes.h"

static void names_of_both_kinds_come_exactly(void **state)
{
	static const struct {
		const char *disk;
		uint32_t n;
		bool wide;
		const char *name;
		size_t name_n;
	} cases[] = {
		{"plain", 5, false, "plain", 5},
		{"\xE9t\xE9 \xFF", 5, false, "\xC3\xA9t\xC3\xA9 \xC3\xBF", 8},
		{"a\0b", 3, false, "a\0b", 3},
		{"a/b\r\n", 5, false, "a/b\r\n", 5},
		{"\x16\x04\x00\x00\x3D\xD8\x00\xDE", 8, true, "\xD0\x96\x00\xF0\x9F\x98\x80", 7},
		{"", 0, false, "", 0},
	};
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), keys[ARRAY_SIZE(cases)];
	struct loaded l;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		keys[i] = make_key_of(&m, cases[i].disk, cases[i].n, cases[i].wide);
	subkey(&m, root, keys, ARRAY_SIZE(cases));
	l = load(&m);
	clean(&l);
	assert_int_equal(l.t.root->child_count, ARRAY_SIZE(cases));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(l.t.root->children[i]->name_bytes, cases[i].name_n);
		assert_memory_equal(l.t.root->children[i]->name, cases[i].name, cases[i].name_n);
	}
	assert_int_equal(hive_load(l.h, "PLAIN", 0, &l.t), 0);
	assert_int_equal(hive_load(l.h, "\xC3\x89T\xC3\x89 \xC3\xBF", 0, &l.t), 0);
	assert_int_equal(hive_load(l.h, "\xD0\xB6", 0, &l.t), -ENOENT);
	done(&l);
}

static void an_unpaired_surrogate_hides_only_itself(void **state)
{
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), keys[3], value[2];
	struct loaded l;

	(void)state;
	keys[0] = make_key(&m, "before");
	keys[1] = make_key_of(&m, "a\0\x00\xD8", 4, true);
	keys[2] = make_key(&m, "behind");
	subkey(&m, root, keys, 3);
	value[0] = make_value(&m, "xy\x00\xDC", 1, "", 0);
	make_put16(make_at(&m, value[0]), 2, 4);
	memcpy(make_at(&m, value[0]) + 20, "a\0\x00\xDC", 4);
	make_put16(make_at(&m, value[0]), 16, 0);
	value[1] = make_value(&m, "v", 1, "", 0);
	make_values(&m, root, value, 2);
	l = load(&m);
	told(&l, 2, "(root): a value's name: no valid UTF-16");
	assert_int_equal(l.t.root->child_count, 2);
	assert_int_equal(l.t.root->value_count, 1);
	assert_int_equal(hive_load(l.h, "behind", 0, &l.t), 0);
	/* the missing key may have been the one that is asked for: that is told */
	assert_int_equal(hive_load(l.h, "absent", 0, &l.t), -ENOENT);
	assert_int_equal(hive_damage(l.h, NULL), 3);
	done(&l);
}

static void all_kinds_of_lists_are_read(void **state)
{
	static const char *const names[] = {"Zeta", "alpha", "Mid", "beta", "x", "y"};
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), keys[6], leaf[3];
	struct loaded l;

	(void)state;
	for (unsigned i = 0; i < 6; i++) /* in no order: a reader must not bisect */
		keys[i] = make_key(&m, names[i]);
	leaf[0] = make_list(&m, "li", keys, 2);
	leaf[1] = make_list(&m, "lf", keys + 2, 1);
	leaf[2] = make_list(&m, "lh", keys + 3, 3);
	make_subkeys(&m, root, make_list(&m, "ri", leaf, 3), 6);
	l = load(&m);
	clean(&l);
	for (unsigned i = 0; i < 6; i++)
		assert_string_equal(l.t.root->children[i]->name, names[i]);
	assert_int_equal(hive_load(l.h, "BETA", 0, &l.t), 0);
	done(&l);
}

static void volatile_counts_and_handles_mean_nothing(void **state)
{
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), key = make_key(&m, "key");
	struct loaded l;
	const char *first;

	(void)state;
	subkey(&m, root, &key, 1);
	regf_put32(make_at(&m, key), 24, 77);         /* volatile subkeys */
	regf_put32(make_at(&m, key), 32, 0x80001234); /* and where they were */
	regf_put32(make_at(&m, key), 16, 0x12345678); /* parent */
	make_put16(make_at(&m, key), 2, 0x60);        /* predefined handle */
	regf_put32(make_at(&m, key), 36, 0x80000002);
	l = load(&m);
	clean(&l);
	assert_int_equal(l.t.keys, 2);
	assert_int_equal(hive_hidden(l.h, &first), 0);
	done(&l);
}

static void big_data_comes_whole(void **state)
{
	static const uint32_t sizes[] = {16345, 16348, 2 * 16344, 2 * 16344 + 1, 100000, 1000000};
	static uint8_t data[1000000];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct make m = make_start(BINS);
		uint32_t root = make_key(&m, "ROOT"), v = pieces(&m, data, sizes[i], 16344);
		struct loaded l;

		make_values(&m, root, &v, 1);
		l = load(&m);
		clean(&l);
		assert_int_equal(key_get(l.t.root, "big")->bytes, sizes[i]);
		assert_memory_equal(key_get(l.t.root, "big")->data, data, sizes[i]);
		done(&l);
	}
}

static void empty_data_needs_no_cell(void **state)
{
	static const uint32_t sizes[] = {0, 0x80000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct make m = make_start(BINS);
		uint32_t root = make_key(&m, "ROOT"), v = make_value(&m, "", REG_SZ, "", 0);
		struct loaded l;

		make_values(&m, root, &v, 1);
		regf_put32(make_at(&m, v), 4, sizes[i]);
		regf_put32(make_at(&m, v), 8, UINT32_MAX);
		l = load(&m);
		clean(&l);
		assert_int_equal(key_get(l.t.root, "")->bytes, 0);
		done(&l);
	}
}

/* Of a large file only what is asked for is read; all of it comes all the same. */
static void a_large_hive_comes_whole(void **state)
{
	static uint32_t keys[20000];
	struct make m = make_start(16u << 20);
	uint32_t root = make_key(&m, "ROOT"), set = make_key(&m, "set"), v;
	uint8_t data[600], digest[SHA256_BYTES];
	char name[16];
	struct loaded l;

	(void)state;
	subkey(&m, root, &set, 1);
	for (uint32_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(name, sizeof(name), "k%u", i);
		keys[i] = make_key(&m, name);
		memset(data, (int)i, sizeof(data));
		v = make_value(&m, "v", REG_BINARY, data, sizeof(data));
		make_values(&m, keys[i], &v, 1);
	}
	subkey(&m, set, keys, ARRAY_SIZE(keys));
	make_end(&m);
	sha256_of(m.at, m.bins + 4096, digest);
	l = load(&m);
	clean(&l);
	assert_int_equal(l.t.keys, ARRAY_SIZE(keys) + 2);
	for (uint32_t i = 0; i < ARRAY_SIZE(keys); i += 777) {
		const struct reg_key *k = l.t.root->children[0]->children[i];

		memset(data, (int)i, sizeof(data));
		assert_memory_equal(k->values[0].data, data, sizeof(data));
	}
	assert_memory_equal(hive_sha256(l.h), digest, SHA256_BYTES);
	done(&l);
}

/* Nothing is damaged, and still: what lies there is not what is shown. */
static void what_a_key_hides_is_a_remark(void **state)
{
	struct make m = make_start(BINS);
	uint32_t root = make_key(&m, "ROOT"), keys[2], below, value;
	struct loaded l;
	const char *first;

	(void)state;
	keys[0] = make_key(&m, "handle");
	keys[1] = make_key(&m, "none");
	subkey(&m, root, keys, 2);
	value = make_value(&m, "v", REG_SZ, "", 0);
	make_values(&m, keys[0], &value, 1);
	make_put16(make_at(&m, keys[0]), 2, 0x60);
	below = make_key(&m, "below");
	subkey(&m, keys[1], &below, 1);
	regf_put32(make_at(&m, keys[1]), 20, 0);
	l = load(&m);
	clean(&l);
	assert_int_equal(l.t.keys, 3);
	assert_int_equal(l.t.values, 0);
	assert_int_equal(hive_hidden(l.h, &first), 2);
	assert_non_null(strstr(first, "handle: a list of values that its flag 0x40"));
	done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_both_kinds_come_exactly),
		cmocka_unit_test(an_unpaired_surrogate_hides_only_itself),
		cmocka_unit_test(all_kinds_of_lists_are_read),
		cmocka_unit_test(volatile_counts_and_handles_mean_nothing),
		cmocka_unit_test(big_data_comes_whole),
		cmocka_unit_test(empty_data_needs_no_cell),
		cmocka_unit_test(a_large_hive_comes_whole),
		cmocka_unit_test(what_a_key_hides_is_a_remark),
	};

	return cmocka_run_group_tests_name("registry-records", tests, NULL, NULL);
}
