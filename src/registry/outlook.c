/* SPDX-License-Identifier: MIT */
/*
 * outlook.c - what earlier boots say of the next one; see outlook.h
 *
 * Only looks: boot.state is the boots' own. The same rules as the boot's, told for the case that
 * nobody changes the hive: what was asked for once, then attempts that are used up. Source:
 * state.h, design §6 LastKnownGood.
 */
#include "registry/outlook.h"

#include <errno.h>
#include <string.h>

#include "pending/run.h"
#include "registry/commit.h"
#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"

/* LastKnownGood in its turn; nothing else of it is known here than that its hive is there. */
static unsigned below_current(int dir, const struct boot_state *s, struct text *why)
{
	struct sys_stat st;

	if (!s->lkg_wall_s || sys_stat_at(dir, LKG_FILE, AT_SYMLINK_NOFOLLOW, &st) < 0) {
		text_add(why, "; no LastKnownGood is saved");
		return SM_LEVEL_BUILTIN;
	}
	if (s->attempts[SM_LEVEL_LKG] != STATE_REJECTED)
		return SM_LEVEL_LKG;
	text_add(why, "; LastKnownGood was rejected");
	return SM_LEVEL_BUILTIN;
}

static unsigned next_level(int dir, const struct boot_state *s, uint32_t allowed,
			   const uint8_t block[SHA256_BYTES], struct text *why)
{
	struct pending_waits waits;
	struct sys_stat st;
	uint32_t begun = s->attempts[SM_LEVEL_CURRENT];

	if (s->once == 1 + SM_LEVEL_LKG &&
	    sys_stat_at(dir, LKG_FILE, AT_SYMLINK_NOFOLLOW, &st) == 0) {
		text_add(why, "it was asked for once (smctl boot next-lkg)");
		return SM_LEVEL_LKG;
	}
	if (!state_used_up(s, SM_LEVEL_CURRENT, allowed, block))
		return SM_LEVEL_CURRENT;
	if (pending_fingerprint(dir, &waits) >= 0 && state_groups_new(s, waits.fingerprint)) {
		text_add(why, "groups wait that it was not tried with");
		return SM_LEVEL_CURRENT;
	}
	if (begun == STATE_REJECTED) {
		text_add(why, "this hive was rejected (smctl boot reject)");
	} else {
		text_u64(text_add(why, "boots of this hive that were begun and not good: "), begun);
		if (s->running && !s->accepted && s->level == SM_LEVEL_CURRENT)
			text_add(why, "; Current, if the one that runs ends in order");
	}
	return below_current(dir, s, why);
}

void outlook_read(struct outlook *ret, const char *hive, const struct hive_facts *facts,
		  const struct plan_header *plan, const char *state)
{
	_close_ int dir = sys_open(AT_FDCWD, state, O_RDONLY | O_DIRECTORY, 0);
	struct boot_state s;
	struct text why;
	uint8_t block[SHA256_BYTES];
	int r;

	*ret = (struct outlook){.queue_done = OUTLOOK_UNKNOWN};
	if (dir < 0 || state_read(dir, &s) != STATE_READ)
		return;
	why = TEXT_ON(ret->why);
	sha256_of(facts->block, HIVE_BLOCK_BYTES, block);
	ret->known = true;
	ret->level = next_level(dir, &s, plan->settings.boot_attempts, block, &why);
	r = store_consumed(hive, facts, state);
	if (r >= 0)
		ret->queue_done = r ? OUTLOOK_DONE : OUTLOOK_WAITS;
}
