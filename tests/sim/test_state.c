/* SPDX-License-Identifier: MIT */
/*
 * test_state.c - boot.state under power cuts: every write, at every point, with many seeds
 *
 * The law, held against a model that knows nothing of slots: after a cut state_read gives the
 * state before the interrupted call or the one after it, never "damaged"; what a call that
 * returned has written is never lost; a failed call leaves the old state.
 */
#include <errno.h>
#include <string.h>

#include "base/words.h"
#include "law.h"
#include "model_state.h"
#include "state/state.h"

#define DIRECTORY "/state"

uint64_t law_seed, law_cut;
bool law_child;
static uint64_t cuts, faults;

static const uint8_t hive[SHA256_BYTES] = {1, 2, 3};

/* ---- one life: acts until the cut, then reboot, then on ---- */

struct life {
	struct model before, after; /* of the act under way */
	bool under_way;
	unsigned acts;
	int result;
	int dir;
};

static int open_dir(void)
{
	int dir = sys_open(AT_FDCWD, DIRECTORY, O_RDONLY | O_DIRECTORY, 0);

	LAW(dir >= 0);
	return dir;
}

static void live(void *arg)
{
	struct life *l = arg;
	const int dir = open_dir();

	for (unsigned i = 0; i < l->acts; i++) {
		const enum act act = (enum act)sim_random(ACTS);
		const unsigned level = (unsigned)sim_random(STATE_LEVELS);

		l->after = l->before;
		model_do(&l->after, act, level);
		l->under_way = true;
		l->result = state_do(dir, act, level, l->before.hive);
		l->under_way = false;
		const int want = model_refuses(&l->before, act);

		LAW(want ? l->result == want : l->result >= 0);
		l->before = l->after;
	}
	sys_close(dir);
}

static void check_after(struct life *l, bool was_cut)
{
	struct boot_state s;
	const int dir = open_dir();
	const int r = state_read(dir, &s);

	LAW(r == STATE_READ || r == STATE_NEW);
	if (r == STATE_NEW) {
		const struct model nothing = {0};

		LAW(model_fits(&l->before, &s));
		LAW(model_fits(&nothing, &s));
	}
	if (was_cut && l->under_way) {
		LAW(model_fits(&l->before, &s) || model_fits(&l->after, &s));
		if (!model_fits(&l->before, &s))
			l->before = l->after;
	} else {
		LAW(model_fits(&l->before, &s));
	}
	l->under_way = false;
	sys_close(dir);
}

static uint64_t points_of(uint64_t seed, unsigned acts)
{
	struct life l = {.acts = acts};

	sim_start(seed);
	sim_make_dir(DIRECTORY);
	LAW(sim_run(live, &l).end == SIM_RETURNED);
	check_after(&l, false);
	return sim_points();
}

static void every_write_survives_a_cut_at_every_point(void **state)
{
	FOR_SEEDS(500)
	{
		const uint64_t points = points_of(seed, 6);

		for (uint64_t cut = 1; cut <= points; cut++) {
			struct life l = {.acts = 6};

			sim_start(seed);
			sim_make_dir(DIRECTORY);
			sim_cut_at(cut);
			LAW(sim_run(live, &l).end == SIM_CUT);
			sim_reboot(true);
			check_after(&l, true);
			cuts++;
			/* life goes on, with a second cut somewhere */
			sim_cut_at(1 + sim_random(30));
			const bool again = sim_run(live, &l).end == SIM_CUT;

			sim_reboot(again);
			check_after(&l, again);
			cuts += again;
		}
	}
	sim_stop();
}

static void count_one(void *arg)
{
	const int dir = open_dir();
	struct boot_state s;

	*(int *)arg = state_count_attempt(dir, 0, BOOT_B, hive, &s);
	sys_close(dir);
}

