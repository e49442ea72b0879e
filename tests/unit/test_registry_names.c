/* SPDX-License-Identifier: MIT */
/*
 * test_registry_names.c - names in a table: found in any case, and not to be piled up by an enemy
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registry/tree.h"
#include "registry/utf.h"

#define NAMES 20000u
#define SLOTS 65536u

static uint32_t slot_of(unsigned i, uint64_t seed)
{
	char name[16];
	int n = snprintf(name, sizeof(name), "name %u", i);

	return utf8_hash_fold(name, (size_t)n, seed) % SLOTS;
}

/* Whoever knows one seed can choose names that meet; they must not meet under another one. */
static void test_collisions_do_not_outlive_the_seed(void **state)
{
	static unsigned first[SLOTS];
	unsigned met = 0, again = 0;

	(void)state;
	for (unsigned i = 1; i <= NAMES; i++) {
		uint32_t slot = slot_of(i, 1);

		if (first[slot]) {
			met++;
			again += slot_of(i, 2) == slot_of(first[slot], 2);
		} else {
			first[slot] = i;
		}
	}
	assert_true(met > 1000);
	assert_true(again <= 3);
}

static void test_names_of_any_case_hash_alike(void **state)
{
	static const char *const pairs[][2] = {{"BootExecute", "BOOTexecute"},
					       {"\xC3\xA9t\xC3\xA9", "\xC3\x89T\xC3\x89"},
					       {"", ""},
					       {"a]b;c", "A]B;C"}};

	(void)state;
	for (uint64_t seed = 1; seed < 1u << 20; seed *= 3)
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(utf8_hash_fold(pairs[i][0], strlen(pairs[i][0]), seed),
					 utf8_hash_fold(pairs[i][1], strlen(pairs[i][1]), seed));
}

static void test_a_key_of_many_values_finds_each_in_any_case(void **state)
{
	struct reg_tree t;
	char name[16];

	(void)state;
	assert_int_equal(tree_start(&t), 0);
	for (uint32_t i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "name %u", i);
		assert_int_equal(tree_set_dword(&t, t.root, name, i), 0);
	}
	for (uint32_t i = 0; i < NAMES; i++) {
		uint32_t number;

		snprintf(name, sizeof(name), "NaMe %u", i);
		assert_true(value_dword(key_get(t.root, name), &number));
		assert_int_equal(number, i);
	}
	assert_null(key_get(t.root, "name 20000"));
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_collisions_do_not_outlive_the_seed),
		cmocka_unit_test(test_names_of_any_case_hash_alike),
		cmocka_unit_test(test_a_key_of_many_values_finds_each_in_any_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
