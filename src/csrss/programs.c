/* SPDX-License-Identifier: MIT */
/*
 * programs.c - the table of a session's programs: starting them, see programs.h
 */
#include "csrss/programs.h"

#include <errno.h>
#include <string.h>

/* Both ends of everything a program is connected with. */
struct ends {
	int child[3];        /* its 0, 1, 2; -1 = null */
	int close[3];        /* what of these is closed when it runs; -1 */
	int control, client; /* ends of the control connection: ours, and theirs */
	int terminal;        /* master side: ours, and theirs too */
	int give[3];         /* the other ends of its pipes */
};

static void close_all(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sys_closep(&fds[i]);
}

static void ends_close(struct ends *e)
{
	close_all(e->close, 3);
	close_all(e->give, 3);
	sys_closep(&e->control);
	sys_closep(&e->client);
	sys_closep(&e->terminal);
}

#define _ends_ _cleanup_(ends_close)

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

void program_command(char *const *words, char *ret, size_t n)
{
	struct text t = text_start(ret, n);

	for (unsigned i = 0; words[i] && !t.cut; i++) {
		size_t bytes = strlen(words[i]);

		if (i)
			text_add(&t, " ");
		text_add_n(&t, words[i], bytes < n - 1 - t.len ? bytes : n - 1 - t.len);
	}
}

int exec_flags_check(uint32_t flags)
{
	uint32_t fds = flags & (SM_EXEC_DETACHED | SM_EXEC_TERMINAL | SM_EXEC_WAIT);

	return flags & ~SM_EXEC_ALL || fds & (fds - 1) ? -EINVAL : 0;
}

void programs_open(struct programs *p)
{
	p->first = sys_pid() == 1;
	p->controls = -1;
}

/* Made for the first of them: most sessions never have one. */
static int controls_open(struct programs *p, const struct companion *c)
{
	_close_ int fd = -1;
	int r;

	if (p->controls >= 0)
		return 0;
	fd = sys_epoll();
	r = fd < 0 ? fd : companion_watch(c, fd);
	if (r >= 0)
		p->controls = fd_take(fd);
	return r;
}

/* A program of another user may open its own descriptors by name. Comfort: failing is no harm. */
static void give_to(const struct programs *p, int fd)
{
	if (p->owner)
		(void)!sys_chown(fd, p->owner->as.uid, (uint32_t)-1);
}

static int open_terminal(const struct programs *p, const struct sm_exec_pgm *ask, struct ends *e)
{
	int r = sys_pty_open(ask->rows, ask->columns, &e->terminal, &e->close[0]);

	if (r < 0) /* not that the program is not there */
		return r == -ENOENT || r == -EACCES || r == -ENXIO ? -EOPNOTSUPP : r;
	give_to(p, e->close[0]);
	for (unsigned i = 0; i < 3; i++)
		e->child[i] = e->close[0];
	return 0;
}

static int open_pipes(const struct programs *p, struct ends *e)
{
	for (unsigned i = 0; i < 3; i++) {
		int ends[2], r = sys_pipe(ends);

		if (r < 0)
			return r;
		e->child[i] = e->close[i] = ends[i == 0 ? 0 : 1];
		e->give[i] = ends[i == 0 ? 1 : 0];
		give_to(p, e->child[i]);
	}
	return 0;
}

static int ends_open(const struct programs *p, const struct sm_exec_pgm *ask, unsigned row,
		     struct ends *e)
{
	int pair[2], r;

	if (!(ask->flags & (SM_EXEC_TERMINAL | SM_EXEC_WAIT))) {
		if (!(ask->flags & SM_EXEC_DETACHED))
			e->child[1] = e->child[2] = 1;
		return 0;
	}
	r = sys_socketpair(pair);
	if (r < 0)
		return r;
	e->control = pair[0];
	e->client = pair[1];
	r = sys_set_blocking(e->control, false);
	if (r >= 0)
		r = sys_epoll_add(p->controls, e->control, SYS_READ, row);
	if (r < 0)
		return r;
	return ask->flags & SM_EXEC_TERMINAL ? open_terminal(p, ask, e) : open_pipes(p, e);
}

/* Why the kernel would not start it: not there, or there and not to be started. */
static int why_not(int r)
{
	switch (r) {
	case -ENOTDIR:
		return -ENOENT;
	case -EPERM:
	case -ENOEXEC:
	case -EISDIR:
	case -ETXTBSY:
	case -ELIBBAD:
	case -ELOOP:
		return -EACCES;
	default:
		return r;
	}
}

