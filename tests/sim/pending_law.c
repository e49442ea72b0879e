/* SPDX-License-Identifier: MIT */
/*
 * pending_law.c - the law of test_pending.c, held against a model that shares no code with src/
 *
 * After every boot the journals are read by the model's own reader, and the model goes along with
 * what they say: groups that came to be applied are carried out on paper, those that were taken
 * back are taken back. Then what is on the disks is what the model has; nothing is lost but what a
 * purge took out of a graveyard that nobody may want any more; in order; what was refused could not
 * be done; a name that stands before and after a group is never without a file; a fallback brings
 * back what was accepted.
 *
 * Who a thing is: its number and its time of birth. Where a file system keeps no times of birth, a
 * file that got the number of one that is gone, and its size, is the one that was queued as far as
 * anybody can tell; only a digest tells them apart. There the law is the same, of alike things.
 */
#include <stdlib.h>

#include "pending_life.h"

void read_stories(struct m_story *to)
{
	for (unsigned i = 0; i < life.count; i++) {
		char path[64];
		uint32_t crc = 0;
		size_t n = 0;
		const void *bytes;

		snprintf(path, sizeof(path), MAKER_STATE "/pending/%08x.group", i + 1);
		bytes = sim_look(path, &n);
		if (bytes && n >= 12)
			memcpy(&crc, (const char *)bytes + 8, sizeof(crc));
		snprintf(path, sizeof(path), MAKER_STATE "/pending/%08x.journal", i + 1);
		n = 0;
		bytes = sim_look(path, &n);
		to[i] = m_read(bytes, n, i + 1, crc);
	}
}

/* ---- the model goes along ---- */

static bool alike(uint16_t a, uint16_t b)
{
	return m_alike(&life.things, a, b);
}

static void put_on(unsigned i)
{
	life.did[i].before = life.world;
	LAW(!life.groups[i].of && m_apply(&life.world, &life.groups[i], &life.things));
	life.did[i].after = life.world;
	life.did[i].on = true;
	life.did[i].turn = ++life.turns;
}

/* Its undoing is taken back: it is as applied as it was, and when it was. */
static void put_on_again(unsigned i)
{
	LAW(m_apply(&life.world, &life.groups[i], &life.things));
	life.did[i].on = true;
}

static void take_off(struct m_world *w, unsigned i)
{
	bool touched[M_ALL];

	m_touched(&life.groups[i], touched);
	for (unsigned p = 0; p < M_ALL; p++)
		if (touched[p])
			w->at[p] = life.did[i].before.at[p];
}

static void put_off(unsigned i)
{
	take_off(&life.world, i);
	life.did[i].on = false;
}

/* Is everything as the group left it? Only then another may take it back. */
static bool stands(unsigned i)
{
	bool touched[M_ALL];

	m_touched(&life.groups[i], touched);
	for (unsigned p = 0; p < M_ALL; p++)
		if (touched[p] && !alike(life.world.at[p], life.did[i].after.at[p]))
			return false;
	return true;
}

static void judge_refusal(unsigned i)
{
	const unsigned of = life.groups[i].of;
	struct m_world w = life.world;

	if (!of)
		LAW(!m_apply(&w, &life.groups[i], &life.things));
	else
		LAW(!life.did[of - 1].on || life.stories[of - 1].purged || !stands(of - 1));
}

static bool is_off(enum m_state s)
{
	return s != M_APPLIED && s != M_REVERTING && s != M_BEGUN;
}

/* A group's turn in a boot that goes forward: was is what its journal said before. */
static void go_forward(unsigned i, const struct m_story *was, const struct m_story *now,
		       bool faults)
{
	const unsigned of = life.groups[i].of - 1;
	const bool own = is_waiting(was[i].state) || now[i].retries > was[i].retries;

	if (!life.groups[i].of && now[i].commits > was[i].commits && own && !life.did[i].on)
		put_on(i);
	if (!life.groups[i].of && life.did[i].on && was[i].state == M_REVERTING &&
	    now[i].state == M_REVERTED)
		put_off(i); /* a taking back that was cut is gone on with */
	if (now[i].refusals > was[i].refusals && !faults)
		judge_refusal(i);
	if (life.groups[i].of && now[i].commits > was[i].commits)
		life.did[i].turn = ++life.turns;
	if (life.groups[i].of && life.did[of].on && now[of].state == M_REVERTED &&
	    (now[i].state == M_BEGUN || now[i].commits > was[i].commits)) {
		LAW(stands(of) && (!was[of].purged || now[of].retries > was[of].retries));
		put_off(of);
		life.did[i].turn = ++life.turns;
	} else if (life.groups[i].of && !life.did[of].on && was[i].state == M_REVERTING &&
		   now[of].commits > was[of].commits) {
		put_on_again(of); /* a fallback that was cut is gone on with */
	}
}

