/* SPDX-License-Identifier: MIT */
/*
 * test_pending.c - groups of pending operations, cut and failed everywhere (design §6)
 *
 * Random groups over two file systems go through random boots: in peace, cut at any write, rename
 * or sync and cut again while they recover, with errors, with a file system that went read-only,
 * falling back; then with strangers who move the same things, with files that are torn or of
 * another machine, and with a file system that is away. The law is in pending_life.c.
 */
#include "pending_life.h"

#include <stdlib.h>
#include <time.h>

#include "base/bytes.h"

/* How many lives: SIM_PENDING_RUNS; else SIM_RUNS, but for the long form no fewer than usual. */
static uint64_t lives(uint64_t usual)
{
	const char *s = getenv("SIM_PENDING_RUNS");
	const uint64_t all = s && *s ? strtoull(s, NULL, 0) : 0, runs = sim_runs(6000);

	if (all)
		return usual == 6000 ? all : all * usual / 6000 + 1;
	return (runs >= 1000 && runs < 6000 ? 6000 : runs) * usual / 6000 + (runs && usual < 6000);
}

static uint64_t somewhere(void)
{
	return 1 + sim_random(1u << (2 + sim_random(8)));
}

/* A word every ten seconds, for whoever waits. */
static void tell_progress(uint64_t done, uint64_t all)
{
	static uint64_t began_s, told_s;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!began_s)
		began_s = told_s = (uint64_t)now.tv_sec;
	if ((uint64_t)now.tv_sec < told_s + 10)
		return;
	told_s = (uint64_t)now.tv_sec;
	fprintf(stderr, "%" PRIu64 " of %" PRIu64 " lives, %" PRIu64 " s\n", done, all,
		told_s - began_s);
}

#define FOR_LIVES(usual)                                                                           \
	for (uint64_t begin_ = sim_seed(1), all_ = lives(usual), seed = (law_seed = begin_);       \
	     seed < begin_ + all_; tell_progress(seed - begin_, all_), law_seed = ++seed)

static void draw_purge(struct turn *t)
{
	t->purge = true;
	t->keep_groups = (uint32_t)sim_random(4);
	t->keep_days = sim_random(4) ? 30 : 0;
	t->keep_bytes = sim_random(2) ? UINT64_MAX : sim_random(65536);
	t->until_ns = sim_random(4) ? 0 : 1 + sim_random(400000);
}

static void draw_turn(struct turn *t, unsigned fallbacks)
{
	static const enum trouble troubles[] = {PEACE, PEACE, CUT, CUT, CUT, FAULTS, READ_ONLY};

	*t = (struct turn){.trouble = troubles[sim_random(ARRAY_SIZE(troubles))],
			   .at = somewhere(),
			   .fallback = sim_random(fallbacks) == 0};
	t->accept = !t->fallback && sim_random(3) == 0;
	if (sim_random(t->accept ? 2 : 8) == 0)
		draw_purge(t);
	if (sim_random(8) == 0) {
		t->rival = QUEUES + (enum rival)sim_random(3);
		t->rival_at = somewhere();
	} else if (sim_random(40) == 0) {
		t->held = true;
		t->given_at = sim_random(2) * somewhere();
	}
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
	peace(false);
	if (life.behind)
		peace(false);
	LAW(all_settled());
	count_ends();
	peace(true);
	peace(false);
}

static void groups_are_whole_or_not_at_all(void **state)
{
	FOR_LIVES(6000)
	{
		make_world(seed);
		for (unsigned i = 0; i < 1 + seed % 3; i++)
			queue_group();
		if (sim_random(4) == 0)
			replace_thing();
		for (unsigned i = 0; i < 6; i++) {
			struct turn t;

			draw_turn(&t, 4);
			(void)boot(&t);
			if (sim_random(3) == 0)
				queue_group();
			if (sim_random(3) == 0)
				queue_undo();
			if (sim_random(4) == 0)
				queue_retry();
		}
		end_in_peace();
	}
	sim_stop();
	assert_true(lives(6000) < 6000 ||
		    (counts.applied > 4000 && counts.refused > 1000 && counts.quarantined > 200 &&
		     counts.reverted > 1000 && counts.undone > 200 && counts.cuts > 1000 &&
		     counts.retries > 500 && counts.purged > 500 && counts.staged > 1000 &&
		     counts.raced > 500 && counts.busy > 50));
}

/* ---- every point of one boot ---- */

static bool cut_here(uint64_t seed, uint64_t at, bool back, bool purge)
{
	struct turn t = {.trouble = CUT, .at = at, .fallback = back, .accept = !back};
	bool was_cut;

	make_world(seed);
	for (unsigned i = 0; i < 1 + seed % 2; i++)
		queue_group();
	if (back)
		peace(false);
	if (purge)
		draw_purge(&t);
	was_cut = boot(&t);
	if (sim_random(2)) { /* and again while it recovers */
		t = (struct turn){.trouble = CUT, .at = somewhere(), .fallback = !sim_random(4)};
		if (purge)
			draw_purge(&t);
		(void)boot(&t);
	}
	end_in_peace();
	return was_cut;
}

static void a_cut_at_every_point_halves_no_group(void **state)
{
	/* Some hundreds of lives a seed: the long form has more of the random ones. */
	for (uint64_t first = sim_seed(1), seed = law_seed = first;
	     seed < first + 1 + lives(6000) / 160 / (lives(6000) > 60000 ? 20 : 1);
	     law_seed = ++seed)
		for (unsigned kind = 0; kind < 3; kind++) {
			uint64_t at = 1;

			while (cut_here(seed, at, kind == 1, kind == 2))
				at++;
			LAW(at > 10 || life.stories[0].state != M_APPLIED);
			tell_progress(seed - first, 1 + lives(6000) / 160);
		}
	sim_stop();
}

