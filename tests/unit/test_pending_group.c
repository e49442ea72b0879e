/* SPDX-License-Identifier: MIT */
/*
 * test_pending_group.c - libsm's queue as a program uses it: what it refuses, tells and queues
 *
 * Works on a real tree in a temporary directory, as a mounted system.
 */
#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "sm.h"

struct machine {
	char root[64];
	struct sm_queue *q;
};

static void put(const struct machine *m, const char *path, const char *text)
{
	char whole[256];
	FILE *f;

	(void)snprintf(whole, sizeof(whole), "%s%s", m->root, path);
	f = fopen(whole, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void is(const struct machine *m, const char *path, const char *text)
{
	char whole[256], room[64] = "";
	FILE *f;

	(void)snprintf(whole, sizeof(whole), "%s%s", m->root, path);
	f = fopen(whole, "re");
	if (!text) {
		assert_null(f);
		return;
	}
	assert_non_null(f);
	assert_non_null(fgets(room, sizeof(room), f));
	assert_int_equal(fclose(f), 0);
	assert_string_equal(room, text);
}

static int setup(void **state)
{
	static struct machine m;

	(void)snprintf(m.root, sizeof(m.root), "/tmp/smss-queue.XXXXXX");
	assert_non_null(mkdtemp(m.root));
	put(&m, "/a", "a");
	put(&m, "/b", "b");
	assert_int_equal(sm_queue_open(m.root, NULL, NULL, &m.q), 0);
	*state = &m;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	struct machine *m = *state;

	sm_queue_close(m->q);
	return nftw(m->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void paths_have_a_form(void **state)
{
	static const char *const bad[] = {"", "a", "./a", "/a/..", "/./a", "/", "//"};
	struct machine *m = *state;
	struct sm_group *g;

	assert_int_equal(sm_group_new(m->q, NULL, NULL, 0, &g), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_true(sm_group_move(g, bad[i], "/x", 0) < 0);
		assert_true(sm_group_move(g, "/a", bad[i], 0) < 0);
		assert_true(sm_group_delete(g, bad[i], 0) < 0);
	}
	assert_true(sm_group_move(g, "/a", "//a", 0) < 0);
	assert_int_equal(sm_group_move(g, "/a", "/x", SM_OP_OPTIONAL), -EINVAL);
	assert_int_equal(sm_group_queue(g, NULL, &(uint32_t){0}), -EINVAL);
	sm_group_free(g);
}

static void count_problem(void *arg, const struct sm_problem *p)
{
	uint32_t *seen = arg;

	assert_true(p->operation < 4);
	assert_true(p->reason < 0 && *sm_reason_text(p->reason));
	*seen |= 1u << p->operation;
}

static void every_problem_is_told(void **state)
{
	struct machine *m = *state;
	uint32_t seen = 0, id = 0, cursor = 0;
	const struct sm_watch watch = {.problem = count_problem, .arg = &seen};
	struct sm_group_row row;
	struct sm_group *g;

	assert_int_equal(sm_group_new(m->q, "n", "r", 0, &g), 0);
	assert_int_equal(sm_group_move(g, "/missing", "/x", 0), 0);
	assert_int_equal(sm_group_move(g, "/a", "/b", 0), 0);
	assert_int_equal(sm_group_delete(g, "/nothing/there", 0), 0);
	assert_int_equal(sm_group_delete(g, "/never", SM_OP_OPTIONAL), 0);
	assert_int_equal(sm_group_queue(g, &watch, &id), 3);
	assert_int_equal(seen, 7);
	assert_int_equal(id, 0);
	assert_int_equal(sm_group_next(m->q, &cursor, &row), 0);
	sm_group_free(g);
}

static void queued_applied_undone(void **state)
{
	struct machine *m = *state;
	uint32_t id, back, cursor = 0;
	struct sm_group_event e;
	struct sm_group_row row;
	struct sm_operation o;
	struct sm_group *g;

	assert_int_equal(sm_group_new(m->q, "swap", "why", 0, &g), 0);
	assert_int_equal(sm_group_move(g, "/a", "/t", 0), 0);
	assert_int_equal(sm_group_move(g, "/b", "/a", 0), 0);
	assert_int_equal(sm_group_move(g, "/t", "/b", 0), 0);
	assert_int_equal(sm_group_queue(g, NULL, &id), 0);
	sm_group_free(g);
	assert_int_equal(sm_group_open(m->q, id, &g), 0);
	assert_int_equal(sm_group_operation(g, 1, &o), 1);
	assert_string_equal(o.from, "/b");
	assert_string_equal(o.to, "/a");
	assert_non_null(o.sha256);
	assert_int_equal(sm_group_operation(g, 3, &o), 0);
	sm_group_free(g);
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 0);
	is(m, "/a", "b");
	is(m, "/b", "a");
	is(m, "/t", NULL);
	assert_int_equal(sm_group_cancel(m->q, id), -EALREADY);
	assert_int_equal(sm_group_history(m->q, id, &cursor, &e), 1);
	assert_string_equal(e.event, "begun");
	assert_int_equal(sm_group_undo(m->q, id, NULL, &back), 0);
	assert_int_equal(sm_group_undo(m->q, id, NULL, &back), -EALREADY);
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 0);
	is(m, "/a", "a");
	is(m, "/b", "b");
	cursor = 0;
	assert_int_equal(sm_group_next(m->q, &cursor, &row), 1);
	assert_int_equal(row.state, SM_GROUP_REVERTED);
	assert_string_equal(row.text, "why");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths_have_a_form, setup, teardown),
		cmocka_unit_test_setup_teardown(every_problem_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(queued_applied_undone, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
