/* SPDX-License-Identifier: MIT */
/*
 * read_evtx.c - a Windows event log, chunk by chunk; see readers.h and evtx.h
 *
 * This process looks at heads and checksums only; what needs a parser is the child's. Chunks of a
 * log stand alone, so a damaged one costs itself, memory does not grow with the log, and a child
 * that dies or hangs is replaced behind the chunk that did it. A log goes round in its file: chunks
 * are read in the order of their records. Nothing that could not be read goes unsaid.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "smaudit/evtx.h"
#include "smaudit/readers.h"

#define CHILD_CHUNKS 64u /* then a new one: its processor time and memory stay small */
#define DEATHS_MAX   16u /* of children over one file */
#define TROUBLES_MAX 32u /* told one by one; the rest is counted */
#define CHUNKS_MAX   (1u << 20)

enum { FLAG_DIRTY = 1, FLAG_NO_CHECKSUM = 4 };

struct chunk_row {
	uint64_t first; /* record, by which chunks are sorted */
	uint32_t number;
};

struct reader {
	const char *path;
	const struct sink *sink;
	int fd;
	uint64_t size, told;
	bool dirty; /* the log was not closed: its head may be behind */
	struct chunk_row *rows;
	size_t row_count;
	struct evtx_child child;
	unsigned deaths, troubles, untold;
	uint64_t unread, recovered, without_checksum, in_writing;
	uint64_t ids[EVTX_RECORDS_MAX];
	uint8_t chunk[EVTX_CHUNK_BYTES];
	char body[EVTX_FRAME_MAX];
};

static void say(struct reader *r, uint64_t record, enum trouble t, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct reader *r, uint64_t record, enum trouble t, const char *format, ...)
{
	struct place p = {r->path, record};
	char text[320];
	va_list args;

	if (t == TROUBLE_DEGRADED && r->troubles++ >= TROUBLES_MAX) {
		r->untold++;
		return;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (r->sink->trouble)
		r->sink->trouble(r->sink->arg, &p, t, text);
}

static uint64_t number(const uint8_t *at, unsigned bytes)
{
	uint64_t n = 0;

	memcpy(&n, at, bytes);
	return n;
}

/* ---- what it answers ---- */

static int take_event(struct reader *r, const struct evtx_frame *head)
{
	struct place place = {r->path, head->record};
	struct evtx_fields fields;
	const char *id, *channel;
	uint64_t n;

	if (evtx_fields_take(r->body, head->bytes, &fields) < 0)
		return -EPROTO;
	id = evtx_fields_get(&fields, "EventID");
	channel = evtx_fields_get(&fields, "Channel");
	if (id && str_u64(id, strlen(id), &n) == 0 && n <= UINT32_MAX &&
	    event_tell(channel, (unsigned)n, evtx_fields_get, &fields, &place, r->sink))
		r->told++;
	return 0;
}

static void take_unread(struct reader *r, const struct evtx_frame *head)
{
	char why[EVTX_REASON_MAX + 1];

	for (uint32_t i = 0; i < head->bytes; i++)
		why[i] = r->body[i] >= ' ' && r->body[i] <= '~' ? r->body[i] : '?';
	why[head->bytes] = '\0';
	r->unread++;
	say(r, head->record, TROUBLE_DEGRADED, "record %llu cannot be read: %s",
	    (unsigned long long)head->record, why);
}

/* All frames of a chunk. ret_known: records that were read or named as unread. */
static int take_answers(struct reader *r, uint32_t *ret_known)
{
	struct evtx_frame head;
	struct evtx_done done;
	uint32_t unread = 0;

	for (unsigned frames = 0; frames <= EVTX_RECORDS_MAX + 1; frames++) {
		int e = evtx_child_take(&r->child, &head, sizeof(head));

		if (e == 0 && !evtx_frame_fits(&head))
			e = -EPROTO;
		if (e == 0)
			e = evtx_child_take(&r->child, r->body, head.bytes);
		if (e == 0 && head.kind == EVTX_EVENT)
			e = take_event(r, &head);
		if (e < 0)
			return e;
		if (head.kind == EVTX_UNREAD) {
			take_unread(r, &head);
			unread++;
		}
		if (head.kind == EVTX_DONE) {
			memcpy(&done, r->body, sizeof(done));
			*ret_known = done.read <= EVTX_RECORDS_MAX ? done.read + unread : unread;
			r->recovered += done.recovered <= EVTX_RECORDS_MAX ? done.recovered : 0;
			return 0;
		}
	}
	return -EPROTO;
}

/* ---- a chunk ---- */

/* What its head says of it is held against what it is; it is read in any case. */
static void look_at_chunk(struct reader *r, uint32_t n)
{
	const uint8_t *c = r->chunk;
	uint32_t free_at = (uint32_t)number(c + 48, 4);
	uint32_t flags = (uint32_t)number(c + 120, 4);
	uint32_t head = evtx_crc32(evtx_crc32(0, c, 120), c + 128, 384);

	if (flags & FLAG_NO_CHECKSUM) {
		r->without_checksum++;
		return;
	}
	if (head != number(c + 124, 4))
		say(r, 0, TROUBLE_DEGRADED,
		    "the head of chunk %u does not have its checksum: damaged or changed", n);
	if (free_at >= EVTX_RECORDS_AT && free_at <= EVTX_CHUNK_BYTES &&
	    evtx_crc32(0, c + EVTX_RECORDS_AT, free_at - EVTX_RECORDS_AT) == number(c + 52, 4))
		return;
	if (flags & FLAG_DIRTY && r->dirty)
		r->in_writing++;
	else
		say(r, number(c + 24, 8), TROUBLE_DEGRADED,
		    "the records of chunk %u (%llu to %llu) do not have their checksum: damaged or "
		    "changed",
		    n, (unsigned long long)number(c + 24, 8),
		    (unsigned long long)number(c + 32, 8));
}

static int load_chunk(struct reader *r, uint32_t n)
{
	uint64_t at = EVTX_HEADER_BYTES + (uint64_t)n * EVTX_CHUNK_BYTES;
	size_t got = 0;

	memset(r->chunk, 0, sizeof(r->chunk)); /* the rest of one that is cut off */
	while (got < EVTX_CHUNK_BYTES) {
		ssize_t k = pread(r->fd, r->chunk + got, EVTX_CHUNK_BYTES - got, (off_t)(at + got));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0) {
			say(r, 0, TROUBLE_DEGRADED, "chunk %u cannot be read: %s", n,
			    err_text(errno));
			return -1;
		}
		if (k == 0)
			break;
		got += (size_t)k;
	}
	if (got < EVTX_CHUNK_BYTES)
		say(r, 0, TROUBLE_DEGRADED, "the file ends inside of chunk %u", n);
	if (memcmp(r->chunk, "ElfChnk", 8) != 0) {
		say(r, 0, TROUBLE_DEGRADED,
		    "chunk %u does not begin as one: damaged or changed, read all the same", n);
		memcpy(r->chunk, "ElfChnk", 8);
	}
	return 0;
}

