/* SPDX-License-Identifier: MIT */
/*
 * test_registry_windows.c - real hives and logs, and what Windows itself made of them
 *
 * They are not part of the project: read when SMSS_SHARED names the directory that holds them, and
 * skipped with a line when it is absent.
 */
#include "regf_make.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/bytes.h"
#include "registry/hive_inner.h"

static const char *shared(void)
{
	static char path[512];
	const char *from = getenv("SMSS_SHARED");

	snprintf(path, sizeof(path), "%s/data/windows", from ? from : SHARED_DEFAULT);
	return path;
}

#define NEED_SHARED()                                                                              \
	do {                                                                                       \
		if (access(shared(), R_OK) != 0) {                                                 \
			print_message("skipped: no Windows hives (SMSS_SHARED)\n");                \
			skip();                                                                    \
		}                                                                                  \
	} while (0)

static void path_of(const char *name, char room[768])
{
	snprintf(room, 768, "%s/%s", shared(), name);
}

struct expected {
	const char *name;
	unsigned flags;
	uint64_t keys, values; /* 0 keys: it does not open, and `said` is the error */
	uint64_t damage;
	const char *said; /* a part of the line; "" = nothing is said */
};

static const struct expected cases[] = {
	{"hives/win7-x86.SYSTEM", 0, 30756, 73456, 0, ""},
	{"hives/win8-x64-dirty-nolog.SYSTEM", 0, 20015, 49779, 0,
	 "dirty, logs not applied: its content may be stale (no log is beside it)"},
	{"hives/not-system.BCD", 0, 132, 103, 0, ""},
	{"hives/dirty-new/NewDirtyHive", 0, 5, 1, 0,
	 "dirty, logs applied up to sequence 5 (LOG1: 1 entry, 1 page; LOG2: 3 entries, 3 pages)"},
	{"hives/dirty-new/NewDirtyHive", HIVE_NO_LOGS, 5, 2, 0, "logs not applied"},
	{"hives/dirty-new/NewDirtyHive.LOG1", 0, 0, 0, 0, "a transaction log, not a hive"},
	{"hives/dirty-new/NewDirtyHive.LOG2", 0, 0, 0, 0, "a transaction log, not a hive"},
	{"hives/dirty-new/NewDirtyHive.LOG2", HIVE_SALVAGE, 0, 0, 0, "a transaction log"},
	{"hives/dirty-new/RecoveredHive_Windows10", 0, 5, 1, 0, ""},
	{"hives/dirty-old/OldDirtyHive", 0, 5003, 1, 0,
	 "dirty, logs applied up to sequence 5 (LOG1: 64 pages)"},
	{"hives/dirty-old/OldDirtyHive", HIVE_NO_LOGS, 5003, 0, 0, "logs not applied"},
	{"hives/dirty-old/OldDirtyHive.LOG1", 0, 0, 0, 0, "a transaction log, not a hive"},
	{"hives/dirty-old/RecoveredHive_Windows7", 0, 5003, 1, 0, ""},
	{"hives/MultiSzHive", 0, 2, 2, 0, ""},
	{"hives/StringValuesHive", 0, 2, 4, 0, ""},
	{"hives/UnicodeHive", 0, 3, 0, 0, ""},
	{"hives/TruncatedHive", 0, 2, 0, 1,
	 "degraded: truncated: the header says 491520 bytes, the file has 12288; 1 part cannot be "
	 "read: key_with_many_subkeys: the list of subkeys"},
	{"hives/TruncatedHive", HIVE_SALVAGE, 2, 0, 1, "degraded: truncated"},
	{"hives/GarbageHive", 0, 0, 0, 0,
	 "base block checksum at 508 is 0x4C564E49 and should be 0x94D865B7; dirty, logs not "
	 "applied"},
	{"hives/GarbageHive", HIVE_SALVAGE, 1, 0, 0, "; 7 bytes of trailing garbage"},
	{"hives/EmptyHive", 0, 1, 0, 0, ""},
	{"hives/BogusKeyNamesHive", 0, 3, 0, 0, ""},
	{"hives/InvalidParentHive", 0, 5003, 0, 0, ""},
	{"hives/DeletedDataHiveTruncated", 0, 2, 0, 1, "degraded: 1 part cannot be read: "},
	{"hives/DeletedDataHiveTruncated", HIVE_SALVAGE, 2, 0, 1, "the list of values"},
	{"hives/hivex-minimal", 0, 1, 0, 0, ""},
	{"hives/hivex-rlenvalue_test_hive", 0, 2, 6, 0, ""},
	{"hives/100_sub_keys.hiv", 0, 101, 100, 0, ""},
	{"hives/NotAHive", 0, 0, 0, 0, "not a hive: no \"regf\" at 0"},
	{"hives/NotAHive", HIVE_SALVAGE, 0, 0, 0, "not a hive: no \"regf\" at 0"},
	{"hives/SAM_DUPENAME", 0, 112, 128, 0, ""},
	{"hives/pyreg-UNICODE_TESTS", 0, 3, 22, 0, ""},
	{"synthetic/syn-clean.SYSTEM", 0, 7, 10, 0, ""},
	{"synthetic/syn-bootexecute-extra.SYSTEM", 0, 7, 9, 0, ""},
	{"synthetic/syn-server-default.SYSTEM", 0, 7, 9, 0, ""},
	{"synthetic/syn-chkdsk-scheduled.SYSTEM", 0, 7, 9, 0, ""},
	{"synthetic/syn-pfro-system32-replace.SYSTEM", 0, 7, 10, 0, ""},
};