/* ---- what was there before counts no more when a group is tried again ---- */

static uint16_t place_with(uint16_t like, uint16_t but, bool full)
{
	uint16_t p = M_NONE;

	for (unsigned tries = 0; tries < 200; tries++) {
		p = place_like(like);
		if (p != but && p != M_GUARDED && !life.world.at[p] == !full &&
		    !life.things.dir[life.world.at[p]])
			return p;
	}
	return M_NONE;
}

static void queue_move(uint16_t from, uint16_t to)
{
	struct m_group *g = &life.groups[life.count];

	*g = (struct m_group){.count = 1};
	g->ops[0] = (struct m_op){.move = true,
				  .replace = true,
				  .from = from,
				  .to = to,
				  .thing = life.world.at[from]};
	LAW(maker_write(g, life.count + 1, life.made) == 0);
	life.count++;
	sys_sync();
}

/* A free target when it was applied and taken back; something stands there when it is retried. */
static bool retry_cut_at(uint64_t seed, uint64_t at)
{
	uint16_t from, to, other;

	make_world(seed);
	from = place_with(M_NONE, M_NONE, true);
	to = place_with(from, M_NONE, false);
	other = place_with(from, from, true);
	if (from == M_NONE || to == M_NONE || other == M_NONE)
		return false;
	queue_move(from, to);
	peace(false);
	peace(true);
	queue_move(other, to);
	(void)boot(&(const struct turn){.accept = true});
	while (life.stories[0].state != M_QUEUED)
		queue_retry();
	if (!boot(&(const struct turn){.trouble = CUT, .at = at}))
		at = 0;
	end_in_peace();
	return at != 0;
}

static void a_retry_begins_with_what_is_there_now(void **state)
{
	FOR_LIVES(20)
	{
		uint64_t at = 1;

		while (retry_cut_at(seed, at))
			at++;
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
		(void)boot(&(struct turn){
			.trouble = CUT, .at = somewhere(), .fallback = sim_random(2)});
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
	FOR_LIVES(4000)
	{
		make_world(seed);
		life.strangers = true;
		for (unsigned i = 0; i < 1 + seed % 3; i++)
			queue_group();
		for (unsigned i = 0; i < 5; i++) {
			struct turn t;

			draw_turn(&t, 3);
			(void)boot(&t);
			if (sim_random(8) == 0)
				queue_retry();
			counts.strangers += somebody_acts();
		}
		peace(false);
		peace(true);
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
	FOR_LIVES(200)
	{
		struct m_group *g = &life.groups[0];
		struct m_world w;
		const bool another = seed % 2;

		bool touched[M_ALL];

		make_world(seed);
		life.uncopied = true;
		do {
			w = life.first;
			draw_group(g, 0, &w);
			w = life.first;
		} while (!m_apply(&w, g, &life.things) || !memcmp(&w, &life.first, sizeof(w)));
		life.count = 1;
		LAW(maker_write(g, 1, life.made) == 0);
		sys_sync();
		peace(false);
		LAW(life.stories[0].state == M_APPLIED);
		life.strangers = true;
		if (another)
			sim_volume_uuid(1, 0xAB);
		else
			sim_umount_volume(1, "/m");
		life.boots++;
		life.now = (struct turn){.fallback = true};
		boot_step(NULL);
		read_stories(life.stories);
		m_touched(g, touched);
		for (unsigned i = 0; i < M_PLACES; i++)
			LAW(m_volume(i) != 1 || !touched[i] ||
			    !is_taken_back(life.stories[0].state));
		if (another)
			sim_volume_uuid(1, 3 * 16 + 1);
		else
			sim_mount_volume(1, "/m");
		life.strangers = false;
		peace(true);
		LAW(is_taken_back(life.stories[0].state));
	}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_whole_or_not_at_all),
		cmocka_unit_test(a_cut_at_every_point_halves_no_group),
		cmocka_unit_test(a_retry_begins_with_what_is_there_now),
		cmocka_unit_test(nothing_is_lost_whoever_else_is_at_it),
		cmocka_unit_test(a_file_system_that_is_away_is_waited_for),
	};
	const int r = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%" PRIu64 " lives, %" PRIu64 " groups, %" PRIu64 " boots (%" PRIu64
		      " accepted), %" PRIu64 " cuts, %" PRIu64 " with errors, %" PRIu64
		      " fallbacks; applied %" PRIu64 ", refused %" PRIu64 ", quarantined %" PRIu64
		      ", reverted %" PRIu64 ", undone %" PRIu64 "\n",
		      counts.lives, counts.groups, counts.boots, counts.accepted, counts.cuts,
		      counts.faults, counts.fallbacks, counts.applied, counts.refused,
		      counts.quarantined, counts.reverted, counts.undone);
	print_message("retried %" PRIu64 ", purges %" PRIu64 " of %" PRIu64
		      " groups, copies %" PRIu64 ", replaced before %" PRIu64
		      ", looks of rivals %" PRIu64 ", their groups %" PRIu64
		      ", boots locked out %" PRIu64 ", acts of strangers %" PRIu64 "\n",
		      counts.retries, counts.purges, counts.purged, counts.staged, counts.replaced,
		      counts.races, counts.raced, counts.busy, counts.strangers);
	return r;
}
