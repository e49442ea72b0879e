/* SPDX-License-Identifier: MIT */
/*
 * stop.c - how it ends: stops, shutdowns, signals, faults
 *
 * A stop records first and acts then (design §6): code, culprit, status and phase to console and
 * kmsg at once, to the state directory by a copy with a deadline, and then what CrashControl says.
 * A shutdown is driven by a copy under the living master, with a hard ceiling; whatever happens to
 * that copy, the machine goes down.
 */
#include "smss/master/master.h"

#include <errno.h>

#include "smss/master/ahead.h"
#include <signal.h>
#include <sys/reboot.h>

#define STOP_DEADLINE_S  5u
#define LAST_SYNC_S      20u
#define CEILING_EXTRA_S  60u /* swapoff, unmount, sync, on top of asking and forcing twice */
#define SIGNAL_RT        34  /* what everybody calls SIGRTMIN; the libcs disagree, senders do not */
#define CAD_BURST        7u
#define LAST_LEVEL_STOPS 3u
#define UNCOUNTED_UP_NS  (30 * NS_PER_S)
#define CAD_WINDOW_NS    (2 * NS_PER_S)

/* ---- shutdown ---- */

static const char *const action_words[] = {"poweroff", "reboot", "halt", "exit"};

static void tell_shutdown(enum sm_action action, unsigned flags, const char *reason)
{
	struct sm_message m;

	sm_message_start(&m, SM_EVENT_SHUTDOWN, 0, 0);
	m.b.shutdown.action = action;
	m.b.shutdown.flags = flags;
	str_copy(m.b.shutdown.reason, sizeof(m.b.shutdown.reason), reason);
	peer_tell_all(&m);
}

/* The slowest session may take its own time, and then the driver must still be there. */
static uint32_t longest_grace_s(void)
{
	uint32_t grace_s = 10;

	if (!master.plan)
		return grace_s;
	grace_s = master.plan->settings.shutdown_deadline_s;
	for (uint32_t n = 0; n < master.sessions_top; n++) {
		uint32_t own = plan_session_number(master.plan, n, "StopDeadline", grace_s);

		if (own > grace_s)
			grace_s = own;
	}
	return grace_s;
}

static void start_driver(void)
{
	uint32_t grace_s = longest_grace_s();
	struct job j = {.role = ROLE_SHUTDOWN,
			.n = master.action,
			.session = SM_NO_SESSION,
			.deadline_s = 2 * grace_s + CEILING_EXTRA_S,
			.name = "smss",
			.why = "drives the shutdown",
			.core_fds = {NONE, NONE}};
	int row = master.plan ? job_start(&j) : -ENODATA;

	if (row < 0) { /* no plan yet, or no process to be had: nothing of ours is running then */
		say(SYS_LOG_ERROR, "the shutdown runs without its driver: ", err_text(-row), NULL,
		    NULL);
		shutdown_driver_ended();
	}
}

int shutdown_begin(enum sm_action action, unsigned flags, const char *reason)
{
	if (master.shutting_down)
		return -ESHUTDOWN;
	master.shutting_down = true;
	ahead_dismiss();
	sys_log_quiet(master.words.quiet);
	master.action = (uint8_t)action;
	master.accept_ns = 0;
	say(SYS_LOG_WARNING, "going down for ", action_words[action], reason[0] ? ": " : "",
	    reason);
	if (master.phase_row != NONE)
		row_end(master.phase_row, RESULT_SKIPPED, 0, "a shutdown was asked for");
	master.phase_row = row_begin(PHASE_SHUTDOWN, SM_ROW_PHASE, action_words[action], 0);
	if (master.job != NONE) {
		ledger_kill(master.job);
		master.job = NONE;
	}
	tell_shutdown(action, flags, reason);
	if (flags & 1) { /* fast: no asking */
		for (uint32_t i = 0; i < master.ledger_top; i++)
			if (master.processes[i].pid && master.processes[i].session != SM_NO_SESSION)
				ledger_kill((int)i);
	}
	start_driver();
	return 0;
}

void shutdown_check(void)
{
	struct sm_message m;
	uint32_t from = master.sessions_which ? 0 : 1, left = sessions_left(from);
	bool hopeless = left > 0;

	if (master.sessions_stopper.peer == NONE)
		return;
	for (uint32_t n = from; n < master.sessions_top; n++) {
		const struct session *s = &master.sessions[n];

		if (s->state != SESSION_FREE && !(s->state == SESSION_DYING && !s->deadline_ns))
			hopeless = false;
	}
	if (left && !hopeless)
		return;
	sm_message_start(&m, SM_STOP_SESSIONS, 1, 0);
	m.b.stop_sessions.which = master.sessions_which;
	m.b.stop_sessions.left = left;
	waiter_answer(&master.sessions_stopper, &m, SM_OK, NULL, 0);
}

