/* SPDX-License-Identifier: MIT */
/*
 * elf_file.c - a shared library's names, see elf_file.h
 */
#include "smss/boot/elf_file.h"

#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/sys.h"

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#elif defined(__i386__)
#define MACHINE EM_386
#elif defined(__arm__)
#define MACHINE EM_ARM
#elif defined(__riscv)
#define MACHINE EM_RISCV
#else
#error "which machine is this?"
#endif
#define CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

#define HEADERS_MAX 64u  /* program headers; libc has 14 */
#define DYNAMIC_MAX 128u /* entries of the dynamic section; libc has 30 */

struct reader {
	int fd;
	uint64_t size;
	ElfW(Phdr) headers[HEADERS_MAX];
	unsigned header_count;
	ElfW(Dyn) dynamic[DYNAMIC_MAX];
	unsigned dynamic_count;
	uint64_t strings, strings_bytes; /* in the file */
};

static int read_at(const struct reader *f, void *to, uint64_t n, uint64_t at)
{
	ssize_t r;

	if (at > f->size || n > f->size - at)
		return -EILSEQ;
	r = sys_pread(f->fd, to, n, at);
	return r == (ssize_t)n ? 0 : r < 0 ? (int)r : -EILSEQ;
}

static int read_headers(struct reader *f)
{
	ElfW(Ehdr) e;
	int r = read_at(f, &e, sizeof(e), 0);

	if (r < 0)
		return r == -EILSEQ ? -ENOEXEC : r;
	if (!bytes_same(e.e_ident, ELFMAG, SELFMAG))
		return -ENOEXEC;
	if (e.e_ident[EI_CLASS] != CLASS || e.e_ident[EI_DATA] != ELFDATA2LSB ||
	    e.e_machine != MACHINE)
		return -EMEDIUMTYPE;
	if (e.e_type != ET_DYN)
		return -ENOEXEC;
	if (e.e_phentsize != sizeof(f->headers[0]) || !e.e_phnum)
		return -EILSEQ;
	if (e.e_phnum > HEADERS_MAX)
		return -E2BIG;
	f->header_count = e.e_phnum;
	return read_at(f, f->headers, e.e_phnum * sizeof(f->headers[0]), e.e_phoff);
}

static int read_dynamic(struct reader *f)
{
	for (unsigned i = 0; i < f->header_count; i++) {
		const ElfW(Phdr) *h = &f->headers[i];
		uint64_t n = h->p_filesz / sizeof(f->dynamic[0]);

		if (h->p_type != PT_DYNAMIC)
			continue;
		f->dynamic_count = (unsigned)(n < DYNAMIC_MAX ? n : DYNAMIC_MAX);
		return read_at(f, f->dynamic, f->dynamic_count * sizeof(f->dynamic[0]),
			       h->p_offset);
	}
	return -ENOEXEC; /* a static-pie program, not a library */
}

/* The dynamic section speaks of addresses; which byte of the file is at one? */
static int file_offset(const struct reader *f, uint64_t address, uint64_t *ret)
{
	for (unsigned i = 0; i < f->header_count; i++) {
		const ElfW(Phdr) *h = &f->headers[i];

		if (h->p_type == PT_LOAD && address >= h->p_vaddr &&
		    address - h->p_vaddr < h->p_filesz) {
			*ret = h->p_offset + (address - h->p_vaddr);
			return 0;
		}
	}
	return -EILSEQ;
}

static int find_strings(struct reader *f)
{
	uint64_t address = 0;

	for (unsigned i = 0; i < f->dynamic_count && f->dynamic[i].d_tag != DT_NULL; i++) {
		if (f->dynamic[i].d_tag == DT_STRTAB)
			address = f->dynamic[i].d_un.d_ptr;
		else if (f->dynamic[i].d_tag == DT_STRSZ)
			f->strings_bytes = f->dynamic[i].d_un.d_val;
	}
	return address && f->strings_bytes ? file_offset(f, address, &f->strings) : -EILSEQ;
}

/* One name out of the string table into ret's own room. */
static int take_name(const struct reader *f, uint64_t offset, struct elf_library *ret,
		     const char **ret_name)
{
	char *to = ret->names + ret->names_used;
	const unsigned room = ELF_NAMES_BYTES - ret->names_used;
	uint64_t n;
	size_t len;
	int r;

	if (offset >= f->strings_bytes)
		return -EILSEQ;
	n = f->strings_bytes - offset;
	if (n > 256)
		n = 256;
	if (n > room)
		return -E2BIG;
	r = read_at(f, to, n, f->strings + offset);
	if (r < 0)
		return r;
	len = str_len(to, n);
	if (len == n)
		return -EILSEQ;
	ret->names_used += (unsigned)len + 1;
	*ret_name = to;
	return 0;
}

int elf_read(int fd, uint64_t size, struct elf_library *ret)
{
	struct reader f = {.fd = fd, .size = size};
	int r = read_headers(&f);

	if (r >= 0)
		r = read_dynamic(&f);
	if (r >= 0)
		r = find_strings(&f);
	ret->soname = "";
	ret->needed_count = 0;
	ret->names_used = 0;
	for (unsigned i = 0; r >= 0 && i < f.dynamic_count; i++) {
		const ElfW(Dyn) *d = &f.dynamic[i];

		if (d->d_tag == DT_NULL)
			break;
		if (d->d_tag == DT_SONAME)
			r = take_name(&f, d->d_un.d_val, ret, &ret->soname);
		if (d->d_tag != DT_NEEDED)
			continue;
		if (ret->needed_count == ELF_NEEDED_MAX)
			return -E2BIG;
		r = take_name(&f, d->d_un.d_val, ret, &ret->needed[ret->needed_count]);
		if (r >= 0)
			ret->needed_count++;
	}
	return r;
}
