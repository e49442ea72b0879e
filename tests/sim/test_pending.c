/* SPDX-License-Identifier: MIT */
/*
 * test_pending.c - groups of pending operations, cut and failed everywhere (design §6)
 *
 * Random groups over two file systems go through random boots: in peace, cut at any write, rename
 * or sync and cut again while they recover, with errors, with a file system that went read-only,
 * falling back; then with strangers who move the same things, with files that are torn or of
 * another machine, and with a file system that is away. The law is in pending_life.c.
 */
#include "base/bytes.h"
#include "pending_life.h"

static void maybe_accept(void)
{
	if (life.fallback || !all_settled() || sim_random(3))
		return;
	life.accepted = life.boots;
	look(&life.accepted_world);
}

static uint64_t somewhere(void)
{
	return 1 + sim_random(1u << (2 + sim_random(8)));
}

static void random_boot(void)
{
	static const enum trouble troubles[] = {PEACE, PEACE, CUT, CUT, CUT, FAULTS, READ_ONLY};

	(void)boot(troubles[sim_random(ARRAY_SIZE(troubles))], somewhere(), sim_random(4) == 0);
	maybe_accept();
}

static void count_ends(void)
{
	for (unsigned i = 0; i < life.count; i++) {
		const enum m_state s = life.stories[i].state;

		counts.applied += s == M_APPLIED && !life.groups[i].of;
		counts.undone += s == M_APPLIED && life.groups[i].of;
		counts.refused += s == M_REFUSED;
		counts.quarantined += s == M_QUARANTINED;
		counts.reverted += s == M_REVERTED;
	}
}

static void end_in_peace(void)
{
	(void)boot(PEACE, 0, false);
	LAW(all_settled());
	count_ends();
	(void)boot(PEACE, 0, true);
	(void)boot(PEACE, 0, false);
}

static void groups_are_whole_or_not_at_all(void **state)
{
	FOR_SEEDS(6000)
	{
		make_world(seed);
		for (unsigned i = 0; i < 1 + seed % 3; i++)
			queue_group();
		for (unsigned i = 0; i < 6; i++) {
			random_boot();
			if (sim_random(3) == 0)
				queue_group();
			if (sim_random(3) == 0)
				queue_undo();
		}
		end_in_peace();
	}
	sim_stop();
	assert_true(sim_runs(6000) < 2000 ||
		    (counts.applied > 4000 && counts.refused > 1000 && counts.quarantined > 200 &&
		     counts.reverted > 1000 && counts.undone > 200 && counts.cuts > 1000));
}

/* ---- every point of one boot ---- */

static bool cut_here(uint64_t seed, uint64_t at, bool back)
{
	bool was_cut;

	make_world(seed);
	for (unsigned i = 0; i < 1 + seed % 2; i++)
		queue_group();
	if (back)
		(void)boot(PEACE, 0, false);
	was_cut = boot(CUT, at, back);
	if (sim_random(2)) /* and again while it recovers */
		(void)boot(CUT, somewhere(), sim_random(4) == 0);
	end_in_peace();
	return was_cut;
}

static void a_cut_at_every_point_halves_no_group(void **state)
{
	/* Some hundreds of lives a seed: the long form has more of the random ones. */
	for (uint64_t first = sim_seed(1), seed = law_seed = first;
	     seed < first + 1 + sim_runs(6000) / 160; law_seed = ++seed)
		for (unsigned back = 0; back < 2; back++) {
			uint64_t at = 1;

			while (cut_here(seed, at, back))
				at++;
			LAW(at > 10 || life.stories[0].state != M_APPLIED);
		}
	sim_stop();
}

/* ---- others who move things, damage, file systems that are away ---- */

static void journal_path(char *path, size_t n, const char *ending)
{
	snprintf(path, n, MAKER_STATE "/pending/%08x.%s", 1 + (unsigned)sim_random(life.count),
		 ending);
}

static void spoil(const char *ending)
{
	static uint8_t room[65536];
	char path[64];
	size_t n = 0;
	const void *bytes;

	journal_path(path, sizeof(path), ending);
	bytes = sim_look(path, &n);
	if (!bytes || !n || n > sizeof(room))
		return;
	memcpy(room, bytes, n);
	if (sim_random(2))
		room[sim_random(n)] ^= (uint8_t)(1 + sim_random(255));
	else
		n = sim_random(n);
	sim_make_file(path, room, n, 0600);
}

