/* SPDX-License-Identifier: MIT */
/*
 * attempt.c - phase 4b: this boot is counted before the risk
 *
 * Runs after the disk check, when the state directory can be written. Without it the boot goes on
 * and everything that needs state is off, said once (design §3). Whether the boot was good is
 * accept.c's business. Source: design §6 LastKnownGood, peers §6b 32, docs/decisions/0012.
 */
#include "smss/copy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "pending/run.h"
#include "smss/boot/boot.h"
#include "state/state.h"
#include "sys/sys.h"

#define BOOT_ID_BYTES 36u

/* The kernel's name of this boot; without /proc there is none, and then every boot is another one.
 */
static void read_boot_id(char ret[BOOT_ID_BYTES + 1])
{
	char room[64];
	ssize_t n = sys_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", room, sizeof(room));

	ret[0] = 0;
	if (n < (ssize_t)BOOT_ID_BYTES)
		return;
	memcpy(ret, room, BOOT_ID_BYTES);
	ret[BOOT_ID_BYTES] = 0;
}

static void say_last_stop(const struct copy *c, const struct boot_state *s)
{
	char room[2 * TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_add(&t, "the last boot ended by "), stop_word(s->stop_code));
	text_add(text_hex(text_add(&t, " ("), s->stop_code), ")");
	if (s->stop_culprit[0])
		text_add(text_add(&t, ", "), s->stop_culprit);
	if (s->stop_text[0])
		text_add(text_add(&t, ": "), s->stop_text);
	if (s->stop_count > 1)
		text_u64(text_add(&t, "; in a row: "), s->stop_count);
	copy_item(c, RESULT_DEGRADED, 0, 0, "LastStop", room);
}

/* For `smctl stops`: the master has no disk of its own. */
static void tell_last_stop(const struct boot_state *s, bool earlier)
{
	struct sm_message m;

	sm_message_start(&m, SM_STOP_TEXT, 0, 0);
	m.b.stop_text.which = earlier;
	m.b.stop_text.code = s->stop_code;
	m.b.stop_text.status = s->stop_status;
	m.b.stop_text.phase = s->stop_phase;
	m.b.stop_text.wall_s = s->stop_wall_s;
	str_copy(m.b.stop_text.culprit, sizeof(m.b.stop_text.culprit), s->stop_culprit);
	str_copy(m.b.stop_text.text, sizeof(m.b.stop_text.text), s->stop_text);
	if (copy_ask(&m, NULL, 0) < 0)
		return; /* the item has been sent already, or nothing can be */
}

/*
 * The hive as booted keeps a name of its own. smreg replaces a hive by another file, so what is
 * changed between here and acceptance is not what booted. A comfort: where it cannot be (another
 * file system), accepting reads the hive by its own name.
 */
static int link_booted(const struct copy *c, int dir)
{
	char path[PATH_BYTES];
	struct sys_stat hive, booted;
	_close_ int parent = -1;
	char *name;
	int r;

	if (!str_copy(path, sizeof(path), copy_word(c, "SMSS_HIVE", HIVE_PATH)))
		return -ENAMETOOLONG;
	name = strrchr(path, '/');
	if (!name)
		return -EINVAL;
	*name++ = 0;
	parent = sys_walk(path[0] ? path : "/", O_RDONLY | O_DIRECTORY);
	if (parent < 0)
		return parent;
	r = sys_stat_at(parent, name, AT_SYMLINK_NOFOLLOW, &hive);
	if (r < 0)
		return r;
	if (!S_ISREG(hive.mode) || !boot_owned(&hive) || hive.size != c->plan->hive_bytes)
		return -ESTALE;
	r = sys_stat_at(dir, BOOTED_FILE, AT_SYMLINK_NOFOLLOW, &booted);
	if (r >= 0 && booted.dev == hive.dev && booted.ino == hive.ino)
		return 0;
	r = sys_unlink(dir, BOOTED_FILE ".new", 0); /* what an earlier cut left behind */
	if (r < 0 && r != -ENOENT)
		return r;
	r = sys_link(parent, name, dir, BOOTED_FILE ".new");
	return r < 0 ? r : sys_rename(dir, BOOTED_FILE ".new", dir, BOOTED_FILE, 0);
}

/* This level is no failure of the one above. */
static uint32_t asked(const struct copy *c, bool once)
{
	return c->n != SM_LEVEL_CURRENT && (once || copy_word(c, "SMSS_LKG", "")[0]) ? SM_LKG_ASKED
										     : 0;
}

