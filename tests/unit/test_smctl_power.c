/* SPDX-License-Identifier: MIT */
/*
 * test_smctl_power.c - what smctl asks for, under each of its names, and how it fails
 *
 * The session manager is made of tables and notes what it was asked to do; nothing is stopped or
 * started. Failures are held against exit status and the next step that the message names.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smctl_master.h"

static const char *smctl_path;
static struct ran ran;

/* Runs smctl under the line's first word; SMSS_SOCKET says where. Words are split at "|". */
static void run_line(struct fake *f, const char *line)
{
	char copy[2300], *at = copy, *word;
	const char *words[24];
	unsigned n = 0;

	assert_int_equal(setenv("SMSS_SOCKET", f->path, 1), 0);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&at, "|")) && n < 23)
		words[n++] = word;
	words[n] = NULL;
	run(smctl_path, words, &ran);
}

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

#define NOTHING 99u

static const struct {
	const char *line;
	unsigned action; /* NOTHING = it must not ask for a shutdown */
	unsigned fast;
	const char *reason;
	int status;
	const char *err; /* NULL = silence */
} power_cases[] = {
	{"smctl|poweroff", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"smctl|reboot|--fast|--reason|new kernel", SM_ACTION_REBOOT, 1, "new kernel", 0, NULL},
	{"smctl|halt", SM_ACTION_HALT, 0, "", 0, NULL},
	{"/usr/sbin/poweroff", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"reboot", SM_ACTION_REBOOT, 0, "", 0, NULL},
	{"reboot|-f", SM_ACTION_REBOOT, 1, "", 0, NULL},
	{"reboot|-d|-n|-i|-h", SM_ACTION_REBOOT, 0, "", 0, NULL},
	{"reboot|-p", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"halt", SM_ACTION_HALT, 0, "", 0, NULL},
	{"halt|-p", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"poweroff|--halt", SM_ACTION_HALT, 0, "", 0, NULL},
	{"poweroff|-w", NOTHING, 0, "", 0, NULL},
	{"poweroff|now", NOTHING, 0, "", 2, "\"now\" is not wanted here"},
	{"poweroff|-X", NOTHING, 0, "", 2, "there is no option -X here"},
	{"shutdown|now", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"shutdown|-h|now", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"shutdown|-P|+0", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"shutdown|-r|now|back|soon", SM_ACTION_REBOOT, 0, "back soon", 0, NULL},
	{"shutdown|-H|0", SM_ACTION_HALT, 0, "", 0, NULL},
	{"shutdown|-hH|now", SM_ACTION_HALT, 0, "", 0, NULL},
	{"shutdown|-t|5|-a|-r|now", SM_ACTION_REBOOT, 0, "", 0, NULL},
	{"shutdown|-r|+5", NOTHING, 0, "", 1, "not implemented; try: shutdown -r now"},
	{"shutdown|-h|23:00", NOTHING, 0, "", 1, "not implemented; try: shutdown -h now"},
	{"shutdown|-h", NOTHING, 0, "", 1, "not implemented"},
	{"shutdown|-c", NOTHING, 0, "", 1, "not implemented"},
	{"shutdown|-k|now", NOTHING, 0, "", 1, "not implemented"},
	{"telinit|0", SM_ACTION_POWEROFF, 0, "", 0, NULL},
	{"telinit|-t|3|6", SM_ACTION_REBOOT, 0, "", 0, NULL},
	{"telinit|3", NOTHING, 0, "", 1, "runlevel 3: not implemented"},
	{"telinit|q", NOTHING, 0, "", 1, "runlevel q: not implemented"},
	{"telinit|66", NOTHING, 0, "", 2, "wanted: one runlevel"},
	{"telinit", NOTHING, 0, "", 2, "wanted: one runlevel"},
};

static void each_name_asks_for_what_it_says(void **state)
{
	struct fake *f = *state;

	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(power_cases); i++) {
		f->heard_count = 0;
		run_line(f, power_cases[i].line);
		if (ran.status != power_cases[i].status)
			fail_msg("%s: status %d: %s", power_cases[i].line, ran.status, ran.err);
		if (power_cases[i].err ? !strstr(ran.err, power_cases[i].err) : ran.err[0] != 0)
			fail_msg("%s: says: %s", power_cases[i].line, ran.err);
		if (f->heard_count != (power_cases[i].action != NOTHING))
			fail_msg("%s: asked %u times", power_cases[i].line, f->heard_count);
		if (!f->heard_count)
			continue;
		if (f->heard.b.shutdown.action != power_cases[i].action ||
		    f->heard.b.shutdown.flags != power_cases[i].fast ||
		    !str_same(f->heard.b.shutdown.reason, power_cases[i].reason))
			fail_msg("%s: asked for action %u flags %u reason \"%s\"",
				 power_cases[i].line, f->heard.b.shutdown.action,
				 f->heard.b.shutdown.flags, f->heard.b.shutdown.reason);
	}
}

