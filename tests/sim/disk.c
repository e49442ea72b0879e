/* SPDX-License-Identifier: MIT */
/*
 * disk.c - the simulated disk: what is seen now, what would survive a cut, and the cut itself
 *
 * Every file has its content as programs see it and as the disk has it, with the changes between
 * the two in order; names likewise. A cut decides for each unsynced thing by the seed. Content:
 * nothing, all, a prefix of the writes, or each sector at a version of its own. Names: either in
 * order, as journalling file systems keep them (ext4, XFS), or each change on its own as long as
 * what it rests on is kept (btrfs's log, and what POSIX allows). The kind is drawn per machine.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "inner.h"

struct name_change {
	struct set set[2];
	unsigned sets;
};

static struct {
	struct node **nodes;
	unsigned node_count, node_room;
	uint64_t next_ino;
	struct name_change *names;
	unsigned name_count, name_room;
	struct node *root;
	bool ordered; /* names survive as a prefix */
	uint64_t points, cut_at, calls, fail_at;
	int fail_error;
	unsigned fail_times;
} disk;

static void *more(void *at, unsigned count, unsigned *room, size_t each)
{
	if (count < *room)
		return at;
	*room = *room ? *room * 2 : 8;
	at = realloc(at, *room * each);
	if (!at)
		abort();
	return at;
}

struct node *disk_root(void)
{
	return disk.root;
}

struct node *node_new(enum node_kind kind, uint64_t dev, unsigned mode)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->kind = kind;
	n->dev = dev;
	n->mode = mode & 07777;
	n->ino = disk.next_ino++;
	disk.nodes = more(disk.nodes, disk.node_count, &disk.node_room, sizeof(*disk.nodes));
	disk.nodes[disk.node_count++] = n;
	return n;
}

/* ---- names ---- */

struct node *entry_find(const struct tree *t, const char *name)
{
	for (unsigned i = 0; i < t->count; i++)
		if (!strcmp(t->at[i].name, name))
			return t->at[i].node;
	return NULL;
}

static void tree_set(struct tree *t, const char *name, struct node *node)
{
	unsigned i = 0;

	while (i < t->count && strcmp(t->at[i].name, name))
		i++;
	if (!node) {
		if (i < t->count)
			t->at[i] = t->at[--t->count];
		return;
	}
	if (i == t->count) {
		t->at = more(t->at, t->count, &t->room, sizeof(*t->at));
		t->count++;
		strncpy(t->at[i].name, name, NAME_ROOM - 1);
		t->at[i].name[NAME_ROOM - 1] = 0;
	}
	t->at[i].node = node;
}

unsigned node_links(const struct node *n)
{
	unsigned links = 0;

	for (unsigned i = 0; i < disk.node_count; i++)
		for (unsigned k = 0; k < disk.nodes[i]->names.count; k++)
			links += disk.nodes[i]->names.at[k].node == n;
	return links;
}

void names_change(const struct set *sets, unsigned count)
{
	bool pends = false;

	for (unsigned i = 0; i < count; i++) {
		tree_set(&sets[i].dir->names, sets[i].name, sets[i].node);
		if (sets[i].node && sets[i].node->kind == NODE_DIR)
			sets[i].node->parent = sets[i].dir;
		if (sets[i].dir->dev == DEV_DISK)
			pends = true;
		else
			tree_set(&sets[i].dir->names_disk, sets[i].name, sets[i].node);
	}
	if (!pends)
		return;
	disk.names = more(disk.names, disk.name_count, &disk.name_room, sizeof(*disk.names));
	disk.names[disk.name_count].sets = count;
	memcpy(disk.names[disk.name_count].set, sets, count * sizeof(*sets));
	disk.name_count++;
}

static bool same_name(const struct name_change *a, const struct name_change *b)
{
	for (unsigned i = 0; i < a->sets; i++)
		for (unsigned k = 0; k < b->sets; k++)
			if (a->set[i].dir == b->set[k].dir &&
			    !strcmp(a->set[i].name, b->set[k].name))
				return true;
	return false;
}

/* Puts the chosen changes on the disk, in order, and forgets the chosen ones (or all). */
static void names_keep(const bool *keep, bool forget_all)
{
	unsigned left = 0;

	for (unsigned i = 0; i < disk.name_count; i++) {
		struct name_change *c = &disk.names[i];

		if (keep[i])
			for (unsigned k = 0; k < c->sets; k++)
				tree_set(&c->set[k].dir->names_disk, c->set[k].name,
					 c->set[k].node);
		else
			disk.names[left++] = *c;
	}
	disk.name_count = forget_all ? 0 : left;
}

