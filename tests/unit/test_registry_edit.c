/* SPDX-License-Identifier: MIT */
/*
 * test_registry_edit.c - smreg edit: what becomes of the text, whatever the editor and the person
 * do; and the ways back from a wrong hive: restore, import --whole, errors that were there before
 *
 * Editors are lines of shell; answers come over a terminal of our own.
 */
#include "registry_program.h"

#include <dirent.h>
#include <fcntl.h>
#include <pty.h>

#define MANAGER "CurrentControlSet\\Control\\Session Manager"

static int begin(void **state)
{
	int r = start(state);

	setenv("TMPDIR", directory, 1);
	unsetenv("VISUAL");
	return r ? r : smreg("init");
}

/* `smreg edit KEY` with that editor and no terminal. */
static int edit(const char *editor, const char *key)
{
	setenv("EDITOR", editor, 1);
	return smreg("edit '%s' </dev/null", key);
}

/* The texts that lie in TMPDIR. */
static unsigned texts(void)
{
	DIR *d = opendir(directory);
	unsigned count = 0;
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		count += strncmp(e->d_name, "smreg-", 6) == 0;
	closedir(d);
	return count;
}

/* The same on a terminal, where a person types these lines; what is seen comes to `out`. */
static int on_terminal(const char *editor, const char *key, const char *answers)
{
	char *argv[] = {"smreg", "edit", (char *)key, "--hive", hive, "--state", directory, NULL};
	int fd, status, pid;
	size_t n = 0;
	ssize_t got;

	setenv("EDITOR", editor, 1);
	pid = forkpty(&fd, NULL, NULL, NULL);
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		execv(getenv("SMREG"), argv);
		_exit(126);
	}
	assert_int_equal(write(fd, answers, strlen(answers)), strlen(answers));
	while (n < sizeof(out) - 1 && (got = read(fd, out + n, sizeof(out) - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	close(fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void what_stands_in_the_text_is_the_key(void **state)
{
	(void)state;
	assert_int_equal(smreg("add 'A\\Gone' --value v --data 1"), 0);
	assert_int_equal(smreg("add A --value l --type REG_MULTI_SZ --data 'x\\0y'"), 0);
	assert_int_equal(smreg("add A --value old --data o"), 0);
	assert_int_equal(smreg("add B --value b --data b"), 0);
	assert_int_equal(edit("sed -i -e '/old/d' -e '/Gone/,$d' -e 's/x.0y/x\\\\0new/' "
			      "-e '$a \"n\"=dword:7'",
			      "A"),
			 0);
	assert_string_equal(out, "");
	assert_int_equal(smreg("query A -s"), 0);
	assert_true(said("l    REG_MULTI_SZ    x\n        new\n") && !said("Gone") && !said("old"));
	assert_int_equal(smreg("query B --value b"), 0);
	assert_int_equal(texts(), 0);
}

static void the_text_is_private_and_tells_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(edit("stat -c %a; cat", "Select"), 0);
	assert_true(said("\"Current\"=dword:00000001") && said("What stands here when the editor"));
	assert_int_equal(edit("stat -c mode=%a", "Select"), 0);
	assert_true(said("mode=600"));
}

static void an_unchanged_text_commits_nothing(void **state)
{
	(void)state;
	assert_int_equal(edit("touch", "Select"), 0);
	assert_true(said("no change: nothing was committed"));
	assert_int_equal(edit("sed -i '$a ; a remark'", "Select"), 0);
	assert_true(said("no change: nothing was committed"));
	assert_int_equal(smreg("query --json"), 0);
	assert_true(said("\"sequence\": 1,"));
	assert_int_equal(texts(), 0);
}

static void an_editor_that_fails_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(edit("false", "Select"), 1);
	assert_true(said("the editor ended with status 1") && said("nothing was changed"));
	assert_int_equal(edit("sh -c 'kill -9 $$'", "Select"), 1);
	assert_true(said("nothing was changed"));
	assert_int_equal(edit("/nonexistent/editor", "Select"), 1);
	assert_true(said("the editor was not found"));
	assert_int_equal(edit("truncate -s 0", "Select"), 1);
	assert_true(said("the text is empty: nothing was changed"));
	assert_int_equal(texts(), 0);
	assert_int_equal(edit("f() { sed -i s/00000001/00000002/ \"$1\"; false; }; f", "Select"),
			 1);
	assert_true(said("the text is kept in"));
	assert_int_equal(texts(), 1);
	assert_int_equal(smreg("query Select --value Current"), 0);
	assert_true(said("0x1\n"));
}

static void without_a_terminal_errors_keep_the_text(void **state)
{
	(void)state;
	assert_int_equal(edit("sed -i '$a \"v\"=dword:x'", "Select"), 2);
	assert_true(said(".reg:12:11: dword: takes") && said("the text is kept in"));
	assert_int_equal(edit("sed -i '$a \"BootAttempts\"=dword:0'", MANAGER), 2);
	assert_true(said(": error: Session Manager\\BootAttempts: 0 is"));
	assert_true(said("nothing was changed; the text is kept in"));
	assert_int_equal(edit("sed -i '$a [HKLM\\\\SYSTEM\\\\Other]'", "Select"), 2);
	assert_true(said("does not lie in the key that is being edited"));
	assert_int_equal(edit("sed -i '/^.HKEY/,$d'", "Select"), 2);
	assert_true(said("the line [KEY] of the key itself is gone"));
	assert_int_equal(texts(), 4);
	assert_int_equal(smreg("query Other"), 1);
	assert_int_equal(smreg("query '" MANAGER "' --value BootAttempts"), 1);
}

static void a_person_is_asked(void **state)
{
	static const char wrong[] = "sed -i '$a \"BootAttempts\"=dword:0'",
			  mend[] = "f() { grep -q Attempts \"$1\" && sed -i s/:0$/:4/ \"$1\" || "
				   "echo '\"BootAttempts\"=dword:0' >>\"$1\"; }; f";

	(void)state;
	assert_int_equal(on_terminal(wrong, MANAGER, "x\n"), 1);
	assert_true(said("e = edit again, x = leave without changing, Q = commit all the same"));
	assert_true(said("nothing was changed"));
	assert_int_equal(texts(), 0);
	assert_int_equal(on_terminal("sed -i '$a nonsense'", "Select", "q\nx\n"), 1);
	assert_true(said("x = leave without changing: ") && !said("commit all the same"));
	assert_int_equal(on_terminal(mend, MANAGER, "e\n"), 0);
	assert_int_equal(smreg("query '" MANAGER "' --value BootAttempts"), 0);
	assert_true(said("0x4"));
	assert_int_equal(on_terminal("sed -i s/:00000004/:0/", MANAGER, "nonsense\nQ\n"), 0);
	assert_int_equal(smreg("query '" MANAGER "' --value BootAttempts"), 0);
	assert_true(said("0x0"));
	assert_int_equal(on_terminal("sed -i '$a nonsense'", "Select", "\x04"), 2);
	assert_true(said("the text is kept in"));
}

static void the_lock_is_free_while_the_editor_runs(void **state)
{
	char editor[400];

	(void)state;
	snprintf(editor, sizeof(editor),
		 "f() { '%s' add B --value b --data b --hive '%s' && sed -i '$a \"x\"=\"y\"' "
		 "\"$1\"; "
		 "}; f",
		 getenv("SMREG"), hive);
	assert_int_equal(edit(editor, "Select"), 1);
	assert_true(said("changed by another smreg while the editor ran"));
	assert_true(said("the text is kept in") && said("smreg diff KEY --with FILE --whole"));
	assert_int_equal(texts(), 1);
	assert_int_equal(smreg("query B --value b"), 0);
	assert_int_equal(smreg("query Select --value x"), 1);
}

static void visual_comes_before_editor_and_words_are_the_shells(void **state)
{
	(void)state;
	setenv("VISUAL", "sed -i -e '$a \"from\"=\"the visual one\"'", 1);
	assert_int_equal(edit("false", "Select"), 0);
	unsetenv("VISUAL");
	assert_int_equal(smreg("query Select --value from"), 0);
	assert_true(said("the visual one"));
	assert_int_equal(edit("touch", "Nope"), 1);
	assert_true(said("Nope: no such key"));
	assert_int_equal(edit("touch", "HKCU\\x"), 2);
}

static void what_the_editor_does_to_the_file_is_told(void **state)
{
	(void)state;
	assert_int_equal(edit("rm", "Select"), 1);
	assert_true(said("nothing was changed; the text is gone: ") && !said("kept in"));
	assert_int_equal(edit("f() { rm \"$1\"; mkfifo \"$1\"; }; f", "Select"), 1);
	assert_true(said("not a regular file any more") && said("the text is gone: "));
	assert_false(said("kept in"));
}

/* Cut in its middle it would be another command. */
static void an_editor_of_too_many_words_is_not_started(void **state)
{
	static char editor[6000];

	(void)state;
	memset(editor, ' ', sizeof(editor) - 1);
	memcpy(editor, "echo started;", 13);
	assert_int_equal(edit(editor, "Select"), 1);
	assert_true(said("VISUAL and EDITOR take at most") && said("nothing was changed"));
	assert_false(said("started"));
	assert_int_equal(texts(), 0);
}

static void a_value_that_is_set_twice_is_told(void **state)
{
	(void)state;
	assert_int_equal(edit("sed -i -e '$a \"X\"=dword:1' -e '$a \"x\"=dword:2' "
			      "-e '$a \"X\"=dword:2'",
			      "Select"),
			 0);
	assert_true(said(":13: warning: the value \"x\" was set in line 12 already; this line "
			 "counts\n"));
	assert_int_equal(smreg("query Select --value X"), 0);
	assert_true(said("0x2"));
	assert_int_equal(edit("sed -i '$a \"Y\"=dword:1'", "Select"), 0);
	assert_false(said("was set in line"));
}

/* smreg is killed while the editor runs. */
static void a_signal_does_not_hide_the_text(void **state)
{
	static const char *const signals[] = {"TERM", "HUP"};
	char command[600], editor[64];

	(void)state;
	signal(SIGHUP, SIG_DFL); /* a run below nohup(1) has it ignored, and so would smreg */
	signal(SIGTERM, SIG_DFL);
	for (unsigned i = 0; i < 2; i++) {
		FILE *f;

		snprintf(editor, sizeof(editor), "kill -%s $PPID; :", signals[i]);
		setenv("EDITOR", editor, 1);
		snprintf(command, sizeof(command),
			 "'%s' edit Select --hive '%s' --state '%s' </dev/null 2>&1; echo =$?",
			 getenv("SMREG"), hive, directory);
		f = popen(command, "re");
		assert_non_null(f);
		out[fread(out, 1, sizeof(out) - 1, f)] = '\0';
		pclose(f);
		assert_true(said("ended by a signal; the text is kept in "));
		assert_true(said(i ? "=129\n" : "=143\n"));
		assert_int_equal(texts(), i + 1);
	}
	assert_int_equal(edit("kill -INT $PPID; :", "Select"), 0); /* that key is the editor's */
	assert_true(said("no change: nothing was committed"));
	assert_int_equal(texts(), 2);
}

static void put_file(const char *name, const char *text)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void restore_takes_back_the_hive_before(void **state)
{
	(void)state;
	assert_int_equal(smreg("add Good"), 0);
	assert_int_equal(smreg("add Bad"), 0);
	put_file("SYSTEM", "garbage");
	assert_int_equal(smreg("check"), 2);
	assert_true(said("smreg restore --hive"));
	assert_int_equal(smreg("query --json"), 2);
	assert_true(said("\"error\": \"not a hive"));
	assert_int_equal(smreg("restore"), 0);
	assert_true(said("is again what"));
	assert_int_equal(smreg("query Good"), 0);
	assert_int_equal(smreg("query Bad"), 1);
	assert_int_equal(access(hive, F_OK), 0);
	assert_int_equal(unlink(hive), 0);
	assert_int_equal(smreg("plan"), 2);
	assert_true(said("smreg restore --hive"));
	assert_int_equal(smreg("restore --previous"), 0);
	assert_int_equal(smreg("plan"), 0);
	assert_true(beside("SYSTEM.plan") && beside("SYSTEM.queue"));
}

static void restore_of_the_last_good_one_keeps_what_it_replaces(void **state)
{
	char command[400];

	(void)state;
	assert_int_equal(smreg("add '" MANAGER "' --value PendingFileRenameOperations --type "
			       "REG_MULTI_SZ --data '/a\\0/b'"),
			 0);
	snprintf(command, sizeof(command), "cp '%s' '%s/SYSTEM.lkg'", hive, directory);
	assert_int_equal(system(command), 0);
	assert_int_equal(smreg("add New"), 0);
	assert_int_equal(smreg("restore --lkg --previous"), 2);
	assert_int_equal(smreg("restore --lkg"), 0);
	assert_int_equal(smreg("query New"), 1);
	assert_int_equal(smreg("query '" MANAGER "' --value PendingFileRenameOperations"), 1);
	assert_int_equal(smreg("restore"), 0);
	assert_true(said("rename entries come back"));
	assert_int_equal(smreg("query New"), 0);
}

static void a_broken_hive_is_not_taken_back(void **state)
{
	(void)state;
	assert_int_equal(smreg("restore"), 1);
	assert_true(said("SYSTEM.previous: no such file or directory; nothing was changed"));
	put_file("SYSTEM.previous", "garbage");
	assert_int_equal(smreg("restore"), 1);
	assert_true(said("nothing was changed"));
	assert_int_equal(smreg("check"), 0);
}

static void import_whole_makes_keys_equal_to_the_file(void **state)
{
	(void)state;
	assert_int_equal(smreg("add 'A\\Gone'"), 0);
	assert_int_equal(smreg("add A --value gone --data 1"), 0);
	assert_int_equal(smreg("add B --value stays --data 1"), 0);
	put_file("a.reg", "Windows Registry Editor Version 5.00\n\n[HKLM\\SYSTEM\\A]\n"
			  "[HKLM\\SYSTEM\\A\\New]\n\"v\"=\"1\"\n"
			  "[HKLM\\SYSTEM\\CurrentControlSet\\X]\n");
	assert_int_equal(smreg("import --whole '%s/a.reg'", directory), 0);
	assert_int_equal(smreg("query A -s"), 0);
	assert_true(said("v    REG_SZ    1") && !said("gone") && !said("Gone"));
	assert_int_equal(smreg("query B --value stays"), 0);
	assert_int_equal(smreg("query '" MANAGER "'"), 0);
	assert_int_equal(smreg("query 'ControlSet001\\X'"), 0);
	assert_int_equal(smreg("export --output '%s/all.reg'", directory), 0);
	assert_int_equal(smreg("add C"), 0);
	assert_int_equal(smreg("delete B"), 0);
	assert_int_equal(smreg("import --whole '%s/all.reg'", directory), 0);
	assert_int_equal(smreg("diff --whole --with '%s/all.reg'", directory), 0);
	assert_int_equal(smreg("query C"), 1);
}

static void an_old_error_is_told_as_one(void **state)
{
	(void)state;
	assert_int_equal(smreg("add '" MANAGER "' --value NumberOfInitialSessions --type REG_DWORD "
			       "--data 0 --force"),
			 0);
	assert_false(said("there before"));
	assert_int_equal(smreg("add X"), 2);
	assert_true(said("0 is not from 1 to 1024") &&
		    said("(it was there before this command)\n"));
	put_file("garbage", "abc");
	assert_int_equal(smreg("diff --with '%s/garbage'", directory), 2);
	assert_true(said("garbage: neither a hive nor .reg text"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_stands_in_the_text_is_the_key, begin, end),
		cmocka_unit_test_setup_teardown(the_text_is_private_and_tells_what_it_is, begin,
						end),
		cmocka_unit_test_setup_teardown(an_unchanged_text_commits_nothing, begin, end),
		cmocka_unit_test_setup_teardown(an_editor_that_fails_changes_nothing, begin, end),
		cmocka_unit_test_setup_teardown(without_a_terminal_errors_keep_the_text, begin,
						end),
		cmocka_unit_test_setup_teardown(a_person_is_asked, begin, end),
		cmocka_unit_test_setup_teardown(the_lock_is_free_while_the_editor_runs, begin, end),
		cmocka_unit_test_setup_teardown(visual_comes_before_editor_and_words_are_the_shells,
						begin, end),
		cmocka_unit_test_setup_teardown(what_the_editor_does_to_the_file_is_told, begin,
						end),
		cmocka_unit_test_setup_teardown(an_editor_of_too_many_words_is_not_started, begin,
						end),
		cmocka_unit_test_setup_teardown(a_value_that_is_set_twice_is_told, begin, end),
		cmocka_unit_test_setup_teardown(a_signal_does_not_hide_the_text, begin, end),
		cmocka_unit_test_setup_teardown(restore_takes_back_the_hive_before, begin, end),
		cmocka_unit_test_setup_teardown(restore_of_the_last_good_one_keeps_what_it_replaces,
						begin, end),
		cmocka_unit_test_setup_teardown(a_broken_hive_is_not_taken_back, begin, end),
		cmocka_unit_test_setup_teardown(import_whole_makes_keys_equal_to_the_file, begin,
						end),
		cmocka_unit_test_setup_teardown(an_old_error_is_told_as_one, begin, end),
	};

	if (!getenv("SMREG")) {
		printf("skipped: SMREG is not set\n");
		return 77;
	}
	return cmocka_run_group_tests_name("registry-edit", tests, NULL, NULL);
}
