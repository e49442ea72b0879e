/* SPDX-License-Identifier: MIT */
/*
 * peers.c - connections of the API port: taking, dropping, sending without ever waiting
 *
 * Nothing is queued here. An answer that does not fit means a client that does not read: it is
 * dropped. An event that does not fit is counted, and the count is told with the next one that
 * does (pitfall 39).
 */
#include "smss/master/calls.h"

#include <errno.h>

#define MESSAGES_PER_TURN                                                                          \
	32u                 /* of one connection of our own: nobody may keep us from the others    \
			     */
#define CALLS_PER_TURN   8u /* of a client's */
#define ACCEPTS_PER_TURN 12u
#define GROUPS_MAX       256u /* supplementary groups of a client that are looked at */
#define UNREAD_MAX       16u
#define HOLD_CALLS       100u      /* what a process that closes a socket for us costs its user */
#define NO_FDS_NS        NS_PER_S  /* until there may be room for more fds */
#define REFUSED_NS       NS_PER_MS /* after a turn of refusals alone */
#define HELD_NS          (20 * NS_PER_MS) /* after refusals that took a process */

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
		(void)peer_send_with(w->peer, m, fds, fd_count);
	}
	*w = waiter_none();
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
 * as their sender likes (SO_LINGER, FUSE). Such ones are closed by a process that may hang: it
 * holds them until we have let go of ours, which the end of a pipe tells it.
 */
static void close_elsewhere(int *sockets, unsigned count)
{
	char *argv[] = {(char *)(uintptr_t) "smss", (char *)(uintptr_t) "hold", NULL},
	     *envp[] = {NULL};
	int ends[2], fds[3 + ACCEPTS_PER_TURN];
	struct sys_spawn what = {.dir_fd = AT_FDCWD,
				 .name = IMAGE_SMSS,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .fd_count = 3 + count,
				 .cgroup_fd = NONE,
				 .pidns_fd = NONE};

	if (count && sys_pipe(ends) >= 0) {
		fds[0] = ends[0];
		fds[1] = fds[2] = master.null;
		for (unsigned i = 0; i < count; i++)
			fds[3 + i] = sockets[i];
		(void)!sys_spawn(&what, NULL); /* reaped as an orphan */
		sys_closep(&ends[0]);
		sys_closep(&ends[1]);
	}
	for (unsigned i = 0; i < count; i++)
		sys_closep(&sockets[i]);
}

/* Nothing more can come, and what had come was plain: it can be closed here. */
static bool emptied(int fd)
{
	struct sm_message m;

	(void)!sys_shut(fd);
	for (unsigned i = 0; i < UNREAD_MAX; i++) {
		int what = sys_unread(fd);

		if (what == SYS_UNREAD_NONE || what == SYS_UNREAD_GONE)
			return true;
		if (what == SYS_UNREAD_FDS || sys_receive(fd, &m, sizeof(m), NULL, NULL) == -EAGAIN)
			return false;
	}
	return false;
}

static void leave_client(int *fd, uint32_t uid)
{
	if (!emptied(*fd)) {
		quota_pay(uid, sys_now_ns(), HOLD_CALLS);
		close_elsewhere(fd, 1);
	}
	sys_closep(fd);
}

/* Root of a session may be anybody's: what its core processes send is as foreign as a client's. */
static bool is_core(unsigned role)
{
	return role == ROLE_CSRSS || role == ROLE_INITIAL;
}

static void refuse(int fd, enum role role)
{
	if (role == ROLE_CLIENT)
		leave_client(&fd, 0);
	sys_closep(&fd);
}

int peer_add(int fd, enum role role, uint32_t session)
{
	uint32_t i = 0;

	while (i < master.peers_top && master.peers[i].fd != NONE)
		i++;
	if (i == PEERS_MAX) {
		refuse(fd, role);
		return NONE;
	}
	master.peers[i] = (struct peer){.fd = fd,
					.session = session,
					.generation = ++master.generations,
					.role = (uint8_t)role};
	/* A client's was born so, by accept. */
	if ((role != ROLE_CLIENT && sys_set_blocking(fd, false) < 0) ||
	    (is_core(role) && sys_pass_credentials(fd) < 0) ||
	    sys_epoll_add(master.epoll, fd, SYS_READ, (uint64_t)master.generations << 32 | i) < 0) {
		refuse(fd_take(master.peers[i].fd), role);
		return NONE;
	}
	if (i >= master.peers_top)
		master.peers_top = i + 1;
	if (role == ROLE_CLIENT)
		master.clients++;
	return (int)i;
}

void peer_drop(int peer)
{
	struct peer *p = &master.peers[peer];

	if (p->fd == NONE)
		return;
	if (!p->resting)
		(void)sys_epoll_drop(master.epoll, p->fd);
	if (p->role == ROLE_CLIENT) {
		callers_forget(peer, p->generation);
		leave_client(&p->fd, p->uid);
		master.clients--;
		master.subscribers -= p->subscribed;
	} else {
		if (is_core(p->role))
			leave_client(&p->fd, 0);
		sys_closep(&p->fd);
		forget(peer);
	}
	while (master.peers_top && master.peers[master.peers_top - 1].fd == NONE)
		master.peers_top--;
}

