/* SPDX-License-Identifier: MIT */
/*
 * accept.c - was this boot good? What was decided is made durable, and its hive is kept
 *
 * The hive that booted becomes SYSTEM.lkg, byte for byte, when the boot is accepted: first the
 * hive, then the plan that fits it, then boot.state in one write. A cut between any two leaves a
 * whole SYSTEM.lkg, old or new. What is saved must be what was booted, by the SHA-256 in the boot's
 * plan; when no file is that any more, LastKnownGood stays as it was. The queue of renames is never
 * kept: a hive that booted has run it. Source: docs/decisions/0012, design §6 LastKnownGood.
 */
#include "smss/copy.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "pending/purge.h"
#include "smss/boot/boot.h"
#include "state/state.h"
#include "sys/sys.h"

#define LKG_PLAN      LKG_FILE ".plan"
#define LKG_BYTES_MAX (64u << 20) /* what smreg reads at most */
#define LKG_MODE      0600u
#define PURGE_NS      10000000000ull
#define REBOOT_NOW    "; reboot now: smctl reboot"

bool boot_lkg_off(const struct copy *c, int dir, struct text *why)
{
	uint64_t here, root;

	if (!str_same(copy_word(c, "SMSS_MODE", "machine"), "machine") ||
	    sys_mount_id(dir, "", &here) < 0 || sys_mount_id(AT_FDCWD, "/", &root) < 0 ||
	    here == root)
		return false;
	text_add(why, "LastKnownGood is off: ");
	text_add(text_add(why, copy_word(c, "SMSS_STATE", STATE_DIRECTORY)),
		 " is not on the root file system");
	return true;
}

int boot_tell_state(const struct copy *c, const struct boot_state *s, uint32_t flags,
		    const char *text)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_STATE_READY, 0, 0);
	m.b.state_ready.flags = flags;
	if (s) {
		const uint32_t attempts = s->attempts[s->level];

		m.b.state_ready.writable = 1;
		m.b.state_ready.attempts = attempts;
		m.b.state_ready.lkg_wall_s = s->lkg_wall_s;
		m.b.state_ready.flags |= (s->accepted ? SM_LKG_ACCEPTED : 0) |
					 (attempts == STATE_REJECTED ? SM_LKG_REJECTED : 0) |
					 (s->once == SM_LEVEL_LKG + 1 ? SM_LKG_ONCE : 0);
	}
	str_copy(m.b.state_ready.text, sizeof(m.b.state_ready.text), text);
	r = copy_ask(&m, NULL, 0);
	return r < 0 ? r : m.h.status == SM_OK ? 0 : -EPROTO;
}

/* ---- saving ---- */

struct saved {
	const void *hive; /* the one that booted, whole */
	size_t n;
	bool changed; /* SYSTEM.lkg was written */
};

/* Is this file the hive that was booted? Its bytes then; they stay for the life of this process. */
static int take_if_booted(const struct copy *c, int fd, const struct sys_stat *st,
			  struct saved *ret)
{
	uint8_t digest[SHA256_BYTES];
	void *room;
	ssize_t n;
	int r;

	if (st->size != c->plan->hive_bytes || st->size < HIVE_BLOCK_BYTES ||
	    st->size > LKG_BYTES_MAX)
		return -ESTALE;
	r = sys_scratch(st->size, &room);
	if (r < 0)
		return r;
	n = sys_read_all(fd, room, st->size);
	if (n != (ssize_t)st->size)
		return n < 0 ? (int)n : -ESTALE;
	sha256_of(room, st->size, digest);
	if (!bytes_same(room, c->plan->hive_block, HIVE_BLOCK_BYTES) ||
	    !bytes_same(digest, c->plan->hive_sha256, SHA256_BYTES))
		return -ESTALE;
	ret->hive = room;
	ret->n = st->size;
	return 0;
}

