/* SPDX-License-Identifier: MIT */
/*
 * programs.c - the programs of a session, see programs.h
 */
#include "csrss/programs.h"

#include <errno.h>
#include <signal.h>

#include "companion/program.h"

/* Words that came one by one, each with its NUL. */
static int words_of(struct sm_exec_pgm *ask, char *ret_words[ARGS_MAX + 1])
{
	uint32_t n = ask->words_bytes, at = 0;
	int count = 0;

	if (n > sizeof(ask->words) || ask->words[n - 1])
		return -EINVAL;
	while (at < n && count < (int)ARGS_MAX) {
		ret_words[count++] = ask->words + at;
		at += (uint32_t)str_len(ask->words + at, n - at) + 1;
	}
	ret_words[count] = NULL;
	return at < n ? -E2BIG : count;
}

int programs_start(struct programs *p, const struct companion *c, struct sm_exec_pgm *ask)
{
	char *words[ARGS_MAX + 1];
	char path[PATH_BYTES];
	struct program what = {.path = path, .argv = words, .in = -1, .out = 1};
	unsigned at = 0;
	int r, pid;

	while (at < PROGRAMS_MAX && p->pid[at])
		at++;
	if (at == PROGRAMS_MAX)
		return -ENOSPC;
	r = ask->words_bytes ? words_of(ask, words) : plan_words(ask->words, words, ARGS_MAX);
	if (r <= 0)
		return r < 0 ? r : -EINVAL;
	r = program_find(c, words[0], path, sizeof(path));
	if (r < 0)
		return r;
	if (ask->flags & SM_EXEC_DETACHED)
		what.out = -1;
	pid = program_start(c, &what, NULL);
	if (pid < 0)
		return pid;
	p->pid[at] = pid;
	p->count++;
	return pid;
}

void programs_reap(struct programs *p)
{
	struct sys_exit e;

	while (sys_reap(&e) == 1) {
		for (unsigned i = 0; i < PROGRAMS_MAX; i++) {
			if (p->pid[i] != e.pid)
				continue; /* as init of a namespace we also reap what others left
					     behind */
			p->pid[i] = 0;
			p->count--;
		}
	}
}

void programs_signal(const struct programs *p, int sig)
{
	if (p->first) {
		(void)!sys_kill(-1, sig);
		return;
	}
	for (unsigned i = 0; i < PROGRAMS_MAX; i++)
		if (p->pid[i])
			(void)!sys_kill(-p->pid[i], sig); /* its session's first group */
}

bool programs_left(const struct programs *p)
{
	/* Not only our children: winlogon was put into the namespace by its maker. */
	if (p->first)
		return sys_kill(-1, 0) != -ESRCH;
	return p->count > 0;
}
