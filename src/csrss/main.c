/* SPDX-License-Identifier: MIT */
/*
 * main.c - csrss, the session server: registers, starts programs in its session, ends them
 *
 * One a session; init of the session's pid namespace where there is one, then it also reaps what is
 * left behind in it. Born with its connection to the master (fd 3) and the plan (fd 4). Sleeps
 * until asked. csrss of session 0 is a critical process: it never exits unless it was told to or
 * the master is gone. What it may do is what the master asks; nobody else can reach it.
 */
#include <errno.h>
#include <signal.h>

#include "base/text.h"
#include "companion/companion.h"
#include "csrss/arguments.h"
#include "csrss/programs.h"

/* How long what was killed may take to be gone; then the master's cgroup has the last word. */
#define KILLED_MS 2000
/* NT's WaitToKillAppTimeout, when the hive does not say. */
#define PATIENCE_MS 5000
/* Processes of the namespace that are not our children die without telling us. */
#define LOOK_MS 5

static const char help[] =
	"usage: csrss [Key=Value ...]\n"
	"       csrss --help | --version\n"
	"The session server. Started by smss for each session, never by hand.\n"
	"Keys: ObjectDirectory SharedSection ServerDll SubSystemType MaxRequestThreads\n"
	"      RequestThreads ProfileControl Windows\n";

static void answer(struct companion *c, const struct sm_message *m, const struct handed *fds)
{
	int r = companion_send_with(c, m, fds->fd, fds->count);

	if (r < 0)
		companion_say(SYS_LOG_WARNING, "cannot answer", "master", r);
}

static void create_process(struct programs *p, struct companion *c, struct sm_message *m)
{
	struct handed fds = {.kept = -1};
	int r = c->ending ? -ESHUTDOWN : programs_start(p, c, &m->b.exec_pgm, &fds);

	/* What else was asked comes back as it was: so a refusal of ours is told from another. */
	m->h.reply = 1;
	m->h.status = status_of(r < 0 ? r : 0);
	m->b.exec_pgm.session = c->session;
	/* In a pid namespace of our own we do not know its number outside. */
	m->b.exec_pgm.pid = r < 0 || p->first ? 0 : (uint32_t)r;
	answer(c, m, &fds);
	handed_close(&fds);
}

static void program_row(const struct programs *p, struct companion *c, struct sm_message *m)
{
	int r = programs_row(p, &m->b.program_row);

	m->h.reply = 1;
	m->h.status = status_of(r);
	m->b.program_row.session = c->session;
	answer(c, m, &(struct handed){0});
}

static void message(struct programs *p, struct companion *c, struct sm_message *m)
{
	if (m->h.call == SM_SB_CREATE_PROCESS && !m->h.reply)
		create_process(p, c, m);
	else if (m->h.call == SM_SB_PROGRAM_ROW && !m->h.reply)
		program_row(p, c, m);
	else
		companion_refuse(c, m);
}

/* Until nothing is left or the time is up; requests that still come are refused. */
static bool wait_gone(struct programs *p, struct companion *c, unsigned ms)
{
	uint64_t until = sys_now_ns() + ms * 1000000ull;
	struct sm_message m;

	for (;;) {
		int left = companion_ms_left(until);
		enum companion_what what;

		programs_reap(p);
		if (!programs_left(p))
			return true;
		if (!left)
			return false;
		if (p->first && left > LOOK_MS)
			left = LOOK_MS;
		what = companion_next(c, left, &m);
		if (what == COMPANION_MESSAGE)
			message(p, c, &m);
		else if (what == COMPANION_INPUT)
			programs_controls(p);
	}
}

/* NT's time for programs that are asked to end, but never longer than the session has. */
static unsigned patience_ms(const struct companion *c)
{
	unsigned ms = plan_session_number(c->plan, c->session, "WaitToKillAppTimeout", PATIENCE_MS);
	unsigned most = companion_stop_ms(c);

	return ms < most ? ms : most;
}

static int end(struct programs *p, struct companion *c)
{
	if (!programs_ask(p) || wait_gone(p, c, patience_ms(c)))
		return COMPANION_OK;
	sys_log(SYS_LOG_WARNING, "programs did not end when asked; killed");
	programs_kill(p);
	return wait_gone(p, c, KILLED_MS) ? COMPANION_OK : COMPANION_FAILED;
}

static int serve(struct programs *p, struct companion *c)
{
	struct sm_message m;

	while (!c->ending) {
		switch (companion_next(c, -1, &m)) {
		case COMPANION_MESSAGE:
			message(p, c, &m);
			break;
		case COMPANION_CHILD:
			programs_reap(p);
			break;
		case COMPANION_INPUT:
			programs_controls(p);
			break;
		case COMPANION_TIMEOUT:
		case COMPANION_END:
			break;
		}
	}
	return end(p, c);
}

/* Everything that can fail is done before the master is told that we are up. */
static int prepare(struct programs *p, struct companion *c, char **envp)
{
	static struct owner owner;
	int r = owner_read(&owner, envp);

	if (r < 0) {
		companion_say(SYS_LOG_ERROR, "cannot run programs as", "the session's owner", r);
		return r;
	}
	if (r) {
		p->owner = &owner;
		c->env = owner.env;
	}
	programs_open(p);
	return companion_listen(c);
}

int main(int argc, char **argv, char **envp)
{
	static struct programs programs;
	struct csrss_arguments arguments;
	struct companion c;
	const char *bad = "";
	int r = companion_usage("csrss", help, argc, argv);

	if (r >= 0)
		return r;
	r = companion_open(&c, "csrss", envp, true);
	if (r != COMPANION_OK)
		return r;
	if (csrss_arguments_read(argc, argv, &arguments, &bad) < 0) {
		companion_say(SYS_LOG_ERROR, "invalid parameter", bad, 0);
		return COMPANION_USAGE;
	}
	r = prepare(&programs, &c, envp);
	if (r >= 0)
		r = companion_register(&c, ROLE_CSRSS);
	if (r < 0) {
		companion_say(SYS_LOG_ERROR, "cannot register", "csrss", r);
		return r == -EPIPE ? COMPANION_NO_MASTER : COMPANION_FAILED;
	}
	return serve(&programs, &c);
}
