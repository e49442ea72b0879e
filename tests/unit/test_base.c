/* SPDX-License-Identifier: MIT */
/*
 * test_base.c - texts, numbers, checksums and the vocabulary of src/base
 *
 * Checksums are held against the vectors of their standards: RFC 3720 B.4 for CRC-32C, FIPS 180-4
 * (with the examples of its test suite) for SHA-256.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/words.h"

#include <errno.h>

static void a_text_never_leaves_its_room(void **state)
{
	for (size_t cap = 1; cap < 20; cap++) {
		char room[24];
		struct text t;

		memset(room, '#', sizeof(room));
		t = text_start(room, cap);
		text_u64(text_add(text_add(&t, "hello "), "world"), 4711);
		assert_memory_equal(room, "hello world4711", cap - 1 < 15 ? cap - 1 : 15);
		assert_int_equal(t.len, cap - 1 < 15 ? cap - 1 : 15);
		assert_int_equal(room[t.len], 0);
		assert_int_equal(t.cut, cap <= 15);
		for (size_t i = cap; i < sizeof(room); i++)
			assert_int_equal(room[i], '#');
	}
}

static void numbers_are_written(void **state)
{
	char room[128];
	struct text t = TEXT_ON(room);

	text_add(text_u64(&t, 0), " ");
	text_add(text_u64(&t, UINT64_MAX), " ");
	text_add(text_i64(&t, INT64_MIN), " ");
	text_add(text_i64(&t, -1), " ");
	text_add(text_hex(&t, 0xc000021a), " ");
	text_add(text_hex(&t, 7), " ");
	text_hex(&t, 0x123456789abull);
	assert_string_equal(room, "0 18446744073709551615 -9223372036854775808 -1 0xC000021A "
				  "0x00000007 0x123456789AB");
	t = TEXT_ON(room);
	text_add(&t, NULL);
	assert_string_equal(room, "(none)");
}

static void foreign_bytes_cannot_drive_a_console(void **state)
{
	static const struct {
		const char *in;
		size_t n;
		const char *want;
	} cases[] = {
		{"plain name.txt", 14, "plain name.txt"}, {"\033[2J", 4, "\\x1b[2J"},
		{"a\nb\rc", 5, "a\\x0ab\\x0dc"},          {"back\\slash", 10, "back\\x5cslash"},
		{"\x7f\x80\xff", 3, "\\x7f\\x80\\xff"},   {"nul\0in", 6, "nul\\x00in"},
		{"caf\xc3\xa9", 5, "caf\\xc3\\xa9"},      {"", 0, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char room[64];
		struct text t = TEXT_ON(room);

		text_escaped(&t, cases[i].in, cases[i].n);
		assert_string_equal(room, cases[i].want);
	}
}

static void numbers_are_read_whole_or_not_at_all(void **state)
{
	static const struct {
		const char *in;
		int r;
		uint64_t want;
	} cases[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"99999999999999999999", -ERANGE, 0},
		{"0x0", 0, 0},
		{"0xC000021a", 0, 0xc000021a},
		{"0XfF", 0, 255},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"0x10000000000000000", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"0xg", -EINVAL, 0},
		{"x1", -EINVAL, 0},
		{"1a", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1\n", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
		{"\xd9\xa1", -EINVAL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t got = 4711;
		int r = str_u64(cases[i].in, strlen(cases[i].in), &got);

		if (r != cases[i].r || got != (r ? 4711 : cases[i].want))
			fail_msg("\"%s\": %d", cases[i].in, r);
	}
	/* exactly n bytes are looked at: no NUL is needed, none is believed */
	uint64_t got = 0;

	assert_int_equal(str_u64("123x", 3, &got), 0);
	assert_int_equal(got, 123);
	assert_int_equal(str_u64("12\0", 3, &got), -EINVAL);
}

static void strings_are_compared_and_copied(void **state)
{
	char field[8];

	assert_int_equal(str_len("abc", 10), 3);
	assert_int_equal(str_len("abc", 2), 2);
	assert_true(str_same("a", "a"));
	assert_false(str_same("a", "A"));
	assert_true(str_same_fold("BootExecute", "bootEXECUTE"));
	assert_false(str_same_fold("BootExecute", "BootExecut"));
	assert_false(str_same_fold("[", "{")); /* 0x20 apart, and no letters */
	assert_false(str_same_fold("\xc0", "\xe0"));
	assert_true(str_starts("populated 0\n", "populated 0"));
	assert_false(str_starts("popul", "populated"));
	assert_true(str_starts("x", ""));
	memset(field, '#', sizeof(field));
	assert_true(str_copy(field, sizeof(field), "abc"));
	assert_memory_equal(field, "abc\0\0\0\0\0", 8); /* it goes on the wire: no old bytes */
	assert_false(str_copy(field, sizeof(field), "abcdefgh"));
	assert_string_equal(field, "abcdefg");
	assert_true(str_copy(field, sizeof(field), "abcdefg"));
}

