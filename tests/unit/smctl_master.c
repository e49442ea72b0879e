/* SPDX-License-Identifier: MIT */
/*
 * smctl_master.c - a session manager that answers from tables, see smctl_master.h
 *
 * Only for tests. It ends with the test that started it, whatever becomes of that.
 */
#include "smctl_master.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "sys/sys.h"

#define CLIENTS 8
#define MS      1000000ull
#define US      1000ull

static void die(const char *what)
{
	perror(what);
	abort();
}

static void send_to(int fd, const struct sm_message *m)
{
	(void)!sys_send(fd, m, sm_message_bytes(m), NULL, 0);
}

/* A process of whom we have the pid is ourselves: its pidfds are of us. */
static int own_pidfd(void)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	if (fd < 0)
		die("pidfd_open");
	return fd;
}

/* A program that has said something and ended with 42 already: control, in, out, err. */
static unsigned ended_program(int fds[4])
{
	const struct sm_control ended = {.what = SM_CONTROL_EXITED, .value = 42};
	int control[2], in[2], out[2], err[2];

	if (sys_socketpair(control) < 0 || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
	    pipe2(err, O_CLOEXEC) < 0 || write(out[1], "said\n", 5) != 5)
		die("ended_program");
	(void)!sys_send(control[1], &ended, sizeof(ended), NULL, 0);
	(void)close(control[1]);
	(void)close(in[0]);
	(void)close(out[1]);
	(void)close(err[1]);
	fds[0] = control[0];
	fds[1] = in[1];
	fds[2] = out[0];
	fds[3] = err[0];
	return 4;
}

/* The descriptors that an answer brings. */
static unsigned fds_of(const struct fake *f, const struct sm_message *q, int *fds)
{
	unsigned n = 0;

	if (q->h.call == SM_START_CSR && q->b.start_csr.flags & SM_START_PIDFDS && !f->no_pidfds) {
		fds[n++] = own_pidfd();
		fds[n++] = own_pidfd();
	}
	if (q->h.call == SM_EXEC_PGM && q->b.exec_pgm.flags & SM_EXEC_PIDFD)
		fds[n++] = own_pidfd();
	if (q->h.call == SM_EXEC_PGM && q->b.exec_pgm.flags & SM_EXEC_WAIT)
		n += ended_program(fds + n);
	return n;
}

/* An answer, with what the request wants beside it. */
static void send_answer(const struct fake *f, int fd, const struct sm_message *q,
			const struct sm_message *m)
{
	int fds[SYS_FDS_MAX];
	unsigned n = m->h.status == SM_OK ? fds_of(f, q, fds) : 0;

	(void)!sys_send(fd, m, sm_message_bytes(m), fds, n);
	while (n)
		(void)close(fds[--n]);
}

static void note(struct fake *f, const struct sm_message *m)
{
	f->heard = *m;
	f->heard_count++;
}

/* 0 when row `cursor` of `count` exists; the answer's cursor is the next one. */
#define ROW(field, table, count)                                                                   \
	do {                                                                                       \
		uint32_t at = q->b.field.cursor;                                                   \
		if (at >= (count))                                                                 \
			return SM_NO_MORE;                                                         \
		a->b.field = (table)[at];                                                          \
		a->b.field.cursor = at + 1;                                                        \
	} while (0)

static uint32_t freeze(struct fake *f, const struct sm_session_freeze *q)
{
	if (q->session >= f->sessions)
		return SM_NAME_NOT_FOUND;
	f->session[q->session].flags = q->freeze ? SM_ROW_FROZEN : 0;
	return SM_OK;
}

