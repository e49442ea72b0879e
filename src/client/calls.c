/* SPDX-License-Identifier: MIT */
/*
 * calls.c - libsm's calls: each fills one request and reads one answer; see sm.h
 *
 * Deciding who may do what is the session manager's business: nothing is refused here but what
 * cannot be written into a message.
 */
#include "client/client.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

int sm_status(struct sm_connection *c, struct sm_machine *ret)
{
	struct sm_message m;
	const struct sm_status *s = &m.b.status;
	int r;

	sm_message_start(&m, SM_STATUS, 0, 0);
	r = client_ask(c, &m, 1);
	if (r < 0)
		return r;
	*ret = (struct sm_machine){
		.phase = phase_word(s->phase),
		.mode = (enum sm_run_mode)s->mode,
		.level = (enum sm_boot_level)s->level,
		.attempts = s->attempts,
		.sessions = s->sessions,
		.processes = s->processes,
		.orphans = s->orphans,
		.reaped = s->reaped,
		.clients = s->clients,
		.degraded = s->degraded + (s->level != SM_LEVEL_CURRENT),
		.ready = s->ready_ns != 0,
		.boot_good = s->flags & SM_FLAG_BOOT_GOOD,
		.no_cgroup = s->flags & SM_FLAG_NO_CGROUP,
		.no_state = s->flags & SM_FLAG_NO_STATE,
		.safe_minimal = s->flags & SM_FLAG_SAFE_MINIMAL,
		.safe_network = s->flags & SM_FLAG_SAFE_NETWORK,
		.shutting_down = s->flags & SM_FLAG_SHUTTING_DOWN,
		.action = (enum sm_power)s->shutdown_action,
		.started_ns = s->started_ns,
		.ready_ns = s->ready_ns,
		.now_ns = s->now_ns,
		.lines_dropped = s->lines_dropped,
	};
	str_copy(ret->blocker, sizeof(ret->blocker), s->blocker);
	str_copy(ret->version, sizeof(ret->version), s->version);
	str_copy(ret->build_id, sizeof(ret->build_id), s->build_id);
	str_copy(ret->hive, sizeof(ret->hive), s->plan_hive);
	return 0;
}

int sm_shutdown(struct sm_connection *c, enum sm_power action, bool fast, const char *reason)
{
	struct sm_message m;

	if (action != SM_POWER_OFF && action != SM_POWER_REBOOT && action != SM_POWER_HALT)
		return -EINVAL;
	sm_message_start(&m, SM_SHUTDOWN, 0, 0);
	m.b.shutdown.action = (uint32_t)action;
	m.b.shutdown.flags = fast ? 1u : 0u;
	if (reason)
		str_copy(m.b.shutdown.reason, sizeof(m.b.shutdown.reason), reason);
	return client_ask(c, &m, 1);
}

int client_ask_row(struct sm_connection *c, struct sm_message *m, uint32_t *cursor,
		   const uint32_t *answered)
{
	int r = client_ask(c, m, 1);

	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	*cursor = *answered > *cursor ? *answered : *cursor + 1;
	return 1;
}

int sm_process_next(struct sm_connection *c, uint32_t *cursor, struct sm_process *ret)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_LEDGER_ROW, 0, 0);
	m.b.ledger_row.cursor = *cursor;
	r = client_ask_row(c, &m, cursor, &m.b.ledger_row.cursor);
	if (r <= 0)
		return r;
	client_process(&m.b.ledger_row, ret);
	return 1;
}

int sm_boot_next(struct sm_connection *c, uint32_t *cursor, struct sm_boot_entry *ret)
{
	struct sm_message m;
	uint32_t number = *cursor;
	int r;

	sm_message_start(&m, SM_BOOT_ROW, 0, 0);
	m.b.boot_row.cursor = *cursor;
	r = client_ask_row(c, &m, cursor, &m.b.boot_row.cursor);
	if (r <= 0)
		return r;
	client_boot_entry(&m.b.boot_row, ret);
	ret->number = number; /* the timeline has no gaps */
	return 1;
}

int sm_last_stop(struct sm_connection *c, struct sm_stop *ret)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_STOP_TEXT, 0, 0);
	r = client_ask(c, &m, 1);
	if (r == -ENOENT || r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	if (m.b.stop_text.code == 0)
		return 0;
	*ret = (struct sm_stop){.code = m.b.stop_text.code,
				.word = stop_word(m.b.stop_text.code),
				.status = m.b.stop_text.status,
				.earlier = m.b.stop_text.which != 0,
				.phase = phase_word(m.b.stop_text.phase),
				.wall_s = m.b.stop_text.wall_s};
	str_copy(ret->culprit, sizeof(ret->culprit), m.b.stop_text.culprit);
	str_copy(ret->text, sizeof(ret->text), m.b.stop_text.text);
	return 1;
}

int sm_standing(struct sm_connection *c, struct sm_boot_standing *ret)
{
	struct sm_message m;
	int r;

	sm_message_start(&m, SM_BOOT_ACCEPT, 0, 0);
	r = client_ask(c, &m, 1);
	if (r == 0)
		client_standing(&m.b.boot_accept, ret);
	return r;
}

int sm_decide(struct sm_connection *c, enum sm_verdict verdict, struct sm_boot_standing *ret)
{
	struct sm_message m;
	int r;

	if (verdict < SM_VERDICT_ACCEPT || verdict > SM_VERDICT_NEXT_LKG)
		return -EINVAL;
	sm_message_start(&m, SM_BOOT_ACCEPT, 0, 0);
	m.b.boot_accept.verb = verdict;
	r = client_ask(c, &m, PATIENCE);
	if ((r == 0 || r == -EIO) && ret)
		client_standing(&m.b.boot_accept, ret);
	return r;
}
