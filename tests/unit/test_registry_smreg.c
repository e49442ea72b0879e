/* SPDX-License-Identifier: MIT */
/*
 * test_registry_smreg.c - the program as people and the master run it
 *
 * SMREG names the program, EXAMPLES the directory of .reg files; both come from the build.
 */
#include "registry_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"

static void the_examples_import_without_a_remark(void **state)
{
	static const char *const names[] = {"demo", "vm", "container", "kiosk"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(smreg("init --force"), 0);
		if (smreg("import '%s/%s.reg'", getenv("EXAMPLES"), names[i]) != 0 || *out)
			fail_msg("%s.reg: %s", names[i], out);
		assert_int_equal(smreg("check"), 0);
		assert_true(said(": 0 errors"));
	}
	assert_int_equal(smreg("init --force '%s/demo.reg'", getenv("EXAMPLES")), 0);
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("move /var/tmp/smss-demo.new over /var/tmp/smss-demo.txt"));
	assert_true(said("delete /var/tmp/smss-demo.old"));
	assert_true(said("page to /pagefile.sys, 16 to 16 MiB"));
	assert_true(said("Winlogon\\Shell = /bin/bash"));
}

static void answers_and_exit_codes(void **state)
{
	(void)state;
	assert_int_equal(smreg("query"), 2);
	assert_true(said("smreg init --hive"));
	assert_int_equal(smreg("nonsense"), 2);
	assert_int_equal(smreg("import"), 2);
	assert_int_equal(smreg("query --nonsense"), 2);
	assert_int_equal(smreg("query --force"), 2);
	assert_true(said("query has no option --force"));
	assert_int_equal(smreg("--version"), 0);
	assert_true(said("smreg "));
	assert_int_equal(smreg("import --help"), 0);
	assert_true(said("usage: smreg import FILE.reg"));
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("init"), 1);
	assert_true(said("is there already"));
	assert_int_equal(smreg("query 'HKLM\\SYSTEM\\select'"), 0);
	assert_true(said("HKEY_LOCAL_MACHINE\\SYSTEM\\Select"));
	assert_true(said("    Current    REG_DWORD    0x1"));
	assert_int_equal(smreg("query 'CurrentControlSet\\Nowhere'"), 1);
	assert_true(said("no such key"));
	assert_int_equal(smreg("query Select --value nothing"), 1);
	assert_int_equal(smreg("query 'HKCU\\x'"), 2);
	assert_int_equal(smreg("query 'Computer\\HKEY_LOCAL_MACHINE\\SYSTEM\\Select'"), 0);
	assert_int_equal(smreg("query -s --value CURRENT"), 0);
	assert_true(said("SYSTEM\\Select\n    Current    REG_DWORD    0x1\n"));
	assert_int_equal(smreg("query -s --value nothing"), 1);
	assert_int_equal(smreg("query -s --json"), 0);
	assert_true(said("\"type\": \"REG_DWORD\""));
	assert_int_equal(smreg("plan --json"), 0);
	assert_true(said("\"initial_sessions\": 2"));
}

static void add_delete_and_export(void **state)
{
	static const char key[] = "'CurrentControlSet\\Control\\Session Manager'";

	(void)state;
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("add %s --value BootExecute --type REG_MULTI_SZ --data "
			       "'autocheck autochk *\\0/bin/x'",
			       key),
			 0);
	assert_int_equal(smreg("query %s --value bootexecute", key), 0);
	assert_true(said("BootExecute    REG_MULTI_SZ    autocheck autochk *\\0/bin/x"));
	assert_int_equal(
		smreg("add %s --value NumberOfInitialSessions --type REG_DWORD --data 0", key), 2);
	assert_true(said("0 is not from 1 to 1024"));
	assert_true(said("nothing was written"));
	assert_int_equal(smreg("query %s --value NumberOfInitialSessions", key), 1);
	assert_int_equal(smreg("export %s", key), 0);
	assert_true(said("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager]\n"
			 "\"BootExecute\"=hex(7):61,00"));
	assert_int_equal(smreg("delete %s --value BootExecute", key), 0);
	assert_int_equal(smreg("query %s --value BootExecute", key), 1);
}