static const struct {
	const char *line;
	unsigned call;   /* the call that is refused; 0 = none */
	uint32_t refuse; /* with this */
	int status;
	const char *out, *err; /* a piece of each; NULL = must be empty */
} verb_cases[] = {
	{"smctl|exec|-d|1|/bin/echo|two words|x", 0, 0, 0, "process 4711 started in session 1\n",
	 NULL},
	{"smctl|exec|-d|--json|-s|1|--|a", 0, 0, 0, "\"pid\":4711", NULL},
	{"smctl|exec|1|a", 0, 0, 42, "said\n", NULL},
	{"smctl|exec|-s|one|a", 0, 0, 125, NULL, "try: smctl exec --help"},
	{"smctl|exec", 0, 0, 125, NULL, "wanted: a command"},
	{"smctl|exec|--json|1|a", 0, 0, 125, NULL, "--json goes with --detach only"},
	{"smctl|exec|9|a", SM_EXEC_PGM, SM_NAME_NOT_FOUND, 125, NULL,
	 "there is no session 9, or it is not running; try: smctl sessions"},
	{"smctl|session|new", 0, 0, 0, "session 1, ready after 0.42 ms: csrss 200, winlogon 201\n",
	 NULL},
	{"smctl|session|new", SM_START_CSR, SM_PENDING, 1, NULL,
	 "not yet: phase Ready is running; try: smctl wait ready"},
	{"smctl|session|new", SM_START_CSR, SM_ACCESS_DENIED, 1, NULL, "this needs root"},
	{"smctl|session|new", SM_START_CSR, SM_INSUFFICIENT_RESOURCES, 1, NULL, "table is full"},
	{"smctl|session|new", SM_START_CSR, SM_TIMEOUT, 1, NULL, "took too long"},
	{"smctl|session|end|1", 0, 0, 0, "session 1 has ended\n", NULL},
	{"smctl|session|end|1", SM_STOP_CSR, SM_DELETE_PENDING, 1, NULL,
	 "session 1 is still dying: 3 processes are left"},
	{"smctl|session|end|--json|1", SM_STOP_CSR, SM_DELETE_PENDING, 1, "\"left\":3", NULL},
	{"smctl|session|end|7", SM_STOP_CSR, SM_NAME_NOT_FOUND, 1, NULL, "there is no session 7"},
	{"smctl|session|end|0", 0, 0, 1, NULL,
	 "session 0 ends with the machine; try: smctl poweroff"},
	{"smctl|session|end", 0, 0, 2, NULL, "wanted: the number"},
	{"smctl|session", 0, 0, 2, NULL, "wanted: session list, show, new"},
	{"smctl|reboot", SM_SHUTDOWN, SM_SHUTDOWN_IN_PROGRESS, 1, NULL, "shutting down"},
	{"smctl|reboot", SM_SHUTDOWN, SM_UNSUCCESSFUL, 1, NULL, "status 0xC0000001"},
	{"smctl|status", SM_STATUS, SM_NOT_IMPLEMENTED, 1, NULL, "not implemented by this"},
	{"smctl|status", SM_STOP_TEXT, SM_NOT_IMPLEMENTED, 0, "phase ", NULL},
	{"smctl|wait|ready", 0, 0, 0, "ready after 1.23 s\n", NULL},
	{"smctl|wait|ready|--json", 0, 0, 0, "\"ready_us\":1234000", NULL},
	{"smctl|wait", 0, 0, 2, NULL, "wanted: wait ready"},
	{"smctl|wait|ready|-t|soon", 0, 0, 2, NULL, "--timeout wants seconds"},
	{"smctl|pending|nonsense", 0, 0, 2, NULL, "pending: there is no verb \"nonsense\""},
	{"smctl|pagefiles", 0, 0, 1, NULL, "pagefiles: not implemented in version"},
	{"smctl|boot|accept", 0, 0, 0, "said by the master: \\x1B[2J\n", NULL},
	{"smctl|boot|reject", 0, 0, 0, "said by the master", NULL},
	{"smctl|boot|next-lkg|--json", 0, 0, 0, "\"next\":\"Current\"", NULL},
	{"smctl|boot|accept|now", 0, 0, 2, NULL, "\"now\" is not wanted here"},
	{"smctl|boot|accept", SM_BOOT_ACCEPT, SM_ACCESS_DENIED, 1, NULL, "this needs root"},
	{"smctl|boot|reject", SM_BOOT_ACCEPT, SM_PENDING, 1, NULL, "not yet"},
	{"smctl|boot|reject", SM_BOOT_ACCEPT, SM_UNSUCCESSFUL, 1, NULL,
	 "boot reject: said by the master: \\x1B[2J"},
	{"smctl|boot|next-lkg", SM_BOOT_ACCEPT, SM_DELETE_PENDING, 1, NULL,
	 "another decision is just being written; try again"},
	{"smctl|boot", SM_BOOT_ACCEPT, SM_NOT_IMPLEMENTED, 0, "ready after", NULL},
	{"smctl|boot|maybe", 0, 0, 2, NULL, "\"maybe\" is not wanted here"},
	{"smctl|status|--follow", 0, 0, 2, NULL, "there is no option"},
	{"smctl|frobnicate", 0, 0, 2, NULL, "there is no verb \"frobnicate\""},
	{"smctl", 0, 0, 2, NULL, "wanted: a verb"},
	{"smctl|--help", 0, 0, 0, "session end NUMBER...|--all", NULL},
	{"smctl|help|exec", 0, 0, 0, "usage: smctl exec [OPTION]... [--] COMMAND...\n", NULL},
	{"smctl|wait|ready|--help", 0, 0, 0, "usage: smctl wait ready\n", NULL},
	{"smctl|--version", 0, 0, 0, "smctl 0.1.0 (build ", NULL},
	{"reboot|--version", 0, 0, 0, "reboot 0.1.0 (build ", NULL},
	{"shutdown|--help", 0, 0, 0, "usage: shutdown [-h|-P|-r|-H] now", NULL},
	{"smctl|probe", 0, 0, 0, "kernel >= 6.1", NULL},
	{"smctl|probe|--json", 0, 0, 0, "\"feature\":\"cgroup-v2\"", NULL},
};

