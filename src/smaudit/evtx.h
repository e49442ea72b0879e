/* SPDX-License-Identifier: MIT */
/*
 * evtx.h - between the reader of event logs and its child
 *
 * The parent cuts a log into its chunks, which stand alone, and hands one after another to a child
 * behind walls; the child has libevtx read them and answers with frames. The child is an enemy from
 * the first byte of evidence on: what it says is checked here as if a stranger had said it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EVTX_HEADER_BYTES  4096u
#define EVTX_CHUNK_BYTES   65536u
#define EVTX_RECORDS_AT    512u /* of a chunk */
#define EVTX_RECORD_MIN    28u  /* head and closing length: a chunk holds no more than 2,322 */
#define EVTX_RECORDS_MAX   ((EVTX_CHUNK_BYTES - EVTX_RECORDS_AT) / EVTX_RECORD_MIN)
#define EVTX_FRAME_MAX     (256u << 10) /* bytes behind a frame's head */
#define EVTX_FIELDS_MAX    64u
#define EVTX_REASON_MAX    120u
#define EVTX_CHUNK_MS      5000u /* for one chunk, given and answered; it takes some 5 */
#define EVTX_EXIT_NO_WALLS 77    /* the child's exit status: the kernel cannot confine it */

enum evtx_frame_kind {
	EVTX_EVENT = 1, /* fields follow: NAME NUL VALUE NUL ... */
	EVTX_UNREAD,    /* libevtx could not read this record; why follows, without a NUL */
	EVTX_DONE       /* of this chunk; a struct evtx_done follows */
};

struct evtx_frame {
	uint32_t kind, bytes;
	uint64_t record; /* EventRecordID; EVTX_DONE: 0 */
};

struct evtx_done {
	uint32_t read;      /* records that libevtx could read, told or not */
	uint32_t recovered; /* found in free space: overwritten or removed */
};

struct evtx_fields { /* of one event; point into the frame */
	unsigned count;
	const char *name[EVTX_FIELDS_MAX], *value[EVTX_FIELDS_MAX];
};

struct evtx_child { /* as its parent knows it */
	pid_t pid;  /* 0 = there is none */
	int to, from;
	unsigned chunks; /* that it was given */
	uint64_t end_ns; /* sys_now_ns of the end of its time for the last one */
};

/* evtx_frame_fits - a head that the parent takes: a known kind, of a length that it may have. */
bool evtx_frame_fits(const struct evtx_frame *f);

/*
 * evtx_fields_take - point at the fields in n bytes of a frame
 * Returns 0, -EBADMSG (they do not end where they must, or an empty name), -E2BIG (too many).
 */
int evtx_fields_take(const char *bytes, size_t n, struct evtx_fields *ret);

/* evtx_fields_get - a field's text, case folded; arg is the struct evtx_fields; event_tell's get.
 */
const char *evtx_fields_get(void *arg, const char *name);

/*
 * evtx_fields_make - of an event's XML, as libevtx writes it, into NAME NUL VALUE NUL ...
 *   xml, n   needs no NUL; NULs in it end it
 *   to, cap  where the fields go
 * Named Data become fields of their own; of System: EventID, EventRecordID, Channel, Computer,
 * ProviderName and TimeCreated, which Data cannot imitate: System comes first, and the first wins.
 * Returns their bytes, -E2BIG (too many, or they do not fit).
 */
long evtx_fields_make(const char *xml, size_t n, char *to, size_t cap);

/* evtx_crc32 - the checksum of event logs (CRC-32 as in ISO 3309); feed the result back to go on.
 */
uint32_t evtx_crc32(uint32_t crc, const void *bytes, size_t n);

/*
 * evtx_records - walk the records' heads of a chunk of EVTX_CHUNK_BYTES
 *   ret_ids  EVTX_RECORDS_MAX of them, EventRecordID each
 * Returns how many follow one another without a break.
 */
unsigned evtx_records(const uint8_t *chunk, uint64_t *ret_ids);

/*
 * evtx_child_run - in the forked child: raise the walls, then answer chunks until there are no more
 *   from, to  pipes; every other file of the process is closed
 */
_Noreturn void evtx_child_run(int from, int to);

/* ---- evtx_pipe.c: the parent's end; whoever uses it ignores SIGPIPE ---- */

/* evtx_child_start - fork one. Returns 0 or -errno. */
int evtx_child_start(struct evtx_child *c);

/* evtx_child_end - kill it and collect it, if there is one. Returns its wait status. */
int evtx_child_end(struct evtx_child *c);

/* evtx_child_give - one chunk of EVTX_CHUNK_BYTES, which the child has EVTX_CHUNK_MS to answer.
 * Returns 0, -EPIPE, -ETIMEDOUT. */
int evtx_child_give(struct evtx_child *c, const uint8_t *chunk);

/* evtx_child_take - exactly n bytes of the answer, before its time is over. 0, -EPIPE, -ETIMEDOUT.
 */
int evtx_child_take(const struct evtx_child *c, void *to, size_t n);

/*
 * event_wanted - whether event_tell could make anything of an event; cheap
 *   provider  of the event; NULL = not known
 */
bool event_wanted(unsigned id, const char *provider);