/* All that a kept change rests on is kept too: earlier changes of the same names. */
static void names_close(bool *keep)
{
	for (unsigned i = disk.name_count; i-- > 0;) {
		if (!keep[i])
			continue;
		for (unsigned k = 0; k < i; k++)
			if (disk.ordered || same_name(&disk.names[k], &disk.names[i]))
				keep[k] = true;
	}
}

void sync_names_of(struct node *n, bool fsync_of_file)
{
	bool *keep;
	bool any = false;

	/* POSIX promises no name for the fsync of a file; some file systems write it all the same.
	 */
	if (disk.name_count == 0 || (fsync_of_file && sim_random(2)))
		return;
	keep = calloc(disk.name_count, sizeof(*keep));
	if (!keep)
		abort();
	for (unsigned i = 0; i < disk.name_count; i++)
		for (unsigned k = 0; k < disk.names[i].sets; k++)
			if (disk.names[i].set[k].dir == n || disk.names[i].set[k].node == n)
				any = keep[i] = true;
	if (any) {
		names_close(keep);
		names_keep(keep, false);
	}
	free(keep);
}

static void names_cut(void)
{
	bool *keep = calloc(disk.name_count + 1, sizeof(*keep));
	unsigned prefix = (unsigned)sim_random(disk.name_count + 1);
	unsigned odds = (unsigned)sim_random(5); /* 0 none ... 4 all */

	if (!keep)
		abort();
	for (unsigned i = 0; i < disk.name_count; i++)
		keep[i] = disk.ordered ? i < prefix : sim_random(4) < odds;
	/* A change whose ground was lost is lost. */
	for (unsigned i = 0; i < disk.name_count; i++)
		for (unsigned k = 0; keep[i] && k < i; k++)
			if (!keep[k] && same_name(&disk.names[k], &disk.names[i]))
				keep[i] = false;
	names_keep(keep, true);
	free(keep);
}

/* ---- content ---- */

static void content_room(struct content *c, size_t size)
{
	if (size > c->room) {
		size_t room = c->room ? c->room : SECTOR;

		while (room < size)
			room *= 2;
		c->at = realloc(c->at, room);
		if (!c->at)
			abort();
		memset(c->at + c->room, 0, room - c->room);
		c->room = room;
	}
	if (size < c->size) /* what is cut off reads as zero when the file grows again */
		memset(c->at + size, 0, c->size - size);
	c->size = size;
}

static void content_copy(struct content *to, const struct content *from)
{
	content_room(to, from->size);
	if (from->size)
		memcpy(to->at, from->at, from->size);
}

static void changes_forget(struct node *n)
{
	for (unsigned i = 0; i < n->change_count; i++)
		free(n->changes[i].bytes);
	n->change_count = 0;
}

static void change_add(struct node *n, uint64_t at, const void *bytes, size_t len)
{
	struct change *c;

	if (n->dev != DEV_DISK || n->memfd)
		return;
	n->changes = more(n->changes, n->change_count, &n->change_room, sizeof(*n->changes));
	c = &n->changes[n->change_count++];
	*c = (struct change){.at = at, .n = len, .size = n->now.size, .bytes = calloc(1, len + 1)};
	if (!c->bytes)
		abort();
	if (bytes)
		memcpy(c->bytes, bytes, len);
}

void content_write(struct node *n, uint64_t at, const void *bytes, size_t len)
{
	if (at + len > n->now.size)
		content_room(&n->now, at + len);
	if (len)
		memcpy(n->now.at + at, bytes, len);
	change_add(n, at, bytes, len);
}

void content_resize(struct node *n, uint64_t size)
{
	const uint64_t was = n->now.size;

	content_room(&n->now, size);
	if (size < was) /* what was beyond is zero from now on */
		change_add(n, size, NULL, was - size);
	else
		change_add(n, size, NULL, 0);
}

void sync_content(struct node *n)
{
	content_copy(&n->disk, &n->now);
	changes_forget(n);
}

/* One sector of the disk gets the first `versions` of the changes that touch it. */
static void sector_keep(struct node *n, uint64_t sector, unsigned versions)
{
	const uint64_t from = sector * SECTOR, to = from + SECTOR;

	for (unsigned i = 0; i < n->change_count && versions; i++) {
		const struct change *c = &n->changes[i];
		const uint64_t a = c->at > from ? c->at : from;
		const uint64_t b = c->at + c->n < to ? c->at + c->n : to;

		if (a >= b)
			continue;
		versions--;
		if (b > n->disk.size)
			content_room(&n->disk, b);
		memcpy(n->disk.at + a, c->bytes + (a - c->at), b - a);
	}
}

