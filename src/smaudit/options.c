/* SPDX-License-Identifier: MIT */
/*
 * options.c - the command line; see options.h
 *
 * A table of verbs and one of options say which goes with which, and make the help. What is wrong
 * is said with the word itself and the next step.
 */
#include "smaudit/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smss-version.h"

enum {
	OPT_FIRST = 256,
	OPT_FORMAT = OPT_FIRST,
	OPT_JSON,
	OPT_ALL,
	OPT_COLOUR,
	OPT_GRACE,
	OPT_LATE,
	OPT_SYSTEM_ROOT,
	OPT_LOGS,
	OPT_CLAIMED,
	OPT_ROOTS,
	OPT_CATALOG,
	OPT_CATALOG_KEY,
	OPT_ROOT,
	OPT_HOST,
	OPT_QUIET,
	OPT_PROGRESS,
	OPT_OUTPUT,
	OPT_HELP,
	OPT_VERSION
};
#define ONE(option) (1u << (OPT_##option - OPT_FIRST))
#define WRITING     (ONE(COLOUR) | ONE(QUIET) | ONE(PROGRESS) | ONE(OUTPUT))
#define COMMON      (WRITING | ONE(HELP) | ONE(VERSION))
#define TOLD        (COMMON | ONE(FORMAT) | ONE(JSON) | ONE(ALL)) /* of those that find */
#define PROCESSES   (ONE(GRACE) | ONE(LATE) | ONE(SYSTEM_ROOT) | ONE(HOST))
#define IMAGES      (ONE(ROOTS) | ONE(CATALOG) | ONE(CATALOG_KEY))
#define GRACE_S     30u
#define LATE_S      60u
#define WAIT_MAX    (366u * 86400u)

static const struct {
	const char *word;
	unsigned least, options;
	const char *arguments, *help;
} verbs[] = {
	[VERB_ALL] = {"all", 1, TOLD | PROCESSES | ONE(LOGS) | IMAGES, "FILE...",
		      "files of any of these kinds, told by content, joined by host and boot"},
	[VERB_LIVE] = {"live", 0, TOLD | ONE(GRACE) | ONE(LATE) | ONE(ROOT), "",
		       "this machine, under smss: processes, registry, installed images"},
	[VERB_HIVE] =
		{"hive", 1, TOLD | ONE(LOGS) | ONE(HOST), "FILE...",
		 "SYSTEM hives of Windows (or of smss): BootExecute, pending renames, services"},
	[VERB_PROCESSES] =
		{"processes", 1, TOLD | PROCESSES, "FILE...",
		 "lists and events as JSON or CSV: Volatility 3, osquery, Sysmon, 4688/4689; "
		 "- is stdin"},
	[VERB_EVTX] = {"evtx", 1, TOLD | PROCESSES, "FILE...", "event logs of Windows"},
	[VERB_IMAGE] =
		{"image", 1, TOLD | ONE(CLAIMED) | IMAGES | ONE(HOST), "FILE...",
		 "programs: PE with its signatures and versions, ELF against the signed catalogue"},
	[VERB_PROFILE] = {"profile", 2,
			  COMMON | PROCESSES | ONE(FORMAT) | ONE(JSON) | ONE(LOGS) | IMAGES,
			  "NAME FILE...",
			  "what evidence of one or many machines says of one image: a page; the "
			  "word live is this machine"},
	[VERB_RULES] = {"rules", 0, COMMON | ONE(JSON), "[RULE...]",
			"the indicators: severity, what decides each, exceptions, technique"},
};

