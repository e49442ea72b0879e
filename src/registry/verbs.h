/* SPDX-License-Identifier: MIT */
/*
 * verbs.h - what smreg can be asked to do
 */
#pragma once

#include <stdbool.h>

enum exit_code { EXIT_OK = 0, EXIT_FAILED_1 = 1, EXIT_USAGE_2 = 2 };

struct options {
	const char *hive;
	const char *state;
	const char *value;  /* --value NAME; NULL all */
	const char *output; /* --output FILE */
	const char *type;   /* --type, add */
	const char *data;   /* --data, add */
	bool json, recursive, force, write, boot, all;
	unsigned level;
	char **args; /* behind the verb */
	int count;
};

/* Each returns an exit code and says on standard error what went wrong. */
int verb_init(const struct options *o);
int verb_import(const struct options *o);
int verb_query(const struct options *o);
int verb_check(const struct options *o);
int verb_plan(const struct options *o);
int verb_export(const struct options *o);
int verb_add(const struct options *o);
int verb_delete(const struct options *o);
