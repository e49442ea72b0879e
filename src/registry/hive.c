/* SPDX-License-Identifier: MIT */
/*
 * hive.c - opening a hive: copied, judged, brought up to date, walked; see hive.h
 *
 * Nothing here writes to a disk, and nothing of a hive is believed before it was looked at.
 */
#include "registry/hive.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registry/hive_inner.h"
#include "registry/replay.h"
#include "sys/sys.h"

static int say_u64(struct text *why, const char *before, uint64_t n, const char *behind, int r)
{
	text_add(text_u64(text_add(why, before), n), behind);
	return r;
}

static int block_versions(const uint8_t *head, struct text *why)
{
	uint32_t type = regf_u32(head, 28), major = regf_u32(head, 20), minor = regf_u32(head, 24);

	if (type != 0)
		return say_u64(why, "a transaction log, not a hive: file type at 28 is ", type, "",
			       -EILSEQ);
	if (major != 1 || minor < 3 || minor > 6) {
		say_u64(why, "version at 20 is ", major, ".", 0);
		return say_u64(why, "", minor, "; smreg reads 1.3 to 1.6", -EPROTO);
	}
	if (regf_u32(head, 32) != 1)
		return say_u64(why, "format at 32 is not 1 but ", regf_u32(head, 32), "", -EPROTO);
	return 0;
}

/* What has to be so before the checksum is looked at. */
static int block_there(const uint8_t *head, size_t n, uint64_t file_bytes, struct text *why)
{
	if (n < 4 || memcmp(head, "regf", 4) != 0) {
		text_add(why, n ? "not a hive: no \"regf\" at 0" : "not a hive: the file is empty");
		return -EILSEQ;
	}
	if (n < REGF_HEAD_BYTES)
		return say_u64(why, "truncated inside the base block: ", file_bytes, " bytes",
			       -EMSGSIZE);
	if (file_bytes > HIVE_BYTES_MAX)
		return say_u64(why, "larger than ", HIVE_BYTES_MAX >> 20, " MiB", -EFBIG);
	return 0;
}

static int checksum_wrong(const uint8_t *head, struct text *why)
{
	text_hex(text_add(why, "base block checksum at 508 is "), regf_u32(head, 508));
	text_hex(text_add(why, " and should be "), regf_checksum(head));
	return -EILSEQ;
}

static int bins_size(const uint8_t *head, struct text *why)
{
	uint64_t bins = regf_u32(head, 40);

	if (bins == 0 || bins % REGF_HEAD_BYTES)
		return say_u64(why, "bins size at 40 is no multiple of 4096: ", bins, "", -EILSEQ);
	return 0;
}

static void truncated(const uint8_t *head, uint64_t bytes, struct text *why)
{
	say_u64(why, "truncated: the header says ", (uint64_t)regf_u32(head, 40) + REGF_HEAD_BYTES,
		" bytes, ", 0);
	say_u64(why, "the file has ", bytes, "", 0);
}

static void block_facts(const uint8_t *head, uint64_t file_bytes, struct hive_facts *f)
{
	static const uint8_t mark[] = HIVE_MARK;

	*f = (struct hive_facts){.bytes = file_bytes};
	memcpy(f->block, head, sizeof(f->block));
	f->sequence = regf_u32(head, 4);
	f->secondary = regf_u32(head, 8);
	f->minor = regf_u32(head, 24);
	f->filetime = regf_time(head);
	f->dirty = f->sequence != f->secondary || regf_u32(head, 508) != regf_checksum(head);
	f->ours = true;
	for (size_t i = 0; i < sizeof(mark); i++)
		if (head[48 + 2 * i] != mark[i] || head[49 + 2 * i])
			f->ours = false;
}

int hive_block_check(const uint8_t *head, size_t n, uint64_t file_bytes, struct hive_facts *ret,
		     struct text *why)
{
	int r = block_there(head, n, file_bytes, why);

	if (r == 0 && regf_u32(head, 508) != regf_checksum(head))
		r = checksum_wrong(head, why);
	if (r == 0)
		r = block_versions(head, why);
	if (r == 0)
		r = bins_size(head, why);
	if (r == 0 && (uint64_t)regf_u32(head, 40) + REGF_HEAD_BYTES > file_bytes) {
		truncated(head, file_bytes, why);
		r = -EMSGSIZE;
	}
	if (r == 0)
		block_facts(head, file_bytes, ret);
	return r;
}

int hive_conversions_ready(void)
{
	static const char *const sets[] = {"UTF-16LE", "ISO-8859-1"};
	static iconv_t kept[4]; /* kept open: closing would unload the modules */

	for (unsigned i = 0; i < 2; i++) {
		if (kept[i])
			continue;
		kept[i] = iconv_open("UTF-8", sets[i]);
		kept[i + 2] = iconv_open(sets[i], "UTF-8");
		if (kept[i] == (iconv_t)-1 || kept[i + 2] == (iconv_t)-1) {
			kept[i] = NULL;
			return -ENOEXEC;
		}
	}
	return 0;
}

/* ---- the copy ---- */

