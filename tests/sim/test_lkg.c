/* SPDX-License-Identifier: MIT */
/*
 * test_lkg.c - LastKnownGood under power cuts: the product's own roles, cut at every write
 *
 * Boots come and go on one disk: good ones, failing ones, hives that are changed or cannot be read,
 * boots that are accepted, rejected, or ask for LastKnownGood. The roles plan, state and accept are
 * the product's; the reader of a hive without a fitting plan is played here. A model that knows
 * nothing of slots, digests and files says which level the next boot must take.
 *
 * The law: that level is taken; SYSTEM.lkg is whole and is a hive that was accepted; once there it
 * never goes; a level's risk is never run more often than its hive allows; after a cut the disk is
 * in one of the states that the model gives for the act under way.
 */
#include <errno.h>

#include "base/bytes.h"
#include "hives.h"
#include "law.h"
#include "smss/boot/boot.h"
#include "smss/copy.h"
#include "state/state.h"

#define EDITIONS 64u
#define WORLDS   4u

uint64_t law_seed, law_cut;
bool law_child;
static uint64_t cuts, boots, accepts, taken[STATE_LEVELS], faults;

/* ---- the model ---- */

struct world {
	uint32_t hive, lkg;   /* editions on the disk; lkg 0 = none */
	uint32_t early[3];    /* ends before acceptance, in a row */
	uint32_t attempts[3]; /* STATE_REJECTED = by hand */
	uint32_t counted[2];  /* whose attempts they are; 0 = nobody's */
	uint32_t level, running, accepted, once;
};

static bool model_used_up(const struct world *w, unsigned level)
{
	const uint32_t edition = level ? w->lkg : w->hive;

	return w->counted[level] == edition && w->attempts[level] >= hive_allowed(edition);
}

static unsigned model_level(const struct world *w)
{
	const bool asked = w->once && w->lkg;

	if (!asked && !hive_is_bad(w->hive) && !model_used_up(w, 0))
		return 0;
	if (w->lkg && !model_used_up(w, 1))
		return 1;
	return 2;
}

static void model_count(struct world *w, unsigned level)
{
	const uint32_t edition = level ? w->lkg : w->hive;

	if (level < 2 && w->counted[level] != edition) {
		w->counted[level] = edition;
		w->attempts[level] = w->early[level] = 0;
	}
	if (w->attempts[level] != STATE_REJECTED)
		w->attempts[level]++;
	w->level = level;
	w->running = 1;
	w->accepted = 0;
	w->once = 0;
}

static void model_good(struct world *w, uint32_t booted)
{
	w->accepted = 1;
	w->attempts[w->level] = w->attempts[2] = w->early[w->level] = 0;
	if (w->level)
		return;
	w->attempts[1] = w->early[1] = 0;
	w->counted[1] = booted;
}

/* ---- one machine ---- */

struct life {
	struct world may[WORLDS]; /* what the disk may hold: [0] = before the act under way */
	unsigned worlds;
	uint32_t editions;           /* made so far */
	uint32_t booted;             /* of the running boot at level 0 */
	bool good[EDITIONS];         /* somebody began to accept it */
	uint32_t risks[3][EDITIONS]; /* run and not forgiven, by level and hive */
	enum { FORGIVES_NOTHING, FORGIVES_ONE, FORGIVES_ALL } forgives; /* the last of the worlds */
	bool had_lkg;
	struct copy copy; /* of the running boot */
};

/* The last world is the one: what it forgives is forgiven. */
static void forgive(struct life *l)
{
	const struct world *w = &l->may[0];
	uint32_t *risks = &l->risks[w->level][w->level == 2 ? 0 : w->level ? w->lkg : l->booted];

	if (l->forgives == FORGIVES_ONE && *risks)
		--*risks;
	if (l->forgives == FORGIVES_ALL)
		*risks = 0;
	if (l->forgives == FORGIVES_ALL && !w->level)
		l->risks[1][l->booted] = 0;
}

static void settle(struct life *l, unsigned at)
{
	const bool last = at && at == l->worlds - 1;

	l->may[0] = l->may[at];
	l->worlds = 1;
	if (last)
		forgive(l);
	l->forgives = FORGIVES_NOTHING;
}

static struct world *another(struct life *l)
{
	LAW(l->worlds < WORLDS);
	l->may[l->worlds] = l->may[l->worlds - 1];
	return &l->may[l->worlds++];
}

