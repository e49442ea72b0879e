/* SPDX-License-Identifier: MIT */
/*
 * journal.c - how far a queue of classic renames came, so that each entry runs once
 *
 * NT's queue can run twice after a power loss, and a chain (a to b, then c to a) run twice is a
 * chain gone wrong. Here an intent with the source's identity is durable before an entry touches
 * anything, and its result follows. The entries go strictly in order, and that is what makes the
 * journal hard to misread: any good record about entry e says that all entries below e have ended,
 * even when a cut lost the record of one of them. A result is only true if the caller made the
 * entry's own change durable first (fsync of its directories, or syncfs), since the journal may
 * reach the disk before the directories do. Never logs, allocates nothing. Source: design §6.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "state/state.h"
#include "sys/sys.h"

#define RECORD_BYTES  sizeof(struct journal_record)
#define CHUNK_RECORDS 64u

static uint32_t record_crc(const struct journal_record *r)
{
	struct journal_record bare = *r;

	bare.crc = 0;
	return crc32c(0, &bare, sizeof(bare));
}

static bool record_ours(const struct journal *j, const struct journal_record *r)
{
	return (r->kind == JOURNAL_INTENT || r->kind == JOURNAL_RESULT) &&
	       r->crc == record_crc(r) && r->entry < UINT32_MAX &&
	       bytes_same(r->queue, j->queue, sizeof(j->queue));
}

static void take_in(struct journal *j, const struct journal_record *r)
{
	if (r->kind == JOURNAL_INTENT && r->entry >= j->results) {
		j->results = r->entry;
		j->intent = *r;
		j->intent_open = true;
	} else if (r->kind == JOURNAL_RESULT && r->entry >= j->results) {
		j->results = r->entry + 1;
		j->intent_open = false;
	}
}

/* Whole records at an offset: how many were read, 0 at the end, or -errno. */
static int read_records(int fd, uint64_t at, struct journal_record *to, unsigned n)
{
	size_t got = 0;

	while (got < n * RECORD_BYTES) {
		ssize_t r = sys_pread(fd, (char *)to + got, n * RECORD_BYTES - got, at + got);

		if (r < 0)
			return (int)r;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (int)(got / RECORD_BYTES);
}

/* Reads all of it, also past a bad record: see above why that is safe. */
static int scan(struct journal *j, uint64_t bytes)
{
	struct journal_record chunk[CHUNK_RECORDS];
	uint64_t at = 0;

	while (at + RECORD_BYTES <= bytes) {
		int n = read_records(j->fd, at, chunk, CHUNK_RECORDS);

		if (n < 0)
			return n;
		if (n == 0)
			break;
		for (int i = 0; i < n; i++) {
			if (!record_ours(j, &chunk[i]))
				continue;
			take_in(j, &chunk[i]);
			j->end = at + (uint64_t)(i + 1) * RECORD_BYTES;
		}
		at += (uint64_t)n * RECORD_BYTES;
	}
	return 0;
}

/* Finds the end, and makes the file itself durable before anything is entrusted to it. */
static int begin(struct journal *j, int dir)
{
	struct sys_stat st;
	int r = sys_stat_fd(j->fd, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.mode))
		return -EINVAL;
	r = scan(j, st.size);
	if (r < 0)
		return r;
	if (st.size > j->end) { /* a torn record, or another queue's records */
		r = sys_truncate(j->fd, j->end);
		if (r < 0)
			return r;
	}
	r = sys_fsync(j->fd);
	if (r < 0)
		return r;
	return sys_fsync(dir);
}

int journal_open(int dir, const uint8_t digest[SHA256_BYTES], struct journal *ret)
{
	_close_ int fd =
		sys_open(dir, JOURNAL_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct journal j = {.fd = fd};
	int r;

	if (fd < 0)
		return fd;
	memcpy(j.queue, digest, sizeof(j.queue));
	r = begin(&j, dir);
	if (r < 0)
		return r;
	*ret = j;
	ret->fd = fd_take(fd);
	return 0;
}

static int append(struct journal *j, struct journal_record *rec)
{
	ssize_t n;

	memcpy(rec->queue, j->queue, sizeof(rec->queue));
	rec->crc = record_crc(rec);
	n = sys_pwrite(j->fd, rec, sizeof(*rec), j->end);
	if (n < 0)
		return (int)n;
	if (n != (ssize_t)sizeof(*rec))
		return -EIO;
	j->end += sizeof(*rec);
	return 0;
}

int journal_intent(struct journal *j, uint32_t entry, uint64_t dev, uint64_t ino)
{
	struct journal_record rec = {
		.kind = JOURNAL_INTENT, .entry = entry, .dev = dev, .ino = ino};
	int r;

	if (entry != j->results || entry == UINT32_MAX)
		return -EINVAL;
	r = append(j, &rec);
	if (r < 0)
		return r;
	r = sys_fdatasync(j->fd);
	if (r < 0)
		return r;
	j->intent = rec;
	j->intent_open = true;
	return 0;
}

int journal_result(struct journal *j, uint32_t entry, int32_t result)
{
	struct journal_record rec = {.kind = JOURNAL_RESULT, .entry = entry, .result = result};
	int r;

	if (entry != j->results || entry == UINT32_MAX)
		return -EINVAL;
	if (j->intent_open) {
		rec.dev = j->intent.dev;
		rec.ino = j->intent.ino;
	}
	r = append(j, &rec);
	if (r < 0)
		return r;
	j->results++;
	j->intent_open = false;
	return 0;
}

/* The first good record at or after number `at` and below `end`; its number, or end, or -errno. */
static int64_t good_from(struct journal *j, uint64_t at, uint64_t end, struct journal_record *rec)
{
	for (; at < end; at++) {
		int n = read_records(j->fd, at * RECORD_BYTES, rec, 1);

		if (n < 0)
			return n;
		if (n == 1 && record_ours(j, rec))
			return (int64_t)at;
	}
	return (int64_t)end;
}

/* Entries never fall along the file, so the last record of one is found by halving. */
int journal_read_result(struct journal *j, uint32_t entry, int32_t *ret)
{
	uint64_t low = 0, high = j->end / RECORD_BYTES; /* all before low are of entries <= ours */
	struct journal_record rec, hit = {0};

	if (entry >= j->results)
		return -EINVAL;
	while (low < high) {
		const uint64_t middle = low + (high - low) / 2;
		int64_t at = good_from(j, middle, high, &rec);

		if (at < 0)
			return (int)at;
		if (at == (int64_t)high || rec.entry > entry) {
			high = middle;
			continue;
		}
		if (rec.entry == entry)
			hit = rec;
		low = (uint64_t)at + 1;
	}
	if (hit.kind != JOURNAL_RESULT)
		return -ENODATA; /* ended, but a cut took its record */
	*ret = hit.result;
	return 0;
}

int journal_done(struct journal *j)
{
	int r = sys_fdatasync(j->fd);

	sys_close(j->fd);
	j->fd = -1;
	return r;
}

int journal_remove(int dir)
{
	int r = sys_unlink(dir, JOURNAL_FILE, 0);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	return sys_fsync(dir);
}
