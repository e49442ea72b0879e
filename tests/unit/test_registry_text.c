/* SPDX-License-Identifier: MIT */
/*
 * test_registry_text.c - .reg files: what is read, where errors are named, that writing is exact
 */
#include "registry_case.h"

#include <errno.h>

#include "registry/reg_text.h"
#include "registry/utf.h"

#define HEAD "Windows Registry Editor Version 5.00\r\n\r\n"
#define KEY  "[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\n"

static struct reg_errors errors;

static int read_text(struct reg_tree *t, const char *text)
{
	assert_int_equal(tree_start(t), 0);
	return reg_text_read(text, strlen(text), t, &errors);
}

static void errors_name_line_column_and_what_to_do(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
		const char *says;
	} cases[] = {
		{"", 1, 1, "the first line must be"},
		{"[HKLM\\SYSTEM]\n", 1, 1, "the first line must be"},
		{"REGEDIT4\n", 1, 1, "export it again as version 5"},
		{HEAD "\"a\"=\"b\"\n", 3, 1, "before the first [key]"},
		{HEAD "[HKLM\\SYSTEM\\A\n", 3, 2, "no closing ]"},
		{HEAD "[HKEY_CURRENT_USER\\A]\n", 3, 2,
		 "only keys below HKEY_LOCAL_MACHINE\\SYSTEM"},
		{HEAD "[HKLM\\SYSTEMS\\A]\n", 3, 2, "only keys below"},
		{HEAD "[HKLM\\SYSTEM\\A\\\\B]\n", 3, 16, "an empty key name"},
		{HEAD "[HKLM\\SYSTEM\\CurrentControlSet\\X]\n", 3, 14, "no Select\\Current"},
		{HEAD KEY "nonsense\n", 4, 1, "expected [key]"},
		{HEAD KEY "\"a=1\n", 4, 1, "no closing quote"},
		{HEAD KEY "\"a\"=\"b\n", 4, 5, "no closing quote"},
		{HEAD KEY "\"a\"=\"b\\n\"\n", 4, 7, "a backslash is written \\\\"},
		{HEAD KEY "\"a\" \"b\"\n", 4, 5, "expected ="},
		{HEAD KEY "\"a\"=b\n", 4, 5, "expected \"string\", dword:"},
		{HEAD KEY "\"a\"=\"b\" c\n", 4, 9, "unexpected text after the string"},
		{HEAD KEY "\"a\"=dword:123456789\n", 4, 11, "1 to 8 hexadecimal digits"},
		{HEAD KEY "\"a\"=dword:xyz\n", 4, 11, "1 to 8 hexadecimal digits"},
		{HEAD KEY "\"a\"=dword:1 2\n", 4, 13, "unexpected text after the number"},
		{HEAD KEY "\"a\"=hex:0g\n", 4, 9, "two hexadecimal digits"},
		{HEAD KEY "\"a\"=hex:00,\\\n  1\n", 5, 3, "two hexadecimal digits"},
		{HEAD KEY "\"a\"=hex:00\\\n  01\n", 4, 11, "a comma is missing"},
		{HEAD KEY "\"a\"=hex:00,\\ 01\n", 4, 12, "the last thing on its line"},
		{HEAD KEY "\"a\"=hex(7):61,00,\\\n", 4, 18, "the file ends"},
		{HEAD KEY "\"a\"=hex(7):61,00,\\", 4, 18, "the file ends"},
		{HEAD KEY "\"a\"=hex:\\\r\n  \r\n\n", 4, 9, "the file ends"},
		{HEAD KEY "\"a\"=hex(7):61,00,\n", 4, 17, "the file ends behind a comma"},
		{HEAD KEY "\"a\"=hex(7:00\n", 4, 8, "expected a type"},
		{HEAD KEY "\"a\"=hex:00,\\\n\n\"b\"=\"c\"\n", 5, 1, "an empty line within hex"},
		{HEAD KEY "\"a\"=hex:\\\r\n  \r\n\"b\"=\"c\"\r\n", 5, 3,
		 "an empty line within hex"},
		{HEAD KEY "\"a\"=hex:00,\n\"b\"=\"c\"\n", 4, 11, "ends behind a comma; add"},
		{HEAD KEY "\"a\"=hex:00, ; x\n\n[HKLM\\SYSTEM\\B]\n", 4, 11, "ends behind a comma"},
		{HEAD KEY "\"a\"=str(7):a\n", 4, 12, "expected a string in quotes"},
		{HEAD KEY "\"a\"=str(7):\"\\q\"\n", 4, 13, "there are only"},
		{HEAD KEY "\"a\"=str:\"b\"\n", 4, 5, "expected \"string\""},
		{HEAD KEY "\"a\rb\"=\"c\"\n", 4, 1, "carriage return"},
		{HEAD "[HKLM\\SYSTEM\\A\rB]\n", 3, 15, "carriage return"},
		{HEAD "[HKLM\\SYSTEM\\A] x\n", 3, 2, "something stands behind it"},
		{"\xFE\xFF\xFF\xFF", 1, 1, "big-endian"},
		{HEAD KEY "\"a\"=hex(123456789):00\n", 4, 8, "expected a type"},
		{HEAD KEY "\"\xC3\xA9\"x=1\n", 4, 4, "expected ="},
		{HEAD KEY "\"a\"=\"\xFF\"\n", 4, 6, "neither UTF-8 nor UTF-16LE"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reg_tree t;

		assert_int_equal(read_text(&t, cases[i].text), -EINVAL);
		if (errors.count != 1 || errors.at[0].line != cases[i].line ||
		    errors.at[0].column != cases[i].column ||
		    !strstr(errors.at[0].text, cases[i].says))
			fail_msg("case %zu: %u errors, the first %u:%u: %s", i, errors.count,
				 errors.at[0].line, errors.at[0].column, errors.at[0].text);
		tree_free(&t);
	}
}

