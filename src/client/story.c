/* SPDX-License-Identifier: MIT */
/*
 * story.c - libsm: what happened to a group, and which path it was about; see sm.h
 *
 * A journal has the number of an operation and why. An operation has two paths: which of them is
 * meant follows from the reason, and where it does not, from how the two stand now.
 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "client/pending.h"

/* What the reason says can be seen at that place now. */
static bool shows(const struct sm_queue *q, const struct group_header *g, uint32_t place,
		  int reason)
{
	const struct group_place *p = group_place(g, place);
	const struct group_dir *d = group_dir(g, p->dir);
	_close_ int dir = open_dir(q, group_string(g, d->path));
	struct sys_identity id;
	uint8_t uuid[16];

	if (dir < 0)
		return reason == GROUP_WHY_LINK || reason == -ENOENT || reason == -ENOTDIR ||
		       reason == dir;
	if (reason == GROUP_WHY_MOVED_FS)
		return sys_fs_id(dir, uuid) == 0 &&
		       !bytes_same(uuid, group_fs(g, d->fs)->uuid, sizeof(uuid));
	if ((reason != -EPERM && reason != GROUP_WHY_MOUNT) ||
	    sys_identify(dir, group_string(g, p->name), &id) < 0)
		return false;
	return id.flags & (reason == -EPERM ? SYS_IDENTITY_FIXED : SYS_IDENTITY_MOUNT);
}

static bool about_target(struct sm_queue *q, const struct group_header *g, const struct group_op *o,
			 int reason)
{
	char from[PATH_BYTES], to[PATH_BYTES];

	if (o->to == NO_PLACE || reason == -EEXIST || reason == GROUP_WHY_KIND)
		return o->to != NO_PLACE;
	if (reason != GROUP_WHY_PROTECTED)
		return shows(q, g, o->to, reason) && !shows(q, g, o->from, reason);
	if (!group_place_path(g, o->from, from, sizeof(from)) ||
	    !group_place_path(g, o->to, to, sizeof(to)))
		return false;
	return queue_protects(q, to) && (o->flags & GROUP_STAGED || !queue_protects(q, from));
}

/* The path that operation `op` of a file is shown with, when it failed for that reason. */
static void path_of(struct sm_queue *q, const struct group_header *g, uint32_t op, int reason,
		    char room[PATH_BYTES])
{
	const struct group_op *o = group_op(g, op);
	uint32_t place = o->from;

	if (about_target(q, g, o, reason))
		place = o->to;
	else if (o->flags & GROUP_STAGED && op + 1 < g->ops.count)
		place = group_op(g, op + 1)->from; /* the original, not our copy of it */
	if (!group_place_path(g, place, room, PATH_BYTES))
		room[0] = 0;
}

uint32_t queue_blame(struct sm_queue *q, const struct group_header *g, uint32_t op, int reason,
		     char room[PATH_BYTES])
{
	const struct group_header *of = NULL;
	uint32_t number = SM_NO_OPERATION;

	room[0] = 0;
	if (op == NO_PLACE)
		return number;
	if (g->flags & GROUP_REVERSE && pending_load(q->dir, g->of, &of) == 0)
		g = of;
	number = queue_user_number(g, op);
	if (number != SM_NO_OPERATION && reason)
		path_of(q, g, op, reason, room);
	pending_unload(of);
	return number;
}

static const char *event_word(uint32_t event)
{
	static const char *const words[GROUP_EV_EVENTS] = {
		[GROUP_EV_BEGIN] = "begun",
		[GROUP_EV_COMMIT] = "applied",
		[GROUP_EV_FAILED] = "failed",
		[GROUP_EV_REFUSED] = "refused",
		[GROUP_EV_QUARANTINED] = "quarantined",
		[GROUP_EV_REVERTING] = "reverting",
		[GROUP_EV_REVERTED] = "reverted",
		[GROUP_EV_PURGED] = "purged",
		[GROUP_EV_RETRY] = "retried",
	};

	return event < GROUP_EV_EVENTS && words[event] ? words[event] : "?";
}

int sm_group_history(struct sm_queue *q, uint32_t group, uint32_t *cursor,
		     struct sm_group_event *ret)
{
	const struct group_header *g = NULL;
	char name[GROUP_FILE_BYTES];
	struct group_record rec, bare;
	struct group_story story;
	_close_ int fd = -1;
	ssize_t n;
	int r;

	if (q->dir < 0)
		return 0;
	r = story_read(q->dir, group, &story);
	if (r < 0)
		return r;
	group_file_name(name, group, ".journal");
	fd = sys_open(q->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	do {
		n = sys_pread(fd, &rec, sizeof(rec), (uint64_t)*cursor * sizeof(rec));
		if (n != (ssize_t)sizeof(rec))
			return n < 0 ? (int)n : 0;
		bare = rec;
		bare.crc = 0;
		if (rec.crc != crc32c(0, &bare, sizeof(bare)) || rec.id != group)
			return 0;
		*cursor += 1;
	} while (story.group_crc && rec.group_crc != story.group_crc);
	*ret = (struct sm_group_event){.event = event_word(rec.event),
				       .operation = SM_NO_OPERATION,
				       .reason = rec.result,
				       .foreign = rec.foreign,
				       .boot = rec.boots,
				       .wall_s = rec.wall_s};
	if (rec.op != NO_PLACE && pending_load(q->dir, group, &g) == 0)
		ret->operation = queue_blame(q, g, rec.op, rec.result, ret->path);
	pending_unload(g);
	return 1;
}
