/* SPDX-License-Identifier: MIT */
/*
 * ahead.c - the next session's copy, started before anybody asks
 *
 * A copy's own start is a good part of what a session costs. So once somebody has got a session,
 * the copy of the next one is started, and the one after that while the next is set up: it attaches
 * to the plan and waits for the word what to make. It is a throwaway like every copy, makes one
 * session at most, knows nothing of it before, and is sent away when nobody asks for a while. The
 * boot's own sessions do without.
 */
#include "smss/master/ahead.h"

#include "smss/master/master.h"

#define GOES_S  5u /* what was sent away and is still there is killed (law 10) */
#define AHEAD_S 5u /* it waits no longer: an idle machine has the master alone */

static void close_ours(void)
{
	for (unsigned i = 0; i < 2; i++)
		if (master.ahead_fds[i] > 0)
			sys_closep(&master.ahead_fds[i]);
	master.ahead_fds[0] = master.ahead_fds[1] = 0;
}

void ahead_start(uint32_t n)
{
	const uint32_t wait_s = plan_session_number(master.plan, n, "CopyAheadSeconds", AHEAD_S);
	struct job j = {.role = ROLE_SESSION,
			.n = SM_NO_SESSION,
			.session = SM_NO_SESSION,
			.name = "smss",
			.why = "waits for the next session"};
	int csrss[2], initial[2], row = NONE;

	if (!wait_s || master.ahead || master.shutting_down || sys_socketpair(csrss) < 0)
		return;
	if (sys_socketpair(initial) >= 0) {
		j.core_fds[0] = csrss[1];
		j.core_fds[1] = initial[1];
		row = job_start(&j);
		sys_closep(&initial[1]);
		master.ahead_fds[1] = initial[0];
	}
	sys_closep(&csrss[1]);
	master.ahead_fds[0] = csrss[0];
	if (row < 0) {
		close_ours(); /* the session it was for will start one of its own */
		return;
	}
	master.ahead = (uint16_t)(row + 1);
	master.ahead_ns = sys_now_ns() + wait_s * NS_PER_S;
}

int ahead_take(const struct sm_message *ask, int ret_core[2])
{
	const int row = master.ahead - 1;
	const int peer = row < 0 ? NONE : master.processes[row].peer;

	if (peer == NONE || peer_send_with(peer, ask, NULL, 0) < 0)
		return NONE; /* none there, or it has died and is about to be reaped */
	for (unsigned i = 0; i < 2; i++) {
		ret_core[i] = master.ahead_fds[i];
		master.ahead_fds[i] = 0;
	}
	master.ahead = 0;
	master.ahead_ns = 0;
	return row;
}

void ahead_ended(int row)
{
	if (master.ahead != row + 1)
		return;
	close_ours();
	master.ahead = 0;
	master.ahead_ns = 0;
}

void ahead_dismiss(void)
{
	int peer = master.ahead ? master.processes[master.ahead - 1].peer : NONE;

	master.ahead_ns = 0;
	if (peer == NONE)
		return;
	master.processes[master.ahead - 1].deadline_ns = sys_now_ns() + GOES_S * NS_PER_S;
	peer_drop(peer); /* it reads that as the end, and goes */
}

uint64_t ahead_deadline(uint64_t now)
{
	if (master.ahead_ns && master.ahead_ns <= now)
		ahead_dismiss();
	return master.ahead_ns;
}
