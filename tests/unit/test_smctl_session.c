/* SPDX-License-Identifier: MIT */
/*
 * test_smctl_session.c - smctl's verbs about sessions: what they ask for, what they show, how they
 * fail, and that their listings fit every terminal
 *
 * The session manager is made of tables and notes what it was asked for. A terminal is a real one,
 * of as many columns as the case wants.
 */
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smctl_case.h"

/* ---- session new ---- */

static void new_sends_what_was_asked_for(void **state)
{
	struct fake *f = *state;
	const struct sm_policy *p = &f->heard.b.start_csr.policy;

	fake_start(f);
	smctl(f, "session new --isolate mount,ipc,pid --memory 64M --processes 32 --cpu 150% "
		 "--cpu-weight 50 --io 10M --io-weight 200 --owner 1000:1001");
	assert_int_equal(ran.status, 0);
	assert_int_equal(p->isolation, SM_ISOLATE_MOUNT | SM_ISOLATE_IPC | SM_ISOLATE_PID);
	assert_int_equal(p->memory_bytes, 64 << 20);
	assert_int_equal(p->processes, 32);
	assert_int_equal(p->cpu_percent, 150);
	assert_int_equal(p->cpu_weight, 50);
	assert_int_equal(p->io_bytes_s, 10 << 20);
	assert_int_equal(p->io_weight, 200);
	assert_int_equal(p->given, SM_GIVEN_OWNER);
	assert_int_equal(p->uid, 1000);
	assert_int_equal(p->gid, 1001);
	assert_string_equal(f->heard.b.start_csr.initial_command, "");
	smctl(f,
	      "session new --caps chown,CAP_NET_RAW --no-new-privs --umask 027 --limit "
	      "nofile=1K --limit core=unlimited --oom -500 --idle 5m --lifetime 2h --owner root");
	assert_int_equal(ran.status, 0);
	assert_int_equal(p->given, SM_GIVEN_ALL);
	assert_int_equal(p->capabilities, 1u << 0 | 1u << 13);
	assert_int_equal(p->umask, 027);
	assert_int_equal(p->limits, 1u << RLIMIT_NOFILE | 1u << RLIMIT_CORE);
	assert_int_equal(p->limit[RLIMIT_NOFILE], 1024);
	assert_true(p->limit[RLIMIT_CORE] == UINT64_MAX);
	assert_int_equal(p->oom_score, -500);
	assert_int_equal(p->idle_s, 300);
	assert_int_equal(p->lifetime_s, 7200);
	assert_int_equal(p->uid, 0);
	smctl(f, "session new --caps none --isolate all");
	assert_int_equal(p->given, SM_GIVEN_CAPABILITIES);
	assert_int_equal(p->capabilities, 0);
	assert_int_equal(p->isolation, SM_ISOLATE_ALL);
	smctl(f, "session new");
	assert_int_equal(p->given, 0);
	assert_int_equal(p->isolation, 0);
}

static void a_command_ends_the_options_and_keeps_its_blanks(void **state)
{
	static const struct {
		const char *words[6], *line;
		int status;
	} cases[] = {
		{{"/bin/sh", "-c", "echo two  words"}, "/bin/sh -c \"echo two  words\"", 0},
		{{"--memory", "1M", "/bin/sleep", "--isolate"}, "/bin/sleep --isolate", 0},
		{{"--", "--odd", ""}, "--odd \"\"", 0},
		{{"/bin/sleep 100"}, "/bin/sleep 100", 0},
		{{"/bin/sh", "-c", "echo \"x\""}, NULL, 2},
		{{"/bin/sh", "-c", "a\nb"}, NULL, 2},
	};
	struct fake *f = *state;

	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *words[12] = {"smctl", "--socket", f->path, "session", "new"};

		memcpy(words + 5, cases[i].words, sizeof(cases[i].words));
		f->heard_count = 0;
		run(smctl_path, words, &ran);
		assert_int_equal(ran.status, cases[i].status);
		assert_int_equal(f->heard_count, cases[i].line != NULL);
		if (cases[i].line)
			assert_string_equal(f->heard.b.start_csr.initial_command, cases[i].line);
	}
}

