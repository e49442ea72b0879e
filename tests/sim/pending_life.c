/* SPDX-License-Identifier: MIT */
/*
 * pending_life.c - worlds, groups, boots and the law of test_pending.c
 *
 * The law, against a model that shares no code with the product (model_pending.c): what is on the
 * disks is what the groups that their journals call applied come to, carried out one after another;
 * nothing is ever lost; what a boot said stays said; in order; a name that stands before and after
 * a group is never without a file; a fallback brings back what was accepted.
 */
#include "pending_life.h"

#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/sha256.h"
#include "pending/run.h"

uint64_t law_seed, law_cut;
bool law_child;
struct life life;
struct counts counts;

/* ---- the world ---- */

static uint16_t number_in(const char *path)
{
	size_t n = 0;
	const char *bytes = sim_look(path, &n);

	return bytes && n > 6 && !memcmp(bytes, "thing ", 6) ? (uint16_t)atoi(bytes + 6) : 0;
}

uint16_t thing_at(const char *path)
{
	char inside[600];

	if (!sim_is_dir(path))
		return number_in(path);
	snprintf(inside, sizeof(inside), "%s/id", path);
	return number_in(inside);
}

void look(struct m_world *w)
{
	for (unsigned i = 0; i < M_PLACES; i++)
		w->at[i] = thing_at(m_path(i));
}

void make_thing(const char *path, bool dir)
{
	const unsigned n = ++life.things.count;
	struct made_thing *m = &life.made[n];
	struct sys_identity id;
	char text[16], inside[64];

	LAW(n < M_THINGS);
	life.things.dir[n] = dir;
	life.things.names[n] = 1;
	snprintf(text, sizeof(text), "thing %u", n);
	snprintf(inside, sizeof(inside), "%s/id", path);
	if (dir)
		sim_make_dir(path);
	sim_make_file(dir ? inside : path, text, sizeof(text), 0644);
	LAW(sys_identify(AT_FDCWD, path, &id) == 0);
	*m = (struct made_thing){.ino = id.ino, .tag = id.tag, .bytes = dir ? 0 : id.bytes};
	sha256_of(text, sizeof(text), m->digest);
}

void make_world(uint64_t seed)
{
	static const char *const dirs[] = {"/a", "/a/d", "/etc", "/m", "/state", "/state/pending"};

	memset(&life, 0, sizeof(life));
	sim_start(seed);
	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
		sim_make_dir(dirs[i]);
	sim_mount_volume(1, "/m");
	sim_make_dir("/m/p");
	sim_make_dir("/m/p/q");
	for (unsigned i = 0; i < M_PLACES; i++) {
		const unsigned twin = (unsigned)sim_random(i + 1);
		const uint16_t thing = thing_at(m_path(twin));

		if (sim_random(16) == 0 && thing && !life.things.dir[thing] &&
		    m_volume(twin) == m_volume(i)) {
			LAW(sys_link(AT_FDCWD, m_path(twin), AT_FDCWD, m_path(i)) == 0);
			life.things.names[thing]++;
		} else if (sim_random(5) < 3) {
			make_thing(m_path(i), sim_random(5) == 0);
		}
	}
	sys_sync();
	look(&life.first);
	life.accepted_world = life.first;
	counts.lives++;
}

static void count_things(const char *dir, unsigned *names)
{
	const char *name;

	for (unsigned i = 0; (name = sim_name_at(dir, i)); i++) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s", dir[1] ? dir : "", name);
		if (sim_is_dir(path))
			count_things(path, names);
		else
			names[number_in(path)]++;
	}
}

static void nothing_is_lost(void)
{
	unsigned names[M_THINGS] = {0};

	count_things("/", names);
	for (unsigned i = 1; i <= life.things.count; i++)
		LAW(names[i] == life.things.names[i]);
}

/* ---- groups ---- */

uint16_t place_like(uint16_t other)
{
	uint16_t place;

	do
		place = (uint16_t)sim_random(M_PLACES);
	while (other != M_NONE && (m_volume(place) != m_volume(other) || place == other));
	return place;
}

