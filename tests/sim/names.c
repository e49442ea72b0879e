/* SPDX-License-Identifier: MIT */
/*
 * names.c - the names of the simulated disks: what is seen, what pends, what a cut keeps
 *
 * A change of one or two names is atomic and belongs to one file system. Which pending changes
 * survive is drawn per file system and machine: in order, as journalling file systems keep them
 * (ext4, XFS, a transaction of btrfs), or each on its own as long as what it rests on is kept
 * (btrfs's log, and what POSIX allows). A change rests on earlier ones of the same names and on the
 * making of its directory; directories are moved in order.
 */
#include <stdlib.h>
#include <string.h>

#include "inner.h"

struct name_change {
	struct set set[2];
	unsigned sets;
	uint64_t dev;
	bool moves_dir;
};

static struct {
	struct name_change *at;
	unsigned count, room;
	bool ordered[DEVS]; /* names survive as a prefix */
	bool *keep;
	unsigned keep_room;
} names;

void names_start(void)
{
	const bool first = sim_random(2);

	for (unsigned i = 0; i < DEVS; i++)
		names.ordered[i] = i <= DEV_KERNEL ? first : sim_random(2);
}

void names_stop(void)
{
	free(names.at);
	free(names.keep);
	memset(&names, 0, sizeof(names));
}

/* Room for one verdict a change, all of them no. */
static bool *verdicts(void)
{
	if (names.count + 1 > names.keep_room) {
		names.keep_room = 2 * names.count + 64;
		names.keep = realloc(names.keep, names.keep_room);
		if (!names.keep)
			abort();
	}
	memset(names.keep, 0, names.count + 1);
	return names.keep;
}

void names_change(const struct set *sets, unsigned count)
{
	const uint64_t dev = sets[0].dir->dev;
	struct name_change *c;

	for (unsigned i = 0; i < count; i++) {
		struct node *was = entry_set(&sets[i].dir->names, sets[i].name, sets[i].node);

		if (was)
			was->links--;
		if (sets[i].node)
			sets[i].node->links++;
		if (sets[i].node && sets[i].node->kind == NODE_DIR)
			sets[i].node->parent = sets[i].dir;
		if (dev == DEV_KERNEL)
			entry_set(&sets[i].dir->names_disk, sets[i].name, sets[i].node);
	}
	if (dev == DEV_KERNEL)
		return;
	names.at = more(names.at, names.count, &names.room, sizeof(*names.at));
	c = &names.at[names.count++];
	c->sets = count;
	c->dev = dev;
	c->moves_dir = false;
	memcpy(c->set, sets, count * sizeof(*sets));
	for (unsigned i = 0; i < count; i++)
		c->moves_dir |= count > 1 && sets[i].node && sets[i].node->kind == NODE_DIR;
}

static bool rests_on(const struct name_change *late, const struct name_change *early)
{
	if (late->dev != early->dev)
		return false;
	if (names.ordered[late->dev] || (late->moves_dir && early->moves_dir))
		return true;
	for (unsigned i = 0; i < early->sets; i++)
		for (unsigned k = 0; k < late->sets; k++)
			if (early->set[i].node == late->set[k].dir ||
			    (early->set[i].dir == late->set[k].dir &&
			     !strcmp(early->set[i].name, late->set[k].name)))
				return true;
	return false;
}

/* Puts the chosen changes on the disk, in order; the others go on pending, or are forgotten. */
static void keep_names(const bool *keep, bool forget)
{
	unsigned left = 0;

	for (unsigned i = 0; i < names.count; i++) {
		struct name_change *c = &names.at[i];

		for (unsigned k = 0; keep[i] && k < c->sets; k++)
			entry_set(&c->set[k].dir->names_disk, c->set[k].name, c->set[k].node);
		if (!keep[i] && left++ != i)
			names.at[left - 1] = *c;
	}
	names.count = forget ? 0 : left;
}

void names_sync(uint64_t dev)
{
	bool *keep = verdicts();

	for (unsigned i = 0; i < names.count; i++)
		keep[i] = names.at[i].dev == dev;
	keep_names(keep, false);
}

void sync_names_of(struct node *n, bool fsync_of_file)
{
	bool *keep, any = false;

	/* POSIX promises no name for the fsync of a file; some file systems write it all the same.
	 */
	if (names.count == 0 || (fsync_of_file && sim_random(2)))
		return;
	keep = verdicts();
	for (unsigned i = 0; i < names.count; i++)
		for (unsigned k = 0; k < names.at[i].sets; k++)
			if (names.at[i].set[k].dir == n || names.at[i].set[k].node == n)
				any = keep[i] = true;
	for (unsigned i = names.count; any && i-- > 0;)
		for (unsigned k = 0; keep[i] && k < i; k++)
			if (!keep[k] && rests_on(&names.at[i], &names.at[k]))
				keep[k] = true;
	if (any)
		keep_names(keep, false);
}

void names_cut(void)
{
	bool *keep = verdicts();

	for (uint64_t dev = 0; names.count && dev < DEVS; dev++) {
		unsigned odds = (unsigned)sim_random(5), count = 0, prefix; /* 0 none ... 4 all */

		for (unsigned i = 0; i < names.count; i++)
			count += names.at[i].dev == dev;
		prefix = (unsigned)sim_random(count + 1);
		for (unsigned i = 0, nth = 0; i < names.count; i++)
			if (names.at[i].dev == dev)
				keep[i] =
					names.ordered[dev] ? nth++ < prefix : sim_random(4) < odds;
	}
	/* A change whose ground was lost is lost. */
	for (unsigned i = 0; i < names.count; i++)
		for (unsigned k = 0; keep[i] && k < i; k++)
			if (!keep[k] && rests_on(&names.at[i], &names.at[k]))
				keep[i] = false;
	keep_names(keep, true);
}

void names_take_back(struct node *dir)
{
	struct tree *t = &dir->names;

	if (dir->kind != NODE_DIR)
		return;
	t->count = 0;
	for (unsigned i = 0; i < dir->names_disk.count; i++) {
		t->at = more(t->at, t->count, &t->room, sizeof(*t->at));
		t->at[t->count] = dir->names_disk.at[i];
		if (t->at[t->count].node->kind == NODE_DIR && !t->at[t->count].node->covers)
			t->at[t->count].node->parent = dir;
		t->count++;
	}
}
