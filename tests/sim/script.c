/* SPDX-License-Identifier: MIT */
/*
 * script.c - how the copies and core processes of a simulated boot behave; see script.h
 *
 * Scripts speak through the door as their process, so that what the master gets is exactly what a
 * kernel would give it: datagrams with fds, closed connections, exit statuses, signals.
 */
#include "script_inner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "plan/plan.h"
#include "wire/wire.h"

struct play play;

static uint64_t plan_room[4096];

void script_begin(const struct script *s)
{
	memset(&play, 0, sizeof(play));
	play.s = *s;
	play.left = s->misfortunes;
}

unsigned script_counts(enum role role)
{
	return play.counts[role];
}

unsigned script_restarts(void)
{
	return play.restarts;
}

unsigned script_sweeps(void)
{
	return play.sweeps;
}

unsigned script_lingering(void)
{
	return play.lingering;
}

bool script_asked_down(void)
{
	return play.asked_down;
}

static void nothing(int pid, void *arg) {}

void script_wake(void)
{
	sim_after(0, nothing, 0, NULL);
}

enum mood mood(void)
{
	if (!play.left || sim_random(3))
		return MOOD_GOOD;
	play.left--;
	return (enum mood)(1 + sim_random(MOODS - 1));
}

void say_to_master(int pid, struct sm_message *m, const int *fds, unsigned fd_count)
{
	(void)sim_process_send(pid, m, sm_message_bytes(m), fds, fd_count);
}

static void say_plain(int pid, unsigned call)
{
	struct sm_message m;

	sm_message_start(&m, call, 0, 1);
	say_to_master(pid, &m, NULL, 0);
}

static void leave(int pid, void *arg)
{
	sim_process_exit(pid, (int)(intptr_t)arg);
}

void leave_soon(int pid, int code)
{
	sim_after(sim_random(4), leave, pid, (void *)(intptr_t)code);
}

/* ---- misbehaving ---- */

void talk_nonsense(int pid)
{
	struct sm_message m;
	uint8_t *bytes = (uint8_t *)&m;
	int fd;

	for (size_t i = 0; i < sizeof(m); i++)
		bytes[i] = (uint8_t)sim_random(256);
	if (sim_random(2)) { /* well-formed, but nothing that this role may or should say */
		unsigned call = (unsigned)sim_random(SM_CALLS);

		if (sm_body_length(call, 0) < 0)
			call = SM_STATUS;
		if (call == SM_SHUTDOWN) /* from a client of root's that is no nonsense */
			play.asked_down = true;
		sm_message_start(&m, call, 0, 7);
		if (sm_body_length(call, 0) >= 4)
			m.b.handover.session = (uint32_t)sim_random(4);
		fd = sim_process_sealed(pid, "junk", 4);
		say_to_master(pid, &m, &fd, 1);
		return;
	}
	(void)sim_process_send(pid, &m, 1 + sim_random(sizeof(m)), NULL, 0);
}

/* True when the process will do nothing good any more. */
static bool misbehave(struct sim_process *p, enum mood how)
{
	switch (how) {
	case MOOD_GOOD:
	case MOOD_LIE: /* the role's own lie, told in its place */
	case MOODS:
		return false;
	case MOOD_FAIL:
		leave_soon(p->pid, 1 + (int)sim_random(3));
		return true;
	case MOOD_CRASH:
		sim_process_crash(p->pid, SIGSEGV);
		return true;
	case MOOD_HANG:
		p->stubborn = true;
		return true;
	case MOOD_GARBAGE:
		talk_nonsense(p->pid);
		return sim_random(2) == 0; /* and then it may hang */
	case MOOD_SILENT:                  /* leaves well, having said nothing */
		leave_soon(p->pid, 0);
		return true;
	}
	return false;
}

/* ---- the roles ---- */

