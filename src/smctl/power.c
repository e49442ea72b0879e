/* SPDX-License-Identifier: MIT */
/*
 * power.c - smctl poweroff, reboot, halt; and the programs of those names, shutdown and telinit
 *
 * The old programs' options are taken as they are known from sysvinit, so that scripts go on
 * working: what has a meaning here keeps it, what is harmless to leave out is accepted, and what
 * would be a lie to accept (a shutdown at a later time, a runlevel) is refused as not implemented.
 * There is no forced stop: every stop is written to disk and unmounted (design, "Shutdown").
 */
#include "smctl/smctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "smss-version.h"

enum { OPTION_FAST = 256, OPTION_SOCKET, OPTION_JSON, OPTION_VERSION, OPTION_HELP, OPTION_REASON };

struct power {
	enum sm_power action;
	bool nothing; /* only a record was asked for (-w): there is none to write */
	char reason[SM_TEXT_BYTES];
};

#define COMMON                                                                                     \
	{"fast", no_argument, NULL, OPTION_FAST},                                                  \
		{"socket", required_argument, NULL, OPTION_SOCKET},                                \
		{"json", no_argument, NULL, OPTION_JSON},                                          \
		{"version", no_argument, NULL, OPTION_VERSION},                                    \
		{"help", no_argument, NULL, OPTION_HELP},                                          \
	{                                                                                          \
		"reason", required_argument, NULL, OPTION_REASON                                   \
	}

static const struct option power_options[] = {
	COMMON,
	{"force", no_argument, NULL, 'f'},
	{"halt", no_argument, NULL, 'H'},
	{"poweroff", no_argument, NULL, 'p'},
	{"reboot", no_argument, NULL, 'R'},
	{"wtmp-only", no_argument, NULL, 'w'},
	{"no-wtmp", no_argument, NULL, 'd'},
	{"no-wall", no_argument, NULL, 'n'},
	{NULL, 0, NULL, 0},
};

static const struct option shutdown_options[] = {
	COMMON,
	{"halt", no_argument, NULL, 'H'},
	{"poweroff", no_argument, NULL, 'P'},
	{"reboot", no_argument, NULL, 'r'},
	{"no-wall", no_argument, NULL, 'n'},
	{NULL, 0, NULL, 0},
};

static const struct option telinit_options[] = {COMMON, {NULL, 0, NULL, 0}};

/* 1 = it was a common option and the run goes on, 0 = not one of them, -1 = the run is over. */
static int common_option(struct smctl *s, int letter, const char *program)
{
	switch (letter) {
	case OPTION_FAST:
		s->fast = true;
		return 1;
	case OPTION_SOCKET:
		s->socket = optarg;
		return 1;
	case OPTION_JSON:
		s->json = true;
		return 1;
	case OPTION_REASON:
		s->reason = optarg;
		return 1;
	case OPTION_VERSION:
		printf("%s %s (build %s) %s\n", s->name, SMSS_VERSION, SMSS_BUILD_ID, SMSS_VENDOR);
		return -1;
	case OPTION_HELP:
		verbs_help(program);
		return -1;
	default:
		return 0;
	}
}

/* The words after the options as one line, for the log. */
static void take_reason(struct power *p, int argc, char **argv)
{
	struct text t = TEXT_ON(p->reason);

	for (int i = 0; i < argc; i++)
		text_add(text_add(&t, i ? " " : ""), argv[i]);
}

/* poweroff, reboot and halt. -1 = go on. */
static int read_power(struct smctl *s, const char *program, int argc, char **argv, struct power *p)
{
	int letter;

	p->action = str_same(program, "poweroff") ? SM_POWER_OFF
		    : str_same(program, "reboot") ? SM_POWER_REBOOT
						  : SM_POWER_HALT;
	while ((letter = getopt_long(argc, argv, ":fphwdniHR", power_options, NULL)) != -1) {
		int r = common_option(s, letter, program);

		if (r)
			letter = 0;
		if (r < 0)
			return SMCTL_OK;
		switch (letter) {
		case 'f':
			s->fast = true;
			break;
		case 'p':
			p->action = SM_POWER_OFF;
			break;
		case 'H':
			p->action = SM_POWER_HALT;
			break;
		case 'R':
			p->action = SM_POWER_REBOOT;
			break;
		case 'w':
			p->nothing = true;
			break;
		case '?':
		case ':':
			return smctl_option_error(s, letter, argv);
		default: /* -h (disks to sleep), -d, -n, -i: nothing to do for them here */
			break;
		}
	}
	if (optind < argc)
		return smctl_usage(s, "\"%s\" is not wanted here", show_text(argv[optind]));
	return -1;
}

