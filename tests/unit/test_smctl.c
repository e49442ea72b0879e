/* SPDX-License-Identifier: MIT */
/*
 * test_smctl.c - what smctl prints and how it ends, against a session manager made of tables
 *
 * Every case runs the real program over a real socket. Text is compared by the pieces a person
 * looks for; JSON by the documented field names.
 */
#include <json-c/json.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smctl_case.h"

/* ---- status ---- */

static void status_says_what_a_person_looks_for(void **state)
{
	static const char *const pieces[] = {
		"smss 0.1.0 (build abc123), process ",
		"of a machine\n",
		"phase       Ready\n",
		"level       Current, from /etc/smss/SYSTEM\n",
		"attempt     1, accepted",
		"ready       after 1.23 s\n",
		"up          1 h 02 min\n",
		"sessions    2\n",
		"4 in the ledger, 21 reaped, 3 orphans, 1 client\n",
		"degraded    2 things are missing",
		"waiting for fsck.ext4 \\x1B[2J\n",
		"last stop   0xC000021A STATUS_SYSTEM_PROCESS_TERMINATED by csrss in phase Ready",
	};
	struct fake *f = *state;

	f->status.degraded = 2;
	f->status.flags = SM_FLAG_BOOT_GOOD;
	str_copy(f->status.blocker, sizeof(f->status.blocker), "fsck.ext4 \x1b[2J");
	f->stop = (struct sm_stop_text){.code = 0xC000021A, .phase = PHASE_READY};
	str_copy(f->stop.culprit, sizeof(f->stop.culprit), "csrss");
	fake_start(f);
	smctl(f, "status");
	assert_int_equal(ran.status, 0);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		wanted(ran.out, pieces[i]);
	assert_string_equal(ran.err, "");
}

static void status_in_words_for_each_flag(void **state)
{
	static const struct {
		uint32_t mode, level, flags;
		const char *piece;
	} cases[] = {
		{SM_MODE_NAMESPACE, 0, 0, "of a namespace\n"},
		{SM_MODE_CONTAINER, 0, 0, "of a container\n"},
		{0, SM_LEVEL_LKG, 0, "LastKnownGood, from /etc/smss/SYSTEM\n"},
		{0, SM_LEVEL_BUILTIN, 0, "built-in minimum: no hive could be used\n"},
		{0, 0, SM_FLAG_SHUTTING_DOWN, "reboot is on its way\n"},
		{0, 0, SM_FLAG_NO_CGROUP, "there is no cgroup v2"},
		{0, 0, SM_FLAG_NO_STATE, "the state directory cannot be written"},
		{0, SM_LEVEL_LKG, 0, "degraded    1 thing is missing"},
		{0, 0, SM_FLAG_SAFE_MINIMAL, "safe boot   minimal\n"},
		{0, 0, SM_FLAG_SAFE_NETWORK, "safe boot   network\n"},
	};
	struct fake *f = *state;

	f->status.shutdown_action = SM_ACTION_REBOOT;
	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->status.mode = cases[i].mode;
		f->status.level = cases[i].level;
		f->status.flags = cases[i].flags;
		smctl(f, "status");
		assert_int_equal(ran.status, 0);
		wanted(ran.out, cases[i].piece);
	}
}

static void status_json_has_the_documented_fields(void **state)
{
	static const char *const fields[][2] = {
		{"/phase", "Ready"},
		{"/ready", "true"},
		{"/mode", "machine"},
		{"/level", "Current"},
		{"/attempts", "1"},
		{"/blocker", "\\xFF"},
		{"/sessions", "2"},
		{"/processes", "4"},
		{"/orphans", "3"},
		{"/reaped", "21"},
		{"/clients", "1"},
		{"/degraded", "0"},
		{"/lines_dropped", "0"},
		{"/boot_good", "false"},
		{"/cgroup", "true"},
		{"/state_writable", "true"},
		{"/shutdown", "null"},
		{"/started_ns", "1000000000"},
		{"/uptime_us", "3725000000"},
		{"/ready_us", "1234000"},
		{"/hive", "/etc/smss/SYSTEM"},
		{"/version", "0.1.0"},
		{"/build_id", "abc123"},
		{"/previous_stop", "null"},
		{"/why", "null"},
		{"/safe_boot", "null"},
	};
	struct fake *f = *state;

	str_copy(f->status.blocker, sizeof(f->status.blocker), "\xff");
	fake_start(f);
	smctl(f, "status --json");
	assert_int_equal(ran.status, 0);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		assert_string_equal(json_at(fields[i][0]), fields[i][1]);
	assert_int_equal(atoi(json_at("/pid")), f->pid);
}

