/* SPDX-License-Identifier: MIT */
/*
 * supervisor.c - the service supervisor, see supervisor.h
 */
#include "wininit/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/text.h"
#include "companion/program.h"
#include "wininit/safe.h"

#define DELAY_MAX_S      60u
#define STOP_S_OTHERWISE 7u
#define STOP_S_MAX       3600u
#define KILLED_MS        2000
#define CHILDREN_MAX     512u /* in one look; there is another one */
#define ITEM             "Supervisor"

unsigned supervisor_delay_s(unsigned delay_s, uint64_t lived_ns)
{
	if (!delay_s || lived_ns >= DELAY_MAX_S * 1000000000ull)
		return 1;
	return delay_s * 2 < DELAY_MAX_S ? delay_s * 2 : DELAY_MAX_S;
}

static int start(struct supervisor *s, const struct companion *c)
{
	const struct program p = {.path = s->path, .argv = s->words, .in = -1, .out = 1};
	int pid;

	s->started_ns = sys_now_ns();
	pid = program_start(c, &p, NULL);
	if (pid < 0)
		return pid;
	s->pid = pid;
	return 0;
}

static void plan_next(struct supervisor *s)
{
	uint64_t now = sys_now_ns();

	s->delay_s = supervisor_delay_s(s->delay_s, now - s->started_ns);
	s->next_ns = now + s->delay_s * 1000000000ull;
}

static const char *services_directory(const struct companion *c)
{
	return plan_text(c->plan, "Wininit\\ServicesDirectory", "/etc/service");
}

/* runsvdir alone gets its services' directory, and each service a session of its own (-P). */
static const char *add_services(struct supervisor *s, const struct companion *c)
{
	const char *directory = services_directory(c);

	s->words[1] = (char *)"-P";
	s->words[2] = (char *)(uintptr_t)directory;
	s->words[3] = NULL;
	/* Without it runsvdir would only complain every few seconds. */
	return sys_access(AT_FDCWD, directory, 0) < 0
		       ? "its services directory is not there; no services"
		       : NULL;
}

/* In a safe boot: its directory is replaced by one of links to what is marked (safe.h). */
static const char *hold_back(struct supervisor *s, const struct companion *c, int count,
			     int *ret_error)
{
	bool directory;
	const char *name = safe_supervisor(s->words, &directory);
	int place = safe_directory_word(s->words), r;

	if (plan_is_safe(c->plan, safe_option(c), name))
		return NULL;
	if (!directory || place < 0)
		return "safe boot: it is not marked, and cannot be told to hold services back";
	if (!place && count >= (int)ARGS_MAX)
		return "the command line has too many words";
	r = safe_services(c, place ? s->words[place] : services_directory(c));
	if (r == -ENOENT)
		return "its services directory is not there; no services";
	if (r < 0) {
		*ret_error = -r;
		return err_text(-r);
	}
	if (!r)
		return "safe boot: none of its services is marked";
	if (!place)
		s->words[count + 1] = NULL;
	s->words[place ? place : count] = (char *)(uintptr_t)SAFE_DIRECTORY;
	return NULL;
}

/* NULL = there is something to start; else why there is not. */
static const char *prepare(struct supervisor *s, const struct companion *c, int *ret_error)
{
	const char *line = plan_text(c->plan, "Wininit\\Supervisor", "runsvdir"), *why = NULL;
	bool directory;
	int r, count;

	if (!line[0])
		return "none wanted";
	if (!str_copy(s->line, sizeof(s->line), line))
		return "the command line is too long";
	count = plan_words(s->line, s->words, ARGS_MAX);
	if (count <= 0)
		return count < 0 ? "the command line has too many words" : "none wanted";
	r = program_find(c, s->words[0], s->path, sizeof(s->path));
	if (r < 0) {
		*ret_error = -r;
		return r == -ENOENT ? "not installed; no services" : err_text(-r);
	}
	/* busybox runsvdir ... is a runsvdir too. */
	s->is_runsvdir = str_same(safe_supervisor(s->words, &directory), "runsvdir");
	if (s->is_runsvdir && count == 1) {
		why = add_services(s, c);
		count = 3;
	}
	return why || !safe_option(c)[0] ? why : hold_back(s, c, count, ret_error);
}

void supervisor_open(struct supervisor *s, const struct companion *c)
{
	uint64_t begin = sys_now_ns();
	char line[TEXT_BYTES];
	struct text t = TEXT_ON(line);
	int error = 0, r;
	const char *why = prepare(s, c, &error);

	if (why) {
		if (s->words[0])
			text_add(text_add(&t, s->words[0]), ": ");
		text_add(&t, why);
		companion_item(c, error && error != ENOENT ? RESULT_FAILED : RESULT_SKIPPED, error,
			       begin, ITEM, line);
		return;
	}
	s->wanted = true;
	r = start(s, c);
	if (r < 0)
		plan_next(s);
	text_add(&t, s->path);
	if (safe_option(c)[0])
		text_add(&t, ": safe boot, marked services only");
	companion_item(c, r < 0 ? RESULT_FAILED : RESULT_OK, r < 0 ? -r : 0, begin, ITEM, line);
}

