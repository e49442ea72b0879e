/* SPDX-License-Identifier: MIT */
/*
 * test_autochk.c - autochk's readers: command line, fstab, options, order, mountinfo, fsck's words
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "autochk/check.h"
#include "autochk/command.h"
#include "autochk/done.h"
#include "autochk/fstab.h"
#include "autochk/mountinfo.h"
#include "autochk/options.h"
#include "autochk/order.h"
#include "autochk/progress.h"
#include "autochk/run.h"
#include "base/bytes.h"
#include "plan/plan.h"
#include "sys/sys.h"

static void command_lines_follow_nts_grammar(void **state)
{
	static const struct {
		const char *line, *requests, *wrong;
		bool all, quiet, verbose;
	} cases[] = {
		{"*", "", NULL, true, false, false},
		{"/q /v *", "", NULL, true, true, true},
		{"/p /dev/vda2 *", "/p /dev/vda2,", NULL, true, false, false},
		{"/P /dev/vda2", "/p /dev/vda2,", NULL, false, false, false},
		{"/r:UUID=1-2 *", "/r UUID=1-2,", NULL, true, false, false},
		{"/k:/home /k:/srv *", "/k /home,/k /srv,", NULL, true, false, false},
		{"/m /home /var", "/m /home,/m /var,", NULL, false, false, false},
		{"/p *", "/p *,", NULL, true, false, false},
		{"/p", "", "/p", false, false, false},
		{"/p /q *", "", "/p", true, true, false},
		{"/k:/q *", "/k /q,", NULL, true, false, false},
		{"/k: *", "", "(empty volume)", true, false, false},
		{"/x *", "", "/x", true, false, false},
		{"/l:5 *", "", "/l:5", true, false, false},
		{"/spotfix *", "", "/spotfix", true, false, false},
		{"--sideways", "", "--sideways", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char line[200], *words[20], got[200] = "";
		struct command c;

		snprintf(line, sizeof(line), "%s", cases[i].line);
		assert_true(plan_words(line, words, 19) >= 0);
		command_read(words, &c);
		for (unsigned k = 0; k < c.count; k++)
			snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s %s,",
				 command_switch(c.request[k].how), c.request[k].volume);
		assert_string_equal(got, cases[i].requests);
		assert_int_equal(c.all, cases[i].all);
		assert_int_equal(c.quiet, cases[i].quiet);
		assert_int_equal(c.verbose, cases[i].verbose);
		if (cases[i].wrong)
			assert_string_equal(c.wrong, cases[i].wrong);
		else
			assert_null(c.wrong);
	}
}

static void too_many_requests_are_said(void **state)
{
	char *words[COMMAND_REQUESTS + 2];
	struct command c;

	(void)state;
	for (unsigned i = 0; i <= COMMAND_REQUESTS; i++)
		words[i] = (char *)"/dev/vda";
	words[COMMAND_REQUESTS + 1] = NULL;
	command_read(words, &c);
	assert_int_equal(c.count, COMMAND_REQUESTS);
	assert_string_equal(c.wrong, "/dev/vda");
}

static void options_say_what_mount_needs(void **state)
{
	static const struct {
		const char *field, *data;
		unsigned flags;
		unsigned long mount;
		bool plain;
	} cases[] = {
		{"", "", 0, 0, true},
		{"defaults", "", 0, 0, true},
		{"noatime,errors=remount-ro", "errors=remount-ro", 0, MS_NOATIME, true},
		{"ro,rw", "", 0, 0, true},
		{"rw,ro", "", VOLUME_READ_ONLY, MS_RDONLY, true},
		{"noauto,nofail", "", VOLUME_NOAUTO | VOLUME_NOFAIL, 0, true},
		{"noauto,auto", "", 0, 0, true},
		{"commit=5,discard,nosuid", "commit=5,discard", 0, MS_NOSUID, true},
		{"noatime,relatime", "", 0, MS_RELATIME, true},
		{"_netdev", "", VOLUME_NETWORK, 0, true},
		{"bind", "", VOLUME_BIND, 0, false},
		{"x-systemd.automount", "", 0, 0, false},
		{"x-mount.mkdir=0755", "", VOLUME_MAKE_TARGET, 0, false},
		{"discarded", "", 0, 0, false},
		{"subvol=@", "", 0, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct options o;

		options_read(cases[i].field, &o);
		assert_string_equal(o.data, cases[i].data);
		assert_int_equal(o.flags, cases[i].flags);
		assert_int_equal(o.mount, cases[i].mount);
		assert_int_equal(o.plain, cases[i].plain);
	}
}

static bool proc_is_mounted(const void *who, const char *target)
{
	(void)who;
	return !strcmp(target, "/proc");
}

static void the_quick_reader_gives_up_in_doubt(void **state)
{
	static struct volumes v;
	static const struct {
		const char *text;
		bool quick;
		unsigned count;
	} cases[] = {
		{"", true, 0},
		{"# nothing\n\n  \t\n", true, 0},
		{"UUID=1 / ext4 errors=remount-ro 0 1\n", true, 1},
		{"UUID=1 / ext4 defaults", true, 1},
		{"UUID=1\t/\text4\tdefaults\t0\t1 # root\n", true, 1},
		{"/dev/vda1 / ext4 defaults 0 1\nUUID=2 none swap sw 0 0\n", true, 2},
		{"/dev/sr0 /media/cdrom udf,iso9660 user,noauto 0 0\n", true, 1},
		{"proc /proc proc defaults 0 0\n", true, 1},
		{"server:/x /net nfs defaults 0 0\n", true, 1},
		{"tmpfs /tmp tmpfs defaults 0 0\n", false, 0},
		{"/dev/vdb1 /data ext4 defaults 0 2\n", false, 0},
		{"/dev/vda1 / ext4 subvol=x 0 1\n", false, 0},
		{"/dev/vda1 / ext4\n", false, 0},
		{"/dev/vda1 / ext4 defaults zero 1\n", false, 0},
		{"/dev/vda1 / ext4 defaults 0 1 more\n", false, 0},
		{"/dev/my\\040disk none swap sw 0 0\n", false, 0},
		{"nonsense\n", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(fstab_quick(cases[i].text, strlen(cases[i].text), proc_is_mounted,
					     NULL, &v),
				 cases[i].quick);
		if (cases[i].quick)
			assert_int_equal(v.count, cases[i].count);
	}
	assert_true(fstab_quick("LABEL=r / ext4 ro 0 1\n", 22, proc_is_mounted, NULL, &v));
	assert_string_equal(v.at[0].source, "LABEL=r");
	assert_int_equal(v.at[0].pass, 1);
	assert_int_equal(v.at[0].flags, VOLUME_ROOT | VOLUME_READ_ONLY);
}

static void mounts_come_after_what_they_lie_on(void **state)
{
	static const struct {
		const char *lines[4]; /* "source target", in the order of fstab */
		unsigned want[4];
	} cases[] = {
		{{"/dev/a /a/b", "/dev/b /a", "/dev/r /"}, {2, 1, 0}},
		{{"/dev/a /ab", "/dev/b /a"}, {0, 1}},
		{{"/data/x /bound", "/dev/b /data"}, {1, 0}},
		{{"/dev/a /x", "/dev/b /x", "/dev/c /x/y"}, {0, 1, 2}},
		{{"/b/src /a", "/a/src /b"}, {0, 1}}, /* a ring: the first line first */
		{{"/data/disk.img /img", "/img/x /y", "/dev/d /data"}, {2, 0, 1}},
	};
	static struct volumes v;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned order[VOLUMES_MAX];

		memset(&v, 0, sizeof(v));
		for (; v.count < 4 && cases[i].lines[v.count]; v.count++)
			assert_int_equal(sscanf(cases[i].lines[v.count], "%511s %511s",
						v.at[v.count].source, v.at[v.count].target),
					 2);
		assert_int_equal(order_mounts(&v, order), v.count);
		for (unsigned k = 0; k < v.count; k++)
			assert_int_equal(order[k], cases[i].want[k]);
	}
}

