/* SPDX-License-Identifier: MIT */
/*
 * state.c - boot.state: two slots of one sector, the newer one counts
 *
 * A boot that loops must count up even when each of its rounds ends by a power cut, and a cut in
 * the middle of a write must leave the old state or the new one. So the newest slot is never
 * touched: the other one is overwritten and followed by fdatasync. A file with no good slot is set
 * aside as boot.state.bad and made anew, because what damaged it may be worth a look. This code is
 * linked into programs without a heap; it uses the door (sys/sys.h) only and never logs: its
 * callers say aloud what it answers. Source: design §5, §6; header state.h.
 */
#include "state/state.h"

#include <errno.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/words.h"
#include "sys/sys.h"
#include "wire/wire.h"

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

/* Stays below STATE_REJECTED, which no counting may reach or leave. */
static void count_up(uint32_t *counter)
{
	if (*counter < UINT32_MAX - 1)
		(*counter)++;
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

static int write_locked(int dir, struct boot_state *s)
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
static int lock(int dir)
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
	_close_ int held = lock(dir);

	return write_locked(dir, s);
}

/* The state is read, changed and written back under one lock; a change answers < 0 to refuse,
 * 0 for "nothing to write", 1 for "write". */
struct change {
	int (*apply)(struct boot_state *s, const struct change *c);
	uint32_t level, code, status, phase;
	uint64_t wall_s;
	const char *name, *text;
	const uint8_t *digest;
	bool *ret_said; /* an end that nobody recorded; an end that was taken back too often */
};

static int change_state(int dir, const struct change *c, struct boot_state *ret)
{
	_close_ int held = lock(dir);
	int r = state_read(dir, ret);

	if (r >= 0)
		r = c->apply(ret, c);
	if (r > 0)
		return write_locked(dir, ret);
	return r;
}

static void put_stop(struct boot_state *s, const struct change *c)
{
	s->stop_code = c->code;
	s->stop_status = c->status;
	s->stop_phase = c->phase;
	s->stop_wall_s = c->wall_s;
	str_copy(s->stop_culprit, sizeof(s->stop_culprit), c->name ? c->name : "");
	str_copy(s->stop_text, sizeof(s->stop_text), c->text ? c->text : "");
	count_up(&s->stop_count);
	s->running = 0; /* its end is known now, so the next boot does not file another */
}

/* An earlier boot that still runs, by the file, ended without a word: that is a stop too. */
static void put_unknown_end(struct boot_state *s, const char *boot_id)
{
	/* Without a boot_id (no /proc) every boot is another one. */
	const bool same_kernel = boot_id[0] && str_same(s->boot_id, boot_id);
	const struct change stop = {
		.code = same_kernel ? STOP_MASTER_KILLED : STOP_POWER_LOST,
		.phase = s->accepted ? PHASE_READY : PHASE_STATE,
		.wall_s = sys_wall_s(),
		.name = same_kernel ? "smss" : "power",
		.text = same_kernel ? "killed from outside, noticed by the next start"
				    : "no orderly end, noticed by the next boot",
	};

	put_stop(s, &stop);
}

/* Where the digest of the hive is kept that a level's attempts belong to; the last has none. */
static uint8_t *digest_of(struct boot_state *s, unsigned level)
{
	return level == SM_LEVEL_CURRENT ? s->hive_block_sha256
	       : level == SM_LEVEL_LKG   ? s->lkg_block_sha256
					 : NULL;
}

static int apply_attempt(struct boot_state *s, const struct change *c)
{
	char boot_id[sizeof(s->boot_id)];
	uint8_t *digest = digest_of(s, c->level);

	str_copy(boot_id, sizeof(boot_id), c->name);
	*c->ret_said = s->running != 0;
	if (s->running)
		put_unknown_end(s, boot_id);
	s->level = c->level;
	if (digest && !bytes_same(digest, c->digest, SHA256_BYTES)) {
		s->attempts[c->level] = 0;
		s->early_ends[c->level] = 0;
		memcpy(digest, c->digest, SHA256_BYTES);
	}
	count_up(&s->attempts[c->level]);
	if (s->boots < UINT64_MAX)
		s->boots++;
	s->running = 1;
	s->accepted = 0;
	s->once = 0;
	memcpy(s->boot_id, boot_id, sizeof(s->boot_id));
	return 1;
}

int state_count_attempt(int dir, unsigned level, const char *boot_id,
			const uint8_t block_sha256[SHA256_BYTES], struct boot_state *ret)
{
	bool unknown_end = false;
	const struct change c = {
		.apply = apply_attempt,
		.level = level,
		.name = boot_id,
		.digest = block_sha256,
		.ret_said = &unknown_end,
	};
	struct boot_state s;
	int r;

	if (level >= STATE_LEVELS || (level != SM_LEVEL_BUILTIN && !block_sha256))
		return -EINVAL;
	r = change_state(dir, &c, &s);
	if (r < 0)
		return r;
	*ret = s;
	return unknown_end;
}

