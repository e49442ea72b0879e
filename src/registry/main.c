/* SPDX-License-Identifier: MIT */
/*
 * main.c - smreg: the registry's command, and at boot the reader of a hive (design §2)
 *
 * A verb, options anywhere. Exit: 0, 1 failed or errors found, 2 usage or input that cannot be
 * read. The environment of the caller decides nothing: libhivex would listen to one word of it.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "registry/boot.h"
#include "registry/verbs.h"
#include "smss-version.h"
#include "smss/copy.h"
#include "state/state.h"
#include "sys/sys.h"
#include "wire/wire.h"

static const struct verb {
	const char *word;
	int (*run)(const struct options *o);
	const char *arguments;
	const char *help;
} verbs[] = {
	{"init", verb_init, "[FILE.reg ...] [--force]",
	 "make a new hive with one control set, and import files into it"},
	{"import", verb_import, "FILE.reg ... [--force]",
	 "carry out .reg files; the whole result is checked, then committed at once"},
	{"query", verb_query, "[KEY] [--value NAME] [-s] [--json]",
	 "show a key, a value, or a tree"},
	{"export", verb_export, "[KEY] [--output FILE]", "a key and all below as .reg text"},
	{"add", verb_add, "KEY [--value NAME --type TYPE --data DATA] [--force]",
	 "make a key or set a value: \\0 parts the strings of a REG_MULTI_SZ, a REG_BINARY is hex"},
	{"delete", verb_delete, "KEY [--value NAME] [--force]",
	 "delete a key with all below, or a value"},
	{"check", verb_check, "[--all] [--json]",
	 "check every value that drives smss; --all tells of NT's unused ones too"},
	{"plan", verb_plan, "[--json] [--write]",
	 "tell what the next boot will do; --write keeps plan and queue beside the hive"},
	{"copy", NULL, "", ""},
	{"edit", NULL, "", ""},
	{"diff", NULL, "", ""},
};

enum {
	OPT_HIVE = 256,
	OPT_STATE,
	OPT_VALUE,
	OPT_OUTPUT,
	OPT_TYPE,
	OPT_DATA,
	OPT_JSON,
	OPT_FORCE,
	OPT_WRITE,
	OPT_BOOT,
	OPT_LEVEL,
	OPT_ALL,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{"hive", required_argument, NULL, OPT_HIVE},
	{"state", required_argument, NULL, OPT_STATE},
	{"value", required_argument, NULL, OPT_VALUE},
	{"output", required_argument, NULL, OPT_OUTPUT},
	{"type", required_argument, NULL, OPT_TYPE},
	{"data", required_argument, NULL, OPT_DATA},
	{"recursive", no_argument, NULL, 's'},
	{"json", no_argument, NULL, OPT_JSON},
	{"force", no_argument, NULL, OPT_FORCE},
	{"write", no_argument, NULL, OPT_WRITE},
	{"boot", no_argument, NULL, OPT_BOOT},
	{"level", required_argument, NULL, OPT_LEVEL},
	{"all", no_argument, NULL, OPT_ALL},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{NULL, 0, NULL, 0},
};

static void usage(FILE *out, const struct verb *v)
{
	if (v) {
		fprintf(out, "usage: smreg %s %s [--hive FILE]\n%s\n", v->word, v->arguments,
			v->help);
		return;
	}
	fputs("usage: smreg VERB [ARGUMENT ...] [--hive FILE] [--state DIRECTORY]\n\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		if (verbs[i].run)
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

/* 0, or -1 for an option that is none. */
static int take_option(struct options *o, int option, bool *help, bool *version)
{
	uint64_t n;

	switch (option) {
	case OPT_HIVE:
		o->hive = optarg;
		break;
	case OPT_STATE:
		o->state = optarg;
		break;
	case OPT_VALUE:
		o->value = optarg;
		break;
	case OPT_OUTPUT:
		o->output = optarg;
		break;
	case OPT_TYPE:
		o->type = optarg;
		break;
	case OPT_DATA:
		o->data = optarg;
		break;
	case 's':
		o->recursive = true;
		break;
	case OPT_JSON:
		o->json = true;
		break;
	case OPT_FORCE:
		o->force = true;
		break;
	case OPT_WRITE:
		o->write = true;
		break;
	case OPT_BOOT:
		o->boot = true;
		break;
	case OPT_ALL:
		o->all = true;
		break;
	case OPT_HELP:
		*help = true;
		break;
	case OPT_VERSION:
		*version = true;
		break;
	case OPT_LEVEL:
		if (str_u64(optarg, strlen(optarg), &n) < 0 || n > SM_LEVEL_BUILTIN)
			return -1;
		o->level = (unsigned)n;
		break;
	default:
		return -1;
	}
	return 0;
}

static int run(const struct verb *v, const struct options *o)
{
	int code;

	if (!v->run) {
		fprintf(stderr, "smreg: %s: not implemented\n", v->word);
		return EXIT_FAILED_1;
	}
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
	bool help = false, version = false;
	const struct verb *v;
	int option;

	unsetenv("HIVEX_DEBUG");
	while ((option = getopt_long(argc, argv, "s", long_options, NULL)) != -1)
		if (take_option(&o, option, &help, &version) < 0) {
			fprintf(stderr, "smreg: see smreg --help\n");
			return EXIT_USAGE_2;
		}
	if (version) {
		printf("smreg %s (build %s) %s\n", SMSS_VERSION, SMSS_BUILD_ID, SMSS_VENDOR);
		return EXIT_OK;
	}
	v = optind < argc ? verb_by_word(argv[optind]) : NULL;
	if (help) {
		usage(stdout, v);
		return EXIT_OK;
	}
	if (!v) {
		if (optind < argc)
			fprintf(stderr, "smreg: no verb of that name\n");
		usage(stderr, NULL);
		return EXIT_USAGE_2;
	}
	o.args = argv + optind + 1;
	o.count = argc - optind - 1;
	option = run(v, &o);
	if (option == EXIT_SHOW_USAGE)
		usage(stderr, v);
	return option == EXIT_SHOW_USAGE ? EXIT_USAGE_2 : option;
}