static int take_copy(struct hive *h, int fd, struct text *why)
{
	struct sys_stat st;
	int r = sys_stat_fd(fd, &st);

	if (r == 0 && (st.mode & S_IFMT) != S_IFREG) {
		text_add(why, "not a regular file");
		return -EILSEQ;
	}
	if (r == 0 && (st.size == 0 || st.size > HIVE_BYTES_MAX))
		return block_there((const uint8_t *)"regf", st.size ? REGF_HEAD_BYTES : 0, st.size,
				   why);
	if (r == 0)
		r = regf_take(&h->r, fd, st.size);
	if (r < 0) {
		text_add(text_add(why, "cannot be read: "),
			 r == -EMSGSIZE ? "it became shorter" : err_text(-r));
		return r;
	}
	r = block_there(h->r.at, st.size < REGF_HEAD_BYTES ? st.size : REGF_HEAD_BYTES, st.size,
			why);
	if (r == 0)
		block_facts(h->r.at, st.size, &h->facts);
	return r;
}

/* ---- what is said of it ---- */

static void say_logs(const struct hive_facts *f, struct text *t)
{
	const char *before = " (";

	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		const struct hive_log_facts *l = &f->log[i];

		if (!l->present || (f->recovered && !l->entries && !l->why[0]))
			continue;
		text_add(text_add(text_add(t, before), hive_log_words[i]), ": ");
		if (l->entries && !l->cumulative)
			say_u64(t, "", l->entries, l->entries == 1 ? " entry, " : " entries, ", 0);
		if (l->entries)
			say_u64(t, "", l->pages, l->pages == 1 ? " page" : " pages", 0);
		if (l->entries && l->why[0])
			text_add(t, l->cumulative ? ", and " : ", then ");
		text_add(t, l->why);
		before = "; ";
	}
	text_add(t, before[0] == ';' ? ")" : f->recovered ? "" : " (no log is beside it)");
}

static void say_dirty(struct hive *h, unsigned flags)
{
	struct hive_facts *f = &h->facts;
	struct text t = TEXT_ON(f->said);

	if (!f->dirty)
		return;
	if (f->recovered) {
		say_u64(&t, "dirty, logs applied up to sequence ", f->log_sequence, "", 0);
		say_logs(f, &t);
		if (f->lost)
			text_add(&t, "; newer changes are lost: its content may be stale");
		return;
	}
	f->stale = true;
	text_add(&t, HIVE_DIRTY_TEXT);
	if (flags & HIVE_NO_LOGS)
		text_add(&t, " (they were not to be read)");
	else
		say_logs(f, &t);
}

/* A reason why the result is not the whole hive. */
static struct text degraded(struct hive *h)
{
	struct text t = {.at = h->facts.said,
			 .cap = sizeof(h->facts.said),
			 .len = str_len(h->facts.said, sizeof(h->facts.said))};

	text_add(&t, t.len ? "; " : "");
	text_add(&t, h->facts.degraded ? "" : "degraded: ");
	h->facts.degraded = true;
	return t;
}

/* ---- dirty or not ---- */

/* The copy as it is now: its block, its bins. With a salvage, what is broken is stepped over. */
static int look_inside(struct hive *h, bool salvage, struct text *why)
{
	char room[96];
	struct text wrong = TEXT_ON(room), t;
	int r = block_versions(h->r.at, why);

	if (r == 0 && h->r.bytes < 2 * REGF_HEAD_BYTES) {
		truncated(h->r.at, h->r.bytes, why);
		return -EMSGSIZE;
	}
	if (r == 0 && bins_size(h->r.at, &wrong) < 0 && !salvage) {
		text_add(why, room);
		return -EILSEQ;
	}
	if (r == 0 && wrong.len) {
		t = degraded(h);
		text_add(text_add(&t, room), ": taken from the file's length");
		regf_put32(h->r.at, 40, (uint32_t)(h->r.bytes - REGF_HEAD_BYTES) & ~4095u);
	}
	return r < 0 ? r : regf_walk(&h->r, salvage, why);
}

static void forget_replay(struct hive_facts *f, const char *reason)
{
	for (unsigned i = 0; i < HIVE_LOGS; i++) {
		struct hive_log_facts *l = &f->log[i];

		if (l->entries) {
			struct text t = TEXT_ON(l->why);

			text_add(text_add(&t, "it gives a broken hive: "), reason);
		}
		l->entries = l->pages = 0;
	}
	f->log_entries = f->log_pages = f->log_sequence = 0;
	f->lost = false;
}

/*
 * The logs into the copy; what comes of it has to hold together, or it is thrown away and the file
 * read again. Returns 1 when the copy is up to date, and walked.
 */
