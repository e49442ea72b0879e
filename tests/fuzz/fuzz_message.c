/* SPDX-License-Identifier: MIT */
/*
 * fuzz_message.c - any clients of the API port, on the simulated kernel: the master as it is, its
 * copies and core processes played by the simulation's scripts, and each input a day of clients
 *
 * An input is a row of small acts: somebody connects, asks (well formed, wrong, with fds, many
 * times), reads, leaves; a process of our own says what it should not; time passes. Promises: one
 * answer for each request, never two, and none that nobody asked for; who has no right is told so
 * and changes nothing; events come only to subscribers; a connection ends only for who broke the
 * rules; PID 1's tables agree with each other, and it holds no fd too many.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "message_clients.h"
#include "plan/plan.h"
#include "tests/sim/script.h"
#include "wire/wire.h"

#define LONGEST_S 240u /* two set-ups, one after the other, that are late, and their ends */

enum act {
	ACT_CONNECT,
	ACT_ASK,
	ACT_ASK_MANY,
	ACT_GARBAGE,
	ACT_STUFF,
	ACT_READ,
	ACT_TURN,
	ACT_LEAVE,
	ACT_TIME,
	ACT_PROCESS,
	ACT_DEATH,
	ACTS
};

static uint64_t plan_room[4096];

static void tell_messages(void)
{
	fprintf(stderr, "messages: %llu\n", (unsigned long long)day.messages);
}

/* ---- what must hold before every wait ---- */

static unsigned held_by_peers(void)
{
	unsigned open = 0, clients = 0;

	for (uint32_t i = 0; i < master.peers_top; i++) {
		const struct peer *p = &master.peers[i];

		if (p->fd == NONE)
			continue;
		open++;
		clients += p->role == ROLE_CLIENT;
		HOLDS(p->role == ROLE_CLIENT || !p->resting);
		HOLDS(!p->resting || (p->uid && master.rest_ns));
	}
	HOLDS(clients == master.clients && clients <= CLIENTS_MAX);
	return open;
}

static unsigned held_by_ledger(void)
{
	unsigned pidfds = 0;

	for (uint32_t i = 0; i < master.ledger_top; i++) {
		const struct process *p = &master.processes[i];

		if (!p->pid)
			continue;
		HOLDS(p->role > ROLE_NONE && p->role < ROLE_CLIENT);
		HOLDS(p->peer == NONE || master.peers[p->peer].fd != NONE);
		pidfds += p->pidfd != NONE;
	}
	return pidfds;
}

static void check_tables(void)
{
	const unsigned known = held_by_ledger() + held_by_peers() + (master.plan_fd >= 0) +
			       (master.env_fd >= 0) + (master.listener >= 0) +
			       (master.ahead_fds[0] > 0) + (master.ahead_fds[1] > 0);
	uint32_t setting_up = 0;

	for (uint32_t n = 0; n < master.sessions_top; n++) {
		const struct session *s = &master.sessions[n];

		HOLDS(s->state < SESSION_STATES);
		setting_up += s->state == SESSION_SETTING_UP;
	}
	HOLDS(setting_up <= master.setting_up);
	for (uint32_t i = 0; i < CALLERS_MAX; i++) {
		const struct caller *c = &master.callers[i];

		HOLDS(!c->kind || c->who.peer != NONE);
		HOLDS(!c->kind || master.sessions[c->session].state != SESSION_FREE);
	}
	if (!day.fds_base)
		day.fds_base = sim_open_fds() - known;
	if (sim_open_fds() != day.fds_base + known)
		fprintf(stderr, "%u fds open, %u known\n", sim_open_fds(), day.fds_base + known);
	HOLDS(sim_open_fds() == day.fds_base + known);
}

static struct client *one(unsigned i)
{
	struct client *c = &day.clients[i % CLIENTS];

	return c->fd >= 0 ? c : NULL;
}

/* ---- our own processes, time ---- */

