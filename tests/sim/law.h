/* SPDX-License-Identifier: MIT */
/*
 * law.h - how the simulation's tests state a law: broken, it names the seed that shows it
 *
 * Each test program sets law_seed before a run. SIM_SEED and SIM_RUNS choose what is run.
 */
#pragma once

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel.h"

extern uint64_t law_seed;
extern uint64_t law_cut; /* 0 = none */
extern bool law_child;   /* in a child: its exit status is the verdict */

#define LAW(x)                                                                                     \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			print_error("seed=%" PRIu64 " cut=%" PRIu64                                \
				    ": again with SIM_SEED=%" PRIu64 " SIM_RUNS=1\n",              \
				    law_seed, law_cut, law_seed);                                  \
			if (law_child) {                                                           \
				print_error("%s:%d: broken: %s\n", __FILE__, __LINE__, #x);        \
				_exit(1);                                                          \
			}                                                                          \
			fail_msg("broken: %s", #x);                                                \
		}                                                                                  \
	} while (0)

/* law_runs - for every seed of this test: SIM_SEED on, SIM_RUNS of them. */
#define FOR_SEEDS(runs)                                                                            \
	for (uint64_t first_ = sim_seed(1), end_ = first_ + sim_runs(runs),                        \
		      seed = (law_seed = first_);                                                  \
	     seed < end_; law_seed = ++seed)

/* law_in_child - f in a process of its own: what cuts leave in its memory goes with it. */
static inline void law_in_child(void (*f)(uint64_t seed), uint64_t seed)
{
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(100);
		law_child = true;
		f(seed);
		sim_stop();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	LAW(status == 0);
}