/* Mostly what can be done to w; sometimes not. */
static void draw_op(struct m_op *o, const struct m_world *w, bool sane)
{
	*o = (struct m_op){.from = place_like(M_NONE), .to = M_NONE};
	o->move = sim_random(4) != 0;
	for (unsigned i = 0; i < 8 && !w->at[o->from]; i++)
		o->from = place_like(M_NONE);
	if (o->move)
		o->to = place_like(o->from);
	for (unsigned i = 0; i < 6 && o->move && sane && w->at[o->to] &&
			     life.things.dir[w->at[o->to]] != life.things.dir[w->at[o->from]];
	     i++)
		o->to = place_like(o->from);
	o->replace = o->move && (sane ? w->at[o->to] != 0 || sim_random(3) == 0 : sim_random(2));
	o->optional = !o->move && sim_random(3) == 0;
	o->thing = w->at[o->from];
	o->digest = o->thing && !life.things.dir[o->thing] && sim_random(6) == 0;
	if (!sane && sim_random(2))
		o->thing = (uint16_t)(1 + sim_random(life.things.count));
	if (!sane)
		o->wrong_digest = sim_random(2);
}

void draw_group(struct m_group *g, struct m_world *w)
{
	unsigned want = 1 + (unsigned)sim_random(1u << sim_random(7));
	const bool sane = sim_random(6) != 0;

	memset(g, 0, sizeof(*g));
	g->permitted = sim_random(3) == 0;
	if (want > M_OPS)
		want = M_OPS;
	for (unsigned tries = 0; g->count < want && tries < 4 * want; tries++) {
		struct m_group one = {.count = 1, .permitted = g->permitted};
		const bool right = sane || sim_random(3 * want) != 0;

		draw_op(&one.ops[0], w, right);
		if (m_apply(w, &one, &life.things) || !right)
			g->ops[g->count++] = one.ops[0];
	}
	if (!g->count)
		draw_op(&g->ops[g->count++], w, true);
	g->twisted = sim_random(40) == 0;
}

/* What the disk will be once all that waits is done, as whoever queues a group believes. */
static void expected_world(struct m_world *w)
{
	*w = life.first;
	for (unsigned i = 0; i < life.count; i++)
		if (life.stories[i].state == M_APPLIED || life.stories[i].state == M_QUEUED ||
		    life.stories[i].state == M_BEGUN || life.stories[i].state == M_FAILED)
			(void)m_apply(w, &life.groups[i], &life.things);
}

void queue_group(void)
{
	struct m_group *g = &life.groups[life.count];
	struct m_world w;

	if (life.count == M_GROUPS)
		return;
	expected_world(&w);
	draw_group(g, &w);
	LAW(maker_write(g, ++life.count, life.made) == 0);
	sys_sync();
	counts.groups++;
}

static bool is_settled(const struct m_story *s)
{
	return s->state == M_APPLIED || s->state == M_REFUSED || s->state == M_QUARANTINED ||
	       s->state == M_REVERTED;
}

bool all_settled(void)
{
	for (unsigned i = 0; i < life.count; i++)
		if (!is_settled(&life.stories[i]))
			return false;
	return true;
}

void queue_undo(void)
{
	const unsigned of = life.count ? (unsigned)sim_random(life.count) : 0;

	if (life.count == M_GROUPS || !life.count || !all_settled() || life.groups[of].of)
		return;
	memset(&life.groups[life.count], 0, sizeof(life.groups[0]));
	life.groups[life.count].of = of + 1;
	LAW(maker_write(&life.groups[life.count], life.count + 1, life.made) == 0);
	life.count++;
	sys_sync();
}

/* ---- the law ---- */

