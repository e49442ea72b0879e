/* SPDX-License-Identifier: MIT */
/*
 * test_boot_elf.c - the names in a shared library, read from this machine's libc, whole and damaged
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <elf.h>
#include <errno.h>
#include <link.h>

#include "smss/boot/elf_file.h"
#include "sys/sys.h"

/* Where this very program found its libc. */
static int note_libc(struct dl_phdr_info *info, size_t size, void *data)
{
	if (!strstr(info->dlpi_name, "libc.so"))
		return 0;
	snprintf(data, 512, "%s", info->dlpi_name);
	return 1;
}

static uint8_t *bytes;
static uint64_t size;

static int load_libc(void **state)
{
	char path[512] = "";
	ssize_t n;

	if (!dl_iterate_phdr(note_libc, path))
		return -1;
	bytes = malloc(16 << 20);
	n = sys_read_file(AT_FDCWD, path, bytes, 16 << 20);
	size = n > 0 ? (uint64_t)n : 0;
	return n > 0 ? 0 : -1;
}

static int drop_libc(void **state)
{
	free(bytes);
	return 0;
}

/* The library in memory as a file, with its first n bytes. */
static int read_it(uint64_t n, struct elf_library *ret)
{
	_close_ int fd = sys_memfd("library");

	assert_true(fd >= 0);
	assert_int_equal(sys_write_all(fd, bytes, n), 0);
	return elf_read(fd, n, ret);
}

static void libc_has_its_name_and_needs_the_loader(void **state)
{
	struct elf_library l;

	assert_int_equal(read_it(size, &l), 0);
	assert_string_equal(l.soname, "libc.so.6");
	assert_int_equal(l.needed_count, 1);
	assert_non_null(strstr(l.needed[0], "ld-linux"));
}

static void a_cut_library_is_damaged(void **state)
{
	static const uint64_t cuts[] = {0, 1, 63, 64, 200, 4096, 100000};
	struct elf_library l;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++)
		assert_true(read_it(cuts[i], &l) < 0);
}

static void another_machine_is_refused(void **state)
{
	ElfW(Ehdr) *e = (ElfW(Ehdr) *)(void *)bytes;
	struct elf_library l;
	const uint16_t machine = e->e_machine, type = e->e_type;

	e->e_machine = EM_S390;
	assert_int_equal(read_it(size, &l), -EMEDIUMTYPE);
	e->e_machine = machine;
	e->e_type = ET_EXEC;
	assert_int_equal(read_it(size, &l), -ENOEXEC);
	e->e_type = type;
	assert_int_equal(read_it(size, &l), 0);
}

/* Whatever byte of header or dynamic section lies: an answer, never more. */
static void a_lying_library_is_survived(void **state)
{
	const ElfW(Ehdr) *e = (const ElfW(Ehdr) *)(void *)bytes;
	const uint64_t end = e->e_phoff + (uint64_t)e->e_phnum * e->e_phentsize;
	_close_ int fd = sys_memfd("library");
	struct elf_library l;

	assert_int_equal(sys_write_all(fd, bytes, size), 0);
	for (uint64_t at = 0; at < end; at++) {
		const uint8_t lie = 0xff;

		assert_int_equal(sys_pwrite(fd, &lie, 1, at), 1);
		if (elf_read(fd, size, &l) == 0)
			assert_true(l.needed_count <= ELF_NEEDED_MAX);
		assert_int_equal(sys_pwrite(fd, bytes + at, 1, at), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libc_has_its_name_and_needs_the_loader),
		cmocka_unit_test(a_cut_library_is_damaged),
		cmocka_unit_test(another_machine_is_refused),
		cmocka_unit_test(a_lying_library_is_survived),
	};

	return cmocka_run_group_tests(tests, load_libc, drop_libc);
}
