/* SPDX-License-Identifier: MIT */
/*
 * relay.c - smctl exec while its program runs: three streams, signals, the terminal's size
 *
 * One poll loop; nothing in it waits for one side while another could go on. What the program wrote
 * before it ended is passed on whole; what processes it left behind write later is not waited for.
 * The terminal is given back as it was on every way out that a process has a say in.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "smctl/exec.h"
#include "sys/sys.h"

#define ROOM_BYTES  65536u
#define WRITE_BYTES 4096u /* a pipe that poll(2) calls writable takes as many without waiting */
#define REST_BYTES                                                                                 \
	(1u << 20)  /* of a pipe whose size cannot be told: the most a user's can hold             \
		     */
#define QUIET_MS 50 /* a terminal's last bytes pass through a queue of the kernel */

struct stream {
	int from, to; /* -1: that side is over */
	size_t at, have;
	size_t rest;   /* bytes still taken after the program's end */
	bool terminal; /* from is one */
	char room[ROOM_BYTES];
};

struct relay {
	struct smctl *s;
	struct sm_program *p;
	int signals;
	bool terminal, ended, lost;
	int code;        /* when ended */
	int write_error; /* of our standard output or error */
	struct stream in, out, err;
};

/* ---- our terminal ---- */

static struct sys_tty cooked; /* as it was; also for the handler of faults */
static volatile sig_atomic_t is_raw;

static void give_back(void)
{
	if (is_raw)
		(void)!sys_tty_restore(0, &cooked);
	is_raw = 0;
}

/* A fault of our own: its disposition is the default again by then. */
static void on_fault(int sig)
{
	give_back();
	(void)raise(sig);
}

static int make_raw(void)
{
	int r = sys_tty_raw(0);

	if (r >= 0)
		is_raw = 1;
	return r;
}

static void pass_size(struct relay *r)
{
	uint16_t rows, columns;

	if (r->terminal && sys_tty_size(0, &rows, &columns) == 0)
		(void)!sm_program_resize(r->p, rows, columns);
}

static int take_terminal(struct relay *r)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP};
	struct sigaction act = {.sa_handler = on_fault, .sa_flags = SA_RESETHAND | SA_NODEFER};
	int error = sys_tty_save(0, &cooked);

	if (error < 0)
		return error;
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		(void)sigaction(faults[i], &act, NULL);
	error = make_raw(); /* stops us here while we are in the background, as it should */
	act = (struct sigaction){.sa_handler = SIG_IGN};
	(void)sigaction(SIGTTOU, &act, NULL); /* not when it is given back, though */
	pass_size(r);
	return error;
}

/* ---- signals ---- */

/* All that can come but faults, children and what the kernel stops a background job with. */
static int signals_open(void)
{
	static const int not_these[] = {SIGSEGV, SIGBUS,  SIGILL,  SIGFPE,  SIGABRT, SIGSYS,
					SIGTRAP, SIGCHLD, SIGTTIN, SIGTTOU, SIGURG};
	sigset_t set;
	int fd;

	(void)sigfillset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(not_these); i++)
		(void)sigdelset(&set, not_these[i]);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

/* As a job that was stopped by hand: we stop, the program with us, and both go on together. */
static void stop_here(struct relay *r)
{
	sigset_t set;

	if (r->terminal)
		give_back();
	else
		(void)!sm_program_signal(r->p, SIGSTOP); /* TSTP would not stop a group like its */
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTSTP);
	(void)raise(SIGTSTP);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL); /* stopped here, until CONT */
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (r->terminal)
		(void)make_raw();
	else
		(void)!sm_program_signal(r->p, SIGCONT);
	pass_size(r);
}

static void one_signal(struct relay *r, int sig)
{
	switch (sig) {
	case SIGPIPE:
		break;
	case SIGWINCH:
		if (r->terminal)
			pass_size(r);
		else
			(void)!sm_program_signal(r->p, sig);
		break;
	case SIGTSTP:
		stop_here(r);
		break;
	case SIGCONT: /* after a stop that nobody could catch */
		if (r->terminal)
			(void)make_raw();
		else
			(void)!sm_program_signal(r->p, sig);
		pass_size(r);
		break;
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
	case SIGUSR1:
	case SIGUSR2:
		if (r->ended) { /* only its last output is still on its way: not that long */
			r->out.from = r->err.from = -1;
			r->out.have = r->err.have = 0;
		} else {
			(void)!sm_program_signal(r->p, sig);
		}
		break;
	default: /* what else would have ended us does, and the program loses us */
		r->ended = true;
		r->code = EXEC_SIGNAL + sig;
		r->out = r->err = (struct stream){.from = -1, .to = -1};
		break;
	}
}

static void take_signals(struct relay *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info))
		one_signal(r, (int)info.ssi_signo);
}

/* ---- streams ---- */

static void stream_start(struct stream *s, int from, int to, bool terminal)
{
	s->from = from;
	s->to = to;
	s->at = s->have = 0;
	s->terminal = terminal;
}

static void fill(struct stream *s)
{
	size_t most = s->rest < ROOM_BYTES ? s->rest : ROOM_BYTES;
	ssize_t n = most ? read(s->from, s->room, most) : 0;

	if (n > 0) {
		s->at = 0;
		s->have = (size_t)n;
		if (s->rest != SIZE_MAX)
			s->rest -= (size_t)n;
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		s->from = -1; /* its end; a terminal says EIO */
	}
}

