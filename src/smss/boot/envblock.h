/* SPDX-License-Identifier: MIT */
/*
 * envblock.h - the system environment under construction
 *
 * NT's rules (nt-reference §11): values are set in stored order, EXPAND_SZ is expanded against the
 * block as it is at that moment, the whole key is gone through twice so that later definitions
 * resolve, names are compared without case and a later value wins. Pure: no system call, all room
 * is the caller's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/plan.h"

struct envblock {
	char *bytes;    /* caller's: "NAME=value\0...", always whole strings */
	size_t cap;     /* of bytes */
	size_t used;    /* NULs included */
	unsigned count; /* variables, at most ENV_VARS_MAX */
};

/*
 * envblock_set - give a variable a value; a variable of that name, whatever its case, is replaced
 *   name   "Path" in any case is exported as PATH; else the name is kept as written first
 *   value  n bytes without NUL, already expanded
 * Returns 0; -EINVAL (name empty or with "="), -ENOSPC (block or variable count full; the block is
 * as before).
 */
int envblock_set(struct envblock *b, const char *name, const char *value, size_t n);

/* envblock_get - the value of the variable whose name is these n bytes; NULL when there is none. */
const char *envblock_get(const struct envblock *b, const char *name, size_t n);

/*
 * envblock_expand - replace every %NAME% by its value
 *   b       where names are looked up;  before  where the variable's own name is (see self)
 *   self    the variable being set: its own name means the value it had before the hive spoke, so
 *           that the second pass does not expand it a second time
 *   ret     cap bytes; not NUL-terminated
 * A name that is not there stays as it is written, with its percent signs; so does "%%".
 * Returns the length, or -ENOSPC.
 */
struct envblock_scope {
	const struct envblock *b, *before;
	const char *self;
};
int envblock_expand(const struct envblock_scope *s, const char *value, char *ret, size_t cap);

/*
 * envblock_apply - both passes of the plan's Environment table
 *   b        holds the dynamic values and the first PATH already; those names the hive cannot set
 *   scratch  ENV_BYTES bytes for one expansion;  before  room of the same size for a copy of b
 *   failed   called once for each variable that could not be set (err positive); may be NULL
 */
struct envblock_work {
	char *scratch, *before; /* ENV_BYTES each */
	void (*failed)(void *with, const char *name, int err);
	void *with;
	bool safe; /* what envblock_steers is left out: it fails with EPERM */
};
void envblock_apply(struct envblock *b, const struct plan_header *p, const struct envblock_work *w);

/*
 * envblock_steers - a variable that makes another program of one that is given it: of the loader,
 * of the C library, of a shell. In a safe boot none reaches the login that repairs the machine.
 */
bool envblock_steers(const char *name);

/* envblock_dynamic - a variable whose value the machine says, not the hive (OS, PROCESSOR_...). */
bool envblock_dynamic(const char *name);
