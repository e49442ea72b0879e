/* SPDX-License-Identifier: MIT */
/*
 * verbs.h - what smreg can be asked to do
 */
#pragma once

#include <stdbool.h>

/* EXIT_SHOW_USAGE: the arguments fit nothing; main prints the verb's usage and exits with 2 */
enum exit_code { EXIT_OK = 0, EXIT_FAILED_1 = 1, EXIT_USAGE_2 = 2, EXIT_SHOW_USAGE = 100 };

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

struct reg_buffer;

/*
 * add_data - --value, --type and --data as a line of .reg text
 * Returns 0; -EINVAL (said on standard error what does not fit), -ENOMEM.
 */
int add_data(const struct options *o, struct reg_buffer *b);

/* Each returns an exit code and says on standard error what went wrong. */
int verb_init(const struct options *o);
int verb_import(const struct options *o);
int verb_query(const struct options *o);
int verb_check(const struct options *o);
int verb_plan(const struct options *o);
int verb_export(const struct options *o);
int verb_add(const struct options *o);
int verb_delete(const struct options *o);
