/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hive.c - any hive with any logs: no crash, no hang, and what was read is whole and said
 *
 * Promises: what is not whole says so, with a name; a plan made of any hive is a whole plan; a tree
 * that was read is built, and written as text, to the same tree, or refused with a reason. The
 * mutator aims at the records: offsets that point at other cells, sizes one off, and leaves lengths
 * alone, since moving a hive's bytes only breaks it in one way.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "regf.h"
#include "registry/hive.h"
#include "registry/plan_make.h"
#include "registry/reg_text.h"
#include "trees.h"

/* A file larger than that is not read whole. */
#define LARGE ((1u << 20) + 8192u)

static int file_of(int *kept, const uint8_t *bytes, size_t n, size_t more)
{
	if (*kept < 0)
		*kept = memfd_create("fuzz", MFD_CLOEXEC);
	HOLDS(*kept >= 0 && ftruncate(*kept, 0) == 0);
	HOLDS(pwrite(*kept, bytes, n, 0) == (ssize_t)n);
	HOLDS(!more || ftruncate(*kept, (off_t)(n + more)) == 0);
	HOLDS(lseek(*kept, 0, SEEK_SET) == 0);
	return *kept;
}

static void try_plan(struct hive *h)
{
	struct reg_tree t;
	struct remarks remarks = {0};
	static const uint8_t none[SHA256_BYTES];
	struct plan_source from = {.tree = &t, .hive_path = "/etc/smss/SYSTEM", .sha256 = none};
	struct plan_made made = {0};
	char room[256] = "";
	struct text why = TEXT_ON(room);

	HOLDS(tree_start(&t) == 0);
	remarks.arena = &t.arena;
	if (plan_load(h, &t, &from.set, &why) == 0) {
		from.facts = hive_facts(h);
		if (from.facts->bytes < LARGE) /* it takes its time */
			from.sha256 = hive_sha256(h);
		if (plan_make(&from, &remarks, &made) == 0) {
			HOLDS(plan_check(made.plan, made.plan_n, PLAN_MAGIC, NULL) == 0);
			HOLDS(plan_check(made.queue, made.queue_n, QUEUE_MAGIC, NULL) == 0);
			plan_made_free(&made);
		}
		plan_load_names(h, from.set, &t);
		plan_names(&from, &remarks);
	} else {
		HOLDS(room[0]);
	}
	tree_free(&t);
}

static void try_build(const struct reg_tree *t)
{
	static int kept = -1;
	struct hive_source from = HIVE_SOURCE_NONE;
	struct hive_stamp stamp = {.sequence = 7, .filetime = 0x01D295059E68E89E};
	struct hive *h = NULL;
	struct reg_tree back;
	uint8_t *bytes = NULL;
	size_t n = 0;
	char room[256] = "";
	struct text why = TEXT_ON(room);

	if (hive_build(t, stamp, &bytes, &n, &why) < 0)
		return;
	from.fd = file_of(&kept, bytes, n, 0);
	HOLDS(hive_open(&from, 0, &h, &why) == 0);
	HOLDS(!*hive_said(h) && tree_start(&back) == 0);
	HOLDS(hive_load(h, "", HIVE_ALL, &back) == 0 && hive_damage(h, NULL) == 0);
	HOLDS(same_tree(t->root, back.root, false));
	tree_free(&back);
	hive_close(h);
	free(bytes);
}

static void try_text(const struct reg_tree *t)
{
	static struct reg_errors errors;
	struct reg_buffer b = {0};
	struct reg_tree back;

	HOLDS(tree_start(&back) == 0);
	reg_text_header(&b);
	reg_text_add_tree(&b, t->root);
	HOLDS(!b.failed);
	if (reg_text_read(b.bytes, b.len, &back, &errors) == 0 && !b.faults)
		HOLDS(same_tree(t->root, back.root, true));
	else
		HOLDS(b.faults || errors.count);
	free(b.bytes);
	tree_free(&back);
}

static void try_hive(const struct hive_source *from, unsigned flags, unsigned tries)
{
	struct hive *h = NULL;
	struct reg_tree t;
	char room[256] = "";
	struct text why = TEXT_ON(room);
	const char *first = NULL;
	int r = hive_open(from, flags, &h, &why);

	if (r < 0) {
		HOLDS(room[0] || r == -ENOMEM);
		return;
	}
	HOLDS(tree_start(&t) == 0);
	r = hive_load(h, "", HIVE_ALL, &t);
	HOLDS(r == 0 || r == -E2BIG || r == -EIO);
	if (hive_damage(h, &first))
		HOLDS(first && *first && hive_degraded(h));
	if (hive_degraded(h))
		HOLDS(*hive_said(h));
	try_plan(h);
	if (r == 0 && tries & CASE_BUILD && t.keys < 2000)
		try_build(&t);
	if (r == 0 && tries & CASE_TEXT && t.values < 20000)
		try_text(&t);
	touch(hive_said(h), strlen(hive_said(h)));
	tree_free(&t);
	hive_close(h);
}

/* A dirty hive is hashed, and a megabyte takes its time: only clean ones are made large. */
static size_t padding(const struct regf_case *c)
{
	return c->tries & CASE_LARGE && c->hive_n >= 12 && !memcmp(c->hive + 4, c->hive + 8, 4)
		       ? LARGE
		       : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int kept = -1, kept_log[CASE_LOGS] = {-1, -1, -1};
	struct hive_source from = HIVE_SOURCE_NONE;
	uint8_t *bytes = malloc(n ? n : 1);
	struct regf_case c;
	unsigned flags;

	HOLDS(bytes);
	memcpy(bytes, data, n);
	if (regf_split(bytes, n, &c)) {
		regf_fix(&c);
		from.fd = file_of(&kept, c.hive, c.hive_n, padding(&c));
		for (unsigned i = 0; i < CASE_LOGS; i++)
			if (c.log[i])
				from.log_fd[i] = file_of(&kept_log[i], c.log[i], c.log_n[i], 0);
		flags = (c.tries & CASE_SALVAGE ? HIVE_SALVAGE : 0) |
			(c.tries & CASE_NO_LOGS ? HIVE_NO_LOGS : 0);
		try_hive(&from, flags, c.tries);
	}
	free(bytes);
	return 0;
}
