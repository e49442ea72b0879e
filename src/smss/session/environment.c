/* SPDX-License-Identifier: MIT */
/*
 * environment.c - what a session's processes get as environment, and lists of the plan about it
 *
 * The machine's environment, then the session's own variables, which stand for the machine's of the
 * same name, then its number. A list in Sessions\N stands for the whole list in Sessions\Default.
 */
#include <string.h>

#include "base/text.h"
#include "smss/session/session.h"

void setup_rows_of(const struct copy *c, const char *list, char *ret, size_t cap)
{
	struct text t = text_start(ret, cap);
	uint32_t row = 0;

	text_add(text_add(text_u64(&t, c->n), "\\"), list);
	if (setup_next_row(c, ret, &row) || !c->n)
		return; /* Default is not for session 0: plan_session_text */
	t = text_start(ret, cap);
	text_add(text_add(&t, "Default\\"), list);
}

const char *setup_next_row(const struct copy *c, const char *name, uint32_t *row)
{
	while (*row < plan_count(c->plan, PLAN_SESSIONS)) {
		const struct plan_row *at = plan_row_at(c->plan, PLAN_SESSIONS, (*row)++);

		if (str_same_fold(plan_string(c->plan, at->name), name))
			return plan_string(c->plan, at->text);
	}
	return NULL;
}

/* One of the same name gives way; when there is no room left the variable is not set, and said. */
static unsigned set(struct setup *s, unsigned n, const char *variable)
{
	const size_t length = strcspn(variable, "=") + 1;
	unsigned i = 0;

	while (i < n && strncmp(s->env[i], variable, length) != 0)
		i++;
	if (i == ENV_VARS_MAX) {
		copy_item(s->c, RESULT_DEGRADED, 0, 0, variable, "too many variables: not set");
		return n;
	}
	s->env[i] = (char *)(uintptr_t)variable;
	return i == n ? n + 1 : n;
}

void setup_environment(struct setup *s)
{
	struct text t = TEXT_ON(s->number);
	char own[40];
	unsigned n = 0;
	uint32_t row = 0;

	for (; s->c->env[n] && n < ENV_VARS_MAX; n++)
		s->env[n] = s->c->env[n];
	setup_rows_of(s->c, "Environment", own, sizeof(own));
	for (const char *variable; (variable = setup_next_row(s->c, own, &row));)
		n = set(s, n, variable);
	text_u64(text_add(&t, "SMSS_SESSION="), s->c->n);
	s->env[n++] = s->number;
	s->env[n] = NULL;
	setup_policy_word(s);
}
