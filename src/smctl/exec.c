/* SPDX-License-Identifier: MIT */
/*
 * exec.c - smctl exec: a program in a session, as if it were run here
 *
 * Its exit code is the program's own, 128 and the signal it died of, or one of those that env(1)
 * has for what never ran: so nothing of ours may use another code. Session numbers are checked for
 * form only.
 */
#include "smctl/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/sys.h"

#define BUSY_TRIES   500 /* other clients take every place for a moment only */
#define BUSY_WAIT_MS 20

struct exec { /* one run */
	struct smctl *s;
	uint32_t session;
	bool chosen; /* by an option */
	bool terminal, detached;
	char **words;
};

static int failed(int unused)
{
	(void)unused;
	return EXEC_FAILED;
}

/* What csrss told whom it started: all there is to know where sessions have no cgroup. */
static bool told_session(uint32_t *ret)
{
	const char *word = getenv("SMSS_SESSION");
	uint64_t n;

	if (!word || smctl_number(word, SM_MACHINE_SESSION - 1, &n) < 0)
		return false;
	*ret = (uint32_t)n;
	return true;
}

/* .../session-N, or below it; the session we are in ourselves. */
static bool own_session(uint32_t *ret)
{
	char path[512];
	const char *at = path;
	uint64_t n;

	if (procs_cgroup((int)getpid(), path, sizeof(path)) < 0)
		return told_session(ret);
	while ((at = strstr(at, "/session-"))) {
		at += 9;
		if (str_u64(at, strcspn(at, "/\n"), &n) == 0 && n < SM_MACHINE_SESSION) {
			*ret = (uint32_t)n;
			return true;
		}
	}
	return told_session(ret);
}

static int take_session(struct exec *e, const char *word)
{
	uint64_t n;

	if (smctl_number(word, SM_MACHINE_SESSION - 1, &n) < 0)
		return failed(smctl_usage(e->s, "\"%s\" is no session's number", show_text(word)));
	e->session = (uint32_t)n;
	e->chosen = true;
	return 0;
}

/* Returns 0, the exit code, or -1: the run is over, and well. */
static int take_option(struct exec *e, int letter, char **argv)
{
	switch (letter) {
	case 's':
		return take_session(e, optarg);
	case 't':
		e->terminal = true;
		return 0;
	case 'd':
		e->detached = true;
		return 0;
	case 'j':
		e->s->json = true;
		return 0;
	case 'S':
		e->s->socket = optarg;
		return 0;
	case 'h':
		verbs_help(e->s->verb);
		return -1;
	default:
		return failed(smctl_option_error(e->s, letter, argv));
	}
}

static int read_options(struct exec *e, int argc, char **argv)
{
	static const struct option options[] = {
		{"session", required_argument, NULL, 's'}, {"terminal", no_argument, NULL, 't'},
		{"detach", no_argument, NULL, 'd'},        {"detached", no_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},          {"socket", required_argument, NULL, 'S'},
		{"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
	};
	int letter, r = 0;

	optind = 0;
	opterr = 0;
	for (;;) {
		while (!r && (letter = getopt_long(argc, argv, "+:s:tdjh", options, NULL)) != -1)
			r = take_option(e, letter, argv);
		/* A number first is the session, as in: smctl exec 1 date. After "--" it is a
		 * program. */
		if (r || e->chosen || optind + 1 >= argc || str_same(argv[optind - 1], "--") ||
		    smctl_number(argv[optind], SM_MACHINE_SESSION - 1, &(uint64_t){0}) < 0)
			break;
		r = take_session(e, argv[optind++]);
	}
	e->words = argv + optind;
	return r;
}

static int check_options(const struct exec *e)
{
	if (!e->words[0])
		return failed(
			smctl_usage(e->s, "wanted: a command, as in: smctl exec -s 1 -- date"));
	if (e->terminal && e->detached)
		return failed(smctl_usage(e->s, "--terminal and --detach do not go together"));
	if (e->s->json && !e->detached)
		return failed(smctl_usage(e->s, "--json goes with --detach only: the output is the "
						"program's"));
	if (e->terminal && !sys_tty_is(0))
		return failed(smctl_error(e->s, "--terminal needs a terminal as standard input; "
						"without it the program gets pipes"));
	return 0;
}

/* Descriptors that a program shall not find elsewhere by our closed ones being used again. */
static int keep_low(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= 2);
	if (fd < 0)
		return -errno;
	(void)close(fd);
	return 0;
}

static int connect_patiently(struct smctl *s)
{
	for (int i = 0; i < BUSY_TRIES; i++) {
		int r = sm_open(s->socket, &s->c);

		if (r != -EBUSY)
			break;
		sys_sleep_ms(BUSY_WAIT_MS);
	}
	return s->c ? 0 : smctl_connect(s);
}