static void all_errors_of_a_file_are_named(void **state)
{
	struct reg_tree t;

	(void)state;
	assert_int_equal(read_text(&t, HEAD KEY
				   "\"a\"=x\n\"b\"=hex:zz,\\\n  00,\\\n  01\n\"c\"=dword:1\nz\n"),
			 -EINVAL);
	assert_int_equal(errors.count, 3);
	assert_int_equal(errors.at[1].line, 5);
	assert_int_equal(errors.at[2].line, 9);
	tree_free(&t);
}

static void values_of_each_form(void **state)
{
	static const char text[] = HEAD "; a comment\n" KEY "@=\"the default\"\n"
					"\"s\"=\"C:\\\\x \\\"y\\\"\" ; said\n"
					"\"d\"=dword:Ff\n"
					"\"b\"=hex:01,02,\\\r\n  03\r\n"
					"\"none\"=hex(0):\n"
					"\"m\"=hex(7):61,00,00,00,00,00,62,00,00,00,00,00\n"
					"\"q\"=hex(b):01,00,00,00,00,00,00,00\n"
					"\"odd\"=hex(ffff0012):aa\n"
					"\"gone\"=\"x\"\n\"GONE\"=-\n"
					"[HKLM\\SYSTEM\\B\\C]\n[-HKEY_LOCAL_MACHINE\\SYSTEM\\b]\n";
	struct reg_tree t;
	const struct reg_key *a;
	uint32_t n;
	char **list;
	size_t count;

	(void)state;
	assert_int_equal(read_text(&t, text), 0);
	a = tree_find(&t, "a", 1);
	assert_non_null(a);
	assert_int_equal(a->value_count, 8);
	assert_string_equal(value_text(&t.arena, key_get(a, ""), NULL), "the default");
	assert_string_equal(value_text(&t.arena, key_get(a, "S"), NULL), "C:\\x \"y\"");
	assert_true(value_dword(key_get(a, "d"), &n) && n == 255);
	assert_int_equal(key_get(a, "b")->bytes, 3);
	assert_int_equal(key_get(a, "none")->type, REG_NONE);
	assert_int_equal(key_get(a, "none")->bytes, 0);
	assert_int_equal(value_list(&t.arena, key_get(a, "m"), &list, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[1], "");
	assert_string_equal(list[2], "b");
	assert_int_equal(key_get(a, "q")->type, REG_QWORD);
	assert_int_equal(key_get(a, "odd")->type, 0xFFFF0012u);
	assert_null(tree_find(&t, "B", 1));
	tree_free(&t);
}

/* UTF-8 and UTF-16LE, each with and without its mark, lines of either end: one and the same. */
static void encodings(void **state)
{
	static const char *const texts[] = {
		"Windows Registry Editor Version 5.00\r\n"
		"[HKLM\\SYSTEM\\\xC3\xA9t\xC3\xA9]\r\n\"\xF0\x9F\x8E\xB5\"=\"\xD0\x96\"\r\n",
		"Windows Registry Editor Version 5.00\n"
		"[HKLM\\SYSTEM\\\xC3\xA9t\xC3\xA9]\n\"\xF0\x9F\x8E\xB5\"=\"\xD0\x96\"",
	};

	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		const char *text = texts[i & 1];
		uint8_t bytes[600] = {0};
		size_t mark = !(i & 2) ? 0 : i & 4 ? 2 : 3, n = strlen(text);
		struct reg_tree t;
		const struct reg_key *k;

		memcpy(bytes, i & 4 ? "\xFF\xFE" : "\xEF\xBB\xBF", mark);
		if (i & 4)
			n = utf8_to_utf16(text, n, bytes + mark);
		else
			memcpy(bytes + mark, text, n);
		assert_int_equal(tree_start(&t), 0);
		assert_int_equal(reg_text_read((char *)bytes, n + mark, &t, &errors), 0);
		k = tree_find(&t, "\xC3\x89T\xC3\x89", 5); /* in capitals */
		assert_non_null(k);
		assert_string_equal(value_text(&t.arena, key_get(k, "\xF0\x9F\x8E\xB5"), NULL),
				    "\xD0\x96");
		tree_free(&t);
	}
}

