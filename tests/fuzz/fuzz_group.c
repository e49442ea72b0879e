/* SPDX-License-Identifier: MIT */
/*
 * fuzz_group.c - any bytes as a group of file operations, its journal and its things
 *
 * Promises: a group is refused with a reason, or all of it is safe to read, in memory of just that
 * length; a journal and things are read within their bounds; a boot, a boot that falls back and a
 * purge lose no file, touch nothing that the group does not name, give every fd back and come to an
 * end that the next boot leaves alone; a group that was just queued is carried out as its
 * operations say, or not at all; libsm reads the same and changes nothing.
 */
#include <errno.h>
#include <string.h>

#include "../sim/kernel.h"
#include "client/pending.h"
#include "group_input.h"
#include "group_world.h"
#include "pending/protect.h"
#include "pending/purge.h"

#define BOOTS 5u

/* ---- the group in memory ---- */

static void read_places(const struct group_header *g)
{
	char path[PATH_ROOM];

	for (uint32_t i = 0; i < g->places.count; i++) {
		HOLDS(group_place_path(g, i, path, sizeof(path)));
		HOLDS(group_find_place(g, path, strlen(path)) == i);
	}
	HOLDS(group_find_place(g, "/", 1) == NO_PLACE);
}

static void read_rows(const struct group_header *g)
{
	for (uint32_t i = 0; i < g->fs.count; i++) {
		const char *root = group_string(g, group_fs(g, i)->root);

		HOLDS(root[0] == '/');
		touch(root, strlen(root) + 1);
	}
	for (uint32_t i = 0; i < g->ops.count; i++) {
		const struct group_op *o = group_op(g, i);

		HOLDS(o->from < g->places.count);
		HOLDS(o->to < g->places.count || (o->to == NO_PLACE && o->kind == GROUP_DELETE));
		if (o->flags & GROUP_DIGEST)
			touch(group_digest(g, o->digest), SHA256_BYTES);
	}
	touch(g->name, strlen(g->name) + 1);
	touch(g->reason, strlen(g->reason) + 1);
}

static void try_group(void)
{
	const char *why = NULL;

	in.good = NULL;
	if (group_check(in.group, in.group_n, &why) < 0) {
		HOLDS(why && *why);
		return;
	}
	HOLDS(!why);
	read_rows(in.group);
	read_places(in.group);
	in.good = in.group;
}

/* ---- its files ---- */

static bool is_end(enum group_state s)
{
	return s == GROUP_APPLIED || s == GROUP_REFUSED || s == GROUP_QUARANTINED ||
	       s == GROUP_REVERTED;
}

static int open_at(const char *path)
{
	int fd = sys_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	HOLDS(fd >= 0);
	return fd;
}

static struct group_story story_of(uint32_t id)
{
	struct group_story s;
	int dir = open_at(WORLD_QUEUE);

	HOLDS(story_read(dir, id, &s) == 0);
	sys_close(dir);
	HOLDS(s.state < GROUP_STATES && s.end % sizeof(struct group_record) == 0);
	HOLDS(s.attempts <= 1 + s.end / sizeof(struct group_record));
	return s;
}

static void try_records(void *arg)
{
	const struct group_story s = story_of(ID);
	int dir = open_at(WORLD_QUEUE), r;
	struct things_header *room;

	HOLDS(s.end <= in.journal_n);
	HOLDS(s.lost ? s.state == GROUP_BEGUN : s.end || s.state == GROUP_QUEUED);
	if (in.good) {
		room = malloc(sizeof(*room) + (size_t)in.good->places.count * sizeof(struct thing));
		HOLDS(room);
		r = things_read(dir, in.good, room);
		HOLDS(r == 0 || r == -EILSEQ || r == -ENOENT);
		HOLDS(r != -ENOENT || !in.things_n);
		free(room);
	}
	sys_close(dir);
}

/* ---- libsm ---- */

static void problem(void *arg, const struct sm_problem *p)
{
	HOLDS(p->reason < 0 && *sm_reason_text(p->reason));
	touch(p->path, strlen(p->path) + 1);
}

static void try_operations(struct sm_group *g)
{
	struct sm_operation o;
	uint32_t i = 0;

	for (; sm_group_operation(g, i, &o) > 0; i++) {
		HOLDS(o.from[0] == '/' && (o.to[0] == '/' || o.deletes));
		touch(o.from, strlen(o.from) + 1);
		touch(o.to, strlen(o.to) + 1);
		if (o.sha256)
			touch(o.sha256, SHA256_BYTES);
	}
	HOLDS(i <= in.good->ops.count);
}

