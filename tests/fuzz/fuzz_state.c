/* SPDX-License-Identifier: MIT */
/*
 * fuzz_state.c - any bytes as boot.state and as the journal of renames, on the simulated kernel
 *
 * Promises: a damaged file gives defaults and is said, never a level or counter beyond its range;
 * what is written over any file reads back; a journal with any records never claims a result twice
 * and goes on where it says. An input: byte 0 chooses the checksums that are made right (bit 0 and
 * 1 the slots, 2 the records), byte 1 what is done, 2..3 the length of boot.state; then it and the
 * journal.
 */
#include <errno.h>
#include <string.h>

#include "../sim/kernel.h"
#include "base/bytes.h"
#include "base/words.h"
#include "fuzz.h"
#include "state/state.h"
#include "wire/wire.h"

#define HEAD      4u
#define DIRECTORY "/state"
#define BOOT_ID   "aaaaaaaa-0000-4000-8000-000000000001"

static const uint8_t digest[SHA256_BYTES] = {9, 8, 7};
static unsigned what;

static void fix_slots(uint8_t *p, size_t n, unsigned tries)
{
	for (unsigned i = 0; i < 2 && (i + 1) * STATE_SLOT_BYTES <= n; i++) {
		struct boot_state s;

		if (!(tries & 1u << i))
			continue;
		memcpy(&s, p + i * STATE_SLOT_BYTES, sizeof(s));
		memcpy(s.magic, "SMSSBOOT", 8);
		s.crc = 0;
		s.crc = crc32c(0, &s, sizeof(s));
		memcpy(p + i * STATE_SLOT_BYTES, &s, sizeof(s));
	}
}

static void fix_records(uint8_t *p, size_t n, unsigned tries)
{
	for (; (tries & 4) && n >= sizeof(struct journal_record);
	     p += sizeof(struct journal_record), n -= sizeof(struct journal_record)) {
		struct journal_record r;

		memcpy(&r, p, sizeof(r));
		memcpy(r.queue, digest, sizeof(r.queue));
		r.kind = r.kind & 1 ? JOURNAL_INTENT : JOURNAL_RESULT;
		r.crc = 0;
		r.crc = crc32c(0, &r, sizeof(r));
		memcpy(p, &r, sizeof(r));
	}
}

static void in_range(const struct boot_state *s)
{
	HOLDS(s->level < STATE_LEVELS);
	HOLDS(memchr(s->boot_id, 0, sizeof(s->boot_id)));
	HOLDS(memchr(s->stop_culprit, 0, sizeof(s->stop_culprit)));
	HOLDS(memchr(s->stop_text, 0, sizeof(s->stop_text)));
}

#define ACTS 8u

static int act(int dir, unsigned which, struct boot_state *s)
{
	unsigned level = what / ACTS % STATE_LEVELS;

	switch (which) {
	case 0:
		return state_write(dir, s);
	case 1:
		return state_count_attempt(dir, level, BOOT_ID,
					   level == SM_LEVEL_BUILTIN ? NULL : digest, s);
	case 2:
		return state_accept(dir, what & 64 ? digest : NULL, what & 128 ? 7 : 0);
	case 3:
		return state_orderly_end(dir, (enum state_end)(what / 64 % 3));
	case 4:
		return state_record_stop(dir, STOP_CRITICAL_PROCESS_DIED, 1, 9, 1, "csrss", "x");
	case 5:
		return state_queue_done(dir, digest);
	case 6:
		return state_reject(dir);
	default:
		return state_next_lkg(dir);
	}
}

static void try_state(int dir)
{
	struct boot_state before, after;
	unsigned which = what % ACTS;
	int r = state_read(dir, &before);

	HOLDS(r == STATE_READ || r == STATE_NEW || r == STATE_DAMAGED);
	in_range(&before);
	for (unsigned level = 0; level < STATE_LEVELS; level++)
		HOLDS(!state_used_up(&before, level, 3, digest) || level < STATE_LEVELS - 1);
	r = act(dir, which, &before);
	HOLDS(r >= 0 || which > 1); /* without a boot there is nothing to accept or end */
	r = state_read(dir, &after);
	HOLDS(r == STATE_READ || which > 1);
	in_range(&after);
	if (which <= 1)
		HOLDS(!memcmp(&before, &after, sizeof(after)));
	for (which = 1; which < ACTS; which++) /* and on: a boot, and all that may follow */
		(void)act(dir, which, &before);
	HOLDS(state_read(dir, &after) == STATE_READ);
	in_range(&after);
	HOLDS(after.stop_code == STOP_CRITICAL_PROCESS_DIED && !after.running);
}

static void try_journal(int dir)
{
	struct journal j, again;
	int32_t result;
	uint32_t next;
	int r;

	HOLDS(journal_open(dir, digest, &j) == 0);
	for (uint32_t i = 0; i < j.results && i < 16; i++)
		(void)journal_read_result(&j, i, &result);
	next = j.results;
	HOLDS(!j.intent_open || j.intent.entry == next);
	if (next < UINT32_MAX - 1) {
		HOLDS(journal_intent(&j, next, 1, 2) == 0);
		HOLDS(journal_result(&j, next, -ENOENT) == 0);
	}
	HOLDS(journal_done(&j) == 0);
	HOLDS(journal_open(dir, digest, &again) == 0);
	if (next < UINT32_MAX - 1) {
		HOLDS(again.results == next + 1 && !again.intent_open);
		r = journal_read_result(&again, next, &result); /* forged records may hide it */
		HOLDS(r == -ENODATA || (r == 0 && result == -ENOENT));
	}
	HOLDS(journal_done(&again) == 0);
	HOLDS(journal_remove(dir) == 0);
}

static void run(void *arg)
{
	int dir = sys_open(AT_FDCWD, DIRECTORY, O_RDONLY | O_DIRECTORY, 0);

	HOLDS(dir >= 0);
	try_state(dir);
	try_journal(dir);
	sys_close(dir);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint8_t *bytes;
	size_t state_n;
	struct sim_record end;

	if (n < HEAD)
		return 0;
	bytes = malloc(n);
	HOLDS(bytes);
	memcpy(bytes, data, n);
	state_n = bytes[2] | (size_t)bytes[3] << 8;
	state_n = state_n < n - HEAD ? state_n : n - HEAD;
	fix_slots(bytes + HEAD, state_n, bytes[0]);
	fix_records(bytes + HEAD + state_n, n - HEAD - state_n, bytes[0]);
	what = bytes[1];
	sim_start(1);
	sim_make_dir(DIRECTORY);
	if (state_n)
		sim_make_file(DIRECTORY "/" STATE_FILE, bytes + HEAD, state_n, 0600);
	if (n - HEAD - state_n)
		sim_make_file(DIRECTORY "/" JOURNAL_FILE, bytes + HEAD + state_n,
			      n - HEAD - state_n, 0600);
	end = sim_run(run, NULL);
	HOLDS(end.end == SIM_RETURNED);
	sim_stop();
	free(bytes);
	return 0;
}
