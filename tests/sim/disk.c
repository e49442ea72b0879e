/* SPDX-License-Identifier: MIT */
/*
 * disk.c - the simulated disk: what is seen now, what would survive a cut, and the cut itself
 *
 * Every file has its content as programs see it and as the disk has it, with the changes between
 * the two in order; names likewise. A cut decides for each unsynced thing by the seed. Content:
 * nothing, all, a prefix of the writes, or each sector at a version of its own. Names: names.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "inner.h"

static struct {
	struct node **nodes;
	unsigned node_count, node_room;
	uint64_t next_ino, births;
	struct free_numbers { /* of files that are gone for good */
		uint64_t *at;
		unsigned count, room;
	} numbers[DEVS];
	struct node *root;
	uint64_t points, cut_at, calls, fail_at;
	int fail_error;
	unsigned fail_times;
	uint64_t race_at;
	void (*race)(void *arg);
	void *race_arg;
} disk;

void *more(void *at, unsigned count, unsigned *room, size_t each)
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

/* The number of a file that is gone is given again, to a file of another birth. */
static uint64_t number_for(uint64_t dev)
{
	struct free_numbers *f = &disk.numbers[dev];

	return f->count && sim_random(2) ? f->at[--f->count] : disk.next_ino++;
}

struct node *node_new(enum node_kind kind, uint64_t dev, unsigned mode)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		abort();
	n->kind = kind;
	n->dev = dev;
	n->mode = mode & 07777;
	n->ino = number_for(dev);
	n->tag = ++disk.births * 77 + 5; /* born when no other was */
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

struct node *entry_set(struct tree *t, const char *name, struct node *node)
{
	struct node *was;
	unsigned i = 0;

	while (i < t->count && strcmp(t->at[i].name, name))
		i++;
	was = i < t->count ? t->at[i].node : NULL;
	if (!node) {
		if (was)
			t->at[i] = t->at[--t->count];
		return was;
	}
	if (!was) {
		t->at = more(t->at, t->count, &t->room, sizeof(*t->at));
		t->count++;
		strncpy(t->at[i].name, name, NAME_ROOM - 1);
		t->at[i].name[NAME_ROOM - 1] = 0;
	}
	t->at[i].node = node;
	return was;
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

	if (n->dev == DEV_KERNEL || n->memfd)
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
	n->dirty = true;
	if (at + len > n->now.size)
		content_room(&n->now, at + len);
	if (len)
		memcpy(n->now.at + at, bytes, len);
	change_add(n, at, bytes, len);
}

void content_resize(struct node *n, uint64_t size)
{
	const uint64_t was = n->now.size;

	n->dirty = true;
	content_room(&n->now, size);
	if (size < was) /* what was beyond is zero from now on */
		change_add(n, size, NULL, was - size);
	else
		change_add(n, size, NULL, 0);
}

void sync_content(struct node *n)
{
	if (!n->dirty)
		return;
	content_copy(&n->disk, &n->now);
	changes_forget(n);
	n->dirty = false;
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

void sync_disk(uint64_t dev)
{
	names_sync(dev);
	for (unsigned i = 0; i < disk.node_count; i++)
		if (disk.nodes[i]->dev == dev)
			sync_content(disk.nodes[i]);
}

void sync_all(void)
{
	for (uint64_t dev = 0; dev < DEVS; dev++)
		sync_disk(dev);
}

/* The test's own hand: what it makes is durable at once, pending things of others stay so. */
void make_durable(struct node *n)
{
	sync_content(n);
	sync_names_of(n, false);
}

/* ---- cuts, faults ---- */

static void node_free(struct node *n)
{
	changes_forget(n);
	free(n->changes);
	free(n->now.at);
	free(n->disk.at);
	free(n->names.at);
	free(n->names_disk.at);
	free(n);
}

void disk_reach(struct node *dir)
{
	if (!dir || dir->reached)
		return;
	dir->reached = true;
	for (unsigned i = 0; i < dir->names.count; i++) {
		struct node *n = dir->names.at[i].node;

		n->links++;
		if (n->kind == NODE_DIR)
			disk_reach(n);
		n->reached = true;
	}
}

/* After a cut nobody holds a file open: what no name leads to is gone, and its number is free. */
static void collect(void)
{
	unsigned left = 0;

	disk_reach(disk.root);
	volumes_reach();
	for (unsigned i = 0; i < disk.node_count; i++) {
		struct node *n = disk.nodes[i];
		struct free_numbers *f = &disk.numbers[n->dev];

		if (n->reached) {
			disk.nodes[left++] = n;
			continue;
		}
		if (n->dev != DEV_KERNEL) {
			f->at = more(f->at, f->count, &f->room, sizeof(*f->at));
			f->at[f->count++] = n->ino;
		}
		node_free(n);
	}
	disk.node_count = left;
}

void disk_cut(void)
{
	names_cut();
	for (unsigned i = 0; i < disk.node_count; i++) {
		struct node *n = disk.nodes[i];

		if (n->dirty) {
			lose_content(n);
			content_copy(&n->now, &n->disk);
			n->dirty = false;
		}
		n->lock = NULL;
		n->listener = NULL;
		n->links = 0;
		n->reached = false;
		names_take_back(n);
	}
	collect();
	volumes_cut();
	disk.race = NULL;
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
	if (disk.race && disk.calls >= disk.race_at) {
		void (*race)(void *arg) = disk.race;

		disk.race = NULL;
		race(disk.race_arg);
	}
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

void sim_race_at(uint64_t call, void (*fn)(void *arg), void *arg)
{
	disk.race_at = disk.calls + call;
	disk.race = call ? fn : NULL;
	disk.race_arg = arg;
}

uint64_t file_calls(void)
{
	return disk.calls;
}

uint64_t sim_file_calls(void)
{
	return disk.calls;
}

void disk_start(void)
{
	disk.next_ino = 2;
	disk.points = disk.cut_at = disk.calls = disk.fail_at = 0;
	names_start();
	volumes_start();
	disk.root = node_new(NODE_DIR, DEV_DISK, 0755);
	disk.root->parent = disk.root;
}

void disk_stop(void)
{
	for (unsigned i = 0; i < disk.node_count; i++)
		node_free(disk.nodes[i]);
	for (unsigned i = 0; i < DEVS; i++)
		free(disk.numbers[i].at);
	free(disk.nodes);
	names_stop();
	memset(&disk, 0, sizeof(disk));
}