/* The boot is not there yet, or the session is being made, or frozen. */
static int not_now(const struct exec *e)
{
	struct sm_session row;

	if (sm_session_get(e->s->c, e->session, &row) < 0)
		return failed(smctl_call_failed(e->s, -EAGAIN, NULL));
	if (row.frozen)
		return failed(smctl_error(e->s, "session %u is frozen; try: smctl session thaw %u",
					  e->session, e->session));
	return failed(smctl_error(e->s,
				  "session %u is being made, or its csrss starts again or has too "
				  "much to do; see: smctl session show %u",
				  e->session, e->session));
}

static int not_started(const struct exec *e, int r)
{
	const char *name = show_text(e->words[0]);

	switch (r) {
	case -ENOENT:
		(void)smctl_error(e->s, "%s: there is no such program in session %u", name,
				  e->session);
		return EXEC_NOT_FOUND;
	case -ENOEXEC:
		(void)smctl_error(
			e->s,
			"%s: cannot be started: it must be a program, executable, named by "
			"its whole path or in PATH, and not open to others' writing",
			name);
		return EXEC_CANNOT;
	case -ESRCH:
		return failed(smctl_error(
			e->s, "there is no session %u, or it is not running; try: smctl sessions",
			e->session));
	case -EAGAIN:
		return not_now(e);
	case -EACCES:
		return failed(smctl_error(e->s,
					  "access denied: session %u is not yours: this needs "
					  "root, or its owner; try it with sudo",
					  e->session));
	case -E2BIG:
		return failed(smctl_error(e->s,
					  "the command is longer than 1999 bytes, or has more "
					  "than 64 words; put it into a script"));
	case -ETIME:
		return failed(smctl_error(e->s,
					  "session %u does not answer: is it frozen? see: smctl "
					  "sessions",
					  e->session));
	case -EOPNOTSUPP:
		return failed(smctl_error(e->s,
					  "session %u has no terminals to give: is devpts "
					  "mounted in it?",
					  e->session));
	case -ENOSPC:
		return failed(smctl_error(e->s,
					  "session %u cannot have another program just now: "
					  "its table, or its descriptors, are used up",
					  e->session));
	default:
		return failed(smctl_call_failed(e->s, r, NULL));
	}
}

static int start(const struct exec *e, struct sm_program *ret)
{
	struct sm_exec_options o = {.with = e->terminal   ? SM_WITH_TERMINAL
					    : e->detached ? SM_WITH_NOTHING
							  : SM_WITH_PIPES,
				    .pidfd = e->detached};

	if (e->terminal) {
		(void)!sys_tty_size(0, &o.rows, &o.columns);
		o.term = getenv("TERM");
	}
	return sm_exec_start(e->s->c, e->session, (const char *const *)e->words, &o, ret);
}

/* A csrss that has much to do, or starts again, is asked again; a frozen session is not. */
static int start_patiently(const struct exec *e, struct sm_program *ret)
{
	struct sm_session row;
	int r = start(e, ret);

	for (int i = 0; r == -EAGAIN && i < BUSY_TRIES; i++) {
		if (sm_session_get(e->s->c, e->session, &row) < 0 || row.frozen)
			break;
		sys_sleep_ms(BUSY_WAIT_MS);
		r = start(e, ret);
	}
	return r;
}

static int tell_started(const struct exec *e, const struct sm_program *p)
{
	if (e->s->json) {
		json_object *o = json_object_new_object();

		json_put_number(o, "session", e->session);
		json_put_number(o, "pid", p->pid);
		return json_show(o, false) == SMCTL_OK ? 0 : EXEC_FAILED;
	}
	if (p->pid)
		printf("process %u started in session %u\n", p->pid, e->session);
	else
		printf("started in session %u\n", e->session);
	return 0;
}

int verb_exec(struct smctl *s, int argc, char **argv)
{
	struct exec e = {.s = s, .terminal = false};
	struct sm_program p;
	int r = read_options(&e, argc, argv);

	if (r)
		return r < 0 ? SMCTL_OK : r;
	r = check_options(&e);
	if (r)
		return r;
	if (!e.chosen && !own_session(&e.session))
		e.session = 0;
	if (keep_low() < 0 || connect_patiently(s))
		return EXEC_FAILED;
	r = start_patiently(&e, &p);
	if (r < 0)
		return not_started(&e, r);
	sm_close(s->c); /* the session manager has done its part, and its places are few */
	s->c = NULL;
	if (!e.detached)
		return relay_run(s, &p, e.terminal);
	r = tell_started(&e, &p);
	sm_program_close(&p);
	return r;
}
