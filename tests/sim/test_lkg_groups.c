/* SPDX-License-Identifier: MIT */
/*
 * test_lkg_groups.c - groups make a new configuration of Current, and that comes to an end
 *
 * A machine has a LastKnownGood, and its hive fails from then on: each boot of it ends by a stop or
 * a cut, before the groups, among them or after them. Random groups wait. The roles plan and state
 * and the step for groups are the product's; the reader of a hive without a plan is played here.
 *
 * The law: groups that Current was not tried with bring it back, and then it gets its attempts and
 * no more; nothing that a boot itself does to groups brings it back for ever. From a boot on that
 * is the last of Current every one is LastKnownGood's, until somebody queues a group or has one
 * tried again. What is queued there stays as it is.
 */
#include "hives.h"
#include "pending/run.h"
#include "pending_life.h"
#include "smss/boot/boot.h"
#include "smss/copy.h"
#include "state/state.h"

#define HIVE   2u  /* an edition with three attempts */
#define SICK   40u /* boots that are cut anywhere */
#define QUIET  60u /* and such as only stop */
#define STEADY 6u  /* of LastKnownGood, one after another */

static struct copy copy;
static bool sick, cutting, rejecting;
static unsigned currents; /* attempts of Current */
static uint64_t all_currents, comebacks;

static bool reader_gives_up(unsigned level, const uint8_t digest[SHA256_BYTES])
{
	_close_ int dir = copy_open_state(&copy, false);
	struct pending_waits waits;
	struct boot_state s;

	LAW(state_read(dir, &s) >= 0 && pending_fingerprint(dir, &waits) == 0);
	return state_used_up(&s, level, hive_allowed(HIVE), digest) &&
	       (level || !state_groups_new(&s, waits.fingerprint));
}

static unsigned choose_level(void)
{
	uint8_t digest[SHA256_BYTES];

	hive_digest(HIVE, digest);
	for (unsigned level = 0;; level++) {
		LAW(level <= SM_LEVEL_LKG);
		copy = (struct copy){.role = ROLE_PLAN, .n = level};
		reader_wanted = false;
		if (copy_role_plan(&copy) == COPY_OK)
			return level;
		if (!reader_wanted || reader_gives_up(level, digest))
			continue;
		LAW(hive_plan(HIVE, &copy.plan) > 0);
		return level;
	}
}

static void run_groups(int dir, bool fallback)
{
	struct boot_state s;

	LAW(state_read(dir, &s) >= 0);
	const struct pending_step step = {.state = dir,
					  .prefix = "",
					  .boots = s.boots,
					  .accepted = s.accepted_boots,
					  .fallback = fallback};

	LAW(pending_run(&step) >= 0);
}

static void stop(int dir)
{
	LAW(state_record_stop(dir, STOP_CRITICAL_PROCESS_DIED, 0, PHASE_SESSIONS, 0, "csrss", "") >=
	    0);
}

static void boot_now(void *arg)
{
	_close_ int dir = copy_open_state(&copy, true);
	unsigned *level = arg;

	*level = choose_level();
	copy.role = ROLE_STATE;
	copy.n = *level;
	if (sick && cutting && !*level && sim_random(2))
		sim_cut_at(sim_points() + 1 + sim_random(1u << (1 + sim_random(8))));
	LAW(copy_role_state(&copy) == COPY_OK);
	currents += !*level;
	if (!*level && sick && sim_random(3) == 0)
		return stop(dir);
	run_groups(dir, *level);
	if (!*level && !sick) {
		copy.role = ROLE_ACCEPT;
		copy.n = SM_DECIDE_ACCEPT;
		LAW(copy_role_accept(&copy) == COPY_OK);
	} else if (!*level && rejecting) {
		LAW(state_reject(dir) == 0);
	} else if (!*level) {
		return stop(dir);
	}
	LAW(state_orderly_end(dir, STATE_END_UP) >= 0);
}

static unsigned one_boot(void)
{
	unsigned level = STATE_LEVELS;
	const enum sim_end how = sim_run(boot_now, &level).end;

	LAW(how == SIM_CUT || how == SIM_RETURNED);
	sim_cut_at(0);
	sim_reboot(how == SIM_CUT);
	return level;
}