static const struct {
	struct option o;
	const char *argument, *meaning;
} options[] = {
	{{"format", required_argument, NULL, OPT_FORMAT},
	 "FORMAT",
	 "text, ndjson or ecs (profile: text, json or html)"},
	{{"json", no_argument, NULL, OPT_JSON}, "", "the same as --format ndjson (profile: json)"},
	{{"all", no_argument, NULL, OPT_ALL},
	 "",
	 "also what is only noted, and the rules that found nothing"},
	{{"grace", required_argument, NULL, OPT_GRACE},
	 "S",
	 "a session copy may live so many seconds (30)"},
	{{"late", required_argument, NULL, OPT_LATE},
	 "S",
	 "a master that begins later after the boot is late (60)"},
	{{"system-root", required_argument, NULL, OPT_SYSTEM_ROOT},
	 "PATH",
	 "where Windows lies on those machines (C:\\Windows)"},
	{{"host", required_argument, NULL, OPT_HOST},
	 "NAME",
	 "the machine of evidence that does not name its own"},
	{{"logs", required_argument, NULL, OPT_LOGS},
	 "FILE",
	 "a transaction log of the hive; several times; else NAME.LOG1 and .LOG2 beside it"},
	{{"claimed", required_argument, NULL, OPT_CLAIMED},
	 "PATH",
	 "the path that the image had on its machine"},
	{{"roots", required_argument, NULL, OPT_ROOTS},
	 "FILE",
	 "more root certificates to take for Microsoft's (PEM); several times"},
	{{"catalog", required_argument, NULL, OPT_CATALOG},
	 "FILE",
	 "the signed list of images of smss, instead of this machine's"},
	{{"catalog-key", required_argument, NULL, OPT_CATALOG_KEY},
	 "FILE",
	 "the public key that proves it"},
	{{"root", required_argument, NULL, OPT_ROOT},
	 "DIR",
	 "where hive and images of the machine lie (/)"},
	{{"colour", required_argument, NULL, OPT_COLOUR}, "WHEN", "auto, always or never"},
	{{"color", required_argument, NULL, OPT_COLOUR}, NULL, NULL},
	{{"quiet", no_argument, NULL, OPT_QUIET},
	 "",
	 "print no findings, only what cannot be read: the exit status tells"},
	{{"progress", no_argument, NULL, OPT_PROGRESS}, "", "progress on stderr, terminal or not"},
	{{"output", required_argument, NULL, OPT_OUTPUT},
	 "FILE",
	 "into a file, which is there whole or not at all (also -o)"},
	{{"help", no_argument, NULL, OPT_HELP}, "", "this; behind a verb: of that verb"},
	{{"version", no_argument, NULL, OPT_VERSION}, "", "version of this program"},
};

const char *verb_word(enum verb v)
{
	return verbs[v].word;
}

static void usage_options(FILE *out, unsigned which)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		char word[64];

		if (!options[i].meaning || !(which & 1u << (options[i].o.val - OPT_FIRST)))
			continue;
		snprintf(word, sizeof(word), "--%s %s", options[i].o.name, options[i].argument);
		fprintf(out, "  %-20s %s\n", word, options[i].meaning);
	}
}

static void usage_verb(FILE *out, enum verb v)
{
	fprintf(out, "usage: smaudit %s %s%s[OPTION...]\n%s\n\n", verbs[v].word, verbs[v].arguments,
		*verbs[v].arguments ? " " : "", verbs[v].help);
	usage_options(out, verbs[v].options);
}

