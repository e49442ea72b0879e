/* SPDX-License-Identifier: MIT */
/*
 * test_pnp.c - which devices and modules a boot waits for
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "pnp/devices.h"
#include "pnp/modules.h"

static void a_line_of_fstab_needs_a_device_or_not(void **state)
{
	static const struct {
		const char *line;
		int want;
		const char *path;
	} cases[] = {
		{"/dev/sdb1 /data ext4 defaults 0 2", 1, "/dev/sdb1"},
		{"\t/dev/mapper/a\\040b /data ext4", 1, "/dev/mapper/a b"},
		{"/dev/sdc1 none swap sw 0 0", 1, "/dev/sdc1"},
		{"UUID=6b2e-11 /data ext4 defaults", 1, "/dev/disk/by-uuid/6b2e-11"},
		{"UUID=\"6b2e-11\" /data ext4 defaults", 1, "/dev/disk/by-uuid/6b2e-11"},
		{"LABEL=my\\040disk/x /data ext4", 1, "/dev/disk/by-label/my\\x20disk\\x2fx"},
		{"PARTUUID=1-2 /data ext4", 1, "/dev/disk/by-partuuid/1-2"},
		{"PARTLABEL=data /data ext4", 1, "/dev/disk/by-partlabel/data"},
		{"/dev/sdb1 /data ext4 rw,nofail 0 2", 0, NULL},
		{"/dev/sdb1 /data ext4 noauto,rw 0 2", 0, NULL},
		{"/dev/sdb1 /data ext4 nofailure 0 2", 1, "/dev/sdb1"},
		{"/dev/sda1 / ext4 defaults 0 1", 0, NULL},
		{"tmpfs /tmp tmpfs defaults 0 0", 0, NULL},
		{"host:/export /mnt nfs defaults 0 0", 0, NULL},
		{"# /dev/sdb1 /data ext4 defaults", 0, NULL},
		{"", 0, NULL},
		{"/dev/sdb1", -EINVAL, NULL},
		{"UUID= /data ext4 defaults", -EINVAL, NULL},
		{"/dev/../etc/x /data ext4 defaults", -EINVAL, NULL},
		{"/dev/a\\000b /data ext4 defaults", -EINVAL, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[128], path[DEVICE_BYTES];

		strcpy(line, cases[i].line);
		if (devices_line(line, path) != cases[i].want)
			fail_msg("%s", cases[i].line);
		if (cases[i].want == 1)
			assert_string_equal(path, cases[i].path);
	}
}

static void a_name_too_long_for_a_path_is_refused(void **state)
{
	char source[600], path[DEVICE_BYTES];

	memset(source, 'x', sizeof(source));
	memcpy(source, "/dev/", 5);
	source[599] = 0;
	assert_int_equal(devices_path(source, path), -ENAMETOOLONG);
	memcpy(source, "LABEL=", 6);
	assert_int_equal(devices_path(source, path), -ENAMETOOLONG);
}

static void a_line_of_modules_is_a_module_and_its_parameters(void **state)
{
	static const struct {
		const char *line;
		int want;
		const char *first;
	} cases[] = {
		{"loop", 1, "loop"}, {"  loop max_loop=8 x=y # comment", 3, "loop"},
		{"# loop", 0, NULL}, {"; loop", 0, NULL},
		{"", 0, NULL},       {"--remove loop", 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[128], *words[8];

		strcpy(line, cases[i].line);
		assert_int_equal(modules_line(line, words, 8), cases[i].want);
		if (cases[i].want)
			assert_string_equal(words[0], cases[i].first);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_of_fstab_needs_a_device_or_not),
		cmocka_unit_test(a_name_too_long_for_a_path_is_refused),
		cmocka_unit_test(a_line_of_modules_is_a_module_and_its_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
