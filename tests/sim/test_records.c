/* SPDX-License-Identifier: MIT */
/*
 * test_records.c - what boot.state and the rename journal mean, without any cut
 *
 * Which end of a boot is a stop and of what kind, what an acceptance forgives, where counters end;
 * in which order the journal takes entries and what a damaged record costs.
 */
#include <errno.h>
#include <sys/file.h>

#include "base/words.h"
#include "law.h"
#include "state/state.h"

#define DIRECTORY "/state"
#define BOOT_A    "aaaaaaaa-0000-4000-8000-000000000001"
#define BOOT_B    "bbbbbbbb-0000-4000-8000-000000000002"

static const uint8_t hive[SHA256_BYTES] = {1, 2, 3};
static const uint8_t digest_of_queue[SHA256_BYTES] = {0x51, 2, 3};

static int open_dir(void)
{
	int dir = sys_open(AT_FDCWD, DIRECTORY, O_RDONLY | O_DIRECTORY, 0);

	assert_true(dir >= 0);
	return dir;
}

/* ---- boot.state ---- */

static void an_end_without_a_word_is_a_stop(void **state)
{
	static const uint8_t zero[SHA256_BYTES];
	struct boot_state s;
	int dir;

	sim_start(1);
	sim_make_dir(DIRECTORY);
	dir = open_dir();
	assert_int_equal(state_count_attempt(dir, 0, BOOT_A, zero, &s), 0);
	assert_int_equal(s.attempts[0], 1);
	assert_int_equal(state_count_attempt(dir, 0, BOOT_A, zero, &s), 1);
	assert_int_equal(s.stop_code, STOP_MASTER_KILLED);
	assert_int_equal(state_count_attempt(dir, 1, BOOT_B, zero, &s), 1);
	assert_int_equal(s.stop_code, STOP_POWER_LOST);
	assert_int_equal(s.stop_count, 2);
	assert_int_equal(s.attempts[0], 2);
	assert_int_equal(s.attempts[1], 1);
	assert_int_equal(state_accept(dir, NULL, 0), 0);
	assert_int_equal(state_orderly_end(dir, STATE_END_NOT_UP), 0);
	assert_int_equal(state_read(dir, &s), STATE_READ);
	assert_int_equal(s.attempts[1], 0);
	assert_int_equal(s.attempts[0], 2);
	assert_int_equal(s.stop_count, 0);
	assert_int_equal(state_count_attempt(dir, 0, BOOT_B, zero, &s), 0);
	/* a stop that was recorded is not recorded again, and its reboot does not forgive it */
	assert_int_equal(state_record_stop(dir, STOP_SYSTEM_PROCESS_TERMINATED, 9, PHASE_READY, 5,
					   "csrss", "killed"),
			 0);
	assert_int_equal(state_orderly_end(dir, STATE_END_NOT_UP), 0);
	assert_int_equal(state_count_attempt(dir, 0, BOOT_A, zero, &s), 0);
	assert_int_equal(s.stop_code, STOP_SYSTEM_PROCESS_TERMINATED);
	assert_int_equal(s.stop_count, 1);
	assert_string_equal(s.stop_culprit, "csrss");
	sys_close(dir);
	sim_stop();
}

static void counters_stay_at_their_top(void **state)
{
	struct boot_state s;
	int dir;

	sim_start(1);
	sim_make_dir(DIRECTORY);
	dir = open_dir();
	assert_int_equal(state_read(dir, &s), STATE_NEW);
	s.attempts[2] = UINT32_MAX;
	s.boots = UINT64_MAX;
	memcpy(s.hive_block_sha256, hive, sizeof(hive));
	s.generation = UINT64_MAX - 1;
	assert_int_equal(state_write(dir, &s), 0);
	for (int i = 0; i < 4; i++) { /* the generation goes round */
		assert_true(state_count_attempt(dir, 2, BOOT_A, hive, &s) >= 0);
		assert_int_equal(state_read(dir, &s), STATE_READ);
		assert_int_equal(s.attempts[2], UINT32_MAX);
		assert_true(s.boots == UINT64_MAX);
		assert_int_equal(s.stop_count, i);
	}
	assert_int_equal(state_count_attempt(dir, STATE_LEVELS, BOOT_A, hive, &s), -EINVAL);
	sys_close(dir);
	sim_stop();
}

/* One boot that came up and then was rebooted in order; its attempts after that. */
static uint32_t boot_and_end(int dir, unsigned level, const uint8_t *digest, enum state_end how,
			     int want)
{
	struct boot_state s;

	assert_int_equal(state_count_attempt(dir, level, BOOT_A, digest, &s), 0);
	assert_int_equal(state_orderly_end(dir, how), want);
	assert_int_equal(state_read(dir, &s), STATE_READ);
	return s.attempts[level];
}

