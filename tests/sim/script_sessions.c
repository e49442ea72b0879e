/* SPDX-License-Identifier: MIT */
/*
 * script_sessions.c - how the copies that make, mend and clear away sessions behave; see script.h
 *
 * A session copy makes its group and directory, hands csrss and initial command over, and says that
 * it is done; one that was told to makes csrss alone. What misfortune makes of that: refusals,
 * servers that never register or die late, copies that linger, directories that are not empty.
 */
#include "script_inner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct room { /* what a session copy has made so far, in its process's `user` as a number */
	int csrss, initial;
	uint32_t session; /* the master said */
	bool with_word;   /* the initial command comes with SessionComplete */
};

static struct room rooms[4096];

static void join_group(int copy, uint32_t session, int pid)
{
	const int was = sim_as(copy);
	char path[96], text[16];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/smss/session-%u", session);
	(void)!sys_mkdir(AT_FDCWD, path, 0755);
	snprintf(path, sizeof(path), "/sys/fs/cgroup/smss/session-%u/cgroup.procs", session);
	snprintf(text, sizeof(text), "%d", pid);
	(void)!sys_write_file(AT_FDCWD, path, text);
	sim_as(was);
}

static int core_process(int copy, uint32_t session, int connection, const char *name)
{
	const int fds[4] = {0, 1, 2, connection};
	const int pid = sim_process_new(copy, 1, name, fds, 4);

	join_group(copy, session, pid);
	return pid;
}

/* Returns the pidfd that goes with it, or -errno. */
static int describe(int copy, uint32_t session, enum role role, int pid, struct sm_handover *ret)
{
	const int was = sim_as(copy);
	int fd = sys_pidfd_open(pid);

	sim_as(was);
	play.counts[role]++;
	*ret = (struct sm_handover){.session = session, .role = role, .pid = (uint32_t)pid};
	snprintf(ret->image, sizeof(ret->image), "%s",
		 role == ROLE_CSRSS ? "csrss"
		 : session          ? "winlogon"
				    : "wininit");
	return fd;
}

static void hand_over(int copy, uint32_t session, enum role role, int pid)
{
	struct sm_message m;
	int fd;

	sm_message_start(&m, SM_HANDOVER, 0, (uint32_t)role);
	fd = describe(copy, session, role, pid, &m.b.handover);
	say_to_master(copy, &m, &fd, fd >= 0 ? 1 : 0);
}

static uint32_t session_of(int copy)
{
	return rooms[copy].session;
}

static void do_register(int pid, void *arg)
{
	struct sm_message m;

	sm_message_start(&m, SM_REGISTER, 0, 1);
	m.b.reg.role = ROLE_CSRSS;
	m.b.reg.pid = (uint32_t)pid;
	say_to_master(pid, &m, NULL, 0);
}

static void fall(int pid, void *arg)
{
	sim_process_crash(pid, SIGABRT);
}

static void do_complete(int pid, void *arg)
{
	const enum mood how = mood();
	struct sm_message m;
	int fd = -1;

	sm_message_start(&m, SM_SESSION_COMPLETE, 0, 9);
	m.b.session_complete.session = session_of(pid);
	m.b.session_complete.owner = SM_NO_OWNER;
	if (how == MOOD_FAIL || how == MOOD_SILENT) {
		m.b.session_complete.status = SM_NOT_SUPPORTED;
		snprintf(m.b.session_complete.text, TEXT_BYTES, "refused");
	}
	if (how == MOOD_LIE)
		m.b.session_complete.isolation = UINT32_MAX;
	if (!sim_random(8))
		m.b.session_complete.lifetime_s = 1 + (uint32_t)sim_random(30);
	if (rooms[pid].with_word)
		fd = describe(pid, session_of(pid), ROLE_INITIAL, rooms[pid].initial,
			      &m.b.session_complete.initial);
	if (how == MOOD_GARBAGE) { /* it says what it did not bring, or brings what it is not */
		m.b.session_complete.initial.pid = (uint32_t)pid;
		m.b.session_complete.initial.role = (uint32_t)sim_random(30);
	}
	say_to_master(pid, &m, &fd, fd >= 0 && how != MOOD_LIE ? 1 : 0);
	if (how == MOOD_HANG) { /* it lingers */
		play.lingering++;
		sim_process(pid)->stubborn = true;
	} else {
		leave_soon(pid, m.b.session_complete.status ? 1 : 0);
	}
}

/* csrss has registered: the initial command, and that is all. */
static void do_initial(int pid, void *arg)
{
	const uint32_t n = session_of(pid);
	const enum mood how = mood();

	rooms[pid].initial = core_process(pid, n, 7, "initial");
	/* before the word that all is complete, or with it */
	rooms[pid].with_word = sim_random(4);
	if (!rooms[pid].with_word)
		hand_over(pid, n, ROLE_INITIAL, rooms[pid].initial);
	if (how == MOOD_CRASH)
		sim_after(sim_random(9000), fall, rooms[pid].initial, NULL);
	else if (how == MOOD_HANG)
		sim_process(rooms[pid].initial)->stubborn = true;
	else if (how == MOOD_LIE) /* handed over twice */
		hand_over(pid, n, ROLE_INITIAL, rooms[pid].initial);
	sim_after(1 + sim_random(3), do_complete, pid, NULL);
}