int peer_send_with(int peer, const struct sm_message *m, const int *fds, unsigned fd_count)
{
	struct peer *p = &master.peers[peer];
	ssize_t r;

	if (p->fd == NONE)
		return -EPIPE;
	r = sys_send(p->fd, m, sm_message_bytes(m), fds, fd_count);
	if (r < 0 && p->role == ROLE_CLIENT)
		peer_drop(peer);
	return r < 0 ? (int)r : 0;
}

void peer_send(int peer, const struct sm_message *m)
{
	(void)peer_send_with(peer, m, NULL, 0);
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
	if (!master.subscribers)
		return;
	for (uint32_t i = 0; i < master.peers_top; i++)
		if (master.peers[i].fd != NONE && master.peers[i].subscribed)
			tell(&master.peers[i], m);
}

/* Who waits goes on waiting, and we do not spin over it. */
static void rest_listener(uint64_t ns)
{
	(void)sys_epoll_drop(master.epoll, master.listener);
	master.listen_again_ns = sys_now_ns() + ns;
}

/* Looked at once: who joins the group connects again. */
static bool is_operator(int fd, const struct sys_peer *who)
{
	uint32_t groups[GROUPS_MAX];
	int n;

	if (master.operators == SM_NO_OWNER || !who->uid)
		return false;
	if (who->gid == master.operators)
		return true;
	n = sys_peer_groups(fd, groups, GROUPS_MAX);
	for (int i = 0; i < n; i++)
		if (groups[i] == master.operators)
			return true;
	return false;
}

/* A place for a client; false: refused, and fd is still the caller's. */
static bool take_client(int fd, const struct sys_peer *who)
{
	const bool operator= is_operator(fd, who);
	int peer;

	quota_pay(who->uid, sys_now_ns(), 1);
	if (!quota_place(who->uid, operator))
		return false;
	peer = peer_add(fd, ROLE_CLIENT, SM_NO_SESSION);
	if (peer == NONE)
		return true; /* closed already */
	master.peers[peer].uid = who->uid;
	master.peers[peer].pid = (uint32_t)who->pid;
	master.peers[peer].operator= operator;
	return true;
}

void peers_accept(void)
{
	int held[ACCEPTS_PER_TURN];
	unsigned held_count = 0, refused = 0;
	struct sys_peer who;

	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = sys_accept(master.listener, &who);

		if (fd < 0) {
			if (fd != -EAGAIN && fd != -ECONNABORTED)
				rest_listener(NO_FDS_NS);
			break;
		}
		if (take_client(fd, &who))
			continue;
		refused++;
		if (emptied(fd))
			sys_closep(&fd);
		else
			held[held_count++] = fd;
	}
	close_elsewhere(held, held_count);
	if (held_count)
		rest_listener(HELD_NS);
	else if (refused == ACCEPTS_PER_TURN)
		rest_listener(REFUSED_NS);
}

static void close_fds(int *fds, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		sys_closep(&fds[i]);
}

/*
 * May a client's next message be taken? If not, there is none, it rests, or it has been dropped.
 * No call of a client takes an fd: a message with some is not even received.
 */
static bool hear_client(int peer)
{
	struct peer *p = &master.peers[peer];
	uint64_t now = p->uid ? sys_now_ns() : 0;

	if (!quota_left(p->uid, now)) {
		peer_rest(peer, now);
		return false;
	}
	switch (sys_unread(p->fd)) {
	case SYS_UNREAD_NONE:
		return false;
	case SYS_UNREAD_PLAIN:
		quota_pay(p->uid, now, 1);
		return true;
	default:
		peer_drop(peer);
		return false;
	}
}

/* fds come from a csrss alone, and only as the answer to somebody who waits for a program. */
static bool fds_due(const struct peer *p)
{
	for (uint32_t i = 0; p->role == ROLE_CSRSS && i < CALLERS_MAX; i++)
		if (master.callers[i].kind == CALLER_EXEC &&
		    master.callers[i].session == p->session)
			return true;
	return false;
}

static bool hear_core(int peer)
{
	if (sys_unread(master.peers[peer].fd) != SYS_UNREAD_FDS || fds_due(&master.peers[peer]))
		return true;
	peer_drop(peer);
	return false;
}

void peer_read(int peer)
{
	struct peer *p = &master.peers[peer];
	uint32_t generation = p->generation;
	const bool client = p->role == ROLE_CLIENT;

	for (unsigned i = 0; i < (client ? CALLS_PER_TURN : MESSAGES_PER_TURN); i++) {
		struct sm_message m;
		int fds[SYS_FDS_MAX];
		unsigned fd_count = 0;
		ssize_t n;

		if (p->fd == NONE || p->generation != generation)
			return;
		if (client ? !hear_client(peer) : is_core(p->role) && !hear_core(peer))
			return;
		n = sys_receive(p->fd, &m, sizeof(m), fds, &fd_count);
		if (n == -EAGAIN)
			return;
		if (n == -ECONNRESET)
			continue; /* it ended without reading all: told once, before its last words
				   */
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