static void try_history(struct sm_queue *q)
{
	struct sm_group_row row;
	struct sm_group_event event;
	uint32_t cursor = 0, rows = 0;

	while (sm_group_next(q, &cursor, &row) > 0)
		rows++;
	HOLDS(rows == (in.tries & TRY_UNDO ? 2 : 1));
	for (cursor = rows = 0; sm_group_history(q, ID, &cursor, &event) > 0; rows++)
		HOLDS(rows <= in.journal_n / sizeof(struct group_record));
}

static void try_libsm(void *arg)
{
	static struct sight before, after;
	const struct sm_watch watch = {.problem = problem};
	struct sm_queue *q = NULL;
	struct sm_group *g = NULL;
	int r;

	world_look(&before);
	HOLDS(sm_queue_open(NULL, WORLD_STATE, WORLD_HIVE, &q) == 0);
	try_history(q);
	r = sm_group_open(q, ID, &g);
	HOLDS(r == (in.good && in.good->id == ID ? 0 : GROUP_WHY_FORM));
	if (r == 0) {
		try_operations(g);
		in.problems = sm_group_check(g, &watch);
		HOLDS(in.problems >= 0);
		try_operations(g);
		sm_group_free(g);
	}
	sm_queue_close(q);
	world_look(&after);
	HOLDS(world_same(&before, &after));
}

/* ---- boots ---- */

static bool protects(void *arg, const char *path)
{
	return protect_covers(path, WORLD_HIVE, WORLD_STATE);
}

static void told(void *arg, const struct group_told *t)
{
	HOLDS(t->id == ID || (t->id == 2 && in.tries & TRY_UNDO));
	HOLDS(*group_state_word(t->state) != '?' && (!t->result || *group_why_text(t->result)));
	HOLDS(!t->group || t->op == NO_PLACE || t->op < t->group->ops.count ||
	      t->group->flags & GROUP_REVERSE);
}

static void step(void *arg)
{
	int state = sys_open(AT_FDCWD, WORLD_STATE, O_RDONLY | O_DIRECTORY, 0);
	const struct pending_step s = {.state = state,
				       .prefix = "",
				       .boots = BOOTS,
				       .accepted = in.tries & TRY_ACCEPTED ? 2 * BOOTS : 0,
				       .fallback = in.fallback,
				       .protects = protects,
				       .tell = told};

	if (state < 0) /* the disk failed already */
		return;
	in.result = pending_run(&s);
	sys_close(state);
}

static void purge(void *arg)
{
	int state = open_at(WORLD_STATE);
	const struct pending_purge p = {.state = state,
					.prefix = "",
					.accepted = in.tries & TRY_ACCEPTED ? 2 * BOOTS : 0,
					.keep_groups = in.keep,
					.keep_days = in.keep * 365,
					.keep_bytes = (uint64_t)in.keep << 10};
	struct pending_purged done;

	HOLDS(pending_purge(&p, &done) == 0);
	sys_close(state);
}

static void run(void (*f)(void *arg))
{
	const unsigned fds = sim_open_fds();
	const struct sim_record end = sim_run(f, NULL);

	if (end.end == SIM_CUT) {
		sim_reboot(true);
		return;
	}
	HOLDS(end.end == SIM_RETURNED);
	HOLDS(sim_open_fds() == fds);
}

static void boot(bool fallback)
{
	in.fallback = fallback;
	in.result = 0;
	run(step);
	HOLDS(in.result == 0 || in.result == 1);
}

/* Cut, or with a disk that fails once. */
static void boot_in_trouble(bool fallback)
{
	in.fallback = fallback;
	sim_cut_at(in.trouble < FAILS ? sim_points() + in.trouble : 0);
	if (in.trouble >= FAILS)
		sim_fail_at(in.trouble - FAILS + 1, EIO, 1);
	run(step);
	sim_cut_at(0);
	sim_fail_at(0, 0, 0);
}

/* Operation by operation on paper; false: it cannot be. */
static bool on_paper(const struct group_header *g, uint64_t *at)
{
	for (uint32_t i = 0; i < g->ops.count; i++) {
		const struct group_op *o = group_op(g, i);
		const uint64_t thing = at[o->from];

		if (!thing && o->flags & GROUP_OPTIONAL)
			continue;
		if (!thing || thing != o->ino)
			return false;
		if (o->to != NO_PLACE && at[o->to] && !(o->flags & GROUP_REPLACE))
			return false;
		if (o->to != NO_PLACE)
			at[o->to] = thing;
		at[o->from] = 0;
	}
	return true;
}