/* Returns 0, or -errno when the other side takes no more, which ends the stream. */
static int drain(struct stream *s)
{
	ssize_t n = write(s->to, s->room + s->at, s->have < WRITE_BYTES ? s->have : WRITE_BYTES);

	if (n >= 0) {
		s->at += (size_t)n;
		s->have -= (size_t)n;
		return 0;
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	s->from = s->to = -1;
	s->have = 0;
	return -errno;
}

/* The end of our input is the program's; with a terminal there is none but a hang-up. */
static void step_in(struct relay *r)
{
	struct stream *s = &r->in;

	if (s->have)
		(void)drain(s);
	else
		fill(s);
	if (s->from >= 0 || s->have || s->to < 0)
		return;
	s->to = -1;
	if (!r->terminal) {
		(void)close(r->p->in);
		r->p->in = -1;
		return;
	}
	r->ended = true;
	r->code = EXEC_SIGNAL + SIGHUP;
	r->out.from = -1;
}

/* When ours is over, the program's must be too: it is told as by any pipe. */
static void step_out(struct relay *r, struct stream *s, int *theirs)
{
	int error = 0;

	if (s->have)
		error = drain(s);
	else
		fill(s);
	if (error < 0 && error != -EPIPE && !r->write_error)
		r->write_error = error;
	if (s->from >= 0 || s->have)
		return;
	if (error < 0 && s->terminal) { /* nobody sees it any more: it is hung up */
		r->ended = true;
		r->code = EXEC_SIGNAL + SIGHUP;
	}
	if (*theirs >= 0 && theirs != &r->p->terminal) {
		(void)close(*theirs);
		*theirs = -1;
		if (s->to == 1 && !r->ended) { /* whoever reads ours sees the end as well */
			int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

			if (null >= 0)
				(void)dup2(null, 1);
			if (null > 2)
				(void)close(null);
		}
	}
	s->to = -1;
}

static bool busy(const struct stream *s)
{
	return s->from >= 0 || s->have;
}

static void no_more(struct stream *s)
{
	int size = s->from >= 0 && !s->terminal ? fcntl(s->from, F_GETPIPE_SZ) : -1;

	s->rest = size > 0 ? (size_t)size : REST_BYTES;
}

static void take_end(struct relay *r)
{
	struct sm_program_end end;
	int got = sm_program_wait(r->p, 0, &end);

	if (got == 0)
		return;
	r->ended = true;
	r->lost = got < 0;
	r->code = got < 0 ? EXEC_FAILED : end.signalled ? EXEC_SIGNAL + end.status : end.status;
	r->in.from = r->in.to = -1;
	r->in.have = 0;
	no_more(&r->out);
	no_more(&r->err);
}

/* ---- the loop ---- */

static struct pollfd watch(const struct stream *s)
{
	return s->have ? (struct pollfd){.fd = s->to, .events = POLLOUT}
		       : (struct pollfd){.fd = s->from, .events = POLLIN};
}

/* After the end, a stream with nothing to read now has nothing to read any more. */
static void settle(struct stream *s, const struct pollfd *seen)
{
	if (!s->have && !seen->revents)
		s->from = -1;
}

static int turn(struct relay *r)
{
	struct pollfd p[5] = {watch(&r->in),
			      watch(&r->out),
			      watch(&r->err),
			      {.fd = r->signals, .events = POLLIN},
			      {.fd = r->ended ? -1 : r->p->control, .events = POLLIN}};
	bool reading = (busy(&r->out) && !r->out.have) || (busy(&r->err) && !r->err.have);
	int wait = !r->ended || !reading ? -1 : r->terminal ? QUIET_MS : 0;

	if (poll(p, ARRAY_SIZE(p), wait) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[3].revents)
		take_signals(r);
	if (p[0].revents && busy(&r->in))
		step_in(r);
	if (p[1].revents && busy(&r->out))
		step_out(r, &r->out, r->terminal ? &r->p->terminal : &r->p->out);
	if (p[2].revents && busy(&r->err))
		step_out(r, &r->err, &r->p->err);
	if (r->ended) {
		settle(&r->out, &p[1]);
		settle(&r->err, &p[2]);
	} else if (p[4].revents) {
		take_end(r);
	}
	return 0;
}

static int streams_open(struct relay *r)
{
	struct sm_program *p = r->p;
	int error = 0;

	r->in.rest = r->out.rest = r->err.rest = SIZE_MAX;
	stream_start(&r->in, 0, r->terminal ? p->terminal : p->in, r->terminal);
	stream_start(&r->out, r->terminal ? p->terminal : p->out, 1, r->terminal);
	stream_start(&r->err, r->terminal ? -1 : p->err, 2, false);
	error = sys_set_blocking(r->out.from, false);
	if (error >= 0 && !r->terminal)
		error = sys_set_blocking(p->err, false);
	if (error >= 0 && !r->terminal)
		error = sys_set_blocking(p->in, false);
	if (error >= 0 && r->terminal)
		error = take_terminal(r);
	return error;
}

int relay_run(struct smctl *s, struct sm_program *p, bool terminal)
{
	static struct relay r; /* three rooms: too large for a stack */
	int error;

	r = (struct relay){.s = s, .p = p, .terminal = terminal};
	error = r.signals = signals_open();
	if (error >= 0)
		error = streams_open(&r);
	while (error >= 0 && (!r.ended || busy(&r.out) || busy(&r.err)))
		error = turn(&r);
	give_back();
	sm_program_close(p);
	if (error < 0)
		r.code = smctl_error(s, "cannot pass on what the program does: %s",
				     sm_error_text(error)) +
			 EXEC_FAILED - SMCTL_FAILED;
	else if (r.lost)
		(void)smctl_error(s,
				  "the session's csrss is gone: how the program ended is unknown");
	if (r.write_error) {
		r.code = r.code ? r.code : EXEC_FAILED;
		(void)smctl_error(s, "cannot write: %s", sm_error_text(r.write_error));
	}
	return r.code;
}