static uint32_t answer(struct fake *f, const struct sm_message *q, struct sm_message *a)
{
	if (f->refuse[q->h.call]) {
		if (q->h.call == SM_STOP_CSR) {
			a->b.stop_csr.left = f->left;
			a->b.stop_csr.pid = f->held_pid;
			str_copy(a->b.stop_csr.name, sizeof(a->b.stop_csr.name), f->held_name);
		}
		if (q->h.call == SM_START_CSR) {
			note(f, q);
			str_copy(a->b.start_csr.text, sizeof(a->b.start_csr.text), f->why);
		}
		if (q->h.call == SM_BOOT_ACCEPT)
			a->b.boot_accept = f->standing;
		return f->refuse[q->h.call];
	}
	switch (q->h.call) {
	case SM_HELLO:
		a->b.hello.version = SM_VERSION;
		a->b.hello.pid = (uint32_t)getpid() + (f->manner == FAKE_OTHER_PID);
		return SM_OK;
	case SM_STATUS:
		a->b.status = f->status;
		return SM_OK;
	case SM_SESSION_ROW:
		ROW(session_row, f->session, f->sessions);
		return SM_OK;
	case SM_LEDGER_ROW:
		ROW(ledger_row, f->process, f->processes);
		return SM_OK;
	case SM_BOOT_ROW:
		ROW(boot_row, f->boot, f->boots);
		return SM_OK;
	case SM_STOP_TEXT:
		a->b.stop_text = f->stop;
		return f->stop.code ? SM_OK : SM_NAME_NOT_FOUND;
	case SM_BOOT_ACCEPT:
		if (q->b.boot_accept.verb)
			note(f, q);
		a->b.boot_accept = f->standing;
		return SM_OK;
	case SM_START_CSR:
		note(f, q);
		a->b.start_csr.session = 1;
		a->b.start_csr.csrss_pid = f->session[1].csrss_pid;
		a->b.start_csr.initial_pid = f->session[1].initial_pid;
		return SM_OK;
	case SM_EXEC_PGM:
		note(f, q);
		a->b.exec_pgm.pid = 4711;
		return SM_OK;
	case SM_PROGRAM_ROW:
		ROW(program_row, f->program, f->programs);
		return SM_OK;
	case SM_SESSION_FREEZE:
		note(f, q);
		return freeze(f, &q->b.session_freeze);
	case SM_STOP_CSR:
	case SM_SESSION_LIMITS:
	case SM_SHUTDOWN:
		note(f, q);
		return SM_OK;
	case SM_SUBSCRIBE:
		return SM_OK;
	default:
		return SM_NOT_IMPLEMENTED;
	}
}

/* What the events tell is then also what the tables say. */
static void send_events(struct fake *f, int fd)
{
	for (unsigned i = 0; i < f->events; i++) {
		const struct sm_message *m = &f->event[i];

		send_to(fd, m);
		if (m->h.call != SM_EVENT_BOOT_ROW)
			continue;
		f->boot[m->b.boot_row.cursor] = m->b.boot_row;
		if (f->boots <= m->b.boot_row.cursor)
			f->boots = m->b.boot_row.cursor + 1;
	}
	f->events = 0;
	if (f->ready_after_events)
		f->status.ready_ns = f->status.started_ns + 1234 * MS;
}

/* false = the connection is over. */
static bool serve(struct fake *f, int fd, bool *subscribed)
{
	struct sm_message q, a;
	ssize_t n = sys_receive(fd, &q, sizeof(q), NULL, NULL);

	if (n <= 0 || sm_message_check(&q, (size_t)n) < 0)
		return n == -EAGAIN;
	if (f->manner == FAKE_MUTE)
		return true;
	if (f->manner == FAKE_GARBAGE) {
		(void)!sys_send(fd, "garbage", 7, NULL, 0);
		return true;
	}
	sm_message_start(&a, q.h.call, 1, q.h.tag);
	a.h.status = answer(f, &q, &a);
	send_answer(f, fd, &q, &a);
	if (a.h.status != SM_OK)
		return true;
	if (q.h.call == SM_SUBSCRIBE)
		*subscribed = true;
	if (!*subscribed || q.h.call != (f->ready_after_events ? SM_STATUS : SM_SUBSCRIBE))
		return true;
	send_events(f, fd);
	return !f->close_after_events;
}

