/* SPDX-License-Identifier: MIT */
/*
 * fuzz_reg.c - any bytes as a .reg file: no crash, named errors, and what was read writes back
 *
 * Promises: an error has a line, a column and words; what was read is written as plain text, as
 * readable text and as UTF-16, and each reads back to the same tree, bytes and order; nothing that
 * came in as text is left out on the way back; and any registry gives a whole plan and queue.
 */
#include <errno.h>
#include <string.h>

#include "fuzz.h"
#include "registry/plan_make.h"
#include "registry/reg_text.h"
#include "trees.h"

static struct reg_errors errors;

static void try_form(const struct reg_tree *t, bool readable, bool wide)
{
	struct reg_buffer b = {.readable = readable};
	struct reg_tree back;

	HOLDS(tree_start(&back) == 0);
	reg_text_header(&b);
	reg_text_add_tree(&b, t->root);
	HOLDS(!b.failed && !b.faults);
	if (wide)
		reg_buffer_to_utf16(&b);
	HOLDS(!b.failed);
	HOLDS(reg_text_read(b.bytes, b.len, &back, &errors) == 0 && !errors.count);
	HOLDS(same_tree(t->root, back.root, true));
	free(b.bytes);
	tree_free(&back);
}

static void try_plan(const struct reg_tree *t)
{
	struct reg_tree scratch;
	struct remarks remarks = {.arena = &scratch.arena};
	struct plan_source from = {.tree = t, .set = 1, .hive_path = "/etc/smss/SYSTEM"};
	struct plan_made made = {0};

	HOLDS(tree_start(&scratch) == 0);
	if (plan_make(&from, &remarks, &made) == 0) {
		HOLDS(plan_check(made.plan, made.plan_n, PLAN_MAGIC, NULL) == 0);
		HOLDS(plan_check(made.queue, made.queue_n, QUEUE_MAGIC, NULL) == 0);
		plan_made_free(&made);
	}
	plan_names(&from, &remarks);
	for (size_t i = 0; i < remarks.count; i++) {
		HOLDS(remark_word(remarks.at[i].kind));
		touch(remarks.at[i].path, strlen(remarks.at[i].path) + 1);
		touch(remarks.at[i].text, strlen(remarks.at[i].text) + 1);
	}
	tree_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct reg_tree t;
	int r;

	HOLDS(tree_start(&t) == 0);
	errors.count = 0;
	r = reg_text_read((const char *)data, n, &t, &errors);
	HOLDS(errors.count <= REG_ERRORS_MAX && (r == 0) == !errors.count);
	for (unsigned i = 0; i < errors.count; i++)
		HOLDS(errors.at[i].line && errors.at[i].column && errors.at[i].text[0] &&
		      memchr(errors.at[i].text, 0, sizeof(errors.at[i].text)));
	if (r == 0) {
		try_form(&t, false, false);
		try_form(&t, true, false);
		try_form(&t, false, true);
	}
	try_plan(&t); /* half a file is a registry too */
	tree_free(&t);
	return 0;
}
