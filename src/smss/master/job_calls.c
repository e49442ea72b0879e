/* SPDX-License-Identifier: MIT */
/*
 * job_calls.c - what the boot's jobs tell the master: rows, plan, environment, state, "done",
 * "next?"
 *
 * Everything here came from a process that may be wrong: lengths were checked by the wire, roles by
 * the table in api.c, and what is handed over (plan, environment) must be sealed.
 */
#include "smss/master/calls.h"
#include "smss/master/sessions.h"

#include <errno.h>

#define NOTES_SHOWN 24u

/* The phase a job was started in: an async entry may speak when the boot has gone on. */
static enum phase phase_of(const struct ask *a)
{
	int row = NONE;

	if (master.shutting_down)
		return PHASE_SHUTDOWN;
	if (a->p->role == ROLE_INITIAL || a->p->role == ROLE_CSRSS)
		return PHASE_SESSIONS;
	for (uint32_t i = 0; i < master.ledger_top; i++)
		if (master.processes[i].pid && master.processes[i].peer == a->peer)
			row = master.processes[i].row;
	return row == NONE ? (enum phase)master.boot.phase : (enum phase)master.rows[row].phase;
}

int call_item(struct ask *a)
{
	const struct sm_item *i = &a->m->b.item;
	enum phase phase = phase_of(a);
	enum result result = i->result < RESULT_COUNT ? (enum result)i->result : RESULT_FAILED;
	int row;

	if (phase == PHASE_SESSIONS && row_again(result, i->detail, i->name, i->text))
		return ANSWER_NONE;
	if (a->p->session < SESSIONS_MAX && !session_may_row(a->p->session))
		return ANSWER_NONE;
	row = row_begin(phase, SM_ROW_ITEM, i->name, 0);
	if (row != NONE && i->start_ns && i->start_ns <= master.rows[row].start_ns)
		master.rows[row].start_ns = i->start_ns;
	row_end(row, result, i->detail, i->text);
	return ANSWER_NONE;
}

/* What smreg found wrong in the hive is said at every boot, until it is mended. */
static void show_notes(void)
{
	static const uint8_t results[] = {
		[PLAN_NOTE_ERROR] = RESULT_REFUSED,   [PLAN_NOTE_WARNING] = RESULT_OK,
		[PLAN_NOTE_NOT_YET] = RESULT_NOT_YET, [PLAN_NOTE_REFUSED] = RESULT_REFUSED,
		[PLAN_NOTE_UNKNOWN] = RESULT_SKIPPED,
	};
	uint32_t n = plan_count(master.plan, PLAN_NOTES);

	for (uint32_t i = 0; i < n && i < NOTES_SHOWN; i++) {
		const struct plan_row *row = plan_row_at(master.plan, PLAN_NOTES, i);

		row_note(PHASE_REGISTRY, SM_ROW_ITEM,
			 row->flags < sizeof(results) ? (enum result)results[row->flags]
						      : RESULT_DEGRADED,
			 0, plan_string(master.plan, row->name),
			 plan_string(master.plan, row->text));
	}
	if (n > NOTES_SHOWN)
		row_note(PHASE_REGISTRY, SM_ROW_ITEM, RESULT_DEGRADED, (int)n, "hive",
			 "more remarks: smreg check");
}

/* What is mapped here is read here: nobody may hand us gigabytes of holes. */
static int small_enough(int fd, uint64_t bytes)
{
	struct sys_stat st;
	int r = sys_stat_fd(fd, &st);

	return r < 0 ? r : st.size > bytes ? -EFBIG : 0;
}

int call_plan_ready(struct ask *a)
{
	const struct sm_plan_ready *ready = &a->m->b.plan_ready;
	const char *why = "";
	const void *bytes;
	size_t n;
	int r;

	if (master.boot.phase != PHASE_REGISTRY || master.boot.plan_ready || !a->fd_count)
		return -EINVAL;
	if (a->fds[0] < 0)
		return -EINVAL;
	r = small_enough(a->fds[0], PLAN_BYTES_MAX);
	if (r >= 0)
		r = sys_map_sealed(a->fds[0], &bytes, &n);
	if (r >= 0)
		r = plan_check(bytes, n, PLAN_MAGIC, &why);
	if (r < 0) {
		row_note(PHASE_REGISTRY, SM_ROW_ITEM, RESULT_REFUSED, -r, "plan", why);
		return r;
	}
	master.plan = bytes;
	master.plan_fd = fd_take(a->fds[0]);
	master.boot.plan_ready = true;
	master.boot.plan_flags = ready->flags;
	master.attempts = ready->attempts;
	if (ready->text[0])
		row_note(PHASE_REGISTRY, SM_ROW_ITEM, RESULT_DEGRADED, 0, "plan", ready->text);
	show_notes();
	return 0;
}

int call_env_ready(struct ask *a)
{
	if (!a->fd_count || small_enough(a->fds[0], ENV_BYTES) < 0 || sys_is_sealed(a->fds[0]) != 1)
		return -EINVAL;
	sys_closep(&master.env_fd);
	master.env_fd = fd_take(a->fds[0]);
	master.operators = a->m->b.env_ready.operators;
	if (a->m->b.env_ready.flags & SM_ENV_NO_PNP) {
		master.boot.no_pnp = true;
		row_note(PHASE_SERIALIZE, SM_ROW_PHASE, RESULT_SKIPPED, 0,
			 phase_word(PHASE_SERIALIZE), a->m->b.env_ready.text);
	}
	return 0;
}

/* The rest of that job is nobody's business: it goes on beside the boot, with its deadline. */
int call_job_done(struct ask *a)
{
	if (master.job == NONE || master.processes[master.job].peer != a->peer)
		return -EINVAL;
	master.job = NONE;
	phase_job_ended(RESULT_OK, 0);
	return 0;
}

int call_job_next(struct ask *a)
{
	struct sm_job_next *next = &a->m->b.job_next;
	int row = master.job, code = (int)next->exit;
	enum result result = !code                  ? RESULT_OK
			     : code == COPY_SKIPPED ? RESULT_SKIPPED
						    : RESULT_FAILED;

	if (row == NONE || master.processes[row].peer != a->peer)
		return -EINVAL;
	row_end(master.processes[row].row, result, code, "");
	master.processes[row].row = NONE;
	master.processes[row].deadline_ns = sys_now_ns() + 5 * NS_PER_S; /* to exit in */
	master.job = NONE;
	phase_job_ended(result, code);
	phase_next_for(row, next);
	return 0;
}