/* ---- rows ---- */

static void sessions_are_listed(void **state)
{
	struct fake *f = *state;

	f->session[1].failures = 2;
	fake_start(f);
	smctl(f, "sessions");
	assert_int_equal(ran.status, 0);
	wanted(ran.out, "session  state    csrss  initial  command   console  ready after  owner  "
			"isolation  notes\n");
	wanted(ran.out, "      0  running    100      101  wininit   -        0.42 ms      -      "
			"-\n");
	wanted(ran.out, "      1  running    200      201  winlogon  tty1     0.42 ms      -      "
			"-          failed 2 times\n");
	smctl(f, "--json sessions");
	assert_string_equal(json_at("/sessions/1/session"), "1");
	assert_string_equal(json_at("/sessions/1/state"), "running");
	assert_string_equal(json_at("/sessions/1/csrss_pid"), "200");
	assert_string_equal(json_at("/sessions/1/initial_pid"), "201");
	assert_string_equal(json_at("/sessions/1/copy_pid"), "0");
	assert_string_equal(json_at("/sessions/1/initial"), "winlogon");
	assert_string_equal(json_at("/sessions/1/console"), "tty1");
	assert_string_equal(json_at("/sessions/1/hold"), "cgroup");
	assert_string_equal(json_at("/sessions/1/failures"), "2");
	assert_string_equal(json_at("/sessions/1/ready_us"), "420");
	assert_string_equal(json_at("/sessions/2"), "(missing)");
}

static void boot_shows_rows_below_their_phase(void **state)
{
	struct fake *f = *state;
	const char *phase, *entry, *item;

	f->boot[4].phase = PHASE_RENAMES; /* a late report, after a row of the next phase */
	f->boot[4].kind = SM_ROW_ITEM;
	str_copy(f->boot[4].name, sizeof(f->boot[4].name), "/srv/late");
	f->boot[5] = f->boot[4];
	f->boots = 6;
	f->boot[4] = (struct sm_boot_row){
		.phase = PHASE_PAGING, .result = RESULT_RUNNING, .start_ns = 1040000000};
	fake_start(f);
	smctl(f, "boot");
	assert_int_equal(ran.status, 0);
	wanted(ran.out, "    0.010      4.2 ms  ProcessFileRenames                  failed\n");
	wanted(ran.out, "    0.020      4.2 ms    renames                           failed\n");
	wanted(ran.out,
	       "    0.030      4.2 ms      /srv/old                        failed (2): no such "
	       "file\n");
	wanted(ran.out, "    0.040              PagingFiles                         running\n");
	wanted(ran.out, "ready after 1.23 s\n");
	phase = strstr(ran.out, "ProcessFileRenames");
	entry = strstr(ran.out, "/srv/late");
	item = strstr(ran.out, "PagingFiles");
	assert_true(phase && entry && item && phase < entry && entry < item);
	smctl(f, "boot --phases");
	assert_null(strstr(ran.out, "renames "));
	wanted(ran.out, "ProcessFileRenames");
}

