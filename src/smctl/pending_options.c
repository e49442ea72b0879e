/* SPDX-License-Identifier: MIT */
/*
 * pending_options.c - smctl pending: how its options are read
 *
 * Options may stand anywhere; for `add` the order of operations is the order they are given in. An
 * option that is not the verb's is refused by name: one that was passed over could have been the
 * one that was to keep things as they are.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "smctl/pending.h"

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
	L_DELETE_IF,
};

#define COMMON_OPTIONS 7
static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},
	{"socket", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},
	{"root", required_argument, NULL, L_ROOT},
	{"state", required_argument, NULL, L_STATE},
	{"hive", required_argument, NULL, L_HIVE},
	{"drive", required_argument, NULL, L_DRIVE},
	/* from here on each is of some verbs only */
	{"replace", no_argument, NULL, 'r'},
	{"delete-if-there", required_argument, NULL, L_DELETE_IF},
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
	{NULL, 0, NULL, 0},
};

static int give(struct pending *p, struct given operation)
{
	struct given *row = realloc(p->given, (p->given_count + 1) * sizeof(*row));

	if (!row)
		return -ENOMEM;
	p->given = row;
	p->given[p->given_count++] = operation;
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

/* Of the verb, when it is known by then. */
static void show_help(const struct pending *p)
{
	char name[32] = "pending";

	if (p->word_count)
		(void)snprintf(name, sizeof(name), "pending %.20s", p->words[0]);
	verbs_help(name);
}

static void note_option(struct pending *p, int letter)
{
	for (unsigned i = 0; options[i].name; i++)
		if (options[i].val == letter)
			p->options |= 1u << i;
}

int options_refused(const struct pending *p, const char *verb, const char *own)
{
	char word[32];

	for (unsigned i = COMMON_OPTIONS; options[i].name; i++) {
		(void)snprintf(word, sizeof(word), " %s ", options[i].name);
		if (p->options & 1u << i && !strstr(own, word))
			return smctl_usage(p->s, "%s has no option --%s", verb, options[i].name);
	}
	return SMCTL_OK;
}

/* 0 = taken, else the exit status + 1. Words come in order, as letter 1. */
static int take_option(struct pending *p, int letter, char **argv)
{
	if (letter == 1) {
		p->words[p->word_count++] = optarg;
		return 0;
	}
	note_option(p, letter);
	if (letter == 'd' || letter == L_DELETE_IF) {
		const struct given o = {.from = optarg, .optional = letter != 'd'};

		return give(p, o) < 0 ? SMCTL_FAILED + 1 : 0;
	}
	if (letter == L_KEEP || letter == L_DAYS || letter == L_MIB)
		return take_number(p, letter) ? SMCTL_USAGE + 1 : 0;
	if (letter == L_DRIVE)
		return take_drive(p) ? SMCTL_USAGE + 1 : 0;
	if (letter == 'h') {
		show_help(p);
		return SMCTL_OK + 1;
	}
	if (take_text(p, letter) == 0 || take_flag(p, letter) == 0)
		return 0;
	return smctl_option_error(p->s, letter, argv) + 1;
}

/* The words of add become moves, in between the deletes that options gave. */
static int pair_words(struct pending *p, bool adds, size_t *paired)
{
	/* the verb itself is the first word */
	while (adds && p->word_count - 1 >= (int)*paired + 2) {
		const struct given o = {.from = p->words[*paired + 1], .to = p->words[*paired + 2]};

		if (give(p, o) < 0)
			return -ENOMEM;
		*paired += 2;
	}
	return 0;
}

int options_read(struct pending *p, int argc, char **argv)
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