static void every_file_reads_as_expected(void **state)
{
	(void)state;
	NEED_SHARED();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct expected *c = &cases[i];
		char path[768], room[400] = "";
		struct text why = TEXT_ON(room);
		struct hive_source from;
		struct hive *h = NULL;
		struct reg_tree t;
		int r;

		path_of(c->name, path);
		assert_int_equal(hive_source_open(path, &from), 0);
		r = hive_open(&from, c->flags, &h, &why);
		hive_source_close(&from);
		if ((r < 0) != (c->keys == 0) || (r < 0 && !strstr(room, c->said)))
			fail_msg("%s: %s", c->name, room);
		if (r < 0)
			continue;
		assert_int_equal(tree_start(&t), 0);
		assert_int_equal(hive_load(h, "", HIVE_ALL, &t), 0);
		if (t.keys != c->keys || t.values != c->values ||
		    hive_damage(h, NULL) != c->damage || !strstr(hive_said(h), c->said) ||
		    !*c->said != !*hive_said(h))
			fail_msg("%s: %llu keys, %llu values: %s", c->name,
				 (unsigned long long)t.keys, (unsigned long long)t.values,
				 hive_said(h));
		assert_int_equal(hive_degraded(h), strstr(c->said, "degraded") != NULL ||
							   strstr(c->said, "garbage") != NULL ||
							   c->damage);
		tree_free(&t);
		hive_close(h);
	}
}

/* A file of the folder as a hive or log of the tests. */
static size_t slurp(const char *name, uint8_t **ret)
{
	char path[768];
	FILE *f;
	long n;

	path_of(name, path);
	f = fopen(path, "re");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	*ret = malloc((size_t)n);
	assert_int_equal(fread(*ret, 1, (size_t)n, f), n);
	fclose(f);
	return (size_t)n;
}

static struct hive *open_path(const char *name)
{
	char path[768], room[400] = "";
	struct text why = TEXT_ON(room);
	struct hive_source from;
	struct hive *h;

	path_of(name, path);
	assert_int_equal(hive_source_open(path, &from), 0);
	if (hive_open(&from, 0, &h, &why) < 0)
		fail_msg("%s: %s", name, room);
	hive_source_close(&from);
	return h;
}

/* Bytes that may differ from what Windows wrote: it wrote once more. */
struct later {
	size_t at, n;
};

static void same_as_windows(const char *dirty, const char *recovered, const struct later *later,
			    size_t count)
{
	struct hive *h = open_path(dirty), *truth = open_path(recovered);
	struct reg_tree a, b;
	uint8_t *bytes;
	size_t n = slurp(recovered, &bytes);

	assert_true(hive_facts(h)->recovered && !hive_facts(h)->lost);
	assert_int_equal(tree_start(&a), 0);
	assert_int_equal(tree_start(&b), 0);
	assert_int_equal(hive_load(h, "", HIVE_ALL, &a), 0);
	assert_int_equal(hive_load(truth, "", HIVE_ALL, &b), 0);
	case_same(a.root, b.root);
	assert_int_equal(h->r.bytes, n);
	for (size_t i = 0; i < n; i++) {
		bool may = false;

		for (size_t k = 0; k < count; k++)
			may |= i >= later[k].at && i < later[k].at + later[k].n;
		if (!may && h->r.at[i] != bytes[i])
			fail_msg("%s: byte %zu is %u, Windows wrote %u", dirty, i, h->r.at[i],
				 bytes[i]);
	}
	free(bytes);
	tree_free(&a);
	tree_free(&b);
	hive_close(h);
	hive_close(truth);
}

static void a_replay_equals_what_windows_made_of_it(void **state)
{
	static const struct later new_ones[] = {{4, 8}};
	/* sequences and time, name, checksum; the first bin's time; a "largest value name" */
	static const struct later old_ones[] = {
		{4, 16}, {48, 64}, {508, 4}, {4116, 8}, {441800, 4}};

	(void)state;
	NEED_SHARED();
	same_as_windows("hives/dirty-new/NewDirtyHive", "hives/dirty-new/RecoveredHive_Windows10",
			new_ones, ARRAY_SIZE(new_ones));
	same_as_windows("hives/dirty-old/OldDirtyHive", "hives/dirty-old/RecoveredHive_Windows7",
			old_ones, ARRAY_SIZE(old_ones));
}

