/* SPDX-License-Identifier: MIT */
/*
 * translate.c - libsm's two languages: rows, statuses and words of the wire as programs see them
 *
 * include/sm.h may not show types of the wire, so the numbers are repeated there; the assertions
 * below keep the two from drifting apart.
 */
#include "client/client.h"

#include <errno.h>

#include "base/bytes.h"
#include "base/text.h"

#define SAME(public, wire)                                                                         \
	_Static_assert((unsigned)(public) == (unsigned)(wire), "sm.h and the wire differ")

SAME(SM_NAME_BYTES, NAME_BYTES);
SAME(SM_TEXT_BYTES, TEXT_BYTES);
SAME(SM_HIVE_BYTES, sizeof(((struct sm_status *)0)->plan_hive));
SAME(SM_MACHINE_SESSION, SM_NO_SESSION);
SAME(SM_RUN_CONTAINER, SM_MODE_CONTAINER);
SAME(SM_RUN_NAMESPACE, SM_MODE_NAMESPACE);
SAME(SM_BOOT_LKG, SM_LEVEL_LKG);
SAME(SM_BOOT_BUILTIN, SM_LEVEL_BUILTIN);
SAME(SM_POWER_OFF, SM_ACTION_POWEROFF);
SAME(SM_POWER_REBOOT, SM_ACTION_REBOOT);
SAME(SM_POWER_HALT, SM_ACTION_HALT);
SAME(SM_POWER_EXIT, SM_ACTION_EXIT);
SAME(SM_SESSION_FREE, SESSION_FREE);
SAME(SM_SESSION_RESERVED, SESSION_RESERVED);
SAME(SM_SESSION_SETTING_UP, SESSION_SETTING_UP);
SAME(SM_SESSION_REGISTERED, SESSION_REGISTERED);
SAME(SM_SESSION_RUNNING, SESSION_RUNNING);
SAME(SM_SESSION_ENDING, SESSION_ENDING);
SAME(SM_SESSION_DYING, SESSION_DYING);
SAME(SM_ISOLATION_MOUNT, SM_ISOLATE_MOUNT);
SAME(SM_ISOLATION_IPC, SM_ISOLATE_IPC);
SAME(SM_ISOLATION_PID, SM_ISOLATE_PID);
SAME(SM_ISOLATION_UTS, SM_ISOLATE_UTS);
SAME(SM_ISOLATION_NET, SM_ISOLATE_NET);
SAME(SM_ISOLATION_DEV, SM_ISOLATE_DEV);
SAME(SM_NO_USER, SM_NO_OWNER);
SAME(SM_NO_LIMIT, SM_UNLIMITED);
SAME(SM_RLIMITS, sizeof(((struct sm_policy *)0)->limit) / sizeof(uint64_t));
_Static_assert(SM_NO_LIMIT_64 == SM_UNLIMITED_64, "sm.h and the wire differ");
SAME(SM_BOOT_PHASE, SM_ROW_PHASE);
SAME(SM_BOOT_ENTRY, SM_ROW_ENTRY);
SAME(SM_BOOT_ITEM, SM_ROW_ITEM);
SAME(SM_VERDICT_ACCEPT, SM_DECIDE_ACCEPT);
SAME(SM_VERDICT_REJECT, SM_DECIDE_REJECT);
SAME(SM_VERDICT_NEXT_LKG, SM_DECIDE_NEXT_LKG);
SAME(SM_RESULT_OK, RESULT_OK);
SAME(SM_RESULT_FAILED, RESULT_FAILED);
SAME(SM_RESULT_SKIPPED, RESULT_SKIPPED);
SAME(SM_RESULT_TIMEOUT, RESULT_TIMEOUT);
SAME(SM_RESULT_CRASHED, RESULT_CRASHED);
SAME(SM_RESULT_REFUSED, RESULT_REFUSED);
SAME(SM_RESULT_NOT_YET, RESULT_NOT_YET);
SAME(SM_RESULT_RUNNING, RESULT_RUNNING);
SAME(SM_RESULT_DEGRADED, RESULT_DEGRADED);