static int make_plan(void)
{
	static char pool[8192];
	static const uint8_t block[HIVE_BLOCK_BYTES] = {'r', 'e', 'g', 'f'};
	static const uint8_t digest[SHA256_BYTES] = {1};
	struct plan_builder b;

	plan_begin(&b, PLAN_MAGIC, plan_room, sizeof(plan_room), pool, sizeof(pool));
	plan_settings_of(&b)->initial_sessions = play.s.sessions;
	plan_settings_of(&b)->queue_count = 2;
	plan_table_begin(&b, PLAN_BOOT_EXECUTE);
	plan_add(&b, "autochk", "autochk *", PLAN_LINE_AUTOCHECK | PLAN_LINE_AUTOCHK, 0, 0);
	plan_add(&b, "/usr/bin/one", "/usr/bin/one a", 0, 0, 0);
	plan_add(&b, "/usr/bin/two", "/usr/bin/two", PLAN_LINE_ASYNC, 0, 0);
	plan_add(&b, "old", "old", PLAN_LINE_DEBUG, 0, 0);
	plan_table_begin(&b, PLAN_SETUP_EXECUTE);
	plan_add(&b, "/usr/bin/setup", "/usr/bin/setup", 0, 0, 0);
	plan_table_begin(&b, PLAN_KNOWN_DLLS);
	plan_add(&b, "libc", "libc.so.6", 0, 0, 0);
	plan_table_begin(&b, PLAN_PAGING_FILES);
	plan_add(&b, "?:/pagefile.sys", "", 0, 0, 0);
	plan_table_begin(&b, PLAN_REQUIRED);
	plan_add(&b, "Windows", "csrss", 0, 0, 0);
	plan_fit_to(&b, block, 8192, digest);
	return plan_end(&b);
}

static void do_plan(int pid, void *arg)
{
	const unsigned level = (unsigned)(sim_process(pid)->argv[2][0] - '0');
	const bool lie = arg != NULL;
	struct sm_message m;
	int n, fd;

	if (level < play.s.bad_levels) {
		leave_soon(pid, 1);
		return;
	}
	n = level == SM_LEVEL_BUILTIN ? plan_builtin(plan_room, sizeof(plan_room)) : make_plan();
	if (n < 0) {
		leave_soon(pid, 1);
		return;
	}
	if (lie) /* a torn plan */
		((uint8_t *)plan_room)[sim_random((uint64_t)n)] ^= 0x20;
	fd = sim_process_sealed(pid, plan_room, (size_t)n);
	sm_message_start(&m, SM_PLAN_READY, 0, 1);
	m.b.plan_ready.level = level;
	m.b.plan_ready.flags = SM_PLAN_RENAMES | SM_PLAN_FRESH;
	say_to_master(pid, &m, &fd, lie && sim_random(2) ? 0 : 1);
	leave_soon(pid, 0);
}

static void do_environment(int pid, void *arg)
{
	struct sm_message m;
	int fd = sim_process_sealed(pid, "PATH=/bin", 10);

	sm_message_start(&m, SM_ENV_READY, 0, 1);
	say_to_master(pid, &m, &fd, 1);
	leave_soon(pid, 0);
}

/* The state copy, and the one that accepts or rejects. */
static void do_state(int pid, void *arg)
{
	static const uint32_t flags[] = {SM_LKG_ACCEPTED, SM_LKG_ACCEPTED, SM_LKG_REJECTED,
					 SM_LKG_ONCE};
	const struct sim_process *p = sim_process(pid);
	struct sm_message m;

	sm_message_start(&m, SM_STATE_READY, 0, 1);
	if (role_by_word(p->argv[1]) == ROLE_ACCEPT)
		m.b.state_ready.flags = flags[p->argv[2][0] - '0'];
	m.b.state_ready.writable = arg == NULL;
	m.b.state_ready.attempts = play.s.attempts ? play.s.attempts : 1;
	say_to_master(pid, &m, NULL, 0);
	leave_soon(pid, 0);
}

static void do_items(int pid, void *arg)
{
	struct sm_message m;

	for (uint64_t i = sim_random(4); i > 0; i--) {
		sm_message_start(&m, SM_PHASE_ITEM, 0, 0);
		snprintf(m.b.item.name, sizeof(m.b.item.name), "item %d", (int)i);
		m.b.item.start_ns = 1;
		say_to_master(pid, &m, NULL, 0);
	}
	leave_soon(pid, arg ? 3 : 0);
}

/* ---- the end ---- */

static void do_shutdown(int pid, void *arg)
{
	struct sm_message m;

	if (play.stopping > 1) {
		say_plain(pid, SM_FINAL);
		leave_soon(pid, 0);
		return;
	}
	sm_message_start(&m, SM_STOP_SESSIONS, 0, 40 + play.stopping);
	m.b.stop_sessions.which = play.stopping++;
	say_to_master(pid, &m, NULL, 0);
}

static void answered(struct sim_process *p, const struct sm_message *m)
{
	if (!strcmp(p->name, "csrss") || !strcmp(p->name, "initial")) {
		if (m->h.call == SM_SB_TERMINATE && !p->stubborn)
			leave_soon(p->pid, 0);
	} else if (script_session_message(p, m)) {
		return;
	} else if (m->h.call == SM_STOP_SESSIONS && m->h.reply) {
		sim_after(1, do_shutdown, p->pid, NULL);
	}
}

