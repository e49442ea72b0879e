/* SPDX-License-Identifier: MIT */
/*
 * client.h - inside libsm: the connection, asking, and what the wire's rows are to programs
 *
 * Nothing of this is exported; include/sm.h is the library's face. The library may not print, and
 * keeps no state outside a connection.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sm.h"
#include "sys/sys.h"
#include "wire/wire.h"

#define EVENTS_HELD 64u   /* events kept while an answer is waited for (documented in sm.h) */
#define PATIENCE    12    /* calls answered when the work is done wait so many time-outs */
#define TIMEOUT_MS  10000 /* of a new connection */

struct sm_connection {
	int fd; /* non-blocking */
	int timeout_ms;
	uint32_t tag;         /* of the last request */
	uint32_t last_status; /* of the last answer */
	uint32_t master_pid;
	bool same_pids;
	bool subscribed;
	int broken; /* 0, or the -errno every further call gets */
	unsigned first, held;
	uint64_t lost;        /* events that found no room */
	int fds[SYS_FDS_MAX]; /* that came with the last message; owner: this, until taken */
	unsigned fd_count;
	char last_text[TEXT_BYTES]; /* the reason of the last answer, "" = none */
	struct sm_event events[EVENTS_HELD];
};

/*
 * client_ask - send a request and wait for its answer
 *   m        request, made by sm_message_start; becomes the answer on success
 *   patience  how many of the connection's time-outs to wait
 * Events that come meanwhile are kept. Returns 0 when the status is success, otherwise the -errno
 * that sm.h documents for it (the answer's body is in m then too), or -ETIMEDOUT, -ENOTCONN,
 * -EPROTO with m undefined.
 */
int client_ask(struct sm_connection *c, struct sm_message *m, int patience);

/*
 * client_ask_row - what the cursor calls share: 1 a row and the cursor moved on, 0 past the last,
 * -errno
 *   answered  the cursor in m's body, read after the answer
 * The cursor grows with every row, whatever was answered, so that no caller can be kept in a
 * circle.
 */
int client_ask_row(struct sm_connection *c, struct sm_message *m, uint32_t *cursor,
		   const uint32_t *answered);

/*
 * client_take_fds - the descriptors that came with the answer to the last client_ask
 *   count, ret  as many as must have come; the caller's, close-on-exec
 * Returns 0, or -EPROTO when there were more or fewer (they are closed then).
 */
int client_take_fds(struct sm_connection *c, unsigned count, int *ret);

/* client_error - the -errno of sm.h for a status of the wire; 0 for success. */
int client_error(uint32_t status);

/* client_session, client_boot_entry, client_process - a row of the wire as programs see it. */
void client_session(const struct sm_session_row *row, struct sm_session *ret);
void client_boot_entry(const struct sm_boot_row *row, struct sm_boot_entry *ret);
void client_process(const struct sm_ledger_row *row, struct sm_process *ret);

/* client_standing - an answer of BootAccept as programs see it. */
void client_standing(const struct sm_boot_accept *b, struct sm_boot_standing *ret);

/*
 * client_event - an event message as programs see it
 * Returns 1 with *ret filled, 0 when it is an event this library does not know.
 */
int client_event(const struct sm_message *m, struct sm_event *ret);
