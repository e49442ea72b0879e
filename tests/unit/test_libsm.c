/* SPDX-License-Identifier: MIT */
/*
 * test_libsm.c - libsm itself: events between answers, deadlines, cursors, statuses
 *
 * What smctl's tests do not reach: the promises of include/sm.h to programs that stay connected.
 */
#include "sm.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smctl_master.h"
#include "sys/sys.h"

static int setup(void **state)
{
	*state = fake_new();
	return 0;
}

static int teardown(void **state)
{
	fake_stop(*state);
	return 0;
}

static struct sm_connection *connected(struct fake *f)
{
	struct sm_connection *c = NULL;

	fake_start(f);
	assert_int_equal(sm_open(f->path, &c), 0);
	return c;
}

static void open_tells_what_is_wrong(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = NULL;
	char longer[300];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_int_equal(sm_open(f->path, &c), -ENOENT);
	assert_int_equal(sm_open(longer, &c), -ENAMETOOLONG);
	f->refuse[SM_HELLO] = SM_REVISION_MISMATCH;
	fake_start(f);
	assert_int_equal(sm_open(f->path, &c), -EPROTO);
	f->refuse[SM_HELLO] = SM_INSUFFICIENT_RESOURCES;
	assert_int_equal(sm_open(f->path, &c), -EBUSY);
	f->manner = FAKE_GARBAGE;
	assert_int_equal(sm_open(f->path, &c), -EPROTO);
	f->manner = FAKE_SHUT;
	assert_int_equal(sm_open(f->path, &c), -EBUSY);
	assert_null(c);
	sm_close(c);
}

static void a_connection_is_close_on_exec_and_knows_its_peer(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);

	assert_true(fcntl(sm_fd(c), F_GETFD) & FD_CLOEXEC);
	assert_int_equal(sm_master_pid(c), f->pid);
	assert_true(sm_same_pids(c));
	sm_close(c);
	f->manner = FAKE_OTHER_PID;
	assert_int_equal(sm_open(f->path, &c), 0);
	assert_false(sm_same_pids(c));
	sm_close(c);
}

static void no_answer_is_a_timeout_and_the_connection_stays_usable(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_machine m = {.attempts = 77};
	uint64_t start_ns;

	assert_int_equal(sm_set_timeout(c, 0), -EINVAL);
	assert_int_equal(sm_set_timeout(c, 100), 0);
	f->manner = FAKE_MUTE;
	start_ns = sys_now_ns();
	assert_int_equal(sm_status(c, &m), -ETIMEDOUT);
	assert_in_range((sys_now_ns() - start_ns) / 1000000u, 90, 2000);
	assert_int_equal(m.attempts, 77);
	f->manner = FAKE_GOOD;
	assert_int_equal(sm_set_timeout(c, 5000), 0);
	assert_int_equal(sm_status(c, &m), 0);
	assert_int_equal(m.attempts, 1);
	sm_close(c);
}

static void what_is_no_message_breaks_the_connection_for_good(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_machine m;

	f->manner = FAKE_GARBAGE;
	assert_int_equal(sm_status(c, &m), -EPROTO);
	f->manner = FAKE_GOOD;
	assert_int_equal(sm_status(c, &m), -EPROTO);
	sm_close(c);
}

static void rows_come_by_cursor_and_end_with_zero(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_session s;
	struct sm_process p;
	struct sm_boot_entry e;
	uint32_t cursor = 0;

	assert_int_equal(sm_session_next(c, &cursor, &s), 1);
	assert_int_equal(s.session, 0);
	assert_string_equal(s.initial, "wininit");
	assert_int_equal(sm_session_next(c, &cursor, &s), 1);
	assert_int_equal(sm_session_next(c, &cursor, &s), 0);
	assert_int_equal(s.session, 1);
	cursor = 3;
	assert_int_equal(sm_process_next(c, &cursor, &p), 1);
	assert_string_equal(p.role, "initial");
	assert_string_equal(p.image, "winlogon");
	cursor = 3;
	assert_int_equal(sm_boot_next(c, &cursor, &e), 1);
	assert_int_equal(e.number, 3);
	assert_int_equal(cursor, 4);
	assert_string_equal(e.phase, "ProcessFileRenames");
	sm_close(c);
}

