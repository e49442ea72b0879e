/* SPDX-License-Identifier: MIT */
/*
 * sessions.c - libsm's calls about sessions: see them, make, limit, freeze and end one; see sm.h
 *
 * A request is translated field by field and sent as it is: what it may ask for is judged where it
 * can be refused for everybody. Only what cannot be put into a message is refused here.
 */
#include "client/client.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/text.h"

int sm_session_next(struct sm_connection *c, uint32_t *cursor, struct sm_session *ret)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_SESSION_ROW, 0, 0);
	m.b.session_row.cursor = *cursor;
	r = client_ask_row(c, &m, cursor, &m.b.session_row.cursor);
	if (r <= 0)
		return r;
	client_session(&m.b.session_row, ret);
	return 1;
}

int sm_session_get(struct sm_connection *c, uint32_t session, struct sm_session *ret)
{
	uint32_t cursor = session;
	struct sm_session row;
	int r = sm_session_next(c, &cursor, &row);

	if (r < 0)
		return r;
	if (r == 0 || row.session != session)
		return -ENOENT;
	*ret = row;
	return 0;
}

void sm_session_want_init(struct sm_session_want *want, uint64_t size)
{
	const struct sm_session_want begin = {.size = size,
					      .uid = SM_NO_USER,
					      .gid = SM_NO_USER,
					      .umask = SM_NOT_GIVEN,
					      .oom_score = SM_NOT_GIVEN};

	memset(want, 0, size);
	memcpy(want, &begin, size < sizeof(begin) ? size : sizeof(begin));
}

/* What the first version of it holds: less than that is no version. */
#define WANT_BYTES (offsetof(struct sm_session_want, limit) + SM_RLIMITS * sizeof(uint64_t))

/* The caller's structure may be an older or a newer one: what it lacks asks for nothing. */
static int read_want(const struct sm_session_want *from, struct sm_session_want *ret)
{
	const unsigned char *bytes = (const unsigned char *)from;

	if (from->size < WANT_BYTES || from->size > 4096)
		return -EINVAL;
	for (size_t i = sizeof(*ret); i < from->size; i++)
		if (bytes[i])
			return -E2BIG;
	sm_session_want_init(ret, sizeof(*ret));
	memcpy(ret, from, from->size < sizeof(*ret) ? from->size : sizeof(*ret));
	return 0;
}

static int put_want(const struct sm_session_want *w, struct sm_start_csr *to)
{
	struct sm_policy *p = &to->policy;

	if (w->command && !str_copy(to->initial_command, sizeof(to->initial_command), w->command))
		return -ENAMETOOLONG;
	if ((w->umask != SM_NOT_GIVEN && (w->umask < 0 || w->umask > 0777)) ||
	    (w->uid == SM_NO_USER) != (w->gid == SM_NO_USER))
		return -EINVAL;
	to->flags = w->pidfds ? SM_START_PIDFDS : 0;
	*p = (struct sm_policy){
		.given = (w->bounded ? SM_GIVEN_CAPABILITIES : 0) |
			 (w->uid != SM_NO_USER ? SM_GIVEN_OWNER : 0) |
			 (w->umask != SM_NOT_GIVEN ? SM_GIVEN_UMASK : 0) |
			 (w->oom_score != SM_NOT_GIVEN ? SM_GIVEN_OOM : 0) |
			 (w->no_new_privs ? SM_GIVEN_NO_NEW_PRIVS : 0),
		.isolation = w->isolation,
		.memory_bytes = w->memory_bytes,
		.io_bytes_s = w->io_bytes_s,
		.processes = w->processes,
		.cpu_percent = w->cpu_percent,
		.cpu_weight = w->cpu_weight,
		.io_weight = w->io_weight,
		.capabilities = w->bounded ? w->capabilities : 0,
		.uid = w->uid != SM_NO_USER ? w->uid : 0,
		.gid = w->uid != SM_NO_USER ? w->gid : 0,
		.umask = w->umask != SM_NOT_GIVEN ? (uint32_t)w->umask : 0,
		.oom_score = w->oom_score != SM_NOT_GIVEN ? w->oom_score : 0,
		.idle_s = w->idle_s,
		.lifetime_s = w->lifetime_s,
		.limits = w->limits,
	};
	for (unsigned i = 0; i < SM_RLIMITS; i++)
		if (w->limits >> i & 1)
			p->limit[i] = w->limit[i];
	return 0;
}

