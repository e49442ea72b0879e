/* SPDX-License-Identifier: MIT */
/*
 * main.c - winlogon, the initial command of sessions 1 and up: a login on the session's terminal
 *
 * Registers, finds and opens the terminal, then asks for a user's name and gives it to `login`, or
 * logs a user on by itself (AutoAdminLogon). When that person leaves it asks the master for a new
 * session. Sleeps while nobody types: asking for the name itself means that no login program times
 * out on an idle terminal. Nothing that is typed is looked at beyond the name; passwords are the
 * login program's. Without a terminal it says so once and stays, so that the session lives.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "companion/companion.h"
#include "etc/accounts.h"
#include "winlogon/console.h"
#include "winlogon/logon.h"
#include "winlogon/throttle.h"

#define OPEN_TRIES      12u   /* 1, 2, 4 ... 30 s: about four minutes for a terminal to appear */
#define LOGOFF_MS       10000 /* the master answers a logoff by ending the session */
#define KILLED_MS       2000
#define REPORTS_MAX     5u /* of failed logins in the timeline; the log has all */
#define PROMPT_AGAIN_MS 1000
#define MACHINE_BYTES   66u /* a host name and its newline */

enum place {
	PLACE_OPEN,    /* the terminal is to be opened (again) */
	PLACE_START,   /* it is open: ask, or start at once */
	PLACE_PROMPT,  /* waiting for a name */
	PLACE_RUNNING, /* login or a shell is running */
	PLACE_ENDED,   /* it has ended: logoff after the pause */
	PLACE_IDLE,    /* nothing more to do in this session */
};

struct winlogon {
	struct companion c;
	struct logon logon;
	struct console console;
	const char *wanted; /* the terminal's configured name */
	enum place place;
	uint64_t pause_ns; /* until when; 0 = no pause */
	int child;
	uint64_t started_ns;
	unsigned delay_s, open_tries, reports;
	bool told; /* the terminal's row is in the timeline */
};

static const char help[] = "usage: winlogon\n"
			   "       winlogon --help | --version\n"
			   "Login on a session's terminal. Started by smss, never by hand.\n";

static void pause_ms(struct winlogon *w, unsigned ms)
{
	w->pause_ns = ms ? sys_now_ns() + ms * 1000000ull : 0;
}

static void idle(struct winlogon *w, enum result result, int error, const char *text)
{
	companion_item(&w->c, result, error, 0, "console", text);
	console_shut(&w->console);
	w->place = PLACE_IDLE;
	w->pause_ns = 0;
}

static void open_failed(struct winlogon *w, int r)
{
	unsigned s;

	if (r == -ENOTTY || r == -ENODEV) {
		idle(w, RESULT_SKIPPED, -r,
		     r == -ENOTTY ? "no terminal there; nobody can log in"
				  : "no device behind it; nobody can log in");
		return;
	}
	if (w->open_tries == OPEN_TRIES) {
		idle(w, RESULT_FAILED, -r, "cannot be opened; given up");
		return;
	}
	s = w->open_tries < 5 ? 1u << w->open_tries : 30;
	if (!w->open_tries++)
		companion_say(SYS_LOG_WARNING, "waiting for the terminal", w->wanted, r);
	pause_ms(w, s * 1000);
}

static void open_console(struct winlogon *w)
{
	int r;

	if (w->console.fd < 0) {
		r = console_open(&w->console, w->wanted);
		if (r < 0) {
			open_failed(w, r);
			return;
		}
	}
	w->open_tries = 0;
	console_prepare(&w->console);
	if (!w->told)
		companion_item(&w->c, RESULT_OK, 0, 0, "console", w->console.path);
	w->told = true;
	w->place = PLACE_START;
}

/*
 * The machine's name, once it has one: wininit sets it in session 0 while we come up beside it, and
 * a prompt that says "(none)" frightens people. After a second we take what there is.
 */
static ssize_t read_host(char host[MACHINE_BYTES])
{
	ssize_t n = -1;

	for (unsigned i = 0; i < 50; i++) {
		n = sys_read_file(AT_FDCWD, "/proc/sys/kernel/hostname", host, MACHINE_BYTES);
		if (n < 6 || !bytes_same(host, "(none)", 6))
			break;
		sys_sleep_ms(20);
	}
	return n;
}

/*
 * A prompt that is lost is a terminal that looks dead. The fd does not block, and somebody else's
 * line on the same terminal gives EAGAIN: tried again for a second, then the line counts as dead.
 */