void read_stories(struct m_story *to)
{
	for (unsigned i = 0; i < life.count; i++) {
		char path[64];
		uint32_t crc = 0;
		size_t n = 0;
		const void *bytes;

		snprintf(path, sizeof(path), MAKER_STATE "/pending/%08x.group", i + 1);
		bytes = sim_look(path, &n);
		if (bytes && n >= sizeof(struct group_header))
			memcpy(&crc, (const char *)bytes + 8, sizeof(crc));
		snprintf(path, sizeof(path), MAKER_STATE "/pending/%08x.journal", i + 1);
		n = 0;
		bytes = sim_look(path, &n);
		to[i] = m_read(bytes, n, i + 1, crc);
	}
}

/* Has this undoing (or its taking back) begun to move things? */
static bool undoes(unsigned i)
{
	const enum m_state s = life.stories[i].state;
	const enum m_state of = life.groups[i].of ? life.stories[life.groups[i].of - 1].state : 0;

	return life.groups[i].of && (s == M_APPLIED || ((s == M_BEGUN || s == M_REVERTING) &&
							(of == M_REVERTED || of == M_REVERTING)));
}

/* The groups below `count` that are applied, one after another; without the undoing `but`. */
static void fold(struct m_world *w, unsigned count, unsigned but)
{
	struct m_world before[M_GROUPS];

	*w = life.first;
	for (unsigned i = 0; i < count; i++) {
		const struct m_group *of =
			life.groups[i].of ? &life.groups[life.groups[i].of - 1] : NULL;
		bool stands = !of && life.stories[i].state == M_APPLIED;

		for (unsigned k = i + 1; !of && k < count; k++)
			stands |= life.groups[k].of == i + 1 && undoes(k);
		before[i] = *w;
		if (stands)
			LAW(m_apply(w, &life.groups[i], &life.things));
		for (unsigned p = 0; of && i != but && undoes(i) && p < M_PLACES; p++)
			if (m_touches(of, p))
				w->at[p] = before[life.groups[i].of - 1].at[p];
	}
}

static void order_is_kept(void)
{
	bool waits = false;

	for (unsigned i = 0; i < life.count; i++) {
		const enum m_state s = life.stories[i].state;

		LAW(!waits || s != M_APPLIED);
		waits |= s == M_QUEUED || s == M_BEGUN || s == M_FAILED;
	}
}

static void refusals_are_right(bool faults)
{
	for (unsigned i = 0; i < life.count; i++) {
		struct m_world w;
		bool overlaid = false;

		if (life.stories[i].state == M_QUARANTINED)
			LAW(life.stories[i].begins >= 2);
		if (life.stories[i].state != M_REFUSED || life.refused_seen[i])
			continue;
		life.refused_seen[i] = true;
		fold(&w, i, M_NONE);
		if (!life.groups[i].of) {
			LAW(faults || !m_apply(&w, &life.groups[i], &life.things));
			continue;
		}
		for (unsigned k = life.groups[i].of; k < i; k++) {
			const unsigned moved = life.groups[k].of ? life.groups[k].of - 1 : k;

			overlaid |=
				life.stories[k].state == M_APPLIED &&
				m_overlap(&life.groups[moved], &life.groups[life.groups[i].of - 1]);
		}
		LAW(faults || overlaid || life.stories[life.groups[i].of - 1].state != M_APPLIED);
	}
}

/* Where a group is open, only its places are open; where it stands before and after, it stands. */
static void world_is_right(void)
{
	const struct m_group *open = NULL;
	struct m_world is, w, after;
	unsigned undo = M_NONE;

	for (unsigned i = 0; i < life.count; i++) {
		const enum m_state s = life.stories[i].state;

		if (life.groups[i].of && s != M_APPLIED && undoes(i))
			undo = i;
		if (!life.groups[i].of && (s == M_BEGUN || s == M_REVERTING)) {
			LAW(!open);
			open = &life.groups[i];
		}
	}
	look(&is);
	fold(&w, life.count, M_NONE);
	after = w;
	if (undo != M_NONE) {
		LAW(!open || open == &life.groups[life.groups[undo].of - 1]);
		open = &life.groups[life.groups[undo].of - 1];
		fold(&after, life.count, undo);
	} else if (open) {
		LAW(m_apply(&after, open, &life.things));
	}
	for (unsigned i = 0; i < M_PLACES; i++) {
		if (!open || !m_touches(open, i))
			LAW(is.at[i] == w.at[i]);
		else if (w.at[i] && after.at[i])
			LAW(is.at[i]);
	}
}

