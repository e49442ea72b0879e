/* SPDX-License-Identifier: MIT */
/*
 * test_audit_pe.c - what is read of a PE file: headers, covered bytes, certificate table, version
 *
 * The files are built here byte by byte, whole and broken; signatures that hold are tried in
 * tests/audit/image.bats, where there are tools to make them.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sha256.h"
#include "smaudit/authenticode.h"
#include "smaudit/pe.h"

/* ---- an image ---- */

#define PE_AT       0x80
#define OPTIONAL_AT (PE_AT + 24)
#define SECTION_AT  (OPTIONAL_AT + 240)
#define RAW_AT      0x200
#define TABLE_AT    0x400
#define IMAGE_BYTES 0x480

static uint8_t image[IMAGE_BYTES + 64];

static void put16(size_t at, unsigned n)
{
	image[at] = (uint8_t)n;
	image[at + 1] = (uint8_t)(n >> 8);
}

static void put32(size_t at, uint32_t n)
{
	put16(at, n & 0xffff);
	put16(at + 2, n >> 16);
}

/* PE32+, x64, native; one section of 512 bytes, then a certificate table of 128. */
static void make_image(void)
{
	memset(image, 0, sizeof(image));
	for (size_t i = RAW_AT; i < TABLE_AT; i++)
		image[i] = (uint8_t)(i * 7);
	memcpy(image, "MZ", 2);
	put32(0x3c, PE_AT);
	memcpy(image + PE_AT, "PE\0\0", 4);
	put16(PE_AT + 4, 0x8664);
	put16(PE_AT + 6, 1);
	put16(PE_AT + 20, 240);
	put16(OPTIONAL_AT, 0x20b);
	put32(OPTIONAL_AT + 64, 0x11223344);
	put16(OPTIONAL_AT + 68, 1);
	put32(OPTIONAL_AT + 108, 16);
	put32(OPTIONAL_AT + 112 + 8 * 4, TABLE_AT);
	put32(OPTIONAL_AT + 112 + 8 * 4 + 4, IMAGE_BYTES - TABLE_AT);
	memcpy(image + SECTION_AT, ".rsrc", 5);
	put32(SECTION_AT + 8, 0x200);
	put32(SECTION_AT + 12, 0x1000);
	put32(SECTION_AT + 16, 0x200);
	put32(SECTION_AT + 20, RAW_AT);
}

/* A copy of exactly n bytes, so that a read past its end is seen. */
static struct image_source source_of(size_t n)
{
	struct image_source s = {.fd = -1, .bytes = n};
	uint8_t *p = malloc(n ? n : 1);

	assert_non_null(p);
	memcpy(p, image, n);
	s.memory = p;
	return s;
}

static void source_free(struct image_source *s)
{
	free((void *)(uintptr_t)s->memory);
}

static int opened(size_t n, struct pe *ret)
{
	struct image_source s = source_of(n);
	int r = pe_open(&s, ret);

	source_free(&s);
	return r;
}

static void test_headers(void **state)
{
	struct pe p;
	uint64_t at = 0;

	(void)state;
	make_image();
	assert_int_equal(opened(IMAGE_BYTES, &p), 0);
	assert_int_equal(p.format, IMAGE_PE32_PLUS);
	assert_int_equal(p.machine, 0x8664);
	assert_int_equal(p.subsystem, 1);
	assert_int_equal(p.sections, 1);
	assert_int_equal(p.certificates_at, TABLE_AT);
	assert_int_equal(p.overlay_bytes, 0);
	assert_null(p.malformed);
	assert_int_equal(pe_offset(&p, 0x1010, 0x1f0, &at), 0);
	assert_int_equal(at, RAW_AT + 0x10);
	assert_int_equal(pe_offset(&p, 0x1010, 0x1f1, &at), -ERANGE);
	assert_int_equal(pe_offset(&p, 0xfff, 1, &at), -ERANGE);
	assert_int_equal(pe_offset(&p, 0xfffffff0, 0x20, &at), -ERANGE);
	assert_int_equal(opened(IMAGE_BYTES + 40, &p), 0);
	assert_int_equal(p.overlay_bytes, 40);
}

