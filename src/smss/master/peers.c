/* SPDX-License-Identifier: MIT */
/*
 * peers.c - connections of the API port: taking, dropping, sending without ever waiting
 *
 * Nothing is queued here. An answer that does not fit means a client that does not read: it is
 * dropped. An event that does not fit is counted, and the count is told with the next one that
 * does (pitfall 39).
 */
#include "smss/master/master.h"

#include <errno.h>

#define MESSAGES_PER_TURN 32u /* of one connection: nobody may keep us from the others */

struct waiter waiter_none(void)
{
	return (struct waiter){.peer = NONE};
}

void waiter_answer(struct waiter *w, struct sm_message *m, uint32_t status, const int *fds,
		   unsigned fd_count)
{
	if (w->peer == NONE)
		return;
	if (master.peers[w->peer].fd != NONE && master.peers[w->peer].generation == w->generation) {
		m->h.reply = 1;
		m->h.tag = w->tag;
		m->h.status = status;
		peer_send_with(w->peer, m, fds, fd_count);
	}
	*w = waiter_none();
}

int peer_add(int fd, enum role role, uint32_t session)
{
	uint32_t i = 0;

	while (i < master.peers_top && master.peers[i].fd != NONE)
		i++;
	if (i == PEERS_MAX) {
		sys_closep(&fd);
		return NONE;
	}
	master.peers[i] = (struct peer){.fd = fd,
					.session = session,
					.generation = ++master.generations,
					.role = (uint8_t)role};
	if (sys_set_blocking(fd, false) < 0 ||
	    sys_epoll_add(master.epoll, fd, SYS_READ, (uint64_t)master.generations << 32 | i) < 0) {
		sys_closep(&master.peers[i].fd);
		return NONE;
	}
	if (i >= master.peers_top)
		master.peers_top = i + 1;
	if (role == ROLE_CLIENT)
		master.clients++;
	return (int)i;
}

/* Whoever pointed at this connection must not meet its next owner. */
static void forget(int peer)
{
	for (uint32_t n = 0; n < master.sessions_top; n++) {
		struct session *s = &master.sessions[n];

		if (s->csrss_peer == peer)
			s->csrss_peer = NONE;
		if (s->initial_peer == peer)
			s->initial_peer = NONE;
		if (s->copy_peer == peer)
			s->copy_peer = NONE;
	}
	for (uint32_t i = 0; i < master.ledger_top; i++)
		if (master.processes[i].pid && master.processes[i].peer == peer)
			master.processes[i].peer = NONE;
}

/*
 * Closing a socket releases what is queued in it, and the last close of some fds sleeps for as long
 * as their sender likes (SO_LINGER, FUSE). Such a one is closed by a process that may hang: it
 * holds the socket until we have let go of ours, which the end of a pipe tells it.
 */
static void close_elsewhere(int fd)
{
	char *argv[] = {(char *)(uintptr_t) "smss", (char *)(uintptr_t) "hold", NULL},
	     *envp[] = {NULL};
	int ends[2], fds[4];
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = IMAGE_SMSS,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .fd_count = 4,
				 .cgroup_fd = NONE,
				 .pidns_fd = NONE};

	if (sys_pipe(ends) < 0)
		return;
	fds[0] = ends[0];
	fds[1] = fds[2] = master.null;
	fds[3] = fd;
	(void)!sys_spawn(&what, NULL); /* reaped as an orphan */
	sys_closep(&fd);
	sys_closep(&ends[0]);
	sys_closep(&ends[1]);
}

static void leave_client(int *fd)
{
	(void)!sys_shut(*fd);
	if (sys_unread(*fd))
		close_elsewhere(fd_take(*fd));
	sys_closep(fd);
}

