/* SPDX-License-Identifier: MIT */
/*
 * report_inner.h - the inside of a report: what was told and counted, and the three forms
 *
 * report.c decides what is told and keeps the counts; report_text.c, report_ndjson.c and
 * report_ecs.c only write. Memory is bounded: of repeated evidence only ids are kept, text for
 * people in blocks that are written out when there are many.
 */
#pragma once

#include "smaudit/report.h"

#define REPORT_TOLD_MAX     262144u /* findings told apart; more are counted only */
#define REPORT_BLOCKS_MAX   4096u   /* findings that are put in order before they are written */
#define REPORT_INPUTS_MAX   256u    /* inputs named in the summary; more are counted */
#define REPORT_REASONS_MAX  3u      /* of a rule, why it could not be decided */
#define REPORT_TROUBLES_MAX 20u     /* of one file; more are counted */
#define REPORT_TIME_ROOM    40

struct tally { /* of a rule */
	uint64_t found[SEVERITY_HIGH + 1];
	uint64_t undecided;
	char *reason[REPORT_REASONS_MAX]; /* NULL = no more */
	bool looked;                      /* a rule said so itself */
};

struct read_input { /* a line of the summary */
	char *file, *as_what;
	uint64_t records;
};

struct block { /* a finding for people, written but not yet told */
	enum indicator_id rule;
	enum verdict verdict;
	enum severity severity;
	char *text;
};

struct report {
	FILE *to;
	enum report_format format;
	bool colour, all;
	unsigned width; /* of a line of text */
	uint64_t *told; /* open hash of ids, 0 = free */
	size_t told_cap, told_count;
	uint64_t untold; /* found when the hash was full */
	struct tally tally[INDICATOR_COUNT];
	unsigned looked; /* SOURCE_* of inputs that told something */
	struct read_input input[REPORT_INPUTS_MAX];
	unsigned inputs;
	uint64_t inputs_more;
	uint64_t input_errors, degraded, notes;
	char *trouble_file; /* the last one, and how many lines it got */
	unsigned trouble_lines;
	struct block *block;
	size_t blocks, block_cap;
	void (*watch)(void *arg, const struct finding *f);
	void *watch_arg;
};

/* report_id - 16 hexadecimal digits of a finding: of host, rule and subject, the same in every run.
 */
void report_id(const struct finding *f, char ret_id[17]);
/* report_host - the host, or the file that stands for it. */
const char *report_host(const struct finding *f);
/* report_time - ISO 8601, UTC, milliseconds; NULL for NO_TIME. */
const char *report_time(int64_t time_ns, char room[REPORT_TIME_ROOM]);
/* report_looked - some input could tell what the rule asks for. */
bool report_looked(const struct report *r, enum indicator_id rule);
const char *severity_word(enum severity s);
const char *verdict_word(enum verdict v);
/* trouble_verdict - what an input that was in trouble comes to. */
enum verdict trouble_verdict(enum trouble t);

/* audit_alloc - memory, or the end of the program with a line that says so. */
void *audit_alloc(void *old, size_t bytes);
char *audit_copy(const char *text);

/* ---- report_text.c ---- */
void text_finding(struct report *r, const struct finding *f);
void text_trouble(struct report *r, const struct place *p, enum trouble t, const char *text);
/* text_flush - write what waits, the gravest first. */
void text_flush(struct report *r);
void text_summary(struct report *r);

/* ---- report_ndjson.c, report_ecs.c ---- */
void ndjson_finding(struct report *r, const struct finding *f);
void ndjson_trouble(struct report *r, const struct place *p, enum trouble t, const char *text);
/* ndjson_nothing - a rule that found nothing, or could not be looked at. */
void ndjson_nothing(struct report *r, enum indicator_id rule);
void ecs_finding(struct report *r, const struct finding *f);
void ecs_trouble(struct report *r, const struct place *p, enum trouble t, const char *text);
void ecs_nothing(struct report *r, enum indicator_id rule);