static void a_bad_file_changes_nothing(void **state)
{
	char path[160], line[256];
	FILE *f;

	(void)state;
	snprintf(path, sizeof(path), "%s/bad.reg", directory);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs("Windows Registry Editor Version 5.00\n[HKLM\\SYSTEM\\New]\n\"a\"=dword:x\n", f);
	fclose(f);
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("import '%s'", path), 2);
	snprintf(line, sizeof(line), "%s:3:11: dword: takes", path);
	assert_true(said(line));
	assert_int_equal(smreg("query New"), 1);
}

static void write_reg(const char *name, const char *lines)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f,
		"Windows Registry Editor Version 5.00\n[HKLM\\SYSTEM\\CurrentControlSet\\"
		"Control\\Session Manager]\n%s\n",
		lines);
	fclose(f);
}

#define MANAGER "'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager'"

static void a_hive_that_gives_no_plan_is_refused(void **state)
{
	static const char *const keys[] = {MANAGER, "Select"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(smreg("init --force"), 0);
		assert_int_equal(smreg("delete %s", keys[i]), 2);
		assert_true(said("no boot could use it; nothing was written"));
		assert_int_equal(smreg("plan"), 0);
		assert_int_equal(smreg("delete %s --force", keys[i]), 0);
		assert_true(said("warning: the hive would have no"));
		assert_false(beside("SYSTEM.plan") || beside("SYSTEM.queue"));
		assert_int_equal(smreg("plan"), 2);
		assert_int_equal(smreg("add Extra"), 2);
	}
	assert_int_equal(smreg("add Select --value Current --type REG_DWORD --data 1"), 0);
	assert_true(beside("SYSTEM.plan"));
}

static void wrong_words_are_answered(void **state)
{
	static const struct {
		const char *line, *says;
		int code;
	} cases[] = {
		{"add", "usage: smreg add KEY", 2},
		{"delete", "usage: smreg delete KEY", 2},
		{"check extra", "usage: smreg check", 2},
		{"plan extra", "usage: smreg plan", 2},
		{"import", "usage: smreg import", 2},
		{"add X --value v --type REG_DWORD --data abc",
		 "--data abc: a REG_DWORD is a number", 2},
		{"add X --value v --type REG_DWORD --data 4294967296", "a number from 0 to", 2},
		{"add X --value v --type REG_DWORD", "--data is missing", 2},
		{"add X --value v --type DWORD --data 2", "--type DWORD: no such type; there are",
		 2},
		{"add X --data 2", "--value is missing", 2},
		{"add X --value v --type REG_BINARY --data 0af", "pairs of hexadecimal digits", 2},
		{"add X --value v --type REG_BINARY --data '0a ff,00'", "", 0},
		{"query X --value v", "v    REG_BINARY    0AFF00", 0},
		{"add X --value q --type reg_qword --data 0x1122334455", "", 0},
		{"query X --value q", "q    REG_QWORD    0x1122334455", 0},
		{"delete X --value Nope", "no such value: Nope", 1},
		{"delete X\\\\Nope", "X\\Nope: no such key", 1},
		{"query 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manger\\X'",
		 "SYSTEM\\ControlSet001\\Control is there, with the keys:\n    Session Manager\n",
		 1},
		{"query Select/Current", "a \\ parts the names of keys, not a /", 1},
		{"query 'HKLM\\SOFTWARE'", "only keys below", 2},
		{"add 'HKCU\\x'", "HKCU\\x: only keys below", 2},
		{"add hkcr", "only keys below", 2},
		{"add 'HKEY_USERS\\x' --value v --data d", "only keys below", 2},
		{"delete 'HKCC\\x'", "only keys below", 2},
		{"add 'A] ;b'", "a ] and a ; in its name", 2},
		{"add 'hkcunning'", "", 0},
		{"query hkcunning", "SYSTEM\\hkcunning", 0},
		{"add 'A]\\B'", "", 0},
		{"query 'A]\\B'", "SYSTEM\\A]\\B", 0},
	};

	(void)state;
	assert_int_equal(smreg("init"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code = smreg("%s", cases[i].line);

		if (code != cases[i].code || !said(cases[i].says))
			fail_msg("smreg %s: %d, %s", cases[i].line, code, out);
	}
}

static void a_remark_names_its_line_and_is_made_once(void **state)
{
	char place[200];

	(void)state;
	write_reg("bad.reg", "\"PnpDeadline\"=dword:5\n\"BootAttempts\"=dword:0");
	write_reg("typo.reg", "\"BootExecut\"=hex(7):61,00,\\\n  00,00,00,00\n\"Other\"=\"x\"");
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("import '%s/typo.reg' '%s/bad.reg'", directory, directory), 2);
	snprintf(place, sizeof(place), "%s/bad.reg:4: error: Session Manager\\BootAttempts: 0 is",
		 directory);
	assert_true(said(place));
	snprintf(place, sizeof(place), "%s/typo.reg:5: unknown: Session Manager\\Other", directory);
	assert_true(said(place));
	assert_int_equal(smreg("import '%s/typo.reg'", directory), 0);
	snprintf(place, sizeof(place), "%s/typo.reg:3: unknown: Session Manager\\BootExecut",
		 directory);
	assert_true(said(place));
	assert_int_equal(smreg("add 'Session Manager'"), 0);
	assert_true(said("did you mean CurrentControlSet\\Control\\Session Manager?"));
	assert_int_equal(smreg("add Select"), 0);
	assert_string_equal(out, "");
	assert_int_equal(smreg("add " MANAGER " --value Other --data y"), 0);
	assert_true(said("unknown: Session Manager\\Other") && !said("BootExecut"));
	assert_int_equal(smreg("import --force '%s/bad.reg'", directory), 0);
	assert_int_equal(smreg("add Select"), 2); /* an old error that refuses is said */
	assert_true(said("error: Session Manager\\BootAttempts"));
	assert_int_equal(smreg("check"), 1);
	assert_true(said("BootExecut") && said("Other") && said("BootAttempts"));
	assert_true(said("unknown: HKLM\\SYSTEM\\Session Manager\\"));
}

