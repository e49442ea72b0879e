/* SPDX-License-Identifier: MIT */
/*
 * utf.h - the two encodings of the registry: UTF-16LE on disk, UTF-8 for us
 *
 * No locale, no iconv: what a hive holds must read the same in an image without gconv modules.
 * Unpaired surrogates, which Windows allows, become U+FFFD and are reported, never dropped. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * utf8_next - the code point at s
 *   n  bytes left, > 0
 * Returns the bytes it takes (>= 1). Bytes that are no UTF-8 give 0xFFFFFFFF and one byte.
 */
unsigned utf8_next(const char *s, size_t n, uint32_t *ret);
#define UTF_BAD 0xFFFFFFFFu

/* utf8_put - write a code point; returns the bytes written, 1 to 4. */
unsigned utf8_put(uint32_t c, char ret[4]);

/* utf8_valid - all n bytes are well-formed UTF-8. */
bool utf8_valid(const char *s, size_t n);

/*
 * utf16_to_utf8 - units code units of UTF-16LE into UTF-8
 *   to   room for 3 bytes a unit and a NUL, which is added
 *   ret_bad  set to true when an unpaired surrogate became U+FFFD; may be NULL
 * Returns the bytes written, NUL not counted. NULs inside are copied.
 */
size_t utf16_to_utf8(const uint8_t *from, size_t units, char *to, bool *ret_bad);

/* utf16_bad_unit - the index of the first unpaired surrogate; units when there is none. */
size_t utf16_bad_unit(const uint8_t *from, size_t units);

/*
 * utf8_to_utf16 - n bytes of valid UTF-8 into UTF-16LE, no NUL added
 *   to   room for 2 bytes a byte of input
 * Returns the bytes written.
 */
size_t utf8_to_utf16(const char *from, size_t n, uint8_t *to);

/* utf_fold - upper case as NT compares names: Latin, Greek and Cyrillic; others stay. */
uint32_t utf_fold(uint32_t c);

/* utf8_same_fold - two names are the same to NT. */
bool utf8_same_fold(const char *a, size_t an, const char *b, size_t bn);

/*
 * utf8_hash_fold - equal for names that are the same to NT
 *   seed  of one table; random, where names come from outside
 */
uint32_t utf8_hash_fold(const char *s, size_t n, uint64_t seed);

/* utf8_printable - a code point that may reach a console: no controls, no direction marks. */
bool utf8_printable(uint32_t c);