static void what_cannot_be_meant_is_wrong_use(void **state)
{
	static const char *const cases[][2] = {
		{"session new --memory 64X", "--memory wants a size as 64M, not \"64X\""},
		{"session new --memory 0", "--memory wants"},
		{"session new --memory max", "--memory wants"},
		{"session new --memory 99999999999999T", "--memory wants"},
		{"session new --memory", "--memory wants an argument"},
		{"session new --processes many", "--processes wants"},
		{"session new --processes 0", "--processes wants"},
		{"session new --cpu-weight 10001", "--cpu-weight wants 1 to 10000"},
		{"session new --isolate mount,time", "--isolate wants some of"},
		{"session new --isolate ,", "--isolate wants some of"},
		{"session new --owner no-such-user-here", "there is no user \"no-such-user-here\""},
		{"session new --owner 1:x", "--owner wants"},
		{"session new --caps chown,fly", "--caps wants names of capabilities(7)"},
		{"session new --umask 0888", "--umask wants octal"},
		{"session new --umask 7777", "--umask wants octal"},
		{"session new --limit files=1", "--limit wants NAME=NUMBER"},
		{"session new --limit nofile", "--limit wants NAME=NUMBER"},
		{"session new --limit nofile=x", "--limit wants NAME=NUMBER"},
		{"session new --oom 1001", "--oom wants -1000 to 1000"},
		{"session new --idle 0", "--idle wants a time"},
		{"session new --lifetime 5y", "--lifetime wants a time"},
		{"session new --lifetime 99999999999d", "--lifetime wants a time"},
		{"session new --frobnicate", "there is no option --frobnicate here"},
		{"session limits --memory 1M", "wanted: the number of a session"},
		{"session limits 1 2 --memory 1M", "wanted: the number of a session"},
		{"session limits 1 --owner root", "there is no option --owner here"},
		{"session end one", "wanted: the number of a session, not \"one\""},
		{"session end --all 1", "either --all or numbers"},
		{"session freeze", "wanted: the number of a session"},
		{"session show", "wanted: the number of a session"},
		{"session list 1", "\"1\" is not wanted here"},
		{"events --only boot,reboot", "--only wants some of boot,session,shutdown"},
	};
	struct fake *f = *state;

	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		smctl(f, cases[i][0]);
		if (ran.status != 2 || ran.out[0] || !strstr(ran.err, cases[i][1]))
			fail_msg("%s: status %d: %s%s", cases[i][0], ran.status, ran.out, ran.err);
		wanted(ran.err, "--help\n");
	}
	assert_int_equal(f->heard_count, 0);
}

static void a_refusal_is_told_in_the_session_managers_words(void **state)
{
	static const struct {
		uint32_t status;
		const char *why, *err;
	} cases[] = {
		{SM_NOT_SUPPORTED, "memory limit: this kernel offers no memory controller",
		 "refused, it cannot be had here: memory limit: this kernel offers no memory "
		 "controller; nothing was made; what there is: smctl probe\n"},
		{SM_ACCESS_DENIED, "", "access denied: this needs root, or the group"},
		{SM_ACCESS_DENIED, "owner: the hive says alice",
		 "refused: owner: the hive says alice; nothing was made"},
		{SM_NAME_NOT_FOUND, "", "there is no such program or user: /x/y; nothing was made"},
		{SM_NAME_NOT_FOUND, "owner: no such user", "user: owner: no such user; nothing"},
		{SM_UNSUCCESSFUL, "mount \x1b[2J",
		 "it failed: mount \\x1B[2J; nothing of it is left"},
		{SM_TIMEOUT, "", "given up: its set-up did not go through; nothing of it is left"},
		{SM_INVALID_PARAMETER, "umask", "refused: umask; nothing was made"},
		{SM_INSUFFICIENT_RESOURCES, "", "table is full"},
	};
	struct fake *f = *state;

	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->refuse[SM_START_CSR] = cases[i].status;
		str_copy(f->why, sizeof(f->why), cases[i].why);
		smctl(f, "session new --memory 1M /x/y");
		assert_int_equal(ran.status, 1);
		assert_string_equal(ran.out, "");
		wanted(ran.err, cases[i].err);
	}
}

/* ---- end, freeze, thaw, limits ---- */