/* What is broken, what it is then taken for, and what is said. */
static const struct {
	const char *name;
	size_t at; /* a 32-bit number put there; 0 = none */
	uint32_t number;
	size_t bytes; /* of the file */
	enum image_format format;
	const char *malformed;
} broken[] = {
	{"its header past the end", 0x3c, 0xfffffff0, IMAGE_BYTES, IMAGE_OLD, NULL},
	{"its header in the last bytes", 0x3c, IMAGE_BYTES - 20, IMAGE_BYTES, IMAGE_OLD, NULL},
	{"an NE program", PE_AT, 0x454e, IMAGE_BYTES, IMAGE_OLD, NULL},
	{"an LE program", PE_AT, 0x454c, IMAGE_BYTES, IMAGE_OLD, NULL},
	{"only MZ", 0, 0, 2, IMAGE_OLD, NULL},
	{"a short DOS head", 0, 0, 63, IMAGE_OLD, NULL},
	{"cut in its optional header", 0, 0, OPTIONAL_AT + 100, IMAGE_UNKNOWN,
	 "optional header lies past"},
	{"an optional header of no kind", OPTIONAL_AT, 0x999, IMAGE_BYTES, IMAGE_UNKNOWN,
	 "no known kind"},
	{"a short optional header", PE_AT + 20, 100, IMAGE_BYTES, IMAGE_PE32_PLUS, "too short"},
	{"cut in its section table", 0, 0, SECTION_AT + 20, IMAGE_PE32_PLUS,
	 "section table lies past"},
	{"10,000 sections", PE_AT + 6, 10000, IMAGE_BYTES, IMAGE_PE32_PLUS, "more sections"},
	{"a section past the end", SECTION_AT + 16, 0x10000, IMAGE_BYTES, IMAGE_PE32_PLUS,
	 "section lies past"},
	{"a section that wraps", SECTION_AT + 20, 0xffffff00, IMAGE_BYTES, IMAGE_PE32_PLUS,
	 "section lies past"},
	{"a table inside of a section", OPTIONAL_AT + 144, RAW_AT + 0x100, IMAGE_BYTES,
	 IMAGE_PE32_PLUS, "inside of a section"},
	{"a table inside of its headers", OPTIONAL_AT + 144, 0x40, IMAGE_BYTES, IMAGE_PE32_PLUS,
	 "inside of its headers"},
	{"a table past the end", OPTIONAL_AT + 148, 0x7fffffff, IMAGE_BYTES, IMAGE_PE32_PLUS,
	 "table lies past"},
};

static void test_broken(void **state)
{
	struct pe p;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
		make_image();
		if (broken[i].at)
			put32(broken[i].at, broken[i].number);
		print_message("%s\n", broken[i].name);
		assert_int_equal(opened(broken[i].bytes, &p), 0);
		assert_int_equal(p.format, broken[i].format);
		if (!broken[i].malformed)
			assert_null(p.malformed);
		else
			assert_non_null(p.malformed && strstr(p.malformed, broken[i].malformed)
						? p.malformed
						: NULL);
	}
	make_image();
	image[0] = 'm';
	assert_int_equal(opened(IMAGE_BYTES, &p), -ENOEXEC);
	assert_int_equal(opened(1, &p), -ENOEXEC);
	assert_int_equal(opened(0, &p), -ENOEXEC);
}

/* ---- what is covered ---- */

static void digest_by_hand(size_t end, size_t resume, size_t bytes, uint8_t ret[SHA256_BYTES])
{
	static const uint8_t zeros[8];
	struct sha256 s;

	sha256_start(&s);
	sha256_add(&s, image, OPTIONAL_AT + 64);
	sha256_add(&s, image + OPTIONAL_AT + 68, 144 - 68);
	sha256_add(&s, image + OPTIONAL_AT + 152, end - OPTIONAL_AT - 152);
	sha256_add(&s, image + resume, bytes - resume);
	if (resume == end && bytes % 8)
		sha256_add(&s, zeros, 8 - bytes % 8);
	sha256_end(&s, ret);
}

static void check_digest(size_t end, size_t resume, size_t bytes)
{
	struct image_source s = source_of(bytes);
	uint8_t want[SHA256_BYTES], got[64];
	unsigned n = 0;
	struct pe p;

	assert_int_equal(pe_open(&s, &p), 0);
	assert_int_equal(authenticode_digest(&s, &p, "SHA256", got, &n), 0);
	assert_int_equal(n, SHA256_BYTES);
	digest_by_hand(end, resume, bytes, want);
	assert_memory_equal(got, want, SHA256_BYTES);
	source_free(&s);
}