static int find_booted(const struct copy *c, int dir, struct saved *ret)
{
	struct sys_stat st;
	_close_ int fd = sys_open(dir, BOOTED_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	int r = fd < 0 ? fd : sys_stat_fd(fd, &st);

	/* Read with its logs: no file has what was booted. */
	if (bytes_zero(c->plan->hive_sha256, SHA256_BYTES))
		return -EUCLEAN;

	if (r >= 0)
		r = S_ISREG(st.mode) && boot_owned(&st) ? take_if_booted(c, fd, &st, ret) : -ESTALE;
	if (r >= 0)
		return 0;
	sys_closep(&fd);
	fd = boot_open_owned(copy_word(c, "SMSS_HIVE", HIVE_PATH), &st);
	return fd < 0 ? fd : take_if_booted(c, fd, &st, ret);
}

/* The file is there, root's, and these very bytes. */
static bool is_same_file(int dir, const char *name, const uint8_t *bytes, size_t n)
{
	_close_ int fd = sys_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct sys_stat st;
	uint8_t part[4096];

	if (fd < 0 || sys_stat_fd(fd, &st) < 0 || !S_ISREG(st.mode) || !boot_owned(&st) ||
	    st.size != n)
		return false;
	for (size_t at = 0; at < n;) {
		const size_t want = n - at < sizeof(part) ? n - at : sizeof(part);

		if (sys_read_all(fd, part, want) != (ssize_t)want ||
		    !bytes_same(part, bytes + at, want))
			return false;
		at += want;
	}
	return true;
}

static int keep_file(int dir, const char *name, const void *bytes, size_t n, bool *ret_changed)
{
	int r;

	if (is_same_file(dir, name, bytes, n))
		return 0;
	r = sys_replace_file(dir, name, bytes, n, LKG_MODE);
	if (r >= 0)
		*ret_changed = true;
	return r;
}

static int save(const struct copy *c, int dir, struct saved *ret)
{
	bool plan_changed = false;
	int r = find_booted(c, dir, ret);

	if (r >= 0)
		r = keep_file(dir, LKG_FILE, ret->hive, ret->n, &ret->changed);
	if (r < 0)
		return r;
	r = keep_file(dir, LKG_PLAN, c->plan, c->plan->bytes, &plan_changed);
	if (r < 0)
		boot_say(c, RESULT_DEGRADED, -r, LKG_PLAN,
			 "not written: a boot of LastKnownGood makes it anew");
	return 0;
}

/* ---- the decisions; each returns 0 or -errno, with what is to be said in *why ---- */

static int accept_current(const struct copy *c, int dir, const struct boot_state *s,
			  struct text *why)
{
	uint8_t digest[SHA256_BYTES];
	struct saved saved = {0};
	int r, kept = boot_lkg_off(c, dir, why) ? -EXDEV : save(c, dir, &saved);

	sha256_of(c->plan->hive_block, HIVE_BLOCK_BYTES, digest);
	r = state_accept(dir, kept < 0 ? NULL : digest,
			 saved.changed || !s->lkg_wall_s ? sys_wall_s() : 0);
	if (r < 0)
		return r;
	if (why->len)
		return 0;
	if (kept >= 0)
		text_add(why, saved.changed ? "LastKnownGood saved"
					    : "LastKnownGood is this hive already");
	else if (kept == -EUCLEAN)
		text_add(why,
			 "the hive is dirty, its logs booted with it: LastKnownGood stays as it "
			 "was; write it anew (smreg export, init, import), reboot");
	else if (kept == -ESTALE || kept == -ENOENT)
		text_add(why,
			 "the hive was changed since this boot: LastKnownGood stays as it was");
	else
		text_add(text_add(why, "LastKnownGood stays as it was, it could not be saved: "),
			 err_text(-kept));
	if (kept < 0)
		copy_item(c, RESULT_DEGRADED, kept == -ESTALE || kept == -EUCLEAN ? 0 : -kept, 0,
			  "LastKnownGood", why->at);
	return 0;
}

static int accept(const struct copy *c, int dir, const struct boot_state *s, struct text *why)
{
	int r;

	if (!s->running) {
		text_add(why, "no counted boot is running");
		return -ESRCH;
	}
	if (s->level == SM_LEVEL_CURRENT)
		return accept_current(c, dir, s, why);
	if (s->level == SM_LEVEL_BUILTIN) {
		text_add(why, "the built-in minimum cannot be accepted: repair the hive (smreg "
			      "check)" REBOOT_NOW);
		return -EINVAL;
	}
	r = state_accept(dir, NULL, 0);
	if (r >= 0)
		text_add(why, "this is LastKnownGood, which stays as it is; change the hive "
			      "(smreg) to leave it");
	return r;
}

static bool lkg_there(int dir)
{
	struct sys_stat st;

	return sys_stat_at(dir, LKG_FILE, AT_SYMLINK_NOFOLLOW, &st) >= 0 && S_ISREG(st.mode);
}

static int reject(const struct copy *c, int dir, const struct boot_state *s, struct text *why)
{
	struct pending_waits waits;
	int r = boot_lkg_off(c, dir, why) ? -EXDEV : state_reject(dir);

	if (r == -ESRCH)
		text_add(why, "no counted boot is running");
	else if (r == -EEXIST)
		text_add(why, "this boot was accepted, and cannot be rejected any more: change "
			      "the hive instead (smreg)");
	else if (r == -EINVAL)
		text_add(why, "this is the built-in minimum, there is no lower level: repair the "
			      "hive (smreg check)");
	else if (r >= 0 && s->level == SM_LEVEL_LKG)
		text_add(why, "LastKnownGood is rejected: a boot that needs it takes the built-in "
			      "minimum" REBOOT_NOW);
	else if (r >= 0 && boot_groups_new(dir, s, &waits))
		text_add(why, "this boot is rejected; groups wait that it was not tried with: the "
			      "next boot tries Current again, with them" REBOOT_NOW);
	else if (r >= 0)
		text_add(why, lkg_there(dir)
				      ? "this boot is rejected: the next boot takes "
					"LastKnownGood" REBOOT_NOW
				      : "this boot is rejected; none was good so far: the next "
					"boot takes the built-in minimum" REBOOT_NOW);
	return r;
}

static int next_lkg(const struct copy *c, int dir, struct text *why)
{
	int r = boot_lkg_off(c, dir, why) ? -EXDEV : lkg_there(dir) ? state_next_lkg(dir) : -ENOENT;

	if (r == -ENOENT)
		text_add(why, "no LastKnownGood has been saved yet: accepting a boot saves it");
	else if (r >= 0)
		text_add(why, "the next boot takes LastKnownGood, that one only" REBOOT_NOW);
	return r;
}

/*
 * What groups replaced up to this boot is not wanted back by a fallback any more: beyond the policy
 * of the plan it goes. Whoever accepted waits for our end, so this has its time; the rest goes when
 * the next boot is accepted.
 */
static void purge_groups(const struct copy *c, int dir, const struct boot_state *s)
{
	const struct plan_settings *set = &c->plan->settings;
	const struct pending_purge what = {
		.state = dir,
		.prefix = "",
		.accepted = s->accepted_boots,
		.keep_groups = set->keep_groups,
		.keep_days = set->keep_days,
		.keep_bytes = (uint64_t)set->keep_mib * MIB,
		.until_ns = sys_now_ns() + PURGE_NS,
	};
	struct pending_purged done;
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	int r = pending_purge(&what, &done);

	if (r < 0)
		boot_say(c, RESULT_DEGRADED, -r, PENDING_DIRECTORY,
			 "what groups replaced is kept until another boot is accepted");
	if (r < 0 || !(done.groups || done.left))
		return;
	text_add(text_u64(&t, done.groups), " groups gave up what they replaced");
	if (done.left)
		text_add(text_u64(text_add(&t, ", to be gone on with: "), done.left), "");
	copy_item(c, RESULT_OK, 0, 0, PENDING_DIRECTORY, room);
}

int copy_role_accept(struct copy *c)
{
	static const char *const names[SM_DECISIONS] = {"BootGood", "BootGood", "BootBad",
							"NextBoot"};
	_close_ int dir = copy_open_state(c, true);
	char room[TEXT_BYTES];
	struct text why = TEXT_ON(room);
	struct boot_state s;
	bool known, refused;
	int r = dir < 0 ? dir : state_read(dir, &s);

	if (c->n >= SM_DECISIONS)
		return COPY_USAGE;
	if (r < 0)
		text_add(&why, "LastKnownGood is off");
	else if (c->n == SM_DECIDE_REJECT)
		r = reject(c, dir, &s, &why);
	else if (c->n == SM_DECIDE_NEXT_LKG)
		r = next_lkg(c, dir, &why);
	else
		r = accept(c, dir, &s, &why);
	refused = r == -EXDEV || r == -ESRCH || r == -EEXIST || r == -EINVAL || r == -ENOENT;
	if (r < 0 && !refused)
		text_add(text_add(&why, why.len ? ": " : "not recorded: "), err_text(-r));
	copy_item(c,
		  refused ? RESULT_REFUSED
		  : r < 0 ? RESULT_FAILED
			  : RESULT_OK,
		  r < 0 ? -r : 0, 0, names[c->n], room);
	known = dir >= 0 && state_read(dir, &s) >= 0;
	if (boot_tell_state(c, known ? &s : NULL, known ? 0 : SM_LKG_OFF, room) < 0)
		return COPY_NO_MASTER;
	if (r >= 0 && known && c->n <= SM_DECIDE_ACCEPT)
		purge_groups(c, dir, &s);
	return r < 0 ? COPY_FAILED : COPY_OK;
}
