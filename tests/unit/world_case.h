/* SPDX-License-Identifier: MIT */
/*
 * world_case.h - what the tests of smaudit's world share: a boot told fact by fact, rules found
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "smaudit/report_inner.h"
#include "smaudit/rules.h"

#define S   ((int64_t)1000000000)
#define MS  ((int64_t)1000000)
#define T0  (1600000000 * S)
#define S32 "C:\\Windows\\System32\\"

static struct world *world;
static struct report *report;
static char *text;
static size_t text_bytes;
static FILE *stream;
static bool looked[INDICATOR_COUNT]; /* at what each rule asks for */
static struct process_fact now;      /* what every fact of the test has in common */

static inline void begin(void)
{
	stream = open_memstream(&text, &text_bytes);
	report = report_new(stream, REPORT_NDJSON, false, true);
	world = world_new(report, NULL);
	now = process_fact_none();
	now.host = "W1";
	now.place = (struct place){.file = "a.evtx", .line = 1};
}

/* The rules above info that found something, in the order of their ids; "" = none. */
static inline const char *end_with(const char *verdict)
{
	static char rules[1024];
	char want[64];

	world_end(world);
	for (unsigned r = 0; r < INDICATOR_COUNT; r++)
		looked[r] = report_looked(report, (enum indicator_id)r);
	report_end(report);
	world_free(world);
	report_free(report);
	fclose(stream);
	rules[0] = '\0';
	snprintf(want, sizeof(want), "\"verdict\":\"%s\"", verdict);
	for (unsigned r = 0; r < INDICATOR_COUNT; r++) {
		char rule[64];
		const char *line = text;

		snprintf(rule, sizeof(rule), "\"rule\":\"%s\"", indicators[r].id);
		for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
			char one[4096];

			snprintf(one, sizeof(one), "%.*s", (int)strcspn(line, "\n"), line);
			if (!strstr(one, rule) || !strstr(one, want) ||
			    !strstr(one, "\"subject\"") || strstr(one, "\"severity\":\"info\""))
				continue;
			snprintf(rules + strlen(rules), sizeof(rules) - strlen(rules), "%s%s",
				 *rules ? " " : "", indicators[r].id);
			break;
		}
	}
	return rules;
}

static inline const char *findings(void)
{
	const char *rules = end_with("finding");

	free(text);
	return rules;
}

static inline struct process_fact start(int64_t at, uint32_t pid, uint32_t ppid, const char *image)
{
	struct process_fact f = now;

	f.seen = SEEN_START;
	f.time_ns = f.started_ns = at;
	f.pid = pid;
	f.ppid = ppid;
	f.image = image;
	f.sid = "S-1-5-18";
	return f;
}

static inline void started(int64_t at, uint32_t pid, uint32_t ppid, const char *image)
{
	struct process_fact f = start(at, pid, ppid, image);

	world_process(world, &f);
}

static inline void told(enum seen seen, int64_t at, uint32_t pid, const char *image)
{
	struct process_fact f = now;

	f.seen = seen;
	f.time_ns = at;
	f.pid = pid;
	f.image = image;
	world_process(world, &f);
}

static inline void row(enum list list, int64_t at, uint32_t pid, uint32_t ppid, const char *name)
{
	struct process_fact f = now;

	f.seen = SEEN_ALIVE;
	f.list = list;
	f.started_ns = at;
	f.pid = pid;
	f.ppid = ppid;
	f.name = name;
	f.sid = "S-1-5-18";
	world_process(world, &f);
}

static inline void mark(enum boot_mark what, int64_t at, int64_t by)
{
	struct boot_fact f = {
		.place = now.place, .host = now.host, .mark = what, .time_ns = at, .by_ns = by};

	world_boot(world, &f);
}

/* A boot as Security 4688 and 4689 tell it: pids, no GUIDs, no parents' names. */
static inline void boot(int64_t at)
{
	started(at, 256, 4, S32 "smss.exe");
	started(at + 2 * S, 300, 256, S32 "autochk.exe");
	started(at + 4 * S, 332, 256, S32 "smss.exe");
	started(at + 4 * S + 100 * MS, 340, 332, S32 "csrss.exe");
	started(at + 5 * S, 432, 256, S32 "smss.exe");
	started(at + 5 * S + 100 * MS, 440, 332, S32 "wininit.exe");
	started(at + 5 * S + 200 * MS, 444, 432, S32 "csrss.exe");
	started(at + 5 * S + 300 * MS, 472, 432, S32 "winlogon.exe");
}

static inline void ours(uint32_t pid, uint32_t ppid, const char *image, const char *uid)
{
	struct process_fact f = now;

	f.system = SYSTEM_LINUX;
	f.seen = SEEN_ALIVE;
	f.list = LIST_LIVE;
	f.started_ns = T0 + pid * 10 * MS;
	f.pid = pid;
	f.ppid = ppid;
	f.image = image;
	f.sid = uid;
	world_process(world, &f);
}
