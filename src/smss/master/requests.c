/* SPDX-License-Identifier: MIT */
/*
 * requests.c - what sessions were asked to be, until their copies are started
 *
 * A request is half a kilobyte and lives for as long as its session waits for a place, so it is
 * kept apart from the sessions. The table lies at the end of the master's memory: after a burst its
 * pages are given back to the kernel, and read as zeros (nothing used) when they are next touched.
 */
#include "smss/master/sessions.h"

#include <errno.h>

#define BURST      8u /* requests: one or two pages, which stay */
#define PAGE_BYTES 4096u

int request_keep(const struct sm_sb_session *ask)
{
	uint32_t i = 0;

	while (i < REQUESTS_MAX && master.requests[i].used)
		i++;
	if (i == REQUESTS_MAX)
		return -ENOSPC;
	if (i >= master.requests_top)
		master.requests_top = i + 1;
	master.requests[i].used = true;
	master.requests[i].what = *ask;
	master.requests_used++;
	return (int)i;
}

static void let_go(int request)
{
	uintptr_t from;

	if (request == NONE)
		return;
	master.requests[request].used = false;
	if (--master.requests_used || master.requests_top <= BURST)
		return;
	master.requests_top = 0;
	/* Only whole pages of this table: what lies before it is somebody else's. */
	from = ((uintptr_t)&master.requests[BURST] + PAGE_BYTES - 1) & ~(uintptr_t)(PAGE_BYTES - 1);
	sys_forget((const void *)from, &master.requests[REQUESTS_MAX]);
}

void request_take(struct session *s, struct sm_sb_session *ret)
{
	if (s->request != NONE)
		*ret = master.requests[s->request].what;
	request_drop(s);
}

void request_drop(struct session *s)
{
	let_go(s->request);
	s->request = NONE;
}