int supervisor_wait_ms(const struct supervisor *s)
{
	return s->next_ns ? companion_ms_left(s->next_ns) : -1;
}

void supervisor_tick(struct supervisor *s, const struct companion *c)
{
	int r;

	if (!s->next_ns || companion_ms_left(s->next_ns))
		return;
	s->next_ns = 0;
	r = start(s, c);
	if (r < 0) {
		plan_next(s);
		companion_say(SYS_LOG_WARNING, "cannot start", s->path, r);
	}
}

static bool is_named(int pid, const char *name)
{
	char path[40], have[32];
	struct text t = TEXT_ON(path);
	ssize_t n;

	text_add(text_u64(text_add(&t, "/proc/"), (uint64_t)pid), "/comm");
	n = sys_read_file(AT_FDCWD, path, have, sizeof(have) - 1);
	if (n <= 0)
		return false;
	have[n - 1] = 0; /* its newline */
	return str_same(have, name);
}

/* All children of ours, or those of one name only. */
static void signal_children(int sig, const char *only)
{
	static int pids[CHILDREN_MAX];
	int n = program_children(pids, CHILDREN_MAX);

	for (int i = 0; i < n; i++)
		if (!only || is_named(pids[i], only))
			(void)!sys_kill(pids[i], sig);
}

/*
 * The services' own watchers outlive a runsvdir and hold their locks: a new one could start nothing
 * beside them. They are told to end; the new runsvdir starts them afresh.
 */
static void clear_remains(const struct supervisor *s)
{
	if (s->is_runsvdir)
		signal_children(SIGTERM, "runsv");
}

static void died(struct supervisor *s, const struct companion *c, const struct sys_exit *e)
{
	char line[TEXT_BYTES];
	struct text t = TEXT_ON(line);

	s->pid = 0;
	if (c->ending)
		return;
	plan_next(s);
	clear_remains(s);
	program_exit_text(text_add(&t, "ended: "), e);
	text_add(text_u64(text_add(&t, "; started again in "), s->delay_s), " s");
	companion_item(c, e->signalled ? RESULT_CRASHED : RESULT_FAILED, e->status, s->started_ns,
		       ITEM, line);
}

void supervisor_reap(struct supervisor *s, const struct companion *c)
{
	struct sys_exit e;

	while (sys_reap(&e) == 1)
		if (e.pid == s->pid)
			died(s, c, &e);
}

/* Until no child is left or the time is up. */
static bool wait_gone(struct supervisor *s, struct companion *c, bool only_it, uint64_t until_ns)
{
	struct sm_message m;

	for (;;) {
		struct sys_exit e;
		int r, left = companion_ms_left(until_ns);

		while ((r = sys_reap(&e)) == 1)
			if (e.pid == s->pid)
				s->pid = 0;
		if (r == -ECHILD || (only_it && !s->pid))
			return true;
		if (!left)
			return false;
		(void)companion_next(c, left, &m);
	}
}

void supervisor_stop(struct supervisor *s, struct companion *c)
{
	const char *text = plan_text(c->plan, "Wininit\\SupervisorStopSeconds", "");
	uint64_t seconds = STOP_S_OTHERWISE, until;

	if (str_u64(text, str_len(text, 12), &seconds) < 0 || seconds > STOP_S_MAX)
		seconds = STOP_S_OTHERWISE;
	/* The master's own patience with this session is the upper end. */
	until = seconds * 1000 < companion_stop_ms(c) ? seconds * 1000 : companion_stop_ms(c);
	until = sys_now_ns() + until * 1000000;
	s->next_ns = 0;
	if (s->pid) {
		/* runsvdir's own way to end all services; TERM would leave them running. */
		(void)!sys_kill(s->pid, s->is_runsvdir ? SIGHUP : SIGTERM);
		(void)!sys_kill(s->pid, SIGCONT);
		(void)wait_gone(s, c, true, until);
	}
	/* What it left to us: the services' watchers (told already), and strays of theirs. */
	signal_children(SIGTERM, NULL);
	signal_children(SIGCONT, NULL);
	if (wait_gone(s, c, false, until))
		return;
	sys_log(SYS_LOG_WARNING, "services did not end when asked; killed");
	if (s->pid)
		(void)!sys_kill(-s->pid, SIGKILL);
	until = sys_now_ns() + KILLED_MS * 1000000ull;
	do /* children of the killed come to us, then it is their turn */
		signal_children(SIGKILL, NULL);
	while (!wait_gone(s, c, false, sys_now_ns() + 20000000) && companion_ms_left(until));
}