static void a_refused_decision_says_why(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_boot_standing g = {.attempts = 77};

	str_copy(f->standing.text, sizeof(f->standing.text), "why");
	assert_int_equal(sm_standing(c, &g), 0);
	assert_int_equal(g.attempts, 1);
	assert_int_equal(g.accept_in_ms, 11500);
	assert_int_equal(f->heard_count, 0);
	g = (struct sm_boot_standing){.attempts = 77};
	assert_int_equal(sm_decide(c, (enum sm_verdict)0, &g), -EINVAL);
	assert_int_equal(sm_decide(c, (enum sm_verdict)4, &g), -EINVAL);
	f->refuse[SM_BOOT_ACCEPT] = SM_ACCESS_DENIED;
	assert_int_equal(sm_decide(c, SM_VERDICT_REJECT, &g), -EACCES);
	assert_int_equal(g.attempts, 77);
	f->refuse[SM_BOOT_ACCEPT] = SM_UNSUCCESSFUL;
	assert_int_equal(sm_decide(c, SM_VERDICT_REJECT, &g), -EIO);
	assert_string_equal(g.text, "why");
	f->refuse[SM_BOOT_ACCEPT] = 0;
	assert_int_equal(sm_decide(c, SM_VERDICT_NEXT_LKG, NULL), 0);
	assert_int_equal(f->heard.b.boot_accept.verb, SM_DECIDE_NEXT_LKG);
	sm_close(c);
}

static const struct {
	uint32_t status;
	int r;
	const char *text;
} status_cases[] = {
	{SM_PENDING, -EAGAIN, "not yet"},
	{SM_NOT_IMPLEMENTED, -ENOSYS, "not implemented"},
	{SM_ACCESS_DENIED, -EACCES, "access denied"},
	{SM_INVALID_PARAMETER, -EINVAL, "invalid parameter"},
	{SM_SHUTDOWN_IN_PROGRESS, -ESHUTDOWN, "the machine is shutting down"},
	{SM_TIMEOUT, -ETIME, "timed out"},
	{SM_INSUFFICIENT_RESOURCES, -ENOSPC, "table full"},
	{SM_UNSUCCESSFUL, -EIO, "failed"},
	{0xC0FFEE00, -EIO, "unknown status"},
};

static void statuses_become_errors_and_words(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);

	for (size_t i = 0; i < ARRAY_SIZE(status_cases); i++) {
		f->refuse[SM_SHUTDOWN] = status_cases[i].status;
		assert_int_equal(sm_shutdown(c, SM_POWER_REBOOT, false, NULL), status_cases[i].r);
		assert_int_equal(sm_last_status(c), status_cases[i].status);
		assert_non_null(
			strstr(sm_status_text(status_cases[i].status), status_cases[i].text));
	}
	assert_int_equal(f->heard_count, 0);
	assert_int_equal(sm_shutdown(c, SM_POWER_EXIT, false, NULL), -EINVAL);
	sm_close(c);
}

static void events_between_answers_are_kept_and_counted(void **state)
{
	enum { SENT = 100, KEPT = 64 };
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_event e;
	struct sm_machine m;

	assert_int_equal(sm_event_next(c, 0, &e), -EINVAL);
	for (unsigned i = 0; i < SENT; i++)
		fake_event(f, SM_EVENT_SESSION)->session_row.session = i;
	assert_int_equal(sm_subscribe(c), 0);
	assert_int_equal(sm_status(c, &m), 0);
	for (unsigned i = 0; i < KEPT; i++) {
		assert_int_equal(sm_event_next(c, 1000, &e), 1);
		assert_int_equal(e.kind, SM_ON_SESSION);
		assert_int_equal(e.of.session.session, i);
	}
	assert_int_equal(sm_event_next(c, 1000, &e), 1);
	assert_int_equal(e.kind, SM_ON_LOST);
	assert_int_equal(e.of.lost, SENT - KEPT);
	assert_int_equal(sm_event_next(c, 0, &e), 0);
	assert_int_equal(sm_event_next(c, 50, &e), 0);
	sm_close(c);
}

static void the_end_of_the_session_manager_is_told(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_event e;
	struct sm_machine m;

	f->close_after_events = true;
	fake_event(f, SM_EVENT_BOOT_ROW)->boot_row = f->boot[3];
	fake_event(f, SM_EVENT_SHUTDOWN)->shutdown.flags = 1;
	assert_int_equal(sm_subscribe(c), 0);
	assert_int_equal(sm_event_next(c, 1000, &e), 1);
	assert_int_equal(e.kind, SM_ON_BOOT);
	assert_int_equal(e.of.boot.number, 3);
	assert_string_equal(e.of.boot.name, "/srv/old");
	assert_int_equal(sm_event_next(c, 1000, &e), 1);
	assert_int_equal(e.kind, SM_ON_SHUTDOWN);
	assert_true(e.of.shutdown.fast);
	assert_int_equal(sm_event_next(c, 1000, &e), -ENOTCONN);
	assert_int_equal(sm_status(c, &m), -ENOTCONN);
	sm_close(c);
}