static void test_covered(void **state)
{
	(void)state;
	make_image();
	check_digest(TABLE_AT, IMAGE_BYTES, IMAGE_BYTES);
	check_digest(TABLE_AT, IMAGE_BYTES, IMAGE_BYTES + 40); /* what is behind it is covered */
	put32(OPTIONAL_AT + 144, 0);
	put32(OPTIONAL_AT + 148, 0);
	check_digest(IMAGE_BYTES, IMAGE_BYTES, IMAGE_BYTES);
	check_digest(IMAGE_BYTES + 3, IMAGE_BYTES + 3, IMAGE_BYTES + 3); /* and is padded */
}

/* ---- the certificate table ---- */

static void read_table(struct authenticode *ret, size_t bytes)
{
	struct image_source s = source_of(bytes);
	struct pe p;

	assert_int_equal(pe_open(&s, &p), 0);
	assert_int_equal(authenticode_read(&s, &p, 0, ret), 0);
	source_free(&s);
}

static void test_table(void **state)
{
	struct authenticode a;

	(void)state;
	make_image(); /* an entry of no length */
	read_table(&a, IMAGE_BYTES);
	assert_int_equal(a.signatures, 0);
	assert_non_null(a.malformed);
	put32(TABLE_AT, 128);
	put16(TABLE_AT + 6, 2);
	memset(image + TABLE_AT + 8, 0xff, 120);
	read_table(&a, IMAGE_BYTES);
	assert_int_equal(a.signatures, 1);
	assert_int_equal(a.signature[0].state, SIGNATURE_MALFORMED);
	assert_non_null(a.signature[0].why);
	put16(TABLE_AT + 6, 1); /* a bare certificate: nobody looks at those */
	read_table(&a, IMAGE_BYTES);
	assert_int_equal(a.signatures, 0);
	assert_int_equal(a.slack_bytes, 128);
	put32(TABLE_AT, 0xffffffff);
	read_table(&a, IMAGE_BYTES);
	assert_int_equal(a.signatures, 0);
	for (size_t at = TABLE_AT; at < IMAGE_BYTES; at += 8) { /* 16 empty entries */
		put32(at, 8);
		put32(at + 4, 0x00020200);
	}
	read_table(&a, IMAGE_BYTES);
	assert_int_equal(a.signatures, IMAGE_SIGNATURES_MAX);
	read_table(&a, IMAGE_BYTES - 8); /* the file ends inside of the table */
	assert_int_equal(a.signatures, 0);
	assert_non_null(a.malformed);
}

/* ---- the version resource ---- */

static uint8_t block[2048];
static size_t block_n;

static void add16(unsigned n)
{
	block[block_n++] = (uint8_t)n;
	block[block_n++] = (uint8_t)(n >> 8);
}

static void add_text(const char *text)
{
	do
		add16((uint8_t)*text);
	while (*text++);
}

static void align_block(void)
{
	while (block_n % 4)
		block[block_n++] = 0;
}

/* The head of a node; its length is put in by end_node. */
static size_t begin_node(unsigned value_units, unsigned type, const char *key)
{
	size_t at;

	align_block();
	at = block_n;
	add16(0);
	add16(value_units);
	add16(type);
	add_text(key);
	align_block();
	return at;
}

static void end_node(size_t at)
{
	block[at] = (uint8_t)(block_n - at);
	block[at + 1] = (uint8_t)((block_n - at) >> 8);
}

static void add_string(const char *key, const char *value)
{
	size_t at = begin_node((unsigned)strlen(value) + 1, 1, key);

	add_text(value);
	end_node(at);
}

