/* SPDX-License-Identifier: MIT */
/*
 * process.c - the simulated kernel's processes and signals
 *
 * pid 1 is the code under test. Every other process is a record with an fd table: the test's
 * script speaks for it. An exit closes its fds, leaves its children to pid 1, and is there to be
 * reaped, in no promised order; SIGCHLD is one signal however many died, as in a kernel.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inner.h"

static struct {
	struct process **all;
	unsigned count, room;
	int next_pid;
	struct process *as;
	int spawn_error;
	unsigned spawn_errors;
	struct sys_signal waiting[32];
	unsigned waiting_count;
} procs;

struct process *process_now(void)
{
	return procs.as;
}

struct fd_table *fd_table_now(void)
{
	return &procs.as->fds;
}

struct process *process_by(int pid)
{
	for (unsigned i = 0; i < procs.count; i++)
		if (procs.all[i]->p.pid == pid)
			return procs.all[i];
	return NULL;
}

struct sim_process *sim_process(int pid)
{
	struct process *p = process_by(pid);

	return p ? &p->p : NULL;
}

unsigned sim_processes(void)
{
	return procs.count;
}

struct process *process_at(unsigned i)
{
	return procs.all[i];
}

struct sim_process *sim_process_at(unsigned i)
{
	return &procs.all[i]->p;
}

unsigned sim_processes_alive(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < procs.count; i++)
		n += procs.all[i]->p.pid != 1 && !procs.all[i]->p.dead;
	return n;
}

static struct process *process_make(int parent, const char *name)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		abort();
	if (procs.count == procs.room) {
		procs.room = procs.room ? procs.room * 2 : 64;
		procs.all = realloc(procs.all, procs.room * sizeof(*procs.all));
		if (!procs.all)
			abort();
	}
	procs.all[procs.count++] = p;
	p->p.pid = procs.next_pid++;
	p->p.parent = parent;
	p->p.born_ns = sys_now_ns();
	snprintf(p->p.name, sizeof(p->p.name), "%s", name);
	return p;
}

void processes_start(void)
{
	procs.next_pid = 1;
	procs.as = process_make(0, "init");
}

void processes_stop(void)
{
	for (unsigned i = 0; i < procs.count; i++)
		free(procs.all[i]->fds.at);
	for (unsigned i = 0; i < procs.count; i++)
		free(procs.all[i]);
	free(procs.all);
	memset(&procs, 0, sizeof(procs));
}

int sim_as(int pid)
{
	const int was = procs.as->p.pid;
	struct process *p = process_by(pid);

	if (p)
		procs.as = p;
	return was;
}

unsigned sim_open_fds(void)
{
	const struct process *p = process_by(1);
	unsigned n = 0;

	for (unsigned i = 0; i < p->fds.room; i++)
		n += p->fds.at[i] != NULL;
	return n;
}

void sim_spawn_error(int error, unsigned times)
{
	procs.spawn_error = -error;
	procs.spawn_errors = times;
}

/* ---- birth ---- */

static void inherit_fds(struct process *p, const struct process *from, const int *fds,
			unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct desc *d = fds[i] >= 0 && (unsigned)fds[i] < from->fds.room
					 ? from->fds.at[fds[i]]
					 : NULL;

		if (!d)
			continue;
		d->refs++;
		fd_install_at(&p->fds, i, d);
	}
}

static void copy_words(struct process *p, char *const *argv, char *const *envp)
{
	size_t used = 0;

	for (; argv && argv[p->p.argc] && p->p.argc < SIM_ARGS; p->p.argc++)
		snprintf(p->p.argv[p->p.argc], sizeof(p->p.argv[0]), "%s", argv[p->p.argc]);
	for (unsigned i = 0; envp && envp[i]; i++) {
		const size_t n = strlen(envp[i]) + 1;

		if (used + n + 1 > sizeof(p->p.env))
			break;
		memcpy(p->p.env + used, envp[i], n);
		used += n;
	}
}

