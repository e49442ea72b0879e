/* SPDX-License-Identifier: MIT */
/*
 * fuzz_evtx.c - any bytes as what comes of an event log: XML, the child's answers, chunks
 *
 * The first byte chooses. Promises: fields made of XML are taken again, as many, and end where they
 * must; whatever is in them, an event tells strings with an end and numbers of the kinds there are;
 * an answer that does not fit is refused; a walk through a chunk stays in it. libevtx itself is
 * behind walls and not tried here.
 */
#include <string.h>

#include "fuzz.h"
#include "smaudit/evtx.h"
#include "smaudit/readers.h"

enum { FROM_XML, FROM_ANSWER, FROM_CHUNK, WAYS };

static const char *const channels[] = {"Microsoft-Windows-Sysmon/Operational", "Security", "System",
				       NULL};
static const unsigned ids[] = {1, 5, 8, 10, 11, 12, 13, 14, 16, 17, 4616, 4688, 4689, 6005, 6006};

static void text(const char *t)
{
	if (t)
		touch(t, strlen(t) + 1);
}

static void on_process(void *arg, const struct process_fact *f)
{
	HOLDS(f->pid != NO_PID || f->guid || f->image);
	HOLDS(f->seen == SEEN_START || f->seen == SEEN_END || f->seen == SEEN_ACTIVE);
	HOLDS(f->session >= NO_NUMBER && f->session <= UINT32_MAX);
	HOLDS(!f->sha256 || strlen(f->sha256) == 64);
	text(f->host);
	text(f->guid);
	text(f->parent_guid);
	text(f->image);
	text(f->command);
	text(f->parent_image);
	text(f->user);
	text(f->sid);
	text(f->integrity);
	text(f->original_name);
	text(f->sha256);
}

static void on_boot(void *arg, const struct boot_fact *f)
{
	HOLDS(f->time_ns != NO_TIME);
	text(f->host);
}

static void on_registry(void *arg, const struct registry_fact *f)
{
	HOLDS(f->bytes >= 4 && f->bytes % 2 == 0);
	touch(f->data, f->bytes);
	text(f->key);
	text(f->name);
}

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *said)
{
	HOLDS(t == TROUBLE_NOTE);
	text(said);
}

static void tell(struct evtx_fields *f)
{
	static const struct sink to = {.process = on_process,
				       .boot = on_boot,
				       .registry = on_registry,
				       .trouble = on_trouble};
	static const struct place place = {"fuzz.evtx", 1};

	for (size_t c = 0; c < sizeof(channels) / sizeof(channels[0]); c++)
		for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
			HOLDS(!event_tell(channels[c], ids[i], evtx_fields_get, f, &place, &to) ||
			      event_wanted(ids[i], NULL));
		}
}

static void try_xml(const char *xml, size_t n)
{
	static char bytes[65536];
	struct evtx_fields f;
	long made = evtx_fields_make(xml, n, bytes, sizeof(bytes));

	HOLDS(made < 0 || (size_t)made <= sizeof(bytes));
	if (made < 0)
		return;
	if (evtx_fields_take(bytes, (size_t)made, &f) == 0)
		tell(&f);
	for (size_t small = 0; made && small < (size_t)made; small += 1 + (size_t)made / 8)
		HOLDS(evtx_fields_make(xml, n, bytes, small) < 0);
}

static void try_answer(const uint8_t *data, size_t n)
{
	struct evtx_frame head = {0};
	struct evtx_fields f;

	memcpy(&head, data, n < sizeof(head) ? n : sizeof(head));
	if (evtx_frame_fits(&head))
		HOLDS(head.kind >= EVTX_EVENT && head.kind <= EVTX_DONE &&
		      head.bytes <= EVTX_FRAME_MAX);
	if (evtx_fields_take((const char *)data, n, &f) == 0) {
		HOLDS(f.count <= EVTX_FIELDS_MAX);
		tell(&f);
	}
}

static void try_chunk(const uint8_t *data, size_t n)
{
	static uint8_t chunk[EVTX_CHUNK_BYTES];
	static uint64_t numbers[EVTX_RECORDS_MAX];

	memset(chunk, 0, sizeof(chunk));
	memcpy(chunk + EVTX_RECORDS_AT, data,
	       n < sizeof(chunk) - EVTX_RECORDS_AT ? n : sizeof(chunk) - EVTX_RECORDS_AT);
	HOLDS(evtx_records(chunk, numbers) <= EVTX_RECORDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *own; /* exactly so long, that the sanitizers see its end */

	if (!n)
		return 0;
	own = malloc(n - 1 ? n - 1 : 1);
	HOLDS(own);
	memcpy(own, data + 1, n - 1);
	if (data[0] % WAYS == FROM_XML)
		try_xml((const char *)own, n - 1);
	else if (data[0] % WAYS == FROM_ANSWER)
		try_answer(own, n - 1);
	else
		try_chunk(own, n - 1);
	free(own);
	return 0;
}