static bool is_now(const char *when)
{
	return str_same(when, "now") || str_same(when, "+0") || str_same(when, "0");
}

static int read_shutdown(struct smctl *s, int argc, char **argv, struct power *p)
{
	int letter;

	p->action = SM_POWER_OFF;
	while ((letter = getopt_long(argc, argv, ":hrPHfFackt:n", shutdown_options, NULL)) != -1) {
		int r = common_option(s, letter, "shutdown");

		if (r)
			letter = 0;
		if (r < 0)
			return SMCTL_OK;
		switch (letter) {
		case 'r':
			p->action = SM_POWER_REBOOT;
			break;
		case 'H':
			p->action = SM_POWER_HALT;
			break;
		case 'h':
			if (p->action != SM_POWER_HALT)
				p->action = SM_POWER_OFF;
			break;
		case 'P':
			p->action = SM_POWER_OFF;
			break;
		case 'f':
			s->fast = true;
			break;
		case 'c':
			return smctl_error(s,
					   "-c: not implemented: there are no timed shutdowns to "
					   "cancel");
		case 'k':
		case 'F':
			return smctl_error(s, "-%c: not implemented", letter);
		case '?':
		case ':':
			return smctl_option_error(s, letter, argv);
		default: /* -a, -t SECONDS, -n: nothing to do for them here */
			break;
		}
	}
	if (optind == argc || !is_now(argv[optind]))
		return smctl_error(
			s, "a shutdown at a later time: not implemented; try: shutdown -%c now",
			p->action == SM_POWER_REBOOT ? 'r' : 'h');
	take_reason(p, argc - optind - 1, argv + optind + 1);
	return -1;
}

static int read_telinit(struct smctl *s, int argc, char **argv, struct power *p)
{
	int letter;

	while ((letter = getopt_long(argc, argv, ":t:e:", telinit_options, NULL)) != -1) {
		int r = common_option(s, letter, "telinit");

		if (r < 0)
			return SMCTL_OK;
		if (letter == '?' || letter == ':')
			return smctl_option_error(s, letter, argv);
	}
	if (optind + 1 != argc || strlen(argv[optind]) != 1 ||
	    !strchr("0123456sSaAbBcCqQuU", argv[optind][0]))
		return smctl_usage(s, "wanted: one runlevel");
	if (argv[optind][0] != '0' && argv[optind][0] != '6')
		return smctl_error(
			s, "runlevel %s: not implemented: there are 0 (poweroff) and 6 (reboot)",
			argv[optind]);
	p->action = argv[optind][0] == '0' ? SM_POWER_OFF : SM_POWER_REBOOT;
	return -1;
}

static int ask(struct smctl *s, const struct power *p)
{
	int r;

	if (p->nothing)
		return SMCTL_OK;
	if (smctl_connect(s))
		return SMCTL_FAILED;
	r = sm_shutdown(s->c, p->action, s->fast, s->reason ? s->reason : p->reason);
	if (r < 0)
		return smctl_call_failed(s, r, NULL);
	if (s->json) {
		json_object *o = json_object_new_object();

		json_put_text(o, "action", sm_power_word(p->action));
		json_put_bool(o, "fast", s->fast);
		return json_show(o, false);
	}
	/* Under the old names scripts expect silence. */
	if (s->verb)
		printf("%s has begun%s\n", sm_power_word(p->action), s->fast ? ", fast" : "");
	return SMCTL_OK;
}

int power_main(struct smctl *s, const char *program, int argc, char **argv)
{
	static const char *const programs[] = {"poweroff", "reboot", "halt", "shutdown", "telinit"};
	struct power p = {0};
	bool known = false;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		known = known || str_same(program, programs[i]);
	if (!known)
		return -1;
	optind = 0;
	opterr = 0;
	if (str_same(program, "shutdown"))
		r = read_shutdown(s, argc, argv, &p);
	else if (str_same(program, "telinit"))
		r = read_telinit(s, argc, argv, &p);
	else
		r = read_power(s, program, argc, argv, &p);
	return r >= 0 ? r : ask(s, &p);
}
