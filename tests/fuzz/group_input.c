/* SPDX-License-Identifier: MIT */
/*
 * group_input.c - an input of the target of groups, and what would end every mutation of it made
 * right; see group_input.h
 */
#include "group_input.h"

#include <string.h>
#include <sys/stat.h>

#include "../sim/kernel.h"
#include "base/bytes.h"
#include "group_world.h"

struct input in;

static void *part(const uint8_t *data, size_t n)
{
	void *p = malloc(n ? n : 1);

	HOLDS(p);
	if (n)
		memcpy(p, data, n);
	return p;
}

void input_split(const uint8_t *data, size_t n)
{
	memset(&in, 0, sizeof(in));
	in.tries = data[0];
	in.trouble = data[1];
	in.group_n = data[2] | (size_t)data[3] << 8;
	in.journal_n = data[4] | (size_t)data[5] << 8;
	data += HEAD;
	n -= HEAD;
	in.group_n = in.group_n < n ? in.group_n : n;
	in.group = part(data, in.group_n);
	data += in.group_n;
	n -= in.group_n;
	in.journal_n = in.journal_n < n ? in.journal_n : n;
	in.journal = part(data, in.journal_n);
	in.things = part(data + in.journal_n, n - in.journal_n);
	in.things_n = n - in.journal_n;
}

void input_free(void)
{
	free(in.group);
	free(in.journal);
	free(in.things);
}

static void sum(void)
{
	struct group_header *g = in.group;

	if (!(in.tries & TRY_SUM) || in.group_n <= sizeof(*g))
		return;
	memcpy(g->magic, GROUP_MAGIC, sizeof(g->magic));
	((char *)g)[in.group_n - 1] = 0;
	g->id = ID;
	g->bytes = in.group_n;
	g->crc = group_crc(g);
}

static void fix_fs(struct group_header *g)
{
	for (uint32_t i = 0; i < g->fs.count; i++) {
		struct group_fs *f = (struct group_fs *)(uintptr_t)group_fs(g, i);
		int fd = sys_open(AT_FDCWD, group_string(g, f->root), O_RDONLY | O_DIRECTORY, 0);

		if (fd >= 0)
			(void)!sys_fs_id(fd, f->uuid);
		if (fd >= 0)
			sys_close(fd);
	}
}

static void fix_op(struct group_header *g, struct group_op *o, uint32_t thing)
{
	char path[PATH_ROOM];
	struct sys_identity id;
	const void *bytes;
	size_t n = 0;

	if (!group_place_path(g, thing, path, sizeof(path)) ||
	    sys_identify(AT_FDCWD, path, &id) < 0)
		return;
	o->ino = id.ino;
	o->tag = id.tag;
	o->bytes = S_ISDIR(id.mode) ? 0 : id.bytes;
	bytes = sim_look(path, &n);
	if (o->flags & GROUP_DIGEST && bytes)
		sha256_of(bytes, n, (uint8_t *)(uintptr_t)group_digest(g, o->digest));
}

/* Tables may overlap: what was let through is looked at again before each row is changed. */
static void fix_identities(void)
{
	static uint32_t at[PLACES_ENDS]; /* the place that began with what is there by then */
	struct group_header *g = in.group;

	if (!(in.tries & TRY_IDENTITY) || group_check(g, in.group_n, NULL) < 0 ||
	    g->places.count > PLACES_ENDS)
		return;
	for (uint32_t i = 0; i < g->places.count; i++)
		at[i] = i;
	fix_fs(g);
	sum();
	for (uint32_t i = 0; group_check(g, in.group_n, NULL) == 0 && i < g->ops.count; i++) {
		const struct group_op o = *group_op(g, i);

		if (at[o.from] != NO_PLACE)
			fix_op(g, (struct group_op *)(uintptr_t)group_op(g, i), at[o.from]);
		if (o.to != NO_PLACE)
			at[o.to] = at[o.from];
		at[o.from] = NO_PLACE;
		sum();
	}
}

static void fix_records(void)
{
	uint8_t *p = in.journal;

	for (size_t n = in.journal_n; in.tries & TRY_RECORDS && n >= sizeof(struct group_record);
	     p += sizeof(struct group_record), n -= sizeof(struct group_record)) {
		struct group_record r;

		memcpy(&r, p, sizeof(r));
		r.id = ID;
		if (!(r.reserved[0] & 1) && in.group_n >= sizeof(struct group_header))
			r.group_crc = in.group->crc;
		r.crc = 0;
		r.crc = crc32c(0, &r, sizeof(r));
		memcpy(p, &r, sizeof(r));
	}
}

/* The first byte of a row chooses a thing of the machine. */
static void fix_rows(struct thing *rows, uint32_t count)
{
	static struct sight s;

	world_look(&s);
	for (uint32_t i = 0; i < count; i++) {
		const unsigned chosen = (unsigned)(rows[i].ino & 0xFF) % (s.count + 1);
		struct sys_identity id = {0};

		if (chosen < s.count)
			HOLDS(sys_identify(AT_FDCWD, s.at[chosen].path, &id) == 0);
		rows[i] = (struct thing){.ino = id.ino, .tag = id.tag};
	}
}

static void fix_things(void)
{
	struct things_header *h;
	size_t n;

	if (!(in.tries & TRY_THINGS) || !in.good || !in.things_n)
		return;
	n = sizeof(*h) + (size_t)in.good->places.count * sizeof(struct thing);
	h = calloc(1, n);
	HOLDS(h);
	memcpy(h, in.things, n < in.things_n ? n : in.things_n);
	free(in.things);
	in.things = (uint8_t *)h;
	in.things_n = n;
	if (in.tries & TRY_THING_ROWS)
		fix_rows((struct thing *)(h + 1), in.good->places.count);
	memcpy(h->magic, "SMSSTHNG", 8);
	h->id = ID;
	h->group_crc = in.good->crc;
	h->count = in.good->places.count;
	h->crc = 0;
	h->crc = crc32c(0, h, n);
}

void input_mend_group(void)
{
	sum();
	fix_identities();
}

void input_mend_records(void)
{
	fix_records();
	fix_things();
}