bool state_used_up(const struct boot_state *s, unsigned level, uint32_t allowed,
		   const uint8_t block_sha256[SHA256_BYTES])
{
	const uint8_t *digest =
		level == SM_LEVEL_CURRENT ? s->hive_block_sha256 : s->lkg_block_sha256;

	return level < SM_LEVEL_BUILTIN && s->attempts[level] >= allowed &&
	       bytes_same(digest, block_sha256, SHA256_BYTES);
}

static int apply_accept(struct boot_state *s, const struct change *c)
{
	const struct boot_state was = *s;

	if (!s->running)
		return -ESRCH;
	s->accepted = 1;
	s->accepted_boots = s->boots;
	s->attempts[s->level] = 0;
	s->early_ends[s->level] = 0;
	s->attempts[SM_LEVEL_BUILTIN] = 0; /* it counts what failed since the last good boot */
	if (c->digest) {
		s->attempts[SM_LEVEL_LKG] = 0;
		s->early_ends[SM_LEVEL_LKG] = 0;
		memcpy(s->lkg_block_sha256, c->digest, SHA256_BYTES);
		if (c->wall_s)
			s->lkg_wall_s = c->wall_s;
	}
	return !bytes_same(s, &was, sizeof(was));
}

int state_accept(int dir, const uint8_t lkg_sha256[SHA256_BYTES], uint64_t wall_s)
{
	const struct change c = {.apply = apply_accept, .digest = lkg_sha256, .wall_s = wall_s};
	struct boot_state s;

	return change_state(dir, &c, &s);
}

static int apply_reject(struct boot_state *s, const struct change *c)
{
	if (!s->running)
		return -ESRCH;
	if (s->level == SM_LEVEL_BUILTIN)
		return -EINVAL;
	if (s->accepted)
		return -EEXIST;
	if (s->attempts[s->level] == STATE_REJECTED)
		return 0;
	s->attempts[s->level] = STATE_REJECTED;
	return 1;
}

int state_reject(int dir)
{
	const struct change c = {.apply = apply_reject};
	struct boot_state s;

	return change_state(dir, &c, &s);
}

static int apply_once(struct boot_state *s, const struct change *c)
{
	if (s->once == c->level + 1)
		return 0;
	s->once = c->level + 1;
	return 1;
}

int state_next_lkg(int dir)
{
	const struct change c = {.apply = apply_once, .level = SM_LEVEL_LKG};
	struct boot_state s;

	return change_state(dir, &c, &s);
}

/* A boot whose stop is recorded has ended already: its reboot does not end the row of stops. */
static int apply_end(struct boot_state *s, const struct change *c)
{
	if (!s->running)
		return 0;
	s->running = s->stop_count = 0;
	if (c->status == STATE_END_NOT_UP || !s->attempts[s->level] ||
	    s->attempts[s->level] == STATE_REJECTED)
		return 1;
	*c->ret_said = c->status == STATE_END_EARLY && s->early_ends[s->level] >= STATE_EARLY_ENDS;
	s->attempts[s->level] -= !*c->ret_said;
	s->early_ends[s->level] += c->status == STATE_END_EARLY && !*c->ret_said;
	return 1;
}

int state_orderly_end(int dir, enum state_end how)
{
	bool counted = false;
	const struct change c = {.apply = apply_end, .status = how, .ret_said = &counted};
	struct boot_state s;
	int r = change_state(dir, &c, &s);

	return r < 0 ? r : counted;
}

static int apply_stop(struct boot_state *s, const struct change *c)
{
	put_stop(s, c);
	return 1;
}

int state_record_stop(int dir, uint32_t code, uint32_t status, unsigned phase, uint64_t wall_s,
		      const char *culprit, const char *text)
{
	const struct change c = {.apply = apply_stop,
				 .code = code,
				 .status = status,
				 .phase = phase,
				 .wall_s = wall_s,
				 .name = culprit,
				 .text = text};
	struct boot_state s;

	return change_state(dir, &c, &s);
}

static int apply_queue(struct boot_state *s, const struct change *c)
{
	if (bytes_same(s->queue_done_sha256, c->digest, SHA256_BYTES))
		return 0;
	memcpy(s->queue_done_sha256, c->digest, SHA256_BYTES);
	return 1;
}

int state_queue_done(int dir, const uint8_t digest[SHA256_BYTES])
{
	const struct change c = {.apply = apply_queue, .digest = digest};
	struct boot_state s;

	return change_state(dir, &c, &s);
}
