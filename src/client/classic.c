/* SPDX-License-Identifier: MIT */
/*
 * classic.c - libsm: the classic entries of a system's hive, listed, checked, run, cancelled
 *
 * What smreg made of the hive is read (SYSTEM.queue, and SYSTEM.plan for AllowProtectedRenames),
 * and only when it fits the hive as it is now; the hive itself is not parsed here. Running and
 * cancelling are the boot's own engine, under the queue's lock.
 */
#include <errno.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "client/pending.h"
#include "pending/classic.h"
#include "pending/foresee.h"
#include "plan/plan.h"
#include "state/state.h"

struct classic {
	enum sm_classic_state state;
	const struct plan_header *queue; /* NULL: none that can be read */
	size_t bytes;
	uint8_t digest[SHA256_BYTES];
	bool allow_protected;
	bool owned;    /* only root, or whoever runs this, can write the queue file */
	uint32_t done; /* entries that ended before a cut */
	void (*told)(void *arg, const struct sm_classic_row *row, int reason);
	void *arg;
	uint32_t cancelled, failed;
};

const char *sm_classic_state_word(enum sm_classic_state state)
{
	static const char *const words[] = {"none", "waits", "begun", "done", "stale", "damaged"};

	return (unsigned)state < ARRAY_SIZE(words) ? words[state] : "?";
}

static int reason_of(int32_t kept)
{
	return kept <= RENAME_UNKNOWN ? CLASSIC_REASON(kept) : kept;
}

const char *classic_reason_text(int r)
{
	return r <= CLASSIC_REASON(RENAME_UNKNOWN) && r >= CLASSIC_REASON(RENAME_CANCELLED)
		       ? classic_text(NULL, r + CLASSIC_REASONS_BELOW)
		       : NULL;
}

/* ---- looking ---- */

static int open_beside(const struct sm_queue *q, const char *ending, struct sys_stat *ret)
{
	char path[PATH_BYTES + 8];
	struct text t = TEXT_ON(path);
	_close_ int fd = -1;
	int r;

	text_add(text_add(&t, q->hive), ending);
	fd = sys_open_beneath(q->root, path, O_RDONLY | O_NONBLOCK, 0, RESOLVE_IN_ROOT);
	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, ret);
	if (r < 0)
		return r;
	return S_ISREG(ret->mode) ? fd_take(fd) : -EINVAL;
}

/* A plan or queue whole and checked, in memory of its own. -EILSEQ for what is none. */
static int load(const struct sm_queue *q, const char *ending, const char *magic,
		struct sys_stat *st, void **ret)
{
	_close_ int fd = open_beside(q, ending, st);
	ssize_t n;
	int r;

	if (fd < 0)
		return fd;
	if (st->size < sizeof(struct plan_header) || st->size > QUEUE_BYTES_MAX)
		return -EILSEQ;
	r = sys_scratch(st->size, ret);
	if (r < 0)
		return r;
	n = sys_read_all(fd, *ret, st->size);
	if (n < 0 || (size_t)n != st->size || plan_check(*ret, st->size, magic, NULL) < 0) {
		sys_scratch_back(*ret, st->size);
		return n < 0 ? (int)n : -EILSEQ;
	}
	return 0;
}

struct hive_now {
	uint8_t block[HIVE_BLOCK_BYTES];
	uint64_t bytes;
};

static int read_hive(const struct sm_queue *q, struct hive_now *ret)
{
	struct sys_stat st;
	_close_ int fd = open_beside(q, "", &st);
	ssize_t n = fd < 0 ? fd : sys_pread(fd, ret->block, sizeof(ret->block), 0);

	if (n < 0)
		return (int)n;
	ret->bytes = st.size;
	return n == (ssize_t)sizeof(ret->block) ? 0 : -EILSEQ;
}

/* What the plan says: 1 = it fits the hive, and then its settings; 0 = nothing. */
static int read_settings(const struct sm_queue *q, const struct hive_now *hive,
			 struct plan_settings *ret)
{
	struct sys_stat st;
	void *plan;
	int r = load(q, ".plan", PLAN_MAGIC, &st, &plan);

	if (r < 0)
		return r == -ENOENT || r == -EILSEQ ? 0 : r;
	r = plan_fits(plan, hive->block, hive->bytes) == PLAN_FITS;
	if (r)
		*ret = ((const struct plan_header *)plan)->settings;
	sys_scratch_back(plan, st.size);
	return r;
}

