/* SPDX-License-Identifier: MIT */
/*
 * main.c - smreg: the registry's command, and at boot the reader of a hive (design §2)
 *
 * A verb, options anywhere. Exit: 0, 1 failed or errors found, 2 usage or input that cannot be
 * read. The environment of the caller decides nothing but the state directory and the editor of
 * `edit`: libhivex would listen to one word of it.
 */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "registry/boot.h"
#include "registry/schema.h"
#include "registry/show.h"
#include "registry/verbs.h"
#include "smss-version.h"
#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"
#include "wire/wire.h"

#define ONE(option) (1u << (OPT_##option - OPT_FIRST))
/* Of every verb. */
#define COMMON (ONE(HIVE) | ONE(STATE) | ONE(HELP) | ONE(VERSION))
/* How a hive is read. */
#define READING (ONE(SALVAGE) | ONE(NO_LOGS))
#define TEXT    (ONE(OUTPUT) | ONE(UTF16) | ONE(READABLE))

enum {
	OPT_FIRST = 256,
	OPT_HIVE = OPT_FIRST,
	OPT_STATE,
	OPT_VALUE,
	OPT_OUTPUT,
	OPT_TYPE,
	OPT_DATA,
	OPT_WITH,
	OPT_SETS,
	OPT_FROM,
	OPT_RECURSIVE,
	OPT_JSON,
	OPT_FORCE,
	OPT_WRITE,
	OPT_BOOT,
	OPT_LEVEL,
	OPT_ALL,
	OPT_SALVAGE,
	OPT_NO_LOGS,
	OPT_UTF16,
	OPT_READABLE,
	OPT_WHOLE,
	OPT_SHORT,
	OPT_TIMES,
	OPT_PREVIOUS,
	OPT_LKG,
	OPT_HELP,
	OPT_VERSION
};

static const struct verb {
	const char *word;
	int (*run)(const struct options *o);
	int least, most;  /* arguments */
	unsigned options; /* ONE() of those that mean something here, beside COMMON */
	const char *arguments;
	const char *help;
	const char *force; /* what --force does */
} verbs[] = {
	{"init", verb_init, 0, INT_MAX, ONE(FORCE), "[FILE.reg ...] [--force]",
	 "make a new hive with one control set, and import files into it",
	 "replace a hive that is there; commit in spite of errors"},
	{"import", verb_import, 1, INT_MAX, ONE(FORCE) | ONE(WHOLE),
	 "FILE.reg ... [--whole] [--force]",
	 "carry out .reg files; the whole result is checked, then committed at once",
	 "commit in spite of errors"},
	{"restore", verb_restore, 0, 0, ONE(PREVIOUS) | ONE(LKG) | ONE(FORCE),
	 "[--previous | --lkg] [--force]",
	 "take back the hive before the last commit, or the last one that booted well",
	 "restore a hive with errors"},
	{"query", verb_query, 0, 1, READING | ONE(VALUE) | ONE(RECURSIVE) | ONE(TIMES) | ONE(JSON),
	 "[KEY] [--value NAME] [-s] [--times] [--json] [--salvage] [--no-logs]",
	 "show a key, a value, or a tree; --value with -s finds the value in all keys below", NULL},
	{"export", verb_export, 0, 1, READING | TEXT | ONE(FORCE),
	 "[KEY] [--output FILE] [--utf16] [--readable] [--force] [--salvage] [--no-logs]",
	 "a key and all below as .reg text, which imports to the same bytes",
	 "leave out keys and values whose names .reg text cannot say"},
	{"add", verb_add, 1, 1, ONE(VALUE) | ONE(TYPE) | ONE(DATA) | ONE(FORCE),
	 "KEY [--value NAME --type TYPE --data DATA] [--force]",
	 "make a key or set a value: \\0 parts the strings of a REG_MULTI_SZ, a REG_BINARY is hex",
	 "commit in spite of errors"},
	{"delete", verb_delete, 1, 1, ONE(VALUE) | ONE(FORCE), "KEY [--value NAME] [--force]",
	 "delete a key with all below, or a value", "commit in spite of errors"},
	{"copy", verb_copy, 2, 2, READING | ONE(RECURSIVE) | ONE(FORCE) | ONE(FROM),
	 "KEY TO-KEY [-s] [--from FILE] [--force] [--salvage] [--no-logs]",
	 "copy the values of a key, with -s all below too; --from takes it from another hive",
	 "overwrite values that are there; commit in spite of errors"},
	{"edit", verb_edit, 0, 1, ONE(FORCE), "[KEY] [--force]",
	 "a key in your editor (VISUAL, EDITOR); what the text says then is checked and committed",
	 "commit in spite of errors, without asking"},
	{"check", verb_check, 0, 0, READING | ONE(ALL) | ONE(JSON),
	 "[--all] [--json] [--salvage] [--no-logs]",
	 "check every value that drives smss; --all tells of NT's unused ones too", NULL},
	{"diff", verb_diff, 0, 1,
	 READING | TEXT | ONE(WITH) | ONE(SETS) | ONE(WHOLE) | ONE(SHORT) | ONE(JSON),
	 "[KEY] --with FILE [--whole] | [KEY] --sets A,B\n"
	 "                  [--short | --json] [--output FILE] [--utf16] [--readable] [--salvage] "
	 "[--no-logs]",
	 "what turns the hive into FILE (a hive; or what importing a .reg file would change), or\n"
	 "          control set A into B, as .reg text; exit status 0 same, 1 different, 2 trouble",
	 NULL},
	{"plan", verb_plan, 0, 0, READING | ONE(JSON) | ONE(WRITE) | ONE(BOOT) | ONE(LEVEL),
	 "[--json] [--write] [--salvage] [--no-logs]",
	 "tell what the next boot will do; --write keeps plan and queue beside the hive", NULL},
};

