/* SPDX-License-Identifier: MIT */
/*
 * test_audit_image.c - what is made of an image: findings by signature, signer, identity and place
 *
 * The facts are written by hand, so that each differs from a genuine one in one thing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "smaudit/facts.h"
#include "smaudit/report.h"
#include "smaudit/rules.h"

#define RIGHT                                                                                      \
	{                                                                                          \
		SIGNATURE_TRUSTED, "Microsoft Windows", "Microsoft Windows Production PCA 2011",   \
			true                                                                       \
	}
#define PRODUCT                                                                                    \
	{                                                                                          \
		SIGNATURE_TRUSTED, "Microsoft Corporation", "Microsoft Code Signing PCA 2011",     \
			false                                                                      \
	}

struct signed_as {
	enum signature_state state;
	const char *signer, *issuer;
	bool system_eku;
	const char *root;
};

/* clang-format off */
static const struct {
	const char *name, *file, *claimed;
	enum image_format format;
	unsigned machine, subsystem;
	const char *internal, *original, *company;
	struct signed_as by; /* signer NULL and state UNCHECKED: none */
	bool asked;          /* of the signed catalogue */
	const char *told;    /* rules of findings above "info", and of ?indeterminate ones */
} cases[] = {
	{"genuine", "smss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 1, "smss.exe", "smss.exe.mui",
	 "Microsoft Corporation", RIGHT, false, ""},
	{"genuine, for ARM64", "SMSS.EXE", NULL, IMAGE_PE32_PLUS, 0xaa64, 1, "smss.exe",
	 "smss.exe", "Microsoft Corporation", RIGHT, false, ""},
	{"of a 32-bit Windows, catalogued there", "smss.exe", NULL, IMAGE_PE32, 0x14c, 1,
	 "smss.exe", "smss.exe", "Microsoft Corporation", {SIGNATURE_UNCHECKED}, false,
	 "?unsigned-image"},
	{"32-bit code in a 64-bit form", "smss.exe", NULL, IMAGE_PE32_PLUS, 0x14c, 1, "smss.exe",
	 "smss.exe", "Microsoft Corporation", RIGHT, false, "identity-mismatch"},
	{"a console program", "smss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 3, "smss.exe",
	 "smss.exe", "Microsoft Corporation", {SIGNATURE_UNCHECKED}, false,
	 "identity-mismatch unsigned-image"},
	{"a renamed product", "smss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 3, "pwsh", "pwsh.dll",
	 "Microsoft Corporation", PRODUCT, false, "identity-mismatch wrong-signer"},
	{"a product's signer on the rest right", "smss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 1,
	 "smss.exe", "smss.exe", "Microsoft Corporation", PRODUCT, false, "wrong-signer"},
	{"a root of Microsoft's not known here", "smss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 1,
	 "smss.exe", "smss.exe", "Microsoft Corporation", {SIGNATURE_UNKNOWN_ROOT,
	 "Microsoft Windows", "Windows Production PCA 2043", true,
	 "Microsoft Root Certificate Authority 2040"}, false, "?wrong-signer"},
	{"anybody's root", "smss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 1, "smss.exe", "smss.exe",
	 "Microsoft Corporation", {SIGNATURE_UNKNOWN_ROOT, "Microsoft Windows",
	 "Microsoft Windows Production PCA 2011", true, "Some Global Root"}, false,
	 "wrong-signer"},
	{"where it belongs", "x", "C:\\WINDOWS\\system32\\smss.exe", IMAGE_PE32_PLUS, 0x8664, 1,
	 "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT, false, ""},
	{"where it belongs, as the kernel says it", "x", "\\SystemRoot\\System32\\smss.exe",
	 IMAGE_PE32_PLUS, 0x8664, 1, "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT,
	 false, ""},
	{"where it belongs, by volume", "x",
	 "\\Device\\HarddiskVolume3\\Windows\\System32\\smss.exe", IMAGE_PE32_PLUS, 0x8664, 1,
	 "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT, false, ""},
	{"below a folder of that name", "x",
	 "\\Device\\HarddiskVolume3\\Temp\\Windows\\System32\\smss.exe", IMAGE_PE32_PLUS, 0x8664,
	 1, "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT, false, "wrong-path"},
	{"in another folder", "x", "C:\\Windows\\smss.exe", IMAGE_PE32_PLUS, 0x8664, 1,
	 "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT, false, "wrong-path"},
	{"a copy that servicing keeps", "x", "C:\\Windows\\WinSxS\\amd64_x\\smss.exe",
	 IMAGE_PE32_PLUS, 0x8664, 1, "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT,
	 false, ""},
	{"a shortened path", "x", "C:\\WINDOW~1\\System32\\smss.exe", IMAGE_PE32_PLUS, 0x8664, 1,
	 "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT, false, "?wrong-path"},
	{"under another name on its machine", "x", "C:\\Windows\\System32\\svc.exe",
	 IMAGE_PE32_PLUS, 0x8664, 1, "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT,
	 false, "identity-mismatch"},
	{"taken off its machine under another name", "4f2a.bin", NULL, IMAGE_PE32_PLUS, 0x8664,
	 1, "smss.exe", "smss.exe", "Microsoft Corporation", RIGHT, false, ""},
	{"its texts of a language", "smss.exe.mui", NULL, IMAGE_PE32, 0x14c, 2, "smss.exe",
	 "smss.exe.mui", "Microsoft Corporation", {SIGNATURE_UNCHECKED}, false,
	 "?unsigned-image"},
	{"something else", "notepad.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2, "Notepad",
	 "NOTEPAD.EXE", "Microsoft Corporation", {SIGNATURE_UNCHECKED}, false,
	 "?unsigned-image"},
	{"something else, signed as Windows is", "notepad.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2,
	 "Notepad", "NOTEPAD.EXE", "Microsoft Corporation", RIGHT, false, "?unsigned-image"},
	{"an honest neighbour", "Ssms.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2, "Ssms", "Ssms.exe",
	 "Microsoft Corporation", PRODUCT, false, "?unsigned-image"},
	{"something else, changed", "notepad.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2, "Notepad",
	 "NOTEPAD.EXE", "Microsoft Corporation", {SIGNATURE_MISMATCH, "Microsoft Windows"},
	 false, "unsigned-image"},
	{"a calculator named svchost.exe", "svchost.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2,
	 "CALC", "CALC.EXE", "Microsoft Corporation", {SIGNATURE_UNCHECKED}, false,
	 "identity-mismatch unsigned-image"},
	{"svchost.exe, catalogued there", "svchost.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2,
	 "svchost.exe", "svchost.exe.mui", "Microsoft Corporation", {SIGNATURE_UNCHECKED}, false,
	 "?unsigned-image"},
	{"svchost.exe, signed", "svchost.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2, "svchost.exe",
	 "svchost.exe.mui", "Microsoft Corporation", RIGHT, false, ""},
	{"svchost.exe, signed as a product", "svchost.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2,
	 "svchost.exe", "svchost.exe.mui", "Microsoft Corporation", PRODUCT, false, "wrong-signer"},
	{"a 32-bit svchost.exe", "x", "C:\\Windows\\SysWOW64\\svchost.exe", IMAGE_PE32, 0x14c, 2,
	 "svchost.exe", "svchost.exe.mui", "Microsoft Corporation", RIGHT, false, ""},
	{"a 32-bit lsass.exe", "x", "C:\\Windows\\SysWOW64\\lsass.exe", IMAGE_PE32, 0x14c, 2,
	 "lsass.exe", "lsass.exe", "Microsoft Corporation", RIGHT, false, "wrong-path"},
	{"lsm.exe elsewhere", "x", "D:\\lsm.exe", IMAGE_PE32, 0x14c, 2, "lsm.exe", "lsm.exe",
	 "Microsoft Corporation", RIGHT, false, "wrong-path"},
	{"a letter off", "snss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2, NULL, NULL, NULL,
	 {SIGNATURE_UNCHECKED}, false, "near-miss-name"},
	{"another letter", "\xd1\x95mss.exe", NULL, IMAGE_PE32_PLUS, 0x8664, 2, NULL, NULL, NULL,
	 {SIGNATURE_UNCHECKED}, false, "near-miss-name"},
	{"a DOS program", "smss.exe", NULL, IMAGE_OLD, 0, 0, NULL, NULL, NULL,
	 {SIGNATURE_UNCHECKED}, false, "identity-mismatch unsigned-image"},
	{"anybody's ELF program", "/usr/bin/true", NULL, IMAGE_ELF, 62, 0, NULL, NULL, NULL,
	 {SIGNATURE_UNCHECKED}, false, "?unsigned-image"},
	{"an ELF program that imitates", "/tmp/srnss", NULL, IMAGE_ELF, 62, 0, NULL, NULL, NULL,
	 {SIGNATURE_UNCHECKED}, false, "near-miss-name"},
	{"ours, no ELF program", "/usr/lib/smss/rescue", NULL, IMAGE_UNKNOWN, 0, 0, NULL, NULL,
	 NULL, {SIGNATURE_MISMATCH}, true, "unsigned-image"},
	{"ours, nobody to be asked", "/usr/lib/smss/csrss", NULL, IMAGE_ELF, 62, 0, NULL, NULL,
	 NULL, {SIGNATURE_NONE}, false, "?unsigned-image"},
	{"ours, in the catalogue", "/usr/lib/smss/csrss", NULL, IMAGE_ELF, 62, 0, NULL, NULL,
	 NULL, {SIGNATURE_CATALOGUED}, true, ""},
	{"ours, not in it", "/usr/lib/smss/csrss", NULL, IMAGE_ELF, 62, 0, NULL, NULL, NULL,
	 {SIGNATURE_NONE}, true, "unsigned-image"},
	{"ours, changed", "/usr/lib/smss/csrss", NULL, IMAGE_ELF, 62, 0, NULL, NULL, NULL,
	 {SIGNATURE_MISMATCH}, true, "unsigned-image"},
};
/* clang-format on */

static struct image_fact fact_of(size_t i)
{
	struct image_fact f = image_fact_none();

	f.place.file = cases[i].file;
	f.claimed_path = cases[i].claimed;
	f.format = cases[i].format;
	f.machine = (uint16_t)cases[i].machine;
	f.subsystem = (uint16_t)cases[i].subsystem;
	f.sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	f.internal_name = cases[i].internal;
	f.original_name = cases[i].original;
	f.company = cases[i].company;
	f.ours = !strncmp(cases[i].file, "/usr/lib/smss/", 14);
	f.catalogue_asked = cases[i].asked;
	f.signatures = cases[i].by.state != SIGNATURE_UNCHECKED;
	f.signature[0] = (struct image_signature){.state = cases[i].by.state,
						  .signer = cases[i].by.signer,
						  .issuer = cases[i].by.issuer,
						  .root = cases[i].by.root,
						  .system_eku = cases[i].by.system_eku,
						  .stamped_ns = NO_TIME};
	return f;
}

/* The rules that were told, each once, in the order of their ids; "?" before an open one. */
static void rules_told(const char *lines, char *ret, size_t cap)
{
	size_t n = 0;

	ret[0] = 0;
	for (unsigned i = 0; i < INDICATOR_COUNT; i++) {
		char rule[64];

		(void)snprintf(rule, sizeof(rule), "\"rule\":\"%s\"", indicators[i].id);
		for (const char *at = lines; (at = strstr(at, rule)); at++) {
			size_t line = strcspn(at, "\n");
			const char *open = strstr(at, "\"verdict\":\"indeterminate\"");

			n += (size_t)snprintf(ret + n, cap - n, "%s%s%s", n ? " " : "",
					      open && open < at + line ? "?" : "",
					      indicators[i].id);
			break;
		}
	}
}

static int by_id(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Words in an order of their own, so that the table may have them in any. */
static void sort_words(char *text)
{
	char *words[8], copy[256], *at = copy, *word;
	size_t n = 0, len = 0;

	(void)snprintf(copy, sizeof(copy), "%s", text);
	while (n < 8 && (word = strsep(&at, " ")))
		if (*word)
			words[n++] = word;
	qsort(words, n, sizeof(*words), by_id);
	text[0] = 0;
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(text + len, 256 - len, "%s%s", i ? " " : "", words[i]);
}

static void test_judge(void **state)
{
	unsigned named = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct image_fact f = fact_of(i);
		char *lines = NULL, told[256], want[256];
		size_t n = 0;
		FILE *to = open_memstream(&lines, &n);
		struct report *r = report_new(to, REPORT_NDJSON, false, false);

		assert_non_null(to);
		judge_image(r, &f);
		report_free(r);
		assert_int_equal(fclose(to), 0);
		rules_told(lines, told, sizeof(told));
		(void)snprintf(want, sizeof(want), "%s", cases[i].told);
		sort_words(told);
		sort_words(want);
		if (strcmp(told, want))
			print_error("%s: told \"%s\", wanted \"%s\"\n%s\n", cases[i].name, told,
				    want, lines);
		assert_string_equal(told, want);
		if (!strcmp(cases[i].told, "wrong-signer")) { /* evidence as report.h names it */
			assert_non_null(strstr(lines, "\"internal-name\":\""));
			assert_non_null(strstr(lines, "\"original-name\":\""));
			named++;
		}
		free(lines);
	}
	assert_true(named > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