static size_t entry_at(const uint8_t *log, size_t n, uint32_t sequence)
{
	for (size_t at = 512; at + 40 < n; at += 512)
		if (memcmp(log + at, "HvLE", 4) == 0 && regf_u32(log, at + 12) == sequence)
			return at;
	fail_msg("no entry %u", sequence);
	return 0;
}

static void real_logs_broken_in_each_way_end_where_they_should(void **state)
{
	static const struct {
		const char *name;
		int first, second; /* which log stands as LOG1, LOG2; -1 = none */
		uint32_t flip;     /* a byte of this entry */
		uint32_t cut;      /* the file inside this entry */
		uint32_t up_to;    /* 0 = nothing is applied */
		bool sums;         /* both checksums wrong */
	} ways[] = {
		{"as they are", 0, 1, 0, 0, 5, false},    {"LOG1 alone", 0, -1, 0, 0, 2, false},
		{"LOG2 alone", -1, 1, 0, 0, 5, false},    {"swapped", 1, 0, 0, 0, 5, false},
		{"4 flipped", 0, 1, 4, 0, 3, false},      {"4 cut", 0, 1, 0, 4, 3, false},
		{"5 flipped", 0, 1, 5, 0, 4, false},      {"2 flipped", 0, 1, 2, 0, 0, false},
		{"checksums wrong", 0, 1, 0, 0, 0, true},
	};

	(void)state;
	NEED_SHARED();
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		uint8_t *hive, *log[2];
		size_t hive_n = slurp("hives/dirty-new/NewDirtyHive", &hive), n[2];
		struct hive_source from = HIVE_SOURCE_NONE;
		char room[400] = "";
		struct text why = TEXT_ON(room);
		struct hive *h;

		n[0] = slurp("hives/dirty-new/NewDirtyHive.LOG1", &log[0]);
		n[1] = slurp("hives/dirty-new/NewDirtyHive.LOG2", &log[1]);
		if (ways[i].flip) {
			unsigned of = ways[i].flip > 2;

			log[of][entry_at(log[of], n[of], ways[i].flip) + 300] ^= 0x40;
		}
		if (ways[i].cut)
			n[1] = entry_at(log[1], n[1], ways[i].cut) + 600;
		for (unsigned k = 0; ways[i].sums && k < 2; k++)
			log[k][508] ^= 1;
		from.fd = make_file(hive, hive_n);
		if (ways[i].first >= 0)
			from.log_fd[0] = make_file(log[ways[i].first], n[ways[i].first]);
		if (ways[i].second >= 0)
			from.log_fd[1] = make_file(log[ways[i].second], n[ways[i].second]);
		if (hive_open(&from, 0, &h, &why) < 0)
			fail_msg("%s: %s", ways[i].name, room);
		if (hive_facts(h)->log_sequence != ways[i].up_to ||
		    hive_facts(h)->stale != !ways[i].up_to)
			fail_msg("%s: %s", ways[i].name, hive_said(h));
		hive_close(h);
		hive_source_close(&from);
		free(hive);
		free(log[0]);
		free(log[1]);
	}
}

static void what_the_logs_changed_is_there(void **state)
{
	struct reg_tree t;
	struct hive *h;
	char **list;
	size_t count;

	(void)state;
	NEED_SHARED();
	h = open_path("hives/dirty-old/OldDirtyHive");
	assert_int_equal(tree_start(&t), 0);
	assert_int_equal(hive_load(h, "key_with_many_subkeys\\4500", 0, &t), 0);
	const struct reg_key *k = tree_find(&t, "key_with_many_subkeys\\4500", 26);

	assert_int_equal(value_list(&t.arena, key_get(k, "V"), &list, &count, NULL), 0);
	assert_int_equal(count, 3);
	assert_string_equal(list[2], "ccc");
	assert_int_equal(hive_load(h, "key_with_many_subkeys\\1", 0, &t), -ENOENT);
	assert_int_equal(hive_load(h, "key_with_many_subkeys\\5000\\FIND_me_in_log", 0, &t), 0);
	tree_free(&t);
	hive_close(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_reads_as_expected),
		cmocka_unit_test(a_replay_equals_what_windows_made_of_it),
		cmocka_unit_test(real_logs_broken_in_each_way_end_where_they_should),
		cmocka_unit_test(what_the_logs_changed_is_there),
	};

	return cmocka_run_group_tests_name("registry-windows", tests, NULL, NULL);
}
