/* SPDX-License-Identifier: MIT */
/*
 * event.c - the simulated kernel's run: the clock, the script, epoll, and how a run ends
 *
 * Time stands still but for a microsecond a call, and jumps when pid 1 waits: to the script's next
 * entry or to the wait's deadline, whichever is first. A wait that could never end ends the run.
 * So does being woken again and again while nothing happens: pid 1 may never spin.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

#define MS         1000000ull
#define SPIN_WAITS 20000u    /* wake-ups without an event of the script in between */
#define SPIN_CALLS 20000000u /* calls without one wait */

struct planned {
	uint64_t at_ns, order;
	void (*fn)(int pid, void *arg);
	int pid;
	void *arg;
};

static struct {
	uint64_t now_ns, until_ns, order, dice;
	struct planned *script;
	unsigned count, room;
	jmp_buf back;
	bool active;
	struct sim_record record;
	uint64_t waits_idle, calls_idle;
	const char *why;
	struct sim_hooks hooks;
} run;

uint64_t sim_random(uint64_t below)
{
	uint64_t z = run.dice += 0x9E3779B97F4A7C15ull;

	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
	return below ? (z ^ (z >> 31)) % below : 0;
}

void sim_start(uint64_t seed)
{
	sim_stop();
	run.dice = seed;
	run.now_ns = 1000 * MS;
	run.until_ns = UINT64_MAX;
	disk_start();
	host_start();
	processes_start();
	machine_start();
}

void sim_stop(void)
{
	const struct sim_hooks none = {0};

	processes_stop();
	descs_stop();
	disk_stop();
	free(run.script);
	memset(&run, 0, sizeof(run));
	run.hooks = none;
}

void sim_reboot(bool cut)
{
	if (!cut)
		sync_all();
	processes_stop();
	descs_stop();
	disk_cut();
	processes_start();
	run.count = 0;
	run.now_ns = 1000 * MS;
}

void sim_hooks(const struct sim_hooks *hooks)
{
	run.hooks = *hooks;
}

struct sim_hooks *hooks_now(void)
{
	return &run.hooks;
}

struct sim_record sim_run(void (*f)(void *arg), void *arg)
{
	run.record = (struct sim_record){.end = SIM_RETURNED};
	run.waits_idle = run.calls_idle = 0;
	run.active = true;
	if (setjmp(run.back) == 0)
		f(arg);
	run.active = false;
	run.record.now_ns = run.now_ns;
	sim_as(1);
	return run.record;
}

bool run_active(void)
{
	return run.active;
}

void sim_end_run(enum sim_end end, uint64_t detail)
{
	run.record.end = end;
	run.record.detail = detail;
	if (!run.active) {
		fprintf(stderr, "sim: a run ended that had not begun (%d): %s\n", end,
			run.why ? run.why : "");
		abort();
	}
	longjmp(run.back, 1);
}

void sim_wrong(const char *why)
{
	run.why = why;
	sim_end_run(SIM_WRONG, 0);
}

const char *sim_why(void)
{
	return run.why ? run.why : "";
}

void door_call(void)
{
	run.record.calls++;
	run.now_ns += 1000;
	if (run.active && ++run.calls_idle > SPIN_CALLS) {
		run.why = "calls without a wait";
		sim_end_run(SIM_SPIN, run.calls_idle);
	}
}

/* ---- the script ---- */

void sim_after(uint64_t ms, void (*fn)(int pid, void *arg), int pid, void *arg)
{
	if (run.count == run.room) {
		run.room = run.room ? run.room * 2 : 64;
		run.script = realloc(run.script, run.room * sizeof(*run.script));
		if (!run.script)
			abort();
	}
	run.script[run.count++] = (struct planned){.at_ns = run.now_ns + ms * MS,
						   .order = run.order++,
						   .fn = fn,
						   .pid = pid,
						   .arg = arg};
}

void sim_until(uint64_t ns)
{
	run.until_ns = ns;
}