static void act_process(void)
{
	struct sim_process *p = sim_process_at(byte() % sim_processes());
	const unsigned call = byte() % SM_CALLS;
	struct sm_message m;
	int fds[2], was;
	unsigned count = 0;

	if (!p || p->dead || p->pid == 1 || p->pid == day.world)
		return;
	if (p->argc == 2 && !strcmp(p->argv[1], "hold")) /* what it holds is a client's */
		return;
	if (sm_body_length(call, 0) < 0 || call == SM_FINAL || call == SM_STOP_SESSIONS)
		return;
	sm_message_start(&m, call, byte() % 4 == 0, byte());
	body_from_input(&m);
	if (call == SM_ENV_READY)
		m.b.env_ready.operators = OPERATORS;
	was = sim_as(p->pid);
	while (count < 2 && byte() % 2)
		if ((fds[count] = sys_pidfd_open(p->pid)) >= 0)
			count++;
	sim_as(was);
	(void)sim_process_send(p->pid, &m, sm_message_bytes(&m), fds, count);
	day.messages++;
}

static void act_death(void)
{
	struct sim_process *p = sim_process_at(byte() % sim_processes());

	if (p && !p->dead && p->pid != 1 && p->pid != day.world && byte() % 2)
		sim_process_exit(p->pid, (int)byte() % 3);
}

/* Wakes PID 1, and is about nothing. */
static void ring(int pid, void *arg)
{
	sim_signal(SIGCHLD, 0, 0);
}

static void on_idle(void)
{
	sim_after(0, ring, 0, NULL);
}

static void pass(unsigned ms)
{
	sim_after(ms, ring, 0, NULL);
	master_turn();
}

/* csrss answers as it likes: well, with fds, twice, somebody else's, not at all. */
static void csrss_heard(int pid)
{
	const int was = sim_as(pid);
	struct sm_message m;
	int fds[SYS_FDS_MAX];
	unsigned count;
	bool end = false;

	while (sys_receive(3, &m, sizeof(m), NULL, NULL) > 0) {
		end = end || m.h.call == SM_SB_TERMINATE;
		if (m.h.call != SM_SB_CREATE_PROCESS && m.h.call != SM_SB_PROGRAM_ROW)
			continue;
		count = (unsigned)sim_random(SYS_FDS_MAX + 1);
		m.h.reply = 1;
		m.h.status = sim_random(2) ? SM_OK : SM_NAME_NOT_FOUND;
		m.h.tag += sim_random(8) == 0;
		if (m.h.call != SM_SB_CREATE_PROCESS)
			count = 0;
		for (unsigned i = 0; i < count; i++)
			fds[i] = 3;
		for (uint64_t times = sim_random(6) ? 1 : sim_random(3); times; times--)
			(void)!sys_send(3, &m, sm_message_bytes(&m), fds, count);
	}
	sim_as(was);
	if (end)
		sim_process_exit(pid, 0);
}

static void on_message(struct sim_process *p, int fd)
{
	if (p->pid == day.world)
		return;
	if (!strcmp(p->name, "csrss"))
		csrss_heard(p->pid);
	else
		script_message(p, fd);
}

/* ---- a day ---- */

static void begin(void)
{
	struct sim_process *p;

	memset(&master, 0, sizeof(master));
	master_reset();
	sim_make_dir("/run/smss");
	master.epoll = sys_epoll();
	master.signals = sys_signals_open();
	master.null = sys_open(AT_FDCWD, "/dev/null", O_RDWR, 0);
	master.listener = sys_listen(SM_PORT_PATH, 0666);
	HOLDS(sys_epoll_add(master.epoll, master.signals, SYS_READ, 0) == 0);
	HOLDS(sys_epoll_add(master.epoll, master.listener, SYS_READ, 1) == 0);
	master.operators = OPERATORS;
	master.parallel = 4;
	master.started_ns = sys_now_ns();
	master.boot.phase = PHASE_READY;
	master.boot.state_on = true;
	master.plan = (const void *)plan_room;
	day.world = sim_process_new(1, 999, "world", NULL, 0);
	p = sim_process(day.world);
	p->stubborn = true;
	(void)session_create(NULL, true, waiter_none());
	(void)session_create(NULL, true, waiter_none());
	for (unsigned i = 0; i < 30; i++)
		pass(1);
}

