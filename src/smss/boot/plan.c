/* SPDX-License-Identifier: MIT */
/*
 * plan.c - phase 2: the boot plan of one level, or smreg, which makes it from the hive
 *
 * A plan beside the hive is used only when it is whole and made from the hive as it is now; then no
 * hive is parsed at boot at all. Else this copy becomes smreg, which parses it in a sandbox. A
 * level that cannot be had is left by exit status; the master then asks for the next one. Source:
 * design §3 (phase 2) and §5.
 */
#include "smss/copy.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smss/boot/boot.h"
#include "state/state.h"
#include "sys/sys.h"

#define HIVE_BYTES_MIN 4096u /* a hive without its base block's 4 kB is none */
#define SMREG_PATH     "PATH=/usr/sbin:/usr/bin:/sbin:/bin"

struct job {
	struct copy *c;
	char hive[PATH_BYTES];
	uint8_t block[HIVE_BLOCK_BYTES];
	uint64_t hive_bytes;
	struct boot_state state;
	struct sm_plan_ready ready;
};

/* attempts and the queue already done; no directory yet is a first boot */
static void read_state(struct job *j)
{
	_close_ int dir = copy_open_state(j->c, false);
	int r = dir < 0 ? dir : state_read(dir, &j->state);

	if (r == -ENOENT)
		return;
	if (r < 0 || r == STATE_DAMAGED) {
		j->ready.flags |= SM_PLAN_STATE_BAD;
		boot_say(j->c, RESULT_DEGRADED, r < 0 ? -r : EILSEQ, STATE_FILE, "not readable");
	}
	j->ready.attempts = j->state.attempts[j->ready.level];
}

static int hand_over(struct job *j, const void *plan, size_t n)
{
	struct sm_message m;
	_close_ int fd = sys_memfd("smss-plan");
	int r;

	if (fd < 0)
		return fd;
	r = sys_write_all(fd, plan, n);
	if (r >= 0)
		r = sys_seal(fd);
	if (r < 0)
		return r;
	sm_message_start(&m, SM_PLAN_READY, 0, 0);
	m.b.plan_ready = j->ready;
	r = copy_ask(&m, &fd, 1);
	return r < 0 ? r : m.h.status == SM_OK ? 0 : -EPROTO;
}

static int exit_of(struct job *j, int r)
{
	if (r >= 0)
		return COPY_OK;
	boot_say(j->c, RESULT_FAILED, -r, "plan", "not handed over");
	return r == -EPIPE ? COPY_NO_MASTER : COPY_FAILED;
}

static int builtin(struct job *j)
{
	static uint64_t room[PLAN_BUILTIN_BYTES / 8];
	int n = plan_builtin(room, sizeof(room));

	j->ready.flags |= SM_PLAN_FRESH;
	j->c->plan = (const struct plan_header *)room;
	return exit_of(j, n < 0 ? n : hand_over(j, room, (size_t)n));
}

/* Where the level's hive lies, its first block and its size. Returns 0 or an item's -errno. */
static int look_at_hive(struct job *j)
{
	struct text t = TEXT_ON(j->hive);
	struct sys_stat st;
	_close_ int fd = -1;
	ssize_t n;

	if (j->ready.level == SM_LEVEL_LKG)
		text_add(text_add(&t, copy_word(j->c, "SMSS_STATE", STATE_DIRECTORY)),
			 "/" LKG_FILE);
	else
		text_add(&t, copy_word(j->c, "SMSS_HIVE", HIVE_PATH));
	if (t.cut)
		return -ENAMETOOLONG;
	fd = boot_open_owned(j->hive, &st);
	if (fd < 0)
		return fd;
	if (st.size < HIVE_BYTES_MIN)
		return -EILSEQ;
	n = sys_read_all(fd, j->block, sizeof(j->block));
	if (n != (ssize_t)sizeof(j->block))
		return n < 0 ? (int)n : -EILSEQ;
	j->hive_bytes = st.size;
	return 0;
}

/* What stands beside the hive under another ending. */
static int beside(const struct job *j, const char *ending, struct sys_stat *ret)
{
	char path[PATH_BYTES + 8];
	struct text t = TEXT_ON(path);

	text_add(text_add(&t, j->hive), ending);
	return boot_open_owned(path, ret);
}

