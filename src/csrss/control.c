/* SPDX-License-Identifier: MIT */
/*
 * control.c - the programs of a session while they run: their clients, their end; see programs.h
 *
 * A client is read a little at a time and never waited for: its one answer, how its program ended,
 * always finds room, because nothing else is ever sent to it.
 */
#include <errno.h>
#include <signal.h>

#include "csrss/programs.h"

#define TURN_CONTROLS 16 /* connections looked at in one turn, and datagrams taken of each */
#define TURN_MESSAGES 8

int programs_group(const struct started *s)
{
	int group = s->terminal >= 0 ? sys_tty_group(s->terminal) : -1;

	/*
	 * 0: none there, or outside our pid namespace. 1 and below mean everybody to kill(2). A
	 * terminal keeps the number of a group that has died, and we may kill whoever has it now:
	 * only a group of this very session counts, and the program itself we have not reaped.
	 */
	return group > 1 && sys_session_of(group) == s->pid ? group : s->pid;
}

static void act(const struct started *s, const struct sm_control *m)
{
	switch (m->what) {
	case SM_CONTROL_SIGNAL:
		if (m->value < 1 || m->value > 64)
			break;
		/* The kernel reaches the group in front whose first process is gone, too. */
		if (s->terminal < 0 || sys_tty_signal(s->terminal, (int)m->value) < 0)
			(void)!sys_kill(-programs_group(s), (int)m->value);
		break;
	case SM_CONTROL_SIZE: /* the kernel sends WINCH when it is another one */
		if (s->terminal >= 0)
			(void)!sys_tty_set_size(s->terminal, (uint16_t)(m->value >> 16),
						(uint16_t)m->value);
		break;
	default: /* not our language: nobody is hurt */
		break;
	}
}

/* With our side of the terminal closed the kernel hangs it up as soon as the client's is, too. */
static void client_left(struct started *s)
{
	bool terminal = s->terminal >= 0;

	sys_closep(&s->control);
	sys_closep(&s->terminal);
	if (terminal)
		return;
	(void)!sys_kill(-s->pid, SIGHUP);
	(void)!sys_kill(-s->pid, SIGCONT);
}

static void client_says(struct started *s)
{
	struct sm_control m;

	for (unsigned i = 0; i < TURN_MESSAGES && s->control >= 0; i++) {
		ssize_t n = sys_receive(s->control, &m, sizeof(m), NULL, NULL);

		if (n == -EAGAIN)
			return;
		if (n == sizeof(m))
			act(s, &m);
		else if (n <= 0 && n != -EMSGSIZE)
			client_left(s);
	}
}

void programs_controls(struct programs *p)
{
	struct sys_event e[TURN_CONTROLS];
	int n = sys_wait_events(p->controls, e, TURN_CONTROLS, 0);

	for (int i = 0; i < n; i++) {
		struct started *s = &p->at[e[i].key];

		if (s->pid && s->control >= 0)
			client_says(s);
	}
}

static void ended(struct started *s, const struct sys_exit *e)
{
	const struct sm_control m = {.what = e->signalled ? SM_CONTROL_KILLED : SM_CONTROL_EXITED,
				     .value = (uint32_t)e->status};

	if (s->control >= 0)
		(void)!sys_send(s->control, &m, sizeof(m), NULL, 0);
	sys_closep(&s->control);
	sys_closep(&s->terminal);
	s->pid = 0;
}

void programs_reap(struct programs *p)
{
	struct sys_exit e;
	int r;

	while ((r = sys_reap(&e)) == 1) /* as init of a namespace also what others left behind */
		for (unsigned i = 0; i < p->top; i++)
			if (p->at[i].pid == e.pid)
				ended(&p->at[i], &e);
	p->children = r == 0;
	while (p->top && !p->at[p->top - 1].pid)
		p->top--;
}

/* To a program's own group and, on its terminal, to the one in front. */
static void each(const struct programs *p, int sig)
{
	for (unsigned i = 0; i < p->top; i++) {
		const struct started *s = &p->at[i];
		int group = s->pid ? programs_group(s) : 0;

		if (!group)
			continue;
		(void)!sys_kill(-s->pid, sig);
		if (group != s->pid)
			(void)!sys_kill(-group, sig);
	}
}

/* An interactive shell ignores TERM, and ends when its terminal goes: so it is told that, too. */
static void hang_up(const struct programs *p)
{
	for (unsigned i = 0; i < p->top; i++)
		if (p->at[i].pid && p->at[i].flags & SM_EXEC_TERMINAL)
			(void)!sys_kill(-p->at[i].pid, SIGHUP);
}

bool programs_ask(const struct programs *p)
{
	if (!p->first)
		each(p, SIGTERM);
	else if (sys_kill(-1, SIGTERM) == -ESRCH)
		return false; /* nobody but us in the whole namespace, dead or alive */
	hang_up(p);
	if (p->first)
		(void)!sys_kill(-1, SIGCONT);
	else
		each(p, SIGCONT);
	return true;
}

void programs_kill(const struct programs *p)
{
	if (p->first)
		(void)!sys_kill(-1, SIGKILL);
	else
		each(p, SIGKILL);
}

bool programs_left(const struct programs *p)
{
	/*
	 * Not only our children: winlogon was put into the namespace by its maker. But while there
	 * are any nobody else need be asked for: that goes through all processes of the machine.
	 */
	if (p->first)
		return p->children || sys_kill(-1, 0) != -ESRCH;
	return p->top > 0;
}
