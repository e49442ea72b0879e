/* SPDX-License-Identifier: MIT */
/*
 * test_registry_exact.c - what is written as .reg text reads back to the same bytes, or is refused
 */
#include "registry_case.h"

#include "registry/reg_text.h"
#include "registry/utf.h"

static struct reg_errors errors;

static int read_text(struct reg_tree *t, const char *text)
{
	assert_int_equal(tree_start(t), 0);
	return reg_text_read(text, strlen(text), t, &errors);
}

/* Every type, odd lengths, strings without or with too many NULs: what is written reads back. */
static void writing_is_exact(void **state)
{
	static const char *const values[] = {
		"S:",
		"S:plain",
		"S:a \\ \"quoted\" ; path",
		"S:line\nbreak",
		"T1:",
		"T1:61",
		"T1:6100",
		"T1:610000",
		"T1:61000000620000",
		"T1:00D80000",
		"T2:2500",
		"X:%A%",
		"M:",
		"M:|",
		"M:a||b",
		"M:a|",
		"T7:6100",
		"T7:61",
		"T7:",
		"T7:0000",
		"T7:00000000",
		"D:0",
		"D:4294967295",
		"T4:",
		"T4:01",
		"T4:0102030405",
		"T5:00000001",
		"B:",
		"B:00",
		"B:0102030405060708090a0b0c0d0e0f",
		"Q:0100000000000000",
		"T11:01",
		"T0:",
		"T0:ff",
		"T6:6100",
		"T8:00",
		"T4294901778:0102",
	};
	struct reg_tree t, back;
	struct reg_buffer b = {0};
	struct reg_key *k, *found;
	char name[32];

	(void)state;
	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(tree_make(&t, "Key [1]\\Sub", 11, &k), 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(name, sizeof(name), "v \"%zu\" \\ =", i);
		case_set(&t, k, i ? name : "", values[i]);
	}
	reg_text_header(&b);
	reg_text_add_tree(&b, t.root);
	assert_int_equal(read_text(&back, b.bytes), 0);
	found = tree_find(&back, "Key [1]\\Sub", 11);
	assert_non_null(found);
	assert_int_equal(found->value_count, k->value_count);
	for (uint32_t i = 0; i < k->value_count; i++) {
		assert_string_equal(found->values[i].name, k->values[i].name);
		assert_int_equal(found->values[i].type, k->values[i].type);
		assert_int_equal(found->values[i].bytes, k->values[i].bytes);
		assert_memory_equal(found->values[i].data, k->values[i].data, k->values[i].bytes);
	}
	free(b.bytes);
	tree_free(&t);
	tree_free(&back);
}

static void same_keys(const struct reg_key *a, const struct reg_key *b, unsigned seed)
{
	if (a->value_count != b->value_count || a->child_count != b->child_count)
		fail_msg("seed %u: %u values and %u keys became %u and %u", seed, a->value_count,
			 a->child_count, b->value_count, b->child_count);
	for (uint32_t i = 0; i < a->value_count; i++) {
		const struct reg_value *x = &a->values[i], *y = &b->values[i];

		if (x->type != y->type || x->bytes != y->bytes || x->name_bytes != y->name_bytes ||
		    memcmp(x->name, y->name, x->name_bytes) != 0 ||
		    memcmp(x->data, y->data, x->bytes) != 0)
			fail_msg("seed %u: value %u \"%s\" of type %u and %u bytes changed", seed,
				 i, x->name, x->type, x->bytes);
	}
	for (uint32_t i = 0; i < a->child_count; i++) {
		assert_int_equal(a->children[i]->name_bytes, b->children[i]->name_bytes);
		assert_memory_equal(a->children[i]->name, b->children[i]->name,
				    a->children[i]->name_bytes);
		same_keys(a->children[i], b->children[i], seed);
	}
}

static uint32_t dice; /* of the property test: xorshift, so that a seed repeats */

static uint32_t roll(uint32_t faces)
{
	dice ^= dice << 13;
	dice ^= dice >> 17;
	dice ^= dice << 5;
	return dice % faces;
}

