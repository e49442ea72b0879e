/* SPDX-License-Identifier: MIT */
/*
 * make_plan.c - a boot plan for tests, written to standard output
 *
 * Words: NAME=TEXT a text (PLAN_TEXTS), session:NAME=TEXT and session#NAME=NUMBER a session's
 * setting, pnp_deadline_s=N a setting. Made by the plan room's own builder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "plan/plan.h"

static char *split(char *word)
{
	char *equals = strchr(word, '=');

	if (!equals) {
		fprintf(stderr, "make_plan: no '=' in %s\n", word);
		exit(2);
	}
	*equals = 0;
	return equals + 1;
}

static void add_sessions(struct plan_builder *b, int argc, char **argv)
{
	plan_table_begin(b, PLAN_SESSIONS);
	for (int i = 1; i < argc; i++) {
		char *text;

		if (!str_starts(argv[i], "session:") && !str_starts(argv[i], "session#"))
			continue;
		text = split(argv[i]);
		if (argv[i][7] == ':')
			plan_add(b, argv[i] + 8, text, 0, 0, 0);
		else
			plan_add(b, argv[i] + 8, "", 0, (uint32_t)atoi(text), 0);
	}
}

static void add_texts(struct plan_builder *b, int argc, char **argv)
{
	plan_table_begin(b, PLAN_TEXTS);
	for (int i = 1; i < argc; i++) {
		char *text;

		if (str_starts(argv[i], "session:") || str_starts(argv[i], "session#"))
			continue;
		text = split(argv[i]);
		if (str_same(argv[i], "pnp_deadline_s"))
			plan_settings_of(b)->pnp_deadline_s = (uint32_t)atoi(text);
		else
			plan_add(b, argv[i], text, 0, 0, 0);
	}
}

int main(int argc, char **argv)
{
	static uint64_t storage[8192];
	static char pool[32768];
	struct plan_builder b;
	int n;

	plan_begin(&b, PLAN_MAGIC, storage, sizeof(storage), pool, sizeof(pool));
	add_sessions(&b, argc, argv);
	add_texts(&b, argc, argv);
	n = plan_end(&b);
	if (n < 0) {
		fprintf(stderr, "make_plan: %s\n", err_text(-n));
		return 1;
	}
	return fwrite(storage, 1, (size_t)n, stdout) == (size_t)n ? 0 : 1;
}