static void several_are_ended_and_each_is_told(void **state)
{
	struct fake *f = *state;

	fake_start(f);
	smctl(f, "session end 1 2");
	assert_int_equal(ran.status, 0);
	assert_int_equal(f->heard_count, 2);
	assert_string_equal(ran.out, "session 1 has ended\nsession 2 has ended\n");
	f->heard_count = 0;
	smctl(f, "session end --all");
	assert_int_equal(ran.status, 0);
	assert_int_equal(f->heard_count, 1); /* never session 0 */
	assert_int_equal(f->heard.b.stop_csr.session, 1);
	smctl(f, "session end --all --json");
	assert_string_equal(json_at("/sessions/0/session"), "1");
	assert_string_equal(json_at("/sessions/0/ended"), "true");
	smctl(f, "session end --json 1");
	assert_string_equal(json_at("/session"), "1");
	f->refuse[SM_STOP_CSR] = SM_NAME_NOT_FOUND; /* it ended in between */
	smctl(f, "session end --all");
	assert_int_equal(ran.status, 0);
	smctl(f, "session end 0 1");
	assert_int_equal(ran.status, 1);
	wanted(ran.err, "session 0 ends with the machine");
	wanted(ran.err, "there is no session 1");
}

static void what_holds_a_session_is_named(void **state)
{
	struct fake *f = *state;

	f->refuse[SM_STOP_CSR] = SM_DELETE_PENDING;
	f->left = 3;
	f->held_pid = 4242;
	str_copy(f->held_name, sizeof(f->held_name), "cp\x1b");
	fake_start(f);
	smctl(f, "session end 1");
	assert_int_equal(ran.status, 1);
	wanted(ran.err,
	       "session 1 is still dying: 3 processes are left, one where no signal reaches "
	       "it: 4242 cp\\x1B; see: smctl tree\n");
	smctl(f, "session end 1 --json");
	assert_int_equal(ran.status, 1);
	assert_string_equal(json_at("/ended"), "false");
	assert_string_equal(json_at("/left"), "3");
	assert_string_equal(json_at("/pid"), "4242");
	f->refuse[SM_STOP_CSR] = SM_ACCESS_DENIED;
	smctl(f, "session end 1");
	wanted(ran.err, "session 1: access denied: this needs root, its owner, or the group");
}

static void freezing_shows(void **state)
{
	struct fake *f = *state;

	fake_start(f);
	smctl(f, "session freeze 1");
	assert_int_equal(ran.status, 0);
	assert_string_equal(ran.out, "session 1 is frozen\n");
	assert_int_equal(f->heard.b.session_freeze.freeze, 1);
	smctl(f, "sessions");
	wanted(ran.out, "      1  running, frozen  ");
	smctl(f, "tree");
	wanted(ran.out, "session 1  running, frozen  tty1\n");
	smctl(f, "sessions --json");
	assert_string_equal(json_at("/sessions/1/frozen"), "true");
	smctl(f, "session show 1");
	wanted(ran.out, "programs    unknown: it is frozen\n");
	smctl(f, "session thaw --json 1");
	assert_string_equal(json_at("/frozen"), "false");
	smctl(f, "session freeze 0");
	assert_int_equal(ran.status, 1);
	wanted(ran.err, "session 0 holds the services");
	smctl(f, "session freeze 7");
	wanted(ran.err, "there is no session 7; try: smctl sessions");
	f->refuse[SM_SESSION_FREEZE] = SM_NOT_SUPPORTED;
	smctl(f, "session freeze 1");
	wanted(ran.err, "this needs cgroup v2, which is not there; see: smctl probe");
	f->refuse[SM_SESSION_FREEZE] = SM_TIMEOUT;
	smctl(f, "session freeze 1");
	wanted(ran.err, "not all of its processes stand still yet");
}

static void limits_are_changed_and_taken_away(void **state)
{
	struct fake *f = *state;
	const struct sm_session_limits *l = &f->heard.b.session_limits;

	fake_start(f);
	smctl(f, "session limits 1 --memory 1G --cpu 50 --processes max --io max");
	assert_int_equal(ran.status, 0);
	assert_int_equal(l->session, 1);
	assert_int_equal(l->memory_bytes, 1 << 30);
	assert_int_equal(l->cpu_percent, 50);
	assert_int_equal(l->processes, SM_UNLIMITED);
	assert_true(l->io_bytes_s == SM_UNLIMITED_64);
	assert_int_equal(l->cpu_weight, 0);
	assert_int_equal(l->io_weight, 0);
	f->heard_count = 0;
	smctl(f, "session limits 1"); /* only looks */
	assert_int_equal(ran.status, 0);
	assert_int_equal(f->heard_count, 0);
	smctl(f, "session limits 7 --memory 1G");
	wanted(ran.err, "there is no session 7");
	f->refuse[SM_SESSION_LIMITS] = SM_ACCESS_DENIED;
	smctl(f, "session limits 1 --memory 1G");
	assert_int_equal(ran.status, 1);
	wanted(ran.err, "this needs root; try it with sudo");
	f->refuse[SM_SESSION_LIMITS] = SM_NOT_SUPPORTED;
	smctl(f, "session limits 1 --memory 1G");
	wanted(ran.err, "session 1: this kernel does not offer that limit");
	f->refuse[SM_SESSION_LIMITS] = SM_TIMEOUT;
	smctl(f, "session limits 1 --memory 1G");
	wanted(ran.err, "what is in force: smctl session limits 1");
}

