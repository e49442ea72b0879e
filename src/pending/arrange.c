/* SPDX-License-Identifier: MIT */
/*
 * arrange.c - things to their places; see arrange.h
 *
 * No recursion, one allocation, time linear in the number of places. The order of the places in
 * the file (by directory) is the order of work, so that neighbours are touched together.
 */
#include "pending/arrange.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "sys/sys.h"

#define NO_REPLACE  1u /* RENAME_NOREPLACE */
#define EXCHANGE    2u /* RENAME_EXCHANGE */
#define SLOT_TRIES  8u
#define LIST_BYTES  32768u
#define SLOT_DIGITS 24u
/* What was seen of a thing, in one word: its size above these. */
#define SEEN_DIRECTORY 1u
#define SEEN_FIXED     2u
#define SEEN_MOUNT     4u
#define SEEN_BITS      3u

int arrange_start(struct arrangement *a, struct ground *ground)
{
	const size_t count = ground->group->places.count;
	size_t buckets = 16;
	uint32_t *words;
	void *room;
	int r;

	memset(a, 0, sizeof(*a));
	while (buckets < count)
		buckets *= 2;
	a->bytes = sizeof(struct things_header) + count * sizeof(struct thing) +
		   (4 * count + buckets) * sizeof(uint32_t);
	r = sys_scratch(a->bytes, &room);
	if (r < 0)
		return r;
	a->ground = ground;
	a->group = ground->group;
	a->count = (uint32_t)count;
	a->kept = room;
	a->first = (struct thing *)(a->kept + 1);
	words = (uint32_t *)(a->first + count);
	a->want = words;
	a->at = words + count;
	a->where = words + 2 * count;
	a->next = words + 3 * count;
	a->hash = words + 4 * count;
	a->mask = (uint32_t)buckets - 1;
	return 0;
}

void arrange_end(struct arrangement *a)
{
	sys_scratch_back(a->kept, a->bytes);
	a->kept = NULL;
}

static uint32_t bucket(const struct arrangement *a, const struct thing *t)
{
	const uint64_t mixed = (t->ino ^ t->tag << 17 ^ t->tag >> 13) * 0x9E3779B97F4A7C15ull;

	return (uint32_t)(mixed >> 40) & a->mask;
}

static uint32_t fs_of(const struct arrangement *a, uint32_t place)
{
	return group_dir(a->group, group_place(a->group, place)->dir)->fs;
}

/* An inode number of 0 when nothing is there. */
static int look_at(struct arrangement *a, uint32_t place, struct sys_identity *ret)
{
	const struct group_place *p = group_place(a->group, place);
	int dir = ground_dir(a->ground, p->dir, NO_PLACE), r;

	a->bad_place = place;
	if (dir < 0)
		return dir;
	r = sys_identify(dir, group_string(a->group, p->name), ret);
	if (r == -ENOENT) {
		*ret = (struct sys_identity){0};
		return 0;
	}
	if (r < 0)
		return r;
	return ret->mount == a->ground->fs[fs_of(a, place)].mount ? 0 : GROUP_WHY_MOUNT;
}

/*
 * The table of things is not needed before arrange_find: its memory keeps this, and the checks of
 * the operations need no second statx.
 */
static void keep_seen(struct arrangement *a, uint32_t thing, const struct sys_identity *id)
{
	const bool directory = S_ISDIR(id->mode);
	const uint64_t word = (directory ? SEEN_DIRECTORY : id->bytes << SEEN_BITS) |
			      (id->flags & SYS_IDENTITY_FIXED ? SEEN_FIXED : 0) |
			      (id->flags & SYS_IDENTITY_MOUNT ? SEEN_MOUNT : 0);

	a->next[thing] = (uint32_t)word;
	a->hash[thing] = (uint32_t)(word >> 32);
}

struct arrange_seen arrange_seen(const struct arrangement *a, uint32_t thing)
{
	const uint64_t word = (uint64_t)a->hash[thing] << 32 | a->next[thing];