static bool is_this(const struct world *w, const struct boot_state *s)
{
	uint8_t digest[2][SHA256_BYTES];

	hive_digest(w->counted[0], digest[0]);
	hive_digest(w->counted[1], digest[1]);
	return hive_on_disk(ETC "/SYSTEM") == w->hive &&
	       hive_on_disk(STATE "/SYSTEM.lkg") == w->lkg &&
	       !memcmp(s->attempts, w->attempts, sizeof(w->attempts)) &&
	       !memcmp(s->early_ends, w->early, sizeof(w->early)) && s->level == w->level &&
	       s->running == w->running && s->accepted == w->accepted && s->once == w->once &&
	       !memcmp(s->hive_block_sha256, digest[0], SHA256_BYTES) &&
	       !memcmp(s->lkg_block_sha256, digest[1], SHA256_BYTES);
}

/* What is on the disk is one of the worlds that may be; from here on it is the one. */
static void check(struct life *l)
{
	_close_ int dir = sys_open(AT_FDCWD, STATE, O_RDONLY | O_DIRECTORY, 0);
	const uint32_t lkg = hive_on_disk(STATE "/SYSTEM.lkg");
	struct boot_state s;
	const int r = state_read(dir, &s);
	unsigned at = 0;

	LAW(r == STATE_READ || r == STATE_NEW);
	while (at < l->worlds && !is_this(&l->may[at], &s))
		at++;
	LAW(at < l->worlds);
	settle(l, at);
	LAW(!lkg || l->good[lkg]);
	LAW(lkg || !l->had_lkg);
	l->had_lkg = lkg != 0;
	hive_plan_is_right(ETC "/SYSTEM.plan", l->may[0].hive);
	hive_plan_is_right(STATE "/SYSTEM.lkg.plan", lkg);
}

/* ---- acts of a boot ---- */

/* smreg: reads the level's hive, gives up when it is used up, makes a plan. */
static bool read_hive(struct life *l, unsigned level)
{
	const uint32_t edition = hive_on_disk(level ? STATE "/SYSTEM.lkg" : ETC "/SYSTEM");
	_close_ int dir = copy_open_state(&l->copy, false);
	uint8_t digest[SHA256_BYTES];
	struct boot_state s;

	hive_digest(edition, digest);
	LAW(state_read(dir, &s) >= 0);
	if (hive_is_bad(edition) || state_used_up(&s, level, hive_allowed(edition), digest))
		return false;
	LAW(hive_plan(edition, &l->copy.plan) > 0);
	return true;
}

static void choose_level(struct life *l)
{
	unsigned level = 0;

	for (;; level++) {
		int r;

		LAW(level <= SM_LEVEL_BUILTIN);
		l->copy = (struct copy){.role = ROLE_PLAN, .n = level};
		reader_wanted = false;
		r = copy_role_plan(&l->copy);
		if (r == COPY_OK || (reader_wanted && read_hive(l, level)))
			break;
	}
	LAW(level == model_level(&l->may[0]));
	l->copy.n = level;
	l->booted = level ? 0 : l->may[0].hive;
	LAW(!l->booted || l->copy.plan->settings.boot_attempts == hive_allowed(l->booted));
	taken[level]++;
}

static void count(struct life *l)
{
	const unsigned level = l->copy.n;
	const uint32_t edition = level == 2 ? 0 : level ? l->may[0].lkg : l->booted;

	model_count(another(l), level);
	l->copy.role = ROLE_STATE;
	LAW(copy_role_state(&l->copy) == COPY_OK);
	settle(l, 1);
	l->risks[level][edition]++;
	LAW(level == 2 || l->risks[level][edition] <= hive_allowed(edition));
}

