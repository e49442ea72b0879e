/* SPDX-License-Identifier: MIT */
/*
 * pending.c - smctl pending: its options, its verbs, and which group a word means
 *
 * Options may stand anywhere; for `add` the order of operations is the order they are given in.
 */
#include "smctl/pending.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/text.h"

/* What the boot keeps when nothing else is configured. */
#define KEEP_GROUPS 4
#define KEEP_DAYS   30
#define KEEP_BYTES  (1024ull << 20)

enum letter {
	L_ROOT = 256,
	L_STATE,
	L_HIVE,
	L_REASON,
	L_ALLOW,
	L_DIGEST,
	L_CHECK,
	L_FALLBACK,
	L_UNACCEPTED,
	L_KEEP,
	L_DAYS,
	L_MIB,
	L_DRIVE,
};

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},
	{"socket", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{"root", required_argument, NULL, L_ROOT},
	{"state", required_argument, NULL, L_STATE},
	{"hive", required_argument, NULL, L_HIVE},
	{"replace", no_argument, NULL, 'r'},
	{"delete", required_argument, NULL, 'd'},
	{"group", required_argument, NULL, 'g'},
	{"manifest", required_argument, NULL, 'm'},
	{"null", no_argument, NULL, '0'},
	{"reason", required_argument, NULL, L_REASON},
	{"allow-protected", no_argument, NULL, L_ALLOW},
	{"digest", no_argument, NULL, L_DIGEST},
	{"check", no_argument, NULL, L_CHECK},
	{"fallback", no_argument, NULL, L_FALLBACK},
	{"unaccepted", no_argument, NULL, L_UNACCEPTED},
	{"keep", required_argument, NULL, L_KEEP},
	{"days", required_argument, NULL, L_DAYS},
	{"mib", required_argument, NULL, L_MIB},
	{"drive", required_argument, NULL, L_DRIVE},
	{NULL, 0, NULL, 0},
};

/* ---- saying ---- */

int groups_failed(const struct pending *p, int r, const char *what)
{
	switch (r) {
	case -EBUSY:
		return smctl_error(p->s, "the boot, or somebody else, is working on the queue; try "
					 "again");
	case -EACCES:
		return smctl_error(p->s, "access denied: this needs root; try it with sudo");
	case -ENOENT:
		return smctl_error(p->s,
				   "there is no %s that could be changed; see: smctl "
				   "pending list",
				   what ? what : "such directory");
	case -ESTALE:
		return smctl_error(p->s, "%s was changed meanwhile; try again", what);
	default:
		return smctl_error(p->s, "%s%s%s", what ? what : "", what ? ": " : "",
				   sm_reason_text(r));
	}
}

bool groups_wait(const struct sm_group_row *row)
{
	return row->state == SM_GROUP_QUEUED || row->state == SM_GROUP_FAILED;
}

int groups_row(struct pending *p, const char *word, struct sm_group_row *ret)
{
	struct sm_group_row row, found;
	uint32_t cursor = 0, count = 0;
	uint64_t number = 0;
	const bool numbered = smctl_number(word, UINT32_MAX, &number) == 0;
	int r;

	while ((r = sm_group_next(p->q, &cursor, &row)) > 0) {
		if (numbered ? row.group != number : !str_same(row.name, word))
			continue;
		/* Of several with one name the one that still waits is meant. */
		if (count && groups_wait(&found) && !groups_wait(&row))
			continue;
		count = count && groups_wait(&found) == groups_wait(&row) ? count + 1 : 1;
		found = row;
	}
	if (r < 0)
		return groups_failed(p, r, NULL);
	if (!count)
		return smctl_error(p->s, "there is no group \"%s\"; see: smctl pending list",
				   show_text(word));
	if (count > 1)
		return smctl_error(p->s,
				   "%u groups have the name \"%s\": say its number; see: smctl "
				   "pending list",
				   count, show_text(word));
	*ret = found;
	return 0;
}

/* ---- options ---- */