static void loop(struct fake *f, int listener)
{
	struct pollfd p[CLIENTS + 1] = {{.fd = listener, .events = POLLIN}};
	bool subscribed[CLIENTS + 1] = {false};
	unsigned n = 1;

	for (;;) {
		if (poll(p, n, -1) < 0)
			_exit(1);
		for (unsigned i = n; i-- > 1;)
			if (p[i].revents && !serve(f, p[i].fd, &subscribed[i])) {
				(void)close(p[i].fd);
				n--;
				p[i] = p[n];
				subscribed[i] = subscribed[n];
			}
		if (p[0].revents) {
			struct sys_peer peer;
			int fd = sys_accept(listener, &peer);

			if (fd >= 0 && (f->manner == FAKE_SHUT || n > CLIENTS)) {
				(void)close(fd);
			} else if (fd >= 0) {
				p[n] = (struct pollfd){.fd = fd, .events = POLLIN};
				subscribed[n++] = false;
			}
		}
	}
}

static void fill_session(struct fake *f, uint32_t n, uint32_t csrss, const char *initial)
{
	struct sm_session_row *s = &f->session[f->sessions++];

	*s = (struct sm_session_row){.session = n,
				     .state = SESSION_RUNNING,
				     .csrss_pid = csrss,
				     .initial_pid = csrss + 1,
				     .created_ns = 1100 * MS,
				     .owner = SM_NO_OWNER,
				     .ready_us = 420};
	str_copy(s->initial, sizeof(s->initial), initial);
	str_copy(s->console, sizeof(s->console), n ? "tty1" : "");
}

static void fill_boot(struct fake *f, enum phase phase, unsigned kind, enum result result,
		      const char *name)
{
	struct sm_boot_row *r = &f->boot[f->boots];

	*r = (struct sm_boot_row){.cursor = f->boots,
				  .phase = phase,
				  .kind = kind,
				  .result = result,
				  .start_ns = 1000 * MS + f->boots * 10 * MS,
				  .end_ns = 1000 * MS + f->boots * 10 * MS + 4200 * US};
	str_copy(r->name, sizeof(r->name), name);
	f->boots++;
}

static void fill_ledger(struct fake *f, uint32_t pid, enum role role, uint32_t session,
			const char *image)
{
	struct sm_ledger_row *r = &f->process[f->processes++];

	*r = (struct sm_ledger_row){
		.pid = pid, .role = role, .session = session, .started_ns = 1100 * MS};
	str_copy(r->image, sizeof(r->image), image);
}