static void a_boot_loop_counts_up_through_power_cuts(void **state)
{
	FOR_SEEDS(1000)
	{
		uint32_t counted = 0;

		sim_start(seed);
		sim_make_dir(DIRECTORY);
		for (unsigned boot = 0; boot < 12; boot++) {
			struct boot_state s;
			int r = -1, dir;
			const bool early = sim_random(3) == 0;

			sim_cut_at(early ? 1 + sim_random(24) : 0);
			sim_run(count_one, &r);
			counted += r >= 0; /* the call returned: it may never be lost */
			sim_reboot(true);  /* and every boot ends by a cut */
			cuts++;
			dir = open_dir();
			r = state_read(dir, &s);
			LAW(r == STATE_READ || (r == STATE_NEW && counted == 0));
			LAW(s.attempts[0] >= counted && s.attempts[0] <= counted + 1);
			counted = s.attempts[0];
			sys_close(dir);
		}
		LAW(counted >= 6);
	}
	sim_stop();
}

/* ---- damage ---- */

static void write_one(void *arg)
{
	const int dir = open_dir();
	struct boot_state s;
	int r = state_read(dir, &s);

	LAW(r >= 0);
	s.attempts[1] = 3;
	*(int *)arg = state_write(dir, &s);
	sys_close(dir);
}

static const struct damage {
	const char *name;
	size_t bytes;
	uint8_t fill; /* 0 = all zero */
	int want;
} damages[] = {
	{"an empty file is as none", 0, 0, STATE_NEW}, {"one byte", 1, 7, STATE_DAMAGED},
	{"a short slot", 511, 7, STATE_DAMAGED},       {"zeros", 1024, 0, STATE_DAMAGED},
	{"garbage", 1024, 0xA5, STATE_DAMAGED},        {"much garbage", 4096, 0x5A, STATE_DAMAGED},
};

