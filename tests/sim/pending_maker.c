/* SPDX-License-Identifier: MIT */
/*
 * pending_maker.c - a small writer of group files; see pending_maker.h
 *
 * Everything stands in the order that the form asks for because the model's places do.
 */
#include "pending_maker.h"

#include <string.h>

#include "base/bytes.h"
#include "pending/group.h"
#include "sys/sys.h"

static struct {
	struct group_header h;
	struct group_fs fs[M_VOLUMES];
	struct group_dir dirs[M_DIRS + M_VOLUMES + 1];
	struct group_place places[M_PLACES + M_COPIES + 1];
	struct group_op ops[M_OPS];
	uint8_t digests[M_OPS][32];
	char strings[2048];
} file;

static uint32_t used; /* of the strings */

static uint32_t string_add(const char *s, size_t n)
{
	const uint32_t at = used;

	memcpy(file.strings + used, s, n);
	file.strings[used + n] = 0;
	used += (uint32_t)n + 1;
	return at;
}

/* The file systems that some place lies on; row_of: NO_PLACE for the others. */
static int add_fs(const bool *touched, uint32_t *row_of)
{
	for (unsigned v = 0; v < M_VOLUMES; v++)
		row_of[v] = NO_PLACE;
	for (unsigned i = 0; i < M_ALL; i++)
		if (touched[i])
			row_of[m_volume(i)] = 0;
	for (unsigned v = 0; v < M_VOLUMES; v++) {
		struct group_fs *f = &file.fs[file.h.fs.count];
		const char *root = v ? m_root(v) : "/";
		_close_ int fd = -1;
		int r;

		if (row_of[v] == NO_PLACE)
			continue;
		row_of[v] = file.h.fs.count++;
		fd = sys_open(AT_FDCWD, root, O_RDONLY | O_DIRECTORY, 0);
		f->root = string_add(root, strlen(root));
		r = sys_fs_id(fd, f->uuid);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The places of one directory, which are neighbours in the model too. */
static void add_dir(unsigned first, unsigned count, const bool *touched, uint32_t *row_of,
		    uint32_t fs)
{
	uint32_t dir = NO_PLACE;

	for (unsigned i = first; i < first + count; i++) {
		const char *path = m_path(i), *slash = strrchr(path, '/');

		if (!touched[i])
			continue;
		if (dir == NO_PLACE) {
			dir = file.h.dirs.count++;
			file.dirs[dir].fs = fs;
			file.dirs[dir].path = string_add(path, (size_t)(slash - path));
		}
		row_of[i] = file.h.places.count;
		file.places[file.h.places.count++] = (struct group_place){
			.dir = dir, .name = string_add(slash + 1, strlen(slash + 1))};
	}
}

/* By path: a ".smss" comes before every letter, and after the directory it lies in. */
static void add_places(unsigned group, const bool *touched, uint32_t *row_of, const uint32_t *fs)
{
	add_dir(m_copy(group, 0, 0), M_VOLUME_COPIES, touched, row_of, fs[0]);
	for (unsigned d = 0; d < M_DIRS; d++) {
		const unsigned v = m_volume(d * M_NAMES);

		add_dir(d * M_NAMES, M_NAMES, touched, row_of, fs[v]);
		if (v && m_volume(d * M_NAMES - 1) != v)
			add_dir(m_copy(group, v, 0), M_VOLUME_COPIES, touched, row_of, fs[v]);
	}
}

static void add_ops(const struct m_group *g, const uint32_t *places,
		    const struct made_thing *things)
{
	for (unsigned i = 0; i < g->count; i++) {
		const struct m_op *o = &g->ops[i];
		const struct made_thing *t = &things[o->thing];
		uint32_t d = 0;

		if (o->digest) {
			d = file.h.digests.count++;
			memcpy(file.digests[d], t->digest, 32);
			file.digests[d][3] ^= o->wrong_digest;
		}
		file.ops[file.h.ops.count++] = (struct group_op){
			.kind = o->move ? GROUP_MOVE : GROUP_DELETE,
			.flags = (uint16_t)((o->replace ? GROUP_REPLACE : 0) |
					    (o->optional ? GROUP_OPTIONAL : 0) |
					    (o->staged ? GROUP_STAGED : 0) |
					    (o->digest ? GROUP_DIGEST : 0)),
			.from = places[o->from],
			.to = o->move ? places[o->to] : NO_PLACE,
			.digest = d,
			.ino = t->ino,
			.tag = t->tag,
			.bytes = t->bytes,
		};
	}
}

static void tables(void)
{
#define AT(field) ((uint32_t)((char *)file.field - (char *)&file))
	file.h.fs.at = AT(fs);
	file.h.dirs.at = AT(dirs);
	file.h.places.at = AT(places);
	file.h.ops.at = AT(ops);
	file.h.digests.at = AT(digests);
	file.h.strings = AT(strings);
#undef AT
}

/* A directory inside the first place: no path may go through what the group moves. */
static void twist(const struct m_group *g)
{
	const char *path = m_path(g->ops[0].from);

	file.dirs[file.h.dirs.count++].path = string_add(path, strlen(path));
}

int maker_write(const struct m_group *g, unsigned id, const struct made_thing *things)
{
	uint32_t fs[M_VOLUMES], places[M_ALL];
	bool touched[M_ALL];
	char name[GROUP_FILE_BYTES];
	_close_ int dir = -1;
	int r;

	memset(&file, 0, sizeof(file));
	used = 0;
	memcpy(file.h.magic, GROUP_MAGIC, 8);
	file.h.id = id;
	string_add("", 0);
	file.h.flags = (g->permitted ? GROUP_PROTECTED : 0) | (g->of ? GROUP_REVERSE : 0);
	file.h.of = g->of;
	if (!g->of) {
		m_touched(g, touched);
		r = add_fs(touched, fs);
		if (r < 0)
			return r;
		add_places(id - 1, touched, places, fs);
		add_ops(g, places, things);
	}
	tables();
	if (g->twisted)
		twist(g);
	file.h.bytes = file.h.strings + used;
	file.h.crc = group_crc(&file.h);
	group_file_name(name, id, ".group");
	dir = sys_open(AT_FDCWD, MAKER_STATE "/" PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY, 0);
	return dir < 0 ? dir : sys_replace_file(dir, name, &file, file.h.bytes, 0600);
}
