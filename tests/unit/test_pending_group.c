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

struct told { /* the last problem, and how many */
	unsigned count;
	struct sm_problem last;
	char path[SM_GROUP_PATH_BYTES];
};

static void keep_problem(void *arg, const struct sm_problem *p)
{
	struct told *t = arg;

	t->count++;
	t->last = *p;
	(void)snprintf(t->path, sizeof(t->path), "%s", p->path);
}

static void queue_move(const struct machine *m, const char *from, const char *to, unsigned flags,
		       uint32_t *ret)
{
	struct sm_group *g;

	assert_int_equal(sm_group_new(m->q, NULL, NULL, 0, &g), 0);
	assert_int_equal(sm_group_move(g, from, to, flags), 0);
	assert_int_equal(sm_group_queue(g, NULL, ret), 0);
	sm_group_free(g);
}

static void a_mistake_is_told_once(void **state)
{
	struct machine *m = *state;
	struct told t = {0};
	const struct sm_watch watch = {.problem = keep_problem, .arg = &t};
	struct sm_group *g;
	uint32_t id;

	assert_int_equal(sm_group_new(m->q, NULL, NULL, 0, &g), 0);
	assert_int_equal(sm_group_move(g, "/a", "/d", 0), 0);
	assert_int_equal(sm_group_move(g, "/d/x", "/b", 0), 0); /* nor is it there, and /b is */
	assert_int_equal(sm_group_move(g, "/b", "/c", 0), 0);
	assert_int_equal(sm_group_check(g, &watch), 1);
	assert_int_equal(t.last.operation, 1);
	assert_string_equal(t.path, "/d/x");
	assert_string_equal(sm_reason_word(t.last.reason), "through");
	assert_int_equal(t.last.group, 0);
	sm_group_free(g);

	/* what is not there is not there for those after it either: that is no mistake of theirs */
	assert_int_equal(sm_group_new(m->q, NULL, NULL, 0, &g), 0);
	assert_int_equal(sm_group_move(g, "/missing", "/x", 0), 0);
	assert_int_equal(sm_group_move(g, "/x", "/y", 0), 0);
	assert_int_equal(sm_group_check(g, &watch), 1);
	assert_int_equal(t.last.operation, 0);
	assert_string_equal(sm_reason_word(t.last.reason), "missing");
	sm_group_free(g);

	queue_move(m, "/a", "/d", 0, &id);
	assert_int_equal(sm_group_new(m->q, NULL, NULL, 0, &g), 0);
	assert_int_equal(sm_group_move(g, "/d/x", "/b", 0), 0);
	assert_int_equal(sm_group_check(g, &watch), 1);
	assert_string_equal(sm_reason_word(t.last.reason), "earlier-through");
	assert_int_equal(t.last.group, id);
	sm_group_free(g);
	assert_int_equal(sm_group_new(m->q, NULL, NULL, 0, &g), 0);
	assert_int_equal(sm_group_delete(g, "/d", 0), 0);
	assert_int_equal(sm_group_queue(g, &watch, &id), 1);
	assert_string_equal(sm_reason_word(t.last.reason), "earlier");
	assert_int_equal(t.last.group, 1);
	sm_group_free(g);
}

static int check_group(const struct machine *m, uint32_t id, struct told *t)
{
	const struct sm_watch watch = {.problem = keep_problem, .arg = t};
	struct sm_group *g;
	int r;

	*t = (struct told){0};
	assert_int_equal(sm_group_open(m->q, id, &g), 0);
	r = sm_group_check(g, &watch);
	sm_group_free(g);
	assert_true(r < 0 || (unsigned)r == t->count);
	return r;
}

static void move_file(const struct machine *m, const char *from, const char *to)
{
	char whole[2][256];

	(void)snprintf(whole[0], sizeof(whole[0]), "%s%s", m->root, from);
	(void)snprintf(whole[1], sizeof(whole[1]), "%s%s", m->root, to);
	assert_int_equal(rename(whole[0], whole[1]), 0);
}

static void an_undo_is_checked(void **state)
{
	struct machine *m = *state;
	struct sm_queue *other;
	uint32_t id, undo;
	struct told t;

	queue_move(m, "/a", "/b", SM_OP_REPLACE, &id);
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 0);
	assert_int_equal(sm_group_undo(m->q, id, NULL, &undo), 0);
	assert_int_equal(check_group(m, undo, &t), 0);

	put(m, "/a", "another's"); /* in the way of what comes back */
	assert_int_equal(check_group(m, undo, &t), 1);
	assert_string_equal(sm_reason_word(t.last.reason), "identity");
	assert_string_equal(t.path, "/a");
	assert_int_equal(t.last.group, id);
	assert_int_equal(t.last.operation, 0);
	move_file(m, "/a", "/elsewhere");

	move_file(m, "/b", "/away"); /* the file that was moved there stands there no more */
	assert_int_equal(check_group(m, undo, &t), 1);
	assert_string_equal(t.path, "/b");
	move_file(m, "/away", "/b");

	assert_int_equal(check_group(m, undo, &t), 0); /* and looking has changed nothing */
	assert_int_equal(sm_queue_open(m->root, NULL, NULL, &other), 0);
	assert_int_equal(sm_queue_apply(other, false, NULL, NULL), 0);
	sm_queue_close(other);
	is(m, "/a", "a");
	is(m, "/b", "b");
	assert_string_equal(sm_reason_word(sm_group_undo(m->q, undo, NULL, &undo)), "undo");
}

