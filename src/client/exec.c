/* SPDX-License-Identifier: MIT */
/*
 * exec.c - libsm's calls about programs in sessions: start one, wait for it, see them; see sm.h
 *
 * The session's csrss starts a program and holds the other end of what is handed out here; once it
 * is started, the session manager is not needed any more. A refusal comes either from the session
 * manager, with an empty body, or from csrss, which sends back what it was asked: that tells "no
 * such session" from "no such program".
 */
#include "client/client.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

/* The words of a command as the wire carries them: each with its NUL. */
static int put_words(const char *const *argv, struct sm_exec_pgm *to)
{
	size_t used = 0;

	if (!argv[0] || !*argv[0])
		return -EINVAL;
	for (unsigned i = 0; argv[i]; i++) {
		size_t n = strlen(argv[i]) + 1;

		if (i >= ARGS_MAX || n > sizeof(to->words) - used)
			return -E2BIG;
		memcpy(to->words + used, argv[i], n);
		used += n;
	}
	to->words_bytes = (uint32_t)used;
	return 0;
}

int sm_exec(struct sm_connection *c, uint32_t session, const char *const *argv, bool detached,
	    uint32_t *ret_pid)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_EXEC_PGM, 0, 0);
	r = put_words(argv, &m.b.exec_pgm);
	if (r < 0)
		return r;
	m.b.exec_pgm.session = session;
	m.b.exec_pgm.flags = detached ? SM_EXEC_DETACHED : 0;
	r = client_ask(c, &m, PATIENCE);
	if (r < 0)
		return r;
	*ret_pid = m.b.exec_pgm.pid;
	return 0;
}

static int put_options(const struct sm_exec_options *o, struct sm_exec_pgm *to)
{
	static const uint32_t flags[] = {[SM_WITH_PIPES] = SM_EXEC_WAIT,
					 [SM_WITH_TERMINAL] = SM_EXEC_TERMINAL,
					 [SM_WITH_NOTHING] = SM_EXEC_DETACHED};

	if ((unsigned)o->with > SM_WITH_NOTHING)
		return -EINVAL;
	to->flags = flags[o->with] | (o->pidfd ? SM_EXEC_PIDFD : 0);
	if (o->with != SM_WITH_TERMINAL)
		return 0;
	to->rows = o->rows;
	to->columns = o->columns;
	return !o->term || str_copy(to->term, sizeof(to->term), o->term) ? 0 : -ENAMETOOLONG;
}

/* Whose refusal it was, and what it means; see above. */
static int refusal(int r, const struct sm_message *m)
{
	if (r == -ETIMEDOUT || r == -ENOTCONN || r == -EPROTO)
		return r; /* there is no answer in m */
	if (!m->b.exec_pgm.words_bytes)
		return r == -ENOENT ? -ESRCH : r;
	return r == -EACCES || r == -EINVAL ? -ENOEXEC : r;
}

static int take(struct sm_connection *c, struct sm_program *p, enum sm_exec_with with, bool pidfd)
{
	static const unsigned counts[] = {
		[SM_WITH_PIPES] = 4, [SM_WITH_TERMINAL] = 2, [SM_WITH_NOTHING] = 0};
	int fds[SYS_FDS_MAX], *at = fds;
	int r = client_take_fds(c, counts[with] + pidfd, fds);

	if (r < 0)
		return r;
	if (pidfd)
		p->pidfd = *at++;
	if (with == SM_WITH_NOTHING)
		return 0;
	p->control = *at++;
	if (with == SM_WITH_TERMINAL) {
		p->terminal = *at;
	} else {
		p->in = *at++;
		p->out = *at++;
		p->err = *at;
	}
	return sys_set_blocking(p->control, false);
}

/* The pid that a pidfd names, in our own numbers; 0 = it cannot be told. */
static uint32_t pid_of(int pidfd)
{
	char path[48], all[512];
	struct text t = TEXT_ON(path);
	ssize_t n;
	uint64_t pid;
	const char *at;

	text_u64(text_add(&t, "/proc/self/fdinfo/"), (uint64_t)pidfd);
	n = sys_read_file(AT_FDCWD, path, all, sizeof(all) - 1);
	if (n <= 0)
		return 0;
	all[n] = 0;
	at = strstr(all, "\nPid:\t");
	if (!at)
		return 0;
	at += 6;
	return str_u64(at, strcspn(at, "\n"), &pid) < 0 || pid > INT32_MAX ? 0 : (uint32_t)pid;
}

