/* SPDX-License-Identifier: MIT */
/*
 * record.c - journals and things of groups, durable; see record.h
 *
 * Never logs, allocates nothing. A record that could not be made durable is an error of the
 * caller's step: nothing of the group may be touched then.
 */
#include "pending/record.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/sys.h"

#define THINGS_MAGIC "SMSSTHNG"
#define FILE_MODE    0600u
#define NO_REPLACE   1u /* RENAME_NOREPLACE */

const char *group_state_word(unsigned state)
{
	static const char *const words[GROUP_STATES] = {
		[GROUP_QUEUED] = "queued",       [GROUP_BEGUN] = "begun",
		[GROUP_APPLIED] = "applied",     [GROUP_FAILED] = "failed",
		[GROUP_REFUSED] = "refused",     [GROUP_QUARANTINED] = "quarantined",
		[GROUP_REVERTING] = "reverting", [GROUP_REVERTED] = "reverted",
	};

	return state < GROUP_STATES ? words[state] : "?";
}

const char *group_why_text(int result)
{
	switch (result) {
	case GROUP_WHY_IDENTITY:
		return "the file found is not the file that was queued";
	case GROUP_WHY_DIGEST:
		return "its content is not what was queued";
	case GROUP_WHY_PROTECTED:
		return "a protected path, and the group has no permission";
	case GROUP_WHY_LINK:
		return "a link in the way; queued paths are canonical";
	case GROUP_WHY_MOVED_FS:
		return "another file system is mounted there now";
	case GROUP_WHY_KIND:
		return "a directory in a file's place, or a file in a directory's";
	case GROUP_WHY_MOUNT:
		return "something is mounted there";
	case GROUP_WHY_GONE:
		return "something of the group is nowhere to be found";
	case GROUP_WHY_KEPT:
		return "there is nothing to take back: not applied, or its originals are gone";
	case GROUP_WHY_ALIEN:
		return "its journal is that of another group; nothing was touched";
	case GROUP_WHY_STUCK:
		return "a directory is gone or closed: what belongs there stays in the graveyard";
	case GROUP_WHY_FORM:
		return "the group file is damaged";
	default:
		if (result < 0 && result > GROUP_WHY_IDENTITY)
			return err_text(-result);
		return result ? "for a reason unknown here" : ""; /* a record may say anything */
	}
}

static uint32_t record_crc(const struct group_record *r)
{
	struct group_record bare = *r;

	bare.crc = 0;
	return crc32c(0, &bare, sizeof(bare));
}

static void take_in(struct group_story *s, const struct group_record *r)
{
	static const enum group_state after[GROUP_EV_EVENTS] = {
		[GROUP_EV_BEGIN] = GROUP_BEGUN,
		[GROUP_EV_COMMIT] = GROUP_APPLIED,
		[GROUP_EV_FAILED] = GROUP_FAILED,
		[GROUP_EV_REFUSED] = GROUP_REFUSED,
		[GROUP_EV_QUARANTINED] = GROUP_QUARANTINED,
		[GROUP_EV_REVERTING] = GROUP_REVERTING,
		[GROUP_EV_REVERTED] = GROUP_REVERTED,
		[GROUP_EV_RETRY] = GROUP_QUEUED,
	};

	if (r->event == GROUP_EV_PURGED) {
		s->purged = true;
		return;
	}
	s->state = after[r->event];
	s->aside += r->foreign;
	s->stuck |= r->result == GROUP_WHY_STUCK;
	if (r->event == GROUP_EV_BEGIN)
		s->attempts++;
	if (r->event == GROUP_EV_RETRY) {
		s->attempts = 0;
		s->purged = false;
	}
	if (r->event == GROUP_EV_COMMIT)
		s->applied_boots = r->boots;
	s->last = *r;
}

/* Nothing there, or a link, a directory, a pipe that nobody fills, a device that is none. */
static bool no_file(int r)
{
	return r == -ENOENT || r == -ELOOP || r == -EISDIR || r == -EAGAIN || r == -ENXIO;
}

