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