/* A name of anything that .reg text can carry, the odd first. */
static size_t odd_name(char *to, bool key)
{
	static const char *const parts[] = {"a",
					    "Z",
					    "\"",
					    "]",
					    "[",
					    ";",
					    " ",
					    "\t",
					    "=",
					    "@",
					    "-",
					    "\xC3\xA9",
					    "\xD0\x96",
					    "\x1B",
					    "\x01",
					    "\x7F",
					    ",",
					    "hex:",
					    "\xEF\xBF\xBD",
					    "\xE2\x80\xAE",
					    "\xF0\x9F\x8E\xB5",
					    "%",
					    "0",
					    "\\"};
	size_t n = 0, count = 1 + roll(9);

	for (size_t i = 0; i < count; i++) {
		const char *part = parts[roll(key ? 23 : 24)];

		memcpy(to + n, part, strlen(part));
		n += strlen(part);
	}
	to[n] = '\0';
	return n;
}

static void odd_value(struct reg_tree *t, struct reg_key *k)
{
	static const uint32_t types[] = {0, 1, 1, 1, 2,  3,  4,  5,           6,
					 7, 7, 8, 9, 10, 11, 12, 0xFFFF0012u, 0xFFFFFFFFu};
	uint8_t bytes[40];
	char name[80];
	size_t n = roll(8) ? odd_name(name, false) : 0;
	struct reg_data d = {.type = types[roll(18)], .bytes = bytes, .n = roll(41)};
	unsigned kind = roll(4);

	for (size_t i = 0; i < d.n; i++) /* bytes, text, text with NULs, text with surrogates */
		bytes[i] = kind == 0   ? (uint8_t)roll(256)
			   : i % 2     ? (uint8_t)(kind == 3 && !roll(8) ? 0xD8 + roll(8) : 0)
			   : kind == 2 ? (uint8_t)(roll(3) ? 'a' + roll(26) : 0)
				       : (uint8_t)(roll(9) ? 0x20 + roll(95) : roll(0x20));
	if (d.n >= 2 && roll(3))
		bytes[d.n - 1] = bytes[d.n - 2] = 0;
	assert_int_equal(tree_set(t, k, name, n, &d), 0);
}

static void odd_tree(struct reg_tree *t, unsigned seed)
{
	struct reg_key *k;

	dice = seed * 2654435761u + 1;
	assert_int_equal(tree_start(t), 0);
	k = t->root;
	for (unsigned i = 0, keys = roll(6); i <= keys; i++) {
		char name[80];
		size_t n = odd_name(name, true);

		for (unsigned v = roll(5); v > 0; v--)
			odd_value(t, k);
		if (!reg_key_name_fault(name, n))
			assert_int_equal(tree_add_key(t, roll(2) ? t->root : k, name, n, &k), 0);
	}
}

static void whatever_is_exported_imports_to_the_same_bytes(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 4000; seed++) {
		struct reg_tree t, back;
		struct reg_buffer b = {.readable = seed & 2};

		odd_tree(&t, seed);
		reg_text_header(&b);
		reg_text_add_tree(&b, t.root);
		assert_int_equal(b.faults, 0);
		if (seed & 1)
			reg_buffer_to_utf16(&b);
		assert_false(b.failed);
		assert_int_equal(tree_start(&back), 0);
		if (reg_text_read(b.bytes, b.len, &back, &errors) < 0)
			fail_msg("seed %u: %u:%u: %s", seed, errors.at[0].line, errors.at[0].column,
				 errors.at[0].text);
		same_keys(t.root, back.root, seed);
		free(b.bytes);
		tree_free(&t);
		tree_free(&back);
	}
}

/* What no line can carry is left out, counted and named; the rest is there. */
static void what_cannot_be_said_is_named(void **state)
{
	static const struct {
		const char *name;
		size_t n;
		bool key;
		const char *says;
	} cases[] = {
		{"a\0b", 3, true, "a\\x00b: a NUL in its name"},
		{"a\nb", 3, true, "a\\x0ab: a line break in its name"},
		{"a\rb", 3, true, "a line break in its name"},
		{"a\\b", 3, true, "a backslash in its name"},
		{"", 0, true, "its name is empty"},
		{"a] ;b", 5, true, "a ] and a ; in its name"},
		{"\xED\xA0\x80", 3, true, "no sound UTF-16"},
		{"a\0b", 3, false, "value \"a\\x00b\": a NUL in its name"},
		{"a\nb", 3, false, "a line break in its name"},
		{"\xED\xA0\x80", 3, false, "no sound UTF-16"},
	};
	static const struct reg_data d = {.type = REG_DWORD, .bytes = "abcd", .n = 4};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reg_tree t, back;
		struct reg_buffer b = {0};
		struct reg_key *k;

		assert_int_equal(tree_start(&t), 0);
		if (cases[i].key)
			assert_int_equal(tree_add_key(&t, t.root, cases[i].name, cases[i].n, &k),
					 0);
		else
			assert_int_equal(tree_set(&t, t.root, cases[i].name, cases[i].n, &d), 0);
		assert_int_equal(tree_set(&t, t.root, "good", 4, &d), 0);
		reg_text_header(&b);
		reg_text_add_tree(&b, t.root);
		assert_int_equal(b.faults, 1);
		if (!strstr(b.fault, cases[i].says))
			fail_msg("case %zu: %s", i, b.fault);
		assert_int_equal(read_text(&back, b.bytes), 0);
		assert_int_equal(back.keys, 1);
		assert_int_equal(back.values, 1);
		free(b.bytes);
		tree_free(&t);
		tree_free(&back);
	}
}

