/* SPDX-License-Identifier: MIT */
/*
 * registry_program.h - smreg as people run it: a hive in a directory of its own, a line, what it
 * said
 */
#pragma once

#include "registry_case.h"

#include <sys/wait.h>
#include <unistd.h>

static char directory[64], hive[128], out[128 << 10];

static inline int start(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test-smreg-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(hive, sizeof(hive), "%s/SYSTEM", directory);
	return 0;
}

static inline int end(void **state)
{
	char command[160];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	return system(command);
}

/* Runs `smreg LINE --hive HIVE --state DIRECTORY` by a shell; its output comes to `out`. */
__attribute__((format(printf, 1, 2))) static inline int smreg(const char *form, ...)
{
	char line[1024], command[2048];
	va_list list;
	FILE *f;
	size_t n;
	int status;

	va_start(list, form);
	vsnprintf(line, sizeof(line), form, list);
	va_end(list);
	snprintf(command, sizeof(command), "'%s' %s --hive '%s' --state '%s' 2>&1", getenv("SMREG"),
		 line, hive, directory);
	f = popen(command, "re");
	assert_non_null(f);
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	status = pclose(f);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static inline bool said(const char *text)
{
	return strstr(out, text) != NULL;
}

/* A file of that name lies in the directory of the hive. */
static inline bool beside(const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return access(path, F_OK) == 0;
}
