/* SPDX-License-Identifier: MIT */
/*
 * classic.c - runs the classic queue, see classic.h
 *
 * The order of writes is the proof: intent with the source's identity durable, operation, its
 * directories durable, result; report durable; queue marked done; journal removed. Without a state
 * directory to write all that into, nothing is run.
 */
#include "pending/classic.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "pending/lines.h"
#include "pending/protect.h"
#include "pending/run.h"
#include "state/state.h"
#include "sys/sys.h"
#include "wire/wire.h"

struct job {
	const struct classic_queue *q;
	int root;
	struct journal journal;
};

unsigned classic_result(int32_t kept)
{
	if (kept == RENAME_CANCELLED)
		return RESULT_SKIPPED;
	return kept == 0                      ? RESULT_OK
	       : kept <= RENAME_REFUSED_FIRST ? RESULT_REFUSED
					      : RESULT_FAILED;
}

const char *classic_text(const struct plan_row *row, int32_t kept)
{
	switch (kept) {
	case 0:
		return "";
	case RENAME_PROTECTED:
		return "protected path; AllowProtectedRenames is not set";
	case RENAME_MALFORMED:
		return !row || row->flags & QUEUE_MALFORMED ? "malformed entry"
							    : "not a canonical path";
	case RENAME_LINK:
		return "a link in the way; queued paths are canonical";
	case RENAME_CANCELLED:
		return "cancelled before it ran";
	case RENAME_UNKNOWN:
		return "ended; a power cut took its result";
	default:
		return err_text(-kept);
	}
}

int classic_check_entry(const struct plan_header *queue, const struct plan_row *row,
			bool (*protects)(void *arg, const char *path), void *arg,
			struct rename_what *ret)
{
	ret->from = plan_string(queue, row->name);
	ret->to = plan_string(queue, row->text);
	ret->replace = row->flags & QUEUE_REPLACE;
	if (row->flags & QUEUE_MALFORMED || !protect_canonical(ret->from) ||
	    (*ret->to && !protect_canonical(ret->to)))
		return RENAME_MALFORMED;
	if (protects && (protects(arg, ret->from) || (*ret->to && protects(arg, ret->to))))
		return RENAME_PROTECTED;
	return 0;
}

static int32_t kept_result(struct job *j, uint32_t entry)
{
	int32_t kept;
	int r = journal_read_result(&j->journal, entry, &kept);

	return r == -ENODATA ? RENAME_UNKNOWN : r < 0 ? r : kept;
}

static void tell(const struct job *j, uint32_t entry, int32_t kept, uint64_t start_ns)
{
	const struct classic_told told = {.entry = entry,
					  .row = plan_row_at(j->q->queue, PLAN_QUEUE, entry),
					  .kept = kept,
					  .start_ns = start_ns};

	if (j->q->tell)
		j->q->tell(j->q->arg, &told);
}

/*
 * Runs one entry as the journal wants it. Returns 0 when it has a kept result, -errno when the
 * journal cannot be written, which ends the run.
 */
static int run_entry(struct job *j, uint32_t entry)
{
	const struct plan_row *row = plan_row_at(j->q->queue, PLAN_QUEUE, entry);
	const bool resumed = j->journal.intent_open && j->journal.intent.entry == entry;
	const uint64_t start_ns = sys_now_ns();
	struct rename_place place = {.from_dir = -1, .to_dir = -1};
	struct rename_what what = {.root = j->root};
	int32_t kept = classic_check_entry(j->q->queue, row, j->q->protects, j->q->arg, &what);
	int r = 0;

	if (kept == 0)
		kept = rename_find(&what, &place);
	/*
	 * The source of an open intent is gone, or is another one: the cut came after the deed.
	 * Only the inode is compared: device numbers may change from boot to boot.
	 */
	if (resumed && (kept == -ENOENT || (kept == 0 && place.ino != j->journal.intent.ino))) {
		kept = rename_settle(&place);
	} else if (j->q->cancel) {
		kept = RENAME_CANCELLED;
	} else if (kept == 0) {
		if (!resumed)
			r = journal_intent(&j->journal, entry, place.dev, place.ino);
		if (r >= 0)
			kept = rename_run(&what, &place);
	}
	rename_leave(&place);
	if (r >= 0)
		r = journal_result(&j->journal, entry, kept);
	if (r >= 0)
		tell(j, entry, kept, start_ns);
	return r < 0 ? r : 0;
}