static void say_death(struct reader *r, uint32_t n, int why, int status)
{
	uint64_t first = number(r->chunk + 24, 8);
	char how[64];

	if (why == -ETIMEDOUT)
		snprintf(how, sizeof(how), "took longer than %u s", EVTX_CHUNK_MS / 1000);
	else if (why == -EPROTO)
		snprintf(how, sizeof(how), "answered what it must not");
	else if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "died of signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof(how), "ended with status %d", WEXITSTATUS(status));
	say(r, first, TROUBLE_DEGRADED,
	    "the reader %s in chunk %u (records %llu to %llu): what it had not told is missing",
	    how, n, (unsigned long long)first, (unsigned long long)number(r->chunk + 32, 8));
}

/* Returns 0, or -errno when there cannot be a child at all. */
static int do_chunk(struct reader *r, uint32_t n)
{
	unsigned walked;
	uint32_t known = 0;
	int e;

	if (load_chunk(r, n) < 0)
		return 0;
	look_at_chunk(r, n);
	if (r->child.pid && r->child.chunks++ >= CHILD_CHUNKS)
		evtx_child_end(&r->child);
	e = r->child.pid ? 0 : evtx_child_start(&r->child);
	if (e < 0) {
		say(r, 0, TROUBLE_INPUT, "no process to read it with: %s", err_text(-e));
		return e;
	}
	e = evtx_child_give(&r->child, r->chunk);
	if (e == 0)
		e = take_answers(r, &known);
	if (e < 0) {
		int status = evtx_child_end(&r->child);

		if (WIFEXITED(status) && WEXITSTATUS(status) == EVTX_EXIT_NO_WALLS) {
			say(r, 0, TROUBLE_INPUT,
			    "this system cannot confine the reader (seccomp, limits): not read");
			return -EPERM;
		}
		say_death(r, n, e, status);
		r->deaths++;
		return 0;
	}
	walked = evtx_records(r->chunk, r->ids);
	if (known < walked)
		say(r, r->ids[0], TROUBLE_DEGRADED,
		    "%u of the %u records of chunk %u cannot be read", walked - known, walked, n);
	return 0;
}

/* ---- the file ---- */