static void a_refused_init_leaves_nothing(void **state)
{
	(void)state;
	write_reg("bad.reg", "\"BootAttempts\"=dword:0");
	assert_int_equal(smreg("init '%s/bad.reg'", directory), 2);
	assert_false(beside("SYSTEM") || beside("SYSTEM.lock") || beside("SYSTEM.plan"));
	assert_int_equal(smreg("add Select"), 1);
	assert_false(beside("SYSTEM.lock"));
	assert_int_equal(smreg("init"), 0);
	assert_true(said("made ") && said(hive));
	assert_true(beside("SYSTEM.lock"));
	assert_int_equal(smreg("init"), 1);
	assert_true(beside("SYSTEM.lock"));
}

static void what_a_boot_consumed_is_dropped_at_the_next_commit(void **state)
{
	struct boot_state s;
	static uint8_t queue[65536];
	char path[160];
	ssize_t n;
	int dir;

	(void)state;
	assert_int_equal(smreg("init '%s/demo.reg'", getenv("EXAMPLES")), 0);
	assert_int_equal(smreg("import '%s/demo.reg'", getenv("EXAMPLES")), 0);
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("each once"));
	snprintf(path, sizeof(path), "%s/SYSTEM.queue", directory);
	n = sys_read_file(AT_FDCWD, path, queue, sizeof(queue));
	assert_true(n > 0);
	dir = sys_open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
	assert_int_equal(state_read(dir, &s), STATE_NEW);
	sha256_of(queue, (size_t)n, s.queue_done_sha256);
	assert_int_equal(state_write(dir, &s), 0);
	close(dir);
	assert_int_equal(smreg("add 'Extra'"), 0);
	assert_true(said("1 values that a boot has carried out are left out"));
	assert_int_equal(smreg("plan"), 0);
	assert_false(said("each once"));
}

/* One boot-mode run: the messages that came, the exit code, and the plan when there was one. */
struct boot_run {
	unsigned plans, items;
	struct sm_plan_ready ready;
	struct sm_item item;
	int exit_code;
	bool sealed;
	size_t plan_n;
};

static void answer(int fd, const struct sm_message *m)
{
	struct sm_message a;

	sm_message_start(&a, m->h.call, 1, m->h.tag);
	assert_true(sys_send(fd, &a, sm_message_bytes(&a), NULL, 0) > 0);
}