static void words_of_a_command_must_fit_the_wire(void **state)
{
	static char large[2000];
	static const char *const none[] = {NULL}, *const empty[] = {"", NULL},
				 *const many[] = {"a", large, NULL};
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	uint32_t pid = 5;

	assert_int_equal(sm_exec(c, 1, none, false, &pid), -EINVAL);
	assert_int_equal(sm_exec(c, 1, empty, false, &pid), -EINVAL);
	memset(large, 'x', sizeof(large) - 1);
	assert_int_equal(sm_exec(c, 1, many, false, &pid), -E2BIG);
	assert_int_equal(pid, 5);
	assert_int_equal(f->heard_count, 0);
	sm_close(c);
}

static void a_session_is_made_as_wanted(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	const struct sm_policy *p = &f->heard.b.start_csr.policy;
	struct sm_session_want want;
	struct sm_session_made made = {.session = 77};
	uint32_t number = 77;

	sm_session_want_init(&want, sizeof(want));
	assert_int_equal(sm_session_make(c, &want, &made), 0);
	assert_int_equal(p->given, 0);
	assert_int_equal(p->limits, 0);
	assert_int_equal(f->heard.b.start_csr.flags, 0);
	assert_int_equal(made.session, 1);
	assert_int_equal(made.csrss_pidfd, -1);
	assert_int_equal(made.initial_pidfd, -1);
	assert_string_equal(made.row.initial, "winlogon");
	assert_int_equal(made.row.owner, SM_NO_USER);
	want.umask = 0;
	want.oom_score = 0;
	want.bounded = true;
	want.uid = want.gid = 7;
	want.limits = 1u << 4;
	want.limit[4] = 5;
	want.limit[5] = 6; /* not among the limits: not sent */
	want.command = "/bin/x";
	assert_int_equal(sm_session_make(c, &want, &made), 0);
	assert_int_equal(p->given, SM_GIVEN_ALL & ~SM_GIVEN_NO_NEW_PRIVS);
	assert_int_equal(p->capabilities, 0);
	assert_int_equal(p->uid, 7);
	assert_int_equal(p->limit[4], 5);
	assert_int_equal(p->limit[5], 0);
	assert_string_equal(f->heard.b.start_csr.initial_command, "/bin/x");
	assert_int_equal(sm_session_new(c, "/bin/y", &number, NULL), 0);
	assert_int_equal(number, 1);
	assert_string_equal(f->heard.b.start_csr.initial_command, "/bin/y");
	sm_close(c);
}