static void usage(FILE *out)
{
	fputs("usage: smaudit [VERB] [FILE...] [OPTION...]\n"
	      "Tells a genuine session manager from an impostor.\n\n",
	      out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(out, "  %-10s%-13s %s\n", verbs[i].word, verbs[i].arguments, verbs[i].help);
	fputs("\nWithout a verb files are told by content, as with `all`.\n"
	      "Exit status: 0 nothing found, 1 findings, 2 input or usage error,\n"
	      "3 indeterminate only.\n"
	      "`smaudit VERB --help` tells the options of one verb; smaudit(8) the rest.\n",
	      out);
}

static int wrong(const char *what, const char *word)
{
	fprintf(stderr, "smaudit: %s%s%s%s\n`smaudit --help` tells the verbs and options\n", what,
		word ? " '" : "", word ? word : "", word ? "'" : "");
	return -EINVAL;
}

#define NEAR_MAX 3u /* so many letters wrong is another word */

/* That of a few words which is nearest so far; NULL when none is near. */
static const char *nearer(const char *word, const char *this, unsigned *nearest, const char *so_far)
{
	unsigned d = str_distance(word, this);

	if (d >= *nearest || d >= strlen(this))
		return so_far;
	*nearest = d;
	return this;
}

static int wrong_near(const char *what, const char *word, const char *dashes, const char *near)
{
	fprintf(stderr, "smaudit: %s '%s'", what, word);
	if (near)
		fprintf(stderr, "; did you mean %s%s?", dashes, near);
	fputs("\n`smaudit --help` tells the verbs and options\n", stderr);
	return -EINVAL;
}

static int wrong_option(const char *word)
{
	const char *near = NULL;
	unsigned nearest = NEAR_MAX;
	char bare[64];

	snprintf(bare, sizeof(bare), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		near = nearer(bare, options[i].o.name, &nearest, near);
	return wrong_near("no such option", word, "--", near);
}

static int one_of(const char *option, const char *word, const char *const *words, int *ret)
{
	const char *near = NULL;
	unsigned nearest = NEAR_MAX;

	for (int i = 0; words[i]; i++)
		if (str_same(words[i], word)) {
			*ret = i;
			return 0;
		}
	fprintf(stderr, "smaudit: %s cannot be '%s'; it is", option, word);
	for (int i = 0; words[i]; i++)
		fprintf(stderr, "%s %s", !i ? "" : words[i + 1] ? "," : " or", words[i]);
	for (int i = 0; words[i]; i++)
		near = nearer(word, words[i], &nearest, near);
	if (near)
		fprintf(stderr, "; did you mean %s?", near);
	fputc('\n', stderr);
	return -EINVAL;
}

static int read_format(struct options *o, const char *word)
{
	static const char *const reports[] = {"text", "ndjson", "ecs", NULL};
	static const char *const profiles[] = {"text", "json", "html", NULL};
	int n, r;

	/* words of other programs, and those of the other half of this one */
	if (o->verb != VERB_PROFILE && str_same(word, "json")) {
		fputs("smaudit: --format cannot be 'json': an object a line is --format ndjson, "
		      "or --json; with the fields of Elastic it is --format ecs\n",
		      stderr);
		return -EINVAL;
	}
	if (o->verb == VERB_PROFILE && (str_same(word, "ndjson") || str_same(word, "ecs"))) {
		fprintf(stderr,
			"smaudit: --format cannot be '%s': a profile is one object: --format json, "
			"or --json\n",
			word);
		return -EINVAL;
	}
	r = one_of("--format", word, o->verb == VERB_PROFILE ? profiles : reports, &n);
	if (r < 0)
		return r;
	if (o->verb == VERB_PROFILE)
		o->profile_format = (enum profile_format)n;
	else
		o->format = (enum report_format)n;
	return 0;
}

static int read_seconds(const char *option, const char *word, uint32_t *ret)
{
	uint64_t n;

	if (str_u64(word, strlen(word), &n) < 0 || n > WAIT_MAX) {
		fprintf(stderr, "smaudit: %s is a number of seconds, not '%s'\n", option, word);
		return -EINVAL;
	}
	*ret = (uint32_t)n;
	return 0;
}

static int read_more(const char *option, const char **list, unsigned most, unsigned *count)
{
	if (*count == most) {
		fprintf(stderr, "smaudit: %s stands more than %u times\n", option, most);
		return -EINVAL;
	}
	list[(*count)++] = optarg;
	return 0;
}

/* One option that goes with the verb. */
static int take(struct options *o, int option)
{
	static const char *const colours[] = {"auto", "always", "never", NULL};
	int n, r;

	switch (option) {
	case OPT_FORMAT:
		return read_format(o, optarg);
	case OPT_GRACE:
		return read_seconds("--grace", optarg, &o->grace_s);
	case OPT_LATE:
		return read_seconds("--late", optarg, &o->late_s);
	case OPT_LOGS:
		return read_more("--logs", o->log, LOGS_MAX, &o->logs);
	case OPT_ROOTS:
		return read_more("--roots", o->roots, ROOTS_MAX, &o->root_count);
	case OPT_COLOUR:
		r = one_of("--colour", optarg, colours, &n);
		o->colour = r < 0 ? COLOUR_AUTO : (enum colour)n;
		return r;
	case OPT_JSON:
		o->json = true;
		o->format = REPORT_NDJSON;
		o->profile_format = PROFILE_JSON;
		return 0;
	default:
		break;
	}
	o->all |= option == OPT_ALL;
	o->quiet |= option == OPT_QUIET;
	o->progress |= option == OPT_PROGRESS;
	if (option == OPT_SYSTEM_ROOT)
		o->system_root = optarg;
	if (option == OPT_CLAIMED)
		o->claimed = optarg;
	if (option == OPT_CATALOG)
		o->catalog = optarg;
	if (option == OPT_CATALOG_KEY)
		o->catalog_key = optarg;
	if (option == OPT_ROOT)
		o->root = optarg;
	if (option == OPT_HOST)
		o->host = optarg;
	if (option == OPT_OUTPUT || option == 'o')
		o->output = optarg;
	return 0;
}

/* Words without a verb: at least one has to be a file; those that are not are said when read. */
static int files_only(struct options *o)
{
	const char *word = o->files[0], *near = NULL;
	unsigned nearest = NEAR_MAX;
	struct stat st;

	o->verb = VERB_ALL;
	if (str_same(word, "-") || stat(word, &st) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		near = nearer(word, verbs[i].word, &nearest, near);
	if (near)
		return wrong_near("neither a verb nor a file that is there:", word, "", near);
	for (unsigned i = 1; i < o->file_count; i++)
		if (str_same(o->files[i], "-") || stat(o->files[i], &st) == 0)
			return 0;
	return wrong("neither a verb nor a file that is there:", word);
}

/* The verb: the first word that is one; or files without a verb. */
static int find_verb(struct options *o)
{
	const char *word = o->file_count ? o->files[0] : NULL;

	if (!word) {
		usage(stderr);
		return -EINVAL;
	}
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (str_same(verbs[i].word, word)) {
			o->verb = (enum verb)i;
			o->files++;
			o->file_count--;
			return 0;
		}
	return files_only(o);
}

static int check_words(struct options *o)
{
	if (o->verb == VERB_LIVE && o->file_count)
		return wrong("live takes no file; what does", o->files[0]);
	if (o->file_count < verbs[o->verb].least) {
		fprintf(stderr, "smaudit: %s needs %s\n`smaudit %s --help` tells more\n",
			verbs[o->verb].word, verbs[o->verb].arguments, verbs[o->verb].word);
		return -EINVAL;
	}
	if (o->claimed && o->file_count != 1)
		return wrong("--claimed is the path of one image: name one file", NULL);
	if (o->logs && o->file_count != 1)
		return wrong("--logs belong to one hive: name one file", NULL);
	if (!o->catalog != !o->catalog_key)
		return wrong("--catalog and --catalog-key go together", NULL);
	if (o->verb == VERB_PROFILE) {
		o->profile_name = o->files[0];
		o->files++;
		o->file_count--;
	}
	return 0;
}

static void make_table(struct option *table)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		table[i] = options[i].o;
	table[ARRAY_SIZE(options)] = (struct option){NULL, 0, NULL, 0};
}

/* The words first: which options go with it, and what they mean, depends on the verb. */
static int words_first(int argc, char **argv, const struct option *table, unsigned *given)
{
	int option;

	optind = 1;
	opterr = 0;
	*given = 0;
	while ((option = getopt_long(argc, argv, ":o:h", table, NULL)) != -1) {
		if (option == ':')
			return wrong("an argument is missing behind", argv[optind - 1]);
		if (option == '?' && optopt >= OPT_FIRST)
			return wrong("no argument goes with", argv[optind - 1]);
		if (option == '?' && optopt) {
			char word[] = {'-', (char)optopt, 0};

			return wrong("no such option", word);
		}
		if (option == '?')
			return wrong_option(argv[optind - 1]);
		if (option == 'h')
			option = OPT_HELP;
		if (option != 'o')
			*given |= 1u << (option - OPT_FIRST);
	}
	return 0;
}

static const char *option_word(int option)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].o.val == option)
			return options[i].o.name;
	return "?";
}

