/* SPDX-License-Identifier: MIT */
/*
 * test_audit_catalog.c - the signed list of images: what signify made is read, anything else is a
 * named error, and no name is believed before the signature is
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "catalog_make.h"
#include "plan/plan.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Made by signify 31: -S -e -m SHA256 -x SHA256.sig */
static const char signify_key[] = "untrusted comment: signify public key\n"
				  "RWTSIbjP8x9/Lou8Vif53RObaVTq74DBDMc/4fRuNpuSBP+XOoi0Ojtr\n";
static const char signify_file[] =
	"untrusted comment: verify with k.pub\n"
	"RWTSIbjP8x9/Lm2cohUpoDmfKusd+GXxrQQUM+qXB56pVtd8vG6y/"
	"R0wPL2VDVFB4TFVezTD0z5dmVcT6qVRrG1TJQj4uVvtLgA=\n"
	"SHA256 (csrss) = "
	"cb30d69b24245bf2ecdc9e7f53bbad19159999970b6d82c0c00c7d32d9e37aa4\n";

static int prove(const struct catalog_files *f, struct catalog **ret, char why[160])
{
	why[0] = 0;
	return catalog_prove(f, ret, why, 160);
}

static struct catalog_files files_of(const char *list, const char *key)
{
	struct catalog_files f = {.path = "list", .key_path = "key"};

	f.bytes = (uint8_t *)strdup(list);
	f.key = (uint8_t *)strdup(key);
	f.n = strlen(list);
	f.key_n = strlen(key);
	return f;
}

static void what_signify_made_is_read(void **state)
{
	struct catalog_files f = files_of(signify_file, signify_key);
	struct catalog *c = NULL;
	char why[160], hex[65];

	assert_int_equal(prove(&f, &c, why), 0);
	assert_non_null(catalog_find(c, "csrss"));
	assert_null(catalog_find(c, "wininit"));
	sha256_hex(catalog_find(c, "csrss"), hex);
	assert_non_null(strstr(signify_file, hex));
	catalog_free(c);
	catalog_files_free(&f);
}

/* Every single bit of file and key counts, but those of the two comments. */
static void one_bit_changed_is_refused(void **state)
{
	struct catalog_files f = files_of(signify_file, signify_key);
	struct catalog *c = NULL;
	char why[160];

	for (size_t i = strcspn(signify_file, "\n"); i < f.n; i++) {
		f.bytes[i] ^= 4;
		assert_true(prove(&f, &c, why) < 0);
		assert_string_not_equal(why, "");
		assert_null(c);
		f.bytes[i] ^= 4;
	}
	for (size_t i = strcspn(signify_key, "\n"); i < f.key_n; i++) {
		f.key[i] ^= 4;
		assert_true(prove(&f, &c, why) < 0);
		f.key[i] ^= 4;
	}
	assert_int_equal(prove(&f, &c, why), 0);
	catalog_free(c);
	catalog_files_free(&f);
}

static void every_cut_is_refused(void **state)
{
	struct catalog_files f = files_of(signify_file, signify_key);
	struct catalog *c = NULL;
	char why[160];

	for (f.n = 0; f.n < sizeof(signify_file) - 1; f.n++)
		assert_true(prove(&f, &c, why) < 0);
	for (f.key_n = 0; f.key_n < sizeof(signify_key) - 1; f.key_n++)
		assert_int_equal(prove(&f, &c, why), -EBADMSG);
	catalog_files_free(&f);
}

static void another_key_is_named_as_such(void **state)
{
	struct catalog_files f = made_files("SHA256 (x) = " HEX "\n", 79);
	struct catalog *c = NULL;
	char why[160];

	free(f.key);
	f.key = (uint8_t *)strdup(signify_key);
	f.key_n = strlen(signify_key);
	assert_int_equal(prove(&f, &c, why), -EKEYREJECTED);
	assert_non_null(strstr(why, "another key"));
	catalog_files_free(&f);
}

static void lists_are_strict(void **state)
{
	static const struct {
		const char *list;
		int want;
		const char *why;
	} cases[] = {
		{"SHA256 (csrss) = " HEX "\n", 0, ""},
		{"SHA256 (sub/csrss) = " HEX "\n", 0, ""},
		{"SHA256 (/usr/local/sbin/x) = " HEX "\n", 0, ""},
		{"SHA256 (a(b)) = " HEX "\n", 0, ""},
		{"", -EBADMSG, "empty"},
		{"SHA256 (a) = " HEX, -EBADMSG, "line 1"},
		{"SHA256 (a) = " HEX "\n\n", -EBADMSG, "line 2"},
		{"SHA256 (a) = " HEX "\nx\n", -EBADMSG, "line 2"},
		{"SHA512 (a) = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 () = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (a b) = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (../a) = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (./a) = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (a//b) = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (a/) = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (/) = " HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (a) = 0" HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (a) = g" HEX "\n", -EBADMSG, "line 1"},
		{"SHA256 (a) = " HEX "\nSHA256 (a) = " HEX "\n", -EBADMSG, "twice"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct catalog_files f = made_files(cases[i].list, strlen(cases[i].list));
		struct catalog *c = NULL;
		char why[160];

		assert_int_equal(prove(&f, &c, why), cases[i].want);
		assert_non_null(strstr(why, cases[i].why));
		catalog_free(c);
		catalog_files_free(&f);
	}
}

static void put(const char *path, const void *bytes, size_t n, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void a_key_that_others_can_write_is_none(void **state)
{
	char dir[] = "/tmp/catalog.XXXXXX", list[64], key[64], why[160];
	struct catalog *c = NULL;

	assert_non_null(mkdtemp(dir));
	(void)snprintf(list, sizeof(list), "%s/list", dir);
	(void)snprintf(key, sizeof(key), "%s/key", dir);
	assert_int_equal(catalog_open(list, key, &c, why, sizeof(why)), -ENOENT);
	put(list, signify_file, sizeof(signify_file) - 1, 0644);
	put(key, signify_key, sizeof(signify_key) - 1, 0644);
	assert_int_equal(catalog_open(list, key, &c, why, sizeof(why)), 0);
	catalog_free(c);
	put(key, signify_key, sizeof(signify_key) - 1, 0664);
	assert_int_equal(catalog_open(list, key, &c, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "others can write"));
	put(key, signify_key, sizeof(signify_key) - 1, 0644);
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(catalog_open(list, key, &c, why, sizeof(why)), -EPERM);
	assert_int_equal(unlink(list) | unlink(key) | rmdir(dir), 0);
}

static void a_hive_tells_which_root_is_meant(void **state)
{
	static const char *const cases[][3] = {
		{"/etc/smss/SYSTEM", CATALOG_PATH, CATALOG_KEY_PATH},
		{"/mnt/etc/smss/SYSTEM", "/mnt" CATALOG_PATH, "/mnt" CATALOG_KEY_PATH},
		{"/var/lib/smss/SYSTEM.lkg", CATALOG_PATH, CATALOG_KEY_PATH},
		{"SYSTEM", CATALOG_PATH, CATALOG_KEY_PATH},
	};

	for (size_t i = 0; i < 4; i++) {
		struct catalog_files f;

		catalog_files_read(cases[i][0], &f);
		assert_string_equal(f.path, cases[i][1]);
		assert_string_equal(f.key_path, cases[i][2]);
		catalog_files_free(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_signify_made_is_read),
		cmocka_unit_test(one_bit_changed_is_refused),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(another_key_is_named_as_such),
		cmocka_unit_test(lists_are_strict),
		cmocka_unit_test(a_key_that_others_can_write_is_none),
		cmocka_unit_test(a_hive_tells_which_root_is_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
