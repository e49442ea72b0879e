/* SPDX-License-Identifier: MIT */
/*
 * pending_life.c - worlds and groups of test_pending.c, and what operators do to them
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

uint16_t number_of(const void *bytes, size_t n)
{
	return bytes && n > 6 && !memcmp(bytes, "thing ", 6)
		       ? (uint16_t)atoi((const char *)bytes + 6)
		       : 0;
}

uint16_t thing_at(const char *path)
{
	char inside[64];
	size_t n = 0;
	const void *bytes = sim_look(path, &n);

	if (bytes || !sim_is_dir(path))
		return number_of(bytes, n);
	snprintf(inside, sizeof(inside), "%s/id", path);
	bytes = sim_look(inside, &n);
	return number_of(bytes, n);
}

void look(struct m_world *w)
{
	memset(w, 0, sizeof(*w));
	for (unsigned i = 0; i < M_PLACES + life.count * M_COPIES; i++)
		w->at[i] = thing_at(m_path(i));
}

static void number_thing(unsigned n, const char *path)
{
	struct made_thing *m = &life.made[n];
	struct sys_identity id;
	char text[16] = "";

	LAW(sys_identify(AT_FDCWD, path, &id) == 0);
	snprintf(text, sizeof(text), "thing %u", n);
	*m = (struct made_thing){
		.ino = id.ino, .tag = id.tag, .bytes = life.things.dir[n] ? 0 : id.bytes};
	sha256_of(text, sizeof(text), m->digest);
	life.things.who[n].ino = id.ino;
	life.things.who[n].tag = id.tag;
	life.things.who[n].volume = (unsigned)id.dev;
}

void make_thing(const char *path, bool dir)
{
	const unsigned n = ++life.things.count;
	char text[16] = "", inside[64];

	LAW(n < M_THINGS);
	life.things.dir[n] = dir;
	life.things.names[n] = 1;
	snprintf(text, sizeof(text), "thing %u", n);
	snprintf(inside, sizeof(inside), "%s/id", path);
	if (dir)
		sim_make_dir(path);
	sim_make_file(dir ? inside : path, text, sizeof(text), 0644);
	number_thing(n, path);
}

static void make_directories(void)
{
	static const char *const dirs[] = {"/a", "/a/d",   "/etc",          "/m",
					   "/v", "/state", "/state/pending"};

	for (unsigned i = 0; i < ARRAY_SIZE(dirs); i++)
		sim_make_dir(dirs[i]);
	sim_mount_volume(1, "/m");
	sim_mount_volume(2, "/v");
	sim_make_dir("/m/p");
	sim_make_dir("/m/p/q");
	sim_make_dir("/v/x");
}

void make_world(uint64_t seed)
{
	memset(&life, 0, sizeof(life));
	life.lock = -1;
	sim_start(seed);
	make_directories();
	if (sim_random(4) == 0)
		sim_volume_tagless((unsigned)sim_random(M_VOLUMES));
	for (unsigned i = 0; i < M_PLACES; i++) {
		const unsigned twin = (unsigned)sim_random(i + 1);
		const uint16_t thing = life.first.at[twin];

		if (sim_random(16) == 0 && thing && !life.things.dir[thing] &&
		    m_volume(twin) == m_volume(i)) {
			LAW(sys_link(AT_FDCWD, m_path(twin), AT_FDCWD, m_path(i)) == 0);
			life.things.names[thing]++;
			life.first.at[i] = thing;
		} else if (sim_random(5) < 3) {
			make_thing(m_path(i), sim_random(5) == 0);
			life.first.at[i] = (uint16_t)life.things.count;
		}
	}
	sys_sync();
	life.world = life.accepted_world = life.first;
	counts.lives++;
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
	const bool across = !life.uncopied && sim_random(12) == 0;

	*o = (struct m_op){.from = place_like(M_NONE), .to = M_NONE};
	o->move = sim_random(4) != 0;
	for (unsigned i = 0; i < 8 && !w->at[o->from]; i++)
		o->from = place_like(M_NONE);
	if (o->move)
		o->to = place_like(across ? M_NONE : o->from);
	for (unsigned i = 0; i < 6 && o->move && sane && w->at[o->to] &&
			     life.things.dir[w->at[o->to]] != life.things.dir[w->at[o->from]];
	     i++)
		o->to = place_like(o->from);
	if (o->to == o->from)
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

/* A move to another file system becomes a copy that comes, and its original that goes. */
static bool split_op(struct m_group *one, unsigned number, struct m_world *w, bool right)
{
	struct m_op *o = &one->ops[0];
	const unsigned volume = m_volume(o->to);
	const uint16_t copy = (uint16_t)(life.things.count + 1);
	const unsigned dir = life.things.dir[w->at[o->from]];
	unsigned place = m_copy(number, volume, 0);

	while (place < m_copy(number, volume, M_VOLUME_COPIES) && life.first.at[place])
		place++;
	if (!w->at[o->from] || place == m_copy(number, volume, M_VOLUME_COPIES))
		return false;
	one->ops[1] = (struct m_op){.from = o->from, .to = M_NONE, .thing = o->thing};
	one->count = 2;
	o->staged = right || sim_random(2); /* its flag lost: a protected path */
	o->from = (uint16_t)place;
	o->thing = copy;
	o->digest = !dir && sim_random(2);
	w->at[place] = copy;
	life.things.dir[copy] = dir;
	life.things.who[copy].tag = UINT64_MAX; /* like none, until it is made */
	return true;
}

