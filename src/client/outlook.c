/* SPDX-License-Identifier: MIT */
/*
 * outlook.c - libsm: which level the next boot begins with, and so whether it carries groups out
 *
 * The boot's own rules (state.h) on the same files, told beforehand; nothing is written. Who queues
 * a group on LastKnownGood finds out here that it would wait in vain.
 */
#include <errno.h>
#include <sys/stat.h>

#include "client/pending.h"
#include "state/state.h"
#include "wire/wire.h"

#define LKG_NAME "SYSTEM.lkg"

static bool lkg_there(const struct sm_queue *q)
{
	struct sys_stat st;

	return sys_stat_at(q->state, LKG_NAME, AT_SYMLINK_NOFOLLOW, &st) >= 0;
}

/* As if the running boot had ended in order, which takes its attempt back. */
static bool current_used_up(const struct sm_queue *q, const struct boot_state *now)
{
	struct plan_settings settings = {.boot_attempts = STATE_REJECTED};
	uint8_t block[HIVE_BLOCK_BYTES], digest[SHA256_BYTES];
	struct boot_state s = *now;
	uint32_t *attempts = &s.attempts[SM_LEVEL_CURRENT];

	if (classic_settings(q, block, &settings) < 0)
		return false;
	if (s.running && s.level == SM_LEVEL_CURRENT && *attempts && *attempts != STATE_REJECTED)
		--*attempts;
	sha256_of(block, sizeof(block), digest);
	return state_used_up(&s, SM_LEVEL_CURRENT, settings.boot_attempts, digest);
}

int sm_queue_next_boot(struct sm_queue *q, struct sm_next_boot *ret)
{
	struct sm_next_boot next = {.level = SM_LEVEL_CURRENT};
	struct pending_waits waits = {0};
	struct boot_state s;
	int r = q->state < 0 ? 0 : state_read(q->state, &s);

	if (q->state >= 0 && r >= 0)
		r = pending_fingerprint(q->state, &waits);
	if (r < 0)
		return r;
	next.groups = waits.groups;
	next.first = waits.first;
	if (q->state >= 0 && s.once == 1 + SM_LEVEL_LKG && lkg_there(q)) {
		next.level = SM_LEVEL_LKG;
	} else if (q->state >= 0 && current_used_up(q, &s)) {
		next.again = state_groups_new(&s, waits.fingerprint);
		if (!next.again)
			next.level = s.attempts[SM_LEVEL_LKG] != STATE_REJECTED && lkg_there(q)
					     ? SM_LEVEL_LKG
					     : SM_LEVEL_BUILTIN;
	}
	*ret = next;
	return 0;
}
