/* SPDX-License-Identifier: MIT */
/*
 * test_audit_evtx.c - the reader of event logs against children that are its enemies
 *
 * evtx_child_run of this file stands in for the product's: it does what a parser could be made to
 * do by the evidence. The logs are made here, and hold nothing but numbered records.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smaudit/evtx.h"
#include "smaudit/readers.h"

#define RECORDS 3

enum manner {
	HONEST,
	DIES_AT_ONCE,
	DIES_AFTER_ONE,
	DIES_ON_SECOND_CHUNK,
	TOO_LONG,
	UNKNOWN_KIND,
	NO_END,
	WITHOUT_END,
	FEWER,
	HANGS,
	NEVER_READS,
	NO_WALLS
};

static enum manner manner;
static char path[] = "/tmp/smss-evtx-XXXXXX";
static uint8_t chunk[EVTX_CHUNK_BYTES];

static struct {
	unsigned starts, degraded, inputs, notes;
	uint64_t line[16];
	char text[4096];
} heard;

/* ---- the child ---- */

static void frame(int to, uint32_t kind, uint32_t bytes, const void *body, size_t n)
{
	struct evtx_frame f = {kind, bytes, 0};
	uint64_t first;

	memcpy(&first, chunk + 24, 8);
	f.record = kind == EVTX_EVENT ? first : 0;
	if (write(to, &f, sizeof(f)) < 0 || write(to, body, n) < 0)
		_exit(9);
}

static void event(int to)
{
	static const char fields[] = "EventID\0"
				     "1\0"
				     "Channel\0"
				     "Microsoft-Windows-Sysmon/Operational\0"
				     "ProcessId\0"
				     "7";

	frame(to, EVTX_EVENT, sizeof(fields), fields, sizeof(fields));
}

static void misbehave(int to, bool second)
{
	static char much[EVTX_FRAME_MAX + 8];

	if (manner == DIES_AT_ONCE || (manner == DIES_ON_SECOND_CHUNK && second))
		raise(SIGKILL);
	if (manner == TOO_LONG)
		frame(to, EVTX_EVENT, EVTX_FRAME_MAX + 1, much, sizeof(much));
	if (manner == UNKNOWN_KIND)
		frame(to, 77, 0, "", 0);
	if (manner == NO_END)
		frame(to, EVTX_EVENT, 3, "A\0b", 3);
	while (manner == WITHOUT_END)
		event(to);
	while (manner == HANGS)
		pause();
}

_Noreturn void evtx_child_run(int from, int to)
{
	struct evtx_done done = {RECORDS, 0};

	signal(SIGPIPE, SIG_DFL);
	if (manner == NO_WALLS)
		_exit(EVTX_EXIT_NO_WALLS);
	while (manner == NEVER_READS) { /* it answers what it was not asked yet, then nothing */
		frame(to, EVTX_DONE, sizeof(done), &done, sizeof(done));
		pause();
	}
	for (;;) {
		uint64_t first;

		for (size_t at = 0; at < sizeof(chunk);) {
			ssize_t n = read(from, chunk + at, sizeof(chunk) - at);

			if (n <= 0)
				_exit(0);
			at += (size_t)n;
		}
		memcpy(&first, chunk + 24, 8);
		misbehave(to, first > 1);
		event(to);
		if (manner == DIES_AFTER_ONE)
			raise(SIGKILL);
		if (manner == FEWER)
			done.read = 1;
		frame(to, EVTX_DONE, sizeof(done), &done, sizeof(done));
	}
}

/* ---- the log ---- */

static void make_chunk(uint8_t *c, uint64_t first)
{
	uint64_t last = first + RECORDS - 1;
	uint32_t free_at = EVTX_RECORDS_AT + RECORDS * 32, crc;

	memset(c, 0, EVTX_CHUNK_BYTES);
	memcpy(c, "ElfChnk", 8);
	memcpy(c + 24, &first, 8);
	memcpy(c + 32, &last, 8);
	memcpy(c + 48, &free_at, 4);
	for (unsigned i = 0; i < RECORDS; i++) {
		static const uint32_t head[] = {0x2a2a, 32};
		uint64_t id = first + i;

		memcpy(c + EVTX_RECORDS_AT + i * 32, head, 8);
		memcpy(c + EVTX_RECORDS_AT + i * 32 + 8, &id, 8);
	}
	crc = evtx_crc32(0, c + EVTX_RECORDS_AT, RECORDS * 32);
	memcpy(c + 52, &crc, 4);
	crc = evtx_crc32(evtx_crc32(0, c, 120), c + 128, 384);
	memcpy(c + 124, &crc, 4);
}

