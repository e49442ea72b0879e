/* SPDX-License-Identifier: MIT */
/*
 * fuzz_registry_plan.c - any registry, said as .reg text: its plan and queue are always whole
 */
#include <errno.h>
#include <stdlib.h>

#include "registry/plan_make.h"
#include "registry/reg_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct reg_errors errors;
	struct reg_tree t, scratch;
	struct remarks remarks = {.arena = &scratch.arena};
	struct plan_source from = {.tree = &t, .set = 1, .hive_path = "/etc/smss/SYSTEM"};
	struct plan_made made = {0};

	if (tree_start(&t) < 0 || tree_start(&scratch) < 0)
		abort();
	(void)reg_text_read((const char *)data, n, &t, &errors); /* half a file is a registry too */
	if (plan_make(&from, &remarks, &made) == 0) {
		if (plan_check(made.plan, made.plan_n, PLAN_MAGIC, NULL) < 0 ||
		    plan_check(made.queue, made.queue_n, QUEUE_MAGIC, NULL) < 0)
			abort();
		plan_made_free(&made);
	}
	tree_free(&t);
	tree_free(&scratch);
	return 0;
}