static int bring_up(struct hive *h, const struct hive_source *from, bool good, struct text *why)
{
	char room[192];
	struct text inside = TEXT_ON(room);
	bool any = false;
	int r;

	for (unsigned i = 0; i < HIVE_LOGS; i++)
		any |= from->log_fd[i] >= 0 || from->log_error[i];
	if (!any)
		return 0;
	r = regf_whole(&h->r);
	if (r < 0)
		return r;
	(void)hive_sha256(h); /* of the file, before it is changed */
	r = replay(&h->r, from, good, &h->facts);
	if (r <= 0)
		return r;
	if (look_inside(h, false, &inside) == 0) {
		h->facts.recovered = true;
		return 1;
	}
	forget_replay(&h->facts, room);
	regf_free(&h->r);
	r = regf_take(&h->r, from->fd, h->facts.bytes);
	if (r < 0)
		text_add(text_add(why, "cannot be read again: "), err_text(-r));
	return r;
}

/* The block of a hive that no log could help. */
static int mend_block(struct hive *h, bool good, unsigned flags, struct text *why)
{
	struct text t;

	if (good)
		return 0;
	if (!(flags & HIVE_SALVAGE)) {
		checksum_wrong(h->r.at, why);
		text_add(why, "; dirty, logs not applied");
		say_logs(&h->facts, why);
		return -EILSEQ;
	}
	t = degraded(h);
	checksum_wrong(h->r.at, &t);
	regf_put32(h->r.at, 508, regf_checksum(h->r.at));
	return 0;
}

static void say_size(struct hive *h)
{
	uint64_t bytes = h->facts.recovered ? h->r.bytes : h->facts.bytes;
	uint64_t wanted = (uint64_t)regf_u32(h->r.at, 40) + REGF_HEAD_BYTES;
	struct text t;

	if (wanted > bytes) {
		t = degraded(h);
		truncated(h->r.at, bytes, &t);
	} else if (h->facts.bytes > wanted && h->facts.bytes % REGF_HEAD_BYTES) {
		t = degraded(h);
		say_u64(&t, "", h->facts.bytes % REGF_HEAD_BYTES, " bytes of trailing garbage", 0);
	}
	if (h->r.skipped && wanted <= bytes) {
		t = degraded(h);
		say_u64(&t, "", h->r.skipped, " broken places among the bins stepped over", 0);
	}
}

/* A log by its type, or by what it holds where the checksum makes the type worthless. */
static bool is_log(const uint8_t *head, bool good)
{
	return regf_u32(head, 28) != 0 &&
	       (good || memcmp(head + 512, "HvLE", 4) == 0 || memcmp(head + 512, "DIRT", 4) == 0);
}

static int open_hive(struct hive *h, const struct hive_source *from, unsigned flags,
		     struct text *why)
{
	bool good;
	int r = take_copy(h, from->fd, why);

	if (r < 0)
		return r;
	good = regf_u32(h->r.at, 508) == regf_checksum(h->r.at);
	if (is_log(h->r.at, good) || good)
		r = block_versions(h->r.at, why);
	if (r == 0 && h->facts.dirty && !(flags & HIVE_NO_LOGS))
		r = bring_up(h, from, good, why);
	if (r < 0)
		return r;
	if (r == 0) {
		say_dirty(h, flags);
		r = mend_block(h, good, flags, why);
		if (r == 0)
			r = look_inside(h, flags & HIVE_SALVAGE, why);
		if (r < 0)
			return r;
	} else {
		say_dirty(h, flags);
	}
	say_size(h);
	return 0;
}

int hive_open(const struct hive_source *from, unsigned flags, struct hive **ret, struct text *why)
{
	struct hive *h = calloc(1, sizeof(*h));
	int r = -ENOMEM;

	if (h) {
		h->r = REGF_NONE;
		r = open_hive(h, from, flags, why);
	}
	if (r < 0) {
		hive_close(h);
		if (!why->len)
			text_add(why, err_text(-r));
		return r;
	}
	*ret = h;
	return 0;
}

void hive_close(struct hive *h)
{
	if (!h)
		return;
	regf_free(&h->r);
	free(h);
}

const struct hive_facts *hive_facts(const struct hive *h)
{
	return &h->facts;
}

const char *hive_said(struct hive *h)
{
	struct text t = TEXT_ON(h->said);

	text_add(&t, h->facts.said);
	if (h->damage) {
		text_add(&t, t.len ? "; " : "");
		say_u64(&t, h->facts.degraded ? "" : "degraded: ", h->damage,
			h->damage == 1 ? " part cannot be read: "
				       : " parts cannot be read; the first: ",
			0);
		text_add(&t, h->first_damage);
	}
	return h->said;
}

bool hive_degraded(const struct hive *h)
{
	return h->facts.degraded || h->damage;
}

const uint8_t *hive_sha256(struct hive *h)
{
	if (!h->hashed) { /* the block as it was read: a salvage may have changed the copy's */
		struct sha256 s;

		(void)!regf_whole(&h->r); /* one that was cut short meanwhile has no right digest */
		sha256_start(&s);
		sha256_add(&s, h->facts.block, HIVE_BLOCK_BYTES);
		sha256_add(&s, h->r.at + HIVE_BLOCK_BYTES, h->facts.bytes - HIVE_BLOCK_BYTES);
		sha256_end(&s, h->sha256);
		h->hashed = true;
	}
	return h->sha256;
}