/* ---- show ---- */

static void fill_details(struct fake *f)
{
	struct sm_session_row *row = &f->session[1];

	row->isolation = SM_ISOLATE_MOUNT | SM_ISOLATE_IPC | SM_ISOLATE_PID;
	row->owner = 0;
	row->flags = SM_ROW_KEPT;
	row->restarts = 2;
	row->idle_s = 300;
	f->program[0] = (struct sm_program_row){
		.session = 1, .pid = 4711, .uid = 0, .flags = SM_EXEC_TERMINAL};
	str_copy(f->program[0].command, sizeof(f->program[0].command),
		 "/usr/bin/something-long --with many words and \x1b[2J in it");
	f->programs = 1;
}

static void show_tells_all_about_one(void **state)
{
	static const char *const pieces[] = {
		"session 1\n",
		"state       running; it is made again when it ends\n",
		"owner       root (0)\n",
		"csrss       200, restarted 2\n",
		"command     winlogon 201\n",
		"console     tty1\n",
		"ready       after 0.42 ms, up ",
		"ends        after 5 min 00 s without input\n",
		"isolation   mount ipc pid\n",
		"mounts      private\n",
		"programs    1 that csrss was asked to start:\n",
		" with      program\n",
		"terminal  /usr/bin/something-long --with many words and \\x1B[2J in it\n",
	};
	struct fake *f = *state;

	f->manner = FAKE_OTHER_PID; /* pids 200 and 201 are nobody's here */
	fill_details(f);
	fake_start(f);
	smctl(f, "session show 1");
	assert_int_equal(ran.status, 0);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++)
		wanted(ran.out, pieces[i]);
	smctl(f, "session show --json 1");
	assert_string_equal(json_at("/session"), "1");
	assert_string_equal(json_at("/isolation/2"), "pid");
	assert_string_equal(json_at("/owner"), "0");
	assert_string_equal(json_at("/kept"), "true");
	assert_string_equal(json_at("/restarts"), "2");
	assert_string_equal(json_at("/idle_s"), "300");
	assert_string_equal(json_at("/ends_ns"), "null");
	assert_string_equal(json_at("/own/mount"), "null");
	assert_string_equal(json_at("/settings/umask"), "null");
	assert_string_equal(json_at("/cgroup"), "null");
	assert_string_equal(json_at("/limits"), "null");
	assert_string_equal(json_at("/programs/0/pid"), "4711");
	assert_string_equal(json_at("/programs/0/with"), "terminal");
	smctl(f, "session show 7");
	assert_int_equal(ran.status, 1);
	wanted(ran.err, "there is no session 7; try: smctl sessions");
	f->refuse[SM_PROGRAM_ROW] = SM_ACCESS_DENIED;
	smctl(f, "session show 1");
	assert_int_equal(ran.status, 0);
	wanted(ran.out, "programs    unknown: only root and its owner may know\n");
	smctl(f, "session show 1 --json");
	assert_string_equal(json_at("/programs"), "null");
}

/* The row's processes are ours, so what the kernel says of them can be read. */
static void show_reads_the_kernels_own_files(void **state)
{
	struct fake *f = *state;

	fill_details(f);
	f->session[1].initial_pid = (uint32_t)getpid();
	fake_start(f);
	smctl(f, "session show 1");
	wanted(ran.out, "of its own  -\n");
	wanted(ran.out, "mounts      the machine's\n"); /* whatever the row says */
	wanted(ran.out, "settings    umask 0");
	smctl(f, "session show 1 --json");
	assert_string_equal(json_at("/own/mount"), "false");
	assert_string_equal(json_at("/own/net"), "false");
	assert_int_equal(strlen(json_at("/settings/capabilities")), 16);
}

/* ---- events ---- */