static void law(enum trouble t)
{
	read_stories(life.stories);
	if (sim_is_dir("/m/p"))
		nothing_is_lost();
	if (life.strangers)
		return;
	order_is_kept();
	refusals_are_right(t == FAULTS || t == READ_ONLY);
	world_is_right();
}

/* A boot that nothing disturbed leaves nothing open; a fallback leaves what was accepted. */
static void peace_law(void)
{
	struct m_world w;

	if (life.strangers)
		return;
	for (unsigned i = 0; i < life.count; i++) {
		const struct m_story *s = &life.stories[i];

		if (!life.fallback)
			LAW(is_settled(s));
		else
			LAW(s->state != M_BEGUN && s->state != M_REVERTING &&
			    (s->state != M_APPLIED || s->boots <= life.accepted));
	}
	look(&w);
	if (life.fallback)
		LAW(!memcmp(&w, &life.accepted_world, sizeof(w)));
}

/* ---- boots ---- */

static bool guarded(void *arg, const char *path)
{
	return !strcmp(path, m_path(M_GUARDED));
}

void boot_step(void *arg)
{
	_close_ int state = sys_open(AT_FDCWD, MAKER_STATE, O_RDONLY | O_DIRECTORY, 0);
	const struct pending_step s = {.state = state,
				       .prefix = "",
				       .boots = life.boots,
				       .accepted = life.accepted,
				       .fallback = life.fallback,
				       .protects = guarded};

	life.result = state < 0 ? state : pending_run(&s);
}

static void disturb(enum trouble t, uint64_t at)
{
	static const int errors[] = {EIO, ENOSPC, ENOMEM, EROFS, EDQUOT};

	sim_cut_at(0);
	sim_fail_at(0, 0, 0);
	if (t == CUT)
		sim_cut_at(sim_points() + at);
	if (t == FAULTS)
		sim_fail_at(at, errors[sim_random(ARRAY_SIZE(errors))],
			    sim_random(2) ? 1 : 1 + (unsigned)sim_random(1u << sim_random(10)));
	if (t == READ_ONLY)
		sim_read_only_at((unsigned)sim_random(2), at);
}

static void what_was_said_stays(void)
{
	struct m_story now[M_GROUPS];

	read_stories(now);
	for (unsigned i = 0; i < life.count; i++)
		LAW(now[i].state == life.stories[i].state);
}

/* One boot; answers whether the trouble came. at: its point. */
bool boot(enum trouble t, uint64_t at, bool fallback)
{
	const unsigned fds = sim_open_fds();
	struct sim_record r;

	life.boots++;
	life.fallback = fallback;
	law_cut = at;
	disturb(t, at);
	r = sim_run(boot_step, NULL);
	disturb(PEACE, 0);
	LAW(r.end == SIM_RETURNED || r.end == SIM_CUT);
	counts.boots++;
	counts.cuts += r.end == SIM_CUT;
	counts.fallbacks += fallback;
	counts.faults += t == FAULTS || t == READ_ONLY;
	if (r.end == SIM_RETURNED) {
		LAW(sim_open_fds() == fds);
		read_stories(life.stories);
		sim_reboot(true);
		if (t == PEACE || t == CUT) {
			what_was_said_stays();
			LAW(life.result == 0 || life.result == 1);
		}
	} else {
		sim_reboot(true);
	}
	law(t);
	if (r.end == SIM_RETURNED && (t == PEACE || t == CUT))
		peace_law();
	return r.end == SIM_CUT || t == FAULTS || t == READ_ONLY;
}
