/* SPDX-License-Identifier: MIT */
/*
 * slots.c - boot.state as a file: two slots of one sector, the newer one counts
 *
 * A boot that loops must count up even when each of its rounds ends by a power cut, and a cut in
 * the middle of a write must leave the old state or the new one. So the newest slot is never
 * touched: the other one is overwritten and followed by fdatasync. A file with no good slot is set
 * aside as boot.state.bad and made anew, because what damaged it may be worth a look. What the
 * numbers mean is not known here. Source: design §5, §6; header state.h.
 */
#include "state/slots.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "sys/sys.h"

#define STATE_BAD_FILE STATE_FILE ".bad"
#define STATE_MAGIC    "SMSSBOOT"
#define STATE_VERSION  1u
#define STATE_MODE     0600u
#define LOCK_TRIES     100u
#define LOCK_PAUSE_MS  10u
#define SLOTS          2u

/* Generations wrap, so the newer one is told by their distance. */
static bool newer(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) > 0;
}

static uint32_t slot_crc(const struct boot_state *s)
{
	struct boot_state bare = *s;

	bare.crc = 0;
	return crc32c(0, &bare, sizeof(bare));
}

static bool slot_good(const struct boot_state *s)
{
	return bytes_same(s->magic, STATE_MAGIC, sizeof(s->magic)) && s->version == STATE_VERSION &&
	       s->crc == slot_crc(s) && s->level < STATE_LEVELS &&
	       str_len(s->boot_id, sizeof(s->boot_id)) < sizeof(s->boot_id) &&
	       str_len(s->stop_culprit, sizeof(s->stop_culprit)) < sizeof(s->stop_culprit) &&
	       str_len(s->stop_text, sizeof(s->stop_text)) < sizeof(s->stop_text);
}

static void slot_seal(struct boot_state *s, uint64_t generation)
{
	memcpy(s->magic, STATE_MAGIC, sizeof(s->magic));
	s->version = STATE_VERSION;
	s->generation = generation;
	s->crc = slot_crc(s);
}

/* What the file holds now. */
struct found {
	enum state_answer answer;
	unsigned newest; /* slot number, only with STATE_READ */
	struct boot_state slot[SLOTS];
};

static int judge(int fd, struct found *f)
{
	ssize_t n = 0;
	struct sys_stat st;
	int r = sys_stat_fd(fd, &st);

	memset(f->slot, 0, sizeof(f->slot));
	f->newest = 0;
	f->answer = STATE_DAMAGED;
	if (r < 0)
		return r;
	if (!S_ISREG(st.mode))
		return 0;
	n = sys_read_all(fd, f->slot, sizeof(f->slot));
	if (n < 0)
		return (int)n;
	if (n == 0) {
		f->answer = STATE_NEW;
		return 0;
	}

	bool good[SLOTS] = {slot_good(&f->slot[0]), slot_good(&f->slot[1])};

	if (!good[0] && !good[1])
		return 0;
	f->answer = STATE_READ;
	f->newest = good[1] && (!good[0] || newer(f->slot[1].generation, f->slot[0].generation));
	return 0;
}

/*
 * Opens and judges the file. NONBLOCK, so that a FIFO put in its place cannot hold a boot up;
 * what is no plain file counts as damaged. *ret_fd is -1 when there is nothing to write into.
 */
static int look(int dir, int flags, struct found *f, int *ret_fd)
{
	_close_ int fd = sys_open(dir, STATE_FILE, flags | O_NOFOLLOW | O_NONBLOCK, 0);
	int r;

	*ret_fd = -1;
	if (fd == -ENOENT || fd == -ELOOP || fd == -EISDIR || fd == -ENXIO) {
		memset(f, 0, sizeof(*f));
		f->answer = fd == -ENOENT ? STATE_NEW : STATE_DAMAGED;
		return 0;
	}
	if (fd < 0)
		return fd;
	r = judge(fd, f);
	if (r < 0)
		return r;
	if (f->answer == STATE_READ)
		*ret_fd = fd_take(fd);
	return 0;
}

/* The state a found file stands for: its newest slot, or the defaults. */
static void newest_of(const struct found *f, struct boot_state *ret)
{
	if (f->answer == STATE_READ) {
		*ret = f->slot[f->newest];
		return;
	}
	memset(ret, 0, sizeof(*ret));
	slot_seal(ret, 0);
}

int state_read(int dir, struct boot_state *ret)
{
	struct found f;
	_close_ int fd = -1;
	int r = look(dir, O_RDONLY, &f, &fd);

	if (r < 0)
		return r;
	newest_of(&f, ret);
	return f.answer;
}

/* A new file with both slots; the older one is the same state, so that either will do. */
static int make_file(int dir, bool damaged, struct boot_state *s)
{
	struct boot_state slot[SLOTS];
	int r;

	if (damaged) {
		r = sys_rename(dir, STATE_FILE, dir, STATE_BAD_FILE, 0);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	slot[0] = *s;
	slot[1] = *s;
	slot_seal(&slot[0], s->generation + 1);
	slot_seal(&slot[1], s->generation);
	r = sys_replace_file(dir, STATE_FILE, slot, sizeof(slot), STATE_MODE);
	if (r < 0)
		return r;
	*s = slot[0];
	return 0;
}

static int put(int fd, unsigned slot, const struct boot_state *s)
{
	const uint64_t at = (uint64_t)slot * STATE_SLOT_BYTES;
	ssize_t n = sys_pwrite(fd, s, sizeof(*s), at);

	if (n < 0)
		return (int)n;
	if (n != (ssize_t)sizeof(*s))
		return -EIO;
	return sys_fdatasync(fd);
}

int slots_write(int dir, struct boot_state *s)
{
	struct found f;
	struct boot_state next = *s;
	_close_ int fd = -1;
	int r;

	if (s->level >= STATE_LEVELS)
		return -EINVAL;
	r = look(dir, O_RDWR, &f, &fd);
	if (r < 0)
		return r;
	if (f.answer != STATE_READ)
		return make_file(dir, f.answer == STATE_DAMAGED, s);

	const struct boot_state *now = &f.slot[f.newest];
	const unsigned other = f.newest ^ 1u;

	if (newer(now->generation, next.generation))
		next.generation = now->generation;
	slot_seal(&next, next.generation + 1);
	r = put(fd, other, &next);
	if (r < 0) {
		/* What could not be made durable must not be read back from the cache as if it
		 * were: the slot is spoilt, the old one counts, if nothing fails again. */
		static const struct boot_state nothing;

		if (sys_pwrite(fd, &nothing, sizeof(nothing), other * STATE_SLOT_BYTES) < 0)
			return r;
		return r;
	}
	*s = next;
	return 0;
}

/*
 * Two copies may want to write at once (a stop while the boot is being accepted). The lock is on a
 * file that only root can open: the directory is readable for everybody, and whoever can open a
 * file can lock it. Where no lock can be had they are not excluded, as without this. Returns an fd,
 * the caller's, whose end is the lock's; or -1.
 */
int slots_lock(int dir)
{
	_close_ int fd =
		sys_open(dir, STATE_LOCK, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK, STATE_MODE);

	for (unsigned i = 0; fd >= 0 && i < LOCK_TRIES; i++) {
		int r = sys_flock(fd, LOCK_EX | LOCK_NB);

		if (r == 0)
			return fd_take(fd);
		if (r != -EAGAIN)
			break;
		sys_sleep_ms(LOCK_PAUSE_MS);
	}
	return -1;
}

int state_write(int dir, struct boot_state *s)
{
	_close_ int held = slots_lock(dir);

	return slots_write(dir, s);
}