int sys_spawn(const struct sys_spawn *what, int *ret_pidfd)
{
	struct process *p;
	int parent = procs.as->p.pid, fd = -1;

	door_call();
	if (procs.spawn_errors) {
		procs.spawn_errors--;
		return procs.spawn_error;
	}
	if (what->fd_count > 16)
		return -EINVAL;
	if (what->cgroup_fd >= 0 && !fd_desc(what->cgroup_fd))
		return -EBADF;
	for (unsigned i = 0; i < what->fd_count; i++)
		if (what->fds[i] >= 0 && !fd_desc(what->fds[i]))
			return -EBADF;
	if (what->flags & SYS_SPAWN_CLONE_PARENT)
		parent = procs.as->p.parent;
	p = process_make(parent, what->argv && what->argv[0] ? what->argv[0] : what->name);
	p->p.flags = what->flags;
	copy_words(p, what->argv, what->envp);
	inherit_fds(p, procs.as, what->fds, what->fd_count);
	cgroup_put(p, what->cgroup_fd >= 0 ? fd_desc(what->cgroup_fd)->node : procs.as->cgroup);
	if (ret_pidfd) {
		fd = sys_pidfd_open(p->p.pid);
		*ret_pidfd = fd;
	}
	if (hooks_now()->on_spawn)
		hooks_now()->on_spawn(&p->p);
	return p->p.pid;
}

int sim_process_new(int maker, int parent, const char *name, const int *fds, unsigned fd_count)
{
	struct process *from = process_by(maker);
	struct process *p = process_make(parent, name);

	inherit_fds(p, from, fds, fd_count);
	cgroup_put(p, from->cgroup);
	return p->p.pid;
}

/* ---- death ---- */

void sim_signal(int sig, int from_pid, int code)
{
	for (unsigned i = 0; i < procs.waiting_count; i++)
		if (procs.waiting[i].sig == sig)
			return; /* one of each, as in a kernel */
	if (procs.waiting_count < 32)
		procs.waiting[procs.waiting_count++] =
			(struct sys_signal){.sig = sig, .pid = from_pid, .code = code};
}

static void process_end(struct process *p, int status, bool signalled)
{
	if (!p || p->p.dead || p->p.pid == 1)
		return;
	p->p.dead = true;
	p->exit_status = status;
	p->signalled = signalled;
	fd_table_clear(&p->fds);
	for (unsigned i = 0; i < procs.count; i++)
		if (procs.all[i]->p.parent == p->p.pid)
			procs.all[i]->p.parent = 1;
	if (p->p.parent == 1)
		sim_signal(SIGCHLD, p->p.pid, CLD_EXITED);
	else
		p->p.reaped = true; /* its own parent is a script */
}

void sim_process_exit(int pid, int code)
{
	process_end(process_by(pid), code, false);
}

void sim_process_crash(int pid, int sig)
{
	process_end(process_by(pid), sig, true);
}

int sys_reap(struct sys_exit *ret)
{
	struct process *found[64];
	unsigned count = 0;
	bool any = false;

	door_call();
	for (unsigned i = 0; i < procs.count; i++) {
		struct process *p = procs.all[i];

		if (p->p.pid == 1 || p->p.parent != 1 || p->p.reaped)
			continue;
		any = true;
		if (p->p.dead && count < 64)
			found[count++] = p;
	}
	if (!count)
		return any ? 0 : -ECHILD;

	struct process *p = found[sim_random(count)];

	p->p.reaped = true;
	*ret = (struct sys_exit){
		.pid = p->p.pid, .signalled = p->signalled, .status = p->exit_status};
	return 1;
}

int sys_wait_pid(int pid, struct sys_exit *ret)
{
	struct process *p = process_by(pid);

	if (!p || p->p.reaped)
		return -ECHILD;
	if (!p->p.dead)
		sim_wrong("pid 1 waits for one process and is deaf meanwhile");
	p->p.reaped = true;
	*ret = (struct sys_exit){.pid = pid, .signalled = p->signalled, .status = p->exit_status};
	return 0;
}

static void killed(int pid, void *arg)
{
	process_end(process_by(pid), (int)(intptr_t)arg, true);
}

