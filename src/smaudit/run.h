/* SPDX-License-Identifier: MIT */
/*
 * run.h - one run: inputs through their readers to the rules, and what it comes to
 */
#pragma once

#include <stdio.h>

#include "smaudit/options.h"

/* audit_run - carry out what was asked for. Returns the exit status. */
int audit_run(const struct options *o, FILE *to);
/* rules_print - the table of indicators; names: only these, count 0 = all. Returns 0 or 2. */
int rules_print(FILE *to, bool json, const char *const *names, unsigned count);
