/* SPDX-License-Identifier: MIT */
/*
 * marvin.h - Marvin32, the hash over the entries of new transaction logs
 *
 * Keyed, but its key is known: it tells a half-written entry from a whole one, and proves nothing
 * against an enemy. Pure. Source: regf.md §5, with its vectors in tests/unit.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The seed of the registry's logs. */
#define MARVIN_REGISTRY 0x82EF4D887A4E55C5ull

/* marvin32 - the hash of n bytes as a number (high half first in print, little-endian on disk) */
uint64_t marvin32(uint64_t seed, const void *bytes, size_t n);