/* A signal on its way: the script may deal with it, else it kills a little later. */
void deliver(struct process *p, int sig)
{
	if (!p || p->p.dead || p->p.pid == 1 || sig == 0 || sig == SIGCONT)
		return;
	if (sig != SIGKILL) {
		if (hooks_now()->on_signal && hooks_now()->on_signal(&p->p, sig))
			return;
		if (p->p.stubborn)
			return;
	}
	if (p->p.asleep)
		p->p.kills++;
	else
		sim_after(sim_random(3), killed, p->p.pid, (void *)(intptr_t)sig);
}

int sys_kill(int pid, int sig)
{
	bool any = false;

	door_call();
	for (unsigned i = 0; i < procs.count; i++) {
		struct process *p = procs.all[i];

		if (p->p.pid == 1 || p->p.reaped)
			continue;
		if (pid != -1 && p->p.pid != (pid < 0 ? -pid : pid))
			continue;
		any = true;
		deliver(p, sig);
	}
	return any ? 0 : -ESRCH;
}

int sys_pidfd_open(int pid)
{
	struct process *p = process_by(pid);
	struct desc *d;

	door_call();
	if (!p || p->p.reaped)
		return -ESRCH;
	d = desc_new(DESC_PIDFD);
	d->pid = pid;
	return fd_install(d);
}

int sys_pidfd_signal(int pidfd, int sig)
{
	struct desc *d = fd_desc(pidfd);
	struct process *p = d && d->kind == DESC_PIDFD ? process_by(d->pid) : NULL;

	door_call();
	if (!d || d->kind != DESC_PIDFD)
		return -EBADF;
	if (!p || p->p.reaped)
		return -ESRCH;
	deliver(p, sig);
	return 0;
}

int sys_exec(int dir_fd, const char *name, char *const *argv, char *const *envp)
{
	if (procs.as->p.pid == 1)
		sim_end_run(SIM_EXEC, 0);
	return -ENOEXEC;
}

void sys_exit(int status)
{
	sim_end_run(SIM_EXIT, (uint64_t)status);
}

/* ---- messages for scripts ---- */

static void tell_script(int pid, void *arg)
{
	if (hooks_now()->on_message)
		hooks_now()->on_message(sim_process(pid), (int)(intptr_t)arg);
}

void message_arrived(const struct desc *d)
{
	for (unsigned i = 0; i < procs.count; i++) {
		const struct process *p = procs.all[i];

		for (unsigned fd = 0; p->p.pid != 1 && fd < p->fds.room; fd++)
			if (p->fds.at[fd] == d)
				sim_after(sim_random(3), tell_script, p->p.pid,
					  (void *)(intptr_t)fd);
	}
}

/* ---- signals of pid 1, and who we are ---- */

bool signals_pending(void)
{
	return procs.waiting_count > 0;
}

void sys_signals_reset(void) {}

int sys_signals_open(void)
{
	door_call();
	return fd_install(desc_new(DESC_SIGNALS));
}

int sys_signal_next(int fd, struct sys_signal *ret)
{
	struct desc *d = fd_desc(fd);

	door_call();
	if (!d || d->kind != DESC_SIGNALS)
		return -EBADF;
	if (!procs.waiting_count)
		return 0;
	*ret = procs.waiting[0];
	memmove(procs.waiting, procs.waiting + 1, --procs.waiting_count * sizeof(*ret));
	return 1;
}

int sys_on_fault(void (*handler)(int sig, uintptr_t address))
{
	return 0;
}

int sys_block_all(void)
{
	return 0;
}

int sys_unblock_all(void)
{
	return 0;
}

int sys_pid(void)
{
	return procs.as->p.pid;
}

int sys_parent_pid(void)
{
	return procs.as->p.parent;
}

uint32_t sys_uid(void)
{
	return 0;
}

int sys_subreaper(void)
{
	return 0;
}

int sys_setsid(void)
{
	return procs.as->p.pid;
}

int sys_limit_files(uint64_t soft)
{
	return 0;
}

int sys_only_when_idle(void)
{
	return 0;
}
