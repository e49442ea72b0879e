/* SPDX-License-Identifier: MIT */
/*
 * test_registry_smreg.c - the program as people and the master run it
 *
 * SMREG names the program, EXAMPLES the directory of .reg files; both come from the build.
 */
#include "registry_program.h"

#include "regf_make.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

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
	assert_true(said("smreg query: has no option --force"));
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
	assert_true(said("BootExecute    REG_MULTI_SZ    autocheck autochk *\n        /bin/x\n"));
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
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("done by an earlier boot") && !said("each once"));
	assert_true(said("next boot: Current"));
	assert_int_equal(smreg("plan --json"), 0);
	assert_true(said("\"queue_done\": true"));
	assert_int_equal(smreg("add 'Extra'"), 0);
	assert_true(said("1 values that a boot has carried out are left out"));
	assert_int_equal(smreg("plan"), 0);
	assert_false(said("each once"));
}

static void write_state(const struct boot_state *wanted)
{
	struct boot_state s = *wanted;
	int dir = sys_open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);

	assert_int_equal(state_write(dir, &s), 0);
	close(dir);
}

static void a_plan_tells_which_level_boots_next(void **state)
{
	struct boot_state s = {.attempts = {3, 0, 0}};
	static uint8_t block[HIVE_BLOCK_BYTES];
	int fd;

	(void)state;
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("which level boots next: smctl boot"));
	fd = sys_open(AT_FDCWD, hive, O_RDONLY, 0);
	assert_int_equal(sys_read_all(fd, block, sizeof(block)), sizeof(block));
	close(fd);
	sha256_of(block, sizeof(block), s.hive_block_sha256);
	write_state(&s);
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("next boot: the built-in minimum, because boots of this hive that were "
			 "begun and not good: 3; no LastKnownGood is saved"));
	assert_int_equal(smreg("init --force"), 0);
	assert_int_equal(smreg("plan --json"), 0);
	assert_true(said("\"level\": \"Current\""));
}

static void protected_and_repeated_entries_are_told(void **state)
{
	static const char entry[] = "add " MANAGER " --value PendingFileRenameOperations "
				    "--type REG_MULTI_SZ ";

	(void)state;
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("%s --data /etc/smss/SYSTEM --data ''", entry), 0);
	assert_true(said("warning: Session Manager\\PendingFileRenameOperations: entry 1, "
			 "\"/etc/smss/SYSTEM\": a protected path"));
	assert_int_equal(smreg("check"), 0);
	assert_true(said("a protected path"));
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("refuse to delete /etc/smss/SYSTEM"));
	assert_int_equal(smreg("add " MANAGER " --value AllowProtectedRenames --type REG_DWORD "
			       "--data 1"),
			 0);
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("  delete /etc/smss/SYSTEM") && !said("refuse"));
	assert_int_equal(smreg("%s --data '/a\\0/b\\0/c\\0/a\\0/a\\0'", entry), 0);
	assert_false(said("takes it away")); /* the second brings it again */
	assert_int_equal(smreg("%s --data '/a\\0/b\\0/a\\0'", entry), 0);
	assert_true(said("entry 2, \"/a\": an earlier entry takes it away"));
}

static void strings_of_a_list_have_lines_of_their_own(void **state)
{
	(void)state;
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("add X --value l --type REG_MULTI_SZ --data 'C:\\0file' --data b"),
			 0);
	assert_int_equal(smreg("query X"), 0);
	assert_true(said("    l    REG_MULTI_SZ    C:\\0file\n        b\n"));
	assert_int_equal(smreg("add X --value l --type REG_MULTI_SZ --data 'C:\\0file\\0b'"), 0);
	assert_int_equal(smreg("query X"), 0);
	assert_true(said("    l    REG_MULTI_SZ    C:\n        file\n        b\n"));
	assert_int_equal(smreg("add X --value l --type REG_MULTI_SZ --data '\\0'"), 0);
	assert_int_equal(smreg("query X --json"), 0);
	assert_true(said("\"data\": [\n            \"\",\n            \"\"\n          ]"));
	assert_int_equal(smreg("add X --value l --type REG_MULTI_SZ --data ''"), 0);
	assert_int_equal(smreg("query X --json"), 0);
	assert_true(said("\"data\": [\n          ]"));
	assert_int_equal(smreg("add X --value PendingFileRenameOperations --type REG_MULTI_SZ "
			       "--data '/a\\0!/b\\0/c\\0'"),
			 0);
	assert_int_equal(smreg("query X"), 0);
	assert_true(said("    /a -> !/b\n        delete /c\n"));
	assert_int_equal(smreg("query X --times"), 0);
	assert_true(said("    last written 20") && said("Z\n"));
	assert_int_equal(smreg("query X --json"), 0);
	assert_true(said("\"written\": \"20"));
}

