/* SPDX-License-Identifier: MIT */
/*
 * pending_boots.c - the boots of test_pending.c: what they do, what disturbs them, who races them
 *
 * A boot is the step for groups; then, when it is accepted, or when an operator says so, a purge.
 * Before any call of its somebody else may write to the queue if the lock lets him; somebody may
 * hold the lock when it begins, and give it back or not.
 */
#include "pending_life.h"

#include <errno.h>
#include <sys/file.h>

#include "base/bytes.h"
#include "pending/purge.h"
#include "pending/run.h"

static bool guarded(void *arg, const char *path)
{
	if (strstr(path, "/.smss/"))
		return true;
	return !strcmp(path, m_path(M_GUARDED));
}

static bool is_open(void)
{
	for (unsigned i = 0; i < life.count; i++)
		if (life.stories[i].state == M_BEGUN || life.stories[i].state == M_REVERTING)
			return true;
	return false;
}

static void purge(int state)
{
	const struct pending_purge p = {
		.state = state,
		.prefix = "",
		.accepted = life.accepted,
		.keep_groups = life.now.keep_groups,
		.keep_days = life.now.keep_days,
		.keep_bytes = life.now.keep_bytes,
		.until_ns = life.now.until_ns ? sys_now_ns() + life.now.until_ns : 0};
	struct pending_purged done;

	note_graves();
	life.purge_result = pending_purge(&p, &done);
	counts.purges++;
}

/* After a cut only the disk knows whether a group came to be. */
static void settle_rival(bool rebooted)
{
	char path[64];
	const bool writes = life.now.rival == QUEUES || life.now.rival == UNDOES;

	snprintf(path, sizeof(path), MAKER_STATE "/pending/%08x.group", life.count + 1);
	if (!writes || life.rival != (rebooted ? TRIED : DONE))
		return;
	LAW(rebooted || sim_look(path, NULL));
	if (!sim_look(path, NULL))
		return;
	life.rival = SETTLED;
	life.stories[life.count] = (struct m_story){.state = M_QUEUED};
	life.count++;
	counts.raced++;
}

void boot_step(void *arg)
{
	_close_ int state = sys_open(AT_FDCWD, MAKER_STATE, O_RDONLY | O_DIRECTORY, 0);
	const struct pending_step s = {.state = state,
				       .prefix = "",
				       .boots = life.boots,
				       .accepted = life.accepted,
				       .fallback = life.now.fallback,
				       .protects = guarded};

	life.result = state < 0 ? state : pending_waiting(state, s.fallback, s.accepted);
	if (life.result > 0)
		life.result = pending_run(&s);
	if (life.now.accept && !life.strangers && life.result == 0 && !life.now.fallback) {
		settle_rival(false);
		advance(life.now.trouble == FAULTS || life.now.trouble == READ_ONLY);
		if (!is_open() && life.rival != TRIED) {
			life.accepted = life.boots;
			life.accepted_world = life.world;
			counts.accepted++;
		}
	}
	life.purge_result = 0;
	if (life.now.purge && state >= 0)
		purge(state);
}

/* ---- others ---- */

static int rival_writes(void)
{
	struct m_group *g = &life.groups[life.count];
	struct m_world w = life.world;
	unsigned of = life.count ? (unsigned)sim_random(life.count) : 0;

	if (life.now.rival == RETRIES)
		return may_retry(of) ? retry_step(of) : -EINVAL;
	memset(g, 0, sizeof(*g));
	if (life.now.rival == UNDOES && life.groups[of].of)
		return -EINVAL;
	life.uncopied = true;
	if (life.now.rival == QUEUES)
		draw_group(g, life.count, &w);
	else
		g->of = of + 1;
	life.uncopied = false;
	life.rival = TRIED;
	return maker_write(g, life.count + 1, life.made);
}

