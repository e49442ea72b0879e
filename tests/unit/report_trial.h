/* SPDX-License-Identifier: MIT */
/*
 * report_trial.h - a report whose output is text in memory, for the tests of reports
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "smaudit/report_inner.h"

struct trial {
	FILE *to;
	char *text;
	size_t bytes;
	struct report *r;
};

/* The stream keeps where text and bytes are: a trial stays where it began. */
static inline void begin(struct trial *t, enum report_format format, bool all)
{
	*t = (struct trial){0};
	t->to = open_memstream(&t->text, &t->bytes);
	assert_non_null(t->to);
	t->r = report_new(t->to, format, false, all);
}

/* What was told so far. */
static inline const char *told(struct trial *t)
{
	fflush(t->to);
	return t->text;
}

static inline void done(struct trial *t)
{
	report_free(t->r);
	fclose(t->to);
	free(t->text);
}

static inline struct finding example(void)
{
	struct finding f = {
		.rule = INDICATOR_WRONG_PATH,
		.verdict = VERDICT_FINDING,
		.severity = SEVERITY_HIGH,
		.host = "W5",
		.subject = "smss.exe pid 7001",
		.what = "it runs from a folder of temporary files",
		.time_ns = INT64_C(1599203256123) * 1000000,
		.place = {"boot.jsonl", 12},
	};

	finding_add(&f, "pid", "7001");
	finding_add(&f, "image", "C:\\Windows\\Temp\\smss.exe");
	return f;
}

static inline void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

static inline void has_not(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in:\n%s", part, text);
}

static inline unsigned lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}