static void add_report_line(struct job *j, struct text *t, uint32_t entry)
{
	const struct plan_header *queue = j->q->queue;
	const struct plan_row *row = plan_row_at(queue, PLAN_QUEUE, entry);
	const int32_t kept = kept_result(j, entry);

	text_u64(text_add(t, "{\"boot\":"), j->q->boots);
	text_u64(text_add(t, ",\"entry\":"), row->arg);
	text_u64(text_add(t, ",\"value\":"), row->aux);
	json_string(text_add(t, ",\"from\":"), plan_string(queue, row->name));
	json_string(text_add(t, ",\"to\":"), plan_string(queue, row->text));
	text_add(t, row->flags & QUEUE_REPLACE ? ",\"replace\":true" : ",\"replace\":false");
	text_add(text_add(t, ",\"result\":\""), result_word(classic_result(kept)));
	json_string(text_add(t, "\",\"text\":"), classic_text(row, kept));
	text_add(t, "}\n");
}

/* All results, also those of an earlier, cut run: in portions, each of them durable. */
static int write_report(struct job *j, uint32_t count)
{
	const size_t cap = 64u * 1024u, line_max = 3u * 6u * PATH_BYTES;
	void *room;
	struct text t;
	int r = sys_scratch(cap, &room);

	if (r < 0)
		return r;
	t = text_start(room, cap);
	for (uint32_t i = 0; r >= 0 && i < count; i++) {
		add_report_line(j, &t, i);
		if (cap - t.len > line_max && i + 1 < count)
			continue;
		r = lines_append(j->q->state, RENAME_REPORT, t.at, t.len);
		t = text_start(room, cap);
	}
	sys_scratch_back(room, cap);
	return r < 0 ? r : 0;
}

/* Everything after the last entry; each step leaves a state from which the next run goes on. */
static int finish(struct job *j, uint32_t count, enum classic_stage *ret_where)
{
	int r = sys_fsync(j->journal.fd);

	if (r >= 0)
		r = write_report(j, count);
	if (r < 0) {
		*ret_where = CLASSIC_REPORT;
		sys_closep(&j->journal.fd);
		return r;
	}
	r = journal_done(&j->journal);
	if (r >= 0)
		r = state_queue_done(j->q->state, j->q->digest);
	if (r >= 0)
		r = journal_remove(j->q->state);
	if (r < 0)
		*ret_where = CLASSIC_MARK;
	return r < 0 ? r : 0;
}

static int run_queue(struct job *j, enum classic_stage *ret_where)
{
	const uint32_t count = plan_count(j->q->queue, PLAN_QUEUE);
	int r = journal_open(j->q->state, j->q->digest, &j->journal);

	if (r < 0) {
		*ret_where = CLASSIC_JOURNAL;
		return r;
	}
	if (j->journal.results > count) /* not a journal of this queue, whatever its digest says */
		r = -EILSEQ;
	for (uint32_t i = 0; r >= 0 && i < j->journal.results; i++)
		tell(j, i, kept_result(j, i), 0);
	for (uint32_t i = j->journal.results; r >= 0 && i < count; i++)
		r = run_entry(j, i);
	if (r < 0) {
		*ret_where = CLASSIC_ENTRIES;
		sys_closep(&j->journal.fd);
		return r;
	}
	return finish(j, count, ret_where);
}

int classic_done(int state, const uint8_t digest[SHA256_BYTES])
{
	struct boot_state s;
	int r = state < 0 ? STATE_NEW : state_read(state, &s);

	if (r < 0 || r == STATE_NEW)
		return r < 0 ? r : 0;
	return bytes_same(s.queue_done_sha256, digest, SHA256_BYTES);
}

/* The lock of groups; without their directory there is no writer to keep out. */
static int take_lock(int state)
{
	_close_ int dir =
		sys_open(state, PENDING_DIRECTORY, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	return dir >= 0 ? pending_lock(dir) : dir;
}

int classic_run(const struct classic_queue *q, enum classic_stage *ret_where)
{
	struct job j = {.q = q, .root = -1};
	_close_ int lock = take_lock(q->state);
	int r = lock == -ENOENT ? 0 : lock;

	*ret_where = CLASSIC_LOCK;
	if (r < 0)
		return r;
	*ret_where = CLASSIC_STATE;
	r = classic_done(q->state, q->digest);
	if (r == 1)
		(void)!journal_remove(q->state); /* a cut came between the mark and this */
	if (r)
		return r;
	j.root = sys_open(AT_FDCWD, *q->prefix ? q->prefix : "/", O_PATH | O_DIRECTORY, 0);
	r = j.root < 0 ? j.root : run_queue(&j, ret_where);
	sys_closep(&j.root);
	return r;
}