static void make_copy(const struct m_op *o)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/.smss", m_root(m_volume(o->from)));
	sim_make_dir(path);
	snprintf(path, sizeof(path), "%s/.smss/staged", m_root(m_volume(o->from)));
	sim_make_dir(path);
	snprintf(path, sizeof(path), "%s", m_path(o->from));
	*strrchr(path, '/') = 0;
	sim_make_dir(path);
	make_thing(m_path(o->from), life.things.dir[o->thing]);
	life.first.at[o->from] = o->thing;
	life.world.at[o->from] = o->thing;
	life.accepted_world.at[o->from] = o->thing;
	counts.staged++;
}

/* One more operation, or two; w goes along. */
static void draw_more(struct m_group *g, unsigned number, struct m_world *w, bool right)
{
	struct m_group one = {.count = 1, .permitted = g->permitted};
	struct m_world was = *w;

	draw_op(&one.ops[0], w, right);
	if (one.ops[0].move && m_volume(one.ops[0].from) != m_volume(one.ops[0].to) &&
	    (g->count + 2 > M_OPS || !split_op(&one, number, w, right)))
		return;
	if (!m_apply(w, &one, &life.things) && right) {
		*w = was;
		return;
	}
	for (unsigned i = 0; i < one.count; i++)
		g->ops[g->count++] = one.ops[i];
	if (one.count == 2)
		make_copy(&one.ops[0]);
}

void draw_group(struct m_group *g, unsigned number, struct m_world *w)
{
	unsigned want = 1 + (unsigned)sim_random(1u << sim_random(7));
	const bool sane = sim_random(6) != 0;

	memset(g, 0, sizeof(*g));
	g->permitted = sim_random(3) == 0;
	if (want > M_OPS)
		want = M_OPS;
	for (unsigned tries = 0; g->count < want && tries < 4 * want; tries++)
		draw_more(g, number, w, sane || sim_random(3 * want) != 0);
	while (!g->count) {
		draw_op(&g->ops[0], w, true);
		g->count = !g->ops[0].move || m_volume(g->ops[0].from) == m_volume(g->ops[0].to);
	}
	g->twisted = sim_random(40) == 0;
}

bool is_waiting(enum m_state s)
{
	return s == M_QUEUED || s == M_BEGUN || s == M_FAILED;
}

/* What the disk will be once all that waits is done, as whoever queues a group believes. */
static void expected_world(struct m_world *w)
{
	*w = life.world;
	for (unsigned i = 0; i < life.count; i++)
		if (is_waiting(life.stories[i].state))
			(void)m_apply(w, &life.groups[i], &life.things);
}

