/* SPDX-License-Identifier: MIT */
/*
 * pe.h - the parts of a PE image that tell whose it is: headers, sections, version, certificates
 *
 * Reads, never maps and never runs; every offset of the file is checked before it is used, and
 * every table has a limit. The layout is that of Microsoft's published PE format.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "smaudit/facts.h"

/* get_le16, get_le32 - numbers as the file has them, at any alignment. */
static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t get_le32(const uint8_t *p)
{
	return get_le16(p) | (uint32_t)get_le16(p + 2) << 16;
}

/* A file by descriptor, or bytes in memory (then fd is -1). */
struct image_source {
	int fd;
	const uint8_t *memory;
	uint64_t bytes;
};

/* source_read - exactly n bytes at an offset. Returns 0, -ERANGE beyond the end, -EIO and the like.
 */
int source_read(const struct image_source *s, uint64_t at, void *ret, size_t n);

#define PE_SECTIONS_MAX 96 /* as many as Windows loads */

struct pe_section {
	uint32_t va, virtual_bytes, raw_at, raw_bytes;
};

struct pe {
	enum image_format format;
	uint16_t machine, subsystem;
	uint32_t header_bytes; /* up to the end of the section table */
	uint64_t checksum_at;  /* of the 4 bytes no signature covers */
	uint64_t security_at;  /* of the directory's entry, 8 bytes; 0 = it has none */
	uint32_t certificates_at, certificates_bytes; /* 0 = none */
	uint32_t resources_rva, resources_bytes;
	struct pe_section section[PE_SECTIONS_MAX];
	unsigned sections;
	uint64_t overlay_bytes;
	const char *malformed; /* the first thing that cannot be as it is; NULL */
};

/*
 * pe_open - read and check the headers
 * Returns 0 (also for what is only an old DOS, NE or LE program: format IMAGE_OLD), -ENOEXEC when
 * it does not begin with MZ, or what reading said. What is impossible is in malformed, and then
 * only what lies before it is filled in.
 */
int pe_open(const struct image_source *s, struct pe *ret);

/* pe_offset - where n bytes at an address lie in the file. Returns 0 or -ERANGE. */
int pe_offset(const struct pe *p, uint32_t rva, uint32_t n, uint64_t *ret_at);

/* The parts of the file that a signature covers, in order. */
struct pe_range {
	uint64_t from, to;
};
#define PE_RANGES_MAX 4
/* pe_covered - all but checksum, directory entry and certificate table; returns how many. */
unsigned pe_covered(const struct pe *p, const struct image_source *s,
		    struct pe_range ret[PE_RANGES_MAX]);

#define PE_TEXT_MAX 256
struct pe_version { /* UTF-8, "" = not there */
	char file_version[PE_TEXT_MAX], product_version[PE_TEXT_MAX], original_name[PE_TEXT_MAX],
		internal_name[PE_TEXT_MAX], company[PE_TEXT_MAX], product[PE_TEXT_MAX],
		description[PE_TEXT_MAX];
	const char *malformed;
};

/*
 * pe_version_read - the version resource: strings of its first translation, others where that has
 * none Returns 0, -ENOENT when the image has none (or one that leads nowhere: then malformed says
 * so).
 */
int pe_version_read(const struct image_source *s, const struct pe *p, struct pe_version *ret);

/* pe_version_parse - the same from a VS_VERSIONINFO block's own bytes. Returns 0 or -EBADMSG. */
int pe_version_parse(const uint8_t *bytes, size_t n, struct pe_version *ret);