/* Half a pair, half a unit: an error with its place, never another character. */
static void damaged_utf16_is_named(void **state)
{
	static const char head[] = HEAD KEY "\"a\"=\"";
	uint8_t bytes[400] = {0xFF, 0xFE};
	size_t n = 2 + utf8_to_utf16(head, strlen(head), bytes + 2);

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		static const uint8_t halves[3][6] = {{0x00, 0xD8, '"', 0, '\n', 0},
						     {0x01, 0xDC, '"', 0, '\n', 0},
						     {'x', 0, '"', 0, '\n'}};
		struct reg_tree t;
		size_t more = i == 2 ? 5 : 6;

		memcpy(bytes + n, halves[i], more);
		assert_int_equal(tree_start(&t), 0);
		assert_int_equal(reg_text_read((char *)bytes, n + more, &t, &errors), -EINVAL);
		assert_int_equal(errors.count, 1);
		assert_int_equal(errors.at[0].line, 4);
		assert_int_equal(errors.at[0].column, i == 2 ? 8 : 6);
		assert_non_null(strstr(errors.at[0].text, i == 2 ? "it was cut" : "surrogate"));
		tree_free(&t);
	}
}

static void readable_strings_and_lists(void **state)
{
	static const char text[] = HEAD KEY "\"l\"=str(7):\"a\\0\\0b \\\"\\\\\\0\" ; said\n"
					    "\"x\"=str(2):\"%A%\\n\\r\\t\"\n\"e\"=str(7):\"\"\n";
	struct reg_tree t;
	const struct reg_key *a;
	char **list;
	size_t count;

	(void)state;
	assert_int_equal(read_text(&t, text), 0);
	a = tree_find(&t, "A", 1);
	assert_int_equal(key_get(a, "l")->type, REG_MULTI_SZ);
	assert_int_equal(value_list(&t.arena, key_get(a, "l"), &list, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[0], "a");
	assert_string_equal(list[1], "");
	assert_string_equal(list[2], "b \"\\");
	assert_int_equal(key_get(a, "x")->type, REG_EXPAND_SZ);
	assert_string_equal(value_text(&t.arena, key_get(a, "x"), NULL), "%A%\n\r\t");
	assert_int_equal(key_get(a, "e")->bytes, 2);
	tree_free(&t);
}

/* A bracket in a comment is no part of the key, one in the name is. */
static void brackets_in_keys_and_comments(void **state)
{
	struct reg_tree t;

	(void)state;
	assert_int_equal(read_text(&t, HEAD "[HKLM\\SYSTEM\\A] ; see [1]\n[HKLM\\SYSTEM\\B[1]]\n"
					    "[HKLM\\SYSTEM\\C] ]\n"),
			 0);
	assert_non_null(tree_find(&t, "A", 1));
	assert_non_null(tree_find(&t, "B[1]", 4));
	assert_non_null(tree_find(&t, "C] ", 3));
	assert_int_equal(t.keys, 4);
	tree_free(&t);
}

static void limits_are_named(void **state)
{
	static char text[80000];
	struct reg_tree t;
	size_t n;

	(void)state;
	n = (size_t)sprintf(text, HEAD KEY "\"big\"=hex:00");
	for (unsigned i = 0; i < 16344; i++)
		n += (size_t)sprintf(text + n, ",00");
	assert_int_equal(read_text(&t, text), -EINVAL);
	assert_non_null(strstr(errors.at[0].text, "16345 bytes of data"));
	tree_free(&t);
	n = (size_t)sprintf(text, HEAD "[HKLM\\SYSTEM\\");
	memset(text + n, 'k', 256);
	strcpy(text + n + 256, "]\n");
	assert_int_equal(read_text(&t, text), -EINVAL);
	assert_non_null(strstr(errors.at[0].text, "at most 255 characters"));
	tree_free(&t);
}

/* Between texts and after a deletion it is what was meant; in one text a line hides another. */
static void a_value_set_twice_is_noted_and_no_error(void **state)
{
	static const struct {
		const char *lines;
		unsigned count;
		const char *says;
	} cases[] = {
		{"\"X\"=dword:1\n\"x\"=dword:2\n\"X\"=\"\"\n", 2,
		 "the value \"x\" was set in line 4 already; this line counts"},
		{"@=dword:1\n" KEY "@=dword:2\n", 1, "the key's default value was set in line 4"},
		{"\"X\"=dword:1\n\"X\"=dword:1\n", 0, NULL},
		{"\"X\"=dword:1\n\"X\"=-\n\"X\"=dword:2\n", 0, NULL},
		{"\"X\"=dword:1\n[-HKLM\\SYSTEM\\A]\n" KEY "\"X\"=dword:2\n", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reg_tree t;
		char text[400];

		assert_int_equal(tree_start(&t), 0);
		t.file = 1;
		snprintf(text, sizeof(text), HEAD KEY "%s", cases[i].lines);
		assert_int_equal(reg_text_read(text, strlen(text), &t, &errors), 0);
		assert_int_equal(errors.twice_count, cases[i].count);
		if (cases[i].says)
			assert_non_null(strstr(errors.twice.text, cases[i].says));
		t.file = 2; /* a second file may change what the first one said */
		assert_int_equal(reg_text_read(text, strlen(text), &t, &errors), 0);
		assert_int_equal(errors.twice_count, cases[i].count);
		tree_free(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_name_line_column_and_what_to_do),
		cmocka_unit_test(all_errors_of_a_file_are_named),
		cmocka_unit_test(values_of_each_form),
		cmocka_unit_test(encodings),
		cmocka_unit_test(damaged_utf16_is_named),
		cmocka_unit_test(readable_strings_and_lists),
		cmocka_unit_test(brackets_in_keys_and_comments),
		cmocka_unit_test(limits_are_named),
		cmocka_unit_test(a_value_set_twice_is_noted_and_no_error),
	};

	return cmocka_run_group_tests_name("registry-text", tests, NULL, NULL);
}