static void boot_json_has_the_documented_fields(void **state)
{
	struct fake *f = *state;

	fake_start(f);
	smctl(f, "boot --json");
	assert_string_equal(json_at("/started_ns"), "1000000000");
	assert_string_equal(json_at("/ready_us"), "1234000");
	assert_string_equal(json_at("/level"), "Current");
	assert_string_equal(json_at("/attempts"), "1");
	assert_string_equal(json_at("/allowed"), "3");
	assert_string_equal(json_at("/accepted"), "false");
	assert_string_equal(json_at("/rejected"), "false");
	assert_string_equal(json_at("/accept_in_ms"), "11500");
	assert_string_equal(json_at("/lkg_off"), "false");
	assert_string_equal(json_at("/lkg_saved"), "2026-11-22T15:31:05Z");
	assert_string_equal(json_at("/next"), "Current");
	assert_string_equal(json_at("/next_once"), "false");
	assert_string_equal(json_at("/rows/3/number"), "3");
	assert_string_equal(json_at("/rows/3/phase"), "ProcessFileRenames");
	assert_string_equal(json_at("/rows/3/kind"), "item");
	assert_string_equal(json_at("/rows/3/name"), "/srv/old");
	assert_string_equal(json_at("/rows/3/result"), "failed");
	assert_string_equal(json_at("/rows/3/detail"), "2");
	assert_string_equal(json_at("/rows/3/pid"), "0");
	assert_string_equal(json_at("/rows/3/start_ns"), "1030000000");
	assert_string_equal(json_at("/rows/3/duration_us"), "4200");
	assert_string_equal(json_at("/rows/3/text"), "no such file");
	smctl(f, "boot --json --phases");
	assert_string_equal(json_at("/rows/2/phase"), "Ready");
}

static void boot_follow_shows_each_row_once_until_ready(void **state)
{
	struct fake *f = *state;
	unsigned lines = 0;

	f->boots = 2;
	f->status.ready_ns = 0;
	f->status.phase = PHASE_RENAMES;
	f->boot[1].result = RESULT_RUNNING;
	f->boot[1].end_ns = 0;
	f->ready_after_events = true;
	fake_event(f, SM_EVENT_BOOT_ROW)->boot_row = f->boot[0]; /* known from the rows already */
	fake_event(f, SM_EVENT_BOOT_ROW)->boot_row = f->boot[2];
	fake_event(f, SM_EVENT_BOOT_ROW)->boot_row = f->boot[3];
	fake_event(f, SM_EVENT_BOOT_ROW)->boot_row = f->boot[1];
	f->event[3].b.boot_row.result = RESULT_OK;
	f->event[3].b.boot_row.end_ns = f->boot[1].start_ns + 5000000;
	fake_event(f, SM_EVENT_BOOT_ROW)->boot_row = f->boot[4];
	fake_start(f);
	smctl(f, "boot --follow");
	assert_int_equal(ran.status, 0);
	for (const char *at = ran.out; (at = strchr(at, '\n')); at++)
		lines++;
	wanted(ran.out, "/srv/old");
	wanted(ran.out, "ready after 1.23 s\n");
	if (lines != 7)
		fail_msg("%u lines:\n%s", lines, ran.out);
}

static void stops_and_events(void **state)
{
	struct fake *f = *state;

	f->close_after_events = true;
	fake_event(f, SM_EVENT_SESSION)->session_row = f->session[1];
	fake_event(f, SM_EVENT_LOST)->lost.count = 7;
	fake_event(f, SM_EVENT_SHUTDOWN)->shutdown.action = SM_ACTION_HALT;
	fake_start(f);
	smctl(f, "stops");
	assert_int_equal(ran.status, 0);
	wanted(ran.out, "no stop is recorded");
	f->stop = (struct sm_stop_text){.code = 0xC000021A, .status = 11, .wall_s = 1795361465};
	str_copy(f->stop.culprit, sizeof(f->stop.culprit), "csrss");
	smctl(f, "stops --json");
	assert_string_equal(json_at("/stops/0/code"), "0xC000021A");
	assert_string_equal(json_at("/stops/0/status"), "0x0000000B");
	assert_string_equal(json_at("/stops/0/time"), "2026-11-22T15:31:05Z");
	assert_string_equal(json_at("/stops/0/culprit"), "csrss");
	assert_string_equal(json_at("/stops/0/earlier"), "false");
	f->stop.which = 1;
	smctl(f, "stops");
	wanted(ran.out, "run         an earlier one; the previous run ended in order\n");
	smctl(f, "status");
	wanted(ran.out, ", of an earlier run; see: smctl stops\n");
	smctl(f, "events");
	assert_int_equal(ran.status, 0); /* the end came after a shutdown event */
	wanted(ran.out, "\"event\":\"lost\",\"count\":7}\n");
	wanted(ran.out, "\"event\":\"shutdown\",\"action\":\"halt\"");
	assert_string_equal(json_at("/event"), "session"); /* of the first line */
}