/* What belongs to a group of another machine lies here under a number of ours. */
static void exchange_with_another(const char *ending)
{
	char a[64], b[64];
	size_t n = 0;
	const void *bytes;

	journal_path(a, sizeof(a), ending);
	journal_path(b, sizeof(b), ending);
	bytes = sim_look(a, &n);
	if (bytes)
		sim_make_file(b, bytes, n, 0600);
}

static void somebody_moves(void)
{
	const uint16_t from = place_like(M_NONE), to = place_like(from);

	if (thing_at(m_path(from)) && !thing_at(m_path(to)))
		(void)!sys_rename(AT_FDCWD, m_path(from), AT_FDCWD, m_path(to), 0);
	else if (!thing_at(m_path(from)) && sim_is_dir("/m/p/q"))
		make_thing(m_path(from), sim_random(4) == 0);
	else
		(void)!sys_rename(AT_FDCWD, "/m/p/q", AT_FDCWD, "/m/q2", 0);
	sys_sync();
}

static bool somebody_acts(void)
{
	switch (sim_random(8)) {
	case 0:
		spoil("journal");
		break;
	case 1:
		spoil("things");
		break;
	case 2:
		spoil("group");
		break;
	case 3:
		exchange_with_another(sim_random(2) ? "things" : "journal");
		break;
	case 4:
		sim_umount_volume(1, "/m");
		(void)boot(CUT, somewhere(), sim_random(2));
		sim_mount_volume(1, "/m");
		break;
	default:
		somebody_moves();
		break;
	}
	return true;
}

static void nothing_is_lost_whoever_else_is_at_it(void **state)
{
	static const enum trouble troubles[] = {PEACE, CUT, CUT, FAULTS, READ_ONLY};

	FOR_SEEDS(4000)
	{
		make_world(seed);
		life.strangers = true;
		for (unsigned i = 0; i < 1 + seed % 3; i++)
			queue_group();
		for (unsigned i = 0; i < 5; i++) {
			(void)boot(troubles[sim_random(ARRAY_SIZE(troubles))], somewhere(),
				   sim_random(3) == 0);
			counts.strangers += somebody_acts();
		}
		(void)boot(PEACE, 0, false);
		(void)boot(PEACE, 0, true);
	}
	sim_stop();
}

static bool is_taken_back(enum m_state s)
{
	return s == M_REVERTED;
}

/* A fallback while a file system is away has not taken back what lies there; the next one does. */
static void a_file_system_that_is_away_is_waited_for(void **state)
{
	FOR_SEEDS(200)
	{
		struct m_group *g = &life.groups[0];
		struct m_world w;
		const bool another = seed % 2;

		make_world(seed);
		do {
			w = life.first;
			draw_group(g, &w);
			w = life.first;
		} while (!m_apply(&w, g, &life.things) || !memcmp(&w, &life.first, sizeof(w)));
		life.count = 1;
		LAW(maker_write(g, 1, life.made) == 0);
		sys_sync();
		(void)boot(PEACE, 0, false);
		LAW(life.stories[0].state == M_APPLIED);
		life.strangers = true;
		if (another)
			sim_volume_uuid(1, 0xAB);
		else
			sim_umount_volume(1, "/m");
		life.boots++;
		life.fallback = true;
		boot_step(NULL);
		read_stories(life.stories);
		for (unsigned i = 3 * M_NAMES; i < M_PLACES; i++)
			LAW(!m_touches(g, i) || !is_taken_back(life.stories[0].state));
		if (another)
			sim_volume_uuid(1, 3 * 16 + 1);
		else
			sim_mount_volume(1, "/m");
		life.strangers = false;
		(void)boot(PEACE, 0, true);
		LAW(is_taken_back(life.stories[0].state));
	}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_whole_or_not_at_all),
		cmocka_unit_test(a_cut_at_every_point_halves_no_group),
		cmocka_unit_test(nothing_is_lost_whoever_else_is_at_it),
		cmocka_unit_test(a_file_system_that_is_away_is_waited_for),
	};
	const int r = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%" PRIu64 " lives, %" PRIu64 " groups, %" PRIu64 " boots, %" PRIu64
		      " cuts, %" PRIu64 " with errors, %" PRIu64 " fallbacks; applied %" PRIu64
		      ", refused %" PRIu64 ", quarantined %" PRIu64 ", reverted %" PRIu64
		      ", undone %" PRIu64 "\n",
		      counts.lives, counts.groups, counts.boots, counts.cuts, counts.faults,
		      counts.fallbacks, counts.applied, counts.refused, counts.quarantined,
		      counts.reverted, counts.undone);
	return r;
}