void queue_group(void)
{
	struct m_group *g = &life.groups[life.count];
	struct m_world w;

	if (life.count == M_GROUPS)
		return;
	expected_world(&w);
	draw_group(g, life.count, &w);
	LAW(maker_write(g, life.count + 1, life.made) == 0);
	life.count++;
	sys_sync();
	counts.groups++;
}

bool is_settled(const struct m_story *s)
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

/* ---- again ---- */

/*
 * What an undoing took back that a fallback may still put on again is that undoing's: it is not
 * tried again under its old number.
 */
bool may_retry(unsigned i)
{
	const enum m_state s = life.stories[i].state;

	for (unsigned k = i + 1; k < life.count; k++)
		if (life.groups[k].of == i + 1 &&
		    (life.stories[k].state == M_REVERTING || is_waiting(life.stories[k].state) ||
		     (life.stories[k].state == M_APPLIED && life.stories[k].boots > life.accepted)))
			return false;
	return s == M_FAILED || s == M_REFUSED || s == M_QUARANTINED || s == M_REVERTED;
}

/* As sm_group_retry has it: what a purge has begun with, it finishes first. */
static bool half_purged(int dir, unsigned i, const struct group_story *story)
{
	char name[GROUP_FILE_BYTES];
	struct sys_stat st;

	group_file_name(name, i + 1, ".things");
	return story->purged &&
	       (story->aside || sys_stat_at(dir, name, AT_SYMLINK_NOFOLLOW, &st) >= 0);
}

int retry_step(unsigned i)
{
	_close_ int dir = sys_open(AT_FDCWD, MAKER_STATE "/pending", O_RDONLY | O_DIRECTORY, 0);
	_close_ int lock = dir < 0 ? dir : pending_lock(dir);
	struct group_story story;
	int r = lock < 0 ? lock : story_read(dir, i + 1, &story);

	if (r < 0)
		return r;
	if (story.state != GROUP_FAILED && story.state != GROUP_REFUSED &&
	    story.state != GROUP_QUARANTINED && story.state != GROUP_REVERTED)
		return -EINVAL;
	if (half_purged(dir, i, &story))
		return -EBUSY;
	return story_add(dir, i + 1, GROUP_EV_RETRY,
			 (struct group_record){.op = NO_PLACE, .boots = story.last.boots}, &story);
}

static void retry_run(void *arg)
{
	life.result = retry_step(*(unsigned *)arg);
}

void queue_retry(void)
{
	unsigned i = life.count ? (unsigned)sim_random(life.count) : 0;
	const enum m_state was = life.stories[i].state;
	struct sim_record r;

	if (!life.count || !may_retry(i))
		return;
	sim_cut_at(sim_random(2) ? sim_points() + 1 + sim_random(12) : 0);
	r = sim_run(retry_run, &i);
	sim_cut_at(0);
	LAW(r.end == SIM_CUT || life.result == 0 || life.result == -EBUSY || life.strangers);
	sim_reboot(true);
	read_stories(life.stories);
	LAW(life.strangers || life.stories[i].state == M_QUEUED ||
	    ((r.end == SIM_CUT || life.result == -EBUSY) && life.stories[i].state == was));
	counts.retries += life.stories[i].state == M_QUEUED;
}

/* ---- another file of the same name and number ---- */

static void remove_thing(const char *path, bool dir)
{
	char inside[64];

	snprintf(inside, sizeof(inside), "%s/id", path);
	if (dir)
		LAW(sys_unlink(AT_FDCWD, inside, 0) == 0);
	LAW(sys_unlink(AT_FDCWD, path, dir ? AT_REMOVEDIR : 0) == 0);
}

void replace_thing(void)
{
	const uint16_t place = place_like(M_NONE), thing = life.first.at[place];

	LAW(life.boots == 0);
	if (!thing || life.things.names[thing] != 1)
		return;
	remove_thing(m_path(place), life.things.dir[thing]);
	life.things.names[thing] = 0;
	sys_sync();
	sim_reboot(false);
	make_thing(m_path(place), life.things.dir[thing]);
	life.first.at[place] = (uint16_t)life.things.count;
	life.world = life.accepted_world = life.first;
	counts.replaced++;
}