static const struct option long_options[] = {
	{"hive", required_argument, NULL, OPT_HIVE},
	{"state", required_argument, NULL, OPT_STATE},
	{"value", required_argument, NULL, OPT_VALUE},
	{"output", required_argument, NULL, OPT_OUTPUT},
	{"type", required_argument, NULL, OPT_TYPE},
	{"data", required_argument, NULL, OPT_DATA},
	{"with", required_argument, NULL, OPT_WITH},
	{"sets", required_argument, NULL, OPT_SETS},
	{"from", required_argument, NULL, OPT_FROM},
	{"recursive", no_argument, NULL, OPT_RECURSIVE},
	{"json", no_argument, NULL, OPT_JSON},
	{"force", no_argument, NULL, OPT_FORCE},
	{"write", no_argument, NULL, OPT_WRITE},
	{"boot", no_argument, NULL, OPT_BOOT},
	{"level", required_argument, NULL, OPT_LEVEL},
	{"all", no_argument, NULL, OPT_ALL},
	{"salvage", no_argument, NULL, OPT_SALVAGE},
	{"no-logs", no_argument, NULL, OPT_NO_LOGS},
	{"utf16", no_argument, NULL, OPT_UTF16},
	{"readable", no_argument, NULL, OPT_READABLE},
	{"whole", no_argument, NULL, OPT_WHOLE},
	{"short", no_argument, NULL, OPT_SHORT},
	{"times", no_argument, NULL, OPT_TIMES},
	{"previous", no_argument, NULL, OPT_PREVIOUS},
	{"lkg", no_argument, NULL, OPT_LKG},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

/* What an option means, for the help of a verb that has it. */
static const struct {
	unsigned option;
	const char *word, *meaning;
} meanings[] = {
	{ONE(VALUE), "--value NAME", "the value of that name; '' is the key's default value"},
	{ONE(TYPE), "--type TYPE",
	 "REG_SZ, REG_EXPAND_SZ, REG_MULTI_SZ, REG_DWORD, REG_QWORD or REG_BINARY"},
	{ONE(DATA), "--data DATA", "its data; of a REG_MULTI_SZ each --data is one string"},
	{ONE(RECURSIVE), "-s, --recursive", "with everything below the key"},
	{ONE(FROM), "--from FILE", "take the key from this hive, which is only read"},
	{ONE(WITH), "--with FILE", "the second side: a hive or a .reg file, told by content"},
	{ONE(WHOLE), "--whole", "the .reg file is all there is to be of the key, or of its keys"},
	{ONE(PREVIOUS), "--previous", "SYSTEM.previous, the hive before the last commit (default)"},
	{ONE(LKG), "--lkg", "SYSTEM.lkg of the state directory, the last hive that booted well"},
	{ONE(TIMES), "--times", "when keys were last written"},
	{ONE(SETS), "--sets A,B", "two control sets, by number or name: 1,2 current,lastknowngood"},
	{ONE(SHORT), "--short", "one line a change"},
	{ONE(JSON), "--json", "for programs"},
	{ONE(OUTPUT), "--output FILE", "into a file, replaced whole"},
	{ONE(UTF16), "--utf16", "UTF-16LE with a byte order mark and CRLF, as regedit writes"},
	{ONE(READABLE), "--readable", "strings and lists as str(N):, which regedit cannot read"},
	{ONE(ALL), "--all", "names of Windows that are not used here, too"},
	{ONE(WRITE), "--write", "keep plan and queue beside the hive"},
	{ONE(SALVAGE), "--salvage", "read what can still be read of a broken hive"},
	{ONE(NO_LOGS), "--no-logs", "read a dirty hive as if it had no logs"},
	{ONE(FORCE), "--force", NULL},
};

static void usage(FILE *out, const struct verb *v)
{
	if (v) {
		fprintf(out, "usage: smreg %s %s [--hive FILE]\n%s\n", v->word, v->arguments,
			v->help);
		for (size_t i = 0; i < ARRAY_SIZE(meanings); i++)
			if (v->options & meanings[i].option)
				fprintf(out, "  %-16s %s\n", meanings[i].word,
					meanings[i].meaning ? meanings[i].meaning : v->force);
		return;
	}
	fputs("usage: smreg VERB [ARGUMENT ...] [--hive FILE] [--state DIRECTORY]\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-7s %s\n          %s\n", verbs[i].word, verbs[i].arguments,
			verbs[i].help);
	fputs("\nThe hive is " HIVE_PATH " unless --hive names another.\n"
	      "smreg VERB --help tells of one verb; smreg --version of this program.\n",
	      out);
}

static const struct verb *verb_by_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_same(verbs[i].word, word))
			return &verbs[i];
	return NULL;
}