static void act(unsigned what)
{
	struct client *c = &day.clients[byte() % CLIENTS];

	if (what == ACT_CONNECT)
		act_connect(c);
	else if (what == ACT_TURN)
		pass(0);
	else if (what == ACT_TIME)
		pass(1u << (byte() % 16));
	else if (what == ACT_PROCESS)
		act_process();
	else if (what == ACT_DEATH)
		act_death();
	else if (c->fd < 0)
		act_connect(c);
	else if (what == ACT_ASK)
		act_ask(c, 1);
	else if (what == ACT_ASK_MANY)
		act_ask(c, 1 + byte() % 48);
	else if (what == ACT_GARBAGE)
		act_garbage(c);
	else if (what == ACT_READ)
		client_read(c);
	else if (what == ACT_LEAVE)
		client_leave(c);
	else if (what == ACT_STUFF) {
		c->broke = true;
		client_send(c, "0123456789abcdef", byte() % 17, 1 + byte() % SYS_FDS_MAX);
	}
}

static void unanswered(const struct client *c)
{
	fprintf(stderr, "no answer to %u calls, the first is %u of uid %u\n", c->waiting,
		c->asked[0].call, c->uid);
	for (unsigned i = 0; i < CALLERS_MAX; i++)
		if (master.callers[i].kind)
			fprintf(stderr, "waits: kind %u, session %u in state %u\n",
				master.callers[i].kind, master.callers[i].session,
				master.sessions[master.callers[i].session].state);
	for (uint32_t n = 0; n < master.sessions_top; n++)
		fprintf(stderr, "session %u: state %u, deadline %llu, wake %llu, now %llu\n", n,
			master.sessions[n].state,
			(unsigned long long)master.sessions[n].deadline_ns,
			(unsigned long long)master.sessions[n].wake_ns,
			(unsigned long long)sys_now_ns());
	fprintf(stderr, "%s\n", sim_console());
}

/* Whoever still waits is answered: at the latest when every deadline is over. */
static void end(void)
{
	const uint64_t until = sys_now_ns() + LONGEST_S * NS_PER_S;
	bool waits = true;

	for (unsigned turn = 0; waits && sys_now_ns() < until; turn++) {
		waits = false;
		pass(turn < 40 ? 20 : 1000);
		for (unsigned i = 0; i < CLIENTS; i++) {
			struct client *c = one(i);

			if (c)
				client_read(c);
			waits = waits || (c && c->fd >= 0 && c->waiting && !c->broke);
		}
	}
	for (unsigned i = 0; i < CLIENTS; i++) {
		const struct client *c = one(i);

		if (c && c->waiting && !c->broke)
			unanswered(c);
		HOLDS(!c || !c->waiting || c->broke);
	}
}

static void live(void *arg)
{
	begin();
	while (day.left) {
		act(byte() % ACTS);
		if (sim_process(day.world)->dead)
			return;
	}
	end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static bool told;
	struct sim_hooks hooks = {.on_spawn = script_spawned,
				  .on_signal = script_signal,
				  .on_message = on_message,
				  .on_idle = on_idle,
				  .on_wait = check_tables};
	struct script s = {0};
	struct sim_record r;

	if (n < 2)
		return 0;
	if (!told) {
		told = true;
		HOLDS(plan_builtin(plan_room, sizeof(plan_room)) > 0);
		HOLDS(atexit(tell_messages) == 0);
	}
	day = (struct day){.messages = day.messages};
	for (unsigned i = 0; i < CLIENTS; i++)
		day.clients[i].fd = -1;
	s.sessions = 2;
	s.misfortunes = data[0] % 4;
	day.at = data + 2;
	day.left = n - 2;
	sim_start(data[1]);
	sim_machine("");
	sim_hooks(&hooks);
	script_begin(&s);
	r = sim_run(live, NULL);
	if (r.end == SIM_WRONG || r.end == SIM_SPIN)
		fprintf(stderr, "%s\n", sim_why());
	HOLDS(r.end != SIM_WRONG && r.end != SIM_SPIN);
	sim_stop();
	return 0;
}
