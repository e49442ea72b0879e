/* SPDX-License-Identifier: MIT */
/*
 * pe.c - headers and section table of a PE image
 *
 * Takes hostile files: an offset is a 64-bit sum compared with the file's size before it is read,
 * and nothing is taken from the file as a size to allocate. It must never load or run the image.
 */
#include "smaudit/pe.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define OPTIONAL_PE32      0x10b
#define OPTIONAL_PE32_PLUS 0x20b
#define DIRECTORY_RESOURCE 2
#define DIRECTORY_SECURITY 4

int source_read(const struct image_source *s, uint64_t at, void *ret, size_t n)
{
	uint8_t *to = ret;

	if (at > s->bytes || n > s->bytes - at)
		return -ERANGE;
	if (s->fd < 0) {
		memcpy(to, s->memory + at, n);
		return 0;
	}
	while (n) {
		ssize_t r = pread(s->fd, to, n, (off_t)at);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			return -ERANGE; /* it became shorter since */
		to += r, at += (uint64_t)r, n -= (size_t)r;
	}
	return 0;
}

static void wrong(struct pe *p, const char *what)
{
	if (!p->malformed)
		p->malformed = what;
}

/* The optional header up to its directories, which end at size. */
static void read_optional(struct pe *p, const uint8_t *h, uint16_t size, uint64_t at)
{
	bool plus;
	uint32_t directories_at, directories;

	if (size < 2 || (get_le16(h) != OPTIONAL_PE32 && get_le16(h) != OPTIONAL_PE32_PLUS)) {
		wrong(p, "the optional header is of no known kind");
		return;
	}
	plus = get_le16(h) == OPTIONAL_PE32_PLUS;
	directories_at = plus ? 112 : 96;
	p->format = plus ? IMAGE_PE32_PLUS : IMAGE_PE32;
	if (size < directories_at) {
		wrong(p, "the optional header is too short");
		return;
	}
	p->checksum_at = at + 64;
	p->subsystem = get_le16(h + 68);
	directories = get_le32(h + directories_at - 4);
	if (directories > 16)
		directories = 16;
	if (directories > (size - directories_at) / 8u) {
		wrong(p, "its directories do not fit into the optional header");
		directories = (size - directories_at) / 8u;
	}
	if (directories > DIRECTORY_RESOURCE) {
		p->resources_rva = get_le32(h + directories_at + 8 * DIRECTORY_RESOURCE);
		p->resources_bytes = get_le32(h + directories_at + 8 * DIRECTORY_RESOURCE + 4);
	}
	if (directories > DIRECTORY_SECURITY) {
		p->security_at = at + directories_at + 8 * DIRECTORY_SECURITY;
		p->certificates_at = get_le32(h + directories_at + 8 * DIRECTORY_SECURITY);
		p->certificates_bytes = get_le32(h + directories_at + 8 * DIRECTORY_SECURITY + 4);
	}
}

static int read_sections(struct pe *p, const struct image_source *s, uint64_t at, unsigned count)
{
	uint8_t row[40];

	if (count > PE_SECTIONS_MAX) {
		wrong(p, "it has more sections than Windows loads");
		count = PE_SECTIONS_MAX;
	}
	for (unsigned i = 0; i < count; i++, at += sizeof(row)) {
		struct pe_section *e = &p->section[p->sections];
		int r = source_read(s, at, row, sizeof(row));

		if (r == -ERANGE)
			wrong(p, "its section table lies past its end");
		if (r < 0)
			return r == -ERANGE ? 0 : r;
		e->virtual_bytes = get_le32(row + 8);
		e->va = get_le32(row + 12);
		e->raw_bytes = get_le32(row + 16);
		e->raw_at = get_le32(row + 20);
		if (e->raw_bytes && (uint64_t)e->raw_at + e->raw_bytes > s->bytes)
			wrong(p, "a section lies past its end");
		p->sections++;
	}
	p->header_bytes = (uint32_t)(at < UINT32_MAX ? at : UINT32_MAX);
	return 0;
}

