/* SPDX-License-Identifier: MIT */
/*
 * ledger.c - who we answer for (design §2): spawned and handed-over processes, never the orphans
 *
 * PID 1 adopts strangers, so the list of children proves nothing; the ledger does. We are the
 * parent of every row, so a pid cannot be used again before it was reaped here.
 */
#include "smss/master/master.h"

#include <signal.h>

#include "smss/master/ahead.h"

#define REAPED_PER_TURN 256u

int ledger_add(int pid, int pidfd, enum role role, uint32_t session, const char *image)
{
	struct process *p;
	uint32_t i = 0;

	ASSERT(pid > 0);
	while (i < LEDGER_MAX && master.processes[i].pid)
		i++;
	if (i == LEDGER_MAX) {
		sys_closep(&pidfd);
		return NONE;
	}
	if (i >= master.ledger_top)
		master.ledger_top = i + 1;
	p = &master.processes[i];
	*p = (struct process){.pid = (uint32_t)pid,
			      .pidfd = pidfd,
			      .session = session,
			      .started_ns = sys_now_ns(),
			      .row = NONE,
			      .peer = NONE,
			      .role = (uint8_t)role,
			      .image = name_take(image),
			      .why = name_take("")};
	return (int)i;
}

uint32_t ledger_pid(int row)
{
	return row == NONE ? 0 : master.processes[row].pid;
}

int ledger_find(uint32_t pid)
{
	for (uint32_t i = 0; i < master.ledger_top; i++)
		if (master.processes[i].pid == pid)
			return (int)i;
	return NONE;
}

const char *ledger_image(int row)
{
	return name_text(master.processes[row].image);
}

const char *ledger_why(int row)
{
	return name_text(master.processes[row].why);
}

void ledger_set_why(int row, const char *why)
{
	name_drop(master.processes[row].why);
	master.processes[row].why = name_take(why);
}

void ledger_rename(int row, const char *image)
{
	name_drop(master.processes[row].image);
	master.processes[row].image = name_take(image);
}

void ledger_fill(uint32_t i, struct sm_ledger_row *ret)
{
	const struct process *p = &master.processes[i];

	*ret = (struct sm_ledger_row){.cursor = i + 1,
				      .pid = p->pid,
				      .role = p->role,
				      .session = p->session,
				      .started_ns = p->started_ns,
				      .deadline_ns = p->deadline_ns};
	str_copy(ret->image, sizeof(ret->image), ledger_image((int)i));
	str_copy(ret->why, sizeof(ret->why), ledger_why((int)i));
}

void ledger_drop(int row)
{
	name_drop(master.processes[row].image);
	name_drop(master.processes[row].why);
	sys_closep(&master.processes[row].pidfd);
	master.processes[row].pid = 0;
	while (master.ledger_top && !master.processes[master.ledger_top - 1].pid)
		master.ledger_top--;
}

void ledger_kill(int row)
{
	if (row == NONE || !master.processes[row].pid)
		return;
	if (master.processes[row].pidfd >= 0)
		(void)!sys_pidfd_signal(master.processes[row].pidfd, SIGKILL);
	else
		(void)!sys_kill((int)master.processes[row].pid, SIGKILL);
}

static void exit_text(const struct sys_exit *e, bool killed, struct text *t)
{
	if (killed)
		text_add(t, "killed at its deadline");
	else if (e->signalled)
		text_u64(text_add(t, "signal "), (uint64_t)e->status);
	else if (e->status == 127)
		text_add(t, "exit 127: it could not be started");
	else if (e->status)
		text_u64(text_add(t, "exit "), (uint64_t)e->status);
}

static void ended(int i, const struct sys_exit *e)
{
	struct process p = master.processes[i];
	char room[NAME_BYTES];
	struct text t = TEXT_ON(room);
	enum result result = p.killed       ? RESULT_TIMEOUT
			     : e->signalled ? RESULT_CRASHED
			     : e->status    ? RESULT_FAILED
					    : RESULT_OK;

	exit_text(e, p.killed, &t);
	if (p.peer != NONE) {
		peer_read(p.peer);       /* what it said last comes before its end ... */
		p = master.processes[i]; /* ... and may have given it another job */
	}
	row_end(p.row, result, e->status, room);
	if (p.peer != NONE && (p.role != ROLE_CSRSS && p.role != ROLE_INITIAL))
		peer_drop(p.peer);
	ledger_drop(i);
	if (p.session != SM_NO_SESSION)
		session_process_ended(p.session, i, result, e->status);
	else if (p.role == ROLE_SESSION)
		ahead_ended(i);
	else if (p.role == ROLE_STOP)
		stop_recorded();
	else if (p.role == ROLE_SHUTDOWN)
		shutdown_driver_ended();
	else if (i == master.decider)
		decide_ended(result);
	if (master.job == i) {
		master.job = NONE;
		phase_job_ended(result, e->status);
	}
}

void ledger_reap(void)
{
	struct sys_exit e;
	unsigned i;

	/*
	 * Bounded: a fork bomb must not keep us from everything else. The rest comes next turn, and
	 * there must be one: the signal that told of them has been taken.
	 */
	for (i = 0; i < REAPED_PER_TURN && sys_reap(&e) == 1; i++) {
		int row = ledger_find((uint32_t)e.pid);

		master.reaped++;
		if (row == NONE) {
			master.orphans++;
			master.orphans_ended = true;
		} else {
			ended(row, &e);
		}
	}
	master.more_dead = i == REAPED_PER_TURN;
}

uint64_t ledger_deadlines(uint64_t now)
{
	uint64_t next = 0;

	for (uint32_t i = 0; i < master.ledger_top; i++) {
		struct process *p = &master.processes[i];

		if (!master.processes[i].pid || !p->deadline_ns)
			continue;
		if (p->deadline_ns <= now) {
			p->killed = true;
			p->deadline_ns = 0;
			say(SYS_LOG_ERROR, ledger_image((int)i),
			    " passed its deadline and is killed: ", ledger_why((int)i), NULL);
			ledger_kill((int)i);
		} else if (!next || p->deadline_ns < next) {
			next = p->deadline_ns;
		}
	}
	return next;
}