int classic_settings(const struct sm_queue *q, uint8_t ret_block[HIVE_BLOCK_BYTES],
		     struct plan_settings *ret)
{
	struct hive_now hive;
	int r = read_hive(q, &hive);

	if (r < 0)
		return r;
	r = read_settings(q, &hive, ret);
	if (r >= 0)
		memcpy(ret_block, hive.block, sizeof(hive.block));
	return r;
}

/* How many entries had ended when a cut came; 0 also when none was begun. */
static int read_journal(const struct sm_queue *q, struct classic *c)
{
	_close_ int fd = q->state < 0 ? -ENOENT
				      : sys_open(q->state, JOURNAL_FILE,
						 O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct journal_record rec, bare;
	uint64_t at = 0;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	for (; sys_pread(fd, &rec, sizeof(rec), at) == (ssize_t)sizeof(rec); at += sizeof(rec)) {
		bare = rec;
		bare.crc = 0;
		if (rec.crc != crc32c(0, &bare, sizeof(bare)) ||
		    !bytes_same(rec.queue, c->digest, sizeof(rec.queue)))
			break;
		c->state = SM_CLASSIC_BEGUN;
		if (rec.kind == JOURNAL_RESULT && rec.entry == c->done)
			c->done++;
	}
	return 0;
}

static int stand(const struct sm_queue *q, const struct hive_now *hive, struct classic *c)
{
	struct plan_settings settings = {0};
	int fits = read_settings(q, hive, &settings), r;

	if (fits < 0)
		return fits;
	c->allow_protected = settings.allow_protected_renames;
	if (!c->queue) {
		/* Without a plan either, nobody has read that hive yet. */
		c->state = fits && !settings.queue_count ? SM_CLASSIC_NONE : SM_CLASSIC_STALE;
		return 0;
	}
	sha256_of(c->queue, c->bytes, c->digest);
	if (plan_fits(c->queue, hive->block, hive->bytes) != PLAN_FITS) {
		c->state = SM_CLASSIC_STALE;
		return 0;
	}
	if (!plan_count(c->queue, PLAN_QUEUE))
		return 0;
	r = classic_done(q->state, c->digest);
	c->state = r == 1 ? SM_CLASSIC_DONE : SM_CLASSIC_WAITS;
	return r ? r : read_journal(q, c);
}

static void forget(struct classic *c)
{
	if (c->queue)
		sys_scratch_back((void *)(uintptr_t)c->queue, c->bytes);
	c->queue = NULL;
	c->state = SM_CLASSIC_NONE;
	c->done = 0;
}

void classic_close(struct classic *c)
{
	if (c)
		forget(c);
	free(c);
}

static struct classic *classic_of(struct sm_queue *q)
{
	if (!q->classic)
		q->classic = calloc(1, sizeof(*q->classic));
	return q->classic;
}

int sm_classic_standing(struct sm_queue *q)
{
	struct classic *c = classic_of(q);
	struct hive_now hive;
	struct sys_stat st;
	void *room = NULL;
	int r;

	if (!c)
		return -ENOMEM;
	forget(c);
	r = read_hive(q, &hive);
	if (r < 0) /* without a hive there is nothing, and what is none is not ours to judge */
		return r == -ENOENT || r == -EILSEQ ? SM_CLASSIC_NONE : r;
	r = load(q, QUEUE_ENDING, QUEUE_MAGIC, &st, &room);
	if (r == -EILSEQ)
		return c->state = SM_CLASSIC_DAMAGED;
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		c->queue = room;
		c->bytes = st.size;
		c->owned = !(st.mode & (S_IWGRP | S_IWOTH)) && (st.uid == 0 || st.uid == sys_uid());
	}
	r = stand(q, &hive, c);
	return r < 0 ? r : (int)c->state;
}

/* ---- rows ---- */

static void fill_row(const struct classic *c, uint32_t entry, struct sm_classic_row *ret)
{
	const struct plan_row *row = plan_row_at(c->queue, PLAN_QUEUE, entry);
	const bool malformed = row->flags & QUEUE_MALFORMED;
	const char *text = plan_string(c->queue, row->text);

	*ret = (struct sm_classic_row){
		.entry = entry,
		.state = c->state == SM_CLASSIC_BEGUN && entry < c->done ? SM_CLASSIC_DONE
									 : c->state,
		.value = row->flags & QUEUE_FILE_RENAME_KEY ? "FileRenameOperations"
			 : row->aux == 2                    ? "PendingFileRenameOperations2"
							    : "PendingFileRenameOperations",
		.from = plan_string(c->queue, row->name),
		.to = malformed ? "" : text,
		.replace = row->flags & QUEUE_REPLACE,
		.malformed = malformed,
		.why = malformed ? text : ""};
}