static void squeeze(char *s)
{
	char *to = s;

	/* JSON's blanks and line ends are not part of what is promised. */
	for (; *s; s++)
		if (*s != '\n' && (*s != ' ' || (to[-1] != ':' && to[-1] != ' ')))
			*to++ = *s;
	*to = 0;
}

static void verbs_answer_and_fail_with_a_next_step(void **state)
{
	struct fake *f = *state;

	f->left = 3;
	str_copy(f->standing.text, sizeof(f->standing.text), "said by the master: \x1b[2J");
	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(verb_cases); i++) {
		const char *line = verb_cases[i].line, *out = verb_cases[i].out,
			   *err = verb_cases[i].err;

		memset(f->refuse, 0, sizeof(f->refuse));
		f->refuse[verb_cases[i].call] = verb_cases[i].refuse;
		run_line(f, line);
		if (strstr(line, "--json"))
			squeeze(ran.out);
		if (ran.status != verb_cases[i].status)
			fail_msg("%s: status %d: %s", line, ran.status, ran.err);
		if (out ? !strstr(ran.out, out) : ran.out[0] != 0)
			fail_msg("%s: prints: %s", line, ran.out);
		if (err ? !strstr(ran.err, err) : ran.err[0] != 0)
			fail_msg("%s: says: %s", line, ran.err);
	}
}

static void exec_sends_words_as_they_are(void **state)
{
	struct fake *f = *state;
	char line[2300] = "smctl|exec|1|";

	fake_start(f);
	run_line(f, "smctl|exec|-d|1|/bin/echo|two words||x");
	assert_int_equal(f->heard.b.exec_pgm.words_bytes, 23);
	assert_memory_equal(f->heard.b.exec_pgm.words, "/bin/echo\0two words\0\0x", 23);
	assert_int_equal(f->heard.b.exec_pgm.session, 1);
	assert_int_equal(f->heard.b.exec_pgm.flags, SM_EXEC_DETACHED | SM_EXEC_PIDFD);
	memset(line + strlen(line), 'x', 2000);
	run_line(f, line);
	assert_int_equal(ran.status, 125);
	assert_non_null(strstr(ran.err, "longer than 1999 bytes"));
}

static void waiting_ends_at_its_deadline_and_names_the_blocker(void **state)
{
	struct fake *f = *state;

	f->status.ready_ns = 0;
	f->status.phase = PHASE_BOOT_EXECUTE_CHECK;
	str_copy(f->status.blocker, sizeof(f->status.blocker), "autochk");
	fake_start(f);
	run_line(f, "smctl|wait|ready|--timeout|1");
	assert_int_equal(ran.status, 1);
	assert_non_null(strstr(ran.err, "not ready in time: phase BootExecute-autochk is running, "
					"waiting for autochk"));
	f->ready_after_events = true;
	run_line(f, "smctl|wait|ready|--timeout|0");
	assert_int_equal(ran.status, 0);
}

static void silence_and_nonsense_are_told_apart(void **state)
{
	static const struct {
		enum fake_manner manner;
		const char *err;
	} cases[] = {
		{FAKE_GARBAGE, "does not speak this version of the protocol"},
		{FAKE_SHUT, "has no place for another client"},
	};
	struct fake *f = *state;

	run_line(f, "smctl|status");
	assert_int_equal(ran.status, 1);
	assert_non_null(strstr(ran.err, "does not answer at /tmp/"));
	assert_non_null(strstr(ran.err, "is it running? try: smctl probe"));
	run_line(f, "reboot");
	assert_non_null(strstr(ran.err, "sysrq-trigger"));
	fake_start(f);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->manner = cases[i].manner;
		run_line(f, "smctl|status");
		assert_int_equal(ran.status, 1);
		if (!strstr(ran.err, cases[i].err))
			fail_msg("manner %d: %s", cases[i].manner, ran.err);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(each_name_asks_for_what_it_says),
		TEST(verbs_answer_and_fail_with_a_next_step),
		TEST(exec_sends_words_as_they_are),
		TEST(waiting_ends_at_its_deadline_and_names_the_blocker),
		TEST(silence_and_nonsense_are_told_apart),
	};

	if (argc < 2)
		return 2;
	smctl_path = argv[1];
	(void)alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
