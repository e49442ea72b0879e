/* SPDX-License-Identifier: MIT */
/*
 * client.c - libsm's connection: one request, one answer, events kept in between; see sm.h
 *
 * Whatever arrives is checked for form before it is looked into (wire/wire.h), also by a client:
 * the socket's name may come from a command line. Every wait has a deadline (law 10). A connection
 * that broke the protocol once stays broken.
 */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Milliseconds until a deadline for poll(2); 0 when it has passed. */
static int left_ms(uint64_t deadline_ns)
{
	uint64_t now = sys_now_ns();

	return now >= deadline_ns ? 0 : (int)((deadline_ns - now + 999999u) / 1000000u);
}

static void keep_event(struct sm_connection *c, const struct sm_message *m)
{
	struct sm_event event;

	if (client_event(m, &event) == 0)
		return;
	if (c->held == EVENTS_HELD) {
		c->lost++;
		return;
	}
	c->events[(c->first + c->held) % EVENTS_HELD] = event;
	c->held++;
}

static void drop_fds(struct sm_connection *c)
{
	for (unsigned i = 0; i < c->fd_count; i++)
		sys_close(c->fds[i]);
	c->fd_count = 0;
}

int client_take_fds(struct sm_connection *c, unsigned count, int *ret)
{
	if (c->fd_count != count) {
		drop_fds(c);
		return -EPROTO;
	}
	memcpy(ret, c->fds, count * sizeof(*ret));
	c->fd_count = 0;
	return 0;
}

/* One datagram. 1 = an answer or event of right form, 0 = none here now, else c is broken. */
static int receive(struct sm_connection *c, struct sm_message *ret)
{
	struct sm_message m;
	ssize_t n;

	drop_fds(c); /* nobody wanted them */
	n = sys_receive(c->fd, &m, sizeof(m), c->fds, &c->fd_count);
	if (n == -EAGAIN)
		return 0;
	if (n == 0 || n == -ECONNRESET || n == -EPIPE)
		return c->broken = -ENOTCONN;
	if (n < 0)
		return c->broken = n == -EMSGSIZE ? -EPROTO : (int)n;
	if (sm_message_check(&m, (size_t)n) < 0)
		return c->broken = -EPROTO;
	memcpy(ret, &m, (size_t)n);
	return 1;
}

static int send_request(struct sm_connection *c, const struct sm_message *m, uint64_t deadline_ns)
{
	for (;;) {
		ssize_t n = sys_send(c->fd, m, sm_message_bytes(m), NULL, 0);

		if (n >= 0)
			return 0;
		if (n == -EPIPE || n == -ECONNRESET) {
			/* It may have said why before it closed: that is read by the caller. */
			return 0;
		}
		if (n != -EAGAIN)
			return c->broken = (int)n;
		if (left_ms(deadline_ns) == 0)
			return -ETIMEDOUT;
		if (sys_wait_fd(c->fd, SYS_WRITE, left_ms(deadline_ns)) < 0)
			return c->broken = -ENOTCONN;
	}
}

/* The reason that an answer gives; a session that was made has none, whatever it says. */
static void keep_text(struct sm_connection *c, const struct sm_message *m)
{
	const bool refused = m->h.status != SM_OK;

	c->last_status = m->h.status;
	if (refused && m->h.call == SM_START_CSR)
		str_copy(c->last_text, sizeof(c->last_text), m->b.start_csr.text);
	else if (refused && m->h.call == SM_BOOT_ACCEPT)
		str_copy(c->last_text, sizeof(c->last_text), m->b.boot_accept.text);
}

int client_ask(struct sm_connection *c, struct sm_message *m, int patience)
{
	uint64_t deadline_ns =
		sys_now_ns() + (uint64_t)c->timeout_ms * 1000000u * (uint64_t)patience;
	unsigned call = m->h.call;
	int r;

	c->last_text[0] = 0;
	if (c->broken)
		return c->broken;
	m->h.tag = ++c->tag;
	r = send_request(c, m, deadline_ns);
	while (r == 0) {
		struct sm_message in;

		r = receive(c, &in);
		if (r < 0)
			return r;
		if (r == 0) {
			if (left_ms(deadline_ns) == 0)
				return -ETIMEDOUT;
			r = sys_wait_fd(c->fd, SYS_READ, left_ms(deadline_ns));
			if (r < 0)
				return c->broken = r;
			r = 0;
			continue;
		}
		r = 0;
		if (!in.h.reply) {
			keep_event(c, &in);
			continue;
		}
		if (in.h.tag != c->tag)
			continue; /* the answer to something that was given up */
		if (in.h.call != call)
			return c->broken = -EPROTO;
		memcpy(m, &in, sm_message_bytes(&in));
		keep_text(c, &in);
		return client_error(in.h.status);
	}
	return r;
}