void peer_drop(int peer)
{
	struct peer *p = &master.peers[peer];

	if (p->fd == NONE)
		return;
	(void)sys_epoll_drop(master.epoll, p->fd);
	if (p->role == ROLE_CLIENT) {
		leave_client(&p->fd);
		p->fd = NONE;
		master.clients--;
	} else {
		sys_closep(&p->fd);
		forget(peer);
	}
	while (master.peers_top && master.peers[master.peers_top - 1].fd == NONE)
		master.peers_top--;
}

void peer_send_with(int peer, const struct sm_message *m, const int *fds, unsigned fd_count)
{
	struct peer *p = &master.peers[peer];
	ssize_t r;

	if (p->fd == NONE)
		return;
	r = sys_send(p->fd, m, sm_message_bytes(m), fds, fd_count);
	if (r < 0 && p->role == ROLE_CLIENT)
		peer_drop(peer);
}

void peer_send(int peer, const struct sm_message *m)
{
	peer_send_with(peer, m, NULL, 0);
}

static void tell(struct peer *p, const struct sm_message *m)
{
	struct sm_message lost;

	if (p->lost) {
		sm_message_start(&lost, SM_EVENT_LOST, 0, 0);
		lost.b.lost.count = p->lost;
		if (sys_send(p->fd, &lost, sm_message_bytes(&lost), NULL, 0) >= 0)
			p->lost = 0;
	}
	if (p->lost || sys_send(p->fd, m, sm_message_bytes(m), NULL, 0) < 0)
		p->lost++;
}

void peer_tell_all(const struct sm_message *m)
{
	if (!master.clients)
		return;
	for (uint32_t i = 0; i < master.peers_top; i++)
		if (master.peers[i].fd != NONE && master.peers[i].subscribed)
			tell(&master.peers[i], m);
}

static uint32_t clients_of(uint32_t uid)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < master.peers_top; i++)
		count += master.peers[i].fd != NONE && master.peers[i].role == ROLE_CLIENT &&
			 master.peers[i].uid == uid;
	return count;
}

/* No room for another fd: who waits goes on waiting, and we do not spin over it. */
static void rest_listener(void)
{
	(void)sys_epoll_drop(master.epoll, master.listener);
	master.listen_again_ns = sys_now_ns() + NS_PER_S;
}

void peers_accept(void)
{
	struct sys_peer who;

	for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
		int fd = sys_accept(master.listener, &who), peer;

		if (fd < 0) {
			if (fd != -EAGAIN && fd != -ECONNABORTED)
				rest_listener();
			return;
		}
		/* root always finds a place: it must be able to stop a machine under a flood */
		if (who.uid != 0 &&
		    (master.clients >= CLIENTS_MAX || clients_of(who.uid) >= CLIENTS_PER_UID)) {
			leave_client(&fd);
			continue;
		}
		peer = peer_add(fd, ROLE_CLIENT, SM_NO_SESSION);
		if (peer == NONE)
			continue;
		master.peers[peer].uid = who.uid;
		master.peers[peer].pid = (uint32_t)who.pid;
	}
}

static void close_fds(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sys_closep(&fds[i]);
}

void peer_read(int peer)
{
	struct peer *p = &master.peers[peer];
	uint32_t generation = p->generation;

	for (unsigned i = 0; i < MESSAGES_PER_TURN; i++) {
		struct sm_message m;
		int fds[SYS_FDS_MAX];
		unsigned fd_count = 0;
		ssize_t n;

		if (p->fd == NONE || p->generation != generation)
			return;
		if (p->role == ROLE_CLIENT && sys_unread(p->fd) == 2) {
			peer_drop(peer); /* no call of a client takes an fd: not even received */
			return;
		}
		n = sys_receive(p->fd, &m, sizeof(m), fds, &fd_count);
		if (n == -EAGAIN)
			return;
		if (n <= 0 || sm_message_check(&m, (size_t)n) < 0) {
			/* gone, or it speaks something else: either way we are done with it */
			close_fds(fds, fd_count); /* an empty message may bring some, too */
			peer_drop(peer);
			return;
		}
		api_call(peer, &m, fds, fd_count);
		close_fds(fds, fd_count);
	}
}