/* An admin's commit: another hive, then the plan that fits it. An unreadable one has none. */
static void change_hive(struct life *l)
{
	static struct hive h;
	_close_ int dir = sys_open(AT_FDCWD, ETC, O_RDONLY | O_DIRECTORY, 0);
	const uint32_t edition = ++l->editions;

	LAW(edition < EDITIONS);
	another(l)->hive = edition;
	hive_make(&h, edition);
	LAW(sys_replace_file(dir, "SYSTEM", &h, sizeof(h), 0600) >= 0);
	settle(l, 1);
	if (hive_is_bad(edition) || !sim_random(3)) /* or whoever did it made no plan */
		return;
	static uint64_t kept[1024]; /* the running boot's plan, which is not this one */
	const struct plan_header *plan = l->copy.plan;

	LAW(plan->bytes <= sizeof(kept));
	memmove(kept, plan, plan->bytes);
	l->copy.plan = (const struct plan_header *)(const void *)kept;
	const int n = hive_plan(edition, &plan);

	LAW(n > 0 && sys_replace_file(dir, "SYSTEM.plan", plan, (size_t)n, 0600) >= 0);
}

/* The verdicts; by themselves or by root. False = the copy said no. */
static bool decide(struct life *l, enum sm_decision what)
{
	l->copy.role = ROLE_ACCEPT;
	const uint32_t level = l->copy.n;

	l->copy.n = what;
	const int r = copy_role_accept(&l->copy);

	l->copy.n = level;
	LAW(r == COPY_OK || r == COPY_FAILED);
	return r == COPY_OK;
}

static void accept(struct life *l)
{
	const struct world *w = &l->may[0];
	const bool may = w->running && w->level < 2;

	if (may && !w->level) {
		l->good[l->booted] = true;
		another(l)->lkg = l->booted;
	}
	if (may) {
		model_good(another(l), l->booted);
		l->forgives = FORGIVES_ALL;
	}
	LAW(decide(l, sim_random(2) ? SM_DECIDE_NOTHING : SM_DECIDE_ACCEPT) == may);
	settle(l, l->worlds - 1);
	accepts += may;
}

static void reject(struct life *l)
{
	const struct world *w = &l->may[0];
	const bool may = w->running && w->level < 2 && !w->accepted;

	if (may)
		another(l)->attempts[w->level] = STATE_REJECTED;
	LAW(decide(l, SM_DECIDE_REJECT) == may);
	settle(l, l->worlds - 1);
}

static void ask_for_lkg(struct life *l)
{
	const bool may = l->may[0].lkg != 0;

	if (may)
		another(l)->once = SM_LEVEL_LKG + 1;
	LAW(decide(l, SM_DECIDE_NEXT_LKG) == may);
	settle(l, l->worlds - 1);
}

static void end(struct life *l, bool in_order)
{
	const enum state_end how = sim_random(8) ? STATE_END_EARLY : STATE_END_UP;
	_close_ int dir = copy_open_state(&l->copy, true);
	struct world *w;

	if (!l->may[0].running)
		return;
	w = another(l);
	w->running = 0;
	if (in_order && w->attempts[w->level] && w->attempts[w->level] != STATE_REJECTED &&
	    (how == STATE_END_UP || w->early[w->level] < 10)) {
		w->attempts[w->level]--;
		w->early[w->level] += how == STATE_END_EARLY;
		l->forgives = FORGIVES_ONE;
	}
	LAW((in_order ? state_orderly_end(dir, how)
		      : state_record_stop(dir, STOP_CRITICAL_PROCESS_DIED, 0, PHASE_SESSIONS, 0,
					  "csrss", "")) >= 0);
	settle(l, 1);
}

static void act(struct life *l)
{
	switch (sim_random(8)) {
	case 0:
	case 1:
	case 2:
		accept(l);
		break;
	case 3:
		reject(l);
		break;
	case 4:
		ask_for_lkg(l);
		break;
	case 5:
	case 6:
		change_hive(l);
		break;
	default:
		end(l, false); /* a stop; what is decided after it comes too late */
		break;
	}
}

static void boot(void *arg)
{
	struct life *l = arg;

	choose_level(l);
	count(l);
	for (uint64_t i = sim_random(5); i > 0; i--)
		act(l);
	end(l, sim_random(2));
}

static void begin(struct life *l, uint64_t seed)
{
	static struct hive h;

	memset(l, 0, sizeof(*l));
	sim_start(seed);
	sim_make_dir("/etc");
	sim_make_dir(ETC);
	sim_make_dir(STATE);
	l->editions = 1 + (uint32_t)sim_random(3);
	hive_make(&h, l->editions);
	sim_make_file(ETC "/SYSTEM", &h, sizeof(h), 0600);
	l->may[0].hive = l->editions;
	l->worlds = 1;
}