static void checks_go_by_pass_the_root_first(void **state)
{
	static struct volumes v = {
		.count = 4,
		.at = {{.pass = 2}, {.pass = 0}, {.pass = 2, .flags = VOLUME_ROOT}, {.pass = 1}}};
	static const unsigned want[] = {2, 3, 0, 1};
	unsigned order[VOLUMES_MAX];

	(void)state;
	order_checks(&v, order);
	assert_memory_equal(order, want, sizeof(want));
}

static void mountinfo_is_read_with_its_escapes(void **state)
{
	char text[] = "1 0 254:1 / / ro,noatime - ext4 /dev/root ro,errors=continue\n"
		      "garbage\n"
		      "2 1 0:5 / /a\\040b rw shared:1 master:2 - tmpfs my\\134fs rw\n"
		      "3 1 254:1 / /again rw - ext4 /dev/root rw\n"
		      "4 1 0:6 / /a\\040b rw - proc proc rw";
	struct mountinfo m;
	const struct mount_row *r;

	(void)state;
	assert_int_equal(mountinfo_read(text, &m), 0);
	assert_int_equal(m.count, 4);
	r = mountinfo_at(&m, "/");
	assert_non_null(r);
	assert_int_equal(r->major, 254);
	assert_int_equal(r->minor, 1);
	assert_string_equal(r->source, "/dev/root");
	assert_true(mount_has(r->options, "noatime"));
	assert_false(mount_has(r->options, "noat"));
	assert_string_equal(mountinfo_at(&m, "/a b")->type, "proc"); /* the topmost */
	assert_string_equal(m.row[1].source, "my\\fs");
	assert_string_equal(mountinfo_of(&m, 254, 1)->target, "/again"); /* the writable one */
	assert_null(mountinfo_at(&m, "/none"));
	free(m.row);
}

