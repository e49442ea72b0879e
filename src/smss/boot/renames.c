/* SPDX-License-Identifier: MIT */
/*
 * renames.c - phase 5: the classic pending renames and deletes, each of them once
 *
 * NT's meaning of an entry (nt-reference §4.3), without its weaknesses (§4.6): results are
 * kept, no link is followed, and a power cut neither loses an entry nor runs it twice, by the
 * journal of state.h. The order of writes is the proof: intent with the source's identity durable,
 * operation, its directories durable, result; report durable; queue marked done; journal removed.
 * Without a state directory to write all that into, nothing is run.
 */
#include "smss/boot/renames.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "pending/protect.h"
#include "smss/boot/boot.h"
#include "smss/boot/json.h"
#include "state/state.h"
#include "sys/sys.h"

#define ITEMS_MAX 64u

struct job {
	struct copy *c;
	const char *hive, *state;
	const struct plan_header *queue;
	uint8_t digest[SHA256_BYTES];
	int dir;
	struct journal journal;
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

	text_add(text_add(&t, j->hive), ".queue");
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

/* What a kept result stands for. */
static enum result result_of(int32_t kept)
{
	return kept == 0                      ? RESULT_OK
	       : kept <= RENAME_REFUSED_FIRST ? RESULT_REFUSED
					      : RESULT_FAILED;
}

static const char *text_of(const struct plan_row *row, int32_t kept)
{
	switch (kept) {
	case 0:
		return "";
	case RENAME_PROTECTED:
		return "protected path; AllowProtectedRenames is not set";
	case RENAME_MALFORMED:
		return row->flags & QUEUE_MALFORMED ? "malformed entry" : "not a canonical path";
	case RENAME_LINK:
		return "a link in the way; queued paths are canonical";
	case RENAME_UNKNOWN:
		return "ended; a power cut took its result";
	default:
		return err_text(-kept);
	}
}

static int32_t kept_result(struct job *j, uint32_t entry)
{
	int32_t kept;
	int r = journal_read_result(&j->journal, entry, &kept);

	return r == -ENODATA ? RENAME_UNKNOWN : r < 0 ? r : kept;
}

static void say_entry(struct job *j, uint32_t entry, int32_t kept, uint64_t start_ns)
{
	const struct plan_row *row = plan_row_at(j->queue, PLAN_QUEUE, entry);
	const char *to = plan_string(j->queue, row->text);
	const enum result result = result_of(kept);
	char room[2 * TEXT_BYTES];
	struct text t = TEXT_ON(room);

	j->done += result == RESULT_OK;
	j->refused += result == RESULT_REFUSED;
	j->failed += result == RESULT_FAILED;
	if (entry >= ITEMS_MAX)
		return;
	if (kept)
		text_add(text_add(&t, text_of(row, kept)), "; ");
	if (row->flags & QUEUE_MALFORMED)
		text_add(&t, to);
	else if (*to)
		text_add(text_add(&t, row->flags & QUEUE_REPLACE ? "replaces " : "to "), to);
	else
		text_add(&t, "delete");
	copy_item(j->c, result, kept < 0 && kept > RENAME_REFUSED_FIRST ? -kept : 0, start_ns,
		  plan_string(j->queue, row->name), room);
}

/*
 * Runs one entry as the journal wants it. Returns 0 when it has a kept result, -errno when the
 * journal cannot be written, which ends the run.
 */
static int run_entry(struct job *j, uint32_t entry)
{
	const struct plan_row *row = plan_row_at(j->queue, PLAN_QUEUE, entry);
	const struct rename_what what = {
		.from = plan_string(j->queue, row->name),
		.to = plan_string(j->queue, row->text),
		.replace = row->flags & QUEUE_REPLACE,
	};
	const bool resumed = j->journal.intent_open && j->journal.intent.entry == entry;
	const uint64_t start_ns = sys_now_ns();
	struct rename_place place = {.from_dir = -1, .to_dir = -1};
	int32_t kept = 0;
	int r = 0;

	if (row->flags & QUEUE_MALFORMED || !protect_canonical(what.from) ||
	    (*what.to && !protect_canonical(what.to)))
		kept = RENAME_MALFORMED;
	else if (!j->c->plan->settings.allow_protected_renames &&
		 (protect_covers(what.from, j->hive, j->state) ||
		  (*what.to && protect_covers(what.to, j->hive, j->state))))
		kept = RENAME_PROTECTED;
	else
		kept = rename_find(&what, &place);
	/*
	 * The source of an open intent is gone, or is another one: the cut came after the deed.
	 * Only the inode is compared: device numbers may change from boot to boot.
	 */
	if (resumed && (kept == -ENOENT || (kept == 0 && place.ino != j->journal.intent.ino)))
		kept = rename_settle(&place);
	else if (kept == 0) {
		if (!resumed)
			r = journal_intent(&j->journal, entry, place.dev, place.ino);
		if (r >= 0)
			kept = rename_run(&what, &place);
	}
	rename_leave(&place);
	if (r >= 0)
		r = journal_result(&j->journal, entry, kept);
	if (r >= 0)
		say_entry(j, entry, kept, start_ns);
	return r < 0 ? r : 0;
}

static void add_report_line(struct job *j, struct text *t, uint64_t boots, uint32_t entry)
{
	const struct plan_row *row = plan_row_at(j->queue, PLAN_QUEUE, entry);
	const int32_t kept = kept_result(j, entry);

	text_u64(text_add(t, "{\"boot\":"), boots);
	text_u64(text_add(t, ",\"entry\":"), row->arg);
	text_u64(text_add(t, ",\"value\":"), row->aux);
	json_string(text_add(t, ",\"from\":"), plan_string(j->queue, row->name));
	json_string(text_add(t, ",\"to\":"), plan_string(j->queue, row->text));
	text_add(t, row->flags & QUEUE_REPLACE ? ",\"replace\":true" : ",\"replace\":false");
	text_add(text_add(t, ",\"result\":\""), result_word(result_of(kept)));
	json_string(text_add(t, "\",\"text\":"), text_of(row, kept));
	text_add(t, "}\n");
}

/* All results, also those of an earlier, cut run: in portions, each of them durable. */
static int write_report(struct job *j, uint32_t count)
{
	const size_t cap = 64u * 1024u, line_max = 3u * 6u * PATH_BYTES;
	struct boot_state state;
	void *room;
	struct text t;
	int r = sys_scratch(cap, &room);

	if (r < 0)
		return r;
	r = state_read(j->dir, &state);
	if (r < 0)
		return r;
	t = text_start(room, cap);
	for (uint32_t i = 0; i < count; i++) {
		add_report_line(j, &t, state.boots, i);
		if (cap - t.len > line_max && i + 1 < count)
			continue;
		r = boot_append_line(j->dir, RENAME_REPORT, t.at, t.len);
		if (r < 0)
			return r;
		t = text_start(room, cap);
	}
	return 0;
}

/* Everything after the last entry; each step leaves a state from which the next boot goes on. */
static int finish(struct job *j, uint32_t count)
{
	int r = sys_fsync(j->journal.fd);

	if (r >= 0)
		r = write_report(j, count);
	if (r < 0) {
		boot_say(j->c, RESULT_DEGRADED, -r, RENAME_REPORT,
			 "not written; the journal is kept and the next boot tries again");
		sys_closep(&j->journal.fd);
		return r;
	}
	r = journal_done(&j->journal);
	if (r >= 0)
		r = state_queue_done(j->dir, j->digest);
	if (r >= 0)
		r = journal_remove(j->dir);
	if (r < 0)
		boot_say(j->c, RESULT_DEGRADED, -r, STATE_FILE,
			 "the queue could not be marked as done");
	return r;
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

static int run_queue(struct job *j)
{
	const uint32_t count = plan_count(j->queue, PLAN_QUEUE);
	int r = journal_open(j->dir, j->digest, &j->journal);

	if (r < 0) {
		boot_say(j->c, RESULT_REFUSED, -r, JOURNAL_FILE, "no journal, entries kept");
		return COPY_FAILED;
	}
	if (j->journal.results > count) /* not a journal of this queue, whatever its digest says */
		r = -EILSEQ;
	for (uint32_t i = 0; r >= 0 && i < j->journal.results; i++)
		say_entry(j, i, kept_result(j, i), 0);
	for (uint32_t i = j->journal.results; r >= 0 && i < count; i++)
		r = run_entry(j, i);
	if (r < 0) {
		boot_say(j->c, RESULT_FAILED, -r, JOURNAL_FILE,
			 "stopped here, what is left is kept for the next boot");
		sys_closep(&j->journal.fd);
		return COPY_FAILED;
	}
	r = finish(j, count);
	say_summary(j, count);
	return r < 0 ? COPY_FAILED : COPY_OK;
}

int copy_role_renames(struct copy *c)
{
	struct job j = {.c = c, .dir = -1};
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
		boot_say(c, RESULT_REFUSED, -r, j.state, "no state directory, entries kept");
		return COPY_FAILED;
	}
	if (bytes_same(state.queue_done_sha256, j.digest, SHA256_BYTES)) {
		(void)!journal_remove(dir); /* a cut came between the mark and this */
		copy_item(c, RESULT_SKIPPED, 0, 0, "SYSTEM.queue", "ran in an earlier boot");
		return COPY_OK;
	}
	j.dir = dir;
	return run_queue(&j);
}
