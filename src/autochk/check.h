/* SPDX-License-Identifier: MIT */
/*
 * check.h - run fsck.TYPE on one volume and make sense of its end
 *
 * fsck's exit status is a set of bits, not a number (fsck(8)): each bit that is
 * set is told in words. Preen first; when that leaves errors, once more with "yes" to everything,
 * for nobody is there to be asked.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "autochk/settings.h"
#include "base/text.h"

#define FSCK_FIXED       1
#define FSCK_REBOOT      2
#define FSCK_ERRORS_LEFT 4
#define FSCK_OPERATIONAL 8
#define FSCK_USAGE       16
#define FSCK_CANCELLED   32
#define FSCK_LIBRARY     128

struct check {
	const char *name, *device, *type;
	const char *why; /* "errors recorded", "asked for", ... */
	bool forced;     /* check although it looks clean */
	bool surface;    /* read every block too */
	enum fsck_repair repair;
	uint64_t end_ns; /* deadline, 0 = none */
};

enum check_answer {
	CHECK_WELL,    /* clean, or fixed */
	CHECK_REBOOT,  /* fixed, and what the kernel has read before is stale */
	CHECK_LEFT,    /* errors are left, or it is not known that none are */
	CHECK_MISSING, /* there is no fsck for this type */
	CHECK_CANCELLED,
};

/* check_run - run it and report one item. */
enum check_answer check_run(const struct check *c);

/* check_words - the bits of an exit status in words: "errors fixed, reboot needed (3)". */
void check_words(int bits, struct text *t);

/*
 * check_bits - fsck(8)'s bits for a program's exit status
 * The same number for all types but FAT, whose fsck has a code of its own.
 */
int check_bits(const char *type, int status);