/* Without its driver a shutdown still syncs: a copy that does only that, once, with its deadline.
 */
static bool last_sync(void)
{
	struct job j = {.role = ROLE_SHUTDOWN,
			.n = STEP_SYNC,
			.session = SM_NO_SESSION,
			.deadline_s = LAST_SYNC_S,
			.name = "smss",
			.why = "last sync",
			.core_fds = {NONE, NONE}};

	if (master.last_sync)
		return false;
	master.last_sync = true;
	return job_start(&j) >= 0;
}

void shutdown_driver_ended(void)
{
	if (!master.final) {
		say(SYS_LOG_ERROR, "the shutdown's driver failed; going down without it", NULL,
		    NULL, NULL);
		if (last_sync())
			return;
	}
	master.final_ns = sys_now_ns(); /* the loop calls shutdown_final, after this turn */
}

void shutdown_final(void)
{
	static const unsigned commands[] = {RB_POWER_OFF, RB_AUTOBOOT, RB_HALT_SYSTEM,
					    RB_POWER_OFF};
	int r;

	say(SYS_LOG_INFO, action_words[master.action], ": now", NULL, NULL);
	r = sys_reboot(commands[master.action]);
	/* In a namespace without the right to reboot we end it by ending ourselves. */
	say(SYS_LOG_ERROR, "reboot(2): ", err_text(-r), NULL, NULL);
	if (master.mode != SM_MODE_MACHINE)
		sys_exit(master.action == SM_ACTION_REBOOT ? 133 : 0);
	master.final_ns = sys_now_ns() + 10 * NS_PER_S; /* try again; there is nothing else to do */
}

/* ---- stops ---- */

/*
 * Below the last level there is nothing to try: what fails there again and again would go on for
 * ever. Where no attempts can be counted no level is ever left, so that it is enough, on any of
 * them, that it did not stay up.
 */
static const char *hopeless(void)
{
	if (!master.boot.state_on)
		return !master.ready_ns || sys_now_ns() - master.ready_ns < UNCOUNTED_UP_NS
			       ? "no attempts are counted, and it does not stay up"
			       : NULL;
	return master.boot.level == SM_LEVEL_BUILTIN && master.attempts >= LAST_LEVEL_STOPS
		       ? "the built-in minimum does not stay up"
		       : NULL;
}

static void after_stop(void)
{
	bool reboot = !master.plan || master.plan->settings.auto_reboot;
	const char *why = hopeless();

	if (reboot && why) {
		say(SYS_LOG_ERROR, why, ": halting, not rebooting", NULL, NULL);
		reboot = false;
	}
	(void)shutdown_begin(reboot ? SM_ACTION_REBOOT : SM_ACTION_HALT, 0, "a stop was recorded");
}

void stop(uint32_t code, uint32_t status, const char *culprit, const char *text)
{
	char room[200];
	struct text t = TEXT_ON(room);
	struct job j = {.role = ROLE_STOP,
			.session = SM_NO_SESSION,
			.deadline_s = STOP_DEADLINE_S,
			.name = "smss",
			.why = "files the stop",
			.core_fds = {NONE, NONE}};

	if (master.stop.code || master.shutting_down)
		return;
	master.accept_ns = 0; /* what comes to a stop was not good */
	master.stop = (struct sm_stop_text){.which = 1,
					    .code = code,
					    .status = status,
					    .phase = master.boot.phase,
					    .wall_s = sys_wall_s()};
	str_copy(master.stop.culprit, sizeof(master.stop.culprit), culprit);
	str_copy(master.stop.text, sizeof(master.stop.text), text);
	text_hex(text_add(&t, "*** STOP "), code);
	text_add(text_add(text_add(&t, " "), stop_word(code)), ": ");
	text_add(text_hex(text_add(text_add(&t, culprit), " status "), status), " in phase ");
	text_add(&t, phase_word(master.boot.phase));
	say(SYS_LOG_ERROR, room, ": ", text, NULL);
	row_note(master.boot.phase, SM_ROW_ITEM, RESULT_FAILED, (int)status, culprit, room);
	master.stop_job = master.plan ? job_start(&j) : NONE;
	if (master.stop_job < 0)
		after_stop();
}

void stop_recorded(void)
{
	master.stop_job = NONE;
	after_stop();
}

/* ---- signals ---- */

static void dump(void)
{
	char room[200];
	struct text t = TEXT_ON(room);

	text_add(text_add(&t, "state: phase "), phase_word(master.boot.phase));
	text_u64(text_add(&t, ", sessions "), sessions_left(0));
	text_u64(text_add(&t, ", reaped "), master.reaped);
	text_u64(text_add(&t, ", orphans "), master.orphans);
	text_u64(text_add(&t, ", clients "), master.clients);
	sys_log(SYS_LOG_WARNING, room);
}