/* Where the argument of an option goes; NULL for one without. */
static const char **argument_of(struct options *o, int option)
{
	switch (option) {
	case OPT_HIVE:
		return &o->hive;
	case OPT_STATE:
		return &o->state;
	case OPT_VALUE:
		return &o->value;
	case OPT_OUTPUT:
		return &o->output;
	case OPT_TYPE:
		return &o->type;
	case OPT_DATA:
		return &o->data;
	case OPT_WITH:
		return &o->with;
	case OPT_SETS:
		return &o->sets;
	case OPT_FROM:
		return &o->from;
	default:
		return NULL;
	}
}

static void set_flags(struct options *o, unsigned given)
{
	o->recursive = given & ONE(RECURSIVE);
	o->json = given & ONE(JSON);
	o->force = given & ONE(FORCE);
	o->write = given & ONE(WRITE);
	o->boot = given & ONE(BOOT);
	o->all = given & ONE(ALL);
	o->salvage = given & ONE(SALVAGE);
	o->no_logs = given & ONE(NO_LOGS);
	o->utf16 = given & ONE(UTF16);
	o->readable = given & ONE(READABLE);
	o->whole = given & ONE(WHOLE);
	o->brief = given & ONE(SHORT);
	o->times = given & ONE(TIMES);
	o->previous = given & ONE(PREVIOUS);
	o->lkg = given & ONE(LKG);
}

static const char *option_word(int option)
{
	for (const struct option *at = long_options; at->name; at++)
		if (at->val == option)
			return at->name;
	return "?";
}

/* The word that getopt did not like; -1. */
static int no_option(int option, char **argv)
{
	const char *word = argv[optind - 1];

	if (option == ':') {
		fprintf(stderr, "smreg: --%s needs an argument\n", option_word(optopt));
		return -1;
	}
	fputs(optopt >= OPT_FIRST ? "smreg: no argument goes with '" : "smreg: no option '",
	      stderr);
	if (optopt && optopt < OPT_FIRST)
		fprintf(stderr, "-%c'\n", optopt);
	else
		fprintf(stderr, "%s'\n", word);
	return -1;
}

/* The argument of an option, which may stand once; --data many times. -1: said. */
static int take_argument(struct options *o, int option, unsigned given)
{
	static const char *datas[DATA_MAX];
	const char **to = argument_of(o, option);
	uint64_t n;

	if (option == OPT_DATA && o->data_count < DATA_MAX) {
		o->datas = datas;
		datas[o->data_count++] = optarg;
	} else if ((to || option == OPT_LEVEL) && given & 1u << (option - OPT_FIRST)) {
		fprintf(stderr, "smreg: --%s stands %s\n", option_word(option),
			option == OPT_DATA ? "too often" : "twice");
		return -1;
	}
	if (to)
		*to = optarg;
	if (option != OPT_LEVEL)
		return 0;
	if (str_u64(optarg, strlen(optarg), &n) < 0 || n > SM_LEVEL_BUILTIN) {
		fprintf(stderr, "smreg: --level takes a number from 0 to %d\n", SM_LEVEL_BUILTIN);
		return -1;
	}
	o->level = (unsigned)n;
	return 0;
}