static void events_of_some_kinds_alone(void **state)
{
	struct fake *f = *state;

	f->close_after_events = true;
	fake_event(f, SM_EVENT_BOOT_ROW)->boot_row = f->boot[0];
	fake_event(f, SM_EVENT_SESSION)->session_row = f->session[1];
	fake_event(f, SM_EVENT_LOST)->lost.count = 7;
	fake_event(f, SM_EVENT_SHUTDOWN)->shutdown.action = SM_ACTION_HALT;
	fake_start(f);
	smctl(f, "events --follow --json --only session");
	assert_int_equal(ran.status, 0);
	assert_string_equal(json_at("/event"), "session");
	assert_string_equal(json_at("/frozen"), "false");
	wanted(ran.out, "\"event\":\"lost\",\"count\":7}\n");
	assert_null(strstr(ran.out, "\"boot\""));
	assert_null(strstr(ran.out, "\"shutdown\""));
}

/* ---- terminals ---- */

/* In characters: lines may be drawn. */
static size_t widest_line(const char *s)
{
	size_t widest = 0, n = 0;

	for (; *s; s++) {
		n = *s == '\n' ? 0 : n + (((unsigned char)*s & 0xC0) != 0x80);
		widest = n > widest ? n : widest;
	}
	return widest;
}

static void smctl_on(struct fake *f, unsigned columns, const char *verb, const char *word)
{
	const char *words[] = {"smctl", "--socket", f->path, verb, word, NULL, NULL};

	if (word && strcmp(verb, "session") == 0)
		words[5] = "1";
	run_on_terminal(smctl_path, words, columns, &ran);
	assert_int_equal(ran.status, 0);
}

static void listings_fit_every_terminal(void **state)
{
	static const char *const verbs[][2] = {
		{"sessions", NULL}, {"tree", NULL}, {"session", "show"}};
	struct fake *f = *state;

	fill_details(f);
	f->session[0].failures = 3;
	str_copy(f->session[1].initial, sizeof(f->session[1].initial),
		 "a-command-with-a-name-that-is-rather-long");
	str_copy(f->process[3].image, sizeof(f->process[3].image),
		 "another-name-that-is-rather-long-for-a-process");
	f->manner = FAKE_OTHER_PID;
	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		for (unsigned columns = 200; columns >= 4; columns -= columns > 100 ? 20 : 3) {
			smctl_on(f, columns, verbs[i][0], verbs[i][1]);
			if (widest_line(ran.out) > columns && columns >= 16)
				fail_msg("%s on %u columns:\n%s", verbs[i][0], columns, ran.out);
		}
}

static void narrow_ones_lose_columns_and_wide_ones_nothing(void **state)
{
	struct fake *f = *state;

	fill_details(f);
	str_copy(f->session[1].initial, sizeof(f->session[1].initial), "a-rather-long-command");
	fake_start(f);
	smctl_on(f, 200, "sessions", NULL);
	wanted(ran.out, "session  state    csrss  initial  command                console  "
			"ready after  owner  isolation      notes\n");
	smctl_on(f, 80, "sessions", NULL);
	wanted(ran.out, "session  state    command");
	wanted(ran.out, "owner");
	wanted(ran.out, "a-rather-l");
	wanted(ran.out, "csrss resta");
	assert_null(strstr(ran.out, "ready after"));
	smctl_on(f, 30, "sessions", NULL);
	wanted(ran.out, "session  state    command\n");
	wanted(ran.out, "      1  running  a-rather-...\n");
	smctl_on(f, 18, "sessions", NULL);
	wanted(ran.out, "session  state\n");
	smctl_on(f, 8, "sessions", NULL);
	wanted(ran.out, "sessi...\n");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(new_sends_what_was_asked_for),
		TEST(a_command_ends_the_options_and_keeps_its_blanks),
		TEST(what_cannot_be_meant_is_wrong_use),
		TEST(a_refusal_is_told_in_the_session_managers_words),
		TEST(several_are_ended_and_each_is_told),
		TEST(what_holds_a_session_is_named),
		TEST(freezing_shows),
		TEST(limits_are_changed_and_taken_away),
		TEST(show_tells_all_about_one),
		TEST(show_reads_the_kernels_own_files),
		TEST(events_of_some_kinds_alone),
		TEST(listings_fit_every_terminal),
		TEST(narrow_ones_lose_columns_and_wide_ones_nothing),
	};

	if (argc < 2)
		return 2;
	smctl_path = argv[1];
	(void)alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