static void a_boot_that_is_ended_early_again_and_again_counts_in_the_end(void **state)
{
	static const uint8_t other[SHA256_BYTES] = {7};
	const int early = STATE_EARLY_ENDS;
	struct boot_state s;
	int dir;

	sim_start(1);
	sim_make_dir(DIRECTORY);
	dir = open_dir();
	for (unsigned level = 0; level < 2; level++) { /* each level by itself */
		for (int i = 0; i < early; i++)
			assert_int_equal(boot_and_end(dir, level, hive, STATE_END_EARLY, 0), 0);
		assert_int_equal(boot_and_end(dir, level, hive, STATE_END_EARLY, 1), 1);
		assert_int_equal(boot_and_end(dir, level, hive, STATE_END_EARLY, 1), 2);
		/* where only root can accept, nothing can be said against it */
		assert_int_equal(boot_and_end(dir, level, hive, STATE_END_UP, 0), 2);
	}
	/* another hive begins a row of its own */
	for (int i = 0; i < early; i++)
		assert_int_equal(boot_and_end(dir, 0, other, STATE_END_EARLY, 0), 0);
	/* a good boot ends the row, of its level and of the hive that it saves */
	assert_int_equal(state_count_attempt(dir, 0, BOOT_A, other, &s), 0);
	assert_int_equal(state_accept(dir, hive, 5), 0);
	assert_int_equal(state_orderly_end(dir, STATE_END_EARLY), 0);
	for (unsigned level = 0; level < 2; level++) {
		for (int i = 0; i < early; i++)
			assert_int_equal(
				boot_and_end(dir, level, level ? hive : other, STATE_END_EARLY, 0),
				0);
		assert_int_equal(boot_and_end(dir, level, level ? hive : other, STATE_END_EARLY, 1),
				 1);
	}
	sys_close(dir);
	sim_stop();
}

static void write_beside(void *arg)
{
	struct boot_state s;
	const int dir = open_dir();

	*(int *)arg = state_count_attempt(dir, 0, BOOT_A, hive, &s);
	sys_close(dir);
}

/* Everybody can open the directory, and hold a lock on it; what is waited for is root's alone. */
static void a_lock_on_the_directory_holds_nobody_up(void **state)
{
	struct sim_record calm, locked;
	int r = -1, dir;

	for (unsigned i = 0; i < 2; i++) {
		sim_start(1);
		sim_make_dir(DIRECTORY);
		dir = open_dir();
		if (i)
			assert_int_equal(sys_flock(dir, LOCK_EX | LOCK_NB), 0);
		*(i ? &locked : &calm) = sim_run(write_beside, &r);
		assert_int_equal(r, 0);
		sys_close(dir);
	}
	assert_int_equal(locked.calls, calm.calls);
	dir = open_dir();

	struct sys_stat st;

	assert_int_equal(sys_stat_at(dir, STATE_LOCK, 0, &st), 0);
	assert_int_equal(st.mode & 0777, 0600);
	sys_close(dir);
	sim_stop();
}

static void a_boot_that_came_up_takes_its_attempt_back(void **state)
{
	struct boot_state s;
	int dir;

	sim_start(1);
	sim_make_dir(DIRECTORY);
	dir = open_dir();
	for (int i = 0; i < 3; i++) { /* rebooted by hand before it came up: charged */
		assert_int_equal(state_count_attempt(dir, 0, BOOT_A, hive, &s), 0);
		assert_int_equal(state_orderly_end(dir, STATE_END_NOT_UP), 0);
		assert_int_equal(s.attempts[0], i + 1);
	}
	for (int i = 0; i < 3; i++) { /* and after: not, however often the end is told */
		assert_int_equal(state_count_attempt(dir, 0, BOOT_A, hive, &s), 0);
		assert_int_equal(s.attempts[0], 4);
		assert_int_equal(state_orderly_end(dir, STATE_END_EARLY), 0);
		assert_int_equal(state_orderly_end(dir, STATE_END_EARLY), 0);
	}
	assert_int_equal(state_read(dir, &s), STATE_READ);
	assert_int_equal(s.attempts[0], 3);
	sys_close(dir);
	sim_stop();
}

static void a_changed_hive_begins_anew(void **state)
{
	static const uint8_t repaired[SHA256_BYTES] = {4};
	struct boot_state s;
	int dir;

	sim_start(1);
	sim_make_dir(DIRECTORY);
	dir = open_dir();
	for (int i = 0; i < 3; i++)
		assert_true(state_count_attempt(dir, 0, BOOT_A, hive, &s) >= 0);
	assert_int_equal(s.attempts[0], 3);
	assert_true(state_count_attempt(dir, 0, BOOT_A, repaired, &s) >= 0);
	assert_int_equal(s.attempts[0], 1);
	sys_close(dir);
	sim_stop();
}