static void write_prompt(int fd, const char *at, size_t n)
{
	for (unsigned tries = 0; n && tries < 50; tries++) {
		ssize_t r = sys_write(fd, at, n);

		if (r < 0 && r != -EAGAIN)
			return;
		if (r > 0) {
			at += r;
			n -= (size_t)r;
		} else {
			sys_sleep_ms(20);
		}
	}
}

static void print_prompt(struct winlogon *w, bool banner)
{
	char line[320], host[MACHINE_BYTES];
	struct text t = TEXT_ON(line);
	ssize_t n = read_host(host);
	const char *tty =
		str_starts(w->console.path, "/dev/") ? w->console.path + 5 : w->console.path;

	while (n > 0 && host[n - 1] == '\n')
		n--;
	if (banner) {
		text_escaped(text_add(&t, "\r\n"), host, n > 0 ? (size_t)n : 0);
		text_escaped(text_add(&t, n > 0 ? " " : ""), tty, strlen(tty));
		text_add(text_u64(text_add(&t, ", session "), w->c.session), "\r\n\r\n");
	}
	text_escaped(&t, host, n > 0 ? (size_t)n : 0);
	text_add(&t, n > 0 ? " login: " : "login: ");
	write_prompt(w->console.fd, t.at, t.len);
}

static void report_child(struct winlogon *w, const char *what, int error)
{
	if (w->reports++ < REPORTS_MAX)
		companion_item(&w->c, RESULT_FAILED, error, 0, "logon", what);
	else
		companion_say(SYS_LOG_WARNING, "logon", what, 0);
}

static void start_child(struct winlogon *w, const char *name)
{
	const char *term = console_term(w->console.rdev, companion_env(&w->c, "TERM", "xterm"));
	int r;

	/* The login program shares our open terminal: it must find it blocking. */
	r = sys_set_blocking(w->console.fd, true);
	if (r >= 0)
		r = logon_start(&w->c, &w->logon, w->console.fd, term, name);
	console_shut(&w->console);
	w->started_ns = sys_now_ns();
	if (r < 0) {
		report_child(w, "cannot start", -r);
		w->place = PLACE_OPEN;
		pause_ms(w, THROTTLE_MAX_S * 1000);
		return;
	}
	w->child = r;
	w->place = PLACE_RUNNING;
}

static void start(struct winlogon *w)
{
	int r;

	if (w->logon.automatic) {
		start_child(w, w->logon.user);
		return;
	}
	if (w->logon.asks_itself) {
		start_child(w, "");
		return;
	}
	r = companion_watch(&w->c, w->console.fd);
	if (r < 0) {
		idle(w, RESULT_FAILED, -r, "its input cannot be waited for");
		return;
	}
	print_prompt(w, true);
	w->place = PLACE_PROMPT;
}

static void hung_up(struct winlogon *w)
{
	companion_unwatch(&w->c, w->console.fd);
	console_shut(&w->console);
	w->place = PLACE_OPEN;
	pause_ms(w, PROMPT_AGAIN_MS);
}

static void read_name(struct winlogon *w)
{
	char line[256];
	ssize_t n = sys_read(w->console.fd, line, sizeof(line) - 1);

	if (n == -EAGAIN)
		return;
	if (n <= 0) { /* end of input is a hang-up or ^D: either way afresh, and not in a hurry */
		hung_up(w);
		return;
	}
	while (n && (line[n - 1] == '\n' || line[n - 1] == '\r' || line[n - 1] == ' '))
		n--;
	line[n] = 0;
	if (account_name_check(line) < 0) {
		print_prompt(w, false);
		return;
	}
	companion_unwatch(&w->c, w->console.fd);
	start_child(w, line);
}

static void child_ended(struct winlogon *w, const struct sys_exit *e)
{
	struct ending ending = {.exit = *e,
				.lived_ns = sys_now_ns() - w->started_ns,
				.is_login = !w->logon.automatic,
				.nobody = !console_changed(&w->console)};
	unsigned ms;

	w->child = 0;
	if (throttle_verdict(&ending, &w->delay_s, &ms) == VERDICT_LOGOFF) {
		w->place = PLACE_ENDED;
	} else {
		w->place = PLACE_OPEN;
		if (ms)
			report_child(w,
				     e->signalled ? "died at once of a signal; slowed down"
						  : "ended at once with an error; slowed down",
				     e->status);
	}
	pause_ms(w, ms);
}