int sm_exec_start(struct sm_connection *c, uint32_t session, const char *const *argv,
		  const struct sm_exec_options *options, struct sm_program *ret)
{
	struct sm_program p = {.session = session,
			       .control = -1,
			       .terminal = -1,
			       .in = -1,
			       .out = -1,
			       .err = -1,
			       .pidfd = -1};
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_EXEC_PGM, 0, 0);
	r = put_words(argv, &m.b.exec_pgm);
	if (r == 0)
		r = put_options(options, &m.b.exec_pgm);
	if (r < 0)
		return r;
	m.b.exec_pgm.session = session;
	r = client_ask(c, &m, PATIENCE);
	if (r < 0)
		return refusal(r, &m);
	r = take(c, &p, options->with, options->pidfd);
	if (r < 0) {
		sm_program_close(&p);
		return r;
	}
	p.pid = m.b.exec_pgm.pid;
	if (!p.pid && p.pidfd >= 0 && c->same_pids)
		p.pid = pid_of(p.pidfd);
	*ret = p;
	return 0;
}

void sm_program_close(struct sm_program *p)
{
	int *const fds[] = {&p->control, &p->terminal, &p->in, &p->out, &p->err, &p->pidfd};

	for (unsigned i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			sys_close(*fds[i]);
		*fds[i] = -1;
	}
}

/* 1 = *ret is how it ended, 0 = nothing there, -ENOTCONN = nothing will come any more. */
static int read_end(int control, struct sm_program_end *ret)
{
	struct sm_control m;
	ssize_t n = sys_receive(control, &m, sizeof(m), NULL, NULL);

	if (n == -EAGAIN)
		return 0;
	if (n != sizeof(m) || (m.what != SM_CONTROL_EXITED && m.what != SM_CONTROL_KILLED))
		return -ENOTCONN;
	*ret = (struct sm_program_end){.signalled = m.what == SM_CONTROL_KILLED,
				       .status = (int)m.value};
	return 1;
}

int sm_program_wait(struct sm_program *p, int timeout_ms, struct sm_program_end *ret)
{
	int r;

	if (p->control < 0)
		return -EINVAL;
	if (!p->ended) {
		r = read_end(p->control, &p->end);
		if (r == 0 && timeout_ms != 0) {
			r = sys_wait_fd(p->control, SYS_READ, timeout_ms);
			r = r > 0 ? read_end(p->control, &p->end) : r;
		}
		if (r <= 0)
			return r;
		p->ended = true;
	}
	*ret = p->end;
	return 1;
}

static int send_control(const struct sm_program *p, uint32_t what, uint32_t value)
{
	const struct sm_control m = {.what = what, .value = value};
	ssize_t n;

	if (p->control < 0)
		return -EINVAL;
	if (p->ended)
		return -ESRCH;
	n = sys_send(p->control, &m, sizeof(m), NULL, 0);
	return n >= 0 ? 0 : n == -EPIPE || n == -ECONNRESET ? -ESRCH : (int)n;
}

int sm_program_signal(struct sm_program *p, int signal)
{
	return signal < 1 || signal > 64 ? -EINVAL
					 : send_control(p, SM_CONTROL_SIGNAL, (uint32_t)signal);
}

int sm_program_resize(struct sm_program *p, uint16_t rows, uint16_t columns)
{
	if (p->terminal < 0)
		return -EINVAL;
	return send_control(p, SM_CONTROL_SIZE, (uint32_t)rows << 16 | columns);
}

int sm_program_next(struct sm_connection *c, uint32_t session, uint32_t *cursor,
		    struct sm_program_info *ret)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_PROGRAM_ROW, 0, 0);
	m.b.program_row.cursor = *cursor;
	m.b.program_row.session = session;
	r = client_ask(c, &m, PATIENCE);
	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	*cursor = m.b.program_row.cursor > *cursor ? m.b.program_row.cursor : *cursor + 1;
	*ret = (struct sm_program_info){.session = m.b.program_row.session,
					.pid = m.b.program_row.pid,
					.uid = m.b.program_row.uid,
					.terminal = m.b.program_row.flags & SM_EXEC_TERMINAL,
					.pipes = m.b.program_row.flags & SM_EXEC_WAIT,
					.detached = m.b.program_row.flags & SM_EXEC_DETACHED,
					.started_ns = m.b.program_row.started_ns};
	str_copy(ret->command, sizeof(ret->command), m.b.program_row.command);
	return 1;
}
