/* SPDX-License-Identifier: MIT */
/*
 * test_registry_verbs.c - copy, diff and export, as people run them
 */
#include "registry_program.h"

#include "regf_make.h"

#include <dirent.h>
#include <sys/stat.h>

#define PAGES   4096u
#define MANAGER "CurrentControlSet\\Control\\Session Manager"

static void write_reg(const char *name, const char *lines)
{
	char path[160];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	assert_non_null(f);
	fprintf(f, "Windows Registry Editor Version 5.00\n%s\n", lines);
	fclose(f);
}

/* A second hive beside the first, as a file of that name. */
static void other_hive(const char *name)
{
	char was[128];

	memcpy(was, hive, sizeof(was));
	snprintf(hive, sizeof(hive), "%s/%s", directory, name);
	assert_int_equal(smreg("init '%s/%s.reg'", directory, name), 0);
	memcpy(hive, was, sizeof(was));
}

static unsigned files(void)
{
	DIR *d = opendir(directory);
	unsigned count = 0;

	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void copy_takes_values_and_with_s_all_below(void **state)
{
	(void)state;
	write_reg("a.reg", "[HKLM\\SYSTEM\\A]\n\"v\"=\"1\"\n[HKLM\\SYSTEM\\A\\B]\n\"w\"=dword:2\n"
			   "[HKLM\\SYSTEM\\A\\B\\C]");
	assert_int_equal(smreg("init '%s/a.reg'", directory), 0);
	assert_int_equal(smreg("copy A Z"), 0);
	assert_int_equal(smreg("query Z --value v"), 0);
	assert_int_equal(smreg("query 'Z\\B'"), 1);
	assert_int_equal(smreg("copy A 'A\\B'"), 0);
	assert_int_equal(smreg("copy A 'HKLM\\SYSTEM\\Y\\Z' -s"), 0);
	assert_int_equal(smreg("query 'Y\\Z\\B' --value w"), 0);
	assert_int_equal(smreg("query 'Y\\Z\\B\\C'"), 0);
	assert_int_equal(smreg("copy ControlSet001 ControlSet002 -s"), 0);
	assert_int_equal(smreg("diff --sets 1,2"), 0);
}

static void copy_overwrites_only_by_force(void **state)
{
	(void)state;
	write_reg("a.reg", "[HKLM\\SYSTEM\\A]\n[HKLM\\SYSTEM\\A\\B]\n\"w\"=dword:2\n"
			   "[HKLM\\SYSTEM\\Z\\b]\n\"W\"=\"old\"\n\"stays\"=\"x\"");
	assert_int_equal(smreg("init '%s/a.reg'", directory), 0);
	assert_int_equal(smreg("copy A Z -s"), 1);
	assert_true(said("SYSTEM\\Z\\b: the value W is there with other data"));
	assert_int_equal(smreg("query 'Z\\b' --value W"), 0);
	assert_true(said("old"));
	assert_int_equal(smreg("copy A Z -s --force"), 0);
	assert_int_equal(smreg("query 'Z\\b'"), 0);
	assert_true(said("REG_DWORD    0x2") && said("stays"));
	assert_int_equal(smreg("copy A Z -s"), 0); /* the same data is in nobody's way */
}

static void copy_refuses_what_makes_no_sense(void **state)
{
	static const struct {
		const char *line, *says;
		int code;
	} cases[] = {
		{"copy A", "usage: smreg copy", 2},
		{"copy A A -s", "onto itself", 2},
		{"copy a A", "onto itself", 2},
		{"copy A 'A\\B\\C' -s", "onto itself or into what lies below", 2},
		{"copy Nope Z", "Nope: no such key", 1},
		{"copy 'HKCU\\A' Z", "HKCU\\A: only keys below", 2},
		{"copy A 'HKCR\\Z'", "HKCR\\Z: only keys below", 2},
		{"copy A Z --from /nonexistent", "/nonexistent: ", 2},
		{"copy Select " MANAGER " --json", "smreg copy: has no option --json", 2},
	};

	(void)state;
	write_reg("a.reg", "[HKLM\\SYSTEM\\A\\B]\n\"w\"=dword:2");
	assert_int_equal(smreg("init '%s/a.reg'", directory), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code = smreg("%s", cases[i].line);

		if (code != cases[i].code || !said(cases[i].says))
			fail_msg("smreg %s: %d, %s", cases[i].line, code, out);
	}
}

static void copy_takes_a_key_from_another_hive(void **state)
{
	(void)state;
	write_reg("other.reg", "[HKLM\\SYSTEM\\" MANAGER "]\n\"BootAttempts\"=dword:5\n"
			       "[HKLM\\SYSTEM\\" MANAGER "\\Environment]\n\"E\"=\"1\"");
	assert_int_equal(smreg("init"), 0);
	other_hive("other");
	assert_int_equal(smreg("copy '" MANAGER "' '" MANAGER "' -s --from '%s/other'", directory),
			 0);
	assert_int_equal(smreg("diff --with '%s/other'", directory), 0);
	assert_int_equal(smreg("copy Nope X --from '%s/other'", directory), 1);
	assert_true(said("Nope: no such key"));
}

static void differ(const char *a, const char *b)
{
	write_reg("SYSTEM.reg", a);
	write_reg("other.reg", b);
	assert_int_equal(smreg("init --force '%s/SYSTEM.reg'", directory), 0);
	other_hive("other");
}

static void a_diff_of_two_hives_imports_to_the_second(void **state)
{
	char line[200];

	(void)state;
	differ("[HKLM\\SYSTEM\\A]\n@=\"x\"\n\"gone\"=hex:01\n\"same\"=\"s\"\n\"type\"=hex(2):41,"
	       "00\n"
	       "[HKLM\\SYSTEM\\A\\Gone\\Deep]\n\"v\"=dword:1\n[HKLM\\SYSTEM\\A\\Stay]",
	       "[HKLM\\SYSTEM\\a]\n\"SAME\"=\"s\"\n\"type\"=hex(1):41,00\n\"new\"=hex(7):00\n"
	       "[HKLM\\SYSTEM\\A\\New\\Deep]\n\"v\"=dword:1\n[HKLM\\SYSTEM\\A\\Stay]");
	assert_int_equal(smreg("diff --with '%s/other'", directory), 1);
	assert_true(said("[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\n@=-\n\"gone\"=-\n"));
	assert_true(said("\n[-HKEY_LOCAL_MACHINE\\SYSTEM\\A\\Gone]\n"));
	assert_false(said("SAME") || said("same") || said("Stay"));
	assert_int_equal(smreg("diff --with '%s/other' --short", directory), 1);
	assert_true(said("- HKEY_LOCAL_MACHINE\\SYSTEM\\A\\Gone  and all below\n"));
	assert_true(said("-    type    REG_EXPAND_SZ    A\n+    type    REG_SZ    A\n"));
	assert_int_equal(smreg("diff --with '%s/other' --json", directory), 1);
	assert_true(said("\"same\": false") && said("\"change\": \"key gone\"") &&
		    said("\"made_by_smreg\": true"));
	snprintf(line, sizeof(line), "%s/d.reg", directory);
	assert_int_equal(smreg("diff --with '%s/other' --output '%s' --utf16", directory, line), 1);
	assert_int_equal(smreg("import '%s'", line), 0);
	assert_int_equal(smreg("diff --with '%s/other'", directory), 0);
	assert_string_equal(out, "");
}

static void a_diff_looks_below_one_key(void **state)
{
	(void)state;
	differ("[HKLM\\SYSTEM\\A\\Only]\n[HKLM\\SYSTEM\\B]\n\"v\"=\"1\"",
	       "[HKLM\\SYSTEM\\A]\n[HKLM\\SYSTEM\\B]\n\"v\"=\"2\"");
	assert_int_equal(smreg("diff B --with '%s/other'", directory), 1);
	assert_true(said("[HKEY_LOCAL_MACHINE\\SYSTEM\\B]\n\"v\"=\"2\"\n") && !said("Only"));
	assert_int_equal(smreg("diff 'A\\Only' --with '%s/other'", directory), 1);
	assert_true(said("[-HKEY_LOCAL_MACHINE\\SYSTEM\\A\\Only]\n"));
	assert_int_equal(smreg("diff Select --with '%s/other'", directory), 0);
	assert_int_equal(smreg("diff Nowhere --with '%s/other'", directory), 2);
	assert_true(said("neither side has the key Nowhere"));
	assert_int_equal(smreg("diff --with /nonexistent"), 2);
	assert_int_equal(smreg("diff"), 2);
	assert_int_equal(smreg("diff --sets 1,2 --with x"), 2);
}

static void current_sets_meet_whatever_their_number(void **state)
{
	(void)state;
	differ("[HKLM\\SYSTEM\\" MANAGER "]\n\"BootAttempts\"=dword:5",
	       "[HKLM\\SYSTEM\\Select]\n\"Current\"=dword:2\n["
	       "HKLM\\SYSTEM\\ControlSet002\\Control\\"
	       "Session Manager]\n\"BootAttempts\"=dword:4");
	assert_int_equal(smreg("diff '" MANAGER "' --with '%s/other'", directory), 1);
	assert_true(said("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager]\n"
			 "\"BootAttempts\"=dword:00000004\n"));
}

static void two_control_sets(void **state)
{
	(void)state;
	write_reg("a.reg", "[HKLM\\SYSTEM\\Select]\n\"LastKnownGood\"=dword:7\n"
			   "[HKLM\\SYSTEM\\ControlSet007\\Control]\n\"v\"=\"7\"\n"
			   "[HKLM\\SYSTEM\\ControlSet001\\Control]\n\"v\"=\"1\"");
	assert_int_equal(smreg("init '%s/a.reg'", directory), 0);
	assert_int_equal(smreg("diff --sets Current,LastKnownGood"), 1);
	assert_true(said("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control]\n\"v\"=\"7\"\n"));
	assert_true(said("[-HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet001\\Control\\Session Manager]"));
	assert_int_equal(smreg("diff Control --sets 7,1"), 1);
	assert_true(said("[HKEY_LOCAL_MACHINE\\SYSTEM\\ControlSet007\\Control]\n\"v\"=\"1\"\n"));
	assert_int_equal(smreg("diff --sets 1,3"), 2);
	assert_true(said("ControlSet003: no such key"));
	assert_int_equal(smreg("diff --sets 1"), 2);
	assert_int_equal(smreg("diff --sets 1,1"), 2);
	assert_int_equal(smreg("diff --sets 1,nonsense"), 2);
	assert_true(said("--sets nonsense: a control set is a number"));
}

static void a_hive_and_a_reg_file(void **state)
{
	(void)state;
	write_reg("a.reg", "[HKLM\\SYSTEM\\A]\n\"v\"=\"1\"\n\"more\"=\"x\"");
	write_reg("same.reg", "[HKLM\\SYSTEM\\A]\n\"V\"=str(1):\"1\"\n\"absent\"=-\n"
			      "[-HKLM\\SYSTEM\\Absent]\n[HKLM\\SYSTEM\\CurrentControlSet]");
	write_reg("other.reg", "[HKLM\\SYSTEM\\A]\n\"v\"=\"2\"");
	write_reg("bad.reg", "[HKLM\\SYSTEM\\A]\n\"v\"=\"2");
	assert_int_equal(smreg("init '%s/a.reg'", directory), 0);
	assert_int_equal(smreg("diff --with '%s/same.reg'", directory), 0);
	assert_int_equal(smreg("diff --with '%s/other.reg'", directory), 1);
	assert_true(said("[HKEY_LOCAL_MACHINE\\SYSTEM\\A]\n\"v\"=\"2\"\n") && !said("more"));
	assert_int_equal(smreg("diff A --with '%s/other.reg' --whole", directory), 1);
	assert_true(said("\"more\"=-\n\"v\"=\"2\"\n"));
	assert_int_equal(smreg("diff --with '%s/bad.reg'", directory), 2);
	assert_true(said("bad.reg:3:5: the string has no closing quote"));
	assert_int_equal(smreg("export --output '%s/whole.reg' --readable", directory), 0);
	assert_int_equal(smreg("diff --with '%s/whole.reg' --whole", directory), 0);
}

static void an_export_replaces_its_file_whole(void **state)
{
	char path[160], link[160], command[512];
	struct stat st;
	unsigned before;

	(void)state;
	snprintf(path, sizeof(path), "%s/out.reg", directory);
	snprintf(link, sizeof(link), "%s/link", directory);
	assert_int_equal(smreg("init"), 0);
	assert_int_equal(smreg("export --output '%s'", path), 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(symlink("out.reg", link), 0);
	before = files();
	assert_int_equal(smreg("export Select --utf16 --output '%s'", link), 0);
	assert_int_equal(files(), before);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(command, sizeof(command),
		 "head -c 4 '%s' | od -An -tx1 | grep -q ' ff fe 57 00' && "
		 "tail -c 4 '%s' | od -An -tx1 | grep -q ' 0d 00 0a 00'",
		 path, path);
	assert_int_equal(system(command), 0);
	assert_int_equal(smreg("import '%s'", path), 0);
	assert_int_equal(smreg("diff --with '%s'", path), 0);
	assert_int_equal(smreg("export --output '%s'", directory), 1);
	assert_int_equal(smreg("export --output '%s/no/such'", directory), 1);
	assert_int_equal(smreg("export --output /dev/full"), 1);
	assert_int_equal(smreg("export --output /dev/null"), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void reading_leaves_nothing_behind(void **state)
{
	static const char *const lines[] = {"query -s", "export",          "check",
					    "plan",     "diff --sets 1,1", "plan --json"};
	char command[300];
	unsigned before;

	(void)state;
	assert_int_equal(smreg("init"), 0);
	snprintf(command, sizeof(command), "rm '%s/SYSTEM.lock'; chmod 0555 '%s'", directory,
		 directory);
	assert_int_equal(system(command), 0);
	before = files();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		(void)smreg("%s", lines[i]);
	assert_int_equal(files(), before);
	assert_int_equal(chmod(directory, 0755), 0);
}

static void facts_of_the_hive_stand_in_json(void **state)
{
	static const char *const lines[] = {"query --json", "check --json", "plan --json"};

	(void)state;
	assert_int_equal(smreg("init"), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(smreg("%s", lines[i]), 0);
		assert_true(said("\"dirty\": false") && said("\"degraded\": false") &&
			    said("\"made_by_smreg\": true"));
	}
}

/* The folder of real hives; NULL, said, when it is not there. */
static const char *real_hives(void)
{
	static char room[300];
	const char *shared = getenv("SHARED");

	snprintf(room, sizeof(room), "%s/data/windows/hives",
		 shared && *shared ? shared : SHARED_DEFAULT);
	if (access(room, R_OK) == 0)
		return room;
	printf("skipped: no real hives in %s\n", room);
	return NULL;
}

/* A copy of a real hive with its logs becomes the hive of this test. */
static void take_real(const char *folder, const char *file)
{
	const char *slash = strrchr(file, '/');
	char command[600];

	snprintf(command, sizeof(command), "cp -f '%s/%s'* '%s'", folder, file, directory);
	assert_int_equal(system(command), 0);
	snprintf(hive, sizeof(hive), "%s/%s", directory, slash ? slash + 1 : file);
}

static void on_real_hives_the_options_count(void **state)
{
	static const struct {
		const char *file, *line, *says;
		int code;
	} cases[] = {
		{"dirty-new/NewDirtyHive", "query -s --json", "\"logs_applied\": true", 0},
		{"dirty-new/NewDirtyHive", "query -s --json --no-logs", "\"stale\": true", 0},
		{"dirty-new/NewDirtyHive", "query -s --value ''", "Key3", 0},
		{"GarbageHive", "query", "--salvage reads what can still be read", 2},
		{"GarbageHive", "query --salvage --json", "\"degraded\": true", 1},
		{"TruncatedHive", "export", "degraded", 1},
		{"TruncatedHive", "diff --with /dev/null", "the first line must be", 2},
		{"BogusKeyNamesHive", "export", ".reg text cannot say it; and 1 more", 2},
		{"BogusKeyNamesHive", "export --force", "; left out: ", 1},
		{"not-system.BCD", "check", "not a SYSTEM hive", 2},
		{"not-system.BCD", "plan", "not a SYSTEM hive", 2},
		{"not-system.BCD", "query 'CurrentControlSet\\Control'", "not a SYSTEM hive", 2},
		{"not-system.BCD", "query ControlSet001", "not a SYSTEM hive", 1},
		{"not-system.BCD", "diff --sets 1,2", "not a SYSTEM hive", 2},
		{"win7-x86.SYSTEM", "add X", "smreg did not make this hive", 1},
		{"win7-x86.SYSTEM", "edit Select", "smreg did not make this hive", 1},
	};
	const char *folder = real_hives();

	(void)state;
	for (size_t i = 0; folder && i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code;

		take_real(folder, cases[i].file);
		code = smreg("%s", cases[i].line);
		if (code != cases[i].code || !said(cases[i].says))
			fail_msg("%s: smreg %s: %d, %s", cases[i].file, cases[i].line, code, out);
	}
}

static void real_hives_come_back_from_their_export(void **state)
{
	static const char *const names[] = {"win7-x86.SYSTEM",    "win8-x64-dirty-nolog.SYSTEM",
					    "not-system.BCD",     "MultiSzHive",
					    "StringValuesHive",   "UnicodeHive",
					    "SAM_DUPENAME",       "hivex-rlenvalue_test_hive",
					    "pyreg-UNICODE_TESTS"};
	static const char *const forms[] = {"", "--utf16", "--readable"};
	const char *folder = real_hives();

	(void)state;
	for (size_t i = 0; folder && i < sizeof(names) / sizeof(names[0]); i++) {
		take_real(folder, names[i]);
		for (size_t k = i < 2 ? i + 1 : 0; k < (i < 2 ? i + 2 : 3); k++) { /* big: one */
			assert_int_equal(
				smreg("export %s --output '%s/x.reg'", forms[k], directory), 0);
			if (smreg("diff --whole --with '%s/x.reg'", directory) != 0)
				fail_msg("%s %s: %s", names[i], forms[k], out);
		}
	}
}

/* Values of the root, of no hive of ours, as a file of that name. */
static void foreign_hive(const char *name, const char *values)
{
	struct make m = make_start(PAGES);
	uint32_t root = make_key(&m, "ROOT"), list[8], count = 0;
	char path[160], letter[2] = "";
	FILE *f;

	for (; *values; values += 2) {
		letter[0] = values[0];
		list[count++] = make_value(&m, letter, REG_BINARY, values + 1, 1);
	}
	make_values(&m, root, list, count);
	make_end(&m);
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(m.at, 1, m.bins + 4096, f), m.bins + 4096);
	fclose(f);
	free(m.at);
}

static void a_second_value_of_one_name_is_a_difference(void **state)
{
	static const struct {
		const char *was, *now, *says;
		int code;
	} cases[] = {
		{"a1A2", "a1", "-    A    REG_BINARY    32\n", 1},
		{"a1A2", "b1a1", "-    A    REG_BINARY    32\n", 1},
		{"a1", "a1A1", "+    A    REG_BINARY    31\n", 1},
		{"a1A2", "a1A3", "-    A    REG_BINARY    32\n+    A    REG_BINARY    33\n", 1},
		{"a1A2", "a1A2", "", 0},
		{"a1b1A2B2", "a1A2b1B2", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int code;

		foreign_hive("SYSTEM", cases[i].was);
		foreign_hive("other", cases[i].now);
		code = smreg("diff --short --with '%s/other'", directory);
		if (code != cases[i].code || !said(cases[i].says))
			fail_msg("%zu: %d, %s", i, code, out);
	}
	foreign_hive("SYSTEM", "a1A2");
	foreign_hive("other", "a1");
	assert_int_equal(smreg("diff --with '%s/other'", directory), 2);
	assert_true(said("another value of that name stands beside it"));
}

static void hidden_lists_are_told_and_no_failure(void **state)
{
	struct make m = make_start(PAGES);
	uint32_t root = make_key(&m, "ROOT"), key = make_key(&m, "hidden");
	FILE *f = fopen(hive, "we");

	(void)state;
	make_subkeys(&m, root, make_list(&m, "lh", &key, 1), 0);
	make_end(&m);
	assert_non_null(f);
	assert_int_equal(fwrite(m.at, 1, m.bins + 4096, f), m.bins + 4096);
	fclose(f);
	free(m.at);
	assert_int_equal(smreg("query"), 0);
	assert_true(said("remark: (root): a list of subkeys that its count of 0 hides"));
	assert_int_equal(smreg("query --json"), 0);
	assert_true(said("\"hidden_parts\": 1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copy_takes_values_and_with_s_all_below, start, end),
		cmocka_unit_test_setup_teardown(copy_overwrites_only_by_force, start, end),
		cmocka_unit_test_setup_teardown(copy_refuses_what_makes_no_sense, start, end),
		cmocka_unit_test_setup_teardown(copy_takes_a_key_from_another_hive, start, end),
		cmocka_unit_test_setup_teardown(a_diff_of_two_hives_imports_to_the_second, start,
						end),
		cmocka_unit_test_setup_teardown(a_diff_looks_below_one_key, start, end),
		cmocka_unit_test_setup_teardown(current_sets_meet_whatever_their_number, start,
						end),
		cmocka_unit_test_setup_teardown(two_control_sets, start, end),
		cmocka_unit_test_setup_teardown(a_hive_and_a_reg_file, start, end),
		cmocka_unit_test_setup_teardown(an_export_replaces_its_file_whole, start, end),
		cmocka_unit_test_setup_teardown(reading_leaves_nothing_behind, start, end),
		cmocka_unit_test_setup_teardown(facts_of_the_hive_stand_in_json, start, end),
		cmocka_unit_test_setup_teardown(on_real_hives_the_options_count, start, end),
		cmocka_unit_test_setup_teardown(real_hives_come_back_from_their_export, start, end),
		cmocka_unit_test_setup_teardown(a_second_value_of_one_name_is_a_difference, start,
						end),
		cmocka_unit_test_setup_teardown(hidden_lists_are_told_and_no_failure, start, end),
	};

	if (!getenv("SMREG")) {
		printf("skipped: SMREG is not set\n");
		return 77;
	}
	return cmocka_run_group_tests_name("registry-verbs", tests, NULL, NULL);
}