void script_message(struct sim_process *p, int fd)
{
	const int was = sim_as(p->pid);
	struct sm_message m;

	if (p->stubborn && sim_random(2)) { /* one that hangs does not read */
		sim_as(was);
		return;
	}
	while (fd == 3 && sys_receive(3, &m, sizeof(m), NULL, NULL) > 0) {
		sim_as(1);
		answered(p, &m);
		sim_as(p->pid);
		if (p->dead)
			break;
	}
	sim_as(was);
}

bool script_signal(struct sim_process *p, int sig)
{
	return false;
}

/* ---- clients ---- */

static void do_client(int pid, void *arg)
{
	static const unsigned wishes[] = {
		SM_HELLO,     SM_STATUS,    SM_SESSION_ROW,       SM_LEDGER_ROW,
		SM_BOOT_ROW,  SM_SUBSCRIBE, SM_START_CSR,         SM_STOP_CSR,
		SM_EXEC_PGM,  SM_STOP_TEXT, SM_START_SERVER_SILO, SM_BOOT_ACCEPT,
		SM_START_CSR, SM_STOP_CSR,  SM_SESSION_LIMITS,    SM_SESSION_FREEZE};
	const unsigned left = (unsigned)(intptr_t)arg;
	struct sm_message m;
	const int was = sim_as(pid);
	int fd;

	if (left == 40) {
		fd = sys_connect(SM_PORT_PATH);
		if (fd >= 0 && fd != 3)
			(void)!sys_dup_to(fd, 3);
	}
	sim_as(was);
	if (!left) {
		sim_process_exit(pid, 0);
		return;
	}
	sm_message_start(&m, wishes[sim_random(sizeof(wishes) / sizeof(wishes[0]))], 0, left);
	if (m.h.call == SM_STOP_CSR)
		m.b.stop_csr.session = 1 + (uint32_t)sim_random(4);
	if (m.h.call == SM_SESSION_LIMITS)
		m.b.session_limits.session = 1 + (uint32_t)sim_random(4);
	if (m.h.call == SM_SESSION_FREEZE)
		m.b.session_freeze = (struct sm_session_freeze){
			.session = 1 + (uint32_t)sim_random(4), .freeze = (uint32_t)sim_random(2)};
	if (m.h.call == SM_BOOT_ACCEPT)
		m.b.boot_accept.verb = (uint32_t)sim_random(SM_DECISIONS + 1);
	if (m.h.call == SM_EXEC_PGM)
		m.b.exec_pgm.session = (uint32_t)sim_random(3);
	say_to_master(pid, &m, NULL, 0);
	if (sim_random(20) == 0)
		talk_nonsense(pid);
	sim_after(sim_random(3000), do_client, pid, (void *)(intptr_t)(left - 1));
}

static void start_clients(void)
{
	for (; play.s.clients; play.s.clients--)
		sim_after(sim_random(100), do_client, sim_process_new(1, 1, "client", NULL, 0),
			  (void *)(intptr_t)40);
}

/* ---- who was spawned ---- */

static void begin_role(struct sim_process *p, enum role role, bool lie)
{
	void *arg = lie ? p : NULL;
	const uint64_t soon = 1 + sim_random(8);

	switch (role) {
	case ROLE_PLAN:
		sim_after(soon, do_plan, p->pid, arg);
		break;
	case ROLE_ENVIRONMENT:
		sim_after(soon, do_environment, p->pid, arg);
		break;
	case ROLE_STATE:
	case ROLE_ACCEPT:
		sim_after(soon, do_state, p->pid, arg);
		break;
	case ROLE_SESSION: /* they begin when they are told what to do */
	case ROLE_LIMITS:
		break;
	case ROLE_SWEEP:
		sim_after(soon, script_sweep, p->pid, arg);
		break;
	case ROLE_SHUTDOWN:
		sim_after(soon, do_shutdown, p->pid, arg);
		break;
	default:
		sim_after(soon, do_items, p->pid, arg);
		break;
	}
}

void script_spawned(struct sim_process *p)
{
	const enum role role = p->argc > 1 ? role_by_word(p->argv[1]) : ROLE_PNP;
	const enum mood how = mood();

	if (p->argc == 2 && !strcmp(p->argv[1], "hold")) { /* its fd 3 is a client's */
		leave_soon(p->pid, 0);
		return;
	}
	play.counts[role]++;
	if (play.counts[ROLE_PLAN] == 1 && role == ROLE_PLAN)
		start_clients();
	if (role == ROLE_SHUTDOWN)
		play.stopping = 0;
	if (how != MOOD_GOOD && sim_random(6) == 0)
		sim_spawn_error(EAGAIN, 1 + (unsigned)sim_random(2));
	if (!misbehave(p, how))
		begin_role(p, role, how == MOOD_LIE);
}
