/* SPDX-License-Identifier: MIT */
/*
 * job.c - starting copies of ourselves (and pnp): fixed fds, one connection, a deadline
 *
 * The only place where the master makes a process. A copy's environment is what smss/copy.h lists
 * and nothing else; the kernel's own variables never reach anybody (pitfall 13).
 */
#include "smss/master/master.h"

#include <errno.h>
#include <stddef.h>

#define WORD_BYTES 160

struct copy_words { /* a copy's environment: storage and the vector over it */
	char hive[WORD_BYTES], state[WORD_BYTES], level[24], phase[24], safeboot[40], cgroup[64];
	char *vector[9];
};

static const char *const mode_words[] = {"SMSS_MODE=machine", "SMSS_MODE=namespace",
					 "SMSS_MODE=container"};

static char *word(char *room, size_t cap, const char *name, const char *value)
{
	struct text t = text_start(room, cap);

	text_add(text_add(&t, name), value);
	return room;
}

static char *number_word(char *room, size_t cap, const char *name, uint64_t value)
{
	struct text t = text_start(room, cap);

	text_u64(text_add(&t, name), value);
	return room;
}

static void fill_words(struct copy_words *w)
{
	unsigned n = 0;

	w->vector[n++] = (char *)(uintptr_t)mode_words[master.mode];
	w->vector[n++] = number_word(w->level, sizeof(w->level), "SMSS_LEVEL=", master.boot.level);
	w->vector[n++] = number_word(w->phase, sizeof(w->phase), "SMSS_PHASE=", master.boot.phase);
	if (master.words.hive[0])
		w->vector[n++] = word(w->hive, sizeof(w->hive), "SMSS_HIVE=", master.words.hive);
	if (master.words.state[0])
		w->vector[n++] =
			word(w->state, sizeof(w->state), "SMSS_STATE=", master.words.state);
	if (master.words.safeboot[0])
		w->vector[n++] = word(w->safeboot, sizeof(w->safeboot),
				      "SMSS_SAFEBOOT=", master.words.safeboot);
	if (master.words.lkg)
		w->vector[n++] = (char *)(uintptr_t) "SMSS_LKG=1";
	if (master.cgroup[0])
		w->vector[n++] = word(w->cgroup, sizeof(w->cgroup), "SMSS_CGROUP=", master.cgroup);
	w->vector[n] = NULL;
}

static int spawn(const struct job *j, int connection, int *ret_pidfd)
{
	/* ours are null, too, and what lies where it is wanted need not be moved */
	int fds[8] = {
		0, 1, 2, connection, master.plan_fd, master.env_fd, j->core_fds[0], j->core_fds[1]};
	struct copy_words words;
	char number[24];
	struct text t = TEXT_ON(number);
	char *argv[4] = {(char *)(uintptr_t) "smss", (char *)(uintptr_t)role_word(j->role), number,
			 NULL};
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = IMAGE_SMSS,
				 .argv = argv,
				 .envp = words.vector,
				 .fds = fds,
				 .fd_count = j->role == ROLE_SESSION ? 8 : 6,
				 .cgroup_fd = NONE,
				 .pidns_fd = NONE,
				 .flags = SYS_SPAWN_SETSID};

	if (j->n == SM_NO_SESSION)
		text_add(&t, COPY_AHEAD); /* it is told which */
	else
		text_u64(&t, j->n);
	fill_words(&words);
	if (j->role == ROLE_PNP || master.shutting_down)
		what.flags |= SYS_SPAWN_APART; /* nothing on a disk may hold us up */
	if (j->role == ROLE_PNP) {
		argv[0] = (char *)(uintptr_t) "pnp";
		argv[1] = NULL;
		what.name = IMAGE_PNP;
	}
	return sys_spawn(&what, ret_pidfd);
}

int job_start(const struct job *j)
{
	int pair[2], pidfd = NONE, peer, row, pid;
	int r = sys_socketpair(pair);

	if (r < 0)
		return r;
	pid = spawn(j, pair[1], &pidfd);
	sys_closep(&pair[1]);
	if (pid < 0) {
		sys_closep(&pair[0]);
		return pid;
	}
	row = ledger_add(pid, pidfd, j->role, j->session, j->name);
	if (row == NONE) {
		(void)!sys_kill(pid, 9);
		sys_closep(&pair[0]);
		return -ENOSPC;
	}
	peer = peer_add(pair[0], j->role, j->session == SM_NO_SESSION ? 0 : j->session);
	master.processes[row].peer = (int16_t)peer;
	ledger_set_why(row, j->why);
	if (j->deadline_s)
		master.processes[row].deadline_ns = sys_now_ns() + j->deadline_s * NS_PER_S;
	if (peer == NONE) { /* it would wait for answers that never come */
		ledger_kill(row);
		return -ENOSPC;
	}
	master.peers[peer].pid = (uint32_t)pid;
	return row;
}