static void make_version(bool strings)
{
	size_t root, info, table;

	block_n = 0;
	root = begin_node(52, 0, "VS_VERSION_INFO");
	for (unsigned i = 0; i < 26; i++)
		add16(i == 0   ? 0x04bd
		      : i == 1 ? 0xfeef
		      : i == 4 ? 0
		      : i == 5 ? 10
		      : i == 6 ? 1
		      : i == 7 ? 26100
			       : 0);
	if (strings) {
		info = begin_node(0, 1, "StringFileInfo");
		table = begin_node(0, 1, "040704b0");
		add_string("InternalName", "falsch.exe");
		add_string("CompanyName", "Irgendwer");
		add_string("ProductName", "Nur hier");
		end_node(table);
		table = begin_node(0, 1, "040904B0");
		add_string("InternalName", "smss.exe");
		add_string("OriginalFilename", "smss.exe.mui");
		add_string("CompanyName", "Microsoft Corporation");
		end_node(table);
		end_node(info);
		info = begin_node(0, 1, "VarFileInfo");
		table = begin_node(4, 0, "Translation");
		add16(0x409);
		add16(0x4b0);
		end_node(table);
		end_node(info);
	}
	end_node(root);
}

static int parsed(size_t n, struct pe_version *v)
{
	uint8_t *p = malloc(n ? n : 1);
	int r;

	assert_non_null(p);
	memcpy(p, block, n);
	memset(v, 0, sizeof(*v));
	r = pe_version_parse(p, n, v);
	free(p);
	return r;
}

static void test_version(void **state)
{
	struct pe_version v;

	(void)state;
	make_version(true);
	assert_int_equal(parsed(block_n, &v), 0);
	assert_string_equal(v.internal_name, "smss.exe"); /* of the first translation */
	assert_string_equal(v.original_name, "smss.exe.mui");
	assert_string_equal(v.company, "Microsoft Corporation");
	assert_string_equal(v.product, "Nur hier"); /* which only the other has */
	assert_string_equal(v.file_version, "10.0.26100.1");
	make_version(false);
	assert_int_equal(parsed(block_n, &v), 0);
	assert_string_equal(v.internal_name, "");
	assert_string_equal(v.file_version, "10.0.26100.1");
	make_version(true);
	for (size_t n = 0; n < block_n; n++) /* cut anywhere: refused, and nothing read past it */
		assert_int_equal(parsed(n, &v), -EBADMSG);
	for (size_t at = 0; at < block_n; at++) { /* any byte changed: it ends */
		uint8_t was = block[at];

		block[at] = 0xff;
		(void)parsed(block_n, &v);
		block[at] = was;
	}
}

static void put_directory(size_t at, uint32_t id, uint32_t to)
{
	memset(image + at, 0, 24);
	put16(at + 14, 1);
	put32(at + 16, id);
	put32(at + 20, to);
}

static int found(struct pe_version *v)
{
	struct image_source s = source_of(IMAGE_BYTES);
	struct pe p;
	int r;

	assert_int_equal(pe_open(&s, &p), 0);
	r = pe_version_read(&s, &p, v);
	source_free(&s);
	return r;
}

static void test_resources(void **state)
{
	struct pe_version v;

	(void)state;
	make_image();
	assert_int_equal(found(&v), -ENOENT);
	assert_null(v.malformed);
	put32(OPTIONAL_AT + 128, 0x1000);
	put32(OPTIONAL_AT + 132, 0x200);
	put_directory(RAW_AT, 16, 0x80000018);
	put_directory(RAW_AT + 0x18, 1, 0x80000030);
	put_directory(RAW_AT + 0x30, 0x409, 0x48);
	make_version(false);
	put32(RAW_AT + 0x48, 0x1058);
	put32(RAW_AT + 0x4c, (uint32_t)block_n);
	memcpy(image + RAW_AT + 0x58, block, block_n);
	assert_int_equal(found(&v), 0);
	assert_string_equal(v.file_version, "10.0.26100.1");
	put32(RAW_AT + 0x4c, 0x10000); /* longer than its section */
	assert_int_equal(found(&v), -ENOENT);
	assert_non_null(v.malformed);
	put_directory(RAW_AT + 0x18, 1, 0x80000000); /* back to where it came from */
	put_directory(RAW_AT, 16, 0x80000018);
	assert_int_equal(found(&v), -ENOENT);
	assert_non_null(v.malformed);
	put_directory(RAW_AT, 16, 0xffffffff);
	assert_int_equal(found(&v), -ENOENT);
	assert_non_null(v.malformed);
	put_directory(RAW_AT, 3, 0x80000018); /* icons only */
	assert_int_equal(found(&v), -ENOENT);
	assert_null(v.malformed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers), cmocka_unit_test(test_broken),
		cmocka_unit_test(test_covered), cmocka_unit_test(test_table),
		cmocka_unit_test(test_version), cmocka_unit_test(test_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