static int next_planned(void)
{
	int best = -1;

	for (unsigned i = 0; i < run.count; i++) {
		const struct planned *p = &run.script[i];

		if (best < 0 || p->at_ns < run.script[best].at_ns ||
		    (p->at_ns == run.script[best].at_ns && p->order < run.script[best].order))
			best = (int)i;
	}
	return best;
}

/* Runs what is due. True when something ran. */
static bool script_due(void)
{
	bool ran = false;
	int i;

	while ((i = next_planned()) >= 0 && run.script[i].at_ns <= run.now_ns) {
		const struct planned p = run.script[i];
		const struct sim_process *who = p.pid > 1 ? sim_process(p.pid) : NULL;

		run.script[i] = run.script[--run.count];
		if (p.pid > 1 && (!who || who->dead))
			continue;
		p.fn(p.pid, p.arg);
		run.waits_idle = 0;
		ran = true;
	}
	return ran;
}

/* ---- epoll ---- */

unsigned desc_ready(const struct desc *d)
{
	const struct process *p;
	unsigned what = 0;

	switch (d->kind) {
	case DESC_NODE:
	case DESC_HOST:
		return SYS_READ | SYS_WRITE;
	case DESC_SOCKET:
		if (d->first || d->peer_gone)
			what |= SYS_READ;
		if (d->peer_gone)
			what |= SYS_HANGUP | SYS_WRITE;
		else if (d->peer && d->peer->queued < SOCKET_QUEUE)
			what |= SYS_WRITE;
		return what;
	case DESC_LISTENER:
		return d->backlog_count ? SYS_READ : 0;
	case DESC_SIGNALS:
		return signals_pending() ? SYS_READ : 0;
	case DESC_PIDFD:
		p = process_by(d->pid);
		return !p || p->p.dead ? SYS_READ : 0;
	case DESC_EPOLL:
		return 0;
	}
	return 0;
}

void epoll_forget(struct desc *gone)
{
	for (struct desc *d = descs_all(); d; d = d->next)
		for (unsigned i = 0; i < d->interest_count; i++)
			if (d->interests[i].desc == gone)
				d->interests[i--] = d->interests[--d->interest_count];
}

int sys_epoll(void)
{
	door_call();
	return fd_install(desc_new(DESC_EPOLL));
}

static struct desc *epoll_of(int epoll)
{
	struct desc *d = fd_desc(epoll);

	return d && d->kind == DESC_EPOLL ? d : NULL;
}

static struct interest *interest_of(struct desc *e, int fd, const struct desc *d)
{
	for (unsigned i = 0; i < e->interest_count; i++)
		if (e->interests[i].fd == fd && e->interests[i].desc == d)
			return &e->interests[i];
	return NULL;
}

int sys_epoll_add(int epoll, int fd, unsigned what, uint64_t key)
{
	struct desc *e = epoll_of(epoll), *d = fd_desc(fd);

	door_call();
	if (!e || !d)
		return -EBADF;
	if (d->kind == DESC_NODE && d->node->magic != MAGIC_CG_EVENTS &&
	    d->node->kind != NODE_DEVICE)
		return -EPERM; /* plain files */
	if (interest_of(e, fd, d))
		return -EEXIST;
	if (e->interest_count == e->interest_room) {
		e->interest_room = e->interest_room ? e->interest_room * 2 : 16;
		e->interests = realloc(e->interests, e->interest_room * sizeof(*e->interests));
		if (!e->interests)
			abort();
	}
	e->interests[e->interest_count++] =
		(struct interest){.desc = d, .fd = fd, .what = what, .key = key};
	return 0;
}

int sys_epoll_change(int epoll, int fd, unsigned what, uint64_t key)
{
	struct desc *e = epoll_of(epoll), *d = fd_desc(fd);
	struct interest *i = e && d ? interest_of(e, fd, d) : NULL;

	door_call();
	if (!e || !d)
		return -EBADF;
	if (!i)
		return -ENOENT;
	i->what = what;
	i->key = key;
	return 0;
}

int sys_epoll_drop(int epoll, int fd)
{
	struct desc *e = epoll_of(epoll), *d = fd_desc(fd);
	struct interest *i = e && d ? interest_of(e, fd, d) : NULL;

	door_call();
	if (!e || !d)
		return -EBADF;
	if (!i)
		return -ENOENT;
	*i = e->interests[--e->interest_count];
	return 0;
}