/* Its turn in a fallback. */
static void go_back(unsigned i, const struct m_story *was, const struct m_story *now)
{
	const unsigned of = life.groups[i].of - 1;

	if (life.groups[i].of && !life.did[of].on && now[of].commits > was[of].commits &&
	    (now[i].state == M_REVERTING || now[i].state == M_REVERTED) &&
	    was[i].state != M_REVERTED)
		put_on_again(of);
	if (!life.groups[i].of && life.did[i].on && is_off(now[i].state))
		put_off(i);
}

/* An undoing that has no turn of its own yet is the newest of all. */
static uint64_t turn_of(unsigned i)
{
	return life.did[i].turn ? life.did[i].turn : UINT64_MAX - M_GROUPS + i;
}

static int newest_first(const void *a, const void *b)
{
	const uint64_t x = turn_of(*(const unsigned *)a), y = turn_of(*(const unsigned *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

/*
 * In a boot that goes forward what is halfway comes first, then by number: but within a boot a
 * higher number is never applied first, so what waits with a lower one waits for the next.
 */
static void order_forward(unsigned *order)
{
	bool waits = false;
	unsigned n = 0;

	for (unsigned i = 0; i < life.count; i++) {
		const enum m_state s = life.stories[i].state;

		life.behind |= waits && (s == M_BEGUN || s == M_REVERTING);
		waits |= s == M_QUEUED || s == M_FAILED;
	}
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < life.count; i++) {
			const enum m_state s = life.stories[i].state;

			if ((s == M_BEGUN || s == M_REVERTING) == !pass)
				order[n++] = i;
		}
}

void advance(bool faults)
{
	struct m_story now[M_GROUPS] = {0}, was[M_GROUPS];
	unsigned order[M_GROUPS];
	bool waits = false;

	read_stories(now);
	memcpy(was, life.stories, sizeof(was));
	order_forward(order);
	if (life.now.fallback)
		qsort(order, life.count, sizeof(order[0]), newest_first);
	for (unsigned k = 0; k < life.count && !life.strangers; k++) {
		const unsigned i = order[k];

		if (life.now.fallback) {
			go_back(i, was, now);
			continue;
		}
		/* None is applied while an earlier one waits. */
		LAW(!waits || now[i].commits == was[i].commits || was[i].state == M_REVERTED);
		waits |= is_waiting(now[i].state) && now[i].retries == was[i].retries;
		go_forward(i, was, now, faults);
		if (now[i].state == M_QUARANTINED && was[i].state != M_QUARANTINED)
			LAW(now[i].begins >= 2);
	}
	memcpy(life.stories, now, sizeof(now));
}

/* ---- nothing is lost ---- */

static void count_one(void *arg, const void *bytes, size_t n)
{
	((unsigned *)arg)[number_of(bytes, n)]++;
}

/* What a purge may take of a group: its graveyards, and copies that it never came to move. */
static void count_graves(unsigned i, unsigned *names)
{
	char path[64];

	for (unsigned v = 0; v < M_VOLUMES; v++) {
		snprintf(path, sizeof(path), "%s/graveyard/%08x", v ? m_root(v) : MAKER_STATE,
			 i + 1);
		if (v)
			snprintf(path, sizeof(path), "%s/.smss/graveyard/%08x", m_root(v), i + 1);
		sim_each_file(path, count_one, names);
		snprintf(path, sizeof(path), "%s/.smss/staged/%08x", m_root(v), i + 1);
		sim_each_file(path, count_one, names);
	}
}

void note_graves(void)
{
	life.held_things = life.things.count;
	for (unsigned i = 0; i < life.count; i++) {
		memset(life.held[i], 0, (life.held_things + 1) * sizeof(life.held[i][0]));
		count_graves(i, life.held[i]);
	}
}

static void take_gone(unsigned i)
{
	unsigned left[M_THINGS];

	memset(left, 0, (life.held_things + 1) * sizeof(left[0]));
	count_graves(i, left);
	for (unsigned n = 1; n <= life.held_things; n++)
		if (life.held[i][n] > left[n])
			life.gone[n] += life.held[i][n] - left[n];
	for (unsigned k = 0; k < M_COPIES && !life.strangers; k++) {
		const unsigned p = m_copy(i, 0, k), n = life.world.at[p];

		if (n && !thing_at(m_path(p)) && life.held[i][n] > left[n])
			life.world.at[p] = life.accepted_world.at[p] = 0;
	}
}

/* An undoing waits that was there before this boot. */
static bool is_wanted(unsigned i)
{
	for (unsigned k = i + 1; k < life.count; k++)
		if (life.groups[k].of == i + 1 && is_waiting(life.stories[k].state) &&
		    !(life.rival >= DONE && (life.now.rival == RETRIES || k + 1 == life.count)))
			return true;
	return false;
}

static void purges_are_right(void)
{
	for (unsigned i = 0; i < life.count; i++) {
		const struct m_story *s = &life.stories[i];

		const unsigned fresh = s->purges - life.did[i].purges;

		if (fresh && s->purged && !life.strangers)
			LAW((s->state == M_APPLIED ? s->boots : s->last_boots) <= life.accepted &&
			    is_settled(s) && !is_wanted(i));
		if (!life.strangers)
			counts.purged += fresh;
		life.did[i].purges = s->purges;
		if ((s->purged || fresh) && life.held_things)
			take_gone(i);
	}
	life.held_things = 0;
}

static void nothing_is_lost(void)
{
	unsigned names[M_THINGS];

	memset(names, 0, (life.things.count + 1) * sizeof(names[0]));
	sim_each_file("/", count_one, names);
	for (unsigned i = 1; i <= life.things.count; i++)
		LAW(names[i] + life.gone[i] == life.things.names[i]);
}

/* ---- the disks ---- */

/* The group that is halfway, M_NONE = none; after is the world if it goes on that way. */
static unsigned open_group(struct m_world *after)
{
	unsigned open = M_NONE;

	*after = life.world;
	for (unsigned i = 0; i < life.count; i++) {
		const enum m_state s = life.stories[i].state;
		unsigned this = i;

		if (life.groups[i].of && s == M_REVERTING)
			this = life.groups[i].of - 1;
		else if (life.groups[i].of || (s != M_BEGUN && s != M_REVERTING))
			continue;
		LAW(open == M_NONE || open == this);
		open = this;
	}
	if (open == M_NONE)
		return open;
	if (life.did[open].on)
		take_off(after, open);
	else if (life.stories[open].state != M_QUEUED)
		LAW(m_apply(after, &life.groups[open], &life.things));
	return open;
}

/* Where a group is open, only its places are open; where it stands before and after, it stands. */
static void world_is_right(void)
{
	struct m_world is, after;
	const unsigned open = open_group(&after);
	bool touched[M_ALL] = {false};

	look(&is);
	if (open != M_NONE)
		m_touched(&life.groups[open], touched);
	for (unsigned i = 0; i < M_PLACES + life.count * M_COPIES; i++) {
		if (!touched[i])
			LAW(alike(is.at[i], life.world.at[i]));
		else if (life.world.at[i] && after.at[i])
			LAW(is.at[i]);
	}
}

void law(void)
{
	purges_are_right();
	if (sim_is_dir("/m/p"))
		nothing_is_lost();
	if (!life.strangers)
		world_is_right();
}

/* A boot that nothing disturbed leaves nothing open; a fallback leaves what was accepted. */
void peace_law(void)
{
	const bool rival = life.rival >= DONE;
	/* one that somebody has just told to try again may come before what is halfway, too */
	const bool behind = life.behind || (rival && life.now.rival == RETRIES);

	if (life.strangers)
		return;
	for (unsigned i = 0; i < life.count; i++) {
		const struct m_story *s = &life.stories[i];

		if (!life.now.fallback)
			LAW(is_settled(s) || (rival && s->state == M_QUEUED) ||
			    (behind && is_waiting(s->state) && s->state != M_BEGUN));
		else
			LAW(s->state != M_BEGUN && s->state != M_REVERTING &&
			    (s->state != M_APPLIED || s->boots <= life.accepted));
	}
	for (unsigned i = 0; i < M_ALL && life.now.fallback; i++)
		LAW(alike(life.world.at[i], life.accepted_world.at[i]));
}
