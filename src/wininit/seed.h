/* SPDX-License-Identifier: MIT */
/*
 * seed.h - randomness carried over a reboot: /var/lib/smss/random-seed
 *
 * The random pool has no namespace: only the machine itself does this. A seed is credited once: it
 * is replaced on disk, durably, before the kernel is told to count it. A file that is not root's
 * alone is mixed in and not counted.
 */
#pragma once

#include "companion/companion.h"

#define SEED_FILE  "random-seed"
#define SEED_BYTES 64u

/* seed_load - at the start; one timeline row. */
void seed_load(const struct companion *c);

/* seed_save - at the end; says only what failed. */
void seed_save(const struct companion *c);