static void pidfds_come_when_they_are_wanted(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_session_want want;
	struct sm_session_made made;
	int lowest = dup(0);

	assert_int_equal(close(lowest), 0);
	sm_session_want_init(&want, sizeof(want));
	want.pidfds = true;
	assert_int_equal(sm_session_make(c, &want, &made), 0);
	assert_int_equal(f->heard.b.start_csr.flags, SM_START_PIDFDS);
	assert_true(made.csrss_pidfd >= 0 && made.initial_pidfd >= 0);
	assert_true(fcntl(made.csrss_pidfd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(close(made.csrss_pidfd), 0);
	assert_int_equal(close(made.initial_pidfd), 0);
	f->no_pidfds = true; /* its processes have ended again: there is a session all the same */
	assert_int_equal(sm_session_make(c, &want, &made), 0);
	assert_int_equal(made.session, 1);
	assert_int_equal(made.csrss_pidfd, -1);
	assert_int_equal(dup(0), lowest); /* nothing is left open */
	assert_int_equal(close(lowest), 0);
	sm_close(c);
}

/* Programs older and newer than the library; see sm_session_want_init. */
static void a_want_of_another_version_is_understood_or_refused(void **state)
{
	struct {
		struct sm_session_want want;
		uint64_t later;
	} newer;
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_session_made made = {.session = 77};

	sm_session_want_init(&newer.want, sizeof(newer));
	assert_int_equal(newer.later, 0);
	assert_int_equal(sm_session_make(c, &newer.want, &made), 0);
	newer.later = 1;
	assert_int_equal(sm_session_make(c, &newer.want, &made), -E2BIG);
	newer.want.size = 8;
	assert_int_equal(sm_session_make(c, &newer.want, &made), -EINVAL);
	newer.want.size = 1u << 20;
	assert_int_equal(sm_session_make(c, &newer.want, &made), -EINVAL);
	assert_int_equal(f->heard_count, 1);
	sm_close(c);
}

static void what_cannot_be_sent_is_refused_at_once(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_session_made made = {.session = 77};
	struct sm_session_want begin, want;
	char longer[300];

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	sm_session_want_init(&begin, sizeof(begin));
	want = begin;
	want.command = longer;
	assert_int_equal(sm_session_make(c, &want, &made), -ENAMETOOLONG);
	want = begin;
	want.umask = 01000;
	assert_int_equal(sm_session_make(c, &want, &made), -EINVAL);
	want = begin;
	want.uid = 5; /* and no group */
	assert_int_equal(sm_session_make(c, &want, &made), -EINVAL);
	assert_int_equal(made.session, 77);
	assert_int_equal(f->heard_count, 0);
	sm_close(c);
}

static void a_refusal_has_a_text_until_the_next_call(void **state)
{
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_session_want want;
	struct sm_session_made made = {.session = 77};
	struct sm_machine m;

	sm_session_want_init(&want, sizeof(want));
	assert_string_equal(sm_last_text(c), "");
	f->refuse[SM_START_CSR] = SM_NOT_SUPPORTED;
	str_copy(f->why, sizeof(f->why), "memory limit: none here");
	assert_int_equal(sm_session_make(c, &want, &made), -EOPNOTSUPP);
	assert_int_equal(made.session, 77);
	assert_string_equal(sm_last_text(c), "memory limit: none here");
	assert_int_equal(sm_last_status(c), SM_NOT_SUPPORTED);
	assert_string_equal(sm_error_text(-EOPNOTSUPP), "cannot be had here");
	assert_int_equal(sm_status(c, &m), 0);
	assert_string_equal(sm_last_text(c), "");
	sm_close(c);
}

static void a_session_is_found_frozen_limited_and_ended(void **state)
{
	static const struct sm_session_change change = {
		.memory_bytes = SM_NO_LIMIT_64, .processes = 9, .cpu_weight = SM_NO_LIMIT};
	struct fake *f = *state;
	struct sm_connection *c = connected(f);
	struct sm_session_held held = {.left = 77};
	struct sm_session row = {.session = 77};
	uint32_t left = 77;

	assert_int_equal(sm_session_get(c, 7, &row), -ENOENT);
	assert_int_equal(row.session, 77);
	assert_int_equal(sm_session_freeze(c, 1, true), 0);
	assert_int_equal(sm_session_get(c, 1, &row), 0);
	assert_int_equal(row.session, 1);
	assert_true(row.frozen);
	assert_int_equal(sm_session_freeze(c, 1, false), 0);
	assert_int_equal(sm_session_limits(c, 1, &change), 0);
	assert_true(f->heard.b.session_limits.memory_bytes == SM_UNLIMITED_64);
	assert_int_equal(f->heard.b.session_limits.processes, 9);
	assert_int_equal(f->heard.b.session_limits.cpu_weight, SM_UNLIMITED);
	assert_int_equal(f->heard.b.session_limits.cpu_percent, 0);
	assert_int_equal(sm_session_end_held(c, 1, &held), 0);
	assert_int_equal(held.left, 77);
	f->refuse[SM_STOP_CSR] = SM_DELETE_PENDING;
	f->left = 2;
	f->held_pid = 99;
	str_copy(f->held_name, sizeof(f->held_name), "cp");
	assert_int_equal(sm_session_end_held(c, 1, &held), -EBUSY);
	assert_int_equal(held.left, 2);
	assert_int_equal(held.pid, 99);
	assert_string_equal(held.name, "cp");
	assert_int_equal(sm_session_end(c, 1, &left), -EBUSY);
	assert_int_equal(left, 2);
	assert_int_equal(sm_session_end(c, 1, NULL), -EBUSY);
	assert_string_equal(sm_isolation_word(SM_ISOLATION_DEV), "dev");
	assert_string_equal(sm_isolation_word((enum sm_isolation)3), "?");
	sm_close(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(open_tells_what_is_wrong),
		TEST(a_connection_is_close_on_exec_and_knows_its_peer),
		TEST(no_answer_is_a_timeout_and_the_connection_stays_usable),
		TEST(what_is_no_message_breaks_the_connection_for_good),
		TEST(rows_come_by_cursor_and_end_with_zero),
		TEST(a_refused_decision_says_why),
		TEST(statuses_become_errors_and_words),
		TEST(events_between_answers_are_kept_and_counted),
		TEST(the_end_of_the_session_manager_is_told),
		TEST(words_of_a_command_must_fit_the_wire),
		TEST(a_session_is_made_as_wanted),
		TEST(pidfds_come_when_they_are_wanted),
		TEST(a_want_of_another_version_is_understood_or_refused),
		TEST(what_cannot_be_sent_is_refused_at_once),
		TEST(a_refusal_has_a_text_until_the_next_call),
		TEST(a_session_is_found_frozen_limited_and_ended),
	};

	(void)alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