/* A read may come back short without being at the end. */
static ssize_t read_record(int fd, uint64_t at, struct group_record *to)
{
	size_t have = 0;

	while (have < sizeof(*to)) {
		ssize_t n = sys_pread(fd, (char *)to + have, sizeof(*to) - have, at + have);

		if (n <= 0)
			return n < 0 ? n : (ssize_t)have;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* Of the group file, as its beginning tells; 0 when there is none, or not even that. */
static int crc_of_group(int dir, uint32_t id, uint32_t *ret)
{
	char name[GROUP_FILE_BYTES];
	struct group_header head;
	_close_ int fd = -1;
	ssize_t n;

	group_file_name(name, id, ".group");
	fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	n = fd < 0 ? fd : sys_read_all(fd, &head, sizeof(head));
	*ret = n == (ssize_t)sizeof(head) ? head.crc : 0;
	/* what is no file is found to be no group when it is loaded */
	return n >= 0 || no_file((int)n) ? 0 : (int)n;
}

static int scan(int fd, uint32_t id, struct group_story *s)
{
	struct group_record r;
	bool ours = false;
	ssize_t n;

	/* Bounded by the file; records of one group are few. */
	while ((n = read_record(fd, s->end, &r)) == (ssize_t)sizeof(r)) {
		if (r.crc != record_crc(&r) || r.id != id || !r.event || r.event >= GROUP_EV_EVENTS)
			break;
		s->end += sizeof(r);
		if (s->group_crc && r.group_crc != s->group_crc)
			continue;
		take_in(s, &r);
		ours = true;
	}
	s->alien = s->end && !ours;
	return n < 0 ? (int)n : 0;
}

/* Things come after BEGIN was durable: that record was there. */
static int things_alone(int dir, uint32_t id, struct group_story *s)
{
	char name[GROUP_FILE_BYTES];
	struct things_header head;
	_close_ int fd = -1;
	ssize_t n;

	group_file_name(name, id, ".things");
	fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	n = fd < 0 ? fd : sys_read_all(fd, &head, sizeof(head));
	if (n == (ssize_t)sizeof(head) && bytes_same(head.magic, THINGS_MAGIC, 8) &&
	    head.id == id && head.group_crc == s->group_crc) {
		s->state = GROUP_BEGUN;
		s->attempts = 1;
		s->lost = true;
	}
	return n >= 0 || no_file((int)n) ? 0 : (int)n;
}

int story_read(int dir, uint32_t id, struct group_story *ret)
{
	char name[GROUP_FILE_BYTES];
	struct group_story s = {.state = GROUP_QUEUED};
	_close_ int fd = -1;
	struct sys_stat st = {0};
	int r = crc_of_group(dir, id, &s.group_crc);

	if (r < 0)
		return r;
	group_file_name(name, id, ".journal");
	fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	r = fd < 0 ? fd : sys_stat_fd(fd, &st);
	if (r >= 0 && S_ISREG(st.mode))
		r = scan(fd, id, &s);
	if (r >= 0 || no_file(r))
		r = !s.group_crc || (s.end && !s.alien) ? 0 : things_alone(dir, id, &s);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}

int record_set_aside(int dir, uint32_t id, const char *ending)
{
	char name[GROUP_FILE_BYTES], odd[GROUP_FILE_BYTES];
	struct sys_stat st;
	int r;

	group_file_name(name, id, ending);
	group_file_name(odd, id, ".odd");
	r = sys_stat_at(dir, name, AT_SYMLINK_NOFOLLOW, &st);
	if (r < 0 || S_ISREG(st.mode))
		return r == -ENOENT || r >= 0 ? 0 : r;
	r = sys_rename(dir, name, dir, odd, NO_REPLACE);
	return r < 0 ? r : sys_fsync(dir);
}

int story_add(int dir, uint32_t id, enum group_event event, struct group_record record,
	      struct group_story *story)
{
	char name[GROUP_FILE_BYTES];
	_close_ int fd = -1;
	ssize_t n;
	int r;

	record.event = event;
	record.id = id;
	record.wall_s = sys_wall_s();
	record.group_crc = story->group_crc;
	record.crc = 0;
	record.crc = record_crc(&record);
	group_file_name(name, id, ".journal");
	r = story->end ? 0 : record_set_aside(dir, id, ".journal");
	if (r < 0)
		return r;
	fd = sys_open(dir, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
	if (fd < 0)
		return fd;
	n = sys_pwrite(fd, &record, sizeof(record), story->end);
	if (n != (ssize_t)sizeof(record))
		return n < 0 ? (int)n : -EIO;
	r = sys_fsync(fd);
	if (r >= 0 && !story->end)
		r = sys_fsync(dir);
	if (r < 0)
		return r;
	story->end += sizeof(record);
	story->alien = story->lost = false;
	take_in(story, &record);
	return 0;
}

static size_t things_bytes(const struct group_header *g)
{
	return sizeof(struct things_header) + (size_t)g->places.count * sizeof(struct thing);
}

int things_write(int dir, const struct group_header *g, struct things_header *room)
{
	char name[GROUP_FILE_BYTES];

	memcpy(room->magic, THINGS_MAGIC, sizeof(room->magic));
	room->group_crc = g->crc;
	room->id = g->id;
	room->count = g->places.count;
	room->crc = 0;
	room->crc = crc32c(0, room, things_bytes(g));
	group_file_name(name, g->id, ".things");
	return sys_replace_file(dir, name, room, things_bytes(g), FILE_MODE);
}

int things_read(int dir, const struct group_header *g, struct things_header *room)
{
	char name[GROUP_FILE_BYTES];
	_close_ int fd = -1;
	uint32_t crc;
	ssize_t n;

	group_file_name(name, g->id, ".things");
	fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	n = fd < 0 ? fd : sys_read_all(fd, room, things_bytes(g));
	if (n < 0)
		return n != -ENOENT && no_file((int)n) ? -EILSEQ : (int)n;
	if ((size_t)n != things_bytes(g) || !bytes_same(room->magic, THINGS_MAGIC, 8) ||
	    room->id != g->id || room->count != g->places.count || room->group_crc != g->crc)
		return -EILSEQ;
	crc = room->crc;
	room->crc = 0;
	return crc == crc32c(0, room, things_bytes(g)) ? 0 : -EILSEQ;
}
