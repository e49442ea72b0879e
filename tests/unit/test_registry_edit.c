/* SPDX-License-Identifier: MIT */
/*
 * test_registry_edit.c - smreg edit: what becomes of the text, whatever the editor and the person
 * do
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
	assert_true(said("l    REG_MULTI_SZ    x\\0new\n") && !said("Gone") && !said("old"));
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
	};

	if (!getenv("SMREG")) {
		printf("skipped: SMREG is not set\n");
		return 77;
	}
	return cmocka_run_group_tests_name("registry-edit", tests, NULL, NULL);
}