static unsigned sector_versions(const struct node *n, uint64_t sector)
{
	const uint64_t from = sector * SECTOR, to = from + SECTOR;
	unsigned count = 0;

	for (unsigned i = 0; i < n->change_count; i++)
		count += n->changes[i].at < to && n->changes[i].at + n->changes[i].n > from;
	return count;
}

static void content_tear(struct node *n)
{
	const uint64_t size_was = n->disk.size;
	const unsigned version = (unsigned)sim_random(n->change_count + 1);
	const uint64_t size = version ? n->changes[version - 1].size : size_was;
	uint64_t top = 0;

	for (unsigned i = 0; i < n->change_count; i++)
		if (n->changes[i].at + n->changes[i].n > top)
			top = n->changes[i].at + n->changes[i].n;
	for (uint64_t s = 0; s * SECTOR < top; s++) {
		const unsigned versions = sector_versions(n, s);

		if (versions)
			sector_keep(n, s, (unsigned)sim_random(versions + 1));
	}
	content_room(&n->disk, size);
	/* Room given but not written: zeros, or on some file systems what lay there before. */
	if (size > size_was && sim_random(8) == 0)
		for (uint64_t i = size_was; i < size; i++)
			if (!n->disk.at[i])
				n->disk.at[i] = (uint8_t)sim_random(256);
}

void lose_content(struct node *n)
{
	const unsigned how = (unsigned)sim_random(5);
	unsigned keep = how == 0 ? 0 : n->change_count;

	if (n->change_count == 0)
		return;
	if (how >= 3) {
		content_tear(n);
		changes_forget(n);
		return;
	}
	if (how == 2)
		keep = (unsigned)sim_random(n->change_count + 1);
	for (unsigned i = 0; i < keep; i++) {
		const struct change *c = &n->changes[i];

		if (c->at + c->n > n->disk.size)
			content_room(&n->disk, c->at + c->n);
		if (c->n)
			memcpy(n->disk.at + c->at, c->bytes, c->n);
		content_room(&n->disk, c->size);
	}
	changes_forget(n);
}

void sync_all(void)
{
	bool *keep = calloc(disk.name_count + 1, sizeof(*keep));

	if (!keep)
		abort();
	memset(keep, 1, disk.name_count * sizeof(*keep));
	names_keep(keep, true);
	free(keep);
	for (unsigned i = 0; i < disk.node_count; i++)
		sync_content(disk.nodes[i]);
}

/* The test's own hand: what it makes is durable at once, pending things of others stay so. */
void make_durable(struct node *n)
{
	sync_content(n);
	sync_names_of(n, false);
}

/* ---- cuts, faults ---- */

void disk_cut(void)
{
	names_cut();
	for (unsigned i = 0; i < disk.node_count; i++) {
		struct node *n = disk.nodes[i];

		lose_content(n);
		content_copy(&n->now, &n->disk);
		n->lock = NULL;
		n->listener = NULL;
		n->names.count = 0;
		for (unsigned k = 0; k < n->names_disk.count; k++)
			tree_set(&n->names, n->names_disk.at[k].name, n->names_disk.at[k].node);
	}
	disk.points = disk.cut_at = disk.calls = disk.fail_at = 0;
}

static void point(void)
{
	disk.points++;
	if (disk.cut_at && disk.points == disk.cut_at)
		sim_end_run(SIM_CUT, disk.points);
}

int step_in(bool changes)
{
	door_call();
	disk.calls++;
	if (changes)
		point();
	if (disk.fail_at && disk.calls >= disk.fail_at &&
	    disk.calls - disk.fail_at < disk.fail_times)
		return disk.fail_error;
	return 0;
}

ssize_t step_out(ssize_t r)
{
	point();
	return r;
}

void sim_cut_at(uint64_t at)
{
	disk.cut_at = at;
}

uint64_t sim_points(void)
{
	return disk.points;
}

void sim_fail_at(uint64_t call, int error, unsigned times)
{
	disk.fail_at = call ? disk.calls + call : 0;
	disk.fail_error = -error;
	disk.fail_times = times;
}

uint64_t sim_file_calls(void)
{
	return disk.calls;
}

void disk_start(void)
{
	disk.next_ino = 2;
	disk.points = disk.cut_at = disk.calls = disk.fail_at = 0;
	disk.ordered = sim_random(2);
	disk.root = node_new(NODE_DIR, DEV_DISK, 0755);
	disk.root->parent = disk.root;
}

void disk_stop(void)
{
	for (unsigned i = 0; i < disk.node_count; i++) {
		struct node *n = disk.nodes[i];

		changes_forget(n);
		free(n->changes);
		free(n->now.at);
		free(n->disk.at);
		free(n->names.at);
		free(n->names_disk.at);
		free(n);
	}
	free(disk.nodes);
	free(disk.names);
	memset(&disk, 0, sizeof(disk));
}