/* Which groups Current is tried with, before it is. What cannot even be read is not counted: phase
 * 5 finds that out and says it. */
static int note_groups(const struct copy *c, int dir, const uint8_t digest[SHA256_BYTES],
		       uint32_t *ret_flags)
{
	struct pending_waits waits;
	int r = pending_fingerprint(dir, &waits);

	if (r < 0 || waits.groups || waits.halfway)
		*ret_flags |= SM_STATE_GROUPS;
	if (r < 0 || !waits.groups)
		return 0;
	return state_try_groups(dir, waits.fingerprint, c->plan->settings.boot_attempts, digest);
}

static int count(const struct copy *c, int dir, struct boot_state *ret, uint32_t *ret_flags)
{
	struct boot_state before;
	uint8_t digest[SHA256_BYTES];
	char boot_id[BOOT_ID_BYTES + 1];
	int r;

	r = state_read(dir, &before);
	if (r < 0)
		return r;
	if (r == STATE_DAMAGED)
		copy_item(c, RESULT_DEGRADED, EILSEQ, 0, STATE_FILE,
			  "damaged; kept as " STATE_FILE ".bad, counting begins anew");
	sha256_of(c->plan->hive_block, HIVE_BLOCK_BYTES, digest);
	read_boot_id(boot_id);
	r = c->n == SM_LEVEL_CURRENT ? note_groups(c, dir, digest, ret_flags) : 0;
	if (r < 0)
		return r;
	r = state_count_attempt(dir, c->n, boot_id, digest, ret);
	if (r < 0)
		return r;
	*ret_flags |= (r > 0 ? SM_LKG_NO_END : 0) | asked(c, before.once);
	return 0;
}

/* Groups that are queued, or to be taken back at this level: phase 5 is told whether there are any,
 * below Current also of those that it leaves alone, which it says. What cannot even be counted is
 * for its copy to find out and say. */
static uint32_t groups_wait(const struct copy *c, int dir, const struct boot_state *s)
{
	return pending_waiting(dir, false, 0) || (c->n != SM_LEVEL_CURRENT &&
						  pending_waiting(dir, true, s->accepted_boots))
		       ? SM_STATE_GROUPS
		       : 0;
}

/* Their journals cannot be written, so they are left alone; nobody is to find that out alone. */
static void say_groups_kept(const struct copy *c)
{
	_close_ int dir = copy_open_state(c, false);
	struct boot_state s;

	if (dir >= 0 && state_read(dir, &s) >= 0 && groups_wait(c, dir, &s))
		copy_item(c, RESULT_DEGRADED, 0, 0, PENDING_DIRECTORY,
			  "groups of file operations wait for a boot that can write its state");
}

static int state_off(const struct copy *c, int r)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_add(&t, "state is off, no attempt counted: "), err_text(-r));
	(void)boot_tell_state(c, NULL, SM_LKG_OFF | asked(c, false), room);
	text_add(&t, "; LastKnownGood is off");
	copy_item(c, RESULT_DEGRADED, -r, 0, copy_word(c, "SMSS_STATE", STATE_DIRECTORY), room);
	say_groups_kept(c);
	return COPY_FAILED;
}

int copy_role_state(struct copy *c)
{
	_close_ int dir = copy_open_state(c, true);
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	struct boot_state s;
	uint32_t flags = 0;
	int r = c->n >= STATE_LEVELS ? -EINVAL : dir < 0 ? dir : count(c, dir, &s, &flags);

	if (r < 0)
		return state_off(c, r);
	if (c->n != SM_LEVEL_CURRENT)
		flags |= groups_wait(c, dir, &s);
	if (boot_lkg_off(c, dir, &t)) {
		flags |= SM_LKG_OFF;
		copy_item(c, RESULT_DEGRADED, 0, 0, "LastKnownGood", room);
	} else if (c->n == SM_LEVEL_CURRENT && link_booted(c, dir) < 0) {
		(void)!sys_unlink(dir, BOOTED_FILE, 0); /* of another boot: nobody needs it */
	}
	if (s.stop_count)
		say_last_stop(c, &s);
	/* Below Current an earlier one may be why, though runs in between ended in order. */
	if (s.stop_count || (c->n != SM_LEVEL_CURRENT && s.stop_code))
		tell_last_stop(&s, !s.stop_count);
	return boot_tell_state(c, &s, flags, room) < 0 ? COPY_NO_MASTER : COPY_OK;
}
