/* SPDX-License-Identifier: MIT */
/*
 * run.h - children of autochk, each with a deadline
 *
 * A disk can hang whoever touches it. So fsck runs as a program, and every look at a volume and
 * every mount in a forked half of autochk: when its deadline passes it is killed, and if even that
 * does not end it (the kernel holds it), it is left behind.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run_program {
	const char *path;  /* of the image */
	char *const *argv; /* NULL-terminated; the program's fd 3 is the progress pipe */
	uint64_t end_ns;   /* sys_now_ns() of its deadline, 0 = none */
	/* a line of its standard output or error, and of its progress pipe; no newline */
	void (*line)(void *who, const char *line);
	void (*progress)(void *who, const char *line);
	void *who;
};

struct run_end {
	bool timed_out, signalled;
	int status; /* exit status, or the signal */
};

/*
 * run_program - start it and wait for its end
 * It gets fd 0 null, 1-2 and 3 pipes of ours, a plain environment, and dies with us: a check must
 * not go on when nobody knows of it. At the deadline: TERM, five seconds, KILL.
 * Returns 0 with *ret filled, or -errno when it could not be started.
 */
int run_program(const struct run_program *p, struct run_end *ret);

/*
 * run_forked - do work in a child and take its answer back
 *   work      runs in the child; fills answer_bytes bytes at answer
 *   answer    at most 4096 bytes; untouched on failure. Pointers to constants in it stay good.
 * Returns 0, -ETIMEDOUT, -EIO (it died), other -errno.
 */
int run_forked(void (*work)(const void *question, void *answer), const void *question, void *answer,
	       size_t answer_bytes, unsigned deadline_ms);