/* Ready ones from a place that the dice choose: no order may be relied on. */
static int collect(const struct desc *e, struct sys_event *ret, int n)
{
	const unsigned from = (unsigned)sim_random(e->interest_count ? e->interest_count : 1);
	int got = 0;

	for (unsigned k = 0; k < e->interest_count && got < n; k++) {
		const struct interest *i = &e->interests[(from + k) % e->interest_count];
		const unsigned what = desc_ready(i->desc) & (i->what | SYS_HANGUP);

		/* Without word of the end of its file a watched cgroup file would always be ready.
		 */
		if (!what || i->desc->kind == DESC_NODE)
			continue;
		ret[got++] = (struct sys_event){.key = i->key, .what = what};
	}
	return got;
}

static void count_wait(void)
{
	run.record.waits++;
	run.calls_idle = 0;
	if (++run.waits_idle > SPIN_WAITS) {
		run.why = "woken again and again";
		sim_end_run(SIM_SPIN, run.waits_idle);
	}
	if (run.now_ns >= run.until_ns)
		sim_end_run(SIM_LATE, 0);
	if (run.hooks.on_wait)
		run.hooks.on_wait();
}

/* Nothing is ready: to the script's next entry or to the deadline. False = the deadline came. */
static bool sleep_on(uint64_t deadline_ns)
{
	int i = next_planned();

	if (i < 0 && deadline_ns == UINT64_MAX) {
		if (run.hooks.on_idle)
			run.hooks.on_idle();
		i = next_planned();
		if (i < 0)
			sim_end_run(SIM_IDLE, 0);
	}
	if (i < 0 || run.script[i].at_ns > deadline_ns) {
		run.now_ns = deadline_ns > run.now_ns ? deadline_ns : run.now_ns;
		return false;
	}
	if (run.script[i].at_ns > run.now_ns)
		run.now_ns = run.script[i].at_ns;
	return true;
}

int sys_wait_events(int epoll, struct sys_event *ret, int n, int timeout_ms)
{
	struct desc *e = epoll_of(epoll);
	uint64_t deadline;
	int got;

	door_call();
	if (!e || n <= 0)
		return -EBADF;
	deadline = timeout_ms < 0 ? UINT64_MAX : run.now_ns + (uint64_t)timeout_ms * MS;
	count_wait();
	for (;;) {
		script_due();
		got = collect(e, ret, n < 16 ? n : 16);
		if (got || timeout_ms == 0)
			return got;
		if (run.now_ns >= run.until_ns)
			sim_end_run(SIM_LATE, 0);
		if (!sleep_on(deadline))
			return 0;
	}
}

int sys_wait_fd(int fd, unsigned what, int timeout_ms)
{
	struct desc *d = fd_desc(fd);
	const uint64_t deadline =
		timeout_ms < 0 ? UINT64_MAX : run.now_ns + (uint64_t)timeout_ms * MS;

	if (!d)
		return (int)SYS_HANGUP;
	for (;;) {
		const unsigned got = desc_ready(d) & (what | SYS_HANGUP);

		if (got || timeout_ms == 0)
			return (int)got;
		if (!sleep_on(deadline))
			return 0;
		script_due();
	}
}

/* ---- clocks ---- */

uint64_t sys_now_ns(void)
{
	return run.now_ns;
}

uint64_t sys_wall_s(void)
{
	return 1700000000 + run.now_ns / (1000 * MS);
}

void sys_sleep_ms(unsigned ms)
{
	run.now_ns += ms * MS;
}

int sys_random(void *to, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)to)[i] = (uint8_t)sim_random(256);
	return 0;
}

uint64_t sim_seed(uint64_t otherwise)
{
	const char *s = getenv("SIM_SEED");

	return s && *s ? strtoull(s, NULL, 0) : otherwise;
}

uint64_t sim_runs(uint64_t otherwise)
{
	const char *s = getenv("SIM_RUNS");

	return s && *s ? strtoull(s, NULL, 0) : otherwise;
}
