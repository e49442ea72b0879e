/* SPDX-License-Identifier: MIT */
/*
 * fuzz_pe.c - any PE image: no crash, no hang, and what is told stays inside of what was given
 *
 * The first byte chooses: an image as a whole, or the bytes of a version resource by themselves, so
 * that those are reached without a tree that leads there. Promises: the covered ranges are in order
 * and inside, slack is no more than the table, texts are ended, and nothing that was not signed by
 * a key known here is ever trusted (no input can hold such a signature over itself but the kept
 * ones, and those are under a root of the tests).
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "smaudit/authenticode.h"
#include "smaudit/pe.h"

#define A_YEAR_OF_OURS 1780000000 /* 2026-05: the kept certificates are in their time */

static void try_text(const char *text, size_t cap)
{
	HOLDS(memchr(text, 0, cap));
	touch(text, strlen(text));
}

static void try_version(const struct pe_version *v)
{
	try_text(v->file_version, PE_TEXT_MAX);
	try_text(v->product_version, PE_TEXT_MAX);
	try_text(v->original_name, PE_TEXT_MAX);
	try_text(v->internal_name, PE_TEXT_MAX);
	try_text(v->company, PE_TEXT_MAX);
	try_text(v->product, PE_TEXT_MAX);
	try_text(v->description, PE_TEXT_MAX);
}

static void try_signatures(const struct image_source *s, const struct pe *p)
{
	static struct authenticode a;

	HOLDS(authenticode_read(s, p, A_YEAR_OF_OURS, &a) == 0);
	HOLDS(a.signatures <= IMAGE_SIGNATURES_MAX && a.slack_bytes <= p->certificates_bytes);
	for (unsigned i = 0; i < a.signatures; i++) {
		const struct image_signature *g = &a.signature[i];

		HOLDS(g->state != SIGNATURE_TRUSTED && g->state != SIGNATURE_EXPIRED);
		HOLDS(g->state != SIGNATURE_UNCHECKED && g->why && !g->microsoft_root);
		if (g->signer)
			try_text(g->signer, CERTIFICATE_NAME_MAX);
		if (g->root)
			try_text(g->root, CERTIFICATE_NAME_MAX);
	}
}

static void try_image(const uint8_t *bytes, size_t n)
{
	struct image_source s = {.fd = -1, .memory = bytes, .bytes = n};
	struct pe_range range[PE_RANGES_MAX];
	struct pe_version v;
	struct pe p;
	unsigned ranges;
	uint64_t at = 0;
	int r = pe_open(&s, &p);

	HOLDS(r == 0 || r == -ENOEXEC);
	if (r < 0)
		return;
	HOLDS(p.sections <= PE_SECTIONS_MAX && p.overlay_bytes <= n);
	ranges = pe_covered(&p, &s, range);
	for (unsigned i = 0; i < ranges; i++) {
		HOLDS(range[i].from >= at && range[i].from < range[i].to && range[i].to <= n);
		at = range[i].to;
	}
	r = pe_version_read(&s, &p, &v);
	HOLDS(r == 0 || r == -ENOENT);
	try_version(&v);
	if (p.format == IMAGE_PE32 || p.format == IMAGE_PE32_PLUS)
		try_signatures(&s, &p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *bytes;

	if (!n)
		return 0;
	bytes = malloc(n);
	HOLDS(bytes);
	memcpy(bytes, data, n);
	if (bytes[0] == 'M') {
		try_image(bytes, n);
	} else {
		struct pe_version v = {0};
		uint8_t *block = malloc(n - 1 ? n - 1 : 1);

		HOLDS(block);
		memcpy(block, bytes + 1, n - 1);
		(void)pe_version_parse(block, n - 1, &v);
		try_version(&v);
		free(block);
	}
	free(bytes);
	return 0;
}