static void boot_once(struct life *l, uint64_t cut)
{
	law_cut = cut;
	sim_cut_at(cut);
	const enum sim_end how = sim_run(boot, l).end;

	LAW(how == SIM_CUT || how == SIM_RETURNED);
	sim_reboot(how == SIM_CUT);
	sim_cut_at(0);
	cuts += how == SIM_CUT;
	boots++;
	check(l);
}

/* ---- the laws ---- */

static void the_model_says_which_level_comes_next(void **state)
{
	static struct life l;

	FOR_SEEDS(700)
	{
		begin(&l, seed);
		for (unsigned i = 0; i < 12; i++)
			boot_once(&l, sim_random(3) ? 1 + sim_random(50) : 0);
	}
	for (unsigned i = 0; i < STATE_LEVELS; i++)
		assert_true(sim_runs(700) < 100 || taken[i] > 100);
	sim_stop();
}

static void a_cut_at_every_point_of_a_boot_loses_nothing(void **state)
{
	static struct life l;

	FOR_SEEDS(20)
	for (uint64_t cut = 1; cut <= 110; cut++) {
		begin(&l, seed);
		for (unsigned i = 0; i < seed % 4; i++)
			boot_once(&l, 0);
		boot_once(&l, cut);
		boot_once(&l, 0);
		boot_once(&l, 1 + sim_random(60));
		boot_once(&l, 0);
	}
	sim_stop();
}

/* ---- errors instead of cuts ---- */

static void decide_once(void *arg)
{
	struct life *l = arg;

	if (l->good[l->booted])
		(void)decide(l, SM_DECIDE_ACCEPT);
	else
		(void)decide(l, sim_random(2) ? SM_DECIDE_REJECT : SM_DECIDE_NEXT_LKG);
}

/* Everything that a decision which met an error may have left behind. */
static void worlds_of_an_error(struct life *l, bool accepting)
{
	const struct world before = l->may[0];

	if (accepting) {
		model_good(another(l), before.counted[1]); /* accepted, SYSTEM.lkg as it was */
		l->may[1].attempts[1] = before.attempts[1];
		l->may[1].early[1] = before.early[1];
		l->may[2] = before; /* saved, boot.state as it was */
		l->may[2].lkg = l->booted;
		l->may[3] = l->may[2];
		model_good(&l->may[3], l->booted);
		l->worlds = 4;
		return;
	}
	another(l)->attempts[before.level] = STATE_REJECTED;
	l->may[2] = before;
	l->may[2].once = SM_LEVEL_LKG + 1;
	l->worlds = 3;
}

static void count_only(void *arg)
{
	choose_level(arg);
	count(arg);
}

static void a_full_or_failing_disk_loses_neither_level(void **state)
{
	static const int errors[] = {EIO, ENOSPC, EROFS};
	static struct life l;

	FOR_SEEDS(30)
	for (uint64_t at = 1; at < 45; at++) {
		begin(&l, seed);
		boot_once(&l, 0);
		boot_once(&l, 0);
		LAW(sim_run(count_only, &l).end == SIM_RETURNED);
		const bool accepting = sim_random(2) && l.copy.n == 0;

		if (accepting)
			l.good[l.booted] = true;
		else
			memset(l.good + l.booted, 0, l.may[0].lkg != l.booted);
		sim_fail_at(sim_file_calls() + at, errors[seed % 3], at % 2 ? 1 : 1000);
		(void)sim_run(decide_once, &l);
		sim_fail_at(0, 0, 0);
		worlds_of_an_error(&l, accepting || l.good[l.booted]);
		sim_reboot(at % 3 == 0);
		check(&l);
		memset(l.risks, 0, sizeof(l.risks));
		boot_once(&l, 0);
		faults++;
	}
	sim_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_model_says_which_level_comes_next),
		cmocka_unit_test(a_cut_at_every_point_of_a_boot_loses_nothing),
		cmocka_unit_test(a_full_or_failing_disk_loses_neither_level),
	};
	const int r = cmocka_run_group_tests(tests, NULL, NULL);

	print_message("%" PRIu64 " boots, %" PRIu64 " cuts, %" PRIu64 " accepted, %" PRIu64
		      " with errors; levels taken %" PRIu64 ", %" PRIu64 ", %" PRIu64 "\n",
		      boots, cuts, accepts, faults, taken[0], taken[1], taken[2]);
	return r;
}