/* A directory of its own, which is not always empty at the end. */
static void make_directory(int copy, uint32_t n)
{
	const int was = sim_as(copy);
	char path[96];

	snprintf(path, sizeof(path), "/run/smss/sessions/%u", n);
	(void)!sys_mkdir(AT_FDCWD, path, 0755);
	if (!sim_random(3)) {
		snprintf(path, sizeof(path), "/run/smss/sessions/%u/left", n);
		(void)!sys_mkdir(AT_FDCWD, path, 0755);
	}
	if (!sim_random(6)) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/smss/session-%u/nested", n);
		(void)!sys_mkdir(AT_FDCWD, path, 0755);
	}
	sim_as(was);
}

static void start_csrss(int pid, uint32_t n, enum mood how)
{
	rooms[pid].csrss = core_process(pid, n, 6, "csrss");
	hand_over(pid, n, ROLE_CSRSS, rooms[pid].csrss);
	if (how == MOOD_CRASH)
		sim_after(sim_random(sim_random(2) ? 40 : 40000), fall, rooms[pid].csrss, NULL);
	else if (how == MOOD_GARBAGE)
		talk_nonsense(rooms[pid].csrss);
	else if (how == MOOD_LIE) /* somebody else's pid */
		hand_over(pid, n, ROLE_INITIAL, pid);
	if (how != MOOD_HANG && how != MOOD_SILENT)
		sim_after(1 + sim_random(5), do_register, rooms[pid].csrss, NULL);
}

/* Another server for a session that lost it: fd 7 is no connection then. */
static void do_restart(int pid, void *arg)
{
	play.restarts++;
	rooms[pid].initial = pid;
	start_csrss(pid, session_of(pid), mood());
}

static void do_session(int pid, void *arg)
{
	const uint32_t n = session_of(pid);
	struct sm_message m;

	if (n && mood() == MOOD_FAIL) { /* refused before anything is made */
		sm_message_start(&m, SM_SESSION_COMPLETE, 0, 9);
		m.b.session_complete.session = n;
		m.b.session_complete.status = SM_NOT_SUPPORTED;
		say_to_master(pid, &m, NULL, 0);
		leave_soon(pid, 1);
		return;
	}
	start_csrss(pid, n, mood());
	make_directory(pid, n);
	if (n == 0 && play.s.kill_csrss_of_zero)
		sim_after(60000, fall, rooms[pid].csrss, NULL);
	if (n && play.s.kill_servers)
		sim_after(20000 + sim_random(40000), fall, rooms[pid].csrss, NULL);
	if (sim_random(4) == 0) { /* a daemon that left its parent */
		int stray = sim_process_new(rooms[pid].csrss, 1, "stray", NULL, 0);

		leave_soon(stray, 0);
	}
}

bool script_session_message(struct sim_process *p, const struct sm_message *m)
{
	struct room *r = &rooms[p->pid];

	if (m->h.call == SM_SB_SESSION)
		*r = (struct room){.session = m->b.sb_session.session};
	if (m->h.call == SM_SB_SESSION)
		sim_after(1 + sim_random(8),
			  m->b.sb_session.flags & SM_SESSION_RESTART ? do_restart : do_session,
			  p->pid, NULL);
	else if (m->h.call == SM_SB_LIMITS)
		leave_soon(p->pid, (int)sim_random(2));
	else if (m->h.call == SM_SB_REGISTERED && !r->initial)
		sim_after(sim_random(2), do_initial, p->pid, NULL);
	else if (m->h.call == SM_SB_REGISTERED && r->initial == p->pid)
		sim_after(sim_random(2), do_complete, p->pid, NULL);
	else
		return false;
	return true;
}

void script_sweep(int pid, void *arg)
{
	static const char *const places[] = {"/run/smss/sessions/%u/left",
					     "/sys/fs/cgroup/smss/session-%u/nested"};
	const uint32_t n = (uint32_t)strtoul(sim_process(pid)->argv[2], NULL, 10);
	const int was = sim_as(pid);
	struct sm_message m;
	char path[96];

	play.sweeps++;
	for (unsigned i = 0; i < 2 && !arg; i++) {
		snprintf(path, sizeof(path), places[i], n);
		(void)!sys_unlink(AT_FDCWD, path, AT_REMOVEDIR);
	}
	sim_as(was);
	if (sim_random(2)) {
		sm_message_start(&m, SM_SESSION_LEFT, 0, 0);
		m.b.session_left = (struct sm_session_left){.session = n, .left = 1, .pid = 7};
		say_to_master(pid, &m, NULL, 0);
	}
	leave_soon(pid, arg != NULL);
}