static void usage_errors_have_one_form(void **state)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{"qery", "no verb 'qery'; did you mean query?\nsee smreg --help\n"},
		{"query a b", "smreg query: unexpected argument 'b'\nusage: smreg query [KEY]"},
		{"copy a", "smreg copy: an argument is missing\nusage: smreg copy KEY"},
		{"copy a", "see smreg copy --help"},
		{"query --nope", "smreg: no option '--nope'"},
		{"add X --value a --value b --data 1", "--value stands twice"},
		{"add X --value a --data 1 --data 2", "--data stands 2 times"},
	};

	(void)state;
	assert_int_equal(smreg("init"), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code = smreg("%s", cases[i].line);

		if (code != 2 || !said(cases[i].says))
			fail_msg("smreg %s: %d, %s", cases[i].line, code, out);
	}
}

/* Who can open the lock can hold it for ever. */
static void the_lock_is_the_owners_alone(void **state)
{
	char lock[160];
	struct stat st;

	(void)state;
	snprintf(lock, sizeof(lock), "%s.lock", hive);
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(chmod(lock, 0644), 0); /* as it once was */
	assert_int_equal(smreg("add X"), 0);
	assert_int_equal(stat(lock, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(symlink("elsewhere", lock), 0);
	assert_int_equal(smreg("add X"), 1);
	assert_true(said("SYSTEM: SYSTEM.lock: ") && said(err_text(ELOOP)));
	assert_false(beside("elsewhere"));
}

static void a_refused_change_leaves_no_lock(void **state)
{
	struct make m = make_start(4096);
	FILE *f = fopen(hive, "we");

	(void)state;
	(void)make_key(&m, "ROOT");
	make_end(&m);
	assert_non_null(f);
	assert_int_equal(fwrite(m.at, 1, m.bins + 4096, f), m.bins + 4096);
	fclose(f);
	free(m.at);
	assert_int_equal(smreg("init --force"), 1);
	assert_true(said("smreg did not make this hive"));
	assert_false(beside("SYSTEM.lock"));
	assert_int_equal(smreg("add X"), 1);
	assert_false(beside("SYSTEM.lock"));
}

static void a_hive_changed_past_smreg_is_told(void **state)
{
	static const char was[] = "w\0a\0s\0!\0", now[] = "n\0o\0w\0!\0";
	static uint8_t bytes[65536];
	uint8_t *at;
	size_t n;
	FILE *f;

	(void)state;
	write_reg("a.reg", "\"Extra\"=\"was!\"");
	assert_int_equal(smreg("init '%s/a.reg'", directory), 0);
	assert_int_equal(smreg("plan"), 0);
	assert_false(said("warning"));
	f = fopen(hive, "r+e");
	assert_non_null(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	at = memmem(bytes, n, was, 8);
	assert_non_null(at);
	assert_int_equal(fseek(f, at - bytes, SEEK_SET), 0);
	assert_int_equal(fwrite(now, 1, 8, f), 8);
	fclose(f);
	assert_int_equal(smreg("plan"), 0);
	assert_true(said("the next boot still does what") && said("smreg plan --write --hive"));
	assert_int_equal(smreg("check"), 0);
	assert_true(said("smreg plan --write --hive"));
	assert_int_equal(smreg("plan --write"), 0);
	assert_int_equal(smreg("plan"), 0);
	assert_false(said("warning"));
	assert_int_equal(smreg("check"), 0);
	assert_false(said("warning"));
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
		cmocka_unit_test_setup_teardown(the_lock_is_the_owners_alone, start, end),
		cmocka_unit_test_setup_teardown(a_plan_tells_which_level_boots_next, start, end),
		cmocka_unit_test_setup_teardown(protected_and_repeated_entries_are_told, start,
						end),
		cmocka_unit_test_setup_teardown(strings_of_a_list_have_lines_of_their_own, start,
						end),
		cmocka_unit_test_setup_teardown(usage_errors_have_one_form, start, end),
		cmocka_unit_test_setup_teardown(a_refused_change_leaves_no_lock, start, end),
		cmocka_unit_test_setup_teardown(a_hive_changed_past_smreg_is_told, start, end),
	};

	if (!getenv("SMREG") || !getenv("EXAMPLES")) {
		printf("skipped: SMREG and EXAMPLES are not set\n");
		return 77;
	}
	return cmocka_run_group_tests_name("registry-smreg", tests, NULL, NULL);
}