/* The plan beside the hive, when it fits. Returns 0, or -errno with *ret_why for people. */
static int read_plan(const struct job *j, const struct plan_header **ret, size_t *ret_n,
		     const char **ret_why)
{
	struct sys_stat st;
	void *room;
	_close_ int fd = beside(j, ".plan", &st);
	ssize_t n;
	int r;

	if (fd < 0) {
		*ret_why = fd == -ENOENT  ? "missing"
			   : fd == -EPERM ? "not only root's"
					  : "unreadable";
		return fd;
	}
	*ret_why = "torn";
	if (st.size < sizeof(struct plan_header) || st.size > PLAN_BYTES_MAX)
		return -EILSEQ;
	r = sys_scratch(st.size, &room);
	if (r < 0)
		return r;
	n = sys_read_all(fd, room, st.size);
	if (n < 0)
		return (int)n;
	r = plan_check(room, (size_t)n, PLAN_MAGIC, ret_why);
	if (r < 0)
		return r;
	*ret_why = "stale: made from another state of the hive";
	if (plan_fits(room, j->block, j->hive_bytes) != PLAN_FITS)
		return -ESTALE;
	*ret_why = "stale: the signed catalogue of images is another one now";
	if (!proven_catalog(room))
		return -ESTALE;
	*ret = room;
	*ret_n = (size_t)n;
	return 0;
}

/*
 * Whether the renames copy has work. The queue is hashed only when an earlier boot consumed one at
 * all; if it cannot be read that copy is the one to say so.
 */
static bool queue_pending(const struct job *j, const struct plan_header *p)
{
	uint8_t digest[SHA256_BYTES], part[4096];
	struct sha256 s;
	struct sys_stat st;
	_close_ int fd = -1;
	ssize_t n;

	/* LastKnownGood booted once, and then its entries ran. */
	if (!p->settings.queue_count || j->ready.level == SM_LEVEL_LKG)
		return false;
	if (bytes_zero(j->state.queue_done_sha256, SHA256_BYTES))
		return true;
	fd = beside(j, ".queue", &st);
	if (fd < 0 || st.size > QUEUE_BYTES_MAX)
		return true;
	sha256_start(&s);
	while ((n = sys_read(fd, part, sizeof(part))) > 0)
		sha256_add(&s, part, (size_t)n);
	sha256_end(&s, digest);
	return n < 0 || !bytes_same(digest, j->state.queue_done_sha256, SHA256_BYTES);
}

/* Turns into smreg, which speaks to the master on the same connection. Only returns on failure. */
static int become_smreg(struct job *j)
{
	char level[2] = {(char)('0' + j->ready.level), 0}, *envp[10] = {(char *)SMREG_PATH};
	char *argv[] = {"smreg", "plan", "--boot", "--level", level, "--hive", j->hive, NULL};
	char path[PATH_BYTES];
	unsigned count = 1;
	int fd, r = copy_find_image(j->c, IMAGE_SMREG, &fd, path, sizeof(path));

	for (char *const *w = j->c->words; w && *w && count < ARRAY_SIZE(envp) - 1; w++)
		if (str_starts(*w, "SMSS_"))
			envp[count++] = *w;
	if (r >= 0)
		r = sys_close_from(FD_PLAN);
	if (r >= 0)
		r = sys_exec(AT_FDCWD, path, argv, envp);
	boot_say(j->c, r == -EACCES ? RESULT_REFUSED : RESULT_FAILED, -r, IMAGE_SMREG,
		 "cannot make a plan from the hive");
	return COPY_FAILED;
}

/*
 * Hive and files are one configuration: with groups that it was not tried with, Current is a new
 * one. Without a plan it is smreg's to say so, which has the same rule.
 */
static bool tries_groups(struct job *j, bool said)
{
	_close_ int dir = -1;
	struct pending_waits waits;
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	if (j->ready.level != SM_LEVEL_CURRENT)
		return false;
	dir = copy_open_state(j->c, false);
	if (dir < 0 || !boot_groups_new(dir, &j->state, &waits))
		return false;
	j->ready.attempts = 0;
	text_u64(text_add(&t, "tried again: groups that wait and that it was not tried with: "),
		 waits.groups);
	if (said)
		copy_item(j->c, RESULT_OK, 0, 0, j->hive, room);
	return true;
}