/* The session's environment, with another TERM where there is a terminal of its own. */
static char *const *environment(const struct companion *c, const struct sm_exec_pgm *ask,
				char *term, char *room[OWNER_ENV + 1])
{
	struct text t = text_start(term, NAME_BYTES + 8);
	unsigned n = 0;

	if (!(ask->flags & SM_EXEC_TERMINAL) || !ask->term[0])
		return c->env;
	text_add(text_add(&t, "TERM="), ask->term);
	for (char *const *v = c->env; *v && n < OWNER_ENV - 1; v++)
		if (!str_starts(*v, "TERM="))
			room[n++] = *v;
	room[n++] = term;
	room[n] = NULL;
	return room;
}

static int start(const struct programs *p, const struct companion *c, const struct sm_exec_pgm *ask,
		 char *const *words, const struct ends *e, int *ret_pidfd)
{
	char path[PATH_BYTES], term[NAME_BYTES + 8];
	char *room[OWNER_ENV + 1];
	struct program what = {.path = path,
			       .argv = words,
			       .env = environment(c, ask, term, room),
			       .in = e->child[0],
			       .out = e->child[1],
			       .err = e->child[2] == e->child[1] ? 0 : e->child[2],
			       .terminal = ask->flags & SM_EXEC_TERMINAL,
			       .as = p->owner ? &p->owner->as : NULL};
	/* What an owner names by its path is for the kernel to judge: it looks with his rights. */
	int r = p->owner && words[0][0] == '/'
			? (str_copy(path, sizeof(path), words[0]) ? 0 : -ENAMETOOLONG)
			: program_find(c, words[0], path, sizeof(path));

	if (r >= 0)
		r = program_start(c, &what, ask->flags & SM_EXEC_PIDFD ? ret_pidfd : NULL);
	return r < 0 ? why_not(r) : r;
}

static void hand_out(struct started *s, struct ends *e, int pidfd, struct handed *ret)
{
	s->control = fd_take(e->control);
	s->terminal = fd_take(e->terminal);
	ret->count = 0;
	if (pidfd >= 0)
		ret->fd[ret->count++] = pidfd;
	if (e->client >= 0)
		ret->fd[ret->count++] = fd_take(e->client);
	if (s->terminal >= 0)
		ret->fd[ret->count++] = s->terminal; /* sending makes it theirs too */
	for (unsigned i = 0; i < 3; i++)
		if (e->give[i] >= 0)
			ret->fd[ret->count++] = fd_take(e->give[i]);
	ret->kept = s->terminal;
}

int programs_start(struct programs *p, const struct companion *c, struct sm_exec_pgm *ask,
		   struct handed *ret)
{
	_ends_ struct ends e = {{-1, -1, -1}, {-1, -1, -1}, -1, -1, -1, {-1, -1, -1}};
	char *words[ARGS_MAX + 1];
	struct started *s;
	unsigned at = 0;
	int r = exec_flags_check(ask->flags), pidfd = -1, pid;

	while (at < p->top && p->at[at].pid)
		at++;
	if (r == 0 && at == PROGRAMS_MAX)
		r = -ENOSPC;
	if (r < 0)
		return r;
	r = ask->words_bytes ? words_of(ask, words) : plan_words(ask->words, words, ARGS_MAX);
	if (r <= 0)
		return r < 0 ? r : -EINVAL;
	r = controls_open(p, c);
	if (r >= 0)
		r = ends_open(p, ask, at, &e);
	if (r < 0)
		return r;
	pid = start(p, c, ask, words, &e, &pidfd);
	if (pid < 0)
		return pid;
	s = &p->at[at];
	*s = (struct started){.pid = pid,
			      .uid = p->owner ? p->owner->as.uid : sys_uid(),
			      .flags = ask->flags,
			      .started_ns = sys_now_ns()};
	program_command(words, s->command, sizeof(s->command));
	hand_out(s, &e, pidfd, ret);
	if (at == p->top)
		p->top++;
	return pid;
}

void handed_close(struct handed *h)
{
	for (unsigned i = 0; i < h->count; i++)
		if (h->fd[i] != h->kept)
			sys_closep(&h->fd[i]);
	h->count = 0;
}

int programs_row(const struct programs *p, struct sm_program_row *row)
{
	uint32_t at = row->cursor;

	while (at < p->top && !p->at[at].pid)
		at++;
	if (at >= p->top)
		return -ENODATA;
	row->cursor = at + 1;
	row->pid = (uint32_t)p->at[at].pid;
	row->uid = p->at[at].uid;
	row->flags = p->at[at].flags;
	row->started_ns = p->at[at].started_ns;
	memcpy(row->command, p->at[at].command, sizeof(row->command));
	return 0;
}
