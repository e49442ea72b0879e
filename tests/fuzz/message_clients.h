/* SPDX-License-Identifier: MIT */
/*
 * message_clients.h - the clients of a day of fuzz_message.c: what they ask, and what they may
 *
 * They live in one process of the simulation, so that what the master gets is what a kernel gives
 * it. Each request is remembered until its answer has come, with the right that the manual grants.
 */
#pragma once

#include "fuzz.h"
#include "smss/master/master.h"
#define process kernel_process /* its struct has the name of one of ours */
#include "tests/sim/inner.h"
#undef process

#define CLIENTS   24u
#define WAITING   96u
#define OPERATORS 4242u

enum right { DENIED, GRANTED, NEVER }; /* NEVER: not implemented, whoever asks */

struct client {
	int fd;              /* in the world's table, -1 = none */
	uint32_t generation; /* of its row at the master, 0 = not accepted yet */
	int peer;
	uint32_t uid;
	bool operator, broke, subscribed, full;
	unsigned waiting;
	struct {
		uint32_t tag;
		uint16_t call;
		uint8_t right;
	} asked[WAITING];
};

extern struct day {
	const uint8_t *at;
	size_t left;
	int world;
	uint32_t tag;
	unsigned fds_base;
	struct client clients[CLIENTS];
	uint64_t messages; /* of all days */
} day;

/* byte - the input's next one; 0 at its end. */
unsigned byte(void);
/* body_from_input - some of a body's bytes, and a session that may be there. */
void body_from_input(struct sm_message *m);
/* client_leave, client_read - it closes; it takes all that has come, which must be due. */
void client_leave(struct client *c);
void client_read(struct client *c);
/* client_send - anything at all. */
void client_send(struct client *c, const void *bytes, size_t n, unsigned fd_count);
/* act_ask, act_garbage, act_connect - what a client does. */
void act_ask(struct client *c, unsigned times);
void act_garbage(struct client *c);
void act_connect(struct client *c);