/* Chunks whose first records are given; later ones may come first. */
static void make_log(const uint64_t *firsts, unsigned count)
{
	uint8_t head[EVTX_HEADER_BYTES] = "ElfFile", c[EVTX_CHUNK_BYTES];
	uint32_t crc = evtx_crc32(0, head, 120);
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	memcpy(head + 124, &crc, 4);
	assert_int_equal(fwrite(head, sizeof(head), 1, f), 1);
	for (unsigned i = 0; i < count; i++) {
		make_chunk(c, firsts[i]);
		assert_int_equal(fwrite(c, sizeof(c), 1, f), 1);
	}
	assert_int_equal(fclose(f), 0);
}

static void poke(long at, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "r+b");

	assert_non_null(f);
	assert_int_equal(fseek(f, at, SEEK_SET), 0);
	assert_int_equal(fwrite(bytes, n, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

static void on_process(void *arg, const struct process_fact *f)
{
	if (heard.starts < 16)
		heard.line[heard.starts] = f->place.line;
	heard.starts++;
}

static void on_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	size_t n = strlen(heard.text);

	assert_string_equal(p->file, path);
	heard.degraded += t == TROUBLE_DEGRADED;
	heard.inputs += t == TROUBLE_INPUT;
	heard.notes += t == TROUBLE_NOTE;
	snprintf(heard.text + n, sizeof(heard.text) - n, "%s\n", text);
}

static int listen_to(enum manner how, uint64_t *ret_told)
{
	static const struct sink to = {.process = on_process, .trouble = on_trouble};

	memset(&heard, 0, sizeof(heard));
	manner = how;
	return read_evtx(path, &to, ret_told);
}

static void told(const char *piece)
{
	if (!strstr(heard.text, piece))
		fail_msg("\"%s\" is not in: %s", piece, heard.text);
}

/* ---- */

static void chunks_are_read_in_the_order_of_records(void **state)
{
	static const uint64_t firsts[] = {7, 10, 1, 4};
	uint64_t n;

	make_log(firsts, 4);
	assert_int_equal(listen_to(HONEST, &n), 0);
	assert_int_equal(n, 4);
	assert_int_equal(heard.line[0], 1);
	assert_int_equal(heard.line[3], 10);
	assert_int_equal(heard.degraded + heard.inputs + heard.notes, 0);
}

static void what_a_dead_child_told_counts(void **state)
{
	static const uint64_t firsts[] = {1, 4, 7};
	uint64_t n;

	make_log(firsts, 3);
	assert_int_equal(listen_to(DIES_AFTER_ONE, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(heard.degraded, 3);
	told("died of signal 9 in chunk 1 (records 4 to 6)");
	assert_int_equal(listen_to(DIES_ON_SECOND_CHUNK, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(heard.degraded, 2);
}

static void a_child_that_breaks_its_word_is_replaced(void **state)
{
	static const enum manner manners[] = {TOO_LONG, UNKNOWN_KIND, NO_END, WITHOUT_END};
	static const uint64_t firsts[] = {1, 4};

	make_log(firsts, 2);
	for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); i++) {
		assert_int_equal(listen_to(manners[i], NULL), 0);
		assert_int_equal(heard.degraded, 2);
		told("answered what it must not in chunk 0");
		told("in chunk 1");
		assert_true(heard.starts <= 2 * (EVTX_RECORDS_MAX + 2));
	}
}

static void records_that_are_not_accounted_for_are_named(void **state)
{
	static const uint64_t firsts[] = {1};

	make_log(firsts, 1);
	assert_int_equal(listen_to(FEWER, NULL), 0);
	assert_int_equal(heard.degraded, 1);
	told("2 of the 3 records of chunk 0 cannot be read");
}

static void a_child_that_hangs_is_ended(void **state)
{
	static const uint64_t firsts[] = {1};

	make_log(firsts, 1);
	assert_int_equal(listen_to(HANGS, NULL), 0);
	told("took longer than 5 s in chunk 0");
}

static void a_child_that_does_not_read_is_ended(void **state)
{
	static const uint64_t firsts[] = {1, 4};

	make_log(firsts, 2);
	alarm(30); /* a parent that waits for it waits for ever */
	assert_int_equal(listen_to(NEVER_READS, NULL), 0);
	alarm(0);
	told("took longer than 5 s in chunk 1");
}

static void without_walls_nothing_is_read(void **state)
{
	static const uint64_t firsts[] = {1, 4};

	make_log(firsts, 2);
	assert_int_equal(listen_to(NO_WALLS, NULL), -EPERM);
	assert_int_equal(heard.inputs, 1);
	assert_int_equal(heard.starts, 0);
}

static void many_deaths_end_the_reading(void **state)
{
	uint64_t firsts[40];

	for (unsigned i = 0; i < 40; i++)
		firsts[i] = 1 + i * RECORDS;
	make_log(firsts, 40);
	assert_int_equal(listen_to(DIES_AT_ONCE, NULL), 0);
	assert_int_equal(heard.degraded, 18);
	told("23 chunks, from record 52 on, are not read");
}

static void changes_show_in_checksums(void **state)
{
	static const uint64_t firsts[] = {1, 4};

	make_log(firsts, 2);
	poke(EVTX_HEADER_BYTES + EVTX_RECORDS_AT + 20, "x", 1);
	assert_int_equal(listen_to(HONEST, NULL), 0);
	assert_int_equal(heard.starts, 2);
	assert_int_equal(heard.degraded, 1);
	told("records of chunk 0 (1 to 3)");
	poke(EVTX_HEADER_BYTES + EVTX_CHUNK_BYTES, "Broken!", 7);
	assert_int_equal(listen_to(HONEST, NULL), 0);
	assert_int_equal(heard.starts, 2);
	told("chunk 1 does not begin as one");
}

static void a_cut_log_is_read_to_its_end(void **state)
{
	static const uint64_t firsts[] = {1, 4};

	make_log(firsts, 2);
	assert_int_equal(truncate(path, EVTX_HEADER_BYTES + EVTX_CHUNK_BYTES + 4096), 0);
	assert_int_equal(listen_to(HONEST, NULL), 0);
	assert_int_equal(heard.starts, 2);
	told("the file ends inside of chunk 1");
	assert_int_equal(truncate(path, EVTX_HEADER_BYTES), 0);
	assert_int_equal(listen_to(HONEST, NULL), 0);
	assert_int_equal(heard.starts, 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(listen_to(HONEST, NULL), -EBADMSG);
	told("no event is left");
}

static void what_is_no_log_is_said(void **state)
{
	make_log(NULL, 0);
	poke(0, "regf regf", 9);
	assert_int_equal(listen_to(HONEST, NULL), -EBADMSG);
	told("no Windows event log");
	poke(0, "0\0\0\0LfLe", 8);
	assert_int_equal(listen_to(HONEST, NULL), -EBADMSG);
	told("Windows XP or 2003");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(listen_to(HONEST, NULL), -ENOENT);
	assert_int_equal(heard.inputs, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(chunks_are_read_in_the_order_of_records),
		cmocka_unit_test(what_a_dead_child_told_counts),
		cmocka_unit_test(a_child_that_breaks_its_word_is_replaced),
		cmocka_unit_test(records_that_are_not_accounted_for_are_named),
		cmocka_unit_test(a_child_that_hangs_is_ended),
		cmocka_unit_test(a_child_that_does_not_read_is_ended),
		cmocka_unit_test(without_walls_nothing_is_read),
		cmocka_unit_test(many_deaths_end_the_reading),
		cmocka_unit_test(changes_show_in_checksums),
		cmocka_unit_test(a_cut_log_is_read_to_its_end),
		cmocka_unit_test(what_is_no_log_is_said),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return failed;
}