static void reopen_port(void)
{
	(void)sys_epoll_drop(master.epoll, master.listener);
	sys_closep(&master.listener);
	master.listener = sys_listen(SM_PORT_PATH, 0666);
	if (master.listener >= 0)
		(void)!sys_epoll_add(master.epoll, master.listener, SYS_READ, 1);
	say(SYS_LOG_WARNING, "API port reopened", NULL, NULL, NULL);
}

/* Ctrl-Alt-Del: an orderly reboot; seven within two seconds: at once. */
static void ctrl_alt_del(void)
{
	uint64_t now = sys_now_ns();

	if (now - master.cad_ns > CAD_WINDOW_NS) {
		master.cad_ns = now;
		master.cad_count = 0;
	}
	if (++master.cad_count >= CAD_BURST) {
		say(SYS_LOG_ERROR, "Ctrl-Alt-Del seven times: rebooting at once", NULL, NULL, NULL);
		master.action = SM_ACTION_REBOOT;
		shutdown_final();
	}
	(void)shutdown_begin(SM_ACTION_REBOOT, 0, "Ctrl-Alt-Del");
}

static void not_here(const char *what)
{
	say(SYS_LOG_WARNING, what, ": not implemented", NULL, NULL);
}

static bool busybox_dialect(int sig)
{
	if (!master.plan || master.plan->settings.dialect != PLAN_DIALECT_BUSYBOX)
		return false;
	if (sig == SIGTERM)
		(void)shutdown_begin(SM_ACTION_REBOOT, 0, "SIGTERM");
	else if (sig == SIGUSR1)
		(void)shutdown_begin(SM_ACTION_HALT, 0, "SIGUSR1");
	else if (sig == SIGUSR2)
		(void)shutdown_begin(SM_ACTION_POWEROFF, 0, "SIGUSR2");
	else
		return false;
	return true;
}

static void act_usual(int sig)
{
	switch (sig) {
	case SIGINT:
		ctrl_alt_del();
		break;
	case SIGTERM: /* a container manager's "stop"; on a machine nobody means us by it */
		if (master.mode == SM_MODE_MACHINE)
			not_here("SIGTERM (re-exec)");
		else
			(void)shutdown_begin(SM_ACTION_POWEROFF, 0, "SIGTERM");
		break;
	case SIGHUP:
		not_here("SIGHUP (re-read the hive)");
		break;
	case SIGUSR1:
		reopen_port();
		break;
	case SIGUSR2:
		dump();
		break;
	case SIGPWR:
		(void)shutdown_begin(SM_ACTION_POWEROFF, 0, "power failure (SIGPWR)");
		break;
	case SIGQUIT:
		(void)shutdown_begin(SM_ACTION_REBOOT, 1, "SIGQUIT");
		break;
	default:
		break;
	}
}

void signal_act(const struct sys_signal *s)
{
	if (busybox_dialect(s->sig))
		return;
	switch (s->sig) {
	case SIGNAL_RT + 3:
		(void)shutdown_begin(SM_ACTION_HALT, 0, "SIGRTMIN+3");
		break;
	case SIGNAL_RT + 4:
		(void)shutdown_begin(SM_ACTION_POWEROFF, 0, "SIGRTMIN+4");
		break;
	case SIGNAL_RT + 5:
		(void)shutdown_begin(SM_ACTION_REBOOT, 0, "SIGRTMIN+5");
		break;
	case SIGNAL_RT + 6:
		not_here("SIGRTMIN+6 (kexec)");
		break;
	case SIGNAL_RT + 7:
		not_here("SIGRTMIN+7 (soft reboot)");
		break;
	default:
		act_usual(s->sig);
	}
}

/* ---- faults ---- */

/*
 * Nothing here may depend on what we serve (pitfall 8) or on the tables being right: say it and go.
 * The next boot finds that this one has no end and files it as a stop.
 */
static void last_words(const char *what, uint64_t number)
{
	char room[200];
	struct text t = TEXT_ON(room);

	text_hex(text_add(&t, "*** STOP "), STOP_SYSTEM_PROCESS_TERMINATED);
	text_add(text_add(&t, " Unhandled Exception in Session Manager: "), what);
	text_hex(text_add(&t, " "), number);
	text_add(text_add(&t, " in phase "), phase_word(master.boot.phase));
	sys_log(SYS_LOG_ERROR, room);
	master.action = SM_ACTION_REBOOT;
	if (sys_pid() == 1)
		shutdown_final();
	sys_exit(70);
}

void on_fault(int sig, uintptr_t address)
{
	char what[32];
	struct text t = TEXT_ON(what);

	text_add(text_u64(text_add(&t, "signal "), (uint64_t)sig), " at");
	last_words(what, address);
}

void panic_assert(const char *what)
{
	last_words(what, 0);
}