static void two_values_of_one_name_are_named(void **state)
{
	static const struct reg_data d = {.type = REG_DWORD, .bytes = "abcd", .n = 4};
	struct reg_buffer b = {0};
	struct reg_tree t;

	(void)state;
	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(tree_append(&t, t.root, "v", 1, &d), 0);
	assert_int_equal(tree_append(&t, t.root, "V", 1, &d), 0);
	reg_text_add_tree(&b, t.root);
	assert_int_equal(b.faults, 1);
	assert_non_null(strstr(b.fault, "another value of that name"));
	free(b.bytes);
	tree_free(&t);
}

/* A key of many values stays quick to ask, and takes no memory, while values go and come. */
static void values_that_go_and_come_cost_no_memory(void **state)
{
	static const struct reg_data d = {.type = REG_DWORD, .bytes = "abcd", .n = 4};
	struct reg_tree t;
	size_t used;
	char name[24];

	(void)state;
	assert_int_equal(tree_start(&t), 0);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "value%u", i);
		assert_int_equal(tree_append(&t, t.root, name, strlen(name), &d), 0);
	}
	used = t.arena.used_bytes;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "VALUE%u", i * 7);
		assert_true(tree_drop_value(&t, t.root, name, strlen(name)));
		assert_null(key_get(t.root, name));
		assert_int_equal(tree_set(&t, t.root, name, strlen(name), &d), 0);
	}
	assert_true(t.arena.used_bytes < used + (1u << 20));
	for (uint32_t i = 0; i < t.root->value_count; i++)
		assert_ptr_equal(key_get(t.root, t.root->values[i].name), &t.root->values[i]);
	tree_free(&t);
}

/* Down to a few and up again, two of one name among them: names lead where a walk would. */
static void what_is_left_is_found(void **state)
{
	struct reg_data d = {.type = REG_BINARY, .n = 1};
	struct reg_tree t;
	char name[24];

	(void)state;
	assert_int_equal(tree_start(&t), 0);
	for (unsigned i = 0; i < 600; i++) {
		snprintf(name, sizeof(name), i % 2 ? "V%u" : "v%u", i / 2);
		d.bytes = i % 2 ? "2" : "1";
		assert_int_equal(tree_append(&t, t.root, name, strlen(name), &d), 0);
	}
	for (unsigned i = 0; i < 297; i++) {
		snprintf(name, sizeof(name), "v%u", i);
		assert_int_equal(key_get(t.root, name)->data[0], '1');
		assert_true(tree_drop_value(&t, t.root, name, strlen(name)));
		assert_int_equal(key_get(t.root, name)->data[0], '2');
		assert_true(tree_drop_value(&t, t.root, name, strlen(name)));
		assert_null(key_get(t.root, name));
	}
	assert_int_equal(t.root->value_count, 6);
	d.bytes = "3";
	assert_int_equal(tree_set(&t, t.root, "new", 3, &d), 0);
	assert_int_equal(key_get(t.root, "NEW")->data[0], '3');
	assert_int_equal(key_get(t.root, "v299")->data[0], '1');
	tree_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writing_is_exact),
		cmocka_unit_test(whatever_is_exported_imports_to_the_same_bytes),
		cmocka_unit_test(what_cannot_be_said_is_named),
		cmocka_unit_test(two_values_of_one_name_are_named),
		cmocka_unit_test(values_that_go_and_come_cost_no_memory),
		cmocka_unit_test(what_is_left_is_found),
	};

	return cmocka_run_group_tests_name("registry-exact", tests, NULL, NULL);
}
