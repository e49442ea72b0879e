/* SPDX-License-Identifier: MIT */
/*
 * fuzz_lists.c - any bytes as a list of processes or a log of events
 *
 * Promises: every text told is UTF-8 without control of how long it is; every place is a line of
 * the input; as many facts are counted as were told; and an input that is refused says why.
 */
#include <string.h>

#include "fuzz.h"
#include "smaudit/readers.h"
#include "smaudit/shapes.h"

static uint64_t told, lines;
static unsigned refusals;

static void check_text(const char *s)
{
	const uint8_t *p = (const uint8_t *)s;

	if (!s)
		return;
	touch(s, strlen(s) + 1);
	while (*p) {
		size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

		HOLDS(*p < 0x80 || (*p >= 0xc2 && *p <= 0xf4));
		for (size_t i = 1; i < n; i++)
			HOLDS((p[i] & 0xc0) == 0x80);
		p += n;
	}
}

static void check_place(const struct place *p)
{
	HOLDS(!strcmp(p->file, "case"));
	HOLDS(p->line <= lines);
}

static void take_process(void *arg, const struct process_fact *f)
{
	const char *const texts[] = {f->host,   f->guid,         f->parent_guid,   f->name,
				     f->image,  f->command,      f->user,          f->sid,
				     f->sha256, f->parent_image, f->original_name, f->signature,
				     f->signer, f->product,      f->privileges};

	(void)arg;
	told++;
	check_place(&f->place);
	HOLDS(f->pid != NO_PID || f->list == LIST_NONE);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_text(texts[i]);
}

static void take_boot(void *arg, const struct boot_fact *f)
{
	(void)arg;
	check_place(&f->place);
	check_text(f->host);
}

static void take_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	(void)arg;
	check_place(p);
	HOLDS(text[0]);
	touch(text, strlen(text) + 1);
	refusals += t == TROUBLE_INPUT;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct sink sink = {
		.process = take_process, .boot = take_boot, .trouble = take_trouble};
	const char *shape = NULL;
	uint64_t records = 0;
	FILE *f;
	int r;

	if (n == 0)
		return 0;
	f = fmemopen((void *)(uintptr_t)data, n, "r");
	if (!f)
		return 0;
	told = refusals = 0;
	lines = 1;
	for (size_t i = 0; i < n; i++)
		lines += data[i] == '\n';
	r = read_processes_file(f, "case", &sink, &shape, &records);
	fclose(f);
	HOLDS(r <= 0);
	HOLDS(r == 0 || refusals);
	HOLDS(shape && shape[0]);
	HOLDS(records >= told || r < 0);
	(void)time_read(shape);
	return 0;
}
