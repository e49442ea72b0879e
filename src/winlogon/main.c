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

#include "base/text.h"
#include "companion/companion.h"
#include "etc/accounts.h"
#include "winlogon/console.h"
#include "winlogon/greeter.h"
#include "winlogon/idle.h"
#include "winlogon/logon.h"
#include "winlogon/prompt.h"
#include "winlogon/throttle.h"

#define OPEN_TRIES      12u   /* 1, 2, 4 ... 30 s: about four minutes for a terminal to appear */
#define LOGOFF_MS       10000 /* the master answers a logoff by ending the session */
#define KILLED_MS       2000
#define REPORTS_MAX     5u /* of failed logins in the timeline; the log has all */
#define PROMPT_AGAIN_MS 1000

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
	unsigned failures; /* in a row, of what is started on the terminal */
	unsigned open_tries, reports;
	struct idle idle; /* of who is logged on */
	bool told;        /* the terminal's row is in the timeline */
	bool fallen_back; /* from a greeter to the text login */
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

static enum started kind_of(const struct logon *l)
{
	return l->automatic ? STARTED_SHELL : l->asks_itself ? STARTED_GREETER : STARTED_LOGIN;
}

/* The greeter is given up: text, on the same terminal, until somebody has logged on by it. */
static void fall_back(struct winlogon *w)
{
	static const char why[] = "the greeter failed again and again; text login instead";

	companion_item(&w->c, RESULT_DEGRADED, (int)w->failures, 0, "logon", why);
	console_tell(&w->console, why);
	logon_fall_back(&w->logon);
	w->fallen_back = true;
	w->failures = 0;
}

/* What the last winlogon of this session left: its failures slow our first start down. */
static void recall(struct winlogon *w)
{
	enum started kind = kind_of(&w->logon);

	if (kind == STARTED_LOGIN)
		return;
	w->failures = greeter_recall(w->c.session, kind == STARTED_GREETER);
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
	w->place = PLACE_START;
	if (w->told)
		return;
	companion_item(&w->c, RESULT_OK, 0, 0, "console", w->console.path);
	w->told = true;
	recall(w);
	if (kind_of(&w->logon) == STARTED_GREETER && w->failures >= THROTTLE_FAILURES)
		fall_back(w);
	pause_ms(w, throttle_delay_s(w->failures) * 1000);
}

static void report_child(struct winlogon *w, const char *what, int error)
{
	if (w->reports++ < REPORTS_MAX)
		companion_item(&w->c, RESULT_FAILED, error, 0, "logon", what);
	else
		companion_say(SYS_LOG_WARNING, "logon", what, 0);
}

static struct idle_now idle_now(const struct winlogon *w)
{
	struct idle_now now = {.boot_ns = sys_now_ns(), .wall_s = (int64_t)sys_wall_s()};

	/* Of a terminal that does not tell, every look counts as a key. */
	if (sys_last_read_s(w->console.path, &now.read_s) < 0)
		now.read_s = now.wall_s;
	return now;
}

static void start_child(struct winlogon *w, const char *name)
{
	const char *term = console_term(w->console.rdev, companion_env(&w->c, "TERM", "xterm"));
	struct idle_now now;
	int r;

	/* It may take the whole session with it: then this stands. */
	if (kind_of(&w->logon) == STARTED_GREETER)
		greeter_remember(w->c.session, w->failures + 1);
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
	if (w->logon.idle_s) {
		now = idle_now(w);
		idle_begin(&w->idle, w->logon.idle_s, &now);
	}
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
	prompt_print(&w->console, w->c.session, true);
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
		prompt_print(&w->console, w->c.session, false);
		return;
	}
	companion_unwatch(&w->c, w->console.fd);
	start_child(w, line);
}

static const char *ending_text(const struct sys_exit *e)
{
	return e->signalled ? "died at once of a signal; slowed down"
	       : e->status  ? "ended at once with an error; slowed down"
			    : "ended at once; slowed down";
}

static void child_ended(struct winlogon *w, const struct sys_exit *e)
{
	struct ending ending = {.exit = *e,
				.lived_ns = sys_now_ns() - w->started_ns,
				.what = kind_of(&w->logon),
				.nobody = !console_changed(&w->console)};
	enum verdict verdict;
	unsigned ms;

	w->child = 0;
	w->idle.limit_s = 0;
	verdict = throttle_verdict(&ending, &w->failures, &ms);
	w->place = verdict == VERDICT_LOGOFF ? PLACE_ENDED : PLACE_OPEN;
	/* Failures of the text login are this session's; the greeter's stand until it served. */
	if (ending.what != STARTED_LOGIN)
		greeter_remember(w->c.session, w->failures);
	else if (verdict == VERDICT_LOGOFF && w->fallen_back)
		greeter_remember(w->c.session, 0);
	if (w->failures)
		report_child(w, ending_text(e), e->status);
	if (ending.what == STARTED_GREETER && w->failures >= THROTTLE_FAILURES &&
	    verdict == VERDICT_AGAIN) {
		fall_back(w);
		ms = 0;
	}
	pause_ms(w, ms);
}

static void look_for_idle(struct winlogon *w)
{
	struct idle_now now;
	char line[64];
	struct text t = TEXT_ON(line);

	if (!w->idle.limit_s || companion_ms_left(w->idle.due_ns))
		return;
	now = idle_now(w);
	if (!w->logon.automatic && !console_changed(&w->console)) {
		idle_begin(&w->idle, w->logon.idle_s, &now); /* nobody has logged on yet */
		return;
	}
	if (!idle_is_over(&w->idle, &now))
		return;
	text_add(text_u64(text_add(&t, "idle for "), w->logon.idle_s), " s");
	companion_item(&w->c, RESULT_OK, 0, 0, "logoff", line);
	text_add(&t, ": logged off");
	console_tell(&w->console, line);
	w->idle.limit_s = 0;
	w->place = PLACE_ENDED;
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
		case PLACE_RUNNING:
			look_for_idle(w);
			if (w->place == PLACE_RUNNING)
				return;
			break;
		case PLACE_PROMPT:
		case PLACE_IDLE:
			return;
		}
	}
}

static int wait_ms(const struct winlogon *w)
{
	if (w->pause_ns)
		return companion_ms_left(w->pause_ns);
	if (w->place == PLACE_RUNNING && w->idle.limit_s)
		return companion_ms_left(w->idle.due_ns);
	return -1;
}

static void serve(struct winlogon *w)
{
	struct sm_message m;

	while (!w->c.ending) {
		advance(w);
		if (w->c.ending)
			break;
		switch (companion_next(&w->c, wait_ms(w), &m)) {
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
	/* Ended from above: no failure, unless it came so early that the greeter may be why. */
	if (child && kind_of(&w->logon) == STARTED_GREETER &&
	    (sys_now_ns() - w->started_ns >= THROTTLE_BRIEF_NS || console_changed(&w->console)))
		greeter_remember(w->c.session, 0);
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
	if (w.logon.pam_missing)
		companion_item(&w.c, RESULT_REFUSED, 0, 0, "logon",
			       "Pam is 1 and logon-pam is not installed; no automatic logon");
	w.console.fd = -1;
	w.wanted = plan_session_text(w.c.plan, w.c.session, "Console",
				     w.c.session == 1 ? "/dev/console" : "");
	if (!w.wanted[0])
		idle(&w, RESULT_SKIPPED, 0, "none configured for this session");
	serve(&w);
	end(&w);
	return COMPANION_OK;
}