	return (struct arrange_seen){
		.bytes = word >> SEEN_BITS,
		.directory = word & SEEN_DIRECTORY,
		.flags = (word & SEEN_FIXED ? SYS_IDENTITY_FIXED : 0) |
			 (word & SEEN_MOUNT ? SYS_IDENTITY_MOUNT : 0),
	};
}

int arrange_look(struct arrangement *a)
{
	for (uint32_t i = 0; i < a->count; i++) {
		struct sys_identity id;
		int r = look_at(a, i, &id);

		if (r < 0)
			return r;
		a->first[i] = (struct thing){.ino = id.ino, .tag = id.tag};
		keep_seen(a, i, &id);
		a->at[i] = a->first[i].ino ? i : NOTHING;
		a->where[i] = a->first[i].ino ? i : NOTHING;
	}
	return 0;
}

int arrange_operations(struct arrangement *a,
		       int (*check)(void *arg, const struct arrange_step *step), void *arg,
		       uint32_t *ret_op)
{
	for (uint32_t i = 0; i < a->count; i++)
		a->want[i] = a->first[i].ino ? i : NOTHING;
	for (uint32_t i = 0; i < a->group->ops.count; i++) {
		const struct group_op *o = group_op(a->group, i);
		struct arrange_step s = {.op = i, .thing = a->want[o->from], .target = NOTHING};
		int r = 0;

		*ret_op = i;
		if (o->to != NO_PLACE)
			s.target = a->want[o->to];
		if (s.thing == NOTHING && o->flags & GROUP_OPTIONAL)
			continue;
		if (s.thing == NOTHING)
			r = -ENOENT;
		else if (s.target != NOTHING && !(o->flags & GROUP_REPLACE))
			r = -EEXIST;
		else if (check)
			r = check(arg, &s);
		if (r < 0)
			return r;
		if (o->to != NO_PLACE)
			a->want[o->to] = s.thing;
		a->want[o->from] = NOTHING;
	}
	return 0;
}

/* ---- where things are after a cut ---- */

static bool same_thing(const struct thing *a, const struct thing *b)
{
	return a->ino == b->ino && a->tag == b->tag;
}

static void hash_things(struct arrangement *a)
{
	for (uint32_t i = 0; i <= a->mask; i++)
		a->hash[i] = NOTHING;
	for (uint32_t i = a->count; i-- > 0;) {
		uint32_t *head;

		a->where[i] = NOTHING;
		if (!a->first[i].ino)
			continue;
		head = &a->hash[bucket(a, &a->first[i])];
		a->next[i] = *head;
		*head = i;
	}
}

/*
 * The thing of that identity, on that file system, which has not been met yet. Names of one inode
 * are interchangeable: the one that began at `likely` is taken first.
 */
static uint32_t meet(struct arrangement *a, const struct thing *t, uint32_t fs, uint32_t likely)
{
	uint32_t found = FOREIGN;

	if (likely < a->count && a->where[likely] == NOTHING && same_thing(&a->first[likely], t))
		return likely;
	for (uint32_t i = a->hash[bucket(a, t)]; i != NOTHING && found == FOREIGN; i = a->next[i])
		if (a->where[i] == NOTHING && same_thing(&a->first[i], t) && fs_of(a, i) == fs)
			found = i;
	return found;
}