/* A time-out that the session manager met (ETIME) is not one that we met (ETIMEDOUT). */
static const struct {
	uint32_t status;
	int err;
} errors[] = {
	{SM_OK, 0},
	{SM_PENDING, EAGAIN},
	{SM_NO_MORE, ENODATA},
	{SM_UNSUCCESSFUL, EIO},
	{SM_NOT_IMPLEMENTED, ENOSYS},
	{SM_INFO_LENGTH_MISMATCH, EPROTO},
	{SM_INVALID_PARAMETER, EINVAL},
	{SM_ACCESS_DENIED, EACCES},
	{SM_NAME_NOT_FOUND, ENOENT},
	{SM_DELETE_PENDING, EBUSY},
	{SM_INSUFFICIENT_RESOURCES, ENOSPC},
	{SM_TIMEOUT, ETIME},
	{SM_CRASHED, EIO},
	{SM_SHUTDOWN_IN_PROGRESS, ESHUTDOWN},
	{SM_REVISION_MISMATCH, EPROTO},
	{SM_NOT_SUPPORTED, EOPNOTSUPP},
};

int client_error(uint32_t status)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].status == status)
			return -errors[i].err;
	return -EIO;
}

void client_session(const struct sm_session_row *row, struct sm_session *ret)
{
	*ret = (struct sm_session){.session = row->session,
				   .state = (enum sm_session_state)row->state,
				   .hold = (enum sm_session_hold)row->how,
				   .isolation = row->isolation,
				   .owner = row->owner,
				   .restarts = row->restarts,
				   .frozen = row->flags & SM_ROW_FROZEN,
				   .kept = row->flags & SM_ROW_KEPT,
				   .idle_s = row->idle_s,
				   .ends_ns = row->state == SESSION_RESERVED ? 0 : row->ends_ns,
				   .retry_ns = row->state == SESSION_RESERVED ? row->ends_ns : 0,
				   .csrss_pid = row->csrss_pid,
				   .initial_pid = row->initial_pid,
				   .copy_pid = row->copy_pid,
				   .failures = row->failures,
				   .created_ns = row->created_ns,
				   .ready_us = row->ready_us};
	str_copy(ret->initial, sizeof(ret->initial), row->initial);
	str_copy(ret->console, sizeof(ret->console), row->console);
}

void client_boot_entry(const struct sm_boot_row *row, struct sm_boot_entry *ret)
{
	*ret = (struct sm_boot_entry){.number = row->cursor,
				      .phase = phase_word(row->phase),
				      .kind = (enum sm_boot_kind)row->kind,
				      .result = (enum sm_result)row->result,
				      .detail = row->detail,
				      .pid = row->pid,
				      .start_ns = row->start_ns,
				      .end_ns = row->end_ns};
	str_copy(ret->name, sizeof(ret->name), row->name);
	str_copy(ret->text, sizeof(ret->text), row->text);
}

void client_process(const struct sm_ledger_row *row, struct sm_process *ret)
{
	*ret = (struct sm_process){.pid = row->pid,
				   .session = row->session,
				   .role = role_word(row->role),
				   .started_ns = row->started_ns,
				   .deadline_ns = row->deadline_ns};
	str_copy(ret->image, sizeof(ret->image), row->image);
	str_copy(ret->why, sizeof(ret->why), row->why);
}

/* Where the next boot begins, if this one ends in order and nobody changes the hive. */
static enum sm_boot_level next_level(const struct sm_boot_accept *b)
{
	const bool lkg = b->lkg_wall_s != 0;

	if (b->flags & SM_LKG_ONCE && lkg)
		return SM_BOOT_LKG;
	if (b->flags & SM_LKG_OFF || b->flags & SM_LKG_ASKED)
		return SM_BOOT_CURRENT;
	if (b->level == SM_LEVEL_CURRENT)
		return !(b->flags & SM_LKG_REJECTED) ? SM_BOOT_CURRENT
		       : lkg                         ? SM_BOOT_LKG
						     : SM_BOOT_BUILTIN;
	if (b->level == SM_LEVEL_LKG)
		return b->flags & SM_LKG_REJECTED ? SM_BOOT_BUILTIN : SM_BOOT_LKG;
	return SM_BOOT_BUILTIN;
}

