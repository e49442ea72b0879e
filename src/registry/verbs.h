/* SPDX-License-Identifier: MIT */
/*
 * verbs.h - what smreg can be asked to do
 */
#pragma once

#include <stdbool.h>

/*
 * EXIT_SHOW_USAGE: the arguments fit nothing; main prints the verb's usage and exits with 2.
 * EXIT_DIFFERENT is diff's 1: there is a difference.
 */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED_1 = 1,
	EXIT_DIFFERENT = 1,
	EXIT_USAGE_2 = 2,
	EXIT_SHOW_USAGE = 100
};

#define DATA_MAX 4096u /* strings of a list; more do not fit a value */

struct options {
	const char *hive;
	const char *state;
	const char *value;  /* --value NAME; NULL all */
	const char *output; /* --output FILE */
	const char *type;   /* --type, add */
	const char *data;   /* --data, add; the last one */
	const char **datas; /* all of them */
	unsigned data_count;
	const char *with; /* --with FILE, diff */
	const char *sets; /* --sets A,B, diff */
	const char *from; /* --from FILE, copy */
	bool json, recursive, force, write, boot, all, salvage, no_logs, utf16, readable, whole,
		brief, times, previous, lkg;
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

/*
 * put_text - .reg text to --output (durably, by a temporary file and rename) or standard output
 * --utf16 is carried out here. Returns 0, or -errno, said on standard error.
 */
int put_text(const struct options *o, struct reg_buffer *b);

/* Each returns an exit code and says on standard error what went wrong. */
int verb_init(const struct options *o);
int verb_import(const struct options *o);
int verb_query(const struct options *o);
int verb_check(const struct options *o);
int verb_plan(const struct options *o);
int verb_export(const struct options *o);
int verb_add(const struct options *o);
int verb_delete(const struct options *o);
int verb_copy(const struct options *o);
int verb_edit(const struct options *o);
int verb_diff(const struct options *o);
int verb_restore(const struct options *o);