static void known_lists_what_was_published(void **state)
{
	struct fake *f = *state;
	char path[128];
	FILE *file;

	smctl(f, "known");
	assert_int_equal(ran.status, 1);
	wanted(ran.err, "phase InitializeKnownDlls makes it");
	(void)snprintf(path, sizeof(path), "%s/KnownDlls", f->directory);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("libc.so.6 /usr/lib/libc.so.6 8:1 1926256 -\n"
	      "liba.so /opt/a b/liba.so 8:1 7 00ff\n",
	      file);
	assert_int_equal(fclose(file), 0);
	smctl(f, "known");
	wanted(ran.out, "libc.so.6 /usr/lib/libc.so.6 8:1 1926256 -\n");
	smctl(f, "known --json");
	assert_int_equal(unlink(path), 0);
	assert_string_equal(json_at("/known/0/name"), "libc.so.6");
	assert_string_equal(json_at("/known/0/bytes"), "1926256");
	assert_string_equal(json_at("/known/0/sha256"), "null");
	assert_string_equal(json_at("/known/1/path"), "/opt/a b/liba.so");
	assert_string_equal(json_at("/known/1/file"), "8:1");
	assert_string_equal(json_at("/known/1/sha256"), "00ff");
}

/* ---- tree ---- */

/* A process with a child of its own, both named; ends with the test. */
static pid_t family(const char *name, const char *child)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)prctl(PR_SET_NAME, name);
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			(void)prctl(PR_SET_NAME, child);
			(void)!write(ready[1], "", 1);
		}
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void tree_shows_ledger_and_descendants(void **state)
{
	struct fake *f = *state;
	pid_t pid = family("wininit", "run) sv\x1b");
	char line[64];

	f->process[1].pid = (uint32_t)pid;
	f->processes = 5;
	f->process[4] = (struct sm_ledger_row){.pid = 999999,
					       .role = ROLE_PAGING,
					       .session = SM_NO_SESSION,
					       .deadline_ns = f->status.now_ns + 12000000000ull};
	str_copy(f->process[4].image, sizeof(f->process[4].image), "smss");
	fake_start(f);
	smctl(f, "tree");
	assert_int_equal(ran.status, 0);
	(void)snprintf(line, sizeof(line), "`- smss %d\n   `- smss 999999  paging  12.00 s left\n",
		       (int)f->pid);
	wanted(ran.out, line);
	wanted(ran.out, "session 0  running\n|- csrss 100\n");
	(void)snprintf(line, sizeof(line), "`- wininit %d  initial\n   `- run) sv\\x1B ", (int)pid);
	wanted(ran.out, line);
	wanted(ran.out, "session 1  running  tty1\n|- csrss 200\n`- winlogon 201  initial\n");
	smctl(f, "tree --json");
	assert_int_equal(atoi(json_at("/machine/pid")), f->pid);
	assert_string_equal(json_at("/machine/children/0/role"), "paging");
	assert_string_equal(json_at("/sessions/0/children/1/role"), "initial");
	assert_string_equal(json_at("/sessions/0/children/1/children/0/image"), "run) sv\x1b");
	assert_string_equal(json_at("/descendants"), "true");
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

static void tree_of_another_pid_namespace_shows_the_ledger_only(void **state)
{
	struct fake *f = *state;
	pid_t pid = family("foreign", "child");

	f->manner = FAKE_OTHER_PID;
	f->process[1].pid = (uint32_t)pid;
	fake_start(f);
	smctl(f, "tree");
	assert_int_equal(ran.status, 0);
	assert_null(strstr(ran.out, "child"));
	wanted(ran.out, "pid namespace of its own");
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(status_says_what_a_person_looks_for),
		TEST(status_in_words_for_each_flag),
		TEST(status_json_has_the_documented_fields),
		TEST(sessions_are_listed),
		TEST(boot_shows_rows_below_their_phase),
		TEST(boot_json_has_the_documented_fields),
		TEST(boot_follow_shows_each_row_once_until_ready),
		TEST(stops_and_events),
		TEST(known_lists_what_was_published),
		TEST(tree_shows_ledger_and_descendants),
		TEST(tree_of_another_pid_namespace_shows_the_ledger_only),
	};

	if (argc < 2)
		return 2;
	smctl_path = argv[1];
	(void)alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
