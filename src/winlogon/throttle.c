/* SPDX-License-Identifier: MIT */
/*
 * throttle.c - what the end of a login means, see throttle.h
 */
#include "winlogon/throttle.h"

enum verdict throttle_verdict(const struct ending *e, unsigned *delay_s, unsigned *ret_wait_ms)
{
	bool quick = e->lived_ns < THROTTLE_QUICK_NS;
	bool bad = e->exit.signalled || e->exit.status != 0;

	if (quick && bad) {
		*delay_s = !*delay_s                       ? 1
			   : *delay_s * 2 < THROTTLE_MAX_S ? *delay_s * 2
							   : THROTTLE_MAX_S;
		*ret_wait_ms = *delay_s * 1000;
		return VERDICT_AGAIN;
	}
	*delay_s = 0;
	*ret_wait_ms = 0;
	/* A login program that gave up after wrong passwords; a hang-up (a signal) ends the
	 * session. */
	if (e->is_login && e->nobody && bad && !e->exit.signalled)
		return VERDICT_AGAIN;
	/* A clean end at once is a logoff too, but new sessions come at a person's pace only. */
	if (quick)
		*ret_wait_ms = (unsigned)((THROTTLE_QUICK_NS - e->lived_ns + 999999) / 1000000);
	return VERDICT_LOGOFF;
}