/* The directories of this machine's session manager, if words say so. */
static void take_words(struct pending *p, const char *file, char separator, char *room, size_t cap)
{
	FILE *f = fopen(file, "re");
	size_t n = f ? fread(room, 1, cap - 1, f) : 0;

	if (f)
		(void)fclose(f);
	room[n] = 0;
	for (size_t at = 0; at < n; at++) {
		char *word = room + at;

		for (; at < n && room[at] != separator && room[at] != '\n'; at++)
			;
		room[at] = 0;
		if (!p->state && str_starts(word, "smss.state="))
			p->state = word + 11;
		if (!p->hive && str_starts(word, "smss.hive="))
			p->hive = word + 10;
	}
}

static int open_queue(struct pending *p)
{
	static char own[4096], kernel[4096];
	int r;

	if (!p->root && !(p->state && p->hive)) {
		take_words(p, "/proc/1/cmdline", 0, own, sizeof(own));
		take_words(p, "/proc/cmdline", ' ', kernel, sizeof(kernel));
	}
	r = sm_queue_open(p->root, p->state, p->hive, &p->q);
	if (r == -EINVAL)
		return smctl_usage(p->s, "--state and --hive want absolute paths without . or ..");
	return r < 0 ? groups_failed(p, r, p->root ? "such root" : "such state directory") : 0;
}

static int give(struct pending *p, const char *from, const char *to)
{
	struct given *row = realloc(p->given, (p->given_count + 1) * sizeof(*row));

	if (!row)
		return -ENOMEM;
	p->given = row;
	p->given[p->given_count++] = (struct given){.from = from, .to = to};
	return 0;
}

static int take_limit(struct pending *p, uint64_t max, uint64_t *ret)
{
	return smctl_number(optarg, max, ret) == 0
		       ? 0
		       : smctl_usage(p->s, "a number was wanted, not \"%s\"", show_text(optarg));
}

static int take_number(struct pending *p, int letter)
{
	uint64_t n = 0;
	int r = take_limit(p, letter == L_MIB ? UINT32_MAX : UINT32_MAX - 1, &n);

	if (letter == L_KEEP)
		p->keep.groups = (uint32_t)n;
	else if (letter == L_DAYS)
		p->keep.days = (uint32_t)n;
	else
		p->keep.bytes = n << 20;
	return r;
}

static int take_text(struct pending *p, int letter)
{
	const char **const field = letter == L_ROOT     ? &p->root
				   : letter == L_STATE  ? &p->state
				   : letter == L_HIVE   ? &p->hive
				   : letter == L_REASON ? &p->reason
				   : letter == 'g'      ? &p->group
				   : letter == 'm'      ? &p->manifest
				   : letter == 's'      ? &p->s->socket
							: NULL;

	if (!field)
		return -1;
	*field = optarg;
	return 0;
}

static int take_flag(struct pending *p, int letter)
{
	bool *const field = letter == 'j'            ? &p->s->json
			    : letter == 'r'          ? &p->replace
			    : letter == '0'          ? &p->nul
			    : letter == L_ALLOW      ? &p->allow_protected
			    : letter == L_DIGEST     ? &p->digest
			    : letter == L_CHECK      ? &p->only_check
			    : letter == L_FALLBACK   ? &p->fallback
			    : letter == L_UNACCEPTED ? &p->unaccepted
						     : NULL;

	if (!field)
		return -1;
	*field = true;
	return 0;
}

static int take_drive(struct pending *p)
{
	const int r = drives_add(&p->drives, optarg);

	if (r == 0)
		return 0;
	if (r == -EINVAL)
		return smctl_usage(p->s, "--drive wants X:=DIRECTORY, not \"%s\"",
				   show_text(optarg));
	if (r == -EEXIST)
		return smctl_usage(p->s, "--drive \"%s\": that drive was given already",
				   show_text(optarg));
	return smctl_usage(p->s, "--drive \"%s\": %s", show_text(optarg), err_text(-r));
}

/* 0 = taken, else the exit status + 1. Words come in order, as letter 1. */
static int take_option(struct pending *p, int letter, char **argv)
{
	if (letter == 1) {
		p->words[p->word_count++] = optarg;
		return 0;
	}
	if (letter == 'd')
		return give(p, optarg, NULL) < 0 ? SMCTL_FAILED + 1 : 0;
	if (letter == L_KEEP || letter == L_DAYS || letter == L_MIB)
		return take_number(p, letter) ? SMCTL_USAGE + 1 : 0;
	if (letter == L_DRIVE)
		return take_drive(p) ? SMCTL_USAGE + 1 : 0;
	if (letter == 'h') {
		verbs_help("pending");
		return SMCTL_OK + 1;
	}
	if (take_text(p, letter) == 0 || take_flag(p, letter) == 0)
		return 0;
	return smctl_option_error(p->s, letter, argv) + 1;
}

