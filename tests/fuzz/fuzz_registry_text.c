/* SPDX-License-Identifier: MIT */
/*
 * fuzz_registry_text.c - any bytes as a .reg file: no crash, and what was read writes back the same
 */
#include <stdlib.h>
#include <string.h>

#include "registry/reg_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct reg_errors errors;
	struct reg_buffer once = {0}, twice = {0};
	struct reg_tree t, back;

	if (tree_start(&t) < 0 || tree_start(&back) < 0)
		abort();
	if (reg_text_read((const char *)data, n, &t, &errors) == 0) {
		reg_text_header(&once);
		reg_text_add_tree(&once, t.root);
		if (reg_text_read(once.bytes, once.len, &back, &errors) < 0)
			abort();
		reg_text_header(&twice);
		reg_text_add_tree(&twice, back.root);
		if (once.len != twice.len || memcmp(once.bytes, twice.bytes, once.len) != 0)
			abort();
	}
	free(once.bytes);
	free(twice.bytes);
	tree_free(&t);
	tree_free(&back);
	return 0;
}