/* Two groups over one file are undone in one boot: the first undo makes the second one possible. */
static void undos_in_a_row_are_checked_together(void **state)
{
	struct machine *m = *state;
	uint32_t first, second, late, early;
	struct told t;

	queue_move(m, "/a", "/t", 0, &first);
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 0);
	queue_move(m, "/b", "/t", SM_OP_REPLACE, &second);
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 0);
	assert_int_equal(sm_group_undo(m->q, second, NULL, &late), 0);
	assert_int_equal(sm_group_undo(m->q, first, NULL, &early), 0);
	assert_int_equal(check_group(m, late, &t), 0);
	assert_int_equal(check_group(m, early, &t), 0);
	assert_int_equal(sm_group_cancel(m->q, late), 0);
	assert_true(check_group(m, early, &t) > 0);
}

static void row_of(const struct machine *m, uint32_t id, struct sm_group_row *ret)
{
	uint32_t cursor = id - 1;

	assert_int_equal(sm_group_next(m->q, &cursor, ret), 1);
	assert_int_equal(ret->group, id);
}

static void a_refusal_names_its_path(void **state)
{
	struct machine *m = *state;
	struct sm_group_event e;
	struct sm_group_row row;
	uint32_t id, cursor = 0;

	queue_move(m, "/a", "/x", 0, &id);
	put(m, "/x", "in the way");
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 1);
	row_of(m, id, &row);
	assert_int_equal(row.state, SM_GROUP_REFUSED);
	assert_string_equal(sm_reason_word(row.reason), "exists");
	assert_string_equal(row.path, "/x");
	assert_int_equal(sm_group_history(m->q, id, &cursor, &e), 1);
	assert_string_equal(e.path, "/x");

	move_file(m, "/a", "/gone");
	move_file(m, "/x", "/gone2");
	assert_int_equal(sm_group_retry(m->q, id), 0);
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 1);
	row_of(m, id, &row);
	assert_string_equal(sm_reason_word(row.reason), "missing");
	assert_string_equal(row.path, "/a");
}

static void what_is_kept_and_put_aside_is_told(void **state)
{
	const struct sm_keep none = {.bytes = 0};
	struct machine *m = *state;
	struct sm_group_row row;
	struct sm_purged done;
	struct sm_aside aside;
	uint32_t id, cursor = 0;
	uint64_t bytes;
	char at[SM_GROUP_PATH_BYTES + 260];

	queue_move(m, "/a", "/b", SM_OP_REPLACE, &id);
	assert_int_equal(sm_queue_apply(m->q, false, NULL, NULL), 0);
	assert_int_equal(sm_group_kept(m->q, id, &bytes), 0);
	assert_int_equal(bytes, 4096);
	assert_int_equal(sm_group_aside_next(m->q, id, &cursor, &aside), 0);
	row_of(m, id, &row);
	assert_false(row.accepted);
	assert_int_equal(sm_queue_purge(m->q, &none, &done), 0);
	assert_int_equal(done.groups, 0);
	assert_int_equal(done.unaccepted, 1);

	put(m, "/a", "another's");
	assert_int_equal(sm_queue_apply(m->q, true, NULL, NULL), 0);
	is(m, "/a", "a");
	is(m, "/b", "b");
	row_of(m, id, &row);
	assert_int_equal(row.foreign, 1);
	assert_int_equal(sm_group_aside_next(m->q, id, &cursor, &aside), 1);
	(void)snprintf(at, sizeof(at), "%s/%s", aside.directory, aside.name);
	is(m, at, "another's");
	assert_int_equal(sm_group_aside_next(m->q, id, &cursor, &aside), 0);
	assert_int_equal(sm_group_kept(m->q, 77, &bytes), -ENOENT);
}

static void a_word_for_every_reason(void **state)
{
	assert_string_equal(sm_reason_word(0), "");
	assert_string_equal(sm_reason_word(1), "other");
	for (int r = -4600; r < 0; r++) {
		const char *word = sm_reason_word(r);

		assert_true(*word && *sm_reason_text(r));
		assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz-"), strlen(word));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths_have_a_form, setup, teardown),
		cmocka_unit_test_setup_teardown(every_problem_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(queued_applied_undone, setup, teardown),
		cmocka_unit_test_setup_teardown(a_mistake_is_told_once, setup, teardown),
		cmocka_unit_test_setup_teardown(an_undo_is_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(undos_in_a_row_are_checked_together, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_refusal_names_its_path, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_kept_and_put_aside_is_told, setup,
						teardown),
		cmocka_unit_test(a_word_for_every_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
