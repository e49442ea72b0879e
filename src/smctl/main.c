/* SPDX-License-Identifier: MIT */
/*
 * main.c - smctl: reads options, finds the verb, runs it
 *
 * The same program answers under the names poweroff, reboot, halt, shutdown and telinit. It holds
 * no power of its own: what may be done is decided by the session manager, by the user's id.
 */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "smctl/smctl.h"
#include "smctl/verbs.h"
#include "smss-version.h"
#include "wire/wire.h"

#define GLOBAL_LETTERS "js:hV"
#define TIMEOUT_MAX_S  100000000u

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},          {"socket", required_argument, NULL, 's'},
	{"help", no_argument, NULL, 'h'},          {"version", no_argument, NULL, 'V'},
	{"follow", no_argument, NULL, 'f'},        {"phases", no_argument, NULL, 'p'},
	{"timeout", required_argument, NULL, 't'}, {"detached", no_argument, NULL, 'd'},
	{"force", no_argument, NULL, 'F'},         {"all", no_argument, NULL, 'a'},
	{"only", required_argument, NULL, 'o'},    {NULL, 0, NULL, 0},
};

int verb_not_implemented(struct smctl *s, int argc, char **argv)
{
	return smctl_error(s, "not implemented in version %s", SMSS_VERSION);
}

/* An option of any verb. 0 = taken, 1 = the run is over with *ret. */
static int take_option(struct smctl *s, int letter, char **argv, int *ret)
{
	uint64_t n;

	switch (letter) {
	case 'j':
		s->json = true;
		return 0;
	case 's':
		s->socket = optarg;
		return 0;
	case 'f':
		s->follow = true;
		return 0;
	case 'p':
		s->phases = true;
		return 0;
	case 'd':
		s->detached = true;
		return 0;
	case 'F':
		s->force = true;
		return 0;
	case 'a':
		s->all = true;
		return 0;
	case 'o':
		s->only = optarg;
		return 0;
	case 't':
		if (smctl_number(optarg, TIMEOUT_MAX_S, &n) == 0) {
			s->timeout_s = (int)n;
			return 0;
		}
		*ret = smctl_usage(s, "--timeout wants seconds, not \"%s\"", show_text(optarg));
		return 1;
	case 'h':
		verbs_help(s->verb);
		*ret = SMCTL_OK;
		return 1;
	case 'V':
		printf("smctl %s (build %s) %s\n", SMSS_VERSION, SMSS_BUILD_ID, SMSS_VENDOR);
		*ret = SMCTL_OK;
		return 1;
	default:
		*ret = smctl_option_error(s, letter, argv);
		return 1;
	}
}

/* Reads options until the words begin; optind is left there. Returns as take_option. */
static int read_options(struct smctl *s, int argc, char **argv, const char *own, int *ret)
{
	char letters[32];
	int letter;

	/* "+": stop at the first word; ":": tell a missing argument */
	(void)snprintf(letters, sizeof(letters), "%s:%s%s", *own == '+' ? "+" : "", GLOBAL_LETTERS,
		       *own == '+' ? own + 1 : own);
	optind = 0;
	opterr = 0;
	while ((letter = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		/* Long options are one list for all verbs: those of other verbs are none here. */
		if (!strchr("?:", letter) && !strchr(letters, letter))
			letter = '?';
		if (take_option(s, letter, argv, ret))
			return 1;
	}
	return 0;
}

static int no_verb(struct smctl *s, int argc, char **argv)
{
	const char *meant = verbs_meant(argc, argv);

	if (argc == 0)
		return smctl_usage(s, "wanted: a verb, as in: smctl status");
	if (meant)
		return smctl_usage(s, "there is no verb \"%s%s%s\"; did you mean \"%s\"?",
				   show_text(argv[0]), argc > 1 ? " " : "",
				   argc > 1 ? show_text(argv[1]) : "", meant);
	if (str_same(argv[0], "session"))
		return smctl_usage(s,
				   "wanted: session list, show, new, end, limits, freeze or thaw");
	if (str_same(argv[0], "wait"))
		return smctl_usage(s, "wanted: wait ready [--timeout SECONDS]");
	return smctl_usage(s, "there is no verb \"%s\"", show_text(argv[0]));
}

static int run_verb(struct smctl *s, const struct verb *v, int argc, char **argv)
{
	int r = 0;

	s->verb = v->name;
	if (!v->options)
		return v->run ? v->run(s, argc, argv) : power_main(s, v->name, argc, argv);
	if (read_options(s, argc, argv, v->options, &r))
		return r;
	return v->run(s, argc - optind, argv + optind);
}

static int run(struct smctl *s, int argc, char **argv)
{
	const struct verb *v;
	int words = 0, r = 0;

	if (read_options(s, argc, argv, "+", &r))
		return r;
	argc -= optind;
	argv += optind;
	if (argc >= 1 && str_same(argv[0], "help")) {
		v = verbs_find(argc - 1, argv + 1, &words);
		verbs_help(v ? v->name : NULL);
		return argc == 1 || v ? SMCTL_OK : SMCTL_USAGE;
	}
	v = verbs_find(argc, argv, &words);
	if (!v)
		return no_verb(s, argc, argv);
	return run_verb(s, v, argc - words + 1, argv + words - 1);
}

int main(int argc, char **argv)
{
	struct smctl s = {.name = "smctl", .timeout_s = -1};
	const char *program = argc > 0 && argv[0] ? argv[0] : "smctl";
	const char *slash = strrchr(program, '/'), *named = secure_getenv("SMSS_SOCKET");
	int r;

	s.socket = named && *named ? named : SM_PORT_PATH;
	if (slash)
		program = slash + 1;
	s.name = program;
	r = power_main(&s, program, argc, argv);
	if (r < 0) {
		s.name = "smctl";
		r = run(&s, argc, argv);
	}
	sm_close(s.c);
	if (fflush(stdout) != 0 || ferror(stdout))
		r = r ? r : SMCTL_FAILED;
	return r;
}