int sm_classic_next(struct sm_queue *q, uint32_t *cursor, struct sm_classic_row *ret)
{
	int r = *cursor ? 0 : sm_classic_standing(q);

	if (r < 0 || !q->classic || !q->classic->queue ||
	    *cursor >= plan_count(q->classic->queue, PLAN_QUEUE))
		return r < 0 ? r : 0;
	fill_row(q->classic, (*cursor)++, ret);
	return 1;
}

/* ---- check ---- */

static int check_entry(struct sm_queue *q, struct foresee *f, uint32_t entry,
		       struct sm_problem *ret)
{
	const struct classic *c = q->classic;
	const struct plan_row *row = plan_row_at(c->queue, PLAN_QUEUE, entry);
	struct rename_what what = {.root = q->root};
	int r = classic_check_entry(c->queue, row, c->allow_protected ? NULL : queue_protects, q,
				    &what);

	if (r == 0)
		r = foresee_entry(f, &what);
	*ret = (struct sm_problem){.operation = entry,
				   .reason = reason_of(r),
				   .path = r == -EEXIST || r == -EISDIR || r == -EXDEV ? what.to
										       : what.from};
	return r;
}

int sm_classic_check(struct sm_queue *q, const struct sm_watch *watch)
{
	int state = sm_classic_standing(q), r, found = 0;
	const struct classic *c = q->classic;
	struct sm_problem problem;
	struct foresee f;
	uint32_t count;

	if (state != SM_CLASSIC_WAITS && state != SM_CLASSIC_BEGUN)
		return state < 0 ? state : 0;
	count = plan_count(c->queue, PLAN_QUEUE);
	r = foresee_start(&f, count, foresee_files, &q->root);
	if (r < 0)
		return r;
	for (uint32_t i = c->done; i < count; i++) {
		if (check_entry(q, &f, i, &problem) == 0)
			continue;
		found++;
		if (watch && watch->problem)
			watch->problem(watch->arg, &problem);
	}
	foresee_end(&f);
	return found;
}

/* ---- running, cancelling ---- */

void sm_classic_watch(struct sm_queue *q,
		      void (*told)(void *arg, const struct sm_classic_row *row, int reason),
		      void *arg)
{
	struct classic *c = classic_of(q);

	if (!c)
		return;
	c->told = told;
	c->arg = arg;
}

static void tell(void *arg, const struct classic_told *told)
{
	struct classic *c = ((struct sm_queue *)arg)->classic;
	struct sm_classic_row row;

	c->cancelled += told->kept == RENAME_CANCELLED;
	c->failed += told->kept < 0 && told->kept != RENAME_CANCELLED;
	fill_row(c, told->entry, &row);
	row.state = SM_CLASSIC_DONE;
	if (c->told)
		c->told(c->arg, &row, reason_of(told->kept));
}

static int run(struct sm_queue *q, bool cancel)
{
	int state = sm_classic_standing(q), r;
	struct classic *c = q->classic;
	struct classic_queue run = {.prefix = q->prefix, .cancel = cancel, .tell = tell, .arg = q};
	struct boot_state boot = {0};
	enum classic_stage where;

	if (state < 0 || state == SM_CLASSIC_NONE || state == SM_CLASSIC_DONE)
		return state < 0 ? state : 0;
	if (state == SM_CLASSIC_STALE || state == SM_CLASSIC_DAMAGED)
		return -ESTALE;
	if (!c->owned)
		return -EPERM;
	r = queue_make(q);
	if (r < 0)
		return r;
	if (state_read(q->state, &boot) < 0)
		boot = (struct boot_state){0};
	run.queue = c->queue;
	run.state = q->state;
	run.boots = boot.boots + 1; /* it belongs to the boot that comes */
	run.protects = c->allow_protected ? NULL : queue_protects;
	memcpy(run.digest, c->digest, SHA256_BYTES);
	c->cancelled = c->failed = 0;
	return classic_run(&run, &where);
}

int classic_apply(struct sm_queue *q)
{
	int r = run(q, false);

	if (r == -ESTALE) /* nothing can be run, and whoever asks is told by sm_classic_standing */
		return 1;
	return r < 0 ? r : r == 0 && q->classic->failed;
}

int sm_classic_clear(struct sm_queue *q)
{
	int r = run(q, true);

	return r < 0 ? r : (int)q->classic->cancelled;
}
