/* SPDX-License-Identifier: MIT */
/*
 * fuzz.h - what the fuzz targets share
 *
 * A target is LLVMFuzzerTestOneInput over the product's own code: it takes any bytes, and aborts
 * when a promise of the code under it is broken. With clang it is linked with libFuzzer; with any
 * other compiler replay.c runs it over the files of the corpus, once each. Inputs begin with a few
 * bytes that choose what is tried, so that one file is one case, with both.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* LLVMFuzzerTestOneInput - one case; 0, or it does not come back. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
/* LLVMFuzzerCustomMutator - libFuzzer's hook: change data in place, at most max bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t n, size_t max, unsigned seed);
/* LLVMFuzzerMutate - libFuzzer's own mutations. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t n, size_t max);

/* HOLDS - a promise; broken, the case is a finding. */
#define HOLDS(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #x);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A read through it that no compiler leaves out, so that the sanitizers see it. */
static inline void touch(const void *p, size_t n)
{
	static volatile uint8_t sink __attribute__((unused));
	const uint8_t *bytes = p;

	for (size_t i = 0; i < n; i++)
		sink ^= bytes[i];
}
