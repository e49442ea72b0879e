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
	uint64_t lost; /* events that found no room */
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