/* How many attempts of Current there were until it is left for good. */
static unsigned until_left(void)
{
	unsigned steady = 0;

	currents = 0;
	cutting = true;
	for (unsigned i = 0; i < SICK && steady < 2 * STEADY; i++)
		steady = one_boot() == SM_LEVEL_LKG ? steady + 1 : 0;
	cutting = false;
	for (unsigned i = 0; i < QUIET && steady < STEADY; i++)
		steady = one_boot() == SM_LEVEL_LKG ? steady + 1 : 0;
	LAW(steady >= STEADY);
	all_currents += currents;
	return currents;
}

/* A group leaves what waits when it begins, and comes back when it failed, twice at most. */
static unsigned most(unsigned groups)
{
	return hive_allowed(HIVE) * (1 + 5 * groups);
}

static uint32_t waiting(void)
{
	_close_ int dir = copy_open_state(&copy, false);
	struct pending_waits waits;

	LAW(pending_fingerprint(dir, &waits) == 0);
	return waits.fingerprint;
}

static void begin(uint64_t seed)
{
	static struct hive h;
	const struct plan_header *plan;

	make_world(seed);
	sim_make_dir(ETC);
	hive_make(&h, HIVE);
	sim_make_file(ETC "/SYSTEM", &h, sizeof(h), 0600);
	if (seed % 2) {
		const int n = hive_plan(HIVE, &plan);

		LAW(n > 0);
		sim_make_file(ETC "/SYSTEM.plan", plan, (size_t)n, 0600);
	}
	sys_sync();
	sick = rejecting = cutting = false;
	LAW(one_boot() == SM_LEVEL_CURRENT && one_boot() == SM_LEVEL_CURRENT);
	sick = true;
	rejecting = seed % 3 == 0;
}

static void groups_bring_current_back_and_that_ends(void **state)
{
	FOR_SEEDS(400)
	{
		begin(seed);
		const unsigned groups = 1 + (unsigned)(seed % 3);

		for (unsigned i = 0; i < groups; i++)
			queue_group();
		LAW(until_left() <= most(groups));

		const uint32_t stays = waiting();

		LAW(one_boot() == SM_LEVEL_LKG && waiting() == stays);
		queue_group();
		LAW(one_boot() == SM_LEVEL_CURRENT);
		comebacks++;
		LAW(until_left() <= most(groups + 1));

		/* of those that came to their end, one is to be tried again */
		read_stories(life.stories);
		const unsigned i = (unsigned)sim_random(life.count);

		if (!may_retry(i))
			continue;
		LAW(retry_step(i) == 0);
		LAW(one_boot() == SM_LEVEL_CURRENT);
		comebacks++;
		LAW(until_left() <= most(groups + 1));
	}
	sim_stop();
}

/* The same groups, and Current that never gets as far as them: its attempts, not one more. */
static void stop_early(void *arg)
{
	_close_ int dir = copy_open_state(&copy, true);
	unsigned *level = arg;

	*level = choose_level();
	copy.role = ROLE_STATE;
	copy.n = *level;
	LAW(copy_role_state(&copy) == COPY_OK);
	if (!*level)
		return stop(dir);
	run_groups(dir, true);
	LAW(state_orderly_end(dir, STATE_END_UP) >= 0);
}

static void groups_that_were_not_reached_bring_nothing_back(void **state)
{
	FOR_SEEDS(50)
	{
		begin(seed);
		for (unsigned round = 0; round < 2; round++) {
			queue_group();
			for (unsigned i = 0; i < hive_allowed(HIVE) + STEADY; i++) {
				unsigned level;

				LAW(sim_run(stop_early, &level).end == SIM_RETURNED);
				sim_reboot(false);
				LAW(level == (i >= hive_allowed(HIVE)));
			}
		}
	}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_bring_current_back_and_that_ends),
		cmocka_unit_test(groups_that_were_not_reached_bring_nothing_back),
	};
	const int r = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%" PRIu64 " attempts of Current, %" PRIu64 " times it came back\n",
		      all_currents, comebacks);
	return r;
}
