/* SPDX-License-Identifier: MIT */
/*
 * wire.c - lengths, checks and statuses of the API's messages, see wire.h
 *
 * One table says how long each call's body is, both ways, and where its strings lie; everything
 * that arrives is held against it before anybody looks at the content.
 */
#include "wire/wire.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

#define STRINGS_MAX 4

struct shape {
	uint16_t known;
	uint16_t request, answer; /* body bytes */
	struct {
		uint16_t at, cap;
	} string[STRINGS_MAX]; /* in the body, either way; cap 0 ends the list */
};

#define AT(type, field)                                                                            \
	{                                                                                          \
		offsetof(struct type, field), sizeof(((struct type *)0)->field)                    \
	}
#define SIZE(type) sizeof(struct type)

/* clang-format off */
static const struct shape shapes[SM_CALLS] = {
	[SM_CREATE_FOREIGN_SESSION]    = { 1, 0, 0, { { 0 } } },
	[SM_SESSION_COMPLETE]	       = { 1, SIZE(sm_session_complete), 0, { AT(sm_session_complete, text),
				AT(sm_session_complete, initial.image) } },
	[SM_TERMINATE_FOREIGN_SESSION] = { 1, 0, 0, { { 0 } } },
	[SM_EXEC_PGM]	   = { 1, SIZE(sm_exec_pgm), SIZE(sm_exec_pgm), { AT(sm_exec_pgm, term), AT(sm_exec_pgm, words) } },
	[SM_LOAD_DEFERED_SUBSYSTEM]    = { 1, 0, 0, { { 0 } } },
	[SM_START_CSR]	   = { 1, SIZE(sm_start_csr), SIZE(sm_start_csr), { AT(sm_start_csr, initial_command),
				AT(sm_start_csr, text) } },
	[SM_STOP_CSR]	   = { 1, SIZE(sm_stop_csr), SIZE(sm_stop_csr), { AT(sm_stop_csr, name) } },
	[SM_START_SERVER_SILO]	       = { 1, 0, 0, { { 0 } } },
	[SM_HELLO]	   = { 1, SIZE(sm_hello), SIZE(sm_hello), { { 0 } } },
	[SM_STATUS]	   = { 1, 0, SIZE(sm_status), { AT(sm_status, blocker), AT(sm_status, version),
				AT(sm_status, build_id), AT(sm_status, plan_hive) } },
	[SM_SESSION_ROW]   = { 1, SIZE(sm_session_row), SIZE(sm_session_row), { AT(sm_session_row, initial),
				AT(sm_session_row, console) } },
	[SM_LEDGER_ROW]	   = { 1, SIZE(sm_ledger_row), SIZE(sm_ledger_row), { AT(sm_ledger_row, image),
				AT(sm_ledger_row, why) } },
	[SM_BOOT_ROW]	   = { 1, SIZE(sm_boot_row), SIZE(sm_boot_row), { AT(sm_boot_row, name), AT(sm_boot_row, text) } },
	[SM_SUBSCRIBE]	   = { 1, 0, 0, { { 0 } } },
	[SM_SHUTDOWN]	   = { 1, SIZE(sm_shutdown), 0, { AT(sm_shutdown, reason) } },
	[SM_REGISTER]	   = { 1, SIZE(sm_register), 0, { { 0 } } },
	[SM_HANDOVER]	   = { 1, SIZE(sm_handover), 0, { AT(sm_handover, image) } },
	[SM_PHASE_ITEM]	   = { 1, SIZE(sm_item), 0, { AT(sm_item, name), AT(sm_item, text) } },
	[SM_PLAN_READY]	   = { 1, SIZE(sm_plan_ready), 0, { AT(sm_plan_ready, text) } },
	[SM_ENV_READY]	   = { 1, SIZE(sm_env_ready), 0, { AT(sm_env_ready, text) } },
	[SM_LOGOFF]	   = { 1, 0, 0, { { 0 } } },
	[SM_STATE_READY]   = { 1, SIZE(sm_state_ready), 0, { AT(sm_state_ready, text) } },
	[SM_STOP_SESSIONS] = { 1, SIZE(sm_stop_sessions), SIZE(sm_stop_sessions), { { 0 } } },
	[SM_FINAL]	   = { 1, SIZE(sm_shutdown), 0, { AT(sm_shutdown, reason) } },
	[SM_STOP_TEXT]	   = { 1, SIZE(sm_stop_text), SIZE(sm_stop_text), { AT(sm_stop_text, culprit),
				AT(sm_stop_text, text) } },
	[SM_BOOT_ACCEPT]   = { 1, SIZE(sm_boot_accept), SIZE(sm_boot_accept), { AT(sm_boot_accept, text) } },
	[SM_JOB_DONE]	   = { 1, 0, 0, { { 0 } } },
	[SM_JOB_NEXT]	   = { 1, SIZE(sm_job_next), SIZE(sm_job_next), { { 0 } } },
	[SM_SESSION_LIMITS] = { 1, SIZE(sm_session_limits), SIZE(sm_session_limits), { { 0 } } },
	[SM_SESSION_FREEZE] = { 1, SIZE(sm_session_freeze), SIZE(sm_session_freeze), { { 0 } } },
	[SM_PROGRAM_ROW]   = { 1, SIZE(sm_program_row), SIZE(sm_program_row), { AT(sm_program_row, command) } },
	[SM_SESSION_LEFT]  = { 1, SIZE(sm_session_left), 0, { AT(sm_session_left, name) } },
	[SM_SB_CREATE_PROCESS] = { 1, SIZE(sm_exec_pgm), SIZE(sm_exec_pgm), { AT(sm_exec_pgm, term), AT(sm_exec_pgm, words) } },
	[SM_SB_SESSION]	   = { 1, SIZE(sm_sb_session), 0, { AT(sm_sb_session, initial_command) } },
	[SM_SB_PROGRAM_ROW] = { 1, SIZE(sm_program_row), SIZE(sm_program_row), { AT(sm_program_row, command) } },
	[SM_SB_LIMITS]	   = { 1, SIZE(sm_session_limits), 0, { { 0 } } },
	[SM_SB_TERMINATE]  = { 1, 0, 0, { { 0 } } },
	[SM_SB_REGISTERED] = { 1, SIZE(sm_handover), 0, { AT(sm_handover, image) } },
	[SM_EVENT_BOOT_ROW] = { 1, SIZE(sm_boot_row), SIZE(sm_boot_row), { AT(sm_boot_row, name), AT(sm_boot_row, text) } },
	[SM_EVENT_SESSION] = { 1, SIZE(sm_session_row), SIZE(sm_session_row), { AT(sm_session_row, initial),
				AT(sm_session_row, console) } },
	[SM_EVENT_SHUTDOWN] = { 1, SIZE(sm_shutdown), 0, { AT(sm_shutdown, reason) } },
	[SM_EVENT_LOST]	   = { 1, SIZE(sm_lost), 0, { { 0 } } },
};
/* clang-format on */