/* What lies where: the certificate table against the rest, and what is behind everything. */
static void check_ends(struct pe *p, uint64_t bytes)
{
	uint64_t from = p->certificates_at, to = from + p->certificates_bytes;
	uint64_t end = p->header_bytes;

	for (unsigned i = 0; i < p->sections; i++) {
		uint64_t raw = p->section[i].raw_at, raw_end = raw + p->section[i].raw_bytes;

		if (!p->section[i].raw_bytes)
			continue;
		if (raw_end > end)
			end = raw_end;
		if (p->certificates_bytes && from < raw_end && raw < to)
			wrong(p, "its certificate table lies inside of a section");
	}
	if (p->certificates_bytes && to > bytes) {
		wrong(p, "its certificate table lies past its end");
		return;
	}
	if (p->certificates_bytes && from < p->header_bytes)
		wrong(p, "its certificate table lies inside of its headers");
	/* no digest covers it: before the sections it would move them, and what runs with them */
	if (p->certificates_bytes && from < end)
		wrong(p, "its certificate table lies before the end of its sections");
	p->overlay_bytes = bytes > end ? bytes - end : 0;
	if (p->certificates_bytes && from >= end)
		p->overlay_bytes -= p->certificates_bytes;
}

int pe_open(const struct image_source *s, struct pe *ret)
{
	uint8_t dos[64], coff[24], optional[240] = {0};
	uint16_t optional_bytes, known;
	uint32_t at;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (s->bytes < 2)
		return -ENOEXEC;
	r = source_read(s, 0, dos, s->bytes < sizeof(dos) ? 2 : sizeof(dos));
	if (r < 0)
		return r;
	if (dos[0] != 'M' || dos[1] != 'Z')
		return -ENOEXEC;
	ret->format = IMAGE_OLD;
	if (s->bytes < sizeof(dos))
		return 0;
	at = get_le32(dos + 60);
	r = source_read(s, at, coff, sizeof(coff));
	if (r == -ERANGE || (r == 0 && memcmp(coff, "PE\0\0", 4)))
		return 0;
	if (r < 0)
		return r;
	ret->machine = get_le16(coff + 4);
	optional_bytes = get_le16(coff + 20);
	known = optional_bytes < sizeof(optional) ? optional_bytes : sizeof(optional);
	ret->format = IMAGE_UNKNOWN;
	r = source_read(s, (uint64_t)at + sizeof(coff), optional, known);
	if (r == -ERANGE)
		wrong(ret, "its optional header lies past its end");
	if (r < 0)
		return r == -ERANGE ? 0 : r;
	read_optional(ret, optional, known, (uint64_t)at + sizeof(coff));
	r = read_sections(ret, s, (uint64_t)at + sizeof(coff) + optional_bytes, get_le16(coff + 6));
	if (r == 0)
		check_ends(ret, s->bytes);
	return r;
}

int pe_offset(const struct pe *p, uint32_t rva, uint32_t n, uint64_t *ret_at)
{
	for (unsigned i = 0; i < p->sections; i++) {
		const struct pe_section *e = &p->section[i];

		if (rva < e->va || rva - e->va >= e->raw_bytes)
			continue;
		if (n > e->raw_bytes - (rva - e->va))
			return -ERANGE;
		*ret_at = (uint64_t)e->raw_at + (rva - e->va);
		return 0;
	}
	return -ERANGE;
}

unsigned pe_covered(const struct pe *p, const struct image_source *s,
		    struct pe_range ret[PE_RANGES_MAX])
{
	const struct pe_range out[] = {
		{p->checksum_at, p->checksum_at ? p->checksum_at + 4 : 0},
		{p->security_at, p->security_at ? p->security_at + 8 : 0},
		{p->certificates_at, (uint64_t)p->certificates_at + p->certificates_bytes},
	};
	uint64_t at = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < sizeof(out) / sizeof(*out); i++) {
		if (out[i].to <= out[i].from || out[i].to > s->bytes || out[i].from < at)
			continue;
		if (out[i].from > at)
			ret[n++] = (struct pe_range){at, out[i].from};
		at = out[i].to;
	}
	if (at < s->bytes)
		ret[n++] = (struct pe_range){at, s->bytes};
	return n;
}
