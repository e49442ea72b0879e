/* SPDX-License-Identifier: MIT */
/*
 * elf_file.h - what phase 8 wants to know of a shared library, read from the file with bounds
 *
 * Header, dynamic section and its strings only; nothing is mapped, every offset is checked against
 * the file's size. A file that lies costs its place in the list, never more. Format: the ELF-64 and
 * ELF-32 specification as in elf(5).
 */
#pragma once

#include <stdint.h>

#define ELF_NEEDED_MAX  32u
#define ELF_NAMES_BYTES 2048u

struct elf_library {
	const char *soname;                 /* "" = has none */
	const char *needed[ELF_NEEDED_MAX]; /* in names */
	unsigned needed_count;
	char names[ELF_NAMES_BYTES]; /* the strings, NUL after each */
	unsigned names_used;
};

/*
 * elf_read - the names in a library of this machine
 *   fd    a regular file, readable;  size  its bytes
 * Returns 0; -ENOEXEC (not ELF, or not a shared object), -EMEDIUMTYPE (of another machine or word
 * size), -EILSEQ (damaged: an offset out of the file, no end), -E2BIG (more names than fit),
 * -EIO...
 */
int elf_read(int fd, uint64_t size, struct elf_library *ret);
