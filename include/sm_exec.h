/* SPDX-License-Identifier: MIT */
/*
 * sm_exec.h - libsm: programs in sessions; a part of sm.h, which says what holds for all calls
 *
 * A session's csrss starts them, as the session's owner, in its namespaces and under its limits.
 * Either nothing more is to be heard of a program (sm_exec), or whoever started it stays connected:
 * passes its input and output on, sends it signals, is told exactly how it ended (sm_exec_start).
 */
#ifndef SM_EXEC_H
#define SM_EXEC_H

#include <sm.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * sm_exec - start a program in a session, by that session's csrss
 *   session   its number
 *   argv      the program and its words, NULL-terminated, at least one. Together, each with
 *             its NUL, they must fit 2,000 bytes.
 *   detached  true = null descriptors instead of the session's console
 *   ret_pid   of the program, as the session manager numbers processes; 0 = it cannot be told,
 *             because its session has process ids of its own
 * Does not wait for the program's end. Returns 0, -EINVAL (a word that cannot be sent), -E2BIG,
 * -ENOENT (no such session, or no such program), -ETIME, or a common error.
 */
int sm_exec(struct sm_connection *c, uint32_t session, const char *const *argv, bool detached,
	    uint32_t *ret_pid);

/* What a program's standard descriptors are. */
enum sm_exec_with {
	SM_WITH_PIPES = 0,    /* three pipes, whose other ends the caller gets */
	SM_WITH_TERMINAL = 1, /* a terminal of its own, its controlling one; the caller gets its
				 master side */
	SM_WITH_NOTHING = 2   /* null descriptors; nobody is told of its end */
};

struct sm_exec_options {
	enum sm_exec_with with;
	bool pidfd;             /* a pidfd of it too */
	uint16_t rows, columns; /* of the terminal; 0 = unknown */
	const char *term;       /* TERM, shorter than SM_NAME_BYTES; NULL = as its session has it */
};

/* How a program ended. */
struct sm_program_end {
	bool signalled;
	int status; /* exit status, or the signal it died of */
};

/* A program that was started. Descriptors are the caller's, close-on-exec, -1 = there is none. */
struct sm_program {
	uint32_t session;
	uint32_t pid; /* as the session manager numbers processes; 0 = it cannot be told: its
			 session has process ids of its own, and no pidfd was asked for */
	int control;  /* not to be read or written; readable means: sm_program_wait has an answer */
	int terminal; /* master side of its terminal; reading gives EIO when nobody has it open */
	int in;       /* to write what it reads */
	int out, err; /* to read what it writes */
	int pidfd;
	bool ended;
	struct sm_program_end end; /* when ended */
};

/*
 * sm_exec_start - start a program in a session and stay connected to it
 *   session  its number
 *   argv     as sm_exec's
 *   ret      to be given back by sm_program_close
 * The program runs as the session's owner, with the session's environment, in a session (setsid) of
 * its own, in the root directory. The connection c is not needed any more then. When ret->control
 * is closed before the program's end, a program with a terminal loses it when ret->terminal is
 * closed too (which hangs it up), and one with pipes is sent SIGHUP and SIGCONT.
 * Returns 0, -ESRCH (no such session, or it is not running), -ENOENT (no such program), -ENOEXEC
 * (it is there and cannot be started: not executable, open to others' writing, or a relative
 * path), -EINVAL, -E2BIG, -ENAMETOOLONG (term), -ENOSPC (the session has too many programs), -ETIME
 * (the session does not answer; is it frozen?), or a common error.
 */
int sm_exec_start(struct sm_connection *c, uint32_t session, const char *const *argv,
		  const struct sm_exec_options *options, struct sm_program *ret);

/*
 * sm_program_wait - wait until a program has ended
 *   timeout_ms  0 = only look, -1 = for ever
 * What the program wrote may still wait in its pipes or terminal. May be called again: the answer
 * stays. Returns 1 with *ret filled, 0 when the time is over, -ENOTCONN (its session's csrss is
 * gone: nobody can tell any more), -EINVAL (started with SM_WITH_NOTHING).
 */
int sm_program_wait(struct sm_program *p, int timeout_ms, struct sm_program_end *ret);

/*
 * sm_program_signal - a signal for a program
 * With a terminal its foreground process group gets it, else the program's own process group. Never
 * waits. Returns 0 when it is on its way, -ESRCH (the program has ended), -EAGAIN (too many are on
 * their way), -EINVAL.
 */
int sm_program_signal(struct sm_program *p, int signal);

/* sm_program_resize - a new size for its terminal; its foreground group gets SIGWINCH. As above. */
int sm_program_resize(struct sm_program *p, uint16_t rows, uint16_t columns);

/* sm_program_close - close all descriptors of p, each of which becomes -1. */
void sm_program_close(struct sm_program *p);

/* A program that a session's csrss was asked to start, and that has not ended. */
struct sm_program_info {
	uint32_t session;
	uint32_t pid; /* as its session numbers processes, where it has its own */
	uint32_t uid; /* it was started as */
	bool terminal, pipes, detached;
	uint64_t started_ns;
	char command[SM_TEXT_BYTES]; /* its words, blanks between them, cut */
};

/*
 * sm_program_next - one program of a session after another
 *   cursor  in and out: 0 for the first call, then as the last call left it
 * For root and the session's owner. Returns 1 with *ret filled, 0 past the last, -ESRCH (no such
 * session), -ETIME, or a common error. A view, not a snapshot.
 */
int sm_program_next(struct sm_connection *c, uint32_t session, uint32_t *cursor,
		    struct sm_program_info *ret);

#ifdef __cplusplus
}
#endif

#endif