/*
 * The attempts that this hive may have are known by its plan. Without one smreg looks at them,
 * which reads BootAttempts; only a hive that was rejected needs no number.
 */
static bool used_up(struct job *j, const struct plan_header *p)
{
	uint8_t digest[SHA256_BYTES];

	sha256_of(j->block, sizeof(j->block), digest);
	return state_used_up(&j->state, j->ready.level,
			     p ? p->settings.boot_attempts : STATE_REJECTED, digest) &&
	       !tries_groups(j, p);
}

static int give_up(struct job *j)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	if (j->ready.attempts == STATE_REJECTED) {
		text_add(&t, "it was rejected (smctl boot reject)");
	} else {
		text_u64(text_add(&t, "its attempts are used up: "), j->ready.attempts);
		text_add(&t, " boots of it were begun and none was good");
	}
	text_add(&t, "; change it (smreg) to try again");
	copy_item(j->c, RESULT_FAILED, 0, 0, j->hive, room);
	return COPY_FAILED;
}

/* The next level was asked for, for this boot. Asking for what is not there changes nothing. */
static bool lkg_asked(const struct job *j)
{
	_close_ int dir = -1;
	struct sys_stat st;

	if (j->ready.level != SM_LEVEL_CURRENT ||
	    (j->state.once != SM_LEVEL_LKG + 1 && !copy_word(j->c, "SMSS_LKG", "")[0]))
		return false;
	dir = copy_open_state(j->c, false);
	if (dir >= 0 && sys_stat_at(dir, LKG_FILE, AT_SYMLINK_NOFOLLOW, &st) >= 0)
		return true;
	copy_item(j->c, RESULT_DEGRADED, 0, 0, LKG_FILE,
		  "it was asked for this boot, and there is none");
	return false;
}

static int no_hive(struct job *j, int r)
{
	if (j->ready.level == SM_LEVEL_LKG && r == -ENOENT)
		copy_item(j->c, RESULT_FAILED, 0, 0, j->hive,
			  "no LastKnownGood has been saved yet");
	else
		boot_say(j->c, r == -EPERM || r == -ELOOP ? RESULT_REFUSED : RESULT_FAILED,
			 r == -EPERM || r == -EILSEQ ? 0 : -r, j->hive,
			 r == -EPERM    ? "others than root can write the hive"
			 : r == -EILSEQ ? "too short to be a hive"
					: "no hive");
	return COPY_FAILED;
}

static int from_hive(struct job *j)
{
	const struct plan_header *p = NULL;
	const char *why = "";
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	size_t n = 0;
	int r;

	if (lkg_asked(j)) {
		copy_item(j->c, RESULT_SKIPPED, 0, 0, "Current",
			  copy_word(j->c, "SMSS_LKG", "")[0]
				  ? "LastKnownGood was asked for this boot by the kernel word"
				  : "LastKnownGood was asked for this boot (smctl boot next-lkg)");
		return COPY_SKIPPED;
	}
	r = look_at_hive(j);
	if (r < 0)
		return no_hive(j, r);
	r = read_plan(j, &p, &n, &why);
	if (used_up(j, p))
		return give_up(j);
	if (r < 0) {
		text_add(text_add(&t, why), "; smreg makes one from the hive");
		copy_item(j->c, RESULT_DEGRADED, -r, 0,
			  j->ready.level == SM_LEVEL_LKG ? LKG_FILE ".plan" : "SYSTEM.plan", room);
		return become_smreg(j);
	}
	j->ready.flags |= SM_PLAN_FRESH;
	if (queue_pending(j, p))
		j->ready.flags |= SM_PLAN_RENAMES;
	j->c->plan =
		p; /* the boot may go on in this process, with the plan that the master checked */
	return exit_of(j, hand_over(j, p, n));
}

int copy_role_plan(struct copy *c)
{
	struct job j = {.c = c, .ready.level = c->n};

	if (c->n > SM_LEVEL_BUILTIN)
		return COPY_USAGE;
	read_state(&j);
	return c->n == SM_LEVEL_BUILTIN ? builtin(&j) : from_hive(&j);
}
