/* SPDX-License-Identifier: MIT */
/*
 * initial.c - which program a session begins with
 *
 * The hive decides, unless somebody who made the session by hand asked for another. In a safe boot
 * session 0 has wininit, which holds services back, and session 1 the rescue login: whatever logs
 * on by itself, or shows one program only, is left out, and said.
 */
#include "base/text.h"
#include "smss/session/session.h"

static const char *planned(const struct copy *c)
{
	if (c->n == 0)
		return plan_string(c->plan, c->plan->settings.s0_initial);
	return plan_session_text(c->plan, c->n, "InitialCommand",
				 plan_string(c->plan, c->plan->settings.initial));
}

const char *setup_initial_command(const struct setup *s)
{
	static const char *const safe[] = {"wininit", "rescue"};
	const char *asked = s->ask.initial_command, *line = planned(s->c);
	const char *instead = s->c->n < 2 ? safe[s->c->n] : "winlogon";

	if (asked[0])
		return asked;
	if (!s->safe || s->c->plan->settings.builtin || str_same(line, instead))
		return line;
	copy_item(s->c, RESULT_SKIPPED, 0, 0, line,
		  s->c->n == 0   ? "safe boot: wininit instead"
		  : s->c->n == 1 ? "safe boot: the rescue login instead"
				 : "safe boot: winlogon instead");
	return instead;
}