static void boot(const char *path, struct boot_run *ret)
{
	char *argv[] = {"smreg", "plan", "--boot", "--level", "0", "--hive", (char *)path, NULL};
	char word[160], *envp[] = {word, NULL};
	struct sm_message m;
	int pair[2], fds[SYS_FDS_MAX], pid, status;
	unsigned count;

	snprintf(word, sizeof(word), "SMSS_STATE=%s", directory);
	memset(ret, 0, sizeof(*ret));
	assert_int_equal(sys_socketpair(pair), 0);
	pid = fork();
	if (pid == 0) {
		if (pair[1] != FD_MASTER)
			dup2(pair[1], FD_MASTER);
		else
			fcntl(FD_MASTER, F_SETFD, 0);
		alarm(20);
		execve(getenv("SMREG"), argv, envp);
		_exit(126);
	}
	close(pair[1]);
	while (sys_receive(pair[0], &m, sizeof(m), fds, &count) > 0) {
		if (m.h.call == SM_PHASE_ITEM) {
			ret->items++;
			ret->item = m.b.item;
		} else if (m.h.call == SM_PLAN_READY) {
			const void *plan;

			assert_int_equal(count, 1);
			ret->plans++;
			ret->ready = m.b.plan_ready;
			ret->sealed = sys_is_sealed(fds[0]) == 1;
			assert_int_equal(sys_map_sealed(fds[0], &plan, &ret->plan_n), 0);
			assert_int_equal(plan_check(plan, ret->plan_n, PLAN_MAGIC, NULL), 0);
			answer(pair[0], &m);
		}
		for (unsigned i = 0; i < count; i++)
			close(fds[i]);
	}
	close(pair[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ret->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static void at_boot_the_plan_comes_sealed(void **state)
{
	struct boot_run run;

	(void)state;
	assert_int_equal(smreg("init '%s/demo.reg'", getenv("EXAMPLES")), 0);
	boot(hive, &run);
	assert_int_equal(run.exit_code, 0);
	assert_int_equal(run.plans, 1);
	assert_int_equal(run.items, 0);
	assert_true(run.sealed);
	assert_int_equal(run.ready.flags, SM_PLAN_RENAMES);
}

static void at_boot_a_bad_hive_is_named(void **state)
{
	struct boot_run run;
	struct stat st;
	uint32_t word = 0x5A5A5A5A;
	int fd;

	(void)state;
	boot("/nonexistent/SYSTEM", &run);
	assert_int_equal(run.exit_code, 1);
	assert_string_equal(run.item.text, "no hive");
	assert_int_equal(smreg("init"), 0);
	fd = open(hive, O_RDWR | O_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, &word, 4, 508), 4);
	boot(hive, &run);
	assert_int_equal(run.exit_code, 1);
	assert_int_equal(run.plans, 0);
	assert_non_null(strstr(run.item.text, "checksum at 508 is 0x5A5A5A5A"));
	assert_int_equal(ftruncate(fd, 4096 + 100), 0);
	boot(hive, &run);
	assert_int_equal(run.exit_code, 1);
	assert_int_equal(run.plans, 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_examples_import_without_a_remark, start, end),
		cmocka_unit_test_setup_teardown(answers_and_exit_codes, start, end),
		cmocka_unit_test_setup_teardown(add_delete_and_export, start, end),
		cmocka_unit_test_setup_teardown(a_bad_file_changes_nothing, start, end),
		cmocka_unit_test_setup_teardown(a_hive_that_gives_no_plan_is_refused, start, end),
		cmocka_unit_test_setup_teardown(wrong_words_are_answered, start, end),
		cmocka_unit_test_setup_teardown(a_remark_names_its_line_and_is_made_once, start,
						end),
		cmocka_unit_test_setup_teardown(a_refused_init_leaves_nothing, start, end),
		cmocka_unit_test_setup_teardown(what_a_boot_consumed_is_dropped_at_the_next_commit,
						start, end),
		cmocka_unit_test_setup_teardown(at_boot_the_plan_comes_sealed, start, end),
		cmocka_unit_test_setup_teardown(at_boot_a_bad_hive_is_named, start, end),
	};

	if (!getenv("SMREG") || !getenv("EXAMPLES")) {
		printf("skipped: SMREG and EXAMPLES are not set\n");
		return 77;
	}
	return cmocka_run_group_tests_name("registry-smreg", tests, NULL, NULL);
}
