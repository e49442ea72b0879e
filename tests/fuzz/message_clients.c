/* SPDX-License-Identifier: MIT */
/*
 * message_clients.c - clients, see message_clients.h
 */
#include "message_clients.h"

#include <errno.h>
#include <string.h>

static const uint32_t uids[] = {0, 1000, 1001, 61000, 61001, 0};

struct day day;

unsigned byte(void)
{
	if (!day.left)
		return 0;
	day.left--;
	return *day.at++;
}

/* All that a client without rights must leave as it is. */
static uint64_t state_digest(void)
{
	const struct {
		const void *at;
		size_t n;
	} parts[] = {
		{&master.boot, sizeof(master.boot)},
		{&master.shutting_down, 1},
		{&master.final, 1},
		{&master.stop, sizeof(master.stop)},
		{&master.rows_used, sizeof(master.rows_used)},
		{&master.operators, sizeof(master.operators)},
		{&master.decider, sizeof(master.decider)},
		{&master.accept_ns, sizeof(master.accept_ns)},
		{master.sessions, master.sessions_top * sizeof(master.sessions[0])},
		{master.processes, master.ledger_top * sizeof(master.processes[0])},
		{master.callers, sizeof(master.callers)},
	};
	uint64_t h = 14695981039346656037ull, word;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (size_t k = 0; k < parts[i].n; k += 8) {
			word = 0;
			memcpy(&word, (const uint8_t *)parts[i].at + k,
			       parts[i].n - k < 8 ? parts[i].n - k : 8);
			h = (h ^ word) * 1099511628211ull;
			h ^= h >> 29;
		}
	return h;
}

/* ---- the manual's table of rights, once more ---- */

static bool owns(const struct client *c, uint32_t n)
{
	return n < master.sessions_top && master.sessions[n].state != SESSION_FREE &&
	       master.sessions[n].owner == c->uid;
}

static enum right right_of(const struct client *c, const struct sm_message *m)
{
	const bool root = c->uid == 0;
	const uint32_t first = m->b.stop_csr.session; /* most bodies begin with it */

	switch (m->h.call) {
	case SM_HELLO:
	case SM_STATUS:
	case SM_SESSION_ROW:
	case SM_LEDGER_ROW:
	case SM_BOOT_ROW:
	case SM_SUBSCRIBE:
	case SM_STOP_TEXT:
		return GRANTED;
	case SM_BOOT_ACCEPT:
		return root || m->b.boot_accept.verb == 0 || m->b.boot_accept.verb >= SM_DECISIONS
			       ? GRANTED
			       : DENIED;
	case SM_EXEC_PGM:
		return root || owns(c, first) ? GRANTED : DENIED;
	case SM_PROGRAM_ROW:
		return root || owns(c, m->b.program_row.session) ? GRANTED : DENIED;
	case SM_START_CSR:
		return root || c->operator? GRANTED : DENIED;
	case SM_STOP_CSR:
	case SM_SESSION_FREEZE:
		return first && (root || c->operator|| owns(c, first)) ? GRANTED : DENIED;
	case SM_SESSION_LIMITS:
	case SM_SHUTDOWN:
		return root ? GRANTED : DENIED;
	case SM_CREATE_FOREIGN_SESSION:
	case SM_TERMINATE_FOREIGN_SESSION:
	case SM_LOAD_DEFERED_SUBSYSTEM:
	case SM_START_SERVER_SILO:
		return NEVER;
	default:
		return m->h.call >= SM_SB_CREATE_PROCESS ? NEVER : DENIED;
	}
}

/* ---- what they do ---- */

void client_leave(struct client *c)
{
	const int was = sim_as(day.world);

	if (c->fd >= 0)
		sys_close(c->fd);
	sim_as(was);
	*c = (struct client){.fd = -1};
}

static void took(struct client *c, const struct sm_message *m)
{
	for (unsigned i = 0; i < c->waiting; i++) {
		if (c->asked[i].tag != m->h.tag)
			continue;
		HOLDS(c->asked[i].call == m->h.call);
		HOLDS(c->asked[i].right != DENIED || m->h.status == SM_ACCESS_DENIED);
		HOLDS(c->asked[i].right != NEVER || m->h.status == SM_NOT_IMPLEMENTED);
		c->asked[i] = c->asked[--c->waiting];
		return;
	}
	HOLDS(!"an answer that nobody waits for");
}

void client_read(struct client *c)
{
	const int was = sim_as(day.world);
	struct sm_message m;
	int fds[SYS_FDS_MAX];
	unsigned count = 0, got = 0;
	ssize_t n;

	while ((n = sys_receive(c->fd, &m, sizeof(m), fds, &count)) > 0) {
		got++;
		HOLDS(sm_message_check(&m, (size_t)n) == 0);
		HOLDS(!count ||
		      (m.h.reply && (m.h.call == SM_EXEC_PGM || m.h.call == SM_START_CSR)));
		for (unsigned i = 0; i < count; i++)
			sys_close(fds[i]);
		if (m.h.reply)
			took(c, &m);
		else
			HOLDS(c->subscribed && m.h.call >= SM_EVENT_BOOT_ROW);
	}
	sim_as(was);
	c->full = c->full || got >= SOCKET_QUEUE;
	if (n == 0 || (n < 0 && n != -EAGAIN)) {
		HOLDS(c->broke || !c->generation || /* it was refused a place */
		      c->full); /* it did not read, and is told so when who closes it has */
		client_leave(c);
	}
}