static int by_first(const void *a, const void *b)
{
	const struct chunk_row *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Which chunks are used, by their heads, and in which order they were written. */
static int find_chunks(struct reader *r)
{
	uint64_t count = (r->size - EVTX_HEADER_BYTES + EVTX_CHUNK_BYTES - 1) / EVTX_CHUNK_BYTES;
	uint8_t head[128];

	if (count > CHUNKS_MAX) {
		say(r, 0, TROUBLE_DEGRADED, "only the first %u of %llu chunks are read", CHUNKS_MAX,
		    (unsigned long long)count);
		count = CHUNKS_MAX;
	}
	r->rows = calloc(count ? count : 1, sizeof(*r->rows));
	if (!r->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t at = EVTX_HEADER_BYTES + (uint64_t)i * EVTX_CHUNK_BYTES;
		bool used = false;

		memset(head, 0, sizeof(head));
		if (pread(r->fd, head, sizeof(head), (off_t)at) <= 0)
			continue;
		for (size_t k = 0; k < sizeof(head); k++)
			used |= head[k] != 0;
		if (!used)
			continue; /* not yet written to */
		r->rows[r->row_count].number = i;
		r->rows[r->row_count++].first = number(head + 24, 8);
	}
	qsort(r->rows, r->row_count, sizeof(*r->rows), by_first);
	return 0;
}

static int look_at_header(struct reader *r)
{
	uint8_t h[128] = {0}, chunk[8] = {0};
	ssize_t n = pread(r->fd, h, sizeof(h), 0);

	if (n < 0)
		return -errno;
	if (pread(r->fd, chunk, sizeof(chunk), EVTX_HEADER_BYTES) < 0)
		return -errno;
	if (!memcmp(h + 4, "LfLe", 4)) {
		say(r, 0, TROUBLE_INPUT, "an event log of Windows XP or 2003 (.evt): not read");
		return -EBADMSG;
	}
	if (memcmp(h, "ElfFile", 8) != 0 && memcmp(chunk, "ElfChnk", 8) != 0) {
		say(r, 0, TROUBLE_INPUT,
		    "no Windows event log: it does not begin with \"ElfFile\"");
		return -EBADMSG;
	}
	if (r->size < EVTX_HEADER_BYTES) {
		say(r, 0, TROUBLE_INPUT, "cut off inside of its head: no event is left");
		return -EBADMSG;
	}
	r->dirty = number(h + 120, 4) & FLAG_DIRTY;
	if (memcmp(h, "ElfFile", 8) != 0 || (!(number(h + 120, 4) & FLAG_NO_CHECKSUM) &&
					     evtx_crc32(0, h, 120) != number(h + 124, 4)))
		say(r, 0, TROUBLE_DEGRADED,
		    "its head is damaged; its chunks are read all the same");
	return 0;
}

static void say_sums(struct reader *r)
{
	struct place p = {r->path, 0};

	if (r->without_checksum)
		say(r, 0, TROUBLE_NOTE,
		    "%llu of its %zu chunks have no checksums: a change would not show",
		    (unsigned long long)r->without_checksum, r->row_count);
	if (r->in_writing)
		say(r, 0, TROUBLE_NOTE,
		    "the log was in use: checksums of %llu chunks do not fit (yet)",
		    (unsigned long long)r->in_writing);
	if (r->recovered)
		say(r, 0, TROUBLE_NOTE,
		    "%llu records lie in free space (overwritten or removed): they are not judged",
		    (unsigned long long)r->recovered);
	if (r->untold && r->sink->trouble) {
		char text[160];

		snprintf(text, sizeof(text),
			 "%u more such places; %llu records in all could not be read", r->untold,
			 (unsigned long long)r->unread);
		r->sink->trouble(r->sink->arg, &p, TROUBLE_DEGRADED, text);
	}
}

static int read_chunks(struct reader *r)
{
	int e = find_chunks(r);

	for (size_t i = 0; e == 0 && i < r->row_count; i++) {
		if (r->deaths > DEATHS_MAX) {
			say(r, r->rows[i].first, TROUBLE_DEGRADED,
			    "the reader died %u times: %zu chunks, from record %llu on, are not "
			    "read",
			    r->deaths, r->row_count - i, (unsigned long long)r->rows[i].first);
			break;
		}
		e = do_chunk(r, r->rows[i].number);
		if (r->sink->progress && i % 16 == 15)
			r->sink->progress(r->sink->arg, r->path, (i + 1) * EVTX_CHUNK_BYTES,
					  r->row_count * EVTX_CHUNK_BYTES);
	}
	evtx_child_end(&r->child);
	say_sums(r);
	free(r->rows);
	return e;
}

int read_evtx(const char *path, const struct sink *to, uint64_t *ret_records)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	struct reader *r = calloc(1, sizeof(*r));
	struct stat st;
	int e = 0;

	if (!r)
		return -ENOMEM;
	r->path = path;
	r->sink = to;
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (r->fd < 0 || fstat(r->fd, &st) < 0) {
		e = -errno;
		say(r, 0, TROUBLE_INPUT, "cannot be opened: %s", err_text(-e));
	} else if (!S_ISREG(st.st_mode)) {
		e = -EINVAL;
		say(r, 0, TROUBLE_INPUT, "no regular file");
	} else {
		r->size = (uint64_t)st.st_size;
		e = look_at_header(r);
	}
	if (e == 0) {
		sigaction(SIGPIPE, &ignore, &before); /* a child that died while it is written to */
		e = read_chunks(r);
		sigaction(SIGPIPE, &before, NULL);
	}
	if (r->fd >= 0)
		close(r->fd);
	if (ret_records)
		*ret_records = r->told;
	free(r);
	return e;
}
