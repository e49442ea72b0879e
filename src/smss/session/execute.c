/* SPDX-License-Identifier: MIT */
/*
 * execute.c - Execute: programs of each session before its initial command
 *
 * They are children of the copy, not of the master: it waits for each and tells how it ended. What
 * still runs at its deadline is killed with its process group. In a safe boot none is run. Source:
 * nt-reference §2.1, §2.2.
 */
#include <errno.h>
#include <signal.h>

#include "base/text.h"
#include "smss/session/session.h"

#define KILLED_MS 2000

static void tell_exit(const struct setup *s, const struct started *p, uint64_t begin)
{
	char room[TEXT_BYTES];
	struct text t = TEXT_ON(room);
	struct sys_exit e = {0};
	int r = sys_wait_pid(p->pid, &e);

	if (r < 0) {
		copy_item(s->c, RESULT_FAILED, -r, begin, p->name, "its end was not seen");
		return;
	}
	if (e.signalled || e.status)
		text_u64(text_add(&t, e.signalled ? "signal " : "exit "), (uint64_t)e.status);
	copy_item(s->c,
		  e.signalled ? RESULT_CRASHED
		  : e.status  ? RESULT_FAILED
			      : RESULT_OK,
		  e.status, begin, p->name, room);
}

/* Its whole process group goes: it began a session of its own. */
static void kill_late(const struct setup *s, const struct started *p, uint64_t begin)
{
	struct sys_exit e;

	(void)!sys_kill(-p->pid, SIGKILL);
	if (sys_wait_fd(p->pidfd, SYS_READ, KILLED_MS) > 0)
		(void)!sys_wait_pid(p->pid, &e);
	copy_item(s->c, RESULT_TIMEOUT, 0, begin, p->name, "killed at its deadline");
}

static void not_started(const struct setup *s, const struct plan_row *row, int r)
{
	const char *name = plan_string(s->c->plan, row->name);

	if (r == -ENOENT && row->flags & PLAN_LINE_AUTOCHECK)
		copy_item(s->c, RESULT_SKIPPED, 0, 0, name, "not found, skipped");
	else
		copy_item(s->c, s->why ? RESULT_REFUSED : RESULT_FAILED, s->why ? 0 : -r, 0, name,
			  s->why ? s->why : err_text(-r));
}

static void run(struct setup *s, const struct plan_row *row, uint64_t until_ns)
{
	const uint64_t limit_ns = s->c->plan->settings.execute_deadline_s * 1000000000ull;
	uint64_t begin = sys_now_ns(), left = until_ns > begin ? until_ns - begin : 0;
	struct started p = {.pidfd = -1};
	int r;

	if (row->flags & PLAN_LINE_DEBUG)
		return;
	if (!left) {
		copy_item(s->c, RESULT_SKIPPED, 0, 0, plan_string(s->c->plan, row->name),
			  "not run: the session's StartDeadline is nearly used up");
		return;
	}
	r = setup_start(s, plan_string(s->c->plan, row->text), NO_CONNECTION, &p);
	if (r < 0) {
		not_started(s, row, r);
		return;
	}
	if (left > limit_ns)
		left = limit_ns;
	if (row->flags & PLAN_LINE_ASYNC)
		copy_item(s->c, RESULT_OK, 0, 0, p.name, "started, not waited for");
	else if (sys_wait_fd(p.pidfd, SYS_READ, (int)(left / 1000000) + 1) > 0)
		tell_exit(s, &p, begin);
	else
		kill_late(s, &p, begin);
	sys_closep(&p.pidfd);
}

void setup_execute(struct setup *s)
{
	const uint32_t count = plan_count(s->c->plan, PLAN_EXECUTE);
	const uint32_t deadline_s = plan_session_number(s->c->plan, s->c->n, "StartDeadline",
							s->c->plan->settings.subsystem_deadline_s);
	const uint64_t until_ns = s->begin_ns + deadline_s * 800000000ull;

	if (s->safe && count) {
		copy_item(s->c, RESULT_SKIPPED, 0, 0, "Execute", "left out: safe boot");
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		run(s, plan_row_at(s->c->plan, PLAN_EXECUTE, i), until_ns);
}
