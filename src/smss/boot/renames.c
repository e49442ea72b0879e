/* SPDX-License-Identifier: MIT */
/*
 * renames.c - phase 5: the classic queue of the hive that boots
 *
 * What an entry means and how each is run once is pending/classic.h's business; this is what a boot
 * adds: whether the queue beside the hive may be believed, whether this level runs it, and what
 * everybody is told.
 */
#include "pending/classic.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "pending/protect.h"
#include "smss/boot/boot.h"
#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"

#define ITEMS_MAX 64u

struct job {
	struct copy *c;
	const char *hive, *state;
	const struct plan_header *queue;
	uint8_t digest[SHA256_BYTES];
	uint32_t done, failed, refused;
};

/* Reads the queue whole. Returns its length or -errno. */
static ssize_t read_queue(const char *path, void **ret)
{
	_close_ int fd = sys_walk(path, O_RDONLY | O_NONBLOCK);
	struct sys_stat st;
	int r;

	if (fd < 0)
		return fd;
	r = sys_stat_fd(fd, &st);
	if (r < 0)
		return r;
	if (!S_ISREG(st.mode) || !boot_owned(&st))
		return -EPERM;
	if (st.size < sizeof(struct plan_header) || st.size > QUEUE_BYTES_MAX)
		return -EILSEQ;
	r = sys_scratch(st.size, ret);
	return r < 0 ? r : sys_read_all(fd, *ret, st.size);
}

/* Returns 0; -ENOENT when there is none and none is due; else -errno, and why has been said. */
static int load_queue(struct job *j)
{
	char path[PATH_BYTES + 8];
	struct text t = TEXT_ON(path);
	const char *why = "not readable";
	void *room;
	ssize_t n;
	int r;

	text_add(text_add(&t, j->hive), QUEUE_ENDING);
	n = read_queue(path, &room);
	r = n < 0 ? (int)n : plan_check(room, (size_t)n, QUEUE_MAGIC, &why);
	if (r >= 0) {
		j->queue = room;
		why = "made from another state of the hive";
		if (plan_fits(j->queue, j->c->plan->hive_block, j->c->plan->hive_bytes) !=
		    PLAN_FITS)
			r = -ESTALE;
	}
	if (r == -ENOENT && !j->c->plan->settings.queue_count)
		return r;
	if (r < 0) {
		boot_say(j->c, RESULT_REFUSED, -r, path, why);
		return r;
	}
	sha256_of(room, (size_t)n, j->digest);
	return 0;
}

static void say_entry(void *arg, const struct classic_told *told)
{
	struct job *j = arg;
	const struct plan_row *row = told->row;
	const char *to = plan_string(j->queue, row->text);
	const int32_t kept = told->kept;
	const enum result result = classic_result(kept);
	char room[2 * TEXT_BYTES];
	struct text t = TEXT_ON(room);

	j->done += result == RESULT_OK;
	j->refused += result == RESULT_REFUSED;
	j->failed += result == RESULT_FAILED;
	if (told->entry >= ITEMS_MAX)
		return;
	if (kept)
		text_add(text_add(&t, classic_text(row, kept)), "; ");
	if (row->flags & QUEUE_MALFORMED)
		text_add(&t, to);
	else if (*to)
		text_add(text_add(&t, row->flags & QUEUE_REPLACE ? "replaces " : "to "), to);
	else
		text_add(&t, "delete");
	copy_item(j->c, result, kept < 0 && kept > RENAME_REFUSED_FIRST ? -kept : 0, told->start_ns,
		  plan_string(j->queue, row->name), room);
}

static void say_summary(const struct job *j, uint32_t count)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);

	text_add(text_u64(&t, j->done), " done, ");
	text_add(text_u64(&t, j->failed), " failed, ");
	text_add(text_u64(&t, j->refused), " refused");
	if (count > ITEMS_MAX)
		text_add(&t, "; all of them are in " RENAME_REPORT);
	copy_item(j->c, j->failed || j->refused ? RESULT_DEGRADED : RESULT_OK, 0, 0,
		  "PendingFileRenameOperations", room);
}

static bool protects(void *arg, const char *path)
{
	const struct job *j = arg;

	return protect_covers(path, j->hive, j->state);
}

/* Where it ended early; each such end is gone on with by the next boot. */
static void say_end(const struct job *j, int r, enum classic_stage where)
{
	const struct {
		enum result result;
		const char *name, *text;
	} ends[] = {
		[CLASSIC_LOCK] = {RESULT_REFUSED, j->state,
				  "the queue is being worked on, entries "
				  "kept"},
		[CLASSIC_STATE] = {RESULT_REFUSED, j->state, "no state directory, entries kept"},
		[CLASSIC_JOURNAL] = {RESULT_REFUSED, JOURNAL_FILE, "no journal, entries kept"},
		[CLASSIC_ENTRIES] = {RESULT_FAILED, JOURNAL_FILE,
				     "stopped here, what is left is kept for the next boot"},
		[CLASSIC_REPORT] = {RESULT_DEGRADED, RENAME_REPORT,
				    "not written; the journal is kept and the next boot tries "
				    "again"},
		[CLASSIC_MARK] = {RESULT_DEGRADED, STATE_FILE,
				  "the queue could not be marked as done"},
	};

	boot_say(j->c, ends[where].result, -r, ends[where].name, ends[where].text);
}

static int run_queue(struct job *j, int dir, uint64_t boots)
{
	struct classic_queue q = {
		.queue = j->queue,
		.state = dir,
		.prefix = "",
		.boots = boots,
		.protects = j->c->plan->settings.allow_protected_renames ? NULL : protects,
		.tell = say_entry,
		.arg = j};
	enum classic_stage where;
	int r;

	memcpy(q.digest, j->digest, SHA256_BYTES);
	r = classic_run(&q, &where);
	if (r == 1)
		copy_item(j->c, RESULT_SKIPPED, 0, 0, "SYSTEM.queue", "ran in an earlier boot");
	if (r < 0)
		say_end(j, r, where);
	if (r == 0 || (r < 0 && where >= CLASSIC_REPORT))
		say_summary(j, plan_count(j->queue, PLAN_QUEUE));
	return r < 0 ? COPY_FAILED : COPY_OK;
}

int copy_role_renames(struct copy *c)
{
	struct job j = {.c = c};
	struct boot_state state;
	_close_ int dir = -1;
	int r;

	j.hive = copy_word(c, "SMSS_HIVE", HIVE_PATH);
	j.state = copy_word(c, "SMSS_STATE", STATE_DIRECTORY);
	if (!str_same(copy_word(c, "SMSS_LEVEL", "0"), "0")) {
		copy_item(c, RESULT_SKIPPED, 0, 0, "SYSTEM.queue",
			  "belongs to the current configuration, which is not the one running");
		return COPY_OK;
	}
	r = load_queue(&j);
	if (r < 0)
		return r == -ENOENT && !c->plan->settings.queue_count ? COPY_OK : COPY_FAILED;
	dir = copy_open_state(c, true);
	r = dir < 0 ? dir : state_read(dir, &state);
	if (r < 0) {
		say_end(&j, r, CLASSIC_STATE);
		return COPY_FAILED;
	}
	return run_queue(&j, dir, state.boots);
}
