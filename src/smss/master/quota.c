/* SPDX-License-Identifier: MIT */
/*
 * quota.c - what users who are not root may ask for: places, calls, answers to wait for
 *
 * PID 1 serves everybody, so nobody may keep it busy. A user's calls are counted like water in a
 * bucket: RATE a second flow out, BURST fit in. Who has filled it is not read, and not waited for
 * either, until some have flowed out; what it sends meanwhile stays in its own sockets. Root is
 * never counted. Nothing here runs while nobody asks.
 */
#include "smss/master/calls.h"

#include <errno.h>

#define RATE            2000u /* calls a second */
#define BURST           500u
#define CALL_NS         (NS_PER_S / RATE)
#define REST_NS         (10 * NS_PER_MS) /* then some calls' worth has flowed out, not just one */
#define DEBT_NS         NS_PER_S         /* nobody has to wait longer, whatever it did */
#define LATER_PER_UID   16u
#define LATER_OTHERS    48u /* not root's, all together: places of CALLERS_MAX are left for it */
#define REQUESTS_OTHERS (REQUESTS_MAX - 16u)

static struct user *find(uint32_t uid)
{
	for (uint32_t i = 0; i < master.users_top; i++)
		if (master.users[i].paid_ns && master.users[i].uid == uid)
			return &master.users[i];
	return NULL;
}

/* A place whose user owes nothing any more, a new one, or that of who owes least. */
static struct user *place(uint64_t now)
{
	struct user *least = &master.users[0];

	for (uint32_t i = 0; i < master.users_top; i++)
		if (master.users[i].paid_ns < least->paid_ns)
			least = &master.users[i];
	if (least->paid_ns > now && master.users_top < USERS_MAX)
		least = &master.users[master.users_top++];
	else if (!master.users_top)
		master.users_top = 1;
	*least = (struct user){0};
	return least;
}

bool quota_left(uint32_t uid, uint64_t now)
{
	const struct user *u = uid ? find(uid) : NULL;

	return !u || u->paid_ns + CALL_NS <= now + BURST * CALL_NS;
}

void quota_pay(uint32_t uid, uint64_t now, unsigned calls)
{
	struct user *u;

	if (!uid)
		return;
	u = find(uid);
	if (!u) {
		u = place(now);
		u->uid = uid;
	}
	u->paid_ns = (u->paid_ns > now ? u->paid_ns : now) + calls * CALL_NS;
	if (u->paid_ns > now + DEBT_NS)
		u->paid_ns = now + DEBT_NS;
}

uint64_t peers_rest(uint64_t now)
{
	if (!master.rest_ns || master.rest_ns > now)
		return master.rest_ns;
	master.rest_ns = 0;
	for (uint32_t i = 0; i < master.peers_top; i++) {
		struct peer *p = &master.peers[i];

		if (p->fd == NONE || !p->resting)
			continue;
		if (!quota_left(p->uid, now)) {
			master.rest_ns = now + REST_NS;
			continue;
		}
		p->resting = false;
		if (sys_epoll_add(master.epoll, p->fd, SYS_READ,
				  (uint64_t)p->generation << 32 | i) < 0)
			peer_drop((int)i);
	}
	return master.rest_ns;
}

void peer_rest(int peer, uint64_t now)
{
	struct peer *p = &master.peers[peer];

	if (p->resting)
		return;
	p->resting = true;
	(void)sys_epoll_drop(master.epoll, p->fd);
	if (!master.rest_ns)
		master.rest_ns = now + REST_NS;
}

bool quota_place(uint32_t uid, bool operator)
{
	uint32_t others = 0, plain = 0, own = 0;

	if (master.clients >= CLIENTS_MAX)
		return false;
	if (!uid)
		return true;
	for (uint32_t i = 0; i < master.peers_top; i++) {
		const struct peer *p = &master.peers[i];

		if (p->fd == NONE || p->role != ROLE_CLIENT || !p->uid)
			continue;
		others++;
		plain += !p->operator;
		own += p->uid == uid;
	}
	return own < CLIENTS_PER_UID && others < CLIENTS_OTHERS && (operator|| plain<CLIENTS_PLAIN);
}

int quota_later(const struct ask *a)
{
	const bool start = a->m->h.call == SM_START_CSR;
	uint32_t others = 0, own = 0, requests = 0;

	if (a->p->role != ROLE_CLIENT || !a->p->uid)
		return 0;
	for (uint32_t i = 0; i < CALLERS_MAX; i++) {
		const struct caller *c = &master.callers[i];
		uint32_t uid = c->kind ? master.peers[c->who.peer].uid : 0;

		others += uid != 0;
		own += uid == a->p->uid;
	}
	for (uint32_t i = 0; start && i < REQUESTS_MAX; i++)
		requests += master.requests[i].used;
	return own < LATER_PER_UID && others < LATER_OTHERS && requests < REQUESTS_OTHERS ? 0
											  : -ENOSPC;
}

void callers_forget(int peer, uint32_t generation)
{
	for (uint32_t i = 0; i < CALLERS_MAX; i++)
		if (master.callers[i].who.peer == peer &&
		    master.callers[i].who.generation == generation)
			master.callers[i].kind = CALLER_NONE;
}
