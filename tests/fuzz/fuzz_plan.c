/* SPDX-License-Identifier: MIT */
/*
 * fuzz_plan.c - any bytes as a boot plan: what plan_check lets through is safe to read, all of it
 *
 * The master maps plans and reads them without a further look. The first byte of an input: bit 0
 * its length and checksum are made right, bit 1 magic and version too, bit 2 it is a queue. The
 * rest, in memory of just that length, is the plan.
 */
#include <string.h>

#include "fuzz.h"
#include "plan/plan.h"

static void fix(struct plan_header *p, size_t n, unsigned tries, const char *magic)
{
	if (n < sizeof(*p) || !(tries & 1))
		return;
	if (tries & 2) {
		memcpy(p->magic, magic, sizeof(p->magic));
		p->version = PLAN_VERSION;
	}
	p->bytes = (uint32_t)n;
	p->crc = plan_crc(p);
}

static void read_string(const struct plan_header *p, uint32_t offset)
{
	const char *s = plan_string(p, offset);

	touch(s, strlen(s) + 1);
	HOLDS(s >= (const char *)p + p->strings && s + strlen(s) < (const char *)p + p->bytes);
}

static void read_words(const char *line)
{
	size_t n = strlen(line) + 1;
	char *copy = malloc(n), *words[9];
	int count;

	HOLDS(copy);
	memcpy(copy, line, n);
	count = plan_words(copy, words, 8);
	for (int i = 0; i < count; i++)
		touch(words[i], strlen(words[i]) + 1);
	HOLDS(count < 0 || !words[count]);
	free(copy);
}

static void read_rows(const struct plan_header *p)
{
	for (unsigned t = 0; t < PLAN_TABLES; t++) {
		uint32_t count = plan_count(p, (enum plan_table)t);

		for (uint32_t i = 0; i < count; i++) {
			const struct plan_row *row = plan_row_at(p, (enum plan_table)t, i);

			touch(row, sizeof(*row));
			read_string(p, row->name);
			read_string(p, row->text);
			if (i < 64)
				read_words(plan_string(p, row->text));
		}
	}
}

static void read_by_name(const struct plan_header *p)
{
	const char *text = plan_text(p, "ComputerName", "otherwise");

	touch(text, strlen(text) + 1);
	for (uint32_t session = 0; session < 3; session++) {
		text = plan_session_text(p, session, "Console", "otherwise");
		touch(text, strlen(text) + 1);
		(void)plan_session_number(p, session, "StopDeadline", 10);
	}
	(void)plan_is_safe(p, "NETWORK", "wininit");
	(void)plan_is_safe(p, "MINIMAL", "");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint8_t block[HIVE_BLOCK_BYTES];
	unsigned tries = n ? data[0] : 0;
	const char *magic = tries & 4 ? QUEUE_MAGIC : PLAN_MAGIC, *why = NULL;
	struct plan_header *p;

	n = n ? n - 1 : 0;
	p = malloc(n ? n : 1);
	HOLDS(p);
	if (n)
		memcpy(p, data + 1, n);
	fix(p, n, tries, magic);
	if (plan_check(p, n, magic, &why) < 0) {
		HOLDS(why && *why);
	} else {
		HOLDS(tries & 4 || plan_is_checked(p, n) == 0);
		HOLDS(p->settings.initial_sessions >= 1 &&
		      p->settings.initial_sessions <= SESSIONS_MAX);
		read_rows(p);
		read_by_name(p);
		read_string(p, p->settings.s0_initial);
		read_string(p, p->settings.initial);
		read_string(p, p->settings.dll_directory);
		read_string(p, p->settings.hive_path);
		(void)plan_fits(p, block, p->hive_bytes);
	}
	free(p);
	return 0;
}