static int take_all(int argc, char **argv, const struct option *table, struct options *o)
{
	int option;

	optind = 1;
	while ((option = getopt_long(argc, argv, ":o:h", table, NULL)) != -1) {
		int r;

		if (option != 'o' && !(verbs[o->verb].options & 1u << (option - OPT_FIRST))) {
			fprintf(stderr,
				"smaudit: --%s does not go with %s\n`smaudit %s --help` tells what "
				"does\n",
				option_word(option), verbs[o->verb].word, verbs[o->verb].word);
			return -EINVAL;
		}
		r = take(o, option);
		if (r < 0)
			return r;
	}
	return 0;
}

int options_read(int argc, char **argv, struct options *ret)
{
	struct option table[ARRAY_SIZE(options) + 1];
	unsigned given;
	int r;

	*ret = (struct options){.root = "", .grace_s = GRACE_S, .late_s = LATE_S};
	make_table(table);
	r = words_first(argc, argv, table, &given);
	if (r < 0)
		return r;
	ret->files = (const char *const *)argv + optind;
	ret->file_count = (unsigned)(argc - optind);
	if (given & ONE(VERSION)) {
		puts("smaudit " SMSS_VERSION " (" SMSS_BUILD_ID ")");
		return 1;
	}
	if (given & ONE(HELP) && (!ret->file_count || find_verb(ret) < 0)) {
		usage(stdout);
		return 1;
	}
	if (given & ONE(HELP)) {
		usage_verb(stdout, ret->verb);
		return 1;
	}
	r = find_verb(ret);
	if (r == 0)
		r = take_all(argc, argv, table, ret);
	return r < 0 ? r : check_words(ret);
}