int sm_open(const char *path, struct sm_connection **ret)
{
	struct sm_connection *c;
	struct sys_peer peer;
	struct sm_message m;
	int fd = sys_connect_within(path ? path : SM_PORT_PATH, TIMEOUT_MS);
	int r;

	if (fd < 0)
		return fd;
	c = calloc(1, sizeof(*c));
	if (!c) {
		sys_close(fd);
		return -ENOMEM;
	}
	c->fd = fd;
	c->timeout_ms = TIMEOUT_MS;
	sm_message_start(&m, SM_HELLO, 0, 0);
	m.b.hello.version = SM_VERSION;
	r = client_ask(c, &m, 1);
	if (r == 0 && m.b.hello.version != SM_VERSION)
		r = -EPROTO;
	if (r < 0) {
		sm_close(c);
		/* Closed or told off before the first answer: it has no place for us just now. */
		return r == -ENOTCONN || r == -ENOSPC ? -EBUSY : r;
	}
	c->master_pid = m.b.hello.pid;
	c->same_pids =
		sys_peer_of(fd, &peer) == 0 && peer.pid > 0 && (uint32_t)peer.pid == c->master_pid;
	*ret = c;
	return 0;
}

void sm_close(struct sm_connection *c)
{
	if (!c)
		return;
	drop_fds(c);
	sys_close(c->fd);
	free(c);
}

int sm_fd(const struct sm_connection *c)
{
	return c->fd;
}

int sm_set_timeout(struct sm_connection *c, int timeout_ms)
{
	/* Times PATIENCE it must still fit poll's int. */
	if (timeout_ms <= 0 || timeout_ms > 100000000)
		return -EINVAL;
	c->timeout_ms = timeout_ms;
	return 0;
}

uint32_t sm_master_pid(const struct sm_connection *c)
{
	return c->master_pid;
}

bool sm_same_pids(const struct sm_connection *c)
{
	return c->same_pids;
}

uint32_t sm_last_status(const struct sm_connection *c)
{
	return c->last_status;
}

const char *sm_last_text(const struct sm_connection *c)
{
	return c->last_text;
}

int sm_subscribe(struct sm_connection *c)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_SUBSCRIBE, 0, 0);
	r = client_ask(c, &m, 1);
	if (r == 0)
		c->subscribed = true;
	return r;
}

/* Takes a kept event; those that found no room came after all of them, so are told last. */
static int take_event(struct sm_connection *c, struct sm_event *ret)
{
	if (c->held) {
		*ret = c->events[c->first];
		c->first = (c->first + 1) % EVENTS_HELD;
		c->held--;
		return 1;
	}
	if (c->lost) {
		memset(ret, 0, sizeof(*ret));
		ret->kind = SM_ON_LOST;
		ret->of.lost = c->lost;
		c->lost = 0;
		return 1;
	}
	return 0;
}

int sm_event_next(struct sm_connection *c, int timeout_ms, struct sm_event *ret)
{
	uint64_t deadline_ns =
		sys_now_ns() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms) * 1000000u;

	if (!c->subscribed)
		return -EINVAL;
	for (;;) {
		struct sm_message m;
		int r = take_event(c, ret);

		if (r)
			return r;
		if (c->broken)
			return c->broken;
		r = receive(c, &m);
		if (r < 0)
			return r;
		if (r > 0) {
			if (!m.h.reply)
				keep_event(c, &m);
			continue;
		}
		if (timeout_ms >= 0 && left_ms(deadline_ns) == 0)
			return 0;
		r = sys_wait_fd(c->fd, SYS_READ, timeout_ms < 0 ? -1 : left_ms(deadline_ns));
		if (r < 0)
			return c->broken = r;
	}
}