int sm_session_make(struct sm_connection *c, const struct sm_session_want *want,
		    struct sm_session_made *ret)
{
	struct sm_session_made made = {.csrss_pidfd = -1, .initial_pidfd = -1};
	struct sm_session_want w;
	struct sm_message m;
	int fds[2], r;

	sm_message_start(&m, SM_START_CSR, 0, 0);
	r = read_want(want, &w);
	if (r == 0)
		r = put_want(&w, &m.b.start_csr);
	if (r == 0)
		r = client_ask(c, &m, PATIENCE);
	if (r < 0)
		return r;
	made.session = m.b.start_csr.session;
	/* The session is there; one whose processes have ended again since then has no pidfds. */
	if (w.pidfds && client_take_fds(c, 2, fds) == 0) {
		made.csrss_pidfd = fds[0];
		made.initial_pidfd = fds[1];
	}
	if (sm_session_get(c, made.session, &made.row) < 0)
		made.row = (struct sm_session){.session = made.session,
					       .state = SM_SESSION_RUNNING,
					       .owner = SM_NO_USER,
					       .csrss_pid = m.b.start_csr.csrss_pid,
					       .initial_pid = m.b.start_csr.initial_pid};
	*ret = made;
	return 0;
}

int sm_session_new(struct sm_connection *c, const char *command, uint32_t *ret_session,
		   struct sm_session *ret_row)
{
	struct sm_session_want want;
	struct sm_session_made made;
	int r;

	sm_session_want_init(&want, sizeof(want));
	want.command = command;
	r = sm_session_make(c, &want, &made);
	if (r < 0)
		return r;
	if (ret_row)
		*ret_row = made.row;
	*ret_session = made.session;
	return 0;
}

int sm_session_end_held(struct sm_connection *c, uint32_t session, struct sm_session_held *ret)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_STOP_CSR, 0, 0);
	m.b.stop_csr.session = session;
	r = client_ask(c, &m, PATIENCE);
	if (r != -EBUSY)
		return r;
	*ret = (struct sm_session_held){.left = m.b.stop_csr.left, .pid = m.b.stop_csr.pid};
	str_copy(ret->name, sizeof(ret->name), m.b.stop_csr.name);
	return r;
}

int sm_session_end(struct sm_connection *c, uint32_t session, uint32_t *ret_left)
{
	struct sm_session_held held;
	int r = sm_session_end_held(c, session, &held);

	if (r == -EBUSY && ret_left)
		*ret_left = held.left;
	return r;
}

int sm_session_limits(struct sm_connection *c, uint32_t session,
		      const struct sm_session_change *change)
{
	struct sm_message m;

	sm_message_start(&m, SM_SESSION_LIMITS, 0, 0);
	m.b.session_limits = (struct sm_session_limits){
		.session = session,
		.processes = change->processes,
		.cpu_percent = change->cpu_percent,
		.cpu_weight = change->cpu_weight,
		.io_weight = change->io_weight,
		.memory_bytes = change->memory_bytes,
		.io_bytes_s = change->io_bytes_s,
	};
	return client_ask(c, &m, PATIENCE);
}

int sm_session_freeze(struct sm_connection *c, uint32_t session, bool freeze)
{
	struct sm_message m;

	sm_message_start(&m, SM_SESSION_FREEZE, 0, 0);
	m.b.session_freeze.session = session;
	m.b.session_freeze.freeze = freeze;
	return client_ask(c, &m, PATIENCE);
}
