/* SPDX-License-Identifier: MIT */
/*
 * loop.c - the one wait: events are collected, the dead are reaped, deadlines looked at, the boot
 * carried on
 *
 * Nothing else in the master waits. With nothing under way the time-out is "for ever": an idle
 * master makes no wake-up at all.
 */
#include "smss/master/master.h"

#include <signal.h>

#include "smss/master/ahead.h"

#define KEY_SIGNALS     0u
#define KEY_LISTENER    1u
#define EVENTS_PER_TURN 16
#define STACK_BYTES     32768u /* deeper than any call of ours goes */
#define PAGE_BYTES      4096u

/* All zero in the image (bss): master_reset says what is not. See image.ld for its place. */
struct master master __attribute__((aligned(PAGE_BYTES)));

void master_reset(void)
{
	master.epoll = master.signals = master.listener = master.null = NONE;
	master.env_fd = master.plan_fd = NONE;
	master.job = master.phase_row = master.stop_job = master.decider = NONE;
	master.sessions_stopper = master.decision_waiter = waiter_none();
	master.cgroup = "";
	master.operators = SM_NO_OWNER;
}

/* From image.ld; absent where the master is simulated. */
extern const char smss_boot_image[] __attribute__((weak));
extern const char smss_boot_image_end[] __attribute__((weak));

/*
 * Until the machine is ready, and whenever something rare has brought those pages back. Only called
 * when nothing of them is on the stack.
 */
static void forget_boot(void)
{
	master.boot_forgotten = true;
	sys_forget(smss_boot_image, smss_boot_image_end);
}

/* Nothing is under way: what the deepest call so far has left below us on the stack goes back. */
static void forget_stack(void)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);

	sys_forget((const void *)(here - STACK_BYTES), (const void *)(here - PAGE_BYTES));
}

static uint64_t nearer(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* Everything that time brings; returns the nearest deadline, 0 = none. */
static uint64_t deadlines(uint64_t now)
{
	uint64_t next = ledger_deadlines(now);

	next = nearer(next, session_deadlines(now));
	if (master.accept_ns)
		next = nearer(next, decide_deadline(now));
	if (master.final_ns && master.final_ns <= now)
		shutdown_final();
	if (master.listen_again_ns && master.listen_again_ns <= now) {
		master.listen_again_ns = 0;
		(void)!sys_epoll_add(master.epoll, master.listener, SYS_READ, KEY_LISTENER);
	}
	next = nearer(next, callers_deadlines(now));
	if (master.rest_ns)
		next = nearer(next, peers_rest(now));
	next = nearer(next, ahead_deadline(now));
	next = nearer(next, master.listen_again_ns);
	return nearer(next, master.final_ns);
}

static int timeout_ms(void)
{
	uint64_t now = sys_now_ns(), next;

	(void)deadlines(now);  /* what is over is acted on, which may set new ones ... */
	next = deadlines(now); /* ... and those count too */
	if (master.more_dead)
		return 0;
	if (!next)
		return -1;
	if (next <= now)
		return 0;
	next = (next - now + NS_PER_MS - 1) / NS_PER_MS;
	return next > 3600000 ? 3600000 : (int)next;
}

/* One a turn: mostly there is only one, and another one is told of at once. */
static void read_signal(void)
{
	struct sys_signal s;

	if (sys_signal_next(master.signals, &s) != 1)
		return;
	if (s.sig == SIGCHLD)
		master.more_dead = true; /* they are collected once a turn */
	else
		signal_act(&s);
}

static void peer_event(uint64_t key)
{
	uint32_t i = (uint32_t)key;

	/* The generation tells a late event of a row's last owner from the present one's. */
	if (i < master.peers_top && master.peers[i].fd != NONE &&
	    master.peers[i].generation == (uint32_t)(key >> 32))
		peer_read((int)i);
}

void master_turn(void)
{
	struct sys_event events[EVENTS_PER_TURN];
	const int wait_ms = timeout_ms();
	int n;

	if (wait_ms < 0)
		forget_stack();
	n = sys_wait_events(master.epoll, events, EVENTS_PER_TURN, wait_ms);
	for (int i = 0; i < n; i++) {
		if (events[i].key == KEY_SIGNALS)
			read_signal();
		else if (events[i].key == KEY_LISTENER)
			peers_accept();
		else
			peer_event(events[i].key);
	}
	/* Asking goes through every child there is: only when somebody died, or nothing else came.
	 */
	if (master.more_dead || n <= 0 || master.signals < 0)
		ledger_reap();
	if (master.orphans_ended)
		sessions_look();
	master.orphans_ended = false;
	if (master.boot.phase <= PHASE_SESSIONS)
		phase_go();
	else if (!master.boot_forgotten && !master.shutting_down)
		forget_boot();
}

void master_run(void)
{
	phase_go();
	for (;;)
		master_turn();
}
