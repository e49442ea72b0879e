/* SPDX-License-Identifier: MIT */
/*
 * profile_inner.h - the inside of a profile: what is counted, and the page that is made of it
 *
 * profile.c takes facts, profile_join.c finds out whose child is whose, profile_values.c counts in
 * bounded memory, profile_page.c puts the page together once, and profile_{text,json,html}.c only
 * write it. Evidence decides which values there are and how many, so each table has a limit; what
 * is beyond it is counted as "others", never dropped in silence.
 */
#pragma once

#include "smaudit/profile.h"

#define PROFILE_OTHERS      6u   /* names that are told when nothing is about the one asked for */
#define PROFILE_VALUES      64u  /* of a trait */
#define PROFILE_VALUE_BYTES 512u /* of a value; what is longer is cut and says so */
#define PROFILE_KEYS_MAX    262144u /* machines, findings and subjects told apart */
#define PROFILE_ROWS_MAX    65536u  /* of one list */
#define PROFILE_NEAR        16384u  /* processes remembered for what they start later; 2^n */
#define PROFILE_BASE        64u     /* of a base name, with its NUL */
#define PROFILE_PATH        512u

enum trait {
	TRAIT_FILE_TYPE,
	TRAIT_MAGIC,
	TRAIT_ORIGINAL_NAME,
	TRAIT_INTERNAL_NAME,
	TRAIT_PRODUCT,
	TRAIT_STATUS,
	TRAIT_PUBLISHER,
	TRAIT_SIGNER,
	TRAIT_ISSUER,
	TRAIT_SIGNED, /* "yes" or "no": the signature rate */
	TRAIT_VERSION,
	TRAIT_SIZE,
	TRAIT_SHA256,
	TRAIT_PATH,
	TRAIT_PATH_TRACE, /* of events that tell of a process but do not start it */
	TRAIT_COMMAND,
	TRAIT_ACCOUNT,
	TRAIT_INTEGRITY,
	TRAIT_SESSION,
	TRAIT_PRIVILEGES,
	TRAIT_PARENT,
	TRAIT_GRANDPARENT,
	TRAIT_CHILD,
	TRAIT_GRANDCHILD,
	TRAIT_FILES,
	TRAIT_REGISTRY,
	TRAIT_LIFETIME,
	TRAIT_SYSTEM,
	TRAIT_OTHER_RULE, /* of findings: rules that this program does not have */
	TRAIT_COUNT
};

struct value {
	char *key, *shown; /* key decides what is the same */
	uint64_t hash, count;
	uint64_t error; /* so much of count may be others' that had this place before */
};

struct values {
	struct value at[PROFILE_VALUES];
	unsigned used;
	uint64_t records;  /* that could tell */
	uint64_t mentions; /* a record may tell several */
};

struct keys { /* a set of 64-bit keys, 0 = free */
	uint64_t *at;
	size_t cap, count;
	uint64_t refused; /* when it was full */
};

struct near { /* a process that may have children */
	uint64_t host, guid;
	int64_t started_ns;
	uint32_t pid; /* NO_PID = a free place */
	uint16_t boot;
	char base[PROFILE_BASE], parent[PROFILE_BASE]; /* "" = not told */
};

struct list_row {
	uint64_t host;
	int64_t started_ns;
	uint32_t pid, ppid;
	uint32_t next; /* of its bucket, or of those that are free; PROFILE_ROWS_MAX = none */
	char base[PROFILE_BASE];
};

struct hits { /* of an indicator */
	uint64_t found[SEVERITY_HIGH + 1];
	uint64_t undecided;
	bool looked;
};

struct profile {
	char *name;
	bool session_manager; /* it is the name of one */
	struct values *trait; /* TRAIT_COUNT of them */
	struct hits hits[INDICATOR_COUNT];
	unsigned sources; /* SOURCE_* that told anything at all */
	uint64_t starts, rows, ends, traces, images, registry, findings;
	uint64_t cut_names; /* matched by a name that its source cuts */
	int64_t first_ns, last_ns;
	uint64_t odd_times;
	struct keys seen; /* hosts, findings, subjects: each with its own kind */
	uint64_t hosts_full, hosts_bare, hosts_none;
	char *other[PROFILE_OTHERS]; /* names told of while none was about it */
	unsigned others;
	struct near *near;
	uint16_t *boots;      /* of a host, how many began */
	struct list_row *row; /* of lists that are not whole yet, in buckets by host */
	uint32_t *bucket, row_free;
	size_t row_count, row_cap;
	struct list_row *whole; /* the rows of one that is, in order */
	size_t whole_count, whole_cap;
	uint64_t rows_lost;
};

/* ---- profile_values.c ---- */