/* As pending_lock waits: a look now and then, while others go on. */
static void rival_comes(void *arg)
{
	_close_ int dir = sys_open(AT_FDCWD, MAKER_STATE "/pending", O_RDONLY | O_DIRECTORY, 0);
	_close_ int lock =
		dir < 0 ? dir : sys_open(dir, PENDING_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);

	counts.races++;
	if (lock < 0)
		return;
	if (sys_flock(lock, LOCK_EX | LOCK_NB) < 0) {
		life.rival = WAITS;
		sim_race_at(1 + sim_random(16), rival_comes, NULL);
		return;
	}
	if (life.now.rival == RETRIES)
		sys_closep(&lock); /* retry_step takes it itself, and nobody else is running */
	if (rival_writes() == 0)
		life.rival = DONE;
}

static void give_back(void *arg)
{
	sys_closep(&life.lock);
}

static void hold(void)
{
	_close_ int dir = sys_open(AT_FDCWD, MAKER_STATE "/pending", O_RDONLY | O_DIRECTORY, 0);

	life.lock = pending_lock(dir);
	LAW(life.lock >= 0);
	if (life.now.given_at)
		sim_race_at(life.now.given_at, give_back, NULL);
}

/* ---- a boot ---- */

static void disturb(const struct turn *t)
{
	static const int errors[] = {EIO, ENOSPC, ENOMEM, EROFS, EDQUOT};

	if (t->held)
		hold();
	else if (t->rival && life.count < M_GROUPS)
		sim_race_at(t->rival_at, rival_comes, NULL);
	if (t->trouble == CUT)
		sim_cut_at(sim_points() + t->at);
	if (t->trouble == FAULTS)
		sim_fail_at(t->at, errors[sim_random(ARRAY_SIZE(errors))],
			    sim_random(2) ? 1 : 1 + (unsigned)sim_random(1u << sim_random(10)));
	if (t->trouble == READ_ONLY)
		sim_read_only_at((unsigned)sim_random(M_VOLUMES), t->at);
}

static void calm(void)
{
	sim_cut_at(0);
	sim_fail_at(0, 0, 0);
	sim_race_at(0, NULL, NULL);
}

static void what_was_said_stays(const struct m_story *said)
{
	struct m_story now[M_GROUPS];

	read_stories(now);
	for (unsigned i = 0; i < life.count; i++)
		LAW(now[i].state == said[i].state && now[i].purged == said[i].purged);
}

/* Somebody had the lock all the time: nothing at all has happened. */
static void nothing_happened(void)
{
	LAW(life.result == -EBUSY);
	what_was_said_stays(life.stories);
	counts.busy++;
}

static void count_boot(const struct turn *t, bool cut)
{
	counts.boots++;
	counts.cuts += cut;
	counts.fallbacks += t->fallback;
	counts.faults += t->trouble == FAULTS || t->trouble == READ_ONLY;
}

bool boot(const struct turn *t)
{
	const unsigned fds = sim_open_fds();
	const bool faults = t->trouble == FAULTS || t->trouble == READ_ONLY;
	struct m_story said[M_GROUPS];
	struct sim_record r;
	bool busy;

	life.boots++;
	life.now = *t;
	life.rival = UNTRIED;
	life.behind = false;
	law_cut = t->at;
	calm();
	disturb(t);
	r = sim_run(boot_step, NULL);
	calm();
	LAW(r.end == SIM_RETURNED || r.end == SIM_CUT);
	count_boot(t, r.end == SIM_CUT);
	if (r.end == SIM_RETURNED) {
		sys_closep(&life.lock);
		LAW(sim_open_fds() == fds);
		settle_rival(false);
		read_stories(said);
	}
	sim_reboot(true);
	life.lock = -1;
	if (life.rival == DONE)
		settle_rival(false);
	settle_rival(true);
	if (r.end == SIM_RETURNED && !faults)
		what_was_said_stays(said);
	busy = r.end == SIM_RETURNED && life.result == -EBUSY;
	if (busy && !t->purge && !faults && !life.strangers)
		nothing_happened();
	advance(faults);
	law();
	if (r.end == SIM_RETURNED && !faults) {
		LAW(life.result == 0 || life.result == 1 || (busy && t->held));
		LAW(life.purge_result == 0 || (life.purge_result == -EBUSY && t->held));
		if (!busy)
			peace_law();
	}
	life.now = (struct turn){0};
	return r.end == SIM_CUT || faults;
}

void peace(bool fallback)
{
	(void)boot(&(const struct turn){.fallback = fallback});
}