/* The row of a client's connection; NONE while it waits to be accepted, or has been dropped. */
static int peer_of(const struct client *c)
{
	const struct peer *p = &master.peers[c->peer];

	return c->generation && p->fd != NONE && p->generation == c->generation ? c->peer : NONE;
}

static void find_peer(struct client *c)
{
	const int was = sim_as(day.world);
	const struct desc *theirs = fd_desc(c->fd)->peer;

	sim_as(was);
	for (uint32_t i = 0; theirs && i < master.peers_top; i++)
		if (master.peers[i].fd != NONE && fd_desc(master.peers[i].fd) == theirs) {
			c->peer = (int)i;
			c->generation = master.peers[i].generation;
		}
}

void client_send(struct client *c, const void *bytes, size_t n, unsigned fd_count)
{
	const int was = sim_as(day.world);
	int fds[SYS_FDS_MAX];

	for (unsigned i = 0; i < fd_count; i++)
		fds[i] = c->fd;
	(void)!sys_send(c->fd, bytes, n, fds, fd_count);
	sim_as(was);
	day.messages++;
}

/* It is read at once, and what it could not change is compared. */
static void heard(struct client *c, bool granted)
{
	const bool nothing = !granted && c->waiting == 1;
	const uint64_t before = nothing ? state_digest() : 0;
	int peer;

	if (!c->generation) /* accepted since? */
		find_peer(c);
	peer = peer_of(c);
	if (peer == NONE || master.peers[peer].resting)
		return;
	peer_read(peer);
	HOLDS(!nothing || state_digest() == before);
	if (c->waiting > WAITING / 2)
		client_read(c);
}

void body_from_input(struct sm_message *m)
{
	const unsigned n = byte() % 24;
	uint8_t *b = (uint8_t *)&m->b;
	const unsigned session = byte() % 6;

	for (unsigned i = 0; i < n && i < m->h.length; i++)
		b[i] = (uint8_t)byte();
	if (m->h.call == SM_PROGRAM_ROW)
		m->b.program_row.session = session;
	else if (m->h.length >= 4 && n % 4 != 3)
		m->b.stop_csr.session = session; /* also the verb, the cursor, the action */
}

static void ask(struct client *c, struct sm_message *m)
{
	const enum right right = right_of(c, m);

	if (c->waiting == WAITING)
		client_read(c);
	if (c->fd < 0 || c->waiting == WAITING)
		return;
	m->h.tag = ++day.tag;
	c->asked[c->waiting].tag = m->h.tag;
	c->asked[c->waiting].call = m->h.call;
	c->asked[c->waiting++].right = (uint8_t)right;
	if (m->h.call == SM_SUBSCRIBE)
		c->subscribed = true;
	client_send(c, m, sm_message_bytes(m), 0);
	heard(c, right == GRANTED);
}

void act_ask(struct client *c, unsigned times)
{
	const unsigned call = byte() % SM_CALLS;
	struct sm_message m;

	if (sm_body_length(call, 0) < 0 || (call == SM_SHUTDOWN && byte() % 16))
		return;
	sm_message_start(&m, call, 0, 0);
	body_from_input(&m);
	for (unsigned i = 0; i < times && c->fd >= 0; i++) {
		m.b.stop_csr.session += i && m.h.length >= 4 && m.h.call < SM_HELLO;
		if (sm_message_check(&m, sm_message_bytes(&m)) == 0)
			ask(c, &m);
	}
}

void act_garbage(struct client *c)
{
	struct sm_message m;
	uint8_t *b = (uint8_t *)&m;
	size_t n = byte() % 64;

	memset(&m, 0, sizeof(m));
	m.h.call = (uint16_t)(byte() % (SM_CALLS + 4));
	m.h.reply = (uint16_t)(byte() % 3);
	m.h.length = byte() * 4;
	for (size_t i = sizeof(m.h); i < n; i++)
		b[i] = (uint8_t)byte();
	if (byte() % 2 && m.h.call < SM_CALLS && sm_body_length(m.h.call, m.h.reply) >= 0) {
		m.h.length = (uint32_t)sm_body_length(m.h.call, m.h.reply);
		n = sm_message_bytes(&m);
	}
	if (n >= sizeof(m.h) && m.h.reply == 1 && sm_message_check(&m, n) == 0) {
		client_send(c, &m, n, 0); /* an answer to nothing: left alone */
		heard(c, false);
		return;
	}
	if (n >= sizeof(m.h) && sm_message_check(&m, n) == 0) {
		ask(c, &m);
		return;
	}
	c->broke = true;
	client_send(c, &m, n, 0);
	heard(c, true);
}

void act_connect(struct client *c)
{
	const unsigned who = byte();
	unsigned own = 0;
	struct desc *d, *theirs;
	int was;

	if (c->fd >= 0)
		return;
	*c = (struct client){.fd = -1, .uid = uids[who % 6], .operator= who & 8 && uids[who % 6] };
	for (unsigned i = 0; i < CLIENTS; i++)
		own += day.clients[i].fd >= 0 && day.clients[i].uid == c->uid;
	was = sim_as(day.world);
	c->fd = sys_connect(SM_PORT_PATH);
	d = c->fd >= 0 ? fd_desc(c->fd) : NULL;
	sim_as(was);
	if (!d || !d->peer) {
		c->fd = -1;
		return;
	}
	d->nonblock = true;
	theirs = d->peer;
	theirs->cred.uid = c->uid;
	theirs->cred.gid = c->operator? OPERATORS : 60000;
	c->broke = c->uid && own >= CLIENTS_PER_UID;
	master_turn();
	find_peer(c);
}