/* trait_tell - a record told this one value: key, and how it is shown (NULL = the key). A NULL or
 * empty key is a record that could not tell. */
void trait_tell(struct profile *p, enum trait t, const char *key, const char *shown);
/* trait_mention - one of several values of a record; trait_record counts the record itself. */
void trait_mention(struct profile *p, enum trait t, const char *key, const char *shown);
void trait_record(struct profile *p, enum trait t);
/* values_sorted - the most frequent first; returns how many. What is surely of a value is its count
 * less its error; *ret_others is what is nobody's for sure. */
unsigned values_sorted(const struct values *v, const struct value *ret[PROFILE_VALUES],
		       uint64_t *ret_others);
/* keys_add - true when it was not there; also when there is no more room (and counts that). */
bool keys_add(struct keys *k, uint64_t key);
bool keys_has(const struct keys *k, uint64_t key);
/* profile_secret - odd, and another one in each run: evidence cannot be made to crowd one place of
 * a table. It decides where things lie, never what is told. */
uint64_t profile_secret(void);
/* profile_hash - of a text with ASCII case folded, different for each kind; never 0. */
uint64_t profile_hash(uint64_t kind, const char *text);

/* ---- profile.c, profile_findings.c ---- */

enum { KIND_HOST = 1, KIND_HOST_LABEL, KIND_HOST_BARE, KIND_FINDING, KIND_SUBJECT, KIND_NEAR };

/* profile_is - a base name is the one that the page is about. */
bool profile_is(const struct profile *p, const char *base);
/* profile_machine - a record about it is of that host (NULL: file stands for it). */
void profile_machine(struct profile *p, const char *host, const char *file, enum system system);
void profile_time(struct profile *p, int64_t time_ns);
void profile_path(struct profile *p, enum trait t, enum system system, const char *image);
void profile_account(struct profile *p, enum system system, const char *user, const char *sid);
void profile_integrity(struct profile *p, const char *integrity);
/* profile_base_of - an image path's or name's last component, in room; "" = not told. */
void profile_base_of(const char *image, char room[PROFILE_BASE]);
/* profile_verdict_of, _severity_of, _rule_of - what a word of NDJSON stands for; -1 = none, or
 * NULL. */
int profile_verdict_of(const char *word);
int profile_severity_of(const char *word);
int profile_rule_of(const char *word);
/* profile_told_finding - one of another run: counted once, and what its evidence tells, too.
 * given_id: as that run wrote it, NULL = not told. */
void profile_told_finding(struct profile *p, const struct finding *f, const char *given_id);

/* read_ndjson_file - read_ndjson on an open stream, which stays the caller's. */
int read_ndjson_file(FILE *file, const char *path, struct profile *p, const struct sink *to);

/* ---- profile_others.c ---- */

/* profile_keep_other - a name that it is not about. */
void profile_keep_other(struct profile *p, const char *base);

/* ---- profile_join.c ---- */

/* join_begin, _free - before anything is told, and when the page is done. */
void join_begin(struct profile *p);
void join_free(struct profile *p);
/* join_process - who started whom: of starts at once, of lists when they are whole. */
void join_process(struct profile *p, const struct process_fact *f);
void join_boot(struct profile *p, const struct boot_fact *f);
/* join_end - lists whose end was never told. */
void join_end(struct profile *p);

/* ---- profile_page.c ---- */

/* What writes a page, part by part. Labels are ours; values and text are evidence and are escaped
 * by who writes them. */
struct page {
	void *arg;
	void (*section)(void *arg, const char *key, const char *title);
	void (*values)(void *arg, const char *key, const char *label, const struct values *v);
	void (*text)(void *arg, const char *key, const char *label, const char *text);
	void (*paragraph)(void *arg, const char *text); /* of the analysis */
	void (*indicator)(void *arg, const struct indicator *i, const struct hits *h);
};

#define PROFILE_SHARE_ROOM 12

/* page_write - the whole page, in the order of its sections. */
void page_write(const struct profile *p, const struct page *to);
/* page_share - "100%", "33.3%", "<0.1%": all is said of all only. */
const char *page_share(uint64_t count, uint64_t of, char room[PROFILE_SHARE_ROOM]);
/* page_role - what a program of this name is for; a sentence. */
const char *page_role(const struct profile *p);
/* page_state - "finding (high) 3", "nothing found", ... of an indicator. */
void page_state(const struct hits *h, const struct indicator *i, char *to, size_t cap);

/* profile_text, _json, _html - write the page. */
void profile_text(const struct profile *p, FILE *to);
void profile_json(const struct profile *p, FILE *to);
void profile_html(const struct profile *p, FILE *to);