void client_standing(const struct sm_boot_accept *b, struct sm_boot_standing *ret)
{
	*ret = (struct sm_boot_standing){.level = (enum sm_boot_level)b->level,
					 .next = next_level(b),
					 .attempts = b->attempts,
					 .allowed = b->allowed,
					 .accepted = b->flags & SM_LKG_ACCEPTED,
					 .rejected = b->flags & SM_LKG_REJECTED,
					 .asked = b->flags & SM_LKG_ASKED,
					 .next_lkg = b->flags & SM_LKG_ONCE,
					 .off = b->flags & SM_LKG_OFF,
					 .accept_in_ms = b->accept_in_ms,
					 .saved_wall_s = b->lkg_wall_s};
	str_copy(ret->text, sizeof(ret->text), b->text);
}

int client_event(const struct sm_message *m, struct sm_event *ret)
{
	*ret = (struct sm_event){0};
	switch (m->h.call) {
	case SM_EVENT_BOOT_ROW:
		ret->kind = SM_ON_BOOT;
		client_boot_entry(&m->b.boot_row, &ret->of.boot);
		return 1;
	case SM_EVENT_SESSION:
		ret->kind = SM_ON_SESSION;
		client_session(&m->b.session_row, &ret->of.session);
		return 1;
	case SM_EVENT_SHUTDOWN:
		ret->kind = SM_ON_SHUTDOWN;
		ret->of.shutdown.action = (enum sm_power)m->b.shutdown.action;
		ret->of.shutdown.fast = m->b.shutdown.flags & 1u;
		str_copy(ret->of.shutdown.reason, sizeof(ret->of.shutdown.reason),
			 m->b.shutdown.reason);
		return 1;
	case SM_EVENT_LOST:
		ret->kind = SM_ON_LOST;
		ret->of.lost = m->b.lost.count;
		return 1;
	default:
		return 0;
	}
}

const char *sm_status_text(uint32_t status)
{
	const char *text = status_text(status);

	return text ? text : "unknown status";
}

const char *sm_error_text(int r)
{
	switch (r) {
	case 0:
		return "success";
	case -EACCES:
	case -EPERM:
		return "access denied";
	case -EAGAIN:
		return "not yet";
	case -ENOSYS:
		return "not implemented";
	case -ESHUTDOWN:
		return "the machine is shutting down";
	case -ETIMEDOUT:
		return "no answer in time";
	case -ETIME:
		return "timed out";
	case -ENOTCONN:
		return "the session manager closed the connection";
	case -EPROTO:
		return "another version of the protocol";
	case -ECONNREFUSED:
		return "nobody listens there";
	case -ENOENT:
		return "not found";
	case -EBUSY:
		return "still busy";
	case -ENOSPC:
		return "table full";
	case -EINVAL:
		return "invalid parameter";
	case -EOPNOTSUPP:
		return "cannot be had here";
	default:
		return err_text(-r);
	}
}

static const char *word(const char *const *words, size_t count, unsigned i)
{
	return i < count ? words[i] : "?";
}

const char *sm_mode_word(enum sm_run_mode mode)
{
	static const char *const words[] = {"machine", "namespace", "container"};

	return word(words, ARRAY_SIZE(words), (unsigned)mode);
}

const char *sm_level_word(enum sm_boot_level level)
{
	static const char *const words[] = {"Current", "LastKnownGood", "built-in"};

	return word(words, ARRAY_SIZE(words), (unsigned)level);
}

const char *sm_power_word(enum sm_power action)
{
	static const char *const words[] = {"poweroff", "reboot", "halt", "exit"};

	return word(words, ARRAY_SIZE(words), (unsigned)action);
}

const char *sm_session_state_word(enum sm_session_state state)
{
	return session_state_word((unsigned)state);
}

const char *sm_session_hold_word(enum sm_session_hold hold)
{
	static const char *const words[] = {"cgroup", "pid-namespace", "nothing"};

	return word(words, ARRAY_SIZE(words), (unsigned)hold);
}

const char *sm_isolation_word(enum sm_isolation one)
{
	static const char *const words[] = {"mount", "ipc", "pid", "uts", "net", "dev"};

	for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
		if ((unsigned)one == 1u << i)
			return words[i];
	return "?";
}

const char *sm_boot_kind_word(enum sm_boot_kind kind)
{
	static const char *const words[] = {"phase", "entry", "item"};

	return word(words, ARRAY_SIZE(words), (unsigned)kind);
}

const char *sm_result_word(enum sm_result result)
{
	return result_word((unsigned)result);
}