struct pending_verb {
	const char *name;
	int (*run)(struct pending *p);
	int words_max; /* after it; add pairs its words itself */
};

static const struct pending_verb pending_verbs[] = {
	{"add", groups_add, -1},     {"list", groups_list, 0},      {"show", groups_show, 1},
	{"check", groups_check, -1}, {"cancel", groups_cancel, -1}, {"report", groups_report, 1},
	{"undo", groups_undo, 1},    {"retry", groups_retry, -1},   {"purge", groups_purge, 0},
	{"apply", groups_apply, 0},  {"clear", groups_clear, 0},
};

/* The words of add become moves, in between the deletes that options gave. */
static int pair_words(struct pending *p, bool adds, size_t *paired)
{
	/* the verb itself is the first word */
	while (adds && p->word_count - 1 >= (int)*paired + 2) {
		if (give(p, p->words[*paired + 1], p->words[*paired + 2]) < 0)
			return -ENOMEM;
		*paired += 2;
	}
	return 0;
}

static int read_options(struct pending *p, int argc, char **argv)
{
	size_t paired = 0;
	int letter, r = 0;

	optind = 0;
	opterr = 0;
	p->words = calloc((size_t)argc + 1, sizeof(char *));
	if (!p->words)
		return SMCTL_FAILED + 1;
	/* "-": words are letters of their own, in their order. */
	while (r == 0 &&
	       (letter = getopt_long(argc, argv, "-:js:hrd:g:m:0", options, NULL)) != -1) {
		r = take_option(p, letter, argv);
		if (r == 0 &&
		    pair_words(p, p->word_count && str_same(p->words[0], "add"), &paired) < 0)
			r = SMCTL_FAILED + 1;
	}
	for (; r == 0 && optind < argc; optind++) { /* what follows "--" */
		p->words[p->word_count++] = argv[optind];
		if (pair_words(p, str_same(p->words[0], "add"), &paired) < 0)
			r = SMCTL_FAILED + 1;
	}
	return r;
}

/* With --drive the hive is one of Windows: it is looked at, nothing else. */
static int windows(struct pending *p, const struct pending_verb *v)
{
	const bool check = v->run == groups_check;

	if (!check && v->run != groups_list)
		return smctl_usage(
			p->s,
			"\"%s\": the queue of a Windows hive is only listed and checked: "
			"it is Windows' to run and to change",
			v->name);
	if (check && p->word_count)
		return smctl_usage(p->s, "\"%s\" is one word too many", show_text(p->words[0]));
	if (!p->hive)
		return smctl_usage(p->s, "--drive wants --hive FILE, a SYSTEM hive of Windows");
	if (p->root || p->state)
		return smctl_usage(p->s,
				   "--drive and %s do not go together: --hive is a file of "
				   "this machine then",
				   p->root ? "--root" : "--state");
	return windows_show(p, check);
}

static int run(struct pending *p)
{
	const char *word = p->word_count ? p->words[0] : "list";
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(pending_verbs); i++) {
		const struct pending_verb *v = &pending_verbs[i];

		if (!str_same(v->name, word))
			continue;
		p->word_count -= p->word_count != 0;
		p->words++;
		if (v->words_max >= 0 && p->word_count > v->words_max)
			return smctl_usage(p->s, "\"%s\" is one word too many",
					   show_text(p->words[v->words_max]));
		if (p->drives.any)
			return windows(p, v);
		r = open_queue(p);
		return r ? r : v->run(p);
	}
	return smctl_usage(p->s, "there is no verb \"%s\"", show_text(word));
}

int verb_pending(struct smctl *s, int argc, char **argv)
{
	struct pending p = {.s = s, .keep = {KEEP_GROUPS, KEEP_DAYS, KEEP_BYTES, false}};
	char **words;
	int r;

	drives_start(&p.drives);
	r = read_options(&p, argc, argv);
	words = p.words;
	r = r ? r - 1 : run(&p);
	sm_queue_close(p.q);
	drives_end(&p.drives);
	free(p.given);
	free(words);
	return r;
}
