/* SPDX-License-Identifier: MIT */
/*
 * report.h - findings, how grave they are, and how they are told
 *
 * A rule says what it found to one report; the report gives it an id that is the same in every run
 * over the same evidence (host, rule, subject), tells each only once, and prints it as text, NDJSON
 * or ECS. "Not observed" never prints as clean: what a rule could not decide is indeterminate and
 * says which field was missing. Evidence is escaped here, and only here.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "smaudit/facts.h"

enum indicator_id {
	INDICATOR_WRONG_PATH,
	INDICATOR_WRONG_PARENT,
	INDICATOR_SECOND_PERSISTENT_INSTANCE,
	INDICATOR_UNEXPECTED_CHILD,
	INDICATOR_WRONG_ACCOUNT,
	INDICATOR_UNSIGNED_IMAGE,
	INDICATOR_WRONG_SIGNER,
	INDICATOR_LATE_START,
	INDICATOR_BOOT_EXECUTE,
	INDICATOR_BOOT_EXECUTE_SIBLING,
	INDICATOR_PENDING_RENAME,
	INDICATOR_SERVICE_IMITATION,
	INDICATOR_NEAR_MISS_NAME,
	INDICATOR_SPOOFED_PARENT,
	INDICATOR_IDENTITY_MISMATCH,
	INDICATOR_COUNT
};

enum severity { SEVERITY_INFO, SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH };

/* FINDING of severity INFO is noted: it is shown with --all and does not change the exit status. */
enum verdict { VERDICT_NOTHING, VERDICT_FINDING, VERDICT_INDETERMINATE, VERDICT_INPUT_ERROR };

/* What stands in the place of a verdict for a rule that no input could tell: it came to none. */
#define NOT_LOOKED_AT "not-looked-at"

struct indicator {      /* one row of the table in indicators.c */
	const char *id; /* "wrong-path": stable, of NDJSON and the manual */
	const char *title;
	enum severity severity; /* as a rule; an exception lowers it */
	const char *technique;  /* ATT&CK: "T1036.005" */
	const char *why;        /* why it matters, one sentence */
	const char *next;       /* what to do next, one sentence */
	const char *decided_by; /* which fields decide */
	const char *exceptions; /* when it is not a finding */
	unsigned sources;       /* bits of SOURCE_*: which inputs always tell what decides it */
	unsigned at_times;      /* which have a field for it that need not be there: looked at when
				   it was read */
};
#define SOURCE_LIVE      (1u << 0)
#define SOURCE_HIVE      (1u << 1)
#define SOURCE_PROCESSES (1u << 2)
#define SOURCE_EVTX      (1u << 3)
#define SOURCE_IMAGE     (1u << 4)

extern const struct indicator indicators[INDICATOR_COUNT]; /* indicators.c */

#define EVIDENCE_MAX 16
/*
 * Names that every rule uses for the same thing, and that ECS has fields for: pid, ppid, guid,
 * image, name, command, started, ended, parent (its image), parent-guid, user, sid; key, value,
 * data (one each string); file, sha256, signer, status (of the signature), original-name, company,
 * product, file-version. pid and ppid are decimal. Other names are free.
 */
struct evidence { /* e.g. {"image", "C:\\Windows\\Temp\\smss.exe"}; raw, escaped when printed */
	const char *name, *text;
};

struct finding { /* borrowed until report_add returns */
	enum indicator_id rule;
	enum verdict verdict;
	enum severity severity;
	const char *host;      /* NULL = the file's */
	const char *subject;   /* stable: "smss.exe pid 7001 started 2020-09-04T07:07:36Z" */
	const char *what;      /* one sentence: what is wrong, or what could not be decided */
	const char *missing;   /* INDETERMINATE: the field or fields that would decide it */
	const char *next;      /* NULL = the indicator's own */
	const char *technique; /* NULL = the indicator's own */
	int64_t time_ns;       /* of the evidence, NO_TIME */
	struct evidence evidence[EVIDENCE_MAX];
	unsigned evidences;
	struct place place;
};

struct report; /* opaque: format, stream, what was told, counts */

enum report_format { REPORT_TEXT, REPORT_NDJSON, REPORT_ECS };

/*
 * report_new - one for a run
 *   to      stays the caller's
 *   colour  on a terminal
 *   all     also what is noted and which rules found nothing
 * Never returns NULL (ends the program when there is no memory: a tool's right).
 */
struct report *report_new(FILE *to, enum report_format format, bool colour, bool all);
void report_free(struct report *r);
/*
 * report_add - tell it, once
 * VERDICT_NOTHING: the rule had what it needs and found nothing; its row counts as looked at even
 * when no input's SOURCE_* says so (e.g. a log with version fields for identity-mismatch).
 */
void report_add(struct report *r, const struct finding *f);
/* report_watch - also tell WATCH each finding once, noted and undecided ones too (the profile). */
void report_watch(struct report *r, void (*watch)(void *arg, const struct finding *f), void *arg);
/* report_trouble - an input that could not be read, whole or in part. */
void report_trouble(struct report *r, const struct place *p, enum trouble t, const char *text);
/* report_input - an input was read: what it can tell (SOURCE_*) counts as looked at, if it told
 * anything at all. */
void report_input(struct report *r, const char *file, unsigned source, const char *as_what,
		  uint64_t records);
/*
 * report_end - the summary: which rules found nothing, which could not be decided and why not
 * Returns the exit status: 0 nothing, 1 findings (above INFO), 2 an input error and no finding,
 * 3 indeterminate only (or nothing that was read tells anything the rules look at).
 */
int report_end(struct report *r);

/* finding_add - another evidence; beyond EVIDENCE_MAX it is left out. text NULL: left out. */
void finding_add(struct finding *f, const char *name, const char *text);