struct fake *fake_new(void)
{
	struct fake *f =
		mmap(NULL, sizeof(*f), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (f == MAP_FAILED)
		die("mmap");
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/smctl-test-XXXXXX");
	if (!mkdtemp(f->directory))
		die("mkdtemp");
	(void)snprintf(f->path, sizeof(f->path), "%s/SmApiPort", f->directory);
	f->status = (struct sm_status){.phase = PHASE_READY,
				       .attempts = 1,
				       .sessions = 2,
				       .processes = 4,
				       .reaped = 21,
				       .orphans = 3,
				       .clients = 1,
				       .started_ns = 1000 * MS,
				       .ready_ns = 2234 * MS,
				       .now_ns = 3726000 * MS};
	str_copy(f->status.version, sizeof(f->status.version), "0.1.0");
	str_copy(f->status.build_id, sizeof(f->status.build_id), "abc123");
	str_copy(f->status.plan_hive, sizeof(f->status.plan_hive), "/etc/smss/SYSTEM");
	f->standing = (struct sm_boot_accept){
		.attempts = 1, .allowed = 3, .accept_in_ms = 11500, .lkg_wall_s = 1795361465};
	fill_session(f, 0, 100, "wininit");
	fill_session(f, 1, 200, "winlogon");
	fill_ledger(f, 100, ROLE_CSRSS, 0, "csrss");
	fill_ledger(f, 101, ROLE_INITIAL, 0, "wininit");
	fill_ledger(f, 200, ROLE_CSRSS, 1, "csrss");
	fill_ledger(f, 201, ROLE_INITIAL, 1, "winlogon");
	fill_boot(f, PHASE_START, SM_ROW_PHASE, RESULT_OK, "Start");
	fill_boot(f, PHASE_RENAMES, SM_ROW_PHASE, RESULT_FAILED, "ProcessFileRenames");
	fill_boot(f, PHASE_RENAMES, SM_ROW_ENTRY, RESULT_FAILED, "renames");
	fill_boot(f, PHASE_RENAMES, SM_ROW_ITEM, RESULT_FAILED, "/srv/old");
	f->boot[3].detail = 2;
	str_copy(f->boot[3].text, sizeof(f->boot[3].text), "no such file");
	fill_boot(f, PHASE_READY, SM_ROW_PHASE, RESULT_OK, "Ready");
	return f;
}

void fake_start(struct fake *f)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		int listener;

		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The kernel tells clients who called listen(), so it must be this process. */
		listener = sys_listen(f->path, 0600);
		if (listener < 0)
			die("listen");
		loop(f, listener);
	}
	f->pid = pid;
	for (int i = 0; i < 200; i++) {
		int fd = sys_connect(f->path);

		if (fd >= 0) {
			sys_close(fd);
			return;
		}
		sys_sleep_ms(10);
	}
	die("fake_start");
}

void fake_stop(struct fake *f)
{
	if (f->pid > 0) {
		(void)kill(f->pid, SIGKILL);
		(void)waitpid(f->pid, NULL, 0);
	}
	(void)unlink(f->path);
	(void)rmdir(f->directory);
	(void)munmap(f, sizeof(*f));
}

union sm_body *fake_event(struct fake *f, unsigned call)
{
	struct sm_message *m = &f->event[f->events++];

	sm_message_start(m, call, 0, 0);
	return &m->b;
}

static void read_back(int fd, char *to, size_t cap)
{
	ssize_t n = pread(fd, to, cap - 1, 0);

	to[n < 0 ? 0 : n] = 0;
	(void)close(fd);
}

/* The child of run: standard output and error are these. */
static void become(const char *image, const char *const *words, int out, int err)
{
	(void)alarm(20);
	if (dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	(void)execv(image, (char *const *)(uintptr_t)words);
	_exit(127);
}

static int exit_of(pid_t pid)
{
	int status = 0;

	(void)waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void run(const char *image, const char *const *words, struct ran *ret)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
	pid_t pid = fork();

	if (out < 0 || err < 0 || pid < 0)
		die("run");
	if (pid == 0)
		become(image, words, out, err);
	ret->status = exit_of(pid);
	read_back(out, ret->out, sizeof(ret->out));
	read_back(err, ret->err, sizeof(ret->err));
}

/* All that comes out of a terminal, without its carriage returns, until nobody has it open. */
static void read_terminal(int terminal, char *to, size_t cap)
{
	size_t used = 0, kept = 0;
	ssize_t n;

	while (used + 1 < cap && (n = read(terminal, to + used, cap - used - 1)) > 0)
		used += (size_t)n;
	for (size_t i = 0; i < used; i++)
		if (to[i] != '\r')
			to[kept++] = to[i];
	to[kept] = 0;
}

void run_on_terminal(const char *image, const char *const *words, unsigned columns, struct ran *ret)
{
	int err = memfd_create("err", MFD_CLOEXEC), terminal = -1, slave = -1;
	pid_t pid;

	if (err < 0 || sys_pty_open(24, (uint16_t)columns, &terminal, &slave) < 0)
		die("run_on_terminal");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		become(image, words, slave, err);
	(void)close(slave);
	read_terminal(terminal, ret->out, sizeof(ret->out));
	(void)close(terminal);
	ret->status = exit_of(pid);
	read_back(err, ret->err, sizeof(ret->err));
}