static void look_at_places(const struct group_header *g, uint64_t *ret)
{
	char path[PATH_ROOM];

	for (uint32_t i = 0; i < g->places.count; i++) {
		HOLDS(group_place_path(g, i, path, sizeof(path)));
		ret[i] = sim_inode(path);
	}
}

/* Just queued: all of it, as its operations say, or nothing. */
static void boot_new_group(void)
{
	static uint64_t was[PLACES_ENDS], want[PLACES_ENDS], is[PLACES_ENDS];
	const struct group_header *g = in.good;
	bool applied;

	look_at_places(g, was);
	memcpy(want, was, sizeof(want));
	boot(false);
	applied = story_of(ID).state == GROUP_APPLIED;
	look_at_places(g, is);
	HOLDS(is_end(story_of(ID).state));
	HOLDS(!applied || on_paper(g, want));
	HOLDS(in.problems ? !applied : applied || story_of(ID).last.result == GROUP_WHY_MOVED_FS);
	HOLDS(!memcmp(is, applied ? want : was, g->places.count * sizeof(*is)));
}

/* The group that the machine has, or the one that it takes back: whose places may change. */
static void laws(const struct sight *before, bool purged)
{
	static struct sight after;

	world_look(&after);
	if (names_queue(in.good)) /* with root's permission, or by its journal */
		return;
	nothing_is_lost(before, &after, purged);
	only_places(before, &after, in.good);
}

static void count_waiting(void *arg)
{
	int state = open_at(WORLD_STATE);

	in.result = pending_waiting(state, false, 0);
	HOLDS(in.result >= 0);
	sys_close(state);
}

/* Once nothing waits, a boot changes nothing. */
static void boot_quietly(void)
{
	static struct sight before, after;
	const bool ended =
		is_end(story_of(ID).state) && (!(in.tries & TRY_UNDO) || is_end(story_of(2).state));

	run(count_waiting);
	HOLDS(ended == !in.result);
	if (!ended)
		return;
	world_look(&before);
	boot(false);
	world_look(&after);
	HOLDS(world_same(&before, &after));
}

static bool may_be_purged(uint32_t id)
{
	const struct group_story s = story_of(id);
	const uint64_t boots = s.state == GROUP_APPLIED ? s.applied_boots : s.last.boots;

	return is_end(s.state) && (s.purged || boots <= (in.tries & TRY_ACCEPTED ? 2 * BOOTS : 0));
}

static void try_life(void)
{
	static struct sight first, before;
	const bool back = in.tries & TRY_BACK_FIRST;
	bool purges;

	world_look(&first);
	if (in.good && !in.good->flags && in.good->id == ID && !in.journal_n && !in.things_n &&
	    !back && !in.trouble && !(in.tries & TRY_UNDO) && !names_queue(in.good))
		boot_new_group();
	else if (in.trouble)
		boot_in_trouble(back);
	laws(&first, false);
	boot(back);
	laws(&first, false);
	boot_quietly();
	boot(!back);
	laws(&first, false);
	world_look(&before);
	purges = may_be_purged(ID);
	in.keep = 100;
	run(purge);
	laws(&before, purges);
	in.keep = 0;
	run(purge);
	laws(&before, purges);
	boot(false);
	laws(&before, purges);
}

/* ---- one case ---- */

static void put(const char *ending, const void *bytes, size_t n, uint32_t id)
{
	char path[64] = WORLD_QUEUE "/";

	group_file_name(path + strlen(path), id, ending);
	if (n)
		sim_make_file(path, bytes, n, 0600);
}

static void put_undo(void)
{
	static struct {
		struct group_header h;
		char strings[8];
	} file;

	memset(&file, 0, sizeof(file));
	memcpy(file.h.magic, GROUP_MAGIC, sizeof(file.h.magic));
	file.h.id = 2;
	file.h.bytes = sizeof(file);
	file.h.flags = GROUP_REVERSE;
	file.h.of = ID;
	file.h.strings = sizeof(file.h);
	file.h.crc = group_crc(&file.h);
	put(".group", &file, sizeof(file), 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < HEAD)
		return 0;
	input_split(data, n);
	world_make();
	input_mend_group();
	try_group();
	input_mend_records();
	if (!in.good || in.good->places.count <= PLACES_ENDS) {
		put(".group", in.group, in.group_n ? in.group_n : 1, ID);
		put(".journal", in.journal, in.journal_n, ID);
		put(".things", in.things, in.things_n, ID);
		if (in.tries & TRY_UNDO)
			put_undo();
		run(try_records);
		run(try_libsm);
		try_life();
	}
	sim_stop();
	input_free();
	return 0;
}