static void progress_is_percent_of_the_whole(void **state)
{
	static const struct {
		const char *line;
		int percent;
		unsigned pass;
	} cases[] = {
		{"1 0 100 /dev/vda1", 0, 1},
		{"1 100 100 /dev/vda1", 72, 1},
		{"2 1 2 /dev/vda1", 81, 2},
		{"5 7 7 x", 100, 5},
		{"1 0 0 x", 0, 1},
		{"1 9223372036854775807 9223372036854775807", 72, 1},
		{"6 0 1 x", -22, 0},
		{"0 0 1 x", -22, 0},
		{"1 2 1 x", -22, 0},
		{"", -22, 0},
		{"Pass 1: Checking", -22, 0},
		{"1 99999999999999999999 1", -22, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned pass = 0;

		assert_int_equal(progress_percent(cases[i].line, &pass), cases[i].percent);
		assert_int_equal(pass, cases[i].pass);
	}
	assert_int_equal(progress_pass("Pass 3: Checking directory connectivity"), 3);
	assert_int_equal(progress_pass("Passing"), 0);
}

static void every_exit_bit_has_words(void **state)
{
	static const struct {
		int bits;
		const char *words;
	} cases[] = {
		{0, "clean (0)"},
		{1, "errors fixed (1)"},
		{3, "errors fixed, reboot needed (3)"},
		{4, "errors left (4)"},
		{12, "errors left, could not do its work (12)"},
		{16, "called wrongly (16)"},
		{32, "cancelled (32)"},
		{128, "a library is missing (128)"},
		{64, "unknown status (64)"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char room[200];
		struct text t = TEXT_ON(room);

		check_words(cases[i].bits, &t);
		assert_string_equal(room, cases[i].words);
	}
	assert_int_equal(check_bits("ext4", 2), FSCK_REBOOT);
	assert_int_equal(check_bits("vfat", 2), FSCK_USAGE);
	assert_int_equal(check_bits("vfat", 1), FSCK_FIXED);
}

static void kernel_words_are_taken(void **state)
{
	char line[] = "quiet fsck.mode=force root=/dev/vda fsck.repair=no smss.state=/x\n";
	char odd[] = "fsck.mode=sometimes smss.state=relative fsck.repair=";
	struct settings s = {0};

	(void)state;
	settings_words(line, &s);
	assert_int_equal(s.mode, MODE_FORCE);
	assert_int_equal(s.repair, REPAIR_NO);
	assert_string_equal(s.state, "/x");
	settings_words(odd, &s); /* changes nothing */
	assert_int_equal(s.mode, MODE_FORCE);
	assert_int_equal(s.repair, REPAIR_NO);
	assert_string_equal(s.state, "/x");
}

static unsigned told;
static void tell(const struct request *r)
{
	(void)r;
	told++;
}

static void a_request_runs_once_for_a_hive(void **state)
{
	char directory[] = "/tmp/test-autochk-XXXXXX", file[80];
	struct settings s = {.has_hive = true, .hive_sha256 = {1}};
	struct command first = {
		.count = 2,
		.request = {{REQUEST_ALWAYS, "/dev/a", true}, {REQUEST_SURFACE, "/dev/b", false}}};
	struct command c = first;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(s.state, sizeof(s.state), "%s", directory);
	told = 0;
	done_drop(&s, &c, tell);
	assert_int_equal(c.count, 2);
	assert_int_equal(done_write(&s, &c), 0);
	done_drop(&s, &c, tell);
	assert_int_equal(told, 1); /* /dev/b was never found: it stays */
	assert_int_equal(c.count, 1);
	assert_string_equal(c.request[0].volume, "/dev/b");
	c.request[0].found = true;
	assert_int_equal(done_write(&s, &c), 0);
	c = first;
	done_drop(&s, &c, tell); /* the first is not forgotten for the second */
	assert_int_equal(c.count, 0);
	s.hive_sha256[0] = 2;
	c = first;
	done_drop(&s, &c, tell);
	assert_int_equal(c.count, 2);
	s.has_hive = false; /* by hand */
	s.hive_sha256[0] = 1;
	done_drop(&s, &c, tell);
	assert_int_equal(c.count, 2);
	snprintf(file, sizeof(file), "%s/" DONE_FILE, directory);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(directory), 0);
}

static void answer_it(const void *question, void *answer)
{
	*(int *)answer = *(const int *)question + 1;
}

static void die_of_it(const void *question, void *answer)
{
	(void)question;
	(void)answer;
	_exit(3);
}

static void hang_on_it(const void *question, void *answer)
{
	(void)question;
	(void)answer;
	sys_sleep_ms(60000);
}

static void a_forked_half_may_die_or_hang(void **state)
{
	int question = 41, answer = 0;
	uint64_t start = sys_now_ns();

	(void)state;
	assert_int_equal(run_forked(answer_it, &question, &answer, sizeof(answer), 5000), 0);
	assert_int_equal(answer, 42);
	assert_int_equal(run_forked(die_of_it, &question, &answer, sizeof(answer), 5000), -EIO);
	assert_int_equal(run_forked(hang_on_it, &question, &answer, sizeof(answer), 50),
			 -ETIMEDOUT);
	assert_int_equal(answer, 42); /* untouched */
	assert_true(sys_now_ns() - start < 5000000000ull);
}

static char lines[200];

static void keep_line(void *who, const char *line)
{
	snprintf(lines + strlen(lines), sizeof(lines) - strlen(lines), "%s%s|", (char *)who, line);
}

static void a_program_is_read_by_lines_and_ends_in_time(void **state)
{
	char *const good[] = {(char *)"sh", (char *)"-c",
			      (char *)"echo one; printf 'two\\rthree' >&2; echo 1 2 3 >&3; exit 5",
			      NULL};
	char *const slow[] = {(char *)"sh", (char *)"-c", (char *)"exec sleep 60", NULL};
	char *const killed[] = {(char *)"sh", (char *)"-c", (char *)"kill -9 $$", NULL};
	struct run_program p = {.path = "/bin/sh",
				.argv = good,
				.line = keep_line,
				.progress = keep_line,
				.who = (char *)""};
	struct run_end end;

	(void)state;
	*lines = 0;
	if (run_program(&p, &end) == -ENOSYS)
		skip(); /* valgrind has no pidfd_open */
	assert_false(end.signalled || end.timed_out);
	assert_int_equal(end.status, 5);
	assert_non_null(strstr(lines, "one|"));
	assert_non_null(strstr(lines, "two|"));
	assert_non_null(strstr(lines, "three|"));
	assert_non_null(strstr(lines, "1 2 3|"));
	p.argv = killed;
	assert_int_equal(run_program(&p, &end), 0);
	assert_true(end.signalled);
	assert_int_equal(end.status, 9);
	p.argv = slow;
	p.end_ns = sys_now_ns() + 50000000ull;
	assert_int_equal(run_program(&p, &end), 0);
	assert_true(end.timed_out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(command_lines_follow_nts_grammar),
		cmocka_unit_test(too_many_requests_are_said),
		cmocka_unit_test(options_say_what_mount_needs),
		cmocka_unit_test(the_quick_reader_gives_up_in_doubt),
		cmocka_unit_test(mounts_come_after_what_they_lie_on),
		cmocka_unit_test(checks_go_by_pass_the_root_first),
		cmocka_unit_test(mountinfo_is_read_with_its_escapes),
		cmocka_unit_test(progress_is_percent_of_the_whole),
		cmocka_unit_test(every_exit_bit_has_words),
		cmocka_unit_test(kernel_words_are_taken),
		cmocka_unit_test(a_request_runs_once_for_a_hive),
		cmocka_unit_test(a_forked_half_may_die_or_hang),
		cmocka_unit_test(a_program_is_read_by_lines_and_ends_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