static void a_damaged_file_is_set_aside_and_replaced(void **state)
{
	for (unsigned i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		FOR_SEEDS(20)
	for (uint64_t cut = 0;; cut++) {
		const struct damage *d = &damages[i];
		uint8_t bytes[4096];
		struct boot_state s;
		size_t kept = 0;
		int r = -1, dir;

		memset(bytes, d->fill, sizeof(bytes));
		sim_start(seed);
		sim_make_dir(DIRECTORY);
		sim_make_file(DIRECTORY "/boot.state", bytes, d->bytes, 0600);
		dir = open_dir();
		LAW(state_read(dir, &s) == d->want);
		LAW(s.level == 0 && s.attempts[0] == 0 && s.running == 0);
		sys_close(dir);
		sim_cut_at(cut ? cut + sim_points() : 0);
		const enum sim_end end = sim_run(write_one, &r).end;

		sim_reboot(true);
		dir = open_dir();
		const int found = state_read(dir, &s);

		if (end == SIM_RETURNED) {
			LAW(r == 0 && found == STATE_READ && s.attempts[1] == 3);
			if (d->want == STATE_DAMAGED) {
				const void *bad = sim_look(DIRECTORY "/boot.state.bad", &kept);

				LAW(bad && kept == d->bytes && !memcmp(bad, bytes, kept));
			}
		} else {
			LAW(found == d->want || found == STATE_NEW ||
			    (found == STATE_READ && s.attempts[1] == 3));
			cuts++;
		}
		sys_close(dir);
		if (cut && end == SIM_RETURNED)
			break;
	}
	sim_stop();
}

static void one_good_slot_is_enough(void **state)
{
	for (unsigned slot = 0; slot < 2; slot++) {
		struct boot_state s, was;
		uint8_t bytes[1024];
		size_t n = 0;
		int r = -1, dir;

		sim_start(slot);
		sim_make_dir(DIRECTORY);
		for (int i = 0; i < 3; i++)
			sim_run(count_one, &r);
		const void *file = sim_look(DIRECTORY "/boot.state", &n);

		LAW(file && n == sizeof(bytes));
		memcpy(bytes, file, n);
		dir = open_dir();
		LAW(state_read(dir, &was) == STATE_READ && was.attempts[0] == 3);
		bytes[slot * 512 + 28] ^= 0x40; /* the attempts of level 0 */
		sim_make_file(DIRECTORY "/boot.state", bytes, n, 0600);
		LAW(state_read(dir, &s) == STATE_READ);
		LAW(s.attempts[0] == 3 || s.attempts[0] == 2);
		sim_run(count_one, &r);
		const uint32_t next = s.attempts[0] + 1;

		LAW(r >= 0 && state_read(dir, &s) == STATE_READ && s.attempts[0] == next);
		LAW(sim_look(DIRECTORY "/boot.state.bad", NULL) == NULL);
		sys_close(dir);
	}
	sim_stop();
}

static void what_is_no_plain_file_is_set_aside(void **state)
{
	struct boot_state s;
	int r = -1, dir;

	sim_start(3);
	sim_make_dir(DIRECTORY);
	sim_make_file("/victim", "precious", 8, 0600);
	sim_make_link(DIRECTORY "/boot.state", "/victim");
	dir = open_dir();
	assert_int_equal(state_read(dir, &s), STATE_DAMAGED);
	sim_run(write_one, &r);
	assert_int_equal(r, 0);
	assert_int_equal(state_read(dir, &s), STATE_READ);
	assert_memory_equal(sim_look("/victim", NULL), "precious", 8);
	sys_close(dir);
	sim_stop();
}

/* ---- errors ---- */

struct failing {
	int dir, result;
};

static void count_in(void *arg)
{
	struct failing *f = arg;
	struct boot_state s;

	f->result = state_count_attempt(f->dir, 0, BOOT_B, hive, &s);
}

/* One call with an error at its n-th file call. False when the call is over before. */
static bool fail_once(uint64_t at, bool made_before, int error)
{
	const bool lasting = sim_random(2);
	struct boot_state old, s;
	struct failing f = {.dir = open_dir()};
	uint64_t calls;

	if (made_before)
		sim_run(count_in, &f);
	LAW(state_read(f.dir, &old) >= 0);
	calls = sim_file_calls();
	sim_fail_at(at, error, lasting ? 1000 : 1);
	sim_run(count_in, &f);
	calls = sim_file_calls() - calls;
	sim_fail_at(0, 0, 0);
	LAW(state_read(f.dir, &s) != STATE_DAMAGED);
	if (f.result >= 0)
		LAW(s.attempts[0] == old.attempts[0] + 1);
	else if (made_before && !lasting)
		LAW(s.attempts[0] == old.attempts[0]);
	sys_close(f.dir);
	sim_reboot(true);
	f.dir = open_dir();
	LAW(state_read(f.dir, &s) != STATE_DAMAGED);
	LAW(s.attempts[0] == old.attempts[0] + 1 ||
	    (f.result < 0 && s.attempts[0] == old.attempts[0]));
	sys_close(f.dir);
	return calls >= at;
}

static void a_failed_write_leaves_the_old_state(void **state)
{
	static const int errors[] = {EIO, ENOSPC, EROFS};
	FOR_SEEDS(200)
	{
		uint64_t at = 1;

		do {
			sim_start(seed);
			sim_make_dir(DIRECTORY);
			faults++;
		} while (fail_once(at++, seed % 4 != 0, errors[seed % 3]));
		LAW(at > 5);
	}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_write_survives_a_cut_at_every_point),
		cmocka_unit_test(a_boot_loop_counts_up_through_power_cuts),
		cmocka_unit_test(a_damaged_file_is_set_aside_and_replaced),
		cmocka_unit_test(one_good_slot_is_enough),
		cmocka_unit_test(what_is_no_plain_file_is_set_aside),
		cmocka_unit_test(a_failed_write_leaves_the_old_state),
	};
	const int r = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%" PRIu64 " cuts, %" PRIu64 " failed calls\n", cuts, faults);
	return r;
}
