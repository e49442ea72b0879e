/* SPDX-License-Identifier: MIT */
/*
 * throttle.c - what the end of a login means, see throttle.h
 */
#include "winlogon/throttle.h"

unsigned throttle_delay_s(unsigned failures)
{
	if (!failures)
		return 0;
	return failures < 6 ? 1u << (failures - 1) : THROTTLE_MAX_S;
}

static bool is_bad(const struct ending *e)
{
	return e->exit.signalled || e->exit.status != 0;
}

/* It did not work: nothing that a person did ends like this. */
static bool has_failed(const struct ending *e)
{
	bool quick = e->lived_ns < THROTTLE_QUICK_NS;

	if (e->what != STARTED_GREETER)
		return quick && is_bad(e);
	/* greetd, whose user is never the terminal's owner, ends with an error when its greeter
	 * cannot run, and well when the user's session is over. */
	return e->nobody &&
	       (quick || e->exit.signalled || (e->lived_ns < THROTTLE_BRIEF_NS && is_bad(e)));
}

/* It ended as a logoff does, but so early that new sessions would flicker. */
static bool is_early(const struct ending *e)
{
	bool brief = e->lived_ns < THROTTLE_BRIEF_NS;

	switch (e->what) {
	case STARTED_SHELL:
		return e->lived_ns < THROTTLE_QUICK_NS || (brief && is_bad(e));
	case STARTED_GREETER:
		return e->nobody && brief;
	case STARTED_LOGIN:
		break;
	}
	return false;
}

enum verdict throttle_verdict(const struct ending *e, unsigned *failures, unsigned *ret_wait_ms)
{
	if (e->lived_ns >= THROTTLE_STEADY_NS)
		*failures = 0;
	if (has_failed(e)) {
		++*failures;
		*ret_wait_ms = throttle_delay_s(*failures) * 1000;
		return VERDICT_AGAIN;
	}
	*failures = is_early(e) ? *failures + 1 : 0;
	*ret_wait_ms = 0;
	/* A login program that gave up after wrong passwords; a hang-up (a signal) ends the
	 * session. */
	if (e->what != STARTED_SHELL && e->nobody && is_bad(e) && !e->exit.signalled)
		return VERDICT_AGAIN;
	/* A clean end at once is a logoff too, but new sessions come at a person's pace only. */
	if (e->lived_ns < THROTTLE_QUICK_NS)
		*ret_wait_ms = (unsigned)((THROTTLE_QUICK_NS - e->lived_ns + 999999) / 1000000);
	return VERDICT_LOGOFF;
}