int sm_body_length(unsigned call, unsigned reply)
{
	if (call >= SM_CALLS || !shapes[call].known || reply > 1)
		return -EINVAL;
	return reply ? shapes[call].answer : shapes[call].request;
}

int sm_message_check(const struct sm_message *m, size_t n)
{
	int want;

	if (n < sizeof(m->h))
		return -EMSGSIZE;
	want = sm_body_length(m->h.call, m->h.reply);
	if (want < 0)
		return want;
	if (m->h.length != (uint32_t)want || n != sizeof(m->h) + (size_t)want)
		return -EMSGSIZE;
	for (unsigned i = 0; i < STRINGS_MAX && shapes[m->h.call].string[i].cap; i++) {
		const char *s = (const char *)&m->b + shapes[m->h.call].string[i].at;
		size_t cap = shapes[m->h.call].string[i].cap;

		if (want && s[cap - 1] != 0 && __builtin_memchr(s, 0, cap) == NULL)
			return -EILSEQ;
	}
	return 0;
}

void sm_message_start(struct sm_message *m, unsigned call, unsigned reply, uint32_t tag)
{
	int n = sm_body_length(call, reply);

	if (n < 0)
		n = 0;
	memset(m, 0, sizeof(m->h) + (size_t)n);
	m->h.call = (uint16_t)call;
	m->h.reply = (uint16_t)reply;
	m->h.tag = tag;
	m->h.length = (uint32_t)n;
}

size_t sm_message_bytes(const struct sm_message *m)
{
	return sizeof(m->h) + m->h.length;
}

static const struct {
	int err;
	uint32_t status;
	const char *text;
} statuses[] = {
	{0, SM_OK, "ok"},
	{EAGAIN, SM_PENDING, "not yet"},
	{ENODATA, SM_NO_MORE, "no more"},
	{EIO, SM_UNSUCCESSFUL, "failed"},
	{ENOSYS, SM_NOT_IMPLEMENTED, "not implemented"},
	{EMSGSIZE, SM_INFO_LENGTH_MISMATCH, "wrong length"},
	{EINVAL, SM_INVALID_PARAMETER, "invalid parameter"},
	{EILSEQ, SM_INVALID_PARAMETER, "invalid parameter"},
	{EACCES, SM_ACCESS_DENIED, "access denied"},
	{EPERM, SM_ACCESS_DENIED, "access denied"},
	{ENOENT, SM_NAME_NOT_FOUND, "not found"},
	{ESRCH, SM_NAME_NOT_FOUND, "not found"},
	{EBUSY, SM_DELETE_PENDING, "still dying"},
	{ENOSPC, SM_INSUFFICIENT_RESOURCES, "table full"},
	{ENOMEM, SM_INSUFFICIENT_RESOURCES, "out of resources"},
	{EMFILE, SM_INSUFFICIENT_RESOURCES, "out of resources"},
	{ETIMEDOUT, SM_TIMEOUT, "timed out"},
	{EFAULT, SM_CRASHED, "crashed"},
	{ESHUTDOWN, SM_SHUTDOWN_IN_PROGRESS, "the machine is shutting down"},
	{EPROTO, SM_REVISION_MISMATCH, "another version"},
	{EOPNOTSUPP, SM_NOT_SUPPORTED, "cannot be had here"},
};

uint32_t status_of(int r)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].err == -r)
			return statuses[i].status;
	return r >= 0 ? SM_OK : SM_UNSUCCESSFUL;
}

const char *status_text(uint32_t status)
{
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return NULL;
}

const char *session_state_word(unsigned state)
{
	static const char *const words[SESSION_STATES] = {
		"free", "reserved", "setting-up", "registered", "running", "ending", "dying"};

	return state < SESSION_STATES ? words[state] : "?";
}
