/* SPDX-License-Identifier: MIT */
/*
 * lists_case.h - what the tests of smaudit's text readers share: a text in, what was told out
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "smaudit/readers.h"
#include "smaudit/shapes.h"

static char told[65536]; /* a line a fact, what it says of the process */
static char troubles[16384];
static struct process_fact last;
static int64_t list_end_ns;
static unsigned list_ends, facts;

static void append(char *to, size_t cap, const char *text)
{
	snprintf(to + strlen(to), cap - strlen(to), "%s", text);
}

static void take_process(void *arg, const struct process_fact *f)
{
	static const char *const seen[] = {"start", "end", "alive", "active"};
	char line[1024];

	(void)arg;
	facts++;
	last = *f;
	snprintf(line, sizeof(line), "%s %d<%d %s %s\n", seen[f->seen], (int)f->pid, (int)f->ppid,
		 f->image ? f->image : "-", f->name ? f->name : "-");
	append(told, sizeof(told), line);
}

static void take_boot(void *arg, const struct boot_fact *f)
{
	(void)arg;
	if (f->mark != BOOT_SNAPSHOT_END)
		return;
	list_ends++;
	list_end_ns = f->time_ns;
}

static void take_trouble(void *arg, const struct place *p, enum trouble t, const char *text)
{
	static const char *const kinds[] = {"input", "degraded", "note"};
	char line[512];

	(void)arg;
	snprintf(line, sizeof(line), "%s:%u %s: %s\n", p->file, (unsigned)p->line, kinds[t], text);
	append(troubles, sizeof(troubles), line);
}

static const struct sink sink = {
	.process = take_process, .boot = take_boot, .trouble = take_trouble};
static const char *shape;

static int read_bytes(const void *bytes, size_t n)
{
	FILE *f = n ? fmemopen((void *)(uintptr_t)bytes, n, "r") : tmpfile();
	uint64_t records = 0;
	int r;

	assert_non_null(f);
	told[0] = troubles[0] = '\0';
	list_ends = facts = 0;
	list_end_ns = 0;
	r = read_processes_file(f, "x", &sink, &shape, &records);
	assert_int_equal(fclose(f), 0);
	assert_true(records >= facts);
	return r;
}

static int read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

#define SMSS   "C:\\\\Windows\\\\System32\\\\smss.exe" /* as JSON writes it */
#define SMSS_C "C:\\Windows\\System32\\smss.exe"