static void crc32c_is_castagnoli(void **state)
{
	uint8_t bytes[32];

	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	memset(bytes, 0, 32);
	assert_int_equal(crc32c(0, bytes, 32), 0x8a9136aa);
	memset(bytes, 0xff, 32);
	assert_int_equal(crc32c(0, bytes, 32), 0x62a8ab43);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, bytes, 32), 0x46dd794e);
	for (unsigned cut = 0; cut <= 32; cut++)
		assert_int_equal(crc32c(crc32c(0, bytes, cut), bytes + cut, 32 - cut), 0x46dd794e);
	for (unsigned i = 0; i < 32; i++)
		bytes[i] = (uint8_t)(31 - i);
	assert_int_equal(crc32c(0, bytes, 32), 0x113fdb5c);
	assert_int_equal(crc32c(0, bytes, 0), 0);
}

static void sha256_is_the_standard_s(void **state)
{
	static const struct {
		const char *in, *want;
	} vectors[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
		{"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
		 "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		 "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		size_t n = strlen(vectors[i].in);

		for (size_t cut = 0; cut <= n; cut++) {
			struct sha256 s;
			uint8_t digest[SHA256_BYTES];
			char hex[2 * SHA256_BYTES + 1];

			sha256_start(&s);
			sha256_add(&s, vectors[i].in, cut);
			sha256_add(&s, vectors[i].in + cut, n - cut);
			sha256_end(&s, digest);
			sha256_hex(digest, hex);
			assert_string_equal(hex, vectors[i].want);
		}
	}
}

static void sha256_of_a_million_a(void **state)
{
	struct sha256 s;
	uint8_t digest[SHA256_BYTES], want[SHA256_BYTES];
	char part[1009]; /* a prime: every offset within a block is met */
	size_t left = 1000000;

	memset(part, 'a', sizeof(part));
	sha256_start(&s);
	for (; left > sizeof(part); left -= sizeof(part))
		sha256_add(&s, part, sizeof(part));
	sha256_add(&s, part, left);
	sha256_end(&s, digest);
	assert_int_equal(
		sha256_from_hex("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
				want),
		0);
	assert_memory_equal(digest, want, SHA256_BYTES);
}

static void a_digest_is_read_from_exactly_64_digits(void **state)
{
	char hex[2 * SHA256_BYTES + 2], back[2 * SHA256_BYTES + 1];
	uint8_t digest[SHA256_BYTES] = {0x5a};

	memset(hex, 'A', 64);
	hex[64] = 0;
	assert_int_equal(sha256_from_hex(hex, digest), 0);
	sha256_hex(digest, back);
	assert_true(str_same_fold(hex, back));
	memset(digest, 0x5a, sizeof(digest));
	hex[63] = 0;
	assert_int_equal(sha256_from_hex(hex, digest), -EINVAL);
	memcpy(hex + 63, "AA", 3);
	assert_int_equal(sha256_from_hex(hex, digest), -EINVAL);
	memcpy(hex + 63, "g", 2);
	assert_int_equal(sha256_from_hex(hex, digest), -EINVAL);
	assert_int_equal(sha256_from_hex("", digest), -EINVAL);
	assert_int_equal(digest[0], 0x5a); /* untouched on failure */
}

static void every_thing_has_a_word_of_its_own(void **state)
{
	for (unsigned i = 0; i < PHASE_COUNT; i++)
		for (unsigned j = 0; j <= PHASE_COUNT; j++)
			assert_true((i == j) == str_same(phase_word(i), phase_word(j)));
	for (unsigned i = 0; i < RESULT_COUNT; i++)
		for (unsigned j = 0; j <= RESULT_COUNT; j++)
			assert_true((i == j) == str_same(result_word(i), result_word(j)));
	for (unsigned i = ROLE_NONE + 1; i < ROLE_COUNT; i++)
		assert_int_equal(role_by_word(role_word(i)), i);
	assert_int_equal(role_by_word("none"), ROLE_NONE);
	assert_int_equal(role_by_word("Session"), ROLE_NONE);
	assert_int_equal(role_by_word("?"), ROLE_NONE);
	assert_string_equal(phase_word(PHASE_RENAMES), "ProcessFileRenames");
	assert_string_equal(stop_word(0xc000021a), "STATUS_SYSTEM_PROCESS_TERMINATED");
	assert_string_equal(stop_word(1), "?");
	assert_string_equal(err_text(ENOENT), "no such file or directory");
	assert_string_equal(err_text(9999), "error");
}

static void bytes_are_told_apart(void **state)
{
	uint8_t a[16] = {0}, b[16] = {0};

	assert_true(bytes_zero(a, 16));
	assert_true(bytes_same(a, b, 16));
	b[15] = 1;
	assert_false(bytes_zero(b, 16));
	assert_true(bytes_zero(b, 15));
	assert_false(bytes_same(a, b, 16));
	assert_true(bytes_same(a, b, 15));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_never_leaves_its_room),
		cmocka_unit_test(numbers_are_written),
		cmocka_unit_test(foreign_bytes_cannot_drive_a_console),
		cmocka_unit_test(numbers_are_read_whole_or_not_at_all),
		cmocka_unit_test(strings_are_compared_and_copied),
		cmocka_unit_test(crc32c_is_castagnoli),
		cmocka_unit_test(sha256_is_the_standard_s),
		cmocka_unit_test(sha256_of_a_million_a),
		cmocka_unit_test(a_digest_is_read_from_exactly_64_digits),
		cmocka_unit_test(every_thing_has_a_word_of_its_own),
		cmocka_unit_test(bytes_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
