/* SPDX-License-Identifier: MIT */
/*
 * state.c - what boot.state says of the boots: counted, ended, accepted, rejected
 *
 * Every change is read, made and written under one lock, in one write (slots.c). This code is
 * linked into programs without a heap; it uses the door (sys/sys.h) only and never logs: its
 * callers say aloud what it answers. Source: design §5, §6; header state.h.
 */
#include "state/state.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "base/words.h"
#include "state/slots.h"
#include "sys/sys.h"
#include "wire/wire.h"

/* Stays below STATE_REJECTED, which no counting may reach or leave. */
static void count_up(uint32_t *counter)
{
	if (*counter < UINT32_MAX - 1)
		(*counter)++;
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
	_close_ int held = slots_lock(dir);
	int r = state_read(dir, ret);

	if (r >= 0)
		r = c->apply(ret, c);
	if (r > 0)
		return slots_write(dir, ret);
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

bool state_groups_new(const struct boot_state *s, uint32_t groups)
{
	return groups && groups != s->groups_tried;
}

static int apply_groups(struct boot_state *s, const struct change *c)
{
	if (!state_groups_new(s, c->code))
		return 0;
	if (state_used_up(s, SM_LEVEL_CURRENT, c->level, c->digest))
		s->attempts[SM_LEVEL_CURRENT] = s->early_ends[SM_LEVEL_CURRENT] = 0;
	s->groups_tried = c->code;
	return 1;
}

int state_try_groups(int dir, uint32_t groups, uint32_t allowed,
		     const uint8_t block_sha256[SHA256_BYTES])
{
	const struct change c = {
		.apply = apply_groups, .code = groups, .level = allowed, .digest = block_sha256};
	struct boot_state s;

	return change_state(dir, &c, &s);
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