static void reap(struct winlogon *w)
{
	struct sys_exit e;

	while (sys_reap(&e) == 1)
		if (e.pid == w->child)
			child_ended(w, &e);
}

/* The person has left: the master ends this session, us included, and makes a new one. */
static void log_off(struct winlogon *w)
{
	uint64_t until = sys_now_ns() + LOGOFF_MS * 1000000ull;
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_LOGOFF, 0, ++w->c.tag);
	r = companion_send(&w->c, &m);
	if (r < 0)
		companion_say(SYS_LOG_WARNING, "cannot log off", "master", r);
	while (r >= 0 && !w->c.ending && companion_ms_left(until))
		(void)companion_next(&w->c, companion_ms_left(until), &m);
	w->c.ending = true;
}

/* What is due now, until there is something to wait for. */
static void advance(struct winlogon *w)
{
	while (!w->c.ending && (!w->pause_ns || !companion_ms_left(w->pause_ns))) {
		w->pause_ns = 0;
		switch (w->place) {
		case PLACE_OPEN:
			open_console(w);
			break;
		case PLACE_START:
			start(w);
			break;
		case PLACE_ENDED:
			log_off(w);
			break;
		case PLACE_PROMPT:
		case PLACE_RUNNING:
		case PLACE_IDLE:
			return;
		}
	}
}

static void serve(struct winlogon *w)
{
	struct sm_message m;

	while (!w->c.ending) {
		advance(w);
		if (w->c.ending)
			break;
		switch (companion_next(&w->c, w->pause_ns ? companion_ms_left(w->pause_ns) : -1,
				       &m)) {
		case COMPANION_CHILD:
			reap(w);
			break;
		case COMPANION_INPUT:
			if (w->place == PLACE_PROMPT)
				read_name(w);
			break;
		case COMPANION_MESSAGE:
			companion_refuse(&w->c, &m);
			break;
		case COMPANION_TIMEOUT:
		case COMPANION_END:
			break;
		}
	}
}

static bool wait_child(struct winlogon *w, unsigned ms)
{
	uint64_t until = sys_now_ns() + ms * 1000000ull;
	struct sm_message m;

	while (w->child && companion_ms_left(until)) {
		struct sys_exit e;

		while (sys_reap(&e) == 1)
			if (e.pid == w->child)
				w->child = 0;
		if (w->child)
			(void)companion_next(&w->c, companion_ms_left(until), &m);
	}
	return !w->child;
}

/* HUP is what an interactive shell listens to; TERM what everything else does. */
static void end(struct winlogon *w)
{
	int child = w->child;

	if (w->place == PLACE_PROMPT)
		companion_unwatch(&w->c, w->console.fd);
	if (child) {
		(void)!sys_kill(-child, SIGHUP);
		(void)!sys_kill(-child, SIGTERM);
		(void)!sys_kill(-child, SIGCONT);
		if (!wait_child(w, companion_stop_ms(&w->c))) {
			(void)!sys_kill(-child, SIGKILL);
			(void)wait_child(w, KILLED_MS);
		}
	}
	console_give_back(&w->console);
}

int main(int argc, char **argv, char **envp)
{
	static struct winlogon w;
	int r = companion_usage("winlogon", help, argc, argv);

	if (r >= 0)
		return r;
	if (argc > 1 && str_same(argv[1], LOGON_WORD))
		return logon_main(argc - 2, argv + 2, envp);
	if (argc > 1) {
		companion_print(2, help);
		return COMPANION_USAGE;
	}
	r = companion_open(&w.c, "winlogon", envp, true);
	if (r != COMPANION_OK)
		return r;
	r = companion_listen(&w.c);
	if (r >= 0)
		r = companion_register(&w.c, ROLE_INITIAL);
	if (r < 0) {
		companion_say(SYS_LOG_ERROR, "cannot register", "winlogon", r);
		return r == -EPIPE ? COMPANION_NO_MASTER : COMPANION_FAILED;
	}
	logon_settings(&w.c, &w.logon);
	if (w.logon.held_back)
		companion_item(&w.c, RESULT_SKIPPED, 0, 0, "logon",
			       "safe boot: automatic logon and greeter are left out");
	w.console.fd = -1;
	w.wanted = plan_session_text(w.c.plan, w.c.session, "Console",
				     w.c.session == 1 ? "/dev/console" : "");
	if (!w.wanted[0])
		idle(&w, RESULT_SKIPPED, 0, "none configured for this session");
	serve(&w);
	end(&w);
	return COMPANION_OK;
}