/* 0 and what was given, or -1 for an option that is none (said). */
static int take_options(struct options *o, int argc, char **argv, unsigned *ret_given)
{
	unsigned given = 0;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":s", long_options, NULL)) != -1) {
		if (option == 's')
			option = OPT_RECURSIVE;
		if (option < OPT_FIRST)
			return no_option(option, argv);
		if (take_argument(o, option, given) < 0)
			return -1;
		given |= 1u << (option - OPT_FIRST);
	}
	set_flags(o, given);
	*ret_given = given;
	return 0;
}

/* What does not fit a verb, said: arguments, and options that would be overlooked in silence. */
static bool words_fit(const struct verb *v, const struct options *o, unsigned given)
{
	bool fit = true;

	for (const struct option *at = long_options; at->name; at++) {
		unsigned one = 1u << (at->val - OPT_FIRST);

		if (!(given & one) || ((v->options | COMMON) & one))
			continue;
		fprintf(stderr, "smreg %s: has no option --%s\n", v->word, at->name);
		fit = false;
	}
	if (o->count > v->most) {
		fprintf(stderr, "smreg %s: unexpected argument '", v->word);
		show_escaped(stderr, o->args[v->most], strlen(o->args[v->most]));
		fputs("'\n", stderr);
	} else if (o->count < v->least) {
		fprintf(stderr, "smreg %s: an argument is missing\n", v->word);
	}
	return fit && o->count <= v->most && o->count >= v->least;
}

static int say_usage(const struct verb *v)
{
	fprintf(stderr, "usage: smreg %s %s\nsee smreg %s --help\n", v->word, v->arguments,
		v->word);
	return EXIT_USAGE_2;
}

static int no_verb(const char *word)
{
	const char *near = NULL;
	unsigned nearest = 3; /* letters that may be wrong */

	if (!word) {
		usage(stderr, NULL);
		return EXIT_USAGE_2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		unsigned d = str_distance(word, verbs[i].word);

		if (d < nearest) {
			nearest = d;
			near = verbs[i].word;
		}
	}
	fputs("smreg: no verb '", stderr);
	show_escaped(stderr, word, strlen(word));
	fprintf(stderr, "'%s%s%s\nsee smreg --help\n", near ? "; did you mean " : "",
		near ? near : "", near ? "?" : "");
	return EXIT_USAGE_2;
}

static int run(const struct verb *v, const struct options *o)
{
	int code;

	if (o->boot && v->run == verb_plan) {
		struct sys_stat st;

		if (sys_stat_fd(FD_MASTER, &st) == 0 && (st.mode & S_IFMT) == S_IFSOCK)
			return boot_plan(o->hive, o->level, o->state);
		fprintf(stderr, "smreg: --boot is the master's; it needs its connection on fd 3\n");
		return EXIT_USAGE_2;
	}
	code = v->run(o);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "smreg: the output could not be written\n");
		return EXIT_FAILED_1;
	}
	return code;
}

int main(int argc, char **argv)
{
	const char *state = getenv("SMSS_STATE");
	struct options o = {.hive = HIVE_PATH, .state = state && *state ? state : STATE_DIRECTORY};
	unsigned given;
	const struct verb *v;
	int code;

	unsetenv("HIVEX_DEBUG");
	if (take_options(&o, argc, argv, &given) < 0) {
		fprintf(stderr, "smreg: see smreg --help\n");
		return EXIT_USAGE_2;
	}
	if (given & ONE(VERSION)) {
		printf("smreg %s (build %s) %s\n", SMSS_VERSION, SMSS_BUILD_ID, SMSS_VENDOR);
		return EXIT_OK;
	}
	v = optind < argc ? verb_by_word(argv[optind]) : NULL;
	if (given & ONE(HELP)) {
		usage(stdout, v);
		return EXIT_OK;
	}
	if (!v)
		return no_verb(optind < argc ? argv[optind] : NULL);
	o.args = argv + optind + 1;
	o.count = argc - optind - 1;
	if (!words_fit(v, &o, given))
		return say_usage(v);
	code = run(v, &o);
	if (code != EXIT_SHOW_USAGE)
		return code;
	fprintf(stderr, "smreg %s: options are missing or do not go together\n", v->word);
	return say_usage(v);
}