struct entry { /* as getdents64 writes them */
	uint64_t ino, off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

static int meet_slot(struct arrangement *a, int grave, uint32_t fs, const char *name)
{
	struct sys_identity id;
	uint64_t slot;
	uint32_t found;
	int r;

	if (str_u64(name, strlen(name), &slot) < 0 || slot >= IN_GRAVE)
		return 0;
	r = sys_identify(grave, name, &id);
	if (r < 0)
		return r;
	found = meet(a, &(struct thing){.ino = id.ino, .tag = id.tag}, fs, NO_PLACE);
	if (found != FOREIGN)
		a->where[found] = IN_GRAVE | (uint32_t)slot;
	return 0;
}

static int find_in_grave(struct arrangement *a, uint32_t fs)
{
	static uint64_t room[LIST_BYTES / sizeof(uint64_t)];
	int grave = ground_grave(a->ground, fs, false);
	_close_ int list = -1;
	ssize_t n;
	int r = 0;

	if (grave < 0)
		return grave == -ENOENT ? 0 : grave;
	list = sys_open(grave, ".", O_RDONLY | O_DIRECTORY, 0);
	if (list < 0)
		return list;
	while (r >= 0 && (n = sys_list(list, room, sizeof(room))) > 0)
		for (ssize_t at = 0; r >= 0 && at < n;) {
			const struct entry *e = (const struct entry *)((const char *)room + at);

			r = meet_slot(a, grave, fs, e->name);
			at += e->bytes;
		}
	return r < 0 ? r : n < 0 ? (int)n : 0;
}

/* Another may have removed the directory, or put a file or a link in its place. */
static bool gone(int r)
{
	return r == -ENOENT || r == -ENOTDIR || r == GROUP_WHY_LINK;
}

int arrange_find(struct arrangement *a)
{
	hash_things(a);
	for (uint32_t i = 0; i < a->count; i++) {
		struct sys_identity id;
		int r = look_at(a, i, &id);

		if (gone(r)) /* its directory is: so is what it held */
			id.ino = 0;
		else if (r < 0)
			return r;
		a->at[i] = id.ino ? meet(a, &(struct thing){.ino = id.ino, .tag = id.tag},
					 fs_of(a, i), i)
				  : NOTHING;
		if (a->at[i] < a->count)
			a->where[a->at[i]] = i;
	}
	for (uint32_t fs = 0; fs < a->group->fs.count; fs++) {
		int r = find_in_grave(a, fs);

		if (r < 0)
			return r;
	}
	return 0;
}

int arrange_stands(const struct arrangement *a)
{
	for (uint32_t i = 0; i < a->count; i++) {
		const uint32_t here = a->at[i], want = a->want[i];

		if (here != want && (here >= a->count || want >= a->count ||
				     !same_thing(&a->first[here], &a->first[want])))
			return GROUP_WHY_IDENTITY;
	}
	for (uint32_t i = 0; i < a->count; i++)
		if (a->first[i].ino && a->where[i] == NOTHING)
			return GROUP_WHY_GONE;
	for (uint32_t i = 0; i < a->count; i++) {
		int r = a->first[i].ino && a->at[i] != i
				? ground_dir(a->ground, group_place(a->group, i)->dir, NO_PLACE)
				: 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- moving ---- */

static void slot_name(char *room, uint32_t slot)
{
	struct text t = text_start(room, SLOT_DIGITS);

	text_u64(&t, slot);
}

/* What is at `from` (a place or a slot of the same file system) comes to place `to`. */
static int move_to(struct arrangement *a, uint32_t from, uint32_t to, unsigned flags)
{
	const struct group_place *p = group_place(a->group, to), *f;
	char slot[SLOT_DIGITS];
	const char *from_name = slot;
	int to_dir = ground_dir(a->ground, p->dir, NO_PLACE), from_dir;

	a->bad_place = to;
	if (to_dir < 0)
		return to_dir;
	if (from & IN_GRAVE) {
		slot_name(slot, from & ~IN_GRAVE);
		from_dir = ground_grave(a->ground, fs_of(a, to), false);
	} else {
		f = group_place(a->group, from);
		from_name = group_string(a->group, f->name);
		from_dir = ground_dir(a->ground, f->dir, p->dir);
	}
	if (from_dir < 0)
		return from_dir;
	return sys_rename(from_dir, from_name, to_dir, group_string(a->group, p->name), flags);
}

/* What is at a place goes to a free slot; *ret is its number. */
static int park(struct arrangement *a, uint32_t place, uint32_t *ret)
{
	const struct group_place *p = group_place(a->group, place);
	uint32_t slot = a->at[place] < a->count ? a->at[place] : place;
	int dir = ground_dir(a->ground, p->dir, NO_PLACE);
	int grave = ground_grave(a->ground, fs_of(a, place), true);
	char name[SLOT_DIGITS];
	int r = -EEXIST;

	a->bad_place = place;
	if (dir < 0 || grave < 0)
		return dir < 0 ? dir : grave;
	for (unsigned i = 0; i < SLOT_TRIES && r == -EEXIST; i++) {
		slot_name(name, slot + i * a->count);
		*ret = slot + i * a->count;
		r = sys_rename(dir, group_string(a->group, p->name), grave, name, NO_REPLACE);
	}
	return r;
}

/* Two names of one inode are as good as each other: what is here counts as the one wanted. */
static bool as_good(struct arrangement *a, uint32_t place, uint32_t wanted)
{
	const uint32_t here = a->at[place], there = a->where[wanted];

	if (here >= a->count || !same_thing(&a->first[here], &a->first[wanted]))
		return false;
	a->at[place] = wanted;
	a->where[wanted] = place;
	a->where[here] = there;
	if (there != NOTHING && !(there & IN_GRAVE))
		a->at[there] = here;
	return true;
}

/*
 * One directory's trouble, and it may be its owner's doing (a project quota is EXDEV): that must
 * not keep all the others from where they belong. The machine's trouble is another matter.
 */
static bool shut(int r)
{
	return gone(r) || r == -EXDEV || r == -EPERM || r == -EBUSY || r == -EINVAL;
}

static int settle(struct arrangement *a, uint32_t place, uint32_t wanted, bool back)
{
	const uint32_t from = a->where[wanted], here = a->at[place];
	int r;

	if (as_good(a, place, wanted))
		return 0;
	if (from == NOTHING) {
		a->bad_place = place;
		a->missing++;
		return back ? 0 : GROUP_WHY_GONE;
	}
	if (here == FOREIGN && !back)
		return -EEXIST;
	r = move_to(a, from, place, here == NOTHING ? NO_REPLACE : EXCHANGE);
	if (back && shut(r)) {
		a->stuck++;
		a->stuck_place = place;
		return 0;
	}
	if (r < 0)
		return r;
	a->at[place] = wanted;
	a->where[wanted] = place;
	if (here < a->count)
		a->where[here] = from;
	if (!(from & IN_GRAVE))
		a->at[from] = here;
	else
		a->foreign += here == FOREIGN;
	return 0;
}

/* Places that something stands at, or those that are free: what is missing there comes. */
static int settle_all(struct arrangement *a, bool back, bool free)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < a->count; i++) {
		const uint32_t wanted = back ? (a->first[i].ino ? i : NOTHING) : a->want[i];

		if (wanted != NOTHING && a->at[i] != wanted && (a->at[i] == NOTHING) == free)
			r = settle(a, i, wanted, back || a->forced);
	}
	return r;
}

/*
 * All exchanges come first: they leave no name without a file. After them what a free place takes
 * stands only where nothing is wanted.
 */
static int arrange_to(struct arrangement *a, bool back)
{
	int r = settle_all(a, back, false);

	if (r >= 0)
		r = settle_all(a, back, true);
	for (uint32_t i = 0; r >= 0 && i < a->count; i++) {
		const bool empty = back ? !a->first[i].ino : a->want[i] == NOTHING;
		const uint32_t here = a->at[i];
		uint32_t slot;

		if (!empty || here == NOTHING)
			continue;
		if (here == FOREIGN && !back && !a->forced)
			return -EEXIST;
		r = park(a, i, &slot);
		if (r < 0)
			break;
		a->foreign += here == FOREIGN;
		a->at[i] = NOTHING;
		if (here < a->count)
			a->where[here] = IN_GRAVE | slot;
	}
	return r;
}

int arrange_forward(struct arrangement *a)
{
	return arrange_to(a, false);
}

int arrange_back(struct arrangement *a)
{
	return arrange_to(a, true);
}