static void without_a_boot_id_every_boot_is_another_one(void **state)
{
	struct boot_state s;
	int dir;

	sim_start(1);
	sim_make_dir(DIRECTORY);
	dir = open_dir();
	assert_int_equal(state_count_attempt(dir, 0, "", hive, &s), 0);
	assert_int_equal(state_count_attempt(dir, 0, "", hive, &s), 1);
	assert_int_equal(s.stop_code, STOP_POWER_LOST);
	sys_close(dir);
	sim_stop();
}

/* ---- the journal ---- */

static int journal_dir(void)
{
	sim_start(1);
	sim_make_dir("/s");
	return sys_open(AT_FDCWD, "/s", O_RDONLY | O_DIRECTORY, 0);
}

static void entries_go_in_order_and_keep_their_results(void **state)
{
	const int dir = journal_dir();
	static const uint8_t other[SHA256_BYTES] = {0xEE};
	struct journal j;
	int32_t kept = 0;

	assert_int_equal(journal_open(dir, digest_of_queue, &j), 0);
	assert_int_equal(journal_intent(&j, 1, 1, 1), -EINVAL);
	for (int i = 0; i < 300; i++) {
		if (i % 3)
			assert_int_equal(journal_intent(&j, (uint32_t)i, 1, 100 + (uint64_t)i), 0);
		assert_int_equal(journal_result(&j, (uint32_t)i, -i), 0);
		assert_int_equal(journal_result(&j, (uint32_t)i, 0), -EINVAL);
	}
	assert_int_equal(journal_done(&j), 0);
	assert_int_equal(journal_open(dir, digest_of_queue, &j), 0);
	assert_int_equal(j.results, 300);
	assert_false(j.intent_open);
	for (int i = 0; i < 300; i++) {
		assert_int_equal(journal_read_result(&j, (uint32_t)i, &kept), 0);
		assert_int_equal(kept, -i);
	}
	assert_int_equal(journal_read_result(&j, 300, &kept), -EINVAL);
	assert_int_equal(journal_intent(&j, 300, 7, 8), 0);
	assert_int_equal(journal_done(&j), 0);
	assert_int_equal(journal_open(dir, digest_of_queue, &j), 0);
	assert_true(j.intent_open && j.intent.entry == 300 && j.intent.ino == 8);
	assert_int_equal(journal_done(&j), 0);
	/* another queue begins anew in the same file */
	assert_int_equal(journal_open(dir, other, &j), 0);
	assert_int_equal(j.results, 0);
	assert_int_equal(journal_done(&j), 0);
	assert_int_equal(journal_remove(dir), 0);
	assert_int_equal(journal_remove(dir), 0);
	sys_close(dir);
	sim_stop();
}

static void a_damaged_record_loses_a_result_but_repeats_nothing(void **state)
{
	for (unsigned hit = 0; hit < 20; hit++) {
		const int dir = journal_dir();
		struct journal j;
		uint8_t bytes[20 * 64];
		int32_t kept = 0;

		assert_int_equal(journal_open(dir, digest_of_queue, &j), 0);
		for (uint32_t i = 0; i < 10; i++) {
			assert_int_equal(journal_intent(&j, i, 1, 100 + i), 0);
			assert_int_equal(journal_result(&j, i, -5), 0);
		}
		assert_int_equal(journal_done(&j), 0);
		memcpy(bytes, sim_look("/s/" JOURNAL_FILE, NULL), sizeof(bytes));
		bytes[hit * 64 + 9] ^= 0x10;
		sim_make_file("/s/" JOURNAL_FILE, bytes, sizeof(bytes), 0600);
		assert_int_equal(journal_open(dir, digest_of_queue, &j), 0);
		if (hit == 19) { /* the last result: its entry is open again, judged by identity */
			assert_int_equal(j.results, 9);
			assert_true(j.intent_open);
		} else {
			assert_int_equal(j.results, 10);
			for (uint32_t i = 0; i < 10; i++)
				assert_int_equal(journal_read_result(&j, i, &kept),
						 hit == 2 * i + 1 ? -ENODATA : 0);
		}
		assert_int_equal(journal_done(&j), 0);
		sys_close(dir);
	}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_end_without_a_word_is_a_stop),
		cmocka_unit_test(counters_stay_at_their_top),
		cmocka_unit_test(a_boot_that_came_up_takes_its_attempt_back),
		cmocka_unit_test(a_boot_that_is_ended_early_again_and_again_counts_in_the_end),
		cmocka_unit_test(a_lock_on_the_directory_holds_nobody_up),
		cmocka_unit_test(a_changed_hive_begins_anew),
		cmocka_unit_test(without_a_boot_id_every_boot_is_another_one),
		cmocka_unit_test(entries_go_in_order_and_keep_their_results),
		cmocka_unit_test(a_damaged_record_loses_a_result_but_repeats_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
